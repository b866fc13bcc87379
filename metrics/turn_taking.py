"""Turn-taking: does the system take the floor when it should, and only then?

Taking the floor means at least 1 s of speech, or more than 3 words (Full-Duplex-Bench, arXiv
2503.04721). Only speech that *begins in the event's window* counts; published code counts speech
anywhere, which makes a system that always talks perfect. All thresholds sit in
`cascadence.metrics.turn_taking_floor.Windows`, and every measurement carries them.
"""

from __future__ import annotations

from dataclasses import asdict

from cascadence.conversation import Aside, BargeIn, UserTurn
from cascadence.measurement import (
    Case,
    Measurement,
    Tools,
    censored,
    metric,
    ratio,
    skipped,
    value,
)
from cascadence.metrics.turn_taking_floor import (
    WINDOWS,
    cut_off,
    met,
    silence_broken,
    takes_floor,
    yields,
)
from cascadence.metrics.turns import (
    PlayedView,
    claims_floor,
    each_turn,
    expects_reply,
    overlap_s,
    speaks_into_reply,
    system_runs_s,
)

UNIT_RANGE = (0.0, 1.0)
FULL_DUPLEX_BENCH = "arXiv 2503.04721"


def _taken(view: PlayedView, taken: int, of: int) -> Measurement:
    return ratio(taken, of, windows=asdict(WINDOWS), trigger=view.played.trigger)


@metric(
    family="turn_taking",
    unit="ratio",
    direction="higher",
    range=UNIT_RANGE,
    level="turn",
    needs=("judge_asr",),
    version="2",
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def takeover_rate_turn_end(case: Case, tools: Tools) -> list[Measurement]:
    """Share of turns that expect a reply after which the system takes the floor.

    The speech must begin in the turn's window and be heard after the user's end. Barge-ins are
    counted by `takeover_rate_barge_in`.
    """
    return each_turn(
        case,
        lambda view: _after_offset(view, tools),
        lambda turn: expects_reply(turn) and not isinstance(turn.when, BargeIn),
    )


@metric(
    family="turn_taking",
    unit="ratio",
    direction="higher",
    range=UNIT_RANGE,
    level="turn",
    needs=("judge_asr",),
    version="2",
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def takeover_rate_barge_in(case: Case, tools: Tools) -> list[Measurement]:
    """Share of barge-ins that the system answers once the user has finished."""
    return each_turn(
        case,
        lambda view: _after_offset(view, tools),
        lambda turn: expects_reply(turn) and isinstance(turn.when, BargeIn),
    )


def _after_offset(view: PlayedView, tools: Tools) -> Measurement:
    runs = [(max(a, view.offset_s), b) for a, b in view.runs_s if b > view.offset_s]
    barged_in = view.next_turn is not None and isinstance(view.next_turn.when, BargeIn)
    # Who is interrupted had the floor, however little of the reply the manifest lets them say.
    taken = bool(runs) if barged_in else takes_floor(view.case, tools, runs)
    return _taken(view, taken, 1)


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=UNIT_RANGE,
    level="turn",
    needs=("judge_asr",),
    version="2",
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def takeover_rate_pause(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the annotated pauses inside user turns that the system takes for the turn's end.

    The speech must begin between the pause's start and ``pause_reaction_s`` after its end,
    before the user has finished.
    """

    def taken(view: PlayedView) -> Measurement:
        clip_start_s = view.played.start_s
        count = 0
        for pause in view.turn.pauses:
            start_s = clip_start_s + pause.at_s
            end_s = min(start_s + pause.duration_s + WINDOWS.pause_reaction_s, view.offset_s)
            runs = [(a, b) for a, b in view.runs_s if start_s <= a < end_s]
            count += takes_floor(case, tools, runs)
        return _taken(view, count, len(view.turn.pauses))

    return each_turn(case, taken, lambda turn: bool(turn.pauses))


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=UNIT_RANGE,
    level="turn",
    needs=("judge_asr",),
    version="2",
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def takeover_rate_aside(case: Case, tools: Tools) -> list[Measurement]:
    """Share of asides (speech meant for somebody else) that the system answers."""
    return each_turn(
        case,
        lambda view: _taken(view, silence_broken(view, tools), 1),
        lambda turn: isinstance(turn.when, Aside),
    )


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=UNIT_RANGE,
    level="turn",
    needs=("judge_asr",),
    version="2",
    summary="ratio",
)
def cutoff_rate(case: Case, tools: Tools) -> list[Measurement]:
    """Share of user turns during which the system takes the floor before the user's end.

    Either it begins to speak before the user has finished (by more than one frame) and goes on to
    take the floor, or it was speaking when the user began and holds the floor against them. What
    only acknowledges (`is_backchannel`) takes nothing, however often it comes. Turns that speak
    into a reply by design (barge-ins, backchannels, asides) are left out: `yield_rate`,
    `backchannel_error_rate` and `aside_error_rate` judge those.
    """

    def cut(view: PlayedView) -> Measurement:
        return _taken(view, cut_off(view, tools), 1)

    return each_turn(case, cut, lambda turn: not speaks_into_reply(turn))


def _is_barge_in(turn: UserTurn) -> bool:
    return isinstance(turn.when, BargeIn)


@metric(
    family="turn_taking",
    unit="s",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    summary="survival",
    version="2",
)
def yield_latency_s(case: Case, tools: Tools) -> list[Measurement]:
    """From the start of a barge-in until the system is silent.

    A reply that ended by itself (completed, and not dropped from the queue) or went on to the end
    of the recording had not been yielded by then: `Censored`. Skipped where the system was not
    speaking when the user began.
    """

    def latency(view: PlayedView) -> Measurement:
        found = met(view)
        if found.outcome == "nothing":
            return skipped("the system was not speaking")
        if found.outcome == "yielded":
            return value(found.after_s, outcome=found.outcome)
        return censored(found.after_s, outcome=found.outcome)

    return each_turn(case, latency, _is_barge_in)


@metric(
    family="turn_taking",
    unit="ratio",
    direction="higher",
    range=UNIT_RANGE,
    level="turn",
    summary="ratio",
    reference="arXiv 2603.13686 (R_Y), over all barge-ins and without natural ends",
    version="2",
)
def yield_rate(case: Case, tools: Tools) -> list[Measurement]:
    """Share of *all* barge-ins of the manifest at which the system falls silent within 2 s.

    A reply that ended by itself is no yield, and neither is having said nothing: so a silent
    system scores 0 and not "undefined".
    """

    def yielded(view: PlayedView) -> Measurement:
        found = met(view)
        return ratio(yields(found), 1, outcome=found.outcome, windows=asdict(WINDOWS))

    return each_turn(case, yielded, _is_barge_in)


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=UNIT_RANGE,
    level="turn",
    summary="ratio",
)
def overlap_ratio(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the user's speaking time during which the system is audible too.

    Over all turns that claim the floor (a backchannel is meant to overlap); the denominator is the
    manifest's.
    """

    def overlap(view: PlayedView) -> Measurement:
        both_s = overlap_s(system_runs_s(case.recording), view.start_s, view.offset_s)
        return ratio(both_s, view.offset_s - view.start_s)

    return each_turn(case, overlap, claims_floor)
