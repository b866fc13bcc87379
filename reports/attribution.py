"""Who broke it? A cascade's losses against its oracles, as tables, CSV and JSON.

The cells that replay a cascade with oracles carry ``attribution`` in ``run.json``: which cell they
replay (``of``) and which of its stages are replaced (``oracles``). `cascadence.attribution` says
how a loss is shared out; docs/attribution.md says how to read it.
"""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascadence.measurement import MetricSpec, Ratio
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.wording import ARROWS, MISSING, decimals, interval_text, number
from cascadence.results import Run
from cascadence.run_directory import write_bytes

if TYPE_CHECKING:
    from cascadence.attribution import Attribution, Place
    from cascadence.attribution_game import Stages
    from cascadence.estimators import Observation
    from cascadence.statistics import Estimate

ATTRIBUTED = (
    "task_success",
    "heard_wer",
    "reply_wer",
    "response_gap_s",
    "style_preservation",
    "style_information_bits",
    "style_information_words_bits",
)
"""Metrics whose losses are shared out, in the tables' order; those that a run lacks are left out.

Speech quality is none of them: how an oracle's voice sounds is not to be rated.
"""
DEFERRING_STAGE = "llm"
"""Its oracle gives the reference reply whatever it was told, and so would repair what was misheard:
see `cascadence.attribution.deferring`."""
DEFERRING_FAMILY = "task"
"""Metrics of this family are about what the reply says."""
MISHEARING = "heard_wer"
"""The metric that tells where something was misheard."""
TEXT_WIDTH = 120
LEGEND = (
    "loss: running free against all oracles, positive is worse; the shares (Shapley values) add up "
    "to it.\n[95 % interval]; n: measurements that every coalition has, f: failed, l: left out; "
    f"{MISSING}: no value"
)
_CSV_COLUMNS = (
    *("corpus", "condition", "system", "metric", "unit", "direction", "statistic"),
    *("stage", "share", "share_low", "share_high", "alone", "loss", "loss_low", "loss_high"),
    *("n", "clusters", "left_out", "failed", "reason"),
)


@dataclass(frozen=True, slots=True)
class AttributedCell:
    """One cascade on one corpus under one condition, taken apart.

    Attributes:
        cell: as it runs free.
        stages: that were replaced, in their order.
        losses: by metric, in the order of `ATTRIBUTED`.
    """

    cell: ShownCell
    stages: tuple[str, ...]
    losses: tuple[tuple[MetricSpec, Attribution], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a table, with its interval where it has one."""

    value: str
    interval: str = ""


@dataclass(frozen=True, slots=True)
class AttributionTable:
    """A cascade's losses as texts, ready to be laid out: the heads, then a row a metric."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Figure, ...], ...]
    notes: tuple[str, ...]


def is_replay(record: Mapping[str, Any]) -> bool:
    """Whether a cell of ``run.json`` only serves the attribution of another one."""
    return bool(record.get("attribution"))


def attributed(contents: Contents) -> list[AttributedCell]:
    """Share out the losses of every cascade of a run that was replayed with oracles."""
    free = {cell.name: cell for cell in contents.cells if not is_replay(cell.record)}
    replays: dict[str, dict[tuple[str, ...], str]] = {}
    for record in filter(is_replay, contents.run.cells):
        about = record["attribution"]
        replays.setdefault(str(about["of"]), {})[tuple(about["oracles"])] = str(record["name"])
    found = []
    for name, cells in replays.items():
        stages = max(cells, key=len)
        names = {frozenset(oracles): cell for oracles, cell in cells.items()}
        if name in free:
            found.append(_attributed(contents, free[name], stages, {frozenset(): name, **names}))
    return found


def attribution_tables(found: Sequence[AttributedCell]) -> list[AttributionTable]:
    """Word the losses, a table a cascade."""
    return [_table(each) for each in found]


def attribution_text(run: Run, width: int = TEXT_WIDTH) -> str:
    """Write the tables for a terminal; empty where nothing was replayed with oracles."""
    tables = attribution_tables(attributed(Contents(run)))
    blocks = ["\n".join(_lines(table, width)) for table in tables]
    return "\n\n".join([*blocks, LEGEND]) if blocks else ""


def write_attribution(found: Sequence[AttributedCell], folder: Path) -> list[Path]:
    """Write ``attribution.csv`` and ``.json`` into a folder; nothing where there is nothing."""
    if not found:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"attribution.csv": _csv(found), "attribution.json": _json(found)}
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    return [folder / name for name in texts]


