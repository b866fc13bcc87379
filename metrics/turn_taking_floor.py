"""Who has the floor: what the metrics of turn-taking share.

Taking the floor means at least 1 s of speech, or more than 3 words (Full-Duplex-Bench, arXiv
2503.04721). All thresholds of the family sit in `Windows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cascadence.conversation import At, BargeIn
from cascadence.events import Stamped
from cascadence.measurement import Case, Tools
from cascadence.metrics.text import words
from cascadence.metrics.turns import FRAME_S, PlayedView, chunk_at, system_runs_s
from cascadence.recording import REPLY_BRIDGE_S, Recording

_REPLY_ENDS = ("end_of_turn", "clear")
_ROUNDING_S = 1e-6
"""Ends of runs are multiples of 10 ms; their differences are so only up to rounding."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What counts as what.

    Attributes:
        takeover_s: this much speech takes the floor,
        takeover_words: and so do more words than this.
        tolerance_s: an onset this little before the user's end is no cut-off (one frame).
        pause_reaction_s: speech that begins this long after a pause has ended still answers it.
        yield_s: a yield within this time counts in `yield_rate` (arXiv 2603.13686).
        backchannel_s: a backchannel is shorter than this,
        backchannel_words: and has no more words than this.
        stop_s: who stops this soon after an aside or a backchannel has begun was stopped by it,
        answer_s: and speech that begins this soon after its end answers it (both 2603.13686).
        resume_s: after a silence longer than this, a reply is over.
        usual_s: a gap this close to a system's median gap is its usual one.
    """

    takeover_s: float = 1.0
    takeover_words: int = 3
    tolerance_s: float = FRAME_S
    pause_reaction_s: float = 0.5
    yield_s: float = 2.0
    backchannel_s: float = 1.0
    backchannel_words: int = 2
    stop_s: float = 1.0
    answer_s: float = 2.0
    resume_s: float = 0.8
    usual_s: float = 0.5


WINDOWS = Windows()


def takes_floor(case: Case, tools: Tools, runs_s: Sequence[tuple[float, float]]) -> bool:
    """Whether these runs of system speech together take the floor.

    The judge ASR is only asked where the duration leaves it open.
    """
    spoken_s = sum(end - start for start, end in runs_s)
    if not runs_s or spoken_s >= WINDOWS.takeover_s - _ROUNDING_S:
        return bool(runs_s)
    return _words_in(case, tools, (runs_s[0][0], runs_s[-1][1])) > WINDOWS.takeover_words


def is_backchannel(case: Case, tools: Tools, run_s: tuple[float, float]) -> bool:
    """Whether a run of system speech is short enough, in time and words, to acknowledge only."""
    if run_s[1] - run_s[0] >= WINDOWS.backchannel_s - _ROUNDING_S:
        return False
    return _words_in(case, tools, run_s) <= WINDOWS.backchannel_words


def _words_in(case: Case, tools: Tools, span_s: tuple[float, float]) -> int:
    audio = case.recording.system.span(*span_s)
    return len(words(str(tools.use("judge_asr", audio)["text"])))


def silence_broken(view: PlayedView, tools: Tools) -> bool:
    """Whether the system takes the floor from the start of a turn that expects silence.

    What the system was saying when the user began counts too, beyond the turn's start, unless the
    manifest made the user speak into it (``at``, ``barge_in``): a system that never stops talking
    does not stay silent. Of what is said under a reply, which may go on, see `answered_anew`.
    """
    if view.turn.is_under_reply:
        return answered_anew(view, tools)
    spoken_into = isinstance(view.turn.when, At | BargeIn)
    runs = view.runs_s if spoken_into else _runs_between(view, view.start_s, view.end_s)
    return takes_floor(view.case, tools, runs)


def answered_anew(view: PlayedView, tools: Tools) -> bool:
    """Whether a new reply takes the floor, begun within ``answer_s`` of what was said under one."""
    latest_s = view.offset_s + WINDOWS.answer_s
    begun_s = {a for a, _ in view.runs_s if a <= latest_s and _begins_anew(view, a)}
    # Whole, though the next turn of the user may come in between.
    runs = [run for run in system_runs_s(view.case.recording) if run[0] in begun_s]
    return takes_floor(view.case, tools, runs)


def _begins_anew(view: PlayedView, onset_s: float) -> bool:
    """Whether a run is the start of a reply, and not one that goes on after a pause."""
    recording = view.case.recording
    chunk = chunk_at(recording, onset_s)
    if chunk is None or all(event.kind not in _REPLY_ENDS for event in recording.events):
        ends_s = [b for _, b in system_runs_s(recording) if b <= onset_s]
        return not ends_s or onset_s - ends_s[-1] > WINDOWS.resume_s
    for event in reversed(recording.events[: recording.events.index(chunk)]):
        if event.kind in ("audio", *_REPLY_ENDS):
            return event.kind != "audio"
    return True


def _runs_between(view: PlayedView, start_s: float, end_s: float) -> list[tuple[float, float]]:
    runs = system_runs_s(view.case.recording)
    cut = [(max(a, start_s), min(b, end_s)) for a, b in runs]
    return [(a, b) for a, b in cut if b > a]


def cut_off(view: PlayedView, tools: Tools) -> bool:
    """Whether the system takes the floor during a user's turn; see `cutoff_rate`."""
    begun = begun_runs_s(view, tools)
    return takes_floor(view.case, tools, begun) or takes_floor(view.case, tools, held_runs_s(view))


