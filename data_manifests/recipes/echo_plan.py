"""The plan of the corpus `echo`: sentences to be said again just as they were said.

Contrast sets: the same words in the same voice, in every style of `STYLES`. Most styles move one
thing alone, so that it can be told which of them a system repeats; two move several together, as
feelings do; one pauses.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cascadence.audio import Audio, concatenate, silence
from cascadence.conversation import AfterReply, Expect, Style
from cascadence.data_manifests.recipes import planned
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, trimmed
from cascadence.data_manifests.recipes.planned import Fluent, Planned, PlannedTurn, Sound
from cascadence.data_manifests.recipes.voices import Prosody, Voice, speech

SEED: Final = "echo-1"
"""Part of every seed: a change of it changes everything that is drawn."""
INSTRUCTIONS: Final = (
    "Repeat what the user says, word for word and in the same way: as fast or slow, as high or "
    "low, as lively or flat, as loud or soft, and with the same pauses."
)
PAUSE_S: Final = 0.38
"""More than twice what counts as a pause, and short of the 0.5 s that endpointers take for the end:
at 0.5 s a parrot answers each half by itself."""
LONGEST_PAUSE_S: Final = 0.47
"""What a planted pause may measure: voices fade into it and out of it."""
GAP_S: Final = 0.3
"""The longest silence inside that is not planted."""

CAST: Final = (
    "flite-rms",
    "kokoro-gongitsune",
    "joe-tenor",
    "flite-awb",
    "joe-alto",
    "kokoro-kumo",
)
"""Test voices; who is not understood is followed by the next."""

SENTENCES: Final = (
    ("flite-rms", "My uncle waters the garden", "every morning before breakfast."),
    ("kokoro-gongitsune", "They are building a wooden bridge", "near the mill."),
    ("joe-tenor", "The men are carrying the boxes", "behind the old stone wall."),
    ("joe-alto", "All the lemons you gave me", "are lying in the blue bowl."),
    ("kokoro-gongitsune", "We are driving home", "along the river."),
    ("kokoro-kumo", "My sister bought", "a new yellow umbrella."),
    ("flite-rms", "The narrow road to the village", "runs along the edge of the woods."),
    ("joe-tenor", "Our train arrives at seven", "and the meeting begins at noon."),
    ("flite-awb", "Put the flowers on the table", "and bring me another pillow."),
    ("joe-alto", "In the winter the old windmill", "is usually buried in snow."),
    ("flite-awb", "The old clock in the kitchen", "is always ten minutes late."),
    ("kokoro-kumo", "My brother", "bought a little wooden boat."),
)
"""Who says it, and two parts between which a speaker may pause; about no feeling. Each voice says
two, so that a reply can be compared with other words of the same speaker."""


@dataclass(frozen=True, slots=True)
class Halting:
    """Two parts of a text, said one by one with a pause of the user's between them.

    Attributes:
        words: how many come before the pause.
        pause_s: its length, seconds.
        prosody: the style of both parts.
    """

    words: int
    pause_s: float = PAUSE_S
    prosody: Prosody = field(default_factory=Prosody)

    @property
    def pauses(self) -> int:
        """The one."""
        return 1

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the parts; the comma makes the voice go on instead of coming to an end."""
        said = text.split()
        parts = (" ".join(said[: self.words]) + ",", " ".join(said[self.words :]))
        first, second = (trimmed(speech(voice, part, self.prosody)) for part in parts)
        return concatenate((first, silence(self.pause_s, CLIP_RATE_HZ), second), CLIP_RATE_HZ)

    def unstyled(self) -> Halting:
        """Return the same pause in the voice's neutral."""
        return dataclasses.replace(self, prosody=Prosody())

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """Object to a pause that could be the end, and to a second one that is nearly as long."""
        *others, planted_s = sorted(gaps_s)
        faults = [f"pauses for {planted_s:.2f} s"] if planted_s > LONGEST_PAUSE_S else []
        second_s = max(others, default=0.0)
        return faults + ([f"pauses for {second_s:.2f} s too"] if second_s > GAP_S else [])

    def calmer(self) -> None:
        """Never: a contrast set must not change."""
        return None


HALTING: Final = "halting"
STYLES: Final[Mapping[str, Prosody]] = MappingProxyType(
    {
        "neutral": Prosody(),
        "fast": Prosody(rate=1.28),
        "high": Prosody(pitch_st=4.0),
        "flat": Prosody(range_scale=0.35),
        "soft": Prosody(level_db=-6.0),
        "excited": Prosody(rate=1.14, pitch_st=3.0, range_scale=1.6, level_db=3.0),
        "sad": Prosody(rate=0.8, pitch_st=-3.0, range_scale=0.6, level_db=-5.0),
        HALTING: Prosody(),
    }
)
"""How each sentence is said."""
AXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "neutral": "neutral",
        "fast": "rate",
        "high": "pitch",
        "flat": "range",
        "soft": "loudness",
        "excited": "emotion_like",
        "sad": "emotion_like",
        HALTING: "pause",
    }
)
"""What a style moves; every conversation is tagged with it."""

seed_of = functools.partial(planned.seed_of, SEED)


def plan() -> tuple[Planned, ...]:
    """Return the whole corpus as planned: every sentence in every style."""
    return tuple(
        _planned(number, sentence, label)
        for number, sentence in enumerate(SENTENCES)
        for label in STYLES
    )


def _planned(number: int, sentence: tuple[str, str, str], label: str) -> Planned:
    speaker, first, second = sentence
    text, prosody = f"{first} {second}", STYLES[label]
    sound: Sound = Fluent(prosody, is_fixed=True, longest_gap_s=GAP_S)
    if label == HALTING:
        sound = Halting(len(first.split()))
    group = f"echo-{number:02d}"
    turn = PlannedTurn(
        text,
        sound,
        expect=Expect(reply_text=text, reply_style=_as_said(prosody)),
        when=AfterReply(gap_s=0.8),
        style=Style(label=label, sentence_type="statement"),
    )
    tags = ("echo", "contrast", "single_turn", AXES[label])
    draw = CAST.index(speaker)
    return Planned(f"{group}-{label}", tags, draw, (turn,), group, instructions=INSTRUCTIONS)


def _as_said(prosody: Prosody) -> Style:
    """What a faithful reply does relative to the system's own neutral."""
    return Style(
        rate=prosody.rate,
        pitch=prosody.pitch_st,
        pitch_range=prosody.range_scale,
        loudness=prosody.level_db,
    )
