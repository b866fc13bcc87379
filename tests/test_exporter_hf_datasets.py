"""An audio folder, held against what `datasets` and Arrow demand of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from cascadence.exporting import export_named
from planted_export import EXPECT, SPEECH_S, STYLE, Row, heard_s, plant, rows
from planted_run import USER_SPEECH_S, plant_run

EXTENSIONS = (".flac", ".ogg", ".wav", ".mp3")
"""Of those that the audio folder takes for sound."""


def read(folder: Path) -> dict[str, list[Row]]:
    """The rows of each split."""
    return {path.parent.name: rows(path) for path in sorted(folder.glob("*/metadata.jsonl"))}


def sound(folder: Path, split: str, row: Row) -> Path:
    return folder / split / str(row["file_name"])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf")
    return export_named("hf_datasets", str(plant(folder / "corpus")), folder / "out")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hf")
    return export_named("hf_datasets", str(plant_run(folder)), folder / "out")


def kinds(value: object) -> object:
    return [type(each) for each in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("which", ["corpus", "run"])
def test_every_row_has_the_same_columns_of_the_same_types(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(which)
    found = [row for split in read(folder).values() for row in split]
    schemas = {
        json.dumps([(name, str(kinds(value))) for name, value in row.items()]) for row in found
    }
    assert len(schemas) == 1
    assert "NoneType" not in schemas.pop(), "Arrow gives a column without values another type"


@pytest.mark.parametrize("which", ["corpus", "run"])
def test_every_row_has_a_file_of_its_own_below_its_metadata(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(which)
    for split, found in read(folder).items():
        paths = [sound(folder, split, row) for row in found]
        assert len(set(paths)) == len(paths)
        assert {path for path in (folder / split).rglob("*") if path.is_file()} == {
            *paths,
            folder / split / "metadata.jsonl",
        }
        for path in paths:
            assert path.suffix in EXTENSIONS
            assert soundfile.info(str(path)).channels == 1


def test_splits_are_folders_and_speech_is_where_the_row_says(corpus: Path) -> None:
    found = read(corpus)
    assert {split: [row["id"] for row in part] for split, part in found.items()} == {
        "dev": ["part.0", "lossy.0"],
        "test": ["call.0", "call.1"],
        "train": ["single.0"],
    }
    for split, part in found.items():
        for row in part:
            assert tuple(row["speech_s"]) == SPEECH_S[row["id"]]
            heard = heard_s(sound(corpus, split, row))
            assert heard == pytest.approx(SPEECH_S[row["id"]], abs=0.011)


def test_what_the_manifest_says_of_a_turn_is_in_columns(corpus: Path) -> None:
    found = {row["id"]: row for part in read(corpus).values() for row in part}
    row = found["single.0"]
    assert (row["text"], row["speaker"], row["language"], row["turn"]) == (
        "I said two",
        "tone",
        "en",
        0,
    )
    assert json.loads(row["style"]) == STYLE
    assert json.loads(row["expect"]) == EXPECT
    assert json.loads(row["tags"]) == ["timer", "one"]
    assert (row["group"], found["call.0"]["group"]) == ("set", "")
    assert found["call.1"]["instructions"] == "be brief"
    assert json.loads(found["call.1"]["when"]) == {"kind": "barge_in", "after_onset_s": 0.5}
    assert json.loads(found["call.0"]["style"]) is None
    assert found["lossy.0"]["speaker"] == ""


def test_a_recording_is_a_row_a_channel_with_all_that_is_said(run: Path) -> None:
    found = {row["id"]: row for row in read(run)["test"]}
    assert len(found) == 18
    user, system = (found[f"alpha--corpus.c1.0.{name}"] for name in ("user", "system"))
    assert (user["channel"], user["text"]) == ("user", "call <script>alert(1)</script>")
    assert (system["channel"], system["speaker"]) == ("system", "alpha")
    (said,) = json.loads(system["utterances"])
    assert said["text"] == system["text"]
    assert said["speech_s"] == [pytest.approx(2.1, abs=0.011), pytest.approx(3.3, abs=0.011)]
    (said,) = json.loads(user["utterances"])
    assert said["speech_s"] == list(USER_SPEECH_S)
    assert said["expect"]["contains"] == ["timer"]
    for row, span_s in ((user, USER_SPEECH_S), (system, (2.1, 3.3))):
        assert heard_s(sound(run, "test", row)) == pytest.approx(span_s, abs=0.011)
    assert json.loads(found["silent--corpus.c0.0.system"]["utterances"]) == []
