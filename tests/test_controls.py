"""The controls do what they promise: deaf ones by the clock, scripted numbers to the frame."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.signal import correlate

from cascadence.audio import Audio, audible_runs, silence
from cascadence.clock import VirtualClock
from cascadence.conversation import At, Backchannel, BargeIn, Expect
from cascadence.errors import CascadenceError
from cascadence.protocols import FRAME_S, INPUT_RATE, Context, System
from cascadence.systems import scripted
from cascadence.systems.controls import (
    RANDOM_REPLIES,
    AlwaysTalking,
    Parrot,
    RandomReply,
    Silent,
    Toggle,
    speech_noise,
)
from cascadence.systems.scripted import Scripted
from planted import PlantedTts, Said, gap_s, played, spend, times_s
from planted_reading import replies_s, reply_audio

SILENCE = Expect(stay_silent=True)


def test_noise_is_at_its_level_audible_at_once_and_the_same_again() -> None:
    noise = speech_noise(2.0, 22_050, 3).check()
    assert 20 * np.log10(np.sqrt(np.mean(noise.samples.astype(float) ** 2))) == pytest.approx(
        -20.0, abs=0.1
    )
    assert audible_runs(noise)[0] == pytest.approx((0.0, 2.0))
    speech_noise.cache_clear()
    assert np.array_equal(speech_noise(2.0, 22_050, 3).samples, noise.samples)
    assert not np.array_equal(speech_noise(2.0, 22_050, 4).samples, noise.samples)


@pytest.mark.parametrize("make", [Silent, AlwaysTalking, Toggle, Parrot, Scripted])
def test_controls_are_systems_and_say_that_they_are_controls(make: type[System]) -> None:
    system = make()
    assert isinstance(system, System)
    assert system.info.kind == "control"
    assert system.info.weights == ()


def test_silent_says_nothing() -> None:
    recording = played(Silent(), Said(), Said())
    assert recording.events == ()
    assert not recording.system.samples.any()


def test_ten_minutes_of_silence_cost_next_to_nothing() -> None:
    began = time.process_time()
    recording = played(Silent(), *(Said(when=At(t_s=20.0 * n + 1.0)) for n in range(30)))
    assert recording.duration_s > 580.0
    assert time.process_time() - began < 3.0


def test_always_talking_never_pauses() -> None:
    recording = played(AlwaysTalking(), Said())
    [(start_s, end_s)] = audible_runs(recording.system)
    assert start_s < 0.05
    assert end_s == pytest.approx(recording.duration_s, abs=0.01)
    assert recording.stalls == ()


def test_toggle_talks_every_other_second_from_a_moment_drawn_by_seed() -> None:
    firsts_s = []
    for seed in (0, 0, 1, 2):
        recording = played(Toggle(), Said(), Said(), seed=seed)
        runs = audible_runs(recording.system)
        assert len(runs) >= 2
        firsts_s.append(runs[0][0])
        for number, (start_s, end_s) in enumerate(runs[:-1]):
            assert start_s == pytest.approx(runs[0][0] + 2.0 * number, abs=0.04)
            assert end_s - start_s == pytest.approx(1.0, abs=0.02)
    assert firsts_s[0] == pytest.approx(firsts_s[1], abs=0.04)
    assert max(firsts_s) < 2.04
    assert np.min(np.diff(sorted(firsts_s[1:]))) > 0.1


def test_parrot_plays_the_user_back() -> None:
    with Parrot() as parrot:
        recording = played(parrot, Said(pieces_s=(0.7, 0.3, 0.5)))
    reply = reply_audio(recording, recording.turns[0])
    spoken = recording.turns[0]
    user = recording.user.span(spoken.speech_start_s, spoken.speech_end_s)
    assert reply is not None
    assert reply.duration_s == pytest.approx(1.5, abs=0.02)
    same = np.max(correlate(user.samples, reply.samples, method="fft"))
    assert same > 0.99 * np.linalg.norm(user.samples) * np.linalg.norm(reply.samples)
    assert gap_s(recording) == pytest.approx(0.5, abs=FRAME_S)


def test_random_reply_draws_by_seed_from_its_list() -> None:
    system = RandomReply(PlantedTts(0.5), {"vad": "energy"})
    assert system.info.kind == "control"
    drawn = set()
    for seed in range(12):
        texts = [e.data["text"] for e in played(system, seed=seed).events if e.kind == "text"]
        again = [e.data["text"] for e in played(system, seed=seed).events if e.kind == "text"]
        assert texts == again
        assert texts[0] in RANDOM_REPLIES
        drawn.add(texts[0])
    assert len(drawn) > 4


@pytest.fixture
def planted_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `Scripted` compute on the planted clock, so that a busy machine changes nothing."""
    monkeypatch.setattr(scripted, "_compute", spend)


