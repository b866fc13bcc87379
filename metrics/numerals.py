"""Reads English numbers: words into figures, clock times into one figure, token by token.

Canonical forms, chosen so that all ways of writing one thing meet: cardinals in figures
(``twenty-five`` is ``25``), clock times as hour and two minute figures (``7:15``, ``7.15`` and
``quarter past seven`` are ``715``; ``7 o'clock`` and ``7 am`` are ``700``), ordinals as ``21st``,
decimals with a point (``two and a half`` is ``2.5``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

BREAK = "|"
"""Stands for punctuation in a list of tokens."""

_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_ORDINAL_TEN_WORDS = "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"
_MONTH_WORDS = (
    "january february march april may june july august september october november december"
)
_UNITS = {word: value for value, word in enumerate(_UNIT_WORDS.split())}
_TENS = {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), start=2)}
_ORDINALS = {word: value for value, word in enumerate(_ORDINAL_WORDS.split(), start=1)} | {
    word: 10 * value for value, word in enumerate(_ORDINAL_TEN_WORDS.split(), start=2)
}
_MONTHS = frozenset(_MONTH_WORDS.split())
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_CLOCK_DECIMAL = re.compile(r"(\d{1,2})\.([0-5]\d)")
_PARTS_OF_HOUR = {"half": 30, "quarter": 15}


def read_numbers(tokens: Sequence[str]) -> list[str]:
    """Replace number words, in one pass from left to right.

    Args:
        tokens: lower-case words, figures and `BREAK`.

    Returns:
        The tokens in canonical form (see the module).
    """
    figures: list[str] = []
    position = 0
    while position < len(tokens):
        number, position = _number_at(tokens, position, figures)
        figures.append(number)
    return _clock_times(figures)


def _number_at(tokens: Sequence[str], at: int, before: Sequence[str]) -> tuple[str, int]:
    """Read the longest number that begins at a token; else the token itself."""
    token = tokens[at]
    if token in ("oh", "o") and _joins_figures(tokens, at, before):
        return "0", at + 1
    if token in _ORDINALS:
        # "A second" is time, "the second" and "May second" are dates.
        if token == "second" and not (before and (before[-1] in _MONTHS or before[-1] == "the")):
            return token, at + 1
        return _ordinal(_ORDINALS[token]), at + 1
    value, after = _cardinal_at(tokens, at)
    if value is None:
        return token, at + 1
    if after < len(tokens) and tokens[after] in _ORDINALS:
        last = _ORDINALS[tokens[after]]
        # "Twenty first", "two hundred twelfth"; but "one second" is no ordinal.
        if (tokens[after - 1] in _TENS and last < 10) or tokens[after - 1] == "hundred":
            return _ordinal(value + last), after + 1
    if token.isdigit() and after == at + 1:
        return _with_fraction(tokens, token, after)
    return _with_fraction(tokens, str(value), after)


def _cardinal_at(tokens: Sequence[str], at: int) -> tuple[int | None, int]:
    """Read ``three hundred and five thousand twenty``; ``None`` where no cardinal begins."""
    total, (group, position) = 0, _group_at(tokens, at)
    if group is None:
        return None, at
    while position < len(tokens) and tokens[position] in _SCALES:
        total += group * _SCALES[tokens[position]]
        position += 1
        start = _skip_and(tokens, position)
        following, after = _group_at(tokens, start)
        if following is None or tokens[start].isdigit():
            return total, position
        group, position = following, after
        if position >= len(tokens) or tokens[position] not in _SCALES:
            return total + group, position
    return total + group, position


def _group_at(tokens: Sequence[str], at: int) -> tuple[int | None, int]:
    """Read a number below a thousand."""
    small, position = _below_hundred_at(tokens, at)
    if small is None:
        article = at + 1 < len(tokens) and tokens[at] == "a"
        if not (article and (tokens[at + 1] == "hundred" or tokens[at + 1] in _SCALES)):
            return None, at
        small, position = 1, at + 1
    if position < len(tokens) and tokens[position] == "hundred":
        rest, after = _below_hundred_at(tokens, _skip_and(tokens, position + 1))
        if rest is None or rest == 0 or tokens[after - 1].isdigit():
            return 100 * small, position + 1
        return 100 * small + rest, after
    return small, position


def _below_hundred_at(tokens: Sequence[str], at: int) -> tuple[int | None, int]:
    if at >= len(tokens):
        return None, at
    token = tokens[at]
    if token.isdigit():
        return int(token), at + 1
    if token in _UNITS:
        return _UNITS[token], at + 1
    if token in _TENS:
        unit = _UNITS.get(tokens[at + 1], 0) if at + 1 < len(tokens) else 0
        return (_TENS[token] + unit, at + 2) if 1 <= unit <= 9 else (_TENS[token], at + 1)
    return None, at


def _skip_and(tokens: Sequence[str], at: int) -> int:
    return at + 1 if at < len(tokens) and tokens[at] == "and" else at


def _ordinal(value: int) -> str:
    teens = 10 <= value % 100 <= 20
    suffix = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def _with_fraction(tokens: Sequence[str], whole: str, at: int) -> tuple[str, int]:
    """Read ``point one four`` or ``and a half`` behind a whole number."""
    if list(tokens[at : at + 3]) == ["and", "a", "half"]:
        return f"{whole}.5", at + 3
    if at + 1 >= len(tokens) or tokens[at] != "point":
        return whole, at
    digits, position = "", at + 1
    while position < len(tokens):
        token = tokens[position]
        digit = "0" if token in ("oh", "o") else str(_UNITS.get(token, token))
        if not digit.isdigit() or (len(digit) > 1 and digits):
            break
        digits, position = digits + digit, position + 1
    return (f"{whole}.{digits}", position) if digits else (whole, at)


def _joins_figures(tokens: Sequence[str], at: int, before: Sequence[str]) -> bool:
    """Whether ``oh`` stands for zero: ``seven oh five``."""
    if not before or not before[-1].isdigit() or at + 1 >= len(tokens):
        return False
    following = tokens[at + 1]
    return following.isdigit() or following in _UNITS or following in ("oh", "o")


def _clock_times(tokens: Sequence[str]) -> list[str]:
    """Give clock times one form."""
    times: list[str] = []
    position = 0
    while position < len(tokens):
        quarter = tokens[position] == "quarter"
        time, position = _time_at(tokens, position, times)
        if quarter and time != ["quarter"] and times[-1:] == ["a"]:
            times.pop()
        times.extend(time)
    return times


def _time_at(tokens: Sequence[str], at: int, before: Sequence[str]) -> tuple[list[str], int]:
    token = tokens[at]
    decimal = _CLOCK_DECIMAL.fullmatch(token)
    if decimal and int(decimal[1]) < 25:
        return [f"{int(decimal[1])}{decimal[2]}"], at + 1
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    minutes = _PARTS_OF_HOUR.get(token) or (int(token) if _is_hour(token, 30) else None)
    hour = tokens[at + 2] if at + 2 < len(tokens) else ""
    if minutes and following == "past" and _is_hour(hour, 12):
        return [f"{int(hour)}{minutes:02d}"], at + 3
    if token == "quarter" and following == "to" and _is_hour(hour, 12):
        return [f"{(int(hour) - 2) % 12 + 1}45"], at + 3
    alone = not (before and before[-1].isdigit())
    if alone and _is_hour(token, 24) and following == "oclock":
        return [f"{int(token)}00"], at + 2
    if alone and _is_hour(token, 12) and following in ("am", "pm"):
        return [f"{int(token)}00", following], at + 2
    if token == "oclock":
        return [], at + 1
    return [token], at + 1


def _is_hour(token: str, most: int) -> bool:
    return token.isdigit() and 1 <= int(token) <= most
