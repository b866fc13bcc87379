"""Intelligibility: what the cascade hears of the user, and what a listener hears of the reply.

A system that tells no text has no `reply_wer`; `reference_wer` compares what is heard with the
manifest's reply instead. That is another number: it counts a free choice of words as an error, so
the two never stand in for each other.

Word error rates are corpus-level ratios, (substitutions + deletions + insertions) / words of the
reference, counted by `jiwer` on the reading `cascadence.metrics.text.NORMALISER`; the counts are
kept. The choice of normaliser changes ranks, so it is in every measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cascadence.comparison import compare
from cascadence.conversation import Aside, UserTurn
from cascadence.estimators import Observation
from cascadence.measurement import (
    Case,
    Measurement,
    Ratio,
    Tools,
    Value,
    metric,
    ratio,
    skipped,
)
from cascadence.metrics.task import heard_reply
from cascadence.metrics.task_corpus import observed
from cascadence.metrics.text import NORMALISER, words
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn, expects_reply


@dataclass(frozen=True, slots=True)
class WordErrors:
    """A word alignment, counted."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_words(self) -> int:
        """Number of words in the reference."""
        return self.hits + self.substitutions + self.deletions


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Align two texts, word by word, after normalising both.

    Args:
        reference: what was said.
        hypothesis: what was understood.

    Returns:
        The counts; a reference without words makes every word of the hypothesis an insertion.
    """
    import jiwer

    expected, found = words(reference), words(hypothesis)
    if not expected:
        return WordErrors(0, 0, 0, len(found))
    counts = jiwer.process_words(" ".join(expected), " ".join(found))
    return WordErrors(counts.hits, counts.substitutions, counts.deletions, counts.insertions)


def _measured(reference: str, hypothesis: str) -> Measurement:
    counts = word_errors(reference, hypothesis)
    if not counts.reference_words:
        return skipped("the reference has no words")
    return ratio(
        counts.errors,
        counts.reference_words,
        **asdict(counts),
        reference=reference,
        hypothesis=hypothesis,
        normaliser=NORMALISER,
    )


@metric(
    family="intelligibility",
    unit="ratio",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference="word error rate, by jiwer",
)
def reply_wer(case: Case, tools: Tools) -> list[Measurement]:
    """Word error rate of the judge ASR on the reply, against what the system meant to say.

    A text that was told and never became audible is all deletions. Skipped for replies that the
    user or the system cut short (the text says more than was played), and where the system does
    not tell its text. The judge's own errors are in it: compare with its rate on clean speech.
    """

    def wer(view: PlayedView) -> Measurement:
        meant = view.meant
        if meant is None:
            return skipped("the system does not say what it means; see reference_wer")
        if view.interrupted:
            return skipped("the reply was cut short")
        return _measured(meant, heard_reply(view, tools))

    return each_turn(case, wer, claims_floor)


@metric(
    family="intelligibility",
    unit="ratio",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference="word error rate, by jiwer",
)
def reference_wer(case: Case, tools: Tools) -> list[Measurement]:
    """Word error rate of the judge ASR on the reply, against the manifest's reference reply.

    For all systems, those without text included: how far what is heard is from ``reply_text``. Only
    where a system is meant to say those very words (a closed domain, an echo) is it a matter of
    intelligibility. A reply that never came is all deletions; one that was cut short is skipped.
    """

    def wer(view: PlayedView) -> Measurement:
        if view.interrupted:
            return skipped("the reply was cut short")
        return _measured(view.turn.expect.reply_text or "", heard_reply(view, tools))

    return each_turn(case, wer, lambda turn: expects_reply(turn) and bool(turn.expect.reply_text))


@metric(
    family="intelligibility",
    unit="ratio",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    summary="ratio",
    reference="word error rate, by jiwer",
)
def heard_wer(case: Case, tools: Tools) -> list[Measurement]:
    """Word error rate of what a cascade heard (`Heard`), against the manifest's text.

    In a conversation in which the system tells what it hears, a turn without `Heard` is all
    deletions. Asides and backchannels, which it need not transcribe, are left out.
    """
    tells = any(event.kind == "heard" for event in case.recording.events)

    def wer(view: PlayedView) -> Measurement:
        if not tells:
            return skipped("the system does not say what it hears")
        return _measured(view.turn.text, view.heard or "")

    return each_turn(case, wer, _meant_for_system)


@metric(
    family="intelligibility",
    unit="ratio",
    direction="neither",
    range=(0.0, float("inf")),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference="word error rate, by jiwer",
)
def judge_wer(case: Case, tools: Tools) -> list[Measurement]:
    """Word error rate of the judge ASR on the user's own clips, against the manifest's text.

    It measures the judge, not the system: what it mishears of clean speech, it mishears of replies.
    """

    def wer(view: PlayedView) -> Measurement:
        clip = case.clips[view.played.index]
        return _measured(view.turn.text, str(tools.use("judge_asr", clip)["text"]))

    return each_turn(case, wer, lambda turn: bool(turn.text.strip()))


@metric(
    family="intelligibility",
    unit="ratio",
    direction="neither",
    range=(float("-inf"), float("inf")),
    level="corpus",
    needs=("judge_asr",),
    reference="word error rate, by jiwer",
)
def judge_margin(cases: Sequence[Case], tools: Tools) -> Measurement:
    """By how much the judge ASR hears the user better than the system: the judge must be stronger.

    `heard_wer` minus `judge_wer` on the same turns, paired by conversation. ``judge_is_stronger``
    in the details is ``None`` where the interval does not exclude 0: then what the judge says of
    this system's replies may be the judge's own mistake. The judge hears the clean clip, so under a
    noisy condition the margin is flattering. Skipped where no system tells what it hears.
    """
    told: list[Observation] = []
    judged: list[Observation] = []
    for case in cases:
        mine = [o for o in observed(heard_wer, case, tools) if o.measurement.status == "ok"]
        turns = {o.measurement.turn for o in mine}
        told += mine
        if mine:
            judged += [o for o in observed(judge_wer, case, tools) if o.measurement.turn in turns]
    label = cases[0].recording.cell if cases else ""
    found = compare(heard_wer.spec, told, judged, label)
    if found.difference is None:
        return skipped("the system does not say what it hears")
    stronger = None
    if found.low is not None and found.high is not None and not found.low <= 0.0 <= found.high:
        stronger = found.low > 0.0
    return Measurement(
        "ok",
        Value(found.difference),
        details={
            "heard_wer": _rate(told),
            "judge_wer": _rate(judged),
            "judge_is_stronger": stronger,
            "turns": found.n,
            "p": found.p,
        },
        interval=None if found.low is None or found.high is None else (found.low, found.high),
        n=found.clusters,
    )


def _rate(found: Sequence[Observation]) -> float | None:
    """Errors over words, of all turns together."""
    quantities = [o.measurement.quantity for o in found]
    ratios = [q for q in quantities if isinstance(q, Ratio)]
    words_in_all = sum(q.denominator for q in ratios)
    return sum(q.numerator for q in ratios) / words_in_all if words_in_all else None


def _meant_for_system(turn: UserTurn) -> bool:
    return claims_floor(turn) and not isinstance(turn.when, Aside) and bool(turn.text.strip())
