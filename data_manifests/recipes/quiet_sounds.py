"""Sounds of rooms in which nobody speaks: a system that answers them is wrong."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, quiet

Quiet = Literal["room", "hum", "rain", "keyboard"]
QUIETS: Final[tuple[Quiet, ...]] = ("room", "hum", "rain", "keyboard")

DURATION_S: Final = 5.0
_LEVEL_DBFS: Final = {"room": -58.0, "hum": -45.0, "rain": -42.0, "keyboard": -58.0}


def quiet_sound(kind: Quiet, seed: int) -> Audio:
    """Make five seconds of a room: its noise floor, mains hum, rain, or somebody typing.

    Args:
        kind: which room.
        seed: draws the noise.

    Returns:
        16 kHz mono.
    """
    rng = np.random.default_rng(seed)
    count = round(DURATION_S * CLIP_RATE_HZ)
    shape = {"hum": _hum, "rain": _pink}.get(kind, _brown)
    noise = shape(count, rng)
    noise *= 10.0 ** (_LEVEL_DBFS[kind] / 20.0) / float(np.sqrt(np.mean(noise**2)))
    if kind == "keyboard":
        noise += _keystrokes(count, rng)
    floor = quiet(DURATION_S, rng)
    return Audio((noise + floor).astype(np.float32), CLIP_RATE_HZ)


def _hum(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Mains hum: 50 Hz and four harmonics."""
    times_s = np.arange(count) / CLIP_RATE_HZ
    phases = rng.uniform(0.0, 2.0 * np.pi, 5)
    partials = [
        np.sin(2.0 * np.pi * 50.0 * number * times_s + phase) / number
        for number, phase in enumerate(phases, start=1)
    ]
    return np.asarray(np.sum(partials, axis=0), dtype=np.float64)


def _coloured(count: int, rng: np.random.Generator, slope: float) -> npt.NDArray[np.float64]:
    """Noise whose amplitude spectrum falls as frequency to the power of -slope, above 40 Hz."""
    spectrum = np.fft.rfft(rng.normal(size=count))
    frequencies_hz = np.fft.rfftfreq(count, 1.0 / CLIP_RATE_HZ)
    return np.fft.irfft(spectrum / np.maximum(frequencies_hz, 40.0) ** slope, count)


def _pink(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return _coloured(count, rng, 0.5)


def _brown(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return _coloured(count, rng, 1.0)


def _keystrokes(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Some five strokes a second: bursts of 5 ms that die away."""
    out = np.zeros(count)
    length = round(0.02 * CLIP_RATE_HZ)
    decay = np.exp(-np.arange(length) / (0.005 * CLIP_RATE_HZ))
    at = 0.3
    while at < DURATION_S - 0.3:
        first = round(at * CLIP_RATE_HZ)
        out[first : first + length] += rng.normal(size=length) * decay * rng.uniform(0.01, 0.03)
        at += rng.uniform(0.12, 0.3)
    return out
