"""FSDD: single English digits, said by six speakers at 8 kHz.

The split is the dataset's own: takes 0 to 4 are the test set. It shares voices and words with the
training set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cascadence.conversation import Conversation
from cascadence.data_manifests.importers.acted import sounds_in
from cascadence.data_manifests.importers.questions import attempt, identifier, question
from cascadence.importing import Dataset, Shelf
from cascadence.manifest import Problem

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_TAKES: Final = 5
_NAME: Final = re.compile(r"(\d)_(\w+?)_(\d+)")
"""Digit, speaker and take, as in ``7_jackson_32``."""


class Fsdd:
    """Reads a checkout of the repository, or a folder of its recordings."""

    dataset = Dataset(
        title="Free Spoken Digit Dataset",
        licence="CC-BY-SA-4.0",
        citation=(
            "Z. Jackson, C. Souza, J. Flaks, Y. Pan, H. Nicolas, A. Thite: Free Spoken Digit "
            "Dataset, v1.0.8, Zenodo, 2018, doi 10.5281/zenodo.1342401."
        ),
        url="https://github.com/Jakobovski/free-spoken-digit-dataset",
        layout="recordings/<digit>_<speaker>_<take>.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the digits, from zero on; see `cascadence.importing.Importer`."""
        for path in sounds_in(shelf, "recordings", "."):
            file = path.relative_to(shelf.source).as_posix()
            name = _NAME.fullmatch(path.stem)
            if name is None:
                yield Problem("warning", file, 0, "", "not a name that FSDD uses: left out")
                continue
            digit, speaker, take = name.groups()

            def make(path: Path = path, digit: str = digit, speaker: str = speaker) -> Conversation:
                return question(
                    shelf,
                    shelf.clip(path),
                    identifier("fsdd", path.stem),
                    DIGITS[int(digit)],
                    self.dataset,
                    speaker=f"fsdd-{speaker}",
                    tags=("digit",),
                )

            made = attempt(file, make)
            if isinstance(made, Conversation) and int(take) >= TEST_TAKES:
                made = made.model_copy(update={"split": "train"})
            yield made
