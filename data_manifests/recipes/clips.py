"""From bare synthetic speech to a clip: its true boundaries, its level, the quiet around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cascadence.audio import Audio, Samples, audible_runs, frame_levels_dbfs
from cascadence.errors import CascadenceError

CLIP_RATE_HZ: Final = 16_000
NEUTRAL_LEVEL_DBFS: Final = -26.0
"""Active speech level of a neutral clip."""
NOISE_FLOOR_DBFS: Final = -70.0
"""Below what counts as audible, above digital silence, which no microphone gives."""
BOUNDARY_DB: Final = -40.0
"""What is kept of a synthesiser's output: from the first to the last run of three 10 ms frames that
are at most this far below the loudest one. (Pico's own silence is restless at -45 dB.)"""
_RUN_FRAMES: Final = 3
_ACTIVE_DB: Final = -25.0
_LEAD_S: Final = (0.10, 0.30)
_TRAIL_S: Final = (0.30, 0.45)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One clip of a user's speech.

    Attributes:
        audio: 16 kHz mono, quiet before and after the speech.
        speech_s: true start and end of the speech in the clip, seconds: where the clean signal, at
            the clip's level and before any noise is added, becomes audible and stops being so
            (`cascadence.audio.audible_runs`).
    """

    audio: Audio
    speech_s: tuple[float, float]


def active_level_dbfs(audio: Audio) -> float:
    """Mean power of the 10 ms frames within 25 dB of the loud ones (95th percentile), in dBFS.

    Raises:
        CascadenceError: the sound is digital silence.
    """
    levels = frame_levels_dbfs(audio)
    heard = levels[np.isfinite(levels)]
    if not len(heard):
        raise CascadenceError("digital silence has no speech level")
    active = heard[heard >= np.percentile(heard, 95) + _ACTIVE_DB]
    return float(10.0 * np.log10(np.mean(10.0 ** (active / 10.0))))


def trimmed(audio: Audio) -> Audio:
    """Cut away what a synthesiser pads: frames before the first and after the last of speech.

    Raises:
        CascadenceError: the sound is digital silence.
    """
    levels = frame_levels_dbfs(audio)
    loudest = levels.max(initial=-np.inf)
    loud = levels >= loudest + BOUNDARY_DB
    starts = np.flatnonzero(np.convolve(loud, np.ones(_RUN_FRAMES), mode="valid") == _RUN_FRAMES)
    if not np.isfinite(loudest) or not len(starts):
        raise CascadenceError("there is no speech to find in silence")
    frame = max(1, round(0.010 * audio.sample_rate))
    first, last = int(starts[0]) * frame, (int(starts[-1]) + _RUN_FRAMES) * frame
    return Audio(audio.samples[first:last].copy(), audio.sample_rate)


def place(speech: Audio, level_db: float, rng: np.random.Generator) -> Spoken:
    """Set the level of bare speech and lay it into a quiet clip.

    Args:
        speech: 16 kHz, with or without the synthesiser's padding.
        level_db: relative to `NEUTRAL_LEVEL_DBFS`, dB.
        rng: draws the lengths of the quiet and the noise floor.

    Returns:
        The clip; at most 300 ms of quiet before the speech, at least 300 ms after it.

    Raises:
        CascadenceError: another sample rate, silence, or a level at which the speech would clip or
            not be heard.
    """
    if speech.sample_rate != CLIP_RATE_HZ:
        raise CascadenceError(f"clips are made at {CLIP_RATE_HZ} Hz, not {speech.sample_rate}")
    bare = trimmed(speech)
    gain_db = NEUTRAL_LEVEL_DBFS + level_db - active_level_dbfs(bare)
    samples = _faded(bare.samples) * np.float32(10.0 ** (gain_db / 20.0))
    if float(np.abs(samples).max()) > 0.99:
        raise CascadenceError(f"speech clips at {NEUTRAL_LEVEL_DBFS + level_db:.1f} dBFS")
    lead = round(float(rng.uniform(*_LEAD_S)), 2)
    trail = round(float(rng.uniform(*_TRAIL_S)), 2)
    first = round(lead * CLIP_RATE_HZ)
    clip = quiet(lead + len(bare) / CLIP_RATE_HZ + trail, rng)
    clip[first : first + len(samples)] += samples
    runs = audible_runs(Audio(samples, CLIP_RATE_HZ))
    if not runs:
        raise CascadenceError(f"nothing is audible at {NEUTRAL_LEVEL_DBFS + level_db:.1f} dBFS")
    edges_s = (round(lead + runs[0][0], 4), round(lead + runs[-1][1], 4))
    return Spoken(Audio(clip, CLIP_RATE_HZ), edges_s)


def quiet(
    duration_s: float, rng: np.random.Generator, level_dbfs: float = NOISE_FLOOR_DBFS
) -> Samples:
    """Gaussian noise at a level, float32 of shape ``(round(duration_s * 16 kHz),)``."""
    count = round(duration_s * CLIP_RATE_HZ)
    return np.asarray(rng.normal(0.0, 10.0 ** (level_dbfs / 20.0), count), dtype=np.float32)


def _faded(samples: Samples) -> Samples:
    """Soften the cut of `trimmed`: a 3 ms ramp at both ends, too short to move a boundary."""
    ramp = min(len(samples) // 2, round(0.003 * CLIP_RATE_HZ))
    out = samples.copy()
    if ramp:
        slope = np.linspace(0.0, 1.0, ramp, dtype=np.float32)
        out[:ramp] *= slope
        out[-ramp:] *= slope[::-1]
    return out
