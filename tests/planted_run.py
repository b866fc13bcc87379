"""Writes a run directory for the report's tests: planted sound, planted numbers, hostile names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cascadence.audio import Audio, write_audio
from cascadence.measurement import (
    Measurement,
    MetricSpec,
    censored,
    failed,
    ratio,
    skipped,
    value,
)
from cascadence.results import Row, row_to_json
from cascadence.run_directory import RunDirectory, read_lines, write_lines

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
USER_SPEECH_S = (0.5, 1.5)
GAPS_S: Mapping[str, tuple[float | None, ...]] = {
    "alpha": (0.40, 0.60, 0.80),
    "beta": (-0.25, 1.20, None),
    "silent": (None, None, None),
}
"""Response gap by system and conversation; ``None`` is a reply that never came."""
PATIENCE_S = 3.0
STEPS = {
    "endpointing_delay_s": 0.25,
    "heard_s": 0.5,
    "first_token_s": 0.6,
    "first_audio_s": 0.9,
    "onset_s": 1.0,
}
"""Where in the gap each stage ends, as a share of it."""
HOSTILE_NAME = f"beta{SCRIPT}"
"""How the tables call ``beta``."""
SPECS = (
    MetricSpec(
        "response_gap_s", "latency", "s", "lower", (-60.0, 600.0), "turn", summary="survival"
    ),
    MetricSpec("rtf", "latency", "ratio", "lower", (0.0, 1e9), "turn", summary="ratio"),
    *(
        MetricSpec(name, "latency", "s", "lower", (-60.0, 600.0), "turn")
        for name in ("endpointing_delay_s", "heard_s", "first_token_s", "first_audio_s", "onset_s")
    ),
    MetricSpec("task_success", "task", "ratio", "higher", (0.0, 1.0), "turn", summary="ratio"),
    MetricSpec(
        "reply_wer", "intelligibility", "ratio", "lower", (0.0, 1e9), "turn", summary="ratio"
    ),
    MetricSpec("contrast_gain_f0", "paralinguistics", "ratio", "higher", (-1e9, 1e9), "corpus"),
)


def speech(spans_s: list[tuple[float, float]], duration_s: float, rate: int, hz: float) -> Audio:
    """A tone in each span, silence elsewhere."""
    times = np.arange(round(duration_s * rate)) / rate
    inside = np.zeros(len(times), dtype=bool)
    for start_s, end_s in spans_s:
        inside |= (times >= start_s) & (times < end_s)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * times)
    samples = 0.3 * swell * np.sin(2 * np.pi * hz * times) * inside
    return Audio(samples.astype(np.float32), rate)


def plant_corpus(folder: Path) -> Path:
    """Three conversations, the second with hostile text and an expectation to break things."""
    folder.mkdir(parents=True)
    info = 'title = "Planted"\nlicence = "CC0-1.0"\nsource = "made by a test"\n'
    (folder / "corpus.toml").write_text(info, encoding="utf-8")
    texts = ("set a timer for five minutes", f"call {SCRIPT}", "what is the time")
    lines = [
        {
            "id": f"c{number}",
            "tags": ["timer"] if number == 0 else ["other"],
            "licence": "CC0-1.0",
            "source": "made by a test",
            "turns": [
                {
                    "text": text,
                    "audio": {"path": "clip.flac"},
                    "speech_s": list(USER_SPEECH_S),
                    "expect": {"slots": {"minutes": ["5", IMAGE]}, "contains": ["timer"]},
                }
            ],
        }
        for number, text in enumerate(texts)
    ]
    manifest = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "conversations.jsonl").write_text(manifest, encoding="utf-8")
    write_audio(folder / "clip.flac", speech([USER_SPEECH_S], 1.8, 16_000, 150.0))
    return folder


def plant_run(folder: Path, *, measured: bool = True) -> Path:
    """Two systems and a control in three conversations; beta fails in a second repeat of c2.

    Returns:
        The run directory.
    """
    corpus = plant_corpus(folder / "corpus")
    directory = RunDirectory(folder / "runs" / "planted")
    with directory:
        directory.write_run(about(corpus))
        for system, gaps_s in GAPS_S.items():
            for number, gap_s in enumerate(gaps_s):
                _plant_recording(directory, system, f"c{number}", gap_s)
        directory.append(
            {
                "fingerprint": "f",
                "status": "failed",
                "conversation_id": "c2",
                "cell": "beta--corpus",
                "repeat": 1,
                "reason": f"ValueError: {IMAGE}",
                "trace": "",
            }
        )
        if measured:
            write_lines(directory.measurements_path, map(row_to_json, planted_rows()))
    return directory.path


def add_condition(path: Path, name: str) -> Path:
    """Let a planted run have a second condition, in which everything came out the same."""
    directory = RunDirectory(path)
    content = directory.read_run()
    condition = {"name": name, "noise": {"kind": "babble", "snr_db": 10.0}}
    for cell in list(content["cells"]):
        heard = f"{cell['name']}--{name}"
        content["cells"].append({**cell, "name": heard, "condition": condition})
        shutil.copytree(path / "audio" / cell["name"], path / "audio" / heard)
    directory.write_run(content)
    for file in (directory.results_path, directory.measurements_path):
        rows = read_lines(file)
        write_lines(file, [*rows, *({**row, "cell": f"{row['cell']}--{name}"} for row in rows)])
    return path


def about(corpus: Path) -> dict[str, Any]:
    """What the runner would have written into ``run.json``."""
    kinds = {"alpha": "cascade", "beta": "end_to_end", "silent": "control"}
    cells = [
        {
            "name": f"{system}--corpus",
            "system_name": HOSTILE_NAME if system == "beta" else system,
            "system": system,
            "parameters": {"voice": IMAGE} if system == "alpha" else {},
            "corpus": {"corpus": "corpus", "limit": None},
            "corpus_path": str(corpus),
            "corpus_sha256": "0" * 64,
            "clock": "virtual",
            "conversations": 3,
            "info": {
                "name": system,
                "kind": kind,
                "duplex": "half",
                "output_rate": 22_050,
                "licence": f"MIT {SCRIPT}",
                "revision": "r1",
                "remark": f"trained in this domain {IMAGE}" if system == "beta" else "",
                "sees_answers": kind == "control",
                "parts": [],
            },
            "cost": {
                "wall_s": 10.0,
                "load_s": 2.0,
                "compute_s": 7.5,
                "played": 3,
                "failed": 0,
                "restarts": 0,
                "overhead_share": 0.0625,
            },
        }
        for system, kind in kinds.items()
    ]
    specs = [
        {
            "name": spec.name,
            "family": spec.family,
            "unit": spec.unit,
            "direction": spec.direction,
            "range": list(spec.range),
            "level": spec.level,
            "needs": [],
            "reference": "arXiv 2503.04721",
            "version": "1",
            "summary": spec.summary,
            "doc": f"What {spec.name} says. {SCRIPT}",
        }
        for spec in SPECS
    ]
    return {
        "name": "planted",
        "status": "finished",
        "started_at": "2026-11-22T10:00:00+00:00",
        "finished_at": "2026-11-22T10:05:00+00:00",
        "sweep": {"name": "planted", "description": f"Asked {SCRIPT}", "seed": 7, "repeats": 1},
        "machine": {"processor": "planted processor", "cores": 2, "packages": {"numpy": "2.0"}},
        "calibration": {"matmul_gflops": 50.0},
        "source": {"revision": "abc123", "dirty": True},
        "cells": cells,
        "metrics": specs,
        "failed": 1,
    }


def planted_rows() -> list[Row]:
    """Every kind of measurement: plain, ratio, censored, skipped, failed, and of a corpus."""
    rows = []
    for system, gaps_s in GAPS_S.items():
        for number, gap_s in enumerate(gaps_s):
            rows += _rows(system, f"c{number}", gap_s)
    rows.append(_row("beta", "", "contrast_gain_f0", failed(f"ZeroDivisionError: {IMAGE}")))
    gain = Measurement("ok", value(0.47).quantity, interval=(0.31, 0.63), n=12)
    rows.append(_row("alpha", "", "contrast_gain_f0", gain))
    rows.append(_row("silent", "", "contrast_gain_f0", skipped("no reply to measure")))
    return rows


def _rows(system: str, conversation_id: str, gap_s: float | None) -> list[Row]:
    gap = censored(PATIENCE_S) if gap_s is None else value(gap_s)
    rows = [_row(system, conversation_id, "response_gap_s", gap.on_turn(0))]
    if gap_s is None:
        nothing = skipped("no reply").on_turn(0)
        rows += [_row(system, conversation_id, name, nothing) for name in ("rtf", "reply_wer")]
    else:
        errors = ratio(1, 4, hypothesis=f"five {SCRIPT} timer").on_turn(0)
        rows.append(_row(system, conversation_id, "rtf", ratio(0.1, 1.0).on_turn(0)))
        rows.append(_row(system, conversation_id, "reply_wer", errors))
        for name, share in STEPS.items():
            if system == "alpha" or name in ("endpointing_delay_s", "onset_s"):
                step = value(gap_s * share).on_turn(0)
                rows.append(_row(system, conversation_id, name, step))
    passed = gap_s is not None and gap_s > 0.5
    said = "" if gap_s is None else f"five {SCRIPT} timer"
    unmet = [] if passed else ["slot minutes"]
    success = ratio(passed, 1, transcript=said, unmet=unmet).on_turn(0)
    rows.append(_row(system, conversation_id, "task_success", success))
    return rows


def _row(system: str, conversation_id: str, metric: str, measurement: Measurement) -> Row:
    cell = f"{system}--corpus"
    return Row(cell, conversation_id, 0, metric, f"{metric}@1", "f", measurement)


def _plant_recording(
    directory: RunDirectory, system: str, conversation_id: str, gap_s: float | None
) -> None:
    start_s, end_s = USER_SPEECH_S
    duration_s = 6.0
    key = (f"{system}--corpus", conversation_id, 0)
    reply = [] if gap_s is None else [(end_s + gap_s, end_s + gap_s + 1.2)]
    write_audio(
        directory.audio_path(key, "user"), speech([(start_s, end_s)], duration_s, 16_000, 150)
    )
    write_audio(directory.audio_path(key, "system"), speech(reply, duration_s, 22_050, 220))
    events: list[dict[str, Any]] = []
    if gap_s is not None:
        said = f"here is {IMAGE} for you"
        events = [
            {
                "t_s": end_s + gap_s / 4,
                "kind": "mark",
                "data": {"stage": "endpoint", "edge": "end"},
            },
            {"t_s": end_s + gap_s / 3, "kind": "heard", "data": {"text": f"call {SCRIPT}"}},
            {"t_s": end_s + gap_s / 2, "kind": "text", "data": {"text": said}},
            {
                "t_s": end_s + gap_s,
                "kind": "audio",
                "data": {"start_s": end_s + gap_s, "duration_s": 1.2},
            },
        ]
    stalls = [{"start_s": 2.9, "duration_s": 0.2}] if system == "beta" and gap_s else []
    directory.append(
        {
            "fingerprint": "f",
            "status": "ok",
            "conversation_id": conversation_id,
            "cell": key[0],
            "repeat": 0,
            "clock": "virtual",
            "duration_s": duration_s,
            "compute_s": 0.1,
            "contended": False,
            "turns": [
                {
                    "index": 0,
                    "start_s": 0.0,
                    "speech_start_s": start_s,
                    "speech_end_s": end_s,
                    "trigger": "start",
                }
            ],
            "events": events,
            "stalls": stalls,
        }
    )
