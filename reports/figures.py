"""The report's figures: where the response gaps lie, what they are made of, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cascadence.reports.contents import CONTROL_COLOUR, ShownCell
from cascadence.reports.drawing import INK, MARKERS, figure, svg
from cascadence.reports.entries import Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGES = ("endpointing", "hearing", "thinking", "speaking", "leading silence")
"""What a gap is made of: decision, transcript, first text, first audio, first audible sample."""
# Light to dark, so that the order survives any colour vision and a grey printer.
_STAGE_COLOURS = ("#c7d9ec", "#9dbfe0", "#6b9fd0", "#3a76b5", "#1f4e86")
_STAGE_INKS = ("#1d2129", "#1d2129", "#1d2129", "#ffffff", "#ffffff")
_ROW_IN, _MARGIN_IN, _WIDTH_IN = 0.42, 0.95, 9.6
_NAME_LENGTH = 34


@dataclass(frozen=True, slots=True)
class GapRow:
    """The response gaps of one cell.

    Attributes:
        cell: whose.
        observed_s: of turns that were answered, negative where the system overlapped.
        censored_s: of turns that were not: how long the user waited.
        median_s: of all of them, unanswered ones included; ``None`` where fewer than half came.
        interval_s: of the median.
        p90_s: the same for nine out of ten.
    """

    cell: ShownCell
    observed_s: Sequence[float]
    censored_s: Sequence[float]
    median_s: float | None = None
    interval_s: tuple[float | None, float | None] | None = None
    p90_s: float | None = None


@dataclass(frozen=True, slots=True)
class WaterfallRow:
    """The mean length of each stage of the gap, in one cell.

    Attributes:
        cell: whose.
        stages_s: by name, those of `STAGES` that the system tells; they add up to the mean gap.
        median_gap_s: of the same turns.
        turns: how many turns it rests on.
    """

    cell: ShownCell
    stages_s: Mapping[str, float]
    median_gap_s: float | None
    turns: int


@dataclass(frozen=True, slots=True)
class TradeOffPoint:
    """One cell in the endpointing trade-off.

    Attributes:
        cell: whose.
        settings: of its turn-taking, where there are cells of the same system with others.
        cut_offs: share of user turns that it cuts off.
        gap: its median response gap, in seconds.
        on_front: whether no other point beats it in both.
    """

    cell: ShownCell
    settings: str
    cut_offs: Entry
    gap: Entry
    on_front: bool = False

    @property
    def place(self) -> tuple[float, float] | None:
        """Gap and cut-off rate; ``None`` where one of them has no value."""
        if self.gap.value is None or self.cut_offs.value is None:
            return None
        return self.gap.value, self.cut_offs.value

    @property
    def counts(self) -> str:
        """How many turns it rests on: the cut-offs', and the gaps' where they are not as many."""
        counts = dict.fromkeys((self.cut_offs.n, self.gap.n))
        return "n " + ", ".join(map(str, counts))


def gap_figure(rows: Sequence[GapRow]) -> str:
    """Draw every response gap as a mark, a row a cell, with median, interval and p90, as SVG."""
    drawing, axes = figure(_WIDTH_IN, _MARGIN_IN + _ROW_IN * len(rows))
    low, high = _limits(rows)
    axes.axvspan(low, 0.0, color="#d55e00", alpha=0.10, linewidth=0)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    for place, row in enumerate(rows):
        _gap_row(axes, place, row, low, high)
    axes.set_xlim(low, high)
    _rows_below(axes, [row.cell for row in rows])
    axes.set_xlabel("response gap, s  (left of zero: the system speaks before the user has ended)")
    return _finished(drawing, axes)


def waterfall_figure(rows: Sequence[WaterfallRow]) -> str:
    """Draw the stages of the gap as stacked means, a row a cell, as SVG."""
    drawing, axes = figure(_WIDTH_IN, _MARGIN_IN + 0.35 + _ROW_IN * len(rows))
    longest = max((sum(map(abs, row.stages_s.values())) for row in rows), default=1.0) or 1.0
    for place, row in enumerate(rows):
        _waterfall_row(axes, place, row, longest)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    _rows_below(axes, [row.cell for row in rows])
    axes.set_xlabel("s after the user's last audible sample")
    used = [name for name in STAGES if any(name in row.stages_s for row in rows)]
    _stage_legend(axes, used, any(row.median_gap_s is not None for row in rows))
    return _finished(drawing, axes)


def trade_off_figure(points: Sequence[TradeOffPoint], lines: Sequence[Sequence[str]]) -> str:
    """Draw cut-off rate against median response gap, a mark a cell, with both intervals, as SVG.

    Args:
        points: all with a place.
        lines: names of the cells that a line joins, in order.
    """
    drawing, axes = figure(_WIDTH_IN, max(4.2, 0.6 + 0.3 * len(points)))
    places = {point.cell.name: point.place for point in points if point.place is not None}
    x_limits, y_limits = _span([p.gap for p in points]), _span([p.cut_offs for p in points])
    for line in lines:
        axes.plot(*zip(*(places[name] for name in line), strict=True), color=INK, linewidth=0.9)
    _front(
        axes, [p.place for p in points if p.on_front and p.place is not None], x_limits, y_limits
    )
    for point in points:
        if point.place is not None:
            _trade_off_mark(axes, point, point.place, x_limits, y_limits)
    axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)
    axes.grid(color="#808080", alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("median response gap, s  (left is better)")
    axes.set_ylabel("cut-off rate, share of user turns  (down is better)")
    _cell_legend(axes, points)
    return svg(drawing)


def _span(entries: Sequence[Entry]) -> tuple[float, float]:
    """Both ends of an axis: all values and intervals, with a margin, the larger one for texts."""
    ends = [entry.value for entry in entries]
    ends += [end for entry in entries for end in entry.interval or ()]
    known = [end for end in ends if end is not None]
    low, high = min(known), max(known)
    margin = 0.07 * (high - low) or 0.1
    return low - margin, high + 2.0 * margin


def _front(
    axes: Any,
    places: Sequence[tuple[float, float]],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
) -> None:
    """Draw the edge of what is beaten: from point to point in steps, and on to the axes' ends."""
    if not places:
        return
    in_order = sorted(set(places))
    gaps = [in_order[0][0], *(gap for gap, _ in in_order), x_limits[1]]
    cut_offs = [y_limits[1], *(rate for _, rate in in_order), in_order[-1][1]]
    axes.plot(
        gaps, cut_offs, drawstyle="steps-post", color=INK, linewidth=1.1, ls=(0, (5, 3)), zorder=1
    )


