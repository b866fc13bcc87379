"""What is said to a system, and what a good answer is: the lines of a manifest.

A corpus is a folder with ``corpus.toml``, ``conversations.jsonl`` (one `Conversation` a line) and
the audio. These models are the file boundary: frozen, unknown fields refused, so that an error can
name file, line and field. Times in a turn are seconds inside its clip.
"""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Seconds = Annotated[float, Field(ge=0.0, le=36_000.0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Span = tuple[Seconds, Seconds]


class Line(BaseModel):
    """Base of everything that is read from a manifest: immutable, no unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, use_attribute_docstrings=True
    )


class AudioRef(Line):
    """A clip on disk, relative to the corpus folder and never outside it."""

    path: str
    """From the corpus folder, with ``/`` between folders."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Hash of the file's bytes."""
    start_s: Seconds = 0.0
    """Where the clip begins in the file."""
    end_s: Seconds | None = None
    """Where it ends in the file; by default with the file."""
    channel: Annotated[int, Field(ge=0, le=63)] | None = None
    """Which channel of a file with several, from 0."""

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path or not path:
            raise ValueError("must be a relative path inside the corpus folder")
        return path


class Style(Line):
    """How a turn is spoken.

    Numbers are relative to the speaker's neutral: ratios for rate and range, semitones, dB.
    """

    emotion: str | None = None
    """What the speaker seems to feel, as in ``angry``; of a reply, what it should sound like."""
    rate: Finite | None = None
    """Speaking rate: 1.2 is a fifth faster than the speaker's neutral."""
    pitch: Finite | None = None
    """Median pitch over the speaker's neutral, in semitones."""
    pitch_range: Finite | None = None
    """Range of the pitch, as a ratio."""
    loudness: Finite | None = None
    """Active speech level over the speaker's neutral, in dB."""
    emphasis: tuple[int, ...] = ()
    """Indices of the stressed words in `UserTurn.text` split at spaces."""
    hesitations: tuple[Span, ...] = ()
    """Start and end of fillers and drawn-out sounds, inside the clip."""
    sentence_type: Literal["statement", "question", "command", "exclamation"] | None = None
    """What the intonation makes of the sentence, whatever its words."""
    sarcasm: bool | None = None
    """Whether the opposite of the words is meant."""
    label: str | None = None
    """The style's name inside a contrast set."""


class AfterReply(Line):
    """Speak ``gap_s`` after the system's reply has ended; in the first turn, after the start."""

    kind: Literal["after_reply"] = "after_reply"
    """Always this."""
    gap_s: Seconds = 1.0
    """From the reply's end to the start of the clip."""


class At(Line):
    """Speak at ``t_s`` on the conversation's clock, whatever the system does."""

    kind: Literal["at"] = "at"
    """Always this."""
    t_s: Seconds
    """When the clip starts."""


class BargeIn(Line):
    """Interrupt the reply to the turn before, ``after_onset_s`` after its first audible sample."""

    kind: Literal["barge_in"] = "barge_in"
    """Always this."""
    after_onset_s: Seconds
    """From the reply's first audible sample to the start of the clip."""


class Backchannel(Line):
    """Say "mm-hmm" ``after_onset_s`` into the reply, without claiming the floor."""

    kind: Literal["backchannel"] = "backchannel"
    """Always this."""
    after_onset_s: Seconds
    """From the reply's first audible sample to the start of the clip."""


class Aside(Line):
    """Speak to somebody else, after the reply or into it: the system is not meant."""

    kind: Literal["aside"] = "aside"
    """Always this."""
    gap_s: Seconds = 1.0
    """From the reply's end to the start of the clip."""
    after_onset_s: Seconds | None = None
    """Into the reply, without claiming the floor: from the reply's first audible sample to the
    start of the clip. ``gap_s`` is of no account then."""


When = Annotated[AfterReply | At | BargeIn | Backchannel | Aside, Field(discriminator="kind")]


class Pause(Line):
    """A silence inside a turn, part of the clip: a patient listener waits."""

    at_s: Seconds
    """When it begins, inside the clip."""
    duration_s: Seconds
    """How long it lasts."""


class ExpectedToolCall(Line):
    """A tool that must be called, with these arguments."""

    name: str
    """Of the tool."""
    arguments: dict[str, str | float | bool] = Field(default_factory=dict)
    """Name to value."""


class Expect(Line):
    """What a good answer to a turn must hold; everything that is declared must be fulfilled."""

    slots: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Name to accepted values: one of them must be heard, as whole words, numbers normalised."""
    contains: tuple[str, ...] = ()
    """Words that must all be heard."""
    excludes: tuple[str, ...] = ()
    """Words of which none may be heard."""
    answer: tuple[str, ...] = ()
    """Accepted answers to a question: one of them must be heard."""
    reply_text: str | None = None
    """A good reply in full: what oracles say. Nobody is judged by its wording."""
    reply_style: Style | None = None
    """How a good reply sounds, relative to the system's own neutral."""
    tool_calls: tuple[ExpectedToolCall, ...] = ()
    """Tools that must be called."""
    stay_silent: bool = False
    """The turn wants no answer at all."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.stay_silent and (self.slots or self.contains or self.answer or self.reply_text):
            raise ValueError("stay_silent excludes slots, contains, answer and reply_text")
        if any(not values for values in self.slots.values()):
            raise ValueError("each slot needs at least one accepted value")
        return self

    @property
    def judged(self) -> bool:
        """Whether there is anything that task success can be judged by."""
        return (
            bool(self.slots or self.contains or self.excludes or self.answer or self.tool_calls)
            or self.stay_silent
        )


class UserTurn(Line):
    """One holding of the floor by the user: a clip, how and when it is said, what should follow."""

    text: str
    """What is said, in words; empty only where nobody speaks."""
    audio: AudioRef
    """The clip."""
    speech_s: Span
    """True start and end of speech inside the clip (after `AudioRef.start_s`)."""
    style: Style = Style()
    """How it is said."""
    when: When = AfterReply()
    """When the user starts the clip."""
    pauses: tuple[Pause, ...] = ()
    """Silences inside the speech at which nobody should answer."""
    backchannels_s: tuple[Seconds, ...] = ()
    """When human listeners acknowledged this turn, inside the clip; of all of them together."""
    expect: Expect = Expect()
    """What a good answer is."""
    speaker: str | None = None
    """Whose voice it is: a name under ``voices`` in ``corpus.toml``."""

    @property
    def is_under_reply(self) -> bool:
        """Whether the turn is said into a reply, which may go on: it claims no floor."""
        when = self.when
        return isinstance(when, Backchannel) or (
            isinstance(when, Aside) and when.after_onset_s is not None
        )

    @model_validator(mode="after")
    def _boundaries(self) -> Self:
        start_s, end_s = self.speech_s
        if not start_s < end_s:
            raise ValueError("speech_s must end after it starts")
        if not self.text.strip() and not self.expect.stay_silent:
            raise ValueError("text is empty: only a turn that expects silence may say nothing")
        if any(pause.at_s + pause.duration_s > end_s for pause in self.pauses):
            raise ValueError("a pause ends after the speech")
        if any(not start_s <= t_s < end_s for t_s in self.backchannels_s):
            raise ValueError("a backchannel lies outside of the speech")
        return self


class Conversation(Line):
    """A whole dialogue, as the manifest tells it."""

    id: Identifier
    """Unique in the corpus."""
    language: str = "en"
    """BCP 47."""
    tags: tuple[str, ...] = ()
    """By which a sweep chooses, and by which results are grouped."""
    licence: str
    """SPDX identifier or plain words, of text and sound."""
    source: str
    """Where it comes from."""
    split: Literal["train", "dev", "test"] = "test"
    """What it may be used for; no voice and no wording should be in two of them."""
    group: Identifier | None = None
    """Contrast set: conversations of one group differ in style alone."""
    instructions: str | None = None
    """What the system is told before it starts (a system prompt), if anything."""
    turns: Annotated[tuple[UserTurn, ...], Field(min_length=1, max_length=10_000)]
    """What the user says, in order."""

    @model_validator(mode="after")
    def _sane(self) -> Self:
        first = self.turns[0]
        if isinstance(first.when, BargeIn) or first.is_under_reply:
            raise ValueError("turns.0.when: nothing to interrupt before the first reply")
        if any(not math.isfinite(end) for _, end in (turn.speech_s for turn in self.turns)):
            raise ValueError("speech_s must be finite")
        return self
