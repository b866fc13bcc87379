"""Text that can be spoken: sentences out of a stream, plain words out of a model's markdown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_ABBREVIATIONS = {"mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "e.g", "i.e", "approx"}
_END = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s)|\n+")
_LAST_WORD = re.compile(r"(\S+?)\.$")

_GAP = re.compile(r"\s+(?=\S)")
_CODE_FENCE = re.compile(r"```[a-zA-Z0-9]*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"https?://\S+")
_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*+•]|\d+[.)]|#{1,6}|>)[ \t]+")
_MARKS = re.compile(r"[*_`~#|]+")


class Sentences:
    """Cuts streamed text into sentences, each as soon as it is known to have ended.

    A full stop ends a sentence only where white space follows, so that "3.5" stays whole, and not
    after an abbreviation. A line break always does.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._rest = ""

    def feed(self, piece: str) -> Iterator[str]:
        """Take a piece of text in, and yield the sentences that it completes."""
        self._rest += piece
        start = 0
        while (end := _END.search(self._rest, start)) is not None:
            sentence = self._rest[: end.end()]
            if self._ends_in_abbreviation(sentence):
                start = end.end()
                continue
            self._rest = self._rest[end.end() :]
            start = 0
            if sentence.strip():
                yield sentence.strip()

    def flush(self) -> Iterator[str]:
        """Yield what is left, if anything."""
        rest, self._rest = self._rest.strip(), ""
        if rest:
            yield rest

    def _ends_in_abbreviation(self, sentence: str) -> bool:
        word = _LAST_WORD.search(sentence)
        if word is None:
            return False
        last = word.group(1).lower().lstrip("(\"'“")
        return last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha() and last != "i")


class PlainWords:
    """Cleans streamed text word by word, each as soon as it is whole, see `plain`.

    A line break stays, because it ends a sentence.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._rest = ""

    def feed(self, piece: str) -> Iterator[str]:
        """Take a piece of text in, and yield the words that it completes, space included."""
        self._rest += piece
        while (gap := _GAP.search(self._rest)) is not None:
            word, self._rest = self._rest[: gap.start()], self._rest[gap.end() :]
            yield from self._clean(word, "\n" if "\n" in gap.group() else " ")

    def flush(self) -> Iterator[str]:
        """Yield the last word, if there is one."""
        word, self._rest = self._rest, ""
        yield from self._clean(word, "")

    def _clean(self, word: str, gap: str) -> Iterator[str]:
        said = "" if _BULLET.fullmatch(f"{word} ") else plain(word)
        if said:
            yield said + gap
        elif gap == "\n":
            yield gap


def plain(text: str) -> str:
    """Return text without what nobody can say aloud: markdown, emoji, addresses; spaces tidied.

    Args:
        text: a sentence or more, as a language model writes it.

    Returns:
        One line; empty where there was nothing to say.
    """
    text = _LINK.sub(r"\1", _CODE_FENCE.sub(" ", text))
    text = _ADDRESS.sub(" ", text)
    text = _MARKS.sub("", _BULLET.sub("", text))
    kept = (letter for letter in text if not _unspeakable(letter))
    line = " ".join("".join(kept).split())
    return line if any(letter.isalnum() for letter in line) else ""


def _unspeakable(letter: str) -> bool:
    if letter in "\n\t\r ":
        return False
    category = unicodedata.category(letter)
    # So: emoji and dingbats; Cs, Co, Cn, Cf, Cc: surrogates, joiners, controls; Mn holds variation
    # selectors.
    return category in {"So", "Cs", "Co", "Cn", "Cf", "Cc"} or "\ufe00" <= letter <= "\ufe0f"
