"""EmoDB: ten German sentences, said by ten actors in seven emotions.

The words, the speaker and the emotion are in a file's name. Where a ``labels.csv`` with the columns
``file``, ``speech_start_s`` and ``speech_end_s`` lies beside the sound, the boundaries are taken
from there; otherwise they are measured. The database's own label files are not read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cascadence.clip import BadClip, file_inside
from cascadence.conversation import Conversation, Span
from cascadence.data_manifests.importers.acted import Take, contrast_sets, sounds_in
from cascadence.data_manifests.importers.questions import BadItem, span_of
from cascadence.importing import Dataset, Shelf
from cascadence.manifest import Problem

LABELS: Final = "labels.csv"
SENTENCES: Final = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute Abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es so weit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
"""What is said, by its code in a file's name."""
EMOTIONS: Final = {
    "W": "angry",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
"""By the first letter of the German word: Wut, Langeweile, Ekel, Angst, Freude, Trauer."""
_NAME: Final = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z]?)", re.IGNORECASE)
"""Speaker, sentence, emotion and take, as in ``03a01Fa``."""


class EmoDb:
    """Reads the unpacked archive, or ``audio/`` with ``labels.csv``."""

    dataset = Dataset(
        title="Berlin Database of Emotional Speech (EmoDB)",
        licence="free for research, by its authors; the edition of audEERING is CC0-1.0",
        citation=(
            "F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier, B. Weiss: A Database of "
            "German Emotional Speech, Interspeech 2005, pp. 1517-1520."
        ),
        url="http://emodb.bilderbar.info",
        layout="wav/<speaker><sentence><emotion><take>.wav, as in wav/03a01Fa.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the takes, sentence by sentence; see `cascadence.importing.Importer`."""
        yield from contrast_sets(shelf, self.dataset, self._takes(shelf))

    def _takes(self, shelf: Shelf) -> Iterator[Take | Problem]:
        told: dict[str, Span] = {}
        for row in _spans(shelf):
            if isinstance(row, Problem):
                yield row
            else:
                told |= row
        for path in sounds_in(shelf, "wav", "audio", "wav_corpus", "wav_laryng", "."):
            name = _NAME.fullmatch(path.stem)
            file = path.relative_to(shelf.source).as_posix()
            if name is None or name.group(2).lower() not in SENTENCES:
                yield Problem("warning", file, 0, "", "not a name that EmoDB uses: left out")
                continue
            speaker, sentence, emotion, take = name.groups()
            yield Take(
                name=f"emodb-{path.stem}",
                path=path,
                speaker=f"emodb-{speaker}",
                sentence=sentence.lower(),
                text=SENTENCES[sentence.lower()],
                emotion=EMOTIONS[emotion.upper()],
                rank=(take.lower(),),
                speech_s=told.get(path.stem.lower()),
                language="de",
            )


def _spans(shelf: Shelf) -> Iterator[dict[str, Span] | Problem]:
    """Yield the boundaries that ``labels.csv`` tells, by the file's name without its ending."""
    if not (shelf.source / LABELS).exists():
        return
    try:
        table = file_inside(shelf.source, LABELS).read_text(encoding="utf-8-sig", errors="replace")
        rows: list[Mapping[str, str | None]] = list(csv.DictReader(table.splitlines()))
    except (BadClip, OSError, csv.Error) as error:
        yield Problem("warning", LABELS, 0, "", f"{error}: boundaries are measured instead")
        return
    for line, row in enumerate(rows, start=2):
        try:
            start_s, end_s = (
                float(row.get(column) or "") for column in ("speech_start_s", "speech_end_s")
            )
            yield {Path(row.get("file") or "").stem.lower(): span_of((start_s, end_s))}
        except (ValueError, BadItem):
            what = "no start and end of speech: measured instead"
            yield Problem("warning", LABELS, line, "speech_start_s", what)
