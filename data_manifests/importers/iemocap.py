"""IEMOCAP: dialogues of two actors, improvised and from scripts, a file an utterance.

Whoever speaks first is the user. What the other one answered is the reference reply; where the user
speaks on, nothing is declared. The emotion is what most annotators heard (``xxx``: no majority).
Boundaries come from the forced alignment where there is one for the utterance, else they are
measured. Utterances of speakers whom the corpus does not name (``..._XX000``) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cascadence.audio import Audio
from cascadence.clip import BadClip, file_inside
from cascadence.conversation import AudioRef, Conversation, Expect, Span, Style, UserTurn
from cascadence.data_manifests.importers.questions import (
    attempt,
    identifier,
    measured_span,
    natural,
    sound_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

EMOTIONS: Final = {
    "ang": "angry",
    "hap": "happy",
    "exc": "excited",
    "sad": "sad",
    "neu": "neutral",
    "fru": "frustrated",
    "fea": "fearful",
    "sur": "surprised",
    "dis": "disgusted",
}
"""By the code of the evaluation; ``oth`` and ``xxx`` name none."""
_UTTERANCE: Final = re.compile(
    r"((Ses\d\d[FM]_\w+?)_([FM])(\d+\w*))\s*\[(\d+(?:\.\d*)?)\s*-\s*(\d+(?:\.\d*)?)\]\s*:?\s*(.*)"
)
"""A line of a transcription: ``Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.``"""
_EVALUATED: Final = re.compile(r"\[[\d.]+\s*-\s*[\d.]+\]\s+(\w+)\s+([a-z]{3})\b")
"""A heading of an evaluation: ``[6.2901 - 8.2357]  Ses01F_impro01_F000  neu  [2.5, 2.5, 2.5]``."""
_ALIGNED: Final = re.compile(r"\s*(\d+)\s+(\d+)\s+-?\d+\s+(\S+)")
"""A word of an alignment: first frame, last frame, score, word."""
_ALIGNMENT_FRAME_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Utterance:
    """A line of a transcription, in the order in which they start."""

    start_s: float
    name: str
    dialogue: str
    speaker: str
    text: str


class Iemocap:
    """Reads the unpacked release."""

    dataset = Dataset(
        title="IEMOCAP: Interactive Emotional Dyadic Motion Capture Database",
        licence="for non-commercial research only, after signing its licence; not to be passed on",
        citation=(
            "C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee, "
            "S. S. Narayanan: IEMOCAP: Interactive emotional dyadic motion capture database, "
            "Language Resources and Evaluation 42(4), 2008, pp. 335-359, "
            "doi 10.1007/s10579-008-9076-6."
        ),
        url="https://sail.usc.edu/iemocap/",
        layout="Session<n>/dialog/transcriptions/*.txt and Session<n>/sentences/wav/*/*.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the dialogues, session by session; see `cascadence.importing.Importer`."""
        tables = [
            path
            for path in shelf.source.glob("**/Session*/dialog/transcriptions/*.txt")
            if not path.name.startswith(".")
        ]
        if not tables:
            raise BadDataset("no Session*/dialog/transcriptions", where=str(shelf.source))
        for table in sorted(tables, key=natural):
            yield from self._dialogue(shelf, table)

    def _dialogue(self, shelf: Shelf, table: Path) -> Iterator[Conversation | Problem]:
        file = _relative(shelf, table)
        said: list[_Utterance] = []
        for row in _utterances(shelf, file):
            if isinstance(row, Problem):
                yield row
            else:
                said.append(row)
        if not said:
            yield Problem("error", file, 0, "", "no utterance in it")
            return
        said.sort(key=lambda one: (one.start_s, one.name))
        session = table.parents[2]
        emotions = _emotions(shelf, session / "dialog" / "EmoEvaluation" / table.name)
        if isinstance(emotions, Problem):
            yield emotions
            emotions = {}
        turns = []
        for turn in _turns(shelf, session, said, emotions):
            if isinstance(turn, Problem):
                yield turn
            else:
                turns.append(turn)
        if not turns:
            yield Problem("error", file, 0, "", "nothing of what the first speaker says is usable")
            return
        kind = "scripted" if "script" in table.stem else "improvised"
        yield Conversation(
            id=identifier("iemocap", table.stem),
            tags=(kind, session.name.lower()),
            licence=self.dataset.licence,
            source=self.dataset.url,
            turns=tuple(turns),
        )


