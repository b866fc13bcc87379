"""Reads a request on its own: which intent it is, and which values fill it.

Nothing here matches whole phrasings. An intent is given away by cue words, its slots are filled by
the values found, and what is left unexplained counts against it, so that new phrasings are read and
requests that only share a word with the domain are not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from cascadence.data_manifests.assistant.filling import (
    DOUBTFUL_QUALITY,
    Heard,
    fill_slots,
    take_apart,
    vocabulary_of,
    words_and_pairs,
)
from cascadence.data_manifests.assistant.intents import INTENTS
from cascadence.data_manifests.assistant.phrases import (
    AFTER_NUMBER,
    BEFORE_NUMBER,
    BLOCK_PAIRS,
    BLOCK_WORDS,
    REPAIRS,
    SOUNDS_LIKE_NUMBER,
)
from cascadence.data_manifests.assistant.schema import Intent
from cascadence.data_manifests.assistant.values import TYPES

_PER_CUE_GROUP = 1.5
_PER_MISSING = 1.0
_PER_UNEXPLAINED = 0.6
_PER_BLOCK = 4.0
_LEAST_SCORE = 0.5
_MOST_GAINED_BY_SIMILARITY = 2.5
_LEAST_GAINED_BY_REPAIR = 0.5


@dataclass(frozen=True, slots=True)
class Frame:
    """An intent with the values found for it.

    Attributes:
        intent: Name of the intent.
        slots: Values by slot name.
        score: Evidence for this reading; comparable between readings of one text.
        unexplained: Content words that it does not account for.
        complete: Whether no required slot is open.
        doubtful: How many values are only similar to what was heard.
    """

    intent: str
    slots: dict[str, str] = field(default_factory=dict)
    score: float = 0.0
    unexplained: int = 0
    complete: bool = False
    doubtful: int = 0


@cache
def _cues_of(name: str) -> tuple[tuple[tuple[frozenset[str], str | None], ...], ...]:
    """The cues of an intent: for each group its words, or the type of value that it asks for."""
    return tuple(
        tuple(
            (frozenset(), group[1:]) if group[0] == "@" else (frozenset(group.split("|")), None)
            for group in cue.split()
        )
        for cue in INTENTS[name].cues
    )


@cache
def _intents_by_sign() -> dict[str, frozenset[str]]:
    """For each cue word, and each ``@type``, the intents that may be meant where it occurs."""
    index: dict[str, set[str]] = {}
    for name in INTENTS:
        for cue in _cues_of(name):
            words, wanted = next((group for group in cue if group[0]), cue[0])
            for sign in words or {f"@{wanted}"}:
                index.setdefault(sign, set()).add(name)
    return {sign: frozenset(names) for sign, names in index.items()}


def _suspects(heard: Heard) -> list[Intent]:
    """The intents that a text may have a cue for, in their own order."""
    index = _intents_by_sign()
    signs = {*heard.words, *(f"@{name}" for name in heard.types)}
    names = {name for sign in signs for name in index.get(sign, ())}
    return [intent for intent in INTENTS.values() if intent.name in names]


def _cue_score(intent: Intent, heard: Heard) -> float:
    """Evidence from cue words: a credit for each group of the longest cue; 0 if none matches."""
    longest = 0
    for cue in _cues_of(intent.name):
        if len(cue) > longest and all(
            wanted in heard.types if wanted else not words.isdisjoint(heard.words)
            for words, wanted in cue
        ):
            longest = len(cue)
    return _PER_CUE_GROUP * longest


def _frame(intent: Intent, heard: Heard, by_similarity: bool) -> Frame | None:
    """Read a text as one intent; nothing without a cue for it."""
    cue = _cue_score(intent, heard)
    if not cue:
        return None
    chosen, unexplained = fill_slots(intent, heard, by_similarity=by_similarity)
    missing = sum(slot.name not in chosen for slot in intent.required)
    covered = {i for span in chosen.values() for i in range(span.start, span.end)}
    free = ["" if i in covered else token for i, token in enumerate(heard.tokens)]
    score = cue + sum(s.quality + 0.15 * (s.end - s.start) for s in chosen.values())
    score -= _PER_MISSING * missing + _PER_UNEXPLAINED * unexplained
    score -= _PER_BLOCK * len(intent.blocks & words_and_pairs(free))
    slots = {slot.name: chosen[slot.name].value for slot in intent.slots if slot.name in chosen}
    doubtful = sum(s.quality < DOUBTFUL_QUALITY and TYPES[s.type].is_open for s in chosen.values())
    return Frame(intent.name, slots, score, unexplained, not missing, doubtful)


def is_foreign(words: Iterable[str], intent: str | None = None) -> bool:
    """Whether a text has words, or opens questions, that requests of the domain never have.

    Args:
        words: Its words and pairs of neighbouring words.
        intent: Name of an intent whose own words are excepted.
    """
    foreign = (BLOCK_WORDS | BLOCK_PAIRS).intersection(words)
    return bool(foreign - vocabulary_of(intent) if intent else foreign)


def _is_credible(frame: Frame, heard: Heard) -> bool:
    """Whether a reading explains enough of a text to be acted upon."""
    if frame.score < _LEAST_SCORE or is_foreign(heard.words, frame.intent):
        return False
    required = INTENTS[frame.intent].required
    if not required or frame.doubtful:
        return frame.unexplained == 0
    if frame.complete:
        return frame.unexplained <= max(2, len(frame.slots))
    missing = sum(slot.name not in frame.slots for slot in required)
    return frame.unexplained <= (1 if missing == 1 and frame.slots else 0)


def _credible_frames(heard: Heard) -> list[Frame]:
    """The credible readings of a text, best first."""
    quick = (_frame(intent, heard, by_similarity=False) for intent in _suspects(heard))
    frames = [frame for frame in quick if frame]
    sound = (f.score for f in frames if f.complete and _is_credible(f, heard))
    best = max(sound, default=0.0)
    for index, frame in enumerate(frames):
        # The search for similar values is slow: only where it could change the outcome.
        if not frame.complete and frame.score + _MOST_GAINED_BY_SIMILARITY > best:
            frames[index] = _frame(INTENTS[frame.intent], heard, by_similarity=True) or frame
    credible = (frame for frame in frames if _is_credible(frame, heard))
    return sorted(credible, key=lambda f: (-f.score, f.intent))


def _variants(tokens: Sequence[str]) -> Iterable[list[str]]:
    """The text with one word replaced by what it may have sounded like."""
    for index, token in enumerate(tokens):
        before, after = tokens[index - 1 : index], tokens[index + 1 : index + 2]
        counts = BEFORE_NUMBER.intersection(before) or AFTER_NUMBER.intersection(after)
        number = SOUNDS_LIKE_NUMBER.get(token) if counts else None
        for replacement in (number, REPAIRS.get(token)):
            if replacement and replacement != token:
                yield [*tokens[:index], replacement, *tokens[index + 1 :]]


def best_frame(heard: Heard) -> Frame | None:
    """Find the most credible reading of a text.

    Args:
        heard: The text, taken apart.

    Returns:
        The reading, or nothing if none is credible. If a request is not complete as it stands, what
        single words may have sounded like is tried too.
    """
    best = next(iter(_credible_frames(heard)), None)
    if best and best.complete:
        return best
    for variant in _variants(heard.tokens):
        frame = next(iter(_credible_frames(take_apart(variant, heard.digits))), None)
        # A repair must earn its keep: it completes the request, or first makes sense of it.
        least = best.score + _LEAST_GAINED_BY_REPAIR if best else 0.0
        is_full = frame and (frame.complete or (not best and not frame.unexplained))
        if frame and is_full and frame.score > least:
            best = frame
    return best
