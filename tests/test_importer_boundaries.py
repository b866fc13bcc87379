"""Speech boundaries of clips whose datasets do not tell them: planted sounds, and human speech."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from cascadence.audio import Audio, read_audio, silence
from cascadence.data_manifests.importers.boundaries import speech_span
from cascadence.errors import CascadenceError

RATE = 16_000
EMODB = Path(__file__).parents[2] / "shared" / "data" / "emodb"


def planted(snr_db: float, level_dbfs: float = -20.0, rate: int = RATE) -> Audio:
    """Syllables of noise from 0.7 to 2.2 s, 100 ms apart, in white noise of 3 s."""
    rng = np.random.default_rng(5)
    times_s = np.arange(3 * rate) / rate
    speaking = (times_s >= 0.7) & (times_s < 2.2) & ((times_s - 0.7) % 0.3 < 0.2)
    speech = rng.standard_normal(len(times_s)) * speaking
    noise = rng.standard_normal(len(times_s)) * 10.0 ** (-snr_db / 20.0)
    return Audio((10.0 ** (level_dbfs / 20.0) * (speech + noise)).astype(np.float32) * 0.3, rate)


@pytest.mark.parametrize("snr_db", [60.0, 30.0, 15.0, 8.0])
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_the_planted_span_is_found_in_noise(snr_db: float, rate: int) -> None:
    # The last syllable ends at 0.7 + 4 * 0.3 + 0.2 s.
    assert speech_span(planted(snr_db, rate=rate)) == pytest.approx((0.7, 2.1), abs=0.03)


@pytest.mark.parametrize("level_dbfs", [-50.0, -20.0, 5.0])
def test_the_level_of_the_recording_does_not_matter(level_dbfs: float) -> None:
    assert speech_span(planted(40.0, level_dbfs)) == pytest.approx((0.7, 2.1), abs=0.02)


def test_a_click_is_not_speech() -> None:
    samples = planted(50.0).samples.copy()
    samples[round(0.10 * RATE) : round(0.14 * RATE)] += 0.2
    assert speech_span(Audio(samples, RATE)) == pytest.approx((0.7, 2.1), abs=0.02)


def test_a_clip_that_is_all_speech_is_speech_from_end_to_end() -> None:
    audio = planted(60.0).span(0.7, 2.1)
    assert speech_span(audio) == pytest.approx((0.0, audio.duration_s), abs=0.011)


def test_silence_holds_no_speech() -> None:
    for duration_s in (0.0, 0.01, 1.0):
        with pytest.raises(CascadenceError):
            speech_span(silence(duration_s, RATE))


@pytest.mark.skipif(not EMODB.is_dir(), reason="../shared/data/emodb is not here")
def test_hand_made_boundaries_of_human_speech_are_met() -> None:
    starts, ends = [], []
    with (EMODB / "labels.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            audio = read_audio(EMODB / row["file"])
            found = speech_span(audio)
            starts.append(abs(found[0] - float(row["speech_start_s"])))
            if float(row["speech_end_s"]) < audio.duration_s - 0.1:
                ends.append(abs(found[1] - float(row["speech_end_s"])))
    assert len(starts) > 200
    assert np.median(starts) < 0.04
    assert np.median(ends) < 0.06
