"""Turn-taking: endpointing, barge-in and what the history keeps, with planted repliers."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.conversation import AfterReply, At, Backchannel, BargeIn, Expect
from cascadence.errors import CascadenceError
from cascadence.events import AudioOut, EndOfTurn, Event, TextOut
from cascadence.protocols import FRAME_S, INPUT_RATE, Context, Exchange, Turn
from cascadence.session import SystemFailed
from cascadence.systems.controls import speech_noise
from cascadence.systems.history import join_unanswered
from cascadence.systems.turn_taking import LISTEN_S, HalfDuplex, TurnTaking
from planted import PlantedReplier, Said, gap_s, played, spend, times_s
from planted_reading import replies_s

ONE_TWO = "one two three four five six seven eight nine ten"


def half_duplex(replier: PlantedReplier, **rules: object) -> HalfDuplex:
    return HalfDuplex(replier, {"vad": "energy", **rules})


@pytest.mark.parametrize("silence_s", [0.3, 0.5, 0.8])
def test_the_turn_is_over_after_the_silence_asked_for(silence_s: float) -> None:
    recording = played(half_duplex(PlantedReplier("hi"), silence_s=silence_s))
    [decided_s] = times_s(recording, "mark", stage="endpoint", edge="end")
    delay_s = decided_s - recording.turns[0].speech_end_s
    assert delay_s == pytest.approx(silence_s, abs=FRAME_S)
    assert gap_s(recording) == pytest.approx(delay_s, abs=FRAME_S)


class _Knowing(PlantedReplier):
    """Takes a turn as over once it has lasted for so long, and remembers what it was asked."""

    def __init__(self, over_s: float) -> None:
        super().__init__("hi")
        self.over_s = over_s
        self.asked_s: list[float] = []

    def turn_end(self, audio: Audio) -> float:
        self.asked_s.append(audio.duration_s)
        return float(audio.duration_s >= self.over_s)


def test_a_system_can_hear_the_end_of_a_turn_itself() -> None:
    eager, patient = _Knowing(0.0), _Knowing(60.0)
    rules = {"end": "own", "silence_s": 0.7}
    quick = played(half_duplex(eager, **rules), Said(pieces_s=(0.6, 0.4, 0.6)))
    slow = played(half_duplex(patient, **rules), Said(pieces_s=(0.6, 0.4, 0.6)))
    # The eager one takes the pause for the end, after the first 120 ms of it; the other one waits
    # for the silence that ends every turn, and has been asked at each 120 ms.
    first_s = times_s(quick, "mark", stage="endpoint", edge="end")[0]
    assert first_s - quick.turns[0].speech_start_s == pytest.approx(0.6 + 0.12, abs=FRAME_S)
    [decided_s] = times_s(slow, "mark", stage="endpoint", edge="end")
    assert decided_s - slow.turns[0].speech_end_s == pytest.approx(0.7, abs=FRAME_S)
    assert len(patient.asked_s) == 3 + 5


class _Attentive(PlantedReplier):
    """Hears along, and remembers what it was given."""

    def __init__(self) -> None:
        super().__init__("hi")
        self.given: list[Audio] = []

    def hear_so_far(self, audio: Audio) -> None:
        self.given.append(audio)


def test_a_system_can_hear_along_in_the_pauses_and_the_rest_of_the_turn_is_silence() -> None:
    replier = _Attentive()
    recording = played(half_duplex(replier, silence_s=0.5), Said(pieces_s=(0.6, 0.4, 0.6)))
    [turn] = replier.turns
    speech_s = recording.turns[0].speech_start_s - turn.start_s
    ends_s = [audio.duration_s for audio in replier.given]
    assert ends_s == pytest.approx(
        [speech_s + 0.6 + LISTEN_S, speech_s + 1.6 + LISTEN_S], abs=FRAME_S
    )
    last = replier.given[-1]
    assert turn.silence_s == pytest.approx(0.5, abs=FRAME_S)
    assert len(turn.audio) - len(last) == pytest.approx(0.3 * INPUT_RATE, abs=FRAME_S * INPUT_RATE)
    assert np.array_equal(turn.audio.samples[: len(last)], last.samples)
    assert not turn.audio.samples[len(last) :].any()


def test_a_pause_too_short_to_listen_in_is_not_used() -> None:
    replier = _Attentive()
    played(half_duplex(replier, silence_s=0.5), Said(pieces_s=(0.6, 0.12, 0.6)))
    assert len(replier.given) == 1


def test_what_hearing_along_takes_is_on_the_clock() -> None:
    class Slow(_Attentive):
        def hear_so_far(self, audio: Audio) -> None:
            spend(0.8)

    recording = played(half_duplex(Slow(), silence_s=0.5))
    [decided_s] = times_s(recording, "mark", stage="endpoint", edge="end")
    assert decided_s - recording.turns[0].speech_end_s == pytest.approx(LISTEN_S + 0.8, abs=0.03)


def test_who_does_not_hear_the_end_of_a_turn_cannot_be_asked() -> None:
    with pytest.raises(CascadenceError, match="does not hear the end"):
        half_duplex(PlantedReplier("hi"), end="own")
    with pytest.raises(CascadenceError, match="no such end"):
        half_duplex(PlantedReplier("hi"), end="never")


def test_a_pause_shorter_than_the_silence_is_no_end_and_a_longer_one_is() -> None:
    short, long = PlantedReplier(), PlantedReplier()
    played(half_duplex(short), Said(pieces_s=(0.6, 0.4, 0.6)))
    played(half_duplex(long), Said(pieces_s=(0.6, 0.7, 0.6)))
    assert [len(short.turns), len(long.turns)] == [1, 2]


def test_a_turn_begins_before_its_speech_and_ends_with_the_decision() -> None:
    replier = PlantedReplier()
    recording = played(half_duplex(replier, pre_roll_s=0.2))
    [turn] = replier.turns
    spoken = recording.turns[0]
    assert turn.start_s == pytest.approx(spoken.speech_start_s - 0.2, abs=FRAME_S + 0.001)
    assert turn.end_s == pytest.approx(spoken.speech_end_s + 0.5, abs=FRAME_S)
    assert turn.audio.duration_s == pytest.approx(turn.end_s - turn.start_s)
    first = round((spoken.speech_start_s - turn.start_s) * INPUT_RATE)
    assert not turn.audio.samples[:first].any()
    assert np.array_equal(
        turn.audio.samples[first : first + INPUT_RATE // 2],
        speech_noise(1.0).samples[: INPUT_RATE // 2],
    )


def test_a_click_is_no_turn() -> None:
    replier = PlantedReplier("hi")
    recording = played(half_duplex(replier, min_speech_s=0.1), Said(pieces_s=(0.06,)))
    assert replier.turns == []
    assert recording.events == ()


def test_a_turn_without_end_is_cut_at_its_limit() -> None:
    replier = PlantedReplier("hi")
    played(half_duplex(replier, max_turn_s=1.0), Said(pieces_s=(2.5,)))
    assert replier.turns[0].audio.duration_s == pytest.approx(1.0, abs=FRAME_S)


def test_a_complete_reply_ends_the_turn_once_and_nothing_said_ends_none() -> None:
    class EndsItself(PlantedReplier):
        def reply(
            self, turn: Turn, history: Sequence[Exchange], context: Context
        ) -> Iterator[Event]:
            yield from super().reply(turn, history, context)
            yield EndOfTurn()

    for replier, ends in (
        (PlantedReplier("a", "b"), 1),
        (EndsItself("a"), 1),
        (PlantedReplier(), 0),
    ):
        recording = played(half_duplex(replier))
        assert len(times_s(recording, "end_of_turn")) == ends
        assert times_s(recording, "clear") == []


def test_the_history_keeps_a_whole_reply() -> None:
    replier = PlantedReplier("Good morning.", "How are you?", heard="hello")
    played(half_duplex(replier), Said(), Said())
    [exchange] = replier.histories[1]
    assert (exchange.heard, exchange.said) == ("hello", "Good morning. How are you?")
    assert not exchange.interrupted
    assert exchange.turn is replier.turns[0]


def test_a_barge_in_stops_the_reply_and_the_history_keeps_what_was_heard() -> None:
    replier = PlantedReplier("One two.", ONE_TWO, "Never heard.", sentence_s=2.0)
    recording = played(
        half_duplex(replier), Said(), Said(when=BargeIn(after_onset_s=2.8), pieces_s=(1.5,))
    )
    start_s = recording.turns[1].speech_start_s
    [cleared_s] = times_s(recording, "clear")
    assert cleared_s - start_s == pytest.approx(0.2, abs=FRAME_S)
    first_reply_s = replies_s(recording, recording.turns[0])
    assert first_reply_s[-1][1] <= cleared_s + 0.011
    [exchange] = replier.histories[1]
    assert exchange.interrupted
    # 3.0 s were heard: the first sentence and half of the second.
    assert exchange.said == "One two. one two three four five"
    second = replier.turns[1]
    assert second.start_s < start_s < cleared_s < second.end_s


def test_what_was_only_partly_made_is_not_taken_for_heard() -> None:
    class Dribbling(PlantedReplier):
        def reply(
            self, turn: Turn, history: Sequence[Exchange], context: Context
        ) -> Iterator[Event]:
            self.turns.append(turn)
            self.histories.append(tuple(history))
            if history:
                return
            yield TextOut(f"{ONE_TWO} {ONE_TWO} {ONE_TWO}")
            for _ in range(40):
                yield AudioOut(speech_noise(0.25).samples, INPUT_RATE)
                spend(0.1)

    replier = Dribbling()
    played(half_duplex(replier), Said(), Said(when=BargeIn(after_onset_s=0.8)))
    said = replier.histories[1][0].said.split()
    # About 1.0 s of thirty words, whose full length was not known yet.
    assert 2 <= len(said) <= 4


def test_a_backchannel_neither_stops_the_reply_nor_is_answered() -> None:
    said = (Said(), Said(when=Backchannel(after_onset_s=1.0), pieces_s=(0.3,)))
    patient, nervous = (PlantedReplier("Hi.", sentence_s=3.0) for _ in range(2))
    recording = played(half_duplex(patient, barge_in_s=0.6), *said)
    assert times_s(recording, "clear") == []
    assert len(patient.turns) == 1
    assert replies_s(recording, recording.turns[0])
    assert len(times_s(played(half_duplex(nervous, barge_in_s=0.2), *said), "clear")) == 1


def test_a_backchannel_at_the_end_of_a_reply_is_no_turn() -> None:
    replier = PlantedReplier("Hi.", sentence_s=2.0)
    played(
        half_duplex(replier, barge_in_s=0.6),
        Said(),
        Said(when=Backchannel(after_onset_s=1.6), pieces_s=(0.25,)),
    )
    assert len(replier.turns) == 1


def test_speech_that_outlasts_the_reply_is_the_next_turn_from_its_start() -> None:
    replier = PlantedReplier("Hi.", sentence_s=2.0)
    recording = played(
        half_duplex(replier, barge_in=False),
        Said(),
        Said(when=BargeIn(after_onset_s=1.5), pieces_s=(1.5,)),
    )
    assert times_s(recording, "clear") == []
    assert len(replier.turns) == 2
    assert replier.turns[1].start_s < recording.turns[1].speech_start_s


def test_without_barge_in_what_is_said_during_the_reply_is_passed_over() -> None:
    replier = PlantedReplier("Hi.", sentence_s=4.0)
    played(
        half_duplex(replier, barge_in=False),
        Said(),
        Said(when=BargeIn(after_onset_s=0.5), pieces_s=(1.0,)),
    )
    assert len(replier.turns) == 1


def test_going_on_while_the_reply_is_being_made_cancels_it() -> None:
    replier = PlantedReplier("One.", "Two.", compute_s=0.4, heard="set an alarm")
    # The pause ends 0.2 s after the decision: nothing has been played by then.
    recording = played(half_duplex(replier), Said(pieces_s=(0.6, 0.7, 0.8)))
    assert len(replier.turns) == 2
    [exchange] = replier.histories[1]
    assert exchange.interrupted
    assert (exchange.said, exchange.heard) == ("", "set an alarm")
    assert replier.closed == 2
    first, second = times_s(recording, "mark", stage="endpoint", edge="end")
    onset_s = replies_s(recording, recording.turns[0])[0][0]
    assert first < times_s(recording, "clear")[0] < second < onset_s


@pytest.mark.parametrize(("pause_s", "said"), [(0.74, ""), (0.86, "one two")])
def test_who_goes_on_before_they_can_have_reacted_was_not_answered(
    pause_s: float, said: str
) -> None:
    # The reply begins with the decision, after 0.5 s of the pause: 0.24 s of it are too little to
    # react to, 0.36 s are not. It is stopped 0.2 s later, and 5 words take a second.
    replier = PlantedReplier(ONE_TWO, sentence_s=2.0, heard="set an alarm")
    recording = played(half_duplex(replier), Said(pieces_s=(0.6, pause_s, 0.8)))
    assert len(times_s(recording, "clear")) == 1
    [exchange] = replier.histories[1]
    assert (exchange.said, exchange.interrupted) == (said, True)
    assert len(join_unanswered(replier.histories[1])[1]) == (not said)


def test_unanswered_turns_are_joined_to_the_one_that_is_answered() -> None:
    turn = Turn(speech_noise(0.1), 0.0, 0.1)
    history = (
        Exchange(turn, "set an", "", interrupted=True),
        Exchange(turn, "alarm", "It is", interrupted=True),
        Exchange(turn, "", "", interrupted=False),
        Exchange(turn, "for", "", interrupted=True),
        Exchange(turn, "", "", interrupted=True),
    )
    answered, pending = join_unanswered(history)
    assert [(each.heard, each.said) for each in answered] == [("set an alarm", "It is"), ("", "")]
    assert [each.heard for each in pending] == ["for", ""]
    assert join_unanswered(()) == ((), ())


def test_a_reply_without_words_was_heard_all_the_same() -> None:
    class Wordless(PlantedReplier):
        def reply(
            self, turn: Turn, history: Sequence[Exchange], context: Context
        ) -> Iterator[Event]:
            self.histories.append(tuple(history))
            yield AudioOut(speech_noise(3.0).samples, INPUT_RATE)

    replier = Wordless()
    played(half_duplex(replier), Said(), Said(when=BargeIn(after_onset_s=1.0)), Said())
    assert [each.said for each in replier.histories[2]] == ["…", "…"]
    assert join_unanswered(replier.histories[2])[1] == ()


def test_the_end_of_the_conversation_stops_a_reply_quietly() -> None:
    replier = PlantedReplier("Hi.", sentence_s=60.0)
    recording = played(half_duplex(replier))
    assert recording.duration_s < 60.0
    assert replier.closed == 1


def test_each_conversation_starts_anew() -> None:
    replier = PlantedReplier("Hi.")
    system = half_duplex(replier)
    recordings = [played(system) for _ in range(2)]
    assert [len(history) for history in replier.histories] == [0, 0]
    assert gap_s(recordings[0]) == pytest.approx(gap_s(recordings[1]), abs=FRAME_S)


def test_a_replier_that_raises_fails_the_conversation() -> None:
    class Broken(PlantedReplier):
        def reply(
            self, turn: Turn, history: Sequence[Exchange], context: Context
        ) -> Iterator[Event]:
            yield TextOut("So far")
            raise ValueError("planted failure")

    with pytest.raises(SystemFailed, match="planted failure"):
        played(half_duplex(Broken()))


def test_silence_is_not_answered_and_two_requests_are() -> None:
    replier = PlantedReplier("Yes.")
    recording = played(
        half_duplex(replier),
        Said(when=At(t_s=1.0)),
        Said(when=AfterReply(gap_s=1.0), expect=Expect(contains=("yes",))),
    )
    assert len(replier.turns) == 2
    assert all(replies_s(recording, turn) for turn in recording.turns)


def test_the_rules_are_checked_and_written_down() -> None:
    rules = TurnTaking.of({"silence_s": 0.7, "vad": "energy"})
    assert rules.silence_s == 0.7
    assert TurnTaking.of(rules) is rules
    assert TurnTaking.of(None) == TurnTaking()
    for wrong in ({"silence": 1.0}, {"vad": "magic"}, {"silence_s": -1.0}, {"threshold": 1.5}):
        with pytest.raises(CascadenceError, match="turn_taking"):
            TurnTaking.of(wrong)
    info = half_duplex(PlantedReplier(), silence_s=0.7).info
    assert info.parameters["turn_taking"]["silence_s"] == 0.7
    assert info.duplex == "half"
