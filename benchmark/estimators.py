"""The statistics that corpus values are made of, as functions of cluster weights.

One definition serves a point estimate (all weights 1), its bootstrap and a permutation test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cascadence.measurement import Censored, Measurement, MetricSpec, Ratio, Value
from cascadence.resampling import Floats, Statistic
from cascadence.survival import quantile, restricted_mean, survival, survival_table

HORIZON_S = 10.0
"""Restricted means of waiting times end here: the patience of the simulated user."""


WAITING: Final = ("value", "p90", "p95", "restricted_mean", "never_share")
"""Statistics of waiting times."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A measurement with its place.

    Attributes:
        cluster: what is independent of the others: the contrast set, else the conversation.
        measurement: of any status.
        item: tells the measurements of one cluster apart (conversation and repeat); the same in
            every system, so that comparisons can pair.
    """

    cluster: str
    measurement: Measurement
    item: str = ""


@dataclass(frozen=True, slots=True)
class Estimator:
    """Statistics that are computed together.

    Attributes:
        names: ``value`` first.
        compute: takes weights, shape ``(b, clusters)``; returns shape ``(b, len(names))``.
    """

    names: tuple[str, ...]
    compute: Statistic


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Quantities as arrays of shape ``(n,)``.

    Attributes:
        cluster: number of the cluster that each belongs to.
        numerator: of a `Ratio`; the number itself of a `Value`; the bound of a `Censored`.
        denominator: of a `Ratio`, else 1.
        observed: ``False`` where censored.
        clusters: how many clusters there are.
    """

    cluster: npt.NDArray[np.intp]
    numerator: Floats
    denominator: Floats
    observed: npt.NDArray[np.bool_]
    clusters: int


def sample_of(known: Sequence[Observation], clusters: Mapping[str, int] | None = None) -> Sample:
    """Turn measurements into arrays.

    Args:
        known: measurements with status ``ok``.
        clusters: their numbers, by name; in alphabetical order where left out.

    Raises:
        ValueError: a measurement has no quantity.
    """
    if clusters is None:
        clusters = {name: i for i, name in enumerate(sorted({o.cluster for o in known}))}
    parts = [_parts(o.measurement) for o in known]
    return Sample(
        np.array([clusters[o.cluster] for o in known], dtype=np.intp),
        np.array([part[0] for part in parts], dtype=np.float64),
        np.array([part[1] for part in parts], dtype=np.float64),
        np.array([part[2] for part in parts], dtype=np.bool_),
        len(clusters),
    )


def _parts(measurement: Measurement) -> tuple[float, float, bool]:
    match measurement.quantity:
        case Value(x):
            return x, 1.0, True
        case Ratio(numerator, denominator):
            return numerator, denominator, True
        case Censored(lower_bound):
            return lower_bound, 1.0, False
        case _:
            raise ValueError("a measurement without quantity cannot be summarised")


def is_survival(spec: MetricSpec, sample: Sample) -> bool:
    """Whether Kaplan-Meier applies: lower bounds allow nothing else, whatever the metric says."""
    return spec.summary == "survival" or not sample.observed.all()


def estimator_of(spec: MetricSpec, sample: Sample, horizon: float = HORIZON_S) -> Estimator:
    """Return what makes a corpus value of a sample.

    Args:
        spec: of the metric.
        sample: its measurements.
        horizon: of the restricted mean, in the metric's unit.

    Returns:
        ``value`` alone; for survival ``value`` (the median), ``p90``, ``p95``,
        ``restricted_mean`` and ``never_share``.
    """
    if is_survival(spec, sample):
        return waiting(sample, horizon)
    return _median(sample) if spec.summary == "median" else _ratio_of_sums(sample)


def _ratio_of_sums(sample: Sample) -> Estimator:
    numerators = np.bincount(sample.cluster, sample.numerator, sample.clusters)
    denominators = np.bincount(sample.cluster, sample.denominator, sample.clusters)

    def compute(weights: Floats) -> Floats:
        above, below = weights @ numerators, weights @ denominators
        ratios: Floats = np.full(len(weights), np.nan)
        np.divide(above, below, out=ratios, where=below > 0.0)
        return ratios[:, None]

    return Estimator(("value",), compute)


def _median(sample: Sample) -> Estimator:
    values = sample.numerator / sample.denominator
    order = np.argsort(values, kind="stable")
    in_order, cluster = values[order], sample.cluster[order]

    def compute(weights: Floats) -> Floats:
        reached = np.cumsum(weights[:, cluster], axis=1)
        half = reached[:, -1:] / 2.0
        lower = in_order[np.argmax(reached >= half, axis=1)]
        upper = in_order[np.argmax(reached > half, axis=1)]
        medians: Floats = np.where(half[:, 0] > 0.0, (lower + upper) / 2.0, np.nan)
        return medians[:, None]

    return Estimator(("value",), compute)


def waiting(sample: Sample, horizon: float, names: Sequence[str] = WAITING) -> Estimator:
    """Return Kaplan-Meier statistics of waiting times, some or all; see `estimator_of`."""
    table = survival_table(sample.numerator, sample.observed, sample.cluster)
    never = np.bincount(sample.cluster, ~sample.observed, sample.clusters)
    items = np.bincount(sample.cluster, minlength=sample.clusters)

    def never_share(weights: Floats, curves: Floats) -> Floats:
        del curves
        share: Floats = (weights @ never) / np.maximum(weights @ items, 1.0)
        return share

    known: dict[str, Callable[[Floats, Floats], Floats]] = {
        "value": lambda _, curves: quantile(table, curves, 0.5),
        "p90": lambda _, curves: quantile(table, curves, 0.9),
        "p95": lambda _, curves: quantile(table, curves, 0.95),
        "restricted_mean": lambda _, curves: restricted_mean(table, curves, horizon),
        "never_share": never_share,
    }

    def compute(weights: Floats) -> Floats:
        curves = survival(table, weights)
        return np.stack([known[name](weights, curves) for name in names], axis=1)

    return Estimator(tuple(names), compute)
