"""Intervals of bits about a style, where there are few sets: sane, covering, or none at all."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from cascadence.metrics import style_information as family
from cascadence.metrics.style_information_estimator import StyledSet, StyleInformation
from cascadence.metrics.style_information_interval import FEWEST_FOR_INTERVAL, ratio_interval
from test_metrics_style_information import STYLES, cell, estimated, number, parrot, planted

SEEDS = 100
FULL = np.arange(4.0)[:, None]
NEARLY_FULL = {
    "backwards": FULL[::-1],
    "unheard": np.full((4, 1), 1.5),
    "swapped": FULL[[1, 0, 2, 3]],
}


def told_but_once(odd: np.ndarray, seed: int, count: int) -> list[StyledSet]:
    """Sets that tell their styles without a miss, but for the first."""
    random = np.random.default_rng(seed)
    return [
        StyledSet(f"g{index:02d}", STYLES, random.normal(FULL if index else odd, 0.12) + 10 * index)
        for index in range(count)
    ]


def covered(found: list[StyleInformation], bits: float) -> int:
    intervals = [one.interval for one in found]
    assert all(np.all(np.isfinite(each)) for each in intervals)
    assert all(one.interval[0] <= one.bits <= one.interval[1] <= 2.0 for one in found)
    return sum(low <= bits <= high for low, high in intervals)


@pytest.mark.parametrize("odd", NEARLY_FULL)
@pytest.mark.parametrize("count", [FEWEST_FOR_INTERVAL, 8, 11, 60])
def test_one_set_that_tells_nothing_does_not_make_the_interval_endless(
    odd: str, count: int
) -> None:
    for seed in range(5):
        found = estimated(told_but_once(NEARLY_FULL[odd], seed, count))
        covered([found], 0.0)
        assert found.interval[0] >= min(found.bits, -1.0)
        assert found.interval[1] >= 1.0


@pytest.mark.parametrize("count", [8, 11])
def test_few_sets_that_tell_nearly_all_have_an_interval_of_use(count: int) -> None:
    """Of each, one or two sets miss nearly all that is missing."""
    found = [estimated(planted(1.9, seed, count), str(seed)) for seed in range(SEEDS)]
    assert covered(found, 1.9) >= 88
    assert min(one.interval[0] for one in found) > -1.0
    assert np.median([one.interval[1] - one.interval[0] for one in found]) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("count", [FEWEST_FOR_INTERVAL, 8, 11, 20])
@pytest.mark.parametrize("bits", [0.0, 0.5, 1.0, 1.9])
def test_few_sets_cover_what_is_planted(bits: float, count: int) -> None:
    found = [estimated(planted(bits, seed, count), str(seed)) for seed in range(SEEDS)]
    assert covered(found, bits) >= 88
    assert min(one.interval[0] for one in found) > -1.5


@pytest.mark.parametrize("count", [4, FEWEST_FOR_INTERVAL - 1])
def test_too_few_sets_have_an_estimate_and_no_interval(count: int) -> None:
    found = estimated(planted(1.9, 1, count))
    assert found.interval is None
    assert np.isfinite(found.bits)
    assert estimated(planted(1.9, 1, FEWEST_FOR_INTERVAL)).interval is not None


def test_the_metrics_say_why_there_is_no_interval() -> None:
    why = f"fewer than {FEWEST_FOR_INTERVAL} contrast sets with two styles"
    for metric in (family.input_style_bits, family.style_information_bits):
        few = metric.measure_corpus(*cell(parrot, sets=FEWEST_FOR_INTERVAL - 1))
        assert number(few) > 1.0
        assert (few.interval, few.details["no_interval"]) == (None, why)
        enough = metric.measure_corpus(*cell(parrot, sets=FEWEST_FOR_INTERVAL))
        assert enough.interval is not None
        assert "no_interval" not in enough.details
    kept = family.style_preservation.measure_corpus(*cell(parrot, sets=FEWEST_FOR_INTERVAL - 1))
    assert (kept.interval, kept.details["no_interval"]) == (None, why)


def without_each(values: np.ndarray) -> np.ndarray:
    return (values.sum() - values) / (len(values) - 1)


def ratio(over: np.ndarray, under: np.ndarray) -> tuple[float, float] | None:
    return ratio_interval(over.mean(), under.mean(), without_each(over), without_each(under))


def test_a_ratio_of_means_is_covered_at_the_nominal_rate() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        shared = random.normal(0, 0.5, 11)
        low, high = ratio(0.6 + shared + random.normal(0, 0.2, 11), 2.0 + shared)
        covered += low <= 0.3 <= high
    assert 930 <= covered <= 970


def test_the_limits_of_a_ratio_are_those_of_a_t_test() -> None:
    """Where nothing is uncertain under the line, Fieller's is the t interval over it."""
    over = np.array([0.1, 0.5, 0.2, 0.9, 0.4, 0.6, 0.3])
    expected = ttest_1samp(over, 0.0).confidence_interval(0.95)
    assert ratio(over, np.full(7, 2.0)) == pytest.approx((expected.low / 2, expected.high / 2))


def test_a_ratio_to_itself_is_one_and_to_what_may_be_nothing_has_no_interval() -> None:
    random = np.random.default_rng(1)
    some = random.normal(1.0, 0.3, 8)
    assert ratio(some, some) == pytest.approx((1.0, 1.0))
    assert ratio(0 * some, some) == pytest.approx((0.0, 0.0))
    assert ratio(some, random.normal(0.1, 1.0, 8)) is None
    few = some[: FEWEST_FOR_INTERVAL - 1]
    assert ratio(few, few) is None


def test_a_share_of_uncertain_bits_says_why_it_has_no_interval() -> None:
    cases, tools = cell(parrot, sets=8, spread_st=4.0)
    kept = family.style_preservation.measure_corpus(cases, tools)
    assert kept.details["input_p_value"] < 0.05
    assert kept.interval is None
    assert kept.details["no_interval"] == "the users' bits are too uncertain to divide by"
