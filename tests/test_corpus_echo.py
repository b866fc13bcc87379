"""The bundled corpus `echo`: styles are as declared, and a parrot and a reader are told apart."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio, audible_runs
from cascadence.conversation import Conversation
from cascadence.corpus import Corpus, bundled_corpora
from cascadence.data_manifests.recipes.clip_making import Dose
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, trimmed
from cascadence.data_manifests.recipes.echo import RECIPE
from cascadence.data_manifests.recipes.echo_plan import (
    AXES,
    GAP_S,
    HALTING,
    LONGEST_PAUSE_S,
    PAUSE_S,
    STYLES,
    Halting,
    plan,
)
from cascadence.data_manifests.recipes.making import voice_order
from cascadence.data_manifests.recipes.voices import Prosody, voice, voices
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics.prosody_pairs import SAME_WORDS_WER
from cascadence.metrics.prosody_similarity import prosody_similarity_auc, prosody_style_auc
from planted_cases import Planted, Spoken, case_of, channel, text
from test_metrics_prosody import Remembered, features

__all__ = ["features"]

EDGE_S = 0.06

# ------------------------------------------------------------------------------------------- plan


def test_every_sentence_is_planned_in_every_style() -> None:
    planned = plan()
    assert len(planned) >= 48
    assert len({one.id for one in planned}) == len(planned)
    labels = defaultdict(set)
    for one in planned:
        labels[one.group].add(one.turns[0].style.label)
    assert all(found == set(STYLES) for found in labels.values())
    assert set(AXES) == set(STYLES)
    assert all(one.split == "test" for item in planned for one in voice_order(RECIPE, item))


def test_the_plain_styles_move_one_thing_and_the_feelings_several() -> None:
    neutral = Prosody()
    for label, prosody in STYLES.items():
        moved = [
            name
            for name in ("rate", "pitch_st", "range_scale", "level_db")
            if getattr(prosody, name) != getattr(neutral, name)
        ]
        count = {"neutral": 0, "pause": 0, "emotion_like": 4}.get(AXES[label], 1)
        assert len(moved) == count, label


def test_halting_pauses_between_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def speaks(voice: object, part: str, style: Prosody) -> Audio:
        said.append(part)
        tone = np.sin(np.arange(CLIP_RATE_HZ) * 0.1) * 0.3
        return Audio(tone.astype(np.float32), CLIP_RATE_HZ)

    monkeypatch.setattr("cascadence.data_manifests.recipes.echo_plan.speech", speaks)
    sound = Halting(2, prosody=Prosody(rate=1.2))
    audio = sound.render(voices("test")[0], "one two three four.")
    assert said == ["one two,", "three four."]
    first, second = audible_runs(audio)
    assert second[0] - first[1] == pytest.approx(PAUSE_S, abs=0.011)
    assert sound.unstyled() == Halting(2)
    assert sound.pauses == 1
    assert sound.objections([0.1, PAUSE_S]) == []
    assert sound.objections([PAUSE_S, GAP_S + 0.02]) == ["pauses for 0.32 s too"]
    assert sound.objections([0.54, 0.1]) == ["pauses for 0.54 s"]


# ------------------------------------------------------------------------------------- the corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(bundled_corpora()["echo"])


@pytest.fixture(scope="module")
def told(corpus: Corpus) -> list[Conversation]:
    return list(corpus)


@pytest.fixture(scope="module")
def notes(corpus: Corpus, told: list[Conversation]) -> dict[str, dict[str, Any]]:
    """What was measured and heard of the clips that are shipped."""
    speakers = {one.id: one.turns[0].speaker for one in told}
    lines = (corpus.path / "making.jsonl").read_text(encoding="utf-8").splitlines()
    made = [note for line in lines if "turn" in (note := json.loads(line))]
    return {note["id"]: note for note in made if speakers.get(note["id"]) == note["voice"]}


def test_the_corpus_is_whole(corpus: Corpus, told: list[Conversation]) -> None:
    assert not corpus.problems
    assert len(told) >= 48
    for name, expected in corpus.info.hashes.items():
        assert hashlib.sha256((corpus.path / name).read_bytes()).hexdigest() == expected
    stored = {f"audio/{path.name}" for path in (corpus.path / "audio").iterdir()}
    assert stored == {turn.audio.path for one in told for turn in one.turns}
    assert sum((corpus.path / path).stat().st_size for path in stored) < 12_000_000


def test_sets_differ_in_style_alone_and_speakers_say_several(
    corpus: Corpus, told: list[Conversation]
) -> None:
    sets = defaultdict(list)
    for one in told:
        sets[one.group].append(one.turns[0])
    for turns in sets.values():
        assert sorted(str(turn.style.label) for turn in turns) == sorted(STYLES)
        assert len({turn.text for turn in turns}) == 1
        assert len({turn.speaker for turn in turns}) == 1
    spoken = Counter(str(turns[0].speaker) for turns in sets.values())
    assert set(spoken) <= {one.name for one in voices("test")} & set(corpus.info.voices)
    assert len(spoken) >= 4
    # Else there are no other words of the same speaker to compare with.
    assert min(spoken.values()) >= 2


def test_what_is_to_be_repeated_is_what_is_said(told: list[Conversation]) -> None:
    planned = {one.id: one for one in plan()}
    for one in told:
        (turn,) = one.turns
        assert turn.expect.reply_text == turn.text
        wanted = turn.expect.reply_style
        assert wanted is not None
        for name in ("rate", "pitch", "pitch_range", "loudness"):
            assert getattr(wanted, name) == getattr(turn.style, name), (one.id, name)
        assert one.instructions
        assert one.tags == (*planned[one.id].tags, voice(str(turn.speaker)).gender)
        assert turn.expect == planned[one.id].turns[0].expect


def test_each_style_measures_as_it_was_meant(notes: Mapping[str, Mapping[str, Any]]) -> None:
    for name, note in notes.items():
        label = name.rsplit("-", 1)[1]
        dose = Dose(**note["dose"])
        assert dose.misses(STYLES[label]) == [], (name, dose)
    flat = [note["dose"]["range_ratio"] for name, note in notes.items() if name.endswith("flat")]
    others = [note["dose"]["range_ratio"] for name, note in notes.items() if name.endswith("soft")]
    # Range is reported, not judged clip by clip: a few frames decide it.
    assert max(flat) < 0.55 < min(others)


def test_boundaries_and_pauses_are_where_the_sound_is(
    corpus: Corpus, told: list[Conversation]
) -> None:
    for conversation in told:
        (clip,), (turn,) = corpus.clips(conversation), conversation.turns
        runs = audible_runs(clip)
        assert (runs[0][0], runs[-1][1]) == pytest.approx(turn.speech_s, abs=EDGE_S)
        assert (turn.style.label == HALTING) == bool(turn.pauses), conversation.id
        gaps = [b[0] - a[1] for a, b in pairwise(runs)]
        longest = max(gaps, default=0.0)
        for pause in turn.pauses:
            assert PAUSE_S - 0.05 <= pause.duration_s <= LONGEST_PAUSE_S + 1e-6, conversation.id
            assert longest == pytest.approx(pause.duration_s, abs=0.02)
        if not turn.pauses:
            assert longest <= GAP_S + 1e-6, conversation.id


def test_a_generic_asr_hears_the_same_words(
    told: list[Conversation], notes: Mapping[str, Mapping[str, Any]]
) -> None:
    assert set(notes) == {one.id for one in told}
    errors: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for note in notes.values():
        # Beyond this a parrot that tells no text would not count as saying the same words.
        assert note["errors"] <= SAME_WORDS_WER * note["words"], note["id"]
        for name in (note["voice"], "all"):
            errors[name][0] += note["errors"]
            errors[name][1] += note["words"]
    rates = {name: wrong / count for name, (wrong, count) in errors.items()}
    assert rates.pop("all") <= 0.10
    assert max(rates.values()) <= 0.15, rates


# ------------------------------------------------------------------------------------ the metrics


def cases(
    corpus: Corpus, told: list[Conversation], reply_of: Callable[[Conversation], Conversation]
) -> list[Case]:
    """Conversations of one speaker, each answered with the clip of one of them."""
    made = []
    for one in told:
        (turn,) = one.turns
        (clip,) = corpus.clips(one)
        (answer,) = corpus.clips(reply_of(one))
        user, reply = clip.span(*turn.speech_s), trimmed(answer)
        start_s = user.duration_s + 0.4
        end_s = start_s + reply.duration_s + 0.5
        made.append(
            case_of(
                Spoken(0.0, user.duration_s, clip=user, text=turn.text),
                system=channel(end_s, (start_s, reply)),
                events=[text(0.1, turn.text)],
                duration_s=end_s,
                group=one.group,
                id=one.id,
            )
        )
    return made


def mean_of(measurement: Measurement) -> float:
    assert isinstance(measurement.quantity, Value), measurement.reason
    return measurement.quantity.x


def test_a_parrot_is_at_the_ceiling_and_a_reader_of_one_style_is_not(
    corpus: Corpus, told: list[Conversation], features: Remembered
) -> None:
    speaker = told[0].turns[0].speaker
    own = [one for one in told if one.turns[0].speaker == speaker]
    neutral = {one.group: one for one in own if one.turns[0].style.label == "neutral"}
    tools = Planted(features=features)
    parrot = cases(corpus, own, lambda one: one)
    reader = cases(corpus, own, lambda one: neutral[one.group])
    best = prosody_style_auc.measure_corpus(parrot, tools)
    assert mean_of(best) == pytest.approx(best.details["ceiling"], abs=0.03)
    assert mean_of(best) > 0.9
    assert mean_of(prosody_similarity_auc.measure_corpus(parrot, tools)) > 0.9
    assert mean_of(prosody_style_auc.measure_corpus(reader, tools)) < 0.65
