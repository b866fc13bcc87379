"""What speaks against a run's numbers, in the order in which a reader should worry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cascadence.reports.audit import audit, rankings
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import Entry, Numbers
from cascadence.reports.wording import MISSING, decimals, number

FEW_CONVERSATIONS = 30
"""Below this many independent conversations, intervals are wide and their coverage is rough."""


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to know before relying on the numbers."""

    level: Literal["failure", "caution", "note"]
    text: str
    details: tuple[str, ...] = ()


def cautions(numbers: Numbers) -> list[Caution]:
    """Collect everything that a reader should know; failures first."""
    contents = numbers.contents
    found = [
        *_status(contents),
        *_conversations_failed(contents),
        *_measurements_failed(contents),
        *_contended(contents),
        *_few(numbers),
        *_controls_violated(numbers),
        *_beaten_by_controls(numbers),
        *_judge(numbers),
        *_sees_answers(contents),
        *_remarks(contents),
        *_source(contents),
    ]
    order = ("failure", "caution", "note")
    return sorted(found, key=lambda caution: order.index(caution.level))


def _status(contents: Contents) -> Iterator[Caution]:
    about = contents.run.about
    status = str(about.get("status", "finished"))
    if status != "finished":
        yield Caution(
            "failure", f"The run is {status}: what follows covers what had been played by then."
        )
    problems = tuple(map(str, about.get("problems") or ()))
    if problems:
        yield Caution("failure", "Some of the corpora could not be read in full.", problems)
    for cell in contents.cells:
        if cell.record.get("problem"):
            yield Caution(
                "failure", f"{cell.system} could not be built.", (str(cell.record["problem"]),)
            )


def _conversations_failed(contents: Contents) -> Iterator[Caution]:
    reasons: Counter[str] = Counter()
    cells = {cell.name: cell for cell in contents.cells}
    for (cell_name, _, _), result in contents.run.results.items():
        if result.get("status") != "ok" and cell_name in cells:
            reason = str(result.get("reason", "no reason given")).partition("\n")[0]
            reasons[f"{cells[cell_name].system}: {reason}"] += 1
    total = sum(reasons.values())
    if total:
        verb = "has" if total == 1 else "have"
        yield Caution(
            "failure",
            f"{total} of {len(contents.run.results)} conversations {verb} no result and "
            f"{'enters' if total == 1 else 'enter'} no mean.",
            tuple(f"{count} times: {reason}" for reason, count in reasons.most_common()),
        )


def _measurements_failed(contents: Contents) -> Iterator[Caution]:
    played = {key for key, result in contents.run.results.items() if result.get("status") == "ok"}
    reasons: Counter[str] = Counter()
    for row in contents.run.rows:
        of_played = not row.conversation_id or (
            (row.cell, row.conversation_id, row.repeat) in played
        )
        if row.measurement.status == "failed" and of_played:
            reasons[f"{row.metric}: {row.measurement.reason.partition(chr(10))[0]}"] += 1
    total = sum(reasons.values())
    if total:
        verb = "measurement" if total == 1 else "measurements"
        yield Caution(
            "failure",
            f"{total} {verb} of played conversations failed; counted, never averaged.",
            tuple(f"{count} times: {reason}" for reason, count in reasons.most_common()),
        )


def _contended(contents: Contents) -> Iterator[Caution]:
    systems = [cell.system for cell in contents.cells if contents.contended(cell)]
    if systems:
        yield Caution(
            "caution",
            "Cells ran beside each other on this machine, so these latencies are not to be "
            f"compared: {', '.join(dict.fromkeys(systems))}.",
        )


def _few(numbers: Numbers) -> Iterator[Caution]:
    contents = numbers.contents
    for setting in contents.settings:
        cells = [cell for cell in contents.cells if cell.setting == setting]
        names = [name for name in numbers.headline() if contents.specs[name].level != "corpus"]
        entries = numbers.entries(names, cells)
        independent = max((entry.clusters for entry in entries), default=0)
        if 0 < independent < FEW_CONVERSATIONS:
            yield Caution(
                "caution",
                f"Only {independent} independent conversations or contrast sets of {setting}: "
                "intervals are wide, and small differences cannot be seen.",
            )


def _beaten_by_controls(numbers: Numbers) -> Iterator[Caution]:
    several = len(numbers.contents.settings) > 1
    lines = []
    for ranking in rankings(numbers):
        where = f" ({ranking.setting})" if several else ""
        lines.append(
            f"{ranking.spec.name}{where}: {_list(ranking.above)} above {_list(ranking.below)}"
        )
    if lines:
        yield Caution(
            "caution",
            "On some metrics a control that understands nothing comes out above a real system. "
            "Such a metric must not be read alone.",
            tuple(lines),
        )


def _controls_violated(numbers: Numbers) -> Iterator[Caution]:
    several = len(numbers.contents.settings) > 1
    rows = [row for row in audit(numbers).rows if row.observed.state == "violated"]
    lines = []
    for row in rows:
        where = f" ({row.control.setting})" if several else ""
        value = row.observed.value
        seen = MISSING if value is None else number(value, decimals([value]))
        note = f" ({row.observed.note})" if row.observed.note else ""
        lines.append(f"{row.control.system}, {row.metric}{where}: {seen}{note}, not {row.must}")
    if lines:
        yield Caution(
            "caution",
            "Controls do not come out as they must: these metrics are wrong here, or do not mean "
            "what they say.",
            tuple(lines),
        )


def _list(entries: Sequence[Entry]) -> str:
    values = [entry.value for entry in entries if entry.value is not None]
    places = decimals(values)
    names = [entry.cell.system for entry in entries]
    return ", ".join(
        f"{name} {number(value, places)}" for name, value in zip(names, values, strict=True)
    )


def _judge(numbers: Numbers) -> Iterator[Caution]:
    """The judge's own errors bound what can be said of replies."""
    contents = numbers.contents
    entries = numbers.entries(["judge_wer"]) if "judge_wer" in contents.specs else []
    shares = {entry.cell.corpus: entry.value for entry in entries if entry.value is not None}
    for corpus, share in shares.items():
        yield Caution(
            "note",
            f"The judge ASR's own WER on the users' clean speech of {corpus} is "
            f"{number(share, 3)}: rates of replies near it may be the judge's errors.",
        )
    if not shares and "reply_wer" in numbers.headline():
        yield Caution(
            "note",
            "The judge ASR's own word error rate on the users' clean speech was not measured: "
            "small word error rates of replies may be the judge's.",
        )


def _sees_answers(contents: Contents) -> Iterator[Caution]:
    systems = [cell.system for cell in contents.cells if cell.sees_answers]
    if systems:
        yield Caution(
            "note",
            "These see the manifest's answers and are no fair competitors: "
            f"{', '.join(dict.fromkeys(systems))}.",
        )


def _remarks(contents: Contents) -> Iterator[Caution]:
    for system, remark in dict.fromkeys(
        (cell.system, cell.remark) for cell in contents.cells if _worth(cell)
    ):
        yield Caution("note", f"{system}: {remark}")


def _worth(cell: ShownCell) -> bool:
    return bool(cell.remark) and cell.role != "control"


def _source(contents: Contents) -> Iterator[Caution]:
    source = contents.run.about.get("source") or {}
    if source.get("dirty"):
        yield Caution(
            "note", "The code had changes that were not committed: the revision does not pin it."
        )
    elif not source.get("revision"):
        yield Caution("note", "The revision of the code is not known.")
