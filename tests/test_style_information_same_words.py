"""Replies in other words are not taken for style in the voice."""

import numpy as np
import pytest

from cascadence.metrics import style_information as family
from test_metrics_style_information import cell, covers, number, parrot, tactful


def mishearing(index: int, number: int, random: np.random.Generator) -> tuple[float, str]:
    """Deaf to style, but the excited ones are not understood: other words, with their melody."""
    if number == 0:
        return random.normal(9.0, 1.0), "pardon me please"
    return random.normal(5.0, 1.0), "the timer is set"


def test_other_words_for_one_style_are_not_taken_for_style_in_the_voice() -> None:
    cases, tools = cell(mishearing)
    all_words = family.style_preservation.measure_corpus(cases, tools)
    same_words = family.style_preservation_same_words.measure_corpus(cases, tools)
    assert number(all_words) > 0.2
    assert all_words.interval is not None
    assert all_words.interval[0] > 0.0
    assert covers(same_words, 0.0)
    assert same_words.details["p_value"] > 0.05
    assert (same_words.details["other_words"], same_words.details["replies"]) == (12, 36)


def test_style_in_the_voice_is_found_among_the_same_words() -> None:
    def half_misheard(index: int, style: int, random: np.random.Generator) -> tuple[float, str]:
        return np.inf, "pardon" if (index + style) % 4 == 0 else "set a timer"

    cases, tools = cell(half_misheard)
    kept = family.style_preservation_same_words.measure_corpus(cases, tools)
    assert number(kept) == pytest.approx(1.0, abs=0.05)
    assert covers(kept, 1.0)
    assert (kept.n, kept.details["other_words"]) == (12, 12)
    assert kept.details["entropy_bits"] == pytest.approx(np.log2(3))
    parrots, tools = cell(parrot)
    for metric in (family.style_preservation, family.style_preservation_same_words):
        assert number(metric.measure_corpus(parrots, tools)) == pytest.approx(1.0, abs=0.05)


def test_two_groups_of_words_in_a_set_are_compared_each_on_its_own() -> None:
    def in_two_ways(index: int, style: int, random: np.random.Generator) -> tuple[float, str]:
        return random.normal(9.0 * (style // 2), 1.0), ("set a timer", "pardon")[style // 2]

    cases, tools = cell(in_two_ways)
    kept = family.style_preservation_same_words.measure_corpus(cases, tools)
    assert covers(kept, 0.0)
    assert (kept.n, kept.details["sets"], kept.details["other_words"]) == (12, 24, 0)


def test_replies_that_never_share_their_words_have_nothing_to_compare() -> None:
    cases, tools = cell(tactful)
    found = family.style_preservation_same_words.measure_corpus(cases, tools)
    assert found.reason == "fewer than 4 contrast sets with replies in the same words"
