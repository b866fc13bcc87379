"""Systems that understand nothing: what a metric must not prefer to a real system.

`Silent`, `AlwaysTalking` and `Toggle` are deaf, `Parrot` plays the user back, `RandomReply` says
something else that the assistant might have said. `cascadence.systems.scripted` plants numbers that
the metrics must find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import numpy as np

from cascadence.audio import Audio, audible_runs
from cascadence.events import AudioOut, EndOfTurn, Event, TextOut
from cascadence.protocols import INPUT_RATE, AudioIn, Context, Exchange, SystemInfo, Tts, Turn
from cascadence.registry import build
from cascadence.systems.turn_taking import HalfDuplex, TurnTaking

LICENCE: Final = "Apache-2.0"
_REVISION: Final = "3"

_LEVEL_DBFS = -20.0
_SYLLABLES_PER_S = 4.0
_PERIOD_S = 2.0
_BURST_S = 1.0
_AHEAD_S = 0.5

# By a rule, the controls need no weights and no optional package.
_OWN_EARS: Final = TurnTaking(vad="energy")

RANDOM_REPLIES: Final = (
    "Nice to meet you, Caroline.",
    "Eight plus eleven is nineteen.",
    "Your alarm is set for five oh five today.",
    "I will remember that you live in Manchester.",
    "The television is on channel fifteen.",
    "I invited Clark to the book club on Friday.",
    "I will remind you to sign the contract on Sunday.",
    "Your flight from Kansas City to Stockholm today is booked.",
    "Okay, the volume is now at eleven.",
    "You said six eight six nine five.",
    "Here is the way to the ice rink by bicycle.",
    "Okay, the lights in the dressing room are now lime green.",
    "I am glad that you feel relaxed.",
    "The language is now set to Greek.",
    "The blinds in the cellar are now closed.",
    "The lights in the office are at ninety five percent.",
    "Okay, the birthday party is moved to Tuesday.",
    "I told Eugene that you will be late for dinner.",
    "Your timer is set for twenty five minutes.",
    "Here is the weather in Paris today.",
    "Sorry, I did not catch that.",
    "You are very welcome.",
)
"""Replies of the assistant domain, to be drawn from blindly."""


@lru_cache(maxsize=16)
def speech_noise(duration_s: float, sample_rate: int = INPUT_RATE, seed: int = 0) -> Audio:
    """Return noise with the spectrum and the syllables of speech, but no words.

    Args:
        duration_s: in seconds; it is audible from the first sample.
        sample_rate: in Hz.
        seed: the same seed gives the same samples.

    Returns:
        Sound at -20 dBFS, its loudness rising and falling four times a second.
    """
    count = round(duration_s * sample_rate)
    noise = np.random.default_rng(seed).standard_normal(count)
    spectrum = np.fft.rfft(noise)
    frequency_hz = np.fft.rfftfreq(count, 1.0 / sample_rate)
    # Speech falls by about 9 dB an octave above 500 Hz, and has little below 100 Hz.
    spectrum *= (frequency_hz > 100.0) / (1.0 + (frequency_hz / 500.0) ** 1.5)
    shaped = np.fft.irfft(spectrum, count)
    time_s = np.arange(count) / sample_rate
    shaped *= 0.2 + 0.8 * np.cos(np.pi * _SYLLABLES_PER_S * time_s) ** 2
    shaped *= 10.0 ** (_LEVEL_DBFS / 20.0) / np.sqrt(np.mean(shaped**2))
    return Audio(np.clip(shaped, -1.0, 1.0).astype(np.float32), sample_rate)


class _Deaf:
    """What the deaf controls share: nothing to load, and no use for what the user says."""

    name = ""
    parameters: Mapping[str, Any] = MappingProxyType({})

    @property
    def info(self) -> SystemInfo:
        """Say what it is."""
        return SystemInfo(
            name=self.name,
            kind="control",
            duplex="full",
            output_rate=INPUT_RATE,
            licence=LICENCE,
            revision=_REVISION,
            parameters=dict(self.parameters),
        )

    def __enter__(self) -> Self:
        """There is nothing to load."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to release."""


