"""Trains the decoder on what frozen ears make of the turns, with the conversation's history."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from cascadence.systems.cadence.config import StageConfig
from cascadence.systems.cadence.data import Lessons
from cascadence.systems.cadence.lessons_batch import ear_input, length_buckets, pad_features
from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.memory import EarlierTurn, build_memory, padded
from cascadence.systems.cadence.model import Decoder, Ears, Writer
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["HeardTurns", "hear_all", "train_decoder", "write"]

MAX_SYMBOLS = 140


@dataclass(frozen=True, slots=True, eq=False)
class HeardTurns:
    """All turns of some lessons as the frozen ears hear them.

    Attributes:
        states: (frames, dim) float16 a turn.
        replies: symbol ids a turn.
        earlier: numbers of the turns before each turn, latest first.
    """

    states: Sequence[NDArray[np.float16]]
    spoken: Sequence[NDArray[np.bool_]]
    replies: Sequence[Sequence[int]]
    earlier: Sequence[Sequence[int]]

    def history(self, index: int) -> list[EarlierTurn]:
        """Returns the exchanges before a turn, latest first."""
        return [
            EarlierTurn(
                torch.from_numpy(self.states[i][self.spoken[i]].astype(np.float32)),
                torch.tensor(self.replies[i], dtype=torch.long),
            )
            for i in self.earlier[index]
        ]


@torch.inference_mode()
def hear_all(
    ears: Ears,
    lessons: Lessons,
    table: SymbolTable,
    log: Callable[[str], None],
    *,
    unsure: bool = False,
) -> HeardTurns:
    """Runs the ears over every turn, in batches of similar length.

    Args:
        ears: frozen.
        lessons: the turns.
        table: numbers the replies' symbols.
        log: told about the progress.
        unsure: in training, dropout stays on: the ears are surer of the voices that they were
            trained on than of a stranger's, and the decoder has to bear that.
    """
    ears.train(unsure)
    states: list[NDArray[np.float16]] = [np.zeros((0, 0), np.float16)] * len(lessons)
    spoken: list[NDArray[np.bool_]] = [np.zeros(0, bool)] * len(lessons)
    order = np.argsort([len(lessons.frames(i)[0]) for i in range(len(lessons))])
    for start in range(0, len(order), 16):
        chosen = order[start : start + 16]
        features, lengths = pad_features([ear_input(*lessons.frames(i)) for i in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            heard = ears(features, lengths)
        voiced = (ears.phone_head(heard.states.float()).argmax(-1) != SymbolTable.PAD).numpy()
        for row, i in enumerate(chosen):
            states[i] = heard.states[row, : lengths[row]].float().numpy().astype(np.float16)
            spoken[i] = voiced[row, : lengths[row]]
        if start % 1600 == 0:
            log(f"heard {start} of {len(order)} turns")
    ears.eval()
    replies = [table.encode(reply) for reply in lessons.replies]
    earlier = [lessons.earlier(i, Decoder.EARLIER) for i in range(len(lessons))]
    return HeardTurns(states, spoken, replies, earlier)


def _batch(heard: HeardTurns, chosen: Sequence[int]) -> tuple[list[Tensor], Tensor, Tensor]:
    """Returns states, decoder inputs and targets (padding is PAD)."""
    turns = [torch.from_numpy(heard.states[i].astype(np.float32)) for i in chosen]
    rows = [heard.replies[i] for i in chosen]
    begin, end = [SymbolTable.BEGIN], [SymbolTable.END]
    inputs, _ = padded([torch.tensor([*begin, *row]) for row in rows])
    targets, _ = padded([torch.tensor([*row, *end]) for row in rows])
    return turns, inputs, targets


def train_decoder(
    decoder: Decoder,
    ears: Ears,
    heard: HeardTurns,
    stage: StageConfig,
    save: Callable[[Decoder], None],
    log: Callable[[str], None],
) -> None:
    """Trains in place; calls `save` every four minutes and at the end."""
    torch.manual_seed(stage.seed)
    rng = np.random.default_rng(stage.seed)
    optimiser = torch.optim.AdamW(
        decoder.parameters(), lr=stage.learning_rate, betas=(0.9, 0.98), weight_decay=0.05
    )
    # Turns with and without history are kept in batches of their own: padding would cost most.
    sizes = [len(s) + 10000 * len(e) for s, e in zip(heard.states, heard.earlier, strict=True)]
    batches = length_buckets(sizes, stage.batch, rng)
    began = saved = time.monotonic()
    step, smooth = 0, np.zeros(2)
    log("step,seconds,loss,symbols_right")
    decoder.train()
    while (share := (time.monotonic() - began) / 60 / stage.minutes) < 1:
        rate = min(1.0, (step + 1) / 150) * (0.03 + 0.97 * (1 + math.cos(math.pi * share)) / 2)
        for group in optimiser.param_groups:
            group["lr"] = stage.learning_rate * rate
        chosen = next(batches).tolist()
        turns, inputs, targets = _batch(heard, chosen)
        with torch.autocast("cpu", torch.bfloat16):
            memory = build_memory(ears, decoder, turns, [heard.history(i) for i in chosen])
            scores = decoder(inputs, memory)
        known = targets != SymbolTable.PAD
        loss = F.nll_loss(scores[known], targets[known])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimiser.step()
        step += 1
        right = (scores[known].argmax(-1) == targets[known]).float().mean()
        keep = 0.98 if step > 1 else 0.0
        smooth = keep * smooth + (1 - keep) * np.array([loss.item(), right.item()])
        if step % 50 == 0:
            log(f"{step},{time.monotonic() - began:.0f},{smooth[0]:.4f},{smooth[1]:.4f}")
        if time.monotonic() - saved > 240:
            save(decoder)
            saved = time.monotonic()
    decoder.eval()
    save(decoder)


@torch.inference_mode()
def write(
    ears: Ears,
    decoder: Decoder,
    heard: HeardTurns,
    chosen: Sequence[int],
    lexicon: Lexicon | None = None,
) -> list[list[int]]:
    """Writes the replies to some turns, greedily, with the reference history."""
    turns = [torch.from_numpy(heard.states[i].astype(np.float32)) for i in chosen]
    memory = build_memory(ears, decoder, turns, [heard.history(i) for i in chosen])
    writer = Writer(decoder, memory, lexicon)
    rows: list[list[int]] = [[] for _ in chosen]
    open_rows = set(range(len(rows)))
    for _ in range(MAX_SYMBOLS):
        for row, symbol in enumerate(writer.step().tolist()):
            if row in open_rows and symbol == SymbolTable.END:
                open_rows.remove(row)
            elif row in open_rows:
                rows[row].append(symbol)
        if not open_rows:
            break
    return rows
