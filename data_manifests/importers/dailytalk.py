"""DailyTalk: 2,541 two-person dialogues, read by two speakers, a file an utterance.

Whoever speaks first is the user. What the other one answered is the reference reply; where the user
has the last word, nothing is declared for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cascadence.clip import file_inside
from cascadence.conversation import AudioRef, Conversation, Expect, Style, UserTurn
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    measured_span,
    natural,
    read_json,
    sound_of,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

_NAME: Final = re.compile(r"(\d+)_(\d+)_d(\d+)$")
"""Utterance, speaker and dialogue, as in ``0_1_d23.wav``."""
_NO_EMOTION: Final = ("none", "no emotion", "neutral")


@dataclass(frozen=True, slots=True)
class _Utterance:
    index: int
    speaker: str
    wav: Path


class DailyTalk:
    """Reads the unpacked archive."""

    dataset = Dataset(
        title="DailyTalk",
        licence="CC-BY-SA-4.0, for academic use",
        citation=(
            "K. Lee, K. Park, D. Kim: DailyTalk: Spoken Dialogue Dataset for Conversational "
            "Text-to-Speech, ICASSP 2023, arXiv 2207.01063."
        ),
        url="https://github.com/keonlee9420/DailyTalk",
        layout="data/<dialogue>/<utterance>_<speaker>_d<dialogue>.wav with .txt, metadata.json",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the dialogues by number; see `cascadence.importing.Importer`."""
        inside = shelf.source / "data"
        folder = inside if inside.is_dir() else shelf.source
        dialogues = [path for path in folder.iterdir() if path.is_dir() and path.name.isdecimal()]
        if not dialogues:
            raise BadDataset("no numbered folders in data/", where=str(shelf.source))
        told = self._metadata(shelf)
        if isinstance(told, Problem):
            yield told
            told = {}
        for dialogue in sorted(dialogues, key=natural):
            file = dialogue.relative_to(shelf.source).as_posix()
            about = told.get(dialogue.name)

            def make(dialogue: Path = dialogue, about: object = about) -> Conversation:
                return self._conversation(shelf, dialogue, about)

            yield attempt(file, make)

    def _metadata(self, shelf: Shelf) -> Mapping[str, object] | Problem:
        found = attempt("metadata.json", lambda: read_json(shelf, shelf.source / "metadata.json"))
        if isinstance(found, Problem):
            what = f"{found.what}: emotions stay unknown"
            return Problem("warning", found.file, 0, "", what, found.mend)
        return found if isinstance(found, Mapping) else {}

    def _conversation(self, shelf: Shelf, folder: Path, about: object) -> Conversation:
        utterances = _utterances(folder)
        user = utterances[0].speaker
        turns = []
        for utterance, following in zip(utterances, [*utterances[1:], None], strict=False):
            if utterance.speaker != user:
                continue
            answered = following is not None and following.speaker != user
            reply = _text(shelf, following) if following is not None and answered else None
            turns.append(_turn(shelf, utterance, about, reply))
        return Conversation(
            id=identifier("dailytalk", folder.name),
            licence=self.dataset.licence,
            source=self.dataset.url,
            turns=tuple(turns),
        )


def _utterances(folder: Path) -> list[_Utterance]:
    """List a dialogue's utterances in order.

    Raises:
        BadItem: there is none, or one is missing between others: the dialogue makes no sense then.
    """
    found = []
    for wav in folder.iterdir():
        name = _NAME.match(wav.stem)
        if name and wav.suffix.lower() == ".wav":
            found.append(_Utterance(int(name.group(1)), name.group(2), wav))
    found.sort(key=lambda utterance: utterance.index)
    if not found:
        raise BadItem("no <utterance>_<speaker>_d<dialogue>.wav")
    indices = [utterance.index for utterance in found]
    if indices != list(range(len(found))):
        missing = sorted(set(range(max(indices) + 1)) - set(indices))
        raise BadItem(
            f"utterances are missing: {', '.join(map(str, missing)) or 'one comes twice'}"
        )
    return found


def _turn(shelf: Shelf, utterance: _Utterance, about: object, reply: str | None) -> UserTurn:
    path = shelf.clip(utterance.wav)
    told = about.get(str(utterance.index)) if isinstance(about, Mapping) else None
    emotion = text_of(told, "emotion", "").lower() if isinstance(told, Mapping) else ""
    return UserTurn(
        text=_text(shelf, utterance),
        audio=AudioRef(path=path),
        speech_s=measured_span(sound_of(shelf, path)),
        style=Style(emotion=_plain_emotion(emotion)),
        expect=Expect(reply_text=reply),
        speaker=f"dailytalk-{utterance.speaker}",
    )


def _plain_emotion(label: str) -> str | None:
    """Return the label that a corpus uses; DailyDialog writes "no emotion" in several ways."""
    if not label:
        return None
    return "neutral" if label in _NO_EMOTION else label


def _text(shelf: Shelf, utterance: _Utterance) -> str:
    """Return an utterance's words, from the first line of the file beside its sound.

    Raises:
        BadItem: it is empty.
        BadClip: it is missing.
    """
    place = utterance.wav.with_suffix(".txt").relative_to(shelf.source).as_posix()
    lines = (
        file_inside(shelf.source, place).read_bytes().decode("utf-8-sig", "replace").splitlines()
    )
    text = " ".join(lines[0].split()) if lines else ""
    if not text:
        raise BadItem("no words", where=place)
    return text
