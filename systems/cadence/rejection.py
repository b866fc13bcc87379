"""Declining what may lie outside of the domain: rejection by the model's own probability.

The likeliest reply to a strange request is often one of the domain, though the decoder gives
declining a far larger share than it ever does inside the domain. So it declines wherever that share
is over a threshold, as open-set classifiers reject (Hendrycks and Gimpel, arXiv 1610.02136).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from cascadence.systems.cadence.model import Decoder, Memory
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["Rejection", "log_probability", "threshold_for"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """How weights decline.

    Attributes:
        symbols: of the reply that declines.
        threshold: its log probability, in nats, over which it is given.
    """

    symbols: tuple[str, ...]
    threshold: float


def threshold_for(scores: Sequence[float], lost: float = 0.02) -> float:
    """Returns the threshold over which at most a share of the domain's own requests are.

    How readily a decoder declines depends on how much of that it was trained on: the same threshold
    lost 1 % of the requests with some weights and 11 % with others.

    Args:
        scores: the log probability of declining requests of the domain, in nats.
        lost: the share of them that may be declined; the price of declining others.

    Raises:
        ValueError: without any score.
    """
    if not scores:
        raise ValueError("no requests to set the threshold by")
    ordered = sorted(scores, reverse=True)
    return ordered[min(int(lost * len(ordered)), len(ordered) - 1)]


def log_probability(decoder: Decoder, memory: Memory, ids: Sequence[int]) -> float:
    """Returns the log probability, in nats, that a reply is just this: symbol ids without END."""
    scores = decoder(torch.tensor([[SymbolTable.BEGIN, *ids]]), memory)[0]
    targets = torch.tensor([*ids, SymbolTable.END])
    return float(scores.gather(1, targets[:, None]).sum())
