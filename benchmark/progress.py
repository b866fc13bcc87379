"""What a person sees on standard error while long work runs: what, how far, how fast, how long yet.

A live bar on a terminal, plain lines everywhere else.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from cascadence.catalogue import Artefact

PLAIN_INTERVAL_S = 10.0


class TerminalProgress:
    """Implements `cascadence.experiment.ExperimentProgress`."""

    def __init__(self, console: Console | None = None) -> None:
        """Write to ``console``, by default standard error."""
        self._console = console or Console(stderr=True, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, rate="")
        self._stage = "playing"
        self._total = self._done = self._failed = self._here = 0
        self._started = time.monotonic()
        self._last_line = float("-inf")

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._bar.update(self._task, visible=False)
        self._bar.stop()

    def cell(self, name: str, total: int, done: int) -> None:
        """Announce a cell."""
        self._total += total
        self._done += done
        if done < total:
            self._show(f"{name}: {total - done} conversations to play", force=True)

    def loading(self, name: str) -> None:
        """Announce that models are being loaded."""
        self._show(f"{name}: loading", force=True)

    def conversation(self, cell: str, status: str, reason: str) -> None:
        """Count a finished conversation; a failure is said at once."""
        self._done += 1
        self._here += 1
        if status == "failed":
            self._failed += 1
            self.note(f"{cell}: failed: {reason}")
        self._show(cell)

    def scoring(self, done: int, total: int, what: str) -> None:
        """Show how far the measuring is."""
        if done == 0 and self._stage != "measuring":
            self._begin("measuring")
        self._here += done - self._done
        self._done, self._total = done, total
        if what:
            self._show(what)

    def fetching(self, artefact: Artefact, done: int, total: int | None) -> None:
        """Show how far a download is."""
        size = f"{done / 1e6:.0f}" + (f" of {total / 1e6:.0f}" if total else "") + " MB"
        self._line(f"fetching {artefact.name}: {size}", force=total is not None and done >= total)

    def note(self, text: str) -> None:
        """Say something that stays on the screen."""
        self._console.print(escape(text), highlight=False)

    def _begin(self, stage: str) -> None:
        self._stage = stage
        self._total = self._done = self._failed = self._here = 0
        self._started = time.monotonic()
        self._last_line = float("-inf")

    def _show(self, what: str, force: bool = False) -> None:
        elapsed_s = time.monotonic() - self._started
        rate = self._here / elapsed_s if elapsed_s > 0 else 0.0
        per_minute = f"{60 * rate:.0f}/min" if rate > 0 else ""
        failed = f", {self._failed} failed" if self._failed else ""
        self._bar.update(
            self._task,
            description=escape(f"{self._stage}{failed} {what}"[:70]),
            completed=self._done,
            total=self._total,
            rate=per_minute,
        )
        left = f", {_clock((self._total - self._done) / rate)} left" if rate > 0 else ""
        speed = f", {per_minute}" if per_minute else ""
        counts = f"[{self._stage} {self._done}/{self._total}{failed}{speed}{left}]"
        self._line(f"{counts} {what}", force)

    def _line(self, text: str, force: bool) -> None:
        """Print a plain line where there is no bar, now and then or when it matters."""
        now = time.monotonic()
        due = force or now - self._last_line >= PLAIN_INTERVAL_S
        if due and not self._console.is_terminal:
            self._console.print(escape(text), highlight=False)
            self._last_line = now


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
