"""Task success: was what the user *heard* what they needed?

Judged on the reply's sound, through the judge ASR, against the manifest's ``expect``; never on the
text that a system meant to say. Every item that the manifest expects counts, answered or not. Words
match whole, numbers and plurals are normalised (`cascadence.metrics.text`). Repeating the request
is no answer, though all values are in it.

A reply that the manifest has interrupted by a barge-in is not judged, whatever was said until then:
counting only those that were quick enough would favour success, counting all of them failure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from cascadence.conversation import BargeIn, Conversation, UserTurn
from cascadence.events import Stamped
from cascadence.measurement import Case, Measurement, Tools, metric, ratio, skipped, value
from cascadence.metrics.task_tools import matched
from cascadence.metrics.text import NORMALISER, says, words
from cascadence.metrics.turn_taking_floor import silence_broken
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn

ECHO_LIKENESS = 0.8
"""Share of matching words (Ratcliff and Obershelp) from which a reply repeats the request."""
ECHO_MARGIN = 0.05
"""How much nearer to the request than to the reference it must be: a misheard word is less."""
USER_INTERRUPTS = "the user interrupts this reply"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of an expectation was fulfilled.

    Attributes:
        slots: by name, whether one of the accepted values was said.
        contains: by phrase, whether it was said.
        excludes: by phrase, whether it was *not* said.
        answer: whether one of the accepted answers was said; ``None`` where none is expected.
        tool_calls: whether all expected calls were made; ``None`` where none is expected.
        echo: whether the reply is the request repeated.
    """

    slots: dict[str, bool]
    contains: dict[str, bool]
    excludes: dict[str, bool]
    answer: bool | None
    tool_calls: bool | None
    echo: bool = False

    @property
    def fulfilled(self) -> bool:
        """Whether everything holds."""
        parts = [*self.slots.values(), *self.contains.values(), *self.excludes.values()]
        answered = self.answer is not False and self.tool_calls is not False
        return all(parts) and answered and not self.echo

    @property
    def unmet(self) -> list[str]:
        """What does not hold, in words."""
        missing = [f"slot {name}" for name, held in self.slots.items() if not held]
        missing += [f"contains {phrase!r}" for phrase, held in self.contains.items() if not held]
        missing += [f"excludes {phrase!r}" for phrase, held in self.excludes.items() if not held]
        missing += ["answer"] if self.answer is False else []
        missing += ["not an echo of the request"] if self.echo else []
        return missing + (["tool_calls"] if self.tool_calls is False else [])


def judge(turn: UserTurn, said: str, calls: Sequence[Stamped] = ()) -> Verdict:
    """Compare what was said with what the manifest expects.

    Args:
        turn: the manifest's.
        said: a transcript; silence says nothing, and so fulfils no expectation but ``tool_calls``.
        calls: ``tool_call`` events.
    """
    expect = turn.expect
    spoke = bool(said.strip())
    return Verdict(
        slots={
            name: any(says(said, accepted) for accepted in values)
            for name, values in expect.slots.items()
        },
        contains={phrase: says(said, phrase) for phrase in expect.contains},
        # Who says nothing says nothing wrong; that is no success either.
        excludes={phrase: spoke and not says(said, phrase) for phrase in expect.excludes},
        answer=any(says(said, answer) for answer in expect.answer) if expect.answer else None,
        tool_calls=(
            matched(expect.tool_calls, calls) == len(expect.tool_calls)
            if expect.tool_calls
            else None
        ),
        echo=_is_echo(turn, said),
    )


def _is_echo(turn: UserTurn, said: str) -> bool:
    """Whether a reply repeats the request, and is clearly nearer to it than to the reference."""
    to_request = _likeness(turn.text, said)
    if to_request < ECHO_LIKENESS:
        return False
    reference = turn.expect.reply_text
    return reference is None or to_request > _likeness(reference, said) + ECHO_MARGIN


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, words(one), words(other), autojunk=False).ratio()


def heard_reply(view: PlayedView, tools: Tools) -> str:
    """Return what the judge ASR hears of the reply; empty where there was none.

    An oracle's voice is heard as it was meant.
    """
    audio = view.reply
    if audio is not None and view.understood:
        return view.meant or ""
    return "" if audio is None else str(tools.use("judge_asr", audio)["text"])


def is_interrupted(conversation: Conversation, index: int) -> bool:
    """Whether the manifest has the user barge into the reply to a turn.

    By the manifest alone, so that the same turns are judged of every system. Where silence is
    expected there is no reply to interrupt.

    Args:
        conversation: the manifest's.
        index: of the turn.
    """
    if conversation.turns[index].expect.stay_silent:
        return False
    following = next(filter(claims_floor, conversation.turns[index + 1 :]), None)
    return following is not None and isinstance(following.when, BargeIn)


