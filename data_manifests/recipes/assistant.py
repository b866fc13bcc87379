"""Makes the corpus `assistant`: ``python -m cascadence.data_manifests.recipes.assistant``.

Every conversation is rendered in one test voice. A clip is kept if its style measures as planned
and the judge ASR hears it (`clip_making`); else it is said again closer to neutral (not in contrast
sets, whose styles are fixed). If that fails too, the whole conversation, or the whole contrast set,
is rendered again in the next voice, and dropped when three voices have failed. What was made, heard
and dropped is written to ``making.jsonl`` beside the manifest.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import (
    AfterReply,
    AudioRef,
    Conversation,
    Expect,
    Style,
    UserTurn,
)
from cascadence.data_manifests.recipes import corpus_files
from cascadence.data_manifests.recipes.assistant_plan import (
    CAST,
    CONTRAST_CAST,
    REPLY_STYLES,
    Planned,
    PlannedTurn,
    plan,
    seed_of,
)
from cascadence.data_manifests.recipes.clip_making import Clip, encode, make_clip
from cascadence.data_manifests.recipes.quiet_sounds import quiet_sound
from cascadence.data_manifests.recipes.voices import Prosody, Voice, voice
from cascadence.errors import CascadenceError

TRIES: Final = 3
SOURCE: Final = "synthetic speech, recipe cascadence.data_manifests.recipes.assistant"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One conversation in one voice: its turns up to the first that failed.

    Attributes:
        voice: who speaks.
        turns: as they were rendered in the end.
        clips: one a turn.
        faults: what was wrong with the next one; empty where all may be shipped.
        notes: about every clip that was made, shipped or not.
    """

    voice: Voice
    turns: tuple[PlannedTurn, ...]
    clips: tuple[Clip, ...]
    faults: tuple[str, ...]
    notes: tuple[dict[str, Any], ...]


def make(out: Path, work: Path | None, limit: int | None = None) -> int:
    """Make the corpus in a folder.

    Args:
        out: the corpus folder.
        work: folder that keeps finished clips between runs.
        limit: only the first so many groups of the plan, for a try.

    Returns:
        How many conversations were made.
    """
    (out / "audio").mkdir(parents=True, exist_ok=True)
    for stale in (out / "audio").glob("*.opus"):
        stale.unlink()
    conversations: list[Conversation] = []
    notes: list[dict[str, Any]] = []
    groups = list(_groups(plan()))[:limit]
    for number, group in enumerate(groups, start=1):
        made, about = _make_group(group, out, work)
        conversations += made
        notes += about
        _tell(f"{number}/{len(groups)} {group[0].group or group[0].id}: {about[-1]['verdict']}")
    corpus_files.write(out, conversations, notes)
    return len(conversations)


def _groups(planned: Iterable[Planned]) -> Iterator[tuple[Planned, ...]]:
    """Contrast sets whole, everything else alone: what must share a voice."""
    sets: dict[str, list[Planned]] = {}
    for one in planned:
        sets.setdefault(one.group or one.id, []).append(one)
    yield from (tuple(members) for members in sets.values())


def _make_group(
    group: Sequence[Planned], out: Path, work: Path | None
) -> tuple[list[Conversation], list[dict[str, Any]]]:
    if group[0].quiet is not None:
        conversation = _quiet(group[0], out)
        return [conversation], [{"id": conversation.id, "verdict": "quiet"}]
    turns = [(one, number, turn) for one in group for number, turn in enumerate(one.turns)]
    notes: list[dict[str, Any]] = []
    name = group[0].group or group[0].id
    for speaker in voice_order(group[0]):
        attempt = _attempt(speaker, turns, work)
        notes += attempt.notes
        verdict = "; ".join(attempt.faults) or "kept"
        notes.append({"id": name, "voice": speaker.name, "verdict": verdict})
        if not attempt.faults:
            return list(_conversations(group, attempt, out)), notes
    notes.append({"id": name, "verdict": "dropped"})
    return [], notes


def voice_order(planned: Planned) -> list[Voice]:
    """Return the voices to try for a conversation, the next in turn first."""
    cast = CAST if planned.group is None else CONTRAST_CAST
    first = planned.draw % len(cast)
    return [voice(name) for name in (cast[first:] + cast[:first])[:TRIES]]


def _attempt(
    speaker: Voice, turns: list[tuple[Planned, int, PlannedTurn]], work: Path | None
) -> Attempt:
    attempt = Attempt(speaker, (), (), (), ())
    for one, number, planned in turns:
        faults: tuple[str, ...] = ()
        for turn in _renditions(planned):
            seed = seed_of("clip", one.id, number, speaker.name)
            values = dict(turn.line.expect_slots)
            try:
                clip = make_clip(speaker, turn.line.text, turn.prosody, values, seed, work)
            except CascadenceError as error:
                faults = (f"turn {number}: {error.what}",)
                continue
            note = _note(one, number, turn, speaker, clip)
            attempt = dataclasses.replace(attempt, notes=(*attempt.notes, note))
            faults = tuple(f"turn {number}: {fault}" for fault in clip.faults(turn.prosody))
            if not faults:
                turns_so_far, clips = (*attempt.turns, turn), (*attempt.clips, clip)
                attempt = dataclasses.replace(attempt, turns=turns_so_far, clips=clips)
                break
        if faults:
            return dataclasses.replace(attempt, faults=faults)
    return attempt


