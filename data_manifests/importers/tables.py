"""What importers of other tools' tables share: options, lines of JSON, and sounds in cells.

Options lie in a file ``cascadence-import.toml`` in the dataset's folder; all are optional::

    title = "Our calls"          # and licence, citation, source: go into corpus.toml
    language = "de"              # of rows that tell none
    split = "test"               # of rows that tell none, whatever their file is called
    prefix = "/data/calls"       # what paths begin with where the table was written: taken off

    [columns]                    # of the table; by default well-known names are tried
    audio = "recording"
    text = "sentence"
    id = "utt"
    speaker = "client_id"
    language = "locale"
    emotion = "label"
    split = "part"
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cascadence.clip import BadClip, file_inside
from cascadence.data_manifests.importers.parquet_rows import embedded_sound
from cascadence.data_manifests.importers.questions import BadItem, natural
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import BadLine, Problem, parse_line, scan_lines

OPTIONS: Final = "cascadence-import.toml"
EXPORTED: Final = "source.json"
"""Where an export of this package says what it was made from."""
Split = Literal["train", "dev", "test"]
_SPLITS: Final[Mapping[str, Split]] = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "valid": "dev",
    "validation": "dev",
    "val": "dev",
    "test": "test",
    "eval": "test",
}
_LONGEST_OPTIONS_BYTES: Final = 100_000


class Columns(BaseModel):
    """Names of a table's columns; the first of several that a row has is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    audio: tuple[str, ...] = ("audio", "file_name", "path", "file")
    text: tuple[str, ...] = ("text", "transcription", "transcript", "sentence", "normalized_text")
    id: tuple[str, ...] = ("id", "utt_id", "utterance_id")
    speaker: tuple[str, ...] = ("speaker", "speaker_id", "client_id")
    language: tuple[str, ...] = ("language", "lang", "source_lang", "locale")
    emotion: tuple[str, ...] = ("emotion",)
    split: tuple[str, ...] = ("split",)


