"""Goldens of the pure functions: contours, levels, cepstra, alignment."""

import math

import numpy as np
import pytest

from cascadence.audio import Audio, concatenate
from cascadence.metrics.prosody_alignment import (
    CEPSTRA,
    HOP_S,
    MEL_BANDS,
    align,
    levels_at_frames_db,
    mel_cepstra,
)
from cascadence.metrics.prosody_contours import (
    compare_contours,
    level_correlation,
    mel_cepstral_distortion_db,
)
from planted_cases import noise
from test_signal import voice

RATE = 16_000


def contour() -> np.ndarray:
    f0_hz = 120.0 + 20.0 * np.sin(np.linspace(0, 9, 90))
    f0_hz[30:40] = 0.0
    return f0_hz


def test_a_copy_shifted_by_a_semitone_is_100_cents_off_and_0_once_levelled() -> None:
    found = compare_contours(contour(), contour() * 2 ** (1 / 12))
    assert found.raw_rmse_cents == pytest.approx(100.0)
    assert found.log_f0_rmse_cents == pytest.approx(0.0, abs=1e-9)
    assert found.f0_correlation == pytest.approx(1.0)
    assert (found.vde, found.gpe) == (0.0, 0.0)


def test_the_octave_double_is_all_gross_errors_though_it_correlates() -> None:
    found = compare_contours(contour(), 2 * contour())
    assert (found.vde, found.gpe) == (0.0, 1.0)
    assert found.f0_correlation == pytest.approx(1.0)
    assert found.ffe == pytest.approx(80 / 90)


def test_voicing_that_differs_is_counted_over_all_frames() -> None:
    other = contour()
    other[30:40] = 120.0
    other[:8] = 0.0
    found = compare_contours(contour(), other)
    assert found.vde == pytest.approx(18 / 90)
    assert (found.gpe, found.covoiced, found.voicing_errors) == (0.0, 72, 18)


def test_gross_is_more_than_20_percent_of_the_reference() -> None:
    reference = np.full(10, 100.0)
    candidate = np.array([100, 119, 121, 81, 79, 100, 100, 200, 50, 0.0])
    found = compare_contours(reference, candidate)
    assert found.gpe == pytest.approx(4 / 9)
    assert found.vde == pytest.approx(1 / 10)
    assert found.ffe == pytest.approx(5 / 10)


