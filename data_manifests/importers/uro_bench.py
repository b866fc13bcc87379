"""URO-Bench: 40 sets of spoken questions, English and Chinese, some of several rounds.

Each set is a folder with ``test.jsonl`` beside its sound. The sets whose target is repeated or
answered in few words declare it: ``Repeat`` the words to be said, and the question-answering sets a
target of at most `LONGEST_ANSWER_WORDS` words. The rest is for a language model to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import AudioRef, Conversation, Expect, Style, UserTurn
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    json_lines,
    measured_span,
    natural,
    sound_of,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

LONGEST_ANSWER_WORDS: Final = 4
LONGEST_ANSWER_CHARACTERS: Final = 40
_QUESTIONS: Final = (
    "gaokaoeval",
    "hsk5",
    "squad",
    "openbookqa",
    "gsm8keval",
    "ape",
    "mlc",
    "mlcpro",
    "clothoeval",
    "muchoeval",
)
_REPEATED: Final = ("repeat",)


class UroBench:
    """Reads the unpacked archive, the whole of it, the mini set, or single sets."""

    dataset = Dataset(
        title="URO-Bench",
        licence="MIT as the authors state it; the sets' sources keep their own terms",
        citation=(
            "R. Yan, X. Li, W. Chen, Z. Niu, C. Yang, Z. Ma, K. Yu, X. Chen: URO-Bench: A "
            "Comprehensive Benchmark for End-to-End Spoken Dialogue Models, 2025, arXiv 2502.17810."
        ),
        url="https://huggingface.co/datasets/Honggao/URO-Bench",
        layout="<basic or pro>/<set>/test.jsonl with `source_wav` and `source_text`, sound beside",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the items, set by set; see `cascadence.importing.Importer`."""
        sets = sorted(shelf.source.rglob("test.jsonl"), key=natural)
        if not sets:
            raise BadDataset("no test.jsonl", where=str(shelf.source))
        for table in sets:
            file = table.relative_to(shelf.source).as_posix()
            for number, row in json_lines(shelf, table):
                if isinstance(row, Problem):
                    yield row
                    continue

                def make(
                    row: Mapping[str, Any] = row, number: int = number, table: Path = table
                ) -> Conversation:
                    return self._conversation(shelf, table, number, row)

                yield attempt(file, make, number)

    def _conversation(
        self, shelf: Shelf, table: Path, number: int, row: Mapping[str, Any]
    ) -> Conversation:
        folder = table.parent
        rounds = row.get("dialogue", [row])
        if not isinstance(rounds, list):
            raise BadItem("`dialogue` is no list")
        track = folder.parent.name if folder.parent != shelf.source.parent else ""
        return Conversation(
            id=identifier(folder.name, text_of(row, "id", str(number))),
            language=language_of(folder.name),
            tags=tuple(filter(None, (identifier(folder.name), identifier(track)))),
            licence=self.dataset.licence,
            source=self.dataset.url,
            turns=tuple(_turn(shelf, folder, one) for one in rounds),
        )


def language_of(name: str) -> str:
    """Return the language of a set by its name, as a BCP 47 tag."""
    if name.lower() == "multilingual":
        return "mul"
    return "zh" if name.lower().endswith("-zh") else "en"


def _turn(shelf: Shelf, folder: Path, row: Mapping[str, Any]) -> UserTurn:
    wav = text_of(row, "source_wav")
    path = shelf.clip(folder / wav if not Path(wav).is_absolute() else Path(wav))
    emotion = text_of(row, "emotion", "").lower()
    return UserTurn(
        text=text_of(row, "source_text"),
        audio=AudioRef(path=path),
        speech_s=measured_span(sound_of(shelf, path)),
        style=Style(emotion=emotion or None),
        expect=expectation(folder.name, row),
    )


def expectation(name: str, row: Mapping[str, Any]) -> Expect:
    """Return what can be told of a good answer by its words.

    Args:
        name: of the set.
        row: of its table.
    """
    task = name.lower().removesuffix("-en").removesuffix("-zh")
    target = row.get("target_text")
    accepted = [one.strip() for one in _texts(target) if one.strip()]
    if task in _REPEATED and accepted:
        return Expect(reply_text=accepted[0])
    short = [one for one in accepted if _is_short(one)]
    return Expect(answer=tuple(short)) if task in _QUESTIONS and short else Expect()


def _texts(target: object) -> list[str]:
    found = target if isinstance(target, list) else [target]
    return [str(one) for one in found if isinstance(one, str | int | float)]


def _is_short(text: str) -> bool:
    few_words = len(text.split()) <= LONGEST_ANSWER_WORDS
    return few_words and len(text) <= LONGEST_ANSWER_CHARACTERS
