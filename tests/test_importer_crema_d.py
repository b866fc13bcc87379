"""CREMA-D: actors, sentences, emotions and three intensities."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from test_importer_emodb import NEAR_S, errors, groups, silent, write


def plant(folder: Path) -> Path:
    wav = folder / "AudioWAV"
    for name in (
        "1001_IEO_ANG_LO",
        "1001_IEO_ANG_MD",
        "1001_IEO_ANG_HI",
        "1001_IEO_NEU_XX",
        "1001_DFA_ANG_XX",
        "1001_DFA_HAP_XX",
        "1002_DFA_HAP_XX",
        "1040_ITH_SAD_X",
        "1076_MTI_NEU_XX",
    ):
        write(wav / f"{name}.wav")
    silent(wav / "1076_MTI_SAD_XX.wav")
    write(wav / "1001_ZZZ_ANG_XX.wav")
    # An unfetched file of the repository.
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    (wav / "1003_TIE_FEA_XX.wav").write_text(pointer)
    write(folder / "AudioMP3" / "1001_DFA_ANG_XX.wav")
    (folder / "VideoDemographics.csv").write_text("ActorID,Age,Sex\n1001,51,Male\n")
    return folder


def test_the_middle_intensity_is_in_the_contrast_set(tmp_path: Path) -> None:
    source = plant(tmp_path / "crema")
    done = import_named("crema_d", source)
    corpus = open_corpus(str(source))
    assert groups(corpus) == {
        "crema_d-1001-IEO": {"crema_d-1001_IEO_ANG_MD", "crema_d-1001_IEO_NEU_XX"},
        "crema_d-1001-DFA": {"crema_d-1001_DFA_ANG_XX", "crema_d-1001_DFA_HAP_XX"},
    }
    assert corpus.conversation("crema_d-1001_IEO_ANG_LO").tags == ("intensity_low", "other_take")
    assert corpus.conversation("crema_d-1001_IEO_ANG_MD").tags == ("intensity_medium",)
    turn = corpus.conversation("crema_d-1040_ITH_SAD_X").turns[0]
    assert turn.text == "I think I have a doctor's appointment."
    assert (turn.style.emotion, turn.speaker) == ("sad", "crema_d-1040")
    assert turn.speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    # The other take of this sentence is silent, so that there is no set.
    assert corpus.conversation("crema_d-1076_MTI_NEU_XX").group is None
    assert errors(corpus) == []
    left_out = {Path(problem.file).name: problem.what for problem in done.problems}
    assert set(left_out) == {
        "1076_MTI_SAD_XX.wav",
        "1001_ZZZ_ANG_XX.wav",
        "1003_TIE_FEA_XX.wav",
    }
    assert "Git LFS" in left_out["1003_TIE_FEA_XX.wav"]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="AudioWAV"):
        import_named("crema_d", tmp_path)
