"""The endpointing trade-off: cut-off rate against median gap, over silence thresholds.

How long a system waits in silence before it answers is one knob, and it can decide a comparison:
less waiting is quicker and cuts more users off. So the same system is played with several
thresholds, one cell each, and what is compared is the front of points that no other point beats in
both. Pure functions over finished cells' measurements; a figure draws what they return.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cascadence.estimators import Observation
from cascadence.measurement import Metric
from cascadence.metrics.latency import response_gap_s
from cascadence.metrics.turn_taking import cutoff_rate
from cascadence.results import Row
from cascadence.statistics import Estimate, summarise


@dataclass(frozen=True, slots=True)
class EndpointingPoint:
    """One cell of a silence-threshold grid.

    Attributes:
        cell: its name.
        silence_s: silence that ends a user's turn.
        cutoff_rate: share of user turns that were cut off.
        gap_s: median response gap in seconds (Kaplan-Meier); its ``value`` is ``None`` where less
            than half of the turns were answered.
        turns: user turns that the gap rests on, those without an answer included.
        on_front: no other point of the grid is at least as good in both and better in one.
    """

    cell: str
    silence_s: float
    cutoff_rate: Estimate
    gap_s: Estimate
    turns: int
    on_front: bool = False


def silence_thresholds_s(cells: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Read the silence threshold of every cell that declares one.

    Args:
        cells: from ``run.json``: with ``name`` and ``info``, the system's `SystemInfo`.

    Returns:
        Seconds by the cell's name. A system that also listens for the end itself (``end: own``) has
        another knob, and is left out.
    """
    found = {}
    for cell in cells:
        rules = cell.get("info", {}).get("parameters", {}).get("turn_taking")
        if isinstance(rules, Mapping) and rules.get("end", "silence") == "silence":
            silence_s = rules.get("silence_s")
            if isinstance(silence_s, int | float):
                found[str(cell["name"])] = float(silence_s)
    return found


def endpointing_points(
    rows: Iterable[Row],
    silence_s: Mapping[str, float],
    clusters: Mapping[str, str] | None = None,
) -> tuple[EndpointingPoint, ...]:
    """Put the cells of one system in order of their silence threshold, and mark the front.

    Args:
        rows: measurements of the cells; those of other cells and metrics are passed over.
        silence_s: the threshold by the cell's name: the cells of one grid.
        clusters: contrast sets by conversation, where there are any.

    Returns:
        A point for every cell that has a cut-off rate; cells without measurements are left out.
    """
    kept = [row for row in rows if row.cell in silence_s]
    points = []
    for cell in sorted(silence_s, key=lambda name: (silence_s[name], name)):
        cut, _ = _estimate(kept, cell, cutoff_rate, clusters or {})
        gap, turns = _estimate(kept, cell, response_gap_s, clusters or {})
        if cut.value is not None:
            points.append(EndpointingPoint(cell, silence_s[cell], cut, gap, turns))
    return tuple(replace(point, on_front=_on_front(point, points)) for point in points)


def _estimate(
    rows: Iterable[Row], cell: str, metric: Metric, clusters: Mapping[str, str]
) -> tuple[Estimate, int]:
    observations = [
        Observation(clusters.get(row.conversation_id, row.conversation_id), row.measurement)
        for row in rows
        if row.cell == cell and row.metric == metric.spec.name
    ]
    made = summarise(metric.spec, observations, cell)
    return Estimate(made.value, made.low, made.high), made.n


def _on_front(point: EndpointingPoint, points: Sequence[EndpointingPoint]) -> bool:
    mine = _both(point)
    if mine is None:
        return False
    others = [other for other in map(_both, points) if other is not None]
    return not any(
        other[0] <= mine[0] and other[1] <= mine[1] and other != mine for other in others
    )


def _both(point: EndpointingPoint) -> tuple[float, float] | None:
    cut, gap = point.cutoff_rate.value, point.gap_s.value
    return None if cut is None or gap is None else (cut, gap)