class Silent(_Deaf):
    """Never says anything."""

    name = "silent"

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        """Let the user talk."""
        for _ in audio_in:
            continue
        yield from ()


class AlwaysTalking(_Deaf):
    """Never stops, from the start of the conversation to its end."""

    name = "always_talking"

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        """Keep the queue filled."""
        burst = speech_noise(_BURST_S, INPUT_RATE, context.seed)
        yield AudioOut(burst.samples, burst.sample_rate)
        for _ in audio_in:
            if context.playout.remaining_s < _AHEAD_S:
                yield AudioOut(burst.samples, burst.sample_rate)


class Toggle(_Deaf):
    """Talks for a second and is silent for a second, by the clock.

    When it begins is drawn in each conversation, or what all users say at about the same time would
    always meet the same half of the period.
    """

    name = "toggle"
    parameters = MappingProxyType({"period_s": _PERIOD_S, "burst_s": _BURST_S})

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        """Begin a burst every two seconds, the first within two."""
        burst = speech_noise(_BURST_S, INPUT_RATE, context.seed)
        begun, phase = 0, np.random.default_rng(context.seed).random()
        for _ in audio_in:
            if audio_in.position_s >= (phase + begun) * _PERIOD_S:
                begun += 1
                yield AudioOut(burst.samples, burst.sample_rate)
                yield EndOfTurn()


class Parrot(HalfDuplex):
    """Plays each turn of the user back: all of the style, none of the help."""

    def __init__(self, turn_taking: TurnTaking | Mapping[str, Any] | None = _OWN_EARS) -> None:
        """Make one; by default it hears with the energy detector, which needs no weights."""
        super().__init__(_Playback(), turn_taking)


class _Playback:
    """Answers a turn with itself."""

    info = SystemInfo(
        name="parrot",
        kind="control",
        duplex="half",
        output_rate=INPUT_RATE,
        licence=LICENCE,
        revision=_REVISION,
    )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        runs = audible_runs(turn.audio)
        if runs:
            said = turn.audio.span(runs[0][0], runs[-1][1])
            yield AudioOut(said.samples, said.sample_rate)


class RandomReply(HalfDuplex):
    """Says a reply of the assistant domain, whatever was asked: its task success is chance."""

    def __init__(
        self,
        tts: Tts | str | Mapping[str, Any] = "piper",
        turn_taking: TurnTaking | Mapping[str, Any] | None = None,
    ) -> None:
        """Make one.

        Args:
            tts: its voice: a part, its name, or a mapping with ``part`` and parameters.
            turn_taking: the rules of the floor, or a mapping of their fields.
        """
        super().__init__(_Lottery(build("tts", tts)), turn_taking)


class _Lottery:
    """Answers a turn with a reply drawn by the conversation's seed."""

    def __init__(self, tts: Tts) -> None:
        self._tts = tts

    @property
    def info(self) -> SystemInfo:
        voice = self._tts.info
        return SystemInfo(
            name="random_reply",
            kind="control",
            duplex="half",
            output_rate=self._tts.output_rate,
            licence=f"{LICENCE}; {voice.licence}",
            revision=f"{_REVISION}+{voice.revision}",
            parameters={"tts": {"part": voice.name, **voice.parameters}},
            parts=(voice,),
        )

    def __enter__(self) -> Self:
        self._tts.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tts.__exit__(kind, error, trace)

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        # Keyed by the conversation and the place in it: what was drawn before plays no part.
        draw = np.random.default_rng([context.seed, len(history)])
        text = RANDOM_REPLIES[int(draw.integers(len(RANDOM_REPLIES)))]
        yield TextOut(text)
        for audio in self._tts.synthesize(text, context):
            yield AudioOut(audio.samples, audio.sample_rate)
