"""StressTest: one sentence, several stressed words, another meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from test_importer_emodb import NEAR_S, errors, groups, write

TEXT = "I told you twice, Ann."
ANSWERS = ["Somebody else told it.", "It was not only once."]


def sound(folder: Path, name: str) -> dict[str, Any]:
    write(folder / name)
    return {"bytes": (folder / name).read_bytes(), "path": name}


def row(folder: Path, name: str, index: int, **more: Any) -> dict[str, Any]:
    words = TEXT.split()
    pattern = {
        "binary": [int(place == index) for place in range(len(words))],
        "indices": [index],
        "words": [words[index].strip(".,")],
    }
    return {
        "transcription_id": "t1",
        "transcription": TEXT,
        "interpretation_id": f"i{index}",
        "intonation": "",
        "possible_answers": ANSWERS,
        "label": int(index == 3),
        "stress_pattern": pattern,
        "metadata": {"gender": "female", "language": "en", "sample_rate": 16_000},
        "audio": sound(folder, name),
        **more,
    }


def plant(folder: Path) -> Path:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    sounds = folder.parent / "sounds"
    told = {"binary": [1], "indices": [9], "words": ["none"]}
    other = {"binary": [0, 0, 0, 1, 0], "indices": [3], "words": ["never"]}
    rows = [
        row(sounds, "0.wav", 0),
        row(sounds, "1.wav", 3),
        row(sounds, "2.wav", 3),
        row(sounds, "3.wav", 1, metadata={"gender": "male"}),
        row(sounds, "4.wav", 2, transcription_id="t2"),
        row(sounds, "5.wav", 1, stress_pattern=told),
        row(sounds, "6.wav", 1, stress_pattern=other),
        row(sounds, "7.wav", 1, label=2),
        row(sounds, "8.wav", 1, audio=None),
    ]
    (folder / "data").mkdir(parents=True)
    table = folder / "data" / "test-00000-of-00001.parquet"
    parquet.write_table(arrow.Table.from_pylist(rows), str(table))
    return folder


def test_readings_of_one_sentence_are_a_contrast_set(tmp_path: Path) -> None:
    source = plant(tmp_path / "data")
    done = import_named("stresstest", source, tmp_path / "corpus")
    corpus = open_corpus(str(tmp_path / "corpus"))
    name = "stresstest-test-00000-of-00001"
    assert groups(corpus) == {"stresstest-t1-stresstest-female": {f"{name}-1", f"{name}-2"}}
    first, second = corpus.conversation(f"{name}-1"), corpus.conversation(f"{name}-2")
    assert first.turns[0].expect.answer == (ANSWERS[0],)
    assert second.turns[0].expect.answer == (ANSWERS[1],)
    assert (second.turns[0].style.emphasis, second.turns[0].style.label) == ((3,), "twice")
    assert all(answer in (first.instructions or "") for answer in ANSWERS)
    assert first.instructions == second.instructions
    assert first.turns[0].speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert corpus.conversation(f"{name}-3").tags == ("emphasis", "other_take")
    assert corpus.conversation(f"{name}-5").tags == ("emphasis",)
    assert errors(corpus) == []
    assert [problem.line for problem in done.problems] == [6, 7, 8, 9]


def test_sounds_are_not_unpacked_into_the_dataset(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="taken out"):
        import_named("stresstest", plant(tmp_path / "data"))


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no Parquet"):
        import_named("stresstest", tmp_path)
