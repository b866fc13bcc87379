from dataclasses import replace
from itertools import combinations

import pytest

from cascadence.conversation import Expect
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics.task_repeats import all_of, any_of, pass_at_k, pass_hat_k
from planted_cases import Planted, Spoken, case_of, hears, numbers

ASKED = Spoken(0.0, 1.0, expect=Expect(contains=("yes",)))


def trial(id: str, repeat: int, success: bool, group: str | None = None, turns: int = 1) -> Case:
    """A conversation in which the system says what the judge hears, or nothing."""
    spoken = [replace(ASKED, start_s=4.0 * n, end_s=4.0 * n + 1.0) for n in range(turns)]
    replies = [(4.0 * n + 1.5, 4.0 * n + 3.0) for n in range(turns)]
    # Of a failure, the last turn is not answered.
    case = case_of(*spoken, system=replies if success else replies[:-1], id=id, group=group)
    return replace(case, recording=replace(case.recording, repeat=repeat))


def both(*trials: Case) -> tuple[Measurement, Measurement]:
    tools = hears("yes")
    return pass_at_k.function(trials, tools), pass_hat_k.function(trials, tools)


def test_four_trials_with_two_successes() -> None:
    assert any_of(4, 2, 2) == pytest.approx(5 / 6)
    assert all_of(4, 2, 2) == pytest.approx(1 / 6)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_estimates_are_what_counting_all_choices_gives(n: int) -> None:
    for c in range(n + 1):
        outcomes = [True] * c + [False] * (n - c)
        for k in range(1, n + 1):
            chosen = list(combinations(outcomes, k))
            assert any_of(n, c, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
            assert all_of(n, c, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))


def test_planted_successes_come_back_for_every_k() -> None:
    at, hat = both(*(trial("c", repeat, repeat in (1, 3)) for repeat in range(4)))
    assert numbers([at]) == [pytest.approx(5 / 6)]
    assert numbers([hat]) == [pytest.approx(1 / 6)]
    assert at.details["k"] == 2
    shares = {k: row["value"] for k, row in at.details["by_k"].items()}
    assert shares == pytest.approx({"1": 0.5, "2": 5 / 6, "3": 1.0, "4": 1.0})
    shares = {k: row["value"] for k, row in hat.details["by_k"].items()}
    assert shares == pytest.approx({"1": 0.5, "2": 1 / 6, "3": 0.0, "4": 0.0})


def test_the_corpus_value_is_a_mean_over_conversations() -> None:
    trials = [trial("good", r, True) for r in range(2)] + [trial("bad", r, False) for r in range(2)]
    at, hat = both(*trials, *(trial("half", r, r == 0) for r in range(2)))
    assert numbers([at]) == [pytest.approx(2 / 3)]
    assert numbers([hat]) == [pytest.approx(1 / 3)]
    assert (at.n, at.details["by_k"]["2"]["conversations"]) == (3, 3)
    assert at.interval is not None
    assert at.interval[0] < 2 / 3 < at.interval[1]


def test_members_of_a_contrast_set_are_one_cluster() -> None:
    trials = [trial(id, r, True, group="set") for id in ("a", "b") for r in range(2)]
    at, _ = both(*trials)
    assert (at.n, at.details["by_k"]["2"]["conversations"]) == (1, 2)


def test_all_turns_of_a_conversation_must_succeed() -> None:
    _, hat = both(trial("c", 0, True, turns=2), trial("c", 1, False, turns=2))
    assert hat.details["by_k"]["1"]["value"] == 0.5


def test_one_repeat_is_skipped_and_so_is_a_corpus_without_expectations() -> None:
    for found in both(trial("a", 0, True), trial("b", 0, True)):
        assert found.reason.startswith("needs repeats")
    for found in both(case_of(Spoken(0.0, 1.0))):
        assert found.reason == "no turn of this corpus is judged"


def test_conversations_with_fewer_trials_are_left_out_of_larger_k() -> None:
    trials = [trial("three", r, r > 0) for r in range(3)] + [
        trial("two", r, True) for r in range(2)
    ]
    at, _ = both(*trials)
    counts = {k: row["conversations"] for k, row in at.details["by_k"].items()}
    assert counts == {"1": 2, "2": 2, "3": 1}


def test_a_trial_that_could_not_be_measured_is_no_failure_of_the_system() -> None:
    whole = trial("c", 2, True, turns=2)
    torn = replace(whole, recording=replace(trial("c", 2, True).recording, repeat=2))
    at, hat = both(trial("c", 0, True, turns=2), trial("c", 1, True, turns=2), torn)
    assert (hat.quantity, at.details["unmeasured"]) == (Value(1.0), 1)


def test_a_broken_judge_fails_no_system() -> None:
    case = trial("c", 0, True)
    found = pass_at_k.measure_corpus([case, case], Planted())
    assert (found.status, found.reason) == ("failed", "2 trials could not be measured")
