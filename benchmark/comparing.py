"""Compares runs: what came out otherwise, for the same conversations?

The statistics are those of a report (`cascadence.comparison`): paired by conversation, condition,
repeat and turn. So both runs must have heard the same, and measured in the same way: conversations
that differ are refused, and metrics of different versions too, unless that is asked for. Waiting
times of cells that ran beside others are shown and not compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from cascadence.compared_cells import (
    NotComparable,
    OpenedRun,
    PlayedCell,
    cluster_in,
    demand_same_conversations,
    listed,
)
from cascadence.comparison import Comparison, Verdict, compare, holm, verdict
from cascadence.errors import CascadenceError
from cascadence.estimators import Observation
from cascadence.measurement import MetricSpec
from cascadence.statistics import Summary, summarise


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared.

    Attributes:
        systems: names in the first run and in the others; none: all that have the same name.
        metrics: their names; none: all that both runs have values of.
        allow_different_versions: compare metrics of different versions too, and say so.
    """

    systems: tuple[tuple[str, str], ...] = ()
    metrics: tuple[str, ...] = ()
    allow_different_versions: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A metric in one cell of one run.

    Attributes:
        run: place of the run in the order given, from 0.
        system: its name in tables.
        cell: of the run.
        summary: value, interval and counts over the conversations that both runs played.
        without_result: conversations that have none.
        signatures: name, version and tools' versions of the metric there.
    """

    run: int
    system: str
    cell: str
    summary: Summary
    without_result: int
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric in a cell of the first run and in one of another.

    Attributes:
        setting: corpus, and condition where it is not the clean one.
        spec: of the metric.
        first: in the first run.
        second: in the other.
        comparison: second minus first; without numbers where ``untested`` says why.
        p: adjusted (Holm) for everything compared between two runs in one setting.
        verdict: about the second.
        untested: why there is no paired test; empty where there is one.
    """

    setting: str
    spec: MetricSpec
    first: Side
    second: Side
    comparison: Comparison
    p: float | None = None
    verdict: Verdict = "undecided"
    untested: Literal["", "contended", "one value a corpus", "nothing to pair"] = ""

    @property
    def same_versions(self) -> bool:
        """Whether both sides were measured by one version of the metric and its tools."""
        return len({*self.first.signatures, *self.second.signatures}) <= 1


@dataclass(frozen=True, slots=True)
class Runs:
    """Two or more runs, compared.

    Attributes:
        paths: of the run directories, as given.
        names: of the runs.
        rows: the comparisons, run by run, setting by setting.
        notes: what a reader must know about them.
    """

    paths: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[Compared, ...]
    notes: tuple[str, ...]


def compare_runs(paths: Sequence[Path], asked: Asked | None = None) -> Runs:
    """Compare each run with the first.

    Args:
        paths: two or more run directories.
        asked: which systems and metrics.

    Raises:
        NotComparable: other conversations, other conditions or other versions of metrics.
        CascadenceError: not a run, or nothing in common.
    """
    asked = asked or Asked()
    if len(paths) < 2:
        raise CascadenceError(
            "one run alone cannot be compared", mend="name two or more run directories"
        )
    opened = [OpenedRun(place, path) for place, path in enumerate(paths)]
    rows: list[Compared] = []
    notes: dict[str, None] = {}
    for other in opened[1:]:
        pairs = _pairs(opened[0], other, asked)
        for first, second in pairs:
            demand_same_conversations(first, second)
        rows += _compared(pairs, _metrics(opened[0], other, asked), asked)
        notes.update(dict.fromkeys(_notes(opened[0], other, pairs)))
        if not asked.metrics:
            notes.update(dict.fromkeys(_measured_once(opened[0], other)))
    names = tuple(str(one.run.about.get("name", "")) for one in opened)
    return Runs(tuple(map(str, paths)), names, tuple(rows), tuple(notes))


Pair = tuple[PlayedCell, PlayedCell]


def _pairs(first: OpenedRun, other: OpenedRun, asked: Asked) -> list[Pair]:
    """Cells of the systems asked for, on the same corpus under the same condition."""
    names = asked.systems or tuple((cell.system, cell.system) for cell in first.cells)
    names = tuple(dict.fromkeys(names))
    found = [
        (one, two)
        for one, two in itertools.product(first.cells, other.cells)
        if (one.system, two.system) in names and one.place == two.place
    ]
    paired = {(one.system, two.system) for one, two in found}
    missing = [pair for pair in asked.systems if pair not in paired]
    if missing or not found:
        which = " and ".join(dict.fromkeys(missing[0])) if missing else "any system"
        raise CascadenceError(
            f"the runs do not both have {which} on one corpus under one condition",
            where=f"{first.path}: {listed(cell.name for cell in first.cells)}; "
            f"{other.path}: {listed(cell.name for cell in other.cells)}",
            mend="name systems of the first run and of the other: --system ONE=OTHER",
        )
    return found


def _metrics(first: OpenedRun, other: OpenedRun, asked: Asked) -> list[MetricSpec]:
    """The specifications of what is to be compared, as the first run has them."""
    both = [name for name in first.specs if name in first.measured & other.measured]
    for name in asked.metrics:
        if name not in both:
            raise CascadenceError(
                f"no values of {name!r} in both runs",
                where=f"{first.path} and {other.path}",
                mend=f"measure them: `cascadence score`; both have: {', '.join(both) or 'none'}",
            )
    specs = [first.specs[name] for name in both if not asked.metrics or name in asked.metrics]
    for spec in specs:
        kinds = {(s.unit, s.level, s.summary) for s in (spec, other.specs[spec.name])}
        if len(kinds) > 1:
            told = " and ".join(f"{s} of {u or 'no unit'} a {x}" for u, x, s in sorted(kinds))
            raise NotComparable(
                f"{spec.name} is not one quantity in both runs: {told}",
                where=f"{first.path} and {other.path}",
                mend="measure both again (`cascadence score RUN`), or leave it out (--metric)",
            )
    return specs


