"""Edits of prosody at chosen places: a stressed word, a final rise or fall, hesitations.

Each is a `cascadence.data_manifests.recipes.planned.Sound`. Speech is taken apart by WORLD (see
`resynthesis`), its frames are moved in time, pitch and level where the edit wants it, and it is put
together again at the voice's own median pitch; words are found by `word_times`.

Where the magnitudes come from:

- **Stress** (narrow focus). The focused word is higher, longer and louder, what follows is lower
  and flatter, what precedes stays almost as it is: Cooper, Eady and Mueller 1985
  (doi:10.1121/1.392372), Eady and Cooper 1986 (doi:10.1121/1.394091), Xu and Xu 2005
  (doi:10.1016/j.wocn.2004.11.001), Breen et al. 2010 (doi:10.1080/01690965.2010.504378); level:
  Heldner 2003 (doi:10.1016/S0095-4470(02)00071-2). A peak 1.5 st higher is heard as more prominent
  (Rietveld and Gussenhoven 1985); ours is three times that.
- **Final rise and fall**: a question without question words ends high, a statement low
  (Hadding-Koch and Studdert-Kennedy 1964; Pierrehumbert and Hirschberg 1990).
- **Hesitation**: a filled pause is a long, low and flat vowel (Shriberg 1994; Clark and Fox Tree
  2002, doi:10.1016/S0010-0277(02)00017-3), before content words, with silence around it; what
  precedes it is drawn out.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, concatenate, silence
from cascadence.data_manifests.recipes import resynthesis
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, active_level_dbfs, trimmed
from cascadence.data_manifests.recipes.planned import Plain, Sound
from cascadence.data_manifests.recipes.resynthesis import FRAME_S, Analysis, Change
from cascadence.data_manifests.recipes.synthesisers import Control, synthesise
from cascadence.data_manifests.recipes.voices import Prosody, Voice
from cascadence.data_manifests.recipes.word_times import Spans, word_spans

Floats = npt.NDArray[np.float64]

PEAK_ST: Final = 4.5
LONGER: Final = 1.3
LOUDER_DB: Final = 3.0
"""What a stressed word gains: pitch in its middle (over the utterance's median, if the word lies
lower), duration, level."""
AFTER_ST: Final = -1.5
AFTER_RANGE: Final = 0.5
AFTER_DB: Final = -2.0
BEFORE_RANGE: Final = 0.8
"""What becomes of the words after and before it."""
SHORTEST: Final = 0.8
"""No other word is compressed further to make room for it."""

ENDING_S: Final = 0.3
APPROACH_S: Final = 0.12
RISE_ST: Final = (-1.5, 6.0)
FALL_ST: Final = (1.5, -6.0)
"""Pitch where the ending begins and where it ends, relative to the utterance's median."""

FILLER_S: Final = 0.4
FILLER_ST: Final = -2.0
FILLER_RANGE: Final = 0.3
FILLER_DB: Final = -2.0
"""Duration of a filled pause; its pitch and level relative to the words around it."""
DRAWN_OUT: Final = 1.3
DRAWN_S: Final = 0.1
"""How much longer the last of the words before a hesitation becomes, and how much of them."""
GAP_TOLERANCE_S: Final = 0.15
"""How much longer or shorter a planted silence may be heard: plosives begin with one."""
_FADE_S: Final = 0.012
_SMOOTH_S: Final = 0.040


@dataclass(frozen=True, slots=True)
class _Edited:
    """What all edits share: neutral as a whole, never made calmer, measured against `Plain`."""

    @property
    def prosody(self) -> Prosody:
        """Neutral: only places are changed."""
        return Prosody()

    @property
    def pauses(self) -> int:
        """None."""
        return 0

    def unstyled(self) -> Sound:
        """Return the same words without the edit."""
        return Plain(is_fixed=True)

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """None: the edits are measured by themselves."""
        return []

    def calmer(self) -> None:
        """Never: half an edit would be another task."""
        return


@dataclass(frozen=True, slots=True)
class Stressed(_Edited):
    """One word stressed, the others held back.

    Attributes:
        word: its index in the text split at spaces.
    """

    word: int = 0

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the text with the word stressed."""
        parts = analysed(voice, text)
        return spoken(voice, stressed(parts, word_spans(parts.speech, text), self.word))


@dataclass(frozen=True, slots=True)
class Ending(_Edited):
    """The melody rises at the end, or falls.

    Attributes:
        rises: whether it is a question's.
    """

    rises: bool = False

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the text with that ending."""
        return spoken(voice, ended(analysed(voice, text), *(RISE_ST if self.rises else FALL_ST)))


@dataclass(frozen=True, slots=True)
class Stumble:
    """One hesitation.

    Attributes:
        word: index of the word before which it happens, at least 1.
        silence_s: silence; before the filler, where there is one.
        filler: what is uttered ("um"); ``None``: nothing.
        after_s: silence after the filler.
    """

    word: int
    silence_s: float
    filler: str | None = None
    after_s: float = 0.0

    @property
    def pauses(self) -> int:
        """How many silences it has."""
        return 1 if self.filler is None else 2


