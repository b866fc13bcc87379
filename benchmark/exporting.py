"""Writes corpora and recordings in the formats of other tools.

What is exported comes as a stream of `Item`s: a turn's clip, or both channels of a recording, each
with what is said in it. An exporter writes them into a `Box`, a new folder that nothing leaves: the
sound is linked or copied there, and only where a format cannot name one channel or a part of a file
it is cut out, into 16-bit FLAC. An export is whole or not there at all: the first line or clip that
is wrong ends it.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

from cascadence.audio import Audio, read_audio, write_audio
from cascadence.corpus import bundled_corpora, open_corpus
from cascadence.errors import CascadenceError
from cascadence.registry import load

SOURCE: Final = "source.json"
"""Where an export tells what it was made of, and under which licence."""
_SUFFIXES: Final[Mapping[str, str]] = {
    "WAV": ".wav",
    "FLAC": ".flac",
    "OGG": ".ogg",
    "MPEG": ".mp3",
}
"""By libsndfile's name of the container; Ogg Opus too is ``.ogg``: Lhotse hands ``.opus`` to
ffmpeg, which decodes at another rate. Other containers are cut out."""

_ESCAPED: Final = "backslashreplace"
"""What UTF-8 cannot hold, halves of surrogate pairs in a system's text, is escaped as in JSON."""

WriteLine = Callable[[Mapping[str, Any]], object]


class BadExport(CascadenceError):
    """The folder cannot be written, or there is nothing to write."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel of a sound file, or a part of it.

    Attributes:
        path: of the file, absolute.
        stem: what it is called in an export, without a suffix; unique in it.
        container: libsndfile's name of the file's format.
        sample_rate: in Hz.
        frames: of the whole file.
        channels: of the file.
        channel: which of them, from 0.
        start_s: of the part, in the file.
        end_s: of the part, in the file.
    """

    path: Path
    stem: str
    container: str
    sample_rate: int
    frames: int
    channels: int
    channel: int
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length of the part."""
        return self.end_s - self.start_s

    @property
    def whole(self) -> bool:
        """Whether it is all that the file holds."""
        last = round(self.end_s * self.sample_rate)
        return (
            self.channels == 1
            and round(self.start_s * self.sample_rate) == 0
            and (last >= self.frames)
        )

    def read(self) -> Audio:
        """Read the part, mono.

        Raises:
            BadAudio: it cannot be read.
        """
        return read_audio(self.path, self.start_s, self.end_s, self.channel)


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one speaker says in a stretch of an item.

    Attributes:
        id: unique in the export.
        channel: which of the item's sounds it is in.
        start_s: of the speech, from the start of that sound.
        end_s: of the speech, from the start of that sound.
        text: in words; ``None`` where nobody knows.
        speaker: if known.
        language: BCP 47.
        custom: everything else that is known about it, as JSON values.
    """

    id: str
    channel: int
    start_s: float
    end_s: float
    text: str | None
    speaker: str | None
    language: str
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """The clip of a turn (one sound, one utterance), or a recording (``user`` and ``system``).

    Attributes:
        id: unique in the export.
        split: ``train``, ``dev`` or ``test``.
        sounds: by channel.
        utterances: in the order in which they start.
        custom: what is known about a recording as a whole; empty for a clip.
    """

    id: str
    split: str
    sounds: Mapping[str, Sound]
    utterances: tuple[Utterance, ...]
    custom: Mapping[str, Any] = field(default_factory=dict)


