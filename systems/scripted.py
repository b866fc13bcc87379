"""A system whose every number is known beforehand: what is planted here, the metrics must find."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cascadence.audio import Audio, audible_runs, concatenate, read_audio
from cascadence.errors import CascadenceError
from cascadence.events import AudioOut, ClearAudio, EndOfTurn, Event, Heard, Mark, TextOut
from cascadence.protocols import FRAME_S, INPUT_RATE, Answer, AudioIn, Context, SystemInfo, Tts
from cascadence.registry import build
from cascadence.systems.controls import LICENCE, speech_noise
from cascadence.systems.oracles import answers

_REVISION: Final = "4"
_MISHEARD = "mumble"
_WRONG_REPLY = "I would rather not say."


@dataclass(frozen=True, slots=True)
class Planted:
    """What the metrics must find.

    Attributes:
        delay_s: from the true end of the user's speech to the end-of-turn decision; below 0 the
            system cuts the user off.
        asr_s: computed before the transcript is there.
        llm_s: computed before the first text is there.
        compute_s: computed before the first audio is there; the response gap is the sum of the
            four.
        reply_s: length of a reply of noise, where there is neither a voice nor a recording.
        stall_s: silence in the middle of each reply, because its second half is late.
        yield_s: the system falls silent this long after a barge-in begins, and gives up what was
            still to come; ``None``: it talks on.
        misheard_every: for every n-th word of the conversation, one more is heard than was said, at
            the end of its turn: one error each, however words are counted; 0: none.
        wrong_every: every n-th reply of the conversation is wrong; 0: none.
    """

    delay_s: float = 0.4
    asr_s: float = 0.0
    llm_s: float = 0.0
    compute_s: float = 0.15
    reply_s: float = 2.0
    stall_s: float = 0.0
    yield_s: float | None = 0.3
    misheard_every: int = 0
    wrong_every: int = 0

    def __post_init__(self) -> None:
        """Refuse what no clock can do."""
        for name in ("asr_s", "llm_s", "compute_s", "reply_s", "stall_s"):
            if not getattr(self, name) >= 0.0:
                raise CascadenceError("must not be negative", f"scripted.{name}")


class Scripted:
    """A control that answers each turn as planned; the manifest tells it when the user is done."""

    def __init__(
        self,
        tts: Tts | str | Mapping[str, Any] | None = None,
        wav: str | None = None,
        **planted: Any,
    ) -> None:
        """Plan it.

        Args:
            tts: a voice for the reference replies; it speaks while the user does, off the
                planned time. With `oracle` every word counts as heard, and success is as planted.
            wav: a sound file to be played as every reply instead.
            **planted: fields of `Planted`.

        Raises:
            CascadenceError: an unknown field, or one that cannot be.
        """
        try:
            self.planted = Planted(**planted)
        except TypeError as error:
            raise CascadenceError(f"cannot be planted: {error}", "scripted") from error
        self._tts: Tts | None = None if tts is None else build("tts", tts)
        self._wav = wav

    @property
    def info(self) -> SystemInfo:
        """Say what is planted."""
        voice = None if self._tts is None else self._tts.info
        return SystemInfo(
            name="scripted",
            kind="control",
            duplex="full",
            output_rate=INPUT_RATE if self._tts is None else self._tts.output_rate,
            licence=LICENCE if voice is None else f"{LICENCE}; {voice.licence}",
            revision=_REVISION if voice is None else f"{_REVISION}+{voice.revision}",
            parameters={**asdict(self.planted), "wav": self._wav},
            sees_answers=True,
            parts=() if voice is None else (voice,),
        )

    def __enter__(self) -> Self:
        """Load the voice, if there is one."""
        if self._tts is not None:
            self._tts.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the voice."""
        if self._tts is not None:
            self._tts.__exit__(kind, error, trace)

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        """Answer every turn that wants an answer, on time."""
        play = _Play(self.planted, audio_in)
        understood = self._tts is not None and self._tts.info.sees_answers
        prepared: tuple[str, Audio] | None = None
        for _ in audio_in:
            answer = play.next_answer(context)
            if answer is None:
                continue
            if prepared is None:
                prepared = self._prepare(answer, play.turn, context)
            if context.playout.remaining_s > 0.0 and play.yields_to(answer):
                yield ClearAudio()
            if not play.decides(answer):
                continue
            play.turn += 1
            if answer.is_addressed:
                yield from play.hear(answer)
            if not answer.stay_silent:
                yield from play.reply(*prepared, context, understood=understood)
            prepared = None

    def _prepare(self, answer: Answer, turn: int, context: Context) -> tuple[str, Audio]:
        every = self.planted.wrong_every
        text = _WRONG_REPLY if every and (turn + 1) % every == 0 else answer.reply_text
        rate = self.info.output_rate
        if self._wav is not None:
            return text, _from_onset(read_audio(Path(self._wav)).at_rate(rate))
        if self._tts is not None and text:
            return text, _from_onset(concatenate(self._tts.synthesize(text, context), rate))
        return text, speech_noise(self.planted.reply_s, rate, context.seed)


