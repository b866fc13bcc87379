"""A run on disk: what was asked, what was heard, what was measured.

Finished conversations are appended and flushed, one line each, after their audio is in place; a
process that is killed at any moment loses at most the conversation in flight and the one that was
being written. One process at a time may write.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Self

from cascadence.audio import Audio, read_audio, write_audio
from cascadence.errors import CascadenceError
from cascadence.recording import Recording, from_json

Key = tuple[str, str, int]
"""Cell, conversation, repeat."""
HERE: Final = "./"
"""What the path of a corpus begins with in ``run.json`` that lies in the run directory."""


class RunBusy(CascadenceError):
    """Another process is writing this run."""


class RunDirectory:
    """One folder ``runs/<name>``; as a context manager it holds the writer's lock."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is made yet."""
        self.path = path
        self.notes: list[str] = []
        self._lock: IO[str] | None = None
        self._lines: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Take the lock and mend a torn last line.

        Raises:
            RunBusy: somebody else holds the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise RunBusy(
                "another process is writing this run", where=str(self.path), mend="wait, or stop it"
            ) from error
        for path in (self.results_path, self.measurements_path):
            if drop_torn_line(path):
                self.notes.append(f"{path.name}: dropped a torn last line")
        return self

    def __exit__(self, *exit_information: object) -> None:
        """Release the lock."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def results_path(self) -> Path:
        """Where finished conversations are."""
        return self.path / "conversations.jsonl"

    @property
    def measurements_path(self) -> Path:
        """Where measurements are."""
        return self.path / "measurements.jsonl"

    def results(self) -> dict[Key, dict[str, Any]]:
        """Return the finished conversations, the last line for each key."""
        found = {}
        for row in read_lines(self.results_path):
            found[key_of(row)] = row
        return found

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one finished conversation so that it survives a kill."""
        if self._lines is None:
            self._lines = self.results_path.open("ab")
        self._lines.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._lines.flush()
        os.fsync(self._lines.fileno())

    def keep_only(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rewrite the finished conversations, atomically."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        write_lines(self.results_path, rows)

    def audio_path(self, key: Key, channel: str) -> Path:
        """Where a channel, ``user`` or ``system``, of a conversation is."""
        cell, conversation_id, repeat = key
        return self.path / "audio" / cell / f"{conversation_id}.{repeat}.{channel}.flac"

    def write_audio(self, key: Key, channel: str, audio: Audio) -> None:
        """Put a channel into place, atomically."""
        write_audio(self.audio_path(key, channel), audio)

    def recording(self, row: Mapping[str, Any]) -> Recording:
        """Load a finished conversation with its sound.

        Raises:
            BadAudio: a channel is missing or broken.
        """
        key = key_of(row)
        channels: dict[str, Audio] = {
            channel: read_audio(self.audio_path(key, channel)) for channel in ("user", "system")
        }
        return from_json(row, channels["user"], channels["system"])

    def _from_here(self, place: str) -> str:
        return str((self.path / place).resolve()) if place.startswith(HERE) else place

    def _to_here(self, place: str) -> str:
        here = self.path.resolve()
        inside = Path(place).is_absolute() and Path(place).is_relative_to(here)
        return HERE + Path(place).relative_to(here).as_posix() if inside else place

    def read_run(self) -> dict[str, Any]:
        """Return ``run.json``, or nothing where there is none yet.

        A corpus that lies in the run directory is found there, wherever that has been moved to.
        """
        path = self.path / "run.json"
        if not path.is_file():
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
        told: dict[str, Any] = _with_corpora(content, self._from_here)
        return told

    def write_run(self, content: Mapping[str, Any]) -> None:
        """Write ``run.json``, atomically."""
        told = _with_corpora(content, self._to_here)
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        write_bytes(self.path / "run.json", text.encode())


def _with_corpora(content: Any, place: Callable[[str], str]) -> Any:
    """Return ``run.json`` with other paths of corpora; what is no run's stays as it is."""
    cells = content.get("cells") if isinstance(content, Mapping) else None
    if not isinstance(cells, list):
        return content
    changed = [
        {**cell, "corpus_path": place(cell["corpus_path"])}
        if isinstance(cell, Mapping) and isinstance(cell.get("corpus_path"), str)
        else cell
        for cell in cells
    ]
    return {**content, "cells": changed}


def drop_torn_line(path: Path) -> bool:
    """Cut off a last line that its writer did not finish; say whether there was one."""
    if not path.is_file():
        return False
    content = path.read_bytes()
    if not content or content.endswith(b"\n"):
        return False
    write_bytes(path, content[: content.rfind(b"\n") + 1])
    return True


def key_of(row: Mapping[str, Any]) -> Key:
    """Cell, conversation and repeat of a line."""
    return str(row["cell"]), str(row["conversation_id"]), int(row["repeat"])


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines that this module wrote; a torn last line is left out.

    Raises:
        CascadenceError: a line in the middle is broken: somebody else wrote here.
    """
    if not path.is_file():
        return []
    rows = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            if number == len(lines):
                break
            raise CascadenceError(f"not JSON: {error}", where=f"{path}:{number}") from error
    return rows


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines, atomically."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or as it was."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
    partial.replace(path)
