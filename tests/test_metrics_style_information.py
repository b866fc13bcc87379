from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from cascadence.conversation import Style
from cascadence.measurement import Case, Measurement, Metric, Value
from cascadence.metrics import style_information as family
from cascadence.metrics.style_information_estimator import (
    StyledSet,
    StyleInformation,
    style_information,
)
from cascadence.metrics.style_information_sets import style_label
from cascadence.metrics.syllables import count_syllables
from planted_cases import Planted, Spoken, case_of, channel, noise, text

STYLES = ("excited", "firm", "neutral", "sad")
SEEDS = 20
METRICS = [found for found in vars(family).values() if isinstance(found, Metric)]


def true_bits(step: float, size: int = 4) -> float:
    """What a centred feature tells of styles that lie a step apart, in noise of variance 1.

    The mean of the set takes 1/size of the noise with it. By numerical integration.
    """
    spread = np.sqrt(1.0 - 1.0 / size)
    means = step * (np.arange(size) - (size - 1) / 2)
    x = np.linspace(means[0] - 9, means[-1] + 9, 8001)
    likelihood = np.exp(-0.5 * ((x[:, None] - means) / spread) ** 2) / spread / np.sqrt(2 * np.pi)
    mixture = likelihood.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.nan_to_num(likelihood * np.log2(likelihood / mixture[:, None]))
    return float(np.trapezoid(told.mean(axis=1), x))


@lru_cache
def step_for(bits: float) -> float:
    return float(brentq(lambda step: true_bits(step) - bits, 1e-4, 12.0)) if bits else 0.0


def planted(bits: float, seed: int, count: int = 60, features: int = 9) -> list[StyledSet]:
    """Sets of four styles, one informative feature, and for each set an offset of its own."""
    random = np.random.default_rng(seed)
    shift = np.zeros((4, features))
    shift[:, 0] = step_for(bits) * np.arange(4)
    return [
        StyledSet(
            f"g{index:02d}",
            STYLES,
            shift + random.normal(0, 1, (4, features)) + random.normal(0, 5, features),
        )
        for index in range(count)
    ]


def estimated(sets: list[StyledSet], seed_name: str = "test") -> StyleInformation:
    found = style_information(sets, seed_name)
    assert found is not None
    return found


def test_the_truth_that_is_planted_has_the_limits_it_must_have() -> None:
    assert true_bits(1e-4) == pytest.approx(0.0, abs=1e-6)
    assert true_bits(12.0) == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize("bits", [0.0, 0.5, 1.0, 1.9])
def test_planted_bits_come_back_inside_their_intervals(bits: float) -> None:
    found = [estimated(planted(bits, seed), str(seed)) for seed in range(SEEDS)]
    assert np.mean([one.bits for one in found]) == pytest.approx(bits, abs=0.06)
    assert sum(one.interval[0] <= bits <= one.interval[1] for one in found) >= 16
    assert all(one.interval[0] <= one.bits <= one.interval[1] <= 2.0 for one in found)
    significant = sum(one.p_value < 0.05 for one in found)
    assert significant <= 4 if bits == 0.0 else significant == SEEDS
    assert (found[0].groups, found[0].sets, found[0].members) == (60, 60, 240)


def test_without_information_p_is_uniform() -> None:
    p = [estimated(planted(0.0, seed, 10, 4), str(seed)).p_value for seed in range(100)]
    assert sum(one < 0.05 for one in p) <= 11
    assert np.mean(p) == pytest.approx(0.5, abs=0.1)


def test_labels_exchanged_within_sets_tell_nothing() -> None:
    random = np.random.default_rng(3)
    sets = [replace(one, styles=tuple(random.permutation(STYLES))) for one in planted(1.9, 3)]
    found = estimated(sets)
    assert found.bits == pytest.approx(0.0, abs=0.1)
    assert found.interval[0] <= 0.0 <= found.interval[1]


@pytest.mark.parametrize("count", [4, 12, 60])
def test_a_perfect_code_tells_everything(count: int) -> None:
    code = np.arange(4.0)[:, None]
    sets = [StyledSet(f"g{index}", STYLES, code + 10 * index) for index in range(count)]
    found = estimated(sets)
    assert found.bits == pytest.approx(2.0, abs=0.02)
    assert found.p_value == pytest.approx(1 / 200)


def test_a_difference_that_nobody_would_notice_tells_nothing() -> None:
    random = np.random.default_rng(0)
    code = 0.01 * np.arange(4.0)[:, None]
    sets = [StyledSet(f"g{i}", STYLES, code + random.normal(0, 1e-4, (4, 1))) for i in range(20)]
    assert estimated(sets).bits > 1.9
    unnoticed = style_information(sets, "test", smallest_spread=np.array([1.0]))
    assert unnoticed is not None
    assert unnoticed.bits < 0.01


def test_features_that_never_differ_tell_exactly_nothing() -> None:
    found = estimated([StyledSet(f"g{i}", STYLES, np.full((4, 3), float(i))) for i in range(6)])
    assert (found.bits, found.p_value) == (0.0, 1.0)
    assert found.interval == pytest.approx((0.0, 0.0), abs=1e-9)


