"""Cells of runs that are to be compared: what they heard, and what was measured of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from cascadence.conversation import Conversation
from cascadence.corpus import Corpus, manifest_line_hash, open_corpus
from cascadence.errors import CascadenceError
from cascadence.estimators import Observation
from cascadence.manifest import MANIFEST
from cascadence.measurement import MetricSpec
from cascadence.results import Row, Run, load_run

MOST_NAMED = 5
"""Of things that an error lists."""


class NotComparable(CascadenceError):
    """Runs that did not hear, or did not measure, the same."""


class PlayedCorpora:
    """The corpora that a run was played from, as far as they are at hand."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._corpora: dict[str, Corpus | None] = {}
        self._conversations: dict[tuple[str, str], Conversation | None] = {}

    def corpus(self, cell: Mapping[str, Any]) -> Corpus | None:
        """Open the folder that was played; a bundled corpus may have moved with the package.

        Args:
            cell: what ``run.json`` says about it.
        """
        path = str(cell.get("corpus_path", ""))
        if path not in self._corpora:
            self._corpora[path] = None
            for place in filter(None, (path, corpus_name(cell))):
                try:
                    corpus = open_corpus(place)
                    corpus.index()
                except (CascadenceError, OSError):
                    continue
                self._corpora[path] = corpus
                break
        return self._corpora[path]

    def conversation(self, cell: Mapping[str, Any], conversation_id: str) -> Conversation | None:
        """Return the manifest's conversation, or ``None`` where the corpus is not at hand."""
        place = (str(cell.get("corpus_path", "")), conversation_id)
        if place not in self._conversations:
            corpus = self.corpus(cell)
            try:
                told = None if corpus is None else corpus.conversation(conversation_id)
            except (CascadenceError, OSError):
                told = None
            self._conversations[place] = told
        return self._conversations[place]


def corpus_name(cell: Mapping[str, Any]) -> str:
    """Name a cell's corpus: bundled as it is, a folder by its last part."""
    corpus = cell.get("corpus", "")
    name = corpus.get("corpus", "") if isinstance(corpus, Mapping) else corpus
    return str(name).rstrip("/").rpartition("/")[2] or str(name)


def specs_of(run: Run) -> dict[str, MetricSpec]:
    """Every metric of a run by name; one that only has rows gets a bare specification."""
    known = {str(entry["name"]): _spec(entry) for entry in run.about.get("metrics", ())}
    for row in run.rows:
        if row.metric not in known:
            anything = (float("-inf"), float("inf"))
            known[row.metric] = MetricSpec(row.metric, "other", "", "neither", anything, "turn")
    return known


def _spec(entry: Mapping[str, Any]) -> MetricSpec:
    known = {field.name for field in fields(MetricSpec)}
    values = {key: value for key, value in entry.items() if key in known}
    low, high = values.get("range") or (float("-inf"), float("inf"))
    values["range"] = (low, high)
    values["needs"] = tuple(values.get("needs", ()))
    return MetricSpec(**values)


class OpenedRun:
    """A run with its measurements by cell and metric."""

    def __init__(self, place: int, path: Path) -> None:
        """Read it.

        Args:
            place: of the run in the order given, from 0.
            path: of its directory.

        Raises:
            CascadenceError: it is no run.
        """
        self.place = place
        self.path = path
        self.run = run = load_run(path)
        self.specs = specs_of(run)
        self.corpora = PlayedCorpora()
        # Replays with oracles only serve attribution.
        records = [record for record in run.cells if not record.get("attribution")]
        self.cells = [PlayedCell(self, record) for record in records]
        self.rows: dict[tuple[str, str], list[Row]] = {}
        for row in run.rows:
            self.rows.setdefault((row.cell, row.metric), []).append(row)

    @property
    def measured(self) -> set[str]:
        """Metrics with at least one value."""
        return {row.metric for row in self.run.rows if row.measurement.quantity is not None}


