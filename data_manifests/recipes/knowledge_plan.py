"""The plan of the corpus `knowledge`: who asks what, and how. Text and numbers only, no sound."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from cascadence.conversation import AfterReply, Expect, Style
from cascadence.data_manifests.recipes import planned
from cascadence.data_manifests.recipes.knowledge_questions import Question, questions
from cascadence.data_manifests.recipes.planned import Fluent, Planned, PlannedTurn
from cascadence.data_manifests.recipes.voices import Prosody

SEED: Final = "knowledge-1"
"""Part of every seed: a change of it changes everything that is drawn."""
INSTRUCTIONS: Final = "Answer the question correctly, in one short sentence."
NUMBER: Final = "answer_number"
"""Tags questions whose answer is a number, which is guessed more easily than a name."""

CAST: Final = (
    "kokoro-gongitsune",
    "flite-rms",
    "joe-alto",
    "kokoro-kumo",
    "flite-rms-high",
    "joe-tenor",
    "kokoro-kumo-high",
    "flite-awb",
)
"""Test voices in the order of their turns."""

_NUMBERS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand and"
)
_NUMBER_WORDS: Final = frozenset(_NUMBERS.split())

seed_of = functools.partial(planned.seed_of, SEED)


def plan() -> tuple[Planned, ...]:
    """Return the whole corpus as planned: the topics take turns, so that any part has them all."""
    return tuple(_planned(one, number) for number, one in enumerate(_by_turns()))


def _by_turns() -> Iterator[Question]:
    topics: dict[str, list[Question]] = {}
    for one in questions():
        topics.setdefault(one.topic, []).append(one)
    for row in zip_longest(*topics.values()):
        yield from (one for one in row if one is not None)


def is_number(question: Question) -> bool:
    """Whether the answer is a number in words."""
    return set(question.answers[0].split()) <= _NUMBER_WORDS


def _planned(question: Question, number: int) -> Planned:
    rng = random.Random(seed_of("style", question.id))
    steps = "one_step" if question.steps == 1 else "two_steps"
    kind = (NUMBER,) if is_number(question) else ()
    turn = PlannedTurn(
        question.text,
        Fluent(_calm(rng)),
        {word: (word,) for word in question.heard},
        Expect(answer=question.answers, reply_text=question.reply),
        AfterReply(gap_s=round(rng.uniform(0.6, 1.2), 2)),
        Style(sentence_type="question"),
    )
    tags = ("single_turn", question.topic, steps, *kind)
    return Planned(f"knowledge-{question.id}", tags, number, (turn,), instructions=INSTRUCTIONS)


def _calm(rng: random.Random) -> Prosody:
    """Draw a style close to neutral: here the words matter, and nothing else."""
    return Prosody(
        rate=round(rng.uniform(0.92, 1.08), 2),
        pitch_st=round(rng.uniform(-1.5, 1.5), 1),
        range_scale=round(rng.uniform(0.9, 1.2), 2),
        level_db=round(rng.uniform(-2.0, 2.0), 1),
    )
