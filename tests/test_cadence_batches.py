"""Batches of Cadence's lessons: padding changes no score, and there is little of it."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from cascadence.systems.cadence.lessons_batch import length_buckets
from cascadence.systems.cadence.memory import EarlierTurn, build_memory
from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.symbols import SymbolTable


def test_scores_do_not_depend_on_the_rest_of_the_batch() -> None:
    torch.manual_seed(0)
    ears, decoder = Ears(30, 10, dim=32).eval(), Decoder(30, dim=32).eval()
    turns = [torch.randn(frames, 32) for frames in (9, 4, 6)]
    pasts = [EarlierTurn(torch.randn(n, 32), torch.arange(3, 3 + m)) for n, m in ((2, 8), (7, 1))]
    history = [[], [pasts[0]], [pasts[1], pasts[0]]]
    ids = torch.tensor([[SymbolTable.BEGIN, 5, 6]])
    with torch.inference_mode():
        together = build_memory(ears, decoder, turns, history)
        assert together.mask[:, 0, 0].sum(1).tolist() == [9, 4 + 10, 6 + 8 + 10]
        assert together.states.shape[1] == 24
        scores = decoder(ids.expand(3, -1), together)
        for row in range(3):
            alone = decoder(ids, build_memory(ears, decoder, [turns[row]], [history[row]]))
            torch.testing.assert_close(scores[row : row + 1], alone, rtol=1e-4, atol=1e-4)


def test_batches_hold_every_item_once_and_are_alike_in_both_lengths() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(20, 300, 640), rng.integers(10, 90, 640)

    def waste(others: list[int] | None, lengths: np.ndarray) -> float:
        drawn = length_buckets(first.tolist(), 16, np.random.default_rng(1), others)
        batches = [next(drawn) for _ in range(40)]
        assert sorted(np.concatenate(batches)) == list(range(640))
        return sum(lengths[b].max() * len(b) for b in batches) / lengths.sum()

    assert waste(None, first) < 1.1
    assert waste(second.tolist(), first) < 1.3
    assert waste(second.tolist(), second) < 1.25 < 1.5 < waste(None, second)
