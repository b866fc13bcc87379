"""What Cadence's decoder makes of speech units instead of phonemes: the textless variant.

    OMP_NUM_THREADS=2 python tests/benchmarks/bench_cadence_textless.py RUN [STEPS]

RUN is the folder of a `cascadence train cadence` with the default configuration whose ears and
speech, the decoder's too, are done. The same turns (`TURNS` first ones of conversations, out of
`SHARDS` files that the ears were not trained on), heard by the same frozen ears, are answered by
two decoders of the same size, for the same number of steps: one writes phonemes, as Cadence does,
and copies those that the ears heard; the other writes the units of the spoken reply, and there is
nothing to copy: `UNITS` clusters (k-means) of the frozen Whisper encoder's frames of Piper's
replies, repeats joined. Printed are, for turns of voices and values that were never trained
on, and for training turns: replies with every symbol right; those whose nearest reply, of all that
there are, is the right one (its words may be found although a unit differs); errors over symbols.
Greedy, no lexicon. Intervals are Wilson's, 95 %; one seed. There is no bar.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from rapidfuzz.distance import Levenshtein
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from cascadence.systems.cadence.config import TrainConfig
from cascadence.systems.cadence.data import Lessons
from cascadence.systems.cadence.encoder import WhisperEncoder
from cascadence.systems.cadence.evaluate import wilson
from cascadence.systems.cadence.fitting import Plan, fit
from cascadence.systems.cadence.hearing import Sounds, hear_all
from cascadence.systems.cadence.lessons_batch import length_buckets
from cascadence.systems.cadence.memory import build_memory, padded
from cascadence.systems.cadence.model import Decoder, Ears, Memory, Writer
from cascadence.systems.cadence.stages import Stages
from cascadence.systems.cadence.symbols import SymbolTable

TURNS = 6000
SHARDS = 18
UNITS = 200
STEPS = 3000
BATCH = 32
RATE = 1.2e-3
LONGEST = 300
UNSURE = 0.15

Ids = tuple[int, ...]


def tell(line: str) -> None:
    """Tell about the progress."""
    sys.stderr.write(line + "\n")


class Variant:
    """A decoder, and what it writes for each text."""

    def __init__(self, ears: Ears, written: dict[str, Ids], symbols: int, copies: bool) -> None:
        """Build the network.

        Args:
            ears: frozen.
            written: ids of each reply, those of `SymbolTable` kept free.
            symbols: how many ids there are.
            copies: whether the ears' phonemes may be copied.
        """
        torch.manual_seed(0)
        self.written, self._ears, self._copies = written, ears, copies
        self.symbols, self.decoder = symbols, Decoder(symbols)

    def memory(self, states: Sequence[Tensor]) -> Memory:
        """Prepare turns without history."""
        memory = build_memory(self._ears, self.decoder, states, [[] for _ in states])
        if self._copies:
            return memory
        nothing = torch.zeros(*memory.copies.shape[:2], self.symbols)
        return replace(memory, copies=nothing)

    def losses(self, states: Sequence[Tensor], texts: Sequence[str]) -> dict[str, Tensor]:
        """Compare with what should be written."""
        rows = [self.written[text] for text in texts]
        inputs, _ = padded([torch.tensor([SymbolTable.BEGIN, *row]) for row in rows])
        targets, _ = padded([torch.tensor([*row, SymbolTable.END]) for row in rows])
        with torch.autocast("cpu", torch.bfloat16):
            scores = self.decoder(inputs, self.memory(states))
        known = targets != SymbolTable.PAD
        right = (scores.argmax(-1) == targets) | ~known
        return {
            "loss": F.nll_loss(scores[known], targets[known]),
            "symbols_right": right[known].float().mean(),
        }

    @torch.inference_mode()
    def write(self, states: Sequence[Tensor]) -> list[Ids]:
        """Write greedily."""
        writer = Writer(self.decoder, self.memory(states))
        columns: list[list[int]] = []
        ended = torch.zeros(len(states), dtype=torch.bool)
        while len(columns) < LONGEST and not ended.all():
            column = writer.step()
            ended |= column == SymbolTable.END
            columns.append(column.tolist())
        rows = [list(row) for row in zip(*columns, strict=True)]
        ends = [row.index(SymbolTable.END) if SymbolTable.END in row else None for row in rows]
        return [tuple(row[:end]) for row, end in zip(rows, ends, strict=True)]


class Turns:
    """First turns of conversations that are answered, as the ears hear them."""

    def __init__(
        self, ears: Ears, encoder: WhisperEncoder, lessons: Lessons, most: int, unsure: float
    ) -> None:
        """Choose turns at random, and hear them."""
        first = [i for i, plan in enumerate(lessons.plans) if plan.turn == 0 and plan.reply]
        order = np.random.default_rng(0).permutation(len(first))[:most]
        self.chosen = [first[k] for k in order]
        self.texts = [lessons.plans[i].reply for i in self.chosen]
        self._sounds: Sounds = hear_all(ears, encoder, lessons, tell, unsure=unsure)

    def states(self, number: int) -> Tensor:
        """Return what is heard of a turn, (frames, dim)."""
        return torch.from_numpy(self._sounds.states[self.chosen[number]].astype(np.float32))

    def lengths(self) -> list[int]:
        """Count the frames of each turn."""
        return [len(self._sounds.states[i]) for i in self.chosen]


def units(stages: Stages, texts: Sequence[str], training: set[str]) -> dict[str, Ids]:
    """Speak replies and cluster their frames; the clusters are those of the training replies."""
    frames: dict[str, npt.NDArray[np.float32]] = {}
    for text in texts:
        audio = torch.from_numpy(stages.reply_voice().speak(text).audio)
        with torch.inference_mode():
            frames[text] = stages.encoder([audio])[0][0].numpy().astype(np.float32)
    known = np.concatenate([frames[text] for text in texts if text in training])
    clusters = MiniBatchKMeans(UNITS, batch_size=8192, n_init=1, random_state=0).fit(known)
    first = SymbolTable.FIRST
    found = {}
    for text, values in frames.items():
        labels = clusters.predict(values)
        kept = labels[np.flatnonzero(np.diff(labels, prepend=-1))]
        found[text] = tuple(int(label) + first for label in kept)
    return found


def train(variant: Variant, turns: Turns, steps: int) -> float:
    """Train a variant; return the seconds that it took."""
    batches = length_buckets(turns.lengths(), BATCH, np.random.default_rng(0))

    def losses() -> dict[str, Tensor]:
        chosen = next(batches)
        texts = [turns.texts[i] for i in chosen]
        return variant.losses([turns.states(i) for i in chosen], texts)

    began = time.monotonic()
    plan = Plan(steps, RATE, weight_decay=0.05)
    fit(variant.decoder, plan, {"loss": 1.0}, losses, lambda _: None, tell)
    return time.monotonic() - began


def scored(variant: Variant, turns: Turns, numbers: Sequence[int]) -> str:
    """Describe what is written for some turns."""
    exact = nearest = errors = symbols = 0
    texts = list(variant.written)
    for start in range(0, len(numbers), 16):
        batch = numbers[start : start + 16]
        for i, made in zip(batch, variant.write([turns.states(i) for i in batch]), strict=True):
            distances = [Levenshtein.distance(made, variant.written[text]) for text in texts]
            right = variant.written[turns.texts[i]]
            exact += made == right
            nearest += variant.written[texts[int(np.argmin(distances))]] == right
            errors += distances[texts.index(turns.texts[i])]
            symbols += len(right)
    shares = [_share(count, len(numbers)) for count in (exact, nearest)]
    return f"exact {shares[0]}  nearest {shares[1]}  errors {errors / symbols:.3f}"


def _share(count: int, n: int) -> str:
    low, high = wilson(count, n)
    return f"{count / n:.3f} [{low:.3f}, {high:.3f}]"


def main(folder: Path, steps: int) -> int:
    """Train both and print what they reach."""
    stages = Stages(TrainConfig(), folder)
    lessons, fresh = stages.speech("train"), stages.speech("test")
    table = stages.symbols(lessons)
    ears, _, _ = stages.ears(lessons, table)
    ears.requires_grad_(False)
    own, _ = stages.decoder_speech()
    turns = Turns(ears, stages.encoder, Lessons(own[:SHARDS]), TURNS, UNSURE)
    unseen = Turns(ears, stages.encoder, fresh, TURNS, 0.0)
    texts = sorted({*turns.texts, *unseen.texts})
    symbols = stages.reply_voice().symbols
    phonemes = {text: tuple(table.encode(symbols(text))) for text in texts}
    variants: dict[str, Callable[[], Variant]] = {
        "phonemes": lambda: Variant(ears, phonemes, len(table), copies=True),
        "units": lambda: Variant(
            ears,
            units(stages, texts, set(turns.texts)),
            SymbolTable.FIRST + UNITS,
            copies=False,
        ),
    }
    for name, build in variants.items():
        variant = build()
        took_s = train(variant, turns, steps)
        mean = np.mean([len(written) for written in variant.written.values()])
        sys.stdout.write(f"{name}: {mean:.1f} a reply, {steps} steps in {took_s / 60:.0f} min\n")
        for title, some in (("unseen", unseen), ("training", turns)):
            numbers = range(min(len(some.chosen), 400))
            found = scored(variant, some, numbers)
            sys.stdout.write(f"  {title:8s} n = {len(numbers)}  {found}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else STEPS))
