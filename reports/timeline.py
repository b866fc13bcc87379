"""Draws one conversation: both channels over time, what happened when, and the response gaps.

An SVG of two lanes, user above system, in pixels; all drawings of one conversation share one scale,
so that rows can be compared by eye. It names colours only by CSS class, and has no ids of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup, escape

from cascadence.audio import AUDIBLE_DBFS, Audio, audible_runs
from cascadence.measurement import Censored, Measurement, Ratio, Value
from cascadence.recording import REPLY_BRIDGE_S, Recording
from cascadence.simulator import PlayedTurn

GUTTER_PX = 58
"""Left of time zero: the lanes' names."""
_WIDE_PX = 1130
_BIN_PX = 2
_USER_Y, _GAP_Y, _SYSTEM_Y, _EVENT_Y, _AXIS_Y, _HEIGHT = 28, 51, 72, 93, 103, 120
_HALF_LANE = 13
_TICKS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120)
_LEAST_TICK_PX = 42
_CHARACTER_PX = 6.1

_UNMET = {"patience": "no reply: goes on", "talked_over": "talks over the reply"}
_GLYPHS = {
    "endpoint": ("M-4 3.5h8l-4-7z", "end-of-turn decision"),
    "heard": ("M0-3.6a3.6 3.6 0 1 0 .01 0z", "transcript"),
    "text": ("M-3-3h6v6h-6z", "first text"),
    "audio": ("M0-4.4l4 4.4l-4 4.4l-4-4.4z", "first audio"),
    "clear": ("M-3.5-3.5l7 7m0-7l-7 7", "stops playing"),
    "tool_call": ("M0-4v8m-4-4h8", "tool call"),
}


@dataclass(frozen=True, slots=True)
class Annotations:
    """What is written into a drawing beside what the recording holds.

    Attributes:
        gaps: the measured response gap, by index of the user turn.
        kinds: the manifest's kind of ``when``, by index of the user turn.
    """

    gaps: Mapping[int, Measurement] = field(default_factory=dict)
    kinds: Mapping[int, str] = field(default_factory=dict)


def scale_px_per_s(longest_s: float) -> float:
    """Choose the scale of all drawings of a conversation whose longest take is ``longest_s``."""
    return float(np.clip(_WIDE_PX / max(longest_s, 0.1), 12.0, 140.0))


def event_legend() -> list[tuple[str, str, Markup]]:
    """Return every event's class, meaning and drawing, for the page's legend."""
    box = '<svg class="glyph" viewBox="-6 -6 12 12" aria-hidden="true">{}</svg>'
    return [
        (kind, meaning, Markup(box).format(_glyph(kind))) for kind, (_, meaning) in _GLYPHS.items()
    ]


def timeline(recording: Recording, scale: float, notes: Annotations) -> Markup:
    """Draw a recording.

    Args:
        recording: with its sound.
        scale: pixels a second, from `scale_px_per_s`.
        notes: gaps and kinds of turns.

    Returns:
        An ``<svg>`` element, its texts escaped.
    """
    width = GUTTER_PX + recording.duration_s * scale + 12
    parts = [
        Markup(
            '<svg class="timeline" role="img" width="{0}" height="{1}" viewBox="0 0 {0} {1}" '
            'data-scale="{2}" data-gutter="{3}" aria-label="{4}">'
        ).format(_px(width), _HEIGHT, f"{scale:.4g}", GUTTER_PX, describe(recording, notes)),
        *_frame(width),
        *_axis(recording.duration_s, scale),
        *_spans(recording, scale, notes),
        _envelope(recording.user, scale, _USER_Y, "wave user-wave"),
        _envelope(recording.system, scale, _SYSTEM_Y, "wave system-wave"),
        *_stalls(recording, scale),
        *_gaps(recording, scale, notes),
        *_events(recording, scale),
        Markup('<line class="playhead" x1="{0}" x2="{0}" y1="12" y2="{1}"/></svg>').format(
            GUTTER_PX, _AXIS_Y
        ),
    ]
    return Markup("").join(parts)


