"""Numbers, times and durations as words: how they are said, and how an ASR may write them."""

_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
UNITS = _UNITS.split()
_TENS = """
zero ten twenty thirty forty fifty sixty seventy eighty ninety
"""
TENS = _TENS.split()
DIGIT_WORDS: tuple[str, ...] = tuple(UNITS[:10])


def number_words(value: int) -> str:
    """Say a number between 0 and 9999, without "and" and without hyphens.

    Args:
        value: The number.

    Returns:
        Its words, such as ``twenty one``.

    Raises:
        ValueError: The number is out of range.
    """
    if not 0 <= value <= 9999:
        raise ValueError(f"only 0 to 9999 can be said in words, not {value}")
    if value < 20:
        return UNITS[value]
    if value < 100:
        tens, unit = divmod(value, 10)
        return TENS[tens] + (f" {UNITS[unit]}" if unit else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{UNITS[hundreds]} hundred" + (f" {number_words(rest)}" if rest else "")
    thousands, rest = divmod(value, 1000)
    return f"{UNITS[thousands]} thousand" + (f" {number_words(rest)}" if rest else "")


NUMBER_OF_WORDS: dict[str, int] = {number_words(n): n for n in range(101)}
"""Every number from 0 to 100, by its words."""
NUMBER_OF_WORDS["a hundred"] = 100


def minute_words(minute: int) -> str:
    """Say the minutes of a clock time: ``o'clock``, ``oh five``, ``fifteen``."""
    if minute == 0:
        return "o'clock"
    if minute < 10:
        return f"oh {UNITS[minute]}"
    return number_words(minute)


def clock_words(hour: int, minute: int) -> str:
    """Say a clock time of the twelve-hour clock: ``seven fifteen``, ``seven o'clock``."""
    return f"{UNITS[(hour - 1) % 12 + 1]} {minute_words(minute)}"


TIMES: tuple[str, ...] = tuple(
    clock_words(hour, minute) for hour in range(1, 13) for minute in range(0, 60, 5)
)
"""The clock times that sampled users name: every five minutes."""

CLOCK_OF_TIME: dict[str, tuple[int, int]] = {
    clock_words(hour, minute): (hour, minute) for hour in range(1, 13) for minute in range(60)
}
"""Hour and minute of every clock time, by its words."""


def duration_words(amount: int, unit: str) -> str:
    """Say a duration; ``unit`` is ``second``, ``minute``, ``hour`` or ``night``, singular."""
    return f"{number_words(amount)} {unit}" + ("" if amount == 1 else "s")


DURATIONS: tuple[str, ...] = (
    *(duration_words(n, "second") for n in range(5, 60, 5)),
    *(duration_words(n, "minute") for n in range(1, 61)),
    "ninety minutes",
    *(duration_words(n, "hour") for n in range(1, 13)),
)
"""The durations that sampled users name."""


def clock_phrases(time: str) -> tuple[str, ...]:
    """All ways in which a user may say a clock time, the plainest first.

    Args:
        time: A time of the inventory, such as ``seven fifteen``.
    """
    hour, minute = CLOCK_OF_TIME[time]
    name, following = UNITS[hour], UNITS[hour % 12 + 1]
    phrases = [time]
    if minute == 30:
        phrases.append(f"half past {name}")
    elif minute == 15:
        phrases += [f"quarter past {name}", f"a quarter past {name}"]
    elif minute == 45:
        phrases += [f"quarter to {following}", f"a quarter to {following}"]
    elif minute in (5, 10, 20, 25):
        phrases.append(f"{number_words(minute)} past {name}")
    elif minute in (35, 40, 50, 55):
        phrases.append(f"{number_words(60 - minute)} to {following}")
    return tuple(phrases)


def clock_forms(time: str) -> tuple[str, ...]:
    """All forms in which a heard reply may write a clock time that was said as ``time``."""
    hour, minute = CLOCK_OF_TIME[time]
    forms = [time, f"{hour}:{minute:02d}", f"{hour} {minute:02d}", f"{hour}{minute:02d}"]
    forms += [f"{hour}.{minute:02d}", f"{UNITS[hour]} {minute}" if minute >= 10 else ""]
    if minute == 0:
        forms += [f"{hour} o'clock", f"{UNITS[hour]} oclock", f"{hour} oclock", f"{hour} 0'clock"]
    elif minute < 10:
        forms += [f"{hour} oh {UNITS[minute]}", f"{hour} o {UNITS[minute]}"]
        forms += [f"{UNITS[hour]} o {UNITS[minute]}", f"{UNITS[hour]} zero {UNITS[minute]}"]
    else:
        forms.append(f"{hour} {number_words(minute)}")
    return tuple(dict.fromkeys(form for form in forms if form))


def duration_forms(duration: str) -> tuple[str, ...]:
    """All forms in which a heard reply may write a duration (also nights, degrees, percent)."""
    words, _, unit = duration.rpartition(" ")
    amount = NUMBER_OF_WORDS[words]
    forms = [duration, f"{amount} {unit}", f"{words.replace(' ', '-')} {unit}"]
    if unit == "percent":
        forms += [f"{amount}%", f"{amount} per cent", f"{words} per cent"]
    if unit in ("degrees", "degree"):
        forms.append(f"{amount}°")
    return tuple(dict.fromkeys(forms))


def number_forms(words: str) -> tuple[str, ...]:
    """All forms in which a heard reply may write a number."""
    return tuple(dict.fromkeys((words, str(NUMBER_OF_WORDS[words]), words.replace(" ", "-"))))


def digit_forms(digits: str) -> tuple[str, ...]:
    """All groupings in which a heard reply may write a digit string said as ``five five one``."""
    figures = "".join(str(DIGIT_WORDS.index(word)) for word in digits.split())
    forms = [digits]
    for mask in range(2 ** (len(figures) - 1)):
        groups = figures[0]
        for position, figure in enumerate(figures[1:]):
            groups += (" " if mask >> position & 1 else "") + figure
        forms.append(groups)
    return tuple(dict.fromkeys(forms))


def amount_forms(amount: str) -> tuple[str, ...]:
    """All forms in which a heard reply may write a number up to 9999, with or without a unit.

    Args:
        amount: Words such as ``seven`` or ``two hundred forty hours``.
    """
    words = amount.split()
    unit = [] if words[-1] in _AMOUNT_WORDS else [words.pop()]
    number = next(n for n in range(10_000) if number_words(n) == " ".join(words))
    forms = [" ".join(words), str(number), f"{number:,}"]
    if number >= 100 and number % 100:
        forms.append(" ".join(words).replace("hundred ", "hundred and "))
    return tuple(dict.fromkeys(" ".join([form, *unit]) for form in forms))


_AMOUNT_WORDS = frozenset(UNITS + TENS + ["hundred", "thousand"])
