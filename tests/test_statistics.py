import subprocess
import sys

import numpy as np
import pytest

from cascadence.estimators import Observation
from cascadence.measurement import Measurement, MetricSpec, censored, failed, ratio, skipped, value
from cascadence.resampling import bootstrap, bootstrap_interval, stable_seed
from cascadence.statistics import Summary, summarise
from cascadence.survival import quantile, restricted_mean, survival, survival_table


def spec(summary: str = "mean", unit: str = "s", **more: object) -> MetricSpec:
    chosen = {"range": (-1e9, 1e9), "level": "turn", "direction": "lower"} | more
    return MetricSpec(name="planted", family="test", unit=unit, summary=summary, **chosen)  # type: ignore[arg-type]


def over_conversations(*measurements: Measurement) -> list[Observation]:
    return [Observation(f"c{i}", measurement) for i, measurement in enumerate(measurements)]


def test_a_ratio_of_sums_is_not_a_mean_of_ratios() -> None:
    found = summarise(spec("ratio"), over_conversations(ratio(1, 1), ratio(0, 9)))
    assert found.value == pytest.approx(0.1)


def test_missing_is_not_zero_and_failures_are_counted() -> None:
    found = summarise(
        spec(), over_conversations(value(2.0), skipped("no reply"), failed("broke"), value(4.0))
    )
    assert (found.value, found.n, found.clusters) == (3.0, 2, 2)
    assert (found.skipped, found.failed) == (1, 1)
    assert found.reasons == {"no reply": 1, "broke": 1}


@pytest.mark.parametrize("summary", ["mean", "median", "ratio", "survival"])
def test_nothing_measured_has_no_value(summary: str) -> None:
    found = summarise(spec(summary), over_conversations(skipped("x"), skipped("x")))
    assert found == Summary("planted", "s", skipped=2, reasons={"x": 2})


@pytest.mark.parametrize("summary", ["mean", "median", "ratio", "survival"])
def test_one_conversation_has_a_value_and_no_interval(summary: str) -> None:
    turns = [Observation("c", value(1.0)), Observation("c", value(2.0))]
    found = summarise(spec(summary), turns)
    assert found.value is not None
    assert (found.low, found.high, found.n, found.clusters) == (None, None, 2, 1)


def test_the_median_lies_between_the_two_in_the_middle() -> None:
    found = summarise(spec("median"), over_conversations(*map(value, (1.0, 2.0, 10.0, 100.0))))
    assert found.value == 6.0


# Hand-computed: 1+, 2, 3+, 4, 4, 6+, 9 (a plus is a censored time).
#   t=2: 6 at risk, S = 5/6. t=4: 4 at risk, 2 happen, S = 5/12. t=9: 1 at risk, S = 0.
HAND = [(1.0, 0), (2.0, 1), (3.0, 0), (4.0, 1), (4.0, 1), (6.0, 0), (9.0, 1)]


def hand_table() -> list[Measurement]:
    return [value(t) if happened else censored(t) for t, happened in HAND]


def test_kaplan_meier_agrees_with_a_table_made_by_hand() -> None:
    times = np.array([t for t, _ in HAND])
    table = survival_table(times, np.array([bool(h) for _, h in HAND]))
    curve = survival(table, np.ones((1, len(HAND))))
    after = {t: s for t, s in zip(table.times, curve[0], strict=True)}
    assert after == pytest.approx({1: 1, 2: 5 / 6, 3: 5 / 6, 4: 5 / 12, 6: 5 / 12, 9: 0})
    assert quantile(table, curve, 0.5)[0] == 4.0
    assert quantile(table, curve, 0.9)[0] == 9.0
    # 2 x 1 + 2 x 5/6 + 5 x 5/12 + 1 x 0
    assert restricted_mean(table, curve, 10.0)[0] == pytest.approx(2 + 5 / 3 + 25 / 12)
    assert restricted_mean(table, curve, 3.0)[0] == pytest.approx(2 + 5 / 6)


def test_weights_are_repetitions() -> None:
    times = np.array([3.0, 1.0, 2.0, 2.0])
    observed = np.array([True, True, False, True])
    drawn = np.array([2.0, 1.0, 0.0, 3.0])
    table = survival_table(times, observed)
    repeated = np.repeat(np.arange(4), drawn.astype(int))
    plain = survival_table(times[repeated], observed[repeated])
    for share in (0.2, 0.5, 0.7, 0.95):
        by_weight = quantile(table, survival(table, drawn[None]), share)
        by_hand = quantile(plain, survival(plain, np.ones((1, len(repeated)))), share)
        assert by_weight == by_hand


