"""Compared runs as a table for a terminal."""

from __future__ import annotations

import string
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from cascadence.comparing import Compared, Runs, Side
from cascadence.estimators import HORIZON_S
from cascadence.reports.tables import TEXT_WIDTH, printable, text_table
from cascadence.reports.wording import (
    ARROWS,
    MISSING,
    decimals,
    fitting,
    interval_text,
    number,
    p_text,
    signed,
)

OTHER_VERSION = "!"
"""Marks what was measured with different versions."""
MEAN = "*"
"""Marks a difference of restricted means beside medians."""


def to_text(runs: Runs, width: int = TEXT_WIDTH) -> str:
    """Write what was compared: a block for each pair of cells, a row a metric.

    Args:
        runs: from `cascadence.comparing.compare_runs`.
        width: of the terminal, in characters.
    """
    letters = _letters(len(runs.paths))
    named = [
        printable(f"{letter}: {path} ({name})" if name else f"{letter}: {path}")
        for letter, path, name in zip(letters, runs.paths, runs.names, strict=True)
    ]
    blocks = ["\n".join(named)]
    if not runs.rows:
        blocks.append("The runs have no values of one metric in common.")
    for _, block in groupby(runs.rows, key=_pair):
        blocks.append(_block(list(block), letters, width))
    notes = [printable(f"note: {note}") for note in runs.notes]
    for lines in filter(None, (list(_legend(runs)), notes)):
        blocks.append("\n".join(textwrap.fill(line, width) for line in lines))
    return "\n\n".join(blocks)


def _letters(count: int) -> list[str]:
    """Name runs A, B, C ...; beyond the alphabet by number."""
    return [
        string.ascii_uppercase[place] if place < 26 else f"R{place + 1}" for place in range(count)
    ]


def _pair(row: Compared) -> tuple[int, str, str, str]:
    return row.second.run, row.setting, row.first.cell, row.second.cell


def _block(rows: Sequence[Compared], letters: Sequence[str], width: int) -> str:
    first, second = rows[0].first, rows[0].second
    one, other = letters[first.run], letters[second.run]
    systems = first.system if first.system == second.system else f"{first.system} ({one})"
    systems += "" if first.system == second.system else f" and {second.system} ({other})"
    lost = [
        f"{side.without_result} conversations without result in {letter}"
        for side, letter in ((first, one), (second, other))
        if side.without_result
    ]
    title = printable("; ".join([f"{systems} on {rows[0].setting}", *lost]))
    heads = ["metric", one, other, f"{other} - {one}", "p (Holm)", f"{other} is", "n", "failed"]
    table = text_table([heads, *(_row(row) for row in rows)], width)
    return "\n".join([title, *table])


def _row(row: Compared) -> list[str]:
    found = row.comparison
    known = [side.summary.value for side in (row.first, row.second)]
    places = decimals([value for value in known if value is not None])
    mark = "" if row.same_versions else f" {OTHER_VERSION}"
    return [
        f"{row.spec.name} {ARROWS[row.spec.direction]}".strip() + mark,
        *(_value(side, places) for side in (row.first, row.second)),
        _difference(row),
        p_text(row.p),
        row.untested or row.verdict,
        f"{found.n} in {found.clusters}" if found.n else MISSING,
        f"{row.first.summary.failed} / {row.second.summary.failed}",
    ]


def _value(side: Side, places: int) -> str:
    value = side.summary.value
    return MISSING if value is None else number(value, fitting(value, places))


def _difference(row: Compared) -> str:
    found = row.comparison
    if found.difference is None:
        return MISSING
    bounds = (found.low, found.high)
    places = decimals([x for x in (found.difference, *bounds) if x is not None])
    mark = MEAN if found.statistic == "restricted_mean" else ""
    return f"{signed(found.difference, places)} {interval_text(bounds, places)}".strip() + mark


def _legend(runs: Runs) -> Iterator[str]:
    tests = sum(row.p is not None for row in runs.rows)
    yield (
        "[95 % interval]; differences within the same conversations; n: pairs in independent "
        f"conversations or contrast sets; {MISSING}: no value"
    )
    yield (
        f"p: sign flips, {tests} in all, adjusted (Holm) for what is compared between two runs in "
        "one setting; undecided does not mean equal"
    )
    if any(row.comparison.statistic == "restricted_mean" for row in runs.rows):
        yield f"{MEAN} of means with unanswered turns counted as {HORIZON_S:g} s; A, B: medians"
    for row in runs.rows:
        if not row.same_versions:
            both = (row.first.signatures, row.second.signatures)
            told = " and ".join(", ".join(signatures) for signatures in both)
            yield printable(f"{OTHER_VERSION} different versions: {told}")
