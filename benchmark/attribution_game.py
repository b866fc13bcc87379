"""Cooperative games: what the players of a coalition are worth together, shared out among them.

Shapley values (Shapley 1953, doi:10.1515/9781400881970-018), exactly, from the values of all
coalitions; no sampling.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from cascadence.resampling import Floats

Stages = frozenset[str]
"""A coalition: the stages that are replaced by their oracles."""


def shapley(values: Floats) -> Floats:
    """Return the Shapley values of games.

    Args:
        values: shape ``(..., 2**k)``, one a coalition: number ``c`` holds player ``i`` where bit
            ``i`` of ``c`` is set.

    Returns:
        Shape ``(..., k)``: shares of ``values[..., -1] - values[..., 0]``.

    Raises:
        ValueError: the number of coalitions is no power of two.
    """
    return np.asarray(values @ shapley_weights(values.shape[-1]))


def shapley_weights(coalitions: int) -> Floats:
    """Return how much each coalition's value counts for each player, shape ``(2**k, k)``.

    Args:
        coalitions: how many there are, 2 to the power of k.

    Raises:
        ValueError: the number of coalitions is no power of two.
    """
    players = coalitions.bit_length() - 1
    if players < 0 or coalitions != 1 << players:
        raise ValueError(f"{coalitions} coalitions are those of no number of players")
    weights = np.zeros((coalitions, players))
    for number, player in itertools.product(range(coalitions), range(players)):
        size = number.bit_count()
        if number >> player & 1:
            orders = math.factorial(size - 1) * math.factorial(players - size)
        else:
            orders = -math.factorial(size) * math.factorial(players - size - 1)
        weights[number, player] = orders / math.factorial(players)
    return weights


def all_coalitions(stages: Sequence[str]) -> list[Stages]:
    """Return all sets of stages in the order of `shapley`: first the empty one, last the full."""
    return [
        frozenset(stage for place, stage in enumerate(stages) if number >> place & 1)
        for number in range(1 << len(stages))
    ]


def coalition_name(stages: Sequence[str], chosen: Stages) -> str:
    """Name a coalition: its stages in their order, joined with ``+``; empty where none is in it."""
    return "+".join(stage for stage in stages if stage in chosen)
