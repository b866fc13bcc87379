"""The phoneme symbols of the reply voice: what Cadence means to say, before it is sound.

A symbol is one base phoneme of the voice's phonemizer with its stress mark, its length or palatal
mark and the second half of a diphthong merged into it. Joining the symbols of an utterance gives
the phonemizer's string back. Spaces are symbols: they separate the words and hold the pauses.
"""

from collections.abc import Iterable, Sequence

__all__ = ["SPACE", "SymbolTable", "canonical", "merge_phonemes", "split_words"]

SPACE = " "
_STRESS = "ˈˌ"
_MODIFIERS = "ːʲ\u0303\u0327\u0329"
_DIPHTHONGS = {"a": "ɪʊ", "e": "ɪ", "o": "ʊ", "ɔ": "ɪ"}


def merge_phonemes(characters: Iterable[str]) -> list[str]:
    """Merges a phonemizer's characters into symbols.

    Args:
        characters: IPA characters in order, stress marks before their vowel.

    Returns:
        The symbols; joined, they equal the characters joined.

    Raises:
        ValueError: if the utterance ends in a stress mark.
    """
    symbols: list[str] = []
    stress = ""
    for character in characters:
        bare = symbols[-1].lstrip(_STRESS) if symbols else ""
        extends = character in _MODIFIERS or character in _DIPHTHONGS.get(bare, "")
        if character in _STRESS:
            stress += character
        elif extends and symbols and not stress:
            symbols[-1] += character
        else:
            symbols.append(stress + character)
            stress = ""
    if stress:
        raise ValueError("the utterance ends in a stress mark without a vowel")
    return symbols


def split_words(symbols: Sequence[str]) -> list[tuple[str, ...]]:
    """Splits an utterance's symbols at the spaces into words, punctuation kept apart."""
    words: list[tuple[str, ...]] = []
    current: list[str] = []
    for symbol in symbols:
        if symbol == SPACE or not symbol.lstrip(_STRESS)[0].isalpha():
            if current:
                words.append(tuple(current))
            current = []
            if symbol != SPACE:
                words.append((symbol,))
        else:
            current.append(symbol)
    if current:
        words.append(tuple(current))
    return words


def canonical(symbol: str) -> str:
    """Drops what only the neighbours decide (palatal linking), and writes one r."""
    return symbol.replace("ʲ", "").replace("r", "ɹ")


class SymbolTable:
    """Numbers symbols: 0 is padding, 1 begins, 2 ends an utterance, the symbols follow.

    Attributes:
        symbols: the symbols in the order of their ids, from `FIRST` on.
    """

    PAD = 0
    BEGIN = 1
    END = 2
    FIRST = 3

    def __init__(self, symbols: Sequence[str]) -> None:
        """Numbers `symbols`, canonical ones, in the order given.

        Raises:
            ValueError: if a symbol occurs twice.
        """
        self.symbols = tuple(symbols)
        self._ids = {symbol: self.FIRST + i for i, symbol in enumerate(self.symbols)}
        if len(self._ids) != len(self.symbols):
            raise ValueError("a symbol occurs twice in the symbol table")

    def __len__(self) -> int:
        """Counts the ids, the three special ones included."""
        return self.FIRST + len(self.symbols)

    def __contains__(self, symbol: str) -> bool:
        """Tells whether the symbol has an id."""
        return canonical(symbol) in self._ids

    def encode(self, symbols: Iterable[str]) -> list[int]:
        """Turns symbols into ids, each in its canonical form.

        Raises:
            KeyError: if a symbol is not in the table.
        """
        return [self._ids[canonical(symbol)] for symbol in symbols]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Turns ids into symbols; padding, begin and end are left out."""
        return [self.symbols[i - self.FIRST] for i in ids if i >= self.FIRST]
