"""Samples conversations and texts of the assistant domain: for training, for corpora, for vocoders.

Splits are explained in :mod:`~cascadence.data_manifests.assistant.splits`.
"""

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cascadence.data_manifests.assistant.intents import (
    INTENTS,
    REPLY_CANCELLED,
    REPLY_DECLINED,
    REPLY_NOT_CAUGHT,
    REPLY_NOTHING_TO_CANCEL,
    render_reply,
)
from cascadence.data_manifests.assistant.numbers import DIGIT_WORDS, NUMBER_OF_WORDS
from cascadence.data_manifests.assistant.outside import OUTSIDE_LINES
from cascadence.data_manifests.assistant.scenes import (
    SMALL_TALK,
    UNCORRECTED,
    Line,
    Scene,
    answered,
    sample_slots,
)
from cascadence.data_manifests.assistant.speaking import phrase_texts, spoken, value_texts
from cascadence.data_manifests.assistant.splits import Split
from cascadence.data_manifests.assistant.templates import fill, literal_text, slot_names
from cascadence.data_manifests.assistant.values import TYPES, UNIT_FACTORS, quantity_words

OUTSIDE_SHARE = 0.08
MULTI_TURN_SHARE = 0.35
MOST_TURNS = 5
_ATTEMPTS = 2_000


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation.

    Attributes:
        id_hint: Identifier that depends on the content alone.
        turns: Its turns in order.
        tags: What happens in it, such as ``correction``.
    """

    id_hint: str
    turns: tuple[Line, ...]
    tags: tuple[str, ...]


_NEXT_TURNS = (
    ("fresh", 0.16),
    ("asked_back", 0.12),
    ("correction", 0.24),
    ("again", 0.20),
    ("pronoun", 0.12),
    ("repeat", 0.05),
    ("cancel", 0.04),
    ("outside", 0.04),
    ("small_talk", 0.03),
)


def _play(scene: Scene, n_turns: int) -> None:
    """Add turns to a conversation until it has as many as wanted."""
    moves, weights = zip(*_NEXT_TURNS, strict=True)
    while len(scene.lines) < n_turns:
        if not scene.lines:
            first = "asked_back" if n_turns > 1 and scene.rng.random() < 0.25 else "fresh"
            if not getattr(scene, first)() and not scene.fresh():
                raise ValueError(f"none of {scene.intents} has a combination in {scene.split}")
            continue
        move = scene.rng.choices(moves, weights)[0]
        if move == "small_talk" and len(scene.lines) < n_turns - 1:
            continue
        getattr(scene, move)()


def sample_dialogue(
    rng: random.Random,
    split: Split,
    n_turns: int | None = None,
    intents: Sequence[str] | None = None,
) -> Dialogue:
    """Draw a conversation.

    Args:
        rng: Source of randomness; the same state gives the same conversation.
        split: Which combinations of values may occur
            (:mod:`~cascadence.data_manifests.assistant.splits`). In ``heldout_value``, at least one
            value occurs that training leaves out for its intent.
        n_turns: Turns of the user, 1 to 5. By default one, or two to five in about a third of
            cases.
        intents: Names of the intents that fresh requests may have; all by default, and then about
            one conversation in twelve is a request outside the domain.

    Returns:
        The conversation.

    Raises:
        ValueError: The number of turns is out of range, or no intent has a combination in the
            split.
    """
    if n_turns is not None and not 1 <= n_turns <= MOST_TURNS:
        raise ValueError(f"a conversation has 1 to {MOST_TURNS} turns, not {n_turns}")
    names = tuple(intents) if intents is not None else tuple(INTENTS)
    may_be_outside = intents is None and split != "heldout_value" and n_turns in (None, 1)
    if may_be_outside and rng.random() < OUTSIDE_SHARE:
        scene = Scene(rng, split, names)
        scene.outside()
        return _finished(scene)
    for _ in range(_ATTEMPTS):
        wanted = n_turns or (rng.randint(2, MOST_TURNS) if rng.random() < MULTI_TURN_SHARE else 1)
        scene = Scene(rng, split, names)
        _play(scene, wanted)
        fits = len(scene.lines) == wanted or (n_turns is None and len(scene.lines) <= MOST_TURNS)
        if fits and (split != "heldout_value" or "heldout_value" in scene.tags):
            return _finished(scene)
    raise ValueError(f"no conversation of {n_turns} turns found for {names} in {split}")


def _finished(scene: Scene) -> Dialogue:
    """Close a conversation and name it."""
    texts = "\n".join(line.text for line in scene.lines)
    digest = hashlib.sha256(texts.encode()).hexdigest()[:10]
    subject = next((line.intent for line in scene.lines if line.intent), "out_of_domain")
    length = "multi_turn" if len(scene.lines) > 1 else "single_turn"
    tags = (length, *sorted(scene.tags))
    return Dialogue(f"{scene.split}-{subject}-{digest}", tuple(scene.lines), tags)


def iter_reply_texts(rng: random.Random, n: int, split: Split = "train") -> Iterator[str]:
    """Draw texts that the assistant may say, such as a vocoder for its voice needs to see.

    Args:
        rng: Source of randomness.
        n: How many.
        split: Which combinations of values may occur.

    Yields:
        The replies; intents with more slots come up more often, questions and apologies now and
        then.
    """
    names = tuple(INTENTS)
    fixed = (REPLY_NOT_CAUGHT, REPLY_DECLINED, REPLY_CANCELLED, REPLY_NOTHING_TO_CANCEL)
    weights = [0.3 + sum(TYPES[s.type].is_open for s in INTENTS[name].slots) for name in names]
    questions = tuple(slot.ask for intent in INTENTS.values() for slot in intent.required)
    for _ in range(n):
        draw = rng.random()
        if draw < 0.06:
            yield rng.choice(questions if draw < 0.04 else fixed)
            continue
        intent = INTENTS[rng.choices(names, weights)[0]]
        slots = sample_slots(rng, intent, split)
        if slots is not None:
            correction = bool(slots) and intent.name not in UNCORRECTED and draw > 0.85
            yield render_reply(intent.name, slots, correction)


def all_reply_words() -> frozenset[str]:
    """All words that a reply may contain, lower-case, as the reply writes them."""
    return frozenset(_words(_reply_sources()))


def training_words() -> frozenset[str]:
    """All words that a sampled user may say in any split, lower-case, without punctuation.

    These are the classes of a word recogniser for the domain; apostrophes are kept.
    """
    return frozenset(_words(_request_sources()))


def contrast_texts(rng: random.Random, n: int, split: Split = "test") -> list[str]:
    """Draw requests of four to nine neutral words, to be said in several styles.

    Args:
        rng: Source of randomness.
        n: How many, all different.
        split: Which combinations of values may occur.

    Returns:
        The texts; none is about a feeling, and none begins with a greeting.
    """
    neutral = [n for n in INTENTS if n not in {*SMALL_TALK, "feel_good", "feel_bad", "introduce"}]
    texts: dict[str, None] = {}
    while len(texts) < n:
        intent = INTENTS[rng.choice(neutral)]
        template = rng.choice(intent.requests)
        slots = sample_slots(rng, intent, split, names=slot_names(template))
        if slots is None:
            continue
        text = spoken(rng, template, intent, slots)
        if 4 <= len(text.split()) <= 9 and "," not in text:
            texts.setdefault(text)
    return list(texts)


def request_grid(split: Split, per_request: int = 1, seed: int = 0) -> Iterator[Line]:
    """Go through every phrasing of every intent once, with values of a split.

    Args:
        split: Which combinations of values may occur.
        per_request: How many draws of values for each phrasing.
        seed: Decides the values.

    Yields:
        Single turns that stand on their own.
    """
    rng = random.Random(seed)
    for intent in INTENTS.values():
        for template in intent.requests:
            for _ in range(per_request):
                slots = sample_slots(rng, intent, split, names=slot_names(template))
                if slots is not None:
                    yield answered(spoken(rng, template, intent, slots), intent.name, slots)


def _words(texts: Iterable[str]) -> Iterator[str]:
    """The words of some texts, lower-case."""
    for text in texts:
        yield from re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.lower())


def _request_sources() -> Iterator[str]:
    """Everything that user turns are put together from."""
    for intent in INTENTS.values():
        templates = (*intent.requests, *(t for _, t in intent.partial + intent.anaphoric))
        yield from (literal_text(template) for template in templates)
        for slot in intent.slots:
            yield from (literal_text(slot.fragment), literal_text(slot.bare))
    yield from value_texts()
    yield from phrase_texts()
    for lines in OUTSIDE_LINES.values():
        yield from (literal_text(line) for line in lines)


def _reply_sources() -> Iterator[str]:
    """Everything that replies are put together from."""
    for intent in INTENTS.values():
        yield literal_text(intent.reply)
        yield from (slot.ask for slot in intent.required)
        for slot in intent.slots:
            values = TYPES[slot.type].values
            yield from (fill(f"{{v:{style}}}", {"v": v}) for v in values for style in ("on", "you"))
    yield from (REPLY_NOT_CAUGHT, REPLY_DECLINED, REPLY_CANCELLED, REPLY_NOTHING_TO_CANCEL)
    yield from DIGIT_WORDS
    yield "okay is are about one hundred thousand " + " ".join(NUMBER_OF_WORDS)
    yield from (quantity_words(n, u) for pair in UNIT_FACTORS for u in pair for n in (1, 2))
