"""Playing a sweep for real, in worker processes: failures, resume, and kills at any moment."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascadence.corpus import open_corpus
from cascadence.experiment import Finished, run_experiment, score_run
from cascadence.results import load_run
from cascadence.run_directory import RunBusy, RunDirectory
from cascadence.runner import ChangedConfiguration
from cascadence.scoring import _case
from cascadence.sweep import Sweep
from corpus_folder import conversation, encode, write_corpus
from planted_reading import replies_s

SYSTEMS = Path(__file__).with_name("planted_systems.py")


class Quiet:
    """Progress that remembers what was noted."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.played = 0

    def cell(self, name: str, total: int, done: int) -> None: ...
    def loading(self, name: str) -> None: ...
    def scoring(self, done: int, total: int, what: str) -> None: ...
    def fetching(self, artefact: object, done: int, total: int | None) -> None: ...
    def conversation(self, cell: str, status: str, reason: str) -> None:
        self.played += 1

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    return write_corpus(folder, [conversation(folder, f"c{i}", turns=1 + i % 2) for i in range(6)])


def sweep(corpus: Path, *systems: Mapping[str, Any] | str, **changes: Any) -> Sweep:
    entries = [
        {"name": name, "system": f"{SYSTEMS}:{name}"} if isinstance(name, str) else name
        for name in systems
    ]
    content = {"name": "r", "corpora": [str(corpus)], "systems": entries, **changes}
    return Sweep.model_validate(content)


def execute(
    asked: Sweep, tmp_path: Path, progress: Quiet | None = None, **options: Any
) -> Finished:
    return run_experiment(
        asked, tmp_path, tmp_path / "runs", progress or Quiet(), measure=False, **options
    )


def outcomes(tmp_path: Path) -> dict[Any, Any]:
    """Every result, without what may differ between two runs of the same."""
    kept = ("fingerprint", "status", "turns", "reason")
    results = load_run(tmp_path / "runs" / "r").results
    return {key: {k: row.get(k) for k in kept} for key, row in results.items()}


def test_every_conversation_is_on_disk_with_both_channels(corpus: Path, tmp_path: Path) -> None:
    finished = execute(sweep(corpus, "Echoing", repeats=2), tmp_path)
    run = load_run(finished.directory)
    assert finished.failed == 0
    assert len(run.results) == 12
    assert run.about["status"] == "finished"
    cost = run.about["cells"][0]["cost"]
    assert cost["played"] == 12
    assert 0.0 <= cost["overhead_share"] <= 1.0
    for row in run.results.values():
        recording = run.directory.recording(row)
        assert recording.system.sample_rate == 16_000
        gap = replies_s(recording, recording.turns[0])[0][0] - recording.turns[0].speech_end_s
        # A busy machine makes the answer late; the clock counts that as the system's compute.
        assert 0.3 - 0.03 <= gap <= 0.3 + recording.compute_s + 0.03


def test_a_second_run_plays_nothing(corpus: Path, tmp_path: Path) -> None:
    asked = sweep(corpus, "Echoing")
    execute(asked, tmp_path)
    before = (tmp_path / "runs/r/conversations.jsonl").read_bytes()
    progress = Quiet()
    execute(asked, tmp_path, progress)
    assert progress.played == 0
    assert (tmp_path / "runs/r/conversations.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("how", "limit_s", "reason"),
    [
        ("raise", 300.0, "ValueError: planted failure"),
        ("hang", 4.0, "no answer within 4 s"),
        ("die", 300.0, "signal 9"),
    ],
)
def test_trouble_costs_that_conversation_alone(
    corpus: Path, tmp_path: Path, how: str, limit_s: float, reason: str
) -> None:
    troubled = {"name": "t", "system": f"{SYSTEMS}:Troubled", "parameters": {"how": how}}
    finished = execute(sweep(corpus, troubled, "Echoing", time_limit_s=limit_s), tmp_path)
    run = load_run(finished.directory)
    by_status: dict[str, list[Any]] = {"ok": [], "failed": []}
    for (cell, _, _), row in run.results.items():
        if cell.startswith("t--"):
            by_status[row["status"]].append(row)
        else:
            assert row["status"] == "ok"
    assert by_status["ok"]
    assert by_status["failed"]
    assert finished.failed == len(by_status["failed"])
    assert all(reason in row["reason"] for row in by_status["failed"])


def test_what_failed_is_tried_again(corpus: Path, tmp_path: Path) -> None:
    flaky = tmp_path / "flaky.py"
    marker = tmp_path / "mended"
    flaky.write_text(
        f"import sys, pathlib\nsys.path.insert(0, {str(SYSTEMS.parent)!r})\n"
        "from planted_systems import Echoing\n"
        "class Flaky(Echoing):\n"
        "    def answer(self, text):\n"
        f"        assert pathlib.Path({str(marker)!r}).exists(), 'not yet'\n"
        "        yield from super().answer(text)\n"
    )
    asked = sweep(corpus, {"name": "f", "system": "flaky.py:Flaky"})
    assert execute(asked, tmp_path).failed == 6
    marker.touch()
    progress = Quiet()
    assert execute(asked, tmp_path, progress).failed == 0
    assert progress.played == 6


