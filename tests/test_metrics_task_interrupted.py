"""Replies into which the manifest lets the user barge are not judged: nobody heard their end."""

from typing import Any

import pytest

from cascadence.conversation import Aside, Backchannel, BargeIn, Expect, When
from cascadence.measurement import Metric
from cascadence.metrics import task, task_slots
from planted_cases import Spoken, case_of, hears, measured, numbers, text

FIRST = Expect(slots={"time": ("7:15",)}, answer=("7:15",))
SECOND = Expect(slots={"time": ("8:30",)}, answer=("8:30",))
HEARD = "At 7:15, no, 8:30."
ON_TURNS = (task.task_success, task.slot_recall, task.answer_accuracy, task.speech_loss)


def told(metric: Metric, *spoken: Spoken) -> list[tuple[str, str]]:
    """Status and reason of each turn; the replies say both times."""
    replies = [(turn.end_s + 0.2, turn.end_s + 0.9) for turn in spoken]
    case = case_of(*spoken, system=replies, events=[text(a, HEARD) for a, _ in replies])
    return [(found.status, found.reason or "") for found in measured(metric, case, hears(HEARD))]


def two(when: When, **first: Any) -> tuple[Spoken, Spoken]:
    """A request, and another that begins as told."""
    asked = Spoken(0.0, 2.0, expect=Expect(**first) if first else FIRST)
    return asked, Spoken(3.5, 5.0, text="no, at half past eight", when=when, expect=SECOND)


@pytest.mark.parametrize("metric", ON_TURNS, ids=lambda metric: metric.spec.name)
def test_a_reply_that_the_manifest_interrupts_is_skipped_and_the_next_is_not(
    metric: Metric,
) -> None:
    first, second = told(metric, *two(BargeIn(after_onset_s=0.5)))
    assert first == ("skipped", "the user interrupts this reply")
    assert second == ("ok", "")


@pytest.mark.parametrize("when", [Aside(), Backchannel(after_onset_s=0.5)], ids=str)
def test_backchannels_and_asides_interrupt_nothing(when: When) -> None:
    assert told(task.slot_recall, *two(when))[0] == ("ok", "")


def test_a_barge_in_counts_behind_a_backchannel() -> None:
    asked, barge_in = two(BargeIn(after_onset_s=1.5))
    mhm = Spoken(2.3, 2.5, text="mhm", when=Backchannel(after_onset_s=0.3))
    found = told(task.slot_recall, asked, mhm, barge_in)
    assert [status for status, _ in found] == ["skipped", "ok"]


def test_where_silence_is_expected_there_is_nothing_to_interrupt() -> None:
    found = told(task.task_success, *two(BargeIn(after_onset_s=0.5), stay_silent=True))
    assert [status for status, _ in found] == ["ok", "ok"]


def test_slots_of_an_interrupted_reply_are_not_in_the_score() -> None:
    wrong, right = Expect(slots={"time": ("7:15",)}), Expect(slots={"time": ("8:30",)})
    interrupted = case_of(
        Spoken(0.0, 2.0, expect=wrong),
        Spoken(3.5, 5.0, when=BargeIn(after_onset_s=0.5), expect=right),
        system=[(2.2, 3.6), (5.2, 6.0)],
    )
    found = measured(task_slots.slot_f1, [interrupted], hears("At 8:30."))
    assert numbers(found) == [1.0]
