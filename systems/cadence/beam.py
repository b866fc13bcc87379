"""Writing with second thoughts: a beam search that commits to symbols early.

Greedy writing inside a lexicon can walk into a branch that holds no sensible word. Here a few
hypotheses go on side by side. A symbol is settled once all of them agree on it, or at the latest
`lag` symbols later, when those that disagree with the best are dropped; so speech can begin long
before the reply is complete.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor

from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.model import Decoder, Memory
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["BeamWriter"]

_Past = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """A beginning of the reply: its symbols, log probability and place in the lexicon."""

    symbols: tuple[int, ...]
    score: float
    state: int


def _common(hypotheses: Sequence[_Hypothesis]) -> int:
    """Counts the symbols that all hypotheses begin with."""
    columns = zip(*(one.symbols for one in hypotheses), strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))


class BeamWriter:
    """Writes one reply."""

    def __init__(
        self,
        decoder: Decoder,
        memory: Memory,
        lexicon: Lexicon | None,
        *,
        width: int = 4,
        lag: int = 10,
        margin: float = 8.0,
    ) -> None:
        """Begins a reply.

        Args:
            decoder: in evaluation mode.
            memory: of one turn.
            lexicon: the words that may be said; any, if None.
            width: hypotheses; 1 is greedy writing.
            lag: symbols that may stay open; 0 settles every symbol at once.
            margin: hypotheses so much less likely than the best are dropped, in nats.
        """
        self._net, self._memory, self._lexicon = decoder, memory, lexicon
        self._width, self._lag, self._margin = width, lag, margin
        source = decoder.memory_norm(memory.states)
        self._cross = [layer.cross.project(source) for layer in decoder.each_layer()]
        self._keys = decoder.pointer_key(source)
        self._past: _Past | None = None

    def symbols(self, limit: int) -> Iterator[int]:
        """Yields symbols as they are settled, END not included.

        Args:
            limit: symbols after which the reply is broken off.
        """
        beams = [_Hypothesis((), 0.0, Lexicon.START)]
        finished: _Hypothesis | None = None
        settled = 0
        for length in range(limit):
            beams, ended = self._extend(beams)
            for one in ended:
                if finished is None or one.score > finished.score:
                    finished = one
            if not beams or (finished is not None and finished.score >= beams[0].score):
                break
            upto = length + 1 - self._lag
            if upto > settled:
                beams = self._agreeing(beams, upto)
                if finished is not None and finished.symbols[:upto] != beams[0].symbols[:upto]:
                    finished = None
            agreed = _common([*beams, finished] if finished else beams)
            yield from beams[0].symbols[settled:agreed]
            settled = agreed
        best = finished or (beams[0] if beams else None)
        if best is not None:
            yield from best.symbols[settled:]

    def _agreeing(self, beams: list[_Hypothesis], settled: int) -> list[_Hypothesis]:
        """Keeps the hypotheses that begin as the best one does."""
        head = beams[0].symbols[:settled]
        kept = [i for i, one in enumerate(beams) if one.symbols[:settled] == head]
        self._reorder(kept)
        return [beams[i] for i in kept]

    def _extend(self, beams: list[_Hypothesis]) -> tuple[list[_Hypothesis], list[_Hypothesis]]:
        """Returns the best continuations, best first, and those that end here."""
        scores = self._scores(beams)
        totals = scores + torch.tensor([one.score for one in beams])[:, None]
        count = min(2 * self._width, totals.numel())
        values, places = totals.flatten().topk(count)
        least = float(values[0]) - self._margin
        alive: list[_Hypothesis] = []
        parents: list[int] = []
        ended: list[_Hypothesis] = []
        for value, place in zip(values.tolist(), places.tolist(), strict=True):
            if value == -math.inf or value < least or len(alive) == self._width:
                break
            parent, symbol = divmod(place, scores.shape[1])
            one = beams[parent]
            if symbol == SymbolTable.END:
                ended.append(_Hypothesis(one.symbols, value, Lexicon.START))
                continue
            state = self._lexicon.follow(one.state, symbol) if self._lexicon else Lexicon.START
            alive.append(_Hypothesis((*one.symbols, symbol), value, state))
            parents.append(parent)
        self._reorder(parents)
        return alive, ended

    def _scores(self, beams: list[_Hypothesis]) -> Tensor:
        """Returns the log probability of every next symbol of every hypothesis."""
        net, position = self._net, len(beams[0].symbols)
        last = [one.symbols[-1] if one.symbols else SymbolTable.BEGIN for one in beams]
        x = net.embedding(torch.tensor(last)[:, None]) * 4 + net.positions[position : position + 1]
        past: _Past = []
        for i, layer in enumerate(net.each_layer()):
            before = self._past[i] if self._past else None
            x, kept = layer(x, self._cross[i], self._memory.mask, before)
            past.append(kept)
        self._past = past
        scores = net.scores(net.norm(x), self._keys, self._memory)[:, -1]
        scores[:, SymbolTable.PAD] = scores[:, SymbolTable.BEGIN] = -math.inf
        if self._lexicon is None:
            return scores
        allowed = torch.stack([self._lexicon.allowed(one.state) for one in beams])
        return scores.masked_fill(~allowed, -math.inf)

    def _reorder(self, rows: list[int]) -> None:
        """Keeps the caches of some hypotheses, in this order."""
        if self._past is not None:
            index = torch.tensor(rows, dtype=torch.long)
            self._past = [(key[index], value[index]) for key, value in self._past]
