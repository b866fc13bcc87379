"""What a system may yield, and what the runner makes of it.

A system yields bare events; the runner stamps each with the time on the conversation's clock. **A
system never reports its own latency.**
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cascadence.audio import Audio, Samples
from cascadence.errors import CascadenceError

Stage = Literal["asr", "llm", "tts", "encode", "decode", "endpoint"]
Edge = Literal["start", "first", "end"]


class BadEvent(CascadenceError):
    """A system yielded something that is not an event, or an event that cannot be."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioOut:
    """Sound to be played after what is queued already: float32 ``(n,)`` in [-1, 1]."""

    samples: Samples
    sample_rate: int


@dataclass(frozen=True, slots=True)
class TextOut:
    """What the system means to say in the audio that follows; several make up a reply.

    Attributes:
        text: in words.
        understood: it counts as heard, word for word, whatever the audio sounds like: only an
            oracle's voice may claim that.
    """

    text: str
    understood: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What a cascade understood of the user's turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A stage has started, given its first output, or ended.

    ``Mark("endpoint", "end")`` is the end-of-turn decision.
    """

    stage: Stage
    edge: Edge


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool is called with these arguments (JSON values)."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Drop what is queued and stop playing: the user barged in."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The reply is complete; nothing more will be said before the user speaks."""


Event = AudioOut | TextOut | Heard | Mark | ToolCall | ClearAudio | EndOfTurn


@dataclass(frozen=True, slots=True)
class Stamped:
    """An event with its place on the conversation's clock.

    Attributes:
        t_s: when the system yielded it.
        kind: ``audio``, ``text``, ``heard``, ``mark``, ``tool_call``, ``clear`` or ``end_of_turn``.
        data: its content, JSON values only; for ``audio``: ``start_s`` (when it starts to play) and
            ``duration_s``.
    """

    t_s: float
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


def audio_of(event: AudioOut, sample_rate: int, where: str) -> Audio:
    """Check what a system wants to play.

    Raises:
        BadAudio: not mono float32, NaN, or out of range.
        BadEvent: a rate other than the one that the system declares.
    """
    audio = Audio(event.samples, event.sample_rate).check(where)
    if audio.sample_rate != sample_rate:
        raise BadEvent(
            f"AudioOut at {audio.sample_rate} Hz, but info.output_rate is {sample_rate} Hz",
            where=where,
        )
    return audio


def stamp(event: Event, t_s: float) -> Stamped:
    """Write an event other than `AudioOut` down, with its time.

    Raises:
        BadEvent: it is no event.
    """
    match event:
        case TextOut(text, understood):
            return Stamped(
                t_s, "text", {"text": text, **({"understood": True} if understood else {})}
            )
        case Heard(text):
            return Stamped(t_s, "heard", {"text": text})
        case Mark(stage, edge):
            return Stamped(t_s, "mark", {"stage": stage, "edge": edge})
        case ToolCall(name, arguments):
            return Stamped(t_s, "tool_call", {"name": name, "arguments": dict(arguments)})
        case ClearAudio():
            return Stamped(t_s, "clear")
        case EndOfTurn():
            return Stamped(t_s, "end_of_turn")
        case _:
            raise BadEvent(f"a system yielded {type(event).__name__}, which is no event")
