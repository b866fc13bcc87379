"""What importers of tables share: cautious reading, and a conversation of one spoken question.

A row of somebody else's table may hold anything. The readers here take what is of the right kind
and raise `BadItem` for the rest; `attempt` makes a problem of it, so that one bad row costs one
conversation.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from cascadence.audio import Audio, read_audio
from cascadence.clip import file_inside
from cascadence.conversation import AudioRef, Conversation, Expect, Style, UserTurn
from cascadence.data_manifests.importers.boundaries import speech_span
from cascadence.errors import CascadenceError
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

UNTOLD: Final = "\N{HORIZONTAL ELLIPSIS}"
"""The text of a turn whose words the dataset does not tell: no words, so that word error rates are
skipped."""
_POINTER: Final = b"version https://git-lfs"
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_Made = TypeVar("_Made")


class BadItem(CascadenceError):
    """A row or a folder of a dataset that is not what it should be."""


def attempt(file: str, make: Callable[[], _Made], line: int = 0) -> _Made | Problem:
    """Make something of an item, or say what is wrong with it.

    Args:
        file: that the item stands in, relative to the dataset's folder.
        make: makes it.
        line: of the item in the file, from 1.

    Raises:
        BadDataset: it is not the item that is wrong.
    """
    try:
        return make()
    except BadDataset:
        raise
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        return Problem("error", file, line, field, first["msg"])
    except CascadenceError as error:
        what = f"{error.where}: {error.what}" if error.where else error.what
        return Problem("error", file, line, "", what, error.mend)


def read_json(shelf: Shelf, path: Path) -> Any:
    """Read a JSON file of the dataset.

    Raises:
        BadClip: it is missing, no regular file, or leads out of the dataset's folder.
        BadItem: it is not JSON.
    """
    name = path.relative_to(shelf.source).as_posix()
    try:
        return _parsed(file_inside(shelf.source, name).read_bytes())
    except (ValueError, RecursionError, OSError) as error:
        raise BadItem(f"not JSON: {error}", where=name) from error


def json_lines(shelf: Shelf, path: Path) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """Yield the objects of a file of JSON lines with the number of their line, from 1.

    Raises:
        BadClip: the file is missing, no regular file, or leads out of the dataset's folder.
    """
    name = path.relative_to(shelf.source).as_posix()
    with file_inside(shelf.source, name).open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = _parsed(line)
            except (ValueError, RecursionError) as error:
                yield number, Problem("error", name, number, "", f"not JSON: {error}")
                continue
            if isinstance(row, dict):
                yield number, row
            else:
                yield number, Problem("error", name, number, "", "not an object")


def _parsed(data: bytes) -> Any:
    """Parse JSON; halves of characters, which JSON can name and no file can hold, are replaced."""
    value = json.loads(data.decode("utf-8-sig"))
    return _whole(value) if b"\\ud" in data.lower() else value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(one) for key, one in value.items()}
    return value


def text_of(row: object, key: str, default: str | None = None) -> str:
    """Return a field as text without blanks at its ends.

    Raises:
        BadItem: the row is no object; or the field is missing, empty or no text, and there is no
            default.
    """
    if not isinstance(row, Mapping):
        raise BadItem("not an object")
    value = row.get(key)
    if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
        return str(value).strip()
    if default is not None:
        return default
    raise BadItem(f"no text under {key!r}")


def span_of(value: object) -> tuple[float, float]:
    """Return a pair of times in seconds.

    Raises:
        BadItem: it is none, or does not end after it starts.
    """
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        start_s, end_s = (_seconds(one) for one in value)
        if 0.0 <= start_s < end_s < math.inf:
            return start_s, end_s
    raise BadItem(f"not a pair of times: {value!r:.60}")


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise BadItem(f"not a time: {value!r:.60}")
    return float(value)


def identifier(*parts: object) -> str:
    """Join parts to an id that the manifest takes."""
    plain = [_NOT_IN_A_NAME.sub("_", str(part)).strip("._-") for part in parts]
    return "-".join(part for part in plain if part)[:128]


def natural(path: Path) -> tuple[tuple[int, str], ...]:
    """Sort key of a path: folders and numbers in the order in which people count."""
    pieces = (piece for part in path.parts for piece in re.split(r"(\d+)", part) if piece)
    return tuple((int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces)


def sound_of(shelf: Shelf, path: str, channel: int | None = None) -> Audio:
    """Read a clip that is in the corpus's folder already.

    Raises:
        BadAudio: it cannot be read, or has several channels and none was chosen.
        BadItem: only a pointer to it was downloaded.
    """
    file = file_inside(shelf.folder, path)
    with file.open("rb") as opened:
        if opened.read(len(_POINTER)) == _POINTER:
            mend = "fetch the sound itself: `git lfs pull` in the dataset's folder"
            raise BadItem("a Git LFS pointer, and no sound", where=path, mend=mend)
    return read_audio(file, channel=channel)


def measured_span(
    audio: Audio, start_s: float = 0.0, end_s: float = math.inf
) -> tuple[float, float]:
    """Measure where speech starts and ends in a part of a sound.

    Args:
        audio: the whole sound.
        start_s: of the part.
        end_s: of the part.

    Returns:
        Seconds from the start of the whole sound.

    Raises:
        BadItem: there is no speech.
    """
    end_s = min(end_s, audio.duration_s)
    try:
        span_s = speech_span(audio.span(start_s, end_s))
    except CascadenceError as error:
        raise BadItem(f"no speech is to be heard: {error.what}") from error
    return round(start_s + span_s[0], 4), round(start_s + span_s[1], 4)


def question(
    shelf: Shelf,
    path: str,
    name: str,
    text: str,
    dataset: Dataset,
    *,
    expect: Expect | None = None,
    style: Style | None = None,
    speaker: str | None = None,
    tags: Sequence[str] = (),
    language: str = "en",
    instructions: str | None = None,
) -> Conversation:
    """Make a conversation of one clip, all of it the user's only turn.

    Args:
        shelf: of the import.
        path: of the clip, as `Shelf.clip` or `Shelf.store` gave it.
        name: the conversation's id.
        text: what is said.
        dataset: that it comes from.
        expect: what a good answer is.
        style: how it is said.
        speaker: who says it.
        tags: kinds that it belongs to.
        language: BCP 47 tag.
        instructions: what the system is told before.

    Raises:
        BadAudio: the clip cannot be used.
        BadItem: there is no speech in it.
        ValidationError: a value is not what the manifest takes.
    """
    turn = UserTurn(
        text=text,
        audio=AudioRef(path=path),
        speech_s=measured_span(sound_of(shelf, path)),
        expect=expect or Expect(),
        style=style or Style(),
        speaker=speaker,
    )
    return Conversation(
        id=name,
        language=language,
        tags=tuple(tags),
        licence=dataset.licence,
        source=dataset.url,
        instructions=instructions,
        turns=(turn,),
    )
