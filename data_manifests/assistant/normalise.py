"""Reads what an ASR wrote: one lower-case word a token, every number in words."""

import re

from cascadence.data_manifests.assistant.numbers import (
    DIGIT_WORDS,
    TENS,
    UNITS,
    minute_words,
    number_words,
)

_EXPANSIONS = {
    "i'm": "i am",
    "i'll": "i will",
    "i've": "i have",
    "i'd": "i would",
    "you're": "you are",
    "you'll": "you will",
    "we're": "we are",
    "we've": "we have",
    "they're": "they are",
    "it's": "it is",
    "that's": "that is",
    "what's": "what is",
    "who's": "who is",
    "where's": "where is",
    "how's": "how is",
    "name's": "name is",
    "there's": "there is",
    "everything's": "everything is",
    "dinner's": "dinner is",
    "let's": "let us",
    "don't": "do not",
    "doesn't": "does not",
    "didn't": "did not",
    "can't": "cannot",
    "won't": "will not",
    "isn't": "is not",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
    "gimme": "give me",
    "lemme": "let me",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_HESITATIONS = frozenset({"um", "uh", "uhm", "umm", "erm", "er", "hmm", "mm"})
_FIGURE_FOR_WORD = re.compile(r"\b([24])(?= (?:the|my|me|call|\w+day|tomorrow)\b)")
_CLOCK = re.compile(r"\b(\d{1,2})[:.](\d{2})\b")
_PM = re.compile(r"(?<=[\d\s])([ap])\s?\.\s?m\b\.?|(?<=\d)\s?([ap])m\b")
_OCLOCK = re.compile(r"\bo\s?'?\s?clock\b|(?<=\d )0'clock\b")
_WORD = re.compile(r"\||[^\W\d_]+(?:'[^\W\d_]+)*")
_BETWEEN_NUMBERS = re.compile(rf"\b({'|'.join([*UNITS, *TENS, 'clock', 'oclock'])})[,.;]\s")
_FIGURES = re.compile(r"\d+")


def _clock(hour: int, minute: int) -> str | None:
    """Say a clock time in words, or nothing if it is none."""
    if hour > 24 or minute > 59 or (hour == 0 and minute == 0):
        return None
    return f" {UNITS[(hour - 1) % 12 + 1]} {minute_words(minute)} | "


def _figures_in_words(figures: str) -> str:
    """Say a run of figures: 7, 45, 715 (a clock time if it can be one), 55512 (digit by digit)."""
    if len(figures) <= 2 or figures == "100":
        return number_words(int(figures))
    if len(figures) <= 4:
        clock = _clock(int(figures[:-2]), int(figures[-2:]))
        if clock is not None and int(figures[:-2]) > 0:
            return clock
        if figures[0] != "0":
            return number_words(int(figures))
    return " ".join(DIGIT_WORDS[int(figure)] for figure in figures)


def tokens_of(text: str) -> list[str]:
    """Split a transcript into words.

    Args:
        text: What the user said, as an ASR or a person wrote it.

    Returns:
        Lower-case words without punctuation or apostrophes; contractions expanded; figures in
        words, clock times as they are said (``7:15`` is ``seven fifteen``), ``%`` as ``percent``;
        ``|`` where one number ends and another may begin.
    """
    text = text.lower().replace("\u2019", "'").replace("\u2018", "'")
    text = re.sub(r"[\[(*][^\])*]*[\])*]", " ", text)
    text = text.replace("&", " and ").replace("+", " plus ").replace("=", " equals ")
    text = re.sub(r"(\d)\s?%", r"\1 percent ", text).replace("per cent", "percent")
    text = re.sub(r"\s?°\s?[cf]?\b", " degrees ", text).replace("°", " degrees ")
    text = re.sub(r"(\d),(\d{3})\b", r"\1\2", text)
    text = _FIGURE_FOR_WORD.sub(lambda match: {"2": "to", "4": "for"}[match[1]], text)
    text = _PM.sub(lambda match: f" {match[1] or match[2]}m ", text)
    text = _OCLOCK.sub("oclock", text)
    text = _CLOCK.sub(lambda m: _clock(int(m[1]), int(m[2])) or f" {m[1]} {m[2]} ", text)
    text = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", text)
    text = re.sub(r"(\d)([a-z])", r"\1 \2", text)
    text = _FIGURES.sub(lambda match: f" {_figures_in_words(match[0])} ", text)
    text = _BETWEEN_NUMBERS.sub(r"\1 | ", text)
    words = (_EXPANSIONS.get(word, word) for word in _WORD.findall(text))
    spoken = " ".join(words).replace("'", "").split()
    return [word for word in spoken if word not in _HESITATIONS]


_DIGIT_RUN = re.compile(r"[\w:']+")
_DIGIT_OF = {word: str(i) for i, word in enumerate(DIGIT_WORDS)} | {"oh": "0", "o": "0"}
_SOUNDS_LIKE_DIGIT = {"to": "2", "too": "2", "for": "4", "ate": "8", "won": "1", "tree": "3"}


def digits_of(text: str, other_than: str | None = None, fewest: int = 3) -> str | None:
    """Find a string of single digits in a transcript.

    Args:
        text: The transcript.
        other_than: A string in words that is passed over if there is another.
        fewest: Fewest digits that count as one.

    Returns:
        The longest such string in words (``five five one``), or nothing.
    """
    runs: list[str] = []
    run = ""
    found = _DIGIT_RUN.findall(text.lower().replace("-", " "))
    words = [word for word in found if word not in _HESITATIONS]
    for index, word in enumerate([*words, ""]):
        if word.isascii() and word.isdigit():
            run += word
        elif word in _DIGIT_OF and not (word in ("oh", "o") and not run):
            run += _DIGIT_OF[word]
        elif run and word in _SOUNDS_LIKE_DIGIT and _is_digit(words, index + 1):
            run += _SOUNDS_LIKE_DIGIT[word]
        else:
            runs, run = [*runs, run], ""
    said = [" ".join(DIGIT_WORDS[int(figure)] for figure in r) for r in runs if len(r) >= fewest]
    fallback = said[0] if said else None
    return max((r for r in said if r != other_than), key=len, default=fallback)


def _is_digit(words: list[str], index: int) -> bool:
    """Whether a word of a transcript is a digit."""
    return index < len(words) and (words[index].isdigit() or words[index] in _DIGIT_OF)