class Box:
    """The folder of an export: whatever is written into it stays inside.

    Attributes:
        folder: absolute.
    """

    def __init__(self, folder: Path) -> None:
        """Take a folder that is empty."""
        self.folder = folder.resolve()
        self._written: dict[str, None] = {}
        self._links: dict[tuple[str, Path], str] = {}

    def link(self, sound: Sound, place: str = "audio") -> str:
        """Put the whole file of a sound into the folder, once; return its path from there.

        Args:
            sound: of it; a container that few tools read is cut out, if the sound is all of it.
            place: the folder inside the folder.
        """
        key = (place, sound.path)
        if key not in self._links:
            suffix = _SUFFIXES.get(sound.container)
            if suffix is None and sound.whole:
                return self.store(sound.read(), sound.stem, place)
            suffix = suffix or _plain(sound.path.suffix)[-8:]
            name = self._new_name(f"{place}/{_plain(sound.stem)}{suffix}")
            _link_or_copy(sound.path, self.folder / name)
            self._links[key] = name
        return self._links[key]

    def cut(self, sound: Sound, place: str = "audio") -> str:
        """Put a sound into the folder as a file of its own; return its path from there."""
        if sound.whole:
            return self.link(sound, place)
        return self.store(sound.read(), sound.stem, place)

    def store(self, audio: Audio, stem: str, place: str = "audio") -> str:
        """Write a sound as 16-bit FLAC; return its path from the folder.

        Raises:
            BadExport: FLAC does not hold it: its rate is too high.
        """
        name = self._new_name(f"{place}/{_plain(stem)}.flac")
        try:
            write_audio(self.folder / name, audio)
        except RuntimeError as error:
            raise BadExport(f"cannot be written as FLAC: {error}", where=stem) from error
        return name

    def write(self, name: str, text: str) -> None:
        """Write a file of text."""
        path = self.folder / self._new_name(name)
        path.write_text(text, encoding="utf-8", errors=_ESCAPED)

    @contextlib.contextmanager
    def lines(self, name: str) -> Iterator[WriteLine]:
        """Open a file of JSON lines, compressed where its name ends in ``.gz``."""
        path = self.folder / self._new_name(name)
        with contextlib.ExitStack() as stack:
            raw = stack.enter_context(path.open("wb"))
            if name.endswith(".gz"):
                # No name and no time inside: the same export is the same bytes.
                packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
                stack.callback(packed.close)
                binary: IO[bytes] = cast("IO[bytes]", packed)
            else:
                binary = raw
            text = stack.enter_context(io.TextIOWrapper(binary, "utf-8", _ESCAPED, "\n"))
            yield lambda row: text.write(json.dumps(row, ensure_ascii=False) + "\n")

    def empty(self) -> None:
        """Take away everything that was written."""
        for name in self._written:
            path = self.folder / name
            path.unlink(missing_ok=True)
            path.with_name(f".{path.name}.partial").unlink(missing_ok=True)
        for place in sorted({Path(name).parent for name in self._written}, reverse=True):
            while place != Path():
                with contextlib.suppress(OSError):
                    (self.folder / place).rmdir()
                place = place.parent

    def _new_name(self, name: str) -> str:
        path = Path(name)
        count = 1
        while name in self._written:
            count += 1
            name = str(path.with_name(f"{path.stem}-{count}{path.suffix}"))
        self._written[name] = None
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        return name


class Exporter(Protocol):
    """Writes one format; registered in the group ``cascadence.exporters``."""

    def write(self, items: Iterator[Item], box: Box) -> None:
        """Write everything into the box, as it comes; nothing is to be held."""
        ...


def export_named(kind: str, source: str, out: Path) -> Path:
    """Write a corpus, or the recordings of a run, in another tool's format.

    Args:
        kind: an exporter: registered, ``module:Object`` or ``file.py:Object``.
        source: a bundled corpus's name, a corpus's folder, or a run directory.
        out: the folder to write; new, or empty.

    Returns:
        The folder.

    Raises:
        UnknownName: there is no such exporter.
        BadExport: the folder holds something or cannot be written, or there is nothing to export.
        CascadenceError: the source is neither, or something in it is wrong; nothing is left.
    """
    exporter: Exporter = load("exporters", kind)()
    items, about = _open(source)
    existed = _claim(out)
    box = Box(out)
    try:
        exporter.write(_some(items, source), box)
        told = {"exporter": kind, **about}
        box.write(SOURCE, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    except BaseException as error:
        box.empty()
        if not existed:
            with contextlib.suppress(OSError):
                out.rmdir()
        if isinstance(error, OSError):
            raise BadExport(f"cannot be written: {error}", where=str(out)) from error
        raise
    return out


def _open(source: str) -> tuple[Iterator[Item], Mapping[str, Any]]:
    from cascadence.exporting_items import about_corpus, about_run, corpus_items, run_items

    if source not in bundled_corpora():
        try:
            folder = Path(source).expanduser()
            is_run = (folder / "run.json").is_file()
        except (OSError, RuntimeError):
            is_run = False  # `open_corpus` says what is wrong with the path
        if is_run:
            return run_items(folder), about_run(folder)
    corpus = open_corpus(source)
    return corpus_items(corpus), about_corpus(corpus)


def _claim(out: Path) -> bool:
    """Make the folder; return whether it was there, empty."""
    mend = "give a folder that does not exist yet"
    try:
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise BadExport("there is something already", where=str(out), mend=mend)
        existed = out.exists()
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise BadExport(f"cannot be made: {error}", where=repr(str(out)), mend=mend) from error
    return existed


def _some(items: Iterator[Item], source: str) -> Iterator[Item]:
    count = 0
    for item in items:
        count += 1
        yield item
    if not count:
        raise BadExport("there is nothing to export", where=source)


def _plain(stem: str) -> str:
    # Names of cells may hold anything.
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:200].replace("..", "-") or "sound"


def _link_or_copy(origin: Path, target: Path) -> None:
    try:
        target.hardlink_to(origin)
    except OSError:
        shutil.copyfile(origin, target)
