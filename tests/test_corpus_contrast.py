"""The bundled corpus `contrast`: what its tags, styles and expectations promise is there."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio, audible_runs, silence
from cascadence.conversation import Conversation, UserTurn
from cascadence.corpus import Corpus, bundled_corpora
from cascadence.data_manifests.recipes import contrast_plan, dose_check, synthesisers
from cascadence.data_manifests.recipes.contrast_plan import AXES, LABELS
from cascadence.data_manifests.recipes.voices import voice
from cascadence.measurement import Case
from cascadence.metrics.task_prosody import (
    emphasis_success,
    hesitation_robustness,
    question_intonation_success,
)
from planted_cases import Planted, Spoken, case_of, noise, numbers

Sets = Mapping[str, Sequence[Sequence[Conversation]]]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(bundled_corpora()["contrast"])


@pytest.fixture(scope="module")
def sets(corpus: Corpus) -> Sets:
    """By axis, its sets."""
    found: dict[str, dict[str, list[Conversation]]] = defaultdict(lambda: defaultdict(list))
    for conversation in corpus:
        (axis,) = [tag[5:] for tag in conversation.tags if tag.startswith("axis_")]
        assert "contrast" in conversation.tags
        assert conversation.group is not None
        found[axis][conversation.group].append(conversation)
    return {axis: list(groups.values()) for axis, groups in found.items()}


def turn_of(conversation: Conversation) -> UserTurn:
    (turn,) = conversation.turns
    return turn


def test_eight_axes_with_enough_whole_sets(sets: Sets) -> None:
    assert set(sets) == set(LABELS)
    assert len(sets) == 8
    assert sum(map(len, sets.values())) >= 60
    for axis, groups in sets.items():
        assert len(groups) >= 7, axis
        for mates in groups:
            assert Counter(turn_of(mate).style.label for mate in mates) == Counter(LABELS[axis])


def test_members_have_the_same_words_voice_split_and_instructions(sets: Sets) -> None:
    for groups in sets.values():
        for mates in groups:
            turns = [turn_of(mate) for mate in mates]
            assert len({turn.text for turn in turns}) == 1
            assert len({turn.speaker for turn in turns}) == 1
            assert {mate.split for mate in mates} == {"test"}
            assert len({mate.instructions for mate in mates}) == 1
            assert not turns[0].text.endswith("?") or turns[0].style.sentence_type is None


def test_no_text_is_said_in_two_sets_or_in_the_corpus_assistant(sets: Sets) -> None:
    texts = [turn_of(mates[0]).text for groups in sets.values() for mates in groups]
    assert max(Counter(texts).values()) == 1
    other = Corpus(bundled_corpora()["assistant"])
    taken = {turn.text for conversation in other for turn in conversation.turns}
    assert len(taken) > 200
    assert not taken & set(texts)


def test_all_test_voices_are_heard_and_no_other(corpus: Corpus) -> None:
    names = {turn_of(conversation).speaker for conversation in corpus}
    assert names == set(contrast_plan.CAST)
    assert {voice(name).split for name in names if name} == {"test"}
    assert set(corpus.info.voices) >= names


@pytest.mark.parametrize(
    ("axis", "field", "scale"),
    [
        ("rate", "rate", math.log2),
        ("pitch", "pitch", float),
        ("range", "pitch_range", math.log2),
        ("loudness", "loudness", float),
    ],
)
def test_one_dimension_takes_four_evenly_spread_values_and_the_others_none(
    sets: Sets, axis: str, field: str, scale: Any
) -> None:
    neutral = {"rate": 1.0, "pitch": 0.0, "pitch_range": 1.0, "loudness": 0.0}
    for mates in sets[axis]:
        styles = [turn_of(mate).style for mate in mates]
        values = sorted(scale(getattr(style, field)) for style in styles)
        steps = [after - before for before, after in pairwise(values)]
        assert len(steps) == 3
        assert steps == pytest.approx([steps[0]] * 3, rel=0.02)
        assert values[0] == pytest.approx(-values[-1], rel=0.02)
        for other in set(neutral) - {field}:
            assert {getattr(style, other) for style in styles} == {neutral[other]}


def test_emotion_like_styles_declare_how_a_listener_answers(sets: Sets) -> None:
    for mates in sets["emotion"]:
        for mate in mates:
            turn = turn_of(mate)
            assert turn.expect.reply_style is not None
            assert turn.style.rate == AXES["emotion"][turn.style.label or ""].rate


def test_the_stressed_word_decides_the_answer(sets: Sets) -> None:
    for mates in sets["emphasis"]:
        early, late = map(turn_of, mates)
        (first,), (second,) = early.style.emphasis, late.style.emphasis
        assert 0 <= first < second < len(early.text.split())
        _exclude_each_other(mates)


def test_the_melody_decides_the_answer(sets: Sets) -> None:
    for mates in sets["question"]:
        kinds = [turn_of(mate).style.sentence_type for mate in mates]
        assert kinds == ["question", "statement"]
        _exclude_each_other(mates)


def _exclude_each_other(mates: Sequence[Conversation]) -> None:
    one, other = (turn_of(mate).expect for mate in mates)
    assert one.answer
    assert (one.answer, one.excludes) == (other.excludes, other.answer)
    for answer in (one.answer[0], other.answer[0]):
        assert answer in (mates[0].instructions or "")


def test_who_hesitates_expects_the_same_and_says_where(corpus: Corpus, sets: Sets) -> None:
    for mates in sets["hesitation"]:
        fluent, hesitant = map(turn_of, mates)
        assert (fluent.style.label, hesitant.style.label) == ("fluent", "hesitant")
        assert fluent.expect == hesitant.expect
        assert fluent.expect.judged
        assert (fluent.style.hesitations, fluent.pauses) == ((), ())
        assert (len(hesitant.style.hesitations), len(hesitant.pauses)) == (2, 3)
        clip = corpus.clip(hesitant)
        uttered = 0
        for start_s, end_s in hesitant.style.hesitations:
            inside = [p for p in hesitant.pauses if start_s <= p.at_s < end_s]
            assert inside[0].at_s == start_s
            assert inside[-1].at_s + inside[-1].duration_s == pytest.approx(end_s, abs=1e-3)
            heard_s = sum(b - a for a, b in audible_runs(clip.span(start_s, end_s)))
            # A filled pause is an "um" between two silences; a silent one holds nothing.
            assert heard_s == pytest.approx(0.4 if len(inside) == 2 else 0.0, abs=0.15)
            uttered += len(inside) == 2
        assert uttered == 1


def test_boundaries_and_pauses_are_where_the_sound_is(corpus: Corpus) -> None:
    for conversation in corpus:
        turn = turn_of(conversation)
        runs = audible_runs(corpus.clip(turn))
        assert (runs[0][0], runs[-1][1]) == pytest.approx(turn.speech_s, abs=0.011)
        for pause in turn.pauses:
            assert all(
                b <= pause.at_s + 0.011 or a >= pause.at_s + pause.duration_s - 0.011
                for a, b in runs
            )


def test_the_judge_hears_every_voice(corpus: Corpus) -> None:
    notes = (corpus.path / "making.jsonl").read_text(encoding="utf-8").splitlines()
    speakers = {conversation.id: turn_of(conversation).speaker for conversation in corpus}
    errors: Counter[str] = Counter()
    words: Counter[str] = Counter()
    shipped = set()
    for note in map(json.loads, notes):
        if note["verdict"] == "ok" and speakers.get(note["id"]) == note["voice"]:
            errors[note["voice"]] += note["errors"]
            words[note["voice"]] += note["words"]
            shipped.add(note["id"])
    assert shipped == set(speakers)
    assert errors.total() / words.total() <= 0.10
    assert all(errors[name] / words[name] <= 0.15 for name in words)


def test_level_and_rate_are_dosed_as_declared(corpus: Corpus, sets: Sets) -> None:
    """Without a pitch tracker: what levels and durations tell."""
    for axis, tolerance in (("loudness", 1.0), ("rate", math.log2(1.15))):
        for mates in sets[axis]:
            declared, found = [], []
            for mate in mates:
                turn = turn_of(mate)
                speech, level = dose_check.levelled(corpus.clip(turn))
                loud = axis == "loudness"
                declared.append(turn.style.loudness if loud else math.log2(turn.style.rate or 1.0))
                found.append(level if loud else -math.log2(speech.duration_s))
            errors = (found - np.mean(found)) - (declared - np.mean(declared))
            assert np.abs(errors).max() <= tolerance


@pytest.mark.slow
def test_every_axis_moves_its_own_feature_and_only_it(corpus: Corpus) -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    if (reason := synthesisers.available("flite")) is not None:
        pytest.skip(reason)
    rows = list(dose_check.rows_of(dose_check.members_of(corpus)))
    assert {row.axis for row in rows} == set(LABELS)
    assert len(rows) >= 100
    assert [row for row in rows if not row.holds] == []


# ---------------------------------------------------------------------- metrics read the corpus


def answered(
    mates: Sequence[Conversation], said: Mapping[str, str], first: int
) -> tuple[list[Case], dict[int, str]]:
    """Cases whose replies, told apart by their length, say what they are told to."""
    cases, heard = [], {}
    for number, mate in enumerate(mates, start=first):
        samples = round((1.0 + 0.02 * number) * 16_000)
        reply: Audio = noise(samples / 16_000, number)
        start_s = turn_of(mate).speech_s[1] + 0.5
        whole = silence(20.0, 16_000).samples.copy()
        whole[round(start_s * 16_000) :][: len(reply)] = reply.samples
        case = case_of(Spoken(*turn_of(mate).speech_s), system=Audio(whole, 16_000), id=mate.id)
        cases.append(Case(case.recording, mate, case.clips))
        heard[number] = said[mate.id]
    return cases, heard


def played(groups: Sequence[Sequence[Conversation]], said: Mapping[str, str]) -> Any:
    """Cases, and tools with a judge that knows each reply by its length."""
    cases: list[Case] = []
    heard: dict[int, str] = {}
    for mates in groups:
        more, texts = answered(mates, said, len(cases))
        cases += more
        heard |= texts
    known = Planted(judge_asr=lambda a: {"text": heard[round((a.duration_s - 1.0) / 0.02)]})
    return cases, known


@pytest.mark.parametrize(
    ("axis", "metric"),
    [("emphasis", emphasis_success), ("question", question_intonation_success)],
)
def test_who_hears_is_always_right_and_who_is_deaf_half_the_time(
    sets: Sets, axis: str, metric: Any
) -> None:
    groups = sets[axis]
    right = {m.id: turn_of(m).expect.answer[0] for mates in groups for m in mates}
    deaf = {m.id: turn_of(mates[0]).expect.answer[0] for mates in groups for m in mates}
    found = metric.function(*played(groups, right))
    assert numbers([found]) == [1.0]
    assert (found.details["chance"], found.details["mismatched"]) == (0.5, 0.0)
    assert found.details["sets"] == len(groups)
    assert numbers([metric.function(*played(groups, deaf))]) == [0.5]


def test_who_fails_the_hesitant_is_found_out(sets: Sets) -> None:
    groups = sets["hesitation"]
    replies = {m.id: turn_of(m).expect.reply_text or "" for mates in groups for m in mates}
    found = hesitation_robustness.function(*played(groups, replies))
    assert (numbers([found]), found.n) == ([0.0], len(groups))
    lost = {
        m.id: "" if turn_of(m).style.hesitations else replies[m.id]
        for mates in groups
        for m in mates
    }
    assert numbers([hesitation_robustness.function(*played(groups, lost))]) == [-1.0]