def test_a_system_that_cannot_load_says_why(corpus: Path, tmp_path: Path) -> None:
    finished = execute(sweep(corpus, "Unloadable", "Echoing"), tmp_path)
    rows = load_run(finished.directory).results
    reasons = {row.get("reason") for key, row in rows.items() if key[0].startswith("Unloadable")}
    assert reasons == {"loading: OSError: no such model"}
    assert finished.failed == 6


def test_printing_does_not_break_the_worker(corpus: Path, tmp_path: Path) -> None:
    finished = execute(sweep(corpus, "Chatty"), tmp_path)
    assert finished.failed == 0
    assert "xxx" in (finished.directory / "logs/Chatty--corpus.log").read_text()


def test_another_configuration_is_never_mixed_in(corpus: Path, tmp_path: Path) -> None:
    def with_level(level: float) -> Sweep:
        entry = {"name": "e", "system": f"{SYSTEMS}:Echoing", "parameters": {"level": level}}
        return sweep(corpus, entry)

    execute(with_level(0.1), tmp_path)
    with pytest.raises(ChangedConfiguration, match="6 results"):
        execute(with_level(0.2), tmp_path)
    progress = Quiet()
    execute(with_level(0.2), tmp_path, progress, replace=True)
    assert progress.played == 6


def test_a_larger_sweep_keeps_what_is_there_and_a_smaller_one_loses_nothing(
    corpus: Path, tmp_path: Path
) -> None:
    execute(sweep(corpus, "Echoing"), tmp_path)
    progress = Quiet()
    execute(sweep(corpus, "Echoing", "Chatty"), tmp_path, progress)
    assert progress.played == 6
    execute(sweep(corpus, "Chatty"), tmp_path)
    assert len(outcomes(tmp_path)) == 12


def test_a_bad_line_is_named_and_the_rest_goes_on(corpus: Path, tmp_path: Path) -> None:
    path = corpus / "conversations.jsonl"
    broken = conversation(corpus, "c9", language=7)
    missing = conversation(corpus, "c8")
    (corpus / missing["turns"][0]["audio"]["path"]).unlink()
    path.write_bytes(path.read_bytes() + encode(broken) + encode(missing) + b'{"id": "torn')
    progress = Quiet()
    finished = execute(sweep(corpus, "Echoing"), tmp_path, progress)
    rows = load_run(finished.directory).results
    assert sum(row["status"] == "ok" for row in rows.values()) == 6
    told = "\n".join([*progress.notes, *(str(row.get("reason", "")) for row in rows.values())])
    assert "conversations.jsonl:7" in told
    assert "language" in told
    assert "conversations.jsonl:8" in told
    assert "conversations.jsonl:9" in told


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "r"), pytest.raises(RunBusy), RunDirectory(tmp_path / "r"):
        pass


def test_a_torn_last_line_is_dropped_and_told(corpus: Path, tmp_path: Path) -> None:
    asked = sweep(corpus, "Echoing")
    execute(asked, tmp_path)
    path = tmp_path / "runs/r/conversations.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    progress = Quiet()
    execute(asked, tmp_path, progress)
    assert progress.played == 1
    assert any("torn" in note for note in progress.notes)
    assert len(outcomes(tmp_path)) == 6


def test_workers_side_by_side_give_the_same_and_are_marked(corpus: Path, tmp_path: Path) -> None:
    execute(sweep(corpus, "Echoing", "Chatty", workers=2), tmp_path)
    results = load_run(tmp_path / "runs" / "r").results
    assert len(results) == 12
    assert all(row["contended"] for row in results.values())


def test_scoring_again_needs_no_system(corpus: Path, tmp_path: Path) -> None:
    metric = tmp_path / "length.py"
    metric.write_text(
        "from cascadence.measurement import metric, value\n"
        "@metric(family='x', unit='s', direction='lower', range=(0, 9), level='conversation')\n"
        "def length_s(case, tools):\n"
        "    '''Length of the conversation.'''\n"
        "    return value(case.recording.duration_s)\n"
        "@metric(family='x', unit='s', direction='lower', range=(0, 9), level='conversation')\n"
        "def broken(case, tools):\n"
        "    '''Cannot be measured.'''\n"
        "    return value(float('nan'))\n"
        "@metric(family='latency', unit='n', direction='lower', range=(0, 9), level='corpus')\n"
        "def cases(cases, tools):\n"
        "    '''How many.'''\n"
        "    return value(len(cases))\n"
    )
    names = [f"{metric}:length_s", f"{metric}:broken", f"{metric}:cases"]
    finished = execute(sweep(corpus, "Echoing", "Unloadable", metrics=names), tmp_path)
    score_run(finished.directory, [], Quiet())
    run = load_run(finished.directory)
    lengths = list(run.rows_of("Echoing--corpus", "length_s"))
    assert [row.measurement.status for row in lengths] == ["ok"] * 6
    failures = [row.measurement for row in run.rows_of("Echoing--corpus", "broken")]
    assert all(m.status == "failed" and "finite" in m.reason for m in failures)
    (count,) = run.rows_of("Echoing--corpus", "cases")
    assert count.measurement.quantity is not None
    assert count.measurement.quantity.x == 6  # type: ignore[union-attr]
    gone = [row.measurement for row in run.rows_of("Unloadable--corpus", "length_s")]
    assert {m.reason for m in gone} == {"loading: OSError: no such model"}


