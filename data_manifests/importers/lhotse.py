"""Lhotse manifests: cuts, or recordings and supervisions, as lines of JSON, compressed or not.

A supervision is a conversation of one turn: where a cut has one, its clip is the cut, otherwise the
supervision's own part of the sound. Supervisions say who speaks in which part, often generously;
where the speech in it begins and ends is measured, unless ``custom.speech_s`` tells. Sources of
other types than ``file``, recordings with transforms, mixed or padded cuts, and cuts that go
through a supervision are left out. Paths count from the manifest's folder, then from the dataset's.
Options: see `cascadence.data_manifests.importers.tables`.

Where there are no cuts, all recordings are held in memory: a few hundred bytes each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import AudioRef, Conversation
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    natural,
    text_of,
)
from cascadence.data_manifests.importers.rows import Row, conversations_of, part_of
from cascadence.data_manifests.importers.tables import (
    Columns,
    Options,
    cell_sound,
    described,
    json_rows,
    read_options,
    split_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

Found = Mapping[str, Any]
_ENDINGS: Final = (".jsonl", ".jsonl.gz")
_BEYOND_S: Final = 0.1
"""A supervision that reaches this far out of its cut was rounded; beyond, it was cut through."""
_CUT_TYPES: Final = ("MonoCut", "MultiCut", "Cut")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a supervision stands: a line of a manifest."""

    shelf: Shelf
    path: Path
    line: int
    options: Options

    @property
    def relative(self) -> Path:
        return self.path.relative_to(self.shelf.source)


@dataclass(frozen=True, slots=True)
class _Supervised:
    """A supervision, and what it is in.

    Attributes:
        recording: that it is in.
        told: its own fields, and what is custom.
        channel: of the recording; several, or none, may be told.
        offset_s: from where its start counts, in the recording.
        alone: the part of the recording that is the clip, where nobody else is told in it.
    """

    recording: Found
    told: Found
    channel: object
    offset_s: float = 0.0
    alone: tuple[float, float] | None = None


