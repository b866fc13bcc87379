"""Makes a corpus out of a plan: renders, checks, and writes what may be shipped.

Every conversation is rendered in one test voice. A clip is kept if its style measures as planned
and the judge ASR hears it (`clip_making`); else it is said again closer to neutral, where its sound
allows that. If that fails too, the whole conversation, or the whole contrast set, is rendered again
in the next voice, and dropped when three voices have failed. What was made, heard and dropped is
written to ``making.jsonl`` beside the manifest.

A judge decides a little differently on another machine, so where ``making.jsonl`` is there, what it
says is done again, unheard (`decisions`): that gives the same corpus. ``--judge`` decides anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import AudioRef, Conversation, Expect, Style, UserTurn
from cascadence.data_manifests.recipes import corpus_files
from cascadence.data_manifests.recipes.clip_making import (
    Clip,
    JudgedClip,
    encode,
    judge_clip,
    render_clip,
)
from cascadence.data_manifests.recipes.corpus_files import MAKING, About
from cascadence.data_manifests.recipes.decisions import Decisions, read_decisions
from cascadence.data_manifests.recipes.planned import Planned, PlannedTurn, Sound, seed_of
from cascadence.data_manifests.recipes.quiet_sounds import quiet_sound
from cascadence.data_manifests.recipes.voices import Voice, voice
from cascadence.errors import CascadenceError

TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one corpus is made.

    Attributes:
        about: what ``corpus.toml`` says.
        seed: part of every seed: a change of it changes everything that is drawn.
        plan: says what is to be made.
        cast: test voices in the order of their turns in conversations.
        contrast_cast: the same for contrast sets.
        annotate: completes a conversation by what only its plan and its clips tell together;
            not called where nobody speaks.
    """

    about: About
    seed: str
    plan: Callable[[], Sequence[Planned]]
    cast: tuple[str, ...]
    contrast_cast: tuple[str, ...]
    annotate: Callable[[Planned, Conversation], Conversation] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One conversation in one voice: its turns up to the first that failed.

    Attributes:
        voice: who speaks.
        turns: as they were planned.
        sounds: as they were rendered in the end.
        clips: one a turn.
        faults: what was wrong with the next one; empty where all may be shipped.
        notes: about every clip that was made, shipped or not.
    """

    voice: Voice
    turns: tuple[PlannedTurn, ...] = ()
    sounds: tuple[Sound, ...] = ()
    clips: tuple[Clip, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[dict[str, Any], ...] = ()


def make(
    recipe: Recipe,
    out: Path,
    work: Path | None = None,
    limit: int | None = None,
    decided: Decisions | None = None,
) -> int:
    """Make a corpus in a folder.

    Args:
        recipe: of the corpus.
        out: the corpus folder.
        work: folder that keeps judged clips between runs.
        limit: only the first so many groups of the plan, for a try.
        decided: what was decided before, to be done again without a judge; a group of which nothing
            is known is judged.

    Returns:
        How many conversations were made.
    """
    (out / "audio").mkdir(parents=True, exist_ok=True)
    for stale in (out / "audio").glob("*.opus"):
        stale.unlink()
    conversations: list[Conversation] = []
    notes: list[dict[str, Any]] = []
    groups = list(_groups(recipe.plan()))[:limit]
    for number, group in enumerate(groups, start=1):
        name = group[0].group or group[0].id
        if decided is not None and name in decided:
            made, about = _again(recipe, group, out, decided), decided.notes(name)
        else:
            made, about = _make_group(recipe, group, out, work)
        conversations += made
        notes += about
        _tell(f"{number}/{len(groups)} {name}: {about[-1]['verdict']}")
    corpus_files.write(out, recipe.about, conversations, notes)
    return len(conversations)


def _groups(planned: Iterable[Planned]) -> Iterator[tuple[Planned, ...]]:
    """Contrast sets whole, everything else alone: what must share a voice."""
    sets: dict[str, list[Planned]] = {}
    for one in planned:
        sets.setdefault(one.group or one.id, []).append(one)
    yield from (tuple(members) for members in sets.values())


def _make_group(
    recipe: Recipe, group: Sequence[Planned], out: Path, work: Path | None
) -> tuple[list[Conversation], list[dict[str, Any]]]:
    if group[0].quiet is not None:
        conversation = _quiet(recipe, group[0], out)
        return [conversation], [{"id": conversation.id, "verdict": "quiet"}]
    turns = [(one, number, turn) for one in group for number, turn in enumerate(one.turns)]
    notes: list[dict[str, Any]] = []
    name = group[0].group or group[0].id
    for speaker in voice_order(recipe, group[0]):
        attempt = _attempt(recipe, speaker, turns, work)
        notes += attempt.notes
        verdict = "; ".join(attempt.faults) or "kept"
        notes.append({"id": name, "voice": speaker.name, "verdict": verdict})
        if not attempt.faults:
            return list(_conversations(recipe, group, attempt, out)), notes
    notes.append({"id": name, "verdict": "dropped"})
    return [], notes


def _again(
    recipe: Recipe, group: Sequence[Planned], out: Path, decided: Decisions
) -> list[Conversation]:
    """Do what was decided of a group."""
    if group[0].quiet is not None:
        return [_quiet(recipe, group[0], out)]
    name = decided.voice(group[0].group or group[0].id)
    if name is None:
        return []
    attempt = Attempt(voice(name))
    for one in group:
        for number, turn in enumerate(one.turns):
            says = attempt.voice if turn.voice is None else voice(turn.voice)
            seed = seed_of(recipe.seed, "clip", one.id, number, says.name)
            sound = decided.sound(one.id, number, says.name, list(_renditions(turn.sound)))
            clip = render_clip(says, turn.text, sound, seed)
            attempt = _with(attempt, turn, sound, clip)
    return list(_conversations(recipe, group, attempt, out))


def _with(attempt: Attempt, turn: PlannedTurn, sound: Sound, clip: Clip) -> Attempt:
    return dataclasses.replace(
        attempt,
        turns=(*attempt.turns, turn),
        sounds=(*attempt.sounds, sound),
        clips=(*attempt.clips, clip),
    )


def voice_order(recipe: Recipe, planned: Planned) -> list[Voice]:
    """Return the voices to try for a conversation, the next in turn first."""
    cast = recipe.cast if planned.group is None else recipe.contrast_cast
    first = planned.draw % len(cast)
    return [voice(name) for name in (cast[first:] + cast[:first])[:TRIES]]


def _attempt(
    recipe: Recipe,
    speaker: Voice,
    turns: Sequence[tuple[Planned, int, PlannedTurn]],
    work: Path | None,
) -> Attempt:
    attempt = Attempt(speaker)
    for one, number, turn in turns:
        says = speaker if turn.voice is None else voice(turn.voice)
        seed = seed_of(recipe.seed, "clip", one.id, number, says.name)
        faults: tuple[str, ...] = ()
        for sound in _renditions(turn.sound):
            try:
                clip = judge_clip(says, turn.text, sound, turn.values, seed, work)
                clip.pauses(sound.pauses)
            except CascadenceError as error:
                faults = (f"turn {number}: {error.what}",)
                continue
            note = _note(one, number, turn, sound, says, clip)
            attempt = dataclasses.replace(attempt, notes=(*attempt.notes, note))
            faults = tuple(f"turn {number}: {fault}" for fault in clip.faults(sound))
            if not faults:
                attempt = _with(attempt, turn, sound, clip)
                break
        if faults:
            return dataclasses.replace(attempt, faults=faults)
    return attempt


def _renditions(sound: Sound) -> Iterator[Sound]:
    """The sound as planned, then, where it may be, closer to neutral."""
    yield sound
    calmer = sound.calmer()
    if calmer is not None:
        yield calmer


def _conversations(
    recipe: Recipe, group: Sequence[Planned], attempt: Attempt, out: Path
) -> Iterator[Conversation]:
    made = iter(zip(attempt.turns, attempt.sounds, attempt.clips, strict=True))
    for one in group:
        turns = []
        licences = {attempt.voice.licence.name: None}
        for number in range(len(one.turns)):
            turn, sound, clip = next(made)
            says = attempt.voice if turn.voice is None else voice(turn.voice)
            licences[says.licence.name] = None
            path = f"audio/{one.id}.{number}.opus"
            turns.append(_turn(path, turn, sound, says, clip, out))
        conversation = Conversation(
            id=one.id,
            tags=(*one.tags, attempt.voice.gender),
            licence=f"Apache-2.0; voice: {', '.join(licences)}",
            source=_source(recipe),
            group=one.group,
            instructions=one.instructions,
            turns=tuple(turns),
        )
        yield conversation if recipe.annotate is None else recipe.annotate(one, conversation)


def _turn(
    path: str, turn: PlannedTurn, sound: Sound, voice: Voice, clip: Clip, out: Path
) -> UserTurn:
    prosody = sound.prosody
    measured = Style(
        rate=prosody.rate,
        pitch=prosody.pitch_st,
        pitch_range=prosody.range_scale,
        loudness=prosody.level_db,
    )
    declared = turn.style.model_dump(exclude_defaults=True)
    return UserTurn(
        text=turn.text,
        audio=_stored(out, path, clip.opus),
        speech_s=clip.spoken.speech_s,
        style=measured.model_copy(update=declared),
        when=turn.when,
        pauses=clip.pauses(sound.pauses),
        expect=turn.expect,
        speaker=voice.name,
    )


def _quiet(recipe: Recipe, planned: Planned, out: Path) -> Conversation:
    """Five seconds of a room in which nobody speaks; the whole clip counts as the turn."""
    assert planned.quiet is not None
    audio = quiet_sound(planned.quiet, seed_of(recipe.seed, "quiet", planned.quiet))
    turn = UserTurn(
        text="",
        audio=_stored(out, f"audio/{planned.id}.0.opus", encode(audio)),
        speech_s=(0.0, audio.duration_s),
        expect=Expect(stay_silent=True),
        speaker=corpus_files.NOBODY,
    )
    return Conversation(
        id=planned.id,
        tags=planned.tags,
        licence="Apache-2.0",
        source=_source(recipe),
        turns=(turn,),
    )


def _source(recipe: Recipe) -> str:
    return f"synthetic speech, recipe {recipe.about.recipe}"


def _stored(out: Path, path: str, data: bytes) -> AudioRef:
    (out / path).write_bytes(data)
    return AudioRef(path=path, sha256=hashlib.sha256(data).hexdigest())


def _note(
    planned: Planned,
    number: int,
    turn: PlannedTurn,
    sound: Sound,
    voice: Voice,
    clip: JudgedClip,
) -> dict[str, Any]:
    """What was measured of one clip, shipped or not."""
    return {
        "id": planned.id,
        "turn": number,
        "voice": voice.name,
        "text": turn.text,
        "heard": clip.hearing.text,
        "words": clip.hearing.words,
        "errors": clip.hearing.errors,
        "lost": list(clip.hearing.lost),
        "dose": {name: round(value, 3) for name, value in dataclasses.asdict(clip.dose).items()},
        "style": dataclasses.asdict(sound.prosody),
        "verdict": "; ".join(clip.faults(sound)) or "ok",
    }


def _tell(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def main(recipe: Recipe) -> None:
    """Read the command line and make the corpus."""
    name = recipe.about.name
    parser = argparse.ArgumentParser(description=f"Makes the corpus {name!r}.")
    here = Path(__file__).resolve().parent.parent / name
    parser.add_argument("--out", type=Path, default=here, help="corpus folder")
    parser.add_argument("--work", type=Path, help="keeps judged clips between runs")
    parser.add_argument("--judge", action="store_true", help=f"decide anew, whatever {MAKING} says")
    parser.add_argument("--limit", type=int, help="only so many conversations or sets")
    options = parser.parse_args()
    before = options.out / MAKING
    decided = None if options.judge or not before.exists() else read_decisions(before)
    count = make(recipe, options.out, options.work, options.limit, decided)
    _tell(f"{count} conversations in {options.out}")
