"""What a control must have scored, as checks: each looks at one metric of one control.

A check says whether what it must be is held or violated, with what was observed; where there is
nothing to look at it says why. `cascadence.reports.audit` says which check is for what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cascadence.conversation import UserTurn
from cascadence.estimators import Observation
from cascadence.measurement import Censored, MetricSpec, ratio
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import Entry, Numbers, observations
from cascadence.results import Row

Interval = tuple[float | None, float | None]
State = Literal["held", "violated", "not measured"]

NEAR = 0.1
"""A share or a gain within this of what it must be about is near it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a control scored.

    Attributes:
        state: whether that is what it must.
        value: ``None`` where there is none.
        interval: 95 % confidence interval.
        n: how many measurements it rests on.
        note: what else there is to say: why it was not measured, what was expected.
    """

    state: State
    value: float | None = None
    interval: Interval | None = None
    n: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A metric of a control in one setting."""

    numbers: Numbers
    cell: ShownCell
    spec: MetricSpec

    @property
    def entry(self) -> Entry:
        """The corpus value."""
        return self.numbers.entry(self.cell, self.spec.name)

    @property
    def contents(self) -> Contents:
        """The run."""
        return self.numbers.contents

    @property
    def rows(self) -> list[Row]:
        """The measurements."""
        return self.contents.rows.get((self.cell.name, self.spec.name), [])

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the control was given."""
        return self.cell.info.get("parameters") or {}

    def among(self, role: str) -> list[ShownCell]:
        """Cells of a role in the same setting."""
        cells = self.contents.cells
        return [c for c in cells if c.setting == self.cell.setting and c.role == role]

    def turn(self, row: Row) -> UserTurn | None:
        """The manifest's turn that a measurement is about; ``None`` without the corpus."""
        told = self.contents.conversation(self.cell, row.conversation_id)
        number = row.measurement.turn
        return None if told is None or number is None else told.turns[number]


Check = Callable[[Place], Observed]


def control_name(cell: ShownCell) -> str:
    """The registered name of a control, whatever the sweep calls it."""
    return str(cell.info.get("name", cell.system))


def better(one: Entry, other: Entry) -> bool:
    """Whether the value of one is better; never, where one is missing or nothing is better."""
    if one.value is None or other.value is None or one.spec.direction == "neither":
        return False
    return one.value > other.value if one.spec.direction == "higher" else one.value < other.value


def seen(entry: Entry, state: State, note: str = "") -> Observed:
    """Say what a corpus value shows."""
    return Observed(state, entry.value, entry.interval, entry.n, note)


def missing(entry: Entry) -> Observed:
    """Say why there is no corpus value."""
    reasons = "; ".join(map(str, entry.reasons[:2]))
    return Observed("not measured", n=entry.n, note=reasons or "no value")


def exactly(target: float) -> Check:
    """Demand a value, to rounding."""

    def check(place: Place) -> Observed:
        entry = place.entry
        if entry.value is None:
            return missing(entry)
        return seen(entry, "held" if abs(entry.value - target) < 1e-9 else "violated")

    return check


def about(target: float, tolerance: float) -> Check:
    """Demand a value near a number, or an interval that holds it."""

    def check(place: Place) -> Observed:
        return _about(place.entry, target, tolerance)

    return check


def _about(entry: Entry, target: float, tolerance: float, note: str = "") -> Observed:
    if entry.value is None:
        return missing(entry)
    low, high = entry.interval or (None, None)
    inside = low is not None and high is not None and low <= target <= high
    held = inside or abs(entry.value - target) <= tolerance
    return seen(entry, "held" if held else "violated", note)


def at_ceiling(tolerance: float) -> Check:
    """Demand the value of a perfect copy: ``ceiling`` in the metric's details."""

    def check(place: Place) -> Observed:
        for row in place.rows:
            best = row.measurement.details.get("ceiling")
            if row.measurement.status == "ok" and best is not None:
                return _about(place.entry, best, tolerance, f"ceiling {best:.2f}")
        return missing(place.entry)

    return check


def all_censored(place: Place) -> Observed:
    """Demand that nothing ever happened; the value is the share of what did not."""
    known = [o for o in observations(place.contents, place.cell, place.spec.name)]
    flags = [
        replace(o, measurement=ratio(isinstance(o.measurement.quantity, Censored), 1))
        for o in known
        if o.measurement.status == "ok"
    ]
    note = f"{sum(_share(flag) for flag in flags):.0f} of {len(flags)} censored"
    return _shares(place, flags, 1.0, note)


def nothing_but_silence(place: Place) -> Observed:
    """Demand no success but where silence is expected; the value is success elsewhere."""
    kept = []
    for row in place.rows:
        turn = place.turn(row)
        if turn is None:
            return Observed("not measured", note="the corpus is not at hand")
        if not turn.expect.stay_silent and row.measurement.status == "ok":
            cluster = place.contents.cluster(place.cell, row.conversation_id)
            kept.append(Observation(cluster, row.measurement))
    return _shares(place, kept, 0.0, "turns that expect an answer")


def _share(observation: Observation) -> float:
    quantity: Any = observation.measurement.quantity
    return float(quantity.numerator / quantity.denominator)


