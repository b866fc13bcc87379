"""Parity with other implementations, to 1e-6, where the definition is the same."""

import jiwer
import numpy as np
import pytest
from scipy import stats

from cascadence.metrics.intelligibility import word_errors
from cascadence.metrics.paralinguistics import Contrast, transfer
from cascadence.metrics.prosody_contours import compare_contours, level_correlation
from cascadence.resampling import share_interval
from cascadence.survival import quantile, restricted_mean, survival, survival_table

SEEDS = range(5)


def waits(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sixty waiting times with ties, a third of them censored, some below 0."""
    random = np.random.default_rng(seed)
    return np.round(random.normal(1.0, 0.8, 60), 1), random.random(60) < 0.67


@pytest.mark.parametrize("seed", SEEDS)
def test_kaplan_meier_is_that_of_scipy(seed: int) -> None:
    times, observed = waits(seed)
    table = survival_table(times, observed)
    curve = survival(table, np.ones((1, len(times))))
    sample = stats.CensoredData(uncensored=times[observed], right=times[~observed])
    theirs = stats.ecdf(sample).sf
    # Ours has a step for each item: the last of a tie is after all of it.
    last = np.append(np.flatnonzero(np.diff(table.times)), len(times) - 1)
    np.testing.assert_allclose(curve[0][last], theirs.evaluate(table.times[last]), atol=1e-6)
    reached = theirs.quantiles[theirs.probabilities <= 0.5 + 1e-9]
    assert quantile(table, curve, 0.5)[0] == reached[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_restricted_mean_is_the_area_under_scipys_curve(seed: int) -> None:
    times, observed = waits(seed)
    table = survival_table(times, observed)
    ours = restricted_mean(table, survival(table, np.ones((1, len(times)))), 1.5)[0]
    sample = stats.CensoredData(uncensored=times[observed], right=times[~observed])
    steps = np.unique(np.append(times[times < 1.5], 1.5))
    heights = stats.ecdf(sample).sf.evaluate(steps[:-1])
    assert ours == pytest.approx(steps[0] + np.diff(steps) @ heights, abs=1e-6)


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 12), (12, 12), (1, 400)])
def test_the_interval_of_a_share_is_wilsons(hits: int, n: int) -> None:
    theirs = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert share_interval(hits / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_contrast_gain_is_the_regression_of_all_differences(seed: int) -> None:
    random = np.random.default_rng(seed)
    contrasts = [
        Contrast(f"g{i}", user := random.normal(0, 3, 4), 0.6 * user + random.normal(0, 1, 4))
        for i in range(6)
    ]
    # Each pair both ways, so that the line goes through the origin.
    x = np.concatenate([np.subtract.outer(c.user, c.user).ravel() for c in contrasts])
    y = np.concatenate([np.subtract.outer(c.reply, c.reply).ravel() for c in contrasts])
    theirs, ours = stats.linregress(x, y), transfer(contrasts, "parity")
    assert ours is not None
    assert ours.gain == pytest.approx(theirs.slope, abs=1e-6)
    assert ours.correlation == pytest.approx(theirs.rvalue, abs=1e-6)
    assert theirs.intercept == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_correlations_are_pearsons(seed: int) -> None:
    random = np.random.default_rng(seed)
    first = np.where(random.random(200) < 0.7, 120.0 * 2.0 ** random.normal(0, 0.2, 200), 0.0)
    second = first * 2.0 ** random.normal(0.1, 0.1, 200)
    second[random.random(200) < 0.2] = 0.0
    both = (first > 0.0) & (second > 0.0)
    pitch = stats.pearsonr(np.log2(first[both]), np.log2(second[both])).statistic
    assert compare_contours(first, second).f0_correlation == pytest.approx(pitch, abs=1e-6)
    one, other = random.normal(-30, 5, 200), random.normal(-30, 5, 200)
    levels = stats.pearsonr(one[both], other[both]).statistic
    assert level_correlation(one, other, both) == pytest.approx(levels, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_pitch_distance_is_the_rms_of_log_ratios(seed: int) -> None:
    random = np.random.default_rng(seed)
    first = 150.0 * 2.0 ** random.normal(0, 0.2, 100)
    second = first * 2.0 ** random.normal(0.3, 0.1, 100)
    cents = 1200.0 * np.log2(second / first)
    found = compare_contours(first, second)
    assert found.raw_rmse_cents == pytest.approx(np.hypot(cents.mean(), cents.std()), abs=1e-6)
    medians = np.median(1200.0 * np.log2(second)) - np.median(1200.0 * np.log2(first))
    levelled = np.sqrt(np.mean((cents - medians) ** 2))
    assert found.log_f0_rmse_cents == pytest.approx(levelled, abs=1e-6)


def test_corpus_wer_and_its_counts_are_jiwers() -> None:
    random = np.random.default_rng(2)
    words = ["red", "green", "blue", "cat", "dog", "house", "river"]
    references = [" ".join(random.choice(words, random.integers(1, 9))) for _ in range(60)]
    heard = [" ".join(random.choice(words, random.integers(0, 9))) for _ in range(60)]
    theirs = jiwer.process_words(references, heard)
    ours = [word_errors(*pair) for pair in zip(references, heard, strict=True)]
    errors, total = sum(one.errors for one in ours), sum(one.reference_words for one in ours)
    assert errors / total == pytest.approx(theirs.wer, abs=1e-6)
    assert [
        sum(getattr(one, kind) for one in ours)
        for kind in ("hits", "substitutions", "deletions", "insertions")
    ] == [theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions]
