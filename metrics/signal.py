"""What an utterance sounds like, in numbers: pitch, level, rate, pauses.

Conventions: everything is computed at `ANALYSIS_RATE`; times are seconds inside the utterance; a
feature that the sound does not bear (no voiced frame, no syllable) is ``None``, never 0 or NaN.
Pitch in semitones is relative to `SEMITONE_REFERENCE_HZ`. The mean (DC) is removed first, and every
threshold is relative to the utterance's own active level, so that gain moves `level_db` and nothing
else.

The pitch tracker is injected (`PitchDetector`), because trackers differ by half an octave on creaky
voices: see `cascadence.metrics.tools.Features` for the one in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.require import require

Floats = npt.NDArray[np.float64]

ANALYSIS_RATE = 16_000
FRAME_SAMPLES = 160
FRAME_S = FRAME_SAMPLES / ANALYSIS_RATE
SEMITONE_REFERENCE_HZ = 100.0
QUIETEST_DBFS = -80.0
"""Below this RMS level there is no speech to measure."""
SPEECH_DROP_DB = 30.0
"""Frames down to this far below the active level belong to speech."""
SHORTEST_PAUSE_S = 0.15
"""A shorter silence is a stop consonant. (At 0.1 s, slow speech loses its closures to the pauses:
rates then follow a change of tempo by 0.84 of it, and by 0.99 at 0.15 s.)"""
SHORTEST_SPEECH_S = 0.03
FINAL_SPAN_S = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class PitchTrack:
    """Fundamental frequency, frame by frame.

    Attributes:
        hop_s: distance of the frames; frame ``k`` is centred at ``k * hop_s``.
        f0_hz: shape ``(frames,)``; 0 where unvoiced.
    """

    hop_s: float
    f0_hz: Floats

    @property
    def times_s(self) -> Floats:
        """Centres of the frames."""
        return np.asarray(np.arange(len(self.f0_hz)) * self.hop_s, dtype=np.float64)

    @property
    def voiced(self) -> npt.NDArray[np.bool_]:
        """Which frames are voiced."""
        return self.f0_hz > 0.0


PitchDetector = Callable[[Audio], PitchTrack]
"""Takes a sound at `ANALYSIS_RATE`."""


def semitones(f0_hz: Floats) -> Floats:
    """Return voiced frequencies (all > 0) in semitones above `SEMITONE_REFERENCE_HZ`."""
    return np.asarray(12.0 * np.log2(f0_hz / SEMITONE_REFERENCE_HZ), dtype=np.float64)


def utterance_features(audio: Audio, detector: PitchDetector) -> Mapping[str, Any]:
    """Measure an utterance.

    Args:
        audio: one speaker's utterance, any rate; silence around it does not matter.
        detector: tracks the pitch.

    Returns:
        JSON values. ``level_db`` (active speech level, dBFS), ``level_range_db`` (p95 - p5 of the
        frames' levels inside speech), ``speech_s`` (speech, pauses removed), ``pauses_s`` (spans),
        ``pause_ratio``, ``syllables``, ``rate_syllables_per_s``, ``f0_median_st``, ``f0_range_st``
        (p95 - p5), ``final_f0_slope_st_per_s``, and the track: ``f0_hop_s``, ``f0_hz``. ``None``
        where the sound does not bear a feature.
    """
    sound = _prepared(audio)
    level_db = active_level_dbfs(sound)
    if level_db is None:
        return {**_NOTHING, "f0_hop_s": None, "f0_hz": []}
    track = detector(sound)
    runs = speech_runs(sound, level_db)
    nuclei = _inside(syllable_nuclei_s(sound, track), runs)
    speech_s = sum(b - a for a, b in runs)
    pauses = [(a[1], b[0]) for a, b in pairwise(runs)]
    paused_s = sum(b - a for a, b in pauses)
    return {
        "level_db": round(level_db, 3),
        "level_range_db": _level_range_db(sound, runs),
        "speech_s": round(speech_s, 4),
        "pauses_s": [[round(a, 3), round(b, 3)] for a, b in pauses],
        "pause_ratio": round(paused_s / (speech_s + paused_s), 4) if speech_s else None,
        "syllables": len(nuclei),
        "rate_syllables_per_s": round(len(nuclei) / speech_s, 4) if len(nuclei) else None,
        **_pitch_features(track),
        "f0_hop_s": track.hop_s,
        "f0_hz": [round(float(f0), 2) for f0 in track.f0_hz],
    }


_NOTHING: Mapping[str, Any] = {
    "level_db": None,
    "level_range_db": None,
    "speech_s": 0.0,
    "pauses_s": [],
    "pause_ratio": None,
    "syllables": 0,
    "rate_syllables_per_s": None,
    "f0_median_st": None,
    "f0_range_st": None,
    "final_f0_slope_st_per_s": None,
}


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
    levels = _frame_levels_db(audio)
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
    active = _frame_levels_db(audio) >= level_db - SPEECH_DROP_DB
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


def syllable_nuclei_s(audio: Audio, track: PitchTrack) -> Floats:
    """Return where the syllables are: voiced peaks of loudness.

    Loudness is the mean over mel bands (100 Hz to 4 kHz) of the cube root of power, which follows
    hearing (Stevens' law) and lets a vowel beside a louder one be a peak of its own; the voicing
    criterion is that of de Jong and Wempe 2009 (doi:10.3758/BRM.41.2.385). Tuned on German human
    speech with hand-made syllable counts and on resynthesis at five rates.

    Args:
        audio: at `ANALYSIS_RATE`.
        track: its pitch.

    Returns:
        Times of the nuclei, in order.
    """
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d
    from scipy.signal import find_peaks

    if len(audio) < 4 * FRAME_SAMPLES or not track.voiced.any():
        return np.zeros(0)
    loudness = gaussian_filter1d(np.mean(np.cbrt(_mel_power(audio)), axis=0), sigma=1.5)
    loud = float(np.percentile(loudness, 95))
    peaks, _ = find_peaks(loudness, prominence=0.02 * loud, height=0.1 * loud, distance=5)
    voiced = maximum_filter1d(track.voiced.astype(np.float64), 3)
    times_s = peaks * FRAME_S
    nearest = np.minimum(np.rint(times_s / track.hop_s).astype(int), len(voiced) - 1)
    result: Floats = times_s[voiced[nearest] > 0.0]
    return result


def _prepared(audio: Audio) -> Audio:
    sound = audio.check().at_rate(ANALYSIS_RATE)
    if not len(sound):
        return sound
    return Audio(sound.samples - np.float32(sound.samples.mean(dtype=np.float64)), ANALYSIS_RATE)


def _frame_levels_db(audio: Audio) -> Floats:
    count = -(-len(audio) // FRAME_SAMPLES)
    padded = np.zeros(count * FRAME_SAMPLES)
    padded[: len(audio)] = audio.samples
    power = np.mean(padded.reshape(count, FRAME_SAMPLES) ** 2, axis=1)
    result: Floats = 10.0 * np.log10(np.maximum(power, 1e-12))
    return result


def _mel_power(audio: Audio) -> Floats:
    """Power in 24 mel bands, shape ``(24, frames)``, one frame every `FRAME_S`, centred."""
    librosa = require("librosa", extra="prosody")
    power: Floats = librosa.feature.melspectrogram(
        y=audio.samples,
        sr=audio.sample_rate,
        n_fft=512,
        hop_length=FRAME_SAMPLES,
        n_mels=24,
        fmin=100.0,
        fmax=4000.0,
    )
    return power


def _inside(times_s: Floats, runs: list[tuple[float, float]]) -> list[float]:
    return [float(t) for t in times_s if any(a <= t <= b for a, b in runs)]


def _level_range_db(audio: Audio, runs: list[tuple[float, float]]) -> float | None:
    levels = _frame_levels_db(audio)
    spans = [levels[round(a / FRAME_S) : round(b / FRAME_S)] for a, b in runs]
    if not spans:
        return None
    low, high = np.percentile(np.concatenate(spans), (5, 95))
    return round(float(high - low), 3)


def _pitch_features(track: PitchTrack) -> dict[str, float | None]:
    """Median, range and final slope of the voiced frames."""
    voiced = track.voiced
    if voiced.sum() < 3:
        return {"f0_median_st": None, "f0_range_st": None, "final_f0_slope_st_per_s": None}
    pitch_st = semitones(track.f0_hz[voiced])
    times_s = track.times_s[voiced]
    low, median, high = np.percentile(pitch_st, (5, 50, 95))
    final = times_s >= times_s[-1] - FINAL_SPAN_S
    slope = float(np.polyfit(times_s[final], pitch_st[final], 1)[0]) if final.sum() >= 5 else None
    return {
        "f0_median_st": round(float(median), 4),
        "f0_range_st": round(float(high - low), 4),
        "final_f0_slope_st_per_s": None if slope is None else round(slope, 3),
    }