def test_units_baselines_and_order_do_not_matter() -> None:
    sets = planted(1.0, 5, count=20)
    other = [
        StyledSet(one.group, one.styles[::-1], 100.0 * one.features[::-1] - index)
        for index, one in enumerate(sets)
    ]
    assert estimated(other).bits == pytest.approx(estimated(sets).bits)


def test_sets_need_not_hold_the_same_styles() -> None:
    """Pairs out of four styles: the mean of a set lies where its own styles put it."""
    random = np.random.default_rng(1)
    sets = []
    for one in planted(1.9, 4, count=80):
        kept = np.sort(random.choice(4, 2, replace=False))
        sets.append(StyledSet(one.group, tuple(STYLES[k] for k in kept), one.features[kept]))
    found = estimated(sets)
    assert found.entropy_bits == pytest.approx(1.0)
    # Styles a step d apart, k steps between the two: the centred member has half the noise.
    step = step_for(1.9)
    between = [1, 1, 1, 2, 2, 3]
    truth = float(np.mean([true_bits(k * step, size=2) for k in between]))
    assert found.bits == pytest.approx(truth, abs=0.1)
    assert found.interval[0] <= truth <= found.interval[1]


def test_a_missing_feature_tells_nothing_and_is_counted() -> None:
    sets = planted(1.9, 6, count=30)
    for one in sets[:10]:
        one.features[0, 3] = np.nan
    some = estimated(sets)
    assert some.imputed == 10
    assert some.bits == pytest.approx(1.9, abs=0.1)
    for one in sets:
        one.features[:, 0] = np.nan
    blind = estimated(sets)
    assert blind.interval[0] <= 0.0 <= blind.interval[1] < 0.3


def test_repeats_are_no_further_evidence() -> None:
    p, widths = [], []
    for seed in range(40):
        once = planted(0.0, seed, count=12, features=3)
        found = estimated(once * 3, str(seed))
        assert (found.groups, found.sets) == (12, 36)
        p.append(found.p_value)
        widths.append(found.interval[1] - found.interval[0])
    assert sum(one < 0.05 for one in p) <= 6
    assert np.mean(widths) > 0.3


def test_too_few_sets_have_no_estimate() -> None:
    assert style_information([], "test") is None
    assert style_information(planted(1.0, 0, count=3), "test") is None
    single = [StyledSet(f"g{i}", ("sad",), np.zeros((1, 2))) for i in range(9)]
    assert style_information(single, "test") is None


Answers = Callable[[int, int, np.random.Generator], tuple[float, str] | None]
"""Takes set and style; returns the reply's pitch and words, ``None``: no reply."""
PITCHES_ST = (4.0, 1.5, 0.0, -3.0)


def cell(answers: Answers, sets: int = 12, spread_st: float = 0.4) -> tuple[list[Case], Planted]:
    """Users whose pitch tells their style; the tool is told what it will measure."""
    random = np.random.default_rng(0)
    measured: dict[str, Mapping[str, Any]] = {}
    cases = []
    for index in range(sets):
        for number, style in enumerate(STYLES):
            seed = 10 * index + number
            answer = answers(index, number, random)
            reply = noise(0.5, 1000 + seed)
            case = case_of(
                Spoken(0.0, 0.5, clip=noise(0.5, seed)),
                system=channel(3.0, (1.0, reply)) if answer else (),
                events=[text(0.8, answer[1])] if answer else [],
                group=f"g{index:02d}",
                id=f"g{index:02d}-{style}",
                duration_s=3.0,
            )
            user_st = index + PITCHES_ST[number] + random.normal(0, spread_st)
            measured[case.clips[0].sha256()] = _features(user_st, "set a timer")
            if answer:
                reply_st = user_st if answer[0] == np.inf else answer[0]
                sound = case.recording.system.span(1.0, 1.5)
                measured[sound.sha256()] = _features(reply_st, answer[1])
            cases.append(case)
    return cases, Planted(features=lambda audio: measured[audio.sha256()])


def _features(pitch_st: float, said: str) -> Mapping[str, Any]:
    """An even pace: nothing about the words is in the rate."""
    speech_s = 0.2 * count_syllables(said)
    return {"speech_s": speech_s, "f0_median_st": pitch_st, "level_db": None, "hnr_db": None}


def parrot(index: int, number: int, random: np.random.Generator) -> tuple[float, str]:
    return np.inf, "set a timer"


def deaf(index: int, number: int, random: np.random.Generator) -> tuple[float, str]:
    return random.normal(5.0, 1.0), "the timer is set"


def identical(index: int, number: int, random: np.random.Generator) -> tuple[float, str]:
    return 5.0, "the timer is set"


def tactful(index: int, number: int, random: np.random.Generator) -> tuple[float, str]:
    """Hears the style and answers it in words alone."""
    said = ("great the timer is set", "yes the timer is set", "the timer is set", "sorry timer set")
    return random.normal(5.0, 1.0), said[number]


def silent(index: int, number: int, random: np.random.Generator) -> None:
    return None