@dataclass(frozen=True, slots=True)
class Hesitating(_Edited):
    """The words as they are, with hesitations before some of them.

    Attributes:
        stumbles: in the order of their words.
    """

    stumbles: tuple[Stumble, ...] = ()

    @property
    def pauses(self) -> int:
        """Return the number of silences."""
        return sum(stumble.pauses for stumble in self.stumbles)

    def objections(self, gaps_s: Sequence[float]) -> list[str]:
        """Object to silences other than the planted ones among the longest."""
        planted = [stumble.silence_s for stumble in self.stumbles]
        planted += [stumble.after_s for stumble in self.stumbles if stumble.filler is not None]
        longest = sorted(gaps_s, reverse=True)
        pairs = zip(longest, sorted(planted, reverse=True), strict=False)
        if any(abs(gap_s - meant_s) > GAP_TOLERANCE_S for gap_s, meant_s in pairs):
            return ["pauses otherwise than planted"]
        more_s = longest[len(planted)] if len(longest) > len(planted) else 0.0
        return [f"pauses for {more_s:.2f} s more"] if more_s >= min(planted) else []

    def unstyled(self) -> Sound:
        """Return itself: a longer clip is no slower speech, so that there is no dose of rate."""
        return self

    def render(self, voice: Voice, text: str) -> Audio:
        """Say the text hesitantly."""
        parts = analysed(voice, text)
        spans = word_spans(parts.speech, text)
        at_s = [spans[stumble.word][0] for stumble in self.stumbles]
        drawn, at_s = drawn_out(parts, at_s)
        return _interrupted(voice, spoken(voice, drawn), at_s, self.stumbles)


@functools.lru_cache(maxsize=8)
def analysed(voice: Voice, text: str) -> Analysis:
    """Neutral speech of a test voice, as its synthesiser says it, taken apart."""
    return resynthesis.analyse(synthesise(voice.synthesiser, voice.native, text, Control()))


def spoken(voice: Voice, parts: Analysis) -> Audio:
    """Put edited speech together, with the voice's pitch and formants; its median is unedited."""
    change = Change(pitch_st=voice.pitch_st, formant_ratio=voice.formant_ratio)
    return resynthesis.resynthesise(parts, change)


def stressed(parts: Analysis, spans: Spans, word: int) -> Analysis:
    """Stress one word.

    Args:
        parts: neutral speech.
        spans: of its words, seconds.
        word: index of the stressed one.

    Returns:
        The edited speech; as long as before, unless the others would be shorter than `SHORTEST`.
    """
    times_s = np.arange(len(parts.f0_hz)) * FRAME_S
    start_s, end_s = spans[word]
    on = (times_s >= start_s) & (times_s < end_s)
    after = times_s >= end_s
    share = np.clip((times_s - start_s) / (end_s - start_s), 0.0, 1.0)
    peak_st = PEAK_ST * np.sin(np.pi * share) ** 2
    lift_st = np.where(on, _below_median_st(parts.f0_hz, on), np.where(after, AFTER_ST, 0.0))
    shift_st = _smoothed(lift_st) + peak_st
    excursion = _smoothed(np.where(on, 1.0, np.where(after, AFTER_RANGE, BEFORE_RANGE)))
    gain_db = _smoothed(np.where(on, LOUDER_DB, np.where(after, AFTER_DB, 0.0)))
    louder = parts.envelope * 10.0 ** (gain_db / 10.0)[:, None]
    edited = dataclasses.replace(
        parts, f0_hz=_melody(parts.f0_hz, shift_st, excursion), envelope=louder
    )
    others = (np.count_nonzero(~on) - (LONGER - 1.0) * on.sum()) / max(1, np.count_nonzero(~on))
    return _paced(edited, _smoothed(np.where(on, LONGER, max(SHORTEST, float(others)))))[0]


def ended(parts: Analysis, begins_st: float, ends_st: float) -> Analysis:
    """Give the last `ENDING_S` of the voice another melody.

    Args:
        parts: neutral speech.
        begins_st: pitch where the ending begins, relative to the median.
        ends_st: pitch where the voice ends.
    """
    voiced = parts.f0_hz > 0.0
    semitones = np.zeros(len(voiced))
    semitones[voiced] = 12.0 * np.log2(parts.f0_hz[voiced] / 100.0)
    middle_st = float(np.median(semitones[voiced]))
    left_s = (np.flatnonzero(voiced)[-1] - np.arange(len(voiced))) * FRAME_S
    done = np.clip(1.0 - left_s / ENDING_S, 0.0, 1.0)
    line_st = middle_st + begins_st + (ends_st - begins_st) * done
    share = np.clip((ENDING_S + APPROACH_S - left_s) / APPROACH_S, 0.0, 1.0)
    semitones = (1.0 - share) * semitones + share * line_st
    return dataclasses.replace(
        parts, f0_hz=np.where(voiced, 100.0 * 2.0 ** (semitones / 12.0), 0.0)
    )