def _renditions(turn: PlannedTurn) -> tuple[PlannedTurn, ...]:
    """The turn as planned, then, unless a contrast set needs its style, closer to neutral."""
    if turn.label is not None:
        return (turn,)
    style = turn.prosody
    calmer = Prosody(
        rate=round(min(1.0, 0.5 + 0.5 * style.rate), 3),
        pitch_st=round(style.pitch_st / 3.0, 1),
        range_scale=round(0.5 + 0.5 * style.range_scale, 3),
        level_db=round(style.level_db / 2.0, 1),
    )
    return (turn, dataclasses.replace(turn, prosody=calmer))


def _conversations(group: Sequence[Planned], attempt: Attempt, out: Path) -> Iterator[Conversation]:
    made = iter(zip(attempt.turns, attempt.clips, strict=True))
    for one in group:
        turns = []
        for number in range(len(one.turns)):
            turn, clip = next(made)
            path = f"audio/{one.id}.{number}.opus"
            turns.append(_turn(path, turn, attempt.voice, clip, out))
        yield Conversation(
            id=one.id,
            tags=(*one.tags, attempt.voice.gender),
            licence=f"Apache-2.0; voice: {attempt.voice.licence.name}",
            source=SOURCE,
            group=one.group,
            turns=tuple(turns),
        )


def _turn(path: str, turn: PlannedTurn, voice: Voice, clip: Clip, out: Path) -> UserTurn:
    prosody, line = turn.prosody, turn.line
    return UserTurn(
        text=line.text,
        audio=_stored(out, path, clip.opus),
        speech_s=clip.spoken.speech_s,
        style=Style(
            rate=prosody.rate,
            pitch=prosody.pitch_st,
            pitch_range=prosody.range_scale,
            loudness=prosody.level_db,
            label=turn.label,
        ),
        when=AfterReply(gap_s=turn.gap_s),
        expect=Expect(
            slots=line.expect_slots,
            reply_text=line.reply,
            reply_style=None if turn.label is None else REPLY_STYLES[turn.label],
        ),
        speaker=voice.name,
    )


def _quiet(planned: Planned, out: Path) -> Conversation:
    """Five seconds of a room in which nobody speaks; the whole clip counts as the turn."""
    assert planned.quiet is not None
    audio = quiet_sound(planned.quiet, seed_of("quiet", planned.quiet))
    turn = UserTurn(
        text="",
        audio=_stored(out, f"audio/{planned.id}.0.opus", encode(audio)),
        speech_s=(0.0, audio.duration_s),
        expect=Expect(stay_silent=True),
        speaker=corpus_files.NOBODY,
    )
    return Conversation(
        id=planned.id, tags=planned.tags, licence="Apache-2.0", source=SOURCE, turns=(turn,)
    )


def _stored(out: Path, path: str, data: bytes) -> AudioRef:
    (out / path).write_bytes(data)
    return AudioRef(path=path, sha256=hashlib.sha256(data).hexdigest())


def _note(
    planned: Planned, number: int, turn: PlannedTurn, voice: Voice, clip: Clip
) -> dict[str, Any]:
    """What was measured of one clip, shipped or not."""
    return {
        "id": planned.id,
        "turn": number,
        "voice": voice.name,
        "text": turn.line.text,
        "heard": clip.hearing.text,
        "words": clip.hearing.words,
        "errors": clip.hearing.errors,
        "lost": list(clip.hearing.lost),
        "dose": {name: round(value, 3) for name, value in dataclasses.asdict(clip.dose).items()},
        "style": dataclasses.asdict(turn.prosody),
        "verdict": "; ".join(clip.faults(turn.prosody)) or "ok",
    }


def _tell(message: str) -> None:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def main() -> None:
    """Read the command line and make the corpus."""
    parser = argparse.ArgumentParser(description="Makes the corpus 'assistant'.")
    here = Path(__file__).resolve().parent.parent / "assistant"
    parser.add_argument("--out", type=Path, default=here, help="corpus folder")
    parser.add_argument("--work", type=Path, help="keeps finished clips between runs")
    parser.add_argument("--limit", type=int, help="only so many conversations or sets")
    options = parser.parse_args()
    count = make(options.out, options.work, options.limit)
    _tell(f"{count} conversations in {options.out}")


if __name__ == "__main__":
    main()