def _attributed(
    contents: Contents, free: ShownCell, stages: tuple[str, ...], cells: Mapping[Stages, str]
) -> AttributedCell:
    measured = {row.metric for row in contents.run.rows if row.cell == free.name}
    names = [name for name in ATTRIBUTED if name in measured]
    specs = [contents.specs[name] for name in names]
    return AttributedCell(
        cell=free,
        stages=stages,
        losses=tuple(
            (spec, _loss(contents, free, stages, cells, spec))
            for spec in specs
            if spec.direction != "neither"
        ),
    )


def _loss(
    contents: Contents,
    free: ShownCell,
    stages: tuple[str, ...],
    cells: Mapping[Stages, str],
    spec: MetricSpec,
) -> Attribution:
    from cascadence.attribution import Attribution, attribute, attribute_corpus, deferring

    if spec.family == "latency" and _contended(contents, set(cells.values())):
        reason = "cells ran beside others, so their latencies are not to be compared"
        return Attribution(spec.name, spec.unit, reason=reason)
    if spec.level == "corpus":
        rows = {chosen: contents.rows.get((cell, spec.name)) for chosen, cell in cells.items()}
        known = {chosen: mine[0].measurement for chosen, mine in rows.items() if mine}
        return attribute_corpus(spec, stages, known)

    def measured(cell: str, metric: str) -> list[Observation]:
        return _observations(contents, free, cell, metric)

    coalitions = {chosen: measured(cell, spec.name) for chosen, cell in cells.items()}
    if spec.family == DEFERRING_FAMILY and DEFERRING_STAGE in stages:
        misled = {
            chosen: _misled(coalitions[chosen], measured(cell, MISHEARING))
            for chosen, cell in cells.items()
        }
        coalitions = deferring(coalitions, DEFERRING_STAGE, misled)
    return attribute(spec, stages, coalitions, label=free.name)


def _observations(contents: Contents, free: ShownCell, cell: str, metric: str) -> list[Observation]:
    """One metric's measurements in a cell; clusters are those of the cell that runs free."""
    from cascadence.estimators import Observation

    return [
        Observation(
            cluster=contents.cluster(free, row.conversation_id),
            measurement=row.measurement,
            item=f"{row.conversation_id}/{row.repeat}",
        )
        for row in contents.rows.get((cell, metric), [])
    ]


def _misled(observations: Sequence[Observation], heard: Sequence[Observation]) -> frozenset[Place]:
    """Where a reply rests on a word that was misheard, in this turn or before."""
    from cascadence.attribution import place_of

    first: dict[str, int] = {}
    for each in heard:
        turn, quantity = each.measurement.turn, each.measurement.quantity
        if turn is not None and isinstance(quantity, Ratio) and quantity.numerator > 0:
            first[each.item] = min(turn, first.get(each.item, turn))
    return frozenset(
        place_of(each)
        for each in observations
        if each.item in first and (each.measurement.turn or 0) >= first[each.item]
    )


def _contended(contents: Contents, cells: set[str]) -> bool:
    results = contents.run.results.items()
    return any(result.get("contended") for key, result in results if key[0] in cells)


def _table(found: AttributedCell) -> AttributionTable:
    return AttributionTable(
        title=f"What {found.cell.system} loses on {found.cell.setting}, and where",
        head=("metric", "free", "oracles", "loss", *found.stages, "n"),
        rows=tuple(_row(spec, loss, found.stages) for spec, loss in found.losses),
        notes=tuple(_notes(found)),
    )


def _row(spec: MetricSpec, found: Attribution, stages: Sequence[str]) -> tuple[Figure, ...]:
    unit = "" if spec.unit in ("", "ratio") else f" ({spec.unit})"
    name = f"{spec.name} {ARROWS[spec.direction]}{unit}"
    counts = [str(found.n)] if found.n else [MISSING]
    counts += [f"{found.failed}f"] if found.failed else []
    counts += [f"{found.left_out}l"] if found.left_out else []
    values = list(found.values.values())
    ends = [values[0], values[-1]] if values else []
    estimates = [found.loss, *(one.share for one in found.shares)]
    known = [each.value for each in estimates if each is not None and each.value is not None]
    places = decimals([*ends, *known])
    figures = [_figure(each, places) for each in estimates]
    figures += [Figure(MISSING)] * (1 + len(stages) - len(figures))
    shown = [Figure(number(x, places)) for x in ends] or [Figure(MISSING)] * 2
    return (Figure(name), *shown, *figures, Figure(" ".join(counts)))