def _utterances(shelf: Shelf, file: str) -> Iterator[_Utterance | Problem]:
    try:
        lines = _lines(shelf, file)
    except BadClip as error:
        yield Problem("error", file, 0, "", error.what)
        return
    for number, line in enumerate(lines, start=1):
        found = _UTTERANCE.match(line.strip())
        if found is not None and found.group(7).strip():
            name, dialogue, speaker, _, start_s, _, text = found.groups()
            voice = f"iemocap-{dialogue[:5]}{speaker}"
            yield _Utterance(float(start_s), name, dialogue, voice, text.strip())
        elif line.strip():
            # Notes of the transcribers, and speech outside of the cut utterances.
            what = f"no utterance that has a file: {line.strip()[:60]!r}"
            yield Problem("warning", file, number, "", what)


def _turns(
    shelf: Shelf, session: Path, said: Sequence[_Utterance], emotions: Mapping[str, str]
) -> Iterator[UserTurn | Problem]:
    user = said[0].speaker
    for place, one in enumerate(said):
        if one.speaker != user:
            continue
        answer: list[str] = []
        for other in said[place + 1 :]:
            if other.speaker == user:
                break
            answer.append(other.text)
        reply, emotion = " ".join(answer) or None, emotions.get(one.name)
        wav = session / "sentences" / "wav" / one.dialogue / f"{one.name}.wav"

        def make(
            one: _Utterance = one,
            wav: Path = wav,
            reply: str | None = reply,
            emotion: str | None = emotion,
        ) -> UserTurn:
            path = shelf.clip(wav)
            audio = sound_of(shelf, path)
            return UserTurn(
                text=one.text,
                audio=AudioRef(path=path),
                speech_s=_aligned(shelf, session, one, audio) or measured_span(audio),
                style=Style(emotion=emotion),
                expect=Expect(reply_text=reply),
                speaker=one.speaker,
            )

        yield attempt(_relative(shelf, wav), make)


def _emotions(shelf: Shelf, path: Path) -> Mapping[str, str] | Problem:
    """Return the emotion of each utterance on whose emotion a majority agreed."""
    file = _relative(shelf, path)
    try:
        headings = [_EVALUATED.match(line) for line in _lines(shelf, file)]
    except BadClip as error:
        return Problem("warning", file, 0, "", f"{error.what}: emotions stay unknown")
    return {
        found.group(1): EMOTIONS[found.group(2)]
        for found in headings
        if found is not None and found.group(2) in EMOTIONS
    }


def _aligned(shelf: Shelf, session: Path, one: _Utterance, audio: Audio) -> Span | None:
    """Return the start of the first word and the end of the last, if they were aligned."""
    place = session / "sentences" / "ForcedAlignment" / one.dialogue / f"{one.name}.wdseg"
    try:
        rows = [_ALIGNED.match(line) for line in _lines(shelf, _relative(shelf, place))]
    except BadClip:
        return None
    words = [row for row in rows if row is not None and not row.group(3).startswith(("<", "++"))]
    if not words:
        return None
    start_s = int(words[0].group(1)) * _ALIGNMENT_FRAME_S
    end_s = min((int(words[-1].group(2)) + 1) * _ALIGNMENT_FRAME_S, audio.duration_s)
    return (round(start_s, 4), round(end_s, 4)) if start_s < end_s else None


def _lines(shelf: Shelf, file: str) -> list[str]:
    """Return a text file's lines.

    Raises:
        BadClip: it is missing, or leads out of the dataset's folder.
    """
    data = file_inside(shelf.source, file).read_bytes()
    return data.decode("utf-8-sig", "replace").splitlines()


def _relative(shelf: Shelf, path: Path) -> str:
    return path.relative_to(shelf.source).as_posix()
