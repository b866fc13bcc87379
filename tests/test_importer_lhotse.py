"""Lhotse: cuts, recordings with supervisions, channels, and sources that are no files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascadence.corpus import open_corpus
from cascadence.exporting import export_named
from cascadence.importing import BadDataset, import_named
from planted_export import plant as plant_corpus
from planted_run import speech
from test_importer_emodb import NEAR_S, errors, write
from test_importer_nemo import JSON, lines, without_files

RATE = 16_000
Row = dict[str, Any]


def packed(path: Path, *rows: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_bytes(gzip.compress(text.encode()))


def recording(name: str, source: str, channels: list[int], **more: Any) -> Row:
    sources = [{"type": "file", "channels": channels, "source": source}]
    length = {"sampling_rate": RATE, "num_samples": 24_000, "duration": 1.5}
    return {"id": name, "sources": sources, "channel_ids": channels, **length, **more}


def supervision(name: str, recording_id: str, start: float, duration: float, **more: Any) -> Row:
    place = {"recording_id": recording_id, "start": start, "duration": duration, "channel": 0}
    return {"id": name, **place, "text": f"words of {name}", "speaker": "Ann", **more}


def cut(name: str, recorded: Row | None, *supervisions: Row, **more: Any) -> Row:
    row = {"id": name, "start": 0.0, "duration": 1.5, "channel": 0, "type": "MonoCut", **more}
    return {**row, "supervisions": list(supervisions), "recording": recorded}


def two_channels(path: Path) -> None:
    """Somebody speaks in the left channel until 1.6 s, and then another in the right one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = speech([(0.4, 1.6)], 4.0, RATE, 140.0).samples
    right = speech([(2.2, 3.3)], 4.0, RATE, 230.0).samples
    soundfile.write(str(path), np.stack([left, right], axis=1), RATE)


def test_a_cut_with_one_supervision_is_the_clip(tmp_path: Path) -> None:
    source = tmp_path / "data"
    write(source / "wavs" / "a.wav")
    recorded = recording("a", "wavs/a.wav", [0])
    said = supervision("s", "a", 0.0, 1.25, language="de")
    packed(
        source / "manifests" / "my_cuts_train.jsonl.gz",
        cut("c", recorded, said, start=0.1, duration=1.2),
        cut("through", recorded, said, start=0.1, duration=1.0),
        cut("nothing", recorded),
        cut("gone", None, said),
        cut("mixed", recorded, said, type="MixedCut"),
        cut(
            "url", {**recorded, "sources": [{"type": "url", "channels": [0], "source": "x"}]}, said
        ),
        cut("faster", {**recorded, "transforms": [{"name": "Speed"}]}, said),
        cut("outside", recording("a", "../a.wav", [0]), said),
        cut("long", recorded, said, duration=9.0),
        cut("timeless", recorded, {**said, "start": None, "duration": "x"}),
        cut("channel", recorded, {**said, "channel": 5}),
        "{}",
    )
    done = import_named("lhotse", source)
    corpus = open_corpus(str(source))
    assert [one.id for one in corpus] == ["c"]
    one = corpus.conversation("c")
    assert (one.split, one.language) == ("train", "de")
    turn = one.turns[0]
    assert (turn.audio.start_s, turn.audio.end_s) == (0.1, pytest.approx(1.3))
    # The supervision says who speaks; where the speech is, is measured.
    assert turn.speech_s == pytest.approx((0.2, 1.0), abs=NEAR_S)
    assert (turn.text, turn.speaker) == ("words of s", "Ann")
    assert errors(corpus) == []
    assert [problem.line for problem in done.problems] == list(range(2, 13))


def test_supervisions_of_two_channels_are_turns_of_their_own(tmp_path: Path) -> None:
    source = tmp_path / "data"
    two_channels(source / "call.wav")
    recorded = recording("call", "call.wav", [0, 1], num_samples=64_000, duration=4.0)
    said = [
        supervision("left", "call", 0.2, 1.7),
        supervision("right", "call", 2.0, 1.6, channel=[1], speaker="Bob"),
        supervision("both", "call", 2.0, 1.6, channel=[0, 1]),
        supervision("nobody", "other", 0.0, 1.0),
    ]
    packed(source / "x_recordings.jsonl.gz", recorded)
    lines(source / "x_supervisions.jsonl", *said)
    done = import_named("lhotse", source)
    corpus = open_corpus(str(source))
    assert [one.id for one in corpus] == ["left", "right"]
    left, right = (one.turns[0] for one in corpus)
    assert (left.audio.channel, right.audio.channel) == (0, 1)
    assert left.speech_s == pytest.approx((0.2, 1.4), abs=NEAR_S)
    assert right.speech_s == pytest.approx((0.2, 1.3), abs=NEAR_S)
    assert len(corpus.clip(right)) == round(1.6 * RATE)
    assert errors(corpus) == []
    assert [problem.line for problem in done.problems] == [3, 4]
    # The same with everything in one cut.
    whole = cut("cut", recorded, *said[:2], duration=4.0, channel=[0, 1], type="MultiCut")
    packed(tmp_path / "cuts" / "cuts.jsonl.gz", whole)
    two_channels(tmp_path / "cuts" / "call.wav")
    import_named("lhotse", tmp_path / "cuts")
    again = open_corpus(str(tmp_path / "cuts"))
    assert without_files(again) == without_files(corpus)


