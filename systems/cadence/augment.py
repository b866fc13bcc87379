"""What happens to a user's voice on its way to the ears in training: room, noise, line, pauses.

Rooms, noises and lines are those of `cascadence.degradation`, which sweeps apply as conditions too;
other rooms, other stretches and other seeds of noise.
"""

import functools
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cascadence import degradation, degradation_noise
from cascadence.audio import Audio
from cascadence.conditions import NoiseKind, PacketLoss, Room

__all__ = [
    "background",
    "coloured",
    "in_fresh_noise",
    "in_noise",
    "in_room",
    "over_line",
    "quiet_moment",
    "with_pause",
]

Samples = NDArray[np.float32]
_RATE_HZ = 16000
_LOOPS = 12
_FIRST_SEED = 77_000_000
_AROUND = ("white", "pink", "street", "music", *("babble",) * 5)


def _rms(samples: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


def background(samples: int, kind: str, rng: np.random.Generator) -> Samples:
    """Makes noise of unit power.

    Args:
        samples: how many, at 16 kHz.
        kind: `hum` (50 or 60 Hz with harmonics, and some white), or one that
            `cascadence.degradation_noise` makes.
        rng: source of randomness.
    """
    if kind == "hum":
        base_hz = rng.choice([50.0, 60.0])
        times = np.arange(samples) / _RATE_HZ
        tones = [np.sin(2 * np.pi * base_hz * k * times + k) / k for k in (1, 2, 3, 5, 7)]
        noise = np.sum(tones, axis=0) + 0.2 * rng.standard_normal(samples)
        return np.asarray(noise / max(_rms(noise), 1e-9), np.float32)
    loop = _loop(cast("NoiseKind", kind), int(rng.integers(_LOOPS)))
    return np.resize(np.roll(loop, int(rng.integers(len(loop)))), samples)


@functools.lru_cache(maxsize=64)
def _loop(kind: NoiseKind, number: int) -> Samples:
    return degradation_noise.background(kind, _FIRST_SEED + number)


def in_noise(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Adds noise, so many dB below the active level of the speech; it is cut or repeated to fit."""
    fitted = np.resize(noise, len(speech))
    level_db = degradation.active_level_dbfs([Audio(speech, _RATE_HZ)])
    if not np.isfinite(level_db):
        return speech
    scale = 10 ** ((level_db - snr_db) / 20) / max(_rms(fitted), 1e-9)
    return (speech + scale * fitted).astype(np.float32)


def in_fresh_noise(speech: Samples, rng: np.random.Generator) -> Samples:
    """Adds a noise of any kind, mostly babble, at 3 to 18 dB."""
    noise = background(len(speech), str(rng.choice(_AROUND)), rng)
    noisy = in_noise(speech, noise, rng.uniform(3.0, 18.0))
    return np.clip(noisy, -1, 1).astype(np.float32)


def over_line(speech: Samples, line: str, rng: np.random.Generator) -> Samples:
    """Passes speech in [-1, 1] through a `telephone` (G.711) or a `lossy` network of packets.

    Raises:
        ValueError: if the line is unknown.
    """
    audio = Audio(speech, _RATE_HZ)
    if line == "telephone":
        return degradation.over_telephone(audio).samples
    if line == "lossy":
        loss = PacketLoss(rate=rng.uniform(0.02, 0.15), burst_packets=rng.uniform(1.0, 3.0))
        return degradation.with_losses(audio, loss, int(rng.integers(2**31))).samples
    raise ValueError(f"unknown line {line!r}")


def in_room(speech: Samples, rt60_s: float, rng: np.random.Generator) -> Samples:
    """Reverberates speech in a room that `rng` draws; `rt60_s` until it has fallen by 60 dB."""
    room = Room(rt60_s=rt60_s, direct_db=rng.uniform(-2.0, 15.0))
    seed = int(rng.integers(2**31))
    return degradation.in_room(Audio(np.clip(speech, -1, 1), _RATE_HZ), room, seed).samples


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
