"""Stages that know the answer: a cascade with one of them shows what that stage costs.

`OracleAsr` reads the manifest's text and `OracleLlm` its reference reply. There is no oracle for
the TTS: what the perfect voice is, no manifest says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from cascadence.errors import CascadenceError
from cascadence.protocols import Answer, Context, Exchange, PartInfo, Turn

_REVISION = "1"
_MOSTLY = 0.5


class _Oracle:
    """What both oracles are: nothing to load, everything to see."""

    @property
    def info(self) -> PartInfo:
        """Say that the answers are seen."""
        return PartInfo("oracle", licence="Apache-2.0", revision=_REVISION, sees_answers=True)

    def __enter__(self) -> Self:
        """There is nothing to load."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to release."""


class OracleAsr(_Oracle):
    """An `Asr` that hears every word that was said, and nothing where nothing was."""

    def transcribe(self, turn: Turn, context: Context) -> Iterator[str]:
        """Yield the text of every user turn whose speech lies mostly inside this one."""
        for answer in answers(context):
            inside_s = min(answer.end_s, turn.end_s) - max(answer.start_s, turn.start_s)
            if inside_s > _MOSTLY * (answer.end_s - answer.start_s) and answer.text.strip():
                yield answer.text.strip()


class OracleLlm(_Oracle):
    """An `Llm` that gives the reference reply to the turn that the user began last."""

    def respond(self, text: str, history: Sequence[Exchange], context: Context) -> Iterator[str]:
        """Yield the reply; nothing where none is expected, or where the manifest has none."""
        begun = answers(context)
        if begun and begun[-1].reply_text and not begun[-1].stay_silent:
            yield begun[-1].reply_text


def answers(context: Context) -> Sequence[Answer]:
    """Return what the manifest knows about the turns begun so far.

    Raises:
        CascadenceError: the system does not declare that it sees answers.
    """
    if context.oracle is None:
        raise CascadenceError(
            "an oracle was given no answers",
            mend="the system's info must say sees_answers=True",
        )
    return context.oracle.answers()
