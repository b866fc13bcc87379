from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from cascadence.conversation import Aside, AudioRef, BargeIn, Conversation, Expect


def turn(**changes: Any) -> dict[str, Any]:
    return {
        "text": "what time is it",
        "audio": {"path": "audio/a.flac"},
        "speech_s": [0.1, 1.0],
        **changes,
    }


def line(*turns: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": "a-1",
        "licence": "CC0-1.0",
        "source": "a test",
        "turns": list(turns or [turn()]),
        **changes,
    }


def refused_at(data: dict[str, Any]) -> set[tuple[int | str, ...]]:
    with pytest.raises(ValidationError) as caught:
        Conversation.model_validate(data)
    return {item["loc"] for item in caught.value.errors()}


def test_a_line_says_only_what_differs_from_the_defaults() -> None:
    conversation = Conversation.model_validate(line())
    first = conversation.turns[0]
    assert conversation.split == "test"
    assert conversation.group is None
    assert first.when.kind == "after_reply"
    assert first.audio.start_s == 0.0
    assert not first.expect.judged


def test_every_kind_of_when_is_told_apart_by_its_name() -> None:
    whens: list[dict[str, Any]] = [
        {"kind": "after_reply", "gap_s": 0.5},
        {"kind": "at", "t_s": 12.0},
        {"kind": "barge_in", "after_onset_s": 0.7},
        {"kind": "backchannel", "after_onset_s": 1.5},
        {"kind": "aside"},
        {"kind": "aside", "after_onset_s": 0.4},
    ]
    conversation = Conversation.model_validate(line(*(turn(when=when) for when in whens)))
    assert [t.when.kind for t in conversation.turns] == [when["kind"] for when in whens]
    assert conversation.turns[2].when == BargeIn(after_onset_s=0.7)
    assert conversation.turns[4].when == Aside(gap_s=1.0)
    under = [turn.is_under_reply for turn in conversation.turns]
    assert under == [False, False, False, True, False, True]


def test_a_line_survives_the_way_to_json_and_back() -> None:
    data = line(
        turn(
            style={"emphasis": [1], "hesitations": [[0.2, 0.4]], "rate": 1.2},
            pauses=[{"at_s": 0.3, "duration_s": 0.2}],
            expect={"slots": {"n": ["7", "seven"]}, "tool_calls": [{"name": "clock"}]},
        ),
        group="g1",
        tags=["time"],
    )
    conversation = Conversation.model_validate(data)
    assert Conversation.model_validate(json.loads(conversation.model_dump_json())) == conversation


def test_a_conversation_cannot_be_changed() -> None:
    conversation = Conversation.model_validate(line())
    with pytest.raises(ValidationError, match="frozen"):
        conversation.id = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../a.flac", "audio/../../a.flac", "audio\\a.flac", "a\0b.flac", "C:\\a"],
)
def test_a_path_that_could_leave_the_folder_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="relative path inside the corpus"):
        AudioRef(path=path)


@pytest.mark.parametrize("name", ["", "-a", "a/b", "a b", "../a", "ä", "a\n", "x" * 129])
def test_an_id_is_safe_as_a_file_name(name: str) -> None:
    assert refused_at(line(id=name)) == {("id",)}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"audio": {"path": "a.flac", "sha256": "AB"}}, ("turns", 0, "audio", "sha256")),
        ({"audio": {"path": "a.flac", "start_s": -0.1}}, ("turns", 0, "audio", "start_s")),
        ({"speech_s": [0.0]}, ("turns", 0, "speech_s", 1)),
        ({"speech_s": [0.0, 1e9]}, ("turns", 0, "speech_s", 1)),
        ({"speech_s": [0.0, float("nan")]}, ("turns", 0, "speech_s", 1)),
        ({"mood": "good"}, ("turns", 0, "mood")),
        ({"style": {"rat": 1.0}}, ("turns", 0, "style", "rat")),
        ({"style": {"sentence_type": "song"}}, ("turns", 0, "style", "sentence_type")),
        ({"when": {"kind": "later"}}, ("turns", 0, "when")),
        ({"when": {"kind": "at"}}, ("turns", 0, "when", "at", "t_s")),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], where: tuple[int | str, ...]) -> None:
    assert where in refused_at(line(turn(**changes)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"speech_s": [1.0, 1.0]}, "must end after it starts"),
        ({"text": "  "}, "text is empty"),
        ({"pauses": [{"at_s": 0.9, "duration_s": 0.2}]}, "a pause ends after the speech"),
        ({"backchannels_s": [0.5, 1.0]}, "a backchannel lies outside of the speech"),
        ({"expect": {"stay_silent": True, "answer": ["yes"]}}, "stay_silent excludes"),
        ({"expect": {"slots": {"n": []}}}, "at least one accepted value"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        Conversation.model_validate(line(turn(**changes)))


def test_only_a_turn_that_expects_silence_may_say_nothing() -> None:
    data = line(turn(text="", expect={"stay_silent": True}))
    assert Conversation.model_validate(data).turns[0].expect.judged


@pytest.mark.parametrize("kind", ["barge_in", "backchannel", "aside"])
def test_there_is_nothing_to_interrupt_before_the_first_reply(kind: str) -> None:
    with pytest.raises(ValidationError, match="nothing to interrupt"):
        Conversation.model_validate(line(turn(when={"kind": kind, "after_onset_s": 0.1})))


def test_a_conversation_has_a_turn() -> None:
    data = line()
    data["turns"] = []
    assert refused_at(data) == {("turns",)}


@pytest.mark.parametrize(
    "expect",
    [
        Expect(slots={"n": ("7",)}),
        Expect(contains=("yes",)),
        Expect(excludes=("no",)),
        Expect(answer=("Paris",)),
        Expect(stay_silent=True),
    ],
)
def test_what_can_be_judged_is_judged(expect: Expect) -> None:
    assert expect.judged


def test_a_reference_reply_alone_judges_nothing() -> None:
    assert not Expect(reply_text="It is noon.").judged
