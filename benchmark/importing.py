"""Makes a corpus out of a dataset that lies on disk in its public layout.

An importer reads a dataset and yields conversations; this module writes them into a manifest. By
default the two files go into the dataset's own folder and no sound is copied; with another folder
the clips that are named are linked or copied there, one by one. Nothing is held in memory but the
names that have been seen.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Protocol

from cascadence.clip import BadClip, file_inside
from cascadence.conversation import Conversation
from cascadence.corpus import INFO
from cascadence.errors import CascadenceError
from cascadence.manifest import MANIFEST, BadLine, Problem, bad_line
from cascadence.registry import load

_NOBODY: Final = "unknown"
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


class BadDataset(CascadenceError):
    """The folder does not have the layout that the importer reads."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is known about a dataset, wherever its files lie.

    Attributes:
        title: its name in full.
        licence: SPDX identifier or plain words; what its authors allow.
        citation: how it wants to be cited.
        url: where it comes from.
        layout: the files that the importer looks for, below the folder that it is given.
    """

    title: str
    licence: str
    citation: str
    url: str
    layout: str


class Shelf:
    """Where an importer's clips are and where its corpus finds them.

    Attributes:
        source: the dataset's folder, links resolved.
        folder: the corpus's folder; the same where the dataset is used in place.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        """Name the two folders."""
        self.source = source.resolve()
        self.folder = folder.resolve()

    def clip(self, path: Path | str) -> str:
        """Make a file of the dataset available to the corpus.

        Args:
            path: in the dataset; relative to its folder, or absolute and inside of it.

        Returns:
            The path that an `AudioRef` wants.

        Raises:
            BadClip: the file is missing, or lies outside of the dataset's folder.
        """
        given = Path(path)
        try:
            relative = given.relative_to(self.source) if given.is_absolute() else given
        except ValueError:
            raise BadClip("lies outside of the dataset's folder", where=str(path)) from None
        origin = file_inside(self.source, relative.as_posix())
        if self.folder != self.source:
            _link_or_copy(origin, self.folder / relative)
        return relative.as_posix()

    def store(self, relative: str, data: bytes) -> str:
        """Write a clip that lies inside another file, such as a table.

        Args:
            relative: where in the corpus's folder.
            data: the file's bytes.

        Returns:
            The path that an `AudioRef` wants.

        Raises:
            BadDataset: the path leads out of the folder, or the corpus would be made in place.
        """
        target = (self.folder / relative).resolve()
        if not target.is_relative_to(self.folder):
            raise BadDataset("leads out of the corpus folder", where=relative)
        if self.folder == self.source:
            mend = "give another folder with --out"
            raise BadDataset("clips have to be taken out of the dataset's files", mend=mend)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return relative


