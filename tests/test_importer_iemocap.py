"""IEMOCAP: dialogues, evaluations and alignments in their own formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from test_importer_emodb import NEAR_S, errors, silent, write

TALK = "Ses01F_impro01"
# Not in the order of time; a note, an unnamed speaker, and a line without words.
TRANSCRIPTION = f"""\
{TALK}_M000 [008.5000-010.1000]: who is there?
{TALK}_F000 [006.2901-008.2357]: good morning.
{TALK}_M001 [010.2000-011.1000]: nobody?
{TALK}_F001 [011.3000-012.4000]: only me.
M: [LAUGHTER]
{TALK}_MXX0 [012.5000-012.9000]: [BREATHING]
{TALK}_F002 [013.0000-014.0000]: still me.
{TALK}_F003 [014.0000-015.0000]: gone.
"""
EVALUATION = f"""\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\t{TALK}_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
[11.3000 - 12.4000]\t{TALK}_F001\tfru\t[2.0, 3.0, 3.0]
[13.0000 - 14.0000]\t{TALK}_F002\txxx\t[2.0, 3.0, 3.0]
"""
ALIGNMENT = """\
\t SFrm  EFrm    SegAScr Word
\t    0    44   -123456 <s>
\t   45    60   -234567 ONLY
\t   61    89   -345678 ME(2)
\t   90   149     -1234 </s>
 Total score:   -704935
"""


def plant(folder: Path) -> Path:
    session = folder / "IEMOCAP_full_release" / "Session1"
    for part, text in (("transcriptions", TRANSCRIPTION), ("EmoEvaluation", EVALUATION)):
        (session / "dialog" / part).mkdir(parents=True)
        (session / "dialog" / part / f"{TALK}.txt").write_text(text, encoding="utf-8")
    (session / "dialog" / "transcriptions" / f"._{TALK}.txt").write_bytes(b"\0\5shadow")
    wav = session / "sentences" / "wav" / TALK
    for name in ("F000", "F001", "F002", "M000", "M001"):
        write(wav / f"{TALK}_{name}.wav")
    silent(wav / f"{TALK}_F002.wav")
    aligned = session / "sentences" / "ForcedAlignment" / TALK
    aligned.mkdir(parents=True)
    (aligned / f"{TALK}_F001.wdseg").write_text(ALIGNMENT)
    return folder


def test_the_first_speaker_is_the_user(tmp_path: Path) -> None:
    source = plant(tmp_path / "iemocap")
    done = import_named("iemocap", source)
    corpus = open_corpus(str(source))
    assert [one.id for one in corpus] == [f"iemocap-{TALK}"]
    talk = corpus.conversation(f"iemocap-{TALK}")
    assert talk.tags == ("improvised", "session1")
    first, second = talk.turns
    assert (first.text, first.expect.reply_text) == ("good morning.", "who is there? nobody?")
    assert (second.text, second.speaker) == ("only me.", "iemocap-Ses01F")
    assert (first.style.emotion, second.style.emotion) == ("neutral", "frustrated")
    assert first.speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert second.speech_s == (0.45, 0.9)
    assert errors(corpus) == []
    said = [(Path(problem.file).name, problem.what) for problem in done.problems]
    assert [name for name, _ in said] == [
        f"{TALK}.txt",
        f"{TALK}.txt",
        f"{TALK}_F002.wav",
        f"{TALK}_F003.wav",
    ]
    assert "LAUGHTER" in said[0][1]
    assert "no speech" in said[2][1]
    assert "no such file" in said[3][1]


def test_without_an_evaluation_emotions_are_unknown_and_that_is_said(tmp_path: Path) -> None:
    source = plant(tmp_path / "iemocap")
    for path in source.rglob("EmoEvaluation/*.txt"):
        path.unlink()
    done = import_named("iemocap", source)
    assert any("emotions stay unknown" in problem.what for problem in done.problems)
    talk = open_corpus(str(source)).conversation(f"iemocap-{TALK}")
    assert [turn.style.emotion for turn in talk.turns] == [None, None]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="transcriptions"):
        import_named("iemocap", tmp_path)
