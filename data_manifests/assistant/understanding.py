"""Reads what the user said in the light of what was said before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from cascadence.data_manifests.assistant.filling import Heard, fill_slots, is_known, take_apart
from cascadence.data_manifests.assistant.frames import Frame, best_frame, is_foreign
from cascadence.data_manifests.assistant.intents import INTENTS
from cascadence.data_manifests.assistant.normalise import digits_of, tokens_of
from cascadence.data_manifests.assistant.phrases import (
    CANCEL_PHRASES,
    CORRECTION_PHRASES,
    ELLIPSIS_PHRASES,
    FILLER_WORDS,
    FIRST_OF_CORRECTION,
    PERSON_PRONOUNS,
    POLITE_WORDS,
    QUESTION_WORDS,
    REPEAT_PHRASES,
    STOP_WORDS,
)
from cascadence.data_manifests.assistant.schema import Intent, Slot
from cascadence.data_manifests.assistant.values import TYPES

Act = Literal["request", "repeat", "cancel", "unknown", "noise", "silence"]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the user meant.

    Attributes:
        intent: Name of the intent, or nothing if it is none that the domain knows.
        slots: Its values, those taken over from earlier turns included.
        correction: Whether the user corrected the last request.
        confidence: Evidence for this reading, in [0, 1].
        act: What kind of turn it is.
    """

    intent: str | None
    slots: dict[str, str] = field(default_factory=dict)
    correction: bool = False
    confidence: float = 0.0
    act: Act = "request"


@dataclass(slots=True)
class DialogueState:
    """What has been said so far.

    Attributes:
        last: The last request that was answered, with its values.
        pending: The request that the policy has asked a question about.
        pending_slot: The slot that it asked for.
        last_reply: The last reply.
        focus: The last value of every slot type.
    """

    last: Frame | None = None
    pending: Frame | None = None
    pending_slot: str | None = None
    last_reply: str = ""
    focus: dict[str, str] = field(default_factory=dict)


# A request of its own with such a score is not taken for an answer, or for a change of the last.
_SURE_REQUEST = 3.0
_LIKELY_REQUEST = 2.0
_LONGEST_BARE_FRAGMENT = 6


def _has_any(tokens: Sequence[str], phrases: Collection[str]) -> bool:
    """Whether one of some phrases occurs in a text, word for word."""
    text = f" {' '.join(tokens)} "
    return any(f" {phrase} " in text for phrase in phrases)


@lru_cache(maxsize=1_000)
def _without_politeness(text: str) -> str:
    """A text without the words that may surround a whole phrase."""
    return " ".join(word for word in text.split() if word not in POLITE_WORDS)


def _is_any(tokens: Sequence[str], phrases: Collection[str]) -> bool:
    """Whether a text is one of some phrases, politeness aside."""
    bare = _without_politeness(" ".join(tokens))
    return " ".join(tokens) in phrases or (bool(bare) and bare in map(_without_politeness, phrases))


def is_correction(tokens: Sequence[str]) -> bool:
    """Whether a text sounds like the correction of something said before.

    Args:
        tokens: Its words; at least one.
    """
    starts_so = tokens[0] in FIRST_OF_CORRECTION and tokens[1:2] not in (["alarm"], ["problem"])
    return starts_so or _has_any(tokens, CORRECTION_PHRASES)


