"""Levels of an utterance, and where in it there is speech.

dBFS are those of `cascadence.audio`. Every threshold is relative to the utterance's own active
level, so that gain moves no boundary.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio

Floats = npt.NDArray[np.float64]

ANALYSIS_RATE: Final = 16_000
FRAME_SAMPLES: Final = 160
FRAME_S: Final = FRAME_SAMPLES / ANALYSIS_RATE
QUIETEST_DBFS: Final = -80.0
"""Below this RMS level there is no speech to measure."""
SPEECH_DROP_DB: Final = 30.0
"""Frames down to this far below the active level belong to speech."""
SHORTEST_PAUSE_S: Final = 0.15
"""A shorter silence is a stop consonant. (At 0.1 s, slow speech loses its closures to the pauses:
rates then follow a change of tempo by 0.84 of it, and by 0.99 at 0.15 s.)"""
SHORTEST_SPEECH_S: Final = 0.03


def active_level_dbfs(audio: Audio) -> float | None:
    """Return the active speech level: the level while somebody speaks, pauses left out.

    Method B of ITU-T P.56 (2011): a smoothed envelope, a hangover of 200 ms, and the threshold that
    lies 15.9 dB below the level of what exceeds it. Evaluated on the sound scaled to one RMS level,
    so that gain shifts the result exactly, and without the silence around it, into which the
    hangover would reach.

    Args:
        audio: at `ANALYSIS_RATE`.

    Returns:
        dBFS; ``None`` where there is nothing above `QUIETEST_DBFS`.
    """
    from scipy.ndimage import maximum_filter1d
    from scipy.signal import lfilter

    x = _without_silence_around(audio)
    power = float(np.mean(x**2)) if len(x) else 0.0
    rms_dbfs = 10.0 * np.log10(power) if power > 0.0 else -np.inf
    if rms_dbfs < QUIETEST_DBFS:
        return None
    decay = np.exp(-1.0 / (0.03 * audio.sample_rate))
    coefficients = ([1.0 - decay], [1.0, -decay])
    envelope = lfilter(*coefficients, lfilter(*coefficients, np.abs(x) / np.sqrt(power)))
    step = max(1, audio.sample_rate // 1000)
    blocks = np.maximum.reduceat(envelope, np.arange(0, len(envelope), step))
    hangover = round(0.2 * audio.sample_rate / step)
    held = maximum_filter1d(blocks, hangover, origin=(hangover - 1) // 2, mode="nearest")
    thresholds_db = np.arange(20.0, -70.0, -1.0)
    activity = np.array([np.mean(held >= 10.0 ** (db / 20.0)) for db in thresholds_db])
    active_db = -10.0 * np.log10(np.maximum(activity, 1e-12))
    margin_db = active_db - thresholds_db
    reached = np.flatnonzero((margin_db >= 15.9) & (activity > 0.0))
    if not len(reached):
        return float(rms_dbfs)
    return float(rms_dbfs + active_db[reached[0]])


def _without_silence_around(audio: Audio) -> Floats:
    levels = frame_levels_db(audio)
    loud = np.flatnonzero(levels >= levels.max(initial=-np.inf) - 40.0)
    if not len(loud):
        return np.zeros(0)
    samples = audio.samples[loud[0] * FRAME_SAMPLES : (loud[-1] + 1) * FRAME_SAMPLES]
    return np.asarray(samples, dtype=np.float64)


def speech_runs(audio: Audio, level_db: float) -> list[tuple[float, float]]:
    """Return the spans of speech: frames within `SPEECH_DROP_DB` of the active level.

    Args:
        audio: at `ANALYSIS_RATE`.
        level_db: its active level.

    Returns:
        ``[(start_s, end_s), ...]``; gaps shorter than `SHORTEST_PAUSE_S` are bridged, and runs
        shorter than `SHORTEST_SPEECH_S` are clicks and left out.
    """
    active = frame_levels_db(audio) >= level_db - SPEECH_DROP_DB
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    runs = [(a * FRAME_S, b * FRAME_S) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    merged: list[tuple[float, float]] = []
    for start_s, end_s in runs:
        if end_s - start_s < SHORTEST_SPEECH_S - 1e-9:
            continue
        if merged and start_s - merged[-1][1] < SHORTEST_PAUSE_S - 1e-9:
            merged[-1] = (merged[-1][0], float(end_s))
        else:
            merged.append((float(start_s), float(end_s)))
    return merged


def level_range_db(audio: Audio, runs: list[tuple[float, float]]) -> float | None:
    """Return p95 - p5 of the frames' levels inside speech.

    Args:
        audio: at `ANALYSIS_RATE`.
        runs: its spans of speech.

    Returns:
        dB; ``None`` without speech.
    """
    levels = frame_levels_db(audio)
    spans = [levels[round(a / FRAME_S) : round(b / FRAME_S)] for a, b in runs]
    if not spans:
        return None
    low, high = np.percentile(np.concatenate(spans), (5, 95))
    return float(high - low)


def frame_levels_db(audio: Audio) -> Floats:
    """Return the RMS level of each frame of `FRAME_S`, at least -120 dBFS."""
    count = -(-len(audio) // FRAME_SAMPLES)
    padded = np.zeros(count * FRAME_SAMPLES)
    padded[: len(audio)] = audio.samples
    power = np.mean(padded.reshape(count, FRAME_SAMPLES) ** 2, axis=1)
    result: Floats = 10.0 * np.log10(np.maximum(power, 1e-12))
    return result
