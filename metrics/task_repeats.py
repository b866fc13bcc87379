"""Repeats: does a system that can do it do it every time?

A trial is one repeat of a conversation; it succeeds when every judged turn of it does
(`cascadence.metrics.task.task_success`; a turn whose reply the manifest interrupts is not judged).
Of n trials with c successes, k drawn without replacement
all fail with C(n-c, k) / C(n, k), and all succeed with C(c, k) / C(n, k): both estimates are
unbiased for any k up to n, and averaged over conversations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import Final

from cascadence.estimators import Observation
from cascadence.measurement import (
    Case,
    Measurement,
    MetricSpec,
    Ratio,
    Tools,
    failed,
    metric,
    skipped,
    value,
)
from cascadence.metrics.task import task_success
from cascadence.metrics.task_corpus import cluster_of, corpus_value

HEADLINE_K: Final = 2
"""The same for every run, so that runs with more repeats are not compared with another number."""


def any_of(n: int, c: int, k: int) -> float:
    """Return how likely it is that one of k trials succeeds: pass@k.

    Args:
        n: trials.
        c: successes among them.
        k: from 1 to n.
    """
    return 1.0 - comb(n - c, k) / comb(n, k)


def all_of(n: int, c: int, k: int) -> float:
    """Return how likely it is that all of k trials succeed: pass^k; arguments as in `any_of`."""
    return comb(c, k) / comb(n, k)


@dataclass(slots=True)
class Trials:
    """One conversation's trials.

    Attributes:
        cluster: its contrast set, or itself.
        n: trials that could be measured.
        c: those that succeeded.
    """

    cluster: str
    n: int = 0
    c: int = 0


def trials_of(cases: Sequence[Case], tools: Tools) -> tuple[list[Trials], int]:
    """Count trials and successes by conversation.

    Returns:
        The trials of conversations with judged turns, and the number of trials that could not be
        measured: those are no failures of the system.
    """
    found: dict[str, Trials] = {}
    unmeasured = 0
    for case in cases:
        measured = [m for m in task_success.measure(case, tools) if m.status != "skipped"]
        if not measured:
            continue
        name = case.conversation.id
        trials = found.setdefault(name, Trials(cluster_of(case.conversation)))
        if any(each.status != "ok" for each in measured):
            unmeasured += 1
            continue
        trials.n += 1
        trials.c += all(isinstance(q := m.quantity, Ratio) and q.numerator == 1 for m in measured)
    return list(found.values()), unmeasured


def _passed(
    cases: Sequence[Case],
    tools: Tools,
    spec: MetricSpec,
    estimate: Callable[[int, int, int], float],
) -> Measurement:
    trials, unmeasured = trials_of(cases, tools)
    most = max((each.n for each in trials), default=0)
    if not trials:
        return skipped("no turn of this corpus is judged")
    if not most:
        return failed(f"{unmeasured} trials could not be measured")
    if most < HEADLINE_K:
        return skipped("needs repeats: every conversation was played once")
    by_k: dict[str, dict[str, float]] = defaultdict(dict)
    for k in range(1, most + 1):
        shares = [estimate(each.n, each.c, k) for each in trials if each.n >= k]
        by_k[str(k)] = {"value": sum(shares) / len(shares), "conversations": len(shares)}
    headline = [
        Observation(each.cluster, value(estimate(each.n, each.c, HEADLINE_K)))
        for each in trials
        if each.n >= HEADLINE_K
    ]
    details = {"k": HEADLINE_K, "by_k": dict(by_k), "unmeasured": unmeasured}
    return corpus_value(spec, headline, cases[0].recording.cell, **details)


_pass_metric = partial(
    metric,
    family="task",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="corpus",
    needs=("judge_asr",),
    version="2",
)


@_pass_metric(reference="Chen et al. 2021, arXiv 2107.03374")
def pass_at_k(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How likely it is that at least one of k = 2 trials of a conversation succeeds.

    1 - C(n-c, k) / C(n, k), mean over conversations; every k up to the number of repeats is in the
    details under ``by_k``. Conversations with fewer than k trials that could be measured are left
    out of that k. Skipped with one repeat.
    """
    return _passed(cases, tools, pass_at_k.spec, any_of)


@_pass_metric(reference="Yao et al. 2024 (tau-bench), arXiv 2406.12045")
def pass_hat_k(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How likely it is that all of k = 2 trials of a conversation succeed: reliability.

    C(c, k) / C(n, k), mean over conversations; every k up to the number of repeats is in the
    details under ``by_k``. Conversations with fewer than k trials that could be measured are left
    out of that k. Skipped with one repeat.
    """
    return _passed(cases, tools, pass_hat_k.spec, all_of)
