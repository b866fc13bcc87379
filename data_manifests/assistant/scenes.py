"""What users do in a conversation of the assistant domain, turn by turn, and what must be answered.

The scene decides what the user wants and says it; it never asks the policy. That the policy,
reading the true texts, answers just the replies given here is a test.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from cascadence.data_manifests.assistant.intents import (
    INTENTS,
    REPLY_CANCELLED,
    REPLY_DECLINED,
    derived,
    render_reply,
)
from cascadence.data_manifests.assistant.numbers import DIGIT_WORDS
from cascadence.data_manifests.assistant.outside import OUTSIDE_LINES
from cascadence.data_manifests.assistant.policy import Kind
from cascadence.data_manifests.assistant.schema import Intent, Slot
from cascadence.data_manifests.assistant.speaking import (
    AGAIN_WITH_BARE,
    AGAIN_WITH_FRAGMENT,
    ANSWERS,
    CANCELS,
    CORRECTIONS_WITH_BARE,
    CORRECTIONS_WITH_FRAGMENT,
    REPEATS,
    decorated,
    emphasised,
    said,
    spoken,
)
from cascadence.data_manifests.assistant.splits import Split, holds_out, may_occur
from cascadence.data_manifests.assistant.templates import slot_names
from cascadence.data_manifests.assistant.values import TYPES, accepted_forms, pronoun_for

SMALL_TALK = ("greeting", "thanks", "goodbye", "help", "identity")
UNCORRECTED = frozenset({*SMALL_TALK, "sum", "feel_good", "feel_bad", "media_control", "introduce"})
"""Intents that nobody corrects or asks for again with another value."""

_ATTEMPTS = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """A user's turn and the reply to it.

    Attributes:
        text: How the user says it, with normal punctuation.
        intent: The intent; ``repeat_last`` and ``cancel_last`` for those; nothing outside the
            domain.
        slots: The values in force, those of earlier turns included.
        reply: What the policy answers.
        expect_slots: For every value that the reply must say, the forms in which it may be heard.
        kind: Kind of the reply.
        emphasis_words: Indices of the words of ``text.split()`` that carry new or corrected
            information.
    """

    text: str
    intent: str | None
    slots: dict[str, str]
    reply: str
    expect_slots: dict[str, tuple[str, ...]]
    kind: Kind
    emphasis_words: tuple[int, ...] = ()


def expected_forms(intent: str, slots: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Forms of every value that the reply to a request must say.

    Args:
        intent: Name of the intent.
        slots: Its values.

    Returns:
        Accepted forms by slot name; results of sums and conversions included.
    """
    schema = INTENTS[intent]
    forms = {s.name: accepted_forms(s.type, slots[s.name]) for s in schema.slots if s.name in slots}
    result = (derived(intent, slots) or {}).get("result")
    if result:
        forms["result"] = accepted_forms("result", result)
        forms.pop("unit", None)
    return forms


def sample_value(rng: random.Random, slot: Slot) -> str:
    """Draw a value for a slot."""
    if slot.type == "digits":
        return " ".join(rng.choice(DIGIT_WORDS) for _ in range(rng.randint(3, 6)))
    return rng.choice(TYPES[slot.type].values)


def sample_slots(
    rng: random.Random,
    intent: Intent,
    split: Split,
    fixed: dict[str, str] | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, str] | None:
    """Draw values for a request, such that the combination may occur in a split.

    Args:
        rng: Source of randomness.
        intent: The intent.
        split: The split.
        fixed: Values that are given.
        names: Slots to fill; all by default.

    Returns:
        The values; nothing if no combination was found.
    """
    wanted = [slot for slot in intent.slots if names is None or slot.name in names]
    for _ in range(_ATTEMPTS):
        drawn = {slot.name: sample_value(rng, slot) for slot in wanted}
        slots = drawn | (fixed or {})
        cities = [slots[s.name] for s in intent.slots if s.type == "city" and s.name in slots]
        if len(set(cities)) < len(cities) or not may_occur(intent.name, slots, split):
            continue
        if intent.name == "convert" and render_reply("convert", slots) == REPLY_DECLINED:
            continue
        return slots
    return None


