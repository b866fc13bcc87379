"""The loudspeaker: what the system yielded becomes sound on the conversation's clock.

An `AudioOut` starts to play at ``max(now, end of what is queued)``. A late chunk inside a reply
leaves a recorded stall. `ClearAudio` cuts the queue at once. What has been played never changes
afterwards, so that a user who listens to it is causal by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cascadence.audio import ACTIVITY_FRAME_S, AUDIBLE_DBFS, MINIMUM_RUN_S, Audio
from cascadence.events import BadEvent

QUEUE_LIMIT_S = 600.0
_AUDIBLE_POWER = 10.0 ** (AUDIBLE_DBFS / 10.0)


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence inside a reply because its next chunk was late.

    Attributes:
        start_s: when the queue ran dry.
        duration_s: until the next chunk.
    """

    start_s: float
    duration_s: float


class PlayoutQueue:
    """The system's channel, in integer samples; implements `cascadence.protocols.Playout`."""

    def __init__(self, sample_rate: int, now_s: Callable[[], float]) -> None:
        """Start empty.

        Args:
            sample_rate: of everything that will be played, in Hz.
            now_s: the conversation's clock.
        """
        self.sample_rate = sample_rate
        self.stalls: list[Stall] = []
        self._now_s = now_s
        self._samples = np.zeros(sample_rate, dtype=np.float32)
        self._chunks: list[tuple[int, int]] = []
        self._end = 0
        self._in_reply = False
        self._runs: list[tuple[float, float]] = []
        self._listened_cells = 0

    def add(self, audio: Audio, t_s: float) -> float:
        """Queue a chunk yielded at ``t_s``; return when it starts to play, in seconds.

        Raises:
            BadEvent: more than `QUEUE_LIMIT_S` would be waiting.
        """
        now = round(t_s * self.sample_rate)
        start = max(now, self._end)
        if start + len(audio) - now > QUEUE_LIMIT_S * self.sample_rate:
            raise BadEvent(f"more than {QUEUE_LIMIT_S:.0f} s of audio queued")
        if self._in_reply and now > self._end:
            stalled_s = (now - self._end) / self.sample_rate
            self.stalls.append(Stall(self._end / self.sample_rate, stalled_s))
        self._in_reply = True
        self._reserve(start + len(audio))
        self._samples[start : start + len(audio)] = audio.samples
        self._chunks.append((start, start + len(audio)))
        self._end = start + len(audio)
        return start / self.sample_rate

    def clear(self, t_s: float) -> None:
        """Cut what has not been played by ``t_s``."""
        now = round(t_s * self.sample_rate)
        self._in_reply = False
        if now >= self._end:
            return
        self._samples[now : self._end] = 0.0
        self._chunks = [(a, min(b, now)) for a, b in self._chunks if a < now]
        self._end = now

    def end_reply(self) -> None:
        """What comes next is a new reply: silence before it is no stall."""
        self._in_reply = False

    @property
    def end_s(self) -> float:
        """When the queue runs dry, if nothing is added."""
        return self._end / self.sample_rate

    @property
    def played_s(self) -> float:
        """Seconds of the system's audio heard by now, stalls left out."""
        now = round(self._now_s() * self.sample_rate)
        played = sum(min(b, now) - a for a, b in self._chunks if a < now)
        return played / self.sample_rate

    @property
    def remaining_s(self) -> float:
        """Seconds still queued."""
        return max(0.0, self.end_s - self._now_s())

    def listen(self, t_s: float) -> None:
        """Hear what was played before ``t_s``; nothing later is looked at."""
        last_cell = int(t_s / ACTIVITY_FRAME_S + 1e-6)
        if last_cell <= self._listened_cells:
            return
        heard_s = self._listened_cells * ACTIVITY_FRAME_S
        if heard_s >= self.end_s:
            self._listened_cells = last_cell
            return
        for cell in range(self._listened_cells, last_cell):
            first = round(cell * ACTIVITY_FRAME_S * self.sample_rate)
            last = round((cell + 1) * ACTIVITY_FRAME_S * self.sample_rate)
            frame = self._samples[first : min(last, self._end)]
            if len(frame) and float(np.dot(frame, frame)) / (last - first) >= _AUDIBLE_POWER:
                self._mark_audible(cell * ACTIVITY_FRAME_S, (cell + 1) * ACTIVITY_FRAME_S)
        self._listened_cells = last_cell

    def first_onset_s(self, after_s: float) -> float | None:
        """Start of the first audible run heard so far that reaches beyond ``after_s``."""
        for start_s, end_s in self._runs:
            if end_s > after_s and end_s - start_s >= MINIMUM_RUN_S - 1e-9:
                return max(start_s, after_s)
        return None

    @property
    def last_audible_s(self) -> float:
        """End of the last audible run heard so far; 0 where there was none."""
        return self._runs[-1][1] if self._runs else 0.0

    def render(self, duration_s: float) -> Audio:
        """Return the channel from 0 to ``duration_s``."""
        count = round(duration_s * self.sample_rate)
        self._reserve(count)
        return Audio(self._samples[:count].copy(), self.sample_rate)

    def _mark_audible(self, start_s: float, end_s: float) -> None:
        if self._runs and start_s - self._runs[-1][1] < 1e-9:
            self._runs[-1] = (self._runs[-1][0], end_s)
        else:
            self._runs.append((start_s, end_s))

    def _reserve(self, count: int) -> None:
        if count > len(self._samples):
            larger = np.zeros(max(count, 2 * len(self._samples)), dtype=np.float32)
            larger[: len(self._samples)] = self._samples
            self._samples = larger
