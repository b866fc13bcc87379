"""Hugging Face datasets on disk: audio folders, Parquet, and what ``save_to_disk`` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascadence.corpus import open_corpus
from cascadence.exporting import export_named
from cascadence.importing import BadDataset, import_named
from planted_export import plant as plant_corpus
from test_importer_emodb import NEAR_S, errors, write
from test_importer_nemo import UNTOLD, lines, without_files

CARD = """\
---
pretty_name: Little clips
license:
- cc-by-4.0
---
# Little clips
"""


def sound(folder: Path, name: str = "a.wav", channels: int = 1) -> bytes:
    write(folder / name, channels=channels)
    return (folder / name).read_bytes()


def test_an_audio_folder_is_used_in_place(tmp_path: Path) -> None:
    source = tmp_path / "data"
    for name in ("train/a.wav", "train/sub/b.flac", "validation/c.wav"):
        write(source / name)
    table = "\ufefffile_name,transcription,speaker_id,emotion\r\n"
    table += 'a.wav,"said, and ""done""\nover two lines",3,sad\r\n'
    table += "sub/b.flac,second,,\r\n../../outside.wav,x,,\r\nmissing.wav,x,,\r\n,x,,\r\n"
    (source / "train" / "metadata.csv").write_bytes(table.encode())
    lines(source / "validation" / "metadata.jsonl", {"file_name": "c.wav", "label": 2}, "junk")
    (source / "README.md").write_text(CARD)
    write(tmp_path / "outside.wav")
    done = import_named("hf_datasets", source)
    corpus = open_corpus(str(source))
    found = {one.id: one for one in corpus}
    assert list(found) == ["train-metadata-3", "train-metadata-4", "validation-metadata-1"]
    first = found["train-metadata-3"]
    assert first.turns[0].text == 'said, and "done"\nover two lines'
    assert (first.turns[0].speaker, first.turns[0].style.emotion) == ("3", "sad")
    assert first.turns[0].audio.path == "train/a.wav"
    assert first.turns[0].speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert [one.split for one in found.values()] == ["train", "train", "dev"]
    assert found["validation-metadata-1"].turns[0].text == UNTOLD
    assert (corpus.info.title, corpus.info.licence) == ("Little clips", "cc-by-4.0")
    assert first.licence == "cc-by-4.0"
    assert errors(corpus) == []
    places = [(Path(problem.file).name, problem.line) for problem in done.problems]
    assert places == [
        ("metadata.csv", 5),
        ("metadata.csv", 6),
        ("metadata.csv", 7),
        ("metadata.jsonl", 2),
        ("metadata.jsonl", 0),
    ]
    assert "which have: label" in done.problems[-1].what


def rows(folder: Path) -> list[dict[str, Any]]:
    good = sound(folder)
    return [
        {"audio": {"bytes": good, "path": "a.wav"}, "sentence": "first", "id": "../x"},
        {"audio": {"bytes": b"no sound", "path": "b.wav"}, "sentence": "torn", "id": "torn"},
        {"audio": {"bytes": sound(folder, "s.wav", 2), "path": "s"}, "sentence": "", "id": "two"},
        {"audio": None, "sentence": "none", "id": "none"},
        {"audio": {"bytes": None, "path": "clips/p.wav"}, "sentence": "a path", "id": "p"},
        {"audio": {"bytes": good, "path": None}, "sentence": "last", "id": None},
    ]


FEATURES = {"features": {"emotion": {"names": ["angry", "sad"], "_type": "ClassLabel"}}}


def classes(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with the index of a class, and one that has no name."""
    return [{**one, "emotion": 9 if one["id"] == "p" else 1} for one in found]


def check(source: Path, out: Path, stem: str) -> None:
    with pytest.raises(BadDataset, match="taken out"):
        import_named("hf_datasets", source)
    done = import_named("hf_datasets", source, out)
    corpus = open_corpus(str(out))
    assert [one.id for one in corpus] == ["x", "p", f"{stem}-6"]
    assert [one.turns[0].text for one in corpus] == ["first", "a path", "last"]
    assert (out / corpus.conversation("x").turns[0].audio.path).parent == out / "audio"
    assert {one.turns[0].audio.path.rpartition(".")[2] for one in corpus} == {"wav"}
    assert {one.split for one in corpus} == {"dev"}
    assert [one.turns[0].style.emotion for one in corpus] == ["sad", None, "sad"]
    assert errors(corpus) == []
    assert [problem.line for problem in done.problems] == [2, 3, 4]
    assert all(str(path.resolve()).startswith(str(out)) for path in out.rglob("*"))


def test_parquet_files_hold_sounds_or_paths(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    source = tmp_path / "data"
    (source / "data").mkdir(parents=True)
    write(source / "clips" / "p.wav")
    table = arrow.Table.from_pylist(classes(rows(tmp_path / "sounds")))
    told = {"huggingface": json.dumps({"info": FEATURES})}
    table = table.replace_schema_metadata(told)
    parquet.write_table(table, str(source / "data" / "validation-00000-of-00001.parquet"))
    check(source, tmp_path / "corpus", "data-validation-00000-of-00001")


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_what_save_to_disk_writes(tmp_path: Path, kind: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    source = tmp_path / "data"
    folder = source / "validation"
    folder.mkdir(parents=True)
    write(folder / "clips" / "p.wav")
    table = arrow.Table.from_pylist(classes(rows(tmp_path / "sounds")))
    (folder / "dataset_info.json").write_text(json.dumps(FEATURES))
    new = arrow.ipc.new_stream if kind == "stream" else arrow.ipc.new_file
    with new(str(folder / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)
    (folder / "cache-1234.arrow").write_bytes(b"left over")
    (source / "dataset_dict.json").write_text(json.dumps({"splits": ["validation"]}))
    (folder / "state.json").write_text("{}")
    check(source, tmp_path / "corpus", "validation-data-00000-of-00001")


def test_a_torn_table_is_a_problem(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    source = tmp_path / "data"
    source.mkdir()
    (source / "train.parquet").write_bytes(b"PAR1 and no more")
    (source / "escape.parquet").symlink_to(tmp_path / "x.parquet")
    with pytest.raises(BadDataset, match="no conversation was found"):
        import_named("hf_datasets", source, tmp_path / "corpus")


def test_our_own_export_comes_back(tmp_path: Path) -> None:
    source = plant_corpus(tmp_path / "corpus")
    exported = export_named("hf_datasets", str(source), tmp_path / "exported")
    assert import_named("hf_datasets", exported).problems == []
    corpus, again = open_corpus(str(source)), open_corpus(str(exported))
    assert without_files(again) == without_files(corpus)
    assert errors(again) == errors(corpus) == []


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no Parquet"):
        import_named("hf_datasets", tmp_path)
