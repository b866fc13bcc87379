"""Whatever sounds a user and a system make, every registered metric ends in a status."""

from functools import partial

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascadence.audio import Audio
from planted_cases import Planted
from test_metrics_survive import METRICS, assert_a_status, measured
from test_metrics_survive_sets import Sounds, cell, instruments

__all__ = ["instruments"]

RATES = (8_000, 16_000, 24_000, 48_000)
KINDS = ("silence", "noise", "tone", "clicks", "square", "one", "offset")


def piece(kind: str, duration_s: float, rate: int) -> np.ndarray:
    """Samples within [-1, 1]; of ``one``, a single one."""
    count = 1 if kind == "one" else round(duration_s * rate)
    times_s = np.arange(count) / rate
    match kind:
        case "noise":
            return np.random.default_rng(count).uniform(-1, 1, count)
        case "tone":
            return np.sin(2 * np.pi * 180.0 * times_s)
        case "square":
            return np.sign(np.sin(2 * np.pi * 90.0 * times_s + 0.1))
        case "clicks":
            return (np.arange(count) % (rate // 40) == 0).astype(float)
    return np.full(count, 0.0 if kind == "silence" else 1.0)


@st.composite
def sounds(draw: st.DrawFn) -> Audio:
    """Up to three pieces, at any level and rate."""
    rate = draw(st.sampled_from(RATES))
    level = draw(st.sampled_from([1e-6, 1e-3, 0.1, 1.0]))
    shapes = st.tuples(st.sampled_from(KINDS), st.floats(0.0, 0.6))
    parts = [
        piece(kind, duration_s, rate) for kind, duration_s in draw(st.lists(shapes, max_size=3))
    ]
    return Audio((level * np.concatenate([np.zeros(0), *parts])).astype(np.float32), rate)


def same(sound: Audio, *about: object) -> Audio:
    return sound


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(user=sounds(), system=sounds())
def test_any_sounds_end_in_a_status(instruments: Planted, user: Audio, system: Audio) -> None:
    cases = cell(Sounds(partial(same, user), lambda clip: system), repeats=1)
    for metric in METRICS.values():
        assert_a_status(metric, measured(metric, cases, instruments))
