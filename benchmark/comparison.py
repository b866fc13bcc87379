"""Paired comparisons: is one system better than another, worse, as good, or is it undecided?

**Why paired.** Every system of a sweep hears the same conversations, and conversations differ far
more than systems do: a long request is slow for all of them. Two separate intervals carry that
spread twice and overlap where a clear difference hides in every single conversation. So a
comparison resamples conversations with both systems' measurements on them, and its p-value comes
from swapping the two systems' labels within conversations (sign flips). Nothing is assumed about
distributions.

What is resampled and swapped is the cluster: the contrast set where there is one, else the
conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cascadence.estimators import (
    HORIZON_S,
    Observation,
    Sample,
    estimator_of,
    is_survival,
    sample_of,
    waiting,
)
from cascadence.measurement import Direction, MetricSpec
from cascadence.resampling import (
    LARGEST_CHUNK,
    RESAMPLES,
    Floats,
    Statistic,
    bootstrap,
    bootstrap_interval,
    stable_seed,
)

Verdict = Literal["better", "worse", "equivalent", "undecided"]

PERMUTATIONS = 10_000
EXACT_UP_TO = 13
"""Clusters up to which all sign flips are tried (2 to that power)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same conversations.

    Attributes:
        metric: its name.
        statistic: what the difference is of: ``value``, or ``restricted_mean`` for waiting times
            (a median need not exist where replies are missing).
        difference: first minus second; ``None`` where nothing can be paired.
        low: of its 95 % interval.
        high: the same.
        p: of a difference this large or larger, either way, if the systems were exchangeable.
        effect_size: difference over the standard deviation of differences between clusters.
        smallest_detectable: the difference that would be found 4 times in 5 with this corpus.
        n: pairs of measurements.
        clusters: independent ones.
        unpaired: measurements with a value that have no counterpart.
    """

    metric: str
    statistic: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    effect_size: float | None = None
    smallest_detectable: float | None = None
    n: int = 0
    clusters: int = 0
    unpaired: int = 0


def compare(
    spec: MetricSpec,
    first: Sequence[Observation],
    second: Sequence[Observation],
    label: str = "",
    resamples: int = RESAMPLES,
    horizon: float = HORIZON_S,
) -> Comparison:
    """Compare two systems, paired (see the module for why).

    Args:
        spec: of the metric; not a corpus-level one.
        first: measurements of one system.
        second: of the other, with the same clusters and items.
        label: names the pair of cells; part of the seed.
        resamples: of the bootstrap.
        horizon: of restricted means, in the metric's unit.
    """
    one, other, unpaired = _paired(first, second)
    names = sorted({o.cluster for o in one})
    if not names:
        return Comparison(spec.name, "value", unpaired=unpaired)
    count = len(names)
    places = {name: place for place, name in enumerate(names)}
    a, b = sample_of(one, places), sample_of(other, places)
    pooled = Sample(
        np.concatenate((a.cluster, b.cluster + count)),
        np.concatenate((a.numerator, b.numerator)),
        np.concatenate((a.denominator, b.denominator)),
        np.concatenate((a.observed, b.observed)),
        2 * count,
    )
    # A median need not exist where replies are missing; the restricted mean does.
    name = "restricted_mean" if is_survival(spec, pooled) else "value"

    def made(sample: Sample) -> Statistic:
        if name == "value":
            return estimator_of(spec, sample).compute
        return waiting(sample, horizon, (name,)).compute

    first_alone, second_alone, together = made(a), made(b), made(pooled)

    def drawn(weights: Floats) -> Floats:
        """Take clusters of both, as often as they were drawn."""
        return np.asarray((first_alone(weights) - second_alone(weights))[:, 0], dtype=np.float64)

    def swapped(kept: Floats) -> Floats:
        """Take the clusters that are kept (1), and where not (0) the other system's."""
        ours = together(np.hstack((kept, 1.0 - kept)))
        others = together(np.hstack((1.0 - kept, kept)))
        return np.asarray((ours - others)[:, 0], dtype=np.float64)

    counts = _Counts(len(one), count, unpaired)
    seed = stable_seed(spec.signature, "compare", label)
    return _compared((spec.name, name), drawn, swapped, counts, seed, resamples)


