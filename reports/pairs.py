"""Compares systems in pairs, on the same conversations: what the run can and cannot tell apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cascadence.measurement import MetricSpec
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import Numbers, observations
from cascadence.reports.wording import MISSING, decimals, interval_text, number, p_text, signed

if TYPE_CHECKING:
    from cascadence.comparison import Comparison, Verdict

COMPARED = ("task_success", "response_gap_s", "reply_wer")
"""Metrics that pairs are compared by; each costs a bootstrap and a permutation test a pair."""
MOST_PAIRS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems compared by one metric.

    Attributes:
        first: the end-to-end system, where there is one.
        second: what it is compared with.
        spec: of the metric.
        comparison: first minus second.
        p: adjusted (Holm) for everything compared in this setting.
        verdict: about the first.
    """

    first: ShownCell
    second: ShownCell
    spec: MetricSpec
    comparison: Comparison
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PairView:
    """A comparison as a row of the page's table."""

    first: ShownCell
    second: ShownCell
    metric: str
    statistic: str
    difference: str
    interval: str
    p: str
    verdict: str
    state: str
    detectable: str
    counts: str


def compared(numbers: Numbers) -> list[Pair]:
    """Compare every end-to-end system with every cascade, within each corpus and condition.

    Where a run has only one kind, its systems are compared with each other. Latencies of cells that
    ran beside others are left out.
    """
    contents = numbers.contents
    found = []
    for setting in contents.settings:
        cells = [c for c in contents.cells if c.setting == setting and c.role == "system"]
        found += _compared(contents, _pairs(cells), numbers.headline())
    return found


def _pairs(cells: Sequence[ShownCell]) -> list[tuple[ShownCell, ShownCell]]:
    ends = [cell for cell in cells if cell.info.get("kind") == "end_to_end"]
    cascades = [cell for cell in cells if cell.info.get("kind") == "cascade"]
    if ends and cascades:
        return list(itertools.product(ends, cascades))[:MOST_PAIRS]
    return list(itertools.combinations(cells, 2))[:MOST_PAIRS]


def _compared(
    contents: Contents, pairs: Sequence[tuple[ShownCell, ShownCell]], names: Sequence[str]
) -> list[Pair]:
    from cascadence.comparison import compare, holm, verdict

    made = []
    for (first, second), name in itertools.product(pairs, COMPARED):
        spec = contents.specs.get(name)
        if spec is None or name not in names or _not_comparable(contents, spec, (first, second)):
            continue
        one, other = observations(contents, first, name), observations(contents, second, name)
        comparison = compare(spec, one, other, label=f"{first.name} {second.name}")
        if comparison.difference is not None:
            made.append((first, second, spec, comparison))
    with_p = [place for place, (*_, comparison) in enumerate(made) if comparison.p is not None]
    adjusted = dict(zip(with_p, holm([made[place][3].p or 0.0 for place in with_p]), strict=True))
    found = []
    for place, (first, second, spec, comparison) in enumerate(made):
        p = adjusted.get(place)
        judged = verdict(comparison, spec.direction, p=p)
        found.append(Pair(first, second, spec, comparison, p, judged))
    return found


def _not_comparable(contents: Contents, spec: MetricSpec, cells: Sequence[ShownCell]) -> bool:
    return spec.family == "latency" and any(contents.contended(cell) for cell in cells)


def pair_views(pairs: Sequence[Pair]) -> list[PairView]:
    """Word the comparisons."""
    return [_view(pair) for pair in pairs]


def pairs_csv(pairs: Sequence[Pair]) -> str:
    """Write the comparisons as CSV, one row each; what is missing is empty."""
    import pandas as pd

    rows = [
        {
            "corpus": pair.first.corpus,
            "condition": pair.first.condition or "clean",
            "first": pair.first.system,
            "second": pair.second.system,
            "verdict": pair.verdict,
            "p_holm": pair.p,
            **asdict(pair.comparison),
        }
        for pair in pairs
    ]
    return str(pd.DataFrame(rows).to_csv(index=False))


def _view(pair: Pair) -> PairView:
    found = pair.comparison
    bounds = (found.low, found.high)
    places = decimals([x for x in (found.difference, *bounds) if x is not None])
    unit = " s" if pair.spec.unit == "s" else ""
    smallest = found.smallest_detectable
    words = {
        "better": f"{pair.first.system} is better",
        "worse": f"{pair.second.system} is better",
        "equivalent": "equivalent",
        "undecided": "undecided",
    }
    return PairView(
        first=pair.first,
        second=pair.second,
        metric=pair.spec.name,
        statistic=found.statistic.replace("_", " ").replace("value", pair.spec.summary),
        difference=signed(found.difference or 0.0, places) + unit,
        interval=interval_text(bounds, places),
        p=p_text(pair.p),
        verdict=words[pair.verdict],
        state=pair.verdict,
        detectable=MISSING if smallest is None else number(smallest, places) + unit,
        counts=f"{found.n} in {found.clusters}",
    )
