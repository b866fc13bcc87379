"""Hears clips with the judge ASR, so that nothing is shipped that nobody could understand."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cascadence import weights
from cascadence.audio import Audio
from cascadence.data_manifests.assistant.normalise import tokens_of
from cascadence.require import require

JUDGE: Final = "whisper-base-ct2"
_BOUNDARY: Final = "|"


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the judge heard of a text.

    Attributes:
        text: the transcript as it was written.
        words: words in the reference.
        errors: word errors (substitutions, insertions, deletions).
        lost: values that were said and not heard.
    """

    text: str
    words: int
    errors: int
    lost: tuple[str, ...]

    @property
    def wer(self) -> float:
        """Word error rate of this clip, ratio; may exceed 1."""
        return self.errors / max(1, self.words)


def compare(heard: str, text: str, values: Mapping[str, tuple[str, ...]]) -> Hearing:
    """Hold a transcript against what was said, numbers and contractions normalised.

    Args:
        heard: the transcript.
        text: what was said.
        values: accepted spoken forms of the values in force, by slot; those that the text does not
            say are passed over.
    """
    said, found = _words(text), _words(heard)
    lost = tuple(
        name for name, forms in values.items() if _says(said, forms) and not _says(found, forms)
    )
    return Hearing(heard, len(said), edit_distance(said, found), lost)


def transcript(audio: Audio, judge: str = JUDGE) -> str:
    """Return what the judge ASR writes: greedy, English, no prompt, the same every time."""
    samples = audio.at_rate(16_000).samples
    segments, _ = _model(judge).transcribe(
        samples,
        language="en",
        beam_size=1,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return " ".join(segment.text.strip() for segment in segments)


def edit_distance(reference: list[str], hypothesis: list[str]) -> int:
    """Levenshtein distance in words."""
    row = np.arange(len(hypothesis) + 1)
    for position, word in enumerate(reference, start=1):
        previous, row = row, np.empty_like(row)
        row[0] = position
        for column, other in enumerate(hypothesis, start=1):
            substituted = previous[column - 1] + (word != other)
            row[column] = min(substituted, previous[column] + 1, row[column - 1] + 1)
    return int(row[-1])


def _words(text: str) -> list[str]:
    return [word for word in tokens_of(text) if word != _BOUNDARY]


def _says(words: list[str], forms: tuple[str, ...]) -> bool:
    """Whether any of the forms occurs as whole words, spaces between words not counted.

    Compounds are written both ways ("living room", "livingroom"), which is no loss.
    """
    spoken = f" {' '.join(words)} "
    joined = "".join(words)
    wanted = [_words(form) for form in forms]
    return any(
        f" {' '.join(form)} " in spoken or _joined_in(form, joined) for form in wanted if form
    )


def _joined_in(form: list[str], joined: str) -> bool:
    return len(form) > 1 and "".join(form) in joined


@functools.cache
def _model(judge: str) -> Any:
    whisper = require("faster_whisper", extra="asr")
    folder = weights.fetch(judge)
    return whisper.WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
