"""Writes the report: one self-standing page, and tables and figures beside it.

Nothing on the page is fetched: styles, script, drawings and, where they fit, sounds are inside.
Every text of a run is escaped where it is placed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cascadence.estimators import HORIZON_S
from cascadence.reports.answer import answer
from cascadence.reports.attribution import attributed, attribution_tables, write_attribution
from cascadence.reports.audit import audit
from cascadence.reports.audit_views import ABOVE, audit_csv, audit_views
from cascadence.reports.cautions import cautions
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.drawing import for_file, for_page
from cascadence.reports.entries import Numbers
from cascadence.reports.gaps import FigureText, figures
from cascadence.reports.pairs import compared, pair_views, pairs_csv
from cascadence.reports.pareto import BETTER, TradeOffRow, trade_off_views
from cascadence.reports.provenance import provenance
from cascadence.reports.tables import write_tables
from cascadence.reports.talks import talks
from cascadence.reports.timeline import event_legend
from cascadence.reports.views import families, headline_tables
from cascadence.results import Run
from cascadence.run_directory import write_bytes

# Drawn around (0, 0) in a box of 12; the same shapes as matplotlib's markers.
SHAPE_PATHS: Mapping[str, str] = {
    "circle": "M0-4.6a4.6 4.6 0 1 0 .01 0z",
    "square": "M-4.1-4.1h8.2v8.2h-8.2z",
    "triangle": "M0-5l5 9h-10z",
    "diamond": "M0-5.6l5.6 5.6l-5.6 5.6l-5.6-5.6z",
    "down": "M0 5l5-9h-10z",
    "pentagon": "M0-5.2l5 3.6l-1.9 5.8h-6.2l-1.9-5.8z",
    "cross": "M-4.8-2.9l1.9-1.9l2.9 2.9l2.9-2.9l1.9 1.9l-2.9 2.9l2.9 2.9l-1.9 1.9l-2.9-2.9"
    "l-2.9 2.9l-1.9-1.9l2.9-2.9z",
    "plus": "M-1.5-5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
}


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure on the page."""

    title: str
    svg: Markup
    caption: str
    file: str


@dataclass(frozen=True, slots=True)
class TradeOffFigure:
    """A trade-off on the page: the figure, and the table that says the same."""

    figure: FigureView
    rows: Sequence[TradeOffRow]


def write_report(run: Run) -> Path:
    """Write ``report/`` into the run's directory, and return its page.

    Args:
        run: from `cascadence.results.load_run`; it may be unfinished, or not measured at all.
    """
    folder = run.directory.path / "report"
    folder.mkdir(parents=True, exist_ok=True)
    contents = Contents(run)
    numbers = Numbers(contents)
    pairs = compared(numbers)
    tables = write_tables(numbers, folder / "tables")
    if pairs:
        tables.append(folder / "tables" / "pairs.csv")
        write_bytes(tables[-1], pairs_csv(pairs).encode())
    apart = attributed(contents)
    tables += write_attribution(apart, folder / "tables")
    checked = audit(numbers)
    if checked.rows:
        tables.append(folder / "tables" / "controls.csv")
        write_bytes(tables[-1], audit_csv(checked).encode())
    context = {
        **_head(contents),
        "answer": answer(numbers, pairs),
        "pairs": pair_views(pairs),
        "horizon_s": f"{HORIZON_S:g}",
        "cautions": cautions(numbers),
        "headline": headline_tables(numbers),
        "table_files": [path.relative_to(folder).as_posix() for path in tables],
        "figures": _figures(figures(numbers), folder),
        "trade_offs": _trade_offs(numbers, folder),
        "trade_off_reading": BETTER,
        "families": families(numbers),
        "attribution": attribution_tables(apart),
        "audit": audit_views(checked),
        "above": ABOVE,
        "absent": ", ".join(checked.absent),
        "provenance": provenance(contents),
        **_conversations(contents, folder),
    }
    page = folder / "index.html"
    write_bytes(page, _environment().get_template("page.html.j2").render(page=context).encode())
    return page


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cascadence.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _head(contents: Contents) -> dict[str, Any]:
    about = contents.run.about
    sweep = about.get("sweep") or {}
    return {
        "title": str(about.get("name", "run")),
        "description": " ".join(str(sweep.get("description", "")).split()),
        "facts": _facts(contents),
        "style": Markup(_own_file("style.css")),
        "looks": Markup("".join(_look(cell) for cell in contents.cells)),
        "script": Markup(_own_file("page.js")),
        "shapes": SHAPE_PATHS,
        "events": event_legend(),
    }


def _conversations(contents: Contents, folder: Path) -> dict[str, Any]:
    shown = talks(contents, folder)
    return {
        "conversations": shown,
        "filter_cells": list({cell.css: cell for cell in contents.cells}.values()),
        "tags": sorted({tag for talk in shown for tag in talk.tags}),
    }


def _facts(contents: Contents) -> list[str]:
    about = contents.run.about
    corpora = {cell.name: cell.corpus for cell in contents.cells}
    ids = {(corpora[key[0]], key[1]) for key in contents.run.results if key[0] in corpora}
    systems = {cell.system: cell for cell in contents.cells}
    conditions = dict.fromkeys(cell.condition for cell in contents.cells)
    controls = sum(cell.role == "control" for cell in systems.values())
    facts = [
        _plural(len(ids), "conversation"),
        _plural(len(systems) - controls, "system") + f" and {_plural(controls, 'control')}",
        f"corpus {', '.join(contents.corpora)}" if contents.corpora else "",
        f"conditions {', '.join(filter(None, conditions))}" if any(conditions) else "",
    ]
    repeats = (about.get("sweep") or {}).get("repeats", 1)
    facts.append(f"{repeats} repeats" if repeats != 1 else "")
    facts.append(f"played {str(about['started_at'])[:10]}" if about.get("started_at") else "")
    return [fact for fact in facts if fact]


def _figures(drawn: Sequence[FigureText], folder: Path) -> list[FigureView]:
    (folder / "figures").mkdir(exist_ok=True)
    found = []
    for figure in drawn:
        path = folder / "figures" / f"{figure.name}.svg"
        write_bytes(path, for_file(figure.svg).encode())
        inline = for_page(figure.svg, figure.name, figure.description)
        address = path.relative_to(folder).as_posix()
        found.append(FigureView(figure.title, inline, figure.caption, address))
    return found


def _trade_offs(numbers: Numbers, folder: Path) -> list[TradeOffFigure]:
    views = trade_off_views(numbers)
    drawn = _figures([view.figure for view in views], folder)
    return [TradeOffFigure(figure, view.rows) for figure, view in zip(drawn, views, strict=True)]


def _look(cell: ShownCell) -> str:
    return f".{cell.css}{{--look:{cell.colour}}}"


def _own_file(name: str) -> str:
    return (files("cascadence.reports") / "templates" / name).read_text(encoding="utf-8")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
