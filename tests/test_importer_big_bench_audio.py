"""Big Bench Audio: its repository, and a copy of it as Parquet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from cascadence.validation import validate
from test_importer_full_duplex_bench import write

NEAR_S = 0.02
ROWS = [
    {
        "file_name": "data/question_0.wav",
        "category": "formal_fallacies",
        "official_answer": "invalid",
        "id": 0,
    },
    {
        "file_name": "data/question_1.wav",
        "category": "object_counting",
        "official_answer": 7,
        "id": 1,
    },
    {"file_name": "data/question_1.wav", "category": "navigate", "official_answer": "Yes", "id": 1},
    {"file_name": "../outside.wav", "category": "navigate", "official_answer": "Yes", "id": 2},
    {"file_name": "data/missing.wav", "category": "navigate", "official_answer": "Yes", "id": 3},
    {"file_name": "data/pointer.wav", "category": "navigate", "official_answer": "Yes", "id": 4},
    {"category": "navigate", "official_answer": "Yes", "id": 5},
    {"file_name": "data/silent.wav", "category": "navigate", "official_answer": "No", "id": 6},
]


def plant(folder: Path) -> Path:
    write(folder / "data" / "question_0.wav", [(0.4, 2.0)], 2.5)
    write(folder / "data" / "question_1.wav", [(0.2, 1.0)], 1.2)
    write(folder / "data" / "silent.wav", [], 1.2)
    write(folder.parent / "outside.wav", [(0.2, 1.0)], 1.2)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    (folder / "data" / "pointer.wav").write_text(pointer)
    lines = [*map(json.dumps, ROWS), "{", "[]", ""]
    (folder / "metadata.jsonl").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    return folder


def test_questions_have_their_answers_and_no_words(tmp_path: Path) -> None:
    source = plant(tmp_path / "bba")
    done = import_named("big_bench_audio", source)
    corpus = open_corpus(str(source))
    assert [one.id for one in corpus] == ["bba-0", "bba-1"]
    first, second = corpus
    assert first.turns[0].expect.answer == ("invalid",)
    assert second.turns[0].expect.answer == ("7",)
    assert first.tags == ("formal_fallacies",)
    assert first.turns[0].speech_s == pytest.approx((0.4, 2.0), abs=NEAR_S)
    assert first.turns[0].text == "\N{HORIZONTAL ELLIPSIS}"
    assert not [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    assert [problem.line for problem in done.problems if problem.line] == [4, 5, 6, 7, 8, 9, 10]
    said = " ".join(problem.what for problem in done.problems)
    for what in ("leads out", "no such file", "Git LFS", "'file_name'", "no speech", "not JSON"):
        assert what in said
    assert "'bba-1'" in said


def test_a_copy_as_parquet_tells_the_words(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    plant(tmp_path / "bba")
    sound = (tmp_path / "bba" / "data" / "question_0.wav").read_bytes()
    rows = [
        {"id": 12, "audio": {"bytes": sound, "path": "x.wav"}, "transcript": "is it so?", **answer}
        for answer in ({"category": "navigate", "official_answer": "No"},)
    ]
    source = tmp_path / "copy"
    (source / "data").mkdir(parents=True)
    parquet.write_table(
        arrow.Table.from_pylist(rows), source / "data" / "train-00000-of-00001.parquet"
    )
    done = import_named("big_bench_audio", source, tmp_path / "corpus")
    (one,) = open_corpus(str(tmp_path / "corpus"))
    assert (one.id, one.turns[0].text) == ("bba-12", "is it so?")
    assert (tmp_path / "corpus" / one.turns[0].audio.path).read_bytes() == sound
    assert done.problems == []


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"metadata\.jsonl"):
        import_named("big_bench_audio", tmp_path)
