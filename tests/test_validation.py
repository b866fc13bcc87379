from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.audio import Audio, concatenate, silence
from cascadence.corpus import Corpus
from cascadence.validation import Problem, validate
from corpus_folder import INFO, SPEECH_S, conversation, encode, tone, write_corpus

Line = dict[str, Any]


def found(folder: Path, audio: bool = True) -> list[Problem]:
    return list(validate(Corpus(folder), audio=audio))


def turn(line: Line, position: int = 0) -> Line:
    return line["turns"][position]


def put(folder: Path, line: Line, sound: Audio, position: int = 0, **how: Any) -> None:
    """Give a turn another clip; its hash is left out, so that the clip itself is judged."""
    reference = turn(line, position)["audio"]
    reference.pop("sha256", None)
    soundfile.write(str(folder / reference["path"]), sound.samples, sound.sample_rate, **how)


def test_a_sound_corpus_has_no_problem(tmp_path: Path) -> None:
    lines = [conversation(tmp_path, f"c{i}", turns=2, split=("dev", "test")[i % 2]) for i in (0, 1)]
    lines += [
        {**conversation(tmp_path, f"set{i}"), "group": "set", "turns": [turn(lines[0])]}
        for i in (0, 1)
    ]
    for line in lines[2:]:
        line["split"] = "dev"
    folder = write_corpus(tmp_path, lines)
    for name in ("set0", "set1"):
        (folder / "audio" / f"{name}.0.flac").unlink()
    assert found(folder, audio=False) == []
    assert found(folder, audio=True) == []


def clipped(folder: Path, line: Line) -> None:
    loud = np.clip(tone(level=1.5).samples, -1.0, 1.0)
    put(folder, line, Audio(loud, 16_000))


def faint(folder: Path, line: Line) -> None:
    put(folder, line, tone(level=0.0005))


def quiet(folder: Path, line: Line) -> None:
    """Below what is audible, above what is too low: nothing to hear, and no doubt about levels."""
    put(folder, line, tone(level=0.003))


def loud(folder: Path, line: Line) -> None:
    put(folder, line, Audio(np.sign(tone().samples) * np.float32(0.8), 16_000))


def silent(folder: Path, line: Line) -> None:
    put(folder, line, silence(1.3, 16_000))


def late(folder: Path, line: Line) -> None:
    put(folder, line, tone(speech_s=(0.3, 1.0)))


def cut_short(folder: Path, line: Line) -> None:
    put(folder, line, tone(speech_s=(0.2, 0.9)))


def too_short(folder: Path, line: Line) -> None:
    put(folder, line, tone(duration_s=0.9))


def filled_pause(folder: Path, line: Line) -> None:
    turn(line)["pauses"] = [{"at_s": 0.4, "duration_s": 0.3}]


def gone(folder: Path, line: Line) -> None:
    (folder / turn(line)["audio"]["path"]).unlink()


def swapped(folder: Path, line: Line) -> None:
    soundfile.write(str(folder / turn(line)["audio"]["path"]), tone(level=0.1).samples, 16_000)


def stereo(folder: Path, line: Line) -> None:
    turn(line)["audio"].pop("sha256")
    path = str(folder / turn(line)["audio"]["path"])
    soundfile.write(path, np.zeros((16_000, 2)), 16_000)


def telephone(folder: Path, line: Line) -> None:
    put(folder, line, tone(sample_rate=6_000))


def not_finite(folder: Path, line: Line) -> None:
    samples = tone().samples.copy()
    samples[7000] = np.inf
    put(folder, line, Audio(samples, 16_000), format="WAV", subtype="FLOAT")


def story(folder: Path, line: Line) -> None:
    turn(line)["audio"].pop("sha256")
    (folder / turn(line)["audio"]["path"]).write_text("once upon a time")


def link_out(folder: Path, line: Line) -> None:
    path = folder / turn(line)["audio"]["path"]
    path.rename(folder.parent / "outside.flac")
    path.symlink_to(folder.parent / "outside.flac")


def unknown_voice(folder: Path, line: Line) -> None:
    turn(line)["speaker"] = "somebody"


def no_licence(folder: Path, line: Line) -> None:
    line["licence"] = " "


def no_source(folder: Path, line: Line) -> None:
    line["source"] = ""


