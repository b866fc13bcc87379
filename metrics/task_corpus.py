"""Corpus values of what is measured turn by turn, for metrics that need a whole cell.

What is independent is the contrast set, where there is one, else the conversation; repeats of a
conversation are not. Values and intervals are those of `cascadence.statistics`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cascadence.comparison import Comparison
from cascadence.conversation import Conversation
from cascadence.estimators import Observation
from cascadence.measurement import Case, Measurement, Metric, MetricSpec, Tools, Value, skipped
from cascadence.statistics import summarise


def cluster_of(conversation: Conversation) -> str:
    """Name what a conversation is not independent of."""
    return conversation.group or conversation.id


def item_of(case: Case) -> str:
    """Name a recording inside its cluster."""
    return f"{case.conversation.id} {case.recording.repeat}"


def observed(metric: Metric, case: Case, tools: Tools) -> list[Observation]:
    """Measure one conversation, and say of each measurement where it belongs."""
    cluster, item = cluster_of(case.conversation), item_of(case)
    return [Observation(cluster, found, item) for found in metric.measure(case, tools)]


def corpus_value(
    spec: MetricSpec, found: list[Observation], label: str, **details: Any
) -> Measurement:
    """Make a corpus-level measurement of turn-level ones.

    Args:
        spec: says how they are put together.
        found: the measurements.
        label: the cell; part of the bootstrap's seed.
        **details: further parts.

    Returns:
        With an interval where there are two clusters; ``n`` counts clusters. Skipped where no
        measurement has a value, or (survival) where it happened to less than half.
    """
    made = summarise(replace(spec, level="turn"), found, label)
    if made.value is None:
        reason = next(iter(made.reasons), "nothing to measure")
        return skipped(reason if not made.n else "it happened in less than half of the cases")
    bounded = None if made.low is None or made.high is None else (made.low, made.high)
    return Measurement(
        "ok",
        Value(made.value),
        details={**details, "measurements": made.n, "failed": made.failed},
        interval=bounded,
        n=made.clusters,
    )


def difference_of(compared: Comparison) -> dict[str, float | None]:
    """Write a paired difference as JSON values."""
    return {
        "difference": compared.difference,
        "low": _finite(compared.low),
        "high": _finite(compared.high),
        "p": compared.p,
    }


def _finite(x: float | None) -> float | None:
    return x if x is not None and abs(x) != float("inf") else None
