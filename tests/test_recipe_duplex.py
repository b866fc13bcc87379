"""Of what the corpus `duplex` is made: places of pauses, joined phrases, second voices, a hum."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio, audible_runs
from cascadence.data_manifests.recipes import phrases_joined
from cascadence.data_manifests.recipes.clips import (
    CLIP_RATE_HZ,
    NEUTRAL_LEVEL_DBFS,
    active_level_dbfs,
)
from cascadence.data_manifests.recipes.phrase_places import (
    furthest_apart,
    nearest_the_middle,
    phrase_ends,
    phrase_insides,
)
from cascadence.data_manifests.recipes.phrases_joined import Answered, Hum, Joined, hummed
from cascadence.data_manifests.recipes.resynthesis import Analysis
from cascadence.data_manifests.recipes.voices import Prosody, voices
from cascadence.errors import CascadenceError


@pytest.mark.parametrize(
    ("text", "ends", "insides"),
    [
        ("Put the choir practice in my calendar on Friday at two.", (4, 7, 9), (5, 6, 8, 10)),
        ("Could you turn on the lights in the cellar?", (6,), (5, 7, 8)),
        ("Vacuum the study at quarter to five, please.", (3,), (4, 6)),
        ("I need to get up at ten to six.", (5,), (6, 8)),
    ],
)
def test_places_of_pauses(text: str, ends: tuple[int, ...], insides: tuple[int, ...]) -> None:
    assert phrase_ends(text) == ends
    assert phrase_insides(text) == insides


def test_places_are_chosen_by_what_is_left_around_them() -> None:
    text = "one two three four five six seven"
    assert nearest_the_middle((1, 3, 6), text) == 3
    assert furthest_apart((1, 2, 5, 6), text) == (2, 5)


def tone(duration_s: float, padding_s: float = 0.2) -> Audio:
    """A tone within a synthesiser's padding."""
    times = np.arange(round(duration_s * CLIP_RATE_HZ)) / CLIP_RATE_HZ
    padded = np.pad(0.3 * np.sin(2 * np.pi * 200.0 * times), round(padding_s * CLIP_RATE_HZ))
    return Audio(padded.astype(np.float32), CLIP_RATE_HZ)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Who was made to say what; everything is half a second of tone."""
    asked: list[tuple[str, str]] = []

    def speaks(speaker: Any, text: str, style: Prosody) -> Audio:
        asked.append((speaker.name, text))
        return tone(0.5)

    monkeypatch.setattr(phrases_joined, "speech", speaks)
    return asked


def test_joined_phrases_pause_as_long_as_planned(said: list[tuple[str, str]]) -> None:
    speaker = voices("test")[0]
    sound = Joined((2, 3), (0.3, 1.5), Prosody(rate=1.1, level_db=2.0))
    audio = sound.render(speaker, "one two three four.")
    assert [text for _, text in said] == ["one two,", "three,", "four."]
    runs = audible_runs(audio)
    assert [b[0] - a[1] for a, b in pairwise(runs)] == pytest.approx([0.3, 1.5], abs=0.011)
    assert active_level_dbfs(audio) == pytest.approx(NEUTRAL_LEVEL_DBFS + 2.0, abs=0.1)
    assert sound.pauses == 2
    assert sound.unstyled() == Joined((2, 3), (0.3, 1.5))


@pytest.mark.parametrize(
    ("gaps_s", "objections"),
    [
        ((0.31, 1.02), 0),
        ((0.31, 1.02, 0.2), 0),
        ((0.31, 1.02, 0.26), 1),
        ((0.31, 1.07), 1),
        ((0.23, 1.07), 2),
        ((1.0,), 1),
    ],
)
def test_pauses_that_are_heard_otherwise_are_refused(
    gaps_s: Sequence[float], objections: int
) -> None:
    assert len(Joined((1, 2), (0.3, 1.0)).objections(gaps_s)) == objections


def test_who_answers_is_another_and_further_away(said: list[tuple[str, str]]) -> None:
    first, *_, other = voices("test")
    audio = Answered(2, other.name, Prosody(level_db=-5.0)).render(first, "Is it? Yes it is.")
    assert said == [(first.name, "Is it?"), (other.name, "Yes it is.")]
    near, far = (active_level_dbfs(audio.span(*run)) for run in audible_runs(audio))
    assert near == pytest.approx(NEUTRAL_LEVEL_DBFS - 5.0, abs=0.1)
    assert far - near == pytest.approx(phrases_joined.ANSWER_DB, abs=0.1)


def test_a_hum_is_two_nasals_of_which_the_second_rises() -> None:
    vowel, nasal, bins = 60, 40, 5
    envelope = np.vstack((np.full((vowel, bins), 9.0), np.full((nasal, bins), 2.0)))
    f0_hz = np.full(vowel + nasal, 100.0)
    um = Analysis(tone(0.5), f0_hz, envelope, np.full(envelope.shape, 0.2))
    hum = hummed(um)
    breath = np.flatnonzero(hum.f0_hz == 0.0)
    assert len(breath) == round(phrases_joined.BREATH_S / 0.005)
    # Of the vowel nothing is left.
    assert hum.envelope.max() == pytest.approx(2.0)
    assert hum.envelope[breath].max() < 0.05
    assert set(hum.aperiodicity[breath].ravel()) == {1.0}
    first, second = hum.f0_hz[: breath[0]], hum.f0_hz[breath[-1] + 1 :]
    assert first[-1] < first[0]
    assert 12.0 * np.log2(second[-1] / second[0]) == pytest.approx(4.0)
    with pytest.raises(CascadenceError, match="only 'mm-hmm'"):
        Hum().render(voices("test")[0], "Okay.")
