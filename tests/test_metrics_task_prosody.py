from collections.abc import Sequence
from dataclasses import replace

import pytest

from cascadence.conversation import Expect, Style
from cascadence.measurement import Case, Measurement, Metric
from cascadence.metrics.task_prosody import (
    NO_SETS,
    emphasis_success,
    hesitation_robustness,
    question_intonation_success,
    sarcasm_success,
)
from planted_cases import Planted, Spoken, case_of, numbers

YES, NO = Expect(contains=("yes",)), Expect(contains=("no",))
QUESTION, STATEMENT = Style(sentence_type="question"), Style(sentence_type="statement")
HESITANT, FLUENT = Style(hesitations=((0.2, 0.5),)), Style()


def member(
    group: str | None,
    name: str,
    style: Style,
    expect: Expect,
    system: Sequence[tuple[float, float]],
) -> Case:
    case = case_of(
        Spoken(0.0, 1.0, expect=expect), system=system, id=f"{group}-{name}", group=group
    )
    (turn,) = case.conversation.turns
    told = case.conversation.model_copy(
        update={"turns": (turn.model_copy(update={"style": style}),)}
    )
    return replace(case, conversation=told)


def play(metric: Metric, *members: tuple[str | None, Style, Expect, str]) -> Measurement:
    """Each member: its set, its style, what it expects, and what the judge hears of the reply."""
    cases, heard = [], {}
    for number, (group, style, expect, said) in enumerate(members):
        # The length of a reply tells the judge which one it is.
        duration_s = 1.0 + 0.1 * number
        heard[round(10 * duration_s)] = said
        system = [(1.5, 1.5 + duration_s)] if said else []
        cases.append(member(group, str(number), style, expect, system))
    tools = Planted(judge_asr=lambda audio: {"text": heard[round(10 * audio.duration_s)]})
    return metric.function(cases, tools)


def sets(count: int, question: str, statement: str) -> list[tuple[str, Style, Expect, str]]:
    pairs = [
        ((f"g{n}", QUESTION, YES, question), (f"g{n}", STATEMENT, NO, statement))
        for n in range(count)
    ]
    return [each for pair in pairs for each in pair]


def test_who_hears_the_melody_is_always_right() -> None:
    found = play(question_intonation_success, *sets(4, "yes", "no"))
    assert numbers([found]) == [1.0]
    assert (found.details["chance"], found.details["mismatched"]) == (0.5, 0.0)
    assert (found.n, found.details["measurements"], found.details["sets"]) == (4, 8, 4)
    assert found.interval is not None
    assert 0.0 < found.interval[0] < 1.0 == found.interval[1]


def test_who_is_deaf_to_it_is_at_chance_and_would_please_the_others_as_well() -> None:
    found = play(question_intonation_success, *sets(4, "yes", "yes"))
    assert numbers([found]) == [0.5]
    assert (found.details["chance"], found.details["mismatched"]) == (0.5, 0.5)


def test_who_says_both_pleases_everybody_and_is_found_out() -> None:
    found = play(question_intonation_success, *sets(4, "yes and no", "yes and no"))
    assert numbers([found]) == [1.0]
    assert found.details["mismatched"] == 1.0


def test_chance_is_the_answer_that_most_members_expect() -> None:
    found = play(
        emphasis_success,
        ("g", Style(emphasis=(0,)), YES, "yes"),
        ("g", Style(emphasis=(1,)), YES, "yes"),
        ("g", Style(emphasis=(2,)), NO, "yes"),
    )
    assert numbers([found]) == [pytest.approx(2 / 3)]
    assert found.details["chance"] == pytest.approx(2 / 3)


def test_members_without_named_style_are_mates_and_no_items() -> None:
    found = play(
        emphasis_success, ("g", Style(emphasis=(1,)), YES, "yes"), ("g", Style(), NO, "yes")
    )
    assert (numbers([found]), found.details["measurements"]) == ([1.0], 1)
    assert (found.details["chance"], found.details["mismatched"]) == (0.5, 0.0)


def test_sarcasm_is_a_style_of_both_members() -> None:
    found = play(
        sarcasm_success,
        ("g", Style(sarcasm=True), YES, "yes"),
        ("g", Style(sarcasm=False), NO, "yes"),
    )
    assert (numbers([found]), found.details["measurements"]) == ([0.5], 2)


