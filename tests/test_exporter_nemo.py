"""A NeMo manifest: relative paths, offsets, and one channel a file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
import soundfile

from cascadence.exporting import export_named
from planted_export import EXPECT, SPEECH_S, STYLE, Row, heard_s, plant, rows
from planted_run import USER_SPEECH_S, plant_run


def read(folder: Path) -> dict[str, Row]:
    return {row["id"]: row for row in rows(folder / "manifest.jsonl")}


def assert_sound_is_where_it_is_said(folder: Path, row: Row) -> None:
    path = folder / row["audio_filepath"]
    assert not PurePosixPath(row["audio_filepath"]).is_absolute()
    assert soundfile.info(str(path)).channels == 1
    heard = heard_s(path, row["offset"], row["offset"] + row["duration"])
    assert heard == pytest.approx(tuple(row["speech_s"]), abs=0.011)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nemo")
    return export_named("nemo", str(plant(folder / "corpus")), folder / "out")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nemo")
    return export_named("nemo", str(plant_run(folder)), folder / "out")


def test_a_turn_is_a_line_with_its_clip_s_place_in_the_file(corpus: Path) -> None:
    found = read(corpus)
    assert list(found) == list(SPEECH_S)
    for name, row in found.items():
        assert tuple(row["speech_s"]) == pytest.approx(SPEECH_S[name], abs=1e-6)
        assert_sound_is_where_it_is_said(corpus, row)
    part = found["part.0"]
    assert (part["offset"], part["duration"]) == (1.0, pytest.approx(1.3))
    # A channel of several is cut out: its file begins where the clip does.
    assert (found["call.1"]["offset"], found["call.1"]["duration"]) == (0.0, pytest.approx(1.8))


def test_what_the_manifest_says_of_a_turn_is_in_further_keys(corpus: Path) -> None:
    row = read(corpus)["single.0"]
    assert (row["text"], row["speaker"], row["lang"]) == ("I said two", "tone", "en")
    assert (row["style"], row["expect"], row["tags"]) == (STYLE, EXPECT, ["timer", "one"])
    assert (row["conversation"], row["turn"], row["split"]) == ("single", 0, "train")
    assert "speaker" not in read(corpus)["lossy.0"]


def test_a_recording_is_a_line_an_utterance(run: Path) -> None:
    found = read(run)
    user = found["alpha--corpus.c1.0.user.0"]
    assert (user["text"], user["offset"]) == ("call <script>alert(1)</script>", USER_SPEECH_S[0])
    assert user["duration"] == USER_SPEECH_S[1] - USER_SPEECH_S[0]
    system = found["alpha--corpus.c1.0.system.1"]
    assert system["offset"] == pytest.approx(2.1, abs=0.011)
    assert (system["system"], system["replies_to_turn"]) == ("alpha", 0)
    for row in found.values():
        assert row["speech_s"][0] == 0.0
        assert_sound_is_where_it_is_said(run, row)
    assert len(found) == 9 + 5, "nine user turns and five replies"
