"""Is the user's turn over? Cadence's own ear for it, beside the silence that all systems wait for.

A pause after "set a timer for" is not the end of a turn, one after "set a timer for ten minutes"
is: the ears have heard the words, so a small head on their states can tell the two apart, long
before a silence of fixed length can.
"""

import torch
from torch import Tensor, nn

__all__ = ["TurnEnd", "end_features"]

_LAST, _LATELY = 4, 16


def end_features(states: Tensor, spoken: Tensor) -> Tensor:
    """Pools what the ears made of a turn so far, with an eye on its end.

    Args:
        states: (frames, dim) at 25 Hz.
        spoken: (frames,), true where a phoneme was heard.

    Returns:
        (3 · dim,): means over the last 4 and the last 16 spoken frames and over all frames; zeros
        where nothing was spoken.
    """
    inside = states[spoken]
    if not len(inside):
        return torch.zeros(3 * states.shape[1])
    return torch.cat([inside[-_LAST:].mean(0), inside[-_LATELY:].mean(0), states.mean(0)])


class TurnEnd(nn.Module):
    """Tells how likely it is that the turn is over."""

    def __init__(self, dim: int = 256, wide: int = 128, dropout: float = 0.2) -> None:
        """Builds the head.

        Args:
            dim: width of the ears' states.
            wide: width inside.
            dropout: in training.
        """
        super().__init__()
        self.norm = nn.LayerNorm(3 * dim)
        self.inlet = nn.Linear(3 * dim, wide)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(wide, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Scores turns: (batch, 3 · dim), as `end_features` gives them, to logits (batch,)."""
        hidden = self.drop(torch.nn.functional.gelu(self.inlet(self.norm(self.drop(features)))))
        logits: Tensor = self.out(hidden)[:, 0]
        return logits