@dataclass(frozen=True, slots=True)
class _Counts:
    pairs: int
    clusters: int
    unpaired: int


def _compared(
    names: tuple[str, str],
    drawn: Statistic,
    swapped: Statistic,
    counts: _Counts,
    seed: int,
    resamples: int,
) -> Comparison:
    observed = float(drawn(np.ones((1, counts.clusters)))[0])
    low = high = p = effect = smallest = None
    if counts.clusters >= 2:
        replicates = bootstrap(drawn, counts.clusters, seed, resamples, counts.pairs)
        low, high = bootstrap_interval(replicates, counts.clusters) or (None, None)
        error = float(np.nanstd(replicates, ddof=1))
        effect = observed / (error * np.sqrt(counts.clusters)) if error > 0.0 else None
        smallest = (1.959964 + 0.841621) * error
        p = _sign_flip_p(swapped, observed, counts, seed)
    return Comparison(
        *names,
        difference=observed,
        low=low,
        high=high,
        p=p,
        effect_size=effect,
        smallest_detectable=smallest,
        n=counts.pairs,
        clusters=counts.clusters,
        unpaired=counts.unpaired,
    )


def _paired(
    first: Sequence[Observation], second: Sequence[Observation]
) -> tuple[list[Observation], list[Observation], int]:
    """Keep what both systems have a value for."""

    def by_place(side: Sequence[Observation]) -> dict[tuple[str, str, int | None], Observation]:
        known = (o for o in side if o.measurement.status == "ok")
        return {(o.cluster, o.item, o.measurement.turn): o for o in known}

    one, other = by_place(first), by_place(second)
    shared = sorted(one.keys() & other.keys(), key=str)
    unpaired = len(one) + len(other) - 2 * len(shared)
    return [one[place] for place in shared], [other[place] for place in shared], unpaired


def _sign_flip_p(swapped: Statistic, observed: float, counts: _Counts, seed: int) -> float:
    """Swap the systems' labels within clusters: all ways for few clusters, else at random."""
    clusters = counts.clusters
    exact = clusters <= EXACT_UP_TO
    if exact:
        flips = (np.arange(2**clusters)[:, None] >> np.arange(clusters)) & 1
    else:
        random = np.random.default_rng(seed + 1)
        flips = random.integers(0, 2, (PERMUTATIONS, clusters), dtype=np.int64)
    rows = max(1, LARGEST_CHUNK // (2 * max(counts.pairs, clusters)))
    least = abs(observed) - 1e-9 * max(1.0, abs(observed))  # equal but for rounding
    extreme = 0
    for start in range(0, len(flips), rows):
        kept = np.asarray(1 - flips[start : start + rows], dtype=np.float64)
        found = swapped(kept)
        extreme += int((np.abs(found) >= least).sum())
    return extreme / len(flips) if exact else (extreme + 1) / (len(flips) + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for having looked at several (Holm 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def verdict(
    comparison: Comparison,
    direction: Direction,
    margin: float = 0.0,
    p: float | None = None,
    alpha: float = 0.05,
) -> Verdict:
    """Say what a comparison shows about the first system.

    Args:
        comparison: of two systems.
        direction: the metric's.
        margin: differences up to this do not matter; 0: none has been declared.
        p: adjusted for the family; the comparison's own where left out.
        alpha: significance level.

    Returns:
        ``equivalent`` where the whole interval lies within the margin; ``better`` or ``worse``
        where it excludes 0 and p is at most alpha; else ``undecided``, which is not "equal".
    """
    low, high = comparison.low, comparison.high
    p = comparison.p if p is None else p
    if low is None or high is None or p is None:
        return "undecided"
    if margin > 0.0 and -margin <= low and high <= margin:
        return "equivalent"
    if direction == "neither" or p > alpha or low <= 0.0 <= high:
        return "undecided"
    return "better" if (low > 0.0) == (direction == "higher") else "worse"
