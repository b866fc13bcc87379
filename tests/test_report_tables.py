"""Tables: planted values come back with n and interval, missing ones as dashes, in every format."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pytest

from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from cascadence.reports.page import write_report
from cascadence.reports.pairs import compared, pairs_csv
from cascadence.reports.tables import (
    COLUMNS,
    headline,
    to_latex,
    to_markdown,
    to_text,
    write_tables,
)
from cascadence.reports.wording import MISSING, decimals, interval_text, number
from cascadence.results import Run, load_run
from planted_run import HOSTILE_NAME, SCRIPT, add_condition, plant_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(plant_run(tmp_path_factory.mktemp("planted")))


def test_headline_holds_what_was_planted(run: Run) -> None:
    table = headline(run)
    assert tuple(table.columns) == COLUMNS
    rows = table.set_index(["system", "metric"])
    gap = rows.loc[("alpha", "response_gap_s")]
    assert (gap["value"], gap["n"], gap["clusters"]) == (pytest.approx(0.6), 3, 3)
    assert gap["low"] <= 0.6 <= gap["high"]
    success = rows.loc[("alpha", "task_success")]
    assert success["value"] == pytest.approx(2 / 3)
    gain = rows.loc[("alpha", "contrast_gain_f0")]
    assert [gain[key] for key in ("value", "low", "high", "n")] == [0.47, 0.31, 0.63, 12]
    assert rows.loc[(HOSTILE_NAME, "response_gap_s")]["censored"] == 1


def test_what_is_missing_is_neither_zero_nor_nan(run: Run) -> None:
    import pandas as pd

    rows = headline(run).set_index(["system", "metric"])
    wer = rows.loc[("silent", "reply_wer")]
    assert wer["value"] is pd.NA
    assert (wer["n"], wer["skipped"], wer["reason"]) == (0, 3, "3 skipped: no reply")
    failed = rows.loc[(HOSTILE_NAME, "contrast_gain_f0")]
    assert failed["value"] is pd.NA
    assert failed["failed"] == 1
    assert rows.loc[("silent", "response_gap_s")]["value"] is pd.NA


def test_systems_stand_before_controls(run: Run) -> None:
    assert list(dict.fromkeys(headline(run)["system"])) == ["alpha", HOSTILE_NAME, "silent"]


def test_text_fits_a_terminal(run: Run) -> None:
    text = to_text(run)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    assert "nan" not in text.lower()
    alpha = next(line for line in lines if line.startswith("alpha"))
    assert "0.67" in alpha
    assert "n=3" in alpha
    silent = next(line for line in lines if line.startswith("silent (c)"))
    assert f"{MISSING} 3c" in silent
    narrow = to_text(run, width=60)
    assert max(len(line) for line in narrow.splitlines()) <= 60


def test_text_without_measurements(tmp_path: Path) -> None:
    run = load_run(plant_run(tmp_path, measured=False))
    assert to_text(run) == "Nothing has been measured in this run."
    assert headline(run).empty


def test_names_cannot_steer_a_terminal_or_a_document(run: Run) -> None:
    numbers = Numbers(Contents(run))
    markdown = to_markdown(numbers)
    assert SCRIPT not in markdown
    assert "&lt;script&gt;" in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
    latex = to_latex(numbers)
    assert r"\textless{}script\textgreater{}" in latex
    assert r"task\_success" in latex
    body = [line for line in latex.splitlines() if line.endswith(r"\\")]
    assert len({line.replace(r"\&", "").count("&") for line in body}) == 1


def test_files(run: Run, tmp_path: Path) -> None:
    paths = write_tables(Numbers(Contents(run)), tmp_path / "tables")
    names = [path.name for path in paths]
    assert names == ["headline.csv", "headline.md", "headline.tex", "metrics.csv"]
    rows = list(csv.DictReader(io.StringIO(paths[0].read_text(encoding="utf-8"))))
    gap = next(r for r in rows if (r["system"], r["metric"]) == ("alpha", "response_gap_s"))
    assert float(gap["value"]) == pytest.approx(0.6)
    missing = next(r for r in rows if (r["system"], r["metric"]) == ("silent", "reply_wer"))
    assert (missing["value"], missing["n"], missing["skipped"]) == ("", "0", "3")
    every = paths[3].read_text(encoding="utf-8")
    assert "endpointing_delay_s" in every
    assert "nan" not in every.lower()


@pytest.mark.parametrize(
    ("values", "places"),
    [([], 2), ([0.0], 2), ([0.85, 0.9], 2), ([0.034, 0.02], 3), ([3.1], 2), ([1200.0, 900.0], 0)],
)
def test_decimals_follow_the_size(values: list[float], places: int) -> None:
    assert decimals(values) == places


def test_numbers_have_a_minus_and_no_negative_zero() -> None:
    assert number(-0.251, 2) == "\u22120.25"
    assert number(-0.001, 2) == "0.00"
    assert interval_text((0.5, None), 2) == "≥ 0.50"
    assert interval_text(None, 2) == ""
    assert math.isclose(float(number(12.345, 1)), 12.3)


def test_conditions_stand_apart(tmp_path: Path) -> None:
    run = load_run(add_condition(plant_run(tmp_path), "babble_10db"))
    numbers = Numbers(Contents(run))
    assert numbers.contents.corpora == ("corpus",)
    assert numbers.contents.settings == ("corpus, clean", "corpus, babble_10db")
    rows = headline(run).set_index(["condition", "system", "metric"])
    for condition in ("clean", "babble_10db"):
        gap = rows.loc[(condition, "alpha", "response_gap_s")]
        assert (gap["corpus"], gap["n"], gap["value"]) == ("corpus", 3, pytest.approx(0.6))
    text = to_text(run)
    assert "planted on corpus, clean\n" in text
    assert "planted on corpus, babble_10db\n" in text
    assert text.count("\nalpha ") == 2 * to_text(load_run(plant_run(tmp_path / "one"))).count(
        "\nalpha "
    )
    pairs = compared(numbers)
    assert {pair.first.condition for pair in pairs} == {"clean", "babble_10db"}
    assert all(pair.first.setting == pair.second.setting for pair in pairs)
    assert list(csv.DictReader(io.StringIO(pairs_csv(pairs))))[-1]["condition"] == "babble_10db"
    page = write_report(run).read_text(encoding="utf-8")
    assert "<code>corpus, babble_10db</code>" in page
    assert "conditions clean, babble_10db" in page
    assert "condition babble_10db" in page


def test_a_run_without_conditions_names_none(run: Run) -> None:
    assert Contents(run).settings == ("corpus",)
    assert "clean" not in to_text(run)
    assert set(headline(run)["condition"]) == {"clean"}
