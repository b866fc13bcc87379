"""Batches of turns: what the ears take in, and what they should find in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascadence.systems.cadence.features import PROSODY_DIM
from cascadence.systems.cadence.model import STACK
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["EarTargets", "ctc_phones", "ear_input", "length_buckets", "words_of"]


def words_of(text: str) -> list[str]:
    """Splits a user's text into lower-case words."""
    return re.findall(r"[a-z']+", text.lower())


def ctc_phones(symbols: Sequence[str], table: SymbolTable) -> list[int]:
    """Numbers the phonemes of an utterance; spaces and punctuation make no sound."""
    return table.encode(s for s in symbols if s[-1].isalpha() or s[-1] in "ː\u0329ʲ")


def ear_input(
    states: Tensor,
    frames: Tensor,
    prosody: Sequence[NDArray[np.float16] | NDArray[np.float32]],
    rng: np.random.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Stacks what the encoder and the pitch tracker hear for the ears.

    Args:
        states: of the Whisper encoder, (batch, frames, 384) at 50 Hz.
        frames: of each turn, (batch,).
        prosody: streams (frames, 3) of each turn at 50 Hz.
        rng: given in training: short spans of Whisper states, and some turns' prosody, are masked.

    Returns:
        (batch, frames // 2, 2 · 384 + 2 · 3) at 25 Hz, 0 after a turn's end, and lengths (batch,).
    """
    lengths = [min(int(n), len(p)) // STACK for n, p in zip(frames, prosody, strict=True)]
    longest = max(lengths)
    streams = np.zeros((len(lengths), longest * STACK, PROSODY_DIM), np.float32)
    heard = np.zeros((len(lengths), longest, 1), np.float32)
    for row, (length, turn) in enumerate(zip(lengths, prosody, strict=True)):
        streams[row, : length * STACK] = turn[: length * STACK]
        heard[row, :length] = 1
        if rng is not None:
            for _ in range(2):
                width = int(rng.integers(0, 7))
                start = int(rng.integers(0, max(1, length - width)))
                heard[row, start : start + width] = 0
            if rng.random() < 0.08:
                streams[row] = 0
    stacked = states[:, : longest * STACK].reshape(len(lengths), longest, -1)
    beside = torch.from_numpy(streams).reshape(len(lengths), longest, -1)
    features = torch.cat([stacked.float() * torch.from_numpy(heard), beside], 2)
    return features, torch.tensor(lengths)


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
