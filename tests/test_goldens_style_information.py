"""Bits about a style: what is planted comes back, over as many seeds as the claim is made for."""

from functools import lru_cache

import numpy as np
import pytest

from cascadence.metrics.style_information_estimator import StyledSet, StyleInformation
from test_metrics_style_information import estimated, planted

SEEDS = 100


@lru_cache
def simulated(bits: float) -> list[StyleInformation]:
    """60 sets of 4 styles, 9 features of which one is informative; a minute of computing."""
    return [estimated(planted(bits, seed), str(seed)) for seed in range(SEEDS)]


@pytest.mark.slow
@pytest.mark.parametrize("bits", [0.0, 0.5, 1.0, 1.9])
def test_planted_bits_come_back_without_bias_and_inside_their_intervals(bits: float) -> None:
    found = simulated(bits)
    assert abs(np.mean([one.bits for one in found]) - bits) <= 0.04
    assert sum(one.interval[0] <= bits <= one.interval[1] for one in found) >= 88


@pytest.mark.slow
def test_without_information_p_is_below_5_percent_about_5_times_in_100() -> None:
    assert 2 <= sum(one.p_value < 0.05 for one in simulated(0.0)) <= 8


def test_an_independent_code_is_covered_at_the_nominal_rate_over_200_seeds() -> None:
    found = [estimated(planted(0.0, seed, 12, 4), str(seed)) for seed in range(200)]
    covered = sum(one.interval[0] <= 0.0 <= one.interval[1] for one in found)
    # Of 200 at 95 %, fewer than 181 or all 200 have a chance below 1 in 200 each.
    assert 181 <= covered <= 199
    assert abs(np.mean([one.bits for one in found])) <= 0.04


@pytest.mark.parametrize("styles", [2, 3, 4, 6, 8])
def test_a_perfect_code_of_k_styles_tells_log2_k(styles: int) -> None:
    names = tuple(f"s{number}" for number in range(styles))
    code = np.arange(float(styles))[:, None]
    found = estimated([StyledSet(f"g{i}", names, code + 10.0 * i) for i in range(12)])
    assert found.entropy_bits == pytest.approx(np.log2(styles), abs=1e-9)
    assert found.bits == pytest.approx(np.log2(styles), abs=0.05)
    assert found.p_value <= 0.05
