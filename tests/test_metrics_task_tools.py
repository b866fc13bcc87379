from typing import Any

import pytest

from cascadence.conversation import Expect, ExpectedToolCall
from cascadence.events import Stamped
from cascadence.measurement import Case, Ratio
from cascadence.metrics.task import task_success
from cascadence.metrics.task_tools import matched, tool_call_accuracy
from planted_cases import Planted, Spoken, case_of, measured

LIGHT = ExpectedToolCall(name="set_light", arguments={"room": "kitchen", "percent": 50})
ALARM = ExpectedToolCall(name="set_alarm", arguments={"time": "7:15", "repeat": False})


def call(name: str, **arguments: object) -> Stamped:
    return Stamped(2.2, "tool_call", {"name": name, "arguments": arguments})


def case(*calls: Stamped, expected: tuple[ExpectedToolCall, ...] = (LIGHT, ALARM)) -> Case:
    return case_of(Spoken(0.0, 2.0, expect=Expect(tool_calls=expected)), events=calls)


LIGHT_CALL = call("set_light", room="kitchen", percent=50)
ALARM_CALL = call("set_alarm", time="7:15", repeat=False)


@pytest.mark.parametrize(
    ("calls", "accurate", "successful"),
    [
        ((LIGHT_CALL, ALARM_CALL), 1, 1),
        ((ALARM_CALL, LIGHT_CALL), 1, 1),
        ((LIGHT_CALL,), 0, 0),
        ((), 0, 0),
        # All that was wanted, and more: the user is served, and the calls are not accurate.
        ((LIGHT_CALL, ALARM_CALL, LIGHT_CALL), 0, 1),
        ((LIGHT_CALL, ALARM_CALL, call("weather")), 0, 1),
        ((LIGHT_CALL, LIGHT_CALL), 0, 0),
        ((LIGHT_CALL, call("set_alarm", time="7:50", repeat=False)), 0, 0),
    ],
)
def test_exactly_the_expected_calls_in_any_order(
    calls: tuple[Stamped, ...], accurate: int, successful: int
) -> None:
    (found,) = measured(tool_call_accuracy, case(*calls))
    assert found.quantity == Ratio(accurate, 1)
    assert (found.details["expected"], found.details["made"]) == (2, len(calls))
    assert measured(task_success, case(*calls), Planted())[0].quantity == Ratio(successful, 1)


def test_each_call_counts_once() -> None:
    assert matched((LIGHT, LIGHT), [LIGHT_CALL]) == 1
    twice = case(LIGHT_CALL, expected=(LIGHT, LIGHT))
    assert measured(tool_call_accuracy, twice)[0].quantity == Ratio(0, 1)
    assert measured(tool_call_accuracy, twice)[0].details["matched"] == 1


@pytest.mark.parametrize(
    ("wanted", "given", "same"),
    [
        (7, 7.0, True),
        (7, "7", True),
        (7, "seven", True),
        ("seven", 7, True),
        (0.1 + 0.2, 0.3, True),
        (7, 8, False),
        (7, "seventy", False),
        (-3, "minus three", True),
        ("7:15", "a quarter past seven", True),
        ("7:15", "7:50", False),
        ("Kitchen", "kitchen", True),
        ("kitchen", "the kitchen light", False),
        (True, True, True),
        (True, "true", True),
        (True, 1, False),
        (False, 0, False),
        (1, True, False),
        (7, None, False),
        ("a", ["a"], False),
    ],
)
def test_arguments_match_by_value(wanted: Any, given: object, same: bool) -> None:
    expected = ExpectedToolCall.model_construct(name="tool", arguments={"x": wanted})
    assert matched((expected,), [call("tool", x=given)]) == int(same)


def test_a_missing_or_further_argument_is_another_call() -> None:
    assert matched((LIGHT,), [call("set_light", room="kitchen")]) == 0
    assert matched((LIGHT,), [call("set_light", room="kitchen", percent=50, colour="red")]) == 0


def test_turns_without_expected_calls_are_not_measured() -> None:
    assert measured(tool_call_accuracy, case(LIGHT_CALL, expected=())) == []
