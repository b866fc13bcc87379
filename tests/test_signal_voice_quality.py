"""Spectral tilt and harmonics-to-noise ratio against sounds whose values are known."""

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.metrics.signal_pitch import PitchTrack
from cascadence.metrics.signal_voice_quality import (
    HNR_LIMITS_DB,
    hnr_db,
    spectral_tilt_db_per_octave,
)

RATE = 16_000
HOP_S = 0.016


def source(
    f0_hz: float, db_per_octave: float, octaves_per_s: float = 0.0, duration_s: float = 1.0
) -> tuple[Audio, PitchTrack]:
    """Harmonics that fall by so much an octave, and their pitch, whose ends are left out."""
    times_s = np.arange(round(duration_s * RATE)) / RATE
    f0 = f0_hz * np.exp2(octaves_per_s * (times_s - duration_s / 2))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    numbers = np.arange(1, int(7800 / f0.max()) + 1)
    sound = sum(
        10 ** (db_per_octave * np.log2(k) / 20) * np.sin(k * phase + 1.3 * k * k) for k in numbers
    )
    sound = 0.1 * np.asarray(sound) / np.sqrt(np.mean(np.asarray(sound) ** 2))
    track = f0[:: round(HOP_S * RATE)].copy()
    track[:5] = track[-5:] = 0.0
    return Audio(np.clip(sound, -1, 1).astype(np.float32), RATE), PitchTrack(HOP_S, track)


def noisy(audio: Audio, ratio_db: float, seed: int = 0) -> Audio:
    """White noise added, so far below the sound's power."""
    noise = np.random.default_rng(seed).standard_normal(len(audio))
    level = np.sqrt(np.mean(audio.samples.astype(float) ** 2)) * 10 ** (-ratio_db / 20)
    return Audio((audio.samples + level * noise).astype(np.float32), audio.sample_rate)


@pytest.mark.parametrize("ratio_db", [0.0, 5.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("f0_hz", [60.0, 113.7, 220.0])
def test_noise_of_a_known_ratio_is_given_back(f0_hz: float, ratio_db: float) -> None:
    tone, track = source(f0_hz, -6.0, duration_s=3.0)
    assert hnr_db(noisy(tone, ratio_db), track) == pytest.approx(ratio_db, abs=1.0)


@pytest.mark.parametrize("octaves_per_s", [-2.0, 0.5, 2.0])
def test_a_moving_pitch_is_not_noise(octaves_per_s: float) -> None:
    tone, track = source(120.0, -6.0, octaves_per_s)
    assert hnr_db(tone, track) > 38.0
    assert hnr_db(noisy(tone, 20.0), track) == pytest.approx(20.0, abs=1.0)


@pytest.mark.parametrize("ratio_db", [15.0, 25.0])
@pytest.mark.parametrize("off", [0.95, 1.031, 1.05])
def test_a_track_that_is_a_little_off_finds_the_same_period(off: float, ratio_db: float) -> None:
    tone, track = source(170.0, -6.0)
    found = hnr_db(noisy(tone, ratio_db), PitchTrack(HOP_S, off * track.f0_hz))
    assert found == pytest.approx(ratio_db, abs=1.0)


def test_noise_alone_has_hardly_any_harmonics() -> None:
    noise = noisy(Audio(np.full(RATE, 1e-3, dtype=np.float32), RATE), 0.0)
    track = PitchTrack(HOP_S, np.full(60, 120.0))
    assert hnr_db(noise, track) < 0.0


def test_frames_are_bounded_where_nothing_is_known() -> None:
    """A tone that stops: what lies beyond is silence, and no ratio is infinite."""
    tone, track = source(120.0, -6.0)
    cut = np.where(np.arange(len(tone)) < 6000, tone.samples, 0).astype(np.float32)
    found = hnr_db(Audio(cut, RATE), track)
    assert found is not None
    assert HNR_LIMITS_DB[0] <= found <= HNR_LIMITS_DB[1]


@pytest.mark.parametrize("db_per_octave", [-15.0, -12.0, -6.0, 0.0, 3.0])
@pytest.mark.parametrize("f0_hz", [60.0, 80.0, 120.0, 220.0, 300.0, 450.0])
def test_a_known_slope_is_given_back(f0_hz: float, db_per_octave: float) -> None:
    tone, track = source(f0_hz, db_per_octave)
    found = spectral_tilt_db_per_octave(tone, track)
    assert found == pytest.approx(db_per_octave, abs=0.3)


def test_a_slope_does_not_depend_on_how_the_pitch_moves() -> None:
    tone, track = source(120.0, -9.0, octaves_per_s=1.0)
    assert spectral_tilt_db_per_octave(tone, track) == pytest.approx(-9.0, abs=0.3)


def test_what_a_telephone_cuts_off_changes_no_slope() -> None:
    """The band ends below the edge of a channel of 8 kHz; so it does not matter who listened."""
    tone, track = source(120.0, -9.0)
    telephone = tone.at_rate(8_000).at_rate(RATE)
    plain = spectral_tilt_db_per_octave(tone, track)
    assert spectral_tilt_db_per_octave(telephone, track) == pytest.approx(plain, abs=0.1)


@pytest.mark.parametrize("measure", [hnr_db, spectral_tilt_db_per_octave])
def test_gain_changes_no_voice_quality(measure) -> None:
    tone, track = source(140.0, -9.0)
    tone = noisy(tone, 12.0)
    quiet = Audio(tone.samples * np.float32(0.01), RATE)
    assert measure(quiet, track) == pytest.approx(measure(tone, track), abs=0.01)


@pytest.mark.parametrize("measure", [hnr_db, spectral_tilt_db_per_octave])
def test_too_little_voice_has_no_quality(measure) -> None:
    tone, track = source(140.0, -9.0)
    seldom = np.zeros_like(track.f0_hz)
    seldom[[20, 30]] = 140.0
    assert measure(tone, PitchTrack(HOP_S, seldom)) is None
    assert (
        measure(Audio(np.zeros(0, dtype=np.float32), RATE), PitchTrack(HOP_S, seldom[:0])) is None
    )


def test_a_voice_above_the_bands_has_no_tilt() -> None:
    tone, _ = source(2500.0, -9.0)
    assert spectral_tilt_db_per_octave(tone, PitchTrack(HOP_S, np.full(60, 2500.0))) is None


@pytest.mark.parametrize("f0_hz", [12.0, 20.0, 5000.0])
@pytest.mark.parametrize("measure", [hnr_db, spectral_tilt_db_per_octave])
def test_a_tracker_that_errs_wildly_breaks_nothing(measure, f0_hz: float) -> None:
    tone, _ = source(120.0, -9.0)
    found = measure(tone, PitchTrack(HOP_S, np.full(60, f0_hz)))
    assert found is None or np.isfinite(found)


def test_long_utterances_are_worked_on_in_parts() -> None:
    """More voiced frames than one part holds: the same as the mean of the parts."""
    tone, track = source(120.0, -9.0, duration_s=12.0)
    tone = noisy(tone, 15.0)
    voiced = np.flatnonzero(track.voiced)
    assert len(voiced) > 512
    halves = []
    for part in (voiced[: len(voiced) // 2], voiced[len(voiced) // 2 :]):
        only = np.zeros_like(track.f0_hz)
        only[part] = track.f0_hz[part]
        halves.append(hnr_db(tone, PitchTrack(HOP_S, only)))
    assert hnr_db(tone, track) == pytest.approx(np.mean(halves), abs=0.05)
