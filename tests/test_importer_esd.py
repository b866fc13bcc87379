"""ESD: tables in every encoding, with and without splits."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from test_importer_emodb import NEAR_S, errors, groups, write

QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"
MANDARIN = "打开窗户。"


def plant(folder: Path) -> Path:
    inside = folder / "Emotion Speech Dataset"
    write(inside / "0001" / "中立" / "0001_000001.wav")
    write(inside / "0001" / "Happy" / "0001_000701.wav")
    table = f"0001_000001\t{MANDARIN}\t中立\n0001_000701\t{MANDARIN}\t快乐\n"
    (inside / "0001" / "0001.txt").write_bytes(table.encode("gb18030"))
    write(inside / "0011" / "Neutral" / "evaluation" / "0011_000002.wav")
    write(inside / "0011" / "Angry" / "evaluation" / "0011_000352.wav")
    write(inside / "0011" / "Sad" / "train" / "0011_001080.wav")
    write(inside / "0011" / "Sad" / "train" / "0011_001081.wav")
    table = (
        f"0011_000002\tthe cat{QUOTE}s here.\tNeutral\n0011_000352\tThe cat{QUOTE}s here\tAngry\n"
    )
    table += "0011_001080\tso sad a day\tSad\n\njunk\n"
    (inside / "0011" / "0011.txt").write_bytes(table.encode("cp1252"))
    write(inside / "0012" / "Neutral" / "0012_000003.wav")
    write(inside / "0012" / "Surprise" / "0012_001403.wav")
    write(inside / "0012" / "0012_000353.wav")
    table = "0012_000003 one way Neutral\r\n0012_001403 another way Surprise\r\n"
    table += "0012_000353\tone way\tAngry\r\n"
    (inside / "0012" / "0012.txt").write_bytes(table.encode("utf-16"))
    write(inside / "0014" / "Sad" / "0014_001060.wav")
    (inside / "0014" / "0014.txt").write_bytes("0014_001060\tfar away\tSad\n".encode("utf-16-le"))
    write(inside / "0013" / "Neutral" / "0013_000001.wav")
    write(inside / "0011" / "Sad" / "readme.wav")
    return folder


def test_words_come_from_tables_in_any_encoding(tmp_path: Path) -> None:
    source = plant(tmp_path / "esd")
    done = import_named("esd", source)
    corpus = open_corpus(str(source))
    assert {one.id: (one.turns[0].text, one.turns[0].style.emotion) for one in corpus} == {
        "esd-0001_000001": (MANDARIN, "neutral"),
        "esd-0001_000701": (MANDARIN, "happy"),
        "esd-0011_000002": (f"the cat{QUOTE}s here.", "neutral"),
        "esd-0011_000352": (f"The cat{QUOTE}s here", "angry"),
        "esd-0011_001080": ("so sad a day", "sad"),
        "esd-0012_000003": ("one way", "neutral"),
        "esd-0012_000353": ("one way", "angry"),
        "esd-0012_001403": ("another way", "surprised"),
        "esd-0014_001060": ("far away", "sad"),
    }
    # Only the same words make a set: one of the parallel sentences was typed differently.
    assert groups(corpus) == {
        "esd-0001-001": {"esd-0001_000001", "esd-0001_000701"},
        "esd-0011-002-dev": {"esd-0011_000002", "esd-0011_000352"},
        "esd-0012-003": {"esd-0012_000003", "esd-0012_000353"},
    }
    assert {one.id[4:8]: one.language for one in corpus} == {
        "0001": "zh",
        "0011": "en",
        "0012": "en",
        "0014": "en",
    }
    assert corpus.conversation("esd-0011_001080").split == "train"
    turn = corpus.conversation("esd-0001_000701").turns[0]
    assert turn.speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert errors(corpus) == []
    assert sorted(Path(problem.file).name for problem in done.problems) == [
        "0011_001081.wav",
        "0013.txt",
        "0013_000001.wav",
        "readme.wav",
    ]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no sound files"):
        import_named("esd", tmp_path)
