"""What a recipe plans before any sound is made: who says what, how, when, what should follow."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cascadence.audio import Audio
from cascadence.conversation import AfterReply, Expect, Style, When
from cascadence.data_manifests.recipes.quiet_sounds import Quiet
from cascadence.data_manifests.recipes.voices import Prosody, Voice, speech


class Sound(Protocol):
    """How a text becomes bare speech: frozen, and its ``repr`` tells everything it depends on."""

    @property
    def prosody(self) -> Prosody:
        """What the whole clip is checked against; its level is set by whoever places the clip."""
        ...

    @property
    def pauses(self) -> int:
        """How many pauses of the user's the clip holds, to be annotated."""
        ...

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the text, 16 kHz mono, without the quiet around it."""
        ...

    def unstyled(self) -> Sound:
        """What the dose is measured against: the same with a neutral prosody."""
        ...

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """What is wrong with the silences that the finished clip has inside, by their lengths."""
        ...

    def calmer(self) -> Sound | None:
        """The same, closer to neutral, to be tried if this is not understood; ``None``: never."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """One style from beginning to end.

    Attributes:
        prosody: the style.
        is_fixed: whether it may not be made calmer, as in a contrast set.
    """

    prosody: Prosody = field(default_factory=Prosody)
    is_fixed: bool = False

    @property
    def pauses(self) -> int:
        """None."""
        return 0

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the text in the style."""
        return speech(voice, text, self.prosody)

    def unstyled(self) -> Plain:
        """Return the voice's neutral."""
        return Plain(is_fixed=self.is_fixed)

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """None: voices pause as they do."""
        return []

    def calmer(self) -> Plain | None:
        """Halve what is unusual about the style."""
        if self.is_fixed:
            return None
        style = self.prosody
        halved = Prosody(
            rate=round(min(1.0, 0.5 + 0.5 * style.rate), 3),
            pitch_st=round(style.pitch_st / 3.0, 1),
            range_scale=round(0.5 + 0.5 * style.range_scale, 3),
            level_db=round(style.level_db / 2.0, 1),
        )
        return dataclasses.replace(self, prosody=halved)


@dataclass(frozen=True, slots=True)
class Fluent(Plain):
    """A style without a silence that could be taken for the end, or for a planted pause.

    Attributes:
        longest_gap_s: the longest silence inside that may be shipped.
    """

    longest_gap_s: float = 0.45

    def unstyled(self) -> Fluent:
        """Return the voice's neutral."""
        return dataclasses.replace(self, prosody=Prosody())

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """Object to a silence that is too long: another voice may say it in one go."""
        longest_s = max(gaps_s, default=0.0)
        return [f"pauses for {longest_s:.2f} s"] if longest_s > self.longest_gap_s else []


@dataclass(frozen=True, slots=True)
class PlannedTurn:
    """A user turn to be rendered.

    Attributes:
        text: what is said.
        sound: how it is said.
        values: accepted spoken forms of the values that the judge must hear, by name.
        expect: what a good answer holds.
        when: when it is said.
        style: what the manifest says about the style beyond the sound's prosody, such as its label.
        voice: who says it; by default whoever speaks the conversation.
    """

    text: str
    sound: Sound = Plain()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expect: Expect = field(default_factory=Expect)
    when: When = field(default_factory=AfterReply)
    style: Style = field(default_factory=Style)
    voice: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A conversation to be rendered.

    Attributes:
        id: unique in the corpus.
        tags: what happens in it.
        draw: position in the plan; decides the voice, the same within a contrast set.
        turns: empty where nobody speaks.
        group: its contrast set.
        quiet: what is heard where nobody speaks.
        instructions: what the system is told before.
    """

    id: str
    tags: tuple[str, ...]
    draw: int
    turns: tuple[PlannedTurn, ...] = ()
    group: str | None = None
    quiet: Quiet | None = None
    instructions: str | None = None


def seed_of(recipe: str, *parts: object) -> int:
    """Return a seed, the same on every machine, for a recipe and what it is about."""
    key = "|".join(str(part) for part in (recipe, *parts))
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