def tracks(cents: np.ndarray, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A reference, 70 % voiced, and a candidate off by some of these cents, with lost frames."""
    random = np.random.default_rng(seed)
    reference = np.where(random.random(400) < 0.7, random.uniform(80, 300, 400), 0.0)
    candidate = reference * np.exp2(random.choice(cents, 400) / 1200)
    candidate[random.random(400) < 0.1] = 0.0
    candidate[(reference == 0.0) & (random.random(400) < 0.2)] = 150.0
    return reference, candidate


def test_voicing_errors_agree_with_mir_eval() -> None:
    melody = pytest.importorskip("mir_eval.melody")
    reference, candidate = tracks(np.array([0.0, 50.0]))
    found = compare_contours(reference, candidate)
    voiced, heard = reference > 0, candidate > 0
    recall, false_alarm = melody.voicing_measures(voiced, heard)
    errors = (1 - recall) * voiced.sum() + false_alarm * (~voiced).sum()
    assert found.voicing_errors == pytest.approx(errors, abs=1e-6)
    assert found.vde == pytest.approx(errors / 400, abs=1e-6)
    assert found.covoiced == pytest.approx(recall * voiced.sum(), abs=1e-6)


def test_gross_errors_agree_with_mir_eval() -> None:
    """Raw pitch accuracy at a tolerance between which and 20 % no planted error lies."""
    melody = pytest.importorskip("mir_eval.melody")
    reference, candidate = tracks(np.array([0.0, -250.0, 300.0, -450.0, 700.0, 1200.0]))
    found = compare_contours(reference, candidate)
    voiced, heard = reference > 0, candidate > 0
    accuracy = melody.raw_pitch_accuracy(
        voiced,
        melody.hz2cents(reference),
        heard,
        melody.hz2cents(candidate),
        cent_tolerance=350,
    )
    right = found.covoiced - found.gross_errors
    assert right / voiced.sum() == pytest.approx(accuracy, abs=1e-6)
    assert found.gross_errors > 50


@pytest.mark.parametrize("silent", [np.zeros(20), np.r_[np.zeros(18), 100.0, 100.0]])
def test_too_little_voice_has_no_distance(silent: np.ndarray) -> None:
    found = compare_contours(silent, silent)
    assert found.log_f0_rmse_cents is None
    assert found.f0_correlation is None
    assert compare_contours(np.zeros(20), np.zeros(20)).gpe is None


def test_a_flat_voice_has_no_correlation() -> None:
    flat = np.full(90, 120.0) * 2 ** (np.random.default_rng(0).normal(0, 5, 90) / 1200)
    assert compare_contours(flat, contour()).f0_correlation is None
    assert compare_contours(flat, contour()).log_f0_rmse_cents is not None


def test_contours_must_be_aligned() -> None:
    with pytest.raises(ValueError, match="aligned"):
        compare_contours(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="aligned"):
        compare_contours(np.zeros(0), np.zeros(0))


def test_pauses_at_the_same_place_do_not_correlate_levels() -> None:
    random = np.random.default_rng(7)
    first, second = random.normal(-20, 3, 4000), random.normal(-20, 3, 4000)
    speaks = np.arange(4000) % 100 < 60
    first[~speaks] = second[~speaks] = -80.0
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert level_correlation(first, second, speaks) == pytest.approx(0.0, abs=0.06)
    assert level_correlation(first, 2 * first + 5, speaks) == pytest.approx(1.0)
    assert level_correlation(first, -first, speaks) == pytest.approx(-1.0)


def test_levels_that_do_not_vary_have_no_correlation() -> None:
    steady, speaks = np.full(50, -20.0), np.ones(50, dtype=bool)
    assert level_correlation(steady, np.linspace(-30, -10, 50), speaks) is None
    assert level_correlation(steady[:4], steady[:4], speaks[:4]) is None


@pytest.mark.parametrize("offset", [0.1, -0.7])
def test_distortion_has_its_closed_form(offset: float) -> None:
    cepstra = np.random.default_rng(1).normal(size=(CEPSTRA, 40))
    moved = cepstra.copy()
    moved[5] += offset
    expected = 10 / math.log(10) * math.sqrt(2) * abs(offset)
    assert mel_cepstral_distortion_db(cepstra, moved) == pytest.approx(expected, rel=1e-9)
    assert mel_cepstral_distortion_db(cepstra, cepstra) == 0.0


def test_distortion_leaves_the_level_out_and_counts_the_frames_asked_for() -> None:
    cepstra = np.zeros((CEPSTRA, 10))
    louder = cepstra.copy()
    louder[0] += 3.0
    assert mel_cepstral_distortion_db(cepstra, louder) == 0.0
    louder[1, :5] += 1.0
    late = np.arange(10) >= 5
    assert mel_cepstral_distortion_db(cepstra, louder, late) == 0.0
    assert mel_cepstral_distortion_db(cepstra, louder, ~late) == pytest.approx(6.1418, abs=1e-3)
    assert mel_cepstral_distortion_db(cepstra, louder, np.zeros(10, dtype=bool)) is None


def test_a_gain_moves_c0_alone() -> None:
    pytest.importorskip("librosa")
    sound = noise(1.0)
    quiet = Audio(sound.samples * np.float32(0.1), RATE)
    apart = mel_cepstra(quiet) - mel_cepstra(sound)
    assert apart[0] == pytest.approx(-math.log(100), abs=1e-3)
    assert apart[1:] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("which", [1, 4])
def test_a_ripple_in_the_spectrum_is_one_coefficient(which: int) -> None:
    librosa = pytest.importorskip("librosa")
    sound = noise(2.0)
    centres_hz = librosa.mel_frequencies(MEL_BANDS + 2, fmin=0.0, fmax=RATE / 2)[1:-1]
    band = np.interp(np.fft.rfftfreq(len(sound), 1 / RATE), centres_hz, np.arange(MEL_BANDS))
    ripple = 2 * 0.3 * np.cos(np.pi * which * (band + 0.5) / MEL_BANDS)  # of ln power
    filtered = np.fft.irfft(np.fft.rfft(sound.samples) * np.exp(ripple / 2), len(sound))
    rippled = Audio((0.3 * filtered).astype(np.float32), RATE)
    apart = (mel_cepstra(rippled) - mel_cepstra(sound))[:, 2:-2].mean(axis=1)
    assert apart[which] == pytest.approx(0.3, abs=0.015)
    assert np.delete(apart, [0, which]) == pytest.approx(0.0, abs=0.02)


def test_levels_are_those_of_the_sound() -> None:
    sound = concatenate([noise(0.5), Audio(np.zeros(RATE // 2, dtype=np.float32), RATE)], RATE)
    levels = levels_at_frames_db(sound)
    loud = 10 * math.log10(0.3**2 / 3)
    assert levels[5:25] == pytest.approx(loud, abs=0.8)
    assert levels[40:] == pytest.approx(-120.0)
    assert len(levels) == mel_cepstra(sound).shape[1]


def word(f0_s: float) -> np.ndarray:
    """Four sounds that differ in timbre and pitch."""
    parts = [voice(f0, f0_s) for f0 in (110.0, 150.0, 130.0, 180.0)]
    return mel_cepstra(concatenate(parts, RATE))


def test_alignment_undoes_a_change_of_tempo() -> None:
    pytest.importorskip("librosa")
    first, second = align(word(0.25), word(0.5))
    assert (np.diff(first) >= 0).all()
    assert (np.diff(second) >= 0).all()
    early = round(0.24 / HOP_S)
    middle = np.median(second[first == early])
    assert middle * HOP_S == pytest.approx(0.48, abs=0.06)


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_less_than_a_window_is_a_frame(samples: int) -> None:
    pytest.importorskip("librosa")
    sound = Audio(np.full(samples, 0.1, dtype=np.float32), RATE)
    cepstra = mel_cepstra(sound)
    assert np.isfinite(cepstra).all()
    assert cepstra.shape[1] == len(levels_at_frames_db(sound)) > 0
