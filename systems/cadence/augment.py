"""What happens to a user's voice on its way to a microphone: noise, telephone, level, silence."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = [
    "background",
    "coloured",
    "in_noise",
    "in_room",
    "over_telephone",
    "quiet_moment",
    "with_pause",
]

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


def in_room(speech: Samples, rt60_s: float, direct_db: float, rng: np.random.Generator) -> Samples:
    """Reverberates speech: the direct sound, then noise that decays exponentially.

    Args:
        speech: at 16 kHz.
        rt60_s: seconds until the reverberation has fallen by 60 dB.
        direct_db: energy of the direct sound relative to the reverberation.
        rng: draws the room.

    Returns:
        As many samples, at the same RMS.
    """
    times_s = np.arange(max(2, int(rt60_s * _RATE_HZ))) / _RATE_HZ
    tail = rng.standard_normal(len(times_s)) * 10 ** (-3 * times_s / rt60_s)
    tail[: int(0.002 * _RATE_HZ)] = 0.0
    tail *= 10 ** (-direct_db / 20) / max(float(np.sqrt(np.sum(tail**2))), 1e-9)
    tail[0] = 1.0
    wet = signal.oaconvolve(speech, tail)[: len(speech)]
    return np.asarray(wet * (_rms(speech) / max(_rms(wet), 1e-9)), np.float32)


def coloured(speech: Samples, gains_db: Samples) -> Samples:
    """Filters speech as a microphone may: gains at points evenly spaced in octaves.

    Args:
        speech: at 16 kHz.
        gains_db: at 100 Hz, 7 kHz, and at points between, in dB; interpolated.

    Returns:
        As many samples, at the same RMS.
    """
    spectrum = np.fft.rfft(speech)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(speech), 1 / _RATE_HZ), 1.0))
    places = np.linspace(np.log2(100.0), np.log2(7000.0), len(gains_db))
    filtered = np.fft.irfft(spectrum * 10 ** (np.interp(octaves, places, gains_db) / 20))
    filtered = np.resize(filtered, len(speech)) if len(filtered) < len(speech) else filtered
    filtered = filtered[: len(speech)]
    return np.asarray(filtered * (_rms(speech) / max(_rms(filtered), 1e-9)), np.float32)


def quiet_moment(speech: Samples, rng: np.random.Generator) -> int | None:
    """Finds a sample of speech at which a pause may be: one of its quietest moments inside.

    Returns:
        None if the speech is too short to have an inside.
    """
    frame = _RATE_HZ // 50
    count = len(speech) // frame
    first, last = int(0.15 * count), int(0.85 * count)
    if last - first < 5:
        return None
    power = (speech[: count * frame].astype(np.float64).reshape(count, frame) ** 2).mean(1)
    smooth = np.convolve(power, np.ones(3) / 3, "same")[first:last]
    quietest = np.argsort(smooth)[: max(1, len(smooth) // 12)]
    return (first + int(rng.choice(quietest))) * frame + frame // 2


def with_pause(speech: Samples, pause_s: float, rng: np.random.Generator) -> Samples:
    """Puts a pause into speech, at one of its quietest moments, away from its edges."""
    at = quiet_moment(speech, rng)
    if at is None:
        return speech
    floor = rng.standard_normal(round(pause_s * _RATE_HZ)) * 10 ** (-70 / 20)
    return np.concatenate([speech[:at], floor.astype(np.float32), speech[at:]])
