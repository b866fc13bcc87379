"""Finds slot values in a transcript: inventories, numbers, clock times, durations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from cascadence.data_manifests.assistant.normalise import tokens_of
from cascadence.data_manifests.assistant.numbers import (
    CLOCK_OF_TIME,
    NUMBER_OF_WORDS,
    clock_words,
    duration_words,
    number_words,
)
from cascadence.data_manifests.assistant.values import (
    MEASURED_TYPES,
    TYPES,
    UNIT_FACTORS,
    plural,
    quantity_words,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A possible slot value.

    Attributes:
        start: Index of its first token.
        end: Index after its last token.
        type: Slot type; ``number`` for a number without a unit.
        value: Canonical value.
        quality: How sure it is, in (0, 1].
    """

    start: int
    end: int
    type: str
    value: str
    quality: float = 1.0

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share a token."""
        return self.start < other.end and other.start < self.end


_CALCULATED = {"time", "duration", "percent", "degrees", "nights", "quantity", "unit", "digits"}
_CALCULATED |= {"people", "count", "level", "channel", "addend"}
_TIME_UNITS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "second"),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "minutes", "minuets"), "minute"),
    **dict.fromkeys(("hour", "hours", "our", "ours", "hr", "hrs"), "hour"),
}
_MEASURES = {
    **dict.fromkeys(("percent", "percentage", "cent"), "percent"),
    **dict.fromkeys(("degrees", "degree"), "degrees"),
    **dict.fromkeys(("nights", "night", "knights", "knight"), "nights"),
}
_UNIT_OF_WORD = {
    form: unit
    for unit in {unit for pair in UNIT_FACTORS for unit in pair}
    for form in (unit, plural(unit))
} | {
    "centimetres": "centimeter", "centimetre": "centimeter", "kilometres": "kilometer",
    "kilometre": "kilometer", "metres": "meter", "metre": "meter", "litres": "liter",
    "litre": "liter", "kilos": "kilogram", "kilo": "kilogram",
}  # fmt: skip
_FIRST_NUMERALS = frozenset(words.split()[0] for words in NUMBER_OF_WORDS)
_BEFORE_TIME = {
    "at": 0.8,
    "by": 0.6,
    "around": 0.8,
    "about": 0.6,
    "until": 0.6,
    "till": 0.6,
    "for": 0.55,
}
_PAST = {"past", "passed", "after"}
_TO = {"to", "before", "of", "till"}


UNIT_WORDS = frozenset({*_TIME_UNITS, *_MEASURES, *_UNIT_OF_WORD})
"""All words for units that may follow a number."""


@cache
def _gazetteer() -> dict[str, list[tuple[tuple[str, ...], str, str, float]]]:
    """Index all listed values by their first token."""
    index: dict[str, list[tuple[tuple[str, ...], str, str, float]]] = {}
    for slot_type in TYPES.values():
        if slot_type.name in _CALCULATED:
            continue
        for value in slot_type.values:
            forms = [(value, 1.0), *((v, 0.8) for v in slot_type.variants.get(value, ()))]
            if value.startswith("the "):
                forms.append((value.removeprefix("the "), 0.9))
            for form, quality in forms:
                tokens = tuple(tokens_of(form))
                index.setdefault(tokens[0], []).append((tokens, slot_type.name, value, quality))
    return index


@cache
def value_words() -> frozenset[str]:
    """All words that occur in a listed value or one of its variants."""
    return frozenset(
        word for entries in _gazetteer().values() for tokens, *_ in entries for word in tokens
    )


def _listed_spans(tokens: Sequence[str]) -> Iterable[Span]:
    """Values of the inventories."""
    index = _gazetteer()
    for start, token in enumerate(tokens):
        possessive = token[:-1] if token.endswith("s") and token not in index else token
        for first in {token, possessive}:
            for form, type_name, value, quality in index.get(first, ()):
                end = start + len(form)
                if first != token and len(form) > 1:
                    continue
                if first != token or tuple(tokens[start:end]) == form:
                    yield Span(start, end, type_name, value, quality)


def number_at(tokens: Sequence[str], start: int) -> tuple[int, int] | None:
    """Read the longest number that starts at a token.

    Returns:
        The number and the index after it, or nothing.
    """
    if start >= len(tokens) or tokens[start] not in _FIRST_NUMERALS:
        return None
    for end in (start + 2, start + 1):
        number = NUMBER_OF_WORDS.get(" ".join(tokens[start:end]))
        if number is not None and end <= len(tokens):
            return number, end
    return None


def _minute_at(tokens: Sequence[str], start: int) -> tuple[int, int] | None:
    """Read the minutes of a clock time: ``oclock``, ``oh five``, ``fifteen``."""
    if start >= len(tokens):
        return None
    if tokens[start] == "oclock":
        return 0, start + 1
    if tokens[start] in ("oh", "o", "zero") and start + 1 < len(tokens):
        number = number_at(tokens, start + 1)
        if number and 1 <= number[0] <= 9:
            return number
        return None
    number = number_at(tokens, start)
    if number and 10 <= number[0] <= 59:
        return number
    return None


def _relative_time_at(tokens: Sequence[str], start: int) -> Span | None:
    """Read ``half past seven``, ``a quarter to eight``, ``ten past three``."""
    index = start + 1 if tokens[start] in ("a", "the") else start
    if index >= len(tokens):
        return None
    number = number_at(tokens, index)
    fixed = {"half": 30, "quarter": 15}.get(tokens[index])
    minutes, end = (fixed, index + 1) if fixed else number or (None, index)
    if minutes is None:
        return None
    if end < len(tokens) and tokens[end] in ("minutes", "minute"):
        end += 1
    if end >= len(tokens) or tokens[end] not in _PAST | _TO:
        return None
    hour = number_at(tokens, end + 1)
    if not hour or not 1 <= hour[0] <= 12 or not 1 <= minutes <= 30:
        return None
    stop = hour[1] + (tokens[hour[1] : hour[1] + 1] == ["oclock"])
    if tokens[end] in _PAST:
        return Span(start, stop, "time", clock_words(hour[0], minutes))
    return Span(start, stop, "time", clock_words((hour[0] - 2) % 12 + 1, 60 - minutes))


def _time_at(tokens: Sequence[str], start: int) -> Span | None:
    """Read a clock time."""
    if tokens[start] in ("noon", "midday", "midnight"):
        return Span(start, start + 1, "time", "twelve o'clock")
    relative = _relative_time_at(tokens, start)
    if relative:
        return relative
    hour = number_at(tokens, start)
    if not hour or not 1 <= hour[0] <= 12:
        return None
    minute = _minute_at(tokens, hour[1])
    if minute:
        before = tokens[start - 1] if start else ""
        # "a table for two seven thirty": the hour is the number next to the minutes.
        quality = 1.0 if before in _BEFORE_TIME or minute[0] == 0 else 0.95
        return Span(start, minute[1], "time", clock_words(hour[0], minute[0]), quality)
    following = tokens[hour[1]] if hour[1] < len(tokens) else ""
    if following in ("am", "pm"):
        return Span(start, hour[1] + 1, "time", clock_words(hour[0], 0))
    before = tokens[start - 1] if start else ""
    if before in _BEFORE_TIME:
        return Span(start, hour[1], "time", clock_words(hour[0], 0), _BEFORE_TIME[before])
    return None


def _duration_at(tokens: Sequence[str], start: int) -> Span | None:
    """Read a duration, also ``half an hour`` and ``an hour and a half``."""
    words = list(tokens[start : start + 5])
    for form, value in (
        (["half", "an", "hour"], "thirty minutes"),
        (["half", "hour"], "thirty minutes"),
        (["an", "hour", "and", "a", "half"], "ninety minutes"),
        (["one", "hour", "and", "a", "half"], "ninety minutes"),
        (["a", "quarter", "of", "an", "hour"], "fifteen minutes"),
        (["quarter", "of", "an", "hour"], "fifteen minutes"),
    ):
        if words[: len(form)] == form:
            return Span(start, start + len(form), "duration", value)
    number = number_at(tokens, start)
    amount, end = number or ((1, start + 1) if tokens[start] in ("a", "an") else (0, start))
    if amount and end < len(tokens) and tokens[end] in _TIME_UNITS:
        return Span(start, end + 1, "duration", duration_words(amount, _TIME_UNITS[tokens[end]]))
    return None


def _measured_spans(tokens: Sequence[str], start: int) -> Iterable[Span]:
    """Numbers, alone and with a unit, that start at a token."""
    number = number_at(tokens, start)
    amount, end = number or ((1, start + 1) if tokens[start] in ("a", "an") else (0, start))
    if number:
        value = number_words(number[0])
        yield Span(start, number[1], "number", "one hundred" if number[0] == 100 else value)
    if not (number or amount) or end >= len(tokens):
        return
    measure = _MEASURES.get(tokens[end])
    if measure and number:
        value = duration_words(amount, "night") if measure == "nights" else ""
        yield Span(start, end + 1, measure, value or f"{number_words(amount)} {measure}")
    unit = _UNIT_OF_WORD.get(tokens[end])
    if unit and amount:
        yield Span(start, end + 1, "quantity", quantity_words(amount, unit))


def spans_of(tokens: Sequence[str]) -> list[Span]:
    """Find every slot value that a transcript may contain.

    Args:
        tokens: Words as from :func:`~cascadence.data_manifests.assistant.normalise.tokens_of`.

    Returns:
        The spans, overlapping ones included.
    """
    spans = list(_listed_spans(tokens))
    for start, token in enumerate(tokens):
        number_before = number_at(tokens, start - 1) if start else None
        if number_before and number_before[1] > start:
            continue
        for found in (_time_at(tokens, start), _duration_at(tokens, start)):
            if found:
                spans.append(found)
        spans += _measured_spans(tokens, start)
        if token in _UNIT_OF_WORD and not (start and number_at(tokens, start - 1)):
            spans.append(Span(start, start + 1, "unit", plural(_UNIT_OF_WORD[token])))
    return spans


def from_bare_number(number: str, type_name: str, old: str | None = None) -> str | None:
    """Read a number without a unit as a value of a type: ``make it seven``.

    Args:
        number: The number in words.
        type_name: Slot type that it stands for.
        old: The value that it replaces, which lends its unit.

    Returns:
        The value, or nothing if a number cannot be one.
    """
    amount = NUMBER_OF_WORDS[number]
    if type_name in ("people", "count", "level", "channel", "addend"):
        return number
    if type_name == "time":
        if not 1 <= amount <= 12:
            return None
        minute = 0
        return clock_words(amount, minute)
    if type_name == "duration" and amount:
        unit = old.rpartition(" ")[2].removesuffix("s") if old else "minute"
        return duration_words(amount, unit)
    if type_name == "nights" and amount:
        return duration_words(amount, "night")
    if type_name in MEASURED_TYPES:
        return f"{number} {MEASURED_TYPES[type_name]}"
    return None


def is_time(value: str) -> bool:
    """Whether a value is a clock time."""
    return value in CLOCK_OF_TIME
