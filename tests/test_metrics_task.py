import pytest

from cascadence.conversation import Aside, AudioRef, Expect, ExpectedToolCall, UserTurn
from cascadence.events import Stamped
from cascadence.measurement import Ratio
from cascadence.metrics import task
from planted_cases import Planted, Spoken, case_of, hears, measured, numbers, text

ALARM = Expect(slots={"time": ("7:15", "seven fifteen"), "what": ("alarm",)}, excludes=("sorry",))


def asked(expect: Expect, **more: object) -> Spoken:
    return Spoken(0.0, 2.0, expect=expect, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heard", "success", "slots"),
    [
        ("Your alarm is set for 7.15.", 1, 2),
        ("Alarms at a quarter past seven, done", 1, 2),
        ("Your alarm is set for 7.", 0, 1),
        ("Sorry, the alarm at 7:15 failed", 0, 2),
        ("", 0, 0),
    ],
)
def test_everything_that_is_expected_must_be_heard(heard: str, success: int, slots: int) -> None:
    case = case_of(asked(ALARM), system=[(2.5, 4.5)])
    assert measured(task.task_success, case, hears(heard))[0].quantity == Ratio(success, 1)
    assert measured(task.slot_recall, case, hears(heard))[0].quantity == Ratio(slots, 2)


def test_no_reply_is_a_failure_and_asks_no_judge() -> None:
    tools = Planted()
    case = case_of(asked(ALARM), asked(Expect(excludes=("sorry",))))
    assert numbers(measured(task.task_success, case, tools)) == [0.0, 0.0]
    assert tools.asked == []


def test_an_oracle_voice_is_heard_as_it_was_meant() -> None:
    said = Stamped(2.2, "text", {"text": "Your alarm is set for 7:15.", "understood": True})
    case = case_of(asked(ALARM), system=[(2.5, 4.5)], events=[said])
    tools = Planted()
    assert numbers(measured(task.task_success, case, tools)) == [1.0]
    assert tools.asked == []
    silent = case_of(asked(ALARM), events=[said])
    assert numbers(measured(task.task_success, silent, tools)) == [0.0]


def test_what_is_not_judged_has_no_measurement() -> None:
    assert measured(task.task_success, case_of(asked(Expect())), Planted()) == []


def test_one_accepted_answer_is_enough() -> None:
    case = case_of(asked(Expect(answer=("Paris", "the city of light"))), system=[(2.5, 4.0)])
    assert numbers(measured(task.task_success, case, hears("It is Paris."))) == [1.0]
    assert numbers(measured(task.task_success, case, hears("It is Rome."))) == [0.0]
    (failed,) = measured(task.task_success, case, hears("It is Rome."))
    assert failed.details["unmet"] == ["answer"]


def test_staying_silent_succeeds_by_saying_nothing() -> None:
    quiet = asked(Expect(stay_silent=True), when=Aside())
    assert numbers(measured(task.task_success, case_of(quiet), Planted())) == [1.0]
    loud = case_of(quiet, system=[(2.5, 4.5)])
    assert numbers(measured(task.task_success, loud, Planted())) == [0.0]
    murmur = case_of(quiet, system=[(2.5, 2.9)])
    assert numbers(measured(task.task_success, murmur, hears("mm hmm"))) == [1.0]


@pytest.mark.parametrize(
    ("name", "arguments", "success"),
    [
        ("set_alarm", {"time": "7:15", "repeat": False}, 1),
        ("set_alarm", {"time": "seven fifteen", "repeat": False}, 1),
        ("set_alarm", {"time": "7:50", "repeat": False}, 0),
        ("set_alarm", {"time": "7:15"}, 0),
        ("set_timer", {"time": "7:15", "repeat": False}, 0),
    ],
)
def test_tools_must_be_called_with_the_arguments(
    name: str, arguments: dict[str, object], success: int
) -> None:
    wanted = ExpectedToolCall(name="set_alarm", arguments={"time": "7:15", "repeat": False})
    call = Stamped(2.2, "tool_call", {"name": name, "arguments": arguments})
    case = case_of(asked(Expect(tool_calls=(wanted,))), events=[call])
    assert numbers(measured(task.task_success, case, Planted())) == [success]


@pytest.mark.parametrize(
    ("meant", "heard", "loss"),
    [
        ("Alarm at 7:15.", "Alarm at 7:15.", 0.0),
        ("Alarm at 7:15.", "Alarm at 7:50.", 1.0),
        ("Alarm at 7:50.", "Alarm at 7:15.", -1.0),
        ("Alarm at 7:50.", "Alarm at 7:50.", 0.0),
    ],
)
def test_speech_loss_is_what_speaking_cost(meant: str, heard: str, loss: float) -> None:
    case = case_of(asked(ALARM), system=[(2.5, 4.5)], events=[text(2.4, meant)])
    assert numbers(measured(task.speech_loss, case, hears(heard))) == [loss]


