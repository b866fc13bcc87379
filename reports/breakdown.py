"""One metric, part by part: by the conversations' tags, the turn, the speaker, the style's label.

``cascadence breakdown RUN task_success --by tag`` prints it. Parts overlap where a conversation has
several tags; every value has its own interval, and no two parts are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pandas as pd

from cascadence.conversation import Conversation, UserTurn
from cascadence.errors import CascadenceError
from cascadence.measurement import MetricSpec
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import observations_of
from cascadence.reports.tables import text_table
from cascadence.results import Row, Run

COLUMNS: Final = ("cell", "part", "value", "low", "high", "n", "clusters", "skipped", "failed")
ALL: Final = "all"
_MISSING: Final = "–"

Parts = Callable[[Conversation, int], Iterable[str]]


def _of_turn(conversation: Conversation, index: int) -> Iterable[str]:
    return (["first turn"] if index == 0 else ["later turns"]) + [f"turn {index + 1}"]


def _of_speaker(conversation: Conversation, index: int) -> Iterable[str]:
    return [_turn(conversation, index).speaker or "unknown"]


def _of_style(conversation: Conversation, index: int) -> Iterable[str]:
    style = _turn(conversation, index).style
    return [style.label or style.emotion or "unlabelled"]


def _of_reply(conversation: Conversation, index: int) -> Iterable[str]:
    """What the turn expects: the names of its slots, or silence."""
    expect = _turn(conversation, index).expect
    return ["stay_silent"] if expect.stay_silent else sorted(expect.slots) or ["no slots"]


BY: Final[Mapping[str, Parts]] = {
    "tag": lambda conversation, index: conversation.tags,
    "turn": _of_turn,
    "speaker": _of_speaker,
    "style": _of_style,
    "slot": _of_reply,
    "split": lambda conversation, index: [conversation.split],
}
"""Ways to divide a corpus; each names the parts that a turn belongs to."""


def breakdown(run: Run, metric: str, by: str) -> pd.DataFrame:
    """Summarise a metric in each part of the corpus.

    Args:
        run: measured.
        metric: its name; of turns or conversations.
        by: a key of `BY`.

    Returns:
        `COLUMNS`, a row a cell and part, ``all`` first, then the parts by name; values are ``NA``
        where there is none.

    Raises:
        CascadenceError: the run does not have the metric, it has one value a corpus, or `by` is
            unknown.
    """
    contents = Contents(run)
    if by not in BY:
        raise CascadenceError(f"cannot divide by {by!r}", mend=f"one of {', '.join(BY)}")
    spec = contents.specs.get(metric)
    if spec is None or not any(row.metric == metric for row in run.rows):
        known = ", ".join(sorted({row.metric for row in run.rows})) or "nothing"
        raise CascadenceError(f"{metric!r} was not measured in this run", mend=f"there is {known}")
    if spec.level == "corpus":
        raise CascadenceError(f"{metric!r} has one value a corpus: it has no parts")
    records = []
    for cell in contents.cells:
        rows = contents.rows.get((cell.name, metric), [])
        records.append(_record(contents, cell, spec, ALL, rows))
        for part, mine in sorted(_parts(contents, cell, rows, BY[by]).items()):
            records.append(_record(contents, cell, spec, part, mine))
    kinds = dict.fromkeys(("value", "low", "high"), "Float64")
    kinds |= dict.fromkeys(("n", "clusters", "skipped", "failed"), "Int64")
    return pd.DataFrame(records, columns=list(COLUMNS)).astype(kinds)


def to_text(table: pd.DataFrame, title: str, width: int = 100) -> str:
    """Lay a breakdown out for a terminal.

    Args:
        table: of `breakdown`.
        title: its first line.
        width: of a line, at most.
    """
    rows = [["system and corpus", "part", "value", "95 % interval", "n", "skipped", "failed"]]
    for row in table.itertuples(index=False):
        bounded = f"[{_number(row.low)}, {_number(row.high)}]" if _known(row.low) else _MISSING
        counts = [str(row.n), str(row.skipped), str(row.failed)]
        rows.append([str(row.cell), str(row.part), _number(row.value), bounded, *counts])
    return "\n".join([title, *text_table(rows, width)])


def _parts(
    contents: Contents, cell: ShownCell, rows: Iterable[Row], parts: Parts
) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        conversation = contents.conversation(cell, row.conversation_id)
        if conversation is None:
            what = "the corpus is not where it was: nobody can tell a conversation's parts"
            raise CascadenceError(what, where=cell.corpus)
        for part in parts(conversation, row.measurement.turn or 0):
            found.setdefault(part, []).append(row)
    return found


def _record(
    contents: Contents, cell: ShownCell, spec: MetricSpec, part: str, rows: Iterable[Row]
) -> dict[str, object]:
    from cascadence.statistics import summarise

    observed = observations_of(contents, cell, rows)
    found = summarise(spec, observed, label=f"{cell.name}/{part}")
    return {
        "cell": cell.name,
        "part": part,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "clusters": found.clusters,
        "skipped": found.skipped,
        "failed": found.failed,
    }


def _turn(conversation: Conversation, index: int) -> UserTurn:
    return conversation.turns[index]


def _known(value: object) -> bool:
    return not pd.isna(value)  # type: ignore[call-overload]


def _number(value: object) -> str:
    return f"{value:.3f}" if _known(value) else _MISSING