def number(measurement: Measurement) -> float:
    assert isinstance(measurement.quantity, Value), measurement
    return measurement.quantity.x


def covers(measurement: Measurement, x: float) -> bool:
    assert measurement.interval is not None
    return measurement.interval[0] <= x <= measurement.interval[1]


def test_a_parrot_keeps_all_of_the_style() -> None:
    cases, tools = cell(parrot)
    ceiling = family.input_style_bits.measure_corpus(cases, tools)
    kept = family.style_preservation.measure_corpus(cases, tools)
    assert number(ceiling) > 1.5
    assert ceiling.details["p_value"] < 0.05
    assert number(kept) == pytest.approx(1.0, abs=0.05)
    assert covers(kept, 1.0)
    assert kept.n == 12
    assert kept.details["bits"] == pytest.approx(kept.details["input_bits"], abs=0.1)
    assert kept.details["entropy_bits"] == pytest.approx(2.0)


def test_a_system_that_hears_no_style_keeps_none() -> None:
    cases, tools = cell(deaf)
    kept = family.style_preservation.measure_corpus(cases, tools)
    voice = family.style_information_bits.measure_corpus(cases, tools)
    spoken = family.style_information_words_bits.measure_corpus(cases, tools)
    assert covers(kept, 0.0)
    assert abs(number(kept)) < 0.2
    assert covers(voice, 0.0)
    assert voice.details["p_value"] > 0.05
    assert (number(spoken), spoken.details["p_value"]) == (0.0, 1.0)


def test_replies_that_are_the_same_sound_tell_exactly_nothing() -> None:
    cases, tools = cell(identical)
    for metric in (family.style_information_bits, family.style_information_both_bits):
        assert number(metric.measure_corpus(cases, tools)) == 0.0
    kept = family.style_preservation.measure_corpus(cases, tools)
    assert (number(kept), kept.interval) == (0.0, (0.0, 0.0))


def test_style_that_is_answered_in_words_is_found_there() -> None:
    cases, tools = cell(tactful)
    voice, spoken, both = (
        metric.measure_corpus(cases, tools)
        for metric in (
            family.style_information_bits,
            family.style_information_words_bits,
            family.style_information_both_bits,
        )
    )
    assert covers(voice, 0.0)
    assert voice.details["p_value"] > 0.05
    assert number(spoken) > 1.8
    assert number(both) > 1.5
    assert set(spoken.details["features"]) >= {"log2_words", "sorry", "great", "yes"}
    # No judge was planted: the system told its words.
    assert {name for name, _ in tools.asked} == {"features"}


def test_a_silent_system_is_skipped_and_so_are_few_sets() -> None:
    for metric in METRICS:
        cases, tools = cell(silent, sets=5)
        found = metric.measure_corpus(cases, tools)
        if metric is family.input_style_bits:
            assert number(found) > 1.0
        else:
            assert (found.status, found.reason) == ("skipped", "no replies to compare")
        few = metric.measure_corpus(*cell(parrot, sets=3))
        assert few.reason == "fewer than 4 contrast sets with two styles"
        alone = case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)])
        none = metric.measure_corpus([alone], Planted())
        assert none.reason == "no contrast sets in this corpus"


def test_one_style_is_nothing_to_tell_apart() -> None:
    cases, tools = cell(parrot, sets=5)
    for metric in METRICS:
        found = metric.measure_corpus(cases[::4], tools)
        assert found.reason == "fewer than two styles to tell apart"


def test_users_who_do_not_differ_have_no_share_to_keep() -> None:
    cases, tools = cell(parrot, spread_st=200.0)
    kept = family.style_preservation.measure_corpus(cases, tools)
    assert kept.reason == "the users' styles cannot be told apart by their voices"


def test_replies_that_never_came_are_counted_and_the_rest_compared() -> None:
    def seldom(index: int, number: int, random: np.random.Generator) -> tuple[float, str] | None:
        return None if (index + number) % 6 == 0 else parrot(index, number, random)

    cases, tools = cell(seldom)
    kept = family.style_preservation.measure_corpus(cases, tools)
    assert number(kept) == pytest.approx(1.0, abs=0.05)
    assert kept.details["missing"] + kept.details["replies"] == 48
    assert kept.details["missing"] == 8


def test_a_style_has_the_name_that_the_manifest_gives_it() -> None:
    told = case_of(Spoken(0.0, 1.0), group="contrast-08", id="contrast-08-sad").conversation
    turn = told.turns[0]

    def named(style: Style) -> str | None:
        return style_label(told, turn.model_copy(update={"style": style}))

    assert named(Style(label="firm", emotion="angry")) == "firm"
    assert named(Style(emotion="angry", rate=1.2)) == "angry"
    assert named(Style(sentence_type="question", sarcasm=True)) == "question sarcastic"
    assert named(Style(sarcasm=False)) == "sincere"
    assert named(Style(rate=0.8)) == "sad"
    assert style_label(told.model_copy(update={"id": "contrast-08"}), turn) is None
    assert style_label(told.model_copy(update={"id": "other"}), turn) is None
