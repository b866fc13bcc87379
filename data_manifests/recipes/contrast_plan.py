"""The plan of the corpus `contrast`: the same words in the same voice, in several styles.

Eight axes. On four of them one dimension of the style takes four values, evenly spread on the scale
on which it is heard, and all others stay neutral; on one, whole styles differ in all dimensions; on
three, the words keep their style and one of them is stressed, the melody rises or falls at the end,
or the user hesitates. Text and numbers only, no sound (see `contrast`).

The words of members are the same, full stop included: nothing written tells the style. What a
hesitant user utters besides ("um") is in ``style.hesitations``, not in the text.
"""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cascadence.conversation import Expect, Style
from cascadence.data_manifests.assistant.sampling import sample_dialogue
from cascadence.data_manifests.assistant.scenes import Line
from cascadence.data_manifests.recipes import assistant_plan, planned
from cascadence.data_manifests.recipes.assistant_plan import CONTRAST_STYLES, said
from cascadence.data_manifests.recipes.edits import Ending, Hesitating, Stressed, Stumble
from cascadence.data_manifests.recipes.planned import Plain, Planned, PlannedTurn, Sound
from cascadence.data_manifests.recipes.voices import Prosody

SEED: Final = "contrast-1"
"""Part of every seed: a change of it changes everything that is drawn."""
SETS: Final = 9
MORE_SETS: Final[Mapping[str, int]] = MappingProxyType({"pitch": 12, "range": 14, "hesitation": 11})
"""Of each axis whose words come from the domain; more where the judge loses more of them."""

CAST: Final = (
    "joe-alto",
    "flite-rms",
    "kokoro-gongitsune",
    "flite-awb",
    "kokoro-kumo",
    "flite-rms-high",
    "joe-tenor",
    "kokoro-kumo-high",
)
"""Test voices in the order of their turns in sets."""

_STEADY: Final = CAST[1:6]
FIRST_CAST: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "pitch": _STEADY,
        "range": tuple("joe-alto" if name == "flite-awb" else name for name in _STEADY),
        "emphasis": (*CAST[:2], *CAST[3:]),
        "hesitation": (*CAST[:2], *CAST[3:]),
    }
)
"""Where not everybody begins. Of pitch: those whose measured median is the same to 0.3 st, however
loud they are; creaky voices' is not. Of range: nobody whose own is half that of the others, because
ranges are compared in semitones (`cascadence.metrics`). Of edits at words: those whose words are
found to 0.1 s."""

RATE_STEP: Final = 1.2
PITCH_STEP_ST: Final = 2.4
RANGE_STEP: Final = 1.65
LEVEL_STEP_DB: Final = 4.0
"""Between neighbouring values of an axis; the values lie symmetrically about neutral."""

Styles = Mapping[str, Prosody]
_AWAY: Final = (-1.5, -0.5, 0.5, 1.5)


def _spread(names: Sequence[str], prosodies: Sequence[Prosody]) -> Styles:
    return MappingProxyType(dict(zip(names, prosodies, strict=True)))


AXES: Final[Mapping[str, Styles]] = MappingProxyType(
    {
        "rate": _spread(
            ("slowest", "slow", "fast", "fastest"),
            [Prosody(rate=round(RATE_STEP**away, 3)) for away in _AWAY],
        ),
        "pitch": _spread(
            ("lowest", "low", "high", "highest"),
            [Prosody(pitch_st=round(PITCH_STEP_ST * away, 3)) for away in _AWAY],
        ),
        "range": _spread(
            ("flattest", "flat", "lively", "liveliest"),
            [Prosody(range_scale=round(RANGE_STEP**away, 3)) for away in _AWAY],
        ),
        "loudness": _spread(
            ("softest", "soft", "loud", "loudest"),
            [Prosody(level_db=round(LEVEL_STEP_DB * away, 3)) for away in _AWAY],
        ),
        "emotion": CONTRAST_STYLES,
    }
)
"""Of the axes that are a prosody from beginning to end: what each style is called, and is."""

LABELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{axis: tuple(styles) for axis, styles in AXES.items()},
        "emphasis": ("early", "late"),
        "question": ("question", "statement"),
        "hesitation": ("fluent", "hesitant"),
    }
)
"""Of all axes: what their styles are called. Of emphasis: which of two words is stressed."""

