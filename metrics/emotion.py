"""Metrics by models that the user brings: does the reply sound natural, and of the right emotion?

Both need a file that an environment variable names (``docs/backends.md``), and are skipped without.
The tools are in `cascadence.metrics.backends`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.conversation import UserTurn
from cascadence.measurement import (
    Case,
    Measurement,
    Tools,
    Value,
    failed,
    metric,
    skipped,
    value,
)
from cascadence.metrics.backends import MOS_BOUNDS, BackendFailed, plain_label
from cascadence.metrics.quality import SHORTEST_S
from cascadence.metrics.task_corpus import cluster_of
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn, expects_reply, view
from cascadence.resampling import bootstrap, bootstrap_interval, stable_seed

Floats = npt.NDArray[np.float64]


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=MOS_BOUNDS,
    level="turn",
    needs=("utmos",),
    reference="arXiv 2204.02152",
)
def utmos(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted naturalness of the reply, by the UTMOS model that is configured; not clipped.

    Whether the file holds UTMOS is the user's word: the tool's version names its hash, and values
    of two files do not compare. The model learnt from read and synthesised sentences: compare
    systems by it, do not quote it as an opinion.
    """

    def rating(seen: PlayedView) -> Measurement:
        reply = seen.reply
        if reply is None:
            return skipped("no reply came")
        if seen.understood:
            return skipped("an oracle's voice hums")
        if reply.duration_s < SHORTEST_S:
            return skipped(f"the reply is shorter than {SHORTEST_S} s")
        try:
            mos = tools.use("utmos", reply)["mos"]
        except BackendFailed as error:
            return failed(str(error))
        return skipped("the reply is inaudible") if mos is None else value(float(mos))

    return each_turn(case, rating, claims_floor)


