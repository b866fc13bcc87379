"""NeMo manifests: lines of JSON with ``audio_filepath``, ``duration`` and ``text``.

Every ``.json`` and ``.jsonl`` file in the folder whose first line has an ``audio_filepath`` is one.
Paths count from the manifest's folder. A part of a file is told by ``offset`` and ``duration``.
Tarred datasets, several files a line and several channels are left out. Options: see
`cascadence.data_manifests.importers.tables`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import AudioRef, Conversation
from cascadence.data_manifests.importers.questions import BadItem, identifier, natural
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
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

COLUMNS: Final = Columns(audio=("audio_filepath",))


class Nemo:
    """Reads all manifests in a folder."""

    dataset = Dataset(
        title="A dataset with a NeMo manifest",
        licence="not told by the manifest",
        citation="not told by the manifest",
        url="https://docs.nvidia.com/nemo-framework/",
        layout="*.json or *.jsonl of lines with `audio_filepath`",
    )

    def __init__(self, columns: Columns = COLUMNS) -> None:
        """Name the columns; the dataset's options go over them."""
        self.columns = columns

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the lines, manifest by manifest; see `cascadence.importing.Importer`."""
        options, columns = read_options(shelf, self.columns)
        self.dataset = described(shelf, self.dataset, options)
        found = (path for ending in ("*.json", "*.jsonl") for path in shelf.source.rglob(ending))
        manifests = [path for path in sorted(found, key=natural) if _is_one(shelf, path, columns)]
        if not manifests:
            raise BadDataset(f"no file of lines with {columns.audio[0]}", where=str(shelf.source))
        for manifest in manifests:
            rows = _rows(shelf, manifest, options, columns)
            yield from conversations_of(shelf, rows, self.dataset, options, columns)


def _is_one(shelf: Shelf, path: Path, columns: Columns) -> bool:
    first = next(json_rows(shelf, path), None)
    return first is not None and isinstance(first[1], dict) and columns.audio[0] in first[1]


def _rows(
    shelf: Shelf, manifest: Path, options: Options, columns: Columns
) -> Iterator[Row | Problem]:
    relative = manifest.relative_to(shelf.source)
    for line, values in json_rows(shelf, manifest):
        if isinstance(values, Problem):
            yield values
            continue
        clip = partial(_clip, shelf, manifest.parent, values, options, columns)
        name = identifier(*relative.parent.parts, relative.stem, line)
        yield Row(relative.as_posix(), line, name, split_of(relative), clip, values)


def _clip(
    shelf: Shelf,
    folder: Path,
    values: Mapping[str, Any],
    options: Options,
    columns: Columns,
    name: str,
) -> AudioRef:
    path = cell_sound(shelf, folder, first_of(values, columns.audio), name, options.prefix)
    start_s = _seconds(values, "offset") or 0.0
    duration_s = _seconds(values, "duration")
    return part_of(shelf, path, start_s, None if duration_s is None else start_s + duration_s)


def _seconds(values: Mapping[str, Any], key: str) -> float | None:
    told = values.get(key)
    if told is None:
        return None
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        raise BadItem(f"{key} is no time: {told!r:.40}")
    return float(told)
