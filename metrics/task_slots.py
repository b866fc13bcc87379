"""Slots: were the values right, and were wrong ones said?

Of a free reply, a wrong value can only be known where the manifest names it. It does so in two
ways: ``excludes``, and the values of the *same slot in other turns of the corpus*, its inventory (a
closed ontology, as in dialogue state tracking). A value of the inventory is wrong in a turn unless
the turn itself speaks of it: in an accepted value, the user's words, the reference reply or the
instructions. So a wrong value outside the inventory is missed, and precision is optimistic there;
recall is exact. Each slot is filled rightly once at most, and wrongly once at most.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from cascadence.conversation import Conversation, UserTurn
from cascadence.estimators import Observation
from cascadence.measurement import Case, Measurement, Tools, failed, metric, ratio, skipped
from cascadence.metrics.task import USER_INTERRUPTS, heard_reply, is_interrupted, judge
from cascadence.metrics.task_corpus import cluster_of, corpus_value, item_of
from cascadence.metrics.text import NORMALISER, says
from cascadence.metrics.turns import view

Inventory = Mapping[str, frozenset[tuple[str, ...]]]
"""By slot, the accepted values of every turn that has it; those of one turn are synonyms."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How the slots of one turn were filled.

    Attributes:
        right: slots of which an accepted value was said.
        wrong: slots of which another value was said, and one more for an excluded phrase.
        missing: slots of which no accepted value was said.
    """

    right: int
    wrong: int
    missing: int

    @property
    def f1(self) -> tuple[float, float]:
        """Numerator and denominator of the harmonic mean of precision and recall."""
        return 2.0 * self.right, 2.0 * self.right + self.wrong + self.missing


def inventory_of(turns: Sequence[UserTurn]) -> Inventory:
    """Collect the values of every slot."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for turn in turns:
        for name, accepted in turn.expect.slots.items():
            found[name].add(tuple(accepted))
    return {name: frozenset(values) for name, values in found.items()}


def filled(turn: UserTurn, said: str, inventory: Inventory, instructions: str = "") -> Filled:
    """Compare the values that were said with those that the manifest expects.

    Args:
        turn: with slots.
        said: a transcript; silence and the request repeated fill nothing.
        inventory: of the corpus.
        instructions: what the system was told: it may speak of that.
    """
    verdict = judge(turn, said)
    if verdict.echo or not said.strip():
        return Filled(0, 0, len(verdict.slots))
    right = sum(verdict.slots.values())
    spoken_of = _spoken_of(turn, instructions)
    wrong = sum(
        any(_is_wrong(values, said, spoken_of) for values in inventory.get(name, ()))
        for name in turn.expect.slots
    )
    wrong += any(not kept for kept in verdict.excludes.values())
    return Filled(right, wrong, len(verdict.slots) - right)


def _spoken_of(turn: UserTurn, instructions: str) -> tuple[str, ...]:
    accepted = [value for values in turn.expect.slots.values() for value in values]
    return (*accepted, turn.text, turn.expect.reply_text or "", instructions)


def _is_wrong(values: Sequence[str], said: str, spoken_of: Sequence[str]) -> bool:
    if not any(says(said, value) for value in values):
        return False
    return not any(says(text, value) for value in values for text in spoken_of)


@metric(
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="corpus",
    needs=("judge_asr",),
    version="2",
)
def slot_f1(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Harmonic mean of precision and recall of the slot values that were heard, over the corpus.

    2 right / (2 right + wrong + missing), sums over all turns with slots. Recall is
    `cascadence.metrics.task.slot_recall`; what counts as wrong says
    `cascadence.metrics.task_slots`. Turns whose reply the manifest's next turn barges into are left
    out; their values stay in the inventory. Only comparable between systems on the same
    conversations, since the inventory is theirs. Interval: cluster bootstrap.
    """
    heard: list[_Heard] = []
    for case in cases:
        heard.extend(_heard(case, tools))
    if not heard:
        return skipped("no turn of this corpus expects slots")
    inventory = inventory_of([turn for each in heard for turn in each.conversation.turns])
    parts: Counter[str] = Counter()
    found = []
    for each in heard:
        if is_interrupted(each.conversation, each.index):
            found.append(each.observation(skipped(USER_INTERRUPTS)))
            continue
        if each.said is None:
            found.append(each.observation(failed("the turn was never played")))
            continue
        count = filled(each.turn, each.said, inventory, each.conversation.instructions or "")
        parts.update(asdict(count))
        found.append(each.observation(ratio(*count.f1)))
    details = _precision_and_recall(Filled(**parts)) if parts else {}
    values = {name: len(each) for name, each in inventory.items()}
    label = cases[0].recording.cell
    more = {"inventory": values, "normaliser": NORMALISER, **parts, **details}
    return corpus_value(slot_f1.spec, found, label, **more)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A turn with slots, and what was heard of the reply.

    ``None`` where the turn was never played, or the manifest interrupts the reply.
    """

    conversation: Conversation
    item: str
    index: int
    said: str | None

    @property
    def turn(self) -> UserTurn:
        return self.conversation.turns[self.index]

    def observation(self, measurement: Measurement) -> Observation:
        return Observation(
            cluster_of(self.conversation), measurement.on_turn(self.index), self.item
        )


def _heard(case: Case, tools: Tools) -> Iterator[_Heard]:
    played = {turn.index: turn for turn in case.recording.turns}
    for index, turn in enumerate(case.conversation.turns):
        if turn.expect.slots:
            is_heard = index in played and not is_interrupted(case.conversation, index)
            seen = view(case, played[index]) if is_heard else None
            said = None if seen is None else heard_reply(seen, tools)
            yield _Heard(case.conversation, item_of(case), index, said)


def _precision_and_recall(total: Filled) -> dict[str, float | None]:
    named = total.right + total.wrong
    return {
        "precision": total.right / named if named else None,
        "recall": total.right / (total.right + total.missing),
    }
