"""Tool calls: was the right tool called with the right arguments?

Calls are compared as sets: their order is the system's own. Names match exactly. Arguments match by
value: ``7``, ``7.0``, ``"7"`` and ``"seven"`` are the same number, ``"7:15"`` and ``"a quarter past
seven"`` the same time, ``true`` and ``"true"`` the same truth; a missing or further argument is
another call.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cascadence.conversation import ExpectedToolCall
from cascadence.events import Stamped
from cascadence.measurement import Case, Measurement, Tools, metric, ratio
from cascadence.metrics.text import says
from cascadence.metrics.turns import PlayedView, each_turn


def matched(expected: Sequence[ExpectedToolCall], calls: Sequence[Stamped]) -> int:
    """Return how many of the expected calls were made, each call counted once.

    Args:
        expected: by the manifest.
        calls: ``tool_call`` events, in any order.
    """
    left = list(calls)
    found = 0
    for wanted in expected:
        place = next((i for i, call in enumerate(left) if is_call(wanted, call)), None)
        if place is not None:
            del left[place]
            found += 1
    return found


def is_call(wanted: ExpectedToolCall, call: Stamped) -> bool:
    """Whether a ``tool_call`` event is the expected call."""
    given = call.data["arguments"]
    if call.data["name"] != wanted.name or given.keys() != wanted.arguments.keys():
        return False
    return all(_same(wanted.arguments[key], given[key]) for key in given)


def _same(wanted: str | float | bool, given: object) -> bool:
    if isinstance(wanted, bool) or isinstance(given, bool):
        return str(wanted).casefold() == str(given).casefold()
    if isinstance(wanted, str) and isinstance(given, str):
        return wanted == given or (says(wanted, given) and says(given, wanted))
    if isinstance(wanted, str):
        return isinstance(given, int | float) and _same(wanted, _written(given))
    if isinstance(given, str):
        return _same(_written(wanted), given)
    return isinstance(given, int | float) and math.isclose(wanted, given, rel_tol=1e-9)


def _written(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)


@metric(
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="turn",
    summary="ratio",
)
def tool_call_accuracy(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the turns with expected tool calls at which exactly those were made.

    All of them, in any order, and no other: a system that calls every tool it has is not accurate
    (`cascadence.metrics.task.task_success` lets further calls pass). The details count what was
    expected, made and matched.
    """

    def accuracy(view: PlayedView) -> Measurement:
        expected, made = view.turn.expect.tool_calls, view.events("tool_call")
        found = matched(expected, made)
        exact = found == len(expected) == len(made)
        return ratio(exact, 1, expected=len(expected), made=len(made), matched=found)

    return each_turn(case, accuracy, lambda turn: bool(turn.expect.tool_calls))
