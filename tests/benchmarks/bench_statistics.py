"""How long the statistics of a large run take, on one core.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_statistics.py

Three systems, twelve metrics (four means, four ratios, two medians, two waiting times of which some
never end), 2,000 conversations of one turn, 10,000 resamples: the corpus value of each system, and
each pair of systems compared. Prints seconds of processor time; the bar is `MOST_S`, above it the
exit status is 1.
"""

from __future__ import annotations

import itertools
import sys
import time
from typing import Any

import numpy as np

from cascadence.comparison import compare
from cascadence.estimators import Observation
from cascadence.measurement import Measurement, MetricSpec, censored, ratio, value
from cascadence.statistics import summarise

MOST_S = 60.0
CONVERSATIONS = 2000
RESAMPLES = 10_000
SYSTEMS = 3
SUMMARIES = ("mean",) * 4 + ("ratio",) * 4 + ("median",) * 2 + ("survival",) * 2


def specs() -> list[MetricSpec]:
    """Twelve planted metrics."""
    anything = (float("-inf"), float("inf"))
    return [
        MetricSpec(f"{how}_{place}", "planted", "s", "lower", anything, "turn", summary=how)
        for place, how in enumerate(SUMMARIES)
    ]


def observations(spec: MetricSpec, system: int) -> list[Observation]:
    """One measurement a conversation."""
    random = np.random.default_rng([system, len(spec.name), ord(spec.name[-1])])
    shared = np.random.default_rng(0).gamma(4.0, 0.2, CONVERSATIONS)
    values = shared + 0.05 * system + random.normal(0.0, 0.1, CONVERSATIONS)
    return [
        Observation(f"c{place:04d}", _measured(spec, float(x), place), f"c{place:04d}/0")
        for place, x in enumerate(values)
    ]


def _measured(spec: MetricSpec, x: float, place: int) -> Measurement:
    if spec.summary == "ratio":
        return ratio(float(x > 1.0), 1)
    return censored(10.0) if spec.summary == "survival" and place % 20 == 0 else value(x)


def timed(work: Any) -> float:
    """Seconds of processor time."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def main() -> int:
    """Print the times; return the exit status."""
    total_s = 0.0
    for how in dict.fromkeys(SUMMARIES):
        took_s = [0.0, 0.0]
        for spec in (spec for spec in specs() if spec.summary == how):
            sides = [observations(spec, system) for system in range(SYSTEMS)]
            for side in sides:
                took_s[0] += timed(lambda s=spec, o=side: summarise(s, o, "b", RESAMPLES))
            for one, two in itertools.combinations(sides, 2):
                pair = (one, two)
                took_s[1] += timed(lambda s=spec, p=pair: compare(s, *p, "b", RESAMPLES))
        metrics = SUMMARIES.count(how)
        sys.stdout.write(
            f"{metrics} x {how:8s} values {took_s[0]:6.1f} s, pairs {took_s[1]:6.1f} s\n"
        )
        sys.stdout.flush()
        total_s += sum(took_s)
    held = total_s <= MOST_S
    sys.stdout.write(f"in all {total_s:.1f} s; bar: at most {MOST_S:.0f} s: ")
    sys.stdout.write("reached\n" if held else "missed\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
