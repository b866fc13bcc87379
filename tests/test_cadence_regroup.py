"""Regrouped conversations: the policy's replies in the new context, and nothing held out."""

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cascadence.data_manifests.assistant.policy import Policy  # noqa: E402
from cascadence.data_manifests.assistant.splits import may_occur  # noqa: E402
from cascadence.systems.cadence import regroup as regrouping  # noqa: E402
from cascadence.systems.cadence.config import SpeechConfig, TrainConfig  # noqa: E402
from cascadence.systems.cadence.data import TurnPlan, plan_turns  # noqa: E402
from cascadence.systems.cadence.regroup import (  # noqa: E402
    RegroupedTurn,
    later_moves,
    regroup,
    regrouped_lessons,
)
from cascadence.systems.cadence.stages import Stages  # noqa: E402
from cascadence.systems.cadence.symbols import SymbolTable  # noqa: E402
from cascadence.systems.cadence.train_decoder import (  # noqa: E402
    HeardTurns,
    ReplyLesson,
    Sounds,
)


def planned(*dialogues: list[str]) -> list[TurnPlan]:
    """Plans of conversations, answered by the policy; a turn may be left out with a dash."""
    plans = []
    for dialogue, texts in enumerate(dialogues):
        policy = Policy()
        for turn, text in enumerate(texts):
            reply = policy.reply(text.removeprefix("-"))
            if not text.startswith("-"):
                intent = reply.intent or ""
                plans.append(
                    TurnPlan(dialogue, turn, text, reply.text, intent, reply.kind, {}, "pico-us")
                )
    return plans


def said(plans: list[TurnPlan], conversations: list[list[RegroupedTurn]]) -> set[tuple[str, ...]]:
    """What users say in some conversations."""
    return {tuple(plans[turn.turn].text for turn in turns) for turns in conversations}


def exchanges(
    plans: list[TurnPlan], conversations: list[list[RegroupedTurn]]
) -> set[tuple[str, str, str]]:
    """Every later turn: what was said before it, what is said, the reply."""
    return {
        (plans[before.turn].text, plans[now.turn].text, now.reply)
        for turns in conversations
        for before, now in itertools.pairwise(turns)
    }


@pytest.fixture(scope="module")
def drawn() -> list[TurnPlan]:
    config = SpeechConfig(single_share=0.5, hesitant_share=0.3, silent_share=0.1)
    return plan_turns(config, "train", 1500, ["pico-us", "pico-gb"])


@pytest.fixture(scope="module")
def conversations(drawn: list[TurnPlan]) -> list[list[RegroupedTurn]]:
    return regroup(drawn, 1200, seed=4)


def test_every_reply_is_what_a_fresh_policy_answers(
    drawn: list[TurnPlan], conversations: list[list[RegroupedTurn]]
) -> None:
    for turns in conversations:
        policy = Policy()
        for turn in turns:
            plan = drawn[turn.turn]
            reply = policy.reply(plan.text)
            assert reply.text == turn.reply
            assert (reply.kind, reply.intent or "") == (plan.kind, plan.intent)
            assert reply.intent is None or may_occur(reply.intent, reply.slots, "train")
    assert sum(len(turns) - 1 for turns in conversations) >= 1200


def test_conversations_have_two_to_five_turns_begin_as_one_did_and_are_not_silent(
    drawn: list[TurnPlan], conversations: list[list[RegroupedTurn]]
) -> None:
    assert {len(turns) for turns in conversations} == {2, 3, 4, 5}
    assert all(drawn[turns[0].turn].turn == 0 for turns in conversations)
    assert all(drawn[turn.turn].text for turns in conversations for turn in turns)


def test_users_do_what_they_did_in_the_rendered_conversations(
    drawn: list[TurnPlan], conversations: list[list[RegroupedTurn]]
) -> None:
    rendered = Counter(drawn[i].kind for i in later_moves(drawn))
    made = Counter(drawn[turn.turn].kind for turns in conversations for turn in turns[1:])
    for kind in ("answer", "correction", "clarify", "decline"):
        assert made[kind] / made.total() == pytest.approx(
            rendered[kind] / rendered.total(), abs=0.03
        ), kind


def test_the_seed_decides(drawn: list[TurnPlan], conversations: list[list[RegroupedTurn]]) -> None:
    assert regroup(drawn, 1200, seed=4) == conversations
    assert regroup(drawn, 1200, seed=5) != conversations
    assert regroup(drawn, 0, seed=4) == []


def test_a_correction_changes_the_right_slot_of_another_request() -> None:
    plans = planned(
        ["Set an alarm for five past nine on Thursday."],
        ["Set an alarm for three thirty on Friday.", "No, on Wednesday."],
        ["Set an alarm for ten fifteen on Friday.", "Sorry, I meant six fifty."],
    )
    found = exchanges(plans, regroup(plans, 200, seed=0))
    alone = "Set an alarm for five past nine on Thursday."
    assert {(said, reply) for before, said, reply in found if before == alone} >= {
        ("No, on Wednesday.", "Okay, your alarm is set for nine oh five on Wednesday."),
        ("Sorry, I meant six fifty.", "Okay, your alarm is set for six fifty on Thursday."),
    }
    # The same value again is no correction: that turn does nothing here that it did there.
    plans = planned(
        ["Set an alarm for five past nine on Wednesday."],
        ["Set an alarm for three thirty on Friday.", "No, on Wednesday."],
    )
    found = exchanges(plans, regroup(plans, 200, seed=0))
    assert ("No, on Wednesday.", plans[0].text) not in {(now, before) for before, now, _ in found}


