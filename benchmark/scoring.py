"""Measures a run that has been played: apart from playing, and as often as one likes.

Metrics see recordings, never systems. What was measured with the same metric version on the same
recording is kept; the tools' answers (transcripts, pitch tracks) are cached by the hash of what
they were asked about. What is measured is written down at once, beside ``measurements.jsonl``,
which holds a cell's new measurements when the cell is finished: a scoring that is stopped at any
moment loses the measurement in flight, and the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, overload

from cascadence.audio import Audio
from cascadence.corpus import Corpus
from cascadence.errors import CascadenceError
from cascadence.measurement import (
    Case,
    Measurement,
    Metric,
    Question,
    Tool,
    ToolUnavailable,
    failed,
    skipped,
)
from cascadence.registry import load, registered
from cascadence.require import MissingExtra
from cascadence.results import Row, row_from_json, row_to_json
from cascadence.run_directory import (
    Key,
    RunDirectory,
    drop_torn_line,
    key_of,
    read_lines,
    write_lines,
)


class ScoringProgress(Protocol):
    """Told what is being measured."""

    def scoring(self, done: int, total: int, what: str) -> None:
        """``done`` of ``total`` recordings are measured."""


class CachedTools:
    """`cascadence.measurement.Tools`: loads each tool when it is first asked, once a process."""

    def __init__(self, folder: Path, tools: Mapping[str, Tool] | None = None) -> None:
        """Keep answers in ``folder``; ``tools`` replaces registered ones, by name."""
        self._folder = folder
        self._tools: dict[str, Tool] = dict(tools or {})
        self._answers: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._unavailable: dict[str, str] = {}

    def use(self, name: str, about: Audio | Question) -> Mapping[str, Any]:
        """Return the tool's answer, from the cache where it is there.

        Raises:
            ToolUnavailable: it cannot be had; says what to install or to configure.
            ValueError: a question that is not JSON.
        """
        tool = self._tool(name)
        path = self._folder / f"{name}.jsonl"
        answers = self._answers.get(name)
        if answers is None:
            drop_torn_line(path)
            answers = {line["key"]: line["answer"] for line in read_lines(path)}
            self._answers[name] = answers
        key = f"{tool.version}:{_hash(about)}"
        if key not in answers:
            answers[key] = dict(tool(about))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                line = json.dumps({"key": key, "answer": answers[key]}, ensure_ascii=False)
                file.write(line.encode() + b"\n")
        return answers[key]

    def problem(self, names: Iterable[str]) -> str:
        """Say why one of these tools cannot be had; empty where all can."""
        for name in names:
            try:
                self._tool(name)
            except ToolUnavailable as error:
                return str(error)
        return ""

    def version(self, name: str) -> str:
        """Version of a tool, as it enters a metric's signature."""
        return self._tool(name).version

    def _tool(self, name: str) -> Tool:
        if name in self._unavailable:
            raise ToolUnavailable(self._unavailable[name])
        if name not in self._tools:
            try:
                self._tools[name] = load("tools", name)()
            except (MissingExtra, ToolUnavailable) as error:
                self._unavailable[name] = str(error)
                raise ToolUnavailable(str(error)) from error
        return self._tools[name]


def _hash(about: Audio | Question) -> str:
    """Hash a sound, or a question whatever the order of its keys."""
    if isinstance(about, Audio):
        return about.sha256()
    written = json.dumps(about, sort_keys=True, allow_nan=False)
    return hashlib.sha256(written.encode()).hexdigest()


def load_metrics(names: Sequence[str]) -> list[Metric]:
    """Import metrics by name; none means all that are registered.

    Raises:
        CascadenceError: an unknown name, or something that is no metric.
    """
    metrics = []
    for name in names or sorted(registered("metrics")):
        found = load("metrics", name)
        if not isinstance(found, Metric):
            raise CascadenceError("is not a metric", where=name, mend="decorate it with @metric")
        metrics.append(found)
    return metrics


def score(
    directory: RunDirectory,
    corpora: Mapping[str, Corpus],
    metrics: Sequence[Metric],
    tools: CachedTools,
    progress: ScoringProgress,
) -> list[Row]:
    """Measure every recording of a run, and write ``measurements.jsonl``.

    Args:
        directory: entered.
        corpora: by cell name; results of other cells are left alone.
        metrics: what to measure.
        tools: what they use.
        progress: told how far it is.

    Returns:
        All measurements, those kept included.
    """
    results = [row for key, row in directory.results().items() if key[0] in corpora]
    scorer = _Scorer(directory, corpora, metrics, tools)
    rows: list[Row] = []
    done = 0
    for cell in corpora:
        mine = [result for result in results if result["cell"] == cell]
        for result in mine:
            progress.scoring(done, len(results), f"{cell} {result['conversation_id']}")
            rows.extend(scorer.conversation(result))
            done += 1
        rows.extend(scorer.corpus(cell, mine))
        scorer.cell_is_done(cell, rows)
    progress.scoring(len(results), len(results), "")
    write_lines(directory.measurements_path, map(row_to_json, rows))
    return rows


