"""Batches of turns: what the ears take in, and what they should find in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascadence.systems.cadence.features import PROSODY_DIM, STATE_DIM, stack_frames
from cascadence.systems.cadence.model import STACK
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["EarTargets", "ctc_phones", "ear_input", "length_buckets", "pad_features", "words_of"]


def words_of(text: str) -> list[str]:
    """Splits a user's text into lower-case words."""
    return re.findall(r"[a-z']+", text.lower())


def ctc_phones(symbols: Sequence[str], table: SymbolTable) -> list[int]:
    """Numbers the phonemes of an utterance; spaces and punctuation make no sound."""
    return table.encode(s for s in symbols if s[-1].isalpha() or s[-1] in "ː\u0329ʲ")


def ear_input(
    states: NDArray[np.float16] | NDArray[np.float32],
    prosody: NDArray[np.float16] | NDArray[np.float32],
) -> NDArray[np.float32]:
    """Stacks 50 Hz streams for the ears: (frames // 2, 2 · 384 + 2 · 3) at 25 Hz."""
    stacked = [stack_frames(states, STACK), stack_frames(prosody, STACK)]
    return np.concatenate(stacked, axis=1).astype(np.float32)


def pad_features(
    turns: Sequence[NDArray[np.float32]], rng: np.random.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Pads turns to a batch.

    Args:
        turns: (frames, dim) each.
        rng: given in training: short spans of Whisper states, and some turns' prosody, are masked.

    Returns:
        (batch, frames, dim) and lengths (batch,).
    """
    lengths = [len(turn) for turn in turns]
    batch = np.zeros((len(turns), max(lengths), turns[0].shape[1]), np.float32)
    for row, turn in enumerate(turns):
        batch[row, : len(turn)] = turn
        if rng is not None:
            for _ in range(2):
                width = int(rng.integers(0, 7))
                start = int(rng.integers(0, max(1, len(turn) - width)))
                batch[row, start : start + width, : STACK * STATE_DIM] = 0
            if rng.random() < 0.08:
                batch[row, :, -STACK * PROSODY_DIM :] = 0
    return torch.from_numpy(batch), torch.tensor(lengths)


@dataclass(frozen=True, slots=True, eq=False)
class EarTargets:
    """What the ears should find in each turn.

    Attributes:
        phones: phoneme ids a turn.
        words: word numbers a turn, from 1.
        style: z-scored style (turns, 4), NaN where unknown.
        style_mean: of the training turns, (4,).
        style_std: of the training turns, (4,).
    """

    phones: Sequence[Sequence[int]]
    words: Sequence[Sequence[int]]
    style: NDArray[np.float32]
    style_mean: NDArray[np.float32]
    style_std: NDArray[np.float32]


def length_buckets(
    lengths: Sequence[int],
    batch: int,
    rng: np.random.Generator,
    others: Sequence[int] | None = None,
) -> Iterator[NDArray[np.int64]]:
    """Draws batches of similar lengths without end; every epoch in a new order.

    Args:
        lengths: of the items.
        batch: items of a batch.
        rng: for the order.
        others: a second length of each item, to be similar as well as it can be.
    """
    first = np.array(lengths)
    second = first if others is None else np.array(others)
    while True:
        order = rng.permutation(len(first))
        batches = []
        for pool in np.array_split(order, max(1, len(order) // (batch * 16))):
            pool = pool[np.argsort(first[pool], kind="stable")]
            for part in np.array_split(pool, 1 if others is None else 4):
                part = part[np.argsort(second[part], kind="stable")]
                batches += [part[i : i + batch] for i in range(0, len(part), batch)]
        for i in rng.permutation(len(batches)):
            yield batches[i]
