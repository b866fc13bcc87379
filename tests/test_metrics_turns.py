"""What counts as the answer to a turn, where a system begins before the user has finished."""

from cascadence.events import Stamped
from cascadence.measurement import Case
from cascadence.metrics.paralinguistics import said
from cascadence.metrics.turns import PlayedView, view
from planted_cases import Planted, Spoken, audio_event, case_of, text

FALSE_START = (1.0, 1.4)
ANSWER = (3.5, 5.0)


def hesitant(*events: Stamped) -> Case:
    """The user speaks from 0 to 3 s; the system begins in a pause, yields, and answers later."""
    return case_of(
        Spoken(0.0, 3.0),
        system=[FALSE_START, ANSWER],
        events=[
            text(0.9, "nice to meet you"),
            audio_event(0.95, 1.0, 1.2),
            Stamped(1.4, "clear", {}),
            text(3.3, "the butter"),
            audio_event(3.4, 3.5, 1.5),
            text(3.45, "is on your list"),
            *events,
        ],
    )


def seen(case: Case) -> PlayedView:
    return view(case, case.recording.turns[0])


def test_a_false_start_is_part_of_the_reply_and_not_of_the_answer() -> None:
    found = seen(hesitant())
    assert found.reply is not None
    assert found.answer is not None
    assert found.reply.duration_s == 4.0
    assert found.answer.duration_s == 1.5
    assert (found.interrupted, found.answer_interrupted) == (True, False)


def test_the_words_of_the_answer_are_the_systems_own_although_it_was_cut_before() -> None:
    tools = Planted(judge_asr=lambda audio: {"text": "what the judge heard"})
    assert said(seen(hesitant()), tools) == "the butter is on your list"
    assert not tools.asked


def test_an_answer_that_was_cut_is_heard_by_the_judge_without_the_false_start() -> None:
    tools = Planted(judge_asr=lambda audio: {"text": f"{audio.duration_s:.1f} s"})
    cut = seen(hesitant(Stamped(4.0, "clear", {})))
    assert cut.answer_interrupted
    assert said(cut, tools) == "1.5 s"


def test_what_ends_inside_the_users_turn_is_no_answer() -> None:
    only = seen(case_of(Spoken(0.0, 3.0), system=[FALSE_START]))
    assert only.reply is not None
    assert only.answer is None
    assert said(only, Planted()) == ""


def test_what_begins_inside_and_goes_on_is_the_answer() -> None:
    early = seen(case_of(Spoken(0.0, 3.0), system=[(2.5, 4.5)]))
    assert early.answer is not None
    assert early.answer.duration_s == 2.0
    assert not early.answer_interrupted