def _shares(place: Place, kept: Sequence[Observation], target: float, note: str) -> Observed:
    """Demand that some of the measurements, as shares, all have one value."""
    from cascadence.statistics import summarise

    if not kept:
        return missing(place.entry)
    spec = replace(place.spec, summary="ratio", range=(0.0, 1.0), level="turn")
    found = summarise(spec, kept, label=place.cell.name)
    state: State = "held" if all(_share(one) == target for one in kept) else "violated"
    return Observed(state, found.value, (found.low, found.high), found.n, note)


def all_skipped(place: Place) -> Observed:
    """Demand that there is no value, because there is nothing to measure."""
    entry = place.entry
    if entry.value is not None or entry.failed:
        return seen(entry, "violated", f"{entry.failed} failed" if entry.failed else "a value")
    if not entry.skipped:
        return missing(entry)
    return Observed("held", note=f"{entry.skipped} skipped")


def deaf(place: Place) -> Observed:
    """Demand that events and shuffled events come out alike; the value is on shuffled ones.

    The metric's details say so, themselves or one part of them: ``tells_apart``, with ``own`` and
    ``shuffled`` values.
    """
    for row in place.rows:
        details = row.measurement.details
        parts = [part for part in (details, *details.values()) if isinstance(part, Mapping)]
        told = next((p for p in parts if p.get("tells_apart") is not None), None)
        if row.measurement.status == "ok" and told is not None:
            own, shuffled = (_written(told.get(key)) for key in ("own", "shuffled"))
            state: State = "violated" if told["tells_apart"] else "held"
            return seen(place.entry, state, f"own events {own}, shuffled {shuffled}")
    return missing(place.entry)


def _written(x: object) -> str:
    return f"{x:.2f}" if isinstance(x, int | float) else "unknown"


def chance(place: Place) -> Observed:
    """Demand what `random_reply` scores."""
    for cell in place.among("control"):
        if control_name(cell) == "random_reply":
            by_chance = place.numbers.entry(cell, place.spec.name)
            if by_chance.value is None:
                break
            note = f"chance {by_chance.value:.2f}"
            return _about(place.entry, by_chance.value, NEAR, note)
    return Observed("not measured", n=place.entry.n, note="chance is what random_reply scores")


def floor(place: Place) -> Observed:
    """Demand that every real system comes out above."""
    entry = place.entry
    real = [place.numbers.entry(cell, place.spec.name) for cell in place.among("system")]
    real = [other for other in real if other.value is not None]
    if entry.value is None or not real:
        return missing(entry) if entry.value is None else seen(entry, "not measured", "no system")
    above = [other for other in real if better(other, entry)]
    state: State = "held" if len(above) == len(real) else "violated"
    return seen(entry, state, f"{len(above)} of {len(real)} systems above")


def never_better(place: Place) -> Observed:
    """Demand that it beats no real system on turn-taking as a whole.

    It does where it is no worse on every metric of turn-taking, the response gap included, and
    better on one. The value is the share of systems that it beats.
    """
    names = [spec.name for spec in place.contents.specs.values() if _of_turn_taking(spec)]
    mine = {name: place.numbers.entry(place.cell, name) for name in names}
    beaten, judged = [], 0
    for cell in place.among("system"):
        theirs = {name: place.numbers.entry(cell, name) for name in names}
        pairs = [(mine[name], theirs[name]) for name in names if mine[name].n and theirs[name].n]
        judged += len(pairs) > 1
        if len(pairs) > 1 and _dominates(pairs):
            beaten.append(cell.system)
    if not judged:
        return Observed("not measured", note="fewer than two metrics in common with a system")
    note = f"beats {', '.join(beaten)}" if beaten else f"beats none of {judged} systems"
    return Observed("violated" if beaten else "held", len(beaten) / judged, None, judged, note)


def _of_turn_taking(spec: MetricSpec) -> bool:
    family = spec.family == "turn_taking" and spec.direction != "neither"
    return (family and spec.level != "corpus") or spec.name == "response_gap_s"


def _dominates(pairs: Sequence[tuple[Entry, Entry]]) -> bool:
    """Whether the first is nowhere worse and somewhere better; a wait without end is the worst."""
    waits = [(one, other) for one, other in pairs if None in (one.value, other.value)]
    worse = any(better(other, one) for one, other in pairs)
    ahead = any(better(one, other) for one, other in pairs)
    worse |= any(one.value is None and other.value is not None for one, other in waits)
    ahead |= any(one.value is not None and other.value is None for one, other in waits)
    return ahead and not worse


def met_by_bursts(place: Place) -> Observed:
    """Demand a cut-off wherever a burst begins in a turn: in a share of length over period.

    The share of a turn of at least a period is 1; which of the shorter ones are met is chance.
    """
    period_s = place.parameters.get("period_s")
    judged = [row for row in place.rows if row.measurement.status == "ok"]
    spans_s = [turn.speech_s for row in judged if (turn := place.turn(row)) is not None]
    if not period_s or not spans_s or len(spans_s) < len(judged):
        reason = "the corpus is not at hand" if period_s and judged else "no turn, or no period"
        return Observed("not measured", n=place.entry.n, note=reason)
    expected = sum(min(1.0, (b - a) / period_s) for a, b in spans_s) / len(spans_s)
    return _about(place.entry, expected, NEAR, f"expected {expected:.2f}")