class Options(BaseModel):
    """What ``cascadence-import.toml`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None = None
    licence: str | None = None
    citation: str | None = None
    source: str | None = None
    language: str = "en"
    split: Split | None = None
    prefix: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)


def read_options(shelf: Shelf, columns: Columns) -> tuple[Options, Columns]:
    """Read the options of a dataset, and the columns that they name over the given ones.

    Args:
        shelf: of the import.
        columns: what is tried where the file names none.

    Raises:
        BadDataset: the file is not TOML, or an option is not known.
    """
    if not (shelf.source / OPTIONS).exists():
        return Options(), columns
    try:
        data = file_inside(shelf.source, OPTIONS).read_bytes()[:_LONGEST_OPTIONS_BYTES]
        options = Options.model_validate(tomllib.loads(data.decode("utf-8-sig")))
        named = {name: (column,) for name, column in options.columns.items()}
        return options, Columns.model_validate({**columns.model_dump(), **named})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise BadDataset(f"{field}: {first['msg']}", where=OPTIONS) from error
    except (BadClip, OSError, ValueError, RecursionError) as error:
        raise BadDataset(f"cannot be read: {error}", where=OPTIONS) from error


def described(shelf: Shelf, dataset: Dataset, options: Options) -> Dataset:
    """Say what a dataset is: by its options, by the export's note, by its card, or in general.

    Args:
        shelf: of the import.
        dataset: what is said where nothing is known.
        options: of the dataset.
    """
    told = {**_card(shelf), **_export_note(shelf)}
    mine = options.model_dump(include={"title", "licence", "citation", "source"}, exclude_none=True)
    texts = {name: text for name, text in {**told, **mine}.items() if text.strip()}
    if "source" in texts:
        texts["url"] = texts.pop("source")
    return replace(dataset, **texts)


def table_files(shelf: Shelf) -> list[Path]:
    """List the Arrow files of a dataset, or where there are none its Parquet files, in order."""
    for ending in ("*.arrow", "*.parquet"):
        found = [
            path for path in shelf.source.rglob(ending) if not path.name.startswith((".", "cache-"))
        ]
        if found:
            return sorted(found, key=natural)
    return []


def cell_sound(
    shelf: Shelf, folder: Path, cell: object, name: str, prefix: str | None = None
) -> str:
    """Make the sound of a cell available to the corpus.

    Args:
        shelf: of the import.
        folder: that a relative path in the cell starts from; then the dataset's folder is tried.
        cell: ``{"bytes": ..., "path": ...}``, or a path.
        name: what a sound that lies in the cell itself is called.
        prefix: what an absolute path begins with where the table was written.

    Returns:
        The path that an `AudioRef` wants.

    Raises:
        BadItem: there is neither a sound nor a path.
        BadClip: the file is missing, or lies outside of the dataset's folder.
    """
    sound = embedded_sound(cell)
    if sound is not None:
        data, ending = sound
        return shelf.store(f"audio/{name}{ending}", data)
    path = cell.get("path") if isinstance(cell, Mapping) else cell
    if not isinstance(path, str) or not path.strip():
        raise BadItem("neither a sound nor a path to one")
    if prefix and PurePosixPath(path).is_relative_to(prefix):
        return shelf.clip(PurePosixPath(path).relative_to(prefix).as_posix())
    if PurePosixPath(path).is_absolute():
        return shelf.clip(path)
    # A manifest may say `../wavs/a.wav`, which a corpus may not.
    near, far = (Path(os.path.normpath(place / path)) for place in (folder, shelf.source))
    try:
        return shelf.clip(near)
    except BadClip as error:
        if folder == shelf.source:
            raise
        with contextlib.suppress(BadClip):
            return shelf.clip(far)
        raise error


def json_rows(shelf: Shelf, path: Path) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """Yield the objects of a file of JSON lines, compressed or not, with their lines from 1.

    JSON is taken as strictly as in a manifest; a line that is none is a problem, and so is a file
    that cannot be read, with the line 0.
    """
    name = path.relative_to(shelf.source).as_posix()
    try:
        with file_inside(shelf.source, name).open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            lines = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
            for number, _, line in scan_lines(lines):
                if not line.strip():
                    continue
                try:
                    yield number, parse_line(line, number)
                except BadLine as error:
                    yield number, Problem("error", name, number, "", error.problems[0].what)
    except BadClip as error:
        yield 0, Problem("error", name, 0, "", error.what, error.mend)
    except (OSError, EOFError, zlib.error) as error:
        yield 0, Problem("error", name, 0, "", f"torn: {error}")


def split_of(path: PurePosixPath | Path) -> Split:
    """Tell the split from the words in a path, nearest first; ``test`` where none tells."""
    for part in reversed(path.parts):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in _SPLITS:
                return _SPLITS[word]
    return "test"


def first_of(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the value of the first of some columns that a row fills, or ``None``."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _card(shelf: Shelf) -> dict[str, str]:
    """Read what ``README.md`` says between its first two lines of dashes."""
    import yaml

    try:
        text = file_inside(shelf.source, "README.md").read_bytes()[:_LONGEST_OPTIONS_BYTES]
        parts = re.split(r"^---\s*$", text.decode("utf-8-sig", "replace"), maxsplit=2, flags=re.M)
        told = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    except (BadClip, OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    if not isinstance(told, Mapping):
        return {}
    names = {"pretty_name": "title", "license": "licence"}
    found = {names[key]: value for key, value in told.items() if key in names}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in found.items()
    }


def _export_note(shelf: Shelf) -> dict[str, str]:
    try:
        told = json.loads(file_inside(shelf.source, EXPORTED).read_bytes())
    except (BadClip, OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, Mapping) or "exporter" not in told:
        return {}
    names = ("title", "licence", "citation", "source")
    return {name: str(told[name]) for name in names if isinstance(told.get(name), str)}
