"""RAVDESS: two sentences, said by 24 actors in eight emotions, at two intensities, twice.

A contrast set holds the first repetition at normal intensity. The same sentences sung, which come
in an archive of their own, make sets of their own with the tag ``song``. Films are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cascadence.conversation import Conversation
from cascadence.data_manifests.importers.acted import Take, contrast_sets, sounds_in
from cascadence.importing import Dataset, Shelf
from cascadence.manifest import Problem

STATEMENTS: Final = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
EMOTIONS: Final = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
INTENSITIES: Final = {"01": "normal", "02": "strong"}
VOICES: Final = {"01": "speech", "02": "song"}
_NAME: Final = re.compile(r"\d\d(?:-\d\d){6}")
"""Modality, voice, emotion, intensity, statement, repetition, actor: ``03-01-06-01-02-01-12``."""


class Ravdess:
    """Reads the unpacked archives of sound, in any folder below the given one."""

    dataset = Dataset(
        title="RAVDESS: Ryerson Audio-Visual Database of Emotional Speech and Song",
        licence="CC-BY-NC-SA-4.0",
        citation=(
            "S. R. Livingstone, F. A. Russo: The Ryerson Audio-Visual Database of Emotional Speech "
            "and Song (RAVDESS): A dynamic, multimodal set of facial and vocal expressions in "
            "North American English, PLoS ONE 13(5), 2018, e0196391, "
            "doi 10.1371/journal.pone.0196391."
        ),
        url="https://zenodo.org/records/1188976",
        layout="Actor_<nn>/<seven numbers>.wav, as in Actor_12/03-01-06-01-02-01-12.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the takes, actor by actor; see `cascadence.importing.Importer`."""
        yield from contrast_sets(shelf, self.dataset, self._takes(shelf))

    def _takes(self, shelf: Shelf) -> Iterator[Take | Problem]:
        for path in sounds_in(shelf, "."):
            numbers = path.stem.split("-") if _NAME.fullmatch(path.stem) else [""] * 7
            _, voice, emotion, intensity, statement, repetition, actor = numbers
            known = voice in VOICES and emotion in EMOTIONS and intensity in INTENSITIES
            if not (known and statement in STATEMENTS):
                file = path.relative_to(shelf.source).as_posix()
                yield Problem("warning", file, 0, "", "not a name that RAVDESS uses: left out")
                continue
            yield Take(
                name=f"ravdess-{path.stem}",
                path=path,
                speaker=f"ravdess-{actor}",
                sentence=f"{VOICES[voice]}-{statement}",
                text=STATEMENTS[statement],
                emotion=EMOTIONS[emotion],
                rank=(intensity, repetition),
                tags=(VOICES[voice], f"intensity_{INTENSITIES[intensity]}"),
            )
