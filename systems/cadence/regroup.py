"""New conversations out of turns that were rendered already, with the policy's replies to them.

Speech is slow to render, but a rendered turn can be said in many conversations. A new one begins
with any turn that began one. It goes on with requests that stand alone, or with turns whose first
predecessor left the conversation as this one stands: the same intent, kind of reply and open
question. The domain's policy reads the true texts and answers; a turn whose meaning is not what it
was, or whose combination of values may not be trained on, is left out and another is tried.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from cascadence.data_manifests.assistant.intents import INTENTS
from cascadence.data_manifests.assistant.phrases import PERSON_PRONOUNS
from cascadence.data_manifests.assistant.policy import Policy, Reply
from cascadence.data_manifests.assistant.splits import may_occur
from cascadence.data_manifests.assistant.values import pronoun_for
from cascadence.systems.cadence.data import TurnPlan
from cascadence.systems.cadence.model import Decoder
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.train_decoder import ReplyLesson

__all__ = ["Move", "RegroupedTurn", "later_moves", "regroup", "regrouped_lessons"]

Move = Literal[
    "fresh", "clarify", "answered", "correction", "anaphora", "repeat", "cancel", "decline"
]

_FEWEST_TURNS, _MOST_TURNS = 2, 5
_TRIES = 12
# Moves are drawn by what about the last hundred lack, so that rejected turns do not skew them.
_WINDOW = 100
# Conversations in a row that could not be gone on with, until the search is given up.
_MOST_FAILURES = 200


class _Signature(NamedTuple):
    """How a turn left its conversation: kind of reply, intent in force, slot asked for."""

    kind: str
    intent: str
    asked: str


@dataclass(frozen=True, slots=True)
class RegroupedTurn:
    """A turn of a new conversation.

    Attributes:
        turn: number of the rendered turn.
        reply: what the policy answers to it here.
    """

    turn: int
    reply: str


@dataclass(frozen=True, slots=True)
class _Turn:
    """A rendered turn and what it did in its first conversation.

    Attributes:
        number: of the rendered turn.
        plan: its text, reply, kind and intent.
        move: what the user did.
        is_alone: whether it means the same without anything before it.
        changed: names of the slots whose values it brought or changed.
        after: how its predecessor had left the conversation; None at the beginning.
    """

    number: int
    plan: TurnPlan
    move: Move
    is_alone: bool
    changed: frozenset[str]
    after: _Signature | None


@dataclass(slots=True)
class _Stock:
    """Rendered turns by what they may follow, and the moves' shares in conversations of several.

    Attributes:
        first: turns that began a conversation.
        alone: requests that stand alone.
        after: turns that do not, by how their predecessor had left the conversation.
        answers: turns that followed a question.
        first_moves: how often conversations of several turns began with a move.
        later_moves: how often a move was made later on, questions to be answered aside.
    """

    first: defaultdict[Move, list[_Turn]] = field(default_factory=lambda: defaultdict(list))
    alone: defaultdict[Move, list[_Turn]] = field(default_factory=lambda: defaultdict(list))
    after: defaultdict[tuple[_Signature, Move], list[_Turn]] = field(
        default_factory=lambda: defaultdict(list)
    )
    answers: defaultdict[_Signature, list[_Turn]] = field(default_factory=lambda: defaultdict(list))
    first_moves: Counter[Move] = field(default_factory=Counter)
    later_moves: Counter[Move] = field(default_factory=Counter)


def _signature(policy: Policy, reply: Reply) -> _Signature:
    """Describes how a reply left the conversation."""
    state = policy.state
    frame = state.pending or state.last
    return _Signature(reply.kind, frame.intent if frame else "", state.pending_slot or "")


def _answered(policy: Policy, text: str) -> tuple[Reply, frozenset[str]]:
    """Lets the policy answer; returns the names of the slots that got other values, too."""
    frame = policy.state.pending or policy.state.last
    reply = policy.reply(text)
    known = frame.slots if frame and frame.intent == reply.intent else {}
    return reply, frozenset(n for n, value in reply.slots.items() if known.get(n) != value)


def _is_meant(reply: Reply, plan: TurnPlan) -> bool:
    """Whether a reply has the kind and the intent that a turn was planned with."""
    return (reply.kind, reply.intent or "") == (plan.kind, plan.intent)


def _move(plan: TurnPlan, is_alone: bool, after: _Signature | None) -> Move:
    """Names what the user does with a turn."""
    named: Mapping[str, Move] = {"repeat_last": "repeat", "cancel_last": "cancel"}
    if plan.intent in named:
        return named[plan.intent]
    kinds: Mapping[str, Move] = {
        "clarify": "clarify",
        "correction": "correction",
        "decline": "decline",
    }
    if plan.kind in kinds:
        return kinds[plan.kind]
    if is_alone:
        return "fresh"
    return "answered" if after and after.asked else "anaphora"


def _read(plans: Sequence[TurnPlan]) -> Iterator[list[_Turn]]:
    """Reads the rendered conversations, each until a turn is missing or not answered as planned."""
    spoken: dict[int, list[tuple[int, TurnPlan]]] = {}
    for number, plan in enumerate(plans):
        if plan.text:
            spoken.setdefault(plan.dialogue, []).append((number, plan))
    for dialogue in spoken.values():
        policy = Policy()
        after: _Signature | None = None
        turns: list[_Turn] = []
        for place, (number, plan) in enumerate(dialogue):
            reply, changed = _answered(policy, plan.text)
            if plan.turn != place or reply.text != plan.reply or not _is_meant(reply, plan):
                break
            is_alone = after is None or Policy().reply(plan.text) == reply
            move = _move(plan, is_alone, after)
            turns.append(_Turn(number, plan, move, is_alone, changed, after))
            after = _signature(policy, reply)
        if turns:
            yield turns


def later_moves(plans: Sequence[TurnPlan]) -> dict[int, Move]:
    """Names what users do in the later turns of rendered conversations, by the turn's number."""
    return {turn.number: turn.move for turns in _read(plans) for turn in turns[1:]}


