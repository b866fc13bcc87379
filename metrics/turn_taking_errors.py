"""Turn-taking errors: speaking into the user's turn, and reacting to what was not meant so.

An aside is meant for somebody else, and a backchannel ("mm-hmm") claims nothing: a system that
stops because of them, or answers them, is wrong. Two seconds to answer and one to stop are those of
tau-voice (arXiv 2603.13686); the denominators are the manifest's, so a silent system makes no such
error and `cascadence.metrics.turn_taking.takeover_rate_turn_end` says what that costs.
"""

from __future__ import annotations

from dataclasses import asdict

from cascadence.conversation import Aside, Backchannel
from cascadence.measurement import Case, Measurement, Tools, metric, ratio
from cascadence.metrics.turn_taking_floor import (
    WINDOWS,
    answered_anew,
    begun_runs_s,
    held_runs_s,
    met,
    silence_broken,
    takes_floor,
)
from cascadence.metrics.turns import (
    PlayedView,
    each_turn,
    speaks_into_reply,
    system_runs_s,
)

TAU_VOICE = "arXiv 2603.13686"


@metric(
    family="turn_taking",
    unit="count",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference=f"{TAU_VOICE} (I_A)",
)
def system_interruptions_per_turn(case: Case, tools: Tools) -> list[Measurement]:
    """How often the system interrupts a user turn, on average.

    Each run of system speech counts that begins before the user has finished (by more than one
    frame) and takes the floor by itself; and so does, once, what it was saying when the user began,
    where it holds the floor against them. Can exceed 1, unlike
    `cascadence.metrics.turn_taking.cutoff_rate`, and is of the same turns: those that speak into a
    reply by design are left out.
    """

    def interruptions(view: PlayedView) -> Measurement:
        begun = sum(takes_floor(case, tools, [run]) for run in begun_runs_s(view, tools))
        held = takes_floor(case, tools, held_runs_s(view))
        return ratio(begun + held, 1, begun=begun, held=int(held), windows=asdict(WINDOWS))

    return each_turn(case, interruptions, lambda turn: not speaks_into_reply(turn))


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference=f"{TAU_VOICE} (1 - S_ND)",
    version="2",
)
def aside_error_rate(case: Case, tools: Tools) -> list[Measurement]:
    """Share of asides (speech meant for somebody else) that the system answers or is stopped by.

    Answered: it takes the floor from the aside's start on; of an aside into a reply, a new reply
    begins within ``answer_s`` of its end, as in `backchannel_error_rate`. Stopped: it was speaking
    when the aside began, fell silent within ``stop_s`` though its reply was not over, and did not
    go on within ``resume_s``.
    """

    def error(view: PlayedView) -> Measurement:
        if view.turn.is_under_reply:
            return _under_reply(view, tools)
        if silence_broken(view, tools):
            return _erred("answered")
        return _erred("stopped" if _is_stopped(view) else "none")

    return each_turn(case, error, lambda turn: isinstance(turn.when, Aside))


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference=f"{TAU_VOICE} (1 - S_BC)",
    version="2",
)
def backchannel_error_rate(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the user's backchannels that the system answers or is stopped by.

    Answered: a new reply begins within ``answer_s`` of the backchannel's end and takes the floor;
    the reply that was acknowledged may go on. Stopped: as in `aside_error_rate`. What ends a reply
    is the system's own ``end_of_turn`` or ``clear``; of a system that tells neither, a silence
    longer than ``resume_s``, so that a natural end within ``stop_s`` counts against it.
    """
    return each_turn(
        case,
        lambda view: _under_reply(view, tools),
        lambda turn: isinstance(turn.when, Backchannel),
    )


def _under_reply(view: PlayedView, tools: Tools) -> Measurement:
    """Judge how the system took what was said under its reply."""
    if _is_stopped(view):
        return _erred("stopped")
    return _erred("answered" if answered_anew(view, tools) else "none")


def _erred(how: str) -> Measurement:
    return ratio(how != "none", 1, error=how, windows=asdict(WINDOWS))


def _is_stopped(view: PlayedView) -> bool:
    """Whether the system fell silent because the user spoke, and not for a breath."""
    found = met(view)
    if found.outcome != "yielded" or found.after_s > WINDOWS.stop_s:
        return False
    silent_s = view.start_s + found.after_s
    next_s = next((a for a, _ in system_runs_s(view.case.recording) if a >= silent_s), None)
    if next_s is None or next_s - silent_s > WINDOWS.resume_s:
        return True
    return any(event.t_s <= next_s for event in view.events("clear"))
