"""Chooses a fair part of a corpus, the same one every time.

Conversations are ordered once, by their ids, their tags and a seed alone, and the first ones are
taken, so that a larger part holds a smaller one. The order is a stratified one: within each
combination of tags the units follow their hashes, evenly spread over [0, 1) from a random start
(systematic sampling), so that each combination has its share of any beginning of the order, to one
unit. A contrast set is one unit, taken whole or not at all: one that no longer fits is passed over
for the next that does, and then a larger part need not hold the smaller.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from cascadence.errors import CascadenceError
from cascadence.manifest import Entry

_HASH_RANGE = 1 << 64


def sample(entries: Sequence[Entry], limit: int, seed: int = 0) -> list[Entry]:
    """Choose at most ``limit`` conversations; fewer where only contrast sets too large are left.

    Args:
        entries: to choose from.
        limit: at least 1.
        seed: another one chooses others.

    Returns:
        The chosen, in the order given.

    Raises:
        CascadenceError: the limit is below 1; or every contrast set is larger than the limit, and
            there is nothing else.
    """
    if limit < 1:
        raise CascadenceError(f"a limit must be at least 1, not {limit}")
    chosen: set[str] = set()
    units = _ordered_units(entries, seed)
    for unit in units:
        if len(chosen) + len(unit) <= limit:
            chosen.update(entry.id for entry in unit)
        if len(chosen) == limit:
            break
    if units and not chosen:
        least = min(map(len, units))
        raise CascadenceError(
            f"a limit of {limit} is less than any contrast set holds",
            mend=f"contrast sets are kept whole: raise the limit to at least {least}",
        )
    return [entry for entry in entries if entry.id in chosen]


def _ordered_units(entries: Sequence[Entry], seed: int) -> list[list[Entry]]:
    units: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        key = ("id", entry.id) if entry.group is None else ("group", entry.group)
        units[key].append(entry)
    strata: defaultdict[tuple[str, ...], list[tuple[float, list[Entry]]]] = defaultdict(list)
    for (kind, name), unit in units.items():
        tags = tuple(sorted({tag for entry in unit for tag in entry.tags}))
        strata[tags].append((_fraction(f"{seed}/{kind}/{name}"), unit))
    placed: list[tuple[float, float, list[Entry]]] = []
    for tags, stratum in strata.items():
        stratum.sort(key=lambda pair: pair[0])
        start = _fraction(f"{seed}/tags/{'/'.join(tags)}")
        placed += [
            ((position + start) / len(stratum), fraction, unit)
            for position, (fraction, unit) in enumerate(stratum)
        ]
    placed.sort(key=lambda place: place[:2])
    return [unit for _, _, unit in placed]


def _fraction(text: str) -> float:
    """A hash in [0, 1), the same on every platform and in every process."""
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _HASH_RANGE
