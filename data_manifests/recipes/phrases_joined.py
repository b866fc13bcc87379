"""Speech that is joined of pieces: phrases with pauses, two speakers, and a hum of assent.

Each piece is said by itself, brought to its level and cut to what is audible at that level before
the pieces are joined. So the silence between two of them is as long as it was planned, to the 10 ms
of `cascadence.audio.audible_runs`, and its place is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, audible_runs, concatenate, silence
from cascadence.data_manifests.recipes.clips import (
    CLIP_RATE_HZ,
    NEUTRAL_LEVEL_DBFS,
    active_level_dbfs,
    trimmed,
)
from cascadence.data_manifests.recipes.edits import analysed, spoken
from cascadence.data_manifests.recipes.resynthesis import FRAME_S, Analysis
from cascadence.data_manifests.recipes.voices import Prosody, Voice, speech, voice
from cascadence.errors import CascadenceError

PAUSE_TOLERANCE_S: Final = 0.06
"""How much longer or shorter than planned a pause may be heard."""
OTHER_GAP_S: Final = 0.25
"""The longest silence inside that is not planned: shorter than any that is."""
ANSWER_AFTER_S: Final = 0.3
ANSWER_DB: Final = -4.0
"""When somebody else answers, and how much further away they are."""

HUM_S: Final = 0.18
BREATH_S: Final = 0.07
SECOND_HUM_S: Final = 0.30
BREATH_DB: Final = -18.0
HUM_ST: Final = (0.0, -1.5)
SECOND_HUM_ST: Final = (-1.0, 3.0)
"""Of "mm-hmm": how long its parts are, how soft the breath between them is, and where the pitch of
both hums begins and ends, relative to the voice's: the second one rises."""
_NASAL: Final = (0.6, 0.9)
"""Which part of the voiced frames of "um" is its m."""
_FADE_S: Final = 0.003
_SWELL_S: Final = 0.04

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Joined:
    """A text said phrase by phrase, with a pause of the user's after each but the last.

    Attributes:
        cuts: how many words of the text come before each pause, rising.
        pauses_s: length of each pause, seconds.
        prosody: the style of all phrases.
    """

    cuts: tuple[int, ...]
    pauses_s: tuple[float, ...]
    prosody: Prosody = field(default_factory=Prosody)

    @property
    def pauses(self) -> int:
        """Return how many there are."""
        return len(self.pauses_s)

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the phrases; a comma makes the voice go on instead of coming to an end."""
        words = text.split()
        edges = [0, *self.cuts, len(words)]
        phrases = [" ".join(words[a:b]) for a, b in pairwise(edges)]
        said = [f"{phrase.rstrip(',')}," for phrase in phrases[:-1]] + phrases[-1:]
        pieces: list[Audio] = []
        for phrase, pause_s in zip(said, (*self.pauses_s, 0.0), strict=True):
            level_db = self.prosody.level_db
            pieces += [_audible(speech(voice, phrase, self.prosody), level_db)]
            pieces += [silence(pause_s, CLIP_RATE_HZ)]
        return concatenate(pieces, CLIP_RATE_HZ)

    def unstyled(self) -> Joined:
        """Return the same pauses in the voice's neutral."""
        return dataclasses.replace(self, prosody=Prosody())

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """Object to pauses that are heard otherwise than planned, and to one more."""
        longest = sorted(gaps_s, reverse=True)
        planned = sorted(self.pauses_s, reverse=True)
        if len(longest) < len(planned):
            return ["a planned pause is not heard"]
        off = [
            f"a pause of {planned_s:g} s is heard as {heard_s:.2f} s"
            for heard_s, planned_s in zip(longest, planned, strict=False)
            if abs(heard_s - planned_s) > PAUSE_TOLERANCE_S
        ]
        more_s = longest[len(planned)] if len(longest) > len(planned) else 0.0
        return off + ([f"pauses for {more_s:.2f} s more"] if more_s > OTHER_GAP_S else [])

    def calmer(self) -> None:
        """Never: another voice may say it."""
        return


