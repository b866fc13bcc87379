"""Checks a corpus before anybody spends an hour on it: every problem with file, line and field.

The quick check reads ``corpus.toml`` and the manifest. The check with audio also reads and hashes
every clip, compares the annotated boundaries with what is audible (`cascadence.audio`), and looks
for levels, clipping, and the same sound in several splits.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from cascadence.audio import AUDIBLE_DBFS, Audio, audible_runs, frame_levels_dbfs
from cascadence.clip import BadClip, file_sha256
from cascadence.conversation import Conversation, UserTurn
from cascadence.corpus import INFO, BadCorpus, Corpus, CorpusInfo, clip_problem
from cascadence.manifest import MANIFEST, BadLine
from cascadence.manifest import Problem as Problem

FULL_SCALE: Final = 0.999
"""A sample at or above this magnitude is at full scale, whatever the file's word length."""
MOST_CLIPPED: Final = 0.001
"""Share of the speech's samples at full scale that is still let through."""
LOWEST_DBFS: Final = -60.0
HIGHEST_DBFS: Final = -3.0
SILENT_PEAK: Final = 2.0**-13
"""A clip that never exceeds four steps of 16 bits holds dither, not speech."""
BOUNDARY_TOLERANCE_S: Final = 0.060


def validate(
    corpus: Corpus, audio: bool = False, done: Callable[[int, int], None] | None = None
) -> Iterator[Problem]:
    """Yield everything that is wrong with a corpus, as it is found; the files are read anew.

    Args:
        corpus: to check.
        audio: whether to read the clips too.
        done: told after each conversation how many of how many are checked.
    """
    corpus = Corpus(corpus.path, corpus.name)
    info, info_problems = _read_info(corpus)
    yield from info_problems
    voices = info.voices if info is not None else {}
    try:
        entries = corpus.index()
    except BadCorpus as error:
        yield Problem("error", MANIFEST, 0, "", error.what, error.mend)
        return
    yield from corpus.problems
    if not entries:
        yield Problem("error", MANIFEST, 0, "", "holds no conversation")
    whole = all(problem.severity == "warning" for problem in corpus.problems)
    seen = _Seen()
    for count, entry in enumerate(entries, start=1):
        try:
            conversation = corpus.conversation(entry.id)
        except BadLine as error:
            whole = False
            yield from error.problems
        else:
            line = _Line(entry.line)
            yield from _conversation_problems(conversation, line, voices, seen)
            yield from _text_leaks(conversation, line, seen)
            if audio:
                yield from _clip_problems(corpus, conversation, line, seen)
            else:
                yield from _declared_leaks(conversation, line, seen)
        if done is not None:
            done(count, len(entries))
    yield from _summaries(seen)
    # A line that cannot be read may name files too: only a whole manifest tells what is left over.
    if audio and whole:
        yield from _left_over(corpus.path, seen.files)


