"""How many syllables a text has, said aloud: for speaking rates where the words are known.

English spelling rules, no dictionary: right for nine words in ten, and the same for the same words,
which is what comparisons of rate need. Other languages in Latin script: groups of vowels.
"""

from __future__ import annotations

import re

from cascadence.metrics.text import words

_VOWELS = re.compile(r"[aeiouyà-öø-ÿ]+")
_SILENT = re.compile(
    r"(?<![aeiouytd])e(?=d$)"  # asked, but wanted
    r"|(?<![aeiouyscxzgh])(?<![^aeiouy]l)e(?=s$)"  # times, but houses and apples
    r"|(?<![^aeiouy]l)(?<=[a-z])e$"  # late, but table
    r"|(?<=som|tim|hom|not|her)e(?=[bfghlmptw])"  # something, homework
)
_APART = re.compile(
    r"(?<![ctsgxl])i[ao]|^(?:li|gi)a?o?(?=n)|^scie"  # piano, serious; lion, giant, science
    r"|(?<=[rd])ea(?=s?$)|(?<=cr)ea|^thea|eo$|eum|uie|ua(?=ry)"  # area, create, museum, quiet
    r"|(?<=[aeiouy])ing$"  # playing
)
_FIGURE = re.compile(r"(\d+)(?:\.(\d+))?(?:st|nd|rd|th)?")
_DIGITS = (2, 1, 1, 1, 1, 1, 1, 2, 1, 1)
_TEENS = (1, 3, 2, 2, 2, 2, 2, 3, 2, 2)
_TENS = (0, 0, 2, 2, 2, 2, 2, 3, 2, 2)


def count_syllables(text: str) -> int:
    """Count the syllables of a text, read aloud; figures as in `cascadence.metrics.numerals`."""
    return sum(_in_word(word) for word in words(text))


def _in_word(word: str) -> int:
    figure = _FIGURE.fullmatch(word)
    if figure:
        fraction = figure[2] or ""
        return _in_figures(figure[1]) + (1 + _digit_by_digit(fraction) if fraction else 0)
    spoken = _SILENT.sub("", word) if len(_VOWELS.findall(word)) > 1 else word
    return max(1, len(_VOWELS.findall(spoken)) + len(_APART.findall(spoken)))


def _in_figures(figures: str) -> int:
    if len(figures) <= 2:
        return _below_hundred(int(figures))
    if len(figures) <= 4 and int(figures[-2:]) < 60:
        return _below_hundred(int(figures[:-2])) + _minutes(int(figures[-2:]))
    return _digit_by_digit(figures)


def _minutes(value: int) -> int:
    if value == 0:
        return 2  # o'clock, or hundred
    return 1 + _DIGITS[value] if value < 10 else _below_hundred(value)


def _below_hundred(value: int) -> int:
    if value < 10:
        return _DIGITS[value]
    if value < 20:
        return _TEENS[value - 10]
    tens, unit = divmod(value, 10)
    return _TENS[tens] + (_DIGITS[unit] if unit else 0)


def _digit_by_digit(figures: str) -> int:
    return sum(_DIGITS[int(figure)] for figure in figures)
