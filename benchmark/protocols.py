"""The few shapes that a contributor fills in: a system, or one part of a cascade.

Everything that talks is a `System` with one streaming method. Most need only `Replier.reply`; the
half-duplex wrapper in ``cascadence.systems.turn_taking`` turns that into `System.converse` with the
same endpointing and barge-in for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

from cascadence.audio import Audio
from cascadence.events import Event, ToolCall

FRAME_S = 0.020
INPUT_RATE = 16_000
FRAME_SAMPLES = 320


@dataclass(frozen=True, slots=True)
class PartInfo:
    """One component and what it is made of.

    Attributes:
        name: as registered.
        licence: of code and weights, as they bind a user.
        revision: what pins the behaviour: the hash of its weights, or the version of its code.
        parameters: JSON values.
        sees_answers: whether it reads the manifest's answers (an oracle).
        weights: names in the weight store's catalogue; a run fetches them before it starts.
    """

    name: str
    licence: str
    revision: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sees_answers: bool = False
    weights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """What a system is; written into every run.

    Attributes:
        name: as registered.
        kind: the architecture.
        duplex: ``half`` answers once the user has finished, ``full`` listens while it speaks.
        output_rate: in Hz, of every `AudioOut`.
        licence: of code and weights together.
        revision: pins the behaviour, see `PartInfo`.
        languages: BCP 47 tags.
        parameters: JSON values.
        needs_real_time: the virtual clock would mislead it (network, threads of its own).
        sees_answers: reads the manifest's answers: oracles and some controls.
        parts: of a cascade.
        remark: what a reader of the report must know, e.g. "trained in this domain".
        weights: names in the weight store's catalogue, the parts' left out.
    """

    name: str
    kind: Literal["cascade", "end_to_end", "control"]
    duplex: Literal["half", "full"]
    output_rate: int
    licence: str
    revision: str
    languages: tuple[str, ...] = ("en",)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs_real_time: bool = False
    sees_answers: bool = False
    parts: tuple[PartInfo, ...] = ()
    remark: str = ""
    weights: tuple[str, ...] = ()


class AudioIn(Protocol):
    """The user's microphone: frames of `FRAME_S` at `INPUT_RATE`, in order, none left out."""

    def __iter__(self) -> Iterator[Audio]:
        """Return itself."""

    def __next__(self) -> Audio:
        """Wait for the next frame; the conversation's end raises ``StopIteration``."""

    def poll(self) -> Audio | None:
        """Return the next frame if it has arrived already, else ``None``; never waits."""

    @property
    def position_s(self) -> float:
        """End of the last frame handed out, on the conversation's clock."""


class Playout(Protocol):
    """What has become of the audio that the system yielded."""

    @property
    def played_s(self) -> float:
        """Seconds of the system's audio that have been heard so far; stalls do not count."""

    @property
    def remaining_s(self) -> float:
        """Seconds still queued; 0 when nothing plays."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the manifest knows about a turn that the user has begun: for oracles and controls only.

    Attributes:
        start_s: true start of the speech, on the conversation's clock.
        end_s: its true end, which may lie ahead.
        text: what the user says.
        reply_text: the reference reply, or the first accepted answer; empty where there is none.
        stay_silent: whether nothing should be said.
        is_addressed: whether it is said to the system and for the floor: an aside and a backchannel
            are not.
    """

    start_s: float
    end_s: float
    text: str
    reply_text: str
    stay_silent: bool
    is_addressed: bool


class Oracle(Protocol):
    """The manifest's answers."""

    def answers(self) -> Sequence[Answer]:
        """Return the turns that the user has begun so far, in order."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a conversation declares to a system.

    Attributes:
        language: BCP 47 tag.
        seed: for whatever is random in the system; differs between repeats.
        playout: how much of the reply has been heard.
        instructions: system prompt, if any.
        oracle: the answers; ``None`` unless `SystemInfo.sees_answers`.
    """

    language: str
    seed: int
    playout: Playout
    instructions: str | None = None
    oracle: Oracle | None = None


@runtime_checkable
class System(Protocol):
    """The thing under evaluation. Models load in ``__enter__`` and are released in ``__exit__``."""

    @property
    def info(self) -> SystemInfo:
        """Say what it is; readable before ``__enter__``."""

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        """Talk for one conversation: pull frames, yield events, until the frames end."""

    def __enter__(self) -> Self:
        """Load models and warm up; not on the clock."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release models."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the endpointing took for one turn of the user.

    Attributes:
        audio: 16 kHz mono, from a little before the detected speech to the decision.
        start_s: of `audio`, on the conversation's clock.
        end_s: of `audio`: the end-of-turn decision.
        silence_s: at the end of `audio`, in which the detector heard no speech.
    """

    audio: Audio
    start_s: float
    end_s: float
    silence_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One user turn and what the user heard of the answer.

    Attributes:
        turn: the user's audio.
        heard: what the system understood (`Heard`), if it said so.
        said: what it meant to say (`TextOut`), cut to what was played when the user barged in;
            nothing if they spoke again too soon to have reacted to it.
        interrupted: whether the user cut the answer short.
    """

    turn: Turn
    heard: str
    said: str
    interrupted: bool = False


class Replier(Protocol):
    """A half-duplex system without its turn-taking: a turn in, events out."""

    @property
    def info(self) -> SystemInfo:
        """Say what it is."""

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        """Answer one turn; nothing yielded means nothing said."""

    def __enter__(self) -> Self:
        """Load models."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release models."""


class Part(Protocol):
    """What the three stages of a cascade share."""

    @property
    def info(self) -> PartInfo:
        """Say what it is; readable before ``__enter__``."""

    def __enter__(self) -> Self:
        """Load models."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release models."""


class Asr(Part, Protocol):
    """Speech to text."""

    def transcribe(self, turn: Turn, context: Context) -> Iterator[str]:
        """Yield the transcript in pieces; joined by spaces they are what was heard."""


class Llm(Part, Protocol):
    """Text to text."""

    def respond(
        self, text: str, history: Sequence[Exchange], context: Context
    ) -> Iterator[str | ToolCall]:
        """Yield the answer in pieces that join without separators."""


class Tts(Part, Protocol):
    """Text to speech."""

    @property
    def output_rate(self) -> int:
        """Hz of everything that `synthesize` yields; readable before ``__enter__``."""

    def synthesize(self, text: str, context: Context) -> Iterator[Audio]:
        """Speak one sentence, in chunks as they are ready."""