class PlayedCell:
    """A cell of a run."""

    def __init__(self, opened: OpenedRun, record: Mapping[str, Any]) -> None:
        """Take what ``run.json`` says of a cell."""
        self.opened = opened
        self.record = record
        self.name = str(record["name"])
        self.system = str(record.get("system_name", record["name"]))
        self.corpus = corpus_name(record)
        self.condition: Mapping[str, Any] = record.get("condition") or {"name": "clean"}
        self.results = {k[1:]: r for k, r in opened.run.results.items() if k[0] == self.name}

    @property
    def place(self) -> tuple[str, str]:
        """What is compared within."""
        return self.corpus, str(self.condition["name"])

    @property
    def setting(self) -> str:
        """The same for readers."""
        corpus, condition = self.place
        return corpus if condition == "clean" else f"{corpus}, {condition}"

    @property
    def where(self) -> str:
        """For errors."""
        return f"{self.opened.path}, cell {self.name}"

    @property
    def contended(self) -> bool:
        """Whether another cell ran beside it."""
        return any(result.get("contended") for result in self.results.values())

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the manifest's conversation, or ``None`` where the corpus is not at hand."""
        return self.opened.corpora.conversation(self.record, conversation_id)

    def observations(
        self, metric: str, cluster: Callable[[str], str], played: Collection[tuple[str, int]]
    ) -> list[Observation]:
        """One metric's measurements.

        Args:
            metric: its name.
            cluster: names what a conversation is drawn together with, by its id.
            played: conversations and repeats that count; what is said of the corpus always does.
        """
        return [
            Observation(
                cluster(row.conversation_id),
                row.measurement,
                f"{row.conversation_id}/{row.repeat}",
            )
            for row in self.opened.rows.get((self.name, metric), ())
            if not row.conversation_id or (row.conversation_id, row.repeat) in played
        ]

    def signatures(self, metric: str) -> tuple[str, ...]:
        """Versions that a metric's values were measured with."""
        rows = self.opened.rows.get((self.name, metric), ())
        return tuple(sorted({r.signature for r in rows if r.measurement.quantity is not None}))


def cluster_in(first: PlayedCell, second: PlayedCell, conversation_id: str) -> str:
    """Name what is resampled together: the contrast set, as either corpus tells, or conversation.

    It must be the same in both cells, though the corpus of one may not be at hand.
    """
    told = first.conversation(conversation_id) or second.conversation(conversation_id)
    return (told.group if told is not None else None) or conversation_id


def demand_same_conversations(first: PlayedCell, second: PlayedCell) -> None:
    """Refuse cells that did not hear the same conversations.

    Equal manifests are enough; else the conversations that are paired are compared one by one,
    which needs both corpora as they were played.

    Raises:
        NotComparable: conversations or conditions differ, or nobody can tell.
    """
    where = f"{first.where}; {second.where}"
    if first.condition != second.condition:
        raise NotComparable(
            f"the condition {first.place[1]!r} is not the same in both runs",
            where=where,
            mend="play one of them again under the other's sweep",
        )
    shared = sorted({key[0] for key in first.results.keys() & second.results.keys()})
    if not shared:
        raise NotComparable(
            "no conversation was played in both",
            where=where,
            mend="play the same part of the corpus (limit, tags, split, ids, repeats)",
        )
    hashes = {cell.record.get("corpus_sha256") for cell in (first, second)}
    if len(hashes) == 1 and None not in hashes:
        return
    corpora = [_as_played(cell) for cell in (first, second)]
    one, other = corpora
    if one is None or other is None:
        lost = first if one is None else second
        raise NotComparable(
            f"the manifests of {first.corpus!r} differ, and whether the same conversations were "
            f"heard cannot be told: the corpus of {lost.opened.path} is not as it was played",
            where=where,
            mend="play both on the same corpus",
        )
    differing = [i for i in shared if manifest_line_hash(one, i) != manifest_line_hash(other, i)]
    if differing:
        raise NotComparable(
            f"{len(differing)} of {len(shared)} conversations are not the same in both runs: "
            f"{listed(differing)}",
            where=where,
            mend="play both on the same corpus",
        )


def _as_played(cell: PlayedCell) -> Corpus | None:
    """A cell's corpus, if its manifest is still the one that was played."""
    corpus = cell.opened.corpora.corpus(cell.record)
    if corpus is None:
        return None
    with (corpus.path / MANIFEST).open("rb") as file:
        now = hashlib.file_digest(file, "sha256").hexdigest()
    return corpus if now == cell.record.get("corpus_sha256") else None


def listed(names: Iterable[str]) -> str:
    """Join the first few names, and count the others."""
    known = list(names)
    more = f" and {len(known) - MOST_NAMED} more" if len(known) > MOST_NAMED else ""
    return ", ".join(known[:MOST_NAMED]) + more
