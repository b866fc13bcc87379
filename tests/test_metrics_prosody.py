import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio, concatenate, silence
from cascadence.measurement import Case, Measurement, Metric
from cascadence.metrics import prosody
from cascadence.metrics.tools import Features
from planted_cases import Planted, Spoken, case_of, channel, measured, noise, numbers, text

RATE = 16_000
WORDS = "set a timer now please sam"
TUNE = (110.0, 150.0, 125.0, 180.0, 140.0, 120.0)


VOWELS_HZ = ((300, 2300), (700, 1200), (350, 800), (550, 1900), (450, 900), (650, 1700))


def tune(
    f0_hz: Sequence[float] = TUNE,
    durations_s: Sequence[float] = (0.25,) * 6,
    levels: Sequence[float] = (0.1,) * 6,
    pause_s: float = 0.0,
    shift: float = 1.0,
) -> Audio:
    """Six vowels in a little noise, gliding from pitch to pitch, with a pause after the third."""
    ends_s = np.cumsum(durations_s)
    middles_s = ends_s - np.asarray(durations_s) / 2
    times_s = np.arange(round(ends_s[-1] * RATE)) / RATE
    track_hz = shift * np.interp(times_s, middles_s, f0_hz)
    phase = 2 * np.pi * np.cumsum(track_hz) / RATE
    bounds = np.rint(ends_s * RATE).astype(int)
    parts = []
    for first, last, level, formants_hz in zip(
        (0, *bounds[:-1]), bounds, levels, VOWELS_HZ, strict=True
    ):
        sound = voiced(phase[first:last], track_hz[first:last], formants_hz)
        shape = 0.1 + 0.9 * np.sin(np.pi * np.linspace(0, 1, len(sound))) ** 2
        sound *= level * shape / np.sqrt(np.mean(sound**2))
        parts.append(Audio(sound.astype(np.float32), RATE))
    whole = concatenate([*parts[:3], silence(pause_s, RATE), *parts[3:]], RATE)
    return Audio(whole.samples + 0.001 * noise(whole.duration_s).samples, RATE)


def voiced(phase: np.ndarray, f0_hz: np.ndarray, formants_hz: tuple[int, int]) -> np.ndarray:
    """Harmonics, strong where the formants are."""
    sound = np.zeros(len(phase))
    for harmonic in range(1, int(4000 / f0_hz.mean())):
        weight = 0.02 + sum(
            share * np.exp(-(((harmonic * f0_hz - centre) / 150) ** 2))
            for share, centre in zip((1.0, 0.5), formants_hz, strict=True)
        )
        sound += weight * np.sin(harmonic * phase)
    return sound


class Remembered:
    """The features of a sound, computed once for all tests."""

    def __init__(self) -> None:
        self.tool = Features()
        self.answers: dict[str, Mapping[str, Any]] = {}

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        key = audio.sha256()
        if key not in self.answers:
            self.answers[key] = self.tool(audio)
        return self.answers[key]


@pytest.fixture(scope="module")
def features() -> Remembered:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    return Remembered()


def said_again(clip: Audio, reply: Audio, words: str = WORDS) -> Case:
    """The user says the words; the system says words of its own, and tells them."""
    start_s = clip.duration_s + 0.5
    return case_of(
        Spoken(0.0, clip.duration_s, clip=clip, text=WORDS),
        system=channel(start_s + reply.duration_s + 1.0, (start_s, reply)),
        events=[text(0.1, words)],
        duration_s=start_s + reply.duration_s + 1.0,
    )


def found(metric: Metric, clip: Audio, reply: Audio, features: Remembered) -> Measurement:
    (measurement,) = measured(metric, said_again(clip, reply), Planted(features=features))
    return measurement


def number(metric: Metric, clip: Audio, reply: Audio, features: Remembered) -> float:
    (value,) = numbers([found(metric, clip, reply, features)])
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("metric", "perfect"),
    [
        (prosody.log_f0_rmse_cents, 0.0),
        (prosody.f0_correlation, 1.0),
        (prosody.vde, 0.0),
        (prosody.gpe, 0.0),
        (prosody.ffe, 0.0),
        (prosody.energy_correlation, 1.0),
        (prosody.mcd_db, 0.0),
        (prosody.duration_ratio, 1.0),
        (prosody.rate_ratio, 1.0),
        (prosody.pause_alignment, 1.0),
        (prosody.prominence_f1, 1.0),
        (prosody.npvi_difference, 0.0),
    ],
)
def test_a_copy_is_perfect_though_it_lies_elsewhere_on_the_frame_grid(
    metric: Metric, perfect: float, features: Remembered
) -> None:
    sound = tune(pause_s=0.3)
    breath = Audio(noise(0.0143).samples * np.float32(0.01), RATE)
    delayed = concatenate([breath, sound], RATE)
    assert number(metric, sound, delayed, features) == pytest.approx(perfect, abs=1e-6)


