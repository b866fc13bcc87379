"""How often Cadence means to say the right thing: whole replies, symbol by symbol."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from cascadence.systems.cadence.hearing import Sounds
from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.memory import build_memory
from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.rejection import log_probability, unsureness
from cascadence.systems.cadence.train_decoder import HeardTurns, write
from cascadence.systems.cadence.train_ears import edit_distance

__all__ = ["ReplyScores", "decline_scores", "evaluate_replies", "wilson"]


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Returns the 95 % score interval of a proportion (Wilson 1927, doi 10.2307/2276774)."""
    if trials == 0:
        return 0.0, 1.0
    z, p = 1.959964, successes / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return centre - half, centre + half


@dataclass(frozen=True, slots=True)
class ReplyScores:
    """Whole replies written right.

    Attributes:
        turns: how many.
        exact: with every symbol right.
        interval: 95 %, of the share of exact ones.
        symbol_error: symbol errors over symbols.
    """

    turns: int
    exact: int
    interval: tuple[float, float]
    symbol_error: float


def evaluate_replies(
    ears: Ears,
    decoder: Decoder,
    heard: HeardTurns,
    chosen: Sequence[int] | None = None,
    lexicon: Lexicon | None = None,
) -> ReplyScores:
    """Compares what is written with what should be; the history is the reference's.

    Args:
        ears: for the phoneme posteriors.
        decoder: to be evaluated.
        heard: the lessons.
        chosen: which of them; all if None.
        lexicon: the words that may be said; any, if None.
    """
    numbers = list(range(len(heard.lessons)) if chosen is None else chosen)
    numbers.sort(key=heard.places)
    exact = errors = symbols = 0
    for start in range(0, len(numbers), 16):
        batch = numbers[start : start + 16]
        for i, made in zip(batch, write(ears, decoder, heard, batch, lexicon), strict=True):
            reply = heard.lessons[i].reply
            exact += made == list(reply)
            errors += edit_distance(made, reply)
            symbols += len(reply)
    return ReplyScores(len(numbers), exact, wilson(exact, len(numbers)), errors / max(symbols, 1))


@torch.inference_mode()
def decline_scores(
    ears: Ears, decoder: Decoder, sounds: Sounds, chosen: Sequence[int], declines: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Returns how likely it is that each of some first turns is declined.

    Args:
        ears: for the phoneme posteriors.
        decoder: to be asked.
        sounds: the turns.
        chosen: which of them.
        declines: symbol ids of the reply that declines.

    Returns:
        Log probabilities, in nats, and the ears' `unsureness`.
    """
    scores, unsure = [], []
    for i in chosen:
        states = torch.from_numpy(sounds.states[i].astype(np.float32))
        memory = build_memory(ears, decoder, [states], [[]])
        scores.append(log_probability(decoder, memory, declines))
        unsure.append(unsureness(ears.phone_head(states)))
    return scores, unsure