CONDITIONS = ("clean", {"name": "noisy", "noise": {"kind": "pink", "snr_db": 5}, "telephone": True})


def test_conditions_play_degraded_sound_with_the_same_boundaries(
    corpus: Path, tmp_path: Path
) -> None:
    finished = execute(sweep(corpus, "Echoing", "Chatty", conditions=CONDITIONS), tmp_path)
    run = load_run(finished.directory)
    assert finished.failed == 0
    assert [cell["name"] for cell in run.cells] == [
        "Echoing--corpus",
        "Echoing--corpus--noisy",
        "Chatty--corpus",
        "Chatty--corpus--noisy",
    ]
    effects = {"noise": {"kind": "pink", "snr_db": 5.0}, "telephone": True}
    assert run.cells[1]["condition"] == {"name": "noisy", **effects}
    assert "condition" not in run.cells[0]
    for (cell, conversation_id, repeat), row in run.results.items():
        assert row.get("condition") == ("noisy" if cell.endswith("noisy") else None)
        heard = run.directory.recording(row)
        twin = run.results[("Echoing--corpus", conversation_id, repeat)]
        clean = run.directory.recording(twin)
        assert row["turns"][0] == twin["turns"][0]
        lead = round(row["turns"][0]["speech_start_s"] * 16_000)
        assert bool(heard.user.samples[:lead].any()) == cell.endswith("noisy")
        if cell == "Chatty--corpus--noisy":
            # Every system hears the same noise, and metrics still get the clean clips.
            other = run.results[("Echoing--corpus--noisy", conversation_id, repeat)]
            same = run.directory.recording(other).user.samples
            length = round(row["turns"][0]["speech_end_s"] * 16_000)
            np.testing.assert_array_equal(heard.user.samples[:length], same[:length])
            case = _case(run.directory, open_corpus(str(corpus)), row)
            clip = case.clips[0].samples
            start = round(row["turns"][0]["start_s"] * 16_000)
            np.testing.assert_array_equal(clip, clean.user.samples[start : start + len(clip)])


def test_conditions_are_resumed_and_added(corpus: Path, tmp_path: Path) -> None:
    execute(sweep(corpus, "Echoing"), tmp_path)
    before = (tmp_path / "runs/r/conversations.jsonl").read_bytes()
    asked = sweep(corpus, "Echoing", conditions=CONDITIONS)
    progress = Quiet()
    execute(asked, tmp_path, progress)
    # What was played before there were conditions is the clean cell.
    assert progress.played == 6
    after = (tmp_path / "runs/r/conversations.jsonl").read_bytes()
    assert after.startswith(before)
    progress = Quiet()
    execute(asked, tmp_path, progress)
    assert progress.played == 0
    assert (tmp_path / "runs/r/conversations.jsonl").read_bytes() == after
    louder = {"name": "noisy", "noise": {"kind": "pink", "snr_db": 0}, "telephone": True}
    with pytest.raises(ChangedConfiguration, match="6 results"):
        execute(sweep(corpus, "Echoing", conditions=[louder]), tmp_path)


def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    corpus = write_corpus(folder, [conversation(folder, f"k{i}") for i in range(50)])
    asked = sweep(
        corpus, {"name": "e", "system": f"{SYSTEMS}:Echoing", "parameters": {"compute_s": 0.01}}
    )
    execute(asked.model_copy(update={"name": "whole"}), tmp_path)
    path = tmp_path / "sweep.json"
    path.write_text(asked.model_dump_json())
    command = [
        *(sys.executable, "-m", "cascadence.cli", "run", str(path)),
        *("--runs", str(tmp_path / "runs"), "--only-play"),
    ]
    generator = random.Random(7)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    results = tmp_path / "runs/r/conversations.jsonl"
    for _ in range(20):
        process = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
        before = results.stat().st_size if results.exists() else 0
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            if results.exists() and results.stat().st_size > before:
                break
            time.sleep(0.01)
        time.sleep(generator.uniform(0.0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, **quiet)  # type: ignore[call-overload]
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert len(lines) == len({line["conversation_id"] for line in lines}) == 50
    whole = load_run(tmp_path / "runs" / "whole").results
    for line in lines:
        twin = whole[("e--corpus", line["conversation_id"], 0)]
        assert line["fingerprint"] == twin["fingerprint"]
        assert line["turns"] == twin["turns"]
        assert line["status"] == twin["status"] == "ok"
