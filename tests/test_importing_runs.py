"""Recordings made elsewhere become a run: what was planted is on disk, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.audio import audible_runs, read_audio, silence
from cascadence.conversation import AudioRef, Backchannel, Conversation, UserTurn
from cascadence.corpus import open_corpus
from cascadence.events import Stamped
from cascadence.experiment import score_run, write_report
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.importing_runs import ImportedRecording, import_recordings
from cascadence.manifest import Problem
from cascadence.results import load_run
from cascadence.run_directory import RunDirectory
from planted_run import speech

RATE = 8_000
USER_S = [(0.5, 1.5), (4.0, 5.0)]
GAPS_S = {"quick": 0.3, "slow": 1.1}


class Quiet:
    def scoring(self, done: int, total: int, what: str) -> None:
        pass

    def note(self, text: str) -> None:
        raise AssertionError(text)


class Planted:
    """Two calls with two systems, the second of which never recorded the second call."""

    dataset = Dataset("Planted", "CC0-1.0", "nobody, 2026", "https://example.org", "call*.wav")

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        paths = sorted(shelf.source.glob("call*.wav"))
        if not paths:
            raise BadDataset("no calls")
        for path in paths:
            told = conversation_of(path.stem, shelf.clip(path))
            for system in GAPS_S:
                yield recording(told, path, system)
            yield Problem("warning", path.name, 0, "", "is a test")


def conversation_of(name: str, path: str) -> Conversation:
    turns = tuple(
        UserTurn(
            text="hello there",
            audio=AudioRef(path=path, start_s=start - 0.2, end_s=end + 0.2),
            speech_s=(0.2, end - start + 0.2),
        )
        for start, end in USER_S
    )
    return Conversation(id=name, licence="CC0-1.0", source="planted", turns=turns)


def recording(told: Conversation, path: Path, system: str) -> ImportedRecording:
    replies = [(end + GAPS_S[system], end + GAPS_S[system] + 1.3) for _, end in USER_S]
    missing = system == "slow" and told.id == "call2"
    return ImportedRecording(
        conversation=told,
        starts_s=tuple(start - 0.2 for start, _ in USER_S),
        system=system,
        user=read_audio(path),
        heard=silence(0.0, 16_000) if missing else speech(replies, 8.0, 16_000, 220.0),
        events=(Stamped(3.0, "text", {"text": "hello"}),) if system == "quick" else (),
        info={"kind": "cascade" if system == "slow" else "end_to_end"},
        failure="no output" if missing else "",
    )


def plant(folder: Path, calls: int = 2) -> Path:
    folder.mkdir(parents=True)
    for number in range(1, calls + 1):
        sound = speech(USER_S, 6.0, RATE, 150.0)
        soundfile.write(str(folder / f"call{number}.wav"), sound.samples, RATE)
    return folder


def test_a_run_is_complete_and_loads_again(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "planted"
    done = import_recordings(Planted(), plant(tmp_path / "data"), out)
    assert (done.folder, done.kind, done.count) == (out, "recordings", 3)
    assert [problem.what for problem in done.problems] == ["is a test"] * 2
    run = load_run(out)
    assert [cell["name"] for cell in run.cells] == ["quick--corpus", "slow--corpus"]
    assert [cell["info"]["kind"] for cell in run.cells] == ["end_to_end", "cascade"]
    assert run.about["status"] == "finished"
    assert run.about["imported"]["licence"] == "CC0-1.0"
    assert "machine" not in run.about
    assert "started_at" not in run.about
    assert {key: row["status"] for key, row in run.results.items()} == {
        ("quick--corpus", "call1", 0): "ok",
        ("slow--corpus", "call1", 0): "ok",
        ("quick--corpus", "call2", 0): "ok",
        ("slow--corpus", "call2", 0): "failed",
    }
    made = RunDirectory(out).recording(run.results["quick--corpus", "call1", 0])
    assert made.user.sample_rate == 16_000
    assert made.user.duration_s == made.system.duration_s == pytest.approx(8.0, abs=1e-3)
    assert [(t.speech_start_s, t.speech_end_s) for t in made.turns] == USER_S
    assert [t.trigger for t in made.turns] == ["start", "time"]
    assert [event.kind for event in made.events] == ["text"]
    heard_s = audible_runs(made.user, bridge_s=0.3)
    assert np.asarray(heard_s) == pytest.approx(np.asarray(USER_S), abs=0.02)
    corpus = open_corpus(run.cells[0]["corpus_path"])
    assert corpus.path.is_relative_to(out.resolve())
    assert [len(corpus.clips(one)) for one in corpus] == [2, 2]


def test_an_imported_run_may_be_moved_and_scored_twice(tmp_path: Path) -> None:
    out, moved = tmp_path / "runs" / "planted", tmp_path / "elsewhere" / "calls"
    import_recordings(Planted(), plant(tmp_path / "data"), out)
    moved.parent.mkdir()
    out.rename(moved)
    shutil.rmtree(tmp_path / "data")
    for _ in range(2):
        score_run(moved, ["response_gap_s"], Quiet())  # type: ignore[arg-type]
        written = json.loads((moved / "run.json").read_text())
        assert {cell["corpus_path"] for cell in written["cells"]} == {"./corpus"}
        assert str(tmp_path) not in json.dumps(written["cells"])
    run = load_run(moved)
    assert open_corpus(run.cells[0]["corpus_path"]).path == (moved / "corpus").resolve()
    rows = run.rows_of("quick--corpus", "response_gap_s")
    assert any(row.measurement.status == "ok" for row in rows)


def test_a_run_can_be_scored_and_shown(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "planted"
    import_recordings(Planted(), plant(tmp_path / "data"), out)
    names = ["response_gap_s", "first_token_s", "endpointing_delay_s", "rtf", "overlap_ratio"]
    score_run(out, names, Quiet())  # type: ignore[arg-type]
    run = load_run(out)
    for system, gap_s in GAPS_S.items():
        rows = [row.measurement for row in run.rows_of(f"{system}--corpus", "response_gap_s")]
        found = [m.quantity.x for m in rows if m.status == "ok"]  # type: ignore[union-attr]
        assert found == pytest.approx([gap_s] * len(found), abs=0.02)
        assert len(found) == (4 if system == "quick" else 2)
    failures = [row for row in run.rows if row.measurement.status == "failed"]
    assert {(row.cell, row.conversation_id) for row in failures} == {("slow--corpus", "call2")}
    assert {row.measurement.reason for row in failures} == {"no output"}
    for name in ("endpointing_delay_s", "rtf", "first_token_s"):
        rows = [row.measurement for row in run.rows if row.metric == name]
        assert {m.status for m in rows} <= {"skipped", "failed"}, name
    page = write_report(out)
    assert "Imported recordings: Planted" in page.read_text(encoding="utf-8")


def test_an_earlier_run_is_kept_unless_it_was_imported_and_may_go(tmp_path: Path) -> None:
    source, out = plant(tmp_path / "data"), tmp_path / "run"
    import_recordings(Planted(), source, out, limit=1)
    assert len(load_run(out).results) == 2
    with pytest.raises(BadDataset, match="--replace"):
        import_recordings(Planted(), source, out)
    import_recordings(Planted(), source, out, replace=True)
    assert len(load_run(out).results) == 4
    other = tmp_path / "other"
    other.mkdir()
    (other / "run.json").write_text(json.dumps({"name": "mine", "cells": []}))
    with pytest.raises(BadDataset, match="there already"):
        import_recordings(Planted(), source, other, replace=True)
    assert json.loads((other / "run.json").read_text())["name"] == "mine"


def test_nothing_found_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source in ("empty", "nowhere"):
        with pytest.raises(BadDataset):
            import_recordings(Planted(), tmp_path / source, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_failed_replacement_keeps_what_was_there(tmp_path: Path) -> None:
    source, out = plant(tmp_path / "data"), tmp_path / "run"
    import_recordings(Planted(), source, out)
    for path in source.glob("*.wav"):
        path.unlink()
    with pytest.raises(BadDataset):
        import_recordings(Planted(), source, out, replace=True)
    assert len(load_run(out).results) == 4


class Odd(Planted):
    """What an importer may get wrong."""

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        path = shelf.source / "call1.wav"
        told = conversation_of("call1", shelf.clip(path))
        yield recording(told, path, "quick")
        yield recording(told, path, "quick")
        other = told.model_copy(update={"tags": ("other",)})
        yield recording(other, path, "slow")
        few = recording(told, path, "slow")
        yield ImportedRecording(told, (0.0,), "third", few.user, few.heard)
        yield recording(conversation_of("call2", told.turns[0].audio.path), path, "quick")
        yield recording(told, path, "slow")


def test_recordings_that_do_not_fit_are_problems(tmp_path: Path) -> None:
    done = import_recordings(Odd(), plant(tmp_path / "data"), tmp_path / "run")
    assert done.count == 2
    assert [problem.what for problem in done.problems] == [
        "a second recording of quick",
        "slow was told something else than the systems before",
        "1 starts for 2 turns",
        "recordings of one conversation do not follow each other",
    ]


class Named(Planted):
    """A system with a name that no file system likes, and a user who acknowledges."""

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        path = shelf.source / "call1.wav"
        told = conversation_of("call1", shelf.clip(path))
        second = told.turns[1].model_copy(update={"when": Backchannel(after_onset_s=1.0)})
        told = told.model_copy(update={"turns": (told.turns[0], second)})
        user = read_audio(path)
        heard = speech([(2.0, 6.0)], 6.5, 16_000, 220.0)
        starts_s = tuple(start - 0.2 for start, _ in USER_S)
        yield ImportedRecording(told, starts_s, "../<b>a b</b>", user, heard)


def test_names_become_safe_and_backchannels_claim_nothing(tmp_path: Path) -> None:
    out = tmp_path / "my run"
    import_recordings(Named(), plant(tmp_path / "data"), out)
    run = load_run(out)
    (cell,) = run.cells
    assert cell["system_name"] == "../<b>a b</b>"
    assert cell["name"] == "b_a_b_b--corpus"
    (row,) = run.results.values()
    assert [turn["claims_floor"] for turn in row["turns"]] == [True, False]
    assert {path.parent.parent for path in out.rglob("*.flac")} == {out / "audio"}


def test_other_sound_is_another_recording(tmp_path: Path) -> None:
    def fingerprints(name: str) -> list[Any]:
        done = import_recordings(Planted(), tmp_path / "data", tmp_path / name, limit=1)
        rows = load_run(done.folder).results.values()
        return [(row["fingerprint"], row["recording_id"]) for row in rows]

    plant(tmp_path / "data", calls=1)
    first = fingerprints("first")
    assert first == fingerprints("again")
    path = tmp_path / "data" / "call1.wav"
    sound = read_audio(path)
    soundfile.write(str(path), np.asarray(sound.samples) * 0.5, RATE)
    assert not set(first) & set(fingerprints("other"))