def _stock(plans: Sequence[TurnPlan]) -> _Stock:
    """Sorts rendered turns by what they may follow."""
    stock = _Stock()
    for turns in _read(plans):
        stock.first[turns[0].move].append(turns[0])
        stock.first_moves[turns[0].move] += len(turns) > 1
        for turn in turns:
            if turn.is_alone:
                stock.alone[turn.move].append(turn)
            elif turn.after and turn.after.asked:
                stock.answers[turn.after].append(turn)
            elif turn.after:
                stock.after[turn.after, turn.move].append(turn)
            if turn.after and not turn.after.asked:
                stock.later_moves[turn.move] += 1
    return stock


def _is_called_right(text: str, reply: Reply) -> bool:
    """Whether "him", "her" or "them" in a text can be the person whom the reply is about."""
    pronouns = PERSON_PRONOUNS.intersection(re.findall(r"[a-z]+", text.lower()))
    slots = INTENTS[reply.intent].slots if reply.intent in INTENTS else ()
    people = [reply.slots[s.name] for s in slots if s.type == "contact" and s.name in reply.slots]
    return not pronouns or not people or pronoun_for(people[0]) in pronouns


def _tried(policy: Policy, turn: _Turn) -> Reply | None:
    """Lets the policy answer a turn; None, and nothing was said, if it does not fit here."""
    before = policy.state
    policy.state = replace(before, focus=dict(before.focus))
    reply, changed = _answered(policy, turn.plan.text)
    if turn.is_alone:
        is_same = reply.text == turn.plan.reply
    else:
        is_same = changed == turn.changed and _is_called_right(turn.plan.text, reply)
    may_be_learned = reply.intent is None or may_occur(reply.intent, reply.slots, "train")
    if is_same and may_be_learned and _is_meant(reply, turn.plan):
        return reply
    policy.state = before
    return None


