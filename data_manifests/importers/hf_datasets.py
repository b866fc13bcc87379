"""A Hugging Face dataset on disk: an audio folder, Parquet files, or what ``save_to_disk`` wrote.

An audio folder has ``metadata.csv`` or ``metadata.jsonl`` beside its sounds, at the top or in a
folder a split, and is used in place. Arrow and Parquet files hold the sounds themselves in a column
of the ``Audio`` kind, or paths to them; sounds in a table are written out, so that another folder
is needed (``--out``). Columns and other options: see `cascadence.data_manifests.importers.tables`.
The index of a class becomes its name, where the table tells it; a number is no emotion.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from cascadence.clip import BadClip, file_inside
from cascadence.conversation import AudioRef, Conversation
from cascadence.data_manifests.importers.parquet_rows import EXTRA, table_rows
from cascadence.data_manifests.importers.questions import identifier, natural
from cascadence.data_manifests.importers.rows import Row, conversations_of, part_of
from cascadence.data_manifests.importers.tables import (
    Columns,
    Options,
    cell_sound,
    described,
    first_of,
    json_rows,
    read_options,
    split_of,
    table_files,
)
from cascadence.errors import CascadenceError
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem
from cascadence.require import require

METADATA: Final = ("metadata.csv", "metadata.jsonl")


class HfDatasets:
    """Reads a folder that `datasets` reads, without it."""

    dataset = Dataset(
        title="A Hugging Face dataset",
        licence="not told: see the dataset's card",
        citation="not told: see the dataset's card",
        url="https://huggingface.co/datasets",
        layout="metadata.csv or metadata.jsonl with `file_name`, *.arrow, or *.parquet",
    )

    def __init__(self, columns: Columns | None = None) -> None:
        """Name the columns; the dataset's options go over them.

        Args:
            columns: by default well-known names are tried.
        """
        self.columns = columns or Columns()

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the rows, table by table; see `cascadence.importing.Importer`."""
        options, columns = read_options(shelf, self.columns)
        self.dataset = described(shelf, self.dataset, options)
        metadata = sorted(
            (path for name in METADATA for path in shelf.source.rglob(name)), key=natural
        )
        tables = [] if metadata else table_files(shelf)
        if not metadata and not tables:
            raise BadDataset(
                f"no {', no '.join(METADATA)}, no Arrow and no Parquet file",
                where=str(shelf.source),
            )
        for table in metadata or tables:
            rows = _rows(shelf, table, options, columns)
            yield from conversations_of(shelf, rows, self.dataset, options, columns)


def _rows(shelf: Shelf, table: Path, options: Options, columns: Columns) -> Iterator[Row | Problem]:
    relative = table.relative_to(shelf.source)
    file = relative.as_posix()
    stem = identifier(*relative.parent.parts, relative.stem)
    for line, values in _read(shelf, table):
        if isinstance(values, Problem):
            yield values
            continue
        cell = first_of(values, columns.audio)
        clip = partial(_clip, shelf, table.parent, cell, options.prefix)
        shown = {name: value for name, value in values.items() if value is not cell}
        yield Row(file, line, identifier(stem, line), split_of(relative), clip, shown)


def _clip(shelf: Shelf, folder: Path, cell: object, prefix: str | None, name: str) -> AudioRef:
    return part_of(shelf, cell_sound(shelf, folder, cell, name, prefix))


def _read(shelf: Shelf, table: Path) -> Iterator[tuple[int, Mapping[str, Any] | Problem]]:
    """Yield the rows of a table with their numbers, from 1; of a text file, with their lines."""
    if table.suffix == ".jsonl":
        yield from json_rows(shelf, table)
    elif table.suffix == ".csv":
        yield from _csv_rows(shelf, table)
    else:
        yield from _binary_rows(shelf, table)


def _binary_rows(shelf: Shelf, table: Path) -> Iterator[tuple[int, Mapping[str, Any] | Problem]]:
    file = table.relative_to(shelf.source).as_posix()
    number = 0
    try:
        classes = _classes(shelf, table)
        for number, row in enumerate(table_rows(shelf, table), start=1):
            yield number, {name: _named(row[name], classes.get(name, ())) for name in row}
    except BadClip as error:
        yield 0, Problem("error", file, 0, "", error.what, error.mend)
    except BadDataset as error:
        yield number, Problem("error", file, number + 1, "", error.what)


def _classes(shelf: Shelf, table: Path) -> Mapping[str, Sequence[object]]:
    """Return the names of the classes that a column holds the indices of, by column."""
    try:
        path = file_inside(shelf.source, table.relative_to(shelf.source).as_posix())
        if table.suffix == ".parquet":
            schema = require("pyarrow.parquet", EXTRA).read_schema(str(path))
            told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        else:
            beside = (table.parent / "dataset_info.json").relative_to(shelf.source)
            told = {"info": json.loads(file_inside(shelf.source, beside.as_posix()).read_bytes())}
        features = told["info"]["features"]
        return {
            str(name): feature["names"]
            for name, feature in features.items()
            if isinstance(feature, Mapping) and isinstance(feature.get("names"), list)
        }
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, OSError, BadClip):
        return {}


def _named(value: object, names: Sequence[object]) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return str(names[value])
    return value


def _csv_rows(shelf: Shelf, table: Path) -> Iterator[tuple[int, Mapping[str, Any] | Problem]]:
    file = table.relative_to(shelf.source).as_posix()
    try:
        path = file_inside(shelf.source, file)
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            reader = csv.DictReader(lines, restkey="")
            for row in reader:
                yield reader.line_num, row
    except (CascadenceError, OSError, csv.Error) as error:
        yield 0, Problem("error", file, 0, "", f"cannot be read: {error}")
