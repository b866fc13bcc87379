"""Stages that know the answer: a cascade with one of them shows what that stage costs.

`OracleAsr` reads the manifest's text and `OracleLlm` its reference reply. `OracleTts` stands for a
voice of which every word is understood: how it sounds, no manifest says, so it hums for as long as
the words would take, and its words count as heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from cascadence.audio import Audio
from cascadence.errors import CascadenceError
from cascadence.protocols import Answer, Context, Exchange, PartInfo, Turn

_REVISION = "1"
_MOSTLY = 0.5
_HUM_HZ = 120.0
_HUMMED_S = 0.3


class _Oracle:
    """What all oracles are: nothing to load, everything to see."""

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


class OracleTts(_Oracle):
    """A `Tts` whose words are all understood; its sound is a hum, and is not to be rated."""

    output_rate = 16_000

    def synthesize(self, text: str, context: Context) -> Iterator[Audio]:
        """Hum for 0.3 s a word, a pause of 50 ms after each: audible, and in a reply's rhythm."""
        del context
        times_s = np.arange(round(_HUMMED_S * self.output_rate)) / self.output_rate
        tones = [np.sin(2 * np.pi * _HUM_HZ * k * times_s) / k for k in (1, 2, 3, 4)]
        swell = np.sin(np.pi * times_s / _HUMMED_S)
        word = np.pad(0.05 * swell * np.sum(tones, axis=0), (0, round(0.05 * self.output_rate)))
        hum = np.tile(word, len(text.split()))
        if len(hum):
            yield Audio(hum.astype(np.float32), self.output_rate)


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
