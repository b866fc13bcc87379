"""A finished run, for whoever shows or compares it: recordings, measurements, summaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascadence.errors import CascadenceError
from cascadence.measurement import Censored, Measurement, Quantity, Ratio, Value
from cascadence.run_directory import Key, RunDirectory, key_of, read_lines


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement with what it is about.

    Attributes:
        cell: which cell.
        conversation_id: which conversation; empty for corpus-level metrics.
        repeat: which repeat.
        metric: its name.
        signature: its name and version.
        fingerprint: of the recording that it was made from.
        measurement: the value, or why there is none.
    """

    cell: str
    conversation_id: str
    repeat: int
    metric: str
    signature: str
    fingerprint: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Run:
    """Everything a report needs.

    Attributes:
        directory: where it lies.
        about: the content of ``run.json``: ``name``, ``sweep``, ``cells`` (a list in sweep order;
            each with ``name``, ``system_name``, ``corpus``, ``condition`` (unless clean),
            ``clock``, ``info``: the system's `SystemInfo` as a mapping, and what it cost),
            ``metrics`` (their specs), ``machine`` ...
        results: a line for every finished conversation, by key; ``status`` is ``ok`` or ``failed``,
            with ``reason``.
        rows: the measurements.
    """

    directory: RunDirectory
    about: Mapping[str, Any]
    results: Mapping[Key, Mapping[str, Any]]
    rows: tuple[Row, ...]

    @property
    def cells(self) -> list[Mapping[str, Any]]:
        """The cells, in the sweep's order."""
        return list(self.about.get("cells", []))

    def rows_of(self, cell: str, metric: str) -> Iterator[Row]:
        """Measurements of one metric in one cell."""
        return (row for row in self.rows if row.cell == cell and row.metric == metric)


def load_run(path: Path) -> Run:
    """Read a run directory; nothing is locked or changed.

    Raises:
        CascadenceError: it is none.
    """
    directory = RunDirectory(path)
    about = directory.read_run()
    if not about:
        raise CascadenceError("not a run: no run.json", where=str(path))
    results = {key_of(row): row for row in read_lines(directory.results_path)}
    rows = tuple(row_from_json(line) for line in read_lines(directory.measurements_path))
    return Run(directory, about, results, rows)


def row_to_json(row: Row) -> dict[str, Any]:
    """One line of ``measurements.jsonl``."""
    m = row.measurement
    line: dict[str, Any] = {
        "cell": row.cell,
        "conversation_id": row.conversation_id,
        "repeat": row.repeat,
        "metric": row.metric,
        "signature": row.signature,
        "fingerprint": row.fingerprint,
        "status": m.status,
        "n": m.n,
    }
    if m.turn is not None:
        line["turn"] = m.turn
    if m.quantity is not None:
        line["quantity"] = _quantity_to_json(m.quantity)
    if m.reason:
        line["reason"] = m.reason
    if m.details:
        line["details"] = dict(m.details)
    if m.interval is not None:
        line["interval"] = list(m.interval)
    return line


def row_from_json(line: Mapping[str, Any]) -> Row:
    """Read one line of ``measurements.jsonl`` back."""
    quantity = line.get("quantity")
    interval = line.get("interval")
    measurement = Measurement(
        status=line["status"],
        quantity=None if quantity is None else _quantity_from_json(quantity),
        reason=line.get("reason", ""),
        turn=line.get("turn"),
        details=line.get("details", {}),
        interval=None if interval is None else (interval[0], interval[1]),
        n=line["n"],
    )
    return Row(
        cell=line["cell"],
        conversation_id=line["conversation_id"],
        repeat=line["repeat"],
        metric=line["metric"],
        signature=line["signature"],
        fingerprint=line["fingerprint"],
        measurement=measurement,
    )


def _quantity_to_json(quantity: Quantity) -> dict[str, float]:
    match quantity:
        case Value(x):
            return {"value": x}
        case Ratio(numerator, denominator):
            return {"numerator": numerator, "denominator": denominator}
        case Censored(lower_bound):
            return {"lower_bound": lower_bound}


def _quantity_from_json(parts: Mapping[str, float]) -> Quantity:
    if "value" in parts:
        return Value(parts["value"])
    if "numerator" in parts:
        return Ratio(parts["numerator"], parts["denominator"])
    return Censored(parts["lower_bound"])
