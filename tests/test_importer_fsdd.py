"""FSDD: single digits at 8 kHz."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from test_importer_emodb import NEAR_S, errors, silent, write

REAL = Path(__file__).parents[2] / "shared" / "data" / "fsdd"


def test_digits_with_the_official_split(tmp_path: Path) -> None:
    source = tmp_path / "fsdd"
    for name in ("7_jackson_0", "7_jackson_4", "7_jackson_5", "0_yweweler_49"):
        write(source / "recordings" / f"{name}.wav", rate=8000)
    write(source / "spectrograms" / "7_jackson_1.wav")
    write(source / "recordings" / "noise.wav")
    silent(source / "recordings" / "1_theo_0.wav")
    done = import_named("fsdd", source)
    corpus = open_corpus(str(source))
    assert {one.id: (one.split, one.turns[0].text) for one in corpus} == {
        "fsdd-0_yweweler_49": ("train", "zero"),
        "fsdd-7_jackson_0": ("test", "seven"),
        "fsdd-7_jackson_4": ("test", "seven"),
        "fsdd-7_jackson_5": ("train", "seven"),
    }
    turn = corpus.conversation("fsdd-7_jackson_4").turns[0]
    assert turn.speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert turn.speaker == "fsdd-jackson"
    assert errors(corpus) == []
    assert sorted(Path(problem.file).name for problem in done.problems) == [
        "1_theo_0.wav",
        "noise.wav",
    ]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="recordings"):
        import_named("fsdd", tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/fsdd is not here")
def test_the_real_recordings_import_and_validate(tmp_path: Path) -> None:
    done = import_named("fsdd", REAL, tmp_path / "corpus")
    corpus = open_corpus(str(tmp_path / "corpus"))
    assert done.count == len(list(REAL.glob("*.flac"))) > 200
    assert done.problems == []
    assert errors(corpus) == []
