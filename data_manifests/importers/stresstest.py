"""StressTest: sentences whose meaning depends on the stressed word, in two or more readings each.

The question that goes with a clip, and its two possible answers, are text: they are what the system
is told before. The answer that the stress implies is what must be heard. Readings of one sentence
by one speaker that stress other words are a contrast set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import Conversation, Expect, Style
from cascadence.data_manifests.importers.acted import OTHER_TAKE, plain_words
from cascadence.data_manifests.importers.parquet_rows import table_rows
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    question,
    text_of,
)
from cascadence.data_manifests.importers.tables import (
    cell_sound,
    table_files,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

QUESTION: Final = (
    "You hear one sentence. Which words the speaker stresses tells what is meant. "
    "Say which of these is meant, in its own words: {answers}"
)
"""What the system is told before; the wording is this project's."""
_NEEDED: Final = ("transcription", "possible_answers", "label", "stress_pattern", "audio")


class StressTest:
    """Reads the dataset's repository, or what ``save_to_disk`` made of it."""

    dataset = Dataset(
        title="StressTest",
        licence="CC-BY-NC-4.0",
        citation=(
            "I. Yosha, G. Maimon, Y. Adi: StressTest: Can YOUR Speech LM Handle the Stress?, 2025, "
            "arXiv 2505.22765."
        ),
        url="https://huggingface.co/datasets/slprl/StressTest",
        layout="data/test-*.parquet",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the readings in the table's order; see `cascadence.importing.Importer`."""
        tables = table_files(shelf)
        if not tables:
            raise BadDataset("no Parquet or Arrow file", where=str(shelf.source))
        chosen = _first_readings(shelf, tables)
        for table in tables:
            file = table.relative_to(shelf.source).as_posix()
            for number, row in enumerate(table_rows(shelf, table), start=1):
                name = identifier("stresstest", table.stem, number)

                def make(
                    row: Mapping[str, Any] = row, name: str = name, table: Path = table
                ) -> Conversation:
                    return self._conversation(shelf, table, row, name)

                made = attempt(file, make, number)
                if isinstance(made, Conversation):
                    made = _grouped(made, row, (table, number), chosen)
                yield made

    def _conversation(
        self, shelf: Shelf, table: Path, row: Mapping[str, Any], name: str
    ) -> Conversation:
        missing = [column for column in _NEEDED if row.get(column) is None]
        if missing:
            raise BadItem(f"no {missing[0]}")
        text = text_of(row, "transcription")
        answers = [str(answer) for answer in row["possible_answers"]]
        label = row["label"]
        if not isinstance(label, int) or not 0 <= label < len(answers):
            raise BadItem(f"there is no answer {label!r:.20}")
        stressed = _stressed(text, row["stress_pattern"])
        words = [plain_words(word) for word in text.split()]
        asked = " ".join(f"({number}) {answer}" for number, answer in enumerate(answers, start=1))
        return question(
            shelf,
            cell_sound(shelf, table.parent, row["audio"], name),
            name,
            text,
            self.dataset,
            expect=Expect(answer=(answers[label],)),
            style=Style(emphasis=stressed, label=" ".join(words[index] for index in stressed)),
            speaker=_speaker(row),
            tags=("emphasis",),
            instructions=QUESTION.format(answers=asked),
        )


Place = tuple[Path, int]
"""A table, and the number of a row in it, from 1."""


def _first_readings(shelf: Shelf, tables: Sequence[Path]) -> dict[Place, str]:
    """Find the readings that make contrast sets: of each row that is in one, the set's name."""
    sets: dict[tuple[str, str], dict[tuple[int, ...], Place]] = defaultdict(dict)
    columns = ("transcription_id", "transcription", "stress_pattern", "metadata")
    for table in tables:
        for number, row in enumerate(table_rows(shelf, table, columns), start=1):
            text = text_of(row, "transcription", "")
            stressed = attempt("", partial(_stressed, text, row.get("stress_pattern")))
            if not isinstance(stressed, Problem):
                key = (_set_name(row), plain_words(text))
                sets[key].setdefault(stressed, (table, number))
    return {
        place: name
        for (name, _), found in sets.items()
        if len(found) > 1
        for place in found.values()
    }


def _grouped(
    made: Conversation, row: Mapping[str, Any], place: Place, chosen: Mapping[Place, str]
) -> Conversation:
    if place in chosen:
        return made.model_copy(update={"group": chosen[place]})
    if _set_name(row) in chosen.values():
        return made.model_copy(update={"tags": (*made.tags, OTHER_TAKE)})
    return made


def _set_name(row: Mapping[str, Any]) -> str:
    """Name the contrast set of a row: the same words in the same voice."""
    words = plain_words(text_of(row, "transcription", ""))
    return identifier("stresstest", text_of(row, "transcription_id", words), _speaker(row))


def _speaker(row: Mapping[str, Any]) -> str:
    """The dataset does not name its speakers; their gender tells them apart."""
    told = row.get("metadata")
    gender = text_of(told, "gender", "") if isinstance(told, Mapping) else ""
    return identifier("stresstest", gender or "speaker")


def _stressed(text: str, pattern: object) -> tuple[int, ...]:
    """Return the indices of the stressed words in a text split at spaces.

    Raises:
        BadItem: no word is told, or the one told is not there.
    """
    words = [plain_words(word) for word in text.split()]
    if not isinstance(pattern, Mapping):
        raise BadItem("no pattern of stress")
    binary, indices = pattern.get("binary"), pattern.get("indices")
    if isinstance(binary, list) and len(binary) == len(words):
        found = tuple(index for index, stress in enumerate(binary) if stress)
    elif isinstance(indices, list) and all(isinstance(index, int) for index in indices):
        found = tuple(indices)
    else:
        raise BadItem("the pattern of stress does not fit the words")
    if not found or not all(0 <= index < len(words) for index in found):
        raise BadItem("no stressed word, or one that is not there")
    told = pattern.get("words")
    if isinstance(told, list) and {plain_words(str(word)) for word in told} - {""}:
        heard = {word for index in found for word in words[index].split()}
        said = {word for one in told for word in plain_words(str(one)).split()}
        if not heard & said:
            raise BadItem("the stressed words are others than the pattern says")
    return found
