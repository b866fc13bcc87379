import jiwer
import numpy as np
import pytest

from cascadence.conversation import Aside, BargeIn, Expect
from cascadence.estimators import Observation
from cascadence.events import Stamped
from cascadence.measurement import Case
from cascadence.metrics.intelligibility import (
    WordErrors,
    heard_wer,
    judge_margin,
    judge_wer,
    reference_wer,
    reply_wer,
    word_errors,
)
from cascadence.statistics import summarise
from planted_cases import Planted, Spoken, case_of, heard, hears, measured, noise, numbers, text


def test_word_errors_agree_with_jiwer_on_what_needs_no_normalising() -> None:
    random = np.random.default_rng(1)
    words = ["red", "green", "blue", "cat", "dog", "house", "river"]
    for _ in range(50):
        reference = " ".join(random.choice(words, random.integers(1, 9)))
        hypothesis = " ".join(random.choice(words, random.integers(0, 9)))
        counts = word_errors(reference, hypothesis)
        expected = jiwer.wer(reference, hypothesis)
        assert counts.errors / counts.reference_words == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("set a timer", "set a timer", WordErrors(3, 0, 0, 0)),
        ("set a timer", "set the timer now", WordErrors(2, 1, 0, 1)),
        ("set a timer", "", WordErrors(0, 0, 3, 0)),
        ("seven fifteen", "7:15", WordErrors(1, 0, 0, 0)),
        ("", "hello you", WordErrors(0, 0, 0, 2)),
        ("", "", WordErrors(0, 0, 0, 0)),
    ],
)
def test_word_errors_of_every_kind(reference: str, hypothesis: str, counts: WordErrors) -> None:
    assert word_errors(reference, hypothesis) == counts


def test_reply_wer_compares_the_sound_with_the_text() -> None:
    case = case_of(
        Spoken(0.0, 1.0),
        system=[(1.5, 3.0)],
        events=[text(1.2, "I set"), text(1.3, "a timer.")],
    )
    (found,) = measured(reply_wer, case, hears("I sat a timer"))
    assert numbers([found]) == [0.25]
    assert (found.details["substitutions"], found.details["hits"]) == (1, 3)
    assert found.details["normaliser"] == "cascadence-en-1"


def test_text_that_never_became_sound_is_all_deletions() -> None:
    case = case_of(Spoken(0.0, 1.0), events=[text(1.2, "I set a timer.")])
    assert numbers(measured(reply_wer, case, Planted())) == [1.0]


def test_a_reply_that_was_cut_short_says_nothing_about_the_voice() -> None:
    barged = case_of(
        Spoken(0.0, 1.0),
        Spoken(2.0, 3.0, when=BargeIn(after_onset_s=0.5)),
        system=[(1.5, 2.2)],
        events=[text(1.2, "I set a timer for seven minutes.")],
    )
    dropped = case_of(
        Spoken(0.0, 1.0),
        system=[(1.5, 2.2)],
        events=[
            text(1.2, "I set a timer."),
            Stamped(1.5, "audio", {"start_s": 1.5, "duration_s": 2.0}),
            Stamped(2.2, "clear"),
        ],
    )
    for case in (barged, dropped):
        assert measured(reply_wer, case, Planted())[0].reason == "the reply was cut short"


def test_a_system_that_tells_no_text_is_skipped() -> None:
    case = case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)])
    assert measured(reply_wer, case, Planted())[0].status == "skipped"
    assert measured(heard_wer, case)[0].status == "skipped"


def test_heard_wer_counts_a_turn_that_was_not_heard_as_deleted() -> None:
    case = case_of(
        Spoken(0.0, 2.0, text="set a timer"),
        Spoken(4.0, 6.0, text="for seven minutes"),
        Spoken(8.0, 9.0, text="not you", when=Aside()),
        events=[heard(1.0, "set"), heard(2.5, "a time")],
    )
    assert numbers(measured(heard_wer, case)) == [pytest.approx(1 / 3), 1.0]


