"""Tasks whose right answer depends on how the request is spoken, and requests full of hesitations.

Contrast sets hold the same words in several styles. Where the members of a set *expect different
answers* ("You are coming?" against "You are coming."), only who hears the prosody is right more
often than chance. Two floors are given: ``chance``, what a deaf system reaches that always gives
the answer that most members of the set expect; and ``mismatched``, how often the replies would have
satisfied another member of their set. A system that hears nothing has its success at both.

`hesitation_robustness` goes the other way: all members expect the same, and hesitating should cost
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cascadence.comparison import compare
from cascadence.conversation import Expect, UserTurn
from cascadence.estimators import Observation
from cascadence.events import Stamped
from cascadence.measurement import (
    Case,
    Measurement,
    Metric,
    MetricSpec,
    Ratio,
    Tools,
    Value,
    metric,
    ratio,
    skipped,
    value,
)
from cascadence.metrics.task import heard_reply, is_interrupted, judge, task_success
from cascadence.metrics.task_corpus import (
    corpus_value,
    difference_of,
    item_of,
    observed,
)
from cascadence.metrics.turn_taking import cutoff_rate
from cascadence.metrics.turn_taking_floor import silence_broken
from cascadence.metrics.turns import view
from cascadence.resampling import share_interval

NO_SETS: Final = "no contrast set in which this decides the answer"


@dataclass(frozen=True, slots=True)
class Trial:
    """A turn of a contrast set, and what came of it.

    Attributes:
        place: the set, and the turn's index in its conversations.
        conversation_id: which member.
        item: which recording.
        style: how the turn is spoken, in the respect that matters; ``None``: the manifest does not
            say.
        turn: the manifest's.
        said: transcript of the reply.
        calls: ``tool_call`` events.
        silent: whether the system did not take the floor.
    """

    place: tuple[str, int]
    conversation_id: str
    item: str
    style: str | None
    turn: UserTurn
    said: str
    calls: tuple[Stamped, ...]
    silent: bool

    def fulfils(self, expect: Expect) -> bool:
        """Whether what came of it is what a turn with these expectations asks for."""
        if expect.stay_silent:
            return self.silent
        return judge(
            self.turn.model_copy(update={"expect": expect}), self.said, self.calls
        ).fulfilled


def _wanted(expect: Expect) -> str:
    """What is judged of an expectation, to be compared."""
    return expect.model_dump_json(exclude={"reply_text", "reply_style"})


def trials_of(
    cases: Sequence[Case], tools: Tools, style: Callable[[UserTurn], str | None]
) -> list[Trial]:
    """Collect the judged turns of contrast sets in which a style differs and the answer with it.

    Args:
        cases: recordings of one cell.
        tools: with ``judge_asr``.
        style: of a turn, in the respect that matters.

    Returns:
        All members of such sets, those without named style included; none whose reply the manifest
        interrupts.
    """
    found: dict[tuple[str, int], list[Trial]] = defaultdict(list)
    for case in cases:
        group = case.conversation.group
        if group is None:
            continue
        for played in case.recording.turns:
            turn = case.conversation.turns[played.index]
            if not turn.expect.judged or is_interrupted(case.conversation, played.index):
                continue
            seen = view(case, played)
            found[group, played.index].append(
                Trial(
                    place=(group, played.index),
                    conversation_id=case.conversation.id,
                    item=item_of(case),
                    style=style(turn),
                    turn=turn,
                    said=heard_reply(seen, tools),
                    calls=seen.events("tool_call"),
                    silent=not silence_broken(seen, tools),
                )
            )
    return [trial for members in found.values() if _decides(members) for trial in members]


def _decides(members: Sequence[Trial]) -> bool:
    """Whether two members differ in style and in what they expect."""
    return any(
        one.style != other.style and _wanted(one.turn.expect) != _wanted(other.turn.expect)
        for one in members
        for other in members
        if one.style is not None
    )


def _prosody_success(
    spec: MetricSpec, cases: Sequence[Case], tools: Tools, style: Callable[[UserTurn], str | None]
) -> Measurement:
    sets: dict[tuple[str, int], list[Trial]] = defaultdict(list)
    for trial in trials_of(cases, tools, style):
        sets[trial.place].append(trial)
    if not sets:
        return skipped(NO_SETS)
    found, chances, mismatched = [], [], []
    for members in sets.values():
        wanted = {m.conversation_id: _wanted(m.turn.expect) for m in members}
        counts = [list(wanted.values()).count(each) for each in set(wanted.values())]
        for trial in members:
            others = _mates(trial, members)
            if trial.style is None or not others:
                continue
            success = ratio(trial.fulfils(trial.turn.expect), 1).on_turn(trial.place[1])
            found.append(Observation(trial.place[0], success, trial.item))
            chances.append(max(counts) / len(wanted))
            mismatched.append(sum(map(trial.fulfils, others)) / len(others))
    details = {
        "chance": sum(chances) / len(chances),
        "mismatched": sum(mismatched) / len(mismatched),
        "sets": len({place for place, _ in sets}),
    }
    return corpus_value(spec, found, cases[0].recording.cell, **details)


def _mates(trial: Trial, members: Sequence[Trial]) -> list[Expect]:
    """Return the different expectations of members that are spoken otherwise."""
    wanted = _wanted(trial.turn.expect)
    others = {_wanted(m.turn.expect): m.turn.expect for m in members if m.style != trial.style}
    others.pop(wanted, None)
    return list(others.values())


_prosody_metric = partial(
    metric,
    family="paralinguistics",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="corpus",
    needs=("judge_asr",),
    version="2",
)


@_prosody_metric()
def question_intonation_success(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Task success where the melody alone tells a question from a statement.

    Turns whose style names a ``sentence_type``, in contrast sets with a member of another type that
    expects another answer. ``chance`` and ``mismatched`` in the details are the floors (see
    `cascadence.metrics.task_prosody`).
    """

    def style(turn: UserTurn) -> str | None:
        return turn.style.sentence_type

    return _prosody_success(question_intonation_success.spec, cases, tools, style)