@dataclass(frozen=True, slots=True)
class Answered:
    """The user says something to somebody in the room, who answers from further away.

    Attributes:
        words: how many words of the text are the user's.
        other: name of the voice that answers.
        prosody: the style of both; the level is the user's.
    """

    words: int
    other: str
    prosody: Prosody = field(default_factory=Prosody)

    @property
    def pauses(self) -> int:
        """None of the user's."""
        return 0

    def render(self, speaker: Voice, text: str) -> Audio:
        """Let both speak, `ANSWER_AFTER_S` apart."""
        said = text.split()
        level_db = self.prosody.level_db
        first = speech(speaker, " ".join(said[: self.words]), self.prosody)
        second = speech(voice(self.other), " ".join(said[self.words :]), self.prosody)
        gap = silence(ANSWER_AFTER_S, CLIP_RATE_HZ)
        pieces = (_audible(first, level_db), gap, _audible(second, level_db + ANSWER_DB))
        return concatenate(pieces, CLIP_RATE_HZ)

    def unstyled(self) -> Answered:
        """Return the same in both voices' neutral."""
        return dataclasses.replace(self, prosody=Prosody())

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """None: nobody waits for their end."""
        return []

    def calmer(self) -> None:
        """Never: another voice may say it."""
        return


@dataclass(frozen=True, slots=True)
class Hum:
    """A hum of assent, "mm-hmm", which no synthesiser says: made of the m of the voice's "um".

    Attributes:
        prosody: its level; the rest is neutral.
    """

    prosody: Prosody = field(default_factory=Prosody)

    @property
    def pauses(self) -> int:
        """None."""
        return 0

    def render(self, voice: Voice, text: str) -> Audio:
        """Hum twice, a breath between, the second time with rising pitch.

        Raises:
            CascadenceError: the text is another.
        """
        if text.lower().strip(".") != "mm-hmm":
            raise CascadenceError(f"only 'mm-hmm' can be hummed, not {text!r}")
        return spoken(voice, hummed(analysed(voice, "Um.")))

    def unstyled(self) -> Hum:
        """Return the hum at the voice's neutral level."""
        return Hum()

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """None."""
        return []

    def calmer(self) -> None:
        """Never: there is nothing unusual about it."""
        return


def hummed(um: Analysis) -> Analysis:
    """Make "mm-hmm" of an analysed "um".

    Args:
        um: neutral speech.

    Raises:
        CascadenceError: too little of it is voiced.
    """
    voiced = np.flatnonzero(um.f0_hz > 0.0)
    nasal = voiced[int(_NASAL[0] * len(voiced)) : int(_NASAL[1] * len(voiced))]
    if len(nasal) < 3:
        raise CascadenceError("there is no m in this 'um'")
    first, breath, second = (round(s / FRAME_S) for s in (HUM_S, BREATH_S, SECOND_HUM_S))
    melody_st = np.concatenate((np.linspace(*HUM_ST, first), np.linspace(*SECOND_HUM_ST, second)))
    f0_hz = float(np.median(um.f0_hz[voiced])) * 2.0 ** (melody_st / 12.0)
    gain = np.concatenate(
        (_swell(first), np.full(breath, 10.0 ** (BREATH_DB / 10.0)), _swell(second))
    )
    envelope = np.exp(np.mean(np.log(np.maximum(um.envelope[nasal], 1e-16)), axis=0))
    aperiodicity = np.tile(np.mean(um.aperiodicity[nasal], axis=0), (len(gain), 1))
    aperiodicity[first : first + breath] = 1.0
    return dataclasses.replace(
        um,
        f0_hz=np.insert(f0_hz, first, np.zeros(breath)),
        envelope=np.ascontiguousarray(gain[:, None] * envelope[None, :]),
        aperiodicity=np.ascontiguousarray(aperiodicity),
    )


def _swell(frames: int) -> Floats:
    """Power of a hum over time: it comes and goes within `_SWELL_S`."""
    edge = round(_SWELL_S / FRAME_S)
    power = np.ones(frames)
    slope = np.sin(np.linspace(0.1, np.pi / 2.0, edge)) ** 2
    power[:edge] *= slope
    power[-edge:] *= slope[::-1]
    return power


def _audible(said: Audio, level_db: float) -> Audio:
    """Bring a piece to its level, and keep of it what is audible there."""
    bare = trimmed(said)
    gain_db = NEUTRAL_LEVEL_DBFS + level_db - active_level_dbfs(bare)
    scaled = Audio(bare.samples * np.float32(10.0 ** (gain_db / 20.0)), bare.sample_rate)
    runs = audible_runs(scaled)
    if not runs:
        raise CascadenceError(f"nothing is audible at {NEUTRAL_LEVEL_DBFS + level_db:.1f} dBFS")
    piece = scaled.span(runs[0][0], runs[-1][1])
    ramp = min(len(piece) // 2, round(_FADE_S * piece.sample_rate))
    slope = np.linspace(0.0, 1.0, ramp, dtype=np.float32)
    samples = piece.samples.copy()
    samples[:ramp] *= slope
    samples[len(samples) - ramp :] *= slope[::-1]
    return Audio(samples, piece.sample_rate)
