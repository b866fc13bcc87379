"""PESQ, STOI, SI-SDR: only where the reply is a copy, and then what their makers' code says."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from cascadence.audio import Audio, concatenate, read_audio, silence
from cascadence.conditions import PacketLoss
from cascadence.degradation import clipped, narrowband, over_telephone, with_losses
from cascadence.measurement import Case, Measurement, Metric
from cascadence.metrics.quality import (
    HIGHEST_SI_SDR_DB,
    LONGEST_PESQ_S,
    pesq,
    pesq_nb,
    pesq_wb,
    short_time_intelligibility,
    si_sdr,
    si_sdr_db,
    stoi,
)
from cascadence.metrics.quality_reference import Copy, find_copy
from planted_cases import Planted, Spoken, case_of, channel, measured, noise, numbers
from test_metrics_prosody import TUNE, tune

RATE = 16_000
HUMAN = Path(__file__).parents[2] / "shared" / "data" / "emodb"
METRICS = (pesq_wb, pesq_nb, stoi, si_sdr_db)


def speech() -> Audio:
    """Two seconds of vowels."""
    return tune(durations_s=(0.3, 0.4, 0.3, 0.4, 0.3, 0.3))


def noisy(sound: Audio, snr_db: float, seed: int = 5) -> Audio:
    random = np.random.default_rng(seed).standard_normal(len(sound))
    clean = sound.samples.astype(np.float64)
    random *= math.sqrt(np.mean(clean**2) / np.mean(random**2)) * 10 ** (-snr_db / 20)
    return Audio((clean + random).astype(np.float32), sound.sample_rate)


def case(turn: Audio, reply: Audio, gap_s: float = 0.5) -> Case:
    start_s = turn.duration_s + gap_s
    return case_of(
        Spoken(0.0, max(0.1, turn.duration_s), clip=turn),
        system=channel(start_s + reply.duration_s + 0.5, (start_s, reply)),
        duration_s=start_s + reply.duration_s + 0.5,
    )


def found(metric: Metric, turn: Audio, reply: Audio) -> Measurement:
    (measurement,) = measured(metric, case(turn, reply), Planted())
    return measurement


def copy_of(turn: Audio, reply: Audio) -> Copy:
    copy = find_copy(turn, reply)
    assert isinstance(copy, Copy), copy
    return copy


def delayed(sound: Audio, samples: float, lead: int = 400) -> Audio:
    """The sound later by a number of samples that need not be whole."""
    padded = np.pad(sound.samples.astype(np.float64), (lead, 400))
    spectrum = np.fft.rfft(padded)
    turns = np.arange(len(spectrum)) * samples / len(padded)
    shifted = np.fft.irfft(spectrum * np.exp(-2j * np.pi * turns), len(padded))
    return Audio(shifted.astype(np.float32), sound.sample_rate)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.2, 0.0), (-3.0, 0.0), (1.0, 0.4)])
def test_si_sdr_is_unchanged_by_gain_and_by_dc(gain: float, offset: float) -> None:
    clean = np.random.default_rng(1).standard_normal(8_000)
    dirty = clean + 0.1 * np.random.default_rng(2).standard_normal(8_000)
    plain = si_sdr(clean, dirty)
    assert plain == pytest.approx(20.0, abs=0.2)
    assert si_sdr(clean, gain * dirty + offset) == pytest.approx(plain, abs=1e-9)
    assert si_sdr(gain * clean + offset, dirty) == pytest.approx(plain, abs=1e-9)


def test_si_sdr_has_its_closed_form() -> None:
    """Orthogonal noise at a tenth of the power costs exactly 10 dB."""
    times = np.arange(1_000)
    clean, other = np.sin(2 * np.pi * times / 100), np.cos(2 * np.pi * times / 100)
    assert si_sdr(clean, clean + math.sqrt(0.1) * other) == pytest.approx(10.0, abs=1e-9)


def test_si_sdr_at_its_ends() -> None:
    clean = np.sin(np.arange(1_000) / 5)
    assert si_sdr(clean, 0.3 * clean) == HIGHEST_SI_SDR_DB
    assert si_sdr(clean, np.zeros(1_000)) == -math.inf
    with pytest.raises(ValueError, match="silent"):
        si_sdr(np.full(1_000, 0.2), clean)
    with pytest.raises(ValueError, match="aligned"):
        si_sdr(clean, clean[1:])


@pytest.mark.parametrize("delay", [0.0, 37.0, 80.5, 0.25, -12.75])
def test_a_copy_is_found_where_it_was_put(delay: float) -> None:
    sound = speech()
    copy = copy_of(sound, delayed(sound, delay))
    assert copy.delay_s * RATE == pytest.approx(400 + delay, abs=0.01)
    assert copy.evidence == "waveform"
    assert si_sdr(copy.original, copy.copy) > 60.0


def test_half_a_sample_would_have_cost_much() -> None:
    sound = noise(1.0)
    late = delayed(sound, 0.5)
    crude = si_sdr(sound.samples.astype(float), late.samples[400 : 400 + RATE].astype(float))
    copy = copy_of(sound, late)
    assert crude < 8.0
    assert si_sdr(copy.original, copy.copy) > 35.0


def test_noise_as_loud_as_the_speech_leaves_a_copy() -> None:
    sound = speech()
    assert copy_of(sound, noisy(sound, 0.0)).likeness == pytest.approx(math.sqrt(0.5), abs=0.02)


def test_a_copy_may_be_upside_down() -> None:
    sound = speech()
    assert copy_of(sound, Audio(-sound.samples, RATE)).likeness == pytest.approx(1.0)


def test_phase_that_is_lost_leaves_the_pattern() -> None:
    """Every band of a second is turned by an angle of its own."""
    sound = speech()
    spectrum = np.fft.rfft(sound.samples)
    slow = np.interp(
        np.arange(len(spectrum)),
        np.arange(0, len(spectrum) + 200, 200),
        np.random.default_rng(0).uniform(-9, 9, len(spectrum) // 200 + 2),
    )
    turned = np.fft.irfft(spectrum * np.exp(1j * slow), len(sound))
    vocoded = Audio((turned * 0.5).astype(np.float32), RATE)
    copy = copy_of(sound, vocoded)
    assert copy.evidence == "pattern"
    assert abs(copy.delay_s) <= 0.015
    assert "wave by wave" in found(si_sdr_db, sound, vocoded).reason
    assert found(stoi, sound, vocoded).status == "ok"


def test_other_speech_is_no_copy() -> None:
    assert "no copy" in str(find_copy(speech(), other_speech()))
    assert "no copy" in str(find_copy(speech(), noise(2.0)))


def other_speech() -> Audio:
    return concatenate([noise(0.3), silence(0.2, RATE), noise(0.5, 1), tune(TUNE[::-1])], RATE)


def test_the_same_sounds_in_another_rhythm_are_no_copy() -> None:
    """Alike they are, as two takes of one synthetic voice; but the delay wanders."""
    again = tune(TUNE[::-1], (0.29, 0.42, 0.26, 0.4, 0.33, 0.3))
    assert "timing" in str(find_copy(speech(), again))


@pytest.mark.skipif(not HUMAN.exists(), reason="no human speech here")
def test_the_same_words_said_again_are_no_copy() -> None:
    files = sorted((HUMAN / "audio").glob("03a0[12]*"))[:8]
    sounds = [read_audio(path) for path in files]
    assert len(sounds) == 8
    for i, one in enumerate(sounds):
        for other in sounds[i + 1 :]:
            assert "no copy" in str(find_copy(one, other))
        assert copy_of(one, over_telephone(one)).delay_s == pytest.approx(0.0, abs=1e-4)


def test_a_part_of_the_turn_is_no_copy() -> None:
    sound = speech()
    assert "part" in str(find_copy(sound, sound.span(0.0, 1.2)))


def test_a_pause_put_in_is_another_timing() -> None:
    sound = speech()
    halves = [sound.span(0.0, 1.2), silence(0.25, RATE), sound.span(1.2, 2.0)]
    assert "timing" in str(find_copy(sound, concatenate(halves, RATE)))


def test_what_is_said_besides_does_not_matter() -> None:
    sound = speech()
    more = concatenate([noise(0.4), silence(0.2, RATE), sound, silence(0.3, RATE)], RATE)
    copy = copy_of(sound, more)
    assert copy.delay_s == pytest.approx(0.6, abs=1e-4)
    assert si_sdr(copy.original, copy.copy) == HIGHEST_SI_SDR_DB


@pytest.mark.parametrize("mode", ["wb", "nb"])
def test_pesq_is_that_of_the_package(mode: str) -> None:
    library = pytest.importorskip("pesq")
    sound, dirty = speech(), noisy(speech(), 12.0)
    rate = RATE if mode == "wb" else 8_000
    expected = library.pesq(rate, sound.at_rate(rate).samples, dirty.at_rate(rate).samples, mode)
    metric = pesq_wb if mode == "wb" else pesq_nb
    measurement = found(metric, sound, dirty)
    assert 1.0 < expected < 3.5
    # Cut and centred, the sounds are not the same samples any more; at level ground they are.
    assert numbers([measurement])[0] == pytest.approx(expected, abs=0.02)
    same = pesq(sound.samples.astype(float), dirty.samples.astype(float), mode)  # type: ignore[arg-type]
    assert same == pytest.approx(expected, abs=1e-6)


def test_stoi_is_that_of_the_package() -> None:
    library = pytest.importorskip("pystoi")
    sound, dirty = speech(), noisy(speech(), 3.0)
    expected = library.stoi(sound.samples, dirty.samples, RATE)
    assert 0.3 < expected < 0.99
    clean = sound.samples.astype(float)
    same = short_time_intelligibility(clean, dirty.samples.astype(float))
    assert same == pytest.approx(expected, abs=1e-6)
    assert numbers([found(stoi, sound, dirty)])[0] == pytest.approx(expected, abs=0.005)


def test_a_parrot_is_perfect() -> None:
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    sound = speech()
    values = [numbers([found(metric, sound, sound)])[0] for metric in METRICS]
    assert values == [
        pytest.approx(4.644, abs=1e-3),
        pytest.approx(4.549, abs=1e-3),
        pytest.approx(1.0, abs=1e-6),
        HIGHEST_SI_SDR_DB,
    ]


def test_more_noise_is_worse_by_every_measure() -> None:
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    sound = speech()
    for metric in METRICS:
        values = [numbers([found(metric, sound, noisy(sound, snr))])[0] for snr in (30, 15, 0)]
        assert None not in values
        assert values == sorted(values, reverse=True), metric.spec.name  # type: ignore[type-var]
    assert numbers([found(si_sdr_db, sound, noisy(sound, 15.0))])[0] == pytest.approx(15, abs=0.2)


@pytest.mark.parametrize("channel_name", ["telephone", "narrow", "losses", "clipping", "24 kHz"])
def test_channels_leave_a_copy_that_is_worse(channel_name: str) -> None:
    pytest.importorskip("pystoi")
    sound = speech()
    through = {
        "telephone": over_telephone,
        "narrow": narrowband,
        "losses": lambda audio: with_losses(audio, PacketLoss(rate=0.1, burst_packets=2), 1),
        "clipping": lambda audio: clipped(audio, 0.1),
        "24 kHz": lambda audio: audio.at_rate(24_000),
    }[channel_name](sound)
    measurement = found(stoi, sound, through)
    assert measurement.status == "ok", measurement.reason
    (si_sdr_value,) = numbers([found(si_sdr_db, sound, through)])
    assert si_sdr_value is not None
    assert si_sdr_value < (HIGHEST_SI_SDR_DB if channel_name == "24 kHz" else 40.0)


def test_a_free_reply_is_skipped_by_all() -> None:
    for metric in METRICS:
        measurement = found(metric, speech(), other_speech())
        assert measurement.status == "skipped"
        assert "no copy" in measurement.reason


def test_no_reply_is_skipped() -> None:
    for metric in METRICS:
        (measurement,) = measured(metric, case_of(Spoken(0.0, 1.0)), Planted())
        assert (measurement.status, measurement.reason) == ("skipped", "no reply came")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pesq", None)
    measurement = found(pesq_wb, speech(), speech())
    assert measurement.status == "skipped"
    assert "pip install" in measurement.reason


def test_pesq_is_not_asked_about_what_would_crash_it() -> None:
    """Its code holds 50 utterances; the 51st is written over something else."""
    pytest.importorskip("pesq")
    pieces = [part for i in range(60) for part in (noise(0.35, i), silence(0.3, RATE))]
    long = concatenate(pieces, RATE)
    assert "at most" in found(pesq_wb, long, long).reason
    assert found(stoi, long, long).status == "ok"
    most = np.tile(np.r_[noise(0.205).samples, np.zeros(3280)], 49)[: int(LONGEST_PESQ_S * RATE)]
    assert isinstance(pesq(most.astype(float), most.astype(float), "wb"), float)


@pytest.mark.parametrize("mode", ["wb", "nb"])
def test_pesq_says_why_it_has_no_score(mode: str) -> None:
    pytest.importorskip("pesq")
    quiet = np.zeros(RATE)
    assert "silence" in str(pesq(quiet, quiet, mode))  # type: ignore[arg-type]
    short = noise(0.1).samples.astype(float)
    assert "1/4 of a second" in str(pesq(short, short, mode))  # type: ignore[arg-type]


def test_pesq_says_that_it_found_no_utterance() -> None:
    pytest.importorskip("pesq")
    beyond = 0.3 * np.sin(2 * np.pi * 7_900 * np.arange(RATE) / RATE)
    assert pesq(beyond, beyond, "nb") == "PESQ: No utterances detected"


def test_stoi_says_why_it_has_no_value() -> None:
    pytest.importorskip("pystoi")
    short = noise(0.2).samples.astype(float)
    assert "0.4 s" in str(short_time_intelligibility(short, short))


ODD = {
    "empty": silence(0.0, RATE),
    "one sample": Audio(np.array([0.9], dtype=np.float32), RATE),
    "silent": silence(1.0, RATE),
    "direct current": Audio(np.full(RATE, 0.5, dtype=np.float32), RATE),
    "clipped": Audio(np.sign(noise(1.0).samples), RATE),
    "a click": channel(1.0, (0.5, Audio(np.array([0.9, -0.9], dtype=np.float32), RATE))),
    "narrow band": noise(1.0, rate=8_000),
    "wide band": noise(1.0, rate=48_000),
    "an hour": Audio(np.full(360_000, 0.1, dtype=np.float32), 100),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_sounds_end_in_a_status(name: str) -> None:
    odd, plain = ODD[name], noise(1.0)
    for turn, reply in ((odd, plain), (plain, odd), (odd, odd)):
        for metric in METRICS:
            low, high = metric.spec.range
            for measurement in metric.measure(case(turn, reply), Planted()):
                assert measurement.status != "failed", measurement.reason
                assert (measurement.status == "skipped") == bool(measurement.reason)
                json.dumps(measurement.details, allow_nan=False)
                (score,) = numbers([measurement])
                assert score is None or low <= score <= high
