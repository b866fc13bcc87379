"""Collects the endpointing trade-off: cut-offs against response gaps, and what nothing beats.

A comparison is within one corpus and condition. Controls are left out: what talks blindly is quick,
and means nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cascadence.pareto import Point, pareto_front, turn_taking_series
from cascadence.reports.contents import ShownCell
from cascadence.reports.entries import Entry, Numbers
from cascadence.reports.figures import TradeOffPoint, trade_off_figure
from cascadence.reports.gaps import FigureText
from cascadence.reports.views import EntryView, entry_views
from cascadence.reports.wording import label

CUT_OFFS, GAP = "cutoff_rate", "response_gap_s"
FEWEST_POINTS = 2
"""One point is no trade-off; what it says stands in the headline table."""
CAPTION = (
    "Each mark is a system with one setting of its turn-taking; bars are 95 % intervals in both "
    "directions, over resampled conversations. Thin lines join the settings of one system. Dashed: "
    "the front, the points that no other point beats in both. It is made of the values alone: "
    "where bars overlap, which point beats which is not decided."
)
BETTER = (
    "Further left is better, since the system answers sooner, and further down is better, since it "
    "cuts fewer users off. Waiting for a longer silence buys one with the other, so a system is "
    "better than another only where its whole line lies further left and down."
)
ORACLES = " Oracles see the manifest's answers, and are not on the front of the real systems."


@dataclass(frozen=True, slots=True)
class TradeOff:
    """The points of one corpus and condition.

    Attributes:
        setting: corpus and condition; empty where the run has no other.
        points: of the cells that have both measures, settings of one system one after the other.
        lines: the cells that a line joins, by name, in order of their settings.
        without: cells of which a measure is missing.
    """

    setting: str
    points: tuple[TradeOffPoint, ...]
    lines: tuple[tuple[str, ...], ...]
    without: tuple[TradeOffPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class TradeOffRow:
    """A cell's row in the table beside the figure; ``front`` is worded."""

    cell: ShownCell
    settings: str
    cut_offs: EntryView
    gap: EntryView
    front: str


@dataclass(frozen=True, slots=True)
class TradeOffView:
    """A figure with its table."""

    figure: FigureText
    setting: str
    rows: tuple[TradeOffRow, ...]


def trade_offs(numbers: Numbers) -> list[TradeOff]:
    """Collect the points of every corpus and condition that has at least two with both measures."""
    contents = numbers.contents
    if not {CUT_OFFS, GAP} <= set(contents.specs):
        return []
    several = len(contents.settings) > 1
    found = []
    for setting in contents.settings:
        cells = [c for c in contents.cells if c.setting == setting and c.role != "control"]
        made = _trade_off(numbers, setting if several else "", cells)
        if len(made.points) >= FEWEST_POINTS:
            found.append(made)
    return found


def trade_off_views(numbers: Numbers) -> list[TradeOffView]:
    """Draw every trade-off, and word the table beside it."""
    return [_view(numbers, made, place) for place, made in enumerate(trade_offs(numbers), start=1)]


def _trade_off(numbers: Numbers, setting: str, cells: Sequence[ShownCell]) -> TradeOff:
    by_name = {cell.name: cell for cell in cells}
    points, lines = [], []
    for series in turn_taking_series([cell.record for cell in cells]):
        lines.append(series.cells)
        points += [
            TradeOffPoint(
                by_name[name],
                settings_text(series.settings[name]),
                numbers.entry(by_name[name], CUT_OFFS),
                numbers.entry(by_name[name], GAP),
            )
            for name in series.cells
        ]
    shown = [point for point in points if point.place is not None]
    there = {point.cell.name for point in shown}
    joined = [tuple(name for name in line if name in there) for line in lines]
    return TradeOff(
        setting,
        tuple(_with_front(shown)),
        tuple(line for line in joined if len(line) > 1),
        tuple(point for point in points if point.place is None),
    )


def _with_front(points: Sequence[TradeOffPoint]) -> list[TradeOffPoint]:
    """Mark the front: of the real systems, where there are any."""
    real = any(point.cell.role == "system" for point in points)

    def place(point: TradeOffPoint) -> Point | None:
        return None if real and point.cell.role != "system" else point.place

    fronts = pareto_front([place(point) for point in points])
    return [replace(point, on_front=on) for point, on in zip(points, fronts, strict=True)]


def settings_text(settings: Mapping[str, Any]) -> str:
    """Word the settings in which the cells of one system differ; empty where there is but one."""
    parts = []
    for name, setting in settings.items():
        seconds = name.endswith("_s") and isinstance(setting, int | float)
        shown = f"{setting:g} s" if seconds else str(setting)
        parts.append(f"{label(name).lower()} {shown}")
    return ", ".join(parts)


def _view(numbers: Numbers, made: TradeOff, number: int) -> TradeOffView:
    rows = [*made.points, *made.without]
    oracles = {point.cell.role for point in made.points} == {"system", "oracle"}
    contents = numbers.contents
    cut_offs = entry_views(contents, [point.cut_offs for point in rows])
    gaps = entry_views(contents, [point.gap for point in rows])
    figure = FigureText(
        "trade-off" if number == 1 else f"trade-off-{number}",
        "Cut-offs against response gaps" + (f", on {made.setting}" if made.setting else ""),
        trade_off_figure(made.points, made.lines),
        CAPTION + (ORACLES if oracles else ""),
        _describe(made.points),
    )
    return TradeOffView(
        figure,
        made.setting,
        tuple(
            TradeOffRow(point.cell, point.settings, cut_off, gap, _front_text(point))
            for point, cut_off, gap in zip(rows, cut_offs, gaps, strict=True)
        ),
    )


def _front_text(point: TradeOffPoint) -> str:
    if point.place is None:
        return "not drawn: " + " and ".join(_missing((point.cut_offs, point.gap)))
    return "on the front" if point.on_front else "beaten"


def _missing(entries: Iterable[Entry]) -> list[str]:
    return [f"no {entry.spec.name}" for entry in entries if entry.value is None]


def _describe(points: Sequence[TradeOffPoint]) -> str:
    told = [
        f"{point.cell.system}: cut-off rate {point.cut_offs.value:.2f}, "
        f"median gap {point.gap.value:.2f} s" + (", on the front" if point.on_front else "")
        for point in points
    ]
    return "Cut-off rate against median response gap. " + "; ".join(told)
