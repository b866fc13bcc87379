"""Big Bench Audio: 1,000 reasoning questions of Big-Bench Hard, spoken, with one-word answers.

The published folder has the questions' sound and answers but not their words. Where a table beside
them tells the words (a ``transcript`` column, as in copies of the dataset), they are taken;
otherwise the text of a turn is an ellipsis, and word error rates are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import Conversation, Expect
from cascadence.data_manifests.importers.parquet_rows import embedded_sound, table_rows
from cascadence.data_manifests.importers.questions import (
    UNTOLD,
    BadItem,
    attempt,
    identifier,
    json_lines,
    natural,
    question,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

METADATA: Final = "metadata.jsonl"


class BigBenchAudio:
    """Reads the dataset's repository, or a copy of it as Parquet."""

    dataset = Dataset(
        title="Big Bench Audio",
        licence="MIT",
        citation=(
            "Artificial Analysis: Evaluating Audio Reasoning with Big Bench Audio, 2024. Questions "
            "from M. Suzgun, N. Scales, N. Schärli, S. Gehrmann, Y. Tay, H. W. Chung, A. "
            "Chowdhery, Q. V. Le, E. H. Chi, D. Zhou, J. Wei: Challenging BIG-Bench Tasks and "
            "Whether Chain-of-Thought Can Solve Them, Findings of ACL 2023, arXiv 2210.09261."
        ),
        url="https://huggingface.co/datasets/ArtificialAnalysis/big_bench_audio",
        layout="metadata.jsonl with `file_name`, `category` and `official_answer`, and data/*.mp3",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the questions in the table's order; see `cascadence.importing.Importer`."""
        metadata = shelf.source / METADATA
        tables = sorted(shelf.source.rglob("*.parquet"), key=natural)
        if metadata.is_file():
            yield from self._from_files(shelf, metadata)
        elif tables:
            for table in tables:
                yield from self._from_table(shelf, table)
        else:
            raise BadDataset(f"neither {METADATA} nor a Parquet file", where=str(shelf.source))

    def _from_files(self, shelf: Shelf, metadata: Path) -> Iterator[Conversation | Problem]:
        for number, row in json_lines(shelf, metadata):
            if isinstance(row, Problem):
                yield row
                continue

            def make(row: Mapping[str, Any] = row) -> Conversation:
                file_name = text_of(row, "file_name")
                name = identifier("bba", text_of(row, "id", Path(file_name).stem))
                return self._question(shelf, shelf.clip(file_name), name, row)

            yield attempt(METADATA, make, number)

    def _from_table(self, shelf: Shelf, table: Path) -> Iterator[Conversation | Problem]:
        file = table.relative_to(shelf.source).as_posix()
        for number, row in enumerate(table_rows(shelf, table)):

            def make(row: Mapping[str, Any] = row, number: int = number) -> Conversation:
                name = identifier("bba", text_of(row, "id", f"{table.stem}-{number}"))
                sound = embedded_sound(row.get("audio"))
                if sound is None:
                    raise BadItem("no sound in the column `audio`")
                data, ending = sound
                return self._question(shelf, shelf.store(f"audio/{name}{ending}", data), name, row)

            yield attempt(file, make, number + 1)

    def _question(self, shelf: Shelf, path: str, name: str, row: Mapping[str, Any]) -> Conversation:
        return question(
            shelf,
            path,
            name,
            text_of(row, "transcript", UNTOLD),
            self.dataset,
            expect=Expect(answer=(text_of(row, "official_answer"),)),
            tags=(identifier(text_of(row, "category")),),
        )
