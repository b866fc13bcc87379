"""The audit of the controls: every requirement is planted held, violated and not measured."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cascadence.measurement import (
    Measurement,
    MetricSpec,
    censored,
    failed,
    ratio,
    skipped,
    value,
)
from cascadence.reports.audit import COMBINED, REQUIREMENTS, Audit, AuditRow, audit
from cascadence.reports.audit_views import audit_views
from cascadence.reports.cautions import cautions
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from cascadence.reports.page import write_report
from cascadence.reports.tables import audit_text, to_text
from cascadence.results import Row, Run
from cascadence.run_directory import Key, RunDirectory
from corpus_folder import SPEECH_S, conversation, write_corpus
from planted_run import about

COUNT = 8
SILENT_FROM = 6
"""From this conversation on, the manifest expects silence."""
CONTROLS = ("silent", "always_talking", "toggle", "parrot", "random_reply", "scripted")
TOGGLE = {"period_s": 0.1}
"""Every turn is longer: a burst begins in each."""
PLANTED = {
    "delay_s": 0.4,
    "asr_s": 0.1,
    "llm_s": 0.05,
    "compute_s": 0.15,
    "stall_s": 0.2,
    "yield_s": 0.3,
    "misheard_every": 2,
    "wrong_every": 0,
    "wav": "voice.wav",
}


def spec(name: str, family: str, summary: str = "ratio", **more: Any) -> MetricSpec:
    kind = {"unit": "ratio", "direction": "lower", "range": (0.0, 1.0), "level": "turn"}
    return MetricSpec(name=name, family=family, summary=summary, **{**kind, **more})  # type: ignore[arg-type]


CORPUS: dict[str, Any] = {"level": "corpus", "summary": "mean", "direction": "higher"}
SPECS = (
    spec("response_gap_s", "latency", "survival", unit="s", range=(-60.0, 600.0)),
    spec("stall_s", "latency", "mean", unit="s", range=(0.0, 1e9)),
    spec("task_success", "task", direction="higher"),
    spec("heard_wer", "intelligibility"),
    spec("cutoff_rate", "turn_taking"),
    spec("yield_rate", "turn_taking", direction="higher"),
    spec("yield_latency_s", "turn_taking", "survival", unit="s"),
    spec("takeover_rate_pause", "turn_taking"),
    spec("yield_rate_shuffled", "turn_taking", **CORPUS | {"direction": "neither"}),
    spec("response_gap_shuffled_s", "turn_taking", **CORPUS | {"direction": "neither"}),
    spec("log_f0_rmse_cents", "prosody", "mean", unit="cents", range=(0.0, 1e9)),
    spec("prosody_similarity_auc", "prosody", **CORPUS),
    spec("contrast_gain_f0", "paralinguistics", **CORPUS | {"range": (-1e9, 1e9)}),
    spec("style_preservation", "paralinguistics", **CORPUS),
    spec("style_information_bits", "paralinguistics", **CORPUS),
)
Planted = Mapping[tuple[str, str], Measurement | Sequence[Measurement]]
"""By control and metric: one measurement of the corpus (or for every turn), or one a turn."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conversations of one turn; the last ones expect silence."""
    folder = tmp_path_factory.mktemp("audit") / "corpus"
    lines = []
    for i in range(COUNT):
        line = conversation(folder, f"c{i}")
        if i >= SILENT_FROM:
            line["turns"][0]["expect"] = {"stay_silent": True}
        lines.append(line)
    return write_corpus(folder, lines)


def run_of(corpus: Path, planted: Planted, systems: Sequence[str] = ("alpha",)) -> Run:
    """A run in memory with these systems, and the controls that anything is planted for."""
    content = about(corpus)
    by_system = {name: content["cells"][0] for name in systems}
    cells = []
    for name in dict.fromkeys([*systems, *(name for name, _ in planted)]):
        record = by_system.get(name, content["cells"][2])
        info = {**record["info"], "name": name, "sees_answers": False}
        info["parameters"] = {"scripted": PLANTED, "toggle": TOGGLE}.get(name, {})
        cells.append({**record, "name": f"{name}--corpus", "system_name": name, "info": info})
    specs = [dataclasses.asdict(one) for one in SPECS]
    rows, results = [], {}
    for (name, metric), found in planted.items():
        rows += _rows(name, metric, found)
    for cell in cells:
        for i in range(COUNT):
            key: Key = (str(cell["name"]), f"c{i}", 0)
            results[key] = {"status": "ok"}
    told = {**content, "cells": cells, "metrics": specs}
    return Run(RunDirectory(corpus.parent / "run"), told, results, tuple(rows))


