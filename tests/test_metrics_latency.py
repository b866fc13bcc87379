import pytest

from cascadence.audio import Audio, concatenate, silence
from cascadence.conversation import Aside, Backchannel, BargeIn, Expect
from cascadence.events import Stamped
from cascadence.measurement import Case, Censored, Ratio
from cascadence.metrics import latency
from cascadence.playout import Stall
from planted_cases import (
    Spoken,
    audio_event,
    case_of,
    channel,
    heard,
    mark,
    measured,
    noise,
    numbers,
    text,
)

FRAME_S = 0.020


@pytest.mark.parametrize("gap_s", [-0.3, 0.0, 0.2, 1.5])
def test_a_planted_gap_comes_back_and_keeps_its_sign(gap_s: float) -> None:
    case = case_of(Spoken(1.0, 3.0), system=[(3.0 + gap_s, 5.0)])
    assert numbers(measured(latency.response_gap_s, case)) == [pytest.approx(gap_s, abs=FRAME_S)]


def test_no_reply_is_censored_at_the_next_turn_and_at_the_end() -> None:
    case = case_of(Spoken(1.0, 2.0), Spoken(7.0, 8.0), duration_s=12.0)
    bounds = [m.quantity for m in measured(latency.response_gap_s, case)]
    assert bounds == [Censored(5.0), Censored(4.0)]


def test_turns_that_expect_silence_have_no_gap_however_much_the_system_says() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(3.0, 4.0, when=Aside()),
        Spoken(6.0, 6.3, when=Backchannel(after_onset_s=1.0)),
        Spoken(8.0, 9.0, expect=Expect(stay_silent=True)),
        system=[(1.5, 2.5), (4.5, 5.5), (9.5, 10.5)],
    )
    found = measured(latency.response_gap_s, case)
    assert [m.status for m in found] == ["ok", "skipped", "skipped", "skipped"]
    assert [m.turn for m in found] == [0, 1, 2, 3]


def test_speech_that_ends_inside_the_users_turn_is_no_answer() -> None:
    case = case_of(Spoken(1.0, 5.0), system=[(2.0, 2.4), (5.6, 7.0)])
    assert numbers(measured(latency.response_gap_s, case)) == [pytest.approx(0.6, abs=FRAME_S)]


def test_a_reply_that_the_user_interrupts_is_no_answer_to_the_interruption() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(3.0, 4.0, when=BargeIn(after_onset_s=1.5)),
        system=[(1.5, 4.5)],
    )
    gap, censored = measured(latency.response_gap_s, case)
    assert numbers([gap]) == [pytest.approx(0.5, abs=FRAME_S)]
    assert isinstance(censored.quantity, Censored)


def test_what_was_yielded_before_the_user_spoke_answers_nothing() -> None:
    """A pause inside the old reply makes a new audible run; the chunk tells whose it is."""
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(3.0, 4.0, when=BargeIn(after_onset_s=1.0)),
        system=[(1.5, 3.2), (4.2, 5.0)],
        events=[audio_event(1.5, 1.5, 3.5)],
    )
    assert isinstance(measured(latency.response_gap_s, case)[1].quantity, Censored)


def test_a_backchannel_does_not_end_the_reply_that_it_acknowledges() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(1.2, 1.4, when=Backchannel(after_onset_s=0.1)),
        system=[(2.0, 4.0)],
    )
    assert numbers(measured(latency.response_gap_s, case))[0] == pytest.approx(1.0, abs=FRAME_S)


def waterfall() -> Case:
    """User ends at 2 s; then 500 ms endpointing, 200 ms ASR, 300 ms LLM, 150 ms TTS."""
    return case_of(
        Spoken(1.0, 2.0),
        system=[(3.15, 5.0)],
        events=[
            mark(2.5, "endpoint", "end"),
            heard(2.7, "set a timer"),
            mark(3.0, "llm", "first"),
            text(3.05, "I set a timer."),
            audio_event(3.15, 3.15, 1.85),
        ],
    )


def test_the_waterfall_adds_up_to_the_gap() -> None:
    case = waterfall()
    steps = {
        metric.spec.name: numbers(measured(metric, case))[0]
        for metric in (
            latency.endpointing_delay_s,
            latency.heard_s,
            latency.first_token_s,
            latency.first_audio_s,
            latency.onset_s,
            latency.response_gap_s,
            latency.unexplained_s,
            latency.ttfa_s,
            latency.ttft_s,
        )
    }
    assert steps == {
        "endpointing_delay_s": pytest.approx(0.5),
        "heard_s": pytest.approx(0.7),
        "first_token_s": pytest.approx(1.0),
        "first_audio_s": pytest.approx(1.15),
        "onset_s": pytest.approx(1.15, abs=FRAME_S),
        "response_gap_s": pytest.approx(1.150, abs=FRAME_S),
        "unexplained_s": 0.0,
        "ttfa_s": pytest.approx(0.65, abs=FRAME_S),
        "ttft_s": pytest.approx(0.5),
    }


def test_leading_silence_in_a_chunk_is_explained_and_is_not_speech() -> None:
    reply = concatenate([silence(0.4, 16_000), noise(1.0)], 16_000)
    case = case_of(
        Spoken(1.0, 2.0),
        system=channel(6.0, (3.0, reply)),
        events=[mark(2.5, "endpoint", "end"), audio_event(3.0, 3.0, 1.4)],
        duration_s=6.0,
    )
    assert numbers(measured(latency.response_gap_s, case)) == [pytest.approx(1.4, abs=FRAME_S)]
    assert numbers(measured(latency.first_audio_s, case)) == [pytest.approx(1.0)]
    assert numbers(measured(latency.unexplained_s, case)) == [0.0]


