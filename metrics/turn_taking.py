"""Turn-taking: does the system take the floor when it should, and only then?

Taking the floor means at least 1 s of speech, or more than 3 words (Full-Duplex-Bench, arXiv
2503.04721). Only speech that *begins in the event's window* counts; published code counts speech
anywhere, which makes a system that always talks perfect. All thresholds sit in `Windows`, and every
measurement carries them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cascadence.conversation import Aside, At, Backchannel, BargeIn, UserTurn
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
from cascadence.metrics.text import words
from cascadence.metrics.turns import (
    FRAME_S,
    PlayedView,
    claims_floor,
    each_turn,
    expects_reply,
    overlap_s,
    system_runs_s,
)

UNIT_RANGE = (0.0, 1.0)
FULL_DUPLEX_BENCH = "arXiv 2503.04721"


@dataclass(frozen=True, slots=True)
class Windows:
    """What counts as what.

    Attributes:
        takeover_s: this much speech takes the floor,
        takeover_words: and so do more words than this.
        tolerance_s: an onset this little before the user's end is no cut-off (one frame).
        pause_reaction_s: speech that begins this long after a pause has ended still answers it.
        yield_s: a yield within this time counts in `yield_rate` (arXiv 2603.13686).
    """

    takeover_s: float = 1.0
    takeover_words: int = 3
    tolerance_s: float = FRAME_S
    pause_reaction_s: float = 0.5
    yield_s: float = 2.0


WINDOWS = Windows()


def takes_floor(case: Case, tools: Tools, runs_s: Sequence[tuple[float, float]]) -> bool:
    """Whether these runs of system speech together take the floor.

    The judge ASR is only asked where the duration leaves it open.
    """
    spoken_s = sum(end - start for start, end in runs_s)
    if not runs_s or spoken_s >= WINDOWS.takeover_s:
        return bool(runs_s)
    audio = case.recording.system.span(runs_s[0][0], runs_s[-1][1])
    return len(words(str(tools.use("judge_asr", audio)["text"]))) > WINDOWS.takeover_words


def silence_broken(view: PlayedView, tools: Tools) -> bool:
    """Whether the system takes the floor from the start of a turn that expects silence.

    What the system was saying when the user began counts too, beyond the turn's start, unless the
    manifest made the user speak into it (``at``, ``barge_in``, ``backchannel``): a system that
    never stops talking does not stay silent.
    """
    spoken_into = isinstance(view.turn.when, At | BargeIn | Backchannel)
    runs = view.runs_s if spoken_into else _runs_between(view, view.start_s, view.end_s)
    return takes_floor(view.case, tools, runs)


def _runs_between(view: PlayedView, start_s: float, end_s: float) -> list[tuple[float, float]]:
    runs = system_runs_s(view.case.recording)
    cut = [(max(a, start_s), min(b, end_s)) for a, b in runs]
    return [(a, b) for a, b in cut if b > a]


def _taken(view: PlayedView, taken: int, of: int) -> Measurement:
    return ratio(taken, of, windows=asdict(WINDOWS), trigger=view.played.trigger)


@metric(
    family="turn_taking",
    unit="ratio",
    direction="higher",
    range=UNIT_RANGE,
    level="turn",
    needs=("judge_asr",),
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
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def takeover_rate_pause(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the annotated pauses inside user turns that the system takes for the turn's end.

    The speech must begin between the pause's start and `Windows.pause_reaction_s` after its end,
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
    summary="ratio",
)
def cutoff_rate(case: Case, tools: Tools) -> list[Measurement]:
    """Share of user turns during which the system takes the floor before the user's end.

    Either it begins to speak before the user has finished (by more than one frame) and goes on to
    take the floor, or it was speaking when the user began and holds the floor against them. Turns
    that speak into a reply by design (barge-ins, backchannels) are left out: `yield_rate` judges
    those.
    """

    def cut(view: PlayedView) -> Measurement:
        latest_s = view.offset_s - WINDOWS.tolerance_s
        begun = [(a, b) for a, b in view.runs_s if a < latest_s]
        held = [
            (view.start_s, min(b, view.offset_s))
            for a, b in system_runs_s(case.recording)
            if a <= view.start_s < b
        ]
        taken = takes_floor(case, tools, begun) or takes_floor(case, tools, held)
        return _taken(view, taken, 1)

    return each_turn(case, cut, lambda turn: not isinstance(turn.when, BargeIn | Backchannel))


@dataclass(frozen=True, slots=True)
class _Yield:
    """How the system met a barge-in.

    Attributes:
        outcome: ``yielded``; ``ended`` (the reply was over anyway); ``held`` (spoke on until the
            end of what can be seen); ``nothing`` (it was not speaking).
        after_s: from the barge-in's onset to silence, or to where the watching stopped.
    """

    outcome: str
    after_s: float


def _met(view: PlayedView) -> _Yield:
    recording = view.case.recording
    run = next(((a, b) for a, b in system_runs_s(recording) if a <= view.start_s < b), None)
    if run is None:
        return _Yield("nothing", 0.0)
    silent_s = run[1]
    after_s = silent_s - view.start_s
    if silent_s >= recording.duration_s - FRAME_S:
        return _Yield("held", after_s)
    stopped = (view.start_s, silent_s + 2 * FRAME_S)
    cleared = any(e.kind == "clear" and stopped[0] <= e.t_s <= stopped[1] for e in recording.events)
    began_s = run[0] - FRAME_S
    completed = any(
        e.kind == "end_of_turn" and began_s <= e.t_s <= stopped[1] for e in recording.events
    )
    return _Yield("ended" if completed and not cleared else "yielded", after_s)


def _is_barge_in(turn: UserTurn) -> bool:
    return isinstance(turn.when, BargeIn)


@metric(
    family="turn_taking",
    unit="s",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    summary="survival",
)
def yield_latency_s(case: Case, tools: Tools) -> list[Measurement]:
    """From the start of a barge-in until the system is silent.

    A reply that ended by itself (completed, and not dropped from the queue) or went on to the end
    of the recording had not been yielded by then: `Censored`. Skipped where the system was not
    speaking when the user began.
    """

    def latency(view: PlayedView) -> Measurement:
        met = _met(view)
        if met.outcome == "nothing":
            return skipped("the system was not speaking")
        if met.outcome == "yielded":
            return value(met.after_s, outcome=met.outcome)
        return censored(met.after_s, outcome=met.outcome)

    return each_turn(case, latency, _is_barge_in)


@metric(
    family="turn_taking",
    unit="ratio",
    direction="higher",
    range=UNIT_RANGE,
    level="turn",
    summary="ratio",
    reference="arXiv 2603.13686 (R_Y), over all barge-ins and without natural ends",
)
def yield_rate(case: Case, tools: Tools) -> list[Measurement]:
    """Share of *all* barge-ins of the manifest at which the system falls silent within 2 s.

    A reply that ended by itself is no yield, and neither is having said nothing: so a silent
    system scores 0 and not "undefined".
    """

    def yielded(view: PlayedView) -> Measurement:
        met = _met(view)
        in_time = met.outcome == "yielded" and met.after_s <= WINDOWS.yield_s
        return ratio(in_time, 1, outcome=met.outcome, windows=asdict(WINDOWS))

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
