"""Comparing re-made corpora: what was planted is found, by name, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cascadence.audio import Audio, read_audio, write_audio
from cascadence.data_manifests.recipes.remade import Compared, compare, corpora, table
from cascadence.errors import CascadenceError
from corpus_folder import conversation, tone, write_corpus

CLIP = "audio/b.1.flac"


def lines_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "conversations.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old" / "planted"
    lines = [conversation(folder, name, turns=2, tags=["short"]) for name in "ab"]
    return write_corpus(folder, lines)


@pytest.fixture
def new(old: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(old, tmp_path / "new" / "planted"))


def told(found: Compared) -> list[tuple[str, int | None, str, str, str]]:
    return [(d.conversation, d.turn, d.field, d.old, d.new) for d in found.differences]


def louder(path: Path, gain_db: float) -> None:
    audio = read_audio(path)
    samples = audio.samples * 10.0 ** (gain_db / 20.0)
    write_audio(path, Audio(samples.astype("float32"), audio.sample_rate))


def test_a_copy_is_the_same(old: Path, new: Path) -> None:
    found = compare(old, new)
    assert (found.conversations, found.clips, found.identical_files) == (2, 4, 4)
    assert found.worst_db == 0.0
    assert not found.differences


def test_changed_labels_are_named_with_both_values(old: Path, new: Path) -> None:
    lines = lines_of(new)
    lines[0]["tags"] = ["long"]
    lines[1]["turns"][1]["style"] = {"emotion": "sad"}
    lines[1]["turns"][0]["speech_s"] = [0.2, 1.0000000000000002]
    write_corpus(new, lines)
    assert told(compare(old, new)) == [
        ("a", None, "tags", '["short"]', '["long"]'),
        ("b", 0, "speech_s", "[0.2, 1.0]", "[0.2, 1.0000000000000002]"),
        ("b", 1, "style.emotion", "absent", '"sad"'),
    ]


def test_a_changed_length_is_told_in_samples(old: Path, new: Path) -> None:
    write_audio(new / CLIP, tone(duration_s=1.31))
    found = compare(old, new)
    assert told(found) == [("b", 1, "length", "20800 samples", "20960 samples")]
    assert (found.clips, found.identical_files) == (3, 3)


@pytest.mark.parametrize(("gain_db", "differences"), [(1.0, 1), (-0.3, 0)])
def test_a_louder_sound_is_as_far_as_its_gain(
    old: Path, new: Path, gain_db: float, differences: int
) -> None:
    louder(new / CLIP, gain_db)
    found = compare(old, new)
    assert found.worst_db == pytest.approx(abs(gain_db), abs=0.02)
    assert found.worst_clip == CLIP
    assert found.identical_files == 3
    assert [d.field for d in found.differences] == ["log-mel distance"] * differences


def test_other_bytes_and_their_hash_are_no_difference(old: Path, new: Path) -> None:
    louder(new / CLIP, 0.001)
    lines = lines_of(new)
    lines[1]["turns"][1]["audio"]["sha256"] = "0" * 64
    write_corpus(new, lines)
    found = compare(old, new)
    assert not found.differences
    assert found.identical_files < found.clips


def test_order_loss_and_a_missing_clip_are_told(old: Path, new: Path) -> None:
    lines = lines_of(new)
    write_corpus(new, [lines[1], lines[0]])
    assert told(compare(old, new)) == [("", None, "order, place 0", "a", "b")]
    write_corpus(new, [lines[1]])
    (new / CLIP).unlink()
    places = [(d.conversation, d.turn, d.field) for d in compare(old, new).differences]
    assert places == [("a", None, "conversation"), ("b", 1, "clip")]


def test_folders_of_corpora_are_paired_by_name(old: Path, new: Path) -> None:
    assert corpora(old.parent, new.parent) == [(old, new)]
    assert corpora(old, new) == [(old, new)]
    shutil.copytree(new, new.parent / "another")
    with pytest.raises(CascadenceError, match="no corpus another"):
        corpora(old.parent, new.parent)


def test_the_exit_status_says_whether_all_is_the_same(old: Path, new: Path) -> None:
    command = [sys.executable, "-m", "cascadence.data_manifests.recipes.remade"]
    command += [str(old.parent), str(new.parent)]
    same = subprocess.run(command, capture_output=True, text=True, check=False)
    assert same.returncode == 0, same.stderr
    assert same.stdout == table([compare(old, new)])
    louder(new / CLIP, 1.0)
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "planted: b turn 1: log-mel distance: < 0.5 dB -> 1.00 dB" in other.stdout