def test_one_file_a_channel(tmp_path: Path) -> None:
    source = tmp_path / "data"
    write(source / "0.wav", 0.3)
    write(source / "1.wav", 0.6)
    sources = [{"type": "file", "channels": [n], "source": f"{n}.wav"} for n in (0, 1)]
    recorded = recording("r", "", [0, 1], sources=sources)
    packed(source / "cuts.jsonl.gz", cut("c", recorded, supervision("s", "r", 0.0, 1.5, channel=1)))
    assert import_named("lhotse", source).problems == []
    turn = open_corpus(str(source)).conversation("c").turns[0]
    assert (turn.audio.path, turn.audio.channel) == ("1.wav", None)
    assert turn.speech_s == pytest.approx((0.6, 1.1), abs=NEAR_S)


def test_speech_is_looked_for_where_the_supervision_is(tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.mkdir()
    both = speech([(0.4, 1.6), (2.2, 3.3)], 4.0, RATE, 140.0)
    soundfile.write(str(source / "a.wav"), both.samples, RATE)
    recorded = recording("a", "a.wav", [0], num_samples=64_000, duration=4.0)
    said = supervision("s", "a", 1.8, 1.7)
    packed(source / "cuts.jsonl.gz", cut("c", recorded, said, start=0.1, duration=3.8))
    assert import_named("lhotse", source).problems == []
    turn = open_corpus(str(source)).conversation("c").turns[0]
    assert turn.speech_s == pytest.approx((2.1, 3.2), abs=NEAR_S)


def test_a_torn_archive_is_a_problem(tmp_path: Path) -> None:
    source = tmp_path / "data"
    write(source / "a.wav")
    good = cut("c", recording("a", "a.wav", [0]), supervision("s", "a", 0.0, 1.5))
    packed(source / "cuts_a.jsonl.gz", good)
    torn = gzip.compress(b"x" * 100_000)
    (source / "cuts_b.jsonl.gz").write_bytes(torn[: len(torn) // 2])
    done = import_named("lhotse", source)
    assert (done.count, [problem.file for problem in done.problems]) == (1, ["cuts_b.jsonl.gz"])
    assert "torn" in done.problems[0].what


def test_our_own_export_comes_back(tmp_path: Path) -> None:
    source = plant_corpus(tmp_path / "corpus")
    exported = export_named("lhotse", str(source), tmp_path / "exported")
    assert import_named("lhotse", exported).problems == []
    corpus, again = open_corpus(str(source)), open_corpus(str(exported))
    assert without_files(again) == without_files(corpus)
    assert errors(again) == errors(corpus) == []
    for one in corpus:
        for turn, same in zip(one.turns, again.conversation(one.id).turns, strict=True):
            assert len(again.clip(same)) == pytest.approx(len(corpus.clip(turn)), abs=1)


CUT_FIELDS = ("id", "start", "duration", "channel", "type", "supervisions", "recording", "custom")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_a_cut_holds_the_others_are_imported(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    source = tmp_path_factory.mktemp("fuzz")
    write(source / "a.wav")
    said = supervision("s", "a", 0.0, 1.5)
    recorded = recording("a", "a.wav", [0])
    odd = data.draw(st.dictionaries(st.sampled_from(CUT_FIELDS), JSON, min_size=1))
    odd_said = data.draw(st.dictionaries(st.sampled_from(tuple(said)), JSON))
    odd_recorded = data.draw(st.dictionaries(st.sampled_from(tuple(recorded)), JSON))
    strange = cut("odd", {**recorded, **odd_recorded}, {**said, **odd_said})
    packed(source / "cuts.jsonl.gz", cut("good", recorded, said), strange, {**strange, **odd})
    done = import_named("lhotse", source)
    corpus = open_corpus(str(source))
    assert "good" in {one.id for one in corpus}
    assert done.count == len(list(corpus)) == len(corpus.index())
    assert corpus.problems == ()
    assert done.count == 3 or done.problems


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no cuts"):
        import_named("lhotse", tmp_path)