def test_the_corpus_rate_is_errors_over_words_not_a_mean_of_rates() -> None:
    short = case_of(Spoken(0, 1, text="yes"), events=[heard(2.0, "no")])
    long = case_of(
        Spoken(0, 1, text="set a timer for seven long minutes now please"),
        events=[heard(2.0, "set a timer for seven long minutes now please")],
    )
    found = [
        Observation(name, measured(heard_wer, case)[0])
        for name, case in (("a", short), ("b", long))
    ]
    assert summarise(heard_wer.spec, found).value == pytest.approx(0.1)


def test_the_judges_own_errors_are_counted_on_the_users_clips() -> None:
    clip = noise(1.0)
    case = case_of(Spoken(0.0, 1.0, text="set a red timer", clip=clip))
    tools = hears("set a bread timer")
    assert numbers(measured(judge_wer, case, tools)) == [0.25]
    assert tools.asked == [("judge_asr", clip)]


def test_reference_wer_needs_no_text_and_counts_other_words_as_errors() -> None:
    expect = Expect(reply_text="Your timer is set.")
    case = case_of(Spoken(0.0, 1.0, expect=expect), system=[(1.5, 3.0)])
    assert numbers(measured(reference_wer, case, hears("Your timer is set"))) == [0.0]
    assert numbers(measured(reference_wer, case, hears("The timer is set"))) == [0.25]
    assert measured(reply_wer, case, Planted())[0].reason.endswith("see reference_wer")


def test_a_reply_that_never_came_is_all_deletions_of_the_reference() -> None:
    expect = Expect(reply_text="Your timer is set.")
    case = case_of(Spoken(0.0, 1.0, expect=expect))
    assert numbers(measured(reference_wer, case, Planted())) == [1.0]
    cut = case_of(
        Spoken(0.0, 1.0, expect=expect),
        Spoken(2.0, 3.0, when=BargeIn(after_onset_s=0.5)),
        system=[(1.5, 2.2)],
    )
    assert [m.status for m in measured(reference_wer, cut, Planted())] == ["skipped"]
    assert measured(reference_wer, case_of(Spoken(0.0, 1.0)), Planted()) == []


def conversations(misheard_by_system: int, misheard_by_judge: int, count: int = 12) -> list[Case]:
    """Each user says four words; so many conversations are misheard by one word."""
    return [
        case_of(
            Spoken(
                0.0, 1.0, text="set a red timer", clip=noise(1.0 + 0.1 * (n < misheard_by_judge))
            ),
            events=[
                heard(1.5, "set a bread timer" if n < misheard_by_system else "set a red timer")
            ],
            id=f"c{n}",
        )
        for n in range(count)
    ]


def judge() -> Planted:
    """Mishears one word of long clips."""
    return Planted(
        judge_asr=lambda audio: {
            "text": "set a bread timer" if audio.duration_s > 1.05 else "set a red timer"
        }
    )


@pytest.mark.parametrize(
    ("system", "judged", "stronger"), [(10, 0, True), (0, 10, False), (6, 6, None), (1, 0, None)]
)
def test_the_judge_must_hear_better_than_the_system(
    system: int, judged: int, stronger: bool | None
) -> None:
    found = judge_margin.function(conversations(system, judged), judge())
    assert numbers([found]) == [pytest.approx((system - judged) / 48)]
    assert found.details["heard_wer"] == pytest.approx(system / 48)
    assert found.details["judge_wer"] == pytest.approx(judged / 48)
    assert found.details["judge_is_stronger"] is stronger
    assert (found.n, found.details["turns"]) == (12, 12)


def test_the_judge_is_asked_about_what_the_system_heard_and_nothing_else() -> None:
    """The aside, which the judge mishears, is nothing that a system need hear."""
    case = case_of(
        Spoken(0.0, 1.0, text="set a red timer", clip=noise(1.0)),
        Spoken(3.0, 4.1, text="set a red timer", when=Aside(), clip=noise(1.1)),
        events=[heard(1.5, "set a red timer")],
    )
    found = judge_margin.function([case], judge())
    assert (found.details["judge_wer"], found.details["turns"]) == (0.0, 1)


def test_a_system_that_tells_nothing_cannot_be_compared_with_the_judge() -> None:
    tools = Planted()
    case = case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)])
    assert judge_margin.function([case], tools).status == "skipped"
    assert tools.asked == []
