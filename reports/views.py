"""The run's numbers as the page's tables show them: texts and small drawings, ready to be laid out.

Templates only place these; everything that is worded or rounded is worded and rounded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cascadence.measurement import MetricSpec
from cascadence.reports.contents import ROLE_NAMES, Contents, Role, ShownCell
from cascadence.reports.entries import Entry, Numbers
from cascadence.reports.wording import (
    ARROWS,
    BETTER,
    MISSING,
    decimals,
    fitting,
    interval_text,
    label,
    number,
    plain_doc,
    unit_text,
)

FAMILY_NAMES = {
    "latency": "Latency",
    "turn_taking": "Turn-taking",
    "paralinguistics": "Paralinguistic preservation",
    "prosody": "Prosody similarity",
    "task": "Task success",
    "intelligibility": "Intelligibility",
    "quality": "Speech quality",
    "attribution": "Attribution",
    "signal": "Signal",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A metric, as the head of a column or a row."""

    metric: str
    label: str
    arrow: str
    better: str
    unit: str
    doc: str
    signature: str
    reference: str


@dataclass(frozen=True, slots=True)
class Whisker:
    """A value and its interval on the column's scale, in percent of its width."""

    low: float
    at: float
    high: float
    zero: float | None


@dataclass(frozen=True, slots=True)
class EntryView:
    """One value as it stands in a table; ``value`` is empty where there is none."""

    role: Role
    value: str
    extra: str
    interval: str
    counts: str
    title: str
    whisker: Whisker | None


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system's row in the headline table."""

    cell: ShownCell
    subtitle: str
    entries: tuple[EntryView, ...]


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Systems of one role."""

    role: Role
    title: str
    rows: tuple[SystemRow, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader must know about a system."""

    cell: ShownCell
    text: str


