"""How numbers, units and things of the manifest are written for readers; nothing is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cascadence.conversation import (
    AfterReply,
    Aside,
    At,
    Backchannel,
    BargeIn,
    Expect,
    Style,
    UserTurn,
)
from cascadence.measurement import Censored, Measurement, MetricSpec, Ratio, Value

MISSING = "–"
ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
BETTER = {"higher": "higher is better", "lower": "lower is better", "neither": ""}
LABELS = {
    "endpointing_delay_s": "Endpointing",
    "heard_s": "Until heard",
    "first_token_s": "Until first token",
    "first_audio_s": "Until first audio",
    "onset_s": "Until audible",
    "ttfa_s": "Time to first audio",
    "ttft_s": "Time to first token",
    "rtf": "Real-time factor",
    "stall_s": "Stalls",
    "cutoff_rate": "Cut-offs",
    "overlap_ratio": "Overlap",
    "dnsmos_ovrl": "DNSMOS overall",
    "dnsmos_sig": "DNSMOS signal",
    "dnsmos_bak": "DNSMOS background",
    "auto_pcp": "AutoPCP",
}
_UPPER = "auc f0 ffe gpe js llm mcd pesq rmse sdr si stoi utmos vde wer"
_SPELT = {**{word: word.upper() for word in _UPPER.split()}, "npvi": "nPVI"}
_UNIT_SUFFIX = re.compile(r"_(s|ms|hz|db|st|cents|bits|per_min)$")
SUMMARIES = {
    "mean": "mean",
    "median": "median",
    "ratio": "ratio of sums",
    "survival": "Kaplan–Meier median",
}
_TIMES = "\u00d7"
_UNIT_NAMES = {"ratio": "ratio", "s": "s", "": ""}


def label(metric: str) -> str:
    """Name a metric in words, without its unit."""
    words = _UNIT_SUFFIX.sub("", metric).split("_")
    spelt = " ".join(_SPELT.get(word, word) for word in words)
    return LABELS.get(metric, spelt[:1].upper() + spelt[1:])


def plain_doc(text: str) -> str:
    """Turn a docstring into paragraphs of plain text: no markup, no line breaks inside."""
    bare = re.sub(r"`+([^`]*)`+", r"\1", text)
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", bare))
    return "\n".join(part for part in paragraphs if part)


def unit_text(spec: MetricSpec) -> str:
    """Unit and kind of corpus value, as column heads show them."""
    unit = _UNIT_NAMES.get(spec.unit, spec.unit)
    kind = "" if spec.summary == "ratio" and unit == "ratio" else SUMMARIES[spec.summary]
    if spec.summary in ("median", "survival"):
        kind = "median"
    return ", ".join(part for part in (unit, kind) if part)


def decimals(values: list[float]) -> int:
    """Choose how many decimals the values of a column need: by the middle one's size."""
    sizes = sorted(abs(value) for value in values if value)
    middle = sizes[len(sizes) // 2] if sizes else 1.0
    limits = ((100.0, 0), (10.0, 1), (0.1, 2), (0.01, 3))
    return next((places for limit, places in limits if middle >= limit), 4)


def fitting(value: float | None, places: int) -> int:
    """Return the column's decimals, or as many as keep a small value from looking like zero."""
    if not value or abs(value) >= 0.5 * 10**-places:
        return places
    return max(places, decimals([value]))


def number(value: float, places: int) -> str:
    """Write a number with fixed decimals; what rounds to zero has no sign."""
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")  # noqa: RUF001


def signed(value: float, places: int) -> str:
    """Write a difference: its sign is always there."""
    text = number(value, places)
    return f"+{text}" if float(f"{value:.{places}f}") > 0 else text


def p_text(p: float | None) -> str:
    """Write a p-value."""
    return MISSING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def interval_text(interval: tuple[float | None, float | None] | None, places: int) -> str:
    """Write an interval; an end that nobody knows, as of a median with few answers, is open."""
    if interval is None:
        return ""
    low, high = ("" if bound is None else number(bound, places) for bound in interval)
    if low and high:
        return f"[{low}, {high}]"
    return f"≥ {low}" if low else f"≤ {high}" if high else ""


def measurement_text(measurement: Measurement, unit: str) -> str:
    """Write one measurement, as in ``0.84 s`` or ``≥ 10.00 s``; missing values as a dash."""
    suffix = "" if unit in ("", "ratio") else f" {unit}"
    match measurement.quantity:
        case Value(x):
            return number(x, decimals([x])) + suffix
        case Ratio(numerator, denominator):
            share = numerator / denominator
            counted = denominator != 1 and numerator.is_integer() and denominator.is_integer()
            parts = f" ({numerator:g} of {denominator:g})" if counted else ""
            return number(share, decimals([share])) + suffix + parts
        case Censored(bound):
            return f"≥ {number(bound, 2)}{suffix}"
        case None:
            return MISSING


def how(turn: UserTurn) -> list[str]:
    """Say how and when a turn is spoken, where that is worth saying."""
    return [*_when(turn), *style_words(turn.style), *_speaker(turn)]


def style_words(style: Style) -> list[str]:
    """Name what is marked in a style."""
    words = [f"{style.label}"] if style.label else []
    words += [style.emotion] if style.emotion else []
    signed = (("rate", style.rate, _TIMES), ("range", style.pitch_range, _TIMES))
    words += [f"{name} {sign}{value:g}" for name, value, sign in signed if value is not None]
    added = (("pitch", style.pitch, "st"), ("level", style.loudness, "dB"))
    words += [f"{name} {value:+g} {unit}" for name, value, unit in added if value is not None]
    words += [style.sentence_type] if style.sentence_type else []
    words += ["sarcastic"] if style.sarcasm else []
    words += ["hesitant"] if style.hesitations else []
    return words


def slot_text(name: str, values: Sequence[str]) -> str:
    """Word a slot with its accepted values; of many, the first few."""
    shown = " or ".join(values[:3]) + (f" or {len(values) - 3} more" if len(values) > 3 else "")
    return f"{name} = {shown}"


def expectations(expect: Expect) -> list[str]:
    """List what a good answer must hold."""
    return list(_expectations(expect))


def _expectations(expect: Expect) -> Iterator[str]:
    if expect.stay_silent:
        yield "says nothing"
    for name, values in expect.slots.items():
        yield slot_text(name, values)
    if expect.answer:
        yield f"answer: {' or '.join(expect.answer)}"
    for text in expect.contains:
        yield f"says “{text}”"
    for text in expect.excludes:
        yield f"does not say “{text}”"
    for call in expect.tool_calls:
        arguments = ", ".join(f"{key}={value}" for key, value in call.arguments.items())
        yield f"calls {call.name}({arguments})"
    if expect.reply_style is not None:
        yield f"style of the reply: {', '.join(style_words(expect.reply_style)) or 'neutral'}"
    if expect.reply_text:
        yield f"for example “{expect.reply_text}”"


def _when(turn: UserTurn) -> list[str]:
    match turn.when:
        case BargeIn(after_onset_s=t_s):
            return [f"barges in {t_s:g} s into the reply"]
        case Backchannel(after_onset_s=t_s):
            return [f"backchannel {t_s:g} s into the reply"]
        case Aside(after_onset_s=None):
            return ["to somebody else"]
        case Aside(after_onset_s=t_s):
            return [f"to somebody else, {t_s:g} s into the reply"]
        case At(t_s=t_s):
            return [f"at {t_s:g} s"]
        case AfterReply():
            return []


def _speaker(turn: UserTurn) -> list[str]:
    return [f"voice {turn.speaker}"] if turn.speaker else []