def stressed_nowhere(folder: Path, line: Line) -> None:
    turn(line)["style"] = {"emphasis": [0, 4]}


def hesitant_outside(folder: Path, line: Line) -> None:
    turn(line)["style"] = {"hesitations": [[0.3, 0.4], [0.9, 1.1]]}


def lonely(folder: Path, line: Line) -> None:
    line["group"] = "lonely"


def unknown_field(folder: Path, line: Line) -> None:
    turn(line)["audio"]["sha265"] = "0"


def leaves(folder: Path, line: Line) -> None:
    turn(line)["audio"]["path"] = "../../etc/passwd"


def backwards(folder: Path, line: Line) -> None:
    turn(line)["speech_s"] = [1.0, 0.2]


def empty_turn(folder: Path, line: Line) -> None:
    turn(line)["text"] = " "


def interrupts_nothing(folder: Path, line: Line) -> None:
    turn(line)["when"] = {"kind": "barge_in", "after_onset_s": 0.5}


def wrong_moment(folder: Path, line: Line) -> None:
    turn(line)["when"] = {"kind": "at", "t_s": -1}


def contradiction(folder: Path, line: Line) -> None:
    turn(line)["expect"] = {"stay_silent": True, "answer": ["x"]}


def wrong_argument(folder: Path, line: Line) -> None:
    call = {"name": "set", "arguments": {"minutes": [7]}}
    turn(line)["expect"] = {"tool_calls": [call]}


Defect = Callable[[Path, Line], None]
WITH_AUDIO: list[tuple[Defect, str, str, str]] = [
    (clipped, "error", "audio", "clipped, "),
    (faint, "warning", "audio", "is at -69.0 dBFS"),
    (quiet, "warning", "audio", "nothing reaches -50 dBFS"),
    (loud, "warning", "audio", "is at -1.9 dBFS"),
    (silent, "error", "audio", "silent"),
    (late, "warning", "speech_s.0", "starts at 0.200 s, but sound starts at 0.300 s"),
    (cut_short, "warning", "speech_s.1", "ends at 1.000 s, but sound ends at 0.900 s"),
    (too_short, "error", "speech_s", "speech ends at 1 s in a clip of 0.900 s"),
    (filled_pause, "warning", "pauses.0", "0.300 s of the pause are audible"),
    (gone, "error", "audio.path", "there is no such file"),
    (swapped, "error", "audio.sha256", "SHA-256 begins"),
    (stereo, "error", "audio.path", "2 channels"),
    (telephone, "error", "audio.path", "6000 Hz is below 8000 Hz"),
    (not_finite, "error", "audio.path", "not finite"),
    (story, "error", "audio.path", "cannot be read as audio"),
    (link_out, "error", "audio.path", "leads out of the corpus folder"),
]
METADATA: list[tuple[Defect, str, str, str]] = [
    (
        unknown_voice,
        "error",
        "turns.0.speaker",
        "'somebody' and its licence are not",
    ),
    (no_licence, "error", "licence", "empty"),
    (no_source, "error", "source", "empty"),
    (stressed_nowhere, "error", "turns.0.style.emphasis.1", "no word 4 in a text of 4 words"),
    (hesitant_outside, "error", "turns.0.style.hesitations.1", "0.9 to 1.1 s"),
    (lonely, "warning", "group", "one member"),
    (unknown_field, "error", "turns.0.audio.sha265", "Extra inputs"),
    (leaves, "error", "turns.0.audio.path", "inside the corpus folder"),
    (backwards, "error", "turns.0.speech_s", "must end after it starts"),
    (empty_turn, "error", "turns.0.text", "text is empty"),
    (interrupts_nothing, "error", "turns.0.when", "nothing to interrupt"),
    (wrong_moment, "error", "turns.0.when.t_s", "greater than or equal to 0"),
    (contradiction, "error", "turns.0.expect.stay_silent", "excludes"),
    (wrong_argument, "error", "turns.0.expect.tool_calls.0.arguments.minutes", "valid"),
]


def planted(folder: Path, plant: Defect) -> Path:
    """A defect on the second of three lines."""
    lines = [conversation(folder, name) for name in ("first", "second", "third")]
    plant(folder, lines[1])
    return write_corpus(folder, lines)


