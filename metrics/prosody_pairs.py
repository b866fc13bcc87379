"""What is compared with what: the one place that says which two sounds have the same words.

The reference is the user's clean clip, the candidate the reply to it, wherever the reply has the
same words: a parrot, a system that was asked to repeat, a codec or resynthesis played as a system.
By the system's own text where it tells one and all of it was played, else by the judge ASR. Where
the reply has other words there is nothing to align, and there is no pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascadence.audio import Audio, audible_runs
from cascadence.measurement import Measurement, Tools, skipped
from cascadence.metrics.intelligibility import word_errors
from cascadence.metrics.paralinguistics import said
from cascadence.metrics.prosody_comparison import Rendition, rendition
from cascadence.metrics.turns import PlayedView

SAME_WORDS_WER = 0.2
"""Up to this word error rate a transcript counts as the same words: the judge errs too."""
EDGE_DB = 30.0
"""Less is cut at the edges than the quietest syllable of a turn, and more than breath and noise."""
LONGEST_S = 60.0
"""Alignment takes memory with the square of the length: 1 GB for two minutes."""


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """Two sounds with the same words, without what is quiet around them.

    Attributes:
        user: the clean clip.
        reply: to it.
        words: of the reply.
    """

    user: Audio
    reply: Audio
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two renderings of the same words."""

    user: Rendition
    reply: Rendition


def pair_on(view: PlayedView, tools: Tools) -> Pair | Measurement:
    """Return the pair that a turn offers, or the ``skipped`` measurement that says why none.

    Args:
        view: of a turn that was played.
        tools: with ``features`` and ``judge_asr``.
    """
    sounds = sounds_on(view, tools)
    if isinstance(sounds, Measurement):
        return sounds
    user = rendition(sounds.user, view.turn.text, tools)
    system = rendition(sounds.reply, sounds.words, tools)
    if user is None or system is None:
        return skipped("no pitch to compare")
    return Pair(user, system)


def sounds_on(view: PlayedView, tools: Tools) -> Sounds | Measurement:
    """Return the sounds of a turn's pair, or the ``skipped`` measurement that says why none.

    Args:
        view: of a turn that was played.
        tools: with ``judge_asr``.
    """
    if view.answer is None:
        return skipped("no reply came")
    if view.understood:
        return skipped("an oracle's voice hums")
    if max(view.answer.duration_s, view.clip.duration_s) > LONGEST_S:
        return skipped(f"more than {LONGEST_S:.0f} s are not aligned")
    reply, clip = audible_part(view.answer), audible_part(view.clip)
    if reply is None or clip is None:
        return skipped(f"the {'reply' if reply is None else 'user'} is inaudible")
    words = said(view, tools)
    if not same_words(view.turn.text, words):
        return skipped("the reply has other words than the user")
    return Sounds(clip, reply, words)


def same_words(reference: str, words: str) -> bool:
    """Whether two texts are the same, but for what a judge may mishear."""
    counts = word_errors(reference, words)
    most = SAME_WORDS_WER * counts.reference_words
    return counts.reference_words > 0 and counts.errors <= most


def audible_part(audio: Audio) -> Audio | None:
    """Cut what is quiet before and after, to the sample; ``None`` where nothing is audible.

    What is cut lies more than `EDGE_DB` below the peak, whatever the gain. A grid of frames would
    cut a copy elsewhere than its original, and that alone costs 20 cents.
    """
    if not audible_runs(audio):
        return None
    sizes = np.abs(audio.samples)
    loud = np.flatnonzero(sizes >= sizes.max() * 10.0 ** (-EDGE_DB / 20.0))
    return Audio(audio.samples[loud[0] : loud[-1] + 1], audio.sample_rate)
