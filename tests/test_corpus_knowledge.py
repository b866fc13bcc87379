"""The bundled corpus `knowledge`: every question can be answered, heard and checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict

import pytest

from cascadence.audio import audible_runs
from cascadence.conversation import Conversation, Expect, UserTurn
from cascadence.corpus import Corpus, bundled_corpora
from cascadence.data_manifests.recipes.knowledge import RECIPE
from cascadence.data_manifests.recipes.knowledge_plan import NUMBER, is_number, plan
from cascadence.data_manifests.recipes.knowledge_questions import Question, questions
from cascadence.data_manifests.recipes.making import voice_order
from cascadence.data_manifests.recipes.voices import voice, voices
from cascadence.metrics.task import judge
from cascadence.metrics.text import says, words
from cascadence.systems.controls import RANDOM_REPLIES

ENDPOINT_S = 0.5
"""The silence that every half-duplex system takes for the end of a turn."""
EDGE_S = 0.06

# Worked out a second time, in figures.
WORKED_OUT = {
    "apples": 12 - 5,
    "eggs-boxes": 6 * 7,
    "sister-age": 9 + 4,
    "cookies": 30 // 5,
    "square-root": 81**0.5,
    "shirts": 40 // 2 * 3,
    "pages": 240 // 20,
    "guess-number": (17 - 3) // 2,
    "cow-legs": 4 * 5,
    "pens-change": 10 - 3 * 2,
    "garden-fence": 2 * (10 + 4),
    "doubling": 16 * 2,
    "corners": 4 + 3,
    "leap-year": 365 + 1,
    "hours-two-days": 24 * 2,
    "three-weeks": 7 * 3,
    "june-july": 30 + 31,
    "weeks-year": 365 // 7,
    "legs-spiders": 8 * 2,
    "water-hydrogen-atoms": 2 * 3,
}


def turn_of(question: Question) -> UserTurn:
    return UserTurn.model_validate(
        {
            "text": question.text,
            "audio": {"path": "clip.flac"},
            "speech_s": (0.0, 1.0),
            "expect": Expect(answer=question.answers, reply_text=question.reply),
        }
    )


# -------------------------------------------------------------------------------------- questions


def test_every_question_stands_alone() -> None:
    asked = questions()
    assert len(asked) >= 110
    for part in ("id", "text", "reply"):
        assert len({getattr(one, part) for one in asked}) == len(asked), part
    for one in asked:
        assert one.text.endswith("?"), one.id
        # Figures are read in many ways; one letter is misheard.
        assert not re.search(r"\d", one.text + one.reply), one.id
        # Nothing that could be answered by yes or no, or by one of two things on offer.
        assert not re.match(r"(is|are|do|does|did|can|was|were|has|have)\b", one.text.lower())
        assert " or " not in one.text, one.id
        assert all(says(one.text, word) for word in one.heard), one.id
        assert one.heard, one.id


def test_no_question_holds_its_answer_and_every_reply_does() -> None:
    for one in questions():
        assert not any(says(one.text, answer) for answer in one.answers), one.id
        assert judge(turn_of(one), one.reply).fulfilled, one.id
        assert judge(turn_of(one), f"It is {one.answers[0]}.").fulfilled, one.id
        assert not judge(turn_of(one), one.text).fulfilled, one.id


def test_the_sums_are_right() -> None:
    by_id = {one.id: one for one in questions()}
    for name, result in WORKED_OUT.items():
        assert words(by_id[name].answers[0]) == [str(int(result))], name
    sums = {one.id for one in questions() if one.topic == "arithmetic"}
    assert sums <= set(WORKED_OUT)


def test_little_is_to_be_had_by_guessing() -> None:
    turns = [turn_of(one) for one in questions()]
    replies = {answer for one in questions() for answer in one.answers}
    best = max(sum(bool(judge(turn, reply).answer) for turn in turns) for reply in replies)
    assert best <= 0.04 * len(turns)
    assert sum(is_number(one) for one in questions()) <= 0.5 * len(turns)
    right = sum(bool(judge(turn, reply).answer) for turn in turns for reply in RANDOM_REPLIES)
    assert right <= 0.02 * len(turns) * len(RANDOM_REPLIES)


def test_any_part_of_the_plan_has_all_topics() -> None:
    planned = plan()
    topics = {one.topic for one in questions()}
    assert len(topics) >= 10
    assert topics <= {tag for one in planned[: len(topics)] for tag in one.tags}
    assert all(one.split == "test" for item in planned for one in voice_order(RECIPE, item))


# ------------------------------------------------------------------------------------- the corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(bundled_corpora()["knowledge"])


@pytest.fixture(scope="module")
def told(corpus: Corpus) -> list[Conversation]:
    return list(corpus)


def test_the_corpus_is_whole(corpus: Corpus, told: list[Conversation]) -> None:
    assert not corpus.problems
    assert len(told) >= 100
    for name, expected in corpus.info.hashes.items():
        assert hashlib.sha256((corpus.path / name).read_bytes()).hexdigest() == expected
    stored = {f"audio/{path.name}" for path in (corpus.path / "audio").iterdir()}
    assert stored == {turn.audio.path for one in told for turn in one.turns}
    assert sum((corpus.path / path).stat().st_size for path in stored) < 12_000_000


def test_the_corpus_is_what_was_planned(told: list[Conversation]) -> None:
    planned = {one.id: one for one in plan()}
    by_topic = Counter(one.tags[1] for one in told)
    assert set(by_topic) == {one.topic for one in questions()}
    assert min(by_topic.values()) >= 6
    for one in told:
        meant = planned[one.id]
        (turn,), (said,) = one.turns, meant.turns
        assert (turn.text, turn.expect, turn.when) == (said.text, said.expect, said.when), one.id
        assert one.tags == (*meant.tags, voice(str(turn.speaker)).gender), one.id
        assert one.instructions == meant.instructions
        assert (NUMBER in one.tags) == bool(
            re.fullmatch(r"\d+", "".join(words(turn.expect.answer[0])))
        )
    assert sum("two_steps" in one.tags for one in told) >= 12


def test_the_speakers_are_test_voices_with_a_licence(
    corpus: Corpus, told: list[Conversation]
) -> None:
    heard = Counter(str(turn.speaker) for one in told for turn in one.turns)
    assert set(heard) <= {one.name for one in voices("test")}
    assert set(heard) <= set(corpus.info.voices)
    assert len(heard) >= 6
    assert max(heard.values()) <= 0.3 * len(told)
    assert all(one.licence for one in corpus.info.voices.values())


def test_boundaries_are_where_the_sound_is_and_nobody_pauses_as_if_done(
    corpus: Corpus, told: list[Conversation]
) -> None:
    for conversation in told:
        (clip,), (turn,) = corpus.clips(conversation), conversation.turns
        runs = audible_runs(clip, bridge_s=ENDPOINT_S - 0.05)
        assert len(runs) == 1, conversation.id
        assert runs[0] == pytest.approx(turn.speech_s, abs=EDGE_S), conversation.id
        assert clip.duration_s - turn.speech_s[1] >= 0.29


def test_a_generic_asr_hears_it(corpus: Corpus, told: list[Conversation]) -> None:
    speakers = {one.id: one.turns[0].speaker for one in told}
    errors: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    seen = set()
    for line in (corpus.path / "making.jsonl").read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        shipped = note.get("verdict") == "ok" and speakers.get(note["id"]) == note["voice"]
        if not shipped or "turn" not in note:
            continue
        seen.add(note["id"])
        assert not note["lost"], note["id"]
        for name in (note["voice"], "all"):
            errors[name][0] += note["errors"]
            errors[name][1] += note["words"]
    assert seen == set(speakers)
    rates = {name: wrong / count for name, (wrong, count) in errors.items()}
    assert rates.pop("all") <= 0.10
    assert max(rates.values()) <= 0.15, rates