def test_scripted_gap_is_delay_and_compute() -> None:
    recording = played(Scripted(), Said(), Said(), Said(), clock=VirtualClock())
    # The median: a busy machine may stretch one planted computation.
    gap = np.median([gap_s(recording, turn) for turn in range(3)])
    assert gap == pytest.approx(0.4 + 0.15, abs=FRAME_S)


@pytest.mark.usefixtures("planted_time")
@pytest.mark.parametrize(("delay_s", "compute_s"), [(0.4, 0.15), (1.0, 0.0), (0.005, 0.01)])
def test_scripted_gap_is_what_was_planted(delay_s: float, compute_s: float) -> None:
    recording = played(Scripted(delay_s=delay_s, compute_s=compute_s), Said(), Said())
    for turn in range(2):
        assert gap_s(recording, turn) == pytest.approx(delay_s + compute_s, abs=0.011)


@pytest.mark.usefixtures("planted_time")
def test_scripted_waterfall_adds_up() -> None:
    recording = played(Scripted(delay_s=0.5, asr_s=0.2, llm_s=0.3, compute_s=0.15))
    assert gap_s(recording) == pytest.approx(1.15, abs=FRAME_S)
    end_s = recording.turns[0].speech_end_s
    expected = {"endpoint end": 0.5, "asr end": 0.7, "llm first": 1.0, "tts first": 1.15}
    for name, planted_s in expected.items():
        stage, edge = name.split()
        [t_s] = times_s(recording, "mark", stage=stage, edge=edge)
        assert t_s - end_s == pytest.approx(planted_s, abs=FRAME_S)


@pytest.mark.usefixtures("planted_time")
def test_scripted_overlap_is_a_negative_gap() -> None:
    recording = played(Scripted(delay_s=-0.3, compute_s=0.0), Said(pieces_s=(1.5,)))
    assert gap_s(recording) == pytest.approx(-0.3, abs=FRAME_S)


@pytest.mark.usefixtures("planted_time")
def test_scripted_stall_is_recorded() -> None:
    recording = played(Scripted(stall_s=0.25, reply_s=1.6))
    [stall] = recording.stalls
    assert stall.duration_s == pytest.approx(0.25, abs=FRAME_S)


@pytest.mark.usefixtures("planted_time")
@pytest.mark.parametrize("yield_s", [0.3, 1.0, None])
def test_scripted_yields_as_planted_or_talks_on(yield_s: float | None) -> None:
    recording = played(
        Scripted(yield_s=yield_s, reply_s=4.0),
        Said(),
        Said(when=BargeIn(after_onset_s=1.0), pieces_s=(1.5,)),
    )
    start_s = recording.turns[1].speech_start_s
    cleared_s = times_s(recording, "clear")
    if yield_s is None:
        assert cleared_s == []
    else:
        assert [t_s - start_s for t_s in cleared_s] == [pytest.approx(yield_s, abs=FRAME_S)]


