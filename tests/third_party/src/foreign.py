"""Somebody else's system and metric."""

from collections.abc import Iterator
from typing import Self

import numpy as np

from cascadence.events import AudioOut, EndOfTurn, Event
from cascadence.measurement import Case, Measurement, Tools, metric, value
from cascadence.protocols import AudioIn, Context, SystemInfo


class ForeignSystem:
    """Beeps once, two seconds into the conversation."""

    info = SystemInfo("foreign", "end_to_end", "full", 8_000, "MIT", "1.0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exit_information: object) -> None:
        pass

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        for _ in audio_in:
            if abs(audio_in.position_s - 2.0) < 0.001:
                beep = 0.3 * np.sin(np.arange(4_000) * 0.5)
                yield AudioOut(beep.astype(np.float32), 8_000)
                yield EndOfTurn()


@metric(family="task", unit="turns", direction="neither", range=(0, 100), level="conversation")
def foreign_turns(case: Case, tools: Tools) -> Measurement:
    """Number of user turns."""
    return value(len(case.recording.turns))