@pytest.mark.parametrize(("plant", "severity", "field", "what"), WITH_AUDIO)
def test_a_clip_s_defect_is_named(
    tmp_path: Path, plant: Defect, severity: str, field: str, what: str
) -> None:
    problems = found(planted(tmp_path / "corpus", plant))
    told = [p for p in problems if "without a sha256" not in p.what]
    assert {(p.file, p.line) for p in told} == {("conversations.jsonl", 2)}
    hit = next(p for p in told if p.field == f"turns.0.{field}")
    assert hit.severity == severity
    assert what in hit.what


@pytest.mark.parametrize(("plant", "severity", "field", "what"), METADATA)
@pytest.mark.parametrize("audio", [False, True])
def test_a_line_s_defect_is_named(
    tmp_path: Path, plant: Defect, severity: str, field: str, what: str, audio: bool
) -> None:
    problems = found(planted(tmp_path / "corpus", plant), audio)
    assert {(p.file, p.line) for p in problems} == {("conversations.jsonl", 2)}
    hit = next(p for p in problems if p.field == field)
    assert hit.severity == severity
    assert what in hit.what


def test_clipping_is_a_share_of_the_speech(tmp_path: Path) -> None:
    for count, expected in ((12, 0), (13, 1)):
        samples = tone(level=0.2).samples.copy()
        samples[4000 : 4000 + count] = 1.0  # 0.8 s of speech are 12800 samples: 12.8 may clip
        folder = tmp_path / str(count)
        line = conversation(folder, "a")
        put(folder, line, Audio(samples, 16_000))
        told = [p for p in found(write_corpus(folder, [line])) if "clipped" in p.what]
        assert len(told) == expected


def test_boundaries_may_be_sixty_milliseconds_off(tmp_path: Path) -> None:
    for offset_s, expected in ((0.05, 0), (0.08, 1)):
        folder = tmp_path / str(offset_s)
        line = conversation(folder, "a")
        turn(line)["speech_s"] = [SPEECH_S[0], SPEECH_S[1] + offset_s]
        told = found(write_corpus(folder, [line]))
        assert [p.field for p in told] == ["turns.0.speech_s.1"] * expected


def test_a_real_pause_is_silent(tmp_path: Path) -> None:
    first, second = tone(speech_s=(0.2, 0.6), duration_s=0.6), tone(speech_s=(0.4, 0.8))
    line = conversation(tmp_path, "a")
    put(tmp_path, line, concatenate([first, second], 16_000))
    turn(line).update(speech_s=[0.2, 1.4], pauses=[{"at_s": 0.6, "duration_s": 0.4}])
    assert [p.what[:7] for p in found(write_corpus(tmp_path, [line]))] == ["1 clips"]


def test_a_silent_clip_is_right_where_nothing_is_said(tmp_path: Path) -> None:
    line = conversation(tmp_path, "a")
    silent(tmp_path, line)
    turn(line).update(text="", expect={"stay_silent": True})
    assert [p for p in found(write_corpus(tmp_path, [line])) if p.severity == "error"] == []


def leak(folder: Path) -> list[Line]:
    lines = [conversation(folder, "a", split="train"), conversation(folder, "b")]
    sound, rate = soundfile.read(str(folder / turn(lines[0])["audio"]["path"]), dtype="float32")
    put(folder, lines[1], Audio(sound, rate), format="WAV", subtype="PCM_16")
    return lines


def test_the_same_sound_in_two_splits_is_a_leak_in_any_container(tmp_path: Path) -> None:
    lines = leak(tmp_path)
    errors = [p for p in found(write_corpus(tmp_path, lines)) if p.severity == "error"]
    assert [(p.line, p.field) for p in errors] == [(2, "turns.0.audio")]
    assert errors[0].what == "leak: same sound as line 1, which is in split 'train'"
    lines[1]["split"] = "train"
    assert not [p for p in found(write_corpus(tmp_path, lines)) if p.severity == "error"]


def test_a_declared_hash_in_two_splits_is_a_leak_without_reading(tmp_path: Path) -> None:
    lines = [conversation(tmp_path, "a", split="train"), conversation(tmp_path, "b")]
    turn(lines[1])["audio"] = turn(lines[0])["audio"]
    folder = write_corpus(tmp_path, lines)
    for clip in (folder / "audio").iterdir():
        clip.unlink()
    errors = [p for p in found(folder, audio=False) if p.severity == "error"]
    assert [(p.line, p.field, p.what[:5]) for p in errors] == [(2, "turns.0.audio", "leak:")]