def test_no_combination_outside_the_training_split_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Saturday", "Sunday")
    fixed = "ten fifteen"
    time, held_out = next(
        (time, day)
        for time, day in itertools.product(("three thirty", "six fifty", "nine twenty"), days)
        if not may_occur("set_alarm", {"time": time, "day": day}, "train")
        and may_occur("set_alarm", {"time": time, "day": "Friday"}, "train")
        and may_occur("set_alarm", {"time": fixed, "day": day}, "train")
    )
    request = f"Set an alarm for {time} on Friday."
    correction = f"No, on {held_out}."
    plans = planned([request], [f"Set an alarm for {fixed} on Friday.", correction])
    reply = f"Okay, your alarm is set for {time} on {held_out}."
    assert (request, correction, reply) not in exchanges(plans, regroup(plans, 200, seed=0))
    monkeypatch.setattr(regrouping, "may_occur", lambda *_: True)
    assert (request, correction, reply) in exchanges(plans, regroup(plans, 200, seed=0))


def test_a_question_is_followed_by_an_answer_to_it() -> None:
    plans = planned(
        ["Set an alarm for five past nine.", "On Thursday."],
        ["Set an alarm for three thirty.", "Friday, please."],
        ["Set a timer.", "Ten minutes."],
        ["Lock the front door."],
        ["Good morning."],
    )
    found = exchanges(plans, regroup(plans, 300, seed=0))
    asked = "Set an alarm for five past nine."
    assert {now for before, now, _ in found if before == asked} == {
        "On Thursday.",
        "Friday, please.",
    }


def test_a_pronoun_is_said_of_a_person_that_it_fits() -> None:
    plans = planned(
        ["Call Kevin.", "Remind me to call him at five thirty."],
        ["Call Martin."],
        ["Call Emma."],
    )
    for name in ("Kevin", "Martin", "Emma"):
        slots = {"contact": name, "time": "five thirty"}
        assert may_occur("remind_call", slots, "train"), name
        assert may_occur("call", {"contact": name}, "train"), name
    found = {(before, now) for before, now, _ in exchanges(plans, regroup(plans, 200, seed=0))}
    assert ("Call Martin.", plans[1].text) in found
    assert ("Call Emma.", plans[1].text) not in found


def test_turns_after_a_missing_one_and_replies_that_are_not_the_policys_are_left_out() -> None:
    plans = planned(
        ["Set a timer for ten minutes.", "-No, for nine minutes.", "And for six minutes, please."],
        ["Good morning.", "Thank you."],
    )
    plans.append(TurnPlan(9, 0, "Lock the front door.", "What?", "lock_door", "answer", {}, "a"))
    used = {turn for turns in regroup(plans, 200, seed=0) for turn in turns}
    assert {turn.turn for turn in used} == {0, 2, 3}


def test_lessons_of_later_turns_know_the_replies_of_their_own_conversation() -> None:
    table = SymbolTable(["a", "b", "c", "d", "x"])
    rendered = [ReplyLesson(i, table.encode("abcd"[i]), []) for i in range(4)]
    turns = [
        RegroupedTurn(2, "c"),
        RegroupedTurn(0, "x"),
        RegroupedTurn(3, "d"),
        RegroupedTurn(1, "ab"),
    ]
    unknown = [
        RegroupedTurn(1, "b"),
        RegroupedTurn(3, "d"),
        RegroupedTurn(2, "?"),
        RegroupedTurn(0, "a"),
    ]
    more = regrouped_lessons([turns, unknown], rendered, tuple, table)
    assert [(lesson.sound, list(lesson.earlier)) for lesson in more] == [
        (0, [2]),
        (3, [4, 2]),
        (1, [5, 4]),
        (3, [1]),
    ]
    assert more[2].reply == table.encode("ab")
    states = [np.full((2, 3), i, np.float16) for i in range(4)]
    heard = HeardTurns(Sounds(states, [np.array([True, False])] * 4), [*rendered, *more])
    latest, first = heard.history(5)
    assert heard.states(5).tolist() == [[3.0] * 3] * 2
    assert (latest.states.tolist(), latest.reply.tolist()) == ([[0.0] * 3], table.encode("x"))
    assert (first.states.tolist(), first.reply.tolist()) == ([[2.0] * 3], table.encode("c"))


def test_only_the_decoder_is_trained_again_with_other_regrouped_lessons(tmp_path: Path) -> None:
    usual = TrainConfig()
    other = usual.model_copy(update={"decoder": usual.decoder.model_copy(update={"regrouped": 7})})
    stages = ("speech", "voice", "vocoder", "ears", "decoder", "endings", "turn_end")
    changed = [
        name
        for name in stages
        if Stages(usual, tmp_path).key(name) != Stages(other, tmp_path).key(name)
    ]
    assert changed == ["decoder"]
