"""What importers of recorded calls share: how a stretch of the user's speech came about."""

from __future__ import annotations

import pytest

from cascadence.conversation import AfterReply, Aside, At, Backchannel, BargeIn, When
from cascadence.data_manifests.importers.calls import Spoken, call_of
from planted_run import speech

RATE = 8_000
REPLY_S = (3.0, 6.0)
FIRST = Spoken(1.0, 2.0, "hello")


@pytest.mark.parametrize(
    ("kind", "start_s", "expected"),
    [
        ("turn", 4.0, BargeIn(after_onset_s=1.0)),
        ("turn", 7.0, AfterReply()),
        ("backchannel", 4.0, Backchannel(after_onset_s=1.0)),
        ("aside", 4.0, Aside(after_onset_s=1.0)),
        ("aside", 7.0, Aside()),
    ],
)
def test_what_is_said_while_the_other_is_audible_is_said_into_the_reply(
    kind: str, start_s: float, expected: When
) -> None:
    said = Spoken(start_s, start_s + 0.5, "well", kind)
    user = speech([(1.0, 2.0), (said.start_s, said.end_s)], 9.0, RATE, 150.0)
    heard = speech([REPLY_S], 9.0, RATE, 240.0)
    call = call_of([FIRST, said], user, heard, "both.wav", 0, 0.2)
    first, second = (turn.when for turn in call.turns)
    assert first == AfterReply()
    assert type(second) is type(expected)
    into_s = getattr(expected, "after_onset_s", None)
    assert getattr(second, "after_onset_s", None) == (
        None if into_s is None else pytest.approx(into_s, abs=0.02)
    )
    assert call.rough == 0


@pytest.mark.parametrize("kind", ["turn", "aside"])
def test_the_first_words_can_only_be_said_into_a_greeting(kind: str) -> None:
    user, heard = speech([(1.0, 2.0)], 4.0, RATE, 150.0), speech([(0.5, 1.5)], 4.0, RATE, 240.0)
    call = call_of([Spoken(1.0, 2.0, "hello", kind)], user, heard, "both.wav", 0, 0.2)
    (when,) = (turn.when for turn in call.turns)
    assert isinstance(when, Aside if kind == "aside" else At)
    assert getattr(when, "t_s", 1.0) == pytest.approx(1.0, abs=0.02)
    assert getattr(when, "after_onset_s", None) is None
