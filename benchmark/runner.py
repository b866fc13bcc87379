"""Plays a sweep: every cell in a worker of its own, every finished conversation on disk at once.

What is there already (same fingerprint) is kept, what failed is tried again, nothing is done twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, Protocol

from cascadence.conditions import Condition
from cascadence.errors import CascadenceError
from cascadence.planning import Job, Plan
from cascadence.run_directory import Key, RunDirectory
from cascadence.sweep import Sweep
from cascadence.worker import audio_bytes, audio_from
from cascadence.worker_process import Worker, WorkerLost

LOAD_LIMIT_S = 1800.0


class ChangedConfiguration(CascadenceError):
    """The run holds results that were made with another configuration."""


class Progress(Protocol):
    """Told what happens, as it happens; see `cascadence.progress`."""

    def cell(self, name: str, total: int, done: int) -> None:
        """A cell is to be played; ``done`` of its ``total`` conversations are there already."""

    def loading(self, name: str) -> None:
        """Models of a cell are being loaded."""

    def conversation(self, cell: str, status: str, reason: str) -> None:
        """A conversation of a cell has ended."""

    def note(self, text: str) -> None:
        """Something that the user should know."""


@dataclass(slots=True)
class CellCost:
    """What playing a cell took in this process; zero where everything was there."""

    wall_s: float = 0.0
    load_s: float = 0.0
    compute_s: float = 0.0
    played: int = 0
    failed: int = 0
    restarts: int = 0

    @property
    def overhead_share(self) -> float | None:
        """Share of the wall time that was neither loading nor inside the system."""
        busy_s = self.wall_s - self.load_s
        return None if not self.played or busy_s <= 0 else (busy_s - self.compute_s) / busy_s


@dataclass(slots=True)
class Outcome:
    """What `run_sweep` did: costs by cell, and how many conversations have no result."""

    costs: dict[str, CellCost] = field(default_factory=dict)
    failed: int = 0
    kept: int = 0


def run_sweep(
    sweep: Sweep,
    plans: Sequence[Plan],
    directory: RunDirectory,
    progress: Progress,
    replace: bool = False,
) -> Outcome:
    """Play what is missing.

    Args:
        sweep: what was asked for.
        plans: from `plan`.
        directory: entered.
        progress: told what happens.
        replace: throw away results of another configuration, rather than refuse.

    Raises:
        ChangedConfiguration: there are results of another configuration.
        KeyboardInterrupt: stopped by the user; what was finished is on disk.
    """
    kept = _keep_matching(plans, directory, replace)
    outcome = Outcome(kept=len(kept))
    lock, stop = Lock(), Event()
    contended = sweep.workers > 1

    runners: list[_CellRunner] = []

    def work(cell_plan: Plan) -> None:
        todo = [job for job in cell_plan.jobs if job.key not in kept]
        cost = outcome.costs[cell_plan.cell.name] = CellCost()
        if todo:
            runner = _CellRunner(sweep, cell_plan, directory, progress, cost, lock, stop, contended)
            runners.append(runner)
            runner.run(todo)

    for cell_plan in plans:
        done = sum(job.key in kept for job in cell_plan.jobs)
        progress.cell(cell_plan.cell.name, len(cell_plan.jobs), done)
    with ThreadPoolExecutor(max_workers=sweep.workers) as pool:
        futures = [pool.submit(work, cell_plan) for cell_plan in plans]
        try:
            for future in futures:
                future.result()
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            for runner in runners:
                runner.abort()
            raise
    outcome.failed = sum(row["status"] == "failed" for row in directory.results().values())
    return outcome


@dataclass(frozen=True, slots=True)
class _Ready:
    """A conversation as the worker is sent it: the request, and the clips' samples."""

    request: Mapping[str, Any]
    clips: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class _Played:
    """A conversation as the worker sent it back, not yet on disk."""

    job: Job
    answer: Mapping[str, Any]
    parts: Sequence[bytes]


