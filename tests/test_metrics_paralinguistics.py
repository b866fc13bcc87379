from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics import paralinguistics
from cascadence.metrics.paralinguistics import Contrast, transfer
from cascadence.metrics.tools import Features
from planted_cases import Planted, Spoken, case_of, channel, hears, noise, text
from test_signal import voice

STYLES = np.array([-4.0, -1.0, 2.0, 3.0])


def sets(gain: float, count: int = 20, spread: float = 0.3, seed: int = 0) -> list[Contrast]:
    random = np.random.default_rng(seed)
    return [
        Contrast(
            f"g{i}",
            user := random.normal(0, 3) + STYLES,
            random.normal(0, 5) + gain * user + random.normal(0, spread, 4),
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0, -0.7])
def test_a_planted_gain_comes_back_inside_its_interval(gain: float) -> None:
    found = transfer(sets(gain), "test")
    assert found is not None
    assert found.gain == pytest.approx(gain, abs=0.06)
    assert found.gain_interval is not None
    assert found.gain_interval[0] <= gain <= found.gain_interval[1]
    assert (found.sets, found.pairs) == (20, 120)


def test_the_slope_is_that_of_all_pairs_of_differences() -> None:
    contrasts = sets(0.4, count=6, spread=2.0)
    contrasts[2] = Contrast("g2", contrasts[2].user[:2], contrasts[2].reply[:2])
    found = transfer(contrasts, "test")
    pairs = [
        (c.user[i] - c.user[j], c.reply[i] - c.reply[j])
        for c in contrasts
        for i in range(len(c.user))
        for j in range(len(c.user))
        if i < j
    ]
    x, y = np.array(pairs).T
    assert found is not None
    assert found.gain == pytest.approx((x @ y) / (x @ x))
    assert found.correlation == pytest.approx((x @ y) / np.sqrt((x @ x) * (y @ y)))
    assert found.pairs == len(pairs)


def test_the_null_is_covered() -> None:
    covered = 0
    for seed in range(200):
        found = transfer(sets(0.0, count=10, spread=1.0, seed=seed), str(seed))
        assert found is not None
        assert found.gain_interval is not None
        covered += found.gain_interval[0] <= 0.0 <= found.gain_interval[1]
    assert covered >= 180


def test_what_cannot_be_compared_has_no_gain() -> None:
    same = np.ones(4)
    assert transfer([], "test") is None
    assert transfer([Contrast("g", same, STYLES)], "test") is None
    one = transfer([Contrast("g", STYLES, same)], "test")
    assert one is not None
    assert (one.gain, one.correlation, one.gain_interval) == (0.0, None, None)


def test_replies_that_nobody_can_tell_apart_do_not_correlate() -> None:
    contrasts = [Contrast(f"g{i}", STYLES + i, 0.001 * STYLES) for i in range(6)]
    found = transfer(contrasts, "test", smallest_spread=0.25)
    assert found is not None
    assert found.gain == pytest.approx(0.001)
    assert (found.correlation, found.correlation_interval) == (None, None)


def pitched(group: str, user_hz: float, reply: Audio | None, number: int) -> Case:
    system = channel(6.0, (2.5, reply)) if reply else ()
    spoken = Spoken(0.0, 0.5, clip=voice(user_hz, 0.5))
    return case_of(spoken, system=system, group=group, id=f"{group}-{number}", duration_s=6.0)


def cell(gain: float | None, groups: int = 2) -> list[Case]:
    """Users at four pitches; replies that follow with this gain in another voice, or none."""
    cases = []
    for index in range(groups):
        for number, shift in enumerate((-4.0, -1.0, 2.0, 3.0)):
            reply = None if gain is None else voice(200.0 * 2 ** (gain * shift / 12), 0.5)
            user_hz = 120.0 * 2 ** ((shift + index) / 12)
            cases.append(pitched(f"g{index}", user_hz, reply, number))
    return cases


def number(measurement: Measurement) -> float:
    assert isinstance(measurement.quantity, Value), measurement
    return measurement.quantity.x


