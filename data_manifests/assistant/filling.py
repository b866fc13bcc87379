"""Fills the slots of a given intent from what was heard: exact values, numbers, look-alikes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from cascadence.data_manifests.assistant.common_words import COMMON_WORDS
from cascadence.data_manifests.assistant.intents import INTENTS
from cascadence.data_manifests.assistant.normalise import tokens_of
from cascadence.data_manifests.assistant.phrases import (
    BLOCK_WORDS,
    NUMERALS,
    PHRASE_WORDS,
    STOP_WORDS,
)
from cascadence.data_manifests.assistant.schema import Intent, Slot
from cascadence.data_manifests.assistant.similarity import nearest
from cascadence.data_manifests.assistant.spans import (
    UNIT_WORDS,
    Span,
    from_bare_number,
    spans_of,
    value_words,
)
from cascadence.data_manifests.assistant.templates import literal_text
from cascadence.data_manifests.assistant.values import NUMBER_TYPES, TYPES

DOUBTFUL_QUALITY = 0.76
"""Values of open types below this quality are only similar to what was heard."""


def words_and_pairs(tokens: Sequence[str]) -> set[str]:
    """The words of a text, and its pairs of neighbours joined by an underscore."""
    return {*tokens, *(f"{a}_{b}" for a, b in pairwise(tokens))}


@cache
def vocabulary_of(name: str) -> frozenset[str]:
    """Words and pairs of words, slot values aside, that belong to requests of an intent."""
    intent = INTENTS[name]
    words: set[str] = set(intent.vocabulary)
    for template in (*intent.requests, *(t for _, t in intent.partial + intent.anaphoric)):
        words.update(words_and_pairs(tokens_of(literal_text(template))))
    for cue in intent.cues:
        groups = (group for group in cue.split() if group[0] != "@")
        words.update(w for group in groups for w in group.replace("_", "|").split("|"))
    return frozenset(words)


@cache
def lexicon() -> frozenset[str]:
    """All words that the domain knows: templates, values, function words, numbers, units."""
    words = set(STOP_WORDS | BLOCK_WORDS | value_words() | UNIT_WORDS | PHRASE_WORDS | NUMERALS)
    for name in INTENTS:
        words |= vocabulary_of(name)
    return frozenset(words)


def is_known(word: str) -> bool:
    """Whether a word is one that a transcript may well be right about."""
    return word in lexicon() or word in COMMON_WORDS


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript, taken apart.

    Attributes:
        tokens: Its words, as from :func:`~cascadence.data_manifests.assistant.normalise.tokens_of`.
        spans: The values that may be in it.
        digits: The digit string in it, if there is one.
        words: Its words and pairs of neighbouring words.
        types: The slot types of its values.
    """

    tokens: tuple[str, ...]
    spans: tuple[Span, ...]
    digits: str | None
    words: frozenset[str]
    types: frozenset[str]


def take_apart(tokens: Sequence[str], digits: str | None) -> Heard:
    """Find everything in a transcript that may be a value.

    Args:
        tokens: Its words.
        digits: The digit string in it, if there is one.
    """
    spans = (*spans_of(tokens), *_repaired_spans(tokens))
    types = {span.type for span in spans if span.quality >= 0.5} | ({"digits"} if digits else set())
    words = frozenset(words_and_pairs(tokens))
    return Heard(tuple(tokens), spans, digits, words, frozenset(types))


def _repaired_spans(tokens: Sequence[str]) -> Iterable[Span]:
    """Values that look like words which the domain does not know."""
    windows = {
        (start, end)
        for index, token in enumerate(tokens)
        if len(token) > 2 and not is_known(token)
        for start in (index - 1, index)
        for end in (index + 1, index + 2)
        if start >= 0 and end <= len(tokens)
    }
    for start, end in sorted(windows):
        heard = " ".join(tokens[start:end])
        # A known word beside an unknown one must not lend it too much likeness.
        least = 0.72 if end - start == 1 and len(heard) > 4 else 0.8
        for slot_type in TYPES.values():
            if slot_type.is_open and slot_type.name != "message":
                found = nearest(heard, slot_type.values, least)
                if found and (end - start == 1 or " " in found[0] or found[1] > 0.9):
                    yield Span(start, end, slot_type.name, found[0], 0.75 * found[1])


def _fits(slot: Slot, span: Span) -> bool:
    """Whether a span is a value for a slot as it stands."""
    return span.type == slot.type or (span.type == "number" and slot.type in NUMBER_TYPES)


def _role_bonus(slot: Slot, span: Span, tokens: Sequence[str]) -> float:
    """Credit for a marking word beside a value, in [0, 0.5]."""
    following = tokens[span.end] if span.end < len(tokens) else ""
    if slot.type == "people" and following in ("people", "persons", "guests"):
        return 0.5
    before = [t for t in tokens[max(0, span.start - 3) : span.start] if t not in ("the", "a", "is")]
    return 0.5 if before and before[-1] in slot.roles else 0.0


