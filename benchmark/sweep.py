"""What a user asks for: a YAML file, read safely into models that refuse what they do not know.

A sweep is a list of systems times a list of corpora times a list of acoustic conditions. A list
under ``grid`` multiplies one system into several. One `Cell` is one system on one corpus under one
condition. ``attribution: true``, on a system or on the whole sweep, also plays a cascade with its
stages replaced by their oracles, in all combinations (see `cascadence.attribution_cells`)::

    systems:
      - name: cascade_policy
        system: cascade
        parameters: {asr: faster_whisper, llm: policy, tts: piper}
        attribution: true   # plays it 2 to the power of 3 times: ask for it where it is wanted
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cascadence.conditions import CLEAN, Condition
from cascadence.conversation import Identifier
from cascadence.errors import CascadenceError


class BadSweep(CascadenceError):
    """A sweep file that cannot be read; names file and field."""


class Entry(BaseModel):
    """Base of the sweep's models: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusEntry(Entry):
    """Which conversations are played."""

    corpus: str
    """A bundled corpus's name, or a folder (relative to the sweep file)."""
    split: Literal["train", "dev", "test"] | None = None
    tags: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    limit: Annotated[int, Field(ge=1)] | None = None
    seed: int = 0
    """Another one makes `limit` choose others."""


class SystemEntry(Entry):
    """Which system is played to."""

    name: Identifier | None = None
    """Its name in tables; by default the registered one."""
    system: str
    """A registered name, ``module:Object`` or ``file.py:Object``."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, list[Any]] = Field(default_factory=dict)
    """Parameter (dots reach inside, as in ``turn_taking.silence_s``) to the values it takes."""
    clock: Literal["virtual", "real_time"] | None = None
    """Overrides the sweep's; a system that needs real time always gets it."""
    python: str | None = None
    """Interpreter of another environment, for systems whose dependencies conflict."""
    attribution: bool | None = None
    """Whether it is also played with each stage replaced by its oracle; overrides the sweep's.

    An error for a system without such stages.
    """

    @field_validator("grid")
    @classmethod
    def _not_empty(cls, grid: dict[str, list[Any]]) -> dict[str, list[Any]]:
        empty = [name for name, values in grid.items() if not values]
        if empty:
            raise ValueError(f"no values for {', '.join(empty)}")
        return grid


class UserEntry(Entry):
    """How patient the simulated user is, see `cascadence.simulator.UserBehaviour`."""

    patience_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    silence_patience_s: Annotated[float, Field(gt=0, le=600)] = 3.0
    longest_reply_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    tail_s: Annotated[float, Field(gt=0, le=60)] = 2.0


class Sweep(Entry):
    """A whole experiment."""

    name: Identifier
    description: str = ""
    corpora: Annotated[tuple[CorpusEntry, ...], Field(min_length=1)]
    systems: Annotated[tuple[SystemEntry, ...], Field(min_length=1)]
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)] = (CLEAN,)
    """What the user is heard through, see `cascadence.conditions`."""
    metrics: tuple[str, ...] = ()
    """Names; none means all that are registered."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    seed: int = 0
    clock: Literal["virtual", "real_time"] = "virtual"
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    time_limit_s: Annotated[float, Field(gt=0)] = 300.0
    """Wall time after which one conversation is given up."""
    user: UserEntry = UserEntry()
    attribution: bool = False
    """Whether every system with stages that have oracles is also played with those."""

    @field_validator("corpora", mode="before")
    @classmethod
    def _corpus_shorthand(cls, entries: object) -> object:
        return _spell_out(entries, "corpus")

    @field_validator("systems", mode="before")
    @classmethod
    def _system_shorthand(cls, entries: object) -> object:
        return _spell_out(entries, "system")

    @field_validator("conditions")
    @classmethod
    def _conditions_differ(cls, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        names = [condition.name for condition in conditions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two conditions are called {twice[0]!r}")
        return conditions

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [cell.name for cell in expand(self)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two cells are called {twice[0]!r}: give the systems a `name`")
        return self


@dataclass(frozen=True, slots=True)
class Coalition:
    """What makes a cell another one, with some of its stages replaced by their oracles.

    Attributes:
        of: name of the cell that runs free.
        oracles: the stages that are replaced, in the order in which the system declares them.
    """

    of: str
    oracles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One system on one corpus under one condition.

    Attributes:
        name: of the cell, safe as a file name.
        system_name: as tables show it.
        system: what the registry is asked for.
        parameters: of the system, grid values filled in.
        corpus: what is played.
        clock: as asked for.
        python: interpreter of the worker; ``None`` is this one.
        condition: what the user is heard through.
        attribution: whether it is to be played with oracles too: yes; no; ``None``: if it can be.
        coalition: whose stages it replaces, where it is such a replay.
    """

    name: str
    system_name: str
    system: str
    corpus: CorpusEntry
    clock: Literal["virtual", "real_time"]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    python: str | None = None
    condition: Condition = CLEAN
    attribution: bool | None = False
    coalition: Coalition | None = None


