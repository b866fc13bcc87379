"""Makes a run directory out of conversations that somebody else has recorded.

An importer yields what was heard on both channels; this module writes what `cascadence.runner`
would have written, and the corpus that scoring needs into the run directory itself. What nobody
logged is absent: without events the metrics that need them say ``skipped``, and never 0.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from cascadence.audio import Audio, concatenate, silence
from cascadence.conversation import Conversation
from cascadence.events import Stamped
from cascadence.importing import BadDataset, Dataset, Imported, Shelf, import_corpus, to_line
from cascadence.machine import source_revision
from cascadence.manifest import MANIFEST, Problem
from cascadence.protocols import INPUT_RATE
from cascadence.recording import Recording, to_json
from cascadence.run_directory import HERE, RunDirectory
from cascadence.simulator import PlayedTurn
from cascadence.sweep import CorpusEntry, Sweep, SystemEntry

CORPUS: Final = "corpus"
"""The corpus's folder inside the run directory."""
REMARK: Final = (
    "Recorded elsewhere: what the waveforms and the dataset's annotations do not tell is unknown. "
    "A reply that ended by itself while the user interrupted counts as a yield."
)
_NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, eq=False)
class ImportedRecording:
    """A conversation that was recorded elsewhere.

    Attributes:
        conversation: what was said to the system, and what a good answer is; its clips lie in the
            shelf's folder.
        starts_s: when each turn's clip starts on the recording's clock, in the turns' order.
        system: name of what answered; one cell of the run each.
        user: the user's channel, at any rate.
        heard: the system's channel, on the same clock; the shorter of both is filled with silence.
        events: what is known to have happened, in order of time.
        info: what is known of the system, fields of `cascadence.protocols.SystemInfo`.
        failure: why the system has no recording of this conversation; it counts as failed then.
    """

    conversation: Conversation
    starts_s: tuple[float, ...]
    system: str
    user: Audio
    heard: Audio
    events: tuple[Stamped, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""


class RecordingImporter(Protocol):
    """Reads recordings of other systems; registered in the group ``cascadence.importers``.

    Attributes:
        dataset: what it reads.
    """

    dataset: Dataset

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        """Yield recordings in a stable order, and a problem for everything that is left out.

        Recordings of one conversation with several systems follow each other.

        Raises:
            BadDataset: the folder does not have the layout.
        """
        ...


def import_recordings(
    importer: RecordingImporter,
    source: Path,
    out: Path | None = None,
    *,
    replace: bool = False,
    limit: int | None = None,
    done: Callable[[int], None] | None = None,
) -> Imported:
    """Write a run directory that can be scored and shown without any system.

    Args:
        importer: reads the recordings.
        source: their folder.
        out: the new run directory; by default ``runs/<importer>``.
        replace: whether an earlier import may be overwritten.
        limit: only the first so many conversations.
        done: told how many conversations are written, after each.

    Raises:
        BadDataset: the folder is missing or does not have the layout, nothing was found in it, or
            ``out`` is there already.
    """
    target = out or Path("runs") / _name_of(importer)
    _check_free(target, replace)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with RunDirectory(partial) as directory:
            writer = _Writer(importer, directory)
            written = import_corpus(
                writer, source, partial / CORPUS, replace=True, limit=limit, done=done
            )
            record = _record(importer, source, target.name, writer, written.problems)
            directory.write_run(record)
        if target.exists():
            shutil.rmtree(target)
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Imported(target, "recordings", writer.count, written.problems)


class _Writer:
    """Hands the conversations to `import_corpus`, and writes their recordings on the way."""

    def __init__(self, importer: RecordingImporter, directory: RunDirectory) -> None:
        self.dataset = importer.dataset
        self.cells: dict[str, dict[str, Any]] = {}
        self.count = 0
        self.failed = 0
        self._importer = importer
        self._directory = directory
        self._systems: dict[str, set[str]] = {}

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield each conversation once, after all of its recordings are on disk."""
        current: Conversation | None = None
        for one in self._importer.recordings(shelf):
            if isinstance(one, Problem):
                yield one
                continue
            if current is not None and one.conversation.id != current.id:
                yield current
                current = None
            problem = self._problem(one, current)
            if problem:
                yield Problem("error", MANIFEST, 0, one.conversation.id, problem)
                continue
            current = one.conversation
            self._write(one)
        if current is not None:
            yield current

    def _problem(self, one: ImportedRecording, current: Conversation | None) -> str:
        """Say why a recording cannot be written; empty where it can."""
        name = one.conversation.id
        if current is None and name in self._systems:
            return "recordings of one conversation do not follow each other"
        if current is not None and one.conversation != current:
            return f"{one.system} was told something else than the systems before"
        if one.system in self._systems.get(name, ()):
            return f"a second recording of {one.system}"
        if len(one.starts_s) != len(one.conversation.turns):
            return f"{len(one.starts_s)} starts for {len(one.conversation.turns)} turns"
        self._systems.setdefault(name, set()).add(one.system)
        return ""

    def _write(self, one: ImportedRecording) -> None:
        cell = self._cell(one)
        cell["conversations"] += 1
        key = (str(cell["name"]), one.conversation.id, 0)
        if one.failure:
            self.failed += 1
            self._directory.append(_failed_row(key, one.failure))
            return
        recording = _recording(one, key[0])
        self._directory.write_audio(key, "user", recording.user)
        self._directory.write_audio(key, "system", recording.system)
        self._directory.append(_row(one, recording))
        self.count += 1

    def _cell(self, one: ImportedRecording) -> dict[str, Any]:
        system = _plain(one.system)
        if system not in self.cells:
            info = {"name": one.system, "output_rate": one.heard.sample_rate, "remark": REMARK}
            self.cells[system] = {
                "name": f"{system}--{CORPUS}",
                "system_name": one.system,
                "system": "recorded",
                "parameters": {},
                "corpus": CorpusEntry(corpus=CORPUS).model_dump(mode="json"),
                "clock": "real_time",
                "info": {**info, **one.info},
                "conversations": 0,
            }
        return self.cells[system]


def _recording(one: ImportedRecording, cell: str) -> Recording:
    duration_s = max(one.user.duration_s, one.heard.duration_s)
    turns = []
    pairs = zip(one.conversation.turns, one.starts_s, strict=True)
    for index, (turn, start_s) in enumerate(pairs):
        speech_start_s, speech_end_s = (start_s + t_s for t_s in turn.speech_s)
        turns.append(
            PlayedTurn(
                index,
                start_s,
                speech_start_s,
                speech_end_s,
                "time" if index else "start",
                not turn.is_under_reply,
            )
        )
    return Recording(
        conversation_id=one.conversation.id,
        cell=cell,
        repeat=0,
        user=_filled(one.user.at_rate(INPUT_RATE), duration_s),
        system=_filled(one.heard, duration_s),
        events=one.events,
        turns=tuple(turns),
        stalls=(),
        clock="real_time",
        compute_s=0.0,
    )


def _filled(audio: Audio, duration_s: float) -> Audio:
    missing_s = duration_s - audio.duration_s
    if missing_s * audio.sample_rate < 1.0:
        return audio
    return concatenate([audio, silence(missing_s, audio.sample_rate)], audio.sample_rate)


def _row(one: ImportedRecording, recording: Recording) -> dict[str, Any]:
    told = to_json(recording)
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for channel in (recording.user, recording.system):
        digest.update(np.ascontiguousarray(channel.samples, dtype="<f4").tobytes())
    recording_id = digest.hexdigest()[:20]
    digest.update(to_line(one.conversation).encode())
    fingerprint = digest.hexdigest()[:20]
    return {"fingerprint": fingerprint, "recording_id": recording_id, "status": "ok", **told}


def _failed_row(key: tuple[str, str, int], reason: str) -> dict[str, Any]:
    cell, conversation_id, repeat = key
    fingerprint = hashlib.sha256(f"{cell}/{conversation_id}/{reason}".encode()).hexdigest()[:20]
    return {
        "fingerprint": fingerprint,
        "status": "failed",
        "conversation_id": conversation_id,
        "cell": cell,
        "repeat": repeat,
        "reason": reason,
        "trace": "",
    }


def _record(
    importer: RecordingImporter,
    source: Path,
    name: str,
    writer: _Writer,
    problems: Iterable[Problem],
) -> dict[str, Any]:
    """What ``run.json`` says: no machine and no dates, for nobody knows where it was recorded."""
    manifest = writer._directory.path / CORPUS / MANIFEST
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    dataset = importer.dataset
    sweep = Sweep(
        name=_plain(name),
        description=f"Imported recordings: {dataset.title}",
        corpora=(CorpusEntry(corpus=CORPUS),),
        systems=tuple(SystemEntry(name=name, system="recorded") for name in writer.cells),
        clock="real_time",
    )
    return {
        "name": name,
        "status": "finished",
        "sweep": sweep.model_dump(mode="json"),
        "imported": {
            "by": _name_of(importer),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "from": str(source.resolve()),
            "title": dataset.title,
            "licence": dataset.licence,
            "citation": dataset.citation,
            "url": dataset.url,
        },
        "source": source_revision(),
        "cells": [
            {**cell, "corpus_path": f"{HERE}{CORPUS}", "corpus_sha256": sha256}
            for cell in writer.cells.values()
        ],
        "metrics": [],
        "failed": writer.failed,
        "problems": [str(problem) for problem in problems if problem.severity == "error"],
    }


def _check_free(target: Path, replace: bool) -> None:
    """Refuse to touch anything that an import did not write.

    Raises:
        BadDataset: the folder is there, and is no earlier import or must not be overwritten.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    imported = target.is_dir() and "imported" in RunDirectory(target).read_run()
    if imported and replace:
        return
    mend = "import into another folder with --out"
    mend += ", or overwrite with --replace" if imported else ""
    raise BadDataset("the run directory is there already", where=str(target), mend=mend)


def _name_of(importer: object) -> str:
    return type(importer).__module__.rpartition(".")[2]


def _plain(name: str) -> str:
    """Make a name that a sweep and a file system take."""
    return _NOT_A_NAME.sub("_", name).strip("._-")[:100] or "recorded"