@pytest.mark.usefixtures("planted_time")
@pytest.mark.parametrize(
    ("after_onset_s", "silent_after_s", "chunks"),
    [(0.7, 0.3, 1), (1.9, 0.1, 1), (2.5, 0.3, 2)],
    ids=["in the first half", "in the stall", "in the second half"],
)
def test_scripted_yields_in_time_wherever_its_stall_is(
    after_onset_s: float, silent_after_s: float, chunks: int
) -> None:
    recording = played(
        Scripted(yield_s=0.3, reply_s=4.0, stall_s=0.4),
        Said(expect=Expect(reply_text="Right.")),
        Said(when=BargeIn(after_onset_s=after_onset_s), pieces_s=(1.5,), expect=SILENCE),
    )
    start_s = recording.turns[1].speech_start_s
    assert times_s(recording, "clear") == [pytest.approx(start_s + 0.3, abs=FRAME_S)]
    assert len(times_s(recording, "audio")) == chunks
    assert audible_runs(recording.system)[-1][1] - start_s == pytest.approx(
        silent_after_s, abs=FRAME_S
    )


@pytest.mark.usefixtures("planted_time")
@pytest.mark.parametrize(
    ("when", "cleared", "heard"),
    [
        (Backchannel(after_onset_s=0.8), 0, ""),
        (BargeIn(after_onset_s=0.8), 1, "stop"),
    ],
)
def test_scripted_yields_to_a_stop_but_not_to_a_backchannel(
    when: Backchannel | BargeIn, cleared: int, heard: str
) -> None:
    stop = Said(text="stop", when=when, expect=Expect(stay_silent=isinstance(when, BargeIn)))
    asked = Said(text="one two", expect=Expect(answer=("three", "four")))
    recording = played(Scripted(reply_s=4.0, misheard_every=2), asked, stop)
    assert len(times_s(recording, "clear")) == cleared
    first, second = recording.turns
    assert recording.text_for(first) == "three", "the first accepted answer"
    assert (recording.text_for(second, "heard") or "") == heard
    assert not recording.text_for(second)


@pytest.mark.usefixtures("planted_time")
def test_scripted_errors_are_counted_out() -> None:
    said = [
        Said(text="one two three four five", expect=Expect(reply_text="Right.")) for _ in range(4)
    ]
    recording = played(Scripted(misheard_every=5, wrong_every=2), *said)
    heard = [recording.text_for(turn, "heard") for turn in recording.turns]
    assert heard == ["one two three four five mumble"] * 4
    replies = [recording.text_for(turn) for turn in recording.turns]
    assert [reply == "Right." for reply in replies] == [True, False, True, False]


@pytest.mark.usefixtures("planted_time")
def test_scripted_speaks_with_a_voice_and_is_silent_when_asked() -> None:
    system = Scripted(PlantedTts(0.7, compute_s=0.2), compute_s=0.1)
    recording = played(
        system,
        Said(expect=Expect(reply_text="Right.")),
        Said(expect=Expect(stay_silent=True)),
        Said(expect=Expect(reply_text="Right.")),
    )
    first, silent, last = (replies_s(recording, turn) for turn in recording.turns)
    assert first[0][1] - first[0][0] == pytest.approx(0.7, abs=0.02)
    assert silent == ()
    assert len(last) == 1
    # The voice speaks ahead of time, so that its own compute does not add to what was planted.
    assert gap_s(recording) == pytest.approx(0.5, abs=FRAME_S)


@pytest.mark.usefixtures("planted_time")
def test_what_a_voice_is_silent_for_at_first_is_no_part_of_the_planted_gap() -> None:
    class LateTts(PlantedTts):
        def synthesize(self, text: str, context: Context) -> Iterator[Audio]:
            yield silence(0.3, INPUT_RATE)
            yield from super().synthesize(text, context)

    recording = played(Scripted(LateTts(0.7), delay_s=0.4, compute_s=0.1), Said())
    assert gap_s(recording) == pytest.approx(0.5, abs=FRAME_S)


def test_scripted_refuses_what_it_cannot_plant() -> None:
    with pytest.raises(CascadenceError, match="scripted"):
        Scripted(delay=1.0)
    with pytest.raises(CascadenceError, match=r"scripted\.stall_s"):
        Scripted(stall_s=-1.0)
