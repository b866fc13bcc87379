"""One conversation on a clock: planted delays come back, the user is causal, failures are said."""

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.clock import Clock, RealTimeClock, VirtualClock
from cascadence.conditions import Condition
from cascadence.conversation import (
    AfterReply,
    Aside,
    At,
    AudioRef,
    Backchannel,
    BargeIn,
    Conversation,
    Expect,
    UserTurn,
    When,
)
from cascadence.degradation_channel import at_microphone
from cascadence.events import AudioOut, ClearAudio, EndOfTurn, Event, TextOut
from cascadence.protocols import AudioIn, Context, SystemInfo
from cascadence.recording import Recording, from_json, to_json
from cascadence.session import Script, SystemFailed, play
from cascadence.simulator import UserBehaviour
from planted_reading import replies_s

RATE = 16_000
FRAME_S = 0.020


def burst(duration_s: float, rate: int = RATE) -> np.ndarray:
    generator = np.random.default_rng(0)
    noise = 0.1 * generator.standard_normal(round(duration_s * rate))
    return noise.clip(-1, 1).astype(np.float32)


CLIP = Audio(np.concatenate([np.zeros(3200), burst(1.0), np.zeros(4800)]).astype(np.float32), RATE)


def conversation(*whens: When, silent: bool = False) -> Conversation:
    turns = [
        UserTurn(
            text="" if silent else "hello there",
            audio=AudioRef(path="clip.flac"),
            speech_s=(0.2, 1.2),
            when=when,
            expect=Expect(stay_silent=silent),
        )
        for when in whens or (AfterReply(),)
    ]
    return Conversation(id="c1", licence="CC0-1.0", source="test", turns=tuple(turns))


def played(
    system: "Planted",
    *whens: When,
    clock: Clock | None = None,
    silent: bool = False,
    behaviour: UserBehaviour | None = None,
) -> Recording:
    spoken = conversation(*whens, silent=silent)
    script = Script(spoken, [CLIP] * len(spoken.turns), behaviour=behaviour or UserBehaviour())
    return play(system, script, clock or VirtualClock())


