"""Replies whose difference from the system's own neutral is planted, as declared or not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.conversation import Conversation, Expect, Style, UserTurn
from cascadence.corpus import open_corpus
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics.style_appropriateness import DIMENSIONS, declared, style_appropriateness
from cascadence.metrics.syllables import count_syllables
from cascadence.metrics.tools import Features
from planted_cases import Planted, Spoken, case_of, channel, noise, text

WORDS = "the timer is set"
DECLARED = {
    "neutral": Style(rate=1.0, pitch=0.0, loudness=0.0),
    "excited": Style(rate=1.06, pitch=1.5, loudness=2.0),
    "sad": Style(rate=0.92, pitch=-1.0, loudness=-2.0),
    "firm": Style(rate=0.97, pitch=0.0, loudness=0.0),
}
"""As in the bundled corpus: who is firm is answered calmly, inside the band around neutral."""
NAMES = [each.name for each in DIMENSIONS]

Reply = dict[str, float | None] | None
"""Differences from the voice's own neutral, by dimension; ``None``: not borne, or no reply."""
Answers = Callable[[str, int], Reply]
"""Takes style and set."""


def features(reply: dict[str, float | None]) -> Mapping[str, Any]:
    """A voice at 7 st, -30 dB, 3 st of range, 4 syllables a second, moved by these differences."""
    rate, pitch, spread, level = (reply.get(name, 0.0) for name in NAMES)
    return {
        "speech_s": 0.0 if rate is None else count_syllables(WORDS) / (4.0 * 2.0**rate),
        "f0_median_st": None if pitch is None else 7.0 + pitch,
        "f0_range_st": None if spread is None else 3.0 * 2.0**spread,
        "level_db": None if level is None else -30.0 + level,
    }


def cell(
    answers: Answers, wanted: Mapping[str, Style | None] = DECLARED, sets: int = 5
) -> tuple[list[Case], Planted]:
    """Contrast sets of the styles; the tool is told what it will measure."""
    measured: dict[str, Mapping[str, Any]] = {}
    cases = []
    for index in range(sets):
        for number, (style, asked) in enumerate(wanted.items()):
            reply = answers(style, index)
            sound = noise(0.5, 1000 + 10 * index + number)
            case = case_of(
                Spoken(0.0, 0.5, expect=Expect(reply_style=asked)),
                system=() if reply is None else channel(3.0, (1.0, sound)),
                events=[] if reply is None else [text(0.8, WORDS)],
                group=f"g{index}",
                id=f"g{index}-{style}",
                duration_s=3.0,
            )
            if reply is not None:
                measured[case.recording.system.span(1.0, 1.5).sha256()] = features(reply)
            cases.append(case)
    return cases, Planted(features=lambda audio: measured[audio.sha256()])


def measured(
    answers: Answers, wanted: Mapping[str, Style | None] = DECLARED, sets: int = 5
) -> Measurement:
    return style_appropriateness.function(*cell(answers, wanted, sets))


def number(measurement: Measurement) -> float:
    assert isinstance(measurement.quantity, Value), measurement
    return measurement.quantity.x


def as_declared(style: str, index: int) -> Reply:
    return dict(declared(DECLARED[style]))


def as_neutral(style: str, index: int) -> Reply:
    return {}


def test_who_answers_as_declared_is_appropriate_whatever_the_voice() -> None:
    found = measured(as_declared)
    assert number(found) == 1.0
    assert found.details["each"] == {"rate": 1.0, "pitch": 1.0, "loudness": 1.0}
    assert (found.n, found.details["measurements"]) == (5, 15)
    assert found.interval is not None
    assert found.interval[0] < 1.0

    def in_another_voice(style: str, index: int) -> Reply:
        return {name: x + 5.0 for name, x in declared(DECLARED[style]).items()}

    assert number(measured(in_another_voice)) == 1.0


def test_who_always_answers_as_in_neutral_is_at_the_baseline() -> None:
    """Of the three styles, only the calm answer to who is firm lies around neutral."""
    found = measured(as_neutral)
    assert number(found) == found.details["as_neutral"] == pytest.approx(1 / 3)
    assert found.details["each"] == pytest.approx(
        {"rate": 2 / 3, "pitch": 2 / 3, "loudness": 1 / 3}
    )
    assert measured(as_declared).details["as_neutral"] == pytest.approx(1 / 3)


def test_who_mirrors_is_wrong_where_calm_is_declared() -> None:
    def mirrors(style: str, index: int) -> Reply:
        return {"loudness": 6.0} if style == "firm" else as_declared(style, index)

    found = measured(mirrors)
    assert number(found) == pytest.approx(2 / 3)
    assert found.details["each"]["loudness"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("name", "style", "tolerance"),
    [
        ("rate", Style(rate=1.2), 0.1),
        ("pitch", Style(pitch=-2.0), 1.0),
        ("pitch_range", Style(pitch_range=0.5), 0.3),
        ("loudness", Style(loudness=4.0), 1.5),
    ],
)
def test_each_band_ends_where_it_says(name: str, style: Style, tolerance: float) -> None:
    (wanted,) = declared(style).values()
    for off, success in ((0.99, 1.0), (1.01, 0.0), (-0.99, 1.0), (-1.01, 0.0)):

        def answers(label: str, index: int, off: float = off) -> Reply:
            return {name: wanted + off * tolerance} if label == "sad" else {}

        found = measured(answers, {"neutral": None, "sad": style}, sets=2)
        assert number(found) == success, off
        assert found.details["each"] == {name: success}