def _found(
    policy: Policy, rng: random.Random, *pools: Sequence[_Turn]
) -> tuple[_Turn, Reply] | None:
    """Draws turns until one fits."""
    sizes = [len(pool) for pool in pools]
    for _ in range(_TRIES if any(sizes) else 0):
        turn = rng.choice(rng.choices(pools, sizes)[0])
        reply = _tried(policy, turn)
        if reply is not None:
            return turn, reply
    return None


def _next(
    policy: Policy, rng: random.Random, stock: _Stock, left: _Signature, made: Counter[Move]
) -> tuple[_Turn, Reply] | None:
    """Goes on with a conversation, by a move that is wanted; `made` counts the moves."""
    if left.asked:
        return _found(policy, rng, stock.answers[left])
    moves = [move for move, count in stock.later_moves.items() if count]
    wanted, size = stock.later_moves.total(), made.total() + _WINDOW
    while moves:
        lacking = [stock.later_moves[move] / wanted * size - made[move] for move in moves]
        move = rng.choices(moves, [max(share, 1e-6) for share in lacking])[0]
        found = _found(policy, rng, stock.alone[move], stock.after[left, move])
        if found is not None:
            made[move] += 1
            return found
        moves.remove(move)
    return None


def _conversation(rng: random.Random, stock: _Stock, made: Counter[Move]) -> list[RegroupedTurn]:
    """Makes one conversation; a single turn if nothing fits, none if it cannot begin."""
    policy = Policy()
    length = rng.randint(_FEWEST_TURNS, _MOST_TURNS)
    first = rng.choices(list(stock.first_moves), list(stock.first_moves.values()))[0]
    turns: list[RegroupedTurn] = []
    found = _found(policy, rng, stock.first[first])
    while found is not None:
        turn, reply = found
        turns.append(RegroupedTurn(turn.number, reply.text))
        left = _signature(policy, reply)
        # A question is answered, unless there are too many turns already.
        if len(turns) >= (_MOST_TURNS if left.asked else length):
            break
        found = _next(policy, rng, stock, left, made)
    return turns


def regroup(plans: Sequence[TurnPlan], count: int, seed: int) -> list[list[RegroupedTurn]]:
    """Makes conversations of two to five turns until they have `count` later turns.

    What users do in them, such as correct, ask for the same again or use a pronoun, has about the
    shares that it has in the rendered conversations of several turns.

    Args:
        plans: the rendered turns.
        count: later turns, at least; fewer if the turns do not go together.
        seed: of all choices.
    """
    rng = random.Random(f"regroup-{seed}")
    stock = _stock(plans)
    conversations: list[list[RegroupedTurn]] = []
    made: Counter[Move] = Counter()
    later = failures = 0
    while stock.first_moves.total() and later < count and failures < _MOST_FAILURES:
        turns = _conversation(rng, stock, made)
        failures = 0 if len(turns) > 1 else failures + 1
        if len(turns) > 1:
            conversations.append(turns)
            later += len(turns) - 1
    return conversations


def regrouped_lessons(
    conversations: Sequence[Sequence[RegroupedTurn]],
    rendered: Sequence[ReplyLesson],
    phones: Callable[[str], Sequence[str]],
    table: SymbolTable,
) -> list[ReplyLesson]:
    """Makes lessons of the later turns of new conversations, to be numbered after the rendered.

    Args:
        conversations: see `regroup`; each until a reply has a symbol that the table lacks.
        rendered: lessons of the rendered turns; a conversation's first turn is one of them.
        phones: turns a reply into symbols.
        table: numbers the symbols.
    """
    lessons: list[ReplyLesson] = []
    for turns in conversations:
        numbers = [turns[0].turn]
        for turn in turns[1:]:
            symbols = phones(turn.reply)
            if any(symbol not in table for symbol in symbols):
                break
            earlier = numbers[: -1 - Decoder.EARLIER : -1]
            numbers.append(len(rendered) + len(lessons))
            lessons.append(ReplyLesson(turn.turn, table.encode(symbols), earlier))
    return lessons
