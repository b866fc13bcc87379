"""The answer, the comparisons and the cautions: what is planted is said, and no more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cascadence.measurement import censored, ratio, value
from cascadence.reports.answer import answer
from cascadence.reports.cautions import Caution, cautions
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from cascadence.reports.pairs import compared, pair_views, pairs_csv
from cascadence.results import Row, Run
from cascadence.run_directory import Key, RunDirectory
from planted_run import HOSTILE_NAME, about

COUNT = 16
Gaps = Mapping[str, float | None]


def planted(tmp_path: Path, gaps_s: Gaps, successes: Mapping[str, int], **changes: Any) -> Run:
    """A run in memory: the same gap in every conversation, and so many successes."""
    rows: list[Row] = []
    results: dict[Key, dict[str, Any]] = {}
    for system, gap_s in gaps_s.items():
        for number in range(COUNT):
            key = (f"{system}--corpus", f"c{number}", 0)
            results[key] = {"status": "ok", "contended": False, "duration_s": 5.0}
            gap = censored(10.0) if gap_s is None else value(gap_s + 0.01 * number)
            success = ratio(number < successes[system], 1)
            rows.append(Row(*key, "response_gap_s", "response_gap_s@1", "f", gap.on_turn(0)))
            rows.append(Row(*key, "task_success", "task_success@1", "f", success.on_turn(0)))
    content = {**about(tmp_path), **changes}
    content["cells"] = [c for c in content["cells"] if c["name"].partition("--")[0] in gaps_s]
    return Run(RunDirectory(tmp_path), content, results, tuple(rows))


def numbers_of(run: Run) -> Numbers:
    return Numbers(Contents(run))


def only(found: list[Caution], words: str) -> Caution:
    (caution,) = [caution for caution in found if words in caution.text]
    return caution


def test_a_clear_difference_is_decided_and_a_missing_one_is_not(tmp_path: Path) -> None:
    run = planted(tmp_path, {"alpha": 1.0, "beta": 0.4}, {"alpha": 12, "beta": 12})
    numbers = numbers_of(run)
    lead, *figures = answer(numbers, compared(numbers))
    assert lead.startswith("On 16 independent conversations of corpus, ")
    assert f"{HOSTILE_NAME} answers sooner than alpha (medians 0.47 s against 1.07 s)" in lead
    assert "it is undecided whether" in lead
    assert "succeeds more often (0.75 against 0.75)" in lead
    gap = next(line for line in figures if line.startswith("Response gap"))
    assert "\u22120.60 s [\u22120.60, \u22120.60]" in gap
    assert "p < 0.001" in gap


def test_direction_is_that_of_the_metric(tmp_path: Path) -> None:
    run = planted(tmp_path, {"alpha": 0.4, "beta": 1.0}, {"alpha": 2, "beta": 16})
    numbers = numbers_of(run)
    pairs = {pair.spec.name: pair for pair in compared(numbers)}
    assert pairs["task_success"].verdict == "better"
    assert pairs["response_gap_s"].verdict == "worse"
    lead = answer(numbers, list(pairs.values()))[0]
    assert f"{HOSTILE_NAME} succeeds more often than alpha (1.00 against 0.12)" in lead
    assert "answers later than alpha" in lead
    views = {view.metric: view for view in pair_views(list(pairs.values()))}
    assert views["response_gap_s"].verdict == "alpha is better"
    assert views["response_gap_s"].difference == "+0.60 s"
    assert views["task_success"].counts == "16 in 16"
    assert "response_gap_s,restricted_mean" in pairs_csv(list(pairs.values()))


def test_an_answer_needs_two_kinds(tmp_path: Path) -> None:
    numbers = numbers_of(
        planted(tmp_path, {"alpha": 1.0, "silent": None}, {"alpha": 8, "silent": 0})
    )
    assert compared(numbers) == []
    lead, more = answer(numbers, [])
    assert "nothing to compare alpha with: task success 0.50" in lead
    assert "does not hold both" in more
    controls = numbers_of(planted(tmp_path, {"silent": None}, {"silent": 0}))
    assert "only oracles and controls" in answer(controls, [])[0]


def test_contended_latencies_are_left_out(tmp_path: Path) -> None:
    run = planted(tmp_path, {"alpha": 1.0, "beta": 0.4}, {"alpha": 12, "beta": 12})
    results = {key: {**result, "contended": True} for key, result in run.results.items()}
    numbers = numbers_of(replace(run, results=results))
    assert [pair.spec.name for pair in compared(numbers)] == ["task_success"]
    assert only(cautions(numbers), "not to be compared").level == "caution"


def test_a_control_above_a_real_system_is_told(tmp_path: Path) -> None:
    gaps = {"alpha": 1.0, "silent": 0.1}
    numbers = numbers_of(planted(tmp_path, gaps, {"alpha": 12, "silent": 0}))
    told = only(cautions(numbers), "a control that understands nothing")
    assert told.details == ("response_gap_s: silent 0.17 above alpha 1.07",)
    slower = numbers_of(planted(tmp_path, {**gaps, "silent": 2.0}, {"alpha": 12, "silent": 0}))
    assert not [c for c in cautions(slower) if "a control" in c.text]


@pytest.mark.parametrize(
    ("changes", "words", "level"),
    [
        ({"status": "interrupted"}, "The run is interrupted", "failure"),
        ({"problems": ["line 3"]}, "could not be read in full", "failure"),
        ({}, "changes that were not committed", "note"),
        ({"source": {}}, "revision of the code is not known", "note"),
        ({}, "Only 16 independent conversations", "caution"),
        ({}, "trained in this domain", "note"),
    ],
)
def test_what_speaks_against_the_numbers_is_told(
    tmp_path: Path, changes: dict[str, Any], words: str, level: str
) -> None:
    run = planted(tmp_path, {"alpha": 1.0, "beta": 0.4}, {"alpha": 1, "beta": 1}, **changes)
    assert only(cautions(numbers_of(run)), words).level == level


def test_failures_come_first_and_are_counted(tmp_path: Path) -> None:
    run = planted(tmp_path, {"alpha": 1.0, "beta": 0.4}, {"alpha": 1, "beta": 1})
    results = dict(run.results)
    for number in range(3):
        results[("beta--corpus", f"c{number}", 0)] = {"status": "failed", "reason": "gave up\nlate"}
    told = cautions(numbers_of(replace(run, results=results)))
    assert told[0].text == "3 of 32 conversations have no result and enter no mean."
    assert told[0].details == (f"3 times: {HOSTILE_NAME}: gave up",)
