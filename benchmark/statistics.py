"""From measurements to corpus values with intervals.

A value comes with how many measurements and how many independent clusters it rests on, and with
what was skipped, failed or censored: missing is never 0. Corpus values are made as
`MetricSpec.summary` says: sums over sums for `Ratio` (and so means for `Value`), medians, or
Kaplan-Meier for what may be `Censored`. Systems are compared by `cascadence.comparison`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cascadence.estimators import (
    HORIZON_S,
    Estimator,
    Observation,
    Sample,
    estimator_of,
    sample_of,
)
from cascadence.measurement import Measurement, MetricSpec, Ratio, Value
from cascadence.resampling import (
    RESAMPLES,
    bootstrap,
    bootstrap_interval,
    share_interval,
    stable_seed,
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; ``None`` where the data do not bound it."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric over a corpus.

    Attributes:
        metric: its name.
        unit: of value and interval.
        value: ``None`` where there is nothing to make one of, or (survival) where it happened to
            less than half.
        low: of the 95 % interval; ``None`` without interval (fewer than two clusters).
        high: the same; ``None`` also where the data do not bound it.
        n: measurements with a value, censored ones included.
        clusters: independent ones among them.
        skipped: measurements that do not apply.
        failed: measurements that could not be made.
        censored: of the n, those that are only lower bounds.
        further: for survival: ``p90``, ``p95``, ``restricted_mean``, ``never_share``.
        reasons: why measurements were skipped or failed, counted.
    """

    metric: str
    unit: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    clusters: int = 0
    skipped: int = 0
    failed: int = 0
    censored: int = 0
    further: Mapping[str, Estimate] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)


def summarise(
    spec: MetricSpec,
    observations: Sequence[Observation],
    label: str = "",
    resamples: int = RESAMPLES,
    horizon: float = HORIZON_S,
) -> Summary:
    """Make a corpus value with its interval of the measurements of one metric in one cell.

    Args:
        spec: of the metric.
        observations: all measurements, of any status.
        label: the cell; part of the seed.
        resamples: of the bootstrap.
        horizon: of the restricted mean, in the metric's unit.
    """
    measurements = [o.measurement for o in observations]
    statuses = Counter(m.status for m in measurements)
    empty = Summary(
        metric=spec.name,
        unit=spec.unit,
        skipped=statuses["skipped"],
        failed=statuses["failed"],
        reasons=Counter(m.reason for m in measurements if m.reason),
    )
    known = [o for o in observations if o.measurement.status == "ok"]
    if not known:
        return empty
    if spec.level == "corpus":
        return _corpus_summary(empty, known[0].measurement)
    sample = sample_of(known)
    estimator = estimator_of(spec, sample, horizon)
    estimates = _estimates(spec, sample, estimator, stable_seed(spec.signature, label), resamples)
    first = estimates.pop("value")
    return replace(
        empty,
        value=first.value,
        low=first.low,
        high=first.high,
        n=len(known),
        clusters=sample.clusters,
        censored=int((~sample.observed).sum()),
        further=estimates,
    )


def _corpus_summary(empty: Summary, measurement: Measurement) -> Summary:
    """Pass on what a corpus-level metric has computed itself."""
    low, high = measurement.interval or (None, None)
    n = measurement.n
    return replace(empty, value=_number(measurement), low=low, high=high, n=n, clusters=n)


def _number(measurement: Measurement) -> float | None:
    match measurement.quantity:
        case Value(x):
            return x
        case Ratio(numerator, denominator):
            return numerator / denominator
        case _:
            return None


def _estimates(
    spec: MetricSpec, sample: Sample, estimator: Estimator, seed: int, resamples: int
) -> dict[str, Estimate]:
    """Compute all statistics of an estimator, with intervals where there are two clusters."""
    points = estimator.compute(np.ones((1, sample.clusters)))[0]
    width = len(sample.numerator)
    replicates = (
        bootstrap(estimator.compute, sample.clusters, seed, resamples, width)
        if sample.clusters > 1
        else None
    )
    estimates = {}
    for column, name in enumerate(estimator.names):
        point = float(points[column])
        interval = None
        if replicates is not None:
            interval = bootstrap_interval(replicates[:, column], sample.clusters)
            share = name == "never_share" or (name == "value" and spec.range == (0.0, 1.0))
            if share and point in (0.0, 1.0):
                interval = share_interval(point, sample.clusters)
        low, high = interval or (np.nan, np.nan)
        estimates[name] = Estimate(_finite(point), _finite(low), _finite(high))
    return estimates


def _finite(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
