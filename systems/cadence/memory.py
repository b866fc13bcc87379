"""What the decoder remembers of a conversation, in training and at run time alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cascadence.systems.cadence.model import Decoder, Ears, Memory

__all__ = ["EarlierTurn", "build_memory", "padded"]


@dataclass(frozen=True, slots=True, eq=False)
class EarlierTurn:
    """An exchange before this turn.

    Attributes:
        states: the user's states at the frames where a phoneme was heard, (frames, dim).
        reply: symbol ids of what was answered, (length,).
    """

    states: Tensor
    reply: Tensor


def padded(items: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Pads tensors of different lengths: values (batch, longest, …) and mask (batch, longest)."""
    values = torch.nn.utils.rnn.pad_sequence(list(items), batch_first=True)
    lengths = torch.tensor([len(item) for item in items])
    return values, torch.arange(values.shape[1])[None] < lengths[:, None]


def build_memory(
    ears: Ears, decoder: Decoder, turns: Sequence[Tensor], history: Sequence[Sequence[EarlierTurn]]
) -> Memory:
    """Joins this turn and the exchanges before it into what the decoder attends to.

    Args:
        ears: for the phoneme posteriors that the pointer copies.
        decoder: for its embeddings.
        turns: states of this turn, (frames, dim) each.
        history: the exchanges before it, latest first, at most `Decoder.EARLIER` are used.
    """
    states, masks, copies = [], [], []

    def add(values: Tensor, mask: Tensor, age: int) -> None:
        with torch.no_grad():
            posterior = ears.phone_head(values).float().softmax(-1)
        kept, copy = decoder.remember(values, posterior, age)
        states.append(kept)
        masks.append(mask)
        copies.append(copy)

    add(*padded(turns), 0)
    for age in range(1, Decoder.EARLIER + 1):
        past = [h[age - 1] if len(h) >= age else None for h in history]
        if all(p is None for p in past):
            break
        empty = turns[0][:0]
        add(*padded([p.states if p else empty for p in past]), age)
        nothing = torch.zeros(0, dtype=torch.long)
        ids, mask = padded([p.reply if p else nothing for p in past])
        said, copy = decoder.remember_reply(ids, age)
        states.append(said)
        masks.append(mask)
        copies.append(copy)
    return _packed(torch.cat(states, 1), torch.cat(masks, 1), torch.cat(copies, 1))


def _packed(states: Tensor, mask: Tensor, copies: Tensor) -> Memory:
    """Moves each row's padding to its end, and cuts off what all rows have of it."""
    counts = mask.sum(1)
    longest = int(counts.max())
    if longest < mask.shape[1]:
        rows = counts.tolist()
        states, _ = padded(torch.split(states[mask], rows))
        copies, _ = padded(torch.split(copies[mask], rows))
        mask = torch.arange(longest)[None] < counts[:, None]
    return Memory(states, mask[:, None, None], copies)
