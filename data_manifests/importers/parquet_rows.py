"""Rows of the tables in which datasets lie on disk: Parquet and Arrow, as ``datasets`` writes.

Rows are read in small batches, so that a shard of sound never lies in memory as a whole. The
reader is pyarrow; nothing in such a file is ever executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cascadence.clip import file_inside
from cascadence.importing import BadDataset, Shelf
from cascadence.require import require

EXTRA: Final = "tables"
"""The extra of this package that brings pyarrow."""
_BATCH_ROWS: Final = 16
_STARTS: Final = (
    (b"RIFF", ".wav"),
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"FORM", ".aiff"),
)


def table_rows(
    shelf: Shelf, path: Path, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one table, in order.

    Args:
        shelf: of the import.
        path: a ``.parquet`` file, or an ``.arrow`` file (stream or file format).
        columns: only these, as far as the table has them; by default all.

    Raises:
        BadClip: the file leads out of the dataset's folder.
        BadDataset: it cannot be read.
        MissingExtra: pyarrow is not installed.
    """
    arrow = require("pyarrow", EXTRA)
    batches = _parquet_batches if path.suffix == ".parquet" else _arrow_batches
    inside = file_inside(shelf.source, path.relative_to(shelf.source).as_posix())
    try:
        for batch in batches(inside):
            kept = [name for name in batch.schema.names if columns is None or name in columns]
            yield from batch.select(kept).to_pylist()
    except (arrow.ArrowException, OSError) as error:
        raise BadDataset(f"not a readable table: {error}", where=str(path)) from error


def embedded_sound(value: object) -> tuple[bytes, str] | None:
    """Take a sound out of a cell of the ``Audio`` kind.

    Args:
        value: ``{"bytes": ..., "path": ...}``.

    Returns:
        The bytes of a sound file and the ending that its name should have; ``None`` where the cell
        holds no bytes.
    """
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes) or not data:
        return None
    for start, ending in _STARTS:
        if data.startswith(start):
            return data, ending
    is_mpeg = data[0] == 0xFF and data[1:2] >= b"\xe0"
    return data, ".mp3" if is_mpeg else ".wav"


def _parquet_batches(path: Path) -> Iterator[Any]:
    parquet = require("pyarrow.parquet", EXTRA)
    with parquet.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS)


def _arrow_batches(path: Path) -> Iterator[Any]:
    arrow = require("pyarrow", EXTRA)
    with arrow.memory_map(str(path)) as source:
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        if is_file:
            reader = arrow.ipc.open_file(source)
            batches = (reader.get_batch(place) for place in range(reader.num_record_batches))
        else:
            batches = iter(arrow.ipc.open_stream(source))
        for batch in batches:
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield batch.slice(start, _BATCH_ROWS)
