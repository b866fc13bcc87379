import json
import math

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from cascadence.audio import Audio, BadAudio, concatenate, silence
from cascadence.metrics.signal import (
    ANALYSIS_RATE,
    PitchTrack,
    active_level_dbfs,
    semitones,
    speech_runs,
    utterance_features,
)
from cascadence.metrics.signal_syllables import mel_power, syllable_nuclei_s
from cascadence.metrics.tools import Features

RATE = ANALYSIS_RATE


@pytest.fixture(scope="module")
def features() -> Features:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    return Features()


def voice(
    f0_hz: float | np.ndarray, duration_s: float = 1.0, level: float = 0.1, rate: int = RATE
) -> Audio:
    """A vowel: harmonics that fall off, with formant-like weights."""
    count = round(duration_s * rate)
    track = np.broadcast_to(np.asarray(f0_hz, dtype=float), count)
    phase = 2 * np.pi * np.cumsum(track) / rate
    harmonics = np.arange(1, 20)
    centres = harmonics * float(np.mean(track))
    weights = np.exp(-((centres - 600) ** 2) / 4e5) + 0.3 * np.exp(-((centres - 1500) ** 2) / 2e5)
    sound = sum(w * np.sin(h * phase) for w, h in zip(weights, harmonics, strict=True))
    sound = np.asarray(sound) * level / np.sqrt(np.mean(np.asarray(sound) ** 2))
    return Audio(np.clip(sound, -1, 1).astype(np.float32), rate)


def syllables(count: int, per_s: float, f0_hz: float = 120.0) -> Audio:
    """Vowels that swell and fade, so many a second."""
    one = voice(f0_hz, 1 / per_s)
    shape = 0.05 + 0.95 * np.sin(np.pi * np.linspace(0, 1, len(one))) ** 2
    return Audio(np.tile((one.samples * shape).astype(np.float32), count), RATE)


@pytest.mark.parametrize("f0_hz", [85.0, 120.0, 210.0, 330.0])
def test_pitch_comes_back_in_semitones(features: Features, f0_hz: float) -> None:
    found = features(voice(f0_hz))
    assert found["f0_median_st"] == pytest.approx(12 * math.log2(f0_hz / 100), abs=0.2)
    assert found["f0_range_st"] < 0.5


def test_a_glide_has_a_range_and_a_slope(features: Features) -> None:
    rising = 120.0 * 2 ** (np.linspace(0, 1, RATE))  # an octave in a second
    found = features(voice(rising))
    assert found["f0_range_st"] == pytest.approx(0.9 * 12, abs=0.8)
    assert found["final_f0_slope_st_per_s"] == pytest.approx(12.0, abs=1.5)
    assert features(voice(rising[::-1]))["final_f0_slope_st_per_s"] < -10


def test_a_pause_is_found_and_taken_out_of_the_rate(features: Features) -> None:
    half = syllables(4, 4.0)
    whole = concatenate([half, silence(0.5, RATE), half], RATE)
    found, plain = features(whole), features(syllables(8, 4.0))
    assert len(found["pauses_s"]) == 1
    assert found["pauses_s"][0] == pytest.approx([1.0, 1.5], abs=0.06)
    assert found["pause_ratio"] == pytest.approx(0.5 / 2.5, abs=0.04)
    assert found["rate_syllables_per_s"] == pytest.approx(plain["rate_syllables_per_s"], rel=0.1)


@pytest.mark.parametrize("per_s", [2.5, 4.0, 5.5])
def test_syllables_are_counted(features: Features, per_s: float) -> None:
    found = features(syllables(8, per_s))
    assert found["syllables"] == 8
    assert found["rate_syllables_per_s"] == pytest.approx(per_s, rel=0.1)


def test_gain_moves_the_level_and_nothing_else(features: Features) -> None:
    sound = concatenate([silence(0.2, RATE), syllables(6, 4.0), silence(0.2, RATE)], RATE)
    quiet = Audio(sound.samples * np.float32(0.1), RATE)
    one, other = dict(features(sound)), dict(features(quiet))
    assert one.pop("level_db") - other.pop("level_db") == pytest.approx(20.0, abs=0.01)
    assert other.keys() == one.keys()
    for name, value in one.items():
        assert other[name] == pytest.approx(value, abs=0.02), name


def test_silence_around_and_an_offset_change_nothing(features: Features) -> None:
    sound = syllables(6, 4.0)
    shifted = concatenate([silence(0.48, RATE), sound, silence(0.3, RATE)], RATE)
    offset = Audio((shifted.samples + np.float32(0.05)).astype(np.float32), RATE)
    names = ("level_db", "rate_syllables_per_s", "f0_median_st", "pause_ratio")
    plain = features(sound)
    for other in (features(shifted), features(offset)):
        for name in names:
            assert other[name] == pytest.approx(plain[name], abs=0.3), name


def test_active_level_leaves_pauses_out() -> None:
    speech = voice(120.0, 2.0, level=0.1)
    spaced = concatenate([speech, silence(2.0, RATE), speech, silence(2.0, RATE)], RATE)
    assert active_level_dbfs(speech) == pytest.approx(-20.0, abs=0.2)
    assert active_level_dbfs(spaced) == pytest.approx(-20.0, abs=0.6)
    assert active_level_dbfs(silence(1.0, RATE)) is None