@pytest.fixture(scope="module")
def tools() -> Planted:
    """Real features, measured once a sound."""
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    features, known = Features(), {}

    def measured_once(audio: Audio) -> Mapping[str, Any]:
        key = audio.sha256()
        if key not in known:
            known[key] = features(audio)
        return known[key]

    return Planted(features=measured_once)


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_pitch_that_follows_the_user_is_measured_in_sound(gain: float, tools: Planted) -> None:
    found = paralinguistics.contrast_gain_f0.measure_corpus(cell(gain), tools)
    assert number(found) == pytest.approx(gain, abs=0.05)
    assert found.n == 2
    assert found.interval is not None
    if gain:
        reliably = paralinguistics.contrast_correlation_f0.measure_corpus(cell(gain), tools)
        assert number(reliably) > 0.98
    level = paralinguistics.contrast_gain_level.measure_corpus(cell(gain), tools)
    assert level.reason == "the users of each contrast set do not differ in this"


def swinging(centre_hz: float, range_st: float) -> Audio:
    """A second of voice whose pitch swings up and down, range_st between its extremes."""
    times_s = np.arange(16_000) / 16_000
    f0_hz = centre_hz * 2 ** (range_st / 2 * np.sin(2 * np.pi * 2 * times_s) / 12)
    phase = 2 * np.pi * np.cumsum(f0_hz) / 16_000
    samples = sum(np.sin(k * phase) / k for k in range(1, 12))
    return Audio((0.08 * np.asarray(samples)).astype(np.float32), 16_000)


@pytest.mark.parametrize("gain", [0.0, 0.5, 1.0])
def test_a_pitch_range_that_follows_the_user_is_measured_in_sound(
    gain: float, tools: Planted
) -> None:
    cases = []
    for index in range(2):
        for octaves in (0.0, 0.6, 1.2):
            user, reply = (120.0, 2.0 * 2**octaves), (200.0, 4.0 * 2 ** (gain * octaves))
            spoken = Spoken(0.0, 1.0, clip=swinging(*user))
            heard = channel(6.0, (2.5, swinging(*reply)))
            cases.append(case_of(spoken, system=heard, group=f"g{index}", duration_s=6.0))
    found = paralinguistics.contrast_gain_range.measure_corpus(cases, tools)
    assert number(found) == pytest.approx(gain, abs=0.08)
    reliably = paralinguistics.contrast_correlation_range.measure_corpus(cases, tools)
    if gain:
        assert number(reliably) > 0.97
    else:
        assert reliably.reason == "the replies of each contrast set do not differ in this"


@pytest.mark.parametrize("tells", [True, False])
def test_rate_is_compared_by_proportion(tells: bool) -> None:
    """A user who speaks twice as fast and a system that does so too: gain 1, whatever its pace."""
    cases, speech_s = [], {}
    for seed in range(4):
        reply = noise(1.0, 10 + seed)
        case = case_of(
            Spoken(0.0, 1.0, text="set a timer", clip=noise(1.0, seed)),
            system=channel(6.0, (2.5, reply)),
            events=[text(2.0, "seven minutes from now")] if tells else [],
            group=f"g{seed // 2}",
            duration_s=6.0,
        )
        speech_s[case.clips[0].sha256()] = 1.0 / 2 ** (seed % 2)
        speech_s[case.recording.system.span(2.5, 3.5).sha256()] = 1.5 / 2 ** (seed % 2)
        cases.append(case)
    tools = hears("seven minutes from now")
    tools.answers["features"] = lambda audio: {"speech_s": speech_s[audio.sha256()]}
    found = paralinguistics.contrast_gain_rate.measure_corpus(cases, tools)
    assert number(found) == pytest.approx(1.0)
    assert ("judge_asr" in {name for name, _ in tools.asked}) != tells


def test_replies_that_never_came_are_counted_and_the_rest_compared(tools: Planted) -> None:
    silent = paralinguistics.contrast_gain_f0.measure_corpus(cell(None), tools)
    assert (silent.status, silent.reason) == ("skipped", "no replies to compare")
    seldom = [*cell(1.0)[:-1], *cell(None)[-1:]]
    found = paralinguistics.contrast_gain_f0.measure_corpus(seldom, tools)
    assert (found.details["missing"], found.details["pairs"]) == (1, 9)


def test_a_corpus_without_contrast_sets_is_skipped() -> None:
    case = case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)])
    found = paralinguistics.contrast_gain_rate.measure_corpus([case], Planted())
    assert found.reason == "no contrast sets in this corpus"
