"""Recipes: what is planted in a clip comes back out of it, and the bundled corpus is as it says."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter, defaultdict

import numpy as np
import pytest

from cascadence.audio import Audio, audible_runs, silence
from cascadence.corpus import Corpus, bundled_corpora
from cascadence.data_manifests.recipes import synthesisers
from cascadence.data_manifests.recipes.assistant import RECIPE
from cascadence.data_manifests.recipes.assistant_plan import CONTRAST_STYLES, plan
from cascadence.data_manifests.recipes.clip_making import decode, encode, measure
from cascadence.data_manifests.recipes.clips import (
    NEUTRAL_LEVEL_DBFS,
    active_level_dbfs,
    place,
    trimmed,
)
from cascadence.data_manifests.recipes.corpus_files import NOBODY
from cascadence.data_manifests.recipes.listening import compare, edit_distance
from cascadence.data_manifests.recipes.making import voice_order
from cascadence.data_manifests.recipes.ogg import with_serial
from cascadence.data_manifests.recipes.quiet_sounds import quiet_sound
from cascadence.data_manifests.recipes.voices import VOICES, Prosody, speak, voice, voices
from cascadence.errors import CascadenceError

RATE = 16_000
TEXT = "Please book a table for four at seven thirty on Friday."


def vowel(duration_s: float, f0_hz: float, swing_st: float = 2.0) -> Audio:
    """A sung vowel: harmonics under two formants, F0 swinging slowly about its median."""
    times_s = np.arange(round(duration_s * RATE)) / RATE
    track_hz = f0_hz * 2.0 ** (swing_st * np.sin(2.0 * np.pi * 1.7 * times_s) / 12.0)
    phase = 2.0 * np.pi * np.cumsum(track_hz) / RATE
    total = np.zeros(len(times_s))
    for harmonic in range(1, 31):
        frequency_hz = harmonic * f0_hz
        gain = sum(1.0 / (1.0 + ((frequency_hz - peak) / 120.0) ** 2) for peak in (650.0, 1700.0))
        total += gain * np.sin(harmonic * phase)
    return Audio((0.2 * total / np.abs(total).max()).astype(np.float32), RATE)


def needs(synthesiser: synthesisers.Synthesiser) -> None:
    reason = synthesisers.available(synthesiser)
    if reason is not None:
        pytest.skip(f"{synthesiser}: {reason}")


# ------------------------------------------------------------------------------------------ clips


def test_boundaries_and_level_of_a_placed_sound_are_the_planted_ones() -> None:
    padded = Audio(
        np.concatenate(
            [silence(0.5, RATE).samples, vowel(1.2, 120.0).samples, silence(0.8, RATE).samples]
        ),
        RATE,
    )
    spoken = place(padded, 3.0, np.random.default_rng(1))
    start_s, end_s = spoken.speech_s
    assert end_s - start_s == pytest.approx(1.2, abs=0.021)
    assert 0.1 <= start_s <= 0.3
    assert spoken.audio.duration_s - end_s >= 0.3 - 1e-9
    speech = spoken.audio.span(start_s, end_s)
    assert active_level_dbfs(speech) == pytest.approx(NEUTRAL_LEVEL_DBFS + 3.0, abs=0.1)
    (run,) = audible_runs(spoken.audio, bridge_s=0.2)
    assert run == pytest.approx(spoken.speech_s, abs=0.021)
    floor = spoken.audio.span(0.0, start_s).samples
    assert 20.0 * np.log10(np.std(floor)) == pytest.approx(-70.0, abs=1.0)


def test_a_clip_that_would_clip_is_refused() -> None:
    with pytest.raises(CascadenceError, match="clips"):
        place(vowel(0.5, 120.0), 26.0, np.random.default_rng(0))


def test_silence_has_no_speech() -> None:
    with pytest.raises(CascadenceError):
        trimmed(silence(1.0, RATE))


def test_opus_neither_delays_nor_shortens() -> None:
    spoken = place(vowel(1.0, 150.0, 5.0), 0.0, np.random.default_rng(2))
    data = encode(spoken.audio)
    assert encode(spoken.audio) == data
    decoded = decode(data)
    assert len(decoded) == len(spoken.audio)
    lags = range(-160, 161)
    padded = np.pad(decoded.samples, 160)
    scores = [
        float(padded[160 + lag : 160 + lag + len(spoken.audio)] @ spoken.audio.samples)
        for lag in lags
    ]
    assert abs(lags[int(np.argmax(scores))]) <= 0.001 * RATE


def test_a_torn_ogg_file_is_refused() -> None:
    data = encode(vowel(0.3, 150.0))
    assert with_serial(data, 0x43415343) == data
    with pytest.raises(CascadenceError, match="torn"):
        with_serial(data[:-1], 1)
    with pytest.raises(CascadenceError, match="no Ogg page"):
        with_serial(b"RIFF" + data, 1)


def test_nobody_is_audible_for_long_in_a_quiet_room() -> None:
    for kind in ("room", "keyboard"):
        sound = quiet_sound(kind, 7)
        assert not [run for run in audible_runs(sound) if run[1] - run[0] > 0.1]
        assert np.array_equal(sound.samples, quiet_sound(kind, 7).samples)
        assert not np.array_equal(sound.samples, quiet_sound(kind, 8).samples)


# ----------------------------------------------------------------------------------- resynthesis


@pytest.mark.parametrize(
    ("rate", "pitch_st", "range_scale"), [(0.8, 0.0, 1.0), (1.0, 4.0, 1.0), (1.2, -3.0, 1.6)]
)
def test_imposed_prosody_is_measured_on_the_result(
    rate: float, pitch_st: float, range_scale: float
) -> None:
    pytest.importorskip("pyworld")
    pytest.importorskip("swift_f0")
    from cascadence.data_manifests.recipes import resynthesis

    parts = resynthesis.analyse(vowel(1.5, 140.0))
    plain = resynthesis.resynthesise(parts, resynthesis.Change())
    changed = resynthesis.resynthesise(parts, resynthesis.Change(rate, pitch_st, range_scale))
    before, after = resynthesis.measure_pitch(plain), resynthesis.measure_pitch(changed)
    assert before.median_hz == pytest.approx(140.0, rel=0.03)
    assert plain.duration_s / changed.duration_s == pytest.approx(rate, rel=0.02)
    assert after.median_st - before.median_st == pytest.approx(pitch_st, abs=0.3)
    assert after.range_st / before.range_st == pytest.approx(range_scale, rel=0.15)


@pytest.mark.parametrize("name", ["flite-rms", "espeak-en-us-m3", "flite-kal", "pico-gb"])
def test_a_voice_speaks_in_the_style_that_was_asked_for(name: str) -> None:
    pytest.importorskip("swift_f0")
    speaker = voice(name)
    needs(speaker.synthesiser)
    if speaker.split == "test":
        pytest.importorskip("pyworld")
    style = Prosody(rate=1.15, pitch_st=3.0, level_db=4.0)
    spoken = speak(speaker, TEXT, style, seed=5)
    dose = measure(spoken, speak(speaker, TEXT, Prosody(), seed=5))
    assert not dose.misses(style), dose
    again = speak(speaker, TEXT, style, seed=5)
    if speaker.synthesiser == "pico":
        assert again.speech_s == pytest.approx(spoken.speech_s, abs=0.05)
    else:
        assert np.array_equal(again.audio.samples, spoken.audio.samples)


def test_a_dose_that_is_off_is_named() -> None:
    pytest.importorskip("swift_f0")
    rng = np.random.default_rng(3)
    plain = place(vowel(1.2, 120.0, 0.0), 0.0, rng)
    other = place(vowel(1.0, 150.0, 0.0), 3.0, rng)
    dose = measure(other, plain)
    assert dose.misses(Prosody(rate=1.2, pitch_st=12 * np.log2(150 / 120), level_db=3.0)) == []
    assert dose.misses(Prosody()) == ["rate", "pitch", "level"]


# ----------------------------------------------------------------------------------------- voices


def test_nobody_is_heard_in_both_splits() -> None:
    assert len({one.name for one in VOICES}) == len(VOICES)
    speakers = {split: {one.speaker for one in voices(split)} for split in ("train", "test")}
    assert not speakers["train"] & speakers["test"]
    assert len(voices("train")) >= 10
    assert len(speakers["test"]) >= 4
    assert {one.gender for one in voices("test")} == {"female", "male"}
    assert all(one.licence.name and one.licence.notes for one in VOICES)


def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(CascadenceError, match="nobody"):
        voice("nobody")


def test_kokoro_phonemes_keep_punctuation_and_read_hours() -> None:
    needs("espeak")
    from cascadence.data_manifests.recipes.phonemes import kokoro_phonemes

    assert kokoro_phonemes("No, now.") == "n\u02c8O, n\u02c8W."
    # One sentence: the full stops of "p.m." end nothing.
    assert kokoro_phonemes("At five p.m. please.").count(".") == 1


# -------------------------------------------------------------------------------------- listening


def test_word_errors_and_lost_values() -> None:
    values = {"time": ("seven thirty", "7:30"), "people": ("four", "4"), "day": ("Sunday",)}
    exact = compare("Please book a table for 4 at 7:30 on Friday", TEXT, values)
    assert (exact.errors, exact.words, exact.lost) == (0, 11, ())
    wrong = compare("Please book a cable for 4 at 7:13", TEXT, values)
    assert wrong.lost == ("time",)
    # cable for table, thirteen for thirty, and "on Friday" left out.
    assert wrong.errors == 4
    assert wrong.wer == pytest.approx(4 / 11)
    assert compare("In the livingroom", "In the living room", {"room": ("living room",)}).lost == ()


def test_edit_distance() -> None:
    assert edit_distance(list("abcd"), list("axc")) == 2
    assert edit_distance([], ["a"]) == 1


# ------------------------------------------------------------------------------------------- plan


def test_the_plan_is_the_same_in_another_process() -> None:
    program = (
        "import hashlib; from cascadence.data_manifests.recipes.assistant_plan import plan; "
        "print(hashlib.sha256(repr(plan()).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    other = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert other.stdout.strip() == hashlib.sha256(repr(plan()).encode()).hexdigest()


def test_the_plan_holds_what_the_corpus_needs() -> None:
    planned = plan()
    assert len({one.id for one in planned}) == len(planned)
    tags = Counter(tag for one in planned for tag in one.tags)
    assert tags["contrast"] >= 40
    assert tags["stay_silent"] >= 3
    assert tags["out_of_domain"] >= 20
    assert tags["heldout_value"] >= 30
    assert tags["multi_turn"] >= 80
    for tag in ("correction", "anaphora", "clarification"):
        assert tags[tag] >= 5
    assert all(one.split == "test" for item in planned for one in voice_order(RECIPE, item))


def test_each_factor_alone_tells_the_contrast_styles_apart() -> None:
    factors = {
        "rate": [np.log(style.rate) for style in CONTRAST_STYLES.values()],
        "pitch": [style.pitch_st for style in CONTRAST_STYLES.values()],
        "level": [style.level_db for style in CONTRAST_STYLES.values()],
    }
    for values in factors.values():
        steps = np.diff(np.sort(values))
        assert steps.min() > 0.12 * (max(values) - min(values))
    for one, other in itertools.combinations(factors.values(), 2):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.9


# ------------------------------------------------------------------------------------- the corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(bundled_corpora()["assistant"])


def test_the_bundled_corpus_is_whole(corpus: Corpus) -> None:
    conversations = list(corpus)
    assert not corpus.problems
    assert len(conversations) >= 80
    assert sum(len(one.turns) > 1 for one in conversations) >= 20
    assert sum(turn.expect.stay_silent for one in conversations for turn in one.turns) >= 3
    for name, expected in corpus.info.hashes.items():
        assert hashlib.sha256((corpus.path / name).read_bytes()).hexdigest() == expected
    stored = {f"audio/{path.name}" for path in (corpus.path / "audio").iterdir()}
    assert stored == {turn.audio.path for one in conversations for turn in one.turns}
    assert sum((corpus.path / path).stat().st_size for path in stored) < 15_000_000


def test_bundled_speakers_are_test_voices_with_a_licence(corpus: Corpus) -> None:
    speakers = {turn.speaker for one in corpus for turn in one.turns}
    assert speakers == set(corpus.info.voices)
    heard = speakers - {NOBODY}
    assert heard <= {one.name for one in voices("test")}
    assert len({voice(str(name)).speaker for name in heard}) >= 4
    assert all(one.licence for one in corpus.info.voices.values())


def test_bundled_boundaries_are_where_the_sound_is(corpus: Corpus) -> None:
    for conversation in corpus:
        # Clips are read whole: hash, rate, length and boundaries are checked on the way.
        for turn, clip in zip(conversation.turns, corpus.clips(conversation), strict=True):
            assert clip.sample_rate == RATE
            if turn.expect.stay_silent:
                continue
            runs = audible_runs(clip)
            start_s, end_s = turn.speech_s
            assert runs[0][0] == pytest.approx(start_s, abs=0.06), conversation.id
            assert runs[-1][1] == pytest.approx(end_s, abs=0.06), conversation.id
            assert start_s >= 0.09
            assert clip.duration_s - end_s >= 0.29


def test_bundled_contrast_sets_differ_in_style_alone(corpus: Corpus) -> None:
    sets = defaultdict(list)
    for conversation in corpus:
        if conversation.group is not None:
            sets[conversation.group].append(conversation.turns[0])
    assert len(sets) >= 10
    for turns in sets.values():
        assert sorted(str(turn.style.label) for turn in turns) == sorted(CONTRAST_STYLES)
        assert len({turn.text for turn in turns}) == 1
        assert len({turn.speaker for turn in turns}) == 1
        assert len({turn.style.rate for turn in turns}) == len(turns)
