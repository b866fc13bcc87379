import json
from pathlib import Path

import pytest

import cascadence.data_manifests.assistant as assistant
from cascadence.conversation import AudioRef, Conversation, Expect, UserTurn
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics.task_slots import Filled, filled, inventory_of, slot_f1
from planted_cases import Planted, Spoken, case_of, numbers


def turn(text: str = "please", reply: str | None = None, **slots: str) -> UserTurn:
    expect = Expect(slots={name: (said,) for name, said in slots.items()}, reply_text=reply)
    return UserTurn(text=text, audio=AudioRef(path="c.flac"), speech_s=(0, 1), expect=expect)


SEVEN = turn(time="7", room="kitchen")
OTHERS = [SEVEN, turn(time="8"), turn(time="9:30"), turn(room="living room"), turn(day="Sunday")]
INVENTORY = inventory_of(OTHERS)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Seven in the kitchen.", Filled(2, 0, 0)),
        ("Seven.", Filled(1, 0, 1)),
        ("Eight in the kitchen.", Filled(1, 1, 1)),
        ("Eight in the living room.", Filled(0, 2, 2)),
        # Hedging: right and wrong.
        ("Seven or eight in the kitchen.", Filled(2, 1, 0)),
        # Two wrong values of one slot are one wrong filling.
        ("Eight, or half past nine.", Filled(0, 1, 2)),
        # Wrong, but of a slot that the turn does not have.
        ("Seven in the kitchen on Sunday.", Filled(2, 0, 0)),
        # Wrong, but nowhere in the manifest: only missed.
        ("Eleven in the cellar.", Filled(0, 0, 2)),
        ("", Filled(0, 0, 2)),
        ("please", Filled(0, 0, 2)),
    ],
)
def test_right_wrong_and_missing_values(said: str, expected: Filled) -> None:
    assert filled(SEVEN, said, INVENTORY) == expected


def test_the_request_repeated_fills_nothing() -> None:
    asked = turn("Set it for 7 in the kitchen.", time="7", room="kitchen")
    assert filled(asked, "Set it for seven in the kitchen.", INVENTORY) == Filled(0, 0, 2)


def test_what_the_turn_itself_speaks_of_is_not_wrong() -> None:
    moved = turn("Move it from 8 to 7.", reply="Moved from nine thirty to seven.", time="7")
    assert filled(moved, "Moved from 8 to 7.", INVENTORY) == Filled(1, 0, 0)
    assert filled(moved, "It was nine thirty, now it is seven.", INVENTORY) == Filled(1, 0, 0)
    plain = turn("Make it 7.", time="7")
    assert filled(plain, "Moved from 8 to 7.", INVENTORY) == Filled(1, 1, 0)
    assert filled(plain, "Moved from 8 to 7.", INVENTORY, "You open at 8.") == Filled(1, 0, 0)


def test_part_of_an_accepted_value_is_not_wrong() -> None:
    inventory = inventory_of([turn(list="list"), turn(list="picnic list")])
    assert filled(turn(list="picnic list"), "On your picnic list.", inventory) == Filled(1, 0, 0)
    assert filled(turn(list="list"), "On your picnic list.", inventory) == Filled(1, 1, 0)


def test_excluded_phrases_are_wrong() -> None:
    expect = Expect(slots={"time": ("7",)}, excludes=("seventy",))
    asked = UserTurn(text="now", audio=AudioRef(path="c"), speech_s=(0, 1), expect=expect)
    assert filled(asked, "Seven, not seventy.", {}) == Filled(1, 1, 0)


def corpus(*heard: str) -> Measurement:
    """Each conversation asks for its own time; this is what the judge hears of the replies."""
    cases = [
        case_of(
            Spoken(0.0, 1.0, expect=Expect(slots={"time": (str(5 + n),)})),
            system=[(1.5, 3.0)] if said else [],
            id=f"c{n}",
        )
        for n, said in enumerate(heard)
    ]
    left = [said for said in heard if said]
    return slot_f1.function(cases, Planted(judge_asr=lambda audio: {"text": left.pop(0)}))


def test_f1_of_planted_replies() -> None:
    """Two right, one wrong, one missing: precision 2/3, recall 1/2, F1 4/7."""
    found = corpus("At five.", "At six.", "At five.", "")
    assert numbers([found]) == [pytest.approx(4 / 7)]
    assert found.details["precision"] == pytest.approx(2 / 3)
    assert found.details["recall"] == pytest.approx(1 / 2)
    assert (found.details["right"], found.details["wrong"], found.details["missing"]) == (2, 1, 2)
    assert (found.n, found.details["inventory"]) == (4, {"time": 4})
    assert found.interval is not None
    assert found.interval[0] < 4 / 7 < found.interval[1]


def test_a_silent_system_has_an_f1_of_0_and_no_precision() -> None:
    found = corpus("", "")
    assert (found.quantity, found.details["precision"]) == (Value(0.0), None)


def test_without_slots_there_is_nothing_to_measure() -> None:
    assert slot_f1.function([case_of(Spoken(0.0, 1.0))], Planted()).status == "skipped"


def test_a_turn_that_was_never_played_is_a_failure() -> None:
    spoken = [Spoken(0.0, 1.0, expect=Expect(slots={"time": (n,)})) for n in ("5", "6")]
    whole, torn = case_of(*spoken), case_of(spoken[0])
    found = slot_f1.function([Case(torn.recording, whole.conversation)], Planted())
    assert (found.details["measurements"], found.details["failed"]) == (1, 1)


def test_the_reference_replies_of_the_bundled_corpus_say_nothing_wrong() -> None:
    manifest = Path(assistant.__file__).parent / "conversations.jsonl"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    told = [Conversation.model_validate(json.loads(line)) for line in lines]
    turns = [turn for each in told for turn in each.turns]
    inventory = inventory_of(turns)
    replies = [turn for turn in turns if turn.expect.slots and turn.expect.reply_text]
    assert len(replies) > 100
    for turn in replies:
        found = filled(turn, str(turn.expect.reply_text), inventory)
        assert found == Filled(len(turn.expect.slots), 0, 0), turn.text
