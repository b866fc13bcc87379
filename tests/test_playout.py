"""The loudspeaker: where sound lands on the clock, what is cut, what a listener hears."""

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.events import BadEvent
from cascadence.playout import PlayoutQueue

RATE = 8000


def tone(duration_s: float) -> Audio:
    n = round(duration_s * RATE)
    return Audio((0.5 * np.sin(np.arange(n) * 0.3)).astype(np.float32), RATE)


class Now:
    t_s = 0.0

    def __call__(self) -> float:
        return self.t_s


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def queue(now: Now) -> PlayoutQueue:
    return PlayoutQueue(RATE, now)


def test_chunks_play_at_once_or_after_what_is_queued(queue: PlayoutQueue) -> None:
    assert queue.add(tone(1.0), 2.0) == 2.0
    assert queue.add(tone(0.5), 2.1) == 3.0
    assert queue.end_s == 3.5
    assert queue.stalls == []


def test_a_late_chunk_inside_a_reply_is_a_stall(queue: PlayoutQueue) -> None:
    queue.add(tone(1.0), 0.0)
    queue.add(tone(1.0), 1.25)
    (stall,) = queue.stalls
    assert stall.start_s == 1.0
    assert stall.duration_s == 0.25


def test_silence_between_replies_is_no_stall(queue: PlayoutQueue) -> None:
    queue.add(tone(1.0), 0.0)
    queue.end_reply()
    queue.add(tone(1.0), 5.0)
    assert queue.stalls == []


def test_clear_cuts_at_once_and_counts_what_was_heard(queue: PlayoutQueue, now: Now) -> None:
    queue.add(tone(2.0), 1.0)
    queue.clear(1.5)
    now.t_s = 4.0
    assert queue.played_s == pytest.approx(0.5)
    assert queue.remaining_s == 0.0
    rendered = queue.render(4.0).samples
    assert np.abs(rendered[round(1.4 * RATE) : round(1.5 * RATE)]).max() > 0.4
    assert np.abs(rendered[round(1.5 * RATE) :]).max() == 0.0
    assert queue.add(tone(0.1), 4.0) == 4.0


def test_played_and_remaining_follow_the_clock(queue: PlayoutQueue, now: Now) -> None:
    queue.add(tone(2.0), 1.0)
    now.t_s = 1.75
    assert queue.played_s == pytest.approx(0.75)
    assert queue.remaining_s == pytest.approx(1.25)


def test_a_listener_hears_only_what_was_played_before(queue: PlayoutQueue) -> None:
    queue.add(tone(1.0), 0.5)
    queue.listen(0.5)
    assert queue.first_onset_s(0.0) is None
    queue.listen(0.6)
    assert queue.first_onset_s(0.0) == pytest.approx(0.5)
    assert queue.last_audible_s == pytest.approx(0.6)
    queue.listen(3.0)
    assert queue.last_audible_s == pytest.approx(1.5)


def test_a_click_is_no_onset(queue: PlayoutQueue) -> None:
    queue.add(tone(0.02), 0.5)
    queue.listen(1.0)
    assert queue.first_onset_s(0.0) is None


def test_endless_audio_is_refused(queue: PlayoutQueue) -> None:
    for _ in range(600):
        queue.add(tone(1.0), 0.0)
    with pytest.raises(BadEvent, match="600 s"):
        queue.add(tone(1.0), 0.0)
