"""What happens to a user's voice on its way to a microphone: noise, telephone, level, silence."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["background", "in_noise", "over_telephone", "with_silence"]

Samples = NDArray[np.float32]
_RATE_HZ = 16000


def _rms(samples: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


def background(samples: int, kind: str, rng: np.random.Generator) -> Samples:
    """Makes noise of unit power.

    Args:
        samples: how many, at 16 kHz.
        kind: `white`, `pink` (1/f power) or `hum` (50 or 60 Hz with harmonics, and some white).
        rng: source of randomness.

    Raises:
        ValueError: if the kind is unknown.
    """
    white = rng.standard_normal(samples)
    if kind == "white":
        noise = white
    elif kind == "pink":
        frequency = np.maximum(np.fft.rfftfreq(samples, 1 / _RATE_HZ), 20.0)
        noise = np.fft.irfft(np.fft.rfft(white) / np.sqrt(frequency), samples)
    elif kind == "hum":
        base_hz = rng.choice([50.0, 60.0])
        times = np.arange(samples) / _RATE_HZ
        tones = [np.sin(2 * np.pi * base_hz * k * times + k) / k for k in (1, 2, 3, 5, 7)]
        noise = np.sum(tones, axis=0) + 0.2 * white
    else:
        raise ValueError(f"unknown noise {kind!r}")
    return np.asarray(noise / max(_rms(noise), 1e-9), np.float32)


def in_noise(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Adds noise at a signal-to-noise ratio, in dB of mean power; the noise is cut or repeated."""
    fitted = np.resize(noise, len(speech))
    scale = _rms(speech) / _rms(fitted) * 10 ** (-snr_db / 20)
    return (speech + scale * fitted).astype(np.float32)


def over_telephone(speech: Samples) -> Samples:
    """Limits speech to 300 to 3400 Hz and passes it through 8-bit μ-law (ITU-T G.711)."""
    band = signal.butter(4, [300, 3400], "bandpass", fs=_RATE_HZ, output="sos")
    narrow = np.clip(signal.sosfilt(band, speech), -1, 1)
    coded = np.round(np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256) * 127) / 127
    return np.asarray(np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255, np.float32)


def with_silence(speech: Samples, before_s: float, after_s: float) -> Samples:
    """Puts digital silence around speech at 16 kHz."""
    return np.pad(speech, (round(before_s * _RATE_HZ), round(after_s * _RATE_HZ)))
