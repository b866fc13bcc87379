"""What an utterance sounds like, in numbers: pitch, level, rate, pauses, voice quality.

Conventions: everything is computed at `ANALYSIS_RATE`; times are seconds inside the utterance; a
feature that the sound does not bear (no voiced frame, no syllable) is ``None``, never 0 or NaN.
Pitch in semitones is relative to `SEMITONE_REFERENCE_HZ`. The mean (DC) is removed and the sound
brought to one active level first, so that gain moves `level_db` and nothing else; only what lies
inside speech counts, so that silence around it changes nothing.

The pitch tracker is injected (`PitchDetector`), because trackers differ by half an octave on creaky
voices: `cascadence.metrics.tools.Features` has the one in use, ``docs/f0_trackers.md`` the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np

from cascadence.audio import Audio
from cascadence.metrics.signal_levels import (
    ANALYSIS_RATE,
    FRAME_SAMPLES,
    SPEECH_DROP_DB,
    active_level_dbfs,
    level_range_db,
    speech_runs,
)
from cascadence.metrics.signal_pitch import (
    SEMITONE_REFERENCE_HZ,
    PitchDetector,
    PitchTrack,
    pitch_features,
    semitones,
)
from cascadence.metrics.signal_syllables import SYLLABLES_PER_NUCLEUS, syllable_nuclei_s
from cascadence.metrics.signal_voice_quality import hnr_db, spectral_tilt_db_per_octave

__all__ = [
    "ANALYSIS_RATE",
    "SEMITONE_REFERENCE_HZ",
    "PitchDetector",
    "PitchTrack",
    "active_level_dbfs",
    "semitones",
    "speech_runs",
    "utterance_features",
]

REFERENCE_DBFS: Final = -26.0
"""The active level at which everything but the level is measured: that of ITU-T P.56 and P.862."""

CONTEXT_S: Final = 0.1
"""So much around the speech is looked at, because trackers want to see it begin."""


def utterance_features(audio: Audio, detector: PitchDetector) -> Mapping[str, Any]:
    """Measure an utterance.

    Args:
        audio: one speaker's utterance, any rate; silence around it does not matter.
        detector: tracks the pitch.

    Returns:
        JSON values. ``level_db`` (active speech level, dBFS), ``level_range_db`` (p95 - p5 of the
        frames' levels inside speech), ``speech_s`` (speech, pauses removed), ``pauses_s`` (spans),
        ``pause_ratio``, ``syllables`` (nuclei found), ``rate_syllables_per_s``, ``f0_median_st``,
        ``f0_range_st`` (p95 - p5), ``final_f0_slope_st_per_s``, ``spectral_tilt_db_per_octave``,
        ``hnr_db``, and the track: ``f0_hop_s``, ``f0_hz``. ``None`` where the sound does not bear a
        feature.

    Raises:
        BadAudio: NaN or out of range.
    """
    whole = audio.check().at_rate(ANALYSIS_RATE)
    sound, start_s = _speech_of(_without_dc(whole))
    level_db = active_level_dbfs(sound)
    if level_db is None:
        return {**_NOTHING, "f0_hop_s": None, "f0_hz": []}
    runs = speech_runs(sound, level_db)
    sound = _with_gain(sound, REFERENCE_DBFS - level_db)
    track = detector(sound)
    spoken = track.inside(runs)
    count = math.ceil(whole.duration_s / track.hop_s)
    grid_s = np.arange(count, dtype=np.float64) * np.float64(track.hop_s)
    return {
        "level_db": round(level_db, 3),
        "level_range_db": _rounded(level_range_db(sound, runs), 3),
        **_timing(runs, start_s, _nuclei(sound, track, runs)),
        **pitch_features(spoken),
        "spectral_tilt_db_per_octave": _rounded(spectral_tilt_db_per_octave(sound, spoken), 3),
        "hnr_db": _rounded(hnr_db(sound, spoken), 3),
        "f0_hop_s": track.hop_s,
        "f0_hz": [round(float(f0), 2) for f0 in track.at(grid_s - start_s)],
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
    "spectral_tilt_db_per_octave": None,
    "hnr_db": None,
}


def _without_dc(sound: Audio) -> Audio:
    if not len(sound):
        return sound
    mean = np.float32(sound.samples.mean(dtype=np.float64))
    return Audio(sound.samples - mean, sound.sample_rate)


def _speech_of(sound: Audio) -> tuple[Audio, float]:
    """Cut a sound to its speech, with `CONTEXT_S` of silence around, and say when that begins.

    It begins at a sample of the speech and not at a frame, so that the same speech inside other
    silence is measured in the same frames, or almost.
    """
    level_db = active_level_dbfs(sound)
    runs = [] if level_db is None else speech_runs(sound, level_db)
    if level_db is None or not runs:
        return sound, 0.0
    # A frame more on either side: one that holds but a few samples of the speech is not active.
    first = max(0, round(runs[0][0] * ANALYSIS_RATE) - FRAME_SAMPLES)
    last = round(runs[-1][1] * ANALYSIS_RATE) + FRAME_SAMPLES
    speech = _without_dc(Audio(sound.samples[first:last], ANALYSIS_RATE)).samples
    loud = np.flatnonzero(np.abs(speech) >= 10.0 ** ((level_db - SPEECH_DROP_DB) / 20.0))
    begin, end = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(speech))
    context = round(CONTEXT_S * ANALYSIS_RATE)
    padded = np.pad(_without_dc(Audio(speech[begin:end], ANALYSIS_RATE)).samples, context)
    return Audio(padded, ANALYSIS_RATE), (first + begin - context) / ANALYSIS_RATE


def _with_gain(sound: Audio, gain_db: float) -> Audio:
    """Scale without clipping: this is never played."""
    return Audio(sound.samples * np.float32(10.0 ** (gain_db / 20.0)), sound.sample_rate)


def _nuclei(sound: Audio, track: PitchTrack, runs: list[tuple[float, float]]) -> int:
    nuclei_s = syllable_nuclei_s(sound, track)
    return sum(any(start_s <= t <= end_s for start_s, end_s in runs) for t in nuclei_s)


def _timing(runs: list[tuple[float, float]], offset_s: float, nuclei: int) -> dict[str, Any]:
    """Measure speech, pauses and rate; the runs are told from ``offset_s`` on."""
    speech_s = sum(end_s - start_s for start_s, end_s in runs)
    pauses = [(offset_s + before[1], offset_s + after[0]) for before, after in pairwise(runs)]
    paused_s = sum(end_s - start_s for start_s, end_s in pauses)
    rate = SYLLABLES_PER_NUCLEUS * nuclei / speech_s if nuclei else None
    return {
        "speech_s": round(speech_s, 4),
        "pauses_s": [[round(start_s, 3), round(end_s, 3)] for start_s, end_s in pauses],
        "pause_ratio": round(paused_s / (speech_s + paused_s), 4) if speech_s else None,
        "syllables": nuclei,
        "rate_syllables_per_s": _rounded(rate, 4),
    }


def _rounded(x: float | None, digits: int) -> float | None:
    return None if x is None else round(x, digits)