def test_a_member_may_expect_silence() -> None:
    silence = Expect(stay_silent=True)
    found = play(
        question_intonation_success, ("g", QUESTION, YES, "yes"), ("g", STATEMENT, silence, "")
    )
    assert numbers([found]) == [1.0]
    assert found.details["mismatched"] == 0.0


@pytest.mark.parametrize(
    "members",
    [
        # No set, the same answer, the same style, nothing judged.
        [(None, QUESTION, YES, "yes"), (None, STATEMENT, NO, "no")],
        [("g", QUESTION, YES, "yes"), ("g", STATEMENT, YES, "yes")],
        [("g", QUESTION, YES, "yes"), ("g", QUESTION, NO, "no")],
        [("g", QUESTION, Expect(), "yes"), ("g", STATEMENT, Expect(), "no")],
        [("g", QUESTION, YES, "yes"), ("h", STATEMENT, NO, "no")],
        [("g", Style(), YES, "yes"), ("g", Style(label="sad"), NO, "no")],
    ],
)
def test_where_prosody_does_not_decide_the_answer_there_is_nothing_to_measure(
    members: list[tuple[str | None, Style, Expect, str]],
) -> None:
    assert play(question_intonation_success, *members).reason == NO_SETS


def renderings(*outcomes: tuple[str, str]) -> list[tuple[str, Style, Expect, str]]:
    """What is heard of the replies to the hesitant and to the fluent rendering, set by set."""
    return [
        (f"g{n}", style, YES, said)
        for n, pair in enumerate(outcomes)
        for style, said in zip((HESITANT, FLUENT), pair, strict=True)
    ]


def test_planted_losses_come_back() -> None:
    """Of eight requests, three are lost by hesitating, and one is won."""
    found = play(
        hesitation_robustness,
        *renderings(*[("no", "yes")] * 3, ("yes", "no"), *[("yes", "yes")] * 4),
    )
    assert numbers([found]) == [pytest.approx(-0.25)]
    assert (found.details["hesitant"], found.details["fluent"]) == (5 / 8, 7 / 8)
    assert (found.n, found.details["pairs"]) == (8, 8)
    # Of 16 ways to swap the four sets that changed, ten are as uneven.
    assert found.details["p"] == pytest.approx(10 / 16)
    assert found.interval is not None
    assert found.interval[0] < -0.25 < found.interval[1]


def test_who_does_not_mind_has_an_interval_all_the_same() -> None:
    found = play(hesitation_robustness, *renderings(*[("yes", "yes")] * 8))
    assert (numbers([found]), found.details["p"]) == ([0.0], 1.0)
    assert found.interval == (pytest.approx(-0.324, abs=0.001), pytest.approx(0.324, abs=0.001))
    lost = play(hesitation_robustness, *renderings(*[("no", "yes")] * 8))
    assert numbers([lost]) == [-1.0]
    assert lost.interval == (-1.0, pytest.approx(-0.676, abs=0.001))


def test_several_members_of_one_kind_are_averaged() -> None:
    found = play(
        hesitation_robustness,
        ("g", HESITANT, YES, "yes"),
        ("g", HESITANT, YES, "no"),
        ("g", FLUENT, YES, "yes"),
    )
    assert (numbers([found]), found.n, found.interval) == ([-0.5], 1, None)


def test_cut_offs_of_the_hesitant_are_in_the_details() -> None:
    cut = member("g", "h", HESITANT, YES, [(0.3, 2.0)])
    waited = member("g", "f", FLUENT, YES, [(1.3, 3.0)])
    found = hesitation_robustness.function(
        [cut, waited], Planted(judge_asr=lambda audio: {"text": "yes"})
    )
    assert found.details["cutoff_rate"]["difference"] == 1.0


@pytest.mark.parametrize(
    "members",
    [
        [("g", HESITANT, YES, "yes"), ("h", FLUENT, YES, "yes")],
        [("g", HESITANT, Expect(), "yes"), ("g", FLUENT, Expect(), "yes")],
        [(None, HESITANT, YES, "yes"), (None, FLUENT, YES, "yes")],
    ],
)
def test_without_both_renderings_robustness_is_skipped(
    members: list[tuple[str | None, Style, Expect, str]],
) -> None:
    assert play(hesitation_robustness, *members).status == "skipped"
