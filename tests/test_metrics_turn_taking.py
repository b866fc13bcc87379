import pytest

from cascadence.conversation import Aside, At, Backchannel, BargeIn, Expect, Pause
from cascadence.events import Stamped
from cascadence.measurement import Case, Ratio
from cascadence.metrics import turn_taking
from cascadence.metrics.turns import view
from cascadence.recording import REPLY_BRIDGE_S
from planted_cases import Planted, Spoken, audio_event, bounds, case_of, hears, measured, numbers

BARGE_IN = BargeIn(after_onset_s=1.0)


def barged(silent_s: float, *events: Stamped, duration_s: float = 12.0) -> Case:
    """The system speaks from 1.5 s to ``silent_s``; the user barges in from 3 to 4.5 s."""
    return case_of(
        Spoken(0.0, 1.0),
        Spoken(3.0, 4.5, when=BARGE_IN, trigger="onset"),
        system=[(1.5, silent_s)],
        events=[audio_event(1.5, 1.5, 6.0), *events],
        duration_s=duration_s,
    )


def test_a_yield_is_timed_from_the_start_of_the_barge_in() -> None:
    case = barged(3.4, Stamped(3.4, "clear"))
    assert numbers(measured(turn_taking.yield_latency_s, case)) == [pytest.approx(0.4, abs=0.02)]
    assert numbers(measured(turn_taking.yield_rate, case)) == [1.0]


def test_a_late_yield_is_timed_and_counts_as_none() -> None:
    case = barged(5.5, Stamped(5.5, "clear"))
    assert numbers(measured(turn_taking.yield_latency_s, case)) == [pytest.approx(2.5, abs=0.02)]
    assert numbers(measured(turn_taking.yield_rate, case)) == [0.0]


def test_a_reply_that_ended_by_itself_is_no_yield() -> None:
    case = barged(3.4, Stamped(2.0, "end_of_turn"))
    assert bounds(measured(turn_taking.yield_latency_s, case)) == [pytest.approx(0.4, abs=0.02)]
    assert [m.details["outcome"] for m in measured(turn_taking.yield_rate, case)] == ["ended"]


def test_a_reply_that_is_stopped_between_two_words_has_yielded() -> None:
    """The reply was generated long ago, and its last sound is 70 ms old when it is stopped."""
    done = Stamped(2.0, "end_of_turn")
    case = barged(3.4, done, Stamped(3.47, "clear"))
    assert numbers(measured(turn_taking.yield_rate, case)) == [1.0]
    late = barged(3.4, done, Stamped(3.4 + REPLY_BRIDGE_S + 0.1, "clear"))
    assert [m.details["outcome"] for m in measured(turn_taking.yield_rate, late)] == ["ended"]


def test_silence_that_trails_a_reply_is_nothing_to_take_back() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(3.0, 4.5, when=BARGE_IN, trigger="onset"),
        system=[(1.5, 3.4)],
        events=[audio_event(1.5, 1.5, 2.1), Stamped(2.0, "end_of_turn"), Stamped(3.47, "clear")],
    )
    assert [m.details["outcome"] for m in measured(turn_taking.yield_rate, case)] == ["ended"]


def test_a_system_without_events_that_falls_silent_has_yielded() -> None:
    """A full-duplex model stops speaking, and that is all one sees."""
    assert numbers(measured(turn_taking.yield_rate, barged(3.6))) == [1.0]


def test_who_talks_on_to_the_end_never_yields() -> None:
    case = barged(12.0)
    assert bounds(measured(turn_taking.yield_latency_s, case)) == [pytest.approx(9.0, abs=0.02)]
    assert [m.details["outcome"] for m in measured(turn_taking.yield_rate, case)] == ["held"]


def test_yield_rate_counts_every_barge_in_of_the_manifest() -> None:
    case = case_of(Spoken(0.0, 1.0), Spoken(3.0, 4.0, when=BARGE_IN, trigger="patience"))
    assert measured(turn_taking.yield_rate, case)[0].quantity == Ratio(0, 1)
    assert measured(turn_taking.yield_latency_s, case)[0].status == "skipped"


def test_beginning_before_the_user_has_ended_is_a_cut_off() -> None:
    case = case_of(Spoken(0.0, 3.0), system=[(2.0, 4.0)])
    assert numbers(measured(turn_taking.cutoff_rate, case)) == [1.0]
    assert numbers(measured(turn_taking.cutoff_rate, case_of(Spoken(0.0, 3.0)))) == [0.0]