@dataclass(frozen=True, slots=True)
class _Line:
    """Makes the problems of one line."""

    number: int

    def error(self, field: str, what: str, mend: str = "") -> Problem:
        return Problem("error", MANIFEST, self.number, field, what, mend)

    def warning(self, field: str, what: str, mend: str = "") -> Problem:
        return Problem("warning", MANIFEST, self.number, field, what, mend)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something was seen first."""

    split: str
    line: int


@dataclass(slots=True)
class _ContrastSet:
    """The first member of a contrast set, and how many there are."""

    line: int
    split: str
    words: tuple[str, ...]
    speakers: tuple[str | None, ...]
    members: int = 1


@dataclass(slots=True)
class _Seen:
    """What has to be compared across lines."""

    texts: dict[bytes, _Place] = field(default_factory=dict)
    sounds: dict[str, _Place] = field(default_factory=dict)
    sets: dict[str, _ContrastSet] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    unhashed: list[tuple[int, str]] = field(default_factory=list)
    speakerless: list[tuple[int, str]] = field(default_factory=list)


def _read_info(corpus: Corpus) -> tuple[CorpusInfo | None, Sequence[Problem]]:
    try:
        info = corpus.info
    except BadLine as error:
        return None, error.problems
    except BadCorpus as error:
        mend = "say title, licence and source"
        return None, [Problem("error", INFO, 0, "", error.what, mend)]
    problems = []
    for name, sha256 in info.hashes.items():
        place = f"hashes.{name}"
        try:
            if file_sha256(corpus.file(name)) != sha256:
                problems.append(Problem("error", INFO, 0, place, "the file has another SHA-256"))
        except BadClip as error:
            problems.append(Problem("error", INFO, 0, place, error.what, error.mend))
    if not info.voices:
        what = "no voice is listed, so nobody can tell their licences"
        problems.append(Problem("warning", INFO, 0, "voices", what, "add [voices.NAME] tables"))
    return info, problems


def _conversation_problems(
    conversation: Conversation, line: _Line, voices: Collection[str], seen: _Seen
) -> Iterator[Problem]:
    for name in ("licence", "source", "language"):
        if not getattr(conversation, name).strip():
            yield line.error(name, f"the {name} is empty")
    for position, turn in enumerate(conversation.turns):
        at = f"turns.{position}"
        seen.files.add(turn.audio.path)
        if turn.audio.sha256 is None:
            seen.unhashed.append((line.number, f"{at}.audio.sha256"))
        if turn.speaker is None and voices:
            seen.speakerless.append((line.number, f"{at}.speaker"))
        elif voices and turn.speaker not in voices:
            what = f"the voice {turn.speaker!r} and its licence are not in {INFO}"
            yield line.error(f"{at}.speaker", what, f"add [voices.{turn.speaker}] to {INFO}")
        yield from _style_problems(turn, at, line)
    if conversation.group is not None:
        yield from _contrast_problems(conversation, conversation.group, line, seen)


def _style_problems(turn: UserTurn, at: str, line: _Line) -> Iterator[Problem]:
    words = len(turn.text.split())
    for place, index in enumerate(turn.style.emphasis):
        if not 0 <= index < words:
            what = f"there is no word {index} in a text of {words} words, counted from 0"
            yield line.error(f"{at}.style.emphasis.{place}", what)
    start_s, end_s = turn.speech_s
    for place, (from_s, to_s) in enumerate(turn.style.hesitations):
        if not start_s <= from_s < to_s <= end_s:
            what = f"{from_s:g} to {to_s:g} s is no span inside the speech"
            yield line.error(f"{at}.style.hesitations.{place}", what)


def _contrast_problems(
    conversation: Conversation, group: str, line: _Line, seen: _Seen
) -> Iterator[Problem]:
    """A contrast set has one wording, one speaker and one split: only the style may differ."""
    words = tuple(_plain(turn.text) for turn in conversation.turns)
    speakers = tuple(turn.speaker for turn in conversation.turns)
    first = seen.sets.get(group)
    if first is None:
        seen.sets[group] = _ContrastSet(line.number, conversation.split, words, speakers)
        return
    first.members += 1
    others = {"words": words, "speakers": speakers, "split": conversation.split}
    different = [name for name, value in others.items() if getattr(first, name) != value]
    if different:
        what = f"contrast set {group!r}: other {', '.join(different)} than on line {first.line}"
        yield line.warning("group", what, "give the conversation another group, or none")


def _text_leaks(conversation: Conversation, line: _Line, seen: _Seen) -> Iterator[Problem]:
    said = [
        (_plain(turn.text), sorted((name, *values) for name, values in turn.expect.slots.items()))
        for turn in conversation.turns
    ]
    key = hashlib.blake2b(json.dumps(said).encode("ascii"), digest_size=16).digest()
    place = seen.texts.setdefault(key, _Place(conversation.split, line.number))
    if place.split != conversation.split:
        what = f"same words and slots as line {place.line}, which is in split {place.split!r}"
        yield line.warning("turns", what, "give splits other words or other slots")


def _declared_leaks(conversation: Conversation, line: _Line, seen: _Seen) -> Iterator[Problem]:
    for position, turn in enumerate(conversation.turns):
        clip = turn.audio
        if clip.sha256 is not None:
            key = f"{clip.sha256}/{clip.start_s}/{clip.end_s}"
            yield from _sound_leak(key, f"turns.{position}.audio", conversation, line, seen)


def _sound_leak(
    key: str, at: str, conversation: Conversation, line: _Line, seen: _Seen
) -> Iterator[Problem]:
    place = seen.sounds.setdefault(key, _Place(conversation.split, line.number))
    if place.split != conversation.split:
        what = f"leak: same sound as line {place.line}, which is in split {place.split!r}"
        yield line.error(at, what, "keep a recording in one split")


def _clip_problems(
    corpus: Corpus, conversation: Conversation, line: _Line, seen: _Seen
) -> Iterator[Problem]:
    for position, turn in enumerate(conversation.turns):
        at = f"turns.{position}"
        try:
            clip = corpus.clip(turn)
        except BadClip as error:
            yield clip_problem(error, line.number, position)
            continue
        yield from _sound_leak(clip.sha256(), f"{at}.audio", conversation, line, seen)
        yield from _level_problems(clip, turn, f"{at}.audio", line)
        yield from _boundary_problems(clip, turn, at, line)


def _level_problems(clip: Audio, turn: UserTurn, at: str, line: _Line) -> Iterator[Problem]:
    peak = float(np.abs(clip.samples).max(initial=0.0))
    if peak < SILENT_PEAK:
        if turn.text.strip():
            yield line.error(at, f"{turn.audio.path}: the clip is silent")
        return
    speech = clip.span(*turn.speech_s)
    # Silence around the speech must not dilute the share.
    clipped = int(np.count_nonzero(np.abs(clip.samples) >= FULL_SCALE)) / max(1, len(speech))
    if clipped > MOST_CLIPPED:
        what = f"{turn.audio.path}: clipped, {clipped:.1%} of the samples are at full scale"
        yield line.error(at, what, "record or render it at a lower level")
    level = _active_dbfs(speech)
    if not LOWEST_DBFS <= level <= HIGHEST_DBFS:
        what = f"{turn.audio.path}: the speech is at {level:.1f} dBFS"
        yield line.warning(at, what, f"bring it to {LOWEST_DBFS:.0f} to {HIGHEST_DBFS:.0f} dBFS")


def _boundary_problems(clip: Audio, turn: UserTurn, at: str, line: _Line) -> Iterator[Problem]:
    runs = audible_runs(clip)
    if not runs:
        if turn.text.strip():
            what = f"{turn.audio.path}: nothing reaches {AUDIBLE_DBFS:.0f} dBFS"
            yield line.warning(f"{at}.audio", what)
        return
    for place, (edge, heard_s) in enumerate((("starts", runs[0][0]), ("ends", runs[-1][1]))):
        said_s = turn.speech_s[place]
        if abs(said_s - heard_s) > BOUNDARY_TOLERANCE_S:
            what = f"speech {edge} at {said_s:.3f} s, but sound {edge} at {heard_s:.3f} s"
            yield line.warning(f"{at}.speech_s.{place}", what, "annotate the audible boundaries")
    for place, pause in enumerate(turn.pauses):
        inside = clip.span(pause.at_s, pause.at_s + pause.duration_s)
        audible_s = sum(end_s - start_s for start_s, end_s in audible_runs(inside))
        if audible_s > BOUNDARY_TOLERANCE_S:
            what = f"{audible_s:.3f} s of the pause are audible"
            yield line.warning(f"{at}.pauses.{place}", what)


def _summaries(seen: _Seen) -> Iterator[Problem]:
    """Problems that many lines share are told once, for the first."""
    for group, members in seen.sets.items():
        if members.members == 1:
            what = f"contrast set {group!r} has one member: there is nothing to compare"
            yield _Line(members.line).warning("group", what)
    for found, what in (
        (seen.unhashed, "clips without a sha256: nobody notices when they change"),
        (seen.speakerless, "turns without a speaker: nobody can tell the voice's licence"),
    ):
        if found:
            line, at = found[0]
            yield _Line(line).warning(at, f"{len(found)} {what}")


def _left_over(folder: Path, named: set[str]) -> Iterator[Problem]:
    named = {str(PurePosixPath(path)) for path in named}
    over = []
    try:
        if not (folder / "audio").resolve().is_relative_to(folder):
            return  # a link to another place, of which nothing is read
    except (OSError, RuntimeError):
        return
    for place, _, names in os.walk(folder / "audio"):
        inside = PurePosixPath(Path(place).relative_to(folder).as_posix())
        over += [str(inside / name) for name in names if str(inside / name) not in named]
    if over:
        what = f"{len(over)} files that no conversation names"
        yield Problem("warning", min(over), 0, "", what, "delete them, or name them")


def _active_dbfs(speech: Audio) -> float:
    """RMS level of the audible frames, or of everything where none is audible, in dBFS."""
    levels = frame_levels_dbfs(speech)
    audible = levels[levels >= AUDIBLE_DBFS]
    power = float(np.mean(10.0 ** ((audible if len(audible) else levels) / 10.0)))
    return 10.0 * math.log10(max(power, 1e-20))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()