def drawn_out(parts: Analysis, at_s: Sequence[float]) -> tuple[Analysis, list[float]]:
    """Draw out what precedes some moments; return the speech, and where the moments are in it."""
    times_s = np.arange(len(parts.f0_hz)) * FRAME_S
    before = np.zeros(len(times_s), dtype=bool)
    for moment_s in at_s:
        before |= (times_s >= moment_s - DRAWN_S) & (times_s < moment_s)
    paced, begins_s = _paced(parts, np.where(before, DRAWN_OUT, 1.0))
    return paced, [float(np.interp(moment_s, times_s, begins_s)) for moment_s in at_s]


def _below_median_st(f0_hz: Floats, on: npt.NDArray[np.bool_]) -> float:
    """How far a word must be raised to the median, so that a stressed last word is a peak too."""
    voiced = f0_hz > 0.0
    if not (on & voiced).any():
        return 0.0
    ratio = float(np.median(f0_hz[voiced]) / np.median(f0_hz[on & voiced]))
    return max(0.0, 12.0 * math.log2(ratio))


def _melody(f0_hz: Floats, shift_st: Floats, excursion: Floats) -> Floats:
    """Shift F0 and scale its excursions about the median, frame by frame."""
    voiced = f0_hz > 0.0
    semitones = 12.0 * np.log2(np.where(voiced, f0_hz, 100.0) / 100.0)
    middle_st = np.median(semitones[voiced])
    moved = middle_st + excursion * (semitones - middle_st) + shift_st
    return np.where(voiced, np.clip(100.0 * 2.0 ** (moved / 12.0), 45.0, 700.0), 0.0)


def _paced(parts: Analysis, longer: Floats) -> tuple[Analysis, Floats]:
    """Make each frame longer by a factor.

    Returns:
        The speech, and where each frame of the old one begins in it, seconds.
    """
    ends_s = np.cumsum(longer) * FRAME_S
    begins_s = ends_s - longer * FRAME_S
    wanted_s = np.arange(round(float(ends_s[-1]) / FRAME_S)) * FRAME_S
    frames = np.clip(np.searchsorted(ends_s, wanted_s, side="right"), 0, len(longer) - 1)
    edited = dataclasses.replace(
        parts,
        f0_hz=parts.f0_hz[frames],
        envelope=np.ascontiguousarray(parts.envelope[frames]),
        aperiodicity=np.ascontiguousarray(parts.aperiodicity[frames]),
    )
    return edited, begins_s


def _smoothed(values: Floats) -> Floats:
    """Soften steps, so that nothing jumps."""
    width = 2 * round(_SMOOTH_S / FRAME_S / 2.0) + 1
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def _interrupted(
    voice: Voice, speech: Audio, at_s: Sequence[float], stumbles: Sequence[Stumble]
) -> Audio:
    """Cut speech at some moments and put a hesitation into each cut."""
    pieces: list[Audio] = []
    edges_s = [0.0, *at_s, speech.duration_s]
    for number, stumble in enumerate(stumbles):
        pieces += [_faded(speech.span(edges_s[number], edges_s[number + 1]))]
        pieces.append(silence(stumble.silence_s, CLIP_RATE_HZ))
        if stumble.filler is not None:
            pieces.append(_faded(_filler(voice, speech, stumble.filler)))
            pieces.append(silence(stumble.after_s, CLIP_RATE_HZ))
    pieces.append(_faded(speech.span(edges_s[-2], edges_s[-1])))
    return concatenate(pieces, CLIP_RATE_HZ)


def _filler(voice: Voice, speech: Audio, word: str) -> Audio:
    """Say a filled pause as the voice that says the speech."""
    parts = analysed(voice, f"{word.capitalize()}.")
    target_st = resynthesis.measure_pitch(speech).median_st + FILLER_ST
    change = Change(
        rate=parts.speech.duration_s / FILLER_S,
        pitch_st=target_st - resynthesis.measure_pitch(parts.speech).median_st,
        range_scale=FILLER_RANGE,
        formant_ratio=voice.formant_ratio,
    )
    found = trimmed(resynthesis.resynthesise(parts, change))
    gain_db = active_level_dbfs(speech) + FILLER_DB - active_level_dbfs(found)
    return Audio(found.samples * np.float32(10.0 ** (gain_db / 20.0)), found.sample_rate)


def _faded(piece: Audio) -> Audio:
    """Soften both cuts."""
    count = min(len(piece) // 2, round(_FADE_S * piece.sample_rate))
    slope = np.sin(np.linspace(0.0, np.pi / 2.0, count, dtype=np.float32)) ** 2
    samples = piece.samples.copy()
    samples[:count] *= slope
    samples[len(samples) - count :] *= slope[::-1]
    return Audio(samples, piece.sample_rate)
