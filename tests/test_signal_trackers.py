"""The pitch tracker in use, by mir_eval; and the script that compares it with others."""

import numpy as np
import pytest

from cascadence.metrics.signal_pitch import PitchTrack
from cascadence.metrics.tools import Features

pytest.importorskip("mir_eval")

from f0_trackers import score, tones, with_noise

HOP_S = 0.005


def planted() -> PitchTrack:
    f0_hz = np.full(400, 150.0)
    f0_hz[100:200] = 0.0
    return PitchTrack(HOP_S, f0_hz)


def altered(first: int, last: int, value: float) -> PitchTrack:
    f0_hz = planted().f0_hz.copy()
    f0_hz[first:last] = value
    return PitchTrack(HOP_S, f0_hz)


def test_the_truth_scores_fully() -> None:
    found = score([planted()], [planted()])
    assert (found.raw_pitch, found.recall, found.false_alarm, found.gross) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        (altered(0, 60, 300.0), (0.8, 1.0, 0.0, 0.2)),  # an octave up
        (altered(0, 60, 150.0 * 2 ** (60 / 1200)), (0.8, 1.0, 0.0, 0.0)),  # 60 cents up
        (altered(0, 60, 0.0), (0.8, 0.8, 0.0, 0.0)),  # taken for unvoiced
        (altered(100, 150, 80.0), (1.0, 1.0, 0.5, 0.0)),  # taken for voiced
        (PitchTrack(HOP_S, np.zeros(400)), (0.0, 0.0, 0.0, None)),
    ],
    ids=["octave", "60 cents", "missed", "invented", "nothing"],
)
def test_planted_errors_come_back(track: PitchTrack, expected: tuple[float | None, ...]) -> None:
    found = score([planted()], [track])
    numbers = (found.raw_pitch, found.recall, found.false_alarm, found.gross)
    for number, value in zip(numbers, expected, strict=True):
        assert number == (None if value is None else pytest.approx(value, abs=0.015))


@pytest.mark.parametrize("noisy", [False, True])
def test_the_tracker_in_use_is_right_on_tones(noisy: bool) -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    track = Features().track
    sounds, truths = zip(*tones(12), strict=True)
    if noisy:
        sounds = tuple(with_noise(sound, seed) for seed, sound in enumerate(sounds))
    found = score(list(truths), [track(sound) for sound in sounds])
    assert found.raw_pitch > 0.97
    assert found.recall > 0.97
    assert found.false_alarm < 0.1
    assert found.gross is not None
    assert found.gross < 0.005
