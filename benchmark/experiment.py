"""A sweep from its file to its report: plan, fetch, play, score, show."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from cascadence.catalogue import Artefact
from cascadence.corpus import Corpus, corpus_place
from cascadence.machine import calibrate, describe_machine, source_revision
from cascadence.manifest import MANIFEST
from cascadence.measurement import Metric
from cascadence.planning import Plan, plan
from cascadence.registry import load
from cascadence.results import load_run
from cascadence.run_directory import RunDirectory
from cascadence.runner import Outcome, Progress, cell_record, run_sweep
from cascadence.scoring import CachedTools, ScoringProgress, load_metrics, score
from cascadence.sweep import Sweep, resolve_files


class ExperimentProgress(Progress, ScoringProgress, Protocol):
    """Told everything that a person at a terminal wants to see."""

    def fetching(self, artefact: Artefact, done: int, total: int | None) -> None:
        """``done`` of ``total`` bytes of a weight artefact are here."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended.

    Attributes:
        directory: where it lies.
        failed: conversations without a result.
        problems: what was wrong with the corpora, a line each.
        report: the page, if one was asked for.
    """

    directory: Path
    failed: int
    problems: tuple[str, ...]
    report: Path | None


def run_experiment(
    sweep: Sweep,
    folder: Path,
    runs: Path,
    progress: ExperimentProgress,
    *,
    replace: bool = False,
    measure: bool = True,
) -> Finished:
    """Do everything that a sweep asks for and that is not done yet.

    Args:
        sweep: what is asked for.
        folder: where its relative paths start.
        runs: where run directories are made.
        progress: told what happens.
        replace: throw away results of another configuration, rather than refuse.
        measure: also score and report.

    Raises:
        CascadenceError: a usage error; nothing was lost.
        KeyboardInterrupt: stopped; what was finished is on disk.
    """
    metrics = load_metrics(resolve_files(sweep.metrics, folder))
    plans = plan(sweep, folder)
    problems = _corpus_problems(plans, progress)
    with RunDirectory(runs / sweep.name) as directory:
        for note in directory.notes:
            progress.note(note)
        fetch_weights(plans, progress)
        record = _begin(sweep, plans, directory)
        try:
            outcome = run_sweep(sweep, plans, directory, progress, replace=replace)
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            record["status"] = "interrupted" if interrupted else "failed"
            directory.write_run(record)
            raise
        _finish(record, plans, outcome, directory, problems)
        if measure:
            corpora = {cell_plan.cell.name: cell_plan.corpus for cell_plan in plans}
            _measure(directory, record, corpora, metrics, progress)
        # Inside the lock: two processes must not write one report.
        report = write_report(directory.path) if measure else None
    return Finished(directory.path, outcome.failed, problems, report)


def score_run(path: Path, metric_names: Sequence[str], progress: ExperimentProgress) -> None:
    """Measure a run again; systems are not needed.

    Raises:
        CascadenceError: no run, or its corpus is not where it was.
    """
    from cascadence.corpus import open_corpus

    record = dict(load_run(path).about)
    opened: dict[str, Corpus] = {}
    corpora = {}
    for cell in record["cells"]:
        where = cell["corpus_path"]
        opened.setdefault(where, open_corpus(where))
        corpora[cell["name"]] = opened[where]
    names = metric_names or record["sweep"]["metrics"]
    with RunDirectory(path) as directory:
        _measure(directory, record, corpora, load_metrics(names), progress)


def write_report(path: Path, kind: str = "html") -> Path:
    """Write the report of a run; return its first page."""
    writer: Callable[[Any], Path] = load("reports", kind)
    return writer(load_run(path))


def fetch_weights(plans: Sequence[Plan], progress: ExperimentProgress) -> None:
    """Fetch every artefact that the systems name, before anything is on a clock."""
    from cascadence.weights import fetch

    names: list[str] = []
    for cell_plan in plans:
        info = cell_plan.info
        for owner in (info, *info.get("parts", ())):
            names.extend(name for name in owner.get("weights", ()) if name not in names)
    for name in names:
        fetch(name, progress=progress.fetching)


def _begin(sweep: Sweep, plans: Sequence[Plan], directory: RunDirectory) -> dict[str, Any]:
    """Write down what is asked and with what, before the first conversation."""
    before = directory.read_run()
    costs = {cell["name"]: cell.get("cost") for cell in before.get("cells", ())}
    cells = []
    for cell_plan in plans:
        record = cell_record(cell_plan, None)
        record["corpus_path"] = corpus_place(cell_plan.corpus)
        record["corpus_sha256"] = _sha256(cell_plan.corpus.path / MANIFEST)
        coalition = cell_plan.cell.coalition
        if coalition is not None:
            record["attribution"] = {"of": coalition.of, "oracles": list(coalition.oracles)}
        if costs.get(cell_plan.cell.name):
            record["cost"] = costs[cell_plan.cell.name]
        cells.append(record)
    content: dict[str, Any] = {
        "name": sweep.name,
        "status": "running",
        "started_at": before.get("started_at", _now()),
        "sweep": sweep.model_dump(mode="json"),
        "machine": describe_machine(),
        "calibration": calibrate(),
        "source": source_revision(),
        "cells": cells,
        "metrics": before.get("metrics", []),
    }
    directory.write_run(content)
    return content


def _finish(
    record: dict[str, Any],
    plans: Sequence[Plan],
    outcome: Outcome,
    directory: RunDirectory,
    problems: Sequence[str],
) -> None:
    """Write down how it ended, and what it cost."""
    for cell, cell_plan in zip(record["cells"], plans, strict=True):
        cost = cell_record(cell_plan, outcome.costs.get(cell_plan.cell.name)).get("cost")
        if cost is not None:
            cell["cost"] = cost
    record["status"] = "finished"
    record["finished_at"] = _now()
    record["failed"] = outcome.failed
    record["problems"] = list(problems)
    directory.write_run(record)


def _measure(
    directory: RunDirectory,
    record: dict[str, Any],
    corpora: Mapping[str, Corpus],
    metrics: Sequence[Metric],
    progress: ExperimentProgress,
) -> None:
    tools = CachedTools(directory.path / "cache")
    score(directory, corpora, metrics, tools, progress)
    record["metrics"] = [
        {**dataclasses.asdict(metric.spec), "doc": metric.doc} for metric in metrics
    ]
    directory.write_run(record)


def _corpus_problems(plans: Sequence[Plan], progress: Progress) -> tuple[str, ...]:
    """Tell everything that is wrong with the manifests; return the errors."""
    problems = {problem: None for cell_plan in plans for problem in cell_plan.corpus.problems}
    for problem in problems:
        progress.note(str(problem))
    return tuple(str(problem) for problem in problems if problem.severity == "error")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