_INTENTS: Final = (
    "lights_switch",
    "lights_colour",
    "lights_dim",
    "set_temperature",
    "blinds",
    "device_switch",
    "lock_door",
    "clean_room",
    "set_volume",
    "tv_channel",
    "set_timer",
    "set_alarm",
    "remind_task",
    "calendar_add",
    "move_event",
    "cancel_event",
    "add_to_list",
    "remove_from_list",
    "book_table",
)
"""Whose values are everyday words, which any ASR knows in any style."""

seed_of = functools.partial(planned.seed_of, SEED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Words that mean one thing or the other, by the voice alone.

    Attributes:
        text: what is said.
        instructions: what the system is told before.
        answers: accepted spellings of the right one for each of two ways to say it; each is wrong
            for the other.
        words: of `StressedWords`, the indices of the two words; else empty.
    """

    text: str
    instructions: str
    answers: tuple[tuple[str, ...], tuple[str, ...]]
    words: tuple[int, int] | None = None


def _stress(text: str, first: tuple[int, str], second: tuple[int, str]) -> Choice:
    """Build a correction in which the stressed word is what the listener had wrong."""
    told = (
        "Somebody corrects what you have just said. The word that they stress is the one that you "
        f"had wrong. Say in one short sentence which it was: the {first[1]} or the {second[1]}."
    )
    answers = (_spelled(first[1]), _spelled(second[1]))
    return Choice(text, told, answers, (first[0], second[0]))


def _spelled(word: str) -> tuple[str, ...]:
    return (word, "color") if word == "colour" else (word,)


def _fact(text: str, fact: str, is_so: str) -> Choice:
    """Build words that ask for a fact or tell it."""
    told = (
        f"You keep a household's notes. You know this: {fact} When somebody asks you something, "
        "answer only yes or no. When somebody tells you something, answer only: noted."
    )
    return Choice(text, told, ((is_so,), ("noted",)))


STRESSED: Final = (
    _stress("I said two tables.", (2, "number"), (3, "furniture")),
    _stress("I ordered a red jacket.", (3, "colour"), (4, "garment")),
    _stress("My brother arrives on Sunday.", (1, "person"), (4, "day")),
    _stress("We need the small car today.", (3, "size"), (5, "day")),
    _stress("The train leaves at nine.", (1, "vehicle"), (4, "time")),
    _stress("She lives in the white house.", (4, "colour"), (5, "building")),
    _stress("They want four coffees.", (2, "number"), (3, "drink")),
    _stress("He plays the piano on Monday.", (3, "instrument"), (5, "day")),
    _stress("We meet in the kitchen at noon.", (4, "room"), (6, "time")),
    _stress("Please water the roses in the garden.", (3, "plant"), (6, "place")),
    _stress("I told you that we need two tables.", (6, "number"), (7, "furniture")),
    _stress("The plumber comes on Tuesday.", (1, "person"), (4, "day")),
)
"""Corrections of which the stressed word alone says what is corrected."""

ASKED_OR_TOLD: Final = (
    _fact("You set the alarm for seven.", "the alarm is set for eight.", "no"),
    _fact("The front door is locked.", "the front door is locked.", "yes"),
    _fact("The meeting is on Monday.", "the meeting is on Tuesday.", "no"),
    _fact("There is milk in the fridge.", "there is milk in the fridge.", "yes"),
    _fact("The parcel arrived this morning.", "no parcel has arrived.", "no"),
    _fact("The bus leaves at nine.", "the bus leaves at nine.", "yes"),
    _fact("You moved the meeting to Friday.", "the meeting is still on Monday.", "no"),
    _fact("The heating is on in the bedroom.", "the heating is on in the bedroom.", "yes"),
    _fact("The plants were watered yesterday.", "nobody has watered the plants.", "no"),
    _fact("The shop closes at eleven.", "the shop closes at eleven.", "yes"),
)
"""Words that are a question or a statement by their melody alone."""


def plan() -> tuple[Planned, ...]:
    """Return the whole corpus as planned, set by set."""
    taken = {turn.text for one in assistant_plan.plan() for turn in one.turns}
    sets: list[Planned] = []
    for axis, styles in AXES.items():
        for number, line in enumerate(_lines(axis, taken)):
            sets += _styled_set(axis, number, line, styles)
    sets += _hesitant_sets(_lines("hesitation", taken))
    for number, choice in enumerate(STRESSED):
        sets += _choice_set("emphasis", number, choice)
    for number, choice in enumerate(ASKED_OR_TOLD):
        sets += _choice_set("question", number, choice)
    return tuple(sets)


def _lines(axis: str, taken: set[str]) -> list[Line]:
    """Draw requests of six to nine words; each text once in this corpus, none of `assistant`."""
    rng = random.Random(seed_of("lines", axis))
    count = MORE_SETS.get(axis, SETS)
    names = list(_INTENTS)
    rng.shuffle(names)
    lines: list[Line] = []
    for name in names:
        for _ in range(50):
            line = sample_dialogue(rng, "test", 1, [name]).turns[0]
            if line.text in taken or "," in line.text or line.kind != "answer":
                continue
            if 6 <= len(line.text.split()) <= 9 and line.expect_slots:
                taken.add(line.text)
                lines.append(line)
                break
        if len(lines) == count:
            return lines
    raise ValueError(f"only {len(lines)} of {count} texts were found for {axis!r}")


def _member(axis: str, number: int, label: str, turn: PlannedTurn, told: str | None) -> Planned:
    group = f"contrast-{axis}-{number:02d}"
    # Every axis begins with another voice, so that all voices are heard about equally often.
    draw = number + sorted(LABELS).index(axis)
    cast = FIRST_CAST.get(axis, CAST)
    draw = CAST.index(cast[draw % len(cast)])
    tags = ("contrast", f"axis_{axis}", "single_turn")
    return Planned(f"{group}-{label}", tags, draw, (turn,), group, instructions=told)


def _styled_set(axis: str, number: int, line: Line, styles: Styles) -> list[Planned]:
    members = []
    for label, prosody in styles.items():
        turn = said(line, Plain(prosody, is_fixed=True), 1.0, label if axis == "emotion" else None)
        turn = dataclasses.replace(turn, style=Style(label=label))
        members.append(_member(axis, number, label, turn, None))
    return members


def _choice_set(axis: str, number: int, choice: Choice) -> list[Planned]:
    """Plan both ways to say what means one thing or the other."""
    members = []
    for which, label in enumerate(LABELS[axis]):
        right, wrong = choice.answers[which], choice.answers[1 - which]
        turn = PlannedTurn(
            choice.text,
            Ending(rises=label == "question")
            if choice.words is None
            else Stressed(choice.words[which]),
            expect=Expect(answer=right, excludes=wrong),
            style=_choice_style(choice, which, label),
        )
        members.append(_member(axis, number, label, turn, choice.instructions))
    return members


def _choice_style(choice: Choice, which: int, label: str) -> Style:
    if choice.words is not None:
        return Style(label=label, emphasis=(choice.words[which],))
    return Style(label=label, sentence_type="question" if label == "question" else "statement")


def _hesitant_sets(lines: Sequence[Line]) -> list[Planned]:
    """Plan requests, each said fluently and with two hesitations before words that matter."""
    members: list[Planned] = []
    for number, line in enumerate(lines):
        rng = random.Random(seed_of("hesitation", number))
        stumbles = _stumbles(rng, line)
        sounds: tuple[Sound, ...] = (Plain(is_fixed=True), Hesitating(stumbles))
        for label, sound in zip(LABELS["hesitation"], sounds, strict=True):
            turn = dataclasses.replace(said(line, Plain(), 1.0), sound=sound)
            turn = dataclasses.replace(turn, style=Style(label=label))
            members.append(_member("hesitation", number, label, turn, None))
    return members


def _stumbles(rng: random.Random, line: Line) -> tuple[Stumble, ...]:
    """A filled pause and a silent one, in either order, before the first words of two values."""
    first, second = _content_words(line)
    filled = Stumble(
        first, _pause_s(rng, 0.25, 0.4), rng.choice(("um", "uh")), _pause_s(rng, 0.3, 0.5)
    )
    silent = Stumble(second, _pause_s(rng, 0.6, 0.9))
    if rng.random() < 0.5:
        filled, silent = (
            dataclasses.replace(filled, word=second),
            dataclasses.replace(silent, word=first),
        )
    return tuple(sorted((filled, silent), key=lambda stumble: stumble.word))


def _pause_s(rng: random.Random, least: float, most: float) -> float:
    return round(rng.uniform(least, most), 2)


def _content_words(line: Line) -> tuple[int, int]:
    """Where two values begin; of a request with one value, also its longest other word."""
    words = [word.strip(".,;:!?").lower() for word in line.text.split()]
    begin = set()
    for forms in line.expect_slots.values():
        spoken = [form.lower().split() for form in forms]
        begin |= {
            at
            for form in spoken
            for at in range(1, len(words))
            if words[at : at + len(form)] == form
        }
    others = sorted(set(range(1, len(words))) - begin, key=lambda at: -len(words[at]))
    chosen = sorted(sorted(begin)[:2] + others[: max(0, 2 - len(begin))])
    return chosen[0], chosen[1]
