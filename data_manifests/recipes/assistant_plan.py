"""The plan of the corpus `assistant`: who says what, and how. Text and numbers only, no sound.

Everything is drawn from a stable hash of the recipe's name, so that the same recipe gives the same
plan on every machine.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cascadence.conversation import AfterReply, Expect, Style
from cascadence.data_manifests.assistant.intents import INTENTS
from cascadence.data_manifests.assistant.sampling import Dialogue, sample_dialogue
from cascadence.data_manifests.assistant.scenes import SMALL_TALK, Line
from cascadence.data_manifests.recipes import planned
from cascadence.data_manifests.recipes.assistant_expects import expected_act
from cascadence.data_manifests.recipes.planned import Plain, Planned, PlannedTurn
from cascadence.data_manifests.recipes.quiet_sounds import QUIETS
from cascadence.data_manifests.recipes.voices import Prosody

SEED: Final = "assistant-1"
"""Part of every seed: a change of it changes everything that is drawn."""
SINGLE_TURN: Final = 42
MULTI_TURN: Final = 92
HELD_OUT: Final = 36
OUTSIDE: Final = 24
CONTRAST_SETS: Final = 14

CAST: Final = (
    "kokoro-gongitsune",
    "kokoro-kumo",
    "flite-rms-high",
    "joe-tenor",
    "flite-rms",
    "joe-alto",
    "flite-awb",
    "kokoro-kumo-high",
)
"""Test voices in the order of their turns in conversations."""
CONTRAST_CAST: Final = (
    "joe-alto",
    "joe-tenor",
    "kokoro-gongitsune",
    "flite-rms",
    "kokoro-kumo",
    "kokoro-kumo-high",
    "flite-awb",
    "flite-rms-high",
)
"""The same for contrast sets."""

CONTRAST_STYLES: Final[Mapping[str, Prosody]] = MappingProxyType(
    {
        "neutral": Prosody(),
        "excited": Prosody(rate=1.15, pitch_st=4.0, range_scale=1.4, level_db=3.0),
        "sad": Prosody(rate=0.82, pitch_st=-3.0, range_scale=0.6, level_db=-5.0),
        "firm": Prosody(rate=0.9, pitch_st=1.5, range_scale=0.8, level_db=6.0),
    }
)
"""Four ways to say the same words. Rate, pitch and level each tell all four apart, and no two of
them go together throughout: who is firm speaks slowly, a little higher, and the loudest."""

REPLY_STYLES: Final[Mapping[str, Style]] = MappingProxyType(
    {
        "neutral": Style(rate=1.0, pitch=0.0, loudness=0.0),
        "excited": Style(rate=1.06, pitch=1.5, loudness=2.0),
        "sad": Style(rate=0.92, pitch=-1.0, loudness=-2.0),
        "firm": Style(rate=0.97, pitch=0.0, loudness=0.0),
    }
)
"""How an attentive listener would answer: half way with who is excited or sad, calmly to who is
firm."""


seed_of = functools.partial(planned.seed_of, SEED)


def plan() -> tuple[Planned, ...]:
    """Return the whole corpus as planned: conversations, contrast sets, and nobody speaking."""
    spoken: dict[str, Planned] = {}
    # Each kind is numbered by itself, so that a longer list of one changes no voice of another.
    for dialogues in (_single_turns(), _multi_turns(), _outside(), _held_out()):
        for number, dialogue in enumerate(dialogues):
            spoken.setdefault(dialogue.id_hint, _conversation(dialogue, number))
    quiets = tuple(
        Planned(f"assistant-quiet-{kind}", ("stay_silent", kind), number, quiet=kind)
        for number, kind in enumerate(QUIETS)
    )
    return (*spoken.values(), *quiets, *_contrast_sets())


def _single_turns() -> list[Dialogue]:
    """One request of each intent, as far as the number goes; small talk is left out."""
    names = [name for name in INTENTS if name not in SMALL_TALK]
    order = random.Random(seed_of("intents"))
    order.shuffle(names)
    return [
        sample_dialogue(random.Random(seed_of("single", name)), "test", 1, [name])
        for name in names[:SINGLE_TURN]
    ]


def _multi_turns() -> list[Dialogue]:
    """Two to five turns, as many of each; most with a correction or an anaphora."""
    found: list[Dialogue] = []
    for number in range(MULTI_TURN):
        rng = random.Random(seed_of("multi", number))
        dialogue = sample_dialogue(rng, "test", 2 + number % 4)
        # Two in three must look back, which is what several turns are for.
        while number % 3 and not {"correction", "anaphora"} & set(dialogue.tags):
            dialogue = sample_dialogue(rng, "test", 2 + number % 4)
        found.append(dialogue)
    return found


def _outside() -> list[Dialogue]:
    rng = random.Random(seed_of("outside"))
    found: dict[str, Dialogue] = {}
    while len(found) < OUTSIDE:
        dialogue = sample_dialogue(rng, "test", 1)
        if "out_of_domain" in dialogue.tags:
            found[dialogue.id_hint] = dialogue
    return list(found.values())


def _held_out() -> list[Dialogue]:
    """Single requests with a value that training leaves out for their intent."""
    found: dict[str, Dialogue] = {}
    rng = random.Random(seed_of("held out"))
    while len(found) < HELD_OUT:
        dialogue = sample_dialogue(rng, "heldout_value", 1)
        found[dialogue.id_hint] = dialogue
    return list(found.values())


def _conversation(dialogue: Dialogue, number: int) -> Planned:
    rng = random.Random(seed_of("style", dialogue.id_hint))
    turns = tuple(
        said(line, Plain(_everyday(rng)), round(rng.uniform(0.6, 1.2), 2))
        for line in dialogue.turns
    )
    identifier = "assistant-" + dialogue.id_hint.removeprefix("test-")
    return Planned(identifier, dialogue.tags, number, turns)


def said(line: Line, sound: Plain, gap_s: float, label: str | None = None) -> PlannedTurn:
    """Plan a turn of the domain.

    Args:
        line: what is said, and what must be answered.
        sound: how it is said.
        gap_s: silence after the reply before it.
        label: name of the style in a contrast set.
    """
    return PlannedTurn(
        line.text,
        sound,
        line.expect_slots,
        Expect(
            slots=line.expect_slots or expected_act(line),
            reply_text=line.reply,
            reply_style=None if label is None else REPLY_STYLES[label],
        ),
        AfterReply(gap_s=gap_s),
        Style(label=label),
    )


def _everyday(rng: random.Random) -> Prosody:
    """Draw a style that nobody would remark on."""
    return Prosody(
        rate=round(rng.uniform(0.85, 1.15), 2),
        pitch_st=round(rng.uniform(-3.0, 3.0), 1),
        range_scale=round(rng.uniform(0.8, 1.25), 2),
        level_db=round(rng.uniform(-4.0, 4.0), 1),
    )


def _contrast_sets() -> tuple[Planned, ...]:
    """Draw neutral requests and plan each in every style."""
    sets: list[Planned] = []
    for number, line in enumerate(contrast_lines(CONTRAST_SETS)):
        group = f"contrast-{number:02d}"
        sets += [
            Planned(
                f"{group}-{label}",
                ("contrast", "single_turn"),
                number,
                (said(line, Plain(prosody, is_fixed=True), 1.0, label),),
                group,
            )
            for label, prosody in CONTRAST_STYLES.items()
        ]
    return tuple(sets)


def contrast_lines(count: int) -> list[Line]:
    """Draw requests of six to nine words that are about no feeling, each of another intent."""
    rng = random.Random(seed_of("contrast"))
    felt = {*SMALL_TALK, "feel_good", "feel_bad", "introduce"}
    names = [name for name in INTENTS if name not in felt]
    rng.shuffle(names)
    lines: list[Line] = []
    for name in names:
        for _ in range(50):
            line = sample_dialogue(rng, "test", 1, [name]).turns[0]
            if 6 <= len(line.text.split()) <= 9 and "," not in line.text:
                lines.append(line)
                break
        if len(lines) == count:
            return lines
    raise ValueError(f"only {len(lines)} of {count} contrast texts were found")