def judged_turns(
    case: Case, measure: Callable[[PlayedView], Measurement], applies: Callable[[UserTurn], bool]
) -> list[Measurement]:
    """Measure what was said in replies, as `each_turn`; those that `is_interrupted` are skipped.

    Args:
        case: the conversation.
        measure: called with each played turn whose reply may be judged.
        applies: to which turns the metric applies, by the manifest alone.
    """

    def judged(view: PlayedView) -> Measurement:
        if is_interrupted(case.conversation, view.played.index):
            return skipped(USER_INTERRUPTS)
        return measure(view)

    return each_turn(case, judged, applies)


def _is_judged(turn: UserTurn) -> bool:
    return turn.expect.judged


@metric(
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    version="4",
    summary="ratio",
)
def task_success(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the turns with an expectation at which all of it was heard in the reply.

    ``slots``, ``contains``, ``excludes`` and ``answer`` in the judge's transcript, ``tool_calls``
    among the events, ``stay_silent``: the system does not take the floor. A turn without a reply is
    a failure unless silence is what was expected, and so is the request repeated. Skipped where
    the manifest's next turn barges into the reply.
    """

    def success(view: PlayedView) -> Measurement:
        if view.turn.expect.stay_silent:
            spoke = silence_broken(view, tools)
            return ratio(not spoke, 1, unmet=["stay_silent"] if spoke else [])
        transcript = heard_reply(view, tools)
        verdict = judge(view.turn, transcript, view.events("tool_call"))
        details: dict[str, Any] = {"transcript": transcript, "unmet": verdict.unmet}
        return ratio(verdict.fulfilled, 1, normaliser=NORMALISER, **details)

    return judged_turns(case, success, _is_judged)


@metric(
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    version="3",
    summary="ratio",
)
def slot_recall(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the expected slots of which an accepted value was heard in the reply.

    The request repeated holds none, though all values may be in it. Skipped where the manifest's
    next turn barges into the reply.
    """

    def recall(view: PlayedView) -> Measurement:
        verdict = judge(view.turn, heard_reply(view, tools))
        held = 0 if verdict.echo else sum(verdict.slots.values())
        return ratio(held, len(verdict.slots), slots=verdict.slots, normaliser=NORMALISER)

    return judged_turns(case, recall, lambda turn: bool(turn.expect.slots))


@metric(
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    version="2",
    summary="ratio",
)
def answer_accuracy(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the turns with a short reference answer at which one of the answers was heard.

    As whole words, numbers and plurals normalised; the rest of ``expect`` plays no part. The
    request repeated is no answer. Skipped where the manifest's next turn barges into the reply.
    """

    def accuracy(view: PlayedView) -> Measurement:
        transcript = heard_reply(view, tools)
        verdict = judge(view.turn, transcript)
        right = bool(verdict.answer) and not verdict.echo
        return ratio(right, 1, transcript=transcript, normaliser=NORMALISER)

    return judged_turns(case, accuracy, lambda turn: bool(turn.expect.answer))


@metric(
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
)
def silence_success(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the turns that expect silence at which the system does not take the floor.

    A system that never speaks has 1, so it means something beside `task_success` only.
    """

    def success(view: PlayedView) -> Measurement:
        return ratio(not silence_broken(view, tools), 1)

    return each_turn(case, success, lambda turn: turn.expect.stay_silent)


@metric(
    family="task",
    unit="ratio",
    direction="lower",
    range=(-1.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    version="4",
)
def speech_loss(case: Case, tools: Tools) -> list[Measurement]:
    """What speaking cost: success of what the system meant to say, minus success of what was heard.

    1: right in text and wrong in speech. -1: the reverse. Skipped where the system does not tell
    its text, where silence is expected, and where the manifest's next turn barges into the reply.
    """

    def loss(view: PlayedView) -> Measurement:
        meant = view.meant
        if meant is None:
            return skipped("the system does not say what it means")
        calls = view.events("tool_call")
        transcript = heard_reply(view, tools)
        intended = judge(view.turn, meant, calls)
        heard = judge(view.turn, transcript, calls)
        lost = int(intended.fulfilled) - int(heard.fulfilled)
        return value(lost, meant=meant, transcript=transcript, normaliser=NORMALISER)

    return judged_turns(case, loss, lambda turn: _is_judged(turn) and not turn.expect.stay_silent)
