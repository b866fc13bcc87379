"""Dose and response of what `test_signal_dose` leaves out: pauses, range of levels, final slope.

The feature that was changed follows the dose, in five steps; the others stay where they were,
within `STAY`. What moves with good reason is in `also`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.metrics.signal import active_level_dbfs, speech_runs
from cascadence.metrics.signal_levels import frame_levels_db
from test_signal_dose import STAY, analyses, at_level, measured

__all__ = ["analyses"]
pytestmark = pytest.mark.slow

RATE = 16_000


def spoken(parts: Any) -> Audio:
    from cascadence.data_manifests.recipes.resynthesis import Change, resynthesise

    return at_level(resynthesise(parts, Change()))


def paused(parts: Any, pause_s: float) -> Audio:
    """Speech that stops in the middle, where it is most quiet, for so long."""
    sound = spoken(parts)
    levels = frame_levels_db(sound)
    third = len(levels) // 3
    frame = third + int(np.argmin(np.convolve(levels, np.ones(5) / 5, "same")[third : 2 * third]))
    place = frame * RATE // 100
    halves = sound.samples[:place], sound.samples[place:]
    gap = np.zeros(round(pause_s * RATE), dtype=np.float32)
    return Audio(np.concatenate((halves[0], gap, halves[1])), RATE)


def slow_levels_db(sound: Audio) -> np.ndarray:
    """Level over some 20 ms at each sample, relative to the loud parts, no deeper than 25 dB."""
    from scipy.ndimage import gaussian_filter1d

    envelope = np.sqrt(gaussian_filter1d(sound.samples.astype(np.float64) ** 2, 0.02 * RATE))
    return 20 * np.log10(np.maximum(envelope / np.quantile(envelope, 0.95), 10 ** (-25 / 20)))


def expanded(parts: Any, exponent: float) -> Audio:
    """Speech whose slow level is stretched about its loud parts."""
    sound = spoken(parts)
    gain = 10 ** ((exponent - 1.0) * slow_levels_db(sound) / 20)
    return at_level(Audio((sound.samples * gain).astype(np.float32), RATE))


def stretched_db(exponent: float, analyses: list[Any]) -> float:
    """By how much `expanded` moves quiet parts away from loud ones, mean over voices.

    The feature's frames of 10 ms are quiet elsewhere than the slow level, and follow by 0.85 of it.
    """
    spreads = []
    for parts in analyses:
        sound = spoken(parts)
        runs = speech_runs(sound, active_level_dbfs(sound) or 0.0)
        levels = slow_levels_db(sound)
        inside = np.concatenate([levels[round(a * RATE) : round(b * RATE)] for a, b in runs])
        low, high = np.percentile(inside, (5, 95))
        spreads.append(high - low)
    return (exponent - 1.0) * float(np.mean(spreads))


def ending(parts: Any, slope_st_per_s: float) -> Audio:
    """Speech whose pitch turns by so much a second in its last 0.3 s of voice."""
    voiced = np.flatnonzero(parts.f0_hz > 0.0)
    after_s = 0.005 * np.arange(len(parts.f0_hz)) - (0.005 * voiced[-1] - 0.3)
    turned = parts.f0_hz * 2.0 ** (slope_st_per_s * np.maximum(after_s, 0.0) / 12.0)
    return spoken(replace(parts, f0_hz=turned))


@dataclass(frozen=True)
class Dose:
    """What is done, in which steps, and which feature has to follow, how and how nearly.

    ``expected`` takes a step and the voices, and says how far the feature has moved.
    """

    made: Callable[[Any, float], Audio]
    steps: Sequence[float]
    feature: str
    expected: Callable[[float, list[Any]], float]
    within: float
    also: frozenset[str] = frozenset()


DOSES = {
    "level range": Dose(
        expanded,
        (0.6, 0.8, 1.0, 1.2, 1.4),
        "level_range_db",
        stretched_db,
        2.0,
    ),
    "final slope": Dose(
        ending,
        (-20.0, -10.0, 0.0, 10.0, 20.0),
        "final_f0_slope_st_per_s",
        lambda slope, analyses: slope,
        2.0,
        # A fall at the end reaches below the rest of the tune.
        frozenset({"f0_range_st"}),
    ),
}


def table(dose_made: Callable[[Any, float], Audio], analyses: list[Any], steps: Sequence[float]):
    """Features by voice and step."""
    return [[measured(dose_made(parts, step)) for step in steps] for parts in analyses]


def responses(rows: list[list[dict[str, float]]]) -> dict[str, np.ndarray]:
    """Mean over the voices of each feature, relative to the middle step."""
    middle = len(rows[0]) // 2
    return {
        name: np.mean(
            [[row[name] - voice[middle][name] for row in voice] for voice in rows], axis=0
        )
        for name in STAY
    }


def assert_the_rest_stays(found: dict[str, np.ndarray], moves: frozenset[str]) -> None:
    for name in STAY.keys() - moves:
        assert np.abs(found[name]).max() <= STAY[name], (name, found[name])


@pytest.mark.parametrize("kind", DOSES)
def test_what_was_changed_follows_and_the_rest_stays(kind: str, analyses: list[Any]) -> None:
    dose = DOSES[kind]
    rows = table(dose.made, analyses, dose.steps)
    found = responses(rows)
    response = found[dose.feature]
    assert (np.diff(response) > 0).all(), response
    expected = [dose.expected(step, analyses) for step in dose.steps]
    np.testing.assert_allclose(response, expected, atol=dose.within)
    assert_the_rest_stays(found, dose.also | {dose.feature})


def test_a_longer_pause_is_a_longer_pause_and_nothing_else(analyses: list[Any]) -> None:
    steps = (0.2, 0.35, 0.5, 0.65, 0.8)
    rows = table(paused, analyses, steps)
    found = responses(rows)
    assert (np.diff(found["pause_ratio"]) > 0).all()
    for parts, voice in zip(analyses, rows, strict=True):
        sound = paused(parts, steps[2])
        runs = speech_runs(sound, active_level_dbfs(sound) or 0.0)
        speech_s = sum(b - a for a, b in runs)
        pauses_s = [speech_s * row["pause_ratio"] / (1.0 - row["pause_ratio"]) for row in voice]
        np.testing.assert_allclose(np.diff(pauses_s), np.diff(steps), atol=0.03)
    assert_the_rest_stays(found, frozenset({"pause_ratio"}))
