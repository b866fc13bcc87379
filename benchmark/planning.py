"""What there is to play: each cell's system without its models, and every conversation."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascadence.attribution_cells import coalition_cells
from cascadence.conditions import DEGRADATION
from cascadence.corpus import Corpus, manifest_line_hash, open_corpus
from cascadence.resampling import stable_seed
from cascadence.run_directory import Key
from cascadence.sweep import BadSweep, Cell, Sweep, expand, resolve_files
from cascadence.worker import describe
from cascadence.worker_process import Worker, WorkerLost

FORMAT = 1
"""Raised when a recording of the same configuration would come out otherwise."""
DESCRIBE_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Job:
    """One conversation to be played.

    Attributes:
        key: cell, conversation, repeat.
        fingerprint: of everything that could change its outcome.
        seed: for the system.
        condition_seed: for the acoustic condition; the same for every system and repeat.
    """

    key: Key
    fingerprint: str
    seed: int
    condition_seed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A cell made ready: what it is, and what there is to do.

    Attributes:
        cell: from the sweep.
        corpus: opened.
        request: system and parameters, as the worker is asked for them.
        info: the system's `SystemInfo`, as a mapping; empty where it cannot be built.
        jobs: all conversations and repeats.
        problem: why the system cannot be built; then every job fails for this reason.
    """

    cell: Cell
    corpus: Corpus
    request: Mapping[str, Any]
    info: Mapping[str, Any]
    jobs: tuple[Job, ...]
    problem: str = ""

    @property
    def clock(self) -> str:
        """The clock that the system gets."""
        return "real_time" if self.info.get("needs_real_time") else self.cell.clock


def plan(sweep: Sweep, folder: Path) -> list[Plan]:
    """Build every cell's system without its models, and list what is to be played.

    Replays with oracles follow the cell that they belong to, unless that cannot be built: there
    would be nothing to compare them with.

    Raises:
        CascadenceError: an unknown system or corpus, an interpreter that is not there, or no stages
            to attribute to.
    """
    plans = []
    for cell in expand(sweep):
        _check_python(cell)
        corpus = _open(cell.corpus.corpus, folder)
        free = _plan_cell(cell, corpus, sweep, folder)
        replays = coalition_cells(cell, folder)
        plans.append(free)
        plans += [_plan_cell(each, corpus, sweep, folder) for each in replays if not free.problem]
    if sweep.attribution and not any(each.cell.coalition or each.problem for each in plans):
        raise BadSweep(
            "`attribution` is asked for, and no system has stages that have oracles",
            where=f"sweep {sweep.name}",
            mend="add a cascade, or leave `attribution` out",
        )
    return plans


def plan_table(plans: Sequence[Plan]) -> list[str]:
    """Lay out what is to be played: aligned lines, a head and one for each cell.

    Args:
        plans: from `plan`.

    Returns:
        Columns that at least two spaces part; the last says what will become of the cell.
    """
    head = ("system", "corpus", "condition", "conversations", "repeats", "clock", "state")
    rows = [head, *map(_plan_row, plans)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numbers = ("conversations", "repeats")
    lines = []
    for row in rows:
        texts = (
            text.rjust(width) if name in numbers else text.ljust(width)
            for name, text, width in zip(head, row, widths, strict=True)
        )
        lines.append("  ".join(texts).rstrip())
    return lines


def _plan_row(made: Plan) -> tuple[str, ...]:
    cell = made.cell
    conversations, repeats = (len({job.key[part] for job in made.jobs}) for part in (1, 2))
    # A problem may come with its remedy, in lines of its own.
    state = f"skipped: {' '.join(made.problem.split())}" if made.problem else "to play"
    corpus = Path(cell.corpus.corpus).name or cell.corpus.corpus
    counts = (str(conversations), str(repeats))
    return (cell.system_name, corpus, cell.condition.name, *counts, made.clock, state)


def _check_python(cell: Cell) -> None:
    """Refuse an interpreter that nobody can start, before anything is played.

    Raises:
        BadSweep: names it.
    """
    if cell.python is None or shutil.which(cell.python) is not None:
        return
    there = Path(cell.python).exists()
    raise BadSweep(
        "`python` is there, but is no program to run" if there else "`python` names no file",
        where=f"system {cell.system_name}: {cell.python}",
        mend="name the interpreter of the other environment in full, as in /path/to/env/bin/python",
    )


def _plan_cell(cell: Cell, corpus: Corpus, sweep: Sweep, folder: Path) -> Plan:
    entry = cell.corpus
    chosen = corpus.select(
        split=entry.split, tags=entry.tags, ids=entry.ids, limit=entry.limit, seed=entry.seed
    )
    request = {
        "system": resolve_files(cell.system, folder),
        "parameters": resolve_files(cell.parameters, folder),
    }
    info, problem = _describe(request, cell.python)
    base: dict[str, Any] = {
        "format": FORMAT,
        "system": cell.system,
        "parameters": cell.parameters,
        "info": info,
        "clock": cell.clock,
        "user": sweep.user.model_dump(),
        "seed": sweep.seed,
    }
    if not cell.condition.is_clean:
        # Only then: what was played before there were conditions keeps its fingerprint.
        effects = cell.condition.effects
        base["condition"] = {"format": DEGRADATION, "name": cell.condition.name, **effects}
    jobs = [
        _job(cell, base, conversation_id, repeat, corpus)
        for conversation_id in chosen
        for repeat in range(sweep.repeats)
    ]
    return Plan(cell, corpus, request, info, tuple(jobs), problem)


def _describe(request: Mapping[str, Any], python: str | None) -> tuple[Mapping[str, Any], str]:
    """Return what a system is, or why it cannot be built here."""
    if python is None:
        from cascadence.require import MissingExtra

        try:
            return describe(request), ""
        except MissingExtra as error:
            return {}, str(error)
    worker = Worker(Path(os.devnull), python)
    try:
        answer = worker.ask({"kind": "describe", **request}, DESCRIBE_LIMIT_S)
    except WorkerLost as error:
        return {}, str(error)
    finally:
        worker.stop()
    return answer.get("info", {}), str(answer.get("reason", ""))


def _open(name: str, folder: Path) -> Corpus:
    beside = folder / name
    return open_corpus(str(beside) if beside.is_dir() else name)


def _job(
    cell: Cell, base: Mapping[str, Any], conversation_id: str, repeat: int, corpus: Corpus
) -> Job:
    line = manifest_line_hash(corpus, conversation_id)
    seed_text = f"{base['seed']}/{conversation_id}/{repeat}"
    seed = int.from_bytes(hashlib.sha256(seed_text.encode()).digest()[:4], "little")
    content = json.dumps({**base, "line": line, "repeat": repeat}, sort_keys=True, default=str)
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:20]
    condition_seed = stable_seed(str(base["seed"]), conversation_id, cell.condition.name)
    return Job((cell.name, conversation_id, repeat), fingerprint, seed, condition_seed)
