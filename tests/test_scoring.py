"""Scoring is done once: it goes on where it was stopped, and comes back to what had to wait."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cascadence.corpus import open_corpus
from cascadence.measurement import (
    Case,
    Measurement,
    Metric,
    MetricSpec,
    ToolUnavailable,
    skipped,
    value,
)
from cascadence.require import MissingExtra, require
from cascadence.results import Row, load_run
from cascadence.run_directory import RunDirectory
from cascadence.scoring import CachedTools, score
from planted_run import plant_run

CELLS = ("alpha--corpus", "beta--corpus", "silent--corpus")
PLAYED = [f"{cell}/c{number}" for cell in CELLS for number in range(3)]
PACKAGE = "cascadence_planted_package"


class Quiet:
    def scoring(self, done: int, total: int, what: str) -> None: ...


class Counting:
    """Metrics that remember what they were asked about, and may be stopped by it."""

    def __init__(self, stop_at: str = "") -> None:
        self.asked: list[str] = []
        self.stop_at = stop_at

    def _note(self, what: str) -> None:
        if what == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(what)

    def metrics(self, version: str = "1") -> list[Metric]:
        def turns(case: Case, tools: object) -> list[Measurement]:
            self._note(f"{case.recording.cell}/{case.recording.conversation_id}")
            return [value(float(turn)).on_turn(turn) for turn in range(2)]

        def together(cases: list[Case], tools: object) -> Measurement:
            self._note(cases[0].recording.cell)
            return value(len(cases))

        return [
            Metric(spec("turns", "turn", version=version), turns),
            Metric(spec("together", "corpus", version=version), together),
        ]


def spec(name: str, level: Any = "conversation", **changes: Any) -> MetricSpec:
    return MetricSpec(name, "planted", "n", "lower", (0.0, 9.0), level, **changes)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return plant_run(tmp_path, measured=False)


def scored(run: Path, metrics: list[Metric]) -> list[Row]:
    corpora = dict.fromkeys(CELLS, open_corpus(run.parent.parent / "corpus"))
    with RunDirectory(run) as directory:
        return score(directory, corpora, metrics, CachedTools(run / "cache"), Quiet())


def stopped(run: Path, metrics: list[Metric]) -> None:
    with pytest.raises(KeyboardInterrupt):
        scored(run, metrics)


def on_disk(run: Path) -> list[tuple[str, str, str, int | None, str]]:
    return [
        (row.cell, row.conversation_id, row.metric, row.measurement.turn, row.measurement.status)
        for row in load_run(run).rows
    ]


def statuses(run: Path, name: str) -> list[str]:
    found = (row.measurement for row in load_run(run).rows if row.metric == name)
    return [measurement.status for measurement in found if "ValueError" not in measurement.reason]


@pytest.mark.parametrize(
    "stop_at", ["alpha--corpus/c0", "alpha--corpus/c2", "alpha--corpus", "beta--corpus/c1"]
)
def test_what_was_finished_is_not_measured_twice(run: Path, tmp_path: Path, stop_at: str) -> None:
    first, second = Counting(stop_at), Counting()
    stopped(run, first.metrics())
    scored(run, second.metrics())
    assert sorted(first.asked + second.asked) == sorted([*PLAYED, *CELLS])
    assert len(first.asked) == [*PLAYED[:3], CELLS[0], *PLAYED[3:]].index(stop_at)
    whole = plant_run(tmp_path / "whole", measured=False)
    scored(whole, Counting().metrics())
    assert on_disk(run) == on_disk(whole)
    third = Counting()
    scored(run, third.metrics())
    assert third.asked == []


def test_a_finished_cell_can_be_read_after_a_stop_and_nothing_else(run: Path) -> None:
    stopped(run, Counting("beta--corpus/c1").metrics())
    rows = [row for row in on_disk(run) if row[2] == "turns"]
    assert rows == [("alpha--corpus", f"c{n}", "turns", t, "ok") for n in range(3) for t in (0, 1)]
    assert ("alpha--corpus", "", "together", None, "ok") in on_disk(run)


def test_a_line_torn_by_a_kill_is_measured_again_and_whole(run: Path) -> None:
    first, second, third = Counting("alpha--corpus/c2"), Counting("alpha--corpus"), Counting()
    stopped(run, first.metrics())
    (unfinished,) = run.glob("measurements.*.jsonl")
    unfinished.write_bytes(unfinished.read_bytes()[:-20])
    stopped(run, second.metrics())
    scored(run, third.metrics())
    assert first.asked == PLAYED[:2]
    assert second.asked == PLAYED[1:3]
    assert third.asked[:2] == ["alpha--corpus", PLAYED[3]]
    assert len([row for row in on_disk(run) if row[2] == "turns" and row[4] == "ok"]) == 18
    assert list(run.glob("measurements.*.jsonl")) == []


def test_cells_to_come_keep_what_they_had_while_a_metric_is_added(run: Path) -> None:
    scored(run, Counting().metrics())
    extra = Metric(spec("extra"), _stopping_at("beta--corpus"))
    stopped(run, [*Counting().metrics(), extra])
    rows = on_disk(run)
    assert len([row for row in rows if row[2] == "turns" and row[4] == "ok"]) == 18
    # The conversation that has no result is still told.
    assert len([row for row in rows if row[2] == "turns" and row[4] == "failed"]) == 1
    assert {row[0] for row in rows if row[2] == "extra"} == {"alpha--corpus"}


def test_two_versions_of_a_metric_never_stand_side_by_side(run: Path) -> None:
    scored(run, Counting().metrics())
    stopped(run, Counting("beta--corpus/c1").metrics(version="2"))
    assert {row.signature for row in load_run(run).rows} == {"turns@2", "together@2"}
    last = Counting()
    scored(run, last.metrics(version="2"))
    assert last.asked[0] == "beta--corpus/c1"


def _stopping_at(cell: str) -> Any:
    def measure(case: Case, tools: object) -> Measurement:
        if case.recording.cell == cell:
            raise KeyboardInterrupt
        return value(1.0)

    return measure


def test_what_waited_for_a_package_is_measured_once_it_is_there(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def measure(case: Case, tools: object) -> Measurement:
        asked.append(case.recording.conversation_id)
        if case.recording.conversation_id == "c1":
            return skipped("no copy")
        try:
            require(PACKAGE, extra="quality")
        except MissingExtra as error:
            return skipped(str(error))
        return value(1.0)

    metric = Metric(spec("packaged"), measure)
    scored(run, [metric])
    assert statuses(run, "packaged") == ["skipped"] * 9
    monkeypatch.setitem(sys.modules, PACKAGE, ModuleType(PACKAGE))
    asked.clear()
    scored(run, [metric])
    assert asked == ["c0", "c2"] * 3
    assert statuses(run, "packaged") == ["ok", "skipped", "ok"] * 3
    asked.clear()
    scored(run, [metric])
    assert asked == []


def test_a_cell_that_waited_for_a_package_is_measured_once_it_is_there(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(cases: list[Case], tools: object) -> Measurement:
        try:
            require(PACKAGE, extra="quality")
        except MissingExtra as error:
            return skipped(str(error))
        return value(len(cases))

    metric = Metric(spec("packaged", "corpus"), measure)
    scored(run, [metric])
    assert statuses(run, "packaged") == ["skipped"] * 3
    monkeypatch.setitem(sys.modules, PACKAGE, ModuleType(PACKAGE))
    scored(run, [metric])
    assert statuses(run, "packaged") == ["ok"] * 3


@pytest.mark.parametrize("error", [MissingExtra, ToolUnavailable])
def test_what_waited_for_a_tool_is_measured_once_it_is_there(
    run: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    there = False

    class Gauge:
        version = "1"

        def __init__(self) -> None:
            if not there:
                raise error("no gauge")

        def __call__(self, about: object) -> Mapping[str, Any]:
            return {"x": 3.0}

    def measure(case: Case, tools: CachedTools) -> Measurement:
        return value(tools.use("gauge", case.recording.user)["x"])

    monkeypatch.setattr("cascadence.scoring.load", lambda group, name: Gauge)
    metric = Metric(spec("gauged", needs=("gauge",)), measure)
    scored(run, [metric])
    assert statuses(run, "gauged") == ["skipped"] * 9
    there = True
    scored(run, [metric])
    assert statuses(run, "gauged") == ["ok"] * 9


def test_what_failed_is_tried_again(run: Path) -> None:
    broken = True

    def measure(case: Case, tools: object) -> Measurement:
        return value(float("nan") if broken else 1.0)

    metric = Metric(spec("mended"), measure)
    scored(run, [metric])
    assert [row[4] for row in on_disk(run)] == ["failed"] * 10
    broken = False
    scored(run, [metric])
    assert statuses(run, "mended") == ["ok"] * 9