def test_a_short_word_is_judged_by_what_it_says() -> None:
    case = case_of(Spoken(0.0, 4.0), system=[(2.0, 2.6), (5.0, 7.0)])
    assert numbers(measured(turn_taking.cutoff_rate, case, hears("mm hmm"))) == [0.0]
    many = hears("no that is quite wrong")
    assert numbers(measured(turn_taking.cutoff_rate, case, many)) == [1.0]
    assert many.asked[0][1].duration_s == pytest.approx(0.6, abs=0.02)


def test_always_talking_is_cut_off_every_time_and_takes_no_turn() -> None:
    case = case_of(Spoken(1.0, 3.0), Spoken(6.0, 8.0, trigger="talked_over"), system=[(0.0, 12.0)])
    tools = Planted()
    assert numbers(measured(turn_taking.cutoff_rate, case, tools)) == [1.0, 1.0]
    assert numbers(measured(turn_taking.takeover_rate_turn_end, case, tools)) == [0.0, 0.0]
    assert numbers(measured(turn_taking.overlap_ratio, case, tools)) == [1.0, 1.0]


def test_only_speech_that_begins_at_the_pause_takes_it() -> None:
    pause = Pause(at_s=1.0, duration_s=1.0)
    asked = Spoken(0.0, 4.0, pauses=(pause,))
    taken = case_of(asked, system=[(1.6, 3.0)])
    later = case_of(asked, system=[(4.5, 6.0)])
    assert numbers(measured(turn_taking.takeover_rate_pause, taken)) == [1.0]
    assert numbers(measured(turn_taking.takeover_rate_pause, later)) == [0.0]
    assert numbers(measured(turn_taking.takeover_rate_turn_end, later)) == [1.0]


def test_answering_an_aside_is_an_error_and_silence_is_none() -> None:
    aside = Spoken(3.0, 4.0, when=Aside())
    answered = case_of(Spoken(0.0, 1.0), aside, system=[(1.2, 2.2), (4.5, 6.0)])
    quiet = case_of(Spoken(0.0, 1.0), aside, system=[(1.2, 2.2)])
    assert numbers(measured(turn_taking.takeover_rate_aside, answered)) == [1.0]
    assert numbers(measured(turn_taking.takeover_rate_aside, quiet)) == [0.0]


def test_talking_through_a_turn_that_expects_silence_breaks_it() -> None:
    quiet_please = Expect(stay_silent=True)
    through = case_of(Spoken(2.0, 3.0, expect=quiet_please), system=[(0.0, 9.0)])
    spoken_into = case_of(Spoken(2.0, 3.0, when=At(t_s=2.0), expect=quiet_please), system=[(0, 9)])
    views = [view(case, case.recording.turns[0]) for case in (through, spoken_into)]
    assert [turn_taking.silence_broken(view, Planted()) for view in views] == [True, False]


def test_barge_ins_are_answered_after_their_end() -> None:
    case = case_of(
        Spoken(0.0, 1.0), Spoken(3.0, 4.0, when=BARGE_IN), system=[(1.5, 3.3), (4.5, 6.0)]
    )
    assert numbers(measured(turn_taking.takeover_rate_barge_in, case)) == [1.0]
    assert len(measured(turn_taking.takeover_rate_turn_end, case)) == 1


def test_a_reply_that_is_interrupted_early_had_the_floor() -> None:
    case = case_of(Spoken(0.0, 1.0), Spoken(2.0, 3.0, when=BARGE_IN), system=[(1.5, 2.2)])
    assert numbers(measured(turn_taking.takeover_rate_turn_end, case)) == [1.0]


def test_overlap_leaves_backchannels_out() -> None:
    case = case_of(
        Spoken(0.0, 2.0),
        Spoken(3.0, 3.5, when=Backchannel(after_onset_s=1.0)),
        system=[(1.5, 5.0)],
    )
    assert numbers(measured(turn_taking.overlap_ratio, case)) == [pytest.approx(0.25, abs=0.01)]


def test_thresholds_are_recorded_with_the_result() -> None:
    (found,) = measured(turn_taking.cutoff_rate, case_of(Spoken(0.0, 1.0)))
    assert found.details["windows"]["takeover_s"] == 1.0
