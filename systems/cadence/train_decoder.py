"""Trains the decoder on what frozen ears make of the turns, with the conversation's history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from cascadence.systems.cadence.config import StageConfig
from cascadence.systems.cadence.data import Lessons
from cascadence.systems.cadence.fitting import Plan, fit
from cascadence.systems.cadence.hearing import Sounds
from cascadence.systems.cadence.lessons_batch import length_buckets
from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.memory import EarlierTurn, build_memory, padded
from cascadence.systems.cadence.model import Decoder, Ears, Writer
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = [
    "HeardTurns",
    "ReplyLesson",
    "rendered_lessons",
    "train_decoder",
    "write",
]

MAX_SYMBOLS = 140


@dataclass(frozen=True, slots=True)
class ReplyLesson:
    """What to answer to a turn of a conversation.

    Attributes:
        sound: number of the rendered turn.
        reply: symbol ids.
        earlier: numbers of the lessons before it in its conversation, latest first, at most
            `Decoder.EARLIER`.
    """

    sound: int
    reply: Sequence[int]
    earlier: Sequence[int] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HeardTurns:
    """Lessons with their sounds; a sound may be part of several lessons.

    Attributes:
        sounds: of the rendered turns.
        lessons: a lesson's number is its place.
    """

    sounds: Sounds
    lessons: Sequence[ReplyLesson]

    def states(self, index: int) -> Tensor:
        """Returns what is heard of a lesson's turn, (frames, dim)."""
        return torch.from_numpy(self.sounds.states[self.lessons[index].sound].astype(np.float32))

    def history(self, index: int) -> list[EarlierTurn]:
        """Returns the exchanges before a lesson's turn, latest first."""
        earlier = [self.lessons[i] for i in self.lessons[index].earlier]
        return [
            EarlierTurn(
                torch.from_numpy(
                    self.sounds.states[e.sound][self.sounds.spoken[e.sound]].astype(np.float32)
                ),
                torch.tensor(e.reply, dtype=torch.long),
            )
            for e in earlier
        ]

    def places(self, index: int) -> int:
        """Returns how long the memory of a lesson is: its turn and the exchanges before it."""
        lesson = self.lessons[index]
        earlier = [self.lessons[i] for i in lesson.earlier]
        before = sum(int(self.sounds.spoken[e.sound].sum()) + len(e.reply) for e in earlier)
        return len(self.sounds.states[lesson.sound]) + before


def rendered_lessons(lessons: Lessons, table: SymbolTable) -> list[ReplyLesson]:
    """Makes a lesson of every rendered turn in its own conversation; numbers stay the same."""
    return [
        ReplyLesson(i, table.encode(reply), lessons.earlier(i, Decoder.EARLIER))
        for i, reply in enumerate(lessons.replies)
    ]


def _batch(heard: HeardTurns, chosen: Sequence[int]) -> tuple[list[Tensor], Tensor, Tensor]:
    """Returns states, decoder inputs and targets (padding is PAD)."""
    turns = [heard.states(i) for i in chosen]
    rows = [heard.lessons[i].reply for i in chosen]
    begin, end = [SymbolTable.BEGIN], [SymbolTable.END]
    inputs, _ = padded([torch.tensor([*begin, *row]) for row in rows])
    targets, _ = padded([torch.tensor([*row, *end]) for row in rows])
    return turns, inputs, targets


def train_decoder(
    decoder: Decoder,
    ears: Ears,
    hearings: Sequence[HeardTurns],
    stage: StageConfig,
    first: int,
    save: Callable[[int], None],
    log: Callable[[str], None],
) -> None:
    """Trains in place, from step `first` on; see `fit` for `save` and `log`.

    Args:
        decoder: to be trained.
        ears: frozen.
        hearings: the same lessons, heard several times by unsure ears; one of them a batch.
        stage: steps and rates.
        first: step to begin with.
        save: see `fit`.
        log: see `fit`.
    """
    torch.manual_seed(stage.seed)
    rng = np.random.default_rng([stage.seed, first])
    heard = hearings[0]
    sizes = [heard.places(i) for i in range(len(heard.lessons))]
    replies = [len(lesson.reply) for lesson in heard.lessons]
    batches = length_buckets(sizes, stage.batch, rng, replies)
    fit(
        decoder,
        Plan(stage.steps, stage.learning_rate, weight_decay=0.05, first=first),
        {"loss": 1.0},
        lambda: _decoder_losses(
            decoder, ears, hearings[int(rng.integers(len(hearings)))], next(batches).tolist()
        ),
        save,
        log,
    )


def _decoder_losses(
    decoder: Decoder, ears: Ears, heard: HeardTurns, chosen: Sequence[int]
) -> dict[str, Tensor]:
    """Returns the loss, and the share of symbols and of whole replies that are right."""
    turns, inputs, targets = _batch(heard, chosen)
    with torch.autocast("cpu", torch.bfloat16):
        memory = build_memory(ears, decoder, turns, [heard.history(i) for i in chosen])
        scores = decoder(inputs, memory)
    known = targets != SymbolTable.PAD
    with torch.no_grad():
        right = (scores.argmax(-1) == targets) | ~known
    return {
        "loss": F.nll_loss(scores[known], targets[known]),
        "symbols_right": right[known].float().mean(),
        "replies_right": right.all(1).float().mean(),
    }


@torch.inference_mode()
def write(
    ears: Ears,
    decoder: Decoder,
    heard: HeardTurns,
    chosen: Sequence[int],
    lexicon: Lexicon | None = None,
) -> list[list[int]]:
    """Writes the replies of some lessons, greedily, with the reference history."""
    turns = [heard.states(i) for i in chosen]
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
