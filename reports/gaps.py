"""Collects what the figures draw: every response gap, and the stages it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median

from cascadence.measurement import Censored, Value
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import Numbers
from cascadence.reports.figures import (
    GapRow,
    WaterfallRow,
    gap_figure,
    waterfall_figure,
)

STEPS: Mapping[str, str] = {
    "endpointing": "endpointing_delay_s",
    "hearing": "heard_s",
    "thinking": "first_token_s",
    "speaking": "first_audio_s",
    "leading silence": "onset_s",
}
"""The metric at which each stage ends, all counted from the user's last audible sample."""
Turn = tuple[str, int, int | None]
"""Conversation, repeat, turn."""


@dataclass(frozen=True, slots=True)
class FigureText:
    """A figure as SVG, with the words around it."""

    name: str
    title: str
    svg: str
    caption: str
    description: str


def figures(numbers: Numbers) -> list[FigureText]:
    """Draw what has been measured: none, one or both figures."""
    found = []
    rows = gap_rows(numbers)
    if rows:
        found.append(
            FigureText(
                "response-gaps",
                "Where the response gaps lie",
                gap_figure(rows),
                "Each mark is one user turn; thick: the median with its 95 % interval, dotted: the "
                "ninth decile, both with turns that were never answered counted as later than "
                "they were watched (Kaplan–Meier). Left of zero the system speaks "
                "before the user has ended. People leave about 0.2 s (Stivers et al. 2009).",
                _describe(rows),
            )
        )
    stages = waterfall_rows(numbers.contents)
    if stages:
        found.append(
            FigureText(
                "waterfall",
                "What the gap is made of",
                waterfall_figure(stages),
                "Means over the answered turns, from the user's last audible sample: to the "
                "end-of-turn decision (endpointing), the transcript (hearing), the first text "
                "(thinking), the first audio (speaking) and the first audible sample. Means add "
                "up to the mean gap; the diamond is the median gap of the same turns. A stage that "
                "a system does not report is inside the next one.",
                "; ".join(_describe_stages(row) for row in stages),
            )
        )
    return found


def gap_rows(numbers: Numbers) -> list[GapRow]:
    """Collect the response gaps of every cell that has any."""
    found = []
    for cell in numbers.contents.cells:
        rows = numbers.contents.rows.get((cell.name, "response_gap_s"), [])
        quantities = [row.measurement.quantity for row in rows]
        observed = [quantity.x for quantity in quantities if isinstance(quantity, Value)]
        waited = [q.lower_bound for q in quantities if isinstance(q, Censored)]
        if observed or waited:
            entry = numbers.entry(cell, "response_gap_s")
            found.append(GapRow(cell, observed, waited, entry.value, entry.interval, entry.p90))
    return found


def waterfall_rows(contents: Contents) -> list[WaterfallRow]:
    """Cut every answered gap of the real systems into its stages; controls have none."""
    found = []
    for cell in contents.cells:
        row = _waterfall_row(contents, cell) if cell.role != "control" else None
        if row is not None:
            found.append(row)
    return found


def _waterfall_row(contents: Contents, cell: ShownCell) -> WaterfallRow | None:
    """Means over the turns at which every step was told that the system tells at all."""
    onsets = _values(contents, cell, STEPS["leading silence"])
    steps = {
        stage: values
        for stage, metric in STEPS.items()
        # A step told only now and then would leave hardly a turn to look at.
        if 2 * len(values := _values(contents, cell, metric)) >= len(onsets) > 0
    }
    turns = set(onsets).intersection(*steps.values())
    if not turns or len(steps) < 2:
        return None
    stages, before = {}, dict.fromkeys(turns, 0.0)
    for stage, values in steps.items():
        stages[stage] = fmean(values[turn] - before[turn] for turn in turns)
        before = {turn: values[turn] for turn in turns}
    return WaterfallRow(cell, stages, median(onsets[turn] for turn in turns), len(turns))


def _values(contents: Contents, cell: ShownCell, name: str) -> dict[Turn, float]:
    """A turn metric's plain values."""
    return {
        (row.conversation_id, row.repeat, row.measurement.turn): row.measurement.quantity.x
        for row in contents.rows.get((cell.name, name), [])
        if isinstance(row.measurement.quantity, Value)
    }


def _describe(rows: list[GapRow]) -> str:
    parts = []
    for row in rows:
        centre = "no median" if row.median_s is None else f"median {row.median_s:.2f} s"
        parts.append(f"{_who(row.cell)}: {centre}, {len(row.censored_s)} never answered")
    return "Response gaps. " + "; ".join(parts)


def _describe_stages(row: WaterfallRow) -> str:
    stages = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in row.stages_s.items())
    return f"{_who(row.cell)}: {stages}"


def _who(cell: ShownCell) -> str:
    return f"{cell.system}, {cell.condition}" if cell.condition else cell.system