def _compared(
    pairs: Sequence[Pair], specs: Sequence[MetricSpec], asked: Asked
) -> Iterator[Compared]:
    settings = dict.fromkeys(first.setting for first, _ in pairs)
    rows = [
        _one(first, second, spec)
        for setting in settings
        for first, second in pairs
        if first.setting == setting
        for spec in specs
    ]
    rows = [row for row in rows if row.first.summary.n or row.second.summary.n]
    other = [row for row in rows if not row.same_versions]
    if other and not asked.allow_different_versions:
        raise _different_versions(other, pairs)
    for setting in settings:
        yield from _judged([row for row in rows if row.setting == setting])


def _one(first: PlayedCell, second: PlayedCell, spec: MetricSpec) -> Compared:
    cluster = partial(cluster_in, first, second)
    both = first.results.keys() & second.results.keys()
    mine, theirs = (cell.observations(spec.name, cluster, both) for cell in (first, second))
    sides = (_side(first, spec, mine), _side(second, spec, theirs))
    comparison = Comparison(spec.name, "value")
    row = Compared(first.setting, spec, *sides, comparison)
    if spec.level == "corpus":
        return replace(row, untested="one value a corpus")
    if spec.family == "latency" and (first.contended or second.contended):
        return replace(row, untested="contended")
    comparison = compare(spec, theirs, mine, label=f"{second.name} {first.name}")
    untested: Any = "" if comparison.n else "nothing to pair"
    return replace(row, comparison=comparison, untested=untested)


def _side(cell: PlayedCell, spec: MetricSpec, observations: Sequence[Observation]) -> Side:
    failed = sum(result.get("status") != "ok" for result in cell.results.values())
    summary = summarise(spec, observations, label=cell.name)
    signatures = cell.signatures(spec.name)
    return Side(cell.opened.place, cell.system, cell.name, summary, failed, signatures)


def _judged(rows: Sequence[Compared]) -> Iterator[Compared]:
    """Adjust the p-values for having looked at several, and say what follows."""
    with_p = [place for place, row in enumerate(rows) if row.comparison.p is not None]
    adjusted = dict(
        zip(with_p, holm([rows[place].comparison.p or 0.0 for place in with_p]), strict=True)
    )
    for place, row in enumerate(rows):
        p = adjusted.get(place)
        yield replace(row, p=p, verdict=verdict(row.comparison, row.spec.direction, p=p))


def _different_versions(rows: Sequence[Compared], pairs: Sequence[Pair]) -> NotComparable:
    names = listed(dict.fromkeys(row.spec.name for row in rows))
    row = rows[0]
    first, second = pairs[0]
    return NotComparable(
        f"measured with different versions: {names}",
        where=f"{row.spec.name}: {' and '.join(row.first.signatures)} in {first.opened.path}; "
        f"{' and '.join(row.second.signatures)} in {second.opened.path}",
        mend="measure both with this installation (`cascadence score RUN`), leave them out "
        "(--metric), or mark them: --allow-different-versions",
    )


def _notes(first: OpenedRun, other: OpenedRun, pairs: Sequence[Pair]) -> Iterator[str]:
    """Say what else is not the same in both runs."""
    both = f"{first.path} and {other.path}"
    for key, what in (
        ("seed", "seeds: systems that draw at random, and noise, differ for that"),
        ("user", "patience of the simulated user"),
    ):
        one, two = ((o.run.about.get("sweep") or {}).get(key) for o in (first, other))
        if one != two:
            yield f"{both} have different {what}."
    machines = [(o.run.about.get("machine") or {}).get("processor") for o in (first, other)]
    if machines[0] != machines[1]:
        yield f"{both} were played on different machines: latencies may differ for that."
    clocks = [(one.record.get("clock"), two.record.get("clock")) for one, two in pairs]
    if any(one != two for one, two in clocks):
        yield f"{both} were played on different clocks."
    for one, two in pairs:
        missing = len(one.results.keys() ^ two.results.keys())
        if missing:
            yield (
                f"{missing} conversations or repeats of {one.name} and {two.name} were played in "
                "one of the two runs only: they are left out, but for values of a whole corpus."
            )


def _measured_once(first: OpenedRun, other: OpenedRun) -> Iterator[str]:
    for one, two in ((first, other), (other, first)):
        only = sorted(one.measured - two.measured)
        if only:
            yield f"Measured in {one.path} and not in {two.path}: {', '.join(only)}."


def to_json(runs: Runs) -> dict[str, Any]:
    """Return everything as JSON values; what is missing is ``None``."""
    return {
        "runs": [
            {"path": path, "name": name} for path, name in zip(runs.paths, runs.names, strict=True)
        ],
        "rows": [
            {
                "setting": row.setting,
                "metric": row.spec.name,
                "unit": row.spec.unit,
                "direction": row.spec.direction,
                "first": _side_json(row.first),
                "second": _side_json(row.second),
                **{key: value for key, value in asdict(row.comparison).items() if key != "metric"},
                "p_holm": row.p,
                "verdict": row.verdict,
                "untested": row.untested,
                "same_versions": row.same_versions,
            }
            for row in runs.rows
        ],
        "notes": list(runs.notes),
    }


def _side_json(side: Side) -> dict[str, Any]:
    kept = ("value", "low", "high", "n", "clusters", "skipped", "failed", "censored")
    return {
        "run": side.run,
        "system": side.system,
        "cell": side.cell,
        **{name: getattr(side.summary, name) for name in kept},
        "without_result": side.without_result,
        "signatures": list(side.signatures),
    }
