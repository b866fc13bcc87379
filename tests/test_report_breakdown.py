"""Breakdown: planted successes come back part by part, with their intervals and counts."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cascadence.errors import CascadenceError
from cascadence.reports.breakdown import ALL, breakdown, to_text
from cascadence.results import load_run
from planted_run import plant_run


def parts(table: pd.DataFrame, cell: str) -> dict[str, tuple[float, int]]:
    mine = table[table.cell == cell]
    return {row.part: (row.value, row.n) for row in mine.itertuples()}


def test_each_tag_has_its_own_value(tmp_path: Path) -> None:
    # alpha answers c1 and c2 late enough to pass, not c0, which alone is tagged `timer`.
    table = breakdown(load_run(plant_run(tmp_path)), "task_success", "tag")
    assert parts(table, "alpha--corpus") == {
        ALL: (pytest.approx(2 / 3), 3),
        "timer": (0.0, 1),
        "other": (1.0, 2),
    }
    assert parts(table, "silent--corpus")["other"] == (0.0, 2)


def test_a_part_of_everything_equals_the_whole(tmp_path: Path) -> None:
    table = breakdown(load_run(plant_run(tmp_path)), "response_gap_s", "turn")
    for cell in set(table.cell):
        mine = table[table.cell == cell].set_index("part")
        for column in ("value", "n", "clusters", "skipped", "failed"):
            whole, part = mine.loc[ALL, column], mine.loc["first turn", column]
            assert (pd.isna(whole) and pd.isna(part)) or whole == part
    assert "later turns" not in set(table.part)


def test_what_has_no_value_is_shown_with_its_counts(tmp_path: Path) -> None:
    table = breakdown(load_run(plant_run(tmp_path)), "rtf", "tag")
    silent = table[(table.cell == "silent--corpus") & (table.part == "other")].iloc[0]
    assert pd.isna(silent.value)
    assert (silent.n, silent.skipped) == (0, 2)
    text = to_text(table, "rtf by tag")
    assert text.splitlines()[0] == "rtf by tag"
    (line,) = [line for line in text.splitlines() if "silent" in line and "other" in line]
    assert line.split()[-3:] == ["0", "2", "0"]


def test_what_cannot_be_divided_says_what_can(tmp_path: Path) -> None:
    run = load_run(plant_run(tmp_path))
    with pytest.raises(CascadenceError, match="one value a corpus"):
        breakdown(run, "contrast_gain_f0", "tag")
    with pytest.raises(CascadenceError, match="cannot divide by 'mood'"):
        breakdown(run, "rtf", "mood")
    with pytest.raises(CascadenceError, match="'utmos' was not measured"):
        breakdown(run, "utmos", "tag")


def test_the_command_prints_numbers_that_json_can_hold(tmp_path: Path) -> None:
    from cascadence.cli import app

    run = plant_run(tmp_path)
    answer = CliRunner().invoke(app, ["breakdown", str(run), "task_success", "--json"])
    rows = {(row["cell"], row["part"]): row for row in json.loads(answer.stdout)}
    assert rows["alpha--corpus", "timer"]["value"] == 0.0
    assert rows["alpha--corpus", ALL]["n"] == 3
