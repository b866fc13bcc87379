"""What Cadence need not hear twice: a turn so far, with nothing but silence after it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cascadence.audio import Audio  # noqa: E402
from cascadence.systems.cadence.listener import _goes_on_silent  # noqa: E402


def sound(duration_s: float, seed: int = 0) -> Audio:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, round(duration_s * 16000))
    return Audio(samples.astype(np.float32), 16000)


@pytest.mark.parametrize(
    ("more_s", "silence_s", "same"),
    [(0.0, 0.0, True), (0.3, 0.5, True), (0.5, 0.5, True), (0.6, 0.5, False), (0.3, 0.0, False)],
)
def test_only_silence_may_have_been_added(more_s: float, silence_s: float, same: bool) -> None:
    earlier = sound(1.0)
    now = Audio(np.pad(earlier.samples, (0, round(more_s * 16000))), 16000)
    assert _goes_on_silent(earlier, now, silence_s) is same


def test_another_sound_or_a_shorter_one_is_heard_anew() -> None:
    assert not _goes_on_silent(sound(1.0), sound(1.0, seed=1), 1.0)
    assert not _goes_on_silent(sound(1.0), sound(0.9), 1.0)