def test_the_same_words_and_slots_in_two_splits_are_a_warning(tmp_path: Path) -> None:
    lines = [conversation(tmp_path, "a", split="train"), conversation(tmp_path, "b", split="dev")]
    turn(lines[1]).update(
        text=turn(lines[0])["text"].upper() + "!", expect=turn(lines[0])["expect"]
    )
    problems = found(write_corpus(tmp_path, lines), audio=False)
    assert [(p.severity, p.line, p.field) for p in problems] == [("warning", 2, "turns")]
    turn(lines[1])["expect"] = {"slots": {"number": ["other"]}}
    assert found(write_corpus(tmp_path, lines), audio=False) == []


@pytest.mark.parametrize("changed", ["words", "speakers", "split"])
def test_in_a_contrast_set_only_the_style_differs(tmp_path: Path, changed: str) -> None:
    lines = [conversation(tmp_path, name, group="g") for name in ("a", "b")]
    turn(lines[1]).update(text=turn(lines[0])["text"] + "?", expect={})
    if changed == "words":
        turn(lines[1])["text"] = "something else"
    elif changed == "speakers":
        turn(lines[1])["speaker"] = "other"
    else:
        lines[1]["split"] = "dev"
    info = INFO + '\n[voices.other]\nlicence = "CC0-1.0"\n'
    problems = found(write_corpus(tmp_path, lines, info), audio=False)
    assert [(p.severity, p.line, p.field) for p in problems] == [("warning", 2, "group")]
    assert f"other {changed} than on line 1" in problems[0].what


def test_voices_must_be_listed(tmp_path: Path) -> None:
    lines = [conversation(tmp_path, "a"), conversation(tmp_path, "b", turns=2)]
    folder = write_corpus(tmp_path, lines, INFO[: INFO.index("[voices")])
    assert [p.where for p in found(folder)] == ["corpus.toml: voices"]
    del turn(lines[1], 1)["speaker"]
    problems = found(write_corpus(tmp_path, lines))
    assert [(p.severity, p.line, p.field) for p in problems] == [("warning", 2, "turns.1.speaker")]


def test_files_that_the_information_hashes_are_checked(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, [conversation(tmp_path, "a")])
    hashes = f'\n[hashes]\n"conversations.jsonl" = "{"0" * 64}"\n"../x" = "{"0" * 64}"\n'
    (folder / "corpus.toml").write_text(INFO + hashes)
    assert [(p.severity, p.file, p.field) for p in found(folder)] == [
        ("error", "corpus.toml", "hashes.conversations.jsonl"),
        ("error", "corpus.toml", "hashes.../x"),
    ]


def test_left_over_files_are_told(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, [conversation(tmp_path, "a")])
    (folder / "audio" / "old.flac").write_bytes(b"")
    problems = found(folder)
    assert [(p.severity, p.file) for p in problems] == [("warning", "audio/old.flac")]


def test_without_information_or_manifest_the_rest_is_still_checked(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, [b"{}\n"])
    (folder / "corpus.toml").unlink()
    problems = found(folder)
    assert problems[0].where == "corpus.toml"
    assert {p.line for p in problems[1:]} == {0, 1}  # the line, and a corpus without conversation
    (folder / "conversations.jsonl").unlink()
    assert [p.where for p in found(folder)] == ["corpus.toml", "conversations.jsonl"]


def test_a_problem_is_told_once_however_often_it_is_looked_for(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, [b"[]\n", encode(conversation(tmp_path, "a"))])
    corpus = Corpus(folder)
    list(corpus)
    first, second = list(validate(corpus)), list(validate(corpus))
    assert len(first) == 1
    assert first == second


def test_progress_is_told(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, [conversation(tmp_path, name) for name in "abc"])
    told: list[tuple[int, int]] = []
    list(validate(Corpus(folder), done=lambda *counts: told.append(counts)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_problems_are_plain_data(tmp_path: Path) -> None:
    import dataclasses

    problem = found(write_corpus(tmp_path, [b"[]\n"]))[0]
    assert json.loads(json.dumps(dataclasses.asdict(problem)))["line"] == 1
