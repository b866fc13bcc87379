"""EVA records: two channels and two logs by the wall clock, from the folder to scored times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.conversation import AfterReply, BargeIn
from cascadence.corpus import open_corpus
from cascadence.data_manifests.importers.eva import agent_of, log_offset_s
from cascadence.experiment import score_run
from cascadence.importing import BadDataset, import_named
from cascadence.results import Run, load_run
from cascadence.validation import validate
from planted_run import speech

RATE = 24_000
NEAR_S = 0.02
WALL_S = 1_772_403_700.0
"""The wall clock when the sound begins."""
USER_S = [(3.0, 5.2), (10.0, 12.5), (16.1, 17.4)]
AGENT_S = [(0.5, 2.0), (6.4, 8.9), (13.3, 16.6), (18.5, 20.0)]
SAID = ["Hi, I need to change my flight.", "[slow] Zulu.  Kilo.", "No, the other one."]
LENGTH_S = 21.0


class Quiet:
    def scoring(self, done: int, total: int, what: str) -> None:
        pass


def caller_log(user: str, agent: str, jitter_s: float = 0.0) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"timestamp": 1000 * WALL_S, "type": "connection_state", "data": {}}
    ]
    for who, spans_s in ((user, USER_S), (agent, AGENT_S)):
        for span_s in spans_s:
            for edge, t_s in zip(("audio_start", "audio_end"), span_s, strict=True):
                rows.append(
                    {"event_type": edge, "user": who, "audio_timestamp": WALL_S + t_s + jitter_s}
                )
    for span_s, text in zip(USER_S, SAID, strict=True):
        said_ms = round(1000 * (WALL_S + span_s[0] + 0.2))
        rows.append({"timestamp": said_ms, "type": "user_speech", "data": {"text": text}})
    return sorted(rows, key=lambda row: row.get("audio_timestamp", row.get("timestamp", 0) / 1000))


def audit_log() -> dict[str, Any]:
    def row(kind: str, value: Any, t_s: float) -> dict[str, Any]:
        return {
            "message_type": kind,
            "value": value,
            "timestamp": str(round(1000 * (WALL_S + t_s))),
        }

    return {
        "transcript": [
            row("user", "hi i need to change my flight", 5.4),
            row("llm_call", {"response": "Sure."}, 6.0),
            row("assistant", "Sure. What is the code?", 6.0),
            row("user", "zulu kilo", 12.7),
            row("tool_call", {"tool": "get_reservation", "parameters": {"code": "ZK"}}, 12.9),
            row("assistant", "I have found it.", 13.0),
            row("user", "no the other", 17.6),
            {"message_type": "assistant", "value": "never", "timestamp": "junk"},
            "junk",
        ]
    }


def record(folder: Path, log: str, rows: list[dict[str, Any]], hz: float = 150.0) -> None:
    folder.mkdir(parents=True)
    sides = {"audio_user": (USER_S, hz), "audio_assistant": (AGENT_S, 240.0)}
    for name, (spans_s, pitch) in sides.items():
        sound = speech(spans_s, LENGTH_S, RATE, pitch)
        soundfile.write(str(folder / f"{name}.wav"), sound.samples, RATE)
    lines = [json.dumps(row) for row in rows]
    (folder / log).write_text("\n".join([*lines, "{", "[]"]))
    (folder / "audit_log.json").write_text(json.dumps(audit_log()))
    (folder / "result.json").write_text("{}")


def plant(folder: Path) -> Path:
    records = folder / "records"
    record(
        records / "1.1.2" / "trial_0",
        "user_simulator_events.jsonl",
        caller_log("simulated_user", "assistant"),
    )
    record(
        records / "1.1.3",
        "elevenlabs_events.jsonl",
        caller_log("elevenlabs_user", "framework_agent"),
    )
    (records / "1.1.3" / "audit_log.json").unlink()
    record(records / "2.1", "user_simulator_events.jsonl", [])
    (records / "2.2").mkdir()
    (records / "2.2" / "result.json").write_text("{}")
    (records / "2.2" / "audio_mixed.wav").write_bytes(b"mixed")
    model = {"llm": "gpt-x", "stt": "ears", "tts": "mouth", "s2s": None}
    (folder / "config.json").write_text(json.dumps({"run_id": "r", "model": model}))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("eva")
    done = import_named("eva", plant(folder / "data"), folder / "run")
    names = ["response_gap_s", "yield_latency_s", "first_token_s", "heard_s", "heard_wer"]
    score_run(done.folder, names, Quiet())  # type: ignore[arg-type]
    return load_run(done.folder)


def values(run: Run, metric: str) -> list[float]:
    rows = [
        row for row in run.rows if row.metric == metric and row.conversation_id == "1.1.2-trial_0"
    ]
    found = [row.measurement.quantity for row in rows if row.measurement.status == "ok"]
    return [quantity.x for quantity in found]  # type: ignore[union-attr]


def test_records_of_both_versions_come_in(run: Run) -> None:
    (cell,) = run.cells
    assert (cell["system_name"], cell["info"]["kind"]) == ("ears+gpt-x+mouth", "cascade")
    corpus = open_corpus(cell["corpus_path"])
    assert [one.id for one in corpus] == ["1.1.2-trial_0", "1.1.3"]
    for one in corpus:
        assert [turn.text for turn in one.turns] == [SAID[0], "Zulu. Kilo.", SAID[2]]
        assert [type(turn.when) for turn in one.turns] == [AfterReply, AfterReply, BargeIn]
    for row in run.results.values():
        played = [(turn["speech_start_s"], turn["speech_end_s"]) for turn in row["turns"]]
        assert np.asarray(played) == pytest.approx(np.asarray(USER_S), abs=NEAR_S)
    assert not [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]


def test_planted_times_are_measured_and_unknown_ones_skipped(run: Run) -> None:
    expected_s = [6.4 - 5.2, 13.3 - 12.5, 18.5 - 17.4]
    assert values(run, "response_gap_s") == pytest.approx(expected_s, abs=NEAR_S)
    assert values(run, "yield_latency_s") == pytest.approx([16.6 - 16.1], abs=NEAR_S)
    assert values(run, "first_token_s") == []
    assert values(run, "heard_s") == []


def test_what_the_agent_understood_said_and_called_is_kept(run: Run) -> None:
    row = run.results["ears_gpt-x_mouth--corpus", "1.1.2-trial_0", 0]
    kinds = [event["kind"] for event in row["events"]]
    assert kinds == ["heard", "text", "tool_call", "heard", "text", "heard"]
    assert row["events"][2]["t_s"] == pytest.approx(12.9, abs=0.1)
    assert row["events"][2]["data"] == {"name": "get_reservation", "arguments": {"code": "ZK"}}
    errors = [
        measured.measurement.quantity.numerator  # type: ignore[union-attr]
        for measured in run.rows
        if measured.metric == "heard_wer" and measured.conversation_id == "1.1.2-trial_0"
    ]
    assert errors == [0.0, 0.0, 1.0]
    silent = run.results["ears_gpt-x_mouth--corpus", "1.1.3", 0]
    assert silent["events"] == []


def test_what_cannot_be_scored_is_said(run: Run, tmp_path: Path) -> None:
    done = import_named("eva", plant(tmp_path / "data"), tmp_path / "run")
    said = {problem.file: problem.what for problem in done.problems if not problem.line}
    assert set(said) == {"records/1.1.3", "records/2.1", "records/2.2"}
    assert "what the agent did is unknown" in said["records/1.1.3"]
    assert "tells no speech" in said["records/2.1"]
    assert "audio_user.wav" in said["records/2.2"]
    assert done.count == 2


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("wall_s", [0.0, WALL_S])
def test_the_log_s_clock_is_found(noise: float, wall_s: float) -> None:
    sound = speech(USER_S, LENGTH_S, 16_000, 150.0)
    disturbed = sound.samples + noise * np.random.default_rng(3).standard_normal(len(sound))
    user = type(sound)(disturbed.astype(np.float32), sound.sample_rate)
    spans_s = [(wall_s + start, wall_s + end + 0.3) for start, end in USER_S]
    assert log_offset_s(spans_s, user) == pytest.approx(-wall_s, abs=0.35)


def test_the_architecture_is_told_by_the_services() -> None:
    assert agent_of({"s2s": "openai"}) == ("openai", "end_to_end")
    assert agent_of({"s2s": "elevenlabs"}) == ("elevenlabs", "cascade")
    assert agent_of({"llm_model": "a", "stt_model": "b", "tts_model": "c"}) == ("b+a+c", "cascade")
    assert agent_of({}) == ("agent", "")


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="user_simulator_events"):
        import_named("eva", tmp_path, tmp_path / "run")
