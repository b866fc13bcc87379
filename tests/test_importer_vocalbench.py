"""VocalBench: JSON lists in a clone, sound where the user has put it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from cascadence.validation import validate
from test_importer_full_duplex_bench import write

NEAR_S = 0.02
SETS = {
    "knowledge": [
        {
            "Qid": "knowledge-0",
            "Audio": "knowledge/0.wav",
            "Question": "Who sings?",
            "Answer": "Ann",
        },
        {"Qid": "knowledge-1", "Audio": "knowledge/none.wav", "Question": "Who?", "Answer": "Ben"},
        {"Audio": "knowledge/0.wav", "Question": "Who?"},
        "no object",
    ],
    "emotion": [
        {
            "Qid": "emotion-0",
            "Audio": "emotion/0.wav",
            "Question": "Why me?",
            "Question_emo": "Angry",
        }
    ],
    "instruction_following": [
        {
            "Qid": "instruction-0",
            "Audio": "instruction_following/0.wav",
            "Question": "Repeat the following question without any explanation. Is it late?",
            "Category": "Paralinguistic",
            "Sub-category": "Plain repeat",
        }
    ],
    "multi_round": [
        {
            "Qid": "multi_round-0",
            "Audio": "multi_round/0.wav",
            "Context": [
                {"from": "user", "value": "A is taller than B."},
                {"from": "assistant", "value": "I see."},
            ],
            "Question": "Who is taller?",
            "Answer": "That would be A, of course, as you have told me before.",
        }
    ],
    "robust": [
        {
            "Qid": "robust-snr_-5-0",
            "Audio": "robust/background_noise/snr_-5/0.wav",
            "Question": "What is new?",
            "Answer": "Not much.",
            "Category": "background_noise",
            "Level": "snr_-5",
        }
    ],
}


def plant(folder: Path, sound: str) -> Path:
    (folder / "json").mkdir(parents=True)
    for name, rows in SETS.items():
        (folder / "json" / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
        for row in rows:
            if isinstance(row, dict) and "none" not in str(row["Audio"]):
                write(folder / sound / str(row["Audio"]), [(0.3, 1.2)], 1.5)
    (folder / "json" / "broken.json").write_text("[")
    (folder / "json" / "other.json").write_text("{}")
    return folder


@pytest.mark.parametrize("sound", ["", "audio"])
def test_sets_with_what_they_declare(tmp_path: Path, sound: str) -> None:
    source = plant(tmp_path / "VocalBench", sound)
    done = import_named("vocalbench", source)
    corpus = open_corpus(str(source))
    found = {one.id: one for one in corpus}
    assert list(found) == [
        "emotion-0",
        "instruction-0",
        "knowledge-0",
        "multi_round-0",
        "robust-snr_-5-0",
    ]
    assert found["knowledge-0"].turns[0].expect.answer == ("Ann",)
    assert found["knowledge-0"].turns[0].speech_s == pytest.approx((0.3, 1.2), abs=NEAR_S)
    assert found["emotion-0"].turns[0].style.emotion == "angry"
    assert found["instruction-0"].turns[0].expect.reply_text == "Is it late?"
    told = found["multi_round-0"].instructions
    assert told is not None
    assert told.splitlines()[1:] == ["User: A is taller than B.", "Assistant: I see."]
    assert not found["multi_round-0"].turns[0].expect.judged
    assert found["robust-snr_-5-0"].tags[-1] == "robust.background_noise.snr_-5"
    assert sorted(problem.file for problem in done.problems) == [
        "json/broken.json",
        "json/knowledge.json",
        "json/knowledge.json",
        "json/knowledge.json",
        "json/other.json",
    ]
    errors = [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    assert errors == []


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="json"):
        import_named("vocalbench", tmp_path)
