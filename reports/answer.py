"""The question that the run was made for, answered in as many words as the data allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cascadence.estimators import HORIZON_S
from cascadence.reports.contents import ShownCell
from cascadence.reports.entries import Entry, Numbers
from cascadence.reports.pairs import Pair
from cascadence.reports.wording import decimals, interval_text, number, p_text, signed

_WORDS = {
    "task_success": ("succeeds more often than", "succeeds less often than"),
    "response_gap_s": ("answers sooner than", "answers later than"),
    "reply_wer": ("is easier to understand than", "is harder to understand than"),
}
_UNDECIDED = {
    "task_success": "succeeds more often",
    "response_gap_s": "answers sooner",
    "reply_wer": "is easier to understand",
}
_NAMES = {
    "task_success": "Task success",
    "response_gap_s": "Response gap",
    "reply_wer": "Reply WER",
}
_LEADING = ("task_success", "response_gap_s")


def answer(numbers: Numbers, pairs: Sequence[Pair]) -> list[str]:
    """Say what the run shows: first the answer, setting by setting, then what it rests on.

    Args:
        numbers: of the run.
        pairs: from `cascadence.reports.pairs.compared`.
    """
    contents = numbers.contents
    if not numbers.headline():
        return ["Nothing has been measured yet, so there is no answer yet."]
    kinds = {cell.info.get("kind") for cell in contents.cells if cell.role == "system"}
    found = [_in_setting(numbers, setting, pairs) for setting in contents.settings]
    sentences = [sentence for sentence, _ in found if sentence]
    sentences += [line for _, lines in found for line in lines]
    if not sentences:
        sentences += [_alone(numbers, cell) for cell in contents.cells if cell.role == "system"]
    if not sentences:
        sentences.append("This run has no systems to compare, only oracles and controls.")
    if not {"cascade", "end_to_end"} <= kinds:
        sentences.append(
            "It does not hold both a cascade and an end-to-end system, so it cannot tell which of "
            "the two to use."
        )
    return sentences


def _in_setting(numbers: Numbers, setting: str, pairs: Sequence[Pair]) -> tuple[str, list[str]]:
    """One sentence about the best of each side, and the figures that it rests on."""
    mine = [pair for pair in pairs if pair.first.setting == setting]
    chosen = _chosen(numbers, mine)
    leading = [
        pair
        for name in _LEADING
        for pair in mine
        if pair.spec.name == name and (pair.first, pair.second) == chosen
    ]
    if not leading:
        return "", []
    independent = max(pair.comparison.clusters for pair in leading)
    clauses = "; ".join(_clauses(numbers, leading))
    noun = "conversation" if independent == 1 else "conversations"
    sentence = f"On {independent} independent {noun} of {setting}, {clauses}."
    return sentence, [_figures(numbers, pair) for pair in leading]


def _alone(numbers: Numbers, cell: ShownCell) -> str:
    """What a system reached that there is nothing to compare with."""
    parts = []
    for name in _LEADING:
        entry = numbers.entry(cell, name) if name in numbers.headline() else None
        if entry is not None and entry.value is not None:
            places = decimals([entry.value])
            unit = " s, median" if entry.spec.unit == "s" else ""
            bounds = interval_text(entry.interval, places)
            parts.append(f"{_NAMES[name].lower()} {number(entry.value, places)}{unit} {bounds}")
    reached = f": {'; '.join(parts)}" if parts else ""
    return f"On {cell.setting} there is nothing to compare {cell.system} with{reached}."


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


def _clauses(numbers: Numbers, pairs: Sequence[Pair]) -> Iterator[str]:
    """What is decided, one clause each; then what is not, in one."""
    open_questions = []
    for pair in pairs:
        name = pair.spec.name
        one, other = numbers.entry(pair.first, name), numbers.entry(pair.second, name)
        values = _values(one, other, bare=True)
        figures = f" ({values})" if values else ""
        if pair.verdict in ("better", "worse"):
            words = _WORDS[name][pair.verdict == "worse"]
            yield f"{pair.first.system} {words} {pair.second.system}{figures}"
        else:
            open_questions.append(f"{_UNDECIDED[name]}{figures}")
    if open_questions:
        systems = f"{pairs[0].first.system} or {pairs[0].second.system}"
        yield f"it is undecided whether {systems} {' or '.join(open_questions)}"


def _figures(numbers: Numbers, pair: Pair) -> str:
    name = pair.spec.name
    values = _values(numbers.entry(pair.first, name), numbers.entry(pair.second, name), bare=False)
    parts = [values] if values else []
    parts.append(f"{_difference(pair)}, p {p_text(pair.p)} adjusted for all comparisons below")
    return f"{_NAMES[name]}: {'; '.join(parts)}."


def _difference(pair: Pair) -> str:
    bounds = (pair.comparison.low, pair.comparison.high)
    difference = pair.comparison.difference or 0.0
    places = decimals([x for x in (difference, *bounds) if x is not None])
    unit = " s" if pair.spec.unit == "s" else ""
    what = "difference"
    if pair.comparison.statistic == "restricted_mean":
        what = f"mean difference with unanswered turns counted as {HORIZON_S:g} s"
    return f"{what} {signed(difference, places)}{unit} {interval_text(bounds, places)}".strip()


def _values(one: Entry, other: Entry, bare: bool) -> str:
    """Both values, with their intervals unless ``bare``; empty where one is missing."""
    known = [entry.value for entry in (one, other) if entry.value is not None]
    if len(known) < 2:
        return ""
    places = decimals(known)
    unit = " s" if one.spec.unit == "s" else ""
    first, second = (
        f"{number(value, places)}{unit} {'' if bare else interval_text(entry.interval, places)}"
        for value, entry in zip(known, (one, other), strict=True)
    )
    kind = "medians " if one.spec.summary in ("median", "survival") else ""
    return f"{kind}{first.strip()} against {second.strip()}"
