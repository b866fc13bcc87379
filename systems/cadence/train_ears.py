"""Trains the ears: phonemes and words by CTC, style by regression."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from cascadence.systems.cadence.config import EarsConfig
from cascadence.systems.cadence.data import Lessons
from cascadence.systems.cadence.encoder import WhisperEncoder
from cascadence.systems.cadence.fitting import Plan, fit
from cascadence.systems.cadence.hearing import (
    FreshNoise,
    RenderedTurn,
    encoded,
    rendered_turn,
)
from cascadence.systems.cadence.lessons_batch import (
    EarTargets,
    ctc_phones,
    length_buckets,
    words_of,
)
from cascadence.systems.cadence.model import Ears
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["EarScores", "ear_targets", "greedy_ctc", "score_ears", "train_ears"]

_WEIGHTS = {"phones": 1.0, "words": 0.5, "style": 0.5}


def ear_targets(
    lessons: Lessons,
    table: SymbolTable,
    vocabulary: Sequence[str],
    statistics: tuple[np.ndarray, np.ndarray] | None = None,
) -> EarTargets:
    """Prepares targets; words outside of the vocabulary are left out.

    Args:
        lessons: the turns.
        table: of symbols.
        vocabulary: words, numbered from 1.
        statistics: mean and standard deviation of style; measured here if None.
    """
    number = {word: i + 1 for i, word in enumerate(vocabulary)}
    mean, std = statistics or (np.nanmean(lessons.style, 0), np.nanstd(lessons.style, 0))
    return EarTargets(
        phones=[ctc_phones(said, table) for said in lessons.said],
        words=[[number[w] for w in words_of(p.text) if w in number] for p in lessons.plans],
        style=((lessons.style - mean) / std).astype(np.float32),
        style_mean=np.asarray(mean, np.float32),
        style_std=np.asarray(std, np.float32),
    )


def _ctc(logits: Tensor, lengths: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    flat = torch.tensor([number for target in targets for number in target], dtype=torch.long)
    sizes = torch.tensor([len(target) for target in targets])
    scores = logits.float().log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(scores, flat, lengths, sizes, zero_infinity=True)


def train_ears(
    ears: Ears,
    encoder: WhisperEncoder,
    lessons: Lessons,
    targets: EarTargets,
    stage: EarsConfig,
    first: int,
    save: Callable[[int], None],
    log: Callable[[str], None],
) -> None:
    """Trains in place, with their changes of the encoder, from step `first` on; see `fit`."""
    torch.manual_seed(stage.seed)
    rng = np.random.default_rng([stage.seed, first])
    fresh = FreshNoise(stage.noise, rng)
    batches = length_buckets(lessons.lengths(), stage.batch, rng)

    def losses() -> dict[str, Tensor]:
        chosen = next(batches)
        turns = [fresh.turn(lessons, i) for i in chosen]
        return _ear_losses(ears, encoder, turns, targets, chosen, rng)

    fit(
        ears,
        Plan(stage.steps, stage.learning_rate, first=first),
        _WEIGHTS,
        losses,
        save,
        log,
    )


def _ear_losses(
    ears: Ears,
    encoder: WhisperEncoder,
    turns: Sequence[RenderedTurn],
    targets: EarTargets,
    chosen: Sequence[int] | np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    with torch.autocast("cpu", torch.bfloat16):
        features, lengths = encoded(ears, encoder, turns, rng)
        heard = ears(features, lengths)
        phones, words = ears.phone_head(heard.states), ears.word_head(heard.states)
    style = torch.from_numpy(targets.style[chosen])
    # With the prosody masked no style is heard.
    known = ~style.isnan() & heard.has_prosody[:, None]
    off = F.smooth_l1_loss(heard.style.float()[known], style[known], reduction="sum")
    off = off / known.sum().clamp(min=1)  # 0, not NaN, of a batch without any style
    return {
        "phones": _ctc(phones, lengths, [targets.phones[i] for i in chosen]),
        "words": _ctc(words, lengths, [targets.words[i] for i in chosen]),
        "style": off,
    }


def greedy_ctc(logits: Tensor) -> list[int]:
    """Reads (frames, labels): the best label a frame, repeats joined, blanks (0) dropped."""
    best = torch.unique_consecutive(logits.argmax(-1)).tolist()
    return [label for label in best if label]


def edit_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """Counts insertions, deletions and substitutions (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


@dataclass(frozen=True, slots=True)
class EarScores:
    """How well the ears hear.

    Attributes:
        turns: with speech.
        phone_error: phoneme errors over phonemes.
        word_error: word errors over words.
        style_correlation: Pearson's r of each style dimension.
    """

    turns: int
    phone_error: float
    word_error: float
    style_correlation: tuple[float, ...]


@torch.inference_mode()
def score_ears(
    ears: Ears,
    encoder: WhisperEncoder,
    lessons: Lessons,
    targets: EarTargets,
    chosen: Sequence[int],
) -> EarScores:
    """Scores turns, one at a time as at run time."""
    errors = np.zeros(2)
    sizes = np.zeros(2)
    made, real = [], []
    for i in chosen:
        heard = ears(*encoded(ears, encoder, [rendered_turn(lessons, i)]))
        found = greedy_ctc(ears.phone_head(heard.states)[0])
        words = greedy_ctc(ears.word_head(heard.states)[0])
        errors += edit_distance(found, targets.phones[i]), edit_distance(words, targets.words[i])
        sizes += len(targets.phones[i]), len(targets.words[i])
        if not np.isnan(targets.style[i]).any():
            made.append(heard.style[0].numpy())
            real.append(targets.style[i])
    a, b = np.array(made), np.array(real)
    correlation = tuple(float(np.corrcoef(a[:, k], b[:, k])[0, 1]) for k in range(a.shape[1]))
    phone_error, word_error = errors / np.maximum(sizes, 1)
    return EarScores(len(a), float(phone_error), float(word_error), correlation)
