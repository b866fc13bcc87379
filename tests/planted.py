"""Small fakes for tests of whatever talks: conversations in memory, parts that do as planned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

import numpy as np

from cascadence.audio import Audio, concatenate, silence
from cascadence.clock import Clock
from cascadence.conversation import AfterReply, AudioRef, Conversation, Expect, UserTurn, When
from cascadence.events import AudioOut, Event, Heard, TextOut, ToolCall
from cascadence.protocols import (
    INPUT_RATE,
    Context,
    Exchange,
    PartInfo,
    System,
    SystemInfo,
    Turn,
)
from cascadence.recording import Recording
from cascadence.session import Script, play
from cascadence.simulator import UserBehaviour
from cascadence.systems.controls import speech_noise
from planted_reading import replies_s


class PlantedClock:
    """Virtual time in which computing takes as long as was planted, however busy the machine."""

    kind: Literal["virtual", "real_time"] = "virtual"

    def __init__(self) -> None:
        self.time_s = 0.0
        self.compute_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def enter_system(self) -> None:
        pass

    def leave_system(self) -> None:
        pass

    def wait_until(self, t_s: float) -> None:
        self.time_s = max(self.time_s, t_s)


_clock = PlantedClock()


def spend(duration_s: float) -> None:
    """Compute for this long on the clock of the conversation that `played` plays."""
    _clock.time_s += max(0.0, duration_s)
    _clock.compute_s += max(0.0, duration_s)


LEAD_S = 0.2
TAIL_S = 0.2


def tone_clip(*pieces_s: float, lead_s: float = LEAD_S, tail_s: float = TAIL_S) -> Audio:
    """Speech-like noise and pauses by turns: ``tone_clip(0.5, 0.3, 0.7)`` pauses for 0.3 s."""
    parts = [silence(lead_s, INPUT_RATE)]
    for index, piece_s in enumerate(pieces_s):
        speaks = index % 2 == 0
        parts.append(
            speech_noise(piece_s, INPUT_RATE, index) if speaks else silence(piece_s, INPUT_RATE)
        )
    return concatenate([*parts, silence(tail_s, INPUT_RATE)], INPUT_RATE)


@dataclass(frozen=True)
class Said:
    """One user turn: pieces of speech and pauses as in `tone_clip`, or a clip with its speech."""

    text: str = "hello there"
    pieces_s: tuple[float, ...] = (1.0,)
    when: When = field(default_factory=lambda: AfterReply(gap_s=0.5))
    expect: Expect = field(default_factory=Expect)
    clip: Audio | None = None
    speech_s: tuple[float, float] | None = None

    @property
    def audio(self) -> Audio:
        return self.clip if self.clip is not None else tone_clip(*self.pieces_s)

    @property
    def span_s(self) -> tuple[float, float]:
        return self.speech_s or (LEAD_S, LEAD_S + sum(self.pieces_s))


def conversation(*said: Said, id: str = "c1", instructions: str | None = None) -> Conversation:
    turns = tuple(
        UserTurn(
            text=each.text,
            audio=AudioRef(path="clip.flac"),
            speech_s=each.span_s,
            when=each.when,
            expect=each.expect,
        )
        for each in said or (Said(),)
    )
    return Conversation(
        id=id, licence="CC0-1.0", source="test", turns=turns, instructions=instructions
    )


def played(
    system: System,
    *said: Said,
    clock: Clock | None = None,
    seed: int = 0,
    behaviour: UserBehaviour | None = None,
    instructions: str | None = None,
) -> Recording:
    """Play what is said to a system that has been entered; on planted time, if on no other."""
    global _clock
    _clock = PlantedClock()
    script = Script(
        conversation(*said, instructions=instructions),
        [each.audio for each in said or (Said(),)],
        seed=seed,
        behaviour=behaviour or UserBehaviour(patience_s=4.0),
    )
    return play(system, script, clock or _clock)


def gap_s(recording: Recording, turn: int = 0) -> float:
    """From the user's last audible sample to the system's first."""
    spoken = recording.turns[turn]
    return replies_s(recording, spoken)[0][0] - spoken.speech_end_s


def times_s(recording: Recording, kind: str, **data: str) -> list[float]:
    """When events of a kind were yielded."""
    wanted = data.items()
    return [e.t_s for e in recording.events if e.kind == kind and wanted <= e.data.items()]


class Entered:
    """What every fake part shares: nothing to load; it remembers whether it is in use."""

    name = "planted"
    entered = False

    @property
    def info(self) -> PartInfo:
        return PartInfo(self.name, licence="CC0-1.0", revision="1")

    def __enter__(self) -> Self:
        self.entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.entered = False


class PlantedAsr(Entered):
    """Hears these texts, one a turn, after a while; remembers what it was given."""

    name = "planted_asr"

    def __init__(self, *texts: str, compute_s: float = 0.0) -> None:
        self.texts = list(texts)
        self.compute_s = compute_s
        self.turns: list[Turn] = []

    def transcribe(self, turn: Turn, context: Context) -> Iterator[str]:
        self.turns.append(turn)
        spend(self.compute_s)
        text = self.texts.pop(0) if self.texts else ""
        if text:
            yield text


class PlantedLlm(Entered):
    """Answers with these pieces; remembers what it was asked."""

    name = "planted_llm"

    def __init__(self, *pieces: str | ToolCall, compute_s: float = 0.0) -> None:
        self.pieces = pieces
        self.compute_s = compute_s
        self.asked: list[tuple[str, tuple[Exchange, ...]]] = []
        self.closed = 0

    def respond(
        self, text: str, history: Sequence[Exchange], context: Context
    ) -> Iterator[str | ToolCall]:
        self.asked.append((text, tuple(history)))
        try:
            for piece in self.pieces:
                spend(self.compute_s)
                yield piece
        finally:
            self.closed += 1


class PlantedTts(Entered):
    """Speaks noise for so long a sentence, in chunks."""

    name = "planted_tts"
    output_rate = INPUT_RATE

    def __init__(self, sentence_s: float = 1.0, compute_s: float = 0.0, chunks: int = 1) -> None:
        self.sentence_s = sentence_s
        self.compute_s = compute_s
        self.chunks = chunks

    def synthesize(self, text: str, context: Context) -> Iterator[Audio]:
        noise = speech_noise(self.sentence_s, INPUT_RATE, 7).samples
        for chunk in np.array_split(noise, self.chunks):
            spend(self.compute_s)
            yield Audio(chunk, INPUT_RATE)


class PlantedReplier(Entered):
    """Says these sentences, each as a burst; remembers the turns and the history it was given."""

    def __init__(
        self, *sentences: str, sentence_s: float = 1.0, compute_s: float = 0.0, heard: str = ""
    ) -> None:
        self.sentences = sentences
        self.sentence_s = sentence_s
        self.compute_s = compute_s
        self.heard = heard
        self.turns: list[Turn] = []
        self.histories: list[tuple[Exchange, ...]] = []
        self.closed = 0

    @property
    def info(self) -> SystemInfo:  # type: ignore[override]
        return SystemInfo(
            name="planted",
            kind="control",
            duplex="half",
            output_rate=INPUT_RATE,
            licence="CC0-1.0",
            revision="1",
        )

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        self.turns.append(turn)
        self.histories.append(tuple(history))
        try:
            if self.heard:
                yield Heard(self.heard)
            for sentence in self.sentences:
                spend(self.compute_s)
                yield TextOut(sentence)
                yield AudioOut(speech_noise(self.sentence_s).samples, INPUT_RATE)
        finally:
            self.closed += 1