def _trade_off_mark(
    axes: Any,
    point: TradeOffPoint,
    place: tuple[float, float],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
) -> None:
    gap, rate = place
    bar = {"color": point.cell.colour, "linewidth": 1.4, "alpha": 0.75, "solid_capstyle": "butt"}
    if point.gap.interval is not None:
        axes.plot(_within(point.gap.interval, x_limits), [rate, rate], **bar)
    if point.cut_offs.interval is not None:
        axes.plot([gap, gap], _within(point.cut_offs.interval, y_limits), **bar)
    axes.plot(
        gap, rate, MARKERS[point.cell.shape], color=point.cell.colour, markersize=8, clip_on=False
    )
    said = ", ".join(filter(None, (point.settings, point.counts)))
    axes.annotate(
        said, place, (7, 7), textcoords="offset points", fontsize=8.5, color=INK, parse_math=False
    )


def _within(
    interval: tuple[float | None, float | None], limits: tuple[float, float]
) -> list[float]:
    """Both ends of an interval; one that the data do not bound runs off the axis."""
    return [limit if end is None else end for end, limit in zip(interval, limits, strict=True)]


def _cell_legend(axes: Any, points: Sequence[TradeOffPoint]) -> None:
    from matplotlib.lines import Line2D

    items = [
        Line2D(
            [], [], marker=MARKERS[point.cell.shape], color=point.cell.colour, linestyle="none",
            markersize=7, label=_short(point.cell.system),
        )
        for point in points
    ]  # fmt: skip
    items.append(Line2D([], [], color=INK, linewidth=1.1, ls=(0, (5, 3)), label="front"))
    legend = axes.legend(
        handles=items, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9,
        borderaxespad=0.0, handlelength=1.6, labelcolor=INK,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _gap_row(axes: Any, place: int, row: GapRow, low: float, high: float) -> None:
    look = {"color": row.cell.colour, "linewidths": 0.6}
    marker = MARKERS[row.cell.shape]
    observed = np.asarray(row.observed_s, dtype=float)
    # The same spread for the same run: marks that coincide stay visible.
    spread = place + np.random.default_rng(len(observed)).uniform(-0.24, 0.24, len(observed))
    inside = (observed >= low) & (observed <= high)
    axes.scatter(
        observed[inside], spread[inside], s=17, marker=marker, alpha=0.7, edgecolors="none", **look
    )
    _count_beyond(axes, place, row.cell, int((observed < low).sum()), low, "left")
    _count_beyond(axes, place, row.cell, int((observed > high).sum()), high, "right")
    if row.interval_s is not None:
        # An end that the data do not bound runs off the axis.
        start = max(low, low if row.interval_s[0] is None else row.interval_s[0])
        end = min(high, high if row.interval_s[1] is None else row.interval_s[1])
        axes.plot([start, end], [place, place], color=INK, linewidth=2.2, solid_capstyle="butt")
    if row.median_s is not None and low <= row.median_s <= high:
        axes.plot([row.median_s] * 2, [place - 0.3, place + 0.3], color=INK, linewidth=2.2)
    if row.p90_s is not None and low <= row.p90_s <= high:
        axes.plot([row.p90_s] * 2, [place - 0.3, place + 0.3], color=INK, linewidth=1.2, ls=":")
    total = len(row.observed_s) + len(row.censored_s)
    note = f"all {total} answered"
    if row.censored_s:
        note = f"{len(row.censored_s)} of {total} never answered"
    weight = "bold" if row.censored_s else "normal"
    axes.text(
        1.01, place, note, transform=axes.get_yaxis_transform(), va="center", fontsize=9,
        fontweight=weight, color=INK,
    )  # fmt: skip


def _count_beyond(
    axes: Any, place: int, cell: ShownCell, count: int, edge: float, side: str
) -> None:
    if count:
        text = f"◂ {count} beyond" if side == "left" else f"{count} beyond ▸"
        axes.text(edge, place - 0.27, text, ha=side, va="center", fontsize=8, color=cell.colour)


def _waterfall_row(axes: Any, place: int, row: WaterfallRow, longest: float) -> None:
    left = 0.0
    for name, colour, ink in zip(STAGES, _STAGE_COLOURS, _STAGE_INKS, strict=True):
        width = row.stages_s.get(name)
        if width is None:
            continue
        axes.barh(place, width, left=left, height=0.6, color=colour, edgecolor=INK, linewidth=0.4)
        if abs(width) > 0.055 * longest:
            axes.text(
                left + width / 2, place, f"{width:.2f}", ha="center", va="center", fontsize=8.5,
                color=ink,
            )  # fmt: skip
        left += width
    if row.median_gap_s is not None:
        axes.plot(row.median_gap_s, place, "D", color=INK, markersize=5, clip_on=False)
    axes.text(
        1.01, place, f"{row.turns} turns", transform=axes.get_yaxis_transform(), va="center",
        fontsize=9, color=INK,
    )  # fmt: skip


def _limits(rows: Sequence[GapRow]) -> tuple[float, float]:
    """Both ends of the axis: all of the real systems' gaps, and zero; controls may lie beyond."""
    real = [gap for row in rows if row.cell.role != "control" for gap in row.observed_s]
    gaps = real or [gap for row in rows for gap in row.observed_s]
    low, high = min([0.0, *gaps]), max([0.5, *gaps])
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _rows_below(axes: Any, cells: Sequence[ShownCell]) -> None:
    several = len({cell.corpus for cell in cells}) > 1
    names = [
        ", ".join(filter(None, (cell.system, cell.corpus if several else "", cell.condition)))
        for cell in cells
    ]
    axes.set_yticks(range(len(cells)), [_short(name) for name in names])
    for text, cell in zip(axes.get_yticklabels(), cells, strict=True):
        # A name with dollar signs is a name, not a formula.
        text.set_parse_math(False)
        if cell.role == "control":
            text.set_color(CONTROL_COLOUR)
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(axis="x", color="#808080", alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)


def _stage_legend(axes: Any, names: Sequence[str], with_median: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colours = dict(zip(STAGES, _STAGE_COLOURS, strict=True))
    items: list[Any] = [
        Patch(facecolor=colours[name], edgecolor=INK, linewidth=0.4, label=name) for name in names
    ]
    if with_median:
        items.append(
            Line2D(
                [], [], marker="D", color=INK, linestyle="none", markersize=5, label="median gap"
            )
        )
    axes.legend(
        handles=items, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(items), frameon=False,
        fontsize=9, handlelength=1.2, columnspacing=1.4, borderaxespad=0.2, labelcolor=INK,
    )  # fmt: skip


def _finished(drawing: Figure, axes: Any) -> str:
    axes.tick_params(axis="y", length=0)
    return svg(drawing)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
