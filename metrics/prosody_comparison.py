"""Two renderings of the same words, side by side: all that the prosody metrics tell of a pair.

`rendition` reads off one sound what comparisons need, and keeps no sound; `compare` aligns two and
compares them; the metrics are views of its answer. Both remember what they did last, since a dozen
metrics ask about the same pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.measurement import Tools
from cascadence.metrics.prosody_alignment import (
    HOP_S,
    Indices,
    align,
    levels_at_frames_db,
    mel_cepstra,
)
from cascadence.metrics.prosody_contours import (
    ContourDifference,
    compare_contours,
    level_correlation,
    mel_cepstral_distortion_db,
)
from cascadence.metrics.prosody_timing import (
    PauseAlignment,
    Prominences,
    align_pauses,
    meet,
    npvi,
    prominent_s,
    syllable_durations_s,
)
from cascadence.metrics.signal_levels import ANALYSIS_RATE, SPEECH_DROP_DB
from cascadence.metrics.signal_pitch import PitchTrack, semitones
from cascadence.metrics.signal_syllables import syllable_nuclei_s
from cascadence.metrics.syllables import count_syllables

Floats = npt.NDArray[np.float64]

AROUND_FRAMES = 4
"""A syllable is as high and as loud as the highest and loudest frame this near its nucleus."""


@dataclass(frozen=True, slots=True, eq=False)
class Rendition:
    """One way of saying some words; frames are `HOP_S` apart.

    Attributes:
        duration_s: first to last audible sample.
        rate_syllables_per_s: syllables of the words over the time of speech, pauses left out;
            ``None`` where there are none.
        cepstra: shape ``(coefficients, frames)``, c0 first.
        level_db: shape ``(frames,)``.
        speaks: frames within `SPEECH_DROP_DB` of the active level, shape ``(frames,)``.
        f0_hz: shape ``(frames,)``; 0 where unvoiced.
        pauses_s: silences inside, as `cascadence.metrics.signal_levels.speech_runs` leaves them.
        nuclei_s: of the syllables that were found in the sound.
        prominent_s: those that stand out.
        npvi: of the intervals from nucleus to nucleus.
    """

    duration_s: float
    rate_syllables_per_s: float | None
    cepstra: Floats
    level_db: Floats
    speaks: npt.NDArray[np.bool_]
    f0_hz: Floats
    pauses_s: tuple[tuple[float, float], ...]
    nuclei_s: Floats
    prominent_s: Floats
    npvi: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate compared with a reference.

    Attributes:
        contours: of pitch.
        energy_correlation: of levels, over frames in which both speak; ``None`` where undefined.
        mcd_db: mel-cepstral distortion over the same frames.
        spoken: how many those are.
        durations_s: of reference and candidate.
        rates: in syllables per second of speech, of reference and candidate.
        pauses: how they correspond.
        prominences: how the prominent syllables do.
        npvi: of reference and candidate.
    """

    contours: ContourDifference
    energy_correlation: float | None
    mcd_db: float | None
    spoken: int
    durations_s: tuple[float, float]
    rates: tuple[float | None, float | None]
    pauses: PauseAlignment
    prominences: Prominences
    npvi: tuple[float | None, float | None]

    @property
    def rate_ratio(self) -> float | None:
        """The candidate's rate over the reference's."""
        one, other = self.rates
        return None if not one or other is None else other / one

    @property
    def npvi_difference(self) -> float | None:
        """How far apart the rhythms are, without sign."""
        one, other = self.npvi
        return None if one is None or other is None else abs(other - one)

    @property
    def pause_alignment(self) -> float | None:
        """Mean score of the pauses, weighted by their durations; ``None`` where neither pauses."""
        return self.pauses.aligned_s / self.pauses.total_s if self.pauses.total_s else None

    @property
    def prominence_f1(self) -> float | None:
        """F1 of the prominent syllables; ``None`` where one side has none."""
        found = self.prominences
        if not found.reference or not found.candidate:
            return None
        return 2.0 * found.hits / (found.reference + found.candidate)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a rendition is made of; sounds are the same that have the same hash."""

    sha256: str
    text: str
    tools: Tools
    audio: Audio = field(compare=False)


def rendition(audio: Audio, text: str, tools: Tools) -> Rendition | None:
    """Read off a sound what comparisons need.

    Args:
        audio: from the first to the last audible sample, any rate.
        text: what is said in it.
        tools: with ``features``.

    Returns:
        ``None`` where there is no speech, or no voiced frame.
    """
    return _rendition(_Asked(audio.sha256(), text, tools, audio))


@lru_cache(maxsize=64)
def _rendition(asked: _Asked) -> Rendition | None:
    features = asked.tools.use("features", asked.audio)
    track = PitchTrack(features["f0_hop_s"] or HOP_S, np.array(features["f0_hz"], dtype=np.float64))
    if features["level_db"] is None or not track.voiced.any():
        return None
    sound = asked.audio.at_rate(ANALYSIS_RATE)
    centred = sound.samples - np.float32(sound.samples.mean(dtype=np.float64))
    sound = Audio(centred.astype(np.float32), ANALYSIS_RATE)
    cepstra, level_db = mel_cepstra(sound), levels_at_frames_db(sound)
    f0_hz = _at_frames(track, cepstra.shape[1])
    pauses_s = tuple((float(a), float(b)) for a, b in features["pauses_s"])
    nuclei_s = syllable_nuclei_s(sound, track)
    syllables, speech_s = count_syllables(asked.text), float(features["speech_s"])
    return Rendition(
        duration_s=sound.duration_s,
        rate_syllables_per_s=syllables / speech_s if syllables and speech_s > 0.0 else None,
        cepstra=cepstra,
        level_db=level_db,
        speaks=level_db >= float(features["level_db"]) - SPEECH_DROP_DB,
        f0_hz=f0_hz,
        pauses_s=pauses_s,
        nuclei_s=nuclei_s,
        prominent_s=_prominent_s(nuclei_s, f0_hz, level_db),
        npvi=npvi(*syllable_durations_s(nuclei_s, pauses_s)),
    )


def _at_frames(track: PitchTrack, frames: int) -> Floats:
    nearest = np.rint(np.arange(frames) * HOP_S / track.hop_s).astype(int)
    return np.asarray(track.f0_hz[np.minimum(nearest, len(track.f0_hz) - 1)], dtype=np.float64)


def _prominent_s(nuclei_s: Floats, f0_hz: Floats, level_db: Floats) -> Floats:
    """Find the prominent ones among the nuclei that have a pitch near by."""
    spans = [
        slice(max(0, frame - AROUND_FRAMES), frame + AROUND_FRAMES + 1)
        for frame in np.rint(nuclei_s / HOP_S).astype(int)
    ]
    highest = np.array([f0_hz[span].max(initial=0.0) for span in spans])
    loudest = np.array([level_db[span].max(initial=-np.inf) for span in spans])
    known = highest > 0.0
    if not known.any():
        return np.zeros(0)
    return prominent_s(nuclei_s[known], semitones(highest[known]), loudest[known])


@lru_cache(maxsize=256)
def compare(reference: Rendition, candidate: Rendition) -> Comparison:
    """Align two renditions, and compare them in every way."""
    first, second = align(reference.cepstra, candidate.cepstra)
    both = reference.speaks[first] & candidate.speaks[second]
    edges = (_seconds(first[both]), _seconds(second[both]))
    return Comparison(
        contours=compare_contours(reference.f0_hz[first], candidate.f0_hz[second]),
        energy_correlation=level_correlation(
            reference.level_db[first], candidate.level_db[second], both
        ),
        mcd_db=mel_cepstral_distortion_db(
            reference.cepstra[:, first], candidate.cepstra[:, second], both
        ),
        spoken=int(both.sum()),
        durations_s=(reference.duration_s, candidate.duration_s),
        rates=(reference.rate_syllables_per_s, candidate.rate_syllables_per_s),
        pauses=align_pauses(reference.pauses_s, candidate.pauses_s, edges),
        prominences=_met(reference, candidate, edges),
        npvi=(reference.npvi, candidate.npvi),
    )


def _seconds(frames: Indices) -> Floats:
    return np.asarray(frames * HOP_S, dtype=np.float64)


def _met(reference: Rendition, candidate: Rendition, edges: tuple[Floats, Floats]) -> Prominences:
    if not len(edges[0]):
        return Prominences(0, len(reference.prominent_s), len(candidate.prominent_s))
    return meet(reference.prominent_s, candidate.prominent_s, edges)


def shown(comparison: Comparison) -> Mapping[str, Any]:
    """Tell what any figure about pitch is to be read with, as JSON values."""
    contours = comparison.contours
    return {
        "raw_rmse_cents": contours.raw_rmse_cents,
        "f0_correlation": contours.f0_correlation,
        "vde": contours.vde,
        "gpe": contours.gpe,
        "ffe": contours.ffe,
        "covoiced": contours.covoiced,
        "frames": contours.frames,
    }