def test_speech_runs_lie_where_speech_lies() -> None:
    sound = concatenate([silence(0.3, RATE), voice(120.0, 0.5), silence(0.4, RATE)], RATE)
    level_db = active_level_dbfs(sound)
    assert level_db is not None
    assert speech_runs(sound, level_db) == [pytest.approx((0.3, 0.8), abs=0.011)]


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_the_rate_of_the_recording_does_not_matter(features: Features, rate: int) -> None:
    plain, other = features(voice(150.0)), features(voice(150.0, rate=rate))
    assert other["f0_median_st"] == pytest.approx(plain["f0_median_st"], abs=0.2)
    assert other["level_db"] == pytest.approx(plain["level_db"], abs=0.5)


@pytest.mark.parametrize(
    "sound",
    [
        silence(0.0, RATE),
        silence(1.0, RATE),
        Audio(np.array([0.5], dtype=np.float32), RATE),
        Audio(np.full(400, 0.7, dtype=np.float32), RATE),
        Audio(np.sign(np.sin(np.arange(RATE))).astype(np.float32), RATE),
        Audio(np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32), RATE),
        voice(100.0, 0.02),
    ],
    ids=["empty", "silent", "one sample", "dc", "clipped", "noise", "20 ms"],
)
def test_odd_sounds_have_features_that_json_can_hold(features: Features, sound: Audio) -> None:
    found = features(sound)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found.keys() == features(voice(120.0)).keys()


def test_nan_is_refused(features: Features) -> None:
    with pytest.raises(BadAudio):
        features(Audio(np.array([0.0, np.nan], dtype=np.float32), RATE))


def test_any_tracker_will_do() -> None:
    pytest.importorskip("librosa")
    flat = PitchTrack(0.01, np.full(100, 200.0))
    found = utterance_features(voice(120.0), lambda audio: flat)
    assert found["f0_median_st"] == pytest.approx(12.0)
    assert semitones(np.array([50.0, 100.0])) == pytest.approx([-12.0, 0.0])


def test_pitch_outside_speech_does_not_count() -> None:
    """A tracker that hears a hum wherever nobody speaks: the hum is no voice of the speaker."""
    pytest.importorskip("librosa")

    def hears_hum(audio: Audio) -> PitchTrack:
        loud = np.abs(audio.samples[:: RATE // 100]) > 1e-4
        spoken = maximum_filter1d(loud.astype(float), 5) > 0
        return PitchTrack(0.01, np.where(spoken, 120.0, 300.0))

    sound = concatenate([voice(120.0), silence(1.0, RATE), voice(120.0)], RATE)
    found = utterance_features(sound, hears_hum)
    assert found["pause_ratio"] == pytest.approx(1 / 3, abs=0.02)
    assert found["f0_range_st"] == pytest.approx(0.0, abs=1e-6)
    assert max(found["f0_hz"]) == 300.0


def test_mel_power_is_that_of_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 12_345).astype(np.float32)
    expected = librosa.feature.melspectrogram(
        y=noise,
        sr=RATE,
        n_fft=512,
        win_length=320,
        hop_length=80,
        n_mels=16,
        fmin=100.0,
        fmax=2500.0,
    )
    np.testing.assert_allclose(mel_power(Audio(noise, RATE)), expected, rtol=1e-4)


@pytest.mark.parametrize("f0_hz", [60.0, 85.0, 120.0, 300.0])
def test_the_periods_of_a_low_voice_are_no_syllables(f0_hz: float) -> None:
    pytest.importorskip("librosa")
    track = PitchTrack(0.016, np.full(62, f0_hz))
    assert len(syllable_nuclei_s(voice(f0_hz, 1.0), track)) <= 1


def test_a_track_can_be_read_between_its_frames() -> None:
    track = PitchTrack(0.01, np.array([0.0, 100.0, 200.0, 0.0]))
    times_s = np.array([-0.02, 0.0, 0.004, 0.006, 0.01, 0.015, 0.02, 0.024, 0.026, 0.05])
    expected = [0.0, 0.0, 0.0, 100.0, 100.0, math.sqrt(2e4), 200.0, 200.0, 0.0, 0.0]
    assert track.at(times_s) == pytest.approx(expected)
    assert PitchTrack(0.01, np.zeros(0)).at(times_s) == pytest.approx(np.zeros(10))


def test_the_track_keeps_its_times_whatever_was_cut_away(features: Features) -> None:
    """Silence before the speech moves every voiced frame and every pause by as much."""
    half = syllables(4, 4.0)
    sound = concatenate([half, silence(0.4, RATE), half], RATE)
    later = concatenate([silence(0.8, RATE), sound, silence(0.4, RATE)], RATE)
    plain, found = features(sound), features(later)
    shift = round(0.8 / found["f0_hop_s"])
    assert len(found["f0_hz"]) == len(plain["f0_hz"]) + round(1.2 / found["f0_hop_s"])
    assert found["f0_hz"][shift : shift + len(plain["f0_hz"])] == pytest.approx(
        plain["f0_hz"], abs=0.02
    )
    assert found["pauses_s"][0] == pytest.approx([t + 0.8 for t in plain["pauses_s"][0]], abs=0.002)
