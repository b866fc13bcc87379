"""VoiceBench: Parquet shards by subset, and the tables that importers read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascadence.clip import BadClip
from cascadence.corpus import open_corpus
from cascadence.data_manifests.importers.parquet_rows import embedded_sound, table_rows
from cascadence.data_manifests.importers.voicebench import choice_answers, expectation
from cascadence.importing import BadDataset, Shelf, import_named
from cascadence.validation import validate
from test_importer_full_duplex_bench import write

NEAR_S = 0.02
PROMPT = "Where does the sun rise? A. in the north B. in the east. C. in the west D. nowhere"


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    write(tmp_path / "sound.wav", [(0.3, 1.4)], 1.8)
    return (tmp_path / "sound.wav").read_bytes()


def shard(path: Path, rows: list[dict[str, Any]]) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.Table.from_pylist(rows), path)


def plant(folder: Path, sound: bytes) -> Path:
    audio = {"bytes": sound, "path": "question.wav"}
    name = "test-00000-of-00001.parquet"
    shard(
        folder / "alpacaeval" / name, [{"audio": audio, "prompt": "say hello", "output": "Hello!"}]
    )
    shard(folder / "openbookqa" / name, [{"audio": audio, "prompt": PROMPT, "reference": "B"}])
    shard(
        folder / "sd-qa" / "gbr-00000-of-00001.parquet",
        [
            {"audio": audio, "prompt": "who wrote it?", "reference": "Ann Smith"},
            {"audio": {"bytes": b"junk", "path": None}, "prompt": "what?", "reference": "it"},
            {"audio": {"bytes": None, "path": "x.wav"}, "prompt": "what?", "reference": "it"},
            {"audio": audio, "prompt": " ", "reference": "it"},
        ],
    )
    shard(folder / "mtbench" / name, [{"turns": ["one", "two"], "audio1": audio, "audio2": audio}])
    return folder


def test_subsets_come_with_what_can_be_told_of_an_answer(tmp_path: Path, sound: bytes) -> None:
    source = plant(tmp_path / "voicebench", sound)
    done = import_named("voicebench", source, tmp_path / "corpus")
    corpus = open_corpus(str(tmp_path / "corpus"))
    found = {one.tags: one for one in corpus}
    assert list(found) == [
        ("alpacaeval", "alpacaeval-test"),
        ("openbookqa", "openbookqa-test"),
        ("sd-qa", "sd-qa-gbr"),
    ]
    first, choice, short = found.values()
    assert not first.turns[0].expect.judged
    assert first.turns[0].speech_s == pytest.approx((0.3, 1.4), abs=NEAR_S)
    assert choice.turns[0].expect.answer[0] == "in the east"
    assert short.turns[0].expect.answer == ("Ann Smith",)
    assert len(done.problems) == 4
    assert any("turns" in problem.what for problem in done.problems)
    errors = [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    assert errors == []


def test_sound_in_tables_needs_another_folder(tmp_path: Path, sound: bytes) -> None:
    source = plant(tmp_path / "voicebench", sound)
    with pytest.raises(BadDataset, match="--out"):
        import_named("voicebench", source)


@pytest.mark.parametrize(
    ("letter", "text"), [("A", "in the north"), ("B", "in the east"), ("D", "nowhere")]
)
def test_the_right_option_is_told_by_its_words(letter: str, text: str) -> None:
    answers = choice_answers(PROMPT, letter)
    assert answers[0] == text
    assert letter not in answers
    assert f"option {letter}" in answers


def test_options_in_lines_and_parentheses() -> None:
    assert choice_answers("Which?\n(A) red\n(B) light blue", "B")[0] == "light blue"
    assert choice_answers("Which one, a or b?", "B")[0] == "option B"


def test_what_only_a_language_model_can_judge_declares_nothing() -> None:
    assert not expectation("alpacaeval", {"prompt": "x", "output": "y"}).judged
    assert not expectation("sd-qa", {"prompt": "x", "reference": None}).judged


def test_tables_are_read_whole_and_columns_chosen(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, tmp_path)
    shard(tmp_path / "t.parquet", [{"a": n, "b": str(n)} for n in range(40)])
    assert [row["a"] for row in table_rows(shelf, tmp_path / "t.parquet")] == list(range(40))
    assert list(table_rows(shelf, tmp_path / "t.parquet", ["b", "c"]))[39] == {"b": "39"}
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadDataset, match="readable"):
        list(table_rows(shelf, tmp_path / "torn.parquet"))


def test_arrow_files_of_both_kinds_are_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.Table.from_pylist([{"a": n} for n in range(40)])
    for name, new in (("s", arrow.ipc.new_stream), ("f", arrow.ipc.new_file)):
        path = tmp_path / f"{name}.arrow"
        with arrow.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
            writer.write_table(table)
        assert [row["a"] for row in table_rows(Shelf(tmp_path, tmp_path), path)] == list(range(40))


@pytest.mark.parametrize(
    ("start", "ending"),
    [
        (b"RIFF", ".wav"),
        (b"fLaC", ".flac"),
        (b"OggS", ".ogg"),
        (b"ID3", ".mp3"),
        (b"\xff\xfb", ".mp3"),
    ],
)
def test_a_sound_s_kind_is_told_by_its_bytes(start: bytes, ending: str) -> None:
    assert embedded_sound({"bytes": start + b"rest", "path": "x.bin"}) == (start + b"rest", ending)
    assert embedded_sound({"bytes": None, "path": "x.wav"}) is None
    assert embedded_sound("x.wav") is None


@pytest.mark.parametrize("importer", ["voicebench", "big_bench_audio", "stresstest"])
def test_a_table_that_leads_out_of_the_folder_is_not_read(
    importer: str, tmp_path: Path, sound: bytes
) -> None:
    outside = plant(tmp_path / "outside", sound)
    (tmp_path / "data").mkdir()
    shards = sorted(outside.rglob("*.parquet"))
    (tmp_path / "data" / "test-00000-of-00001.parquet").symlink_to(shards[0])
    with pytest.raises(BadClip, match="leads out"):
        import_named(importer, tmp_path / "data", tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "conversations.jsonl").exists()
