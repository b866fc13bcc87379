from collections.abc import Sequence

import pytest

from cascadence.conversation import Aside, Backchannel, BargeIn
from cascadence.events import Stamped
from cascadence.measurement import Case, Ratio
from cascadence.metrics import turn_taking, turn_taking_errors
from planted_cases import Planted, Spoken, audio_event, case_of, hears, measured, numbers

MM_HMM = Backchannel(after_onset_s=1.0)


def interruptions(case: Case, heard: str = "") -> list[float | None]:
    return numbers(measured(turn_taking_errors.system_interruptions_per_turn, case, hears(heard)))


def error(case: Case, heard: str = "") -> str:
    """How the system met the last turn, an aside or a backchannel."""
    aside = isinstance(case.conversation.turns[-1].when, Aside)
    errors = turn_taking_errors
    metric = errors.aside_error_rate if aside else errors.backchannel_error_rate
    (found,) = measured(metric, case, hears(heard))
    assert found.quantity == Ratio(found.details["error"] != "none", 1)
    return str(found.details["error"])


def test_every_interruption_of_a_turn_counts() -> None:
    case = case_of(
        Spoken(0.0, 8.0),
        Spoken(9.0, 10.0),
        system=[(1.0, 2.2), (4.0, 5.5), (6.0, 6.5)],
    )
    assert interruptions(case) == [2.0, 0.0]
    assert interruptions(case, "no that is quite wrong") == [3.0, 0.0]
    assert numbers(measured(turn_taking.cutoff_rate, case, hears(""))) == [1.0, 0.0]


def test_talking_all_the_time_interrupts_every_turn_once() -> None:
    case = case_of(Spoken(1.0, 3.0), Spoken(6.0, 8.0), system=[(0.0, 12.0)])
    assert interruptions(case) == [1.0, 1.0]


def test_an_answer_after_the_end_or_a_frame_before_it_is_no_interruption() -> None:
    late = case_of(Spoken(0.0, 3.0), system=[(3.2, 5.0)])
    hair = case_of(Spoken(0.0, 3.0), system=[(2.99, 5.0)])
    assert (interruptions(late), interruptions(hair)) == ([0.0], [0.0])


def test_turns_that_speak_into_a_reply_by_design_are_left_out() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(2.0, 4.0, when=BargeIn(after_onset_s=0.5)),
        Spoken(5.0, 5.3, when=MM_HMM),
        system=[(1.5, 6.0)],
    )
    assert len(interruptions(case)) == 1


def test_many_acknowledgements_are_no_interruption_and_no_cut_off() -> None:
    """Together they last longer than it takes to take the floor."""
    case = case_of(Spoken(0.0, 8.0), system=[(1.0, 1.5), (3.0, 3.5), (5.0, 5.5)])
    assert interruptions(case, "mm hmm") == [0.0]
    assert numbers(measured(turn_taking.cutoff_rate, case, hears("mm hmm"))) == [0.0]
    assert numbers(measured(turn_taking.cutoff_rate, case, hears("wait no stop"))) == [1.0]


@pytest.mark.parametrize(
    ("system", "events", "how"),
    [
        ([(1.2, 2.2)], [], "none"),
        ([(1.2, 2.2), (4.5, 6.0)], [], "answered"),
        ([(1.2, 9.0)], [], "answered"),
        # It was speaking, and stopped when the aside began.
        ([(1.2, 3.4)], [], "stopped"),
        ([(1.2, 3.4)], [Stamped(2.0, "end_of_turn")], "none"),
    ],
)
def test_an_aside_is_neither_answered_nor_does_it_stop_anybody(
    system: Sequence[tuple[float, float]], events: Sequence[Stamped], how: str
) -> None:
    aside = Spoken(3.0, 4.0, when=Aside())
    assert error(case_of(Spoken(0.0, 1.0), aside, system=system, events=events)) == how


def acknowledged(
    *system: tuple[float, float],
    events: Sequence[Stamped] = (),
    when: Backchannel | Aside = MM_HMM,
) -> Case:
    """The reply begins at 1.5 s; the user says "mm-hmm" from 2.5 to 2.9 s."""
    return case_of(
        Spoken(0.0, 1.0),
        Spoken(2.5, 2.9, when=when, trigger="onset"),
        system=system,
        events=events,
    )


@pytest.mark.parametrize("when", [MM_HMM, Aside(after_onset_s=1.0)], ids=["mm-hmm", "aside"])
@pytest.mark.parametrize(
    ("system", "events", "how"),
    [
        ([(1.5, 5.0)], [], "none"),
        ([(1.5, 2.8)], [], "stopped"),
        # Too late to have been stopped by it.
        ([(1.5, 3.7)], [], "none"),
        # A breath of half a second, and the reply goes on.
        ([(1.5, 2.8), (3.3, 6.0)], [], "none"),
        ([(1.5, 2.8), (4.5, 6.0)], [], "stopped"),
        # A new reply, after the old one was dropped or had come to its end.
        ([(1.5, 2.8), (3.3, 6.0)], [Stamped(2.8, "clear")], "stopped"),
        ([], [], "none"),
        ([(4.0, 5.5)], [], "answered"),
        ([(5.5, 7.0)], [], "none"),
        ([(4.0, 4.5)], [], "none"),
    ],
)
def test_what_is_said_under_a_reply_lets_it_go_on(
    system: Sequence[tuple[float, float]],
    events: Sequence[Stamped],
    how: str,
    when: Backchannel | Aside,
) -> None:
    case = acknowledged(*system, events=events, when=when)
    assert error(case, "mm hmm") == how
    taken = numbers(measured(turn_taking.takeover_rate_aside, case, hears("mm hmm")))
    begins_anew = how == "answered" or system[1:] == [(4.5, 6.0)]
    assert taken == ([float(begins_anew)] if isinstance(when, Aside) else [])


def test_an_aside_into_a_reply_is_no_turn_that_could_be_cut_off() -> None:
    case = acknowledged((1.5, 5.0), when=Aside(after_onset_s=1.0))
    assert interruptions(case) == [0.0]
    assert numbers(measured(turn_taking.cutoff_rate, case, hears(""))) == [0.0]
    assert numbers(measured(turn_taking.takeover_rate_turn_end, case, hears(""))) == [1.0]


@pytest.mark.parametrize(
    ("second", "how"),
    [
        ([Stamped(2.0, "end_of_turn"), audio_event(3.6, 3.6, 2.0)], "answered"),
        # Made before, in one piece with what comes before the pause.
        ([audio_event(2.2, 3.6, 2.0), Stamped(2.3, "end_of_turn")], "none"),
        ([audio_event(3.6, 3.6, 2.0), Stamped(5.6, "end_of_turn")], "none"),
    ],
)
def test_the_systems_own_marks_tell_a_new_reply_from_a_pause(
    second: list[Stamped], how: str
) -> None:
    case = acknowledged((1.5, 3.0), (3.6, 5.6), events=[audio_event(1.5, 1.5, 1.5), *second])
    assert error(case) == how


def test_an_answer_counts_whole_though_the_next_turn_cuts_in() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        Spoken(2.5, 2.9, when=MM_HMM),
        Spoken(4.6, 5.0),
        system=[(4.0, 5.5)],
    )
    found = measured(turn_taking_errors.backchannel_error_rate, case, Planted())
    assert found[0].details["error"] == "answered"


def test_thresholds_are_recorded_with_the_result() -> None:
    (found,) = measured(turn_taking_errors.backchannel_error_rate, acknowledged((1.5, 5.0)))
    assert found.details["windows"]["stop_s"] == 1.0