def test_a_stall_before_the_first_sound_is_unexplained() -> None:
    case = case_of(
        Spoken(1.0, 2.0),
        system=[(3.5, 5.0)],
        events=[
            mark(2.5, "endpoint", "end"),
            audio_event(3.0, 3.0, 0.2),  # inaudible, then nothing for 0.3 s
            audio_event(3.5, 3.5, 1.5),
        ],
    )
    assert numbers(measured(latency.unexplained_s, case)) == [pytest.approx(0.3, abs=FRAME_S)]


def test_the_decision_that_led_to_the_reply_counts_not_an_earlier_false_one() -> None:
    case = case_of(
        Spoken(1.0, 5.0),
        system=[(6.0, 7.0)],
        events=[
            mark(3.0, "endpoint", "end"),
            heard(3.1, "set a"),
            text(3.2, "What?"),
            audio_event(3.3, 3.3, 1.0),
            Stamped(3.4, "clear"),
            mark(5.4, "endpoint", "end"),
            heard(5.5, "timer"),
            text(5.7, "I set a timer."),
            audio_event(6.0, 6.0, 1.0),
        ],
    )
    assert numbers(measured(latency.endpointing_delay_s, case)) == [pytest.approx(0.4)]
    assert numbers(measured(latency.first_token_s, case)) == [pytest.approx(0.7)]
    assert numbers(measured(latency.first_audio_s, case)) == [pytest.approx(1.0)]


def test_a_system_that_sends_silence_all_the_time_is_timed_by_what_is_audible() -> None:
    case = case_of(
        Spoken(1.0, 2.0),
        system=[(2.4, 4.0)],
        events=[audio_event(0.08 * i, 0.08 * i, 0.08) for i in range(60)],
    )
    assert numbers(measured(latency.first_audio_s, case)) == [pytest.approx(0.4, abs=0.08)]
    assert [m.reason for m in measured(latency.endpointing_delay_s, case)] == [latency.NO_DECISION]


def test_without_a_reply_the_stages_are_skipped_but_the_decision_still_counts() -> None:
    case = case_of(Spoken(1.0, 2.0), events=[mark(2.6, "endpoint", "end")])
    assert numbers(measured(latency.endpointing_delay_s, case)) == [pytest.approx(0.6)]
    for metric in (latency.onset_s, latency.first_audio_s, latency.ttfa_s, latency.stall_s):
        assert [m.reason for m in measured(metric, case)] == [latency.NO_REPLY]


def test_rtf_is_compute_over_audio_and_needs_audio() -> None:
    case = case_of(
        Spoken(1.0, 2.0),
        events=[audio_event(3.0, 3.0, 1.5), audio_event(4.5, 4.5, 0.5)],
        compute_s=0.4,
    )
    assert measured(latency.rtf, case)[0].quantity == Ratio(0.4, 2.0)
    silent, untold = case_of(Spoken(1.0, 2.0)), case_of(Spoken(1.0, 2.0), system=[(2.5, 4.0)])
    reasons = [measured(latency.rtf, each)[0].reason for each in (silent, untold)]
    assert reasons == ["the system produced no audio", latency.NO_CHUNKS]


def test_stalls_are_added_up_turn_by_turn() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(6.0, 7.0),
        system=[(2.0, 3.0), (3.5, 4.0), (8.0, 9.0)],
        stalls=[Stall(3.0, 0.5)],
    )
    found = measured(latency.stall_s, case)
    assert numbers(found) == [0.5, 0.0]
    assert [m.details["stalls"] for m in found] == [1, 0]


def test_where_nobody_logged_chunks_there_is_no_count_of_stalls() -> None:
    case = case_of(Spoken(0.0, 1.0), system=[(2.0, 3.0)])
    for metric in (latency.stall_s, latency.stalls):
        assert [(m.status, m.reason) for m in measured(metric, case)] == [
            ("skipped", latency.NO_CHUNKS)
        ]
    told = case_of(Spoken(0.0, 1.0), system=[(2.0, 3.0)], events=[audio_event(2.0, 2.0, 1.0)])
    assert numbers(measured(latency.stall_s, told)) == [0.0]


def test_a_turn_that_was_never_played_is_a_failure_not_a_gap_in_the_table() -> None:
    whole = case_of(Spoken(0.0, 1.0), Spoken(3.0, 4.0), system=[(1.5, 2.5)])
    torn = case_of(Spoken(0.0, 1.0), system=[(1.5, 2.5)])
    case = Case(torn.recording, whole.conversation, whole.clips)
    assert [m.status for m in measured(latency.response_gap_s, case)] == ["ok", "failed"]


def test_clicks_and_what_nobody_hears_are_no_onset() -> None:
    quiet = Audio(noise(1.0).samples * 0.002, 16_000)
    case = case_of(
        Spoken(1.0, 2.0), system=channel(8.0, (2.5, noise(0.02)), (3.0, quiet), (5.0, noise(1.0)))
    )
    assert numbers(measured(latency.response_gap_s, case)) == [pytest.approx(3.0, abs=FRAME_S)]


def test_stalls_are_counted_reply_by_reply_and_none_is_none() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(6.0, 7.0),
        Spoken(10.0, 11.0),
        system=[(2.0, 3.0), (3.5, 4.0), (4.2, 5.0), (8.0, 9.0)],
        stalls=[Stall(3.0, 0.5), Stall(4.0, 0.2)],
    )
    found = measured(latency.stalls, case)
    assert numbers(found) == [2.0, 0.0, None]
    assert found[2].reason == latency.NO_REPLY
