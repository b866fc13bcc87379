"""VoiceBench: spoken questions to assistants, in Parquet shards of one folder a subset.

Answers that can be told by their words are declared: the reference of ``sd-qa`` and ``bbh``, and
for the multiple-choice subsets the right option's text or its letter. What VoiceBench gives to a
language model to judge (``alpacaeval``, ``commoneval``, ``wildvoice``, ``ifeval``, ``advbench``)
declares nothing. ``mtbench`` has several questions a row, and only its first one is spoken to the
system before an answer is known, so its rows are left out where they hold no single sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import Conversation, Expect
from cascadence.data_manifests.importers.parquet_rows import embedded_sound, table_rows
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    natural,
    question,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

_CHOICE_SUBSETS: Final = ("openbookqa", "mmsu")
_SHARD: Final = re.compile(r"-\d{5}-of-\d{5}$")
_OPTION: Final = re.compile(r"(?:^|\s)\(?([A-E])[.):]\s+(.+?)(?=\s+\(?[A-E][.):]\s|$)", re.DOTALL)


class VoiceBench:
    """Reads the dataset's repository, all subsets or some."""

    dataset = Dataset(
        title="VoiceBench",
        licence="Apache-2.0 as the authors state it; the subsets' sources keep their own terms",
        citation=(
            "Y. Chen, X. Yue, C. Zhang, X. Gao, R. T. Tan, H. Li: VoiceBench: Benchmarking "
            "LLM-Based Voice Assistants, 2024, arXiv 2410.17196."
        ),
        url="https://huggingface.co/datasets/hlt-lab/voicebench",
        layout="<subset>/<split>-00000-of-00001.parquet with `audio` and `prompt`",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the questions, subset by subset; see `cascadence.importing.Importer`."""
        tables = sorted(shelf.source.rglob("*.parquet"), key=natural)
        if not tables:
            raise BadDataset("no Parquet file", where=str(shelf.source))
        for table in tables:
            yield from self._table(shelf, table)

    def _table(self, shelf: Shelf, table: Path) -> Iterator[Conversation | Problem]:
        file = table.relative_to(shelf.source).as_posix()
        subset = table.parent.name if table.parent != shelf.source else "voicebench"
        split = _SHARD.sub("", table.stem)
        shard = identifier(subset, table.stem)
        for number, row in enumerate(table_rows(shelf, table)):

            def make(row: Mapping[str, Any] = row, number: int = number) -> Conversation:
                name = identifier(shard, number)
                sound = embedded_sound(row.get("audio"))
                if sound is None:
                    columns = ", ".join(sorted(map(str, row)))
                    raise BadItem(f"no sound in a column `audio`; there are: {columns}")
                data, ending = sound
                return question(
                    shelf,
                    shelf.store(f"audio/{name}{ending}", data),
                    name,
                    text_of(row, "prompt"),
                    self.dataset,
                    expect=expectation(subset, row),
                    tags=(identifier(subset), identifier(subset, split)),
                )

            yield attempt(file, make, number + 1)


def expectation(subset: str, row: Mapping[str, Any]) -> Expect:
    """Return what can be told of a good answer by its words.

    Args:
        subset: which one.
        row: of its table.
    """
    reference = text_of(row, "reference", "")
    if not reference:
        return Expect()
    if subset in _CHOICE_SUBSETS and re.fullmatch(r"[A-Ea-e]", reference):
        return Expect(answer=choice_answers(text_of(row, "prompt"), reference.upper()))
    return Expect(answer=(reference,))


def choice_answers(prompt: str, letter: str) -> tuple[str, ...]:
    """Return what may be heard for the right option of a multiple-choice question.

    A bare letter is not among it: "a" is a word of most sentences.

    Args:
        prompt: the question with its options, as in ``A. north B. south``.
        letter: of the right one.
    """
    options = {
        found.group(1): " ".join(found.group(2).split()) for found in _OPTION.finditer(prompt)
    }
    said = [f"option {letter}", f"answer is {letter}", f"answer {letter}", f"choice {letter}"]
    text = options.get(letter, "").strip(" .")
    return (*([text] if text else []), *said)
