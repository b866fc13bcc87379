"""Which combinations of values, and which values in which intent, a model may be trained on."""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Literal

from cascadence.data_manifests.assistant.intents import INTENTS
from cascadence.data_manifests.assistant.values import RELATIONS, TYPES

Split = Literal["train", "dev", "test", "heldout_value"]

TRAIN_SHARE, DEV_SHARE = 0.80, 0.05
HELD_OUT_SHARE = 0.09
HELD_OUT_TYPES = ("contact", "city", "item", "event", "room")

SHARED_INTENTS = frozenset({"sum", "convert"})
"""Intents whose answers are facts: they cannot be composed, so all splits share their combinations.

Shared as well, for want of combinations: every request with fewer than two values, as in small
talk, ``set_timer``, ``call`` or ``introduce``. Digit strings are split like combinations."""


def _draw(key: str) -> float:
    """A number in [0, 1) that depends on a text alone, the same on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64


@cache
def held_out_pairs() -> frozenset[tuple[str, str]]:
    """Pairs of an intent and a value that training leaves out for that intent, and only there."""
    pairs: set[tuple[str, str]] = set()
    for type_name in HELD_OUT_TYPES:
        kinds = {type_name, "name"} if type_name == "contact" else {type_name}
        users = [i.name for i in INTENTS.values() if any(s.type in kinds for s in i.slots)]
        values = [v for v in TYPES[type_name].values if v not in RELATIONS]
        values.sort(key=lambda value: _draw(f"held out|{type_name}|{value}"))
        share = max(1, round(HELD_OUT_SHARE * len(values)))
        for index, intent in enumerate(users):
            pairs.update((intent, value) for value in values[index * share : (index + 1) * share])
    return frozenset(pairs)


def holds_out(intent: str, slots: Mapping[str, str]) -> bool:
    """Whether a request has a value that training leaves out for its intent."""
    return any((intent, value) in held_out_pairs() for value in slots.values())


def split_of(intent: str, slots: Mapping[str, str]) -> Split | None:
    """The split that a combination of values belongs to.

    Args:
        intent: Name of the intent.
        slots: Its values.

    Returns:
        The split; ``None`` if all splits share it.
    """
    if holds_out(intent, slots):
        return "heldout_value"
    is_digits = "digits" in slots
    if intent in SHARED_INTENTS or (len(slots) < 2 and not is_digits):
        return None
    draw = _draw(intent + "".join(f"|{name}={slots[name]}" for name in sorted(slots)))
    if draw < TRAIN_SHARE:
        return "train"
    return "dev" if draw < TRAIN_SHARE + DEV_SHARE else "test"


def may_occur(intent: str, slots: Mapping[str, str], split: Split) -> bool:
    """Whether a request may occur in a dialogue of a split.

    Dialogues of ``heldout_value`` may have requests of ``test`` beside those that hold a value out.
    """
    owner = split_of(intent, slots)
    return owner in (None, split) or (split == "heldout_value" and owner == "test")