def _rows(name: str, metric: str, found: Measurement | Sequence[Measurement]) -> list[Row]:
    cell, signature = f"{name}--corpus", f"{metric}@1"
    level = next(one.level for one in SPECS if one.name == metric)
    if isinstance(found, Measurement) and level == "corpus":
        return [Row(cell, "", 0, metric, signature, "f", found)]
    each = [found] * COUNT if isinstance(found, Measurement) else found
    return [
        Row(cell, f"c{i}", 0, metric, signature, "f", one.on_turn(0)) for i, one in enumerate(each)
    ]


def audited(corpus: Path, planted: Planted) -> Audit:
    return audit(Numbers(Contents(run_of(corpus, planted))))


def row_of(found: Audit, control: str, metric: str) -> AuditRow:
    (row,) = [r for r in found.rows if (r.control.system, r.metric) == (control, metric)]
    return row


def corpus_value(x: float, low: float, high: float, **details: Any) -> Measurement:
    return Measurement("ok", value(x).quantity, interval=(low, high), n=12, details=details)


def shares(*hits: int) -> list[Measurement]:
    return [ratio(hit, 1) for hit in hits]


HEARS = {"own": 0.9, "shuffled": 0.4, "tells_apart": True}
DEAF = {"own": 0.5, "shuffled": 0.5, "tells_apart": False}
WRONG_TWICE = shares(0, 0, 1, 1, 1, 1, 1, 1)
CASES: dict[tuple[str, str], tuple[Any, Any]] = {
    ("silent", "response_gap_s"): (censored(10.0), [value(1.0), *[censored(10.0)] * 7]),
    ("silent", "task_success"): (shares(0, 0, 0, 0, 0, 0, 1, 1), shares(0, 1, 0, 0, 0, 0, 1, 1)),
    ("silent", "takeover_rate_pause"): (ratio(0, 1), shares(0, 0, 0, 0, 0, 0, 0, 1)),
    ("silent", "log_f0_rmse_cents"): (skipped("no reply"), [value(50.0), *[skipped("no")] * 7]),
    ("silent", "contrast_gain_f0"): (skipped("no reply"), failed("broke")),
    ("silent", "style_preservation"): (skipped("no reply"), corpus_value(0.0, 0.0, 0.0)),
    ("silent", "style_information_bits"): (skipped("no reply"), corpus_value(0.0, 0.0, 0.0)),
    ("always_talking", "cutoff_rate"): (ratio(1, 1), shares(0, 0, 0, 0, 0, 0, 0, 1)),
    ("always_talking", "yield_rate"): (ratio(0, 1), shares(0, 0, 0, 0, 0, 0, 0, 1)),
    ("toggle", "cutoff_rate"): (ratio(1, 1), ratio(0, 1)),
    ("toggle", "yield_rate_shuffled"): (
        corpus_value(0.5, 0.4, 0.6, **DEAF),
        corpus_value(0.4, 0.3, 0.5, **HEARS),
    ),
    ("toggle", "response_gap_shuffled_s"): (
        corpus_value(0.3, 0.2, 0.4, usual=DEAF, windows={}),
        corpus_value(0.3, 0.2, 0.4, usual=HEARS),
    ),
    ("parrot", "style_preservation"): (
        corpus_value(0.92, 0.91, 0.95),
        corpus_value(0.8, 0.7, 0.85),
    ),
    ("parrot", "contrast_gain_f0"): (corpus_value(1.2, 0.9, 1.5), corpus_value(1.2, 1.15, 1.25)),
    ("parrot", "prosody_similarity_auc"): (
        corpus_value(0.9, 0.89, 0.91, ceiling=0.93),
        corpus_value(0.9, 0.85, 0.94, ceiling=0.99),
    ),
    ("scripted", "response_gap_s"): (value(0.71), value(0.74)),
    ("scripted", "stall_s"): (value(0.19), value(0.0)),
    ("scripted", "yield_latency_s"): (value(0.32), value(0.6)),
    ("scripted", "heard_wer"): (ratio(2, 4), ratio(1, 4)),
    ("scripted", "task_success"): (ratio(1, 1), WRONG_TWICE[:2] * 4),
}


