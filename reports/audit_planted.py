"""What `scripted` must have scored: the numbers that were planted in it, as checks."""

from __future__ import annotations

from collections.abc import Callable

from cascadence.conversation import Aside, Backchannel, BargeIn
from cascadence.measurement import Ratio, Value
from cascadence.reports.audit_checks import Check, Observed, Place, missing, seen


def planted(expected: Callable[[Place], float | str], tolerance: float) -> Check:
    """Demand a number that the control was made to score; chance plays no part, so no interval.

    Args:
        expected: tells it, or why there is none.
        tolerance: in the metric's unit.
    """

    def check(place: Place) -> Observed:
        target, entry = expected(place), place.entry
        if isinstance(target, str):
            return seen(entry, "not measured", target)
        if entry.value is None:
            return missing(entry)
        held = abs(entry.value - target) <= tolerance
        return seen(entry, "held" if held else "violated", f"planted {target:.3g}")

    return check


def sum_of(*names: str) -> Callable[[Place], float | str]:
    """Expect the sum of some of the control's parameters."""

    def expected(place: Place) -> float | str:
        parameters = place.parameters
        found = [parameters[name] for name in names if parameters.get(name) is not None]
        return float(sum(found)) if len(found) == len(names) else "nothing is planted"

    return expected


def planted_stall(tolerance: float) -> Check:
    """Demand the planted stall of every reply, and no more of one that the user speaks into.

    Such a reply is given up, maybe before its middle: the mean is over the others.

    Args:
        tolerance: in s.
    """

    def check(place: Place) -> Observed:
        target, entry = sum_of("stall_s")(place), place.entry
        if isinstance(target, str) or entry.value is None:
            return planted(sum_of("stall_s"), tolerance)(place)
        whole: list[float] = []
        cut: list[float] = []
        for row in place.rows:
            told = place.contents.conversation(place.cell, row.conversation_id)
            number, quantity = row.measurement.turn, row.measurement.quantity
            if told is None or number is None:
                return seen(entry, "not measured", "the corpus is not at hand")
            if isinstance(quantity, Value):
                next_turn = told.turns[number + 1 : number + 2]
                into = any(isinstance(turn.when, BargeIn) for turn in next_turn)
                (cut if into else whole).append(quantity.x)
        if not whole:
            return seen(entry, "not measured", "the user speaks into every reply")
        held = abs(sum(whole) / len(whole) - target) <= tolerance
        held &= max(cut, default=0.0) <= target + tolerance
        note = f"planted {target:.3g}; {len(cut)} replies left out that the user speaks into"
        return Observed(
            "held" if held else "violated",
            sum(whole) / len(whole),
            n=len(whole),
            note=note if cut else f"planted {target:.3g}",
        )

    return check


def misheard(place: Place) -> float | str:
    """Expect one word too many for every n-th word of a conversation's turns to the system.

    The words that the errors are set against are those that the metric counted.
    """
    every = int(place.parameters.get("misheard_every", 0))
    errors = 0
    for conversation_id in {row.conversation_id for row in place.rows}:
        told = place.contents.conversation(place.cell, conversation_id)
        if told is None:
            return "the corpus is not at hand"
        heard = [turn for turn in told.turns if not isinstance(turn.when, Aside | Backchannel)]
        errors += sum(len(turn.text.split()) for turn in heard) // every if every else 0
    counted = [row.measurement.quantity for row in place.rows]
    words = sum(q.denominator for q in counted if isinstance(q, Ratio))
    return errors / words if words else "no words"


def right(place: Place) -> float | str:
    """Expect every n-th reply of a conversation to be wrong, and nothing else."""
    parameters = place.parameters
    if not (place.cell.info.get("parts") or parameters.get("wav")):
        return "it speaks noise: it was given no voice"
    every = int(parameters.get("wrong_every", 0))
    judged = [row for row in place.rows if row.measurement.status == "ok"]
    turns = [(row.measurement.turn, place.turn(row)) for row in judged]
    known = [(number, turn) for number, turn in turns if turn is not None and number is not None]
    if len(known) < len(turns):
        return "the corpus is not at hand"
    if not known:
        return "no turn has a task"
    hits = [
        turn.expect.stay_silent or not every or (number + 1) % every != 0 for number, turn in known
    ]
    return sum(hits) / len(hits)