def target_emotion(turn: UserTurn) -> str | None:
    """Name the emotion that the reply should have.

    The declared one (``expect.reply_style``), else the user's own (``style``); ``None`` where the
    manifest tells neither.
    """
    declared = turn.expect.reply_style
    told = (declared.emotion if declared else None) or turn.style.emotion
    return plain_label(told) if told and told.strip() else None


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of each label were found, by independent cluster.

    Attributes:
        labels: in order.
        found: shape ``(clusters, labels)``.
        total: the same shape.
    """

    labels: tuple[str, ...]
    found: Floats
    total: Floats

    @property
    def by_label(self) -> dict[str, float]:
        """Recall of each label."""
        shares = self.found.sum(axis=0) / self.total.sum(axis=0)
        return {label: round(float(x), 4) for label, x in zip(self.labels, shares, strict=True)}

    @property
    def average(self) -> float:
        """Unweighted average recall: each label counts the same, however often it occurs."""
        return float((self.found.sum(axis=0) / self.total.sum(axis=0)).mean())

    def interval(self, seed_name: str) -> tuple[float, float] | None:
        """95 % cluster bootstrap; a label that a resample lacks is left out of its mean."""
        clusters, width = len(self.found), len(self.labels)

        def averages(weights: Floats) -> Floats:
            found, total = weights @ self.found, weights @ self.total
            present = total > 0
            shares = np.divide(found, total, out=np.zeros_like(found), where=present)
            mean: Floats = shares.sum(axis=1) / present.sum(axis=1)
            return mean

        drawn = bootstrap(averages, clusters, stable_seed(seed_name), width=width)
        return bootstrap_interval(drawn, clusters)


@dataclass(slots=True)
class _Heard:
    """What the classifier said of a cell's turns.

    Attributes:
        replies: ``(cluster, target, label or None)`` of every turn that counts.
        users: the same of the users' clips against their own label.
        missing: turns without a reply that bears an emotion; none is the target's.
        oracles: turns that an oracle's voice answered; they do not count.
        unknown: targets that the model has no name for; those turns do not count.
        failed: why turns were not heard: the model broke, or they were never played; they do not
            count.
    """

    replies: list[tuple[str, str, str | None]] = field(default_factory=list)
    users: list[tuple[str, str, str | None]] = field(default_factory=list)
    missing: int = 0
    oracles: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, seen: PlayedView, target: str, tools: Tools) -> None:
        """Hear a turn and its reply."""
        if seen.understood:
            self.oracles += 1
            return
        cluster = cluster_of(seen.case.conversation)
        own = plain_label(seen.turn.style.emotion or "")
        try:
            of_user = tools.use("emotion", seen.clip)
            if target not in of_user["labels"]:
                self.unknown[target] += 1
                return
            label = _label(seen.answer, tools)
        except BackendFailed as error:
            self.failed.append(str(error))
            return
        if own in of_user["labels"]:
            self.users.append((cluster, own, of_user["label"]))
        self.missing += label is None
        self.replies.append((cluster, target, label))


def _label(reply: Audio | None, tools: Tools) -> str | None:
    if reply is None or reply.duration_s < SHORTEST_S:
        return None
    label: str | None = tools.use("emotion", reply)["label"]
    return label


def recall_of(heard: Sequence[tuple[str, str, str | None]]) -> Recall:
    """Count, by cluster and target.

    Args:
        heard: ``(cluster, target, label or None)``, at least one.
    """
    clusters = {one: i for i, one in enumerate(sorted({cluster for cluster, _, _ in heard}))}
    labels = {one: i for i, one in enumerate(sorted({target for _, target, _ in heard}))}
    found, total = (np.zeros((len(clusters), len(labels))) for _ in range(2))
    for cluster, target, label in heard:
        place = clusters[cluster], labels[target]
        total[place] += 1
        found[place] += label == target
    return Recall(tuple(labels), found, total)


@metric(
    family="paralinguistics",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="corpus",
    needs=("emotion",),
    reference="unweighted average recall: Interspeech 2009 Emotion Challenge",
    version="2",
)
def emotion_agreement(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How often a speech-emotion model hears the wanted emotion in the reply, each one alike.

    Unweighted average recall over the K emotions that the corpus wants: the declared one of the
    reply's style, else the user's own. Who always sounds the same has 1/K, given as ``chance``. A
    turn without a reply that bears an emotion is not agreed with. Skipped where fewer than two
    wanted emotions have a name in the model, and where no reply came at all.

    ``user_agreement`` is the same of the users' clips against their own emotion: what the model
    hears on this corpus at all. The classifier is the user's: compare under one file only.
    """
    heard = _Heard()
    for case in cases:
        played = {turn.index: turn for turn in case.recording.turns}
        for index, turn in enumerate(case.conversation.turns):
            target = target_emotion(turn)
            if target is None or not expects_reply(turn):
                continue
            if index in played:
                heard.add(view(case, played[index]), target, tools)
            else:
                heard.failed.append("the turn was never played")
    return _agreement(heard, cases[0].recording.cell if cases else "")


def _agreement(heard: _Heard, cell: str) -> Measurement:
    if not heard.replies:
        if heard.failed:
            return failed(heard.failed[0])
        if heard.oracles:
            return skipped("an oracle's voice hums")
        unknown = ", ".join(sorted(heard.unknown))
        told = f"the model has no name for: {unknown}" if unknown else "no turn wants an emotion"
        return skipped(told)
    if heard.missing == len(heard.replies):
        return skipped("no reply came")
    recall = recall_of(heard.replies)
    if len(recall.labels) < 2:
        return skipped("fewer than two emotions are wanted")
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for _, target, label in heard.replies:
        said[target][label or "none"] += 1
    users = recall_of(heard.users) if heard.users else None
    details: dict[str, Any] = {
        "chance": round(1 / len(recall.labels), 4),
        "recall": recall.by_label,
        "heard": {target: dict(sorted(counts.items())) for target, counts in said.items()},
        "user_agreement": round(users.average, 4) if users else None,
        "turns": len(heard.replies),
        "missing": heard.missing,
        "unknown": dict(heard.unknown),
        "failed": len(heard.failed),
        "oracles": heard.oracles,
    }
    return Measurement(
        "ok",
        Value(recall.average),
        details=details,
        interval=recall.interval(f"emotion_agreement {cell}"),
        n=len(recall.found),
    )