class Planted:
    """Answers ``delay_s`` after the true end of each turn, having computed for ``compute_s``."""

    def __init__(
        self, delay_s: float = 0.0, compute_s: float = 0.0, reply_s: float = 1.0, rate: int = 22_050
    ) -> None:
        self.delay_s, self.compute_s, self.reply_s = delay_s, compute_s, reply_s
        self.info = SystemInfo("planted", "control", "half", rate, "x", "1", sees_answers=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        assert context.oracle is not None
        answered = 0
        for _ in audio_in:
            answers = context.oracle.answers()
            if len(answers) > answered:
                due_s = answers[answered].end_s + self.delay_s
                if audio_in.position_s >= due_s - 1e-6:
                    answered += 1
                    yield from self.answer()

    def answer(self) -> Iterator[Event]:
        if self.compute_s:
            time.sleep(self.compute_s)
        yield TextOut("hi")
        yield AudioOut(burst(self.reply_s, self.info.output_rate), self.info.output_rate)
        yield EndOfTurn()


def gaps(recording: Recording) -> Sequence[float | None]:
    found = []
    for turn in recording.turns:
        runs = replies_s(recording, turn)
        found.append(runs[0][0] - turn.speech_end_s if runs else None)
    return found


@pytest.mark.parametrize("clock", [VirtualClock, RealTimeClock])
def test_planted_delay_and_compute_come_back(clock: type[VirtualClock | RealTimeClock]) -> None:
    recording = played(Planted(0.400, 0.150), clock=clock())
    (gap,) = gaps(recording)
    # A busy machine makes the planted computation longer; the clock counts what it really took.
    assert recording.compute_s >= 0.150
    assert gap is not None
    assert 0.550 - FRAME_S <= gap <= 0.400 + recording.compute_s + FRAME_S
    assert recording.clock == clock.kind


def test_virtual_time_passes_without_waiting() -> None:
    started = time.perf_counter()
    recording = played(Silent(), *[AfterReply()] * 20)
    assert recording.duration_s > 200.0
    assert time.perf_counter() - started < 5.0


class Silent(Planted):
    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        for _ in audio_in:
            yield from ()


def test_without_an_answer_the_user_waits_for_the_patience_and_goes_on() -> None:
    recording = played(Silent(), AfterReply(), AfterReply(), behaviour=UserBehaviour(patience_s=4))
    assert [turn.trigger for turn in recording.turns] == ["start", "patience"]
    first, second = recording.turns
    assert second.start_s - first.speech_end_s == pytest.approx(4.0, abs=FRAME_S)
    assert recording.duration_s - second.speech_end_s == pytest.approx(4.0, abs=FRAME_S)
    assert gaps(recording) == [None, None]


def test_a_turn_that_needs_no_answer_ends_sooner() -> None:
    recording = played(Silent(), silent=True)
    assert recording.duration_s - recording.turns[0].speech_end_s == pytest.approx(3.0, abs=FRAME_S)


def test_the_next_turn_follows_the_reply_by_its_gap() -> None:
    recording = played(Planted(0.2, reply_s=1.5), AfterReply(), AfterReply(gap_s=0.7))
    first, second = recording.turns
    reply_end_s = replies_s(recording, first)[-1][1]
    assert second.speech_start_s - reply_end_s == pytest.approx(0.7, abs=2 * FRAME_S)
    assert second.trigger == "reply_ended"


def test_at_speaks_at_its_time() -> None:
    recording = played(Silent(), At(t_s=3.0))
    assert recording.turns[0].speech_start_s == pytest.approx(3.0, abs=FRAME_S)
    assert recording.turns[0].trigger == "time"


def test_a_barge_in_follows_the_onset_and_the_rest_is_cut() -> None:
    recording = played(Yielding(0.2, reply_s=6.0), AfterReply(), BargeIn(after_onset_s=0.8))
    first, second = recording.turns
    onset_s = replies_s(recording, first)[0][0]
    assert second.trigger == "onset"
    assert second.speech_start_s - onset_s == pytest.approx(0.8, abs=2 * FRAME_S)
    after = recording.system.span(second.speech_start_s + 0.1, second.speech_end_s)
    assert np.abs(after.samples).max() == 0.0


class Yielding(Planted):
    """Clears its audio as soon as the user begins another turn."""

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        assert context.oracle is not None
        answered = 0
        for _ in audio_in:
            begun = [a for a in context.oracle.answers() if a.start_s <= audio_in.position_s]
            if len(begun) > 1 and context.playout.remaining_s > 0:
                yield ClearAudio()
            if begun and answered == 0 and audio_in.position_s >= begun[0].end_s + self.delay_s:
                answered = 1
                yield from self.answer()


@pytest.mark.parametrize("when", [Backchannel(after_onset_s=1.0), Aside(after_onset_s=1.0)])
def test_what_is_said_under_a_reply_ends_no_window(when: When) -> None:
    recording = played(Planted(0.2, reply_s=4.0), AfterReply(), when)
    first, second = recording.turns
    assert (second.claims_floor, second.trigger) == (False, "onset")
    ((onset_s, end_s), *_) = replies_s(recording, first)
    assert second.speech_start_s == pytest.approx(onset_s + 1.0, abs=FRAME_S)
    assert end_s > second.speech_end_s


def test_an_endless_talker_is_talked_over() -> None:
    class Endless(Planted):
        def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
            for _ in audio_in:
                if context.playout.remaining_s < 0.5:
                    yield AudioOut(burst(1.0, self.info.output_rate), self.info.output_rate)

    patience = UserBehaviour(longest_reply_s=5.0)
    recording = played(Endless(), AfterReply(), AfterReply(), behaviour=patience)
    assert [turn.trigger for turn in recording.turns] == ["start", "talked_over"]
    assert recording.duration_s < 20.0


def test_the_user_is_causal() -> None:
    """What the system says at t changes nothing of what the user said before t."""
    quiet, late = played(Silent(), AfterReply(), AfterReply()), played(Planted(3.0), AfterReply())
    until = round((late.turns[0].speech_end_s + 3.0) * RATE)
    np.testing.assert_array_equal(quiet.user.samples[:until], late.user.samples[:until])


def test_a_system_that_stops_early_leaves_the_user_talking() -> None:
    class Quitter(Planted):
        def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
            next(audio_in)
            yield TextOut("bye")

    recording = played(Quitter(), AfterReply(), AfterReply())
    assert len(recording.turns) == 2
    assert [event.kind for event in recording.events] == ["text"]


def test_a_bare_next_at_the_end_is_no_failure() -> None:
    class Bare(Planted):
        def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
            while True:
                next(audio_in)
                yield from ()

    assert played(Bare()).turns


def _raise() -> Iterator[Event]:
    raise ZeroDivisionError("planted")
    yield


NAN = np.full(160, np.nan, dtype=np.float32)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (_raise, "ZeroDivisionError: planted"),
        (lambda: iter([AudioOut(NAN, 22_050)]), "not finite"),
        (lambda: iter([AudioOut(burst(0.1) * 50, 22_050)]), "outside"),
        (lambda: iter([AudioOut(burst(0.1), 16_000)]), "16000 Hz"),
        (lambda: iter([AudioOut(burst(0.1).astype(np.float64), 22_050)]), "float32"),
        (lambda: iter(["hello"]), "no event"),
    ],
)
def test_garbage_fails_with_its_reason(bad: object, reason: str) -> None:
    class Garbage(Planted):
        def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
            next(audio_in)
            yield from bad()  # type: ignore[operator]

    with pytest.raises(SystemFailed, match=reason) as caught:
        played(Garbage())
    assert "planted" in caught.value.where
    assert "Traceback" in caught.value.trace


