"""The cascade: stages in order, text sentence by sentence, sound at the first chunk, one clock."""

import pytest

from cascadence.conversation import BargeIn, Expect
from cascadence.errors import CascadenceError
from cascadence.events import ToolCall
from cascadence.protocols import FRAME_S, INPUT_RATE, PartInfo
from cascadence.registry import UnknownName
from cascadence.session import SystemFailed
from cascadence.systems.cascade import Cascade
from cascadence.systems.oracles import OracleAsr, OracleLlm, OracleTts
from cascadence.systems.turn_taking import TurnTaking
from planted import PlantedAsr, PlantedLlm, PlantedTts, Said, gap_s, played, times_s
from planted_reading import events_for, reply_audio

RULES = TurnTaking(vad="energy")


def cascade(
    asr: PlantedAsr | None = None, llm: PlantedLlm | None = None, tts: PlantedTts | None = None
) -> Cascade:
    return Cascade(
        asr or PlantedAsr("hello"), llm or PlantedLlm("Hi there."), tts or PlantedTts(), RULES
    )


def test_the_stages_add_up_to_the_gap() -> None:
    system = cascade(
        PlantedAsr("hello", compute_s=0.2),
        PlantedLlm("Hi there.", compute_s=0.1),
        PlantedTts(compute_s=0.15),
    )
    recording = played(system)
    end_s = recording.turns[0].speech_end_s

    def after_s(stage: str, edge: str) -> float:
        [t_s] = times_s(recording, "mark", stage=stage, edge=edge)
        return t_s - end_s

    assert after_s("endpoint", "end") == pytest.approx(0.5, abs=FRAME_S)
    assert after_s("asr", "end") - after_s("asr", "start") == pytest.approx(0.2)
    assert after_s("llm", "first") - after_s("llm", "start") == pytest.approx(0.1)
    assert after_s("tts", "first") - after_s("tts", "start") == pytest.approx(0.15)
    assert gap_s(recording) == pytest.approx(0.95, abs=FRAME_S)
    assert gap_s(recording) == pytest.approx(after_s("tts", "first"), abs=FRAME_S)


def test_a_sentence_is_spoken_as_soon_as_it_is_whole() -> None:
    llm = PlantedLlm("It is ", "3.5 degrees. ", "Dr. Who says ", "hi", "!", compute_s=0.05)
    recording = played(cascade(llm=llm))
    texts = [e.data["text"] for e in recording.events if e.kind == "text"]
    assert texts == ["It is 3.5 degrees.", "Dr. Who says hi!"]
    first_sound_s = times_s(recording, "audio")[0]
    [llm_ends_s] = times_s(recording, "mark", stage="llm", edge="end")
    assert first_sound_s < llm_ends_s
    kinds = [e.kind for e in recording.events if e.kind in ("text", "audio")]
    assert kinds == ["text", "audio", "text", "audio"]


def test_sound_leaves_with_the_first_chunk() -> None:
    recording = played(cascade(tts=PlantedTts(sentence_s=2.0, compute_s=0.1, chunks=4)))
    assert gap_s(recording) == pytest.approx(0.6, abs=FRAME_S)
    assert len(times_s(recording, "audio")) == 4
    assert recording.stalls == ()


def test_what_was_heard_and_the_tool_calls_are_told() -> None:
    llm = PlantedLlm(ToolCall("alarm", {"time": "7:00"}), "Done.")
    recording = played(cascade(PlantedAsr("wake me at seven"), llm))
    assert recording.text_for(recording.turns[0], "heard") == "wake me at seven"
    [call] = [e for e in recording.events if e.kind == "tool_call"]
    assert call.data == {"name": "alarm", "arguments": {"time": "7:00"}}


def test_nothing_heard_nothing_said() -> None:
    llm = PlantedLlm("Hi.")
    recording = played(cascade(PlantedAsr(""), llm))
    assert llm.asked == []
    assert recording.text_for(recording.turns[0], "heard") == ""
    assert times_s(recording, "audio") == []
    assert times_s(recording, "end_of_turn") == []


def test_the_model_is_told_what_was_heard_on_both_sides() -> None:
    llm = PlantedLlm("One two three four.")
    system = cascade(PlantedAsr("first", "second", "third"), llm, PlantedTts(sentence_s=4.0))
    played(system, Said(), Said(when=BargeIn(after_onset_s=1.9)), Said())
    (_, nothing), (_, cut), (_, both) = llm.asked
    assert nothing == ()
    # 1.9 s and the 0.2 s that it takes to notice, of 4 s.
    assert [(e.heard, e.said, e.interrupted) for e in cut] == [("first", "One two", True)]
    assert [e.said for e in both] == ["One two", "One two three four."]


def test_a_request_in_two_pieces_is_answered_as_one() -> None:
    llm = PlantedLlm("Yes.", compute_s=0.4)
    system = cascade(PlantedAsr("set an alarm", "for seven"), llm)
    recording = played(system, Said(pieces_s=(0.6, 0.7, 0.8)))
    assert [text for text, _ in llm.asked] == ["set an alarm", "set an alarm for seven"]
    assert llm.asked[1][1] == ()
    assert llm.closed == 2
    assert recording.text_for(recording.turns[0], "heard") == "set an alarm for seven"