def test_a_semitone_up_is_100_cents_off_and_0_once_levelled(features: Remembered) -> None:
    measurement = found(prosody.log_f0_rmse_cents, tune(), tune(shift=2 ** (1 / 12)), features)
    assert numbers([measurement])[0] == pytest.approx(0.0, abs=12.0)
    assert measurement.details["raw_rmse_cents"] == pytest.approx(100.0, abs=6.0)
    assert measurement.details["vde"] < 0.05


def test_an_octave_up_correlates_and_is_all_gross_errors(features: Remembered) -> None:
    octave = tune(shift=2.0)
    assert number(prosody.f0_correlation, tune(), octave, features) > 0.95
    assert number(prosody.gpe, tune(), octave, features) == pytest.approx(1.0, abs=0.02)
    assert number(prosody.vde, tune(), octave, features) < 0.1
    ffe = found(prosody.ffe, tune(), octave, features)
    assert numbers([ffe])[0] == pytest.approx(
        ffe.details["vde"] + ffe.details["gpe"] * _covoiced_share(octave, features), abs=1e-9
    )


def _covoiced_share(octave: Audio, features: Remembered) -> float:
    details = found(prosody.f0_correlation, tune(), octave, features).details
    return float(details["covoiced"] / details["frames"])


def test_the_tune_upside_down_anticorrelates(features: Remembered) -> None:
    upside_down = tune([20_000.0 / f0 for f0 in TUNE])
    assert number(prosody.f0_correlation, tune(), upside_down, features) < -0.8


def test_a_whisper_in_the_middle_is_an_error_of_voicing(features: Remembered) -> None:
    sound = tune()
    samples = sound.samples.copy()
    samples[16_000:20_000] = noise(0.25).samples * 0.3
    whispered = Audio(samples, RATE)
    assert number(prosody.vde, sound, whispered, features) == pytest.approx(1 / 6, abs=0.06)


def test_half_the_tempo_takes_twice_as_long_at_half_the_rate(features: Remembered) -> None:
    slow = tune(durations_s=(0.5,) * 6)
    assert number(prosody.duration_ratio, tune(), slow, features) == pytest.approx(2.0, abs=0.02)
    assert number(prosody.rate_ratio, tune(), slow, features) == pytest.approx(0.5, abs=0.02)


def test_a_pause_prolongs_and_does_not_slow_down(features: Remembered) -> None:
    paused = tune(pause_s=0.5)
    assert number(prosody.duration_ratio, tune(), paused, features) == pytest.approx(
        4 / 3, abs=0.02
    )
    assert number(prosody.rate_ratio, tune(), paused, features) == pytest.approx(1.0, abs=0.06)


def test_durations_add_up_over_a_corpus(features: Remembered) -> None:
    assert prosody.duration_ratio.spec.summary == "ratio"
    quantity = found(prosody.duration_ratio, tune(), tune(pause_s=0.5), features).quantity
    assert quantity is not None
    assert quantity.denominator == pytest.approx(1.5, abs=0.02)  # type: ignore[union-attr]


@pytest.mark.parametrize(("pause_s", "score"), [(0.6, 1.0), (0.3, 0.5), (0.0, 0.0)])
def test_a_pause_half_as_long_scores_half_and_none_scores_0(
    pause_s: float, score: float, features: Remembered
) -> None:
    paused = tune(pause_s=0.6)
    reply = tune(pause_s=pause_s)
    # The fading sound around a pause belongs to it, on both sides.
    assert number(prosody.pause_alignment, paused, reply, features) == pytest.approx(score, abs=0.1)


def test_who_does_not_pause_has_no_pauses_to_align(features: Remembered) -> None:
    assert "neither" in found(prosody.pause_alignment, tune(), tune(), features).reason


def stressed(index: int) -> Audio:
    """The same syllables, one of them higher and louder."""
    f0_hz, levels = [120.0] * 6, [0.06] * 6
    f0_hz[index], levels[index] = 170.0, 0.14
    return tune(f0_hz, levels=levels)


def test_the_stressed_syllable_is_found_where_it_is(features: Remembered) -> None:
    assert number(prosody.prominence_f1, stressed(2), stressed(2), features) == 1.0
    elsewhere = found(prosody.prominence_f1, stressed(1), stressed(4), features)
    assert numbers([elsewhere]) == [0.0]
    assert elsewhere.details == {"hits": 0, "reference": 1, "candidate": 1}


