"""Rhythm, pauses and prominence: what two renderings of the same words do when.

Conventions: times are seconds inside each rendering; edges are pairs of times that belong together,
shapes ``(edges,)``, as dynamic time warping finds them.

No word is located here. Where the published definition counts words (pauses), aligned frames of
speech stand in for them; where it needs a trained detector on words (emphasis), there is a light
measure, and it has a name of its own (`Prominences`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Spans = Sequence[tuple[float, float]]

PROMINENT = 1.0
"""Standard deviations above the utterance's mean from which a syllable stands out."""
NEAR_S = 0.1
"""Half a syllable: prominent syllables that are no further apart are the same one."""
FEWEST_SYLLABLES = 4
"""Fewer have no one that stands out, and no rhythm."""


def npvi(*runs: Sequence[float]) -> float | None:
    """Return the normalised pairwise variability index of successive durations.

    100 · mean of |d[k] - d[k+1]| / ((d[k] + d[k+1]) / 2) (Grabe and Low 2002,
    doi:10.1515/9783110197105.2.515): 0 for a metronome.

    Args:
        runs: durations > 0 in order, in any unit; each is a stretch without pause.

    Returns:
        0 to 200; ``None`` where no two durations follow each other.
    """
    pairs = [pair for run in runs for pair in pairwise(run)]
    if not pairs:
        return None
    return float(200.0 * np.mean([abs(a - b) / (a + b) for a, b in pairs]))


def syllable_durations_s(nuclei_s: Floats, pauses_s: Spans) -> list[list[float]]:
    """Return the intervals from one syllable's nucleus to the next, for each run of speech.

    Args:
        nuclei_s: shape ``(syllables,)``, rising.
        pauses_s: spans; no interval reaches across one.
    """
    middles = [(start + end) / 2.0 for start, end in pauses_s]
    runs = np.split(nuclei_s, np.searchsorted(nuclei_s, middles))
    return [np.diff(run).tolist() for run in runs if len(run) > 1]


@dataclass(frozen=True, slots=True)
class PauseAlignment:
    """How well the pauses of two renderings correspond.

    Attributes:
        aligned_s: sum over the pauses of both sides of score times duration.
        total_s: sum of their durations; 0 where neither pauses.
        matched: pairs of pauses found.
        reference: pauses there.
        candidate: pauses there.
    """

    aligned_s: float
    total_s: float
    matched: int
    reference: int
    candidate: int


def align_pauses(
    reference_s: Spans, candidate_s: Spans, edges: tuple[Floats, Floats]
) -> PauseAlignment:
    """Match the pauses of two renderings, and score each.

    The pause alignment of Seamless (arXiv 2312.05187, ``wmean_joint_score`` of its code): a pair
    scores the ratio of the shorter to the longer, times the share of edges that do not cross it;
    pairs are chosen for the greatest sum; a pause without partner scores 0. Its edges join words,
    these join frames of speech.

    Args:
        reference_s: pauses inside the rendering.
        candidate_s: the same.
        edges: times of speech in each that belong together.
    """
    from scipy.optimize import linear_sum_assignment

    first, second = _lengths(reference_s), _lengths(candidate_s)
    total_s = float(first.sum() + second.sum())
    if not len(first) or not len(second):
        return PauseAlignment(0.0, total_s, 0, len(first), len(second))
    scores = np.minimum.outer(first, second) / np.maximum.outer(first, second)
    for i, one in enumerate(reference_s):
        for j, other in enumerate(candidate_s):
            scores[i, j] *= _uncrossed(sum(one) / 2.0, sum(other) / 2.0, edges)
    rows, columns = linear_sum_assignment(-scores)
    lengths = first[rows] + second[columns]
    return PauseAlignment(
        aligned_s=float(scores[rows, columns] @ lengths),
        total_s=total_s,
        matched=len(rows),
        reference=len(first),
        candidate=len(second),
    )


def _lengths(spans: Spans) -> Floats:
    return np.array([end - start for start, end in spans], dtype=np.float64)


def _uncrossed(one_s: float, other_s: float, edges: tuple[Floats, Floats]) -> float:
    """Share of edges that run on the same side of a pair of pauses; 1 without any edge."""
    sides = (edges[0] - one_s) * (edges[1] - other_s)
    return float(np.mean(sides > 0.0)) if len(sides) else 1.0


@dataclass(frozen=True, slots=True)
class Prominences:
    """Which syllables stand out in two renderings, and how many do in both.

    Attributes:
        hits: prominent syllables of the reference that meet one of the candidate.
        reference: prominent syllables there.
        candidate: prominent syllables there.
    """

    hits: int
    reference: int
    candidate: int


def prominent_s(nuclei_s: Floats, pitch_st: Floats, level_db: Floats) -> Floats:
    """Return the times of the syllables that stand out in pitch and loudness.

    Both are freed of their trend over the utterance (pitch and level fall in any statement),
    standardised and added; what lies `PROMINENT` standard deviations above the mean stands out.
    Untrained: it knows neither words nor what a listener expects of them.

    Args:
        nuclei_s: shape ``(syllables,)``.
        pitch_st: of each, in semitones; the same shape.
        level_db: of each.

    Returns:
        Some of ``nuclei_s``; none for fewer than `FEWEST_SYLLABLES`.
    """
    if len(nuclei_s) < FEWEST_SYLLABLES:
        return np.zeros(0)
    together = _standing_out(nuclei_s, pitch_st) + _standing_out(nuclei_s, level_db)
    spread = together.std()
    if spread < 1e-9:
        return np.zeros(0)
    found: Floats = nuclei_s[(together - together.mean()) / spread >= PROMINENT]
    return found


def _standing_out(times_s: Floats, values: Floats) -> Floats:
    trend = np.polynomial.Polynomial.fit(times_s, values, 1)
    rest = values - trend(times_s)
    spread = rest.std()
    return np.asarray(rest / spread if spread > 1e-6 else np.zeros(len(rest)), dtype=np.float64)


def meet(reference_s: Floats, candidate_s: Floats, edges: tuple[Floats, Floats]) -> Prominences:
    """Count the prominent syllables of two renderings that are the same ones.

    Args:
        reference_s: their times in the reference.
        candidate_s: their times in the candidate.
        edges: times in each that belong together, at least one, rising.
    """
    free = list(candidate_s)
    hits = 0
    for time_s in reference_s:
        there_s = edges[1][np.abs(edges[0] - time_s) <= np.abs(edges[0] - time_s).min() + 1e-9]
        near = [other for other in free if abs(other - np.median(there_s)) <= NEAR_S]
        if near:
            free.remove(min(near, key=lambda other: abs(other - float(np.median(there_s)))))
            hits += 1
    return Prominences(hits, len(reference_s), len(candidate_s))