@_prosody_metric()
def emphasis_success(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Task success where the stressed word alone tells what is meant.

    Turns whose style names an ``emphasis``, in contrast sets with a member that stresses other
    words and expects another answer; floors as in `question_intonation_success`.
    """

    def style(turn: UserTurn) -> str | None:
        return " ".join(map(str, turn.style.emphasis)) or None

    return _prosody_success(emphasis_success.spec, cases, tools, style)


@_prosody_metric()
def sarcasm_success(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Task success where the tone alone tells whether it is meant.

    Turns whose style says whether they are sarcastic, in contrast sets with a member that is the
    other and expects another answer; floors as in `question_intonation_success`.
    """

    def style(turn: UserTurn) -> str | None:
        return None if turn.style.sarcasm is None else str(turn.style.sarcasm)

    return _prosody_success(sarcasm_success.spec, cases, tools, style)


@metric(
    family="paralinguistics",
    unit="ratio",
    direction="higher",
    range=(-1.0, 1.0),
    level="corpus",
    needs=("judge_asr",),
    version="2",
)
def hesitation_robustness(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Change of task success between a hesitant and a fluent rendering of the same request.

    0: hesitating costs nothing; -1: every request fails that succeeded when it was fluent. Over
    turns of contrast sets that have both (``style.hesitations`` given, and not), paired by set,
    turn and repeat; interval and p-value by set. ``cutoff_rate`` in the details is the same change
    of cut-offs.
    """
    hesitant, fluent = _renderings(cases, tools, task_success, cutoff_rate)
    name = task_success.spec.name
    if not hesitant[name]:
        return skipped("no contrast set with a hesitant and a fluent rendering of a judged request")
    label = f"hesitation {cases[0].recording.cell}"
    found, cut = (
        compare(m.spec, hesitant[m.spec.name], fluent[m.spec.name], label)
        for m in (task_success, cutoff_rate)
    )
    details = {
        "hesitant": _mean(hesitant[name]),
        "fluent": _mean(fluent[name]),
        "p": found.p,
        "pairs": found.n,
        "smallest_detectable": found.smallest_detectable,
        "cutoff_rate": difference_of(cut),
    }
    change = found.difference or 0.0
    interval = _interval(change, found.low, found.high, found.clusters)
    return Measurement("ok", Value(change), details=details, interval=interval, n=found.clusters)


Rendering = dict[str, list[Observation]]
"""By metric, the mean over one kind of rendering of each set, turn and repeat."""


def _renderings(
    cases: Sequence[Case], tools: Tools, *metrics: Metric
) -> tuple[Rendering, Rendering]:
    """Measure the hesitant and the fluent members of the contrast sets that have both."""
    shares: dict[tuple[str, str, int, int], tuple[list[float], list[float]]]
    shares = defaultdict(lambda: ([], []))
    for case in cases:
        if case.conversation.group is None:
            continue
        for measured in metrics:
            for found in observed(measured, case, tools):
                quantity, index = found.measurement.quantity, found.measurement.turn
                if isinstance(quantity, Ratio) and index is not None:
                    fluent = not case.conversation.turns[index].style.hesitations
                    place = (measured.spec.name, found.cluster, case.recording.repeat, index)
                    shares[place][fluent].append(quantity.numerator / quantity.denominator)
    sides: tuple[Rendering, Rendering] = (defaultdict(list), defaultdict(list))
    for (name, group, repeat, index), both in shares.items():
        if all(both):
            for side, numbers in zip(sides, both, strict=True):
                mean = value(sum(numbers) / len(numbers)).on_turn(index)
                side[name].append(Observation(group, mean, str(repeat)))
    return sides


def _mean(found: Sequence[Observation]) -> float:
    numbers = [q.x for o in found if isinstance(q := o.measurement.quantity, Value)]
    return sum(numbers) / len(numbers)


def _interval(
    change: float, low: float | None, high: float | None, sets: int
) -> tuple[float, float] | None:
    """Return the bootstrap's interval, or, where no set differs from another, Wilson's."""
    if low is None or high is None:
        return None
    if low < high:
        return low, high
    # Were more sets to change, as many as can hide behind none (or all) of so many.
    unseen = share_interval(0.0, sets)[1]
    return max(-1.0, change - unseen), min(1.0, change + unseen)