def test_speech_loss_needs_a_text_and_counts_what_never_became_sound() -> None:
    assert measured(task.speech_loss, case_of(asked(ALARM)), Planted())[0].status == "skipped"
    mute = case_of(asked(ALARM), events=[text(2.4, "Alarm at 7:15.")])
    assert numbers(measured(task.speech_loss, mute, Planted())) == [1.0]


@pytest.mark.parametrize(
    ("request_text", "reference", "said", "fulfilled"),
    [
        ("Set a timer for 7 minutes.", "Your timer is set for seven minutes.", "", False),
        ("Set a timer for seven minutes.", None, "Set a timer for 7 minutes.", False),
        ("Set a timer for seven minutes.", "Done.", "Set the timer for seven minutes", False),
        ("Set a timer for seven minutes.", None, "Your timer is set for seven minutes.", True),
        ("Play for seven minutes.", "Playing for seven minutes.", "Playing for 7 minutes.", True),
        ("Seven minutes.", "Seven minutes.", "Seven minutes!", True),
    ],
)
def test_a_request_repeated_is_no_answer(
    request_text: str, reference: str | None, said: str, fulfilled: bool
) -> None:
    turn = UserTurn(
        text=request_text,
        audio=AudioRef(path="a.flac"),
        speech_s=(0.1, 1.0),
        expect=Expect(slots={"length": ("seven minutes", "7 minutes")}, reply_text=reference),
    )
    assert task.judge(turn, said).fulfilled is fulfilled


@pytest.mark.parametrize(
    ("heard", "success"),
    [
        ("The chess club is moved to Thursday.", 1),
        # One word misheard brings the reply nearer to the request than to the reference.
        ("The chess club has moved to Thursday.", 1),
        ("The chess club has to be moved to Thursday.", 0),
        ("Chess club has to be moved to Thursday.", 0),
    ],
)
def test_a_request_repeated_is_no_answer_and_a_misheard_word_is_no_repetition(
    heard: str, success: int
) -> None:
    expect = Expect(
        slots={"event": ("chess club",), "day": ("Thursday",)},
        reply_text="The chess club is moved to Thursday.",
    )
    request = Spoken(0.0, 2.0, text="The chess club has to be moved to Thursday.", expect=expect)
    case = case_of(request, system=[(2.5, 4.5)])
    assert numbers(measured(task.task_success, case, hears(heard))) == [success]


@pytest.mark.parametrize(
    ("heard", "accurate", "successful"),
    [
        ("It is Paris.", 1, 1),
        ("It is the city of light, sorry.", 1, 0),
        ("It is Rome.", 0, 0),
        # The question repeated, though the answer is in it.
        ("Is Paris the capital of France?", 0, 0),
        ("", 0, 0),
    ],
)
def test_answer_accuracy_looks_at_the_answer_alone(
    heard: str, accurate: int, successful: int
) -> None:
    expect = Expect(answer=("Paris", "the city of light"), excludes=("sorry",))
    case = case_of(asked(expect, text="Is Paris the capital of France?"), system=[(2.5, 4.0)])
    (found,) = measured(task.answer_accuracy, case, hears(heard))
    assert found.quantity == Ratio(accurate, 1)
    assert found.details["transcript"] == heard
    assert measured(task.task_success, case, hears(heard))[0].quantity == Ratio(successful, 1)


def test_answer_accuracy_counts_every_question_and_nothing_else() -> None:
    case = case_of(asked(Expect(answer=("Paris",))), Spoken(4.0, 5.0, expect=ALARM))
    found = measured(task.answer_accuracy, case, Planted())
    assert [(m.turn, m.quantity) for m in found] == [(0, Ratio(0, 1))]


def test_silence_success_is_of_the_turns_that_expect_silence() -> None:
    quiet = Spoken(0.0, 1.0, expect=Expect(stay_silent=True))
    case = case_of(
        quiet,
        Spoken(4.0, 5.0, expect=ALARM),
        Spoken(8.0, 9.0, expect=Expect(stay_silent=True), when=Aside()),
        system=[(5.5, 6.5), (9.5, 11.0)],
    )
    found = measured(task.silence_success, case, Planted())
    assert [(m.turn, m.quantity) for m in found] == [(0, Ratio(1, 1)), (2, Ratio(0, 1))]


def test_the_request_repeated_holds_no_slot() -> None:
    expect = Expect(slots={"minutes": ("7",)})
    case = case_of(asked(expect, text="Set a timer for 7 minutes."), system=[(2.5, 4.0)])
    echo = hears("Set a timer for seven minutes.")
    assert measured(task.slot_recall, case, echo)[0].quantity == Ratio(0, 1)
    answer = hears("Your timer rings in seven minutes.")
    assert measured(task.slot_recall, case, answer)[0].quantity == Ratio(1, 1)
