"""RAVDESS: seven numbers in a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from test_importer_emodb import NEAR_S, errors, groups, write


def plant(folder: Path) -> Path:
    for name in (
        "03-01-01-01-01-01-12",
        "03-01-01-01-01-02-12",
        "03-01-05-01-01-01-12",
        "03-01-05-01-02-01-12",
        "03-02-05-01-01-01-12",
        "03-02-02-01-01-01-12",
        "03-01-09-01-01-01-12",
    ):
        write(folder / "Actor_12" / f"{name}.wav", rate=48_000)
    # Found before the others, and yet not the one for the contrast set.
    write(folder / "A_strong" / "03-01-05-02-01-01-12.wav", rate=48_000)
    write(folder / "Actor_01" / "03-01-02-01-01-02-01.wav", channels=2, rate=48_000)
    # A popular copy holds everything twice.
    write(folder / "copy" / "Actor_12" / "03-01-05-01-01-01-12.wav", rate=48_000)
    (folder / "Actor_12" / "01-01-05-01-01-01-12.mp4").write_bytes(b"film")
    return folder


def test_first_repetitions_at_normal_intensity_are_a_contrast_set(tmp_path: Path) -> None:
    source = plant(tmp_path / "ravdess")
    done = import_named("ravdess", source)
    corpus = open_corpus(str(source))
    assert groups(corpus) == {
        "ravdess-12-speech-01": {
            "ravdess-03-01-01-01-01-01-12",
            "ravdess-03-01-05-01-01-01-12",
        },
        "ravdess-12-song-01": {
            "ravdess-03-02-05-01-01-01-12",
            "ravdess-03-02-02-01-01-01-12",
        },
    }
    strong = corpus.conversation("ravdess-03-01-05-02-01-01-12")
    assert strong.tags == ("speech", "intensity_strong", "other_take")
    turn = corpus.conversation("ravdess-03-01-05-01-02-01-12").turns[0]
    assert turn.text == "Dogs are sitting by the door."
    assert (turn.style.emotion, turn.speaker) == ("angry", "ravdess-12")
    assert turn.speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert corpus.conversation("ravdess-03-01-02-01-01-02-01").turns[0].audio.channel == 0
    assert errors(corpus) == []
    assert {problem.file: problem.what[:13] for problem in done.problems} == {
        "Actor_12/03-01-09-01-01-01-12.wav": "not a name th",
        "copy/Actor_12/03-01-05-01-01-01-12.wav": "there is anot",
    }


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no sound files"):
        import_named("ravdess", tmp_path)
