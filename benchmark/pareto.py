"""Trade-offs: which cells nothing beats in two measures at once, and which are one system.

How long a system waits in silence before it answers is one knob, and it can decide a comparison:
less waiting is quicker and cuts more users off. So the same system is played with several settings
of its turn-taking, one cell each, and what is compared is the Pareto front: the points that no
other point beats in both measures. Pure functions; the report draws what they return.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KNOB = "turn_taking"
"""The parameter of a system that holds the rules of the floor; the rest is what the system is."""
_FIRST = "silence_s"
# What a setting brings with it, and so no setting of its own: of `vad_revision`, `vad` is the knob.
_NO_KNOB = "_revision"

Point = tuple[float, float]
"""Two measures of one cell, of both of which less is better."""


@dataclass(frozen=True, slots=True)
class Series:
    """Cells that differ in nothing but how they take turns: one system, with other settings.

    Attributes:
        cells: their names, in order of their settings.
        settings: of each, by the cell's name: the rules in which the cells differ; nothing where
            there is only one cell. A rule that a cell does not have is left out.
    """

    cells: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]


def pareto_front(points: Sequence[Point | None]) -> tuple[bool, ...]:
    """Say of each point whether it is on the front: none is as good in both and better in one.

    Args:
        points: two measures each, less is better; ``None`` for one that is not known in both, which
            is on no front and beats nothing. Of several points in one place all are on it, or none.

    Returns:
        As many answers, in the same order.

    Raises:
        ValueError: a measure that is no number; whether it is better, nobody can tell.
    """
    known = {point for point in points if point is not None}
    if any(math.isnan(measure) for point in known for measure in point):
        raise ValueError("a measure is not a number: leave the point out instead")
    return tuple(
        point is not None
        and not any(
            other != point and other[0] <= point[0] and other[1] <= point[1] for other in known
        )
        for point in points
    )


def turn_taking_series(cells: Iterable[Mapping[str, Any]]) -> tuple[Series, ...]:
    """Find the cells that are one system with different settings of its turn-taking.

    Args:
        cells: from ``run.json``: with ``name``, ``system``, ``corpus``, ``condition`` (unless
            clean), ``clock``, and ``info``, the system's `cascadence.protocols.SystemInfo`, whose
            ``parameters`` hold the rules of the floor as ``turn_taking``.

    Returns:
        Every cell in one series, in the order of the first cell of each. What a system does not
        tell is not compared: a cell without such rules is a series of its own.
    """
    groups: dict[Hashable, list[Mapping[str, Any]]] = {}
    for cell in cells:
        groups.setdefault(_identity(cell), []).append(cell)
    return tuple(_series(group) for group in groups.values())


def _identity(cell: Mapping[str, Any]) -> Hashable:
    """All that a cell is, but for its name and the rules of its turn-taking, and what they need."""
    if not _rules(cell):
        return str(cell["name"])
    told = ("name", "kind", "duplex", "revision", "parts")
    info = {key: cell["info"].get(key) for key in told}
    inner = {key: value for key, value in cell["info"]["parameters"].items() if key != KNOB}
    rest = {key: cell.get(key) for key in ("system", "corpus", "condition", "clock")}
    return json.dumps([rest, info, inner], sort_keys=True, default=str)


def _rules(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    rules = ((cell.get("info") or {}).get("parameters") or {}).get(KNOB)
    return rules if isinstance(rules, Mapping) else {}


def _series(cells: Sequence[Mapping[str, Any]]) -> Series:
    rules = {str(cell["name"]): _rules(cell) for cell in cells}
    names = {name for each in rules.values() for name in each if not name.endswith(_NO_KNOB)}
    differing = sorted(
        (name for name in names if len({_written(each.get(name)) for each in rules.values()}) > 1),
        # The silence first: it is the knob that everybody has.
        key=lambda name: (name != _FIRST, name),
    )
    settings = {
        cell: {name: each[name] for name in differing if name in each}
        for cell, each in rules.items()
    }
    order = sorted(settings, key=lambda cell: [_place(rules[cell].get(name)) for name in differing])
    return Series(tuple(order), {cell: settings[cell] for cell in order})


def _place(setting: Any) -> tuple[bool, float, str]:
    """Numbers by size, and before everything else, which goes by how it is written."""
    if isinstance(setting, int | float):
        return False, float(setting), ""
    return True, 0.0, _written(setting)


def _written(setting: Any) -> str:
    return json.dumps(setting, sort_keys=True, default=str)
