"""Who broke it? What a system loses against its oracles, shared out among its stages.

A cascade is replayed with each of its k stages replaced by an oracle, in all 2 to the power of k
coalitions (`cascade.attribution_cells` says how), so that every corpus value becomes a game: v(S)
is the value with the stages in S replaced. The **loss** is what separates the system that runs free
from the one with all oracles, counted so that positive is worse:

    loss = sign (v(all) - v(none)),   sign +1 where higher is better, -1 where lower is.

A stage's **share** is its Shapley value (Shapley 1953, doi:10.1515/9781400881970-018): what its
oracle gains, averaged over all orders in which the oracles could come in,

    share(i) = sign sum over S without i of |S|! (k - |S| - 1)! / k! (v(S + i) - v(S)).

The shares add up to the loss exactly; a stage whose oracle never changes anything gets 0; and
where a conversation is lost exactly if any of several stages fails in it, these share it equally. A
share is in the metric's unit, and negative where the oracle does worse than the stage.

Conventions: a coalition is the set of the stages that are replaced. Values are corpus values (sums
over sums, medians, restricted means for waiting times), of the turns that have one in *every*
coalition; the others are counted, never filled in. Intervals are cluster bootstraps: conversations
(contrast sets) are drawn once for all coalitions, and the game is played anew with each draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cascadence.attribution_game import (
    Stages,
    all_coalitions,
    coalition_name,
    shapley,
    shapley_weights,
)
from cascadence.estimators import HORIZON_S, Observation, estimator_of, sample_of
from cascadence.measurement import Measurement, MetricSpec, Ratio, Value
from cascadence.resampling import (
    RESAMPLES,
    Floats,
    bootstrap,
    bootstrap_interval,
    share_interval,
    stable_seed,
)
from cascadence.statistics import Estimate

Place = tuple[str, str, int | None]
"""Cluster, item and turn of an observation: the same in every coalition."""

MOST_STAGES = 10
SAME = 1e-12
"""Replicates that differ by less than this do not differ: rounding."""


@dataclass(frozen=True, slots=True)
class StageShare:
    """What a stage has to answer for.

    Attributes:
        stage: its name.
        share: of the loss, in the metric's unit.
        alone: what replacing this stage and no other gains; the same as the share where stages do
            not depend on each other.
    """

    stage: str
    share: Estimate
    alone: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """A metric's loss and its shares; without both, and with a reason, where it has none.

    Attributes:
        metric: its name.
        unit: of all values.
        statistic: what the game is about: ``mean``, ``ratio``, ``median``, ``restricted_mean``, or
            ``corpus`` for what a metric computes of a whole cell.
        loss: positive is worse than with all oracles.
        shares: one a stage, in the stages' order; their sum is the loss.
        values: corpus value of every coalition, by its stages joined with ``+``; ``""`` runs free.
        n: measurements that have a value in every coalition.
        clusters: independent ones among them.
        left_out: measurements with a value in some coalitions only.
        failed: measurements that could not be made in some coalition.
        reason: why there is no loss to share.
    """

    metric: str
    unit: str
    statistic: str = ""
    loss: Estimate | None = None
    shares: tuple[StageShare, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    n: int = 0
    clusters: int = 0
    left_out: int = 0
    failed: int = 0
    reason: str = ""


def attribute(
    spec: MetricSpec,
    stages: Sequence[str],
    coalitions: Mapping[Stages, Sequence[Observation]],
    label: str = "",
    resamples: int = RESAMPLES,
    horizon: float = HORIZON_S,
) -> Attribution:
    """Share out the loss of a turn- or conversation-level metric.

    Args:
        spec: of the metric.
        stages: those that can be replaced, in their order.
        coalitions: the measurements of each, of any status.
        label: names the system; part of the seed.
        resamples: of the bootstrap.
        horizon: of restricted means, in the metric's unit.

    Raises:
        ValueError: neither direction of the metric is better, or it is a corpus-level one, or there
            are more than `MOST_STAGES`.
    """
    sign = _sign(spec, stages)
    if spec.level == "corpus":
        raise ValueError(f"{spec.name} is measured on whole cells: see attribute_corpus")
    sides = [coalitions.get(chosen, ()) for chosen in all_coalitions(stages)]
    paired, left_out, failed = _paired(sides)
    nothing = Attribution(spec.name, spec.unit, left_out=left_out, failed=failed)
    if not paired[0]:
        return replace(nothing, reason=_why_nothing(stages, sides))
    names = sorted({o.cluster for o in paired[0]})
    statistic, play = _game(spec, paired, names, horizon)

    def lost(weights: Floats) -> Floats:
        """Shares, then their sum: the loss; shape ``(b, k + 1)``."""
        values = play(weights)
        total = values[:, -1:] - values[:, :1]
        return sign * np.hstack((shapley(values), total))

    whole = np.ones((1, len(names)))
    estimates = [Estimate(float(x), None, None) for x in lost(whole)[0]]
    if len(names) > 1:
        seed = stable_seed(spec.signature, "attribution", label)
        width = len(paired[0]) * len(sides)
        drawn = bootstrap(lost, len(names), seed, resamples, width)
        estimates = [
            _with_interval(spec, estimate, drawn[:, column], len(names))
            for column, estimate in enumerate(estimates)
        ]
    found = replace(nothing, statistic=statistic, n=len(paired[0]), clusters=len(names))
    return _filled(found, stages, sign, play(whole)[0], estimates)


def attribute_corpus(
    spec: MetricSpec, stages: Sequence[str], coalitions: Mapping[Stages, Measurement]
) -> Attribution:
    """Share out the loss of a metric that is measured on whole cells, such as style information.

    There is nothing to draw anew: the interval is made of the cells' own intervals as if they were
    independent. They share conversations, so that errors cancel, and it is too wide rather than too
    narrow. Nor can conversations be paired: each cell counts what it has; ``n`` is the smallest.

    Args:
        spec: of the metric.
        stages: those that can be replaced, in their order.
        coalitions: the measurement of each.

    Raises:
        ValueError: neither direction of the metric is better, or there are too many stages.
    """
    sign = _sign(spec, stages)
    found = [coalitions.get(chosen) for chosen in all_coalitions(stages)]
    failed = sum(m is not None and m.status == "failed" for m in found)
    nothing = Attribution(spec.name, spec.unit, failed=failed)
    known = [m for m in found if m is not None and m.status == "ok"]
    if len(known) < len(found):
        return replace(nothing, left_out=len(known), reason=_why_not_all(stages, found))
    values = np.array([_number(m) for m in known])
    weights = shapley_weights(len(values))
    total = np.zeros((len(values), 1))
    total[0], total[-1] = -1.0, 1.0
    weights = sign * np.hstack((weights, total))
    halves = np.array([(m.interval[1] - m.interval[0]) / 2 for m in known if m.interval])
    estimates = [Estimate(float(x), None, None) for x in values @ weights]
    if len(halves) == len(known):
        wide = np.sqrt(halves**2 @ weights**2)
        estimates = [
            Estimate(e.value, float(e.value - half), float(e.value + half))
            for e, half in zip(estimates, wide, strict=True)
            if e.value is not None
        ]
    n = min(m.n for m in known)
    filled = replace(nothing, statistic="corpus", n=n, clusters=n)
    return _filled(filled, stages, sign, values, estimates)


def deferring(
    coalitions: Mapping[Stages, Sequence[Observation]],
    stage: str,
    misled: Mapping[Stages, frozenset[Place]],
) -> dict[Stages, list[Observation]]:
    """Take back what an oracle repaired that was not its own to repair.

    An oracle that looks up its answer gives it whatever it was told, and so covers up what went
    wrong before it. Where it was told something wrong, the coalition without it counts instead:
    there it does as well as the stage that it stands for.

    Args:
        coalitions: the measurements of each.
        stage: whose oracle is meant.
        misled: by coalition, where its oracle was told something wrong.
    """
    changed = {chosen: list(observations) for chosen, observations in coalitions.items()}
    for chosen in coalitions:
        places = misled.get(chosen, frozenset())
        if stage not in chosen or not places or chosen - {stage} not in coalitions:
            continue
        without = coalitions[chosen - {stage}]
        changed[chosen] = [o for o in coalitions[chosen] if place_of(o) not in places]
        changed[chosen] += [o for o in without if place_of(o) in places]
    return changed


def place_of(observation: Observation) -> Place:
    """Say what a measurement is about, the same way in every coalition."""
    return observation.cluster, observation.item, observation.measurement.turn


def _sign(spec: MetricSpec, stages: Sequence[str]) -> float:
    if spec.direction == "neither":
        raise ValueError(f"{spec.name} has no better direction, so nothing of it can be lost")
    if not 0 < len(stages) <= MOST_STAGES:
        raise ValueError(f"between 1 and {MOST_STAGES} stages, not {len(stages)}")
    return 1.0 if spec.direction == "higher" else -1.0


def _paired(
    sides: Sequence[Sequence[Observation]],
) -> tuple[list[list[Observation]], int, int]:
    """Keep what has a value in every coalition; count what has one in some, and what failed."""
    known = [{place_of(o): o for o in side if o.measurement.status == "ok"} for side in sides]
    shared = sorted(set.intersection(*map(set, known)), key=str)
    some = set().union(*known)
    failed = {place_of(o) for side in sides for o in side if o.measurement.status == "failed"}
    return (
        [[side[place] for place in shared] for side in known],
        len(some - set(shared)),
        len(failed),
    )


def _game(
    spec: MetricSpec, paired: Sequence[Sequence[Observation]], names: Sequence[str], horizon: float
) -> tuple[str, Callable[[Floats], Floats]]:
    """Return the statistic, and what plays the game: weights ``(b, clusters)`` to ``(b, 2**k)``."""
    places = {name: place for place, name in enumerate(names)}
    samples = [sample_of(side, places) for side in paired]
    waits = spec.summary == "survival" or not all(s.observed.all() for s in samples)
    if waits:
        # One coalition with a lower bound makes all of them waiting times.
        spec = replace(spec, summary="survival")
    estimators = [estimator_of(spec, sample, horizon) for sample in samples]
    # A median need not exist where replies are missing; the restricted mean does.
    name = "restricted_mean" if waits else "value"
    column = estimators[0].names.index(name)

    def play(weights: Floats) -> Floats:
        return np.stack([e.compute(weights)[:, column] for e in estimators], axis=1)

    return name if waits else spec.summary, play


def _with_interval(
    spec: MetricSpec, estimate: Estimate, replicates: Floats, clusters: int
) -> Estimate:
    interval = bootstrap_interval(replicates, clusters)
    point = estimate.value
    if interval is None or point is None:
        return estimate
    low, high = interval
    if spec.range == (0.0, 1.0) and float(np.ptp(replicates)) < SAME:
        # What no conversation showed, no resample shows; the next conversation may.
        unseen = share_interval(0.0, clusters)[1]
        low, high = max(-1.0, point - unseen), min(1.0, point + unseen)
    return replace(estimate, low=_finite(low), high=_finite(high))


def _filled(
    found: Attribution,
    stages: Sequence[str],
    sign: float,
    values: Floats,
    estimates: Sequence[Estimate],
) -> Attribution:
    """Put the numbers in: ``estimates`` of the shares, then of the loss."""
    names = [coalition_name(stages, chosen) for chosen in all_coalitions(stages)]
    return replace(
        found,
        loss=estimates[-1],
        shares=tuple(
            StageShare(stage, estimates[place], float(sign * (values[1 << place] - values[0])))
            for place, stage in enumerate(stages)
        ),
        values=dict(zip(names, map(float, values), strict=True)),
    )


def _why_nothing(stages: Sequence[str], sides: Sequence[Sequence[Observation]]) -> str:
    for chosen, side in zip(all_coalitions(stages), sides, strict=True):
        statuses = {o.measurement.status for o in side}
        if "ok" not in statuses:
            reasons = sorted({o.measurement.reason for o in side if o.measurement.reason})
            why = f": {reasons[0]}" if reasons else ""
            return f"no value {_with(stages, chosen)}{why}"
    return "no turn has a value in every coalition"


def _why_not_all(stages: Sequence[str], found: Sequence[Measurement | None]) -> str:
    for chosen, measurement in zip(all_coalitions(stages), found, strict=True):
        if measurement is None or measurement.status != "ok":
            why = "not measured" if measurement is None else measurement.reason
            return f"no value {_with(stages, chosen)}: {why}"
    return ""


def _with(stages: Sequence[str], chosen: Stages) -> str:
    return f"with oracles for {coalition_name(stages, chosen)}" if chosen else "without oracles"


def _number(measurement: Measurement) -> float:
    match measurement.quantity:
        case Value(x):
            return x
        case Ratio(numerator, denominator):
            return numerator / denominator
        case _:
            raise ValueError("a corpus value cannot be a lower bound")


def _finite(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
