"""One metric in one cell: value, interval, counts, and why there is no value where there is none.

The only place where reports ask `cascadence.statistics` for corpus values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cascadence.measurement import MetricSpec
from cascadence.reports.contents import Contents, ShownCell
from cascadence.results import Row

if TYPE_CHECKING:
    from cascadence.estimators import Observation

HEADLINE = (
    "task_success",
    "response_gap_s",
    "cutoff_rate",
    "heard_wer",
    "reply_wer",
    "style_preservation",
    "contrast_gain_f0",
    "contrast_gain_rate",
    "dnsmos_ovrl",
    "ttfa_s",
    "rtf",
)
"""Metrics of the headline table, in its order; those that a run does not have are left out."""
_REASON_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many measurements have no value."""

    count: int
    status: str
    text: str

    def __str__(self) -> str:
        """Write it in one line."""
        return f"{self.count} {self.status}: {self.text}" if self.count else self.text


@dataclass(frozen=True, slots=True)
class Entry:
    """A corpus value, or why there is none.

    Attributes:
        cell: of which system and corpus.
        spec: of which metric.
        value: ``None`` where there is none.
        interval: 95 % confidence interval, where there is one; an end may be unbounded.
        p90: ninth decile, of response gaps.
        n: how many measurements the value rests on, censored ones included.
        clusters: how many independent conversations or contrast sets.
        censored: how many of the ``n`` only have a lower bound.
        skipped: how many measurements did not apply.
        failed: how many broke.
        reasons: why, most frequent first, with counts.
    """

    cell: ShownCell
    spec: MetricSpec
    value: float | None
    interval: tuple[float | None, float | None] | None
    p90: float | None
    n: int
    clusters: int
    censored: int
    skipped: int
    failed: int
    reasons: tuple[Reason, ...]


class Numbers:
    """The corpus values of a run; each is computed once, when it is first asked for."""

    def __init__(self, contents: Contents) -> None:
        """Take a run; nothing is computed yet."""
        self.contents = contents
        self._entries: dict[tuple[str, str], Entry] = {}

    def headline(self) -> list[str]:
        """Return the headline metrics of which the run has at least one value."""
        rows = self.contents.run.rows
        found = {row.metric for row in rows if row.measurement.quantity is not None}
        return [name for name in HEADLINE if name in found]

    def entry(self, cell: ShownCell, name: str) -> Entry:
        """Return one metric in one cell."""
        place = (cell.name, name)
        if place not in self._entries:
            self._entries[place] = _summarised(self.contents, cell, name)
        return self._entries[place]

    def entries(
        self, names: Sequence[str], cells: Iterable[ShownCell] | None = None
    ) -> list[Entry]:
        """Return an entry for every cell (all, by default) and metric, cell by cell."""
        shown = self.contents.cells if cells is None else cells
        return [self.entry(cell, name) for cell in shown for name in names]


def _summarised(contents: Contents, cell: ShownCell, name: str) -> Entry:
    from cascadence.statistics import summarise

    spec = contents.specs[name]
    summary = summarise(spec, observations(contents, cell, name), label=cell.name)
    bounded = summary.low is not None or summary.high is not None
    ninth = summary.further.get("p90")
    return Entry(
        cell=cell,
        spec=spec,
        value=summary.value,
        interval=(summary.low, summary.high) if bounded else None,
        p90=None if ninth is None else ninth.value,
        n=summary.n,
        clusters=summary.clusters,
        censored=summary.censored,
        skipped=summary.skipped,
        failed=summary.failed,
        reasons=_reasons(contents.rows.get((cell.name, name), [])),
    )


def observations(contents: Contents, cell: ShownCell, name: str) -> list[Observation]:
    """Return one metric's measurements in one cell, with what they are independent of."""
    return observations_of(contents, cell, contents.rows.get((cell.name, name), []))


def observations_of(contents: Contents, cell: ShownCell, rows: Iterable[Row]) -> list[Observation]:
    """Return some measurements of a cell, with what they are independent of."""
    from cascadence.estimators import Observation

    return [
        Observation(
            cluster=contents.cluster(cell, row.conversation_id),
            measurement=row.measurement,
            item=f"{row.conversation_id}/{row.repeat}",
        )
        for row in rows
    ]


def _reasons(rows: Sequence[Row]) -> tuple[Reason, ...]:
    if not rows:
        return (Reason(0, "skipped", "not measured"),)
    found = Counter(
        (row.measurement.status, _first_line(row.measurement.reason) or "no reason given")
        for row in rows
        if row.measurement.status != "ok"
    )
    return tuple(Reason(count, status, text) for (status, text), count in found.most_common())


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _REASON_LENGTH else f"{line[: _REASON_LENGTH - 1]}…"
