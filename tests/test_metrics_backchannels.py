import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from cascadence.conversation import Aside, AudioRef, BargeIn, UserTurn
from cascadence.measurement import Case, Ratio
from cascadence.metrics.backchannels import (
    backchannel_js_distance,
    backchannel_rate_per_min,
    js_distance,
    takeover_rate_backchannel_opportunity,
)
from planted_cases import Planted, Span, Spoken, case_of, hears, measured, numbers


def case(*system: Span, human_s: tuple[float, ...] = (), end_s: float = 6.0) -> Case:
    """The user speaks from 1 s to 7 s; the times of both sides are on the conversation's clock."""
    made = case_of(Spoken(1.0, 1.0 + end_s), system=system)
    told = UserTurn(
        text="and then I went on",
        audio=AudioRef(path="clip.flac"),
        speech_s=(0.0, end_s),
        backchannels_s=tuple(t - 1.0 for t in human_s),
    )
    conversation = made.conversation.model_copy(update={"turns": (told,)})
    return Case(made.recording, conversation, made.clips)


def test_js_distance_in_closed_form() -> None:
    assert js_distance([1, 0, 0], [0, 2, 3]) == pytest.approx(1.0, abs=1e-12)
    assert js_distance([2, 1, 0], [4, 2, 0]) == 0.0
    # m = (3/4, 1/4): 1/2 log2(4/3) + 1/2 (1/2 log2(2/3) + 1/2 log2 2), and its root.
    expected = np.sqrt((np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5) / 2)
    assert js_distance([1, 0], [1, 1]) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="empty"):
        js_distance([0, 0], [1, 0])


def test_js_distance_is_a_number_between_0_and_1_and_agrees_with_scipy() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        first, second = random.integers(0, 3, (2, 20)) + np.eye(2, 20, dtype=int)
        found = js_distance(list(first), list(second))
        assert found == pytest.approx(jensenshannon(first, second, base=2), abs=1e-9)
        assert 0.0 <= found <= 1.0
        assert js_distance(list(first), list(first)) == 0.0


def test_backchannels_are_counted_a_minute_of_the_users_speech() -> None:
    """0.4 s and 0.9 s count; 1 s is no backchannel, and the reply begins after the user's end."""
    given = case((2.0, 2.4), (3.0, 3.9), (5.0, 6.0), (7.5, 9.0))
    (found,) = measured(backchannel_rate_per_min, given, hears("mm hmm"))
    assert found.quantity == Ratio(2, 0.1)
    assert found.details["onsets_s"] == [1.0, 2.0]


def test_three_words_are_no_backchannel_and_two_are() -> None:
    given = case((2.0, 2.9))
    assert numbers(measured(backchannel_rate_per_min, given, hears("oh I see"))) == [0.0]
    assert numbers(measured(backchannel_rate_per_min, given, hears("I see"))) == [10.0]


def test_a_short_answer_across_the_users_end_is_no_backchannel() -> None:
    given = case((6.8, 7.4))
    assert measured(backchannel_rate_per_min, given, Planted())[0].quantity == Ratio(0, 0.1)


def test_asides_and_barge_ins_are_nothing_to_acknowledge() -> None:
    given = case_of(
        Spoken(0.0, 1.0),
        Spoken(3.0, 4.0, when=BargeIn(after_onset_s=1.0)),
        Spoken(7.0, 8.0, when=Aside()),
    )
    assert [m.turn for m in measured(backchannel_rate_per_min, given)] == [0]


def test_the_same_timing_is_at_distance_0_and_another_at_1() -> None:
    same = case((2.0, 2.4), (4.0, 4.4), human_s=(2.1, 4.1))
    other = case((2.0, 2.4), (4.0, 4.4), human_s=(3.0, 5.0))
    assert numbers(measured(backchannel_js_distance, same, hears(""))) == [0.0]
    (found,) = measured(backchannel_js_distance, other, hears(""))
    assert numbers([found]) == [pytest.approx(1.0)]
    assert (found.details["human"], found.details["onsets_s"]) == (2, [1.0, 3.0])


def test_bins_are_200_ms_and_pool_all_listeners() -> None:
    """Two listeners at one place and two at another; the system is at the first only."""
    given = case((2.0, 2.4), human_s=(2.05, 2.15, 4.05, 4.15))
    expected = js_distance([1, 0], [1, 1])
    assert numbers(measured(backchannel_js_distance, given, hears(""))) == [pytest.approx(expected)]
    late = case((2.21, 2.61), human_s=(2.05, 2.15))
    assert numbers(measured(backchannel_js_distance, late, hears(""))) == [pytest.approx(1.0)]


def test_who_makes_no_backchannel_is_skipped_and_not_at_distance_1() -> None:
    (found,) = measured(backchannel_js_distance, case(human_s=(2.0,)))
    assert (found.status, found.reason) == ("skipped", "the system makes no backchannel here")
    assert measured(backchannel_js_distance, case((2.0, 2.4)), hears("")) == []


def test_chance_says_how_near_as_many_at_random_come() -> None:
    """One at random among 30 bins meets one human in 1 of 30 cases, else it is at distance 1."""
    (found,) = measured(backchannel_js_distance, case((2.0, 2.4), human_s=(2.1,)), hears(""))
    assert numbers([found]) == [0.0]
    assert found.details["chance"] == pytest.approx(29 / 30, abs=0.04)
    (again,) = measured(backchannel_js_distance, case((2.0, 2.4), human_s=(2.1,)), hears(""))
    assert again.details["chance"] == found.details["chance"]


def test_taking_the_floor_where_people_acknowledge_is_counted() -> None:
    metric = takeover_rate_backchannel_opportunity
    human_s = (2.0, 4.0)
    taken = case((2.0, 3.5), human_s=human_s)
    acknowledged = case((2.0, 2.5), (3.0, 3.5), (4.0, 4.5), human_s=human_s)
    through = case((0.0, 12.0), human_s=human_s)
    answered = case((7.5, 9.0), human_s=human_s)
    for given, expected in ((taken, 1), (acknowledged, 0), (through, 1), (answered, 0)):
        assert measured(metric, given, hears("mm hmm"))[0].quantity == Ratio(expected, 1)
    assert measured(metric, case((2.0, 3.5)), Planted()) == []
