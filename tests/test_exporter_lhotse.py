"""Lhotse manifests, held against the format: fields, paths, channels and times."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.audio import read_audio
from cascadence.exporting import export_named
from planted_export import EXPECT, SPEECH_S, STYLE, Row, heard_s, plant, rows
from planted_run import USER_SPEECH_S, plant_run

RECORDING = {"id", "sources", "sampling_rate", "num_samples", "duration", "channel_ids"}
SUPERVISION = {
    "id", "recording_id", "start", "duration", "channel", "text", "language", "speaker", "custom"
}  # fmt: skip
"""Fields that the classes of Lhotse 1.33 take."""
CUT = {
    "id",
    "start",
    "duration",
    "channel",
    "supervisions",
    "recording",
    "custom",
    "type",
}


class Read:
    """The three manifests, by id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recordings = {row["id"]: row for row in rows(folder / "recordings.jsonl.gz")}
        self.supervisions = {row["id"]: row for row in rows(folder / "supervisions.jsonl.gz")}
        self.cuts = {row["id"]: row for row in rows(folder / "cuts.jsonl.gz")}

    def heard_s(self, name: str) -> tuple[float, float]:
        """When sound starts and ends on a supervision's channel, around it."""
        said = self.supervisions[name]
        recording = self.recordings[said["recording_id"]]
        (source,) = (s for s in recording["sources"] if said["channel"] in s["channels"])
        path = self.folder / source["source"]
        return heard_s(path, channel=source["channels"].index(said["channel"]))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("lhotse")
    return Read(export_named("lhotse", str(plant(folder / "corpus")), folder / "out"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("lhotse")
    return Read(export_named("lhotse", str(plant_run(folder)), folder / "out"))


@pytest.mark.parametrize("which", ["corpus", "run"])
def test_rows_have_the_fields_that_lhotse_takes_and_point_at_each_other(
    which: str, request: pytest.FixtureRequest
) -> None:
    read: Read = request.getfixturevalue(which)
    for recording in read.recordings.values():
        assert set(recording) == RECORDING
        assert recording["duration"] == recording["num_samples"] / recording["sampling_rate"]
        channels = [channel for source in recording["sources"] for channel in source["channels"]]
        assert channels == recording["channel_ids"] == list(range(len(channels)))
        for source in recording["sources"]:
            assert source["type"] == "file"
            assert not PurePosixPath(source["source"]).is_absolute()
            header = soundfile.info(str(read.folder / source["source"]))
            found = (header.samplerate, header.frames, header.channels)
            wanted = (recording["sampling_rate"], recording["num_samples"], len(source["channels"]))
            assert found == wanted
    for said in read.supervisions.values():
        assert set(said) <= SUPERVISION
        recording = read.recordings[said["recording_id"]]
        assert said["channel"] in recording["channel_ids"]
        assert 0 <= said["start"] < said["start"] + said["duration"] <= recording["duration"] + 1e-6
    assert {each["id"] for cut in read.cuts.values() for each in cut["supervisions"]} == set(
        read.supervisions
    )
    for cut in read.cuts.values():
        assert set(cut) == CUT
        assert cut["recording"] == read.recordings[cut["recording"]["id"]]
        assert cut["start"] + cut["duration"] <= cut["recording"]["duration"] + 1e-6
        for inside in cut["supervisions"]:
            outside = read.supervisions[inside["id"]]
            assert inside["start"] + cut["start"] == pytest.approx(outside["start"], abs=1e-6)
            assert {**inside, "start": 0} == {**outside, "start": 0}


def test_a_turn_is_a_cut_on_its_channel_and_its_speech_a_supervision(corpus: Read) -> None:
    assert len(corpus.recordings) == 4, "the two turns of the call share a file"
    assert list(corpus.cuts) == list(SPEECH_S)
    spans_s = {"single.0": 0.0, "call.0": 0.2, "call.1": 1.7, "part.0": 1.0, "lossy.0": 0.0}
    for name, (start_s, end_s) in SPEECH_S.items():
        said, cut = corpus.supervisions[name], corpus.cuts[name]
        assert cut["start"] == spans_s[name]
        assert said["start"] == pytest.approx(spans_s[name] + start_s, abs=1e-6)
        assert said["duration"] == pytest.approx(end_s - start_s, abs=1e-6)
        assert said["custom"]["speech_s"] == [start_s, end_s]
        assert cut["type"] == "MonoCut"
        # The file's sound is where the supervision says, and on the channel that it names.
        heard = (said["start"], said["start"] + said["duration"])
        assert corpus.heard_s(name) == pytest.approx(heard, abs=0.011)
    assert (
        corpus.supervisions["call.0"]["recording_id"]
        == corpus.supervisions["call.1"]["recording_id"]
    )
    assert [corpus.cuts[f"call.{turn}"]["channel"] for turn in (0, 1)] == [0, 1]
    assert corpus.cuts["call.1"]["duration"] == pytest.approx(1.8)


def test_what_the_manifest_says_of_a_turn_is_in_custom(corpus: Read) -> None:
    said = corpus.supervisions["single.0"]
    assert (said["text"], said["speaker"], said["language"]) == ("I said two", "tone", "en")
    custom = said["custom"]
    assert (custom["style"], custom["expect"], custom["tags"]) == (STYLE, EXPECT, ["timer", "one"])
    assert (custom["conversation"], custom["turn"], custom["split"]) == ("single", 0, "train")
    assert corpus.supervisions["call.1"]["text"] == "für drei"
    assert "speaker" not in corpus.supervisions["lossy.0"]


def test_a_recording_has_the_user_on_channel_0_and_the_system_on_channel_1(run: Read) -> None:
    cut: Row = run.cuts["alpha--corpus.c1.0"]
    assert (cut["type"], cut["channel"], cut["start"]) == ("MultiCut", [0, 1], 0.0)
    assert cut["custom"]["system"] == "alpha"
    user, system = cut["supervisions"]
    assert (user["channel"], system["channel"]) == (0, 1)
    assert user["text"] == "call <script>alert(1)</script>"
    assert user["start"] == USER_SPEECH_S[0]
    assert system["text"].startswith("here is")
    assert (system["speaker"], system["start"]) == ("alpha", pytest.approx(2.1, abs=0.011))
    for said in (user, system):
        heard = (said["start"], said["start"] + said["duration"])
        assert run.heard_s(said["id"]) == pytest.approx(heard, abs=0.011)


def test_the_channel_with_the_lower_rate_is_resampled_and_the_other_untouched(
    run: Read, tmp_path: Path
) -> None:
    recording: Any = run.cuts["alpha--corpus.c0.0"]["recording"]
    assert recording["sampling_rate"] == 22_050
    user, system = (run.folder / source["source"] for source in recording["sources"])
    place = plant_run(tmp_path) / "audio" / "alpha--corpus"
    planted = read_audio(place / "c0.0.user.flac").at_rate(22_050)
    assert np.abs(read_audio(user).samples - planted.samples).max() < 1e-3
    assert system.read_bytes() == (place / "c0.0.system.flac").read_bytes()