def test_only_those_who_declare_it_see_the_answers() -> None:
    class Curious(Planted):
        def __init__(self) -> None:
            super().__init__()
            self.info = SystemInfo("curious", "cascade", "half", 22_050, "x", "1")

        def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
            yield TextOut(str(context.oracle))

    assert played(Curious()).events[0].data["text"] == "None"


def test_a_recording_survives_the_disk() -> None:
    recording = played(Planted(0.2), AfterReply(), Backchannel(after_onset_s=0.3))
    back = from_json(to_json(recording), recording.user, recording.system)
    assert to_json(back) == to_json(recording)
    assert gaps(back) == pytest.approx(gaps(recording), abs=1e-5)


def noisy(system: "Planted", *whens: When, seed: int = 1) -> Recording:
    spoken = conversation(*whens)
    condition = Condition.model_validate(
        {"name": "n", "noise": {"kind": "white", "snr_db": 10}, "telephone": True}
    )
    clips, surroundings = at_microphone([CLIP] * len(spoken.turns), condition, seed)
    return play(system, Script(spoken, clips, surroundings=surroundings), VirtualClock())


def test_a_condition_is_heard_throughout_and_moves_no_boundary() -> None:
    whens = AfterReply(), AfterReply(gap_s=0.7)
    clean, heard = played(Silent(), *whens), noisy(Silent(), *whens)
    assert heard.turns == clean.turns
    assert heard.duration_s == clean.duration_s
    seconds = heard.user.samples[: int(heard.duration_s) * RATE].reshape(-1, RATE)
    levels_db = 10 * np.log10(np.mean(seconds.astype(np.float64) ** 2, axis=1))
    # No second is silent: between the turns the noise goes on, as loud as it was.
    assert levels_db.min() > levels_db.max() - 12.0
    between = (clean.user.samples == 0.0)[: len(seconds) * RATE].reshape(-1, RATE).all(axis=1)
    assert np.ptp(levels_db[between]) < 1.0


def test_the_surroundings_do_not_depend_on_the_system() -> None:
    quiet, late = noisy(Silent(), AfterReply(), AfterReply()), noisy(Planted(3.0), AfterReply())
    until = round((late.turns[0].speech_end_s + 3.0) * RATE)
    np.testing.assert_array_equal(quiet.user.samples[:until], late.user.samples[:until])
    other = noisy(Silent(), AfterReply(), seed=2)
    assert not np.array_equal(quiet.user.samples[:until], other.user.samples[:until])
