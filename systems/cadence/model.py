"""Cadence's network: user states → what to say, in the reply voice's phonemes, and how to say it.

`Ears` turn Whisper states and prosody into states of their own at 25 Hz, with three heads: the
user's phonemes and words by CTC (Graves et al. 2006), and the user's style. `Decoder` writes the
reply's phonemes, attending to this turn and to the last exchanges; a pointer (See et al., arXiv
1704.04368) can copy phonemes that the ears heard or that earlier replies held, so a name need not
be known.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from cascadence.systems.cadence.encoder import STATE_DIM, Adapters
from cascadence.systems.cadence.features import PROSODY_DIM
from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["STACK", "STYLE_DIM", "Decoder", "Ears", "Heard", "Memory", "Writer"]

STACK = 2
STYLE_DIM = 4
_HEADS = 4


def _sinusoids(length: int, dim: int) -> Tensor:
    """Sinusoidal positions (arXiv 1706.03762, §3.5), (length, dim)."""
    angle = torch.arange(length)[:, None] * torch.exp(
        torch.arange(0, dim, 2) * (-math.log(10000.0) / dim)
    )
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)


class _Attention(nn.Module):
    """Multi-head attention; keys and values can be kept between calls."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def project(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Returns keys and values (batch, heads, length, dim / heads)."""
        batch, length, dim = source.shape
        both = self.key_value(source).view(batch, length, 2, _HEADS, dim // _HEADS)
        key, value = both.permute(2, 0, 3, 1, 4)
        return key, value

    def forward(
        self, x: Tensor, kept: tuple[Tensor, Tensor], mask: Tensor | None, causal: bool
    ) -> Tensor:
        batch, length, dim = x.shape
        query = self.query(x).view(batch, length, _HEADS, dim // _HEADS).transpose(1, 2)
        # Written out: at these lengths it trains twice as fast on a CPU as the fused kernel. The
        # query is scaled, as it is smaller than the scores.
        key, value = kept
        scores = ((query / math.sqrt(dim // _HEADS)) @ key.transpose(2, 3)).float()
        if causal:
            mask = torch.ones(length, length, dtype=torch.bool).tril()
        if mask is not None:
            scores = scores.masked_fill(~mask, -1e4)
        y = scores.softmax(-1).to(value.dtype) @ value
        out: Tensor = self.out(y.transpose(1, 2).reshape(batch, length, dim))
        return out


class _FeedForward(nn.Sequential):
    """Two linear layers around a GELU."""

    def __init__(self, dim: int, wide: int) -> None:
        super().__init__(nn.Linear(dim, wide), nn.GELU(), nn.Linear(wide, dim))


class _EarLayer(nn.Module):
    """A pre-norm Transformer encoder layer."""

    def __init__(self, dim: int, wide: int, dropout: float) -> None:
        super().__init__()
        self.attention = _Attention(dim)
        self.feed = _FeedForward(dim, wide)
        self.norm_attention, self.norm_feed = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norm_attention(x)
        x = x + self.drop(self.attention(y, self.attention.project(y), mask, False))
        out: Tensor = x + self.drop(self.feed(self.norm_feed(x)))
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the ears make of a batch of turns.

    Attributes:
        states: (batch, frames, dim) at 25 Hz.
        mask: (batch, frames), true inside a turn.
        style: (batch, 4), z-scored: phones a second, median F0, F0 spread, level; 0, the mean
            user's, without prosody.
        has_prosody: (batch,), false where pitch, voicing and level are masked.
    """

    states: Tensor
    mask: Tensor
    style: Tensor
    has_prosody: Tensor


class Ears(nn.Module):
    """Encoder of user turns."""

    positions: Tensor

    def __init__(
        self, phones: int, words: int, dim: int = 256, layers: int = 3, dropout: float = 0.1
    ) -> None:
        """Builds the encoder.

        Args:
            phones: ids in the symbol table; id 0 is the CTC blank.
            words: words of the word head, plus one for the blank.
            dim: width.
            layers: Transformer layers.
            dropout: in training.
        """
        super().__init__()
        self.whisper_norm = nn.LayerNorm(STACK * STATE_DIM)
        self.adapters = Adapters()
        self.inlet = nn.Linear(STACK * (STATE_DIM + PROSODY_DIM), dim)
        self.layers = nn.ModuleList(_EarLayer(dim, 3 * dim, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.drop = nn.Dropout(dropout)
        self.phone_head = nn.Linear(dim, phones)
        self.word_head = nn.Linear(dim, words)
        self.style_query = nn.Linear(dim, 1)
        self.style_head = nn.Sequential(
            nn.Linear(2 * dim + 2 * PROSODY_DIM + 1, 128), nn.GELU(), nn.Linear(128, STYLE_DIM)
        )
        self.register_buffer("positions", _sinusoids(800, dim) * 0.3, persistent=False)

    def forward(self, features: Tensor, lengths: Tensor) -> Heard:
        """Encodes turns.

        Args:
            features: (batch, frames, 2 · 387) at 25 Hz: stacked Whisper states, stacked prosody.
            lengths: frames of each turn, (batch,).
        """
        frames = features.shape[1]
        whisper, prosody = features[..., : STACK * STATE_DIM], features[..., STACK * STATE_DIM :]
        x = self.inlet(torch.cat([self.whisper_norm(whisper), prosody], 2))
        x = self.drop(x + self.positions[:frames])
        mask = torch.arange(frames)[None] < lengths[:, None]
        for layer in self.layers:
            x = layer(x, mask[:, None, None])
        states = self.norm(x)
        # The Whisper states hold the rate too: without this the control that takes the prosody out
        # of the input would leave it in the reply.
        has_prosody = (prosody != 0).any(2).any(1)
        style = self._style(states, mask, prosody) * has_prosody[:, None]
        return Heard(states, mask, style, has_prosody)

    def _style(self, states: Tensor, mask: Tensor, prosody: Tensor) -> Tensor:
        weight = self.style_query(states).masked_fill(~mask[..., None], -1e4).softmax(1)
        inside = mask[..., None].to(states.dtype)
        count = inside.sum(1).clamp(min=1)
        voiced = prosody[..., 1::PROSODY_DIM].mean(2, keepdim=True) * inside
        share = voiced.sum(1).clamp(min=1)
        streams = prosody.reshape(*prosody.shape[:2], STACK, PROSODY_DIM).mean(2)
        mean = (streams * voiced).sum(1) / share
        spread = (((streams - mean[:, None]) ** 2 * voiced).sum(1) / share).clamp(min=1e-8).sqrt()
        pooled = [(weight * states).sum(1), (states * inside).sum(1) / count]
        style: Tensor = self.style_head(torch.cat([*pooled, mean, spread, count / 75 - 1], 1))
        return style


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What the decoder attends to.

    Attributes:
        states: (batch, places, dim): this turn, earlier turns, earlier replies.
        mask: (batch, 1, 1, places), true where there is something.
        copies: (batch, places, ids), how likely each symbol is there, for the pointer.
    """

    states: Tensor
    mask: Tensor
    copies: Tensor


class _DecoderLayer(nn.Module):
    """A pre-norm Transformer decoder layer."""

    def __init__(self, dim: int, wide: int, dropout: float) -> None:
        super().__init__()
        self.own, self.cross = _Attention(dim), _Attention(dim)
        self.feed = _FeedForward(dim, wide)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.drop = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: tuple[Tensor, Tensor],
        mask: Tensor,
        past: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        y = self.norms[0](x)
        kept = self.own.project(y)
        if past is not None:
            kept = torch.cat([past[0], kept[0]], 2), torch.cat([past[1], kept[1]], 2)
        x = x + self.drop(self.own(y, kept, None, past is None and x.shape[1] > 1))
        x = x + self.drop(self.cross(self.norms[1](x), memory, mask, False))
        return x + self.drop(self.feed(self.norms[2](x))), kept


class Decoder(nn.Module):
    """Writes the reply's symbols one after the other."""

    EARLIER = 2  # exchanges that it remembers
    positions: Tensor

    def __init__(self, symbols: int, dim: int = 256, layers: int = 3, dropout: float = 0.1) -> None:
        """Builds the decoder.

        Args:
            symbols: ids in the symbol table.
            dim: width, the ears' too.
            layers: Transformer layers.
            dropout: in training.
        """
        super().__init__()
        self.embedding = nn.Embedding(symbols, dim)
        nn.init.normal_(self.embedding.weight, 0, 0.02)
        # Whose and how long ago: this turn, the user's earlier ones, the replies to them.
        self.origin = nn.Embedding(1 + 2 * self.EARLIER, dim)
        nn.init.normal_(self.origin.weight, 0, 0.02)
        self.memory_norm = nn.LayerNorm(dim)
        self.layers = nn.ModuleList(_DecoderLayer(dim, 3 * dim, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.pointer_query, self.pointer_key = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.gate = nn.Linear(dim, 1)
        nn.init.constant_(self.gate.bias, 2.0)
        self.drop = nn.Dropout(dropout)
        self.register_buffer("positions", _sinusoids(1000, dim) * 0.3, persistent=False)

    def remember(self, states: Tensor, copies: Tensor, age: int) -> tuple[Tensor, Tensor]:
        """Prepares a user turn, `age` exchanges ago: (batch, frames, dim), its phone posteriors."""
        return states + self.origin.weight[2 * age - 1 if age else 0], copies

    def remember_reply(self, ids: Tensor, age: int) -> tuple[Tensor, Tensor]:
        """Prepares a reply, `age` exchanges ago: symbol ids (batch, length)."""
        said = (
            self.embedding(ids) * 4 + self.positions[: ids.shape[1]] + self.origin.weight[2 * age]
        )
        return said, F.one_hot(ids, self.embedding.num_embeddings).to(said.dtype)

    def forward(self, ids: Tensor, memory: Memory) -> Tensor:
        """Scores every next symbol of known replies, in training.

        Args:
            ids: (batch, length), beginning with BEGIN.
            memory: what it attends to.

        Returns:
            Log probabilities (batch, length, ids).
        """
        x = self.drop(self.embedding(ids) * 4 + self.positions[: ids.shape[1]])
        source = self.memory_norm(memory.states)
        for layer in self.each_layer():
            x, _ = layer(x, layer.cross.project(source), memory.mask, None)
        return self.scores(self.norm(x), self.pointer_key(source), memory)

    def each_layer(self) -> "list[_DecoderLayer]":
        """Returns the layers, by their type."""
        return cast("list[_DecoderLayer]", list(self.layers))

    def scores(self, x: Tensor, keys: Tensor, memory: Memory) -> Tensor:
        """Mixes what is written with what is copied: log probabilities (batch, length, ids)."""
        written = (x @ self.embedding.weight.T).float().softmax(-1)
        match = self.pointer_query(x) / math.sqrt(x.shape[-1]) @ keys.transpose(1, 2)
        match = match.float().masked_fill(~memory.mask[:, 0], -1e4).softmax(-1)
        copied = match @ memory.copies.float()
        gate = torch.sigmoid(self.gate(x).float())
        return torch.log(gate * written + (1 - gate) * copied + 1e-7)


class Writer:
    """Greedy decoding, a symbol at a time, for one or several turns at once."""

    def __init__(self, decoder: Decoder, memory: Memory, lexicon: Lexicon | None = None) -> None:
        """Begins replies: the memory's keys and values are computed once.

        Args:
            decoder: in evaluation mode.
            memory: what it attends to.
            lexicon: the words that may be said; any, if None.
        """
        self._net, self._memory, self._lexicon = decoder, memory, lexicon
        self._states = [Lexicon.START] * len(memory.states)
        source = decoder.memory_norm(memory.states)
        self._cross = [layer.cross.project(source) for layer in decoder.each_layer()]
        self._keys = decoder.pointer_key(source)
        self._past: list[tuple[Tensor, Tensor] | None] = [None] * len(decoder.layers)
        self._position = 0
        self._last = torch.full((len(memory.states), 1), SymbolTable.BEGIN)

    def step(self) -> Tensor:
        """Returns the next symbol of each reply, (batch,); END when it is complete."""
        net = self._net
        x = net.embedding(self._last) * 4 + net.positions[self._position : self._position + 1]
        for i, layer in enumerate(net.each_layer()):
            x, self._past[i] = layer(x, self._cross[i], self._memory.mask, self._past[i])
        scores = net.scores(net.norm(x), self._keys, self._memory)[:, -1]
        scores[:, SymbolTable.PAD] = scores[:, SymbolTable.BEGIN] = -math.inf
        if self._lexicon is not None:
            allowed = torch.stack([self._lexicon.allowed(state) for state in self._states])
            scores = scores.masked_fill(~allowed, -math.inf)
        self._last = scores.argmax(-1, keepdim=True)
        if self._lexicon is not None:
            chosen = zip(self._states, self._last[:, 0].tolist(), strict=True)
            self._states = [self._lexicon.follow(state, symbol) for state, symbol in chosen]
        self._position += 1
        return self._last[:, 0]
