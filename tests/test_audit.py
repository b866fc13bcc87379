"""The audit of the controls: every requirement is planted held, violated and not measured."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from cascadence.measurement import (
    Measurement,
    censored,
    failed,
    ratio,
    skipped,
    value,
)
from cascadence.reports.audit import COMBINED, REQUIREMENTS, audit
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from corpus_folder import SPEECH_S
from planted_audit import (
    CONTROLS,
    COUNT,
    PLANTED,
    SPECS,
    TOGGLE,
    audit_corpus,
    audited,
    corpus_value,
    row_of,
    run_of,
    shares,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audit_corpus(tmp_path_factory.mktemp("audit") / "corpus")


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
        assert states[place].state == "not measured"
        assert states[place].note == "the corpus is not at hand"


def test_a_scripted_control_without_a_voice_is_not_judged(corpus: Path) -> None:
    run = run_of(corpus, {("scripted", "task_success"): ratio(0, 1)})
    for cell in run.about["cells"]:
        cell["info"]["parameters"] = {**PLANTED, "wav": None, "yield_s": None}
    found = audit(Numbers(Contents(run)))
    success = row_of(found, "scripted", "task_success").observed
    assert success.state == "not measured"
    assert "no voice" in success.note
    assert row_of(found, "scripted", "yield_latency_s").observed.note == "nothing is planted"
