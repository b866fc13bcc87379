"""Systems for the runner's tests, named by file in a sweep: one works, the others do not."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Self

import numpy as np

from cascadence.events import AudioOut, EndOfTurn, Event, TextOut
from cascadence.protocols import AudioIn, Context, SystemInfo

RATE = 16_000


class Echoing:
    """Answers each turn with a burst, 0.3 s after its true end; the loudness is a parameter."""

    def __init__(self, level: float = 0.1, compute_s: float = 0.0, revision: str = "1") -> None:
        self.level, self.compute_s = level, compute_s
        self.info = SystemInfo(
            name="echoing",
            kind="control",
            duplex="half",
            output_rate=RATE,
            licence="Apache-2.0",
            revision=revision,
            parameters={"level": level},
            sees_answers=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exit_information: object) -> None:
        pass

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        assert context.oracle is not None
        answered = 0
        for _ in audio_in:
            answers = context.oracle.answers()
            if len(answers) > answered and audio_in.position_s >= answers[answered].end_s + 0.3:
                yield from self.answer(answers[answered].text)
                answered += 1

    def answer(self, text: str) -> Iterator[Event]:
        time.sleep(self.compute_s)
        yield TextOut(text)
        noise = np.random.default_rng(0).uniform(-self.level, self.level, RATE)
        yield AudioOut(noise.astype(np.float32), RATE)
        yield EndOfTurn()


class Troubled(Echoing):
    """Breaks on conversations whose first words hold a number that ``every`` divides."""

    def __init__(self, how: str = "raise", every: int = 2) -> None:
        super().__init__()
        self.how, self.every = how, every

    def answer(self, text: str) -> Iterator[Event]:
        number = int("".join(c for c in text if c.isdigit()))
        if number % self.every == 0:
            self.break_down()
        yield from super().answer(text)

    def break_down(self) -> None:
        match self.how:
            case "raise":
                raise ValueError("planted failure")
            case "hang":
                time.sleep(3600)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)


class Unloadable(Echoing):
    """Cannot be entered."""

    def __enter__(self) -> Self:
        raise OSError("no such model")


class Chatty(Echoing):
    """Prints to standard output, as careless models do."""

    def answer(self, text: str) -> Iterator[Event]:
        print("x" * 10_000, flush=True)  # noqa: T201
        yield from super().answer(text)
