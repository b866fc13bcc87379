"""EmoDB, and what all corpora of acted emotions share: contrast sets of takes."""

from __future__ import annotations

import csv
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cascadence.corpus import Corpus, open_corpus
from cascadence.importing import BadDataset, import_named
from cascadence.validation import validate
from planted_run import speech

RATE = 16_000
NEAR_S = 0.02
REAL = Path(__file__).parents[2] / "shared" / "data" / "emodb"


def write(path: Path, start_s: float = 0.3, channels: int = 1, rate: int = RATE) -> None:
    """Write 1.5 s with a tone from ``start_s`` to 1.1 s, half as loud in a second channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # No two files are the same sound.
    hz = 120.0 + zlib.crc32(path.name.encode()) % 1009 / 10.0
    sound = speech([(start_s, 1.1)], 1.5, rate, hz).samples
    both = np.stack([sound / (1 + channel) for channel in range(channels)], axis=1)
    kind = {".flac": "FLAC", ".mp3": "MP3"}.get(path.suffix.lower(), "WAV")
    soundfile.write(str(path), both, rate, format=kind)


def silent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), np.zeros(RATE, dtype=np.float32), RATE, format="WAV")


def errors(corpus: Corpus) -> list[str]:
    found = validate(corpus, audio=True)
    return [str(problem) for problem in found if problem.severity == "error"]


def groups(corpus: Corpus) -> dict[str, set[str]]:
    """By contrast set, the ids of its members."""
    found: dict[str, set[str]] = {}
    for one in corpus:
        if one.group:
            found.setdefault(one.group, set()).add(one.id)
    return found


def plant(folder: Path) -> Path:
    wav = folder / "wav"
    for name in ("03a01Fa", "03a01Nc", "03a01Nb", "03a01Wa", "08a01Fa", "08b10Ta", "08b10Tb"):
        write(wav / f"{name}.wav")
    write(wav / "16B02LA.WAV", channels=2)
    silent(wav / "16b02Na.wav")
    write(wav / "99x99Qz.wav")
    write(wav / "03a03Fa.wav")
    (wav / "03a02Fa.wav").write_bytes(b"RIFF, torn")
    (wav / "._03a01Fa.wav").write_bytes(b"shadow")
    (wav / "16a05Na.wav").symlink_to(folder.parent / "outside.wav")
    write(folder.parent / "outside.wav")
    (folder / "silb").mkdir()
    (folder / "silb" / "03a01Fa.silb").write_text("0.1 der\n", encoding="latin-1")
    return folder


def test_takes_of_one_sentence_are_a_contrast_set(tmp_path: Path) -> None:
    source = plant(tmp_path / "emodb")
    done = import_named("emodb", source)
    corpus = open_corpus(str(source))
    assert groups(corpus) == {"emodb-03-a01": {"emodb-03a01Fa", "emodb-03a01Nb", "emodb-03a01Wa"}}
    turn = corpus.conversation("emodb-03a01Wa").turns[0]
    assert turn.text == "Der Lappen liegt auf dem Eisschrank."
    assert (turn.style.emotion, turn.style.label, turn.speaker) == ("angry", "angry", "emodb-03")
    assert turn.speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert corpus.conversation("emodb-03a01Nc").tags == ("other_take",)
    assert corpus.conversation("emodb-03a01Nb").tags == ()
    # Two takes, but one emotion: nothing to compare.
    assert corpus.conversation("emodb-08b10Ta").group is None
    assert corpus.conversation("emodb-16B02LA").turns[0].audio.channel == 0
    assert {one.language for one in corpus} == {"de"}
    assert errors(corpus) == []
    left_out = {Path(problem.file).name: problem.what for problem in done.problems}
    assert set(left_out) == {
        "16b02Na.wav",
        "99x99Qz.wav",
        "03a03Fa.wav",
        "03a02Fa.wav",
        "16a05Na.wav",
    }
    assert "leads out" in left_out["16a05Na.wav"]
    assert "no speech" in left_out["16b02Na.wav"]


def test_boundaries_are_taken_from_a_table(tmp_path: Path) -> None:
    source = tmp_path / "emodb"
    for name in ("03a01Fa", "03a01Na", "03a01Wa", "03a01Ta"):
        write(source / "audio" / f"{name}.flac")
    rows = ["audio/03a01Fa.flac,0.25,1.0", "audio/03a01Na.flac,0.25,7.5", "audio/03a01Wa.flac,x,1"]
    table = "\n".join(["\ufefffile,speech_start_s,speech_end_s", *rows])
    (source / "labels.csv").write_text(table, encoding="utf-8")
    done = import_named("emodb", source)
    corpus = open_corpus(str(source))
    spans = {one.id[-2:-1]: one.turns[0].speech_s for one in corpus}
    assert spans["F"] == (0.25, 1.0)
    # An end behind the clip's own is measured; what is no number, and what is not told, too.
    assert spans["N"] == pytest.approx((0.25, 1.1), abs=NEAR_S)
    assert spans["W"] == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert spans["T"] == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert [(problem.file, problem.line) for problem in done.problems] == [("labels.csv", 4)]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no sound files"):
        import_named("emodb", tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/emodb is not here")
def test_the_real_recordings_import_and_validate(tmp_path: Path) -> None:
    done = import_named("emodb", REAL, tmp_path / "corpus")
    corpus = open_corpus(str(tmp_path / "corpus"))
    with (REAL / "labels.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert (done.count, done.problems) == (len(rows), [])
    assert errors(corpus) == []
    sets = groups(corpus)
    assert min(len(members) for members in sets.values()) >= 2
    styles = {
        name: [corpus.conversation(one).turns[0].style.label for one in members]
        for name, members in sets.items()
    }
    assert all(len(found) == len(set(found)) for found in styles.values())
    grouped = {(row["speaker"], row["sentence"]) for row in rows}
    several = {
        place
        for place in grouped
        if len({row["emotion"] for row in rows if (row["speaker"], row["sentence"]) == place}) > 1
    }
    assert len(sets) == len(several) > 40