def expand(sweep: Sweep) -> tuple[Cell, ...]:
    """Return every cell of a sweep, in order; replays with oracles come with its plan."""
    cells = []
    by_default = None if sweep.attribution else False
    for entry, corpus, condition in itertools.product(
        sweep.systems, sweep.corpora, sweep.conditions
    ):
        # A clean cell is called as it was before there were conditions, so that a sweep to which
        # some are added keeps what has been played.
        heard = "" if condition.is_clean else f"--{condition.name}"
        for suffix, parameters in _grid_points(entry):
            system_name = (entry.name or _short(entry.system)) + suffix
            cells.append(
                Cell(
                    name=f"{system_name}--{_short(corpus.corpus)}{heard}",
                    system_name=system_name,
                    system=entry.system,
                    corpus=corpus,
                    clock=entry.clock or sweep.clock,
                    parameters=parameters,
                    python=entry.python,
                    condition=condition,
                    attribution=by_default if entry.attribution is None else entry.attribution,
                )
            )
    return tuple(cells)


def read_sweep(name_or_path: str) -> tuple[Sweep, Path]:
    """Read a sweep file, or a bundled sweep by name.

    Returns:
        The sweep, and the folder that its relative paths start from.

    Raises:
        BadSweep: not there, not YAML, or not a sweep; names file and field.
    """
    path = Path(name_or_path)
    bundled = files("cascadence") / "sweeps" / f"{name_or_path}.yaml"
    if not path.is_file() and bundled.is_file():
        path = Path(str(bundled))
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        names = ", ".join(bundled_sweeps())
        raise BadSweep("no such sweep", where=name_or_path, mend=f"bundled: {names}") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise BadSweep(f"not readable as YAML: {error}", where=str(path)) from error
    if not isinstance(content, dict):
        raise BadSweep("a sweep is a mapping with `name`, `corpora`, `systems`", where=str(path))
    try:
        return Sweep.model_validate(content), path.resolve().parent
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadSweep(first["msg"], where=f"{path}: {place or 'sweep'}") from error


def resolve_files(value: Any, folder: Path) -> Any:
    """Make every ``file.py:Object`` inside a value absolute, if the file is in ``folder``."""
    if isinstance(value, str):
        file, _, name = value.rpartition(":")
        beside = folder / file
        return f"{beside}:{name}" if file.endswith(".py") and beside.is_file() else value
    if isinstance(value, Mapping):
        return {key: resolve_files(inner, folder) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolve_files(inner, folder) for inner in value]
    return value


def bundled_sweeps() -> list[str]:
    """Names of the sweeps that come with the package."""
    folder = files("cascadence") / "sweeps"
    names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _spell_out(entries: object, key: str) -> object:
    if isinstance(entries, list | tuple):
        return [{key: item} if isinstance(item, str) else item for item in entries]
    return entries


def _short(reference: str) -> str:
    """``pkg.module:Object`` and ``dir/file.py:Object`` become ``Object``; a path its last part."""
    tail = reference.rpartition(":")[2] if ":" in reference else reference
    return Path(tail).name or tail


def _grid_points(entry: SystemEntry) -> Iterator[tuple[str, dict[str, Any]]]:
    if not entry.grid:
        yield "", dict(entry.parameters)
        return
    names = list(entry.grid)
    for values in itertools.product(*entry.grid.values()):
        parameters: dict[str, Any] = _copy(entry.parameters)
        for name, value in zip(names, values, strict=True):
            _set(parameters, name.split("."), value)
        labels = (f"{n.rpartition('.')[2]}-{_label(v)}" for n, v in zip(names, values, strict=True))
        yield "." + ".".join(labels), parameters


def _copy(tree: Any) -> Any:
    return {key: _copy(value) for key, value in tree.items()} if isinstance(tree, dict) else tree


def _set(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        inner = tree.setdefault(key, {})
        if isinstance(inner, str):
            inner = tree[key] = {"part": inner}
        tree = inner
    tree[path[-1]] = value


def _label(value: Any) -> str:
    if isinstance(value, Mapping):
        value = "_".join(str(item) for item in value.values())
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in str(value))