def _fragment(intent: Intent, heard: Heard, old: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """Read a text as values for the slots of a known intent.

    Returns:
        The values, without those that only repeat the old ones where another is named, and how many
        content words remain unexplained.
    """
    denied = {i + 1 for i, token in enumerate(heard.tokens) if token == "not"}
    repeated = [s for s in heard.spans if s.value in old.values() or s.start in denied]
    fresh = tuple(
        s for s in heard.spans if not any(r.start <= s.start and s.end <= r.end for r in repeated)
    )
    digits = heard.digits
    if digits and "digits" in old:
        digits = digits.removeprefix(old["digits"]).removesuffix(old["digits"]).strip() or digits
    news = replace(heard, spans=fresh, digits=digits)
    # Look-alikes only if nothing fits as it stands; the old values only if there is nothing else.
    for part, by_similarity in ((news, False), (news, True), (heard, True)):
        chosen, _ = fill_slots(intent, part, old, by_similarity)
        if chosen:
            break
    covered = {i for s in (*chosen.values(), *repeated) for i in range(s.start, s.end)}
    explained = STOP_WORDS | FILLER_WORDS
    left = sum(i not in covered and t not in explained for i, t in enumerate(heard.tokens))
    return {name: span.value for name, span in chosen.items()}, left


def _from_focus(slot: Slot, heard: Heard, state: DialogueState) -> str | None:
    """What a pronoun in the text stands for, if it can fill a slot."""
    words, focus = heard.words, state.focus
    if slot.type in ("contact", "name") and not words.isdisjoint(PERSON_PRONOUNS):
        return focus.get(slot.type)
    if slot.type in ("room", "city", "place") and "there" in words:
        return focus.get(slot.type)
    if slot.type in ("device", "list", "event") and not words.isdisjoint({"it", "that"}):
        return focus.get(slot.type)
    if slot.type == "room" and not words.isdisjoint({"it", "them"}):
        return state.last.slots.get("room") if state.last else None
    return focus.get(slot.type) if f"same_{slot.type}" in words else None


def _complete(frame: Frame, heard: Heard, state: DialogueState) -> Frame:
    """Fill the open slots of a request from what was said before, where the text points to it."""
    slots = dict(frame.slots)
    intent, last = INTENTS[frame.intent], state.last
    continues = heard.tokens[0] in ("and", "also") and last and last.intent == frame.intent
    for slot in intent.slots:
        value = slots.get(slot.name) or _from_focus(slot, heard, state)
        if value is None and continues and last and slot.is_required:
            value = last.slots.get(slot.name)
        if value is not None:
            slots[slot.name] = value
    complete = all(slot.name in slots for slot in intent.required)
    return replace(frame, slots=slots, complete=complete)


def _answer_to_question(
    heard: Heard, best: Frame | None, state: DialogueState
) -> Understanding | None:
    """Read a text as the answer to the question that the policy asked."""
    pending, wanted = state.pending, state.pending_slot
    if pending is None or wanted is None or is_foreign(heard.words):
        return None
    if best and best.intent != pending.intent and best.complete and best.score >= _SURE_REQUEST:
        return None
    intent = INTENTS[pending.intent]
    values, left = _fragment(intent, heard, {})
    same_type = [n for n in values if intent.slot(n).type == intent.slot(wanted).type]
    if wanted not in values and len(values) == 1 and same_type:
        values = {wanted: values[same_type[0]]}
    is_counted = not TYPES[intent.slot(wanted).type].is_open
    is_short = len(heard.tokens) < _LONGEST_BARE_FRAGMENT
    if wanted not in values or left > (1 if is_counted and is_short else 0):
        return None
    others = {n: v for n, v in values.items() if n not in pending.slots and v != values[wanted]}
    slots = {**pending.slots, **others, wanted: values[wanted]}
    return Understanding(pending.intent, slots, confidence=0.9)


def _change_of_last(heard: Heard, best: Frame | None, state: DialogueState) -> Understanding | None:
    """Read a text as a change of the last request: a correction, or the same with another value."""
    last, tokens = state.last, heard.tokens
    if last is None or not INTENTS[last.intent].slots:
        return None
    corrects = is_correction(tokens)
    goes_on = _has_any(tokens, ELLIPSIS_PHRASES)
    if best:
        is_same = best.intent == last.intent
        drops_a_value = is_same and set(best.slots) < set(last.slots)
        if best.complete and not (is_same and (corrects or (goes_on and drops_a_value))):
            return None
        if not is_same and best.score >= _LIKELY_REQUEST:
            return None
    values, left = _fragment(INTENTS[last.intent], heard, last.slots)
    if not values or left > 1:
        return None
    is_question = tokens[0] in QUESTION_WORDS and tokens[1:2] != ("about",)
    is_bare = not best and not left and len(tokens) <= _LONGEST_BARE_FRAGMENT and not is_question
    if not (corrects or goes_on or is_bare):
        return None
    return Understanding(last.intent, {**last.slots, **values}, corrects, confidence=0.8)


def understand(text: str, state: DialogueState) -> Understanding:
    """Read what the user said.

    Args:
        text: The transcript, from an ASR or exact.
        state: What was said before; it is not changed.

    Returns:
        The intent with its values; an intent with open slots if it must be asked about; no intent
        if the domain does not know it (act ``unknown``), if it made no sense (``noise``) or if
        nothing was said.
    """
    tokens = tokens_of(text)
    if not tokens:
        return Understanding(None, act="silence")
    if _is_any(tokens, REPEAT_PHRASES):
        return Understanding(None, confidence=1.0, act="repeat")
    if _is_any(tokens, CANCEL_PHRASES):
        return Understanding(None, confidence=1.0, act="cancel")
    digits = digits_of(text, state.last.slots.get("digits") if state.last else None)
    heard = take_apart(tokens, digits)
    best = best_frame(heard)
    if best:
        best = _complete(best, heard, state)
    elif is_foreign(heard.words):
        return Understanding(None, act="unknown")
    reading = _answer_to_question(heard, best, state) or _change_of_last(heard, best, state)
    if reading:
        return reading
    if best:
        return Understanding(best.intent, best.slots, confidence=_confidence(best))
    return Understanding(None, act="unknown" if _makes_sense(tokens) else "noise")


def _confidence(frame: Frame) -> float:
    """How sure a reading is: less for values only similar to what was heard, and for odd words."""
    return max(0.1, 1.0 - 0.25 * frame.doubtful - 0.2 * frame.unexplained)


def _makes_sense(tokens: Sequence[str]) -> bool:
    """Whether a text has words enough to be a request, if not one of the domain."""
    says_something = any(token not in STOP_WORDS for token in tokens)
    known = sum(is_known(token) for token in tokens)
    return says_something and len(tokens) >= 3 and 3 * known >= len(tokens)
