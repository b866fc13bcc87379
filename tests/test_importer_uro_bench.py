"""URO-Bench: sets of JSON lines with sound beside them, one round and several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from cascadence.validation import validate
from test_importer_full_duplex_bench import write

NEAR_S = 0.02


def put(folder: Path, *rows: dict[str, Any] | str) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.jsonl").write_text("\n".join(lines), encoding="utf-8")


def item(number: int, text: str, target: object = None) -> dict[str, Any]:
    row = {"id": number, "source_wav": f"wav/{number}.wav", "source_text": text}
    return row if target is None else {**row, "target_text": target}


def plant(folder: Path) -> Path:
    basic, pro = folder / "basic", folder / "pro"
    for place in ("basic/Repeat", "basic/Gsm8kEval", "basic/AlpacaEval-zh", "pro/UnderEmotion-en"):
        write(folder / place / "wav" / "1.wav", [(0.3, 1.2)], 1.5)
    put(basic / "Repeat", item(1, "Please repeat: good day to you all", "good day to you all"))
    write(basic / "Gsm8kEval" / "wav" / "2.wav", [(0.3, 1.2)], 1.5)
    put(
        basic / "Gsm8kEval",
        item(1, "two and two?", "4"),
        item(2, "why?", "because one and one and one is three"),
        item(3, "lost", "1"),
        "{",
        {"id": 4, "source_wav": "/etc/passwd", "source_text": "out"},
        {"id": 5, "source_wav": 7, "dialogue": "no list"},
    )
    put(basic / "AlpacaEval-zh", item(1, "你好吗"))
    put(pro / "UnderEmotion-en", {**item(1, "I lost it", "sorry"), "emotion": "Sad"})
    for number in (1, 2):
        write(pro / "MtBenchEval-en" / "wav" / f"{number}.wav", [(0.1 * number, 1.0)], 1.2)
    rounds = [{**item(n, f"round {n}", "fine"), "round": n} for n in (1, 2)]
    put(pro / "MtBenchEval-en", {"id": 9, "num_round": 2, "dialogue": rounds})
    return folder


def test_sets_rounds_languages_and_answers(tmp_path: Path) -> None:
    source = plant(tmp_path / "URO-Bench-data")
    done = import_named("uro_bench", source)
    corpus = open_corpus(str(source))
    found = {one.id: one for one in corpus}
    assert list(found) == [
        "AlpacaEval-zh-1",
        "Gsm8kEval-1",
        "Gsm8kEval-2",
        "Repeat-1",
        "MtBenchEval-en-9",
        "UnderEmotion-en-1",
    ]
    assert found["AlpacaEval-zh-1"].language == "zh"
    assert found["Repeat-1"].turns[0].expect.reply_text == "good day to you all"
    assert found["Gsm8kEval-1"].turns[0].expect.answer == ("4",)
    assert not found["Gsm8kEval-2"].turns[0].expect.judged
    assert found["UnderEmotion-en-1"].turns[0].style.emotion == "sad"
    assert found["UnderEmotion-en-1"].tags == ("UnderEmotion-en", "pro")
    rounds = found["MtBenchEval-en-9"].turns
    assert [turn.text for turn in rounds] == ["round 1", "round 2"]
    assert [turn.speech_s[0] for turn in rounds] == pytest.approx([0.1, 0.2], abs=NEAR_S)
    assert [problem.line for problem in done.problems] == [3, 4, 5, 6]
    errors = [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    assert errors == []


def test_one_set_s_folder_will_do(tmp_path: Path) -> None:
    source = plant(tmp_path / "uro") / "basic" / "Repeat"
    import_named("uro_bench", source)
    (one,) = open_corpus(str(source))
    assert one.tags == ("Repeat",)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"test\.jsonl"):
        import_named("uro_bench", tmp_path)
