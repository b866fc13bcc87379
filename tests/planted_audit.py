"""Runs in memory whose controls scored what a test plants."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascadence.measurement import (
    Measurement,
    MetricSpec,
    ratio,
    value,
)
from cascadence.reports.audit import Audit, AuditRow, audit
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from cascadence.results import Row, Run
from cascadence.run_directory import Key, RunDirectory
from corpus_folder import conversation, write_corpus
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


def audit_corpus(folder: Path) -> Path:
    """Write conversations of one turn; the last ones expect silence."""
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
