"""VocalBench: spoken questions of nine sets, the text in ``json/``, the sound beside it.

Declared are the answers of ``knowledge`` (short and checkable), the words to be said where the
request is to repeat plainly, and how a request of ``emotion`` is spoken. Earlier rounds of
``multi_round`` have no sound: they become the instructions. Tags name the set, and in ``robust``
the disturbance with its level, so that a sweep can choose them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import Conversation, Expect, Style
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    natural,
    question,
    read_json,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

_SOUND_FOLDERS: Final = ("", "audio", "audios", "wav", "data", "VocalBench")
"""Where the sound may have been unpacked: the download's place is up to the user."""
_REPEAT: Final = "repeat the following question"


class VocalBench:
    """Reads a clone of the repository with the sound downloaded into it, or the download alone."""

    dataset = Dataset(
        title="VocalBench",
        licence="Apache-2.0",
        citation=(
            "H. Liu, Y. Wang, Z. Cheng, R. Wu, Q. Gu, Y. Wang, Y. Wang: VocalBench: Benchmarking "
            "the Vocal Conversational Abilities for Speech Interaction Models, 2025, "
            "arXiv 2505.15727."
        ),
        url="https://huggingface.co/datasets/VocalNet/VocalBench",
        layout="json/<set>.json with `Qid`, `Audio` and `Question`, and the sound that they name",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the questions, set by set; see `cascadence.importing.Importer`."""
        inside = shelf.source / "json"
        folder = inside if inside.is_dir() else shelf.source
        tables = sorted(folder.glob("*.json"), key=natural)
        if not tables:
            raise BadDataset("no json/*.json", where=str(shelf.source))
        for table in tables:
            yield from self._table(shelf, table)

    def _table(self, shelf: Shelf, table: Path) -> Iterator[Conversation | Problem]:
        file = table.relative_to(shelf.source).as_posix()
        rows = attempt(file, lambda: read_json(shelf, table))
        if isinstance(rows, Problem):
            yield rows
            return
        if not isinstance(rows, list):
            yield Problem("error", file, 0, "", "not a list of questions")
            return
        for number, row in enumerate(rows):

            def make(row: object = row) -> Conversation:
                return self._conversation(shelf, table.stem, row)

            made = attempt(file, make)
            if isinstance(made, Problem):
                made = Problem("error", file, 0, str(number), made.what, made.mend)
            yield made

    def _conversation(self, shelf: Shelf, name: str, row: object) -> Conversation:
        qid = identifier(text_of(row, "Qid"))
        if not isinstance(row, Mapping):
            raise BadItem("not an object")
        path = _find(shelf, text_of(row, "Audio"))
        emotion = text_of(row, "Question_emo", "").lower()
        kinds = (text_of(row, "Category", ""), text_of(row, "Sub-category", ""))
        level = text_of(row, "Level", "")
        tags = [name, *(f"{name}.{kind}" for kind in kinds if kind)]
        tags += [f"{name}.{kinds[0]}.{level}"] if level else []
        return question(
            shelf,
            path,
            qid,
            text_of(row, "Question"),
            self.dataset,
            expect=expectation(name, row),
            style=Style(emotion=emotion or None),
            tags=tuple(dict.fromkeys(map(identifier, tags))),
            instructions=_earlier_rounds(row),
        )


def expectation(name: str, row: Mapping[str, Any]) -> Expect:
    """Return what can be told of a good answer by its words.

    Args:
        name: of the set.
        row: of its table.
    """
    asked = text_of(row, "Question")
    if name == "knowledge" and text_of(row, "Answer", ""):
        return Expect(answer=(text_of(row, "Answer"),))
    plain = text_of(row, "Sub-category", "").lower() == "plain repeat"
    if plain and asked.lower().startswith(_REPEAT):
        request, _, rest = asked.partition(".")
        return Expect(reply_text=rest.strip()) if rest.strip() and request else Expect()
    return Expect()


def _find(shelf: Shelf, audio: str) -> str:
    for folder in _SOUND_FOLDERS:
        place = Path(folder) / audio
        if (shelf.source / place).is_file():
            return shelf.clip(place)
    return shelf.clip(audio)


def _earlier_rounds(row: Mapping[str, Any]) -> str | None:
    rounds = row.get("Context")
    if not isinstance(rounds, list) or not rounds:
        return None
    names = {"user": "User", "assistant": "Assistant"}
    lines = [
        f"{names.get(text_of(one, 'from'), 'User')}: {text_of(one, 'value')}" for one in rounds
    ]
    return "The conversation so far:\n" + "\n".join(lines)
