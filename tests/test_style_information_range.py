"""The range of F0 is compared in octaves: a listener hears how many times as lively a voice is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from cascadence.measurement import Case
from cascadence.metrics.paralinguistics import Utterance
from cascadence.metrics.style_information import input_style_bits
from cascadence.metrics.style_information_sets import MONOTONE_ST, VOICE
from cascadence.metrics.tools import Features
from planted_cases import Planted, Spoken, case_of, noise
from test_metrics_style_information import STYLES, number, step_for
from test_signal import voice

(RANGE,) = (feature for feature in VOICE if feature.name == "f0_range")


def read(range_st: float | None) -> float | None:
    return RANGE.read(Utterance({"f0_range_st": range_st}, str))


def cell(bits: float, sets: int = 40) -> tuple[list[Case], Planted]:
    """Users of 2 to 8 st by nature, whose range is multiplied by as much in every style."""
    random = np.random.default_rng(0)
    measured: dict[str, Mapping[str, Any]] = {}
    cases = []
    for index in range(sets):
        usual = random.uniform(1.0, 3.0)
        for style, name in enumerate(STYLES):
            octaves = usual + 0.25 * (step_for(bits) * (style - 1.5) + random.normal())
            group = f"g{index:02d}"
            turn = Spoken(0.0, 0.5, clip=noise(0.5, 10 * index + style))
            cases.append(case_of(turn, group=group, id=f"{group}-{name}", duration_s=1.0))
            told = {"speech_s": 0.0, "f0_median_st": None, "level_db": None}
            measured[cases[-1].clips[0].sha256()] = {**told, "f0_range_st": 2.0**octaves}
    return cases, Planted(features=lambda audio: measured[audio.sha256()])


@pytest.mark.parametrize("bits", [0.0, 1.0, 1.9])
def test_bits_that_are_planted_as_ratios_come_back(bits: float) -> None:
    found = input_style_bits.measure_corpus(*cell(bits))
    assert found.details["features"] == ["f0_range"]
    assert number(found) == pytest.approx(bits, abs=0.12)
    assert found.interval is not None
    assert found.interval[0] <= bits <= found.interval[1]


def test_twice_the_range_is_an_octave() -> None:
    assert read(8.0) - read(4.0) == pytest.approx(1.0)
    assert read(0.8) - read(0.4) == pytest.approx(1.0)
    assert read(None) is None


def test_a_monotone_has_a_range_as_narrow_as_can_be_told_from_none() -> None:
    assert read(0.0) == read(MONOTONE_ST / 2) == read(MONOTONE_ST) == pytest.approx(np.log2(0.1))
    assert read(1.01 * MONOTONE_ST) > read(MONOTONE_ST)


@pytest.mark.parametrize("f0_hz", [85.0, 130.0, 210.0, 330.0])
@pytest.mark.parametrize("snr_db", [60.0, 20.0])
def test_what_is_measured_of_one_f0_lies_below_the_narrowest(f0_hz: float, snr_db: float) -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    hum = voice(f0_hz)
    hiss = np.random.default_rng(0).normal(0, 0.1 * 10 ** (-snr_db / 20), len(hum))
    heard = type(hum)((hum.samples + hiss).astype(np.float32), hum.sample_rate)
    assert Features()(heard)["f0_range_st"] < MONOTONE_ST