class Importer(Protocol):
    """Reads one dataset; registered in the group ``cascadence.importers``.

    Attributes:
        dataset: what it reads.
    """

    dataset: Dataset

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield conversations in a stable order, and a problem for everything that is left out.

        Raises:
            BadDataset: the folder does not have the layout.
        """
        ...


@dataclass(slots=True)
class Imported:
    """What came of an import.

    Attributes:
        folder: the corpus, or the run directory.
        kind: what was written.
        count: how many.
        problems: what was left out, and why.
    """

    folder: Path
    kind: Literal["conversations", "recordings"] = "conversations"
    count: int = 0
    problems: list[Problem] = field(default_factory=list)


def import_named(
    name: str,
    source: Path,
    out: Path | None = None,
    *,
    replace: bool = False,
    limit: int | None = None,
    done: Callable[[int], None] | None = None,
) -> Imported:
    """Import a dataset by its importer's name, as a corpus or as recordings to score.

    Args:
        name: registered, ``module:Object`` or ``file.py:Object``.
        source: see `import_corpus`.
        out: the corpus's folder, or the new run directory.
        replace: see `import_corpus`.
        limit: see `import_corpus`.
        done: see `import_corpus`.

    Raises:
        UnknownName: there is no such importer.
        BadDataset: see `import_corpus`.
    """
    from cascadence.importing_runs import import_recordings

    importer = load("importers", name)()
    write = import_recordings if hasattr(importer, "recordings") else import_corpus
    return write(importer, source, out, replace=replace, limit=limit, done=done)


def import_corpus(
    importer: Importer,
    source: Path,
    out: Path | None = None,
    *,
    replace: bool = False,
    limit: int | None = None,
    done: Callable[[int], None] | None = None,
) -> Imported:
    """Write ``corpus.toml`` and ``conversations.jsonl`` for a dataset.

    Args:
        importer: reads it.
        source: the dataset's folder.
        out: the corpus's folder; by default the dataset's own, and then nothing is copied.
        replace: whether files of an earlier import may be overwritten.
        limit: only the first so many conversations.
        done: told how many conversations are written, after each.

    Raises:
        BadDataset: the folder is missing or does not have the layout, nothing was found in it, or
            it already holds a corpus.
    """
    if not source.is_dir():
        raise BadDataset("no such folder", where=str(source))
    folder = out or source
    if not replace and any((folder / name).exists() for name in (INFO, MANIFEST)):
        mend = "import into another folder with --out, or overwrite with --replace"
        raise BadDataset("the folder already holds a corpus", where=str(folder), mend=mend)
    folder.mkdir(parents=True, exist_ok=True)
    imported = Imported(folder)
    speakers: dict[str, None] = {}
    partial = folder / f".{MANIFEST}.partial"
    try:
        with partial.open("w", encoding="utf-8") as lines:
            for one, line in _found(importer, Shelf(source, folder), imported, limit):
                speakers |= dict.fromkeys(turn.speaker for turn in one.turns if turn.speaker)
                lines.write(line + "\n")
                imported.count += 1
                if done is not None:
                    done(imported.count)
        if not imported.count:
            raise BadDataset(_nothing(importer, imported), where=str(source))
        (folder / INFO).write_text(_info(importer.dataset, speakers), encoding="utf-8")
        partial.replace(folder / MANIFEST)
    finally:
        partial.unlink(missing_ok=True)
    return imported


def to_line(conversation: Conversation) -> str:
    """Return a conversation as one line of JSON, defaults left out except those that identify.

    Raises:
        BadLine: a text holds half of a surrogate pair, which is no character and has no UTF-8.
    """
    broken = _half_pair_in(conversation.model_dump())
    if broken is not None:
        what = f"half a surrogate pair, which is no character, in {conversation.id!r}"
        raise bad_line(0, broken, what, "decode the text as UTF-8 or UTF-16, whole pairs at once")
    data = conversation.model_dump(mode="json", exclude_defaults=True)
    data |= {"language": conversation.language, "split": conversation.split}
    for turn, model in zip(data["turns"], conversation.turns, strict=True):
        # The kind is a default of its own class, and yet tells the classes apart.
        turn["when"] = model.when.model_dump(mode="json", exclude_none=True)
    return json.dumps(data, ensure_ascii=False)


def _half_pair_in(value: object, field: str = "") -> str | None:
    """Return the dotted path of the first text that UTF-8 cannot hold; keys count as their field.

    Looked for before it becomes JSON: pydantic replaces halves in keys without a word.
    """
    if isinstance(value, str):
        return None if _has_utf8(value) else field
    if isinstance(value, Mapping):
        members = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        members = [(str(place), inner) for place, inner in enumerate(value)]
    else:
        return None
    for name, inner in members:
        path = f"{field}.{name}" if field else name
        found = _half_pair_in(inner, path) if _has_utf8(name) else path
        if found is not None:
            return found
    return None


def _has_utf8(text: str) -> bool:
    return _HALF_PAIR.search(text) is None


def to_table(name: str, values: Mapping[str, str]) -> str:
    """Write one TOML table of strings.

    Args:
        name: of the table; empty for the top level.
        values: its rows.
    """
    head = f"[{name}]\n" if name else ""
    rows = (f"{_key(key)} = {_quoted(value)}\n" for key, value in values.items())
    return head + "".join(rows)


def _quoted(text: str) -> str:
    """Write a TOML string: JSON's syntax, but no halves of pairs and no bare DEL."""
    whole = _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _found(
    importer: Importer, shelf: Shelf, imported: Imported, limit: int | None
) -> Iterator[tuple[Conversation, str]]:
    """Yield what can be written, with its line, and note the rest."""
    seen: set[str] = set()

    def whole() -> Iterator[tuple[Conversation, str]]:
        for one in importer.conversations(shelf):
            if isinstance(one, Problem):
                imported.problems.append(one)
            elif one.id in seen:
                what = f"a second conversation is called {one.id!r}"
                imported.problems.append(Problem("error", MANIFEST, 0, "id", what))
            else:
                seen.add(one.id)
                try:
                    yield one, to_line(one)
                except BadLine as error:
                    imported.problems.extend(error.problems)

    yield from islice(whole(), limit)


def _nothing(importer: Importer, imported: Imported) -> str:
    first = f": {imported.problems[0]}" if imported.problems else ""
    return f"no conversation was found; expected {importer.dataset.layout}{first}"


def _info(dataset: Dataset, speakers: Mapping[str, None]) -> str:
    head = {
        "title": dataset.title,
        "licence": dataset.licence,
        "source": dataset.url,
        "citation": dataset.citation,
        "recipe": "cascadence import",
    }
    voice = {"licence": dataset.licence, "source": dataset.url}
    tables = [to_table(f"voices.{_key(name)}", voice) for name in speakers or {_NOBODY: None}]
    return "\n".join([to_table("", head), *tables])


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _quoted(name)


def _link_or_copy(origin: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(origin, target)
    except OSError:
        shutil.copyfile(origin, target)