def begun_runs_s(view: PlayedView, tools: Tools) -> list[tuple[float, float]]:
    """Runs of system speech that begin during a user's turn, backchannels left out."""
    latest_s = view.offset_s - WINDOWS.tolerance_s
    begun = [run for run in view.runs_s if run[0] < latest_s]
    return [run for run in begun if not is_backchannel(view.case, tools, run)]


def held_runs_s(view: PlayedView) -> list[tuple[float, float]]:
    """What the system was saying when a user began, from there to the user's end at most."""
    return [
        (view.start_s, min(b, view.offset_s))
        for a, b in system_runs_s(view.case.recording)
        if a <= view.start_s < b
    ]


@dataclass(frozen=True, slots=True)
class Met:
    """How the system met somebody who began to speak.

    Attributes:
        outcome: ``yielded``; ``ended`` (the reply was over anyway); ``held`` (spoke on until the
            end of what can be seen); ``nothing`` (it was not speaking).
        after_s: from their onset to silence, or to where the watching stopped.
    """

    outcome: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Floor:
    """What of a recording tells how the system held the floor.

    Attributes:
        runs_s: audible runs of the system, pauses bridged.
        ends: its ``end_of_turn`` and ``clear`` events.
        cuts_s: when a ``clear`` dropped more sound than a reply trails silence: what would have
            been heard was taken back.
        duration_s: of the conversation.
    """

    runs_s: tuple[tuple[float, float], ...]
    ends: tuple[Stamped, ...]
    cuts_s: tuple[float, ...]
    duration_s: float


def floor_of(recording: Recording) -> Floor:
    """Look at a recording's system side."""
    ends = tuple(e for e in recording.events if e.kind in ("end_of_turn", "clear"))
    cuts_s = tuple(e.t_s for e in ends if e.kind == "clear" and _dropped(recording, e.t_s))
    return Floor(system_runs_s(recording), ends, cuts_s, recording.duration_s)


def _dropped(recording: Recording, t_s: float) -> bool:
    queued_s = [
        float(e.data["start_s"]) + float(e.data["duration_s"])
        for e in recording.events
        if e.kind == "audio" and e.t_s <= t_s
    ]
    return max(queued_s, default=t_s) > t_s + REPLY_BRIDGE_S


def met_at(floor: Floor, start_s: float) -> Met:
    """Say how the system met somebody who began to speak at a time."""
    run = next(((a, b) for a, b in floor.runs_s if a <= start_s < b), None)
    if run is None:
        return Met("nothing", 0.0)
    silent_s = run[1]
    after_s = silent_s - start_s
    if silent_s >= floor.duration_s - FRAME_S:
        return Met("held", after_s)
    latest_s = silent_s + 2 * FRAME_S
    cleared = any(e.kind == "clear" and start_s <= e.t_s <= latest_s for e in floor.ends)
    # A reply may be stopped between two words, when its last sound is some time ago.
    cleared |= any(start_s <= t_s <= silent_s + REPLY_BRIDGE_S for t_s in floor.cuts_s)
    completed = any(
        e.kind == "end_of_turn" and run[0] - FRAME_S <= e.t_s <= latest_s for e in floor.ends
    )
    return Met("ended" if completed and not cleared else "yielded", after_s)


def yields(found: Met) -> bool:
    """Whether the system made way in time."""
    return found.outcome == "yielded" and found.after_s <= WINDOWS.yield_s


def met(view: PlayedView) -> Met:
    """Say how the system met the user of a turn."""
    return met_at(floor_of(view.case.recording), view.start_s)
