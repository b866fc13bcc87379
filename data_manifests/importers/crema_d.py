"""CREMA-D: twelve sentences, said by 91 actors in six emotions.

One sentence is said at three levels of intensity; of its takes, the middle one is in the contrast
set. What listeners heard in a clip is in tables that are not read: the emotion is the intended one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cascadence.conversation import Conversation
from cascadence.data_manifests.importers.acted import Take, contrast_sets, sounds_in
from cascadence.importing import Dataset, Shelf
from cascadence.manifest import Problem

SENTENCES: Final = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
"""What is said, by its code in a file's name."""
EMOTIONS: Final = {
    "ANG": "angry",
    "DIS": "disgusted",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
INTENSITIES: Final = {"XX": "", "X": "", "MD": "medium", "HI": "high", "LO": "low"}
"""In the order in which a contrast set prefers them; XX is unspecified, and written X once."""
_NAME: Final = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})", re.IGNORECASE)
"""Actor, sentence, emotion and intensity, as in ``1001_DFA_ANG_XX``."""


class CremaD:
    """Reads a checkout of the repository."""

    dataset = Dataset(
        title="CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset",
        licence="ODbL-1.0, its contents under the Database Contents License 1.0",
        citation=(
            "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova, R. Verma: CREMA-D: "
            "Crowd-sourced Emotional Multimodal Actors Dataset, IEEE Transactions on Affective "
            "Computing 5(4), 2014, pp. 377-390, doi 10.1109/TAFFC.2014.2336244."
        ),
        url="https://github.com/CheyneyComputerScience/CREMA-D",
        layout="AudioWAV/<actor>_<sentence>_<emotion>_<intensity>.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the takes, sentence by sentence; see `cascadence.importing.Importer`."""
        yield from contrast_sets(shelf, self.dataset, self._takes(shelf))

    def _takes(self, shelf: Shelf) -> Iterator[Take | Problem]:
        for path in sounds_in(shelf, "AudioWAV", "AudioMP3", "."):
            name = _NAME.fullmatch(path.stem)
            actor, sentence, emotion, intensity = (
                [part.upper() for part in name.groups()] if name else [""] * 4
            )
            if not (sentence in SENTENCES and emotion in EMOTIONS and intensity in INTENSITIES):
                file = path.relative_to(shelf.source).as_posix()
                yield Problem("warning", file, 0, "", "not a name that CREMA-D uses: left out")
                continue
            level = INTENSITIES[intensity]
            yield Take(
                name=f"crema_d-{path.stem}",
                path=path,
                speaker=f"crema_d-{actor}",
                sentence=sentence,
                text=SENTENCES[sentence],
                emotion=EMOTIONS[emotion],
                rank=(list(INTENSITIES).index(intensity),),
                tags=(f"intensity_{level}",) if level else (),
            )