def _figure(estimate: Estimate | None, places: int) -> Figure:
    if estimate is None or estimate.value is None:
        return Figure(MISSING)
    bounds = (estimate.low, estimate.high)
    return Figure(number(estimate.value, places), interval_text(bounds, places))


def _notes(found: AttributedCell) -> Iterator[str]:
    from cascadence.estimators import HORIZON_S

    names = [spec.name for spec, _ in found.losses]
    for spec, loss in found.losses:
        if loss.reason:
            yield f"{spec.name}: {loss.reason}"
        if loss.statistic == "restricted_mean":
            yield f"{spec.name}: means, turns that were never answered counted as {HORIZON_S:g} s"
        if loss.statistic == "corpus":
            yield f"{spec.name}: intervals as if the coalitions were independent, so too wide"
    about_task = any(spec.family == DEFERRING_FAMILY for spec, _ in found.losses)
    if about_task and DEFERRING_STAGE in found.stages and MISHEARING not in names:
        yield (
            f"{MISHEARING} was not measured: an oracle {DEFERRING_STAGE} then repairs what was "
            "misheard, and the ASR's share is too small"
        )


def _lines(table: AttributionTable, width: int) -> list[str]:
    """Lay a table out, two lines a row: values, and their intervals below."""
    rows = [[Figure(text) for text in table.head], *map(list, table.rows)]
    columns = zip(*rows, strict=True)
    widths = [max(max(len(f.value), len(f.interval)) for f in column) for column in columns]
    rest = sum(widths[1:]) + 2 * len(widths[1:])
    widths[0] = max(8, min(widths[0], width - rest))
    lines = [_printable(table.title), ""]
    for row in rows:
        lines.append(_line([figure.value for figure in row], widths))
        if any(figure.interval for figure in row):
            lines.append(_line([figure.interval for figure in row], widths))
        if row is rows[0]:
            lines.append("-" * (widths[0] + rest))
    for note in table.notes:
        lines += textwrap.wrap(_printable(note), width - 2, initial_indent="  ")
    return lines


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    first = _printable(texts[0])
    first = first if len(first) <= widths[0] else f"{first[: widths[0] - 1]}…"
    others = (text.rjust(width) for text, width in zip(texts[1:], widths[1:], strict=True))
    return "  ".join([first.ljust(widths[0]), *others]).rstrip()


def _printable(text: str) -> str:
    """Take out what could steer a terminal or end a line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _csv(found: Sequence[AttributedCell]) -> str:
    """A row for each cascade, metric and stage; what is missing is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for each in found:
        for spec, loss in each.losses:
            about = {**_about(each.cell), "direction": spec.direction, **_counted(loss)}
            about |= _estimate("loss", loss.loss)
            shares = {one.stage: one for one in loss.shares}
            for stage in each.stages:
                one = shares.get(stage)
                mine = {} if one is None else {**_estimate("share", one.share), "alone": one.alone}
                writer.writerow({**about, "stage": stage, **mine})
    return text.getvalue()


def _json(found: Sequence[AttributedCell]) -> str:
    """Everything, every coalition's value included; what is missing is ``null``."""
    content = [
        {
            **_about(each.cell),
            "cell": each.cell.name,
            "stages": each.stages,
            "metrics": [{**asdict(loss), "direction": s.direction} for s, loss in each.losses],
        }
        for each in found
    ]
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _about(cell: ShownCell) -> dict[str, Any]:
    return {
        "corpus": cell.corpus,
        "condition": cell.condition or "clean",
        "system": cell.system,
    }


def _counted(loss: Attribution) -> dict[str, Any]:
    names = ("metric", "unit", "statistic", "n", "clusters", "left_out", "failed", "reason")
    return {name: getattr(loss, name) for name in names}


def _estimate(name: str, estimate: Estimate | None) -> dict[str, float]:
    if estimate is None:
        return {}
    parts = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return {key: value for key, value in parts.items() if value is not None}
