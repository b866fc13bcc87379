"""Where in a request a speaker may pause: at the end of a phrase, and where nobody expects it.

A rule of thumb for the short requests of the domain `assistant`, which are made of a verb, what it
is about, and prepositional phrases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

_PREPOSITIONS: Final = frozenset({"at", "for", "in", "on", "to", "under"})
_ARTICLES: Final = frozenset({"the", "a", "an", "my"})
_GOES_ON: Final = frozenset(
    {"turn", "switch", "put", "have", "has", "is", "need", "want", "going", "forget"}
)
"""Verbs that a preposition after them belongs to."""
_BEFORE_HOUR: Final = frozenset({"quarter", "five", "ten", "twenty"})
"""What "to" belongs to in a time of day."""


def phrase_ends(text: str) -> tuple[int, ...]:
    """Return how many words come before each place at which a phrase ends.

    >>> phrase_ends("Put the choir practice in my calendar on Friday at two.")
    (4, 7, 9)
    """
    words = _words(text)
    return tuple(
        at
        for at in range(2, len(words) - 1)
        if words[at] in _PREPOSITIONS
        and words[at - 1] not in _PREPOSITIONS | _ARTICLES | _GOES_ON
        and not (words[at] == "to" and words[at - 1] in _BEFORE_HOUR)
    )


def phrase_insides(text: str) -> tuple[int, ...]:
    """Return how many words come before each place where nobody expects a pause.

    After a preposition or an article, that is.

    >>> phrase_insides("Turn on the lights in the cellar.")
    (3, 5, 6)
    """
    words = _words(text)
    return tuple(
        at
        for at in range(3, len(words))
        if words[at - 1] in _PREPOSITIONS | _ARTICLES and words[at - 2] not in _GOES_ON
    )


PLACES: Final[Mapping[str, Callable[[str], tuple[int, ...]]]] = MappingProxyType(
    {"boundary": phrase_ends, "inside": phrase_insides}
)
"""Where a pause may be, and what finds such places in a text."""


def _words(text: str) -> list[str]:
    return [re.sub(r"[^a-z']", "", word) for word in text.lower().split()]


def nearest_the_middle(places: Sequence[int], text: str) -> int:
    """Choose the place nearest to the middle."""
    middle = len(text.split()) / 2.0
    return min(places, key=lambda at: abs(at - middle))


def furthest_apart(places: Sequence[int], text: str) -> tuple[int, int]:
    """Choose the two places that leave the longest shortest phrase."""
    count = len(text.split())
    pairs = [(a, b) for a in places for b in places if a < b]
    return max(pairs, key=lambda pair: min(pair[0], pair[1] - pair[0], count - pair[1]))