def test_what_is_not_declared_does_not_matter() -> None:
    def anything(style: str, index: int) -> Reply:
        return {"rate": 1.0, "pitch": 2.0, "loudness": None} if style == "sad" else {}

    found = measured(anything, {"neutral": None, "sad": Style(pitch=2.0), "firm": None})
    assert (number(found), found.details["measurements"]) == (1.0, 5)


def test_no_reply_is_not_appropriate_and_is_counted() -> None:
    def seldom(style: str, index: int) -> Reply:
        return None if style == "sad" and index < 2 else as_declared(style, index)

    found = measured(seldom)
    assert number(found) == pytest.approx(13 / 15)
    assert (found.details["missing"], found.details["measurements"]) == (2, 15)


def test_a_whisper_has_no_pitch_to_be_right() -> None:
    def whispers(style: str, index: int) -> Reply:
        told = as_declared(style, index) or {}
        return told | {"pitch": None} if style == "firm" else told

    found = measured(whispers)
    assert number(found) == pytest.approx(2 / 3)
    assert found.details["missing"] == 0


def test_without_a_neutral_reply_there_is_nothing_to_compare_with() -> None:
    def twice(style: str, index: int) -> Reply:
        return None if style == "neutral" and index < 2 else as_declared(style, index)

    found = measured(twice)
    assert (number(found), found.details["unreferenced"]) == (1.0, 6)
    assert (found.n, found.details["measurements"]) == (3, 9)

    def never(style: str, index: int) -> Reply:
        return None if style == "neutral" else as_declared(style, index)

    def whispered(style: str, index: int) -> Reply:
        return {"pitch": None} if style == "neutral" else as_declared(style, index)

    def silent(style: str, index: int) -> Reply:
        return None

    for answers in (never, whispered, silent):
        skipped = measured(answers)
        assert (skipped.status, skipped.reason) == ("skipped", "no neutral reply to compare with")


def test_a_neutral_member_that_asks_for_cheer_is_no_neutral() -> None:
    cheered = DECLARED | {"neutral": Style(pitch=3.0)}
    assert measured(as_declared, cheered).reason == "no neutral reply to compare with"
    wanted = {"neutral": Style(pitch=1.0), "sad": Style(pitch=0.0)}
    assert number(measured(as_neutral, wanted)) == 1.0


def test_repeats_are_compared_with_their_own_neutral() -> None:
    cases, tools = cell(as_declared, sets=3)
    later = [
        Case(replace(case.recording, repeat=1), case.conversation, case.clips)
        for case in cases
        if not case.conversation.id.endswith("neutral")
    ]
    found = style_appropriateness.function([*cases, *later], tools)
    assert (found.details["unreferenced"], found.details["measurements"]) == (9, 9)


@pytest.mark.parametrize(
    "wanted",
    [
        dict.fromkeys(DECLARED),
        dict.fromkeys(DECLARED, Style(emotion="calm")),
        dict.fromkeys(DECLARED, Style(rate=-1.0)),
    ],
)
def test_where_nothing_is_declared_it_is_skipped(wanted: Mapping[str, Style | None]) -> None:
    found = measured(as_neutral, wanted)
    assert found.reason == "no contrast set declares the rate, pitch or level of a reply"
    only = measured(as_neutral, {"neutral": Style(pitch=0.0), "sad": None})
    assert only.reason == "only neutral is declared"


def test_no_contrast_sets_no_measurement_and_nobody_is_asked() -> None:
    alone = case_of(Spoken(0.0, 1.0, expect=Expect(reply_style=Style(pitch=0.0))))
    tools = Planted()
    for cases in ([], [alone]):
        assert style_appropriateness.function(cases, tools).status == "skipped"
    cases, _ = cell(as_neutral, dict.fromkeys(DECLARED))
    style_appropriateness.function(cases, tools)
    assert tools.asked == []


def parroted(told: Conversation, clip: Audio, expect: Expect) -> Case:
    """The user's own clip as the reply to a turn with these expectations."""
    turn = told.turns[0]
    sound = clip.at_rate(16_000)
    case = case_of(
        Spoken(0.0, 1.0, text=turn.text, clip=sound),
        system=channel(sound.duration_s + 2.0, (1.5, sound)),
        events=[text(1.2, turn.text)],
        duration_s=sound.duration_s + 2.0,
        group=told.group,
        id=told.id,
    )
    asked: UserTurn = turn.model_copy(update={"expect": expect, "speech_s": (0.0, 1.0)})
    return Case(
        case.recording, case.conversation.model_copy(update={"turns": (asked,)}), case.clips
    )


def test_a_parrot_mirrors_what_was_declared_to_be_mirrored() -> None:
    """The bundled corpus's own clips, made by resynthesis: measured in sound, nearly all return."""
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    corpus = open_corpus("assistant")
    mirrored, own = [], []
    for told in corpus:
        if told.group is not None:
            turn = told.turns[0]
            clip = corpus.clip(turn).span(*turn.speech_s)
            mirrored.append(parroted(told, clip, Expect(reply_style=turn.style)))
            own.append(parroted(told, clip, turn.expect))
    tools = Planted(features=Features())
    found = style_appropriateness.function(mirrored, tools)
    assert found.n >= 8
    assert (found.details["measurements"], found.details["missing"]) == (3 * found.n, 0)
    assert number(found) > 0.9
    assert found.details["as_neutral"] == 0.0
    # What the corpus declares is calmer than the user: there, a parrot overdoes it.
    overdone = style_appropriateness.function(own, tools)
    assert overdone.details["as_neutral"] == pytest.approx(1 / 3)
    assert number(overdone) < 0.1
    assert np.isfinite(overdone.interval or ()).all()
