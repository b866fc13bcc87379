"""The words that Cadence may say: a tree of their symbols, walked while it writes."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from cascadence.systems.cadence.symbols import SPACE, SymbolTable, merge_phonemes

__all__ = ["Lexicon"]

_PUNCTUATION = (",", ".", ":", ";", "?", "!")


class Lexicon:
    """Which symbol may follow: words of a list, with spaces and punctuation between them.

    A state is a number; 0 is the beginning of a reply.
    """

    START = 0

    def __init__(self, words: Iterable[str], table: SymbolTable) -> None:
        """Builds the tree.

        Args:
            words: each the joined symbols of a spoken word.
            table: numbers the symbols; words with others are left out.
        """
        self._size = len(table)
        punctuation = [table.encode([mark])[0] for mark in _PUNCTUATION if mark in table]
        space = table.encode([SPACE])[0]
        # Beginning, after a space, after punctuation; words grow behind them.
        self._next: list[dict[int, int]] = [
            {SymbolTable.END: 0},
            {},
            {SymbolTable.END: 0, space: 1},
        ]
        for word in sorted(set(words)):
            symbols = merge_phonemes(word)
            if symbols and all(symbol in table for symbol in symbols):
                self._add(table.encode(symbols), {space: 1, **dict.fromkeys(punctuation, 2)})
        # A reply begins as a word does after a space.
        self._next[0].update(self._next[1])
        self._masks: dict[int, Tensor] = {}

    def _add(self, ids: Sequence[int], after: dict[int, int]) -> None:
        state = 1
        for symbol in ids:
            if symbol not in self._next[state]:
                self._next.append({})
                self._next[state][symbol] = len(self._next) - 1
            state = self._next[state][symbol]
        self._next[state].update(after)

    def allowed(self, state: int) -> Tensor:
        """Returns which ids may follow a state, (ids,) of booleans."""
        if state not in self._masks:
            mask = torch.zeros(self._size, dtype=torch.bool)
            mask[list(self._next[state])] = True
            self._masks[state] = mask
        return self._masks[state]

    def follow(self, state: int, symbol: int) -> int:
        """Returns the state after a symbol; END leads to the beginning.

        Raises:
            KeyError: if the symbol is not allowed in that state.
        """
        return self._next[state][symbol]