def test_a_summary_of_waiting_times() -> None:
    found = summarise(spec("survival"), over_conversations(*hand_table()))
    assert (found.value, found.n, found.censored) == (4.0, 7, 3)
    assert found.further["never_share"].value == pytest.approx(3 / 7)
    assert found.further["restricted_mean"].value == pytest.approx(5.75)


def test_negative_gaps_keep_their_place() -> None:
    found = summarise(spec("survival"), over_conversations(*map(value, (-0.4, -0.2, 0.1))))
    assert found.value == -0.2
    assert found.further["restricted_mean"].value == pytest.approx(-0.5 / 3)


def test_who_never_replies_has_no_median_but_a_restricted_mean() -> None:
    found = summarise(spec("survival"), over_conversations(*[censored(10.0)] * 5))
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.further["restricted_mean"].value == 10.0
    assert found.further["never_share"].value == 1.0


def test_a_median_whose_upper_end_was_not_seen_is_open() -> None:
    waits = [value(0.1 * i) for i in range(6)] + [censored(10.0)] * 5
    found = summarise(spec("survival"), over_conversations(*waits))
    assert found.value == pytest.approx(0.5)
    assert found.low is not None
    assert found.high is None


def test_a_share_of_one_is_not_certain() -> None:
    rate = spec("ratio", unit="ratio", range=(0.0, 1.0))
    found = summarise(rate, over_conversations(*[ratio(1, 1)] * 20))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.839, abs=0.001)  # Wilson, 20 of 20


def test_corpus_metrics_bring_their_own_interval() -> None:
    measurement = Measurement("ok", value(0.8).quantity, interval=(0.6, 0.9), n=10)
    found = summarise(spec(level="corpus"), [Observation("", measurement)])
    assert (found.value, found.low, found.high, found.n) == (0.8, 0.6, 0.9, 10)


def test_turns_of_one_conversation_are_not_independent() -> None:
    """Ten copies of a turn say no more than one: the interval must not shrink."""
    random = np.random.default_rng(3)
    means = random.normal(size=20)
    once = [Observation(f"c{i}", value(x)) for i, x in enumerate(means)]
    tenfold = [Observation(f"c{i}", value(x)) for i, x in enumerate(means) for _ in range(10)]
    one, ten = summarise(spec(), once), summarise(spec(), tenfold)
    assert (one.low, one.high) == pytest.approx((ten.low, ten.high))


def test_intervals_are_the_same_in_another_process() -> None:
    code = "from cascadence.resampling import stable_seed; print(stable_seed('a', 'b'))"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert int(other) == stable_seed("a", "b")
    assert stable_seed("a", "b") != stable_seed("ab", "") != stable_seed("b", "a")
    data = over_conversations(*map(value, (1.0, 5.0, 2.0)))
    assert summarise(spec(), data, "x") == summarise(spec(), data, "x")


def test_chunks_do_not_change_the_statistic() -> None:
    sums = np.arange(5.0)
    whole = bootstrap(lambda weights: weights @ sums, 5, 7, 300)
    parts = bootstrap(lambda weights: weights @ sums, 5, 7, 300, width=400_000)
    assert whole.shape == parts.shape == (300,)
    assert np.isin(parts, np.arange(21.0)).all()
    assert abs(whole.mean() - parts.mean()) < 1.0


@pytest.mark.parametrize("clusters", [8, 15])
def test_intervals_of_a_mean_cover_the_truth(clusters: int) -> None:
    """Plain percentiles cover 89 % for 8 clusters, these 95 % (1,500 seeds)."""
    random = np.random.default_rng(13)
    widened = plain = 0
    for seed in range(400):
        data = random.normal(size=clusters)
        drawn = bootstrap(lambda weights, data=data: weights @ data / clusters, clusters, seed, 500)
        low, high = bootstrap_interval(drawn, clusters) or (1.0, -1.0)
        widened += low <= 0.0 <= high
        low, high = np.quantile(drawn, (0.025, 0.975))
        plain += low <= 0.0 <= high
    assert 0.92 <= widened / 400 <= 0.98
    assert plain < widened


def test_intervals_of_a_clustered_ratio_cover_the_truth() -> None:
    random = np.random.default_rng(12)
    rate = spec("ratio", unit="ratio", range=(0.0, 1.0))
    covered = 0
    for seed in range(200):
        shares = random.beta(4, 4, size=20)
        turns = random.integers(2, 6, size=20)
        data = [
            Observation(f"c{i}", ratio(random.binomial(n, p), n))
            for i, (n, p) in enumerate(zip(turns, shares, strict=True))
        ]
        found = summarise(rate, data, str(seed), resamples=400)
        covered += found.low is not None and found.low <= 0.5 <= (found.high or 1.0)
    assert covered >= 182
