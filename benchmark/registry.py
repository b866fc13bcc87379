"""Finds systems, parts, metrics, tools and reports by name, through entry points.

The built-ins use the same door as plugins. Besides a registered name, ``module:Object`` and
``file.py:Object`` are understood everywhere, with no registration at all.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from cascadence.errors import CascadenceError

Group = Literal[
    "systems",
    "asr",
    "llm",
    "tts",
    "metrics",
    "tools",
    "reports",
    "trainers",
    "importers",
    "exporters",
]


class UnknownName(CascadenceError):
    """Nothing is registered under a name."""


def registered(group: Group) -> dict[str, EntryPoint]:
    """Return everything registered in a group, by name; nothing is imported."""
    return {point.name: point for point in entry_points(group=f"cascadence.{group}")}


def load(group: Group, name: str) -> Any:
    """Import what a name stands for.

    Args:
        group: where to look.
        name: a registered name, ``module:Object`` or ``file.py:Object``.

    Raises:
        UnknownName: no such name, module, file or object; suggests the nearest.
    """
    if ":" in name:
        return _load_reference(group, name)
    points = registered(group)
    if name not in points:
        near = difflib.get_close_matches(name, points, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownName(
            f"no {group.removesuffix('s')} is called {name!r}",
            mend=f"{known}known: {', '.join(sorted(points)) or 'none'}",
        )
    return points[name].load()


def build(group: Group, spec: str | Mapping[str, Any] | object) -> Any:
    """Build a part or a system from what a sweep says.

    Args:
        group: where its name is looked up.
        spec: a name; or a mapping with ``part`` (the name) and the parameters; or the thing itself.

    Raises:
        UnknownName: see `load`.
        CascadenceError: the parameters do not fit.
    """
    if isinstance(spec, str):
        name, parameters = spec, {}
    elif isinstance(spec, Mapping):
        parameters = dict(spec)
        if "part" not in parameters:
            raise CascadenceError("a part given as a mapping needs the key 'part'", where=group)
        name = str(parameters.pop("part"))
    else:
        return spec
    target = load(group, name)
    where = f"{group.removesuffix('s')} {name!r}" if group == "systems" else f"{group} {name!r}"
    _refuse_unknown(target, parameters, where)
    try:
        return target(**parameters)
    except (TypeError, ValueError) as error:
        raise CascadenceError(f"cannot be built: {error}", where=where) from error


def _refuse_unknown(target: Any, parameters: Mapping[str, Any], where: str) -> None:
    known = inspect.signature(target).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"did you mean {near[0]!r}? " if near else ""
            mend = f"{guess}known: {', '.join(known) or 'none'}"
            raise CascadenceError(f"has no parameter {name!r}", where=where, mend=mend)


def _load_reference(group: Group, reference: str) -> Any:
    module_name, _, attribute = reference.rpartition(":")
    module = _module_of_file(module_name) if module_name.endswith(".py") else None
    if module is None:
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            raise UnknownName(f"cannot import {module_name!r}: {error}", where=group) from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        public = [name for name in dir(module) if not name.startswith("_")]
        near = difflib.get_close_matches(attribute, public, n=1)
        mend = f"did you mean {near[0]!r}?" if near else ""
        raise UnknownName(
            f"{module_name!r} has no {attribute!r}", where=group, mend=mend
        ) from error


def _module_of_file(path_text: str) -> Any:
    path = Path(path_text).resolve()
    if not path.is_file():
        raise UnknownName(f"no such file: {path_text}")
    name = f"cascadence_plugin_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnknownName(f"not a Python file: {path_text}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