def _assign(intent: Intent, spans: Iterable[Span], tokens: Sequence[str]) -> dict[str, Span]:
    """Choose values for the slots of an intent, the best first, so that no two overlap."""
    candidates: list[tuple[float, int, Slot, Span]] = []
    for span in spans:
        for order, slot in enumerate(intent.slots):
            if _fits(slot, span):
                rivals = [s for s in intent.slots if s is not slot and s.type == slot.type]
                worth = span.quality + 0.15 * (span.end - span.start) - 0.001 * span.start
                worth += _role_bonus(slot, span, tokens)
                worth -= max((_role_bonus(s, span, tokens) for s in rivals), default=0.0)
                candidates.append((worth, -order, slot, span))
    chosen: dict[str, Span] = {}
    for _, _, slot, span in sorted(candidates, key=lambda c: (-c[0], -c[1], c[3].start)):
        if slot.name not in chosen and not any(span.overlaps(s) for s in chosen.values()):
            chosen[slot.name] = span
    return chosen


def _leftovers(intent: Intent, tokens: Sequence[str], taken: Iterable[Span]) -> list[int]:
    """Indices of content words that neither the values nor the intent's vocabulary explain."""
    covered = {i for span in taken for i in range(span.start, span.end)}
    known = vocabulary_of(intent.name)
    return [
        index
        for index, token in enumerate(tokens)
        if index not in covered and token not in STOP_WORDS and token not in known
    ]


def _fill_by_number(
    intent: Intent, chosen: dict[str, Span], spans: Iterable[Span], old: Mapping[str, str]
) -> None:
    """Give an open measured slot a number that stands alone: ``dim the lights to forty``."""
    for slot in intent.slots:
        for span in spans:
            if slot.name in chosen:
                break
            if span.type != "number" or any(span.overlaps(s) for s in chosen.values()):
                continue
            value = from_bare_number(span.value, slot.type, old.get(slot.name))
            if value is not None:
                chosen[slot.name] = Span(span.start, span.end, slot.type, value, 0.6)


def _least_similarity(slot: Slot, heard: Sequence[str]) -> float:
    """How similar a value must be to what was heard: more so if that are short or known words."""
    if all(is_known(word) for word in heard):
        return 0.87
    if not slot.is_required or len("".join(heard)) < 4:
        return 0.82
    return 0.7


def _fill_by_similarity(intent: Intent, chosen: dict[str, Span], tokens: Sequence[str]) -> None:
    """Give an open slot the value that looks most like words left over."""
    for slot in intent.slots:
        slot_type = TYPES[slot.type]
        if slot.name in chosen or not slot_type.is_open:
            continue
        left = _leftovers(intent, tokens, chosen.values())
        left = [index for index in left if tokens[index] not in NUMERALS]
        is_phrase = slot.type in ("message", "task")
        best: tuple[float, Span] | None = None
        for start in left:
            for end in range(start + 1, min(len(tokens), start + (6 if is_phrase else 3)) + 1):
                if end - 1 not in left and not is_phrase:
                    continue
                heard = tokens[start:end]
                found = nearest(" ".join(heard), slot_type.values, _least_similarity(slot, heard))
                if found and (best is None or found[1] > best[0]):
                    best = found[1], Span(start, end, slot.type, found[0], 0.7 * found[1])
        if best:
            chosen[slot.name] = best[1]


def fill_slots(
    intent: Intent,
    heard: Heard,
    old: Mapping[str, str] | None = None,
    by_similarity: bool = True,
) -> tuple[dict[str, Span], int]:
    """Fill the slots of a given intent.

    Args:
        intent: The intent.
        heard: The transcript.
        old: Values to be replaced, whose units a bare number takes.
        by_similarity: Whether to fill open slots with the values that look most like what is left.

    Returns:
        The chosen spans by slot name, and how many content words they leave unexplained.
    """
    tokens = heard.tokens
    chosen = _assign(intent, heard.spans, tokens)
    for slot in intent.slots:
        if slot.type == "digits" and heard.digits:
            own = [i for i, t in enumerate(tokens) if t not in vocabulary_of(intent.name)]
            chosen[slot.name] = Span(min(own, default=0), len(tokens), "digits", heard.digits)
    _fill_by_number(intent, chosen, heard.spans, old or {})
    if by_similarity:
        _fill_by_similarity(intent, chosen, tokens)
    values = {span.value for span in chosen.values()}
    named = (*chosen.values(), *(span for span in heard.spans if span.value in values))
    return chosen, len(_leftovers(intent, tokens, named))
