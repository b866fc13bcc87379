"""Exporting: what every exporter is given, and the folder that it writes into."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cascadence.audio import read_audio, write_audio
from cascadence.cli import app
from cascadence.errors import CascadenceError
from cascadence.exporting import BadExport, Box, Item, export_named
from cascadence.registry import UnknownName
from planted_export import CALL_RATE, EXPECT, SPEECH_S, STYLE, heard_s, plant, tree
from planted_run import USER_SPEECH_S, plant_run, speech

KINDS = ("lhotse", "hf_datasets", "nemo")
TURN = {"index": 0, "start_s": 0.0, "speech_start_s": 0.1, "speech_end_s": 0.3, "trigger": "start"}
SEEN: list[Item] = []
PATHS: dict[str, str] = {}


class Keeps:
    """An exporter that keeps what it is given, and cuts out every sound."""

    def write(self, items: Iterator[Item], box: Box) -> None:
        SEEN.clear()
        PATHS.clear()
        for item in items:
            SEEN.append(item)
            for sound in item.sounds.values():
                PATHS[sound.stem] = box.cut(sound)


KEEPS = f"{__name__}:Keeps"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return plant(tmp_path / "corpus")


def test_a_corpus_is_given_turn_by_turn_with_everything_it_says(
    corpus: Path, tmp_path: Path
) -> None:
    export_named(KEEPS, str(corpus), tmp_path / "out")
    given = {item.id: item for item in SEEN}
    assert list(given) == ["single.0", "call.0", "call.1", "part.0", "lossy.0"]
    assert [item.split for item in SEEN] == ["train", "test", "test", "dev", "dev"]
    for name, item in given.items():
        (said,) = item.utterances
        assert (said.start_s, said.end_s) == SPEECH_S[name]
        path = tmp_path / "out" / PATHS[name]
        assert heard_s(path) == pytest.approx(SPEECH_S[name], abs=0.011)
    said = given["single.0"].utterances[0]
    assert (said.text, said.speaker, said.language) == ("I said two", "tone", "en")
    assert said.custom == {
        "conversation": "single",
        "turn": 0,
        "split": "train",
        "tags": ["timer", "one"],
        "group": "set",
        "licence": "CC0-1.0",
        "source": "a test",
        "style": STYLE,
        "expect": EXPECT,
        "pauses": [{"at_s": 0.5, "duration_s": 0.1}],
        "when": {"kind": "after_reply", "gap_s": 1.0},
    }
    said = given["call.1"].utterances[0]
    assert (said.text, said.speaker, said.language) == ("für drei", "bell", "de")
    assert said.custom["when"] == {"kind": "barge_in", "after_onset_s": 0.5}
    assert said.custom["instructions"] == "be brief"
    assert given["lossy.0"].utterances[0].speaker is None


def test_a_whole_file_is_linked_and_a_part_is_cut_out(corpus: Path, tmp_path: Path) -> None:
    export_named(KEEPS, str(corpus), tmp_path / "out")
    whole = tmp_path / "out" / PATHS["single.0"]
    assert whole.samefile(corpus / "audio" / "single.flac")
    channel = read_audio(tmp_path / "out" / PATHS["call.1"])
    assert (channel.sample_rate, len(channel)) == (CALL_RATE, round(1.8 * CALL_RATE))
    assert np.array_equal(
        channel.samples, read_audio(corpus / "calls" / "call.wav", 1.7, 3.5, 1).samples
    )
    # Lhotse decodes .opus at another rate than libsndfile does.
    assert PATHS["lossy.0"] == "audio/lossy.0.ogg"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_written_outside_and_an_export_repeats(
    corpus: Path, tmp_path: Path, kind: str
) -> None:
    before = tree(tmp_path)
    first = export_named(kind, str(corpus), tmp_path / "a" / "first")
    assert {name: raw for name, raw in tree(tmp_path).items() if not name.startswith("a/")} == (
        before
    )
    second = export_named(kind, str(corpus), tmp_path / "second")
    assert tree(first) == tree(second)
    told = json.loads((first / "source.json").read_text(encoding="utf-8"))
    assert (told["exporter"], told["title"], told["licence"]) == (kind, "Planted", "CC0-1.0")
    assert told["voices"]["bell"]["licence"] == "CC-BY-4.0"


def test_a_folder_that_holds_something_is_refused_and_kept(corpus: Path, tmp_path: Path) -> None:
    full, file = tmp_path / "full", tmp_path / "file"
    full.mkdir()
    for path in (full / "mine", file):
        path.write_text("mine")
    for out in (full, file):
        with pytest.raises(BadExport, match="something already"):
            export_named("nemo", str(corpus), out)
    for out in (file / "below", Path("a\0b")):
        with pytest.raises(BadExport, match="cannot be made"):
            export_named("nemo", str(corpus), out)
    assert tree(full) == {"mine": b"mine"}
    assert file.read_text() == "mine"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert export_named("nemo", str(corpus), empty) == empty


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("existed", [False, True])
def test_a_wrong_clip_ends_the_export_and_leaves_nothing(
    corpus: Path, tmp_path: Path, kind: str, existed: bool
) -> None:
    (corpus / "audio" / "lossy.opus").unlink()
    out = tmp_path / "out"
    if existed:
        out.mkdir()
    with pytest.raises(CascadenceError) as caught:
        export_named(kind, str(corpus), out)
    assert caught.value.where == "conversations.jsonl:4: turns.0.audio.path"
    assert out.exists() == existed
    assert tree(tmp_path) == {f"corpus/{name}": raw for name, raw in tree(corpus).items()}


def test_a_wrong_line_ends_the_export(corpus: Path, tmp_path: Path) -> None:
    with (corpus / "conversations.jsonl").open("a") as file:
        file.write("[]\n")
    with pytest.raises(CascadenceError) as caught:
        export_named("nemo", str(corpus), tmp_path / "out")
    assert caught.value.where == "conversations.jsonl:5"


def test_a_disk_that_is_full_is_an_error_with_nothing_left(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cascadence.exporting.write_audio", full)
    with pytest.raises(BadExport, match="No space left"):
        export_named("hf_datasets", str(corpus), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("kind", "source", "what"),
    [
        ("lhots", "assistant", "did you mean 'lhotse'"),
        ("nemo", "asistant", "did you mean 'assistant'"),
        ("nemo", "x" * 5000, ""),
        ("nemo", "a\0b", ""),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_made(
    tmp_path: Path, kind: str, source: str, what: str
) -> None:
    with pytest.raises(CascadenceError) as caught:
        export_named(kind, source, tmp_path / "out")
    assert what in caught.value.mend
    assert isinstance(caught.value, UnknownName) == (kind == "lhots")
    assert not (tmp_path / "out").exists()


def test_an_empty_corpus_is_nothing_to_export(corpus: Path, tmp_path: Path) -> None:
    (corpus / "conversations.jsonl").write_text("")
    with pytest.raises(BadExport, match="nothing to export"):
        export_named("lhotse", str(corpus), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_prints_the_folder(corpus: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(corpus), "nemo", str(tmp_path / "out")])
    assert done.output.strip() == str(tmp_path / "out")


def test_a_run_is_given_recording_by_recording_with_both_channels(tmp_path: Path) -> None:
    run = plant_run(tmp_path)
    export_named(KEEPS, str(run), tmp_path / "out")
    given = {item.id: item for item in SEEN}
    assert len(given) == 9, "the repeat that failed has no recording"
    item = given["alpha--corpus.c1.0"]
    assert list(item.sounds) == ["user", "system"]
    user, system = item.utterances
    assert (user.channel, user.start_s, user.end_s) == (0, *USER_SPEECH_S)
    assert user.text == "call <script>alert(1)</script>"
    assert user.custom["heard"] == "call <script>alert(1)</script>"
    assert user.custom["expect"]["contains"] == ["timer"]
    assert user.custom["trigger"] == "start"
    onset_s = USER_SPEECH_S[1] + 0.6
    assert (system.start_s, system.end_s) == pytest.approx((onset_s, onset_s + 1.2), abs=0.011)
    assert (system.channel, system.speaker) == (1, "alpha")
    assert system.text is not None
    assert system.text.startswith("here is")
    assert system.custom["replies_to_turn"] == 0
    assert item.custom["system"] == "alpha"
    assert item.custom["condition"] == "clean"
    assert [each.channel for each in given["silent--corpus.c0.0"].utterances] == [0]
    told = json.loads((tmp_path / "out" / "source.json").read_text(encoding="utf-8"))
    assert told["run"] == "planted"
    assert told["cells"][0]["licence"] == "MIT <script>alert(1)</script>"
    assert told["cells"][0]["corpus"]["title"] == "Planted"


def rewrite(run: Path, **changes: Any) -> None:
    """Change the first line of a run's results."""
    path = run / "conversations.jsonl"
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text(json.dumps({**json.loads(first), **changes}) + "\n" + "".join(others))


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "../alpha--corpus"},
        {"cell": 7},
        {"repeat": "../../0"},
        {"turns": [{"index": 0}]},
        {"turns": None},
        {"turns": [{**TURN, "index": 3}]},
        {"events": [{"t_s": 1.0, "kind": "text", "data": {}}]},
        {"conversation_id": "../../corpus/c0"},
    ],
)
def test_a_line_that_no_run_writes_is_an_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    run = plant_run(tmp_path)
    rewrite(run, **changes)
    with pytest.raises(CascadenceError):
        export_named("nemo", str(run), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_channel_that_is_a_link_out_of_the_run_is_not_followed(tmp_path: Path) -> None:
    run = plant_run(tmp_path)
    path = run / "audio" / "alpha--corpus" / "c0.0.system.flac"
    path.rename(tmp_path / "secret.flac")
    path.symlink_to(tmp_path / "secret.flac")
    with pytest.raises(CascadenceError, match="leads out"):
        export_named("nemo", str(run), tmp_path / "out")


def test_a_run_whose_file_is_torn_or_whose_corpus_is_gone_is_an_error(tmp_path: Path) -> None:
    run = plant_run(tmp_path)
    (tmp_path / "corpus").rename(tmp_path / "moved")
    with pytest.raises(CascadenceError, match="no corpus is called"):
        export_named("nemo", str(run), tmp_path / "out")
    for content in ("{", "[]", "{}", '{"name": "x", "cells": [1]}', '{"name": "x", "cells": 1}'):
        (run / "run.json").write_text(content)
        with pytest.raises(BadExport):
            export_named("nemo", str(run), tmp_path / "out")


def test_what_a_system_says_is_told_turn_by_turn(tmp_path: Path) -> None:
    """A reply that goes on under the next turn belongs to the turn it answers, as its text does."""
    run = plant_run(tmp_path)
    turns = [TURN, {**TURN, "speech_start_s": 2.5, "speech_end_s": 2.7}]
    said = [(1.0, "one"), (1.2, "two"), (2.6, "later")]
    rewrite(
        run,
        turns=turns,
        events=[{"t_s": t_s, "kind": "text", "data": {"text": text}} for t_s, text in said],
    )
    export_named(KEEPS, str(run), tmp_path / "out")
    replies = [each for each in SEEN[0].utterances if each.channel == 1]
    # The planted reply sounds from 1.9 s to 3.1 s.
    assert [(each.text, each.start_s) for each in replies] == [
        ("one two", pytest.approx(1.9, abs=0.011))
    ]


def test_a_pause_inside_a_reply_does_not_end_it(tmp_path: Path) -> None:
    """What goes on after 0.2 s is the same reply, though the user has begun meanwhile."""
    run = plant_run(tmp_path)
    spans_s = [(1.9, 2.4), (2.6, 3.1)]
    path = run / "audio" / "alpha--corpus" / "c0.0.system.flac"
    write_audio(path, speech(spans_s, 6.0, 22_050, 220))
    rewrite(run, turns=[TURN, {**TURN, "speech_start_s": 2.5, "speech_end_s": 2.7}])
    export_named(KEEPS, str(run), tmp_path / "out")
    (reply,) = [each for each in SEEN[0].utterances if each.channel == 1]
    assert (reply.start_s, reply.end_s) == pytest.approx((1.9, 3.1), abs=0.011)


def test_a_compressed_manifest_holds_no_time_of_its_making(corpus: Path, tmp_path: Path) -> None:
    out = export_named("lhotse", str(corpus), tmp_path / "out")
    for name in ("recordings", "supervisions", "cuts"):
        # RFC 1952: four bytes of modification time after magic, method and flags.
        assert (out / f"{name}.jsonl.gz").read_bytes()[4:8] == bytes(4)
