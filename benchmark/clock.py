"""Two clocks with one face: time as the user of a speech system would feel it.

The conversation's time runs on while a system computes and while it waits for the user's audio.
`RealTimeClock` lets both happen. `VirtualClock` measures the first and jumps over the second, so
that ten minutes of silence cost nothing and the latencies are still those of real time.

A clock is *inside* while control is in the system, *outside* while it is in the harness; only time
inside counts as the system's compute, and harness time does not pass at all on the virtual clock.
"""

from __future__ import annotations

import time
from typing import Literal, Protocol


class Clock(Protocol):
    """Seconds since the conversation's start."""

    @property
    def kind(self) -> Literal["virtual", "real_time"]:
        """Its name, as a sweep writes it."""

    @property
    def compute_s(self) -> float:
        """Time spent inside the system so far, waiting excluded."""

    def now_s(self) -> float:
        """Return the current time."""

    def enter_system(self) -> None:
        """Control passes to the system."""

    def leave_system(self) -> None:
        """Control returns to the harness."""

    def wait_until(self, t_s: float) -> None:
        """Let time pass to ``t_s``, if that is in the future; only outside the system."""


class VirtualClock:
    """Advances by measured compute, and by jumps to when the next frame arrives."""

    kind: Literal["virtual"] = "virtual"

    def __init__(self) -> None:
        """Start at 0, outside the system."""
        self._now_s = 0.0
        self._compute_s = 0.0
        self._entered: float | None = None

    @property
    def compute_s(self) -> float:
        """Time spent inside the system so far."""
        running = 0.0 if self._entered is None else time.perf_counter() - self._entered
        return self._compute_s + running

    def now_s(self) -> float:
        """Return the current time, the running computation included."""
        running = 0.0 if self._entered is None else time.perf_counter() - self._entered
        return self._now_s + running

    def enter_system(self) -> None:
        """Start to measure."""
        self._entered = time.perf_counter()

    def leave_system(self) -> None:
        """Stop to measure, and let the clock advance by what was measured."""
        if self._entered is None:
            return
        elapsed_s = time.perf_counter() - self._entered
        self._entered = None
        self._now_s += elapsed_s
        self._compute_s += elapsed_s

    def wait_until(self, t_s: float) -> None:
        """Jump."""
        self._now_s = max(self._now_s, t_s)


class RealTimeClock:
    """The wall clock; waiting sleeps."""

    kind: Literal["real_time"] = "real_time"

    def __init__(self) -> None:
        """Start now, outside the system."""
        self._start = time.perf_counter()
        self._compute_s = 0.0
        self._entered: float | None = None

    @property
    def compute_s(self) -> float:
        """Time spent inside the system so far."""
        running = 0.0 if self._entered is None else time.perf_counter() - self._entered
        return self._compute_s + running

    def now_s(self) -> float:
        """Return the time since the start."""
        return time.perf_counter() - self._start

    def enter_system(self) -> None:
        """Start to measure."""
        self._entered = time.perf_counter()

    def leave_system(self) -> None:
        """Stop to measure."""
        if self._entered is None:
            return
        self._compute_s += time.perf_counter() - self._entered
        self._entered = None

    def wait_until(self, t_s: float) -> None:
        """Sleep until ``t_s``."""
        remaining_s = t_s - self.now_s()
        if remaining_s > 0.0:
            time.sleep(remaining_s)


def make_clock(kind: Literal["virtual", "real_time"]) -> Clock:
    """Return a clock of this kind, started."""
    return VirtualClock() if kind == "virtual" else RealTimeClock()
