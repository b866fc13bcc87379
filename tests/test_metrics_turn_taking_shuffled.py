"""Systems by the clock score on shuffled events as on their own; a system that hears does not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cascadence.conversation import AfterReply, Backchannel, BargeIn
from cascadence.events import Stamped
from cascadence.measurement import Case, Censored, Measurement, Value
from cascadence.metrics.latency import response_gap_s
from cascadence.metrics.turn_taking_shuffled import (
    Elsewhere,
    response_gap_shuffled_s,
    yield_rate_shuffled,
)
from cascadence.simulator import PlayedTurn
from planted_cases import Planted, Span, Spoken, audio_event, case_of, numbers

DURATION_S = 30.0
Plant = Callable[[int], Case]


def users(seed: int) -> tuple[list[Spoken], np.random.Generator]:
    """A request, a barge-in, and another request, at times that differ between conversations."""
    random = np.random.default_rng(seed)
    ends_s = [float(random.uniform(2.0, 5.0))]
    begins_s = [0.5, ends_s[0] + 1.2, float(random.uniform(12.0, 15.0))]
    ends_s += [begins_s[1] + 1.5, begins_s[2] + float(random.uniform(1.0, 4.0))]
    whens = (AfterReply(), BargeIn(after_onset_s=0.8), AfterReply())
    spoken = [Spoken(a, b, when=w) for a, b, w in zip(begins_s, ends_s, whens, strict=True)]
    return spoken, random


def by_the_clock(seed: int, marks: bool = False) -> Case:
    """One second on, one second off, whatever the user does; the user is at a random phase."""
    spoken, random = users(seed)
    first_s = float(random.uniform(0.0, 2.0))
    bursts: list[Span] = [(first_s + 2.0 * n, first_s + 2.0 * n + 1.0) for n in range(13)]
    ends = [Stamped(b, "end_of_turn") for _, b in bursts] if marks else []
    return case_of(*spoken, system=bursts, events=ends, duration_s=DURATION_S, id=f"c{seed:02}")


def hearing(gap_s: float, reply_s: float = 4.0, yields: bool = True, marks: bool = True) -> Plant:
    """Answers after a gap that varies by 0.2 s, and stops 0.3 s into the barge-in."""

    def plant(seed: int) -> Case:
        spoken, random = users(seed)
        starts_s = [each.end_s + gap_s + float(random.uniform(-0.1, 0.1)) for each in spoken]
        # The barge-in begins 0.8 s into the first reply.
        spoken[1] = Spoken(starts_s[0] + 0.8, starts_s[0] + 2.3, when=spoken[1].when)
        starts_s[1] = spoken[1].end_s + gap_s
        first_end_s = spoken[1].start_s + 0.3 if yields else starts_s[0] + 1.5
        lengths_s = [first_end_s - starts_s[0], reply_s, reply_s]
        system = [(a, a + n) for a, n in zip(starts_s, lengths_s, strict=True)]
        events = [audio_event(a, a, n) for a, n in zip(starts_s, lengths_s, strict=True)]
        if marks:
            events += [Stamped(b, "end_of_turn") for _, b in (system if not yields else system[1:])]
            events += [Stamped(first_end_s, "clear")] if yields else []
        return case_of(
            *spoken, system=system, events=events, duration_s=DURATION_S, id=f"c{seed:02}"
        )

    return plant


def yields_of(plant: Plant, count: int = 12) -> Measurement:
    return yield_rate_shuffled.function([plant(n) for n in range(count)], Planted())


def gaps_of(plant: Plant, count: int = 12) -> Measurement:
    return response_gap_shuffled_s.function([plant(n) for n in range(count)], Planted())


def number(measurement: Measurement) -> float:
    assert isinstance(measurement.quantity, Value)
    return measurement.quantity.x


def test_a_blind_toggler_yields_as_often_to_nobody() -> None:
    found = yields_of(by_the_clock)
    # The burst that the barge-in meets is over within a second: it looks like a yield.
    assert found.details["own"] > 0.3
    assert number(found) == pytest.approx(found.details["own"], abs=0.3)
    assert found.details["tells_apart"] is False
    assert found.n == 12


def test_a_toggler_that_says_that_its_bursts_are_over_yields_to_nobody_at_all() -> None:
    found = yields_of(lambda seed: by_the_clock(seed, marks=True))
    assert (found.details["own"], number(found)) == (0.0, 0.0)
    assert found.details["tells_apart"] is False


@pytest.mark.parametrize("marks", [True, False])
def test_who_hears_the_barge_in_yields_to_it_alone(marks: bool) -> None:
    found = yields_of(hearing(0.6, marks=marks))
    assert (found.details["own"], number(found)) == (1.0, 0.0)
    assert found.details["difference"] == 1.0
    assert found.details["tells_apart"] is True


def test_short_replies_without_end_marks_look_like_yields_whoever_speaks() -> None:
    found = yields_of(hearing(0.6, reply_s=2.0, marks=False))
    assert (found.details["own"], number(found)) == (1.0, 1.0)
    assert found.details["tells_apart"] is False


def test_who_finishes_first_does_not_yield() -> None:
    found = yields_of(hearing(0.6, yields=False))
    assert (found.details["own"], number(found)) == (0.0, 0.0)


def test_replies_that_the_user_speaks_into_by_design_are_no_baseline() -> None:
    def plant(seed: int) -> Case:
        return case_of(
            Spoken(0.5, 2.0),
            Spoken(3.5, 4.0, when=BargeIn(after_onset_s=1.0)),
            Spoken(6.0, 6.3, when=Backchannel(after_onset_s=1.0)),
            system=[(2.5, 3.8), (5.0, 6.4)],
            id=f"c{seed}",
        )

    found = yields_of(plant, 3)
    assert (found.status, found.quantity) == ("skipped", None)
    assert "interrupts" in found.reason


def test_a_corpus_without_barge_ins_has_no_shuffled_ones() -> None:
    case = case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)])
    assert yield_rate_shuffled.function([case, case], Planted()).reason == "no barge-in was played"


def test_a_blind_toggler_is_as_quick_after_turns_that_nobody_said() -> None:
    found = gaps_of(by_the_clock, 16)
    usual = found.details["usual"]
    # It talks half the time: the median lies near 0, and half of all gaps within half a second.
    assert number(found) == pytest.approx(0.0, abs=0.2)
    assert usual["shuffled"] == pytest.approx(0.5, abs=0.1)
    assert usual["own"] == pytest.approx(usual["shuffled"], abs=0.2)
    assert usual["tells_apart"] is False


@pytest.mark.parametrize("gap_s", [0.3, 0.6, 1.6])
def test_who_answers_the_user_is_as_late_every_time_quick_or_slow(gap_s: float) -> None:
    usual = gaps_of(hearing(gap_s)).details["usual"]
    assert usual["own"] == 1.0
    assert usual["shuffled"] < 0.4
    assert usual["tells_apart"] is True


def test_a_turn_elsewhere_is_measured_as_every_other_turn() -> None:
    random = np.random.default_rng(0)
    for seed in range(4):
        case = hearing(0.6)(seed)
        elsewhere = Elsewhere.of(case.recording)
        for _ in range(20):
            start_s, end_s = sorted(random.uniform(0.0, DURATION_S, 2).tolist())
            turn = PlayedTurn(0, start_s, start_s, end_s, "time")
            placed = Case(
                replace(case.recording, turns=(turn,)), case_of(Spoken(0, 1)).conversation
            )
            (expected,) = response_gap_s.measure(placed, Planted())
            assert elsewhere.gap(start_s, end_s).quantity == expected.quantity


def test_what_was_made_before_a_turn_began_is_no_answer_to_it_elsewhere_either() -> None:
    """One chunk with a pause in it: its second part answers nobody who spoke in the pause."""
    case = case_of(
        Spoken(0.0, 1.0),
        system=[(2.0, 3.0), (4.5, 5.5), (8.0, 9.0)],
        events=[audio_event(1.9, 2.0, 3.5), audio_event(8.0, 8.0, 1.0)],
    )
    (gap,) = numbers([Elsewhere.of(case.recording).gap(3.2, 4.0)])
    assert gap == pytest.approx(4.0, abs=0.02)


def test_silence_is_censored_and_tells_nothing_apart() -> None:
    found = gaps_of(lambda seed: case_of(*users(seed)[0], duration_s=DURATION_S, id=f"c{seed}"), 4)
    assert isinstance(found.quantity, Censored)
    assert found.quantity.lower_bound < DURATION_S
    assert (found.details["usual"]["own"], found.n) == (0.0, 4)
    assert found.details["usual"]["tells_apart"] is False


def test_one_conversation_cannot_be_shuffled_nor_its_own_repeats() -> None:
    case = by_the_clock(0)
    assert response_gap_shuffled_s.function([case, case], Planted()).status == "skipped"
    assert yield_rate_shuffled.function([case, case], Planted()).status == "skipped"


def test_a_turn_that_fits_nowhere_is_left_out() -> None:
    short = case_of(Spoken(0.0, 1.0), system=[(1.2, 2.0)], duration_s=3.0, id="short")
    long = case_of(Spoken(0.0, 9.0), system=[(9.5, 11.0)], id="long")
    found = response_gap_shuffled_s.function([short, long], Planted())
    assert found.n == 1
    cut = [case_of(Spoken(0.0, 9.0), duration_s=8.0, id=name) for name in ("one", "other")]
    alone = response_gap_shuffled_s.function(cut, Planted())
    assert alone.reason.startswith("no turn that fits")


def test_what_is_drawn_is_the_same_again() -> None:
    once, again = gaps_of(by_the_clock, 5), gaps_of(by_the_clock, 5)
    assert (once.quantity, once.interval, once.details) == (
        again.quantity,
        again.interval,
        again.details,
    )