def test_a_piece_that_was_not_transcribed_is_heard_with_the_next() -> None:
    asr = PlantedAsr("lost", "set an alarm for seven", compute_s=0.5)
    recording = played(cascade(asr), Said(pieces_s=(0.6, 0.7, 0.8)))
    first, second = asr.turns
    assert second.start_s == first.start_s
    assert second.audio.duration_s > 2.5
    assert recording.text_for(recording.turns[0], "heard") == "set an alarm for seven"


def test_a_noise_after_an_unanswered_request_does_not_lose_it() -> None:
    llm = PlantedLlm("Yes.", compute_s=0.4)
    played(cascade(PlantedAsr("set an alarm", ""), llm), Said(pieces_s=(0.6, 0.7, 0.3)))
    assert [text for text, _ in llm.asked] == ["set an alarm", "set an alarm"]


def test_all_parts_are_entered_and_released() -> None:
    parts = PlantedAsr("hello"), PlantedLlm("Hi."), PlantedTts()
    with cascade(*parts) as system:
        assert all(part.entered for part in parts)
        played(system)
    assert not any(part.entered for part in parts)


def test_a_part_that_cannot_load_releases_the_others() -> None:
    class Unloadable(PlantedTts):
        def __enter__(self) -> "Unloadable":
            raise OSError("no such voice")

    asr = PlantedAsr()
    with pytest.raises(OSError, match="no such voice"), cascade(asr, tts=Unloadable()):
        pass
    assert not asr.entered


def test_a_part_that_raises_fails_the_conversation() -> None:
    class Broken(PlantedAsr):
        def transcribe(self, turn: object, context: object) -> object:  # type: ignore[override]
            raise ValueError("planted failure")

    with pytest.raises(SystemFailed, match="planted failure"):
        played(cascade(Broken()))


def test_it_says_what_it_is_made_of() -> None:
    info = cascade().info
    assert (info.name, info.kind, info.duplex) == (
        "planted_asr+planted_llm+planted_tts",
        "cascade",
        "half",
    )
    assert info.output_rate == INPUT_RATE
    assert info.licence == "CC0-1.0"
    assert [part.name for part in info.parts] == ["planted_asr", "planted_llm", "planted_tts"]
    assert info.parameters["asr"] == {"part": "planted_asr"}
    assert not info.sees_answers


def test_parts_are_built_from_references_and_mappings() -> None:
    named = Cascade(
        {"part": "planted:PlantedAsr", "compute_s": 0.1},
        "planted:PlantedLlm",
        {"part": "planted:PlantedTts", "sentence_s": 2.0},
        {"vad": "energy", "silence_s": 0.3},
        name="mine",
    )
    assert named.info.name == "mine"
    assert named.turn_taking.silence_s == 0.3
    with pytest.raises(CascadenceError, match="no parameter 'wrong'"):
        Cascade({"part": "planted:PlantedAsr", "wrong": 1}, "planted:PlantedLlm", PlantedTts())
    with pytest.raises(UnknownName):
        Cascade("no_such_part", PlantedLlm(), PlantedTts())


def test_oracles_hear_and_answer_without_fault() -> None:
    system = Cascade(OracleAsr(), OracleLlm(), PlantedTts(), RULES)
    assert system.info.sees_answers
    said = [
        Said(text="what time is it", expect=Expect(reply_text="It is noon.")),
        Said(text="thank you", expect=Expect(stay_silent=True)),
        Said(text="and the date", expect=Expect(reply_text="The fifth.")),
    ]
    recording = played(system, *said)
    heard = [recording.text_for(turn, "heard") for turn in recording.turns]
    assert heard == ["what time is it", "thank you", "and the date"]
    answers = [recording.text_for(turn) for turn in recording.turns]
    assert answers == ["It is noon.", None, "The fifth."]


def test_an_oracle_hears_only_what_was_said_in_the_turn() -> None:
    # The endpointing cuts the turn in two: the greater piece gives the text, the other nothing.
    recording = played(
        Cascade(OracleAsr(), PlantedLlm("Yes."), PlantedTts(0.1), RULES),
        Said(text="hello again", pieces_s=(2.0, 0.7, 0.4)),
    )
    assert [e.data["text"] for e in recording.events if e.kind == "heard"] == ["hello again", ""]


def test_an_oracle_voice_is_audible_and_says_that_it_is_understood() -> None:
    system = Cascade(OracleAsr(), PlantedLlm("It is noon. Have fun."), OracleTts(), RULES)
    assert system.info.sees_answers
    recording = played(system, Said(text="what time is it"))
    [turn] = recording.turns
    texts = [e.data for e in events_for(recording, turn, "text")]
    assert [t["text"] for t in texts] == ["It is noon.", "Have fun."]
    assert all(t["understood"] for t in texts)
    reply = reply_audio(recording, turn)
    assert reply is not None
    # Five words of 0.3 s, 50 ms after each but the last; the swell of a word begins inaudibly.
    assert reply.duration_s == pytest.approx(5 * 0.35 - 0.05, abs=0.05)


def test_an_oracle_without_answers_says_so() -> None:
    class Blind(OracleAsr):
        @property
        def info(self) -> PartInfo:
            return PartInfo("blind", "CC0-1.0", "1")

    with pytest.raises(SystemFailed, match="sees_answers"):
        played(Cascade(Blind(), PlantedLlm("Hi."), PlantedTts(), RULES))
