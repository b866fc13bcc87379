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

__all__ = ["Rejection", "log_probability"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """How weights decline.

    Attributes:
        symbols: of the reply that declines.
        threshold: its log probability, in nats, over which it is given. -9 lost 1 to 2 % of the
            requests of the domain's development split (`docs/cadence.md`).
    """

    symbols: tuple[str, ...]
    threshold: float = -9.0


def log_probability(decoder: Decoder, memory: Memory, ids: Sequence[int]) -> float:
    """Returns the log probability, in nats, that a reply is just this: symbol ids without END."""
    scores = decoder(torch.tensor([[SymbolTable.BEGIN, *ids]]), memory)[0]
    targets = torch.tensor([*ids, SymbolTable.END])
    return float(scores.gather(1, targets[:, None]).sum())