@pytest.mark.parametrize(("control", "metric"), CASES)
def test_each_requirement_is_held_and_violated(corpus: Path, control: str, metric: str) -> None:
    held, violated = CASES[control, metric]
    place = (control, metric)
    assert row_of(audited(corpus, {place: held}), *place).observed.state == "held"
    found = row_of(audited(corpus, {place: violated}), *place).observed
    assert found.state == "violated"
    nothing = {place: [skipped("no such event")] * COUNT}
    if held != skipped("no reply"):
        missing = row_of(audited(corpus, nothing), *place).observed
        assert (missing.state, missing.value) == ("not measured", None)
        assert missing.note


def test_bursts_meet_a_share_of_short_turns(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start_s, end_s = SPEECH_S
    monkeypatch.setitem(TOGGLE, "period_s", 2 * (end_s - start_s))
    place = ("toggle", "cutoff_rate")
    for met, state in ((4, "held"), (8, "violated"), (0, "violated")):
        planted = {place: shares(*[1] * met, *[0] * (COUNT - met))}
        found = row_of(audited(corpus, planted), *place).observed
        assert (found.state, found.note) == (state, "expected 0.50")


def test_every_requirement_has_a_case() -> None:
    together = {("parrot", "task_success"), ("random_reply", "task_success")}
    together |= {(name, COMBINED) for name in ("always_talking", "toggle")}
    named = {*CASES, *together}
    for requirement in REQUIREMENTS:
        names = requirement.metrics(SPECS)
        assert names
        assert {(requirement.control, name) for name in names} & named
    assert {requirement.control for requirement in REQUIREMENTS} == set(CONTROLS)


def test_observed_values_come_with_interval_and_n(corpus: Path) -> None:
    gaps = [value(1.0), *[censored(10.0)] * 7]
    planted = {
        ("silent", "response_gap_s"): gaps,
        ("silent", "task_success"): shares(0, 0, 0, 1, 0, 0, 1, 1),
        ("always_talking", "cutoff_rate"): shares(1, 1, 1, 1, 1, 1, 1, 0),
    }
    found = audited(corpus, planted)
    never = row_of(found, "silent", "response_gap_s").observed
    assert (never.value, never.n, never.note) == (7 / 8, 8, "7 of 8 censored")
    success = row_of(found, "silent", "task_success").observed
    assert (success.value, success.n) == (pytest.approx(1 / 6), 6)
    cut = row_of(found, "always_talking", "cutoff_rate").observed
    assert (cut.value, cut.n, cut.state) == (7 / 8, 8, "held")
    for seen in (never, success, cut):
        low, high = seen.interval or (None, None)
        assert low is not None
        assert high is not None
        assert low < (seen.value or 0.0) <= high


def test_unknown_metrics_are_not_measured(corpus: Path) -> None:
    run = run_of(corpus, {("parrot", "stall_s"): value(0.0)})
    run.about["metrics"][:] = [m for m in run.about["metrics"] if m["name"] == "stall_s"]  # type: ignore[index]
    rows = audit(Numbers(Contents(run))).rows
    names = {"style_preservation", "contrast_gain", "prosody_similarity_auc", "prosody_style_auc"}
    assert {row.metric for row in rows} == {*names, "task_success"}
    assert {row.observed.state for row in rows} == {"not measured"}
    assert {row.observed.note for row in rows} == {"no such metric"}


@pytest.mark.parametrize(
    ("parrot", "random", "state"), [(1, 0, "held"), (5, 0, "violated"), (5, 6, "held")]
)
def test_a_parrot_succeeds_by_chance(corpus: Path, parrot: int, random: int, state: str) -> None:
    def hits(count: int) -> list[Measurement]:
        return shares(*(i < count for i in range(COUNT)))

    name = "task_success"
    planted = {("parrot", name): hits(parrot), ("random_reply", name): hits(random)}
    assert row_of(audited(corpus, planted), "parrot", name).observed.state == state
    alone = row_of(audited(corpus, {("parrot", name): hits(parrot)}), "parrot", name).observed
    assert alone.state == "not measured"
    assert "random_reply" in alone.note


@pytest.mark.parametrize(
    ("alpha", "state", "note"),
    [(3, "held", "1 of 1"), (2, "violated", "0 of 1"), (None, "not measured", "no system")],
)
def test_random_replies_are_the_floor(
    corpus: Path, alpha: int | None, state: str, note: str
) -> None:
    planted = {("random_reply", "task_success"): shares(*[1, 1, 0, 0, 0, 0, 0, 0])}
    if alpha is not None:
        planted["alpha", "task_success"] = shares(*(i < alpha for i in range(COUNT)))
    found = row_of(audited(corpus, planted), "random_reply", "task_success").observed
    assert (found.state, found.value) == (state, 0.25)
    assert note in found.note


@pytest.mark.parametrize(
    ("cut", "gap", "alpha_gap", "state"),
    [
        (ratio(3, 4), value(0.1), value(0.5), "held"),
        (ratio(1, 4), value(0.1), value(0.5), "violated"),
        (ratio(2, 4), value(0.5), value(0.5), "held"),
        (ratio(1, 4), censored(10.0), value(0.5), "held"),
        (ratio(2, 4), value(0.1), censored(10.0), "violated"),
    ],
    ids=["quick and rude", "better", "the same", "it never answers", "the system never does"],
)
@pytest.mark.parametrize("control", ["toggle", "always_talking"])
def test_no_control_beats_a_system_on_all_of_turn_taking(
    corpus: Path, control: str, cut: Measurement, gap: Measurement, alpha_gap: Any, state: str
) -> None:
    planted = {
        ("alpha", "cutoff_rate"): ratio(2, 4),
        ("alpha", "response_gap_s"): alpha_gap,
        (control, "cutoff_rate"): cut,
        (control, "response_gap_s"): gap,
    }
    found = row_of(audited(corpus, planted), control, COMBINED).observed
    assert (found.state, found.n) == (state, 1)
    assert ("beats alpha" in found.note) == (state == "violated")
    one = {place: m for place, m in planted.items() if place[1] == "cutoff_rate"}
    assert row_of(audited(corpus, one), control, COMBINED).observed.state == "not measured"


def test_without_its_corpus_what_needs_it_is_not_measured(corpus: Path, tmp_path: Path) -> None:
    planted = {
        ("silent", "task_success"): ratio(0, 1),
        ("scripted", "heard_wer"): ratio(2, 4),
        ("scripted", "task_success"): ratio(1, 1),
        ("scripted", "stall_s"): value(0.2),
    }
    lost_corpus = shutil.copytree(corpus, tmp_path / "corpus")
    run = run_of(lost_corpus, planted)
    (lost_corpus / "conversations.jsonl").unlink()
    found = audit(Numbers(Contents(run)))
    states = {(r.control.system, r.metric): r.observed for r in found.rows}
    for place in planted:
        lost = place[1] != "stall_s"
        assert states[place].state == ("not measured" if lost else "held")
        assert (states[place].note == "the corpus is not at hand") == lost


def test_a_scripted_control_without_a_voice_is_not_judged(corpus: Path) -> None:
    run = run_of(corpus, {("scripted", "task_success"): ratio(0, 1)})
    for cell in run.about["cells"]:
        cell["info"]["parameters"] = {**PLANTED, "wav": None, "yield_s": None}
    found = audit(Numbers(Contents(run)))
    success = row_of(found, "scripted", "task_success").observed
    assert success.state == "not measured"
    assert "no voice" in success.note
    assert row_of(found, "scripted", "yield_latency_s").observed.note == "nothing is planted"


def test_a_metric_that_ranks_a_control_above_a_system_is_flagged(corpus: Path) -> None:
    planted = {
        ("alpha", "stall_s"): value(0.2),
        ("beta", "stall_s"): value(0.05),
        ("toggle", "stall_s"): value(0.12),
        ("parrot", "stall_s"): value(0.3),
        ("alpha", "task_success"): ratio(1, 1),
        ("toggle", "task_success"): ratio(0, 1),
        ("alpha", "yield_rate_shuffled"): corpus_value(0.1, 0.0, 0.2),
        ("toggle", "yield_rate_shuffled"): corpus_value(0.9, 0.8, 1.0),
    }
    run = run_of(corpus, planted, ("alpha", "beta"))
    (found,) = audit(Numbers(Contents(run))).rankings
    assert found.spec.name == "stall_s"
    assert [entry.cell.system for entry in found.above] == ["toggle"]
    assert [entry.cell.system for entry in found.below] == ["alpha"]
    (told,) = [c for c in cautions(Numbers(Contents(run))) if "a control that" in c.text]
    assert told.details == ("stall_s: toggle 0.12 above alpha 0.20",)


def test_no_controls_no_audit(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, {("alpha", "stall_s"): value(0.2)})
    found = audit(Numbers(Contents(run)))
    assert found == Audit((), (), ())
    assert audit_text(found) == []
    assert "Controls:" not in to_text(run)
    run = dataclasses.replace(run, directory=RunDirectory(tmp_path))
    assert "This run has no controls" in write_report(run).read_text(encoding="utf-8")


@pytest.fixture
def shown(corpus: Path) -> Run:
    planted = {
        ("alpha", "task_success"): ratio(1, 1),
        ("alpha", "stall_s"): value(0.2),
        ("silent", "task_success"): shares(0, 1, 0, 0, 0, 0, 1, 1),
        ("silent", "log_f0_rmse_cents"): skipped("no reply"),
        ("silent", "style_preservation"): skipped("no reply"),
        ("toggle", "cutoff_rate"): ratio(1, 1),
        ("toggle", "stall_s"): value(0.12),
    }
    return run_of(corpus, planted)


def test_the_text_ends_with_the_audit(shown: Run) -> None:
    text = to_text(shown)
    assert max(map(len, text.splitlines())) <= 120
    tail = text[text.index("Controls: what they must score") :]
    (view,) = audit_views(audit(Numbers(Contents(shown))))
    assert view.verdict == "3 of 12 requirements are held, 1 violated, 8 not measured"
    assert tail.startswith(f"Controls: what they must score; {view.verdict}")
    lines = {tuple(line.split()[:2]): line for line in tail.splitlines() if line}
    assert lines["silent", "task_success"].split()[-1] == "violated"
    assert "0.17" in lines["silent", "task_success"]
    assert "violated by silent: task_success must be 0 where silence is wrong, and is" in tail
    assert lines["toggle", "cutoff_rate"].split()[-2:] == ["8", "held"]
    assert lines["silent", "log_f0_rmse_cents"].split()[-1] == "held"
    assert "+1" in lines["silent", "log_f0_rmse_cents"]
    assert lines["stall_s", "↓"].split() == ["stall_s", "↓", "toggle", "alpha"]
    assert "not in this run: always_talking, parrot, random_reply, scripted" in tail


def test_the_page_shows_every_row(shown: Run, tmp_path: Path) -> None:
    page = write_report(dataclasses.replace(shown, directory=RunDirectory(tmp_path)))
    source = page.read_text(encoding="utf-8")
    (view,) = audit_views(audit(Numbers(Contents(shown))))
    section = source[source.index('id="controls"') : source.index('id="conversations"')]
    assert section.count("<tr><td>") == len(view.rows)
    assert section.count('class="violated"') == 1
    assert section.count('class="held"') == sum(row.state == "held" for row in view.rows)
    assert "1 metric: stall_s" in section
    table = (page.parent / "tables" / "controls.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == len(view.rows) + 1
    assert "corpus,clean,silent,task_success,0 where silence is wrong,0.1666" in table[2]
    (told,) = [c for c in cautions(Numbers(Contents(shown))) if "as they must" in c.text]
    assert told.details[0].startswith("silent, task_success: 0.17")