def describe(recording: Recording, notes: Annotations) -> str:
    """Say in words what the drawing shows, for those who do not see it."""
    turns = [f"user {t.speech_start_s:.1f} to {t.speech_end_s:.1f} s" for t in recording.turns]
    runs = audible_runs(recording.system, bridge_s=REPLY_BRIDGE_S)
    spoken = [f"system {a:.1f} to {b:.1f} s" for a, b in runs] or ["the system says nothing"]
    gaps = [
        f"response gap after turn {index + 1}: {gap_text(measurement)}"
        for index, measurement in sorted(notes.gaps.items())
    ]
    return "; ".join([*turns, *spoken, *gaps])


def gap_text(gap: Measurement) -> str:
    """Write a response gap as readers expect it: ``0.84 s``, ``no reply in 10.0 s``."""
    match gap.quantity:
        case Value(x):
            return f"{x:.2f} s".replace("-", "−")  # noqa: RUF001
        case Censored(bound):
            return f"no reply in {bound:.1f} s"
        case Ratio() | None:
            return gap.reason or "not measured"


def _frame(width: float) -> Iterator[Markup]:
    line = Markup('<line class="lane" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    name = Markup('<text class="lane-name" x="0" y="{}">{}</text>')
    for label, y in (("user", _USER_Y), ("system", _SYSTEM_Y)):
        yield name.format(y + 4, label)
        yield line.format(GUTTER_PX, _px(width - 10), y, y)


def _axis(duration_s: float, scale: float) -> Iterator[Markup]:
    step = next((s for s in _TICKS_S if s * scale >= _LEAST_TICK_PX), _TICKS_S[-1])
    tick = Markup(
        '<line class="tick" x1="{0}" x2="{0}" y1="12" y2="{1}"/>'
        '<text class="tick-name" x="{0}" y="{2}">{3}</text>'
    )
    for number in range(int(duration_s / step + 1e-9) + 1):
        t_s = number * step
        label = f"{t_s:g} s" if number == 0 else f"{t_s:g}"
        yield tick.format(_px(_x(t_s, scale)), _AXIS_Y, _HEIGHT - 5, label)


def _spans(recording: Recording, scale: float, notes: Annotations) -> Iterator[Markup]:
    for turn in recording.turns:
        title = f"user, turn {turn.index + 1}: {turn.speech_start_s:.2f} to {turn.speech_end_s:.2f}"
        yield _bar(
            turn.speech_start_s, turn.speech_end_s, scale, _USER_Y, "user-span", f"{title} s"
        )
        flag = Markup('<text class="flag{}" x="{}" y="9">{}</text>')
        unusual, text = _flag(turn, notes)
        yield flag.format(" unusual" if unusual else "", _px(_x(turn.speech_start_s, scale)), text)
    for start_s, end_s in audible_runs(recording.system, bridge_s=REPLY_BRIDGE_S):
        title = f"system: {start_s:.2f} to {end_s:.2f} s"
        yield _bar(start_s, end_s, scale, _SYSTEM_Y, "system-span", title)


def _flag(turn: PlayedTurn, notes: Annotations) -> tuple[bool, str]:
    kind = notes.kinds.get(turn.index, "after_reply")
    words = [str(turn.index + 1)]
    if kind not in ("after_reply", "at"):
        words.append(kind.replace("_", "-"))
    if turn.trigger in _UNMET:
        words.append(f"({_UNMET[turn.trigger]})")
    return len(words) > 1, " ".join(words)


def _bar(start_s: float, end_s: float, scale: float, y: int, css: str, title: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"><title>{}</title></rect>'
    ).format(
        css,
        _px(_x(start_s, scale)),
        y - _HALF_LANE,
        _px(max(1.0, (end_s - start_s) * scale)),
        2 * _HALF_LANE,
        title,
    )


def _envelope(audio: Audio, scale: float, y: int, css: str) -> Markup:
    """One stroke for each audible bin: half its height follows the root of the peak."""
    bin_samples = max(1, round(_BIN_PX / scale * audio.sample_rate))
    count = len(audio) // bin_samples
    blocks = audio.samples[: count * bin_samples].reshape(count, bin_samples)
    peaks = np.maximum(blocks.max(axis=1, initial=0.0), -blocks.min(axis=1, initial=0.0))
    heights = np.round(_HALF_LANE * np.sqrt(peaks), 1)
    audible = np.flatnonzero(peaks >= 10 ** (AUDIBLE_DBFS / 20))
    step_px = bin_samples / audio.sample_rate * scale
    strokes = "".join(
        f"M{_px(GUTTER_PX + (i + 0.5) * step_px)} {_px(y - heights[i])}v{_px(2 * heights[i])}"
        for i in audible
    )
    return Markup('<path class="{}" d="{}"/>').format(css, strokes or "M0 0")


def _stalls(recording: Recording, scale: float) -> Iterator[Markup]:
    for stall in recording.stalls:
        end_s = stall.start_s + stall.duration_s
        title = f"stall of {stall.duration_s:.2f} s: the next chunk was late"
        yield _bar(stall.start_s, end_s, scale, _SYSTEM_Y, "stall", title)


def _gaps(recording: Recording, scale: float, notes: Annotations) -> Iterator[Markup]:
    for turn in recording.turns:
        gap = notes.gaps.get(turn.index)
        if gap is None or gap.quantity is None or isinstance(gap.quantity, Ratio):
            continue
        offset_s = turn.speech_end_s
        match gap.quantity:
            case Value(x):
                css, length_s = ("overlap" if x < 0 else "gap"), x
            case Censored(bound):
                css, length_s = "censored", bound
        text = gap_text(gap)
        left, right = sorted((offset_s, offset_s + length_s))
        yield _bracket(_x(left, scale), _x(right, scale), css, text)


def _bracket(left: float, right: float, css: str, text: str) -> Markup:
    """A line with end stops, its text in a break of the line where it fits, else to the right."""
    half = len(text) * _CHARACTER_PX / 2 + 3
    middle = (left + right) / 2
    if right - left > 2 * half + 10:
        line = f"H{_px(middle - half)}M{_px(middle + half)} {_GAP_Y - 1}H{_px(right)}"
        x, anchor = middle, "middle"
    else:
        line, x, anchor = f"H{_px(right)}", right + 5, "start"
    return Markup(
        '<g class="bracket {}"><path d="M{} {}v8m0-4{}m0-4v8"/>'
        '<text x="{}" y="{}" text-anchor="{}">{}</text></g>'
    ).format(css, _px(left), _GAP_Y - 5, line, _px(x), _GAP_Y + 3, anchor, text)


def _events(recording: Recording, scale: float) -> Iterator[Markup]:
    group = Markup('<g class="event" transform="translate({},{})">{}<title>{}</title></g>')
    for t_s, kind, text in _chosen_events(recording):
        meaning = _GLYPHS[kind][1]
        title = f"{meaning} at {t_s:.2f} s" + (f": {text}" if text else "")
        yield group.format(_px(_x(t_s, scale)), _EVENT_Y, _glyph(kind), title)


def _chosen_events(recording: Recording) -> Iterator[tuple[float, str, str]]:
    """The events worth a mark: of text and audio, only the first after each user turn."""
    starts = sorted(turn.speech_start_s for turn in recording.turns)
    seen: set[tuple[str, int]] = set()
    for event in recording.events:
        kind, text = event.kind, ""
        if kind == "mark":
            if (event.data.get("stage"), event.data.get("edge")) != ("endpoint", "end"):
                continue
            kind = "endpoint"
        elif kind in ("heard", "text"):
            text = str(event.data.get("text", ""))
        elif kind == "tool_call":
            text = str(event.data.get("name", ""))
        if kind not in _GLYPHS:
            continue
        if kind in ("text", "audio"):
            place = (kind, int(np.searchsorted(starts, event.t_s, side="right")))
            if place in seen:
                continue
            seen.add(place)
        yield event.t_s, kind, text


def _glyph(kind: str) -> Markup:
    return Markup('<path class="e-{}" d="{}"/>').format(escape(kind), _GLYPHS[kind][0])


def _x(t_s: float, scale: float) -> float:
    return GUTTER_PX + t_s * scale


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