class Lhotse:
    """Reads all cuts in a folder, or where there are none all supervisions."""

    dataset = Dataset(
        title="A dataset with Lhotse manifests",
        licence="not told by the manifests",
        citation="not told by the manifests",
        url="https://lhotse.readthedocs.io",
        layout="*cuts*.jsonl.gz, or *recordings*.jsonl.gz and *supervisions*.jsonl.gz",
    )

    def __init__(self, columns: Columns | None = None) -> None:
        """Name the fields of a supervision; the dataset's options go over them."""
        self.columns = columns or Columns()

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the supervisions, manifest by manifest; see `cascadence.importing.Importer`."""
        options, columns = read_options(shelf, self.columns)
        self.dataset = described(shelf, self.dataset, options)
        rows: Iterator[Row | Problem]
        cuts = _manifests(shelf, "cuts")
        supervisions = [] if cuts else _manifests(shelf, "supervisions")
        if not cuts and not supervisions:
            raise BadDataset("no cuts and no supervisions", where=str(shelf.source))
        if cuts:
            rows = (row for path in cuts for row in _cut_rows(shelf, path, options))
        else:
            rows = _supervision_rows(shelf, supervisions, options)
        yield from conversations_of(shelf, rows, self.dataset, options, columns)


def _manifests(shelf: Shelf, kind: str) -> list[Path]:
    found = (path for path in shelf.source.rglob(f"*{kind}*") if path.name.endswith(_ENDINGS))
    return sorted(found, key=natural)


def _cut_rows(shelf: Shelf, path: Path, options: Options) -> Iterator[Row | Problem]:
    file = path.relative_to(shelf.source).as_posix()
    for line, cut in json_rows(shelf, path):
        if isinstance(cut, Problem):
            yield cut
            continue
        found = attempt(file, partial(_of_cut, cut), line)
        if isinstance(found, Problem):
            yield found
            continue
        for one in found:
            yield _row(_Place(shelf, path, line, options), one)


def _of_cut(cut: Found) -> list[_Supervised]:
    """Return what is said in a cut.

    Raises:
        BadItem: nothing, or it is of a kind that is more than a part of a recording.
    """
    kind = cut.get("type", "MonoCut")
    if kind not in _CUT_TYPES:
        raise BadItem(f"a {kind!r:.40}, not a part of one recording")
    recording, supervisions = cut.get("recording"), cut.get("supervisions")
    if not isinstance(recording, Mapping):
        raise BadItem("no recording in it")
    if not isinstance(supervisions, list) or not supervisions:
        raise BadItem("no supervision in it")
    if not all(isinstance(one, Mapping) for one in supervisions):
        raise BadItem("a supervision that is no object")
    start_s = _seconds(cut, "start", 0.0)
    alone = (start_s, start_s + _seconds(cut, "duration")) if len(supervisions) == 1 else None
    found = []
    for one in supervisions:
        told = {**_custom(cut), **_custom(one), **one}
        if alone and cut.get("id"):
            told["id"] = cut["id"]
        channel = one.get("channel", cut.get("channel"))
        found.append(_Supervised(recording, told, channel, start_s, alone))
    return found


def _supervision_rows(
    shelf: Shelf, manifests: Sequence[Path], options: Options
) -> Iterator[Row | Problem]:
    recordings: dict[str, Found] = {}
    for path in _manifests(shelf, "recordings"):
        for _, one in json_rows(shelf, path):
            if isinstance(one, Problem):
                yield one
            else:
                recordings[text_of(one, "id", "")] = one
    for path in manifests:
        file = path.relative_to(shelf.source).as_posix()
        for line, told in json_rows(shelf, path):
            if isinstance(told, Problem):
                yield told
                continue
            name = text_of(told, "recording_id", "")
            if name not in recordings:
                yield Problem("error", file, line, "recording_id", f"no recording {name!r}")
                continue
            about = {**_custom(told), **told}
            said = _Supervised(recordings[name], about, told.get("channel"))
            yield _row(_Place(shelf, path, line, options), said)


def _row(place: _Place, one: _Supervised) -> Row | Problem:
    relative = place.relative

    def make() -> Row:
        start_s = one.offset_s + _seconds(one.told, "start", 0.0)
        end_s = start_s + _seconds(one.told, "duration")
        part_s = one.alone or (start_s, end_s)
        if start_s < part_s[0] - _BEYOND_S or end_s > part_s[1] + _BEYOND_S:
            raise BadItem("the cut holds only a part of what the supervision says")
        said_s = (max(0.0, start_s - part_s[0]), end_s - part_s[0])
        name = identifier(*relative.parent.parts, relative.name.split(".")[0], place.line)
        clip = partial(_clip, place, one, part_s)
        file, split = relative.as_posix(), split_of(relative)
        return Row(file, place.line, name, split, clip, one.told, said_s)

    return attempt(relative.as_posix(), make, place.line)


def _clip(place: _Place, one: _Supervised, part_s: tuple[float, float], name: str) -> AudioRef:
    if one.recording.get("transforms"):
        raise BadItem("the recording is transformed when it is read")
    source, channel = _source(one.recording, one.channel)
    if source.get("type") != "file":
        raise BadItem(f"a source of type {source.get('type')!r:.40}, not a file")
    folder, prefix = place.path.parent, place.options.prefix
    path = cell_sound(place.shelf, folder, source.get("source"), name, prefix)
    return part_of(place.shelf, path, *part_s, channel=channel)


def _source(recording: Found, channel: object) -> tuple[Found, int]:
    """Find the file that a channel is in, and which of the file's channels it is.

    Raises:
        BadItem: there is none.
    """
    sources = recording.get("sources")
    if isinstance(channel, list):
        channel = channel[0] if len(channel) == 1 else None
    wanted = 0 if channel is None else channel
    for source in sources if isinstance(sources, list) else ():
        channels = source.get("channels") if isinstance(source, Mapping) else None
        if isinstance(channels, list) and wanted in channels:
            if channel is None and len(channels) > 1:
                raise BadItem("several channels, and nobody tells which")
            return source, channels.index(wanted)
    raise BadItem(f"no source has channel {wanted!r:.20}")


def _custom(told: Found) -> dict[str, Any]:
    custom = told.get("custom")
    return dict(custom) if isinstance(custom, Mapping) else {}


def _seconds(told: Found, key: str, default: float | None = None) -> float:
    value = told.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadItem(f"{key} is no time: {value!r:.40}")
    return float(value)
