"""Rows of other tools' tables as conversations: one clip a row.

A row of somebody else's table is a conversation of one turn. A row that this package has exported
(it has the columns ``conversation`` and ``turn``) tells more, as JSON in text or as it is: the rows
of one conversation, which follow each other, become that conversation again.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from cascadence.audio import BadAudio, read_audio
from cascadence.conversation import AudioRef, Conversation, Style, UserTurn
from cascadence.data_manifests.importers.questions import (
    UNTOLD,
    BadItem,
    attempt,
    identifier,
    measured_span,
    span_of,
    text_of,
)
from cascadence.data_manifests.importers.tables import Columns, Options, Split, first_of, split_of
from cascadence.importing import Dataset, Shelf
from cascadence.manifest import Problem

TURN_FIELDS: Final = ("style", "when", "pauses", "backchannels_s", "expect")
"""What an exported row tells about its turn besides text, sound and speaker."""
_BEYOND_S: Final = 0.1
"""Tables round lengths: a part may end this much behind its file."""


@dataclass(frozen=True, slots=True)
class Row:
    """A clip, and what a table says about it.

    Attributes:
        file: the table, relative to the dataset's folder.
        line: of the row in it, from 1.
        name: the conversation's id, if the row tells none.
        split: of the conversation, if the row tells none.
        clip: makes the clip available, under the name that it is given.
        values: by column.
        said_s: the part of the clip in which speech is looked for; all of it by default.
    """

    file: str
    line: int
    name: str
    split: Split
    clip: Callable[[str], AudioRef]
    values: Mapping[str, Any]
    said_s: tuple[float, float] | None = None

    @property
    def exported(self) -> bool:
        """Whether this package has written the row."""
        told = self.values.get("conversation")
        return isinstance(told, str) and bool(told) and "turn" in self.values


@dataclass(slots=True)
class _Untold:
    """Rows without words are told once a table."""

    rows: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)

    def note(self, row: Row) -> None:
        self.rows[row.file] = self.rows.get(row.file, 0) + 1
        self.columns.setdefault(row.file, ", ".join(map(str, row.values)))

    def problems(self) -> Iterator[Problem]:
        for file, count in self.rows.items():
            what = f"no words in {count} of its rows, which have: {self.columns[file]}"
            mend = "name the column with the words in cascadence-import.toml"
            yield Problem("warning", file, 0, "text", what, mend)


def conversations_of(
    shelf: Shelf,
    rows: Iterable[Row | Problem],
    dataset: Dataset,
    options: Options,
    columns: Columns,
) -> Iterator[Conversation | Problem]:
    """Yield the conversations of a table, one by one, and the problems of its rows.

    Args:
        shelf: of the import.
        rows: in order.
        dataset: that they come from.
        options: of the dataset.
        columns: what the table calls them.
    """
    untold = _Untold()
    for _, members in itertools.groupby(rows, _conversation_name):
        parts = list(members)
        good = [row for row in parts if isinstance(row, Row)]
        yield from (row for row in parts if isinstance(row, Problem))
        if not good:
            continue
        turns = []
        for row in good:
            turn = attempt(row.file, partial(_turn, shelf, row, columns), row.line)
            turns.append(turn)
            if isinstance(turn, UserTurn) and turn.text == UNTOLD:
                untold.note(row)
        whole = [turn for turn in turns if isinstance(turn, UserTurn)]
        yield from (turn for turn in turns if isinstance(turn, Problem))
        if len(whole) == len(turns):
            yield _conversation(good, whole, dataset, options, columns)
        elif whole:
            what = "left out as a whole, because of its other turns"
            yield Problem("error", good[0].file, good[0].line, "conversation", what)
    yield from untold.problems()


def part_of(
    shelf: Shelf,
    path: str,
    start_s: float = 0.0,
    end_s: float | None = None,
    channel: int | None = None,
) -> AudioRef:
    """Refer to a part of a sound file.

    Args:
        shelf: of the import.
        path: as `Shelf.clip` or `Shelf.store` gave it.
        start_s: where the part begins.
        end_s: where it ends; by default with the file.
        channel: which one of several.

    Raises:
        BadItem: the file is no sound, or the part is not in it.
    """
    import soundfile

    try:
        header = soundfile.info(str(shelf.folder / path))
    except (RuntimeError, OSError) as error:
        raise BadItem("not a readable sound file", where=path) from error
    whole_s = header.frames / header.samplerate
    if not 0.0 <= start_s < whole_s:
        raise BadItem(f"the part starts at {start_s:g} s of {whole_s:.3f} s", where=path)
    if end_s is not None and not start_s < end_s <= whole_s + _BEYOND_S:
        raise BadItem(f"the part ends at {end_s:g} s of {whole_s:.3f} s", where=path)
    to_the_end = end_s is None or end_s >= whole_s - 0.5 / header.samplerate
    return AudioRef(
        path=path,
        start_s=start_s,
        end_s=None if to_the_end else end_s,
        channel=channel if header.channels > 1 else None,
    )


def _conversation_name(row: Row | Problem) -> object:
    if isinstance(row, Row) and row.exported:
        return row.values["conversation"]
    return object()  # a conversation of its own


def _turn(shelf: Shelf, row: Row, columns: Columns) -> UserTurn:
    values = row.values
    name = _name(row, columns)
    reference = row.clip(f"{name}.{values['turn']}" if row.exported else name)
    told: dict[str, Any] = {}
    if row.exported:
        given = {name: _structure(values.get(name)) for name in TURN_FIELDS}
        told = {name: value for name, value in given.items() if value is not None}
    else:
        emotion = first_of(values, columns.emotion)
        # A number is the index of a class, whose name the table need not tell.
        told["style"] = Style(emotion=emotion) if isinstance(emotion, str) else Style()
    text = first_of(values, columns.text)
    words = text.strip() if isinstance(text, str) else ""
    silent = isinstance(told.get("expect"), Mapping) and told["expect"].get("stay_silent") is True
    speaker = first_of(values, columns.speaker)
    return UserTurn.model_validate(
        {
            "text": words or ("" if silent else UNTOLD),
            "audio": reference,
            "speech_s": _speech_s(shelf, row, reference),
            "speaker": None if speaker is None else str(speaker),
            **told,
        }
    )


def _speech_s(shelf: Shelf, row: Row, reference: AudioRef) -> tuple[float, float]:
    try:
        audio = read_audio(
            shelf.folder / reference.path, reference.start_s, reference.end_s, reference.channel
        )
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadAudio(f"cannot be read as audio: {error}", where=reference.path) from error
    told = _structure(row.values.get("speech_s"))
    if told is not None:
        start_s, end_s = span_of(told)
        return start_s, min(end_s, audio.duration_s)
    return measured_span(audio, *(row.said_s or ()))


def _conversation(
    rows: Sequence[Row],
    turns: Sequence[UserTurn],
    dataset: Dataset,
    options: Options,
    columns: Columns,
) -> Conversation | Problem:
    row = rows[0]
    values = row.values
    numbers = [one.values.get("turn") for one in rows] if row.exported else [0]
    if numbers != list(range(len(rows))):
        what = f"its turns are {', '.join(map(str, numbers))}, not 0 to {len(rows) - 1}"
        return Problem("error", row.file, row.line, "turn", what)
    told_split = first_of(values, columns.split)
    split = split_of(PurePosixPath(str(told_split))) if told_split is not None else None
    language = first_of(values, columns.language)

    def make() -> Conversation:
        told: dict[str, Any] = {}
        if row.exported:
            names = ("group", "instructions", "licence", "source")
            told = {name: text_of(values, name, "") for name in names}
            told = {name: text for name, text in told.items() if text}
            told["tags"] = tuple(_structure(values.get("tags")) or ())
        return Conversation.model_validate(
            {
                "id": _name(row, columns),
                "language": language if isinstance(language, str) else options.language,
                "licence": dataset.licence,
                "source": dataset.url,
                "split": split or options.split or row.split,
                "turns": tuple(turns),
                **told,
            }
        )

    return attempt(row.file, make, row.line)


def _name(row: Row, columns: Columns) -> str:
    """Return the conversation's id; of a clip that is stored, also the file's name."""
    if row.exported:
        return identifier(row.values["conversation"]) or row.name
    told = first_of(row.values, columns.id)
    plain = isinstance(told, str | int) and not isinstance(told, bool)
    return (identifier(told) if plain else "") or row.name


def _structure(value: object) -> Any:
    """Return a value that may be JSON in a text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError):
        raise BadItem(f"not JSON: {value[:40]!r}") from None
