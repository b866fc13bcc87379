"""ASR, LLM and TTS in a row: the classical way to build a voice assistant.

Text goes on sentence by sentence, audio leaves with the first chunk, and every stage can be
replaced by another one or by an oracle, so that a grid of stages is configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, ClassVar, Self

from cascadence.audio import Audio, concatenate
from cascadence.events import AudioOut, Event, Heard, Mark, TextOut, ToolCall
from cascadence.protocols import (
    INPUT_RATE,
    Asr,
    Context,
    Exchange,
    Llm,
    Part,
    SystemInfo,
    Tts,
    Turn,
)
from cascadence.registry import build
from cascadence.systems.history import join_unanswered
from cascadence.systems.llm.spoken import Sentences
from cascadence.systems.turn_taking import HalfDuplex, HearsAlong, TurnTaking
from cascadence.systems.vad import Vad

PartSpec = str | Mapping[str, Any]
"""A registered name, or a mapping with ``part`` and its parameters."""


class Cascade(HalfDuplex):
    """A half-duplex system of three parts, with the turn-taking that all such systems share.

    Attributes:
        oracles: the parameters by which each stage becomes its oracle, for attribution (see
            `cascadence.attribution_cells`).
    """

    oracles: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        stage: {stage: "oracle"} for stage in ("asr", "llm", "tts")
    }

    def __init__(
        self,
        asr: Asr | PartSpec,
        llm: Llm | PartSpec,
        tts: Tts | PartSpec,
        turn_taking: TurnTaking | Mapping[str, Any] | None = None,
        name: str | None = None,
        vad: Vad | None = None,
        remark: str = "",
    ) -> None:
        """Put the parts together; nothing is loaded yet.

        Args:
            asr: speech to text.
            llm: text to text.
            tts: text to speech.
            turn_taking: the rules of the floor, or a mapping of their fields.
            name: what the system is called; made of the parts' names where it is left out.
            vad: a detector to be used instead of the one that the rules name.
            remark: what a reader of the report must know.

        Raises:
            UnknownName: a part is not registered.
            CascadenceError: parameters that do not fit a part, or the rules.
        """
        replier = CascadeReplier(
            build("asr", asr), build("llm", llm), build("tts", tts), name, remark
        )
        super().__init__(replier, turn_taking, vad)


class CascadeReplier:
    """The three stages, one turn at a time."""

    def __init__(
        self, asr: Asr, llm: Llm, tts: Tts, name: str | None = None, remark: str = ""
    ) -> None:
        """Take three parts, see `Cascade`."""
        self.asr = asr
        self.llm = llm
        self.tts = tts
        self._name = name
        self._remark = remark
        self._entered: ExitStack | None = None

    @property
    def info(self) -> SystemInfo:
        """Made of the parts': licences joined, an oracle where one part is."""
        parts = (self.asr.info, self.llm.info, self.tts.info)
        return SystemInfo(
            name=self._name or "+".join(part.name for part in parts),
            kind="cascade",
            duplex="half",
            output_rate=self.tts.output_rate,
            licence="; ".join(dict.fromkeys(part.licence for part in parts)),
            revision="+".join(part.revision for part in parts),
            parameters={
                stage: {"part": part.name, **part.parameters}
                for stage, part in zip(("asr", "llm", "tts"), parts, strict=True)
            },
            sees_answers=any(part.sees_answers for part in parts),
            parts=parts,
            remark=self._remark,
        )

    def __enter__(self) -> Self:
        """Load all three parts, or none."""
        parts: tuple[Part, ...] = (self.asr, self.llm, self.tts)
        with ExitStack() as stack:
            for part in parts:
                part.__enter__()
                stack.push(part.__exit__)
            self._entered = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release all three."""
        if self._entered is not None:
            self._entered.__exit__(kind, error, trace)
            self._entered = None

    def hear_so_far(self, audio: Audio) -> None:
        """Let the ASR use the user's pauses, if it can (see `HearsAlong`)."""
        if isinstance(self.asr, HearsAlong):
            self.asr.hear_so_far(audio)

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        """Hear, think, speak. Where nothing was heard, nothing is said."""
        answered, pending = join_unanswered(history)
        heard = ""
        for event in self._hear(turn, pending, context):
            if isinstance(event, Heard):
                heard = event.text
            yield event
        request = " ".join(filter(None, (*(each.heard for each in pending), heard)))
        if request:
            yield from self._answer(request, answered, context)

    def _hear(
        self, turn: Turn, pending: Sequence[Exchange], context: Context
    ) -> Iterator[Mark | Heard]:
        # A reply can be cut off before its turn was transcribed: those turns are heard now, in one
        # piece.
        unheard: list[Turn] = []
        for exchange in reversed(pending):
            if exchange.heard:
                break
            unheard.insert(0, exchange.turn)
        if unheard:
            audio = concatenate([each.audio for each in (*unheard, turn)], INPUT_RATE)
            turn = Turn(audio, unheard[0].start_s, turn.end_s, turn.silence_s)
        yield Mark("asr", "start")
        pieces: list[str] = []
        for piece in self.asr.transcribe(turn, context):
            if not pieces:
                yield Mark("asr", "first")
            pieces.append(piece.strip())
        yield Mark("asr", "end")
        yield Heard(" ".join(filter(None, pieces)))

    def _answer(
        self, request: str, history: Sequence[Exchange], context: Context
    ) -> Iterator[Event]:
        sentences = Sentences()
        voice = _Voice(self.tts, context)
        yield Mark("llm", "start")
        first = True
        for piece in self.llm.respond(request, history, context):
            if first:
                yield Mark("llm", "first")
                first = False
            if isinstance(piece, ToolCall):
                yield piece
                continue
            for sentence in sentences.feed(piece):
                yield from voice.say(sentence)
        yield Mark("llm", "end")
        for sentence in sentences.flush():
            yield from voice.say(sentence)
        if voice.started:
            yield Mark("tts", "end")


class _Voice:
    """Speaks the sentences of one reply, and marks its first."""

    def __init__(self, tts: Tts, context: Context) -> None:
        self.started = False
        self._tts = tts
        self._context = context
        self._sounded = False

    def say(self, sentence: str) -> Iterator[Event]:
        if not self.started:
            self.started = True
            yield Mark("tts", "start")
        yield TextOut(sentence, understood=self._tts.info.sees_answers)
        for audio in self._tts.synthesize(sentence, self._context):
            if not self._sounded:
                self._sounded = True
                yield Mark("tts", "first")
            yield AudioOut(audio.samples, audio.sample_rate)