class _CellRunner:
    """Plays the conversations of one cell through one worker, restarted where it is lost."""

    def __init__(
        self,
        sweep: Sweep,
        cell_plan: Plan,
        directory: RunDirectory,
        progress: Progress,
        cost: CellCost,
        lock: Lock,
        stop: Event,
        contended: bool,
    ) -> None:
        self._sweep = sweep
        self._plan = cell_plan
        self._directory = directory
        self._progress = progress
        self._cost = cost
        self._lock = lock
        self._stop = stop
        self._contended = contended
        self._worker: Worker | None = None
        self._played: _Played | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        """Play these jobs, in order.

        While the worker plays one, the one before is written and the one after is read, so that
        files cost the worker no time.
        """
        started = time.perf_counter()
        try:
            self._play_all(jobs)
        finally:
            if self._worker is not None:
                self._worker.stop()
            self._write_played()
            self._cost.wall_s = time.perf_counter() - started

    def _play_all(self, jobs: Sequence[Job]) -> None:
        problem = self._plan.problem
        ready = None if problem else self._prepare(jobs[0])
        for job, following in itertools.zip_longest(jobs, jobs[1:]):
            if self._stop.is_set():
                return
            if self._worker is None and not problem:
                problem = self._start()
            if problem:
                self._record_failure(job, problem, "")
                continue
            if isinstance(ready, str):
                self._record_failure(job, ready, "")
                ready = self._prepare(following)
            elif ready is not None:
                ready = self._play(job, ready, following)

    def abort(self) -> None:
        """End the worker in the middle of what it does; called from another thread."""
        if self._worker is not None:
            self._worker.kill()

    def _start(self) -> str:
        """Start the worker and load the system; return why that failed, if it did."""
        cell = self._plan.cell
        self._progress.loading(cell.name)
        log = self._directory.path / "logs" / f"{cell.name}.log"
        started = time.perf_counter()
        self._worker = Worker(log, cell.python)
        try:
            answer = self._worker.ask({"kind": "load", **self._plan.request}, LOAD_LIMIT_S)
        except WorkerLost as error:
            self._worker = None
            return f"loading: {error.what}"
        self._cost.load_s += time.perf_counter() - started
        return f"loading: {answer['reason']}" if answer["kind"] == "failed" else ""

    def _prepare(self, job: Job | None) -> _Ready | str | None:
        """Read a conversation and its clips; return what is wrong with them, if anything is."""
        if job is None:
            return None
        cell_name, conversation_id, repeat = job.key
        corpus = self._plan.corpus
        try:
            conversation = corpus.conversation(conversation_id)
            clips = corpus.clips(conversation)
        except CascadenceError as error:
            return str(error)
        request = {
            "kind": "play",
            "conversation": conversation.model_dump(mode="json"),
            "clip_rates": [clip.sample_rate for clip in clips],
            "cell": cell_name,
            "repeat": repeat,
            "seed": job.seed,
            "clock": self._plan.clock,
            "user": self._sweep.user.model_dump(),
            "condition": self._plan.cell.condition.model_dump(mode="json"),
            "condition_seed": job.condition_seed,
        }
        return _Ready(request, [audio_bytes(clip) for clip in clips])

    def _play(self, job: Job, ready: _Ready, following: Job | None) -> _Ready | str | None:
        """Play one conversation; return the next one, made ready in the meantime."""
        assert self._worker is not None
        upcoming: _Ready | str | None = None
        try:
            self._worker.send(ready.request, ready.clips)
            self._write_played()
            upcoming = self._prepare(following)
            answer, parts = self._worker.receive(self._sweep.time_limit_s)
        except WorkerLost as error:
            self._worker = None
            if not self._stop.is_set():
                self._cost.restarts += 1
                self._record_failure(job, error.what, "")
            return upcoming or self._prepare(following)
        if answer["kind"] == "played":
            self._played = _Played(job, answer, parts)
        else:
            self._record_failure(job, answer["reason"], answer.get("trace", ""))
        return upcoming

    def _write_played(self) -> None:
        """Put the conversation that was played last on disk, if it is not there yet."""
        played, self._played = self._played, None
        if played is None:
            return
        job, recording = played.job, played.answer["recording"]
        digest = hashlib.sha256(json.dumps(recording, sort_keys=True).encode())
        for part in played.parts:
            digest.update(part)
        row = {
            "fingerprint": job.fingerprint,
            "recording_id": digest.hexdigest()[:20],
            "status": "ok",
            **recording,
            **_named(self._plan.cell.condition),
            "contended": self._contended,
        }
        channels = played.answer["channels"].items()
        for (channel, sample_rate), part in zip(channels, played.parts, strict=True):
            self._directory.write_audio(job.key, channel, audio_from(part, sample_rate))
        with self._lock:
            self._directory.append(row)
            self._cost.compute_s += recording["compute_s"]
            self._cost.played += 1
            self._progress.conversation(job.key[0], "ok", "")

    def _record_failure(self, job: Job, reason: str, trace: str) -> None:
        cell_name, conversation_id, repeat = job.key
        row = {
            "fingerprint": job.fingerprint,
            "status": "failed",
            "conversation_id": conversation_id,
            "cell": cell_name,
            "repeat": repeat,
            **_named(self._plan.cell.condition),
            "reason": reason,
            "trace": trace,
        }
        with self._lock:
            self._directory.append(row)
            self._cost.failed += 1
            self._progress.conversation(cell_name, "failed", reason)


def _keep_matching(
    plans: Sequence[Plan], directory: RunDirectory, replace: bool
) -> dict[Key, dict[str, Any]]:
    """Drop what failed; refuse what was made otherwise; leave alone what is not asked for."""
    wanted = {job.key: job.fingerprint for cell_plan in plans for job in cell_plan.jobs}
    found = directory.results()
    changed = [
        key for key, row in found.items() if key in wanted and row["fingerprint"] != wanted[key]
    ]
    if changed and not replace:
        cell, conversation_id, _ = changed[0]
        raise ChangedConfiguration(
            f"{len(changed)} results were made with another configuration, "
            f"first {conversation_id} of {cell}",
            where=str(directory.path),
            mend="run under another name (--name), or throw them away with --replace",
        )
    kept = {
        key: row
        for key, row in found.items()
        if row["status"] == "ok" and wanted.get(key) == row["fingerprint"]
    }
    to_redo = [key for key in found if key in wanted and key not in kept]
    if to_redo:
        directory.keep_only(row for key, row in found.items() if key not in to_redo)
    return kept


def _named(condition: Condition) -> dict[str, str]:
    """What a result says of its condition: nothing where it is clean, as before there were any."""
    return {} if condition.is_clean else {"condition": condition.name}


def cell_record(cell_plan: Plan, cost: CellCost | None) -> dict[str, Any]:
    """What ``run.json`` says about a cell."""
    cell = cell_plan.cell
    record: dict[str, Any] = {
        "name": cell.name,
        "system_name": cell.system_name,
        "system": cell.system,
        "parameters": dict(cell.parameters),
        "corpus": cell.corpus.model_dump(mode="json"),
        "clock": cell_plan.clock,
        "info": dict(cell_plan.info),
        "conversations": len(cell_plan.jobs),
    }
    if not cell.condition.is_clean:
        record["condition"] = {"name": cell.condition.name, **cell.condition.effects}
    if cell_plan.problem:
        record["problem"] = cell_plan.problem
    if cost is not None and cost.played + cost.failed:
        record["cost"] = {**dataclasses.asdict(cost), "overhead_share": cost.overhead_share}
    return record
