"""The question that the run was made for, answered in as many words as the data allow."""

from __future__ import annotations

from collections.abc import Sequence

from cascadence.reports.contents import ShownCell
from cascadence.reports.entries import Entry, Numbers
from cascadence.reports.pairs import Pair
from cascadence.reports.wording import decimals, interval_text, number, signed

_WORDS = {
    "task_success": ("succeeds more often than", "succeeds less often than"),
    "response_gap_s": ("answers sooner than", "answers later than"),
    "reply_wer": ("is easier to understand than", "is harder to understand than"),
}
_NAMES = {
    "task_success": "task success",
    "response_gap_s": "the response gap",
    "reply_wer": "the replies' WER",
}
_LEADING = ("task_success", "response_gap_s")


def answer(numbers: Numbers, pairs: Sequence[Pair]) -> list[str]:
    """Say what the run shows: first the answer, corpus by corpus, then what it rests on.

    Args:
        numbers: of the run.
        pairs: from `cascadence.reports.pairs.compared`.
    """
    contents = numbers.contents
    if not numbers.headline():
        return ["Nothing has been measured yet, so there is no answer yet."]
    kinds = {cell.info.get("kind") for cell in contents.cells if cell.role == "system"}
    sentences = [
        sentence for corpus in contents.corpora if (sentence := _on_corpus(numbers, corpus, pairs))
    ]
    if not sentences:
        sentences.append("This run has too few systems in common conversations to compare any.")
    if not {"cascade", "end_to_end"} <= kinds:
        sentences.append(
            "It does not hold both a cascade and an end-to-end system, so it cannot tell which of "
            "the two to use."
        )
    return sentences


def _on_corpus(numbers: Numbers, corpus: str, pairs: Sequence[Pair]) -> str:
    mine = [pair for pair in pairs if pair.first.corpus == corpus]
    chosen = _chosen(numbers, mine)
    if chosen is None:
        return ""
    parts = [
        _clause(numbers, pair)
        for name in _LEADING
        for pair in mine
        if pair.spec.name == name and (pair.first, pair.second) == chosen
    ]
    independent = max(pair.comparison.clusters for pair in mine)
    place = f"On {independent} independent conversations of {corpus}, "
    return f"{place}{'; '.join(parts)}." if parts else ""


def _chosen(numbers: Numbers, pairs: Sequence[Pair]) -> tuple[ShownCell, ShownCell] | None:
    """The most successful system of each side."""
    if not pairs:
        return None
    firsts = list({pair.first.name: pair.first for pair in pairs}.values())
    seconds = list({pair.second.name: pair.second for pair in pairs}.values())
    best = _most_successful(numbers, firsts)
    others = [cell for cell in seconds if cell.name != best.name] or seconds
    known = [(pair.first, pair.second) for pair in pairs]
    wanted = (best, _most_successful(numbers, others))
    return wanted if wanted in known else known[0]


def _most_successful(numbers: Numbers, cells: Sequence[ShownCell]) -> ShownCell:
    if "task_success" not in numbers.headline():
        return cells[0]
    return max(cells, key=lambda cell: numbers.entry(cell, "task_success").value or -1.0)


def _clause(numbers: Numbers, pair: Pair) -> str:
    name = pair.spec.name
    one, other = numbers.entry(pair.first, name), numbers.entry(pair.second, name)
    values = _values(one, other)
    bounds = (pair.comparison.low, pair.comparison.high)
    difference = pair.comparison.difference or 0.0
    places = decimals([x for x in (difference, *bounds) if x is not None])
    unit = " s" if pair.spec.unit == "s" else ""
    what = "difference of restricted means" if _restricted(pair) else "difference"
    figures = (
        f"{values}{what} {signed(difference, places)}{unit} {interval_text(bounds, places)}".strip()
    )
    if pair.verdict in ("better", "worse"):
        words = _WORDS[name][pair.verdict == "worse"]
        return f"{pair.first.system} {words} {pair.second.system} ({figures})"
    systems = f"{pair.first.system} and {pair.second.system}"
    return f"{_NAMES[name]} does not tell {systems} apart ({figures})"


def _restricted(pair: Pair) -> bool:
    return pair.comparison.statistic == "restricted_mean"


def _values(one: Entry, other: Entry) -> str:
    known = [entry.value for entry in (one, other) if entry.value is not None]
    if len(known) < 2:
        return ""
    places = decimals(known)
    kind = "medians " if one.spec.summary in ("median", "survival") else ""
    first, second = (number(value, places) for value in known)
    unit = " s" if one.spec.unit == "s" else ""
    return f"{kind}{first}{unit} against {second}{unit}, "
