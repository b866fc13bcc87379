"""tau-voice: ticks and stereo sound, from the folder to scored times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.conversation import AfterReply, Aside, Backchannel, BargeIn
from cascadence.corpus import open_corpus
from cascadence.experiment import score_run
from cascadence.importing import BadDataset, import_named
from cascadence.results import load_run
from cascadence.validation import validate
from planted_run import speech

RATE = 8_000
NEAR_S = 0.02
TICK_S = 0.2
GREETING_S = (0.1, 1.3)
USER_S = {"turn": (2.03, 3.47), "backchannel": (5.05, 5.35), "barge_in": (7.25, 8.55)}
AGENT_S = [GREETING_S, (4.17, 7.71), (9.3, 10.7)]
COUGH_S = (11.1, 11.5)
LENGTH_S = 12.4
SAID = {"turn": "I need to change my flight", "backchannel": "uh-huh", "barge_in": "no, wait"}


class Quiet:
    def scoring(self, done: int, total: int, what: str) -> None:
        pass


def chunk(text: str, action: str | None = None) -> dict[str, Any]:
    told = {"role": "user", "content": text, "contains_speech": True}
    return {**told, "turn_taking_action": {"action": action}} if action else told


def ticks() -> list[dict[str, Any]]:
    made = []
    texts = {name: [*text] for name, text in SAID.items()}
    for place in range(round(LENGTH_S / TICK_S)):
        start_s, end_s = place * TICK_S, (place + 1) * TICK_S
        tick: dict[str, Any] = {
            "tick_id": place,
            "timestamp": "2026-01-01T00:00:00",
            "agent_chunk": {"role": "assistant", "content": None, "contains_speech": False},
            "user_chunk": {"role": "user", "content": None, "contains_speech": False},
            "agent_tool_calls": [],
            "tick_duration_seconds": TICK_S,
        }
        for name, (first_s, last_s) in USER_S.items():
            if start_s < last_s and end_s > first_s:
                piece = "".join(texts[name][:4])
                del texts[name][:4]
                tick["user_chunk"] = chunk(piece, "backchannel" if name == "backchannel" else None)
        for number, (first_s, last_s) in enumerate(AGENT_S):
            if start_s < last_s and end_s > first_s:
                said = {"proportional_transcript": f"{'abc'[number]} "}
                tick["agent_chunk"] = {
                    **tick["agent_chunk"],
                    "contains_speech": True,
                    "raw_data": said,
                }
        if place == 18:
            tick["agent_tool_calls"] = [{"name": "find_flight", "arguments": {"to": "Oslo"}}]
        made.append(tick)
    made.append({"tick_id": len(made), "user_chunk": chunk("###STOP###")})
    return made


def plant(folder: Path) -> Path:
    folder.mkdir(parents=True)
    info = {
        "environment_info": {"domain_name": "airline"},
        "agent_info": {"llm": "unused"},
        "audio_native_config": {"provider": "livekit", "model": "cascade-1"},
    }
    (folder / "results.json").write_text(json.dumps({"info": info, "tasks": [], "simulations": []}))
    cough = {"type": "vocal_tic", "text": "[cough]"}
    event = {"effect_type": "out_of_turn_speech", "participant": "user", "params": cough}
    times = {"start_ms": round(1000 * COUGH_S[0]), "end_ms": round(1000 * COUGH_S[1])}
    simulations = {
        "aa": {"ticks": ticks(), "effect_timeline": {"events": [{**event, **times}, 3]}},
        "bb": {"ticks": None, "messages": []},
        "cc": {"ticks": ticks()},
        "dd": {"ticks": ["junk", 5, None]},
    }
    (folder / "simulations").mkdir()
    for name, told in simulations.items():
        whole = {"id": name, "task_id": 7, "trial": 0, "reward_info": {"reward": 1.0}, **told}
        (folder / "simulations" / f"{name}.json").write_text(json.dumps(whole))
    (folder / "simulations" / "ee.json").write_text("{")
    sides = [
        speech([*USER_S.values(), COUGH_S], LENGTH_S, RATE, 150.0),
        speech(AGENT_S, LENGTH_S, RATE, 240.0),
    ]
    for name in ("aa", "dd"):
        audio = folder / "artifacts" / "task_7" / f"sim_{name}" / "audio"
        audio.mkdir(parents=True)
        both = np.stack([side.samples for side in sides], axis=1)
        soundfile.write(str(audio / "both.wav"), both, RATE)
    return folder


def test_a_call_comes_in_with_its_turns(tmp_path: Path) -> None:
    source = plant(tmp_path / "run_1")
    done = import_named("tau_voice", source, tmp_path / "out")
    assert (done.kind, done.count) == ("recordings", 1)
    run = load_run(done.folder)
    (cell,) = run.cells
    assert (cell["system_name"], cell["info"]["kind"]) == ("livekit-cascade-1", "cascade")
    corpus = open_corpus(cell["corpus_path"])
    (one,) = corpus
    assert one.id == "run_1-7-0"
    assert one.tags == ("airline",)
    assert [type(turn.when) for turn in one.turns] == [AfterReply, Backchannel, BargeIn, Aside]
    assert [turn.text for turn in one.turns] == [*SAID.values(), "\N{HORIZONTAL ELLIPSIS}"]
    (row,) = run.results.values()
    played = [(turn["speech_start_s"], turn["speech_end_s"]) for turn in row["turns"]]
    assert np.asarray(played) == pytest.approx(np.asarray([*USER_S.values(), COUGH_S]), abs=NEAR_S)
    assert not [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    left_out = {Path(problem.file).stem: problem.what for problem in done.problems}
    assert set(left_out) == {"bb", "cc", "dd", "ee"}
    assert "text-only" in left_out["bb"]
    assert "both.wav" in left_out["cc"]


def test_planted_times_are_measured_and_unknown_ones_skipped(tmp_path: Path) -> None:
    done = import_named("tau_voice", plant(tmp_path / "run_1"), tmp_path / "out")
    names = [
        "response_gap_s",
        "yield_latency_s",
        "first_token_s",
        "endpointing_delay_s",
        "heard_wer",
    ]
    score_run(done.folder, names, Quiet())  # type: ignore[arg-type]
    run = load_run(done.folder)

    def values(metric: str) -> list[float]:
        rows = [row.measurement for row in run.rows_of("livekit-cascade-1--corpus", metric)]
        return [m.quantity.x for m in rows if m.status == "ok"]  # type: ignore[union-attr]

    expected_s = [AGENT_S[1][0] - USER_S["turn"][1], AGENT_S[2][0] - USER_S["barge_in"][1]]
    assert values("response_gap_s") == pytest.approx(expected_s, abs=NEAR_S)
    yields_s = [AGENT_S[1][1] - USER_S["barge_in"][0]]
    assert values("yield_latency_s") == pytest.approx(yields_s, abs=NEAR_S)
    for metric in ("first_token_s", "endpointing_delay_s", "heard_wer"):
        assert values(metric) == []


def test_words_and_tool_calls_are_events_in_their_turn(tmp_path: Path) -> None:
    done = import_named("tau_voice", plant(tmp_path / "run_1"), tmp_path / "out")
    (row,) = load_run(done.folder).results.values()
    tools = [event for event in row["events"] if event["kind"] == "tool_call"]
    assert [(event["t_s"], event["data"]) for event in tools] == [
        (3.6, {"name": "find_flight", "arguments": {"to": "Oslo"}})
    ]
    texts = [event for event in row["events"] if event["kind"] == "text"]
    assert [event["data"]["text"][0] for event in texts] == ["a", "b", "c"]
    for event, (start_s, end_s) in zip(texts, AGENT_S, strict=True):
        assert start_s < event["t_s"] < end_s


def test_noise_under_the_user_does_not_hide_the_turns(tmp_path: Path) -> None:
    source = plant(tmp_path / "run_1")
    path = source / "artifacts" / "task_7" / "sim_aa" / "audio" / "both.wav"
    both, rate = soundfile.read(str(path))
    both[:, 0] += 0.01 * np.random.default_rng(5).standard_normal(len(both))
    soundfile.write(str(path), both, rate)
    done = import_named("tau_voice", source, tmp_path / "out")
    (row,) = load_run(done.folder).results.values()
    played = [(turn["speech_start_s"], turn["speech_end_s"]) for turn in row["turns"]]
    expected = np.asarray([*USER_S.values(), COUGH_S])
    assert np.asarray(played) == pytest.approx(expected, abs=0.05)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"results\.json"):
        import_named("tau_voice", tmp_path, tmp_path / "out")