def test_an_uneven_rhythm_differs_from_an_even_one(features: Remembered) -> None:
    even = found(prosody.npvi_difference, tune(), tune(), features)
    assert even.details["user_npvi"] < 12.0
    uneven = tune(durations_s=(0.15, 0.4, 0.15, 0.4, 0.15, 0.4))
    assert number(prosody.npvi_difference, uneven, uneven, features) == pytest.approx(0.0)
    distant = tune(durations_s=(0.2, 0.2, 0.5, 0.5, 0.2, 0.2))
    assert number(prosody.npvi_difference, tune(), distant, features) > 15.0


def test_gain_moves_neither_energy_correlation_nor_timbre(features: Remembered) -> None:
    sound = tune(levels=(0.12, 0.2, 0.14, 0.2, 0.12, 0.18))
    quiet = Audio(sound.samples * np.float32(0.5), RATE)
    assert number(prosody.energy_correlation, sound, quiet, features) > 0.99
    assert number(prosody.mcd_db, sound, quiet, features) == pytest.approx(0.0, abs=0.1)


def test_levels_upside_down_anticorrelate(features: Remembered) -> None:
    sound = tune(levels=(0.02, 0.12, 0.02, 0.12, 0.02, 0.12))
    other = tune(levels=(0.12, 0.02, 0.12, 0.02, 0.12, 0.02))
    straight = number(prosody.energy_correlation, sound, sound, features)
    assert number(prosody.energy_correlation, sound, other, features) < straight - 0.5


def test_another_timbre_costs_distortion(features: Remembered) -> None:
    sound = tune()
    dull = np.convolve(sound.samples, np.ones(8) / 8, mode="same").astype(np.float32)
    assert number(prosody.mcd_db, sound, Audio(dull, RATE), features) > 2.0


def test_other_words_are_skipped_and_the_systems_own_text_spares_the_judge() -> None:
    case = said_again(tune(), tune(), words="something else that has no word of it")
    nobody = Planted()
    assert "other words" in measured(prosody.mcd_db, case, nobody)[0].reason
    assert nobody.asked == []


def test_the_judge_is_asked_where_the_system_does_not_tell(features: Remembered) -> None:
    clip = tune()
    silent_about_it = case_of(
        Spoken(0.0, 1.5, clip=clip, text=WORDS), system=channel(6.0, (2.5, clip))
    )
    heard = Planted(features=features, judge_asr=lambda audio: {"text": WORDS})
    assert measured(prosody.mcd_db, silent_about_it, heard)[0].status == "ok"
    mishears = Planted(features=features, judge_asr=lambda audio: {"text": "no such thing"})
    assert "other words" in measured(prosody.mcd_db, silent_about_it, mishears)[0].reason


def test_one_misheard_word_in_six_is_still_the_same_words(features: Remembered) -> None:
    almost = said_again(tune(), tune(), words=WORDS.replace("sam", "pam"))
    tools = Planted(features=features)
    assert measured(prosody.vde, almost, tools)[0].status == "ok"
    less = said_again(tune(), tune(), words="set a timer then thanks sam")
    assert measured(prosody.vde, less, tools)[0].status == "skipped"


def test_no_reply_is_skipped() -> None:
    (measurement,) = measured(prosody.log_f0_rmse_cents, case_of(Spoken(0.0, 1.0)), Planted())
    assert (measurement.status, measurement.reason) == ("skipped", "no reply came")


def test_flat_voices_have_no_correlation(features: Remembered) -> None:
    flat = tune([120.0] * 6)
    assert "vary" in found(prosody.f0_correlation, flat, tune(), features).reason


def test_a_pair_is_analysed_once_for_all_measures(features: Remembered) -> None:
    tools = Planted(features=features)
    case = said_again(tune(shift=1.01), tune(shift=1.02))
    for metric in (prosody.vde, prosody.mcd_db, prosody.npvi_difference):
        assert measured(metric, case, tools)[0].status == "ok"
    assert [name for name, _ in tools.asked] == ["features", "features"]


def test_an_hour_is_not_aligned() -> None:
    hour = Audio(np.full(3600 * 1_000, 0.1, dtype=np.float32), 1_000)
    case = case_of(Spoken(0.0, 1.0), system=hour, events=[text(0.1, "set a timer")])
    for metric in (prosody.vde, prosody.pause_alignment):
        (measurement,) = metric.measure(case, Planted())
        assert measurement.status == "skipped"


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_the_systems_rate_does_not_matter(rate: int, features: Remembered) -> None:
    sound = tune(shift=1.2)
    other = sound.at_rate(rate)
    assert number(prosody.log_f0_rmse_cents, sound, other, features) < 12.0
    assert number(prosody.energy_correlation, sound, other, features) > 0.98
    assert math.isclose(number(prosody.duration_ratio, sound, other, features), 1.0, abs_tol=0.01)
