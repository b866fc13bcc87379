"""What corpora of acted emotions share: one speaker says one sentence in several ways.

Such takes are a contrast set: the words and the voice stay, and only the style differs. A set has
one take an emotion, and at least two emotions; further takes of an emotion are imported without a
group, with the tag `OTHER_TAKE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from cascadence.audio import Audio
from cascadence.conversation import AudioRef, Conversation, Span, Style, UserTurn
from cascadence.data_manifests.importers.questions import (
    attempt,
    identifier,
    measured_span,
    natural,
    sound_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

OTHER_TAKE: Final = "other_take"
"""Tag of a take that is in no contrast set because another take of its emotion is."""
_SOUNDS: Final = (".wav", ".flac", ".mp3")


@dataclass(frozen=True, slots=True)
class Take:
    """One recording of one sentence.

    Attributes:
        name: the conversation's id.
        path: of the sound, in the dataset's folder.
        speaker: who says it.
        sentence: a short name of the words, part of the contrast set's name.
        text: the words.
        emotion: how they are said.
        rank: of several takes of one emotion, the one with the least is in the contrast set.
        tags: kinds that it belongs to.
        speech_s: start and end of the speech, if the dataset tells them; an end that lies after the
            clip's own is measured.
        split: what it may be used for.
        language: BCP 47.
    """

    name: str
    path: Path
    speaker: str
    sentence: str
    text: str
    emotion: str
    rank: tuple[Any, ...] = ()
    tags: tuple[str, ...] = ()
    speech_s: Span | None = None
    split: Literal["train", "dev", "test"] = "test"
    language: str = "en"


def sounds_in(shelf: Shelf, *folders: str) -> list[Path]:
    """List the sound files below the first of some folders that is there, in natural order.

    Args:
        shelf: of the import.
        folders: in the dataset's folder; ``.`` is that folder itself.

    Raises:
        BadDataset: there is no such folder, or no sound in it.
    """
    wanted = " or ".join(folder for folder in folders if folder != ".")
    for folder in folders:
        place = shelf.source / folder
        if place.is_dir() and place.resolve().is_relative_to(shelf.source):
            found = [path for path in place.rglob("*") if _is_sound(path)]
            if found:
                return sorted(found, key=natural)
    raise BadDataset(f"no sound files in {wanted or 'it'}", where=str(shelf.source))


def contrast_sets(
    shelf: Shelf, dataset: Dataset, takes: Iterable[Take | Problem]
) -> Iterator[Conversation | Problem]:
    """Yield all takes as conversations of one turn, set by set, and problems as they come.

    Args:
        shelf: of the import.
        dataset: that they come from.
        takes: of all speakers; only their names are held, sounds are read set by set.
    """
    sets: dict[tuple[str, str, str], dict[str, list[Take]]] = {}
    names: set[str] = set()
    for take in takes:
        if isinstance(take, Problem):
            yield take
        elif take.name in names:
            file = take.path.relative_to(shelf.source).as_posix()
            yield Problem("warning", file, 0, "", f"there is another {take.path.name}: left out")
        else:
            names.add(take.name)
            wordings = sets.setdefault((take.speaker, take.sentence, take.split), {})
            wordings.setdefault(plain_words(take.text), []).append(take)
    for (speaker, sentence, split), wordings in sets.items():
        for number, members in enumerate(wordings.values()):
            # A typing error in one of the transcripts must not put other words into the set.
            unlike = f"w{number + 1}" if number else ""
            group = identifier(speaker, sentence, "" if split == "test" else split, unlike)
            yield from _one_set(shelf, dataset, members, group)


def plain_words(text: str) -> str:
    """Return the words of a text as contrast sets compare them: without case and punctuation."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def _one_set(
    shelf: Shelf, dataset: Dataset, members: Sequence[Take], group: str
) -> Iterator[Conversation | Problem]:
    usable: dict[str, UserTurn] = {}
    for take in members:
        file = take.path.relative_to(shelf.source).as_posix()
        turn = attempt(file, partial(_turn, shelf, take))
        if isinstance(turn, Problem):
            yield turn
        else:
            usable[take.name] = turn
    chosen: dict[str, Take] = {}
    for take in members:
        best = chosen.get(take.emotion)
        if take.name in usable and (best is None or take.rank < best.rank):
            chosen[take.emotion] = take
    for take in members:
        if take.name in usable:
            in_set = chosen[take.emotion] is take
            yield Conversation(
                id=take.name,
                language=take.language,
                tags=take.tags if in_set else (*take.tags, OTHER_TAKE),
                licence=dataset.licence,
                source=dataset.url,
                split=take.split,
                group=group if in_set and len(chosen) > 1 else None,
                turns=(usable[take.name],),
            )


def _turn(shelf: Shelf, take: Take) -> UserTurn:
    path = shelf.clip(take.path)
    # Some corpora hold a few stereo files; both channels are of the same microphone.
    audio = sound_of(shelf, path, channel=0)
    return UserTurn(
        text=take.text,
        audio=AudioRef(path=path, channel=0 if _channels(shelf.folder / path) > 1 else None),
        speech_s=_speech_s(take, audio),
        style=Style(emotion=take.emotion, label=take.emotion),
        speaker=take.speaker,
    )


def _speech_s(take: Take, audio: Audio) -> Span:
    if take.speech_s is None:
        return measured_span(audio)
    start_s, end_s = take.speech_s
    return (start_s, end_s) if end_s <= audio.duration_s else (start_s, measured_span(audio)[1])


def _channels(path: Path) -> int:
    import soundfile

    return int(soundfile.info(str(path)).channels)


def _is_sound(path: Path) -> bool:
    # macOS leaves a shadow file beside each file of an archive.
    return path.suffix.lower() in _SOUNDS and not path.name.startswith("._")
