"""Goldens of rhythm, pauses and prominence."""

import numpy as np
import pytest

from cascadence.metrics.prosody_timing import (
    PauseAlignment,
    Prominences,
    align_pauses,
    meet,
    npvi,
    prominent_s,
    syllable_durations_s,
)

DIAGONAL = (np.arange(0, 3, 0.1), np.arange(0, 3, 0.1))


def test_npvi_golden() -> None:
    assert npvi((0.1, 0.2, 0.1)) == pytest.approx(66.667, abs=1e-3)
    assert npvi((0.2, 0.2, 0.2, 0.2)) == 0.0
    assert npvi((1, 3)) == pytest.approx(100.0)


def test_npvi_compares_nothing_across_a_pause() -> None:
    assert npvi((0.1, 0.1), (0.4, 0.4)) == 0.0
    assert npvi((0.1, 0.1, 0.4, 0.4)) == pytest.approx(40.0)
    assert npvi((0.1,), (0.2,)) is None
    assert npvi() is None


def test_intervals_do_not_reach_across_a_pause() -> None:
    nuclei = np.array([0.1, 0.3, 0.6, 1.5, 1.8])
    found = syllable_durations_s(nuclei, [(0.8, 1.2)])
    assert found == [pytest.approx([0.2, 0.3]), pytest.approx([0.3])]
    assert syllable_durations_s(nuclei[:1], []) == []


def at(word: int, duration_s: float) -> tuple[float, float]:
    """A pause after a word, where words are a second apart and pauses between them."""
    return word + 0.5 - duration_s / 2, word + 0.5 + duration_s / 2


def test_pause_alignment_is_that_of_seamless() -> None:
    """The worked example of the published code: Ich hasse es, früh aufzustehen."""
    edges = (np.array([0.0, 1, 0, 3, 4]), np.array([0.0, 1, 2, 4, 3]))
    found = align_pauses([at(2, 0.5), at(3, 0.2)], [at(1, 0.4), at(3, 0.3)], edges)
    scores = [0.4 / 0.5 * 4 / 5, 0.2 / 0.3 * 3 / 5]
    assert found.aligned_s == pytest.approx(scores[0] * 0.9 + scores[1] * 0.5)
    assert found.total_s == pytest.approx(1.4)
    assert (found.matched, found.reference, found.candidate) == (2, 2, 2)


def test_the_same_pauses_align_fully() -> None:
    pauses = [(0.5, 0.7), (1.5, 2.0)]
    found = align_pauses(pauses, pauses, DIAGONAL)
    assert found.aligned_s == pytest.approx(found.total_s) == pytest.approx(1.4)


def test_a_pause_without_partner_scores_0() -> None:
    found = align_pauses([(0.5, 1.0)], [], DIAGONAL)
    assert found == PauseAlignment(0.0, 0.5, 0, 1, 0)
    both = align_pauses([(0.5, 1.0), (2.0, 2.5)], [(0.5, 1.0)], DIAGONAL)
    assert both.aligned_s == pytest.approx(1.0)
    assert both.total_s == pytest.approx(1.5)
    assert align_pauses([], [], DIAGONAL).total_s == 0.0


def test_a_pause_at_the_other_end_hardly_aligns() -> None:
    found = align_pauses([(0.1, 0.3)], [(2.6, 2.8)], DIAGONAL)
    assert found.aligned_s / found.total_s < 0.2


def test_what_stands_out_is_found_on_a_falling_line() -> None:
    times = np.arange(8) * 0.2
    falling = -5.0 * times
    pitch, level = falling.copy(), -20.0 + falling
    pitch[6] += 4.0
    level[6] += 6.0
    assert prominent_s(times, pitch, level) == pytest.approx([times[6]])


def test_nothing_stands_out_of_sameness_or_of_three_syllables() -> None:
    times = np.arange(6) * 0.2
    assert len(prominent_s(times, -times, -2 * times)) == 0
    assert len(prominent_s(times[:3], np.array([0.0, 9, 0]), np.zeros(3))) == 0


def test_prominent_syllables_meet_where_the_alignment_says() -> None:
    stretched = (np.arange(0, 2, 0.1), np.arange(0, 4, 0.2))
    assert meet(np.array([1.0]), np.array([2.05]), stretched) == Prominences(1, 1, 1)
    assert meet(np.array([1.0]), np.array([1.0]), stretched) == Prominences(0, 1, 1)


def test_a_syllable_is_met_once() -> None:
    twice = meet(np.array([1.0, 1.05]), np.array([1.02]), DIAGONAL)
    assert twice == Prominences(1, 2, 1)
