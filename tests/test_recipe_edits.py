"""Edits at words: what is planted in F0, duration, level and silence is where it was planted."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from cascadence.audio import Audio, audible_runs, silence
from cascadence.conversation import AudioRef, Pause, Style, UserTurn
from cascadence.data_manifests.recipes import edits, synthesisers, word_times
from cascadence.data_manifests.recipes.clips import trimmed
from cascadence.data_manifests.recipes.contrast import hesitations_of
from cascadence.data_manifests.recipes.dose_check import Member, rows_of, table
from cascadence.data_manifests.recipes.edits import Ending, Hesitating, Stressed, Stumble
from cascadence.data_manifests.recipes.planned import Plain
from cascadence.data_manifests.recipes.resynthesis import FRAME_S, Analysis
from cascadence.data_manifests.recipes.voices import Prosody, voice
from cascadence.errors import CascadenceError

RATE = 16_000
TEXTS = (
    "The train leaves at nine.",
    "We need the small car today.",
    "You set the alarm for seven.",
    "He plays the piano on Monday.",
)


def needs_flite() -> None:
    pytest.importorskip("librosa")
    reason = synthesisers.available("flite")
    if reason is not None:
        pytest.skip(reason)


def flat(duration_s: float, swing_st: float = 0.0) -> Analysis:
    """Speech in name only: 100 Hz, swinging about it; spectra of ones, which tell any gain."""
    frames = round(duration_s / FRAME_S)
    swing = swing_st * np.sin(2.0 * np.pi * 5.0 * (np.arange(frames) + 0.5) * FRAME_S)
    ones = np.ones((frames, 4))
    return Analysis(silence(duration_s, RATE), 100.0 * 2.0 ** (swing / 12.0), ones, ones * 0.1)


def semitones(parts: Analysis) -> np.ndarray:
    return 12.0 * np.log2(parts.f0_hz / 100.0)


# ------------------------------------------------------------------------------------ word times


def test_word_ends_agree_with_flites_own_durations_told_by_its_other_voices() -> None:
    needs_flite()
    errors_s = []
    for name in ("rms", "awb"):
        others = [other for other in word_times.RULERS if other != name]
        for text in TEXTS:
            truth = word_times.ruler(name, text)
            assert truth is not None
            spans = word_times.word_spans(truth.speech, text, others)
            assert len(spans) == len(text.split())
            errors_s += [abs(s[1] - e) for s, e in zip(spans, truth.ends_s, strict=False)]
    assert len(errors_s) == 38
    assert float(np.mean(errors_s)) < 0.020
    assert float(np.percentile(errors_s, 90)) < 0.045


def test_words_are_told_on_the_clock_of_the_clip() -> None:
    needs_flite()
    truth = word_times.ruler("rms", TEXTS[0])
    assert truth is not None
    later = Audio(
        np.concatenate((silence(0.5, RATE).samples, truth.speech.samples)).astype(np.float32), RATE
    )
    bare = word_times.word_spans(truth.speech, TEXTS[0])
    padded = word_times.word_spans(later, TEXTS[0])
    assert np.array(padded) == pytest.approx(np.array(bare) + 0.5, abs=0.002)


def test_words_without_speech_are_not_found() -> None:
    with pytest.raises(CascadenceError):
        word_times.word_spans(silence(1.0, RATE), TEXTS[0])


# ---------------------------------------------------------------------------------------- stress


def test_a_stressed_word_is_higher_longer_and_louder_and_the_whole_as_long() -> None:
    spans = ((0.0, 0.5), (0.5, 0.9), (0.9, 2.0))
    edited = edits.stressed(flat(2.0, swing_st=2.0), spans, 1)
    assert len(edited.f0_hz) == pytest.approx(400, abs=1)
    gain_db = 10.0 * np.log10(edited.envelope[:, 0])
    on = gain_db > edits.LOUDER_DB - 0.01
    # The smoothing of 40 ms takes half of itself off either end.
    assert on.sum() * FRAME_S == pytest.approx(edits.LONGER * (0.4 - 0.04), abs=0.03)
    others = (2.0 - edits.LONGER * 0.4) / 1.6
    assert np.flatnonzero(on)[0] * FRAME_S == pytest.approx(0.5 * others + 0.02, abs=0.03)
    assert gain_db[-1] == pytest.approx(edits.AFTER_DB)
    assert gain_db[0] == pytest.approx(0.0)
    pitch = semitones(edited)
    # The swing of 2 st is up or down where the peak is.
    assert edits.PEAK_ST - 0.1 <= pitch[on].max() <= edits.PEAK_ST + 2.1
    tail = pitch[-100:]
    assert tail.max() - tail.min() == pytest.approx(4.0 * edits.AFTER_RANGE, abs=0.01)
    assert (tail.max() + tail.min()) / 2.0 == pytest.approx(edits.AFTER_ST, abs=0.01)
    head = pitch[:40]
    assert head.max() - head.min() == pytest.approx(4.0 * edits.BEFORE_RANGE, abs=0.01)


def test_a_low_last_word_is_raised_to_a_peak_above_the_median() -> None:
    parts = flat(2.0)
    parts.f0_hz[320:] *= 2.0 ** (-3.0 / 12.0)
    pitch = semitones(edits.stressed(parts, ((0.0, 1.6), (1.6, 2.0)), 1))
    assert pitch.max() == pytest.approx(edits.PEAK_ST, abs=0.1)


def test_other_words_are_never_compressed_beyond_recognition() -> None:
    edited = edits.stressed(flat(1.0), ((0.0, 0.8), (0.8, 1.0)), 0)
    assert len(edited.f0_hz) * FRAME_S == pytest.approx(
        0.8 * edits.LONGER + 0.2 * edits.SHORTEST, abs=0.02
    )


# --------------------------------------------------------------------------------------- endings


@pytest.mark.parametrize(("begins_st", "ends_st"), [edits.RISE_ST, edits.FALL_ST])
def test_the_voice_ends_where_the_melody_was_told_to(begins_st: float, ends_st: float) -> None:
    edited = edits.ended(flat(1.5), begins_st, ends_st)
    pitch = semitones(edited)
    assert pitch[-1] == pytest.approx(ends_st)
    ending = round(edits.ENDING_S / FRAME_S)
    assert pitch[-1 - ending] == pytest.approx(begins_st, abs=0.01)
    assert pitch[-1 - ending // 2] == pytest.approx((begins_st + ends_st) / 2.0, abs=0.01)
    untouched = len(pitch) - ending - round(edits.APPROACH_S / FRAME_S) - 1
    assert np.abs(pitch[:untouched]).max() == pytest.approx(0.0)


def test_a_voiceless_end_has_no_melody_and_does_not_use_it_up() -> None:
    parts = flat(1.5)
    parts.f0_hz[-40:] = 0.0
    edited = edits.ended(parts, *edits.RISE_ST)
    assert not edited.f0_hz[-40:].any()
    assert 12.0 * math.log2(edited.f0_hz[-41] / 100.0) == pytest.approx(edits.RISE_ST[1])


# ------------------------------------------------------------------------------------ hesitations


def test_words_before_a_hesitation_are_drawn_out_and_the_moment_moves_along() -> None:
    edited, at_s = edits.drawn_out(flat(2.0), [0.5, 1.2])
    added_s = (edits.DRAWN_OUT - 1.0) * edits.DRAWN_S
    assert at_s == pytest.approx([0.5 + added_s, 1.2 + 2.0 * added_s], abs=0.006)
    assert len(edited.f0_hz) * FRAME_S == pytest.approx(2.0 + 2.0 * added_s, abs=0.006)


def test_a_hesitation_spans_its_silences_and_what_is_uttered_between_them() -> None:
    pauses = (
        Pause(at_s=1.0, duration_s=0.3),
        Pause(at_s=1.7, duration_s=0.4),
        Pause(at_s=3.0, duration_s=0.7),
    )
    stumbles = (Stumble(1, 0.3, "um", 0.4), Stumble(3, 0.7))
    assert hesitations_of(pauses, stumbles) == ((1.0, 2.1), (3.0, 3.7))
    assert Hesitating(stumbles).pauses == 3


def test_other_silences_than_the_planted_ones_are_objected_to() -> None:
    sound = Hesitating((Stumble(1, 0.3, "um", 0.4), Stumble(3, 0.7)))
    assert sound.objections([0.05, 0.32, 0.45, 0.1, 0.75]) == []
    assert sound.objections([0.32, 0.45, 0.31, 0.75]) == ["pauses for 0.31 s more"]
    assert sound.objections([0.32, 0.45, 1.0]) == ["pauses otherwise than planted"]
    assert Ending(True).objections([1.0]) == []


def test_a_hesitant_voice_pauses_says_um_and_goes_on() -> None:
    needs_flite()
    pytest.importorskip("pyworld")
    pytest.importorskip("swift_f0")
    speaker, text = voice("flite-awb"), TEXTS[2]
    fluent = trimmed(Plain().render(speaker, text))
    stumbles = (Stumble(3, 0.3, "um", 0.4), Stumble(5, 0.7))
    hesitant = trimmed(Hesitating(stumbles).render(speaker, text))
    planned_s = 0.3 + edits.FILLER_S + 0.4 + 0.7 + 2 * (edits.DRAWN_OUT - 1.0) * edits.DRAWN_S
    assert hesitant.duration_s - fluent.duration_s == pytest.approx(planned_s, rel=0.15)
    runs = audible_runs(hesitant, bridge_s=0.15)
    gaps_s = [after[0] - before[1] for before, after in pairwise(runs)]
    assert gaps_s == pytest.approx([0.3, 0.4, 0.7], abs=0.08)
    assert runs[1][1] - runs[1][0] == pytest.approx(edits.FILLER_S, abs=0.1)


def test_an_edit_is_neutral_as_a_whole_and_never_made_calmer() -> None:
    for sound in (Stressed(1), Ending(True), Hesitating((Stumble(1, 0.5),))):
        assert sound.prosody == Prosody()
        assert sound.calmer() is None
    assert Stressed(1).unstyled() == Plain(is_fixed=True)


# ------------------------------------------------------------------------------------- dose check


def member(label: str, style: Prosody, values: tuple[float, ...], group: str = "g") -> Member:
    turn = UserTurn(text="a", audio=AudioRef(path="a.opus"), speech_s=(0.0, 1.0), style=Style())
    declared = np.array(
        [math.log2(style.rate), style.pitch_st, math.log2(style.range_scale), style.level_db]
    )
    speech = silence(1.0, RATE)
    found = np.array(values)
    return Member(group, "loudness", label, turn, speech, found, declared, Plain(style))


def test_the_dose_is_measured_within_the_set_and_its_errors_are_told() -> None:
    quiet, loud = Prosody(level_db=-2.0), Prosody(level_db=2.0)
    members = [
        member("soft", quiet, (1.0, 5.0, 2.0, -30.0), "g"),
        member("loud", loud, (1.0, 6.0, 2.0, -26.5), "g"),
        member("soft", quiet, (3.0, 9.0, 1.0, -20.0), "h"),
        member("loud", loud, (3.0, 11.0, 1.0, -15.0), "h"),
    ]
    rows = {(row.style, row.feature): row for row in rows_of(members)}
    assert len(rows) == 8
    level = rows["loud", "loudness"]
    # 3.5 and 5 dB apart: half of it either side of the middle.
    assert (level.declared, level.measured, level.n) == (2.0, pytest.approx(2.125), 2)
    assert level.worst == pytest.approx(0.5)
    assert level.holds
    pitch = rows["loud", "pitch"]
    # Nobody declared it: it may move by a quarter of a step of 2.4, and moves by 0.75.
    assert (pitch.declared, pitch.measured) == (0.0, pytest.approx(0.75))
    assert pitch.limit == pytest.approx(0.6)
    assert not pitch.holds
    assert "OFF" in table([pitch])
    assert "OFF" not in table([level])
