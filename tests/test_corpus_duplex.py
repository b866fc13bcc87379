"""The bundled corpus `duplex`: events are where they are said to be, and the metrics read them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from cascadence.audio import Audio, audible_runs
from cascadence.conversation import (
    AfterReply,
    Aside,
    Backchannel,
    BargeIn,
    Conversation,
    Pause,
    UserTurn,
)
from cascadence.corpus import Corpus, bundled_corpora
from cascadence.data_manifests.assistant.policy import Policy
from cascadence.data_manifests.recipes.clips import (
    NEUTRAL_LEVEL_DBFS,
    active_level_dbfs,
)
from cascadence.data_manifests.recipes.duplex import LISTENER_AFTER_S, RECIPE
from cascadence.data_manifests.recipes.duplex_plan import (
    AFTER_ONSET_S,
    BACKGROUND_DB,
    CAST,
    LONG_REPLY,
    LONGEST_GAP_S,
    NEAR_DB,
    PAUSES_S,
    TYPES,
    plan,
)
from cascadence.data_manifests.recipes.duplex_texts import STOPS
from cascadence.data_manifests.recipes.making import voice_order
from cascadence.data_manifests.recipes.phrases_joined import Answered, Joined
from cascadence.data_manifests.recipes.voices import voice, voices
from cascadence.metrics.text import says

EDGE_S = 0.06
FEWEST = 20

# ------------------------------------------------------------------------------------------- plan


def test_enough_events_of_every_type_are_planned() -> None:
    planned = plan()
    assert len({one.id for one in planned}) == len(planned)
    found = Counter(tag for one in planned for tag in one.tags if tag in TYPES)
    assert set(found) == set(TYPES)
    assert min(found.values()) > FEWEST
    assert sum(found.values()) >= 120
    for one in planned:
        # Two events of a conversation do not meet: one is said into the reply, one after it.
        assert len(set(one.tags) & set(TYPES)) == len(one.turns) - ("multi_turn" in one.tags)


def test_whoever_is_overheard_is_not_the_user() -> None:
    heard = 0
    for one in plan():
        tried = voice_order(RECIPE, one)
        assert {each.split for each in tried} == {"test"}
        for turn in one.turns:
            other = turn.sound.other if isinstance(turn.sound, Answered) else turn.voice
            if other is not None:
                heard += 1
                assert voice(other).speaker not in {each.speaker for each in tried}
                assert voice(other).split == "test"
    assert heard >= 3 * FEWEST - FEWEST // 2


# -------------------------------------------------------------------------------------- the corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(bundled_corpora()["duplex"])


@pytest.fixture(scope="module")
def told(corpus: Corpus) -> list[Conversation]:
    return list(corpus)


def turns_of(told: Sequence[Conversation], tag: str, place: int = -1) -> list[UserTurn]:
    """One turn of each conversation with a tag; by default the last."""
    return [one.turns[place] for one in told if tag in one.tags]


def requests(told: Sequence[Conversation]) -> Iterator[UserTurn]:
    """Turns that are meant for the system and want an answer."""
    for one in told:
        for turn in one.turns:
            if isinstance(turn.when, AfterReply | BargeIn) and not turn.expect.stay_silent:
                yield turn


def test_the_corpus_is_whole(corpus: Corpus, told: list[Conversation]) -> None:
    assert not corpus.problems
    for name, expected in corpus.info.hashes.items():
        assert hashlib.sha256((corpus.path / name).read_bytes()).hexdigest() == expected
    stored = {f"audio/{path.name}" for path in (corpus.path / "audio").iterdir()}
    assert stored == {turn.audio.path for one in told for turn in one.turns}
    assert sum((corpus.path / path).stat().st_size for path in stored) < 12_000_000


def test_events_of_every_type_by_most_voices(told: list[Conversation]) -> None:
    found = {kind: [one.turns[0].speaker for one in told if kind in one.tags] for kind in TYPES}
    assert sum(len(speakers) for speakers in found.values()) >= 120
    for kind, speakers in found.items():
        assert len(speakers) >= FEWEST, kind
        assert len(set(speakers)) >= 6, kind
    hums = turns_of(told, "mm_hmm", 1)
    assert len(hums) >= 4
    assert len({turn.speaker for turn in hums}) >= 3


def test_speakers_are_test_voices_and_their_licences_are_told(
    corpus: Corpus, told: list[Conversation]
) -> None:
    planned = {one.id: one for one in plan()}
    spoken = {str(turn.speaker) for one in told for turn in one.turns}
    assert spoken == set(CAST) <= {one.name for one in voices("test")} & set(corpus.info.voices)
    for one in told:
        names = {str(turn.speaker) for turn in one.turns}
        names |= {t.sound.other for t in planned[one.id].turns if isinstance(t.sound, Answered)}
        assert all(voice(name).licence.name in one.licence for name in names), one.id
        assert one.split == "test"


def test_no_text_is_asked_twice_or_in_the_corpus_assistant(told: list[Conversation]) -> None:
    texts = [turn.text for turn in requests(told) if isinstance(turn.when, AfterReply)]
    assert max(Counter(texts).values()) == 1
    other = Corpus(bundled_corpora()["assistant"])
    taken = {turn.text for conversation in other for turn in conversation.turns}
    assert not taken & set(texts)


def test_the_policy_answers_as_expected(told: list[Conversation]) -> None:
    answered = 0
    for one in told:
        policy = Policy()
        for turn in one.turns:
            if isinstance(turn.when, AfterReply | BargeIn) and not turn.expect.stay_silent:
                assert policy.reply(turn.text).text == turn.expect.reply_text, one.id
                # Of a reply that is interrupted nothing can be demanded.
                interrupted = turn is one.turns[0] and isinstance(one.turns[-1].when, BargeIn)
                assert turn.expect.judged != interrupted
                answered += 1
    assert answered > 6 * FEWEST


def silences(clip: Audio) -> list[Pause]:
    """What is silent between the first and the last sound."""
    return [
        Pause(at_s=a[1], duration_s=max(0.0, b[0] - a[1])) for a, b in pairwise(audible_runs(clip))
    ]


def test_boundaries_are_where_the_sound_is(corpus: Corpus, told: list[Conversation]) -> None:
    for one in told:
        for clip, turn in zip(corpus.clips(one), one.turns, strict=True):
            runs = audible_runs(clip)
            assert (runs[0][0], runs[-1][1]) == pytest.approx(turn.speech_s, abs=EDGE_S)


def test_pauses_are_as_planned_and_where_the_silence_is(
    corpus: Corpus, told: list[Conversation]
) -> None:
    planned = {one.id: one.turns[0].sound for one in plan()}
    lengths: Counter[tuple[str, str]] = Counter()
    for one in told:
        sound = planned[one.id]
        if not isinstance(sound, Joined):
            continue
        (turn,) = one.turns
        heard = silences(corpus.clip(turn))
        longest = sorted(
            sorted(heard, key=lambda p: -p.duration_s)[: sound.pauses], key=lambda p: p.at_s
        )
        others = [p.duration_s for p in heard if p not in longest]
        assert max(others, default=0.0) < min(PAUSES_S) - 0.04, one.id
        for pause, silent, wanted_s in zip(turn.pauses, longest, sound.pauses_s, strict=True):
            assert pause.at_s == pytest.approx(silent.at_s, abs=EDGE_S)
            assert pause.duration_s == pytest.approx(silent.duration_s, abs=EDGE_S)
            assert pause.duration_s == pytest.approx(wanted_s, abs=EDGE_S)
        lengths.update(
            (tag, place)
            for tag in one.tags
            if tag.endswith("ms")
            for place in one.tags
            if place in ("pause_boundary", "pause_inside")
        )
    assert len(lengths) == 2 * len(PAUSES_S)
    assert min(lengths.values()) >= 3


def test_other_turns_hold_no_silence_that_could_be_their_end(
    corpus: Corpus, told: list[Conversation]
) -> None:
    checked = 0
    for one in told:
        for turn in one.turns:
            if isinstance(turn.when, AfterReply | BargeIn) and not turn.pauses:
                longest_s = max((p.duration_s for p in silences(corpus.clip(turn))), default=0.0)
                assert longest_s <= LONGEST_GAP_S + 0.001, one.id
                checked += 1
    assert checked > 6 * FEWEST


def test_barge_ins_come_into_replies_that_are_long_enough(told: list[Conversation]) -> None:
    for kind in ("barge_in_correction", "barge_in_stop", "barge_in_topic"):
        moments = []
        for first, second in ((one.turns[0], one.turns[1]) for one in told if kind in one.tags):
            assert isinstance(second.when, BargeIn)
            assert len(str(first.expect.reply_text).split()) >= LONG_REPLY
            moments.append(second.when.after_onset_s)
        assert set(moments) == set(AFTER_ONSET_S), kind
    for turn in turns_of(told, "barge_in_stop"):
        assert turn.expect.stay_silent == (turn.text in STOPS)
    for one in told:
        if "barge_in_correction" in one.tags:
            first, second = one.turns
            # All but one of the corrected values were in the first request.
            told_first = str(first.expect.reply_text)
            kept = [
                any(says(told_first, form) for form in forms)
                for forms in second.expect.slots.values()
            ]
            assert kept.count(False) == 1, one.id


def test_asides_and_background_are_further_away_and_expect_silence(
    corpus: Corpus, told: list[Conversation]
) -> None:
    quieter = {"aside": 3.0, "background_after_reply": 11.0}
    for kind, least_db in quieter.items():
        for one in (one for one in told if kind in one.tags):
            clips = corpus.clips(one)
            near, over, after = (active_level_dbfs(clip) for clip in clips)
            request, said, last = one.turns
            assert isinstance(last.when, Aside)
            assert last.when.after_onset_s is None
            assert last.expect.stay_silent
            assert said.is_under_reply
            assert near - after >= least_db, one.id
            if kind == "aside":
                assert isinstance(said.when, Backchannel)
                assert not said.expect.judged
                assert (last.speaker, said.speaker) == (request.speaker, request.speaker)
            else:
                assert isinstance(said.when, Aside)
                assert said.expect.stay_silent
                assert last.speaker == said.speaker != request.speaker
                assert near - over >= least_db, one.id
    assert NEAR_DB - BACKGROUND_DB == 12.0
    answered = [one for one in told if "aside_answered" in one.tags]
    assert len(answered) >= FEWEST // 2 - 2


def test_backchannels_sound_and_hums_hold_no_word(
    corpus: Corpus, told: list[Conversation], notes: Mapping[tuple[str, int], Mapping[str, Any]]
) -> None:
    for one in (one for one in told if "backchannel" in one.tags):
        turn = one.turns[1]
        clip = corpus.clip(turn)
        heard_s = sum(b - a for a, b in audible_runs(clip))
        assert 0.15 <= heard_s <= 1.0, one.id
        assert active_level_dbfs(clip) == pytest.approx(NEUTRAL_LEVEL_DBFS - 3.0, abs=1.0)
        note = notes[one.id, 1]
        if "mm_hmm" in one.tags:
            assert (note["words"], note["errors"]) == (0, 0), note
        else:
            assert (note["words"] > 0, note["errors"]) == (True, 0), note


def test_listeners_acknowledge_in_the_pauses_by_rule(told: list[Conversation]) -> None:
    for one in told:
        for turn in one.turns:
            at_s = [round(pause.at_s + LISTENER_AFTER_S, 4) for pause in turn.pauses]
            assert list(turn.backchannels_s) == (
                at_s if "backchannel_opportunity" in one.tags else []
            )
    for turn in turns_of(told, "backchannel_opportunity"):
        assert len(turn.backchannels_s) == 2
        assert turn.speech_s[1] - turn.speech_s[0] > 3.0


@pytest.fixture(scope="module")
def notes(corpus: Corpus, told: list[Conversation]) -> dict[tuple[str, int], dict[str, Any]]:
    """What was measured and heard of the clips that are shipped."""
    speakers = {(one.id, i): turn.speaker for one in told for i, turn in enumerate(one.turns)}
    lines = (corpus.path / "making.jsonl").read_text(encoding="utf-8").splitlines()
    made = [note for line in lines if "turn" in (note := json.loads(line))]
    return {
        (note["id"], note["turn"]): note
        for note in made
        if speakers.get((note["id"], note["turn"])) == note["voice"] and note["verdict"] == "ok"
    }


def test_a_generic_asr_hears_the_words(
    told: list[Conversation], notes: Mapping[tuple[str, int], Mapping[str, Any]]
) -> None:
    assert set(notes) == {(one.id, i) for one in told for i in range(len(one.turns))}
    errors: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for note in notes.values():
        for name in (note["voice"], "all"):
            errors[name][0] += note["errors"]
            errors[name][1] += note["words"]
    rates = {name: wrong / count for name, (wrong, count) in errors.items()}
    assert rates.pop("all") <= 0.10
    assert max(rates.values()) <= 0.15, rates
    assert set(rates) == set(CAST)
