"""The run's numbers as tables: a `pandas.DataFrame`, and text, CSV, Markdown and LaTeX from it.

Tables are tidy: one row for each cell and metric, with value, interval, ``n`` and what is missing.
A value that does not exist is empty in a frame and in CSV, and a dash where people read; it is
never 0.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cascadence.reports.attribution import attribution_text
from cascadence.reports.audit import Audit, audit
from cascadence.reports.audit_views import ABOVE, audit_grid, audit_views, ranking_grid, violations
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import Entry, Numbers
from cascadence.reports.wording import (
    ARROWS,
    MISSING,
    decimals,
    fitting,
    interval_text,
    number,
    unit_text,
)
from cascadence.results import Run

if TYPE_CHECKING:
    import pandas as pd

TEXT_WIDTH = 120
COLUMNS = (
    "corpus",
    "condition",
    "system",
    "role",
    "metric",
    "unit",
    "direction",
    "summary",
    "value",
    "low",
    "high",
    "p90",
    "n",
    "clusters",
    "censored",
    "skipped",
    "failed",
    "reason",
)


def headline(run: Run) -> pd.DataFrame:
    """Return the headline metrics that the run has, in reading order, with `COLUMNS`."""
    numbers = Numbers(Contents(run))
    return frame(numbers.entries(numbers.headline()))


def frame(entries: Iterable[Entry]) -> pd.DataFrame:
    """Lay entries out as a tidy table with `COLUMNS`; what is missing is ``<NA>``."""
    import pandas as pd

    table = pd.DataFrame([_record(entry) for entry in entries], columns=list(COLUMNS))
    kinds = dict.fromkeys(("value", "low", "high", "p90"), "Float64")
    kinds |= dict.fromkeys(("n", "clusters", "censored", "skipped", "failed"), "Int64")
    return table.astype(kinds)


def to_text(run: Run, width: int = TEXT_WIDTH) -> str:
    """Write the headline table for a terminal, a row a system, in blocks of at most ``width``.

    Then what cascades lose and where, where the run was asked for it; and the audit of the
    controls, where it has some.
    """
    numbers = Numbers(Contents(run))
    if not numbers.headline():
        return "Nothing has been measured in this run."
    blocks = []
    for setting, grid in _grids(numbers):
        title = printable(f"{run.about.get('name', '')} on {setting}".strip())
        blocks.append("\n".join([title, *_blocks(grid, width)]))
    legend = (
        "[95 % interval]; n: items, s: skipped, f: failed, c: censored; "
        f"{MISSING}: no value; (o): sees the answers, (c): control"
    )
    blocks.append(textwrap.fill(legend, width))
    apart = filter(None, [attribution_text(run, width)])
    return "\n\n".join([*blocks, *apart, *audit_text(audit(numbers), width)])


def audit_text(found: Audit, width: int = TEXT_WIDTH) -> list[str]:
    """Write the audit of the controls, a block a table; nothing where there are none."""
    blocks = []
    for view in audit_views(found):
        where = f" on {view.setting}" if view.setting else ""
        table = text_table(audit_grid(view), width, yielding=3)
        told = [f"Controls: what they must score{where}; {view.verdict}", *violations(view)]
        title, *lines = [textwrap.fill(printable(text), width) for text in told]
        blocks.append("\n".join([title, *table, *lines]))
        if view.rankings:
            table = text_table(ranking_grid(view), width, yielding=2)
            blocks.append("\n".join([textwrap.fill(ABOVE, width), *table]))
    if found.absent:
        missing = f"Controls that are not in this run: {', '.join(found.absent)}"
        blocks.append(textwrap.fill(missing, width))
    return blocks


def to_markdown(numbers: Numbers) -> str:
    """Write the headline table as Markdown, one table a corpus and condition."""
    return "\n\n".join(
        "\n".join([f"**{_plain_markdown(setting)}**", "", *_markdown(grid)])
        for setting, grid in _grids(numbers)
    )


def to_latex(numbers: Numbers) -> str:
    """Write the headline table as LaTeX ``tabular`` with booktabs rules, one a setting."""
    return "\n\n".join(
        "\n".join([f"% {printable(setting)}", *_latex(grid)]) for setting, grid in _grids(numbers)
    )


def write_tables(numbers: Numbers, folder: Path) -> list[Path]:
    """Write ``headline.csv``, ``.md``, ``.tex`` and ``metrics.csv`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    every = frame(numbers.entries(list(numbers.contents.specs)))
    texts = {
        "headline.csv": frame(numbers.entries(numbers.headline())).to_csv(index=False),
        "headline.md": to_markdown(numbers) + "\n",
        "headline.tex": to_latex(numbers) + "\n",
        "metrics.csv": every.to_csv(index=False),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def _record(entry: Entry) -> dict[str, object]:
    return {
        "corpus": entry.cell.corpus,
        "condition": entry.cell.condition or "clean",
        "system": entry.cell.system,
        "role": entry.cell.role,
        "metric": entry.spec.name,
        "unit": entry.spec.unit,
        "direction": entry.spec.direction,
        "summary": entry.spec.summary,
        "value": entry.value,
        "low": entry.interval[0] if entry.interval else None,
        "high": entry.interval[1] if entry.interval else None,
        "p90": entry.p90,
        "n": entry.n,
        "clusters": entry.clusters,
        "censored": entry.censored,
        "skipped": entry.skipped,
        "failed": entry.failed,
        "reason": "; ".join(map(str, entry.reasons)),
    }


Grid = list[list[str]]


def _grids(numbers: Numbers) -> list[tuple[str, Grid]]:
    """Each setting with its table: a row of column heads, then a row a system."""
    shown = numbers.contents
    return [
        (setting, _grid(numbers, [cell for cell in shown.cells if cell.setting == setting]))
        for setting in shown.settings
    ]


def _grid(numbers: Numbers, cells: Sequence[ShownCell]) -> Grid:
    marks = {"system": "", "oracle": " (o)", "control": " (c)"}
    rows: Grid = [["system"]] + [[cell.system + marks[cell.role]] for cell in cells]
    for name in numbers.headline():
        spec = numbers.contents.specs[name]
        entries = numbers.entries([name], cells)
        places = decimals([entry.value for entry in entries if entry.value is not None])
        head = f"{name} {ARROWS[spec.direction]}".strip()
        unit = unit_text(spec)
        rows[0].append(f"{head} ({unit})" if unit else head)
        for row, entry in zip(rows[1:], entries, strict=True):
            row.append(_cell_text(entry, places))
    return rows


def _cell_text(entry: Entry, places: int) -> str:
    counts = [f"n={entry.n}"] if entry.value is not None else []
    for letter, count in (("s", entry.skipped), ("f", entry.failed), ("c", entry.censored)):
        counts += [f"{count}{letter}"] if count else []
    if entry.value is None:
        return " ".join([MISSING, *counts])
    places = fitting(entry.value, places)
    parts = [number(entry.value, places)]
    if entry.interval is not None:
        parts.append(interval_text(entry.interval, places))
    return " ".join([*parts, *counts])


def _blocks(grid: Grid, width: int) -> list[str]:
    """Lay columns side by side as far as they fit, then go on below with the systems repeated."""
    heads = [head.partition(" (") for head in grid[0]]
    rows = [[head for head, _, _ in heads], [unit.removesuffix(")") for _, _, unit in heads]]
    rows += [[printable(text) for text in row] for row in grid[1:]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    widths[0] = min(widths[0], width // 3)
    lines: list[str] = []
    chosen: list[int] = []
    for column in range(1, len(widths)):
        needed = widths[0] + sum(widths[i] + 2 for i in [*chosen, column])
        if chosen and needed > width:
            lines += ["", *_block(rows, widths, chosen)]
            chosen = []
        chosen.append(column)
    return [*lines, "", *_block(rows, widths, chosen)]


def _block(rows: Grid, widths: Sequence[int], chosen: Sequence[int]) -> list[str]:
    lines = []
    for row in rows:
        cells = [fit(row[i], widths[i]) for i in (0, *chosen)]
        lines.append("  ".join(cells).rstrip())
    rule = "-" * (widths[0] + sum(widths[i] + 2 for i in chosen))
    return [*lines[:2], rule, *lines[2:]]


def text_table(rows: Grid, width: int, yielding: int = 0) -> list[str]:
    """Lay out a table for a terminal: a line of heads, a rule, a line a row.

    Args:
        rows: the heads first.
        width: of a line, at most.
        yielding: the column whose texts are cut where a line would be too long.
    """
    shown = [[printable(text) for text in row] for row in rows]
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    over = sum(widths) + 2 * (len(widths) - 1) - width
    widths[yielding] = max(8, widths[yielding] - max(0, over))
    lines = ["  ".join(fit(text, widths[i]) for i, text in enumerate(row)) for row in shown]
    lines = [fit(line, width).rstrip() for line in lines]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def fit(text: str, width: int) -> str:
    """Fill or cut a text to a width."""
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def printable(text: str) -> str:
    """Take out what could steer a terminal or end a line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _markdown(grid: Grid) -> list[str]:
    rows = [[_plain_markdown(text) for text in row] for row in grid]
    rule = ["---"] + ["---:"] * (len(grid[0]) - 1)
    return [f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])]


def _plain_markdown(text: str) -> str:
    """Keep table cells whole and hostile names harmless."""
    for character, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(character, written)
    return " ".join(text.split())


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≥": r"$\geq$",
    "−": "$-$",  # noqa: RUF001
    MISSING: "--",
}


def _latex(grid: Grid) -> list[str]:
    rows = [" & ".join(_plain_latex(text) for text in row) + r" \\" for row in grid]
    columns = "l" + "r" * (len(grid[0]) - 1)
    begin, end = rf"\begin{{tabular}}{{{columns}}}", r"\end{tabular}"
    return [begin, r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule", end]


def _plain_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