@dataclass(frozen=True, slots=True)
class HeadlineTable:
    """The headline table of one setting; its name is empty where there is no other."""

    setting: str
    columns: tuple[Column, ...]
    groups: tuple[RowGroup, ...]
    notes: tuple[str, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric's row in a family's table."""

    column: Column
    entries: tuple[EntryView, ...]


@dataclass(frozen=True, slots=True)
class FamilyTable:
    """A family's metrics in one setting; its name is empty where there is no other."""

    setting: str
    cells: tuple[ShownCell, ...]
    rows: tuple[MetricRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """All of a family's metrics."""

    title: str
    metrics: tuple[str, ...]
    tables: tuple[FamilyTable, ...]
    definitions: tuple[Column, ...]


def headline_tables(numbers: Numbers) -> list[HeadlineTable]:
    """Lay out the headline metrics, one table a setting; none where nothing has been measured."""
    names = numbers.headline()
    contents = numbers.contents
    if not names:
        return []
    return [
        _headline_table(
            numbers, setting, [c for c in contents.cells if c.setting == setting], names
        )
        for setting in contents.settings
    ]


def families(numbers: Numbers) -> list[Family]:
    """Lay out every metric of the run, by family."""
    specs = numbers.contents.specs
    order = [*FAMILY_NAMES, *sorted({spec.family for spec in specs.values()} - set(FAMILY_NAMES))]
    found = []
    for name in order:
        mine = [spec for spec in specs.values() if spec.family == name]
        if mine:
            found.append(_family(numbers, FAMILY_NAMES.get(name, label(name)), mine))
    return found


def column(contents: Contents, spec: MetricSpec) -> Column:
    """Word the head of a metric."""
    return Column(
        metric=spec.name,
        label=label(spec.name),
        arrow=ARROWS[spec.direction],
        better=BETTER[spec.direction],
        unit=unit_text(spec),
        doc=plain_doc(contents.docs.get(spec.name, "")),
        signature=spec.signature,
        reference=spec.reference,
    )


def _headline_table(
    numbers: Numbers, setting: str, cells: Sequence[ShownCell], names: Sequence[str]
) -> HeadlineTable:
    contents = numbers.contents
    columns = [entry_views(contents, numbers.entries([name], cells)) for name in names]
    rows = [
        SystemRow(cell, _subtitle(contents, cell), tuple(views[place] for views in columns))
        for place, cell in enumerate(cells)
    ]
    roles = [role for role in ROLE_NAMES if any(cell.role == role for cell in cells)]
    groups = [
        RowGroup(
            role,
            ROLE_NAMES[role] if len(roles) > 1 else "",
            tuple(row for row in rows if row.cell.role == role),
        )
        for role in roles
    ]
    return HeadlineTable(
        setting=setting if len(contents.settings) > 1 else "",
        columns=tuple(column(contents, contents.specs[name]) for name in names),
        groups=tuple(groups),
        notes=tuple(_notes(numbers.entries(names, cells))),
        remarks=tuple(Remark(cell, cell.remark) for cell in cells if cell.remark),
    )


def _family(numbers: Numbers, title: str, specs: Sequence[MetricSpec]) -> Family:
    contents = numbers.contents
    tables = []
    for setting in contents.settings:
        cells = tuple(cell for cell in contents.cells if cell.setting == setting)
        rows = [
            MetricRow(
                column(contents, spec),
                tuple(entry_views(contents, numbers.entries([spec.name], cells))),
            )
            for spec in specs
        ]
        notes = tuple(_notes(numbers.entries([spec.name for spec in specs], cells)))
        shown = setting if len(contents.settings) > 1 else ""
        tables.append(FamilyTable(shown, cells, tuple(rows), notes))
    return Family(
        title=title,
        metrics=tuple(spec.name for spec in specs),
        tables=tuple(tables),
        definitions=tuple(column(contents, spec) for spec in specs),
    )


def _notes(entries: Sequence[Entry]) -> list[str]:
    """Say once why values are missing, and for whom."""
    found: dict[str, list[str]] = {}
    for entry in sorted(entries, key=lambda entry: entry.spec.name):
        for reason in entry.reasons:
            words = f"{entry.spec.name}, {reason.status}, {reason.text}"
            if not reason.count:
                words = f"{entry.spec.name}, {reason.text}"
            count = f" ({reason.count})" if reason.count else ""
            found.setdefault(words, []).append(f"{entry.cell.system}{count}")
    return [f"{words}: {', '.join(systems)}" for words, systems in found.items()]


def entry_views(contents: Contents, entries: Sequence[Entry]) -> list[EntryView]:
    """Word one metric's values with the same decimals, on one scale."""
    places = decimals([entry.value for entry in entries if entry.value is not None])
    scale = _scale(entries)
    return [_entry_view(contents, entry, places, scale) for entry in entries]


def _entry_view(
    contents: Contents, entry: Entry, places: int, scale: tuple[float, float] | None
) -> EntryView:
    places = fitting(entry.value, places)
    text = "" if entry.value is None else number(entry.value, places)
    extra = "" if entry.p90 is None else f"p90 {number(entry.p90, places)}"
    bounds = interval_text(entry.interval, places)
    return EntryView(
        role=entry.cell.role,
        value=text,
        extra=extra,
        interval=bounds,
        counts=_counts(contents, entry),
        title=_title(entry, text, bounds, extra),
        whisker=None if scale is None else _whisker(entry, scale),
    )


def _counts(contents: Contents, entry: Entry) -> str:
    parts = [f"n {entry.n}"] if entry.n else []
    for count, word in (
        (entry.censored, "no reply" if entry.spec.name == "response_gap_s" else "censored"),
        (entry.skipped, "skipped"),
        (entry.failed, "failed"),
    ):
        if count:
            parts.append(f"{count} {word}")
    if entry.spec.family == "latency" and contents.contended(entry.cell):
        parts.append("contended")
    return " · ".join(parts) or "not measured"


def _title(entry: Entry, text: str, bounds: str, extra: str) -> str:
    unit = unit_text(entry.spec)
    parts = [f"{text or MISSING} {unit}".strip()]
    if bounds:
        parts.append(f"95 % interval {bounds}")
    if extra:
        parts.append(extra)
    parts.append(f"n = {entry.n} in {entry.clusters} independent conversations or contrast sets")
    if entry.censored:
        parts.append(f"{entry.censored} censored")
    return f"{entry.cell.system}, {entry.spec.name}: " + "; ".join(
        [*parts, *map(str, entry.reasons)]
    )


def _scale(entries: Sequence[Entry]) -> tuple[float, float] | None:
    """The column's range, of the real systems where there are any: controls may lie beyond."""
    real = [entry for entry in entries if entry.cell.role != "control" and entry.value is not None]
    points = [
        point
        for entry in real or entries
        for point in (entry.value, *(entry.interval or ()))
        if point is not None
    ]
    if not points:
        return None
    low, high = min(points), max(points)
    return (low, high) if high > low else None


def _whisker(entry: Entry, scale: tuple[float, float]) -> Whisker | None:
    if entry.value is None:
        return None
    low, high = scale

    def place(x: float) -> float:
        return round(min(98.0, max(2.0, 2.0 + 96.0 * (x - low) / (high - low))), 1)

    bounds = entry.interval or (entry.value, entry.value)
    start = low if bounds[0] is None else bounds[0]
    end = high if bounds[1] is None else bounds[1]
    zero = place(0.0) if low < 0.0 < high else None
    return Whisker(place(start), place(entry.value), place(end), zero)


def _subtitle(contents: Contents, cell: ShownCell) -> str:
    duplex = str(cell.info.get("duplex", ""))
    parts = [cell.kind, f"{duplex}-duplex" if duplex else ""]
    if cell.sees_answers:
        parts.append("sees the answers")
    if cell.record.get("clock") == "real_time":
        parts.append("real-time clock")
    missing = contents.without_result(cell)
    if missing:
        parts.append(f"{missing} without result")
    return " · ".join(part for part in parts if part)
