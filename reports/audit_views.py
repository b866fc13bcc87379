"""The audit of the controls in words: as lines for a terminal, and as rows for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cascadence.reports.audit import Audit, AuditRow, Ranking
from cascadence.reports.contents import ShownCell
from cascadence.reports.entries import Entry
from cascadence.reports.wording import (
    ARROWS,
    MISSING,
    decimals,
    fitting,
    interval_text,
    number,
)

ABOVE = (
    "Metrics by which a control comes out above a real system. Some must (a parrot keeps all of "
    "the style, the scripted control is as quick as it was told to be); none may be read alone."
)


@dataclass(frozen=True, slots=True)
class AuditView:
    """A requirement as a row of a table."""

    control: ShownCell
    metric: str
    must: str
    observed: str
    interval: str
    n: str
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class RankingView:
    """A metric that ranks controls above systems, as a row of a table."""

    metric: str
    arrow: str
    above: tuple[tuple[ShownCell, str], ...]
    below: tuple[tuple[ShownCell, str], ...]
    everyone: bool


@dataclass(frozen=True, slots=True)
class SettingView:
    """The audit of one setting; its name is empty where there is no other."""

    setting: str
    rows: tuple[AuditView, ...]
    rankings: tuple[RankingView, ...]
    verdict: str


def audit_views(found: Audit) -> list[SettingView]:
    """Word an audit, setting by setting."""
    settings = list(dict.fromkeys(row.control.setting for row in found.rows))
    settings += [r.setting for r in found.rankings if r.setting not in settings]
    views = []
    for setting in dict.fromkeys(settings):
        rows = [row for row in found.rows if row.control.setting == setting]
        ranked = [ranking for ranking in found.rankings if ranking.setting == setting]
        views.append(
            SettingView(
                setting=setting if len(settings) > 1 else "",
                rows=tuple(map(_view, rows)),
                rankings=tuple(map(_ranking, ranked)),
                verdict=_count(rows),
            )
        )
    return views


def _view(row: AuditRow) -> AuditView:
    seen = row.observed
    known = [x for x in (seen.value, *(seen.interval or ())) if x is not None]
    places = fitting(seen.value, decimals(known))
    return AuditView(
        control=row.control,
        metric=row.metric,
        must=row.must,
        observed=MISSING if seen.value is None else number(seen.value, places),
        interval=interval_text(seen.interval, places),
        n=str(seen.n) if seen.n else MISSING,
        state=seen.state,
        note=seen.note,
    )


def _ranking(ranking: Ranking) -> RankingView:
    return RankingView(
        metric=ranking.spec.name,
        arrow=ARROWS[ranking.spec.direction],
        above=tuple(_valued(ranking.above)),
        below=tuple(_valued(ranking.below)),
        everyone=len(ranking.below) == ranking.systems > 1,
    )


def _valued(entries: Sequence[Entry]) -> Iterator[tuple[ShownCell, str]]:
    places = decimals([entry.value for entry in entries if entry.value is not None])
    for entry in entries:
        fits = fitting(entry.value, places)
        value = MISSING if entry.value is None else number(entry.value, fits)
        yield entry.cell, f"{value} {interval_text(entry.interval, fits)} n {entry.n}"


def _count(rows: Sequence[AuditRow]) -> str:
    states = [row.observed.state for row in rows]
    return (
        f"{states.count('held')} of {len(rows)} requirements are held, {states.count('violated')} "
        f"violated, {states.count('not measured')} not measured"
    )


def audit_csv(found: Audit) -> str:
    """Write the requirements as CSV, one row each; what is missing is empty."""
    import pandas as pd

    rows = [
        {
            "corpus": row.control.corpus,
            "condition": row.control.condition or "clean",
            "control": row.control.system,
            "metric": row.metric,
            "must_be": row.must,
            "value": row.observed.value,
            "low": row.observed.interval[0] if row.observed.interval else None,
            "high": row.observed.interval[1] if row.observed.interval else None,
            "n": row.observed.n,
            "verdict": row.observed.state,
            "note": row.observed.note,
        }
        for row in found.rows
    ]
    return str(pd.DataFrame(rows).to_csv(index=False))


def audit_grid(view: SettingView) -> list[list[str]]:
    """Lay a setting's requirements out as a table; what is alike and has no value takes one row."""
    rows = [["control", "metric", "must be", "observed", "n", "verdict"]]
    groups: dict[tuple[str, ...], list[AuditView]] = {}
    for row in view.rows:
        groups.setdefault(_likeness(row), []).append(row)
    for first, *more in groups.values():
        metric = first.metric + (f" +{len(more)}" if more else "")
        seen = f"{first.observed} {first.interval}".strip()
        if first.observed == MISSING or first.state == "not measured":
            seen = MISSING if more else first.note or MISSING
        rows.append([first.control.system, metric, first.must, seen, first.n, first.state])
    return rows


def _likeness(row: AuditView) -> tuple[str, ...]:
    """What rows without a value have in common; others stand alone."""
    alone = row.metric if row.observed != MISSING or row.state == "violated" else ""
    return row.control.name, row.must, row.state, alone


def violations(view: SettingView) -> list[str]:
    """Say what is violated, a line each."""
    return [
        f"violated by {row.control.system}: {row.metric} must be {row.must}, and is "
        + " ".join(part for part in (row.observed, row.interval, row.note) if part)
        for row in view.rows
        if row.state == "violated"
    ]


def ranking_grid(view: SettingView) -> list[list[str]]:
    """Lay a setting's rankings out as a table of names; the values are in the tables above."""
    rows = [["metric", "controls", "above"]]
    for ranking in view.rankings:
        sides = (ranking.above, ranking.below)
        above, below = (", ".join(cell.system for cell, _ in side) for side in sides)
        below = "every system" if ranking.everyone else below
        rows.append([f"{ranking.metric} {ranking.arrow}".strip(), above, below])
    return rows
