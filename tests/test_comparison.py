import numpy as np
import pytest
from scipy import stats

from cascadence.comparison import Comparison, compare, holm, verdict
from cascadence.estimators import Observation
from cascadence.measurement import Measurement, MetricSpec, censored, ratio, skipped, value


def spec(summary: str = "mean") -> MetricSpec:
    return MetricSpec(
        name="planted",
        family="test",
        unit="s",
        direction="lower",
        range=(-1e9, 1e9),
        level="turn",
        summary=summary,  # type: ignore[arg-type]
    )


def over_conversations(measurements: list[Measurement]) -> list[Observation]:
    return [Observation(f"c{i:03}", measurement) for i, measurement in enumerate(measurements)]


def values(numbers: np.ndarray) -> list[Observation]:
    return over_conversations([value(x) for x in numbers])


@pytest.mark.parametrize("seed", range(3))
def test_sign_flips_agree_with_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = random.normal(0.6, 1, 10), random.normal(0, 1, 10)
    found = compare(spec(), values(first), values(second))
    expected = stats.permutation_test(
        (first, second),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert found.p == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.difference == pytest.approx(np.mean(first - second))


def test_pairing_finds_what_lies_below_the_spread_of_conversations() -> None:
    random = np.random.default_rng(5)
    hard = random.normal(3.0, 2.0, 40)
    faster = hard - 0.2 + random.normal(0, 0.1, 40)
    found = compare(spec(), values(faster), values(hard))
    assert found.difference == pytest.approx(-0.2, abs=0.05)
    assert found.p is not None
    assert found.p < 0.001
    assert verdict(found, "lower") == "better"
    assert verdict(found, "higher") == "worse"
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.2 < found.high < 0


def test_the_systems_are_exchangeable() -> None:
    random = np.random.default_rng(6)
    a, b = values(random.normal(0, 1, 20)), values(random.normal(0.5, 1, 20))
    one, other = compare(spec(), a, b), compare(spec(), b, a)
    assert one.difference == pytest.approx(-(other.difference or 0.0))
    assert one.p == pytest.approx(other.p)


def test_under_the_null_one_in_twenty_is_significant() -> None:
    random = np.random.default_rng(7)
    below = 0
    for trial in range(200):
        a, b = values(random.normal(size=10)), values(random.normal(size=10))
        found = compare(spec(), a, b, str(trial), resamples=50)
        below += found.p is not None and found.p <= 0.05
    assert 3 <= below <= 18


def test_only_what_both_measured_is_compared() -> None:
    first = over_conversations([value(1.0), value(2.0), skipped("no reply")])
    second = over_conversations([value(0.0), skipped("no reply"), value(9.0)])
    found = compare(spec(), first, second)
    assert (found.difference, found.n, found.unpaired) == (1.0, 1, 2)
    assert (found.low, found.p) == (None, None)
    assert verdict(found, "lower") == "undecided"


def test_turns_and_repeats_are_paired_one_by_one() -> None:
    def turns(*numbers: float) -> list[Observation]:
        return [Observation("c", value(x).on_turn(i), item="c#0") for i, x in enumerate(numbers)]

    found = compare(spec(), turns(1.0, 5.0), turns(0.5))
    assert (found.difference, found.n, found.clusters, found.unpaired) == (0.5, 1, 1, 1)


def test_nothing_in_common_is_undecided() -> None:
    found = compare(spec(), [Observation("a", value(1.0))], [Observation("b", value(1.0))])
    assert found == Comparison("planted", "value", unpaired=2)


def test_a_ratio_of_sums_is_compared_as_one() -> None:
    first = over_conversations([ratio(1, 1), ratio(0, 9)])
    second = over_conversations([ratio(0, 1), ratio(0, 9)])
    assert compare(spec("ratio"), first, second).difference == pytest.approx(0.1)


def test_replies_that_never_came_count_against_a_system() -> None:
    """Fast when it answers, and it seldom does: dropping the silences would make it the better."""
    quick = over_conversations([value(0.2) if i % 3 == 0 else censored(10.0) for i in range(30)])
    steady = over_conversations([value(1.0)] * 30)
    found = compare(spec("survival"), quick, steady)
    assert found.statistic == "restricted_mean"
    assert found.difference == pytest.approx((10 * 0.2 + 20 * 10.0) / 30 - 1.0)
    assert verdict(found, "lower") == "worse"


def test_equal_within_a_margin_is_said_to_be_so_and_otherwise_nothing_is() -> None:
    random = np.random.default_rng(8)
    base = random.normal(size=60)
    a, b = values(base + random.normal(0, 0.05, 60)), values(base)
    found = compare(spec(), a, b)
    assert verdict(found, "lower", margin=0.1) == "equivalent"
    assert verdict(found, "lower") == "undecided"
    assert found.smallest_detectable == pytest.approx(2.8 * 0.05 / 60**0.5, rel=0.3)


def test_a_verdict_follows_the_adjusted_p() -> None:
    found = Comparison("m", "value", difference=1.0, low=0.5, high=1.5, p=0.02, n=9, clusters=9)
    assert verdict(found, "higher") == "better"
    assert verdict(found, "higher", p=0.06) == "undecided"
    assert verdict(found, "neither") == "undecided"


def test_effect_size_is_in_standard_deviations_of_the_differences() -> None:
    random = np.random.default_rng(9)
    apart = random.normal(0.5, 1.0, 200)
    found = compare(spec(), values(apart), values(np.zeros(200)))
    assert found.effect_size == pytest.approx(apart.mean() / apart.std(ddof=1), rel=0.1)


def test_holm_against_the_definition() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_identical_systems_do_not_differ() -> None:
    same = values(np.arange(5.0))
    found = compare(spec(), same, same)
    assert (found.difference, found.p, found.effect_size) == (0.0, 1.0, None)
    assert verdict(found, "lower", margin=0.1) == "equivalent"
