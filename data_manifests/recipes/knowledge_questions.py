"""The questions of the corpus `knowledge`, written for it: ``knowledge_questions.jsonl``.

Each has one right answer, which does not change, cannot be guessed by saying yes or no, and is not
in the question. Everything is spelled out, numbers too: a synthetic voice reads figures in ways of
its own.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

_FILE: Final = Path(__file__).resolve().with_suffix(".jsonl")


@dataclass(frozen=True, slots=True)
class Question:
    """A question of common knowledge.

    Attributes:
        id: unique.
        topic: what it is about.
        steps: how many facts or operations its answer is made of, 1 or 2: the one sign of
            difficulty that can be told without asking anybody.
        text: what the user says.
        heard: words without which nobody could answer; the judge must hear them in the clip.
        answers: short forms that are accepted, the most common one first.
        reply: a sentence that gives the first of the answers.
    """

    id: str
    topic: str
    steps: Literal[1, 2]
    text: str
    heard: tuple[str, ...]
    answers: tuple[str, ...]
    reply: str


@functools.cache
def questions() -> tuple[Question, ...]:
    """Return all questions, in the order of the file: by topic."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return tuple(_question(json.loads(line)) for line in lines)


def _question(line: dict[str, Any]) -> Question:
    lists = {name: tuple(line[name]) for name in ("heard", "answers")}
    return Question(**{**line, **lists})