def _from_onset(audio: Audio) -> Audio:
    """Cut the silence before a sound: what is planned is when it can be heard."""
    runs = audible_runs(audio)
    first = round(runs[0][0] * audio.sample_rate) if runs else 0
    return Audio(audio.samples[first:], audio.sample_rate)


class _Play:
    """Keeps the planned times in one conversation."""

    def __init__(self, planted: Planted, audio_in: AudioIn) -> None:
        self.turn = 0
        self._planted = planted
        self._audio_in = audio_in
        self._yielded_to = -1
        self._words = 0

    def next_answer(self, context: Context) -> Answer | None:
        """Return what the manifest knows of the turn that comes next, once it has begun."""
        begun = answers(context)
        return begun[self.turn] if self.turn < len(begun) else None

    def decides(self, answer: Answer) -> bool:
        """Whether the moment of the end-of-turn decision is here."""
        return self._reached(answer.end_s + self._planted.delay_s)

    def yields_to(self, answer: Answer) -> bool:
        """Whether the moment has come to make way for a user who speaks into the reply."""
        yield_s = self._planted.yield_s
        if yield_s is None or self._yielded_to == self.turn or not answer.is_addressed:
            return False
        if not self._reached(answer.start_s + yield_s):
            return False
        self._yielded_to = self.turn
        return True

    def hear(self, answer: Answer) -> Iterator[Event]:
        """Decide that the turn is over, and hear it for as long as was planned."""
        yield Mark("endpoint", "end")
        yield Mark("asr", "start")
        _compute(self._planted.asr_s)
        yield Mark("asr", "end")
        if answer.text.strip():
            yield Heard(self._mishear(answer.text))

    def reply(
        self, text: str, audio: Audio, context: Context, *, understood: bool
    ) -> Iterator[Event]:
        """Think and speak for as long as was planned."""
        yield Mark("llm", "start")
        _compute(self._planted.llm_s)
        yield Mark("llm", "first")
        if text:
            yield TextOut(text, understood=understood)
        yield Mark("llm", "end")
        yield Mark("tts", "start")
        _compute(self._planted.compute_s)
        yield Mark("tts", "first")
        half = len(audio) // 2 if self._planted.stall_s > 0.0 else 0
        if half:
            yield AudioOut(audio.samples[:half], audio.sample_rate)
            if self._interrupted(context):
                yield ClearAudio()
                return
        yield AudioOut(audio.samples[half:], audio.sample_rate)
        yield Mark("tts", "end")
        yield EndOfTurn()

    def _interrupted(self, context: Context) -> bool:
        """Wait until the second half is due; whether somebody was made way for before."""
        due_s = self._audio_in.position_s
        for _ in self._audio_in:
            # The microphone may be behind at first: what counts is the last look at the queue.
            if context.playout.remaining_s > 0.0:
                dry_s = self._audio_in.position_s + context.playout.remaining_s
                due_s = dry_s + self._planted.stall_s
            answer = self.next_answer(context)
            if answer is not None and self.yields_to(answer):
                return True
            if self._reached(due_s):
                break
        return False

    def _reached(self, target_s: float) -> bool:
        """Whether a time comes before the next frame; if so, wait for it to the millisecond."""
        left_s = target_s - self._audio_in.position_s
        if left_s >= FRAME_S:
            return False
        _compute(left_s)
        return True

    def _mishear(self, text: str) -> str:
        every = self._planted.misheard_every
        if not every:
            return text
        before, self._words = self._words, self._words + len(text.split())
        more = self._words // every - before // every
        return " ".join([text, *[_MISHEARD] * more])


def _compute(duration_s: float) -> None:
    """Be busy for this long, to well under a millisecond."""
    end = time.perf_counter() + duration_s
    if duration_s > 0.004:
        time.sleep(duration_s - 0.003)
    while time.perf_counter() < end:
        continue
