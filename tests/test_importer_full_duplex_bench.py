"""Full-Duplex-Bench: the layouts of v1.0 and v1.5 with planted times, and what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.conversation import Aside, Backchannel, BargeIn
from cascadence.corpus import Corpus, open_corpus
from cascadence.importing import BadDataset, Imported, import_named
from cascadence.validation import validate
from planted_run import speech

RATE = 16_000
NEAR_S = 0.02
PAUSE_S = (1.6, 2.4)
HUMAN_BINS = [0.0, 0.0, 0.0, 0.0, 0.0, 1e-13, 0.25, 0.5, 0.25]


def write(
    path: Path, spans_s: list[tuple[float, float]], duration_s: float, hz: float = 150.0
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = speech(spans_s, duration_s, RATE, hz)
    soundfile.write(str(path), sound.samples, RATE, subtype="PCM_16")


def put(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def words(*said: tuple[str, float, float]) -> list[dict[str, Any]]:
    return [{"text": text, "timestamp": [start, end]} for text, start, end in said]


def plant(folder: Path) -> Path:
    """One sample of each task; what is said begins and ends at round times."""
    v1, v15 = folder / "v1_0", folder / "v1_5"
    sample = v1 / "synthetic_pause_handling" / "1"
    write(sample / "input.wav", [(0.5, PAUSE_S[0]), (PAUSE_S[1], 3.5)], 3.8)
    put(sample / "pause.json", words(("[PAUSE]", *PAUSE_S)))
    put(
        sample / "transcription.json", words(("wait", 0.4, 1.0), ("a", 1.1, 1.7), ("bit", 2.3, 3.6))
    )
    sample = v1 / "candor_turn_taking" / "2"
    write(sample / "input.wav", [(0.3, 2.0)], 8.0)
    put(sample / "turn_taking.json", words(("[TURN-TAKING]", 2.2, 2.6)))
    both = [
        {"speaker": 0, "item": words(("I", 2.2, 2.4), ("did", 2.4, 3.0))},
        {"speaker": 1, "item": words(("is", 0.0, 0.9), ("it", 0.9, 2.2))},
    ]
    put(sample / "transcription.json", both)
    sample = v1 / "icc_backchannel" / "0"
    write(sample / "input.wav", [(0.5, 5.5)], 6.0)
    put(sample / "transcription.json", words(("so", 0.5, 1.0), ("then", 1.0, 5.5)))
    sample = v1 / "synthetic_user_interruption" / "10"
    write(sample / "input.wav", [(0.2, 3.0), (8.0, 9.5)], 16.0)
    row = {"context": "tell me a story", "interrupt": "no, a poem", "timestamp": [7.5, 9.7]}
    put(sample / "interrupt.json", [row])
    for scenario in (
        "user_interruption",
        "user_backchannel",
        "talking_to_other",
        "background_speech",
    ):
        sample = v15 / scenario / "3"
        write(sample / "input.wav", [(0.2, 3.0), (8.0, 8.6)], 12.0)
        write(sample / "clean_input.wav", [(0.2, 3.0)], 12.0)
        told = {
            "context_text": "what is there to see?",
            "current_turn_text": "uh-huh",
            "timestamps": [7.7, 8.8],
        }
        put(sample / "metadata.json", told)
    put(folder / "icc_gt_distribution.json", {"0": HUMAN_BINS})
    return folder


@pytest.fixture
def imported(tmp_path: Path) -> tuple[Imported, Corpus]:
    source = plant(tmp_path / "fdb")
    done = import_named("full_duplex_bench", source)
    return done, open_corpus(str(source))


def test_every_task_is_there_in_order_and_nothing_is_wrong(
    imported: tuple[Imported, Corpus],
) -> None:
    done, corpus = imported
    assert [one.id for one in corpus] == [
        "candor_turn_taking-2",
        "icc_backchannel-0",
        "synthetic_pause_handling-1",
        "synthetic_user_interruption-10",
        "background_speech-3",
        "background_speech-3-clean",
        "talking_to_other-3",
        "talking_to_other-3-clean",
        "user_backchannel-3",
        "user_backchannel-3-clean",
        "user_interruption-3",
        "user_interruption-3-clean",
    ]
    assert done.problems == []
    found = [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    assert found == []


def test_a_pause_is_inside_its_turn(imported: tuple[Imported, Corpus]) -> None:
    one = imported[1].conversation("synthetic_pause_handling-1")
    (turn,) = one.turns
    assert turn.speech_s == pytest.approx((0.5, 3.5), abs=NEAR_S)
    assert [(pause.at_s, pause.duration_s) for pause in turn.pauses] == [(1.6, 0.8)]
    assert turn.text == "wait a bit"
    assert one.licence == "MIT"
    assert one.tags == ("pause", "synthetic_pause_handling")


def test_a_turn_ends_with_its_speech_and_has_its_speaker_s_words(
    imported: tuple[Imported, Corpus],
) -> None:
    one = imported[1].conversation("candor_turn_taking-2")
    (turn,) = one.turns
    assert turn.speech_s == pytest.approx((0.3, 2.0), abs=NEAR_S)
    assert turn.text == "is it"
    assert turn.audio.end_s == pytest.approx(2.2, abs=0.2)
    assert one.licence == "CC-BY-NC-4.0"


def test_people_s_backchannels_are_counted_again(imported: tuple[Imported, Corpus]) -> None:
    (turn,) = imported[1].conversation("icc_backchannel-0").turns
    assert turn.backchannels_s == (1.3, 1.5, 1.5, 1.7)


def test_without_the_table_of_human_timing_that_is_said(tmp_path: Path) -> None:
    source = plant(tmp_path / "fdb")
    (source / "icc_gt_distribution.json").unlink()
    done = import_named("full_duplex_bench", source)
    (problem,) = done.problems
    assert "icc_gt_distribution.json" in problem.mend
    assert open_corpus(str(source)).conversation("icc_backchannel-0").turns[0].backchannels_s == ()


@pytest.mark.parametrize(
    ("name", "kind", "start_s", "end_s"),
    [
        ("synthetic_user_interruption-10", BargeIn, 8.0, 9.5),
        ("user_interruption-3", BargeIn, 8.0, 8.6),
        ("user_backchannel-3", Backchannel, 8.0, 8.6),
        ("talking_to_other-3", Aside, 8.0, 8.6),
        ("background_speech-3", Aside, 8.0, 8.6),
    ],
)
def test_what_is_said_into_the_reply(
    imported: tuple[Imported, Corpus], name: str, kind: type, start_s: float, end_s: float
) -> None:
    first, second = imported[1].conversation(name).turns
    assert first.speech_s == pytest.approx((0.2, 3.0), abs=NEAR_S)
    assert isinstance(second.when, kind)
    begun_s = second.audio.start_s
    said_s = (begun_s + second.speech_s[0], begun_s + second.speech_s[1])
    assert said_s == pytest.approx((start_s, end_s), abs=NEAR_S)


def test_the_version_without_overlap_is_the_request_alone(
    imported: tuple[Imported, Corpus],
) -> None:
    one = imported[1].conversation("user_interruption-3-clean")
    assert [turn.text for turn in one.turns] == ["what is there to see?"]
    assert one.turns[0].audio.path.endswith("clean_input.wav")
    assert "clean" in one.tags


def test_a_sample_without_words_is_kept_and_said(tmp_path: Path) -> None:
    source = plant(tmp_path / "fdb") / "v1_0" / "synthetic_pause_handling"
    (source / "1" / "transcription.json").unlink()
    done = import_named("full_duplex_bench", source)
    (problem,) = done.problems
    assert (problem.severity, problem.file) == ("warning", "1")
    (one,) = open_corpus(str(source))
    assert one.turns[0].text == "\N{HORIZONTAL ELLIPSIS}"
    assert len(one.turns[0].pauses) == 1


def test_one_task_s_folder_will_do(tmp_path: Path) -> None:
    source = plant(tmp_path / "fdb") / "v1_5" / "talking_to_other"
    import_named("full_duplex_bench", source)
    ids = [one.id for one in open_corpus(str(source))]
    assert ids == ["talking_to_other-3", "talking_to_other-3-clean"]


def test_what_does_not_fit_is_left_out_and_said(tmp_path: Path) -> None:
    source = tmp_path / "fdb"
    task = source / "synthetic_pause_handling"
    for number, pause in enumerate(
        (
            [{"timestamp": [1.0, 9.0]}],
            "x",
            [{"timestamp": ["a", None]}],
            [{"timestamp": [1e400, 2]}],
        )
    ):
        write(task / str(number) / "input.wav", [(0.5, 3.0)], 3.5)
        put(task / str(number) / "pause.json", pause)
        put(task / str(number) / "transcription.json", words(("well", 0.5, 3.0)))
    write(task / "7" / "input.wav", [(0.5, 3.0)], 3.5)
    (task / "8").mkdir()
    (task / "8" / "input.wav").write_bytes(b"no sound")
    put(task / "8" / "pause.json", [])
    two = np.zeros((RATE, 2))
    (task / "9").mkdir()
    soundfile.write(str(task / "9" / "INPUT.WAV"), two, RATE)
    put(task / "9" / "Pause.json", words(("[PAUSE]", 0.1, 0.2)))
    write(source / "unheard_of" / "1" / "input.wav", [(0.2, 3.0), (8.0, 8.6)], 12.0)
    told = {"context_text": "a", "current_turn_text": "b", "timestamps": [7.7, 8.8]}
    put(source / "unheard_of" / "1" / "metadata.json", told)
    write(task / "20" / "input.wav", [(0.5, 3.0)], 3.5)
    put(task / "20" / "pause.json", words(("[PAUSE]", 1.0, 1.5)))
    put(
        task / "20" / "transcription.json",
        words(("[NOISE]", 0.1, 0.4), ("<b>hi</b>\ud800", 0.5, 3.0)),
    )
    done = import_named("full_duplex_bench", source)
    assert [one.id for one in open_corpus(str(source))] == ["synthetic_pause_handling-20"]
    assert (
        open_corpus(str(source)).conversation("synthetic_pause_handling-20").turns[0].text
        == "<b>hi</b>?"
    )
    errors = [problem for problem in done.problems if problem.severity == "error"]
    named = sorted(Path(problem.file).name for problem in errors)
    assert named == ["0", "1", "1", "2", "3", "7", "8", "9"]
    assert any("after the speech" in problem.what for problem in done.problems)
    assert any("unheard_of" in problem.what for problem in done.problems)
    assert any("2 channels" in problem.what for problem in done.problems)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"input\.wav"):
        import_named("full_duplex_bench", tmp_path)