def answered(
    text: str, intent: str, slots: dict[str, str], kind: Kind = "answer", new: str = ""
) -> Line:
    """Put a request and its answer together.

    Args:
        text: What the user says.
        intent: Name of the intent.
        slots: All its values.
        kind: ``answer`` or ``correction``.
        new: The value that the turn is about, to be emphasised.
    """
    ordered = {s.name: slots[s.name] for s in INTENTS[intent].slots if s.name in slots}
    reply = render_reply(intent, slots, kind == "correction")
    stressed = emphasised(text, new) if new else ()
    return Line(text, intent, ordered, reply, expected_forms(intent, slots), kind, stressed)


class Scene:
    """A conversation while it is being made up."""

    def __init__(self, rng: random.Random, split: Split, intents: Sequence[str]) -> None:
        """Begin with nothing said."""
        self.rng, self.split, self.intents = rng, split, intents
        self.lines: list[Line] = []
        self.tags: set[str] = set()
        self.focus: dict[str, str] = {}
        self.last: tuple[str, dict[str, str]] | None = None

    def _answer(
        self, text: str, intent: str, slots: dict[str, str], kind: Kind = "answer", new: str = ""
    ) -> None:
        """Add a request whose values are all known, and its answer."""
        self.lines.append(answered(text, intent, slots, kind, new))
        self._remember(intent, slots)
        self.last = (intent, slots)
        if holds_out(intent, slots):
            self.tags.add("heldout_value")

    def _remember(self, intent: str, slots: dict[str, str]) -> None:
        """Note which values pronouns may stand for from now on."""
        for slot in INTENTS[intent].slots:
            if slot.name in slots:
                self.focus[slot.type] = slots[slot.name]
                if slot.type in ("name", "contact"):
                    self.focus.update(contact=slots[slot.name], name=slots[slot.name])

    def fresh(self) -> bool:
        """A request that stands on its own."""
        intent = INTENTS[self.rng.choice(self.intents)]
        template = self.rng.choice(intent.requests)
        slots = sample_slots(self.rng, intent, self.split, names=slot_names(template))
        if slots is None:
            return False
        text = spoken(self.rng, template, intent, slots)
        is_talk = intent.name in SMALL_TALK
        self._answer(text if is_talk else decorated(self.rng, text), intent.name, slots)
        return True

    def asked_back(self) -> bool:
        """A request that leaves a value open, and the answers to the questions about it."""
        options = [i for i in self.intents if INTENTS[i].partial]
        if not options:
            return False
        intent = INTENTS[self.rng.choice(options)]
        _, template = self.rng.choice(intent.partial)
        slots = sample_slots(self.rng, intent, self.split, names=[s.name for s in intent.required])
        if slots is None:
            return False
        known = {name: slots[name] for name in slot_names(template)}
        self._ask(decorated(self.rng, spoken(self.rng, template, intent, known)), intent, known)
        for slot in intent.required:
            if slot.name in known:
                continue
            known = {**known, slot.name: slots[slot.name]}
            pattern = self.rng.choice(ANSWERS)
            text = self._about(pattern, slot, slots[slot.name])
            if all(s.name in known for s in intent.required):
                self._answer(text, intent.name, known, new=slots[slot.name])
            else:
                self._ask(text, intent, known)
        self.tags.add("clarification")
        return True

    def _ask(self, text: str, intent: Intent, known: dict[str, str]) -> None:
        """Add a turn that the policy answers with a question."""
        self._remember(intent.name, known)
        question = next(slot.ask for slot in intent.required if slot.name not in known)
        self.lines.append(Line(text, intent.name, known, question, {}, "clarify"))

    def _about(self, pattern: str, slot: Slot, value: str, old: str = "") -> str:
        """Say a single value, in a phrase around it."""
        rng = self.rng
        parts = {"f": said(rng, slot.fragment, slot, value), "b": said(rng, slot.bare, slot, value)}
        if "{old}" in pattern:
            parts["old"] = said(rng, slot.bare, slot, old, plain=True)
        text = pattern.format(**parts)
        return text[0].upper() + text[1:]

    def _changed(self) -> tuple[Slot, dict[str, str], str, str] | None:
        """Choose another value for one slot of the last request."""
        if self.last is None or self.last[0] in UNCORRECTED or not self.last[1]:
            return None
        name, slots = self.last
        intent = INTENTS[name]
        slot = self.rng.choice([s for s in intent.slots if s.name in slots])
        fixed = {k: v for k, v in slots.items() if k != slot.name}
        changed = sample_slots(self.rng, intent, self.split, fixed, [slot.name])
        if changed is None or changed[slot.name] == slots[slot.name]:
            return None
        return slot, changed, slots[slot.name], changed[slot.name]

    def correction(self) -> bool:
        """The last request with another value, because it was wrong."""
        change = self._changed()
        if change is None:
            return False
        slot, slots, old, new = change
        patterns: tuple[str, ...] = CORRECTIONS_WITH_FRAGMENT
        if slot.bare != slot.fragment or slot.type not in ("city", "message"):
            patterns = (*patterns, *CORRECTIONS_WITH_BARE)
        text = self._about(self.rng.choice(patterns), slot, new, old)
        assert self.last is not None
        self._answer(text, self.last[0], slots, "correction", new)
        self.tags.add("correction")
        return True

    def again(self) -> bool:
        """The last request once more with another value."""
        change = self._changed()
        if change is None:
            return False
        slot, slots, _, new = change
        has_preposition = slot.fragment.split()[0] in (
            "in",
            "to",
            "at",
            "for",
            "by",
            "from",
            "{day:on}",
        )
        patterns = AGAIN_WITH_FRAGMENT if has_preposition else AGAIN_WITH_BARE
        text = self._about(self.rng.choice(patterns), slot, new)
        assert self.last is not None
        self._answer(text, self.last[0], slots, new=new)
        self.tags.add("anaphora")
        return True

    def pronoun(self) -> bool:
        """Another request in which a pronoun stands for a value named before."""
        options = []
        for name in self.intents:
            for slot_name, template in INTENTS[name].anaphoric:
                slot = INTENTS[name].slot(slot_name)
                if slot.type in self.focus and self._is_clear(slot, name):
                    options.append((INTENTS[name], slot, template))
        if not options:
            return False
        intent, slot, template = self.rng.choice(options)
        names = {slot.name, *(n for n in slot_names(template) if n != "pronoun")}
        fixed = {slot.name: self.focus[slot.type]}
        slots = sample_slots(
            self.rng, intent, self.split, fixed, [n for n in names if n != slot.name]
        )
        if slots is None:
            return False
        template = template.replace("{pronoun}", pronoun_for(self.focus.get("contact", "")))
        text = decorated(self.rng, spoken(self.rng, template, intent, slots))
        self._answer(text, intent.name, slots)
        self.tags.add("anaphora")
        return True

    def _is_clear(self, slot: Slot, intent: str) -> bool:
        """Whether a listener would know what the pronoun means."""
        if slot.type in ("device", "event", "room", "city", "place", "list"):
            return self.last is not None and self.focus[slot.type] in self.last[1].values()
        return True

    def repeat(self) -> bool:
        """The user did not hear the reply."""
        if not self.lines:
            return False
        last = self.lines[-1]
        text = self.rng.choice(REPEATS)
        self.lines.append(Line(text, "repeat_last", {}, last.reply, last.expect_slots, "answer"))
        self.tags.add("repeat")
        return True

    def cancel(self) -> bool:
        """The user takes the last request back."""
        if self.last is None or not INTENTS[self.last[0]].slots or self.last[0] in UNCORRECTED:
            return False
        self.lines.append(
            Line(self.rng.choice(CANCELS), "cancel_last", {}, REPLY_CANCELLED, {}, "answer")
        )
        self.last = None
        self.tags.add("cancel")
        return True

    def outside(self) -> bool:
        """A request outside the domain."""
        lines = OUTSIDE_LINES["test" if self.split == "heldout_value" else self.split]
        text = self.rng.choice(lines)
        for name in slot_names(text):
            text = text.replace(f"{{{name}}}", self.rng.choice(TYPES[name].values))
        self.lines.append(Line(text, None, {}, REPLY_DECLINED, {}, "decline"))
        self.tags.add("out_of_domain")
        return True

    def small_talk(self) -> bool:
        """Thanks or a goodbye."""
        name = self.rng.choice(("thanks", "goodbye"))
        self._answer(self.rng.choice(INTENTS[name].requests), name, {})
        return True
