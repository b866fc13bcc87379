"""What the metrics said of a reply's words: what the judge heard, which expectations held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cascadence.conversation import Expect, UserTurn
from cascadence.reports.wording import slot_text
from cascadence.results import Row

_TRANSCRIPTS: Mapping[str, str] = {
    "task_success": "transcript",
    "slot_recall": "transcript",
    "speech_loss": "transcript",
    "reply_wer": "hypothesis",
}
"""Metrics that keep the judge's transcript of a reply, and under which name."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation, and whether it was met."""

    text: str
    passed: bool


def was_heard(rows: Sequence[Row]) -> str:
    """Return the judge's transcript of a reply; empty where no metric tells it.

    Args:
        rows: the measurements of one turn.
    """
    for metric, key in _TRANSCRIPTS.items():
        for row in rows:
            if row.metric == metric and row.measurement.details.get(key):
                return str(row.measurement.details[key])
    return ""


def checks(turn: UserTurn | None, rows: Sequence[Row]) -> tuple[Check, ...]:
    """Say of each expectation whether it held; nothing where nobody judged, or the turn is unknown.

    Args:
        turn: the manifest's.
        rows: the measurements of this turn.
    """
    for row in rows:
        unmet = row.measurement.details.get("unmet")
        if row.metric == "task_success" and isinstance(unmet, list):
            if turn is None:
                return tuple(Check(str(name), passed=False) for name in unmet)
            judged = _judged(turn.expect)
            return tuple(Check(text, passed=name not in unmet) for name, text in judged)
    return ()


def _judged(expect: Expect) -> Iterator[tuple[str, str]]:
    """Each expectation as `task_success` names it, and in words."""
    if expect.stay_silent:
        yield "stay_silent", "says nothing"
    for name, values in expect.slots.items():
        yield f"slot {name}", slot_text(name, values)
    for phrase in expect.contains:
        yield f"contains {phrase!r}", f"says “{phrase}”"
    for phrase in expect.excludes:
        yield f"excludes {phrase!r}", f"does not say “{phrase}”"
    if expect.answer:
        yield "answer", f"answer: {' or '.join(expect.answer)}"
    if expect.tool_calls:
        yield "tool_calls", f"calls {', '.join(call.name for call in expect.tool_calls)}"
