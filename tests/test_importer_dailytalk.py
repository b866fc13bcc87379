"""DailyTalk: dialogues of two readers, a file an utterance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from cascadence.validation import validate
from test_importer_full_duplex_bench import write

NEAR_S = 0.02
SAID = ("i am looking for a pan.", "what size?", "a big one.")


def utterance(folder: Path, dialogue: int, index: int, speaker: int, text: str | None) -> None:
    stem = folder / "data" / str(dialogue) / f"{index}_{speaker}_d{dialogue}"
    write(stem.with_suffix(".wav"), [(0.2 + 0.1 * index, 1.2)], 1.5)
    if text is not None:
        stem.with_suffix(".txt").write_text(f"{text}\nsecond line\n", encoding="utf-8")


def plant(folder: Path) -> Path:
    for dialogue in (10, 2):
        for index, text in enumerate(SAID):
            utterance(folder, dialogue, index, index % 2, text)
    utterance(folder, 3, 0, 0, "hello")
    utterance(folder, 3, 2, 0, "where were you?")
    utterance(folder, 4, 0, 1, None)
    (folder / "data" / "5").mkdir()
    told = {
        "2": {
            "0": {"emotion": "no emotion", "text": SAID[0]},
            "1": {"emotion": "happiness"},
            "2": {"emotion": "Anger"},
        },
        "10": "junk",
    }
    (folder / "metadata.json").write_text(json.dumps(told))
    return folder


def test_dialogues_with_the_other_s_words_as_reference(tmp_path: Path) -> None:
    source = plant(tmp_path / "dailytalk")
    done = import_named("dailytalk", source)
    corpus = open_corpus(str(source))
    found = list(corpus)
    assert [one.id for one in found] == ["dailytalk-2", "dailytalk-10"]
    first, second = found[0].turns
    assert (first.text, second.text) == (SAID[0], SAID[2])
    assert (first.expect.reply_text, second.expect.reply_text) == (SAID[1], None)
    assert (first.style.emotion, second.style.emotion) == ("neutral", "anger")
    assert (first.speaker, second.speaker) == ("dailytalk-0", "dailytalk-0")
    assert second.speech_s == pytest.approx((0.4, 1.2), abs=NEAR_S)
    assert [turn.style.emotion for turn in found[1].turns] == [None, None]
    assert {problem.file: problem.what for problem in done.problems} == {
        "data/3": "utterances are missing: 1",
        "data/4": "data/4/0_1_d4.txt: there is no such file",
        "data/5": "no <utterance>_<speaker>_d<dialogue>.wav",
    }
    assert not [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]


def test_without_metadata_emotions_are_unknown_and_that_is_said(tmp_path: Path) -> None:
    source = plant(tmp_path / "dailytalk")
    (source / "metadata.json").unlink()
    done = import_named("dailytalk", source, limit=1)
    assert "emotions stay unknown" in done.problems[0].what
    assert open_corpus(str(source)).conversation("dailytalk-2").turns[0].style.emotion is None


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="numbered"):
        import_named("dailytalk", tmp_path)
