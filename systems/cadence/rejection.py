"""Declining what may lie outside of the domain: rejection by the model's own probability.

The likeliest reply to a strange request is often one of the domain, though the decoder gives
declining a far larger share than it ever does inside the domain. So it declines wherever that share
is over a threshold, as open-set classifiers reject (Hendrycks and Gimpel, arXiv 1610.02136). In
noise everything sounds a little strange: the less sure the ears, the higher the threshold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cascadence.systems.cadence.model import Decoder, Memory
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["Rejection", "limits_for", "log_probability", "unsureness"]

_LEAST_UNSURE = 1e-3


@dataclass(frozen=True, slots=True)
class Rejection:
    """How weights decline.

    Attributes:
        symbols: of the reply that declines.
        threshold: its log probability, in nats, over which it is given, if the ears know nothing.
        slope: nats by which the threshold falls for ears that are e times as sure.
    """

    symbols: tuple[str, ...]
    threshold: float
    slope: float = 0.0

    def limit(self, unsure: float) -> float:
        """Returns the threshold, in nats, for ears that are so unsure: see `unsureness`."""
        return self.threshold + self.slope * _log_unsure(unsure)


def _log_unsure(unsure: float) -> float:
    return math.log(max(unsure, _LEAST_UNSURE))


def unsureness(scores: Tensor) -> float:
    """Returns how unsure the ears are of the phonemes that they hear, in [0, 1].

    Args:
        scores: of their phoneme head, before the softmax, (frames, symbols).

    Returns:
        One minus the likeliest symbol's probability, in the mean over the frames with a phoneme;
        1 if there are none.
    """
    best, symbols = scores.softmax(-1).max(-1)
    spoken = symbols != SymbolTable.PAD
    return float((1.0 - best[spoken]).mean()) if bool(spoken.any()) else 1.0


def limits_for(
    scores: Sequence[float], unsure: Sequence[float], lost: float = 0.01
) -> tuple[float, float]:
    """Returns the threshold and slope over which a share of the domain's own requests are.

    How readily a decoder declines depends on how much of that it was trained on: the same threshold
    lost 1 % of the requests with some weights and 11 % with others. It is the linear quantile
    regression of the scores (Koenker and Bassett 1978, doi 10.2307/1913643) on the logarithm of
    `unsureness`; less sure ears never lower it.

    Args:
        scores: the log probability of declining requests of the domain, in nats.
        unsure: `unsureness` of each.
        lost: the share of them that may be declined; the price of declining others.

    Raises:
        ValueError: without any request, or if one of them is not a number.
    """
    from scipy import optimize, sparse

    if not scores:
        raise ValueError("no requests to set the threshold by")
    count = len(scores)
    given = np.array([_log_unsure(each) for each in unsure])
    # score = threshold + slope * given + over - under, at the least cost of what is over and under
    cost = np.concatenate(([0.0, 0.0], np.full(count, 1.0 - lost), np.full(count, lost)))
    identity = sparse.eye_array(count)
    line = sparse.csr_array(np.stack([np.ones(count), given], axis=1))
    equations = sparse.hstack([line, identity, -identity], format="csr")
    bounds = [(None, None), *[(0.0, None)] * (1 + 2 * count)]
    found = optimize.linprog(cost, A_eq=equations, b_eq=np.array(scores), bounds=bounds)
    if not found.success or found.x is None:
        raise ValueError(f"no threshold found: {found.message}")
    threshold, slope = found.x[:2]
    return float(threshold), float(slope)


def log_probability(decoder: Decoder, memory: Memory, ids: Sequence[int]) -> float:
    """Returns the log probability, in nats, that a reply is just this: symbol ids without END."""
    scores = decoder(torch.tensor([[SymbolTable.BEGIN, *ids]]), memory)[0]
    targets = torch.tensor([*ids, SymbolTable.END])
    return float(scores.gather(1, targets[:, None]).sum())