class _Scorer:
    """Measures what was not measured before."""

    def __init__(
        self,
        directory: RunDirectory,
        corpora: Mapping[str, Corpus],
        metrics: Sequence[Metric],
        tools: CachedTools,
    ) -> None:
        self._directory = directory
        self._corpora = corpora
        self._metrics = metrics
        self._tools = tools
        self._missing = {m.spec.name: tools.problem(m.spec.needs) for m in metrics}
        self._signatures = {m.spec.name: self._signature(m) for m in metrics}
        self._unfinished = directory.measurements_path.with_name("measurements.unfinished.jsonl")
        drop_torn_line(self._unfinished)
        self._on_disk = _on_disk(directory.measurements_path, self._unfinished)
        self._not_reached = list(corpora)

    def conversation(self, result: Mapping[str, Any]) -> Iterator[Row]:
        """Yield what each turn- and conversation-level metric says of a recording."""
        key = key_of(result)
        case: Case | None = None
        for metric in self._metrics:
            if metric.spec.level == "corpus":
                continue
            known = self._known(key, metric, _mark(result))
            if known is not None:
                yield from known
                continue
            if result["status"] != "ok":
                yield self._row(key, metric, _mark(result), failed(str(result["reason"])))
                continue
            if self._missing[metric.spec.name]:
                reason = self._missing[metric.spec.name]
                yield self._row(key, metric, _mark(result), skipped(reason))
                continue
            if case is None:
                case = _case(self._directory, self._corpora[key[0]], result)
            made = metric.measure(case, self._tools)
            yield from self._written([self._row(key, metric, _mark(result), m) for m in made])

    def corpus(self, cell: str, results: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
        """Yield what each corpus-level metric says of a cell."""
        played = [result for result in results if result["status"] == "ok"]
        if not played:
            return
        mark = hashlib.sha256("".join(sorted(map(_mark, played))).encode()).hexdigest()[:20]
        key = (cell, "", 0)
        cases = _Cases(self._directory, self._corpora[cell], played)
        for metric in self._metrics:
            if metric.spec.level != "corpus":
                continue
            known = self._known(key, metric, mark)
            if known is not None:
                yield from known
                continue
            reason = self._missing[metric.spec.name]
            if reason:
                yield self._row(key, metric, mark, skipped(reason))
                continue
            made = metric.measure_corpus(cases, self._tools)
            yield from self._written([self._row(key, metric, mark, made)])

    def cell_is_done(self, cell: str, rows: Sequence[Row]) -> None:
        """Show a cell's new measurements to whoever reads the run, with those of the cells before.

        Cells that are still to come keep what they had, as far as the same metrics made it.
        """
        self._not_reached.remove(cell)
        if not self._unfinished.is_file():
            return
        signatures = set(self._signatures.values())
        kept = [
            row
            for known in self._on_disk.values()
            for row in known
            if row.cell in self._not_reached and row.signature in signatures
        ]
        write_lines(self._directory.measurements_path, map(row_to_json, [*rows, *kept]))
        self._unfinished.unlink()

    def _known(self, key: Key, metric: Metric, mark: str) -> Sequence[Row] | None:
        """What the metric said of this before; ``None`` where it must be asked."""
        known = self._on_disk.get((key, self._signatures[metric.spec.name], mark))
        if known is None or any(_to_be_made_again(row.measurement) for row in known):
            return None
        return known

    def _written(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Write down what a metric says of one recording: all in one line, so whole or not."""
        line = json.dumps({"rows": [row_to_json(row) for row in rows]}, ensure_ascii=False)
        with self._unfinished.open("ab") as file:
            file.write(line.encode() + b"\n")
        return rows

    def _signature(self, metric: Metric) -> str:
        versions = (
            ""
            if self._missing[metric.spec.name]
            else "".join(f"+{name}:{self._tools.version(name)}" for name in metric.spec.needs)
        )
        return metric.spec.signature + versions

    def _row(self, key: Key, metric: Metric, mark: str, measurement: Measurement) -> Row:
        cell, conversation_id, repeat = key
        name = metric.spec.name
        return Row(cell, conversation_id, repeat, name, self._signatures[name], mark, measurement)


class _Cases(Sequence[Case]):
    """The recordings of a cell, each loaded when looked at: a cell may not fit into memory."""

    def __init__(
        self, directory: RunDirectory, corpus: Corpus, results: Sequence[Mapping[str, Any]]
    ) -> None:
        self._directory = directory
        self._corpus = corpus
        self._results = results

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Case]: ...
    def __getitem__(self, index: int | slice) -> Case | Sequence[Case]:
        if isinstance(index, slice):
            return _Cases(self._directory, self._corpus, self._results[index])
        return _case(self._directory, self._corpus, self._results[index])


def _case(directory: RunDirectory, corpus: Corpus, result: Mapping[str, Any]) -> Case:
    conversation = corpus.conversation(result["conversation_id"])
    return Case(directory.recording(result), conversation, corpus.clips(conversation))


def _mark(result: Mapping[str, Any]) -> str:
    """What a measurement is tied to: this very recording, or the failed attempt at one."""
    return str(result.get("recording_id", result["fingerprint"]))


def _on_disk(measurements: Path, unfinished: Path) -> dict[tuple[Key, str, str], list[Row]]:
    """Measurements by what they are of; those of a stopped scoring are the newer ones."""
    found: dict[tuple[Key, str, str], list[Row]] = {}
    for line in read_lines(measurements):
        row = row_from_json(line)
        found.setdefault(_place(row), []).append(row)
    for line in read_lines(unfinished):
        rows = [row_from_json(each) for each in line["rows"]]
        found.update({_place(row): rows for row in rows[:1]})
    return found


def _place(row: Row) -> tuple[Key, str, str]:
    return (row.cell, row.conversation_id, row.repeat), row.signature, row.fingerprint


def _to_be_made_again(measurement: Measurement) -> bool:
    """Whether it broke, or waits for a package: that may be here now, or mended.

    A metric's tools are looked after by its signature; a metric that imports a package itself
    leaves nothing but what `MissingExtra` says, in the reason.
    """
    waits = measurement.status == "skipped" and "\n  where: extra '" in measurement.reason
    return waits or measurement.status == "failed"
