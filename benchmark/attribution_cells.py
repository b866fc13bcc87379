"""Which cells attribution plays: a cascade with its stages replaced by their oracles, in all ways.

A system *declares* what can be replaced: whatever the registry finds under its name (a class, a
function) has ``oracles``, see `Replaceable`. The engine knows no stage by name. A system with k
stages that are no oracles already is played 2 to the power of k times: once as it is, and once for
each coalition of oracles. The replays have the same conversations, sound, seeds, clock and user;
``cascade_policy~asr--assistant`` is ``cascade_policy--assistant`` with an oracle for its ASR.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from cascadence.errors import CascadenceError
from cascadence.registry import load
from cascadence.sweep import BadSweep, Cell, Coalition, resolve_files


class Replaceable(Protocol):
    """What a system declares whose stages can be replaced by oracles.

    Attributes:
        oracles: for each stage, in the order in which they act, the parameters of the system that
            put its oracle in its place.
    """

    oracles: Mapping[str, Mapping[str, Any]]


def coalition_cells(cell: Cell, folder: Path) -> list[Cell]:
    """Return the replays that a cell needs for its attribution; none where it asks for none.

    Args:
        cell: from `cascadence.sweep.expand`.
        folder: where relative paths of the sweep start.

    Returns:
        A cell for every coalition of at least one oracle, small coalitions first.

    Raises:
        BadSweep: it was asked for by name, and the system has no stage to replace.
        CascadenceError: the system is unknown.
    """
    if cell.attribution is False:
        return []
    oracles = _oracles(cell, folder)
    stages = [stage for stage in oracles if not _is_there(oracles[stage], cell.parameters)]
    if not stages and cell.attribution:
        lacks = "has none but oracles" if oracles else "declares none"
        raise BadSweep(
            f"`attribution` needs stages that can be replaced by oracles; this system {lacks}",
            where=f"system {cell.system_name}",
            mend="ask for it on a `cascade`, or declare `oracles` on the system, as "
            "cascadence.attribution_cells says",
        )
    return [
        _replay(cell, chosen, oracles)
        for size in range(1, len(stages) + 1)
        for chosen in itertools.combinations(stages, size)
    ]


def _oracles(cell: Cell, folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """What the system declares; nothing where it declares nothing."""
    try:
        system = load("systems", str(resolve_files(cell.system, folder)))
    except (CascadenceError, ImportError):
        if cell.python is None:
            raise
        return {}  # It lives in another environment, and cannot be asked here.
    declared = getattr(system, "oracles", None) or {}
    sound = isinstance(declared, Mapping) and all(
        isinstance(stage, str) and stage.isidentifier() and isinstance(parameters, Mapping)
        for stage, parameters in declared.items()
    )
    if not sound:
        raise CascadenceError(
            "`oracles` must map the names of stages to parameters",
            where=f"system {cell.system_name}",
            mend='as in oracles = {"asr": {"asr": "oracle"}}',
        )
    return declared


def _is_there(substitute: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Whether a system's parameters put the oracle in its place already."""
    return all(
        key in parameters and _spelt_out(parameters[key]) == _spelt_out(value)
        for key, value in substitute.items()
    )


def _spelt_out(part: object) -> object:
    return {"part": part} if isinstance(part, str) else part


def _replay(cell: Cell, chosen: Sequence[str], oracles: Mapping[str, Mapping[str, Any]]) -> Cell:
    # No name of a sweep may hold a `~`, so that no other cell can be called so.
    system_name = "~".join((cell.system_name, *chosen))
    parameters = dict(cell.parameters)
    for stage in chosen:
        parameters.update(oracles[stage])
    return replace(
        cell,
        name=system_name + cell.name.removeprefix(cell.system_name),
        system_name=system_name,
        parameters=parameters,
        attribution=False,
        coalition=Coalition(of=cell.name, oracles=tuple(chosen)),
    )
