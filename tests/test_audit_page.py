"""The audit of the controls as a reader sees it: rankings, text and page."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cascadence.measurement import (
    ratio,
    skipped,
    value,
)
from cascadence.reports.audit import Audit, audit
from cascadence.reports.audit_views import audit_views
from cascadence.reports.cautions import cautions
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from cascadence.reports.page import write_report
from cascadence.reports.tables import audit_text, to_text
from cascadence.results import Run
from cascadence.run_directory import RunDirectory
from planted_audit import (
    audit_corpus,
    corpus_value,
    run_of,
    shares,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_corpus(tmp_path_factory.mktemp("audit") / "corpus")


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
