"""Measures a corpus's contrast sets afresh: does each axis move its own feature, and only it?

    python -m cascadence.data_manifests.recipes.dose_check contrast

Reads the decoded clips, not the notes of their making. All numbers are relative to the mean of the
set, so that neither voice nor words count; for each axis and style the table has what is declared,
the mean that is measured, n, and the worst single clip. The exit status is 1 if a mean is off.

- A declared feature may be off by `TOLERANCES`: rate 15 %, median F0 0.5 semitone, level 1 dB;
  range half a step, which is what keeps neighbouring values apart.
- A feature that is declared to stay may move by less than a quarter of its own axis's step.
- Stress: the stressed word against itself in the member that stresses the other one. Its peak must
  be higher by `PEAK_HEARD_ST` at least, which is heard as more prominent (Rietveld and Gussenhoven
  1985); its duration is held to the tolerance of rate, its level to that of level. The range of a
  stressed clip depends on where the peak stands, by up to half a step.
- Ending: rise or fall over the last 300 ms of voice, within 3 semitones: smaller differences play
  no part in communication ('t Hart 1981, doi:10.1121/1.385592).
- Hesitation: the time that it adds, within 15 %, as rate.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.conversation import UserTurn
from cascadence.corpus import Corpus, open_corpus
from cascadence.data_manifests.recipes import contrast_plan, edits
from cascadence.data_manifests.recipes.clips import (
    NEUTRAL_LEVEL_DBFS,
    active_level_dbfs,
    trimmed,
)
from cascadence.data_manifests.recipes.planned import Sound
from cascadence.data_manifests.recipes.word_times import word_spans
from cascadence.require import require

Floats = npt.NDArray[np.float64]

FEATURES: Final = ("rate", "pitch", "range", "loudness")
"""In octaves of rate, semitones, octaves of range, dB."""
STEPS: Final = np.array(
    [
        math.log2(contrast_plan.RATE_STEP),
        contrast_plan.PITCH_STEP_ST,
        math.log2(contrast_plan.RANGE_STEP),
        contrast_plan.LEVEL_STEP_DB,
    ]
)
TOLERANCES: Final = np.array([math.log2(1.15), 0.5, float(STEPS[2]) / 2.0, 1.0])
PEAK_HEARD_ST: Final = 1.5
ENDING_TOLERANCE_ST: Final = 3.0
ADDED_TOLERANCE: Final = 0.15
_VOICED: Final = 0.5
_RANGE_PERCENTILES: Final = (10.0, 90.0)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A clip of a contrast set, measured.

    Attributes:
        group: its set.
        axis: what its set is about.
        label: its style's name.
        turn: the manifest's.
        speech: decoded, without the quiet around it, at one level.
        values: of `FEATURES`.
        declared: the same, as planned.
        sound: as planned.
    """

    group: str
    axis: str
    label: str
    turn: UserTurn
    speech: Audio
    values: Floats
    declared: Floats
    sound: Sound


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        axis, style, feature: what was measured.
        declared: what it should be.
        measured: mean over the sets.
        worst: largest error of a single clip.
        limit: largest error of the mean.
        n: sets.
    """

    axis: str
    style: str
    feature: str
    declared: float
    measured: float
    worst: float
    limit: float
    n: int

    @property
    def holds(self) -> bool:
        """Whether the mean is as declared."""
        return abs(self.measured - self.declared) <= self.limit


def contour(speech: Audio) -> tuple[Floats, Floats]:
    """Track the pitch.

    Returns:
        Times in seconds and semitones re 100 Hz of the voiced frames.
    """
    found = _tracker().detect(speech.samples, speech.sample_rate, 60.0, 500.0)
    voiced = np.asarray(found.confidence) >= _VOICED
    pitch_hz = np.asarray(found.pitch_hz, dtype=np.float64)[voiced]
    return np.asarray(found.timestamps)[voiced], 12.0 * np.log2(pitch_hz / 100.0)


@functools.cache
def _tracker() -> Any:
    return require("swift_f0", extra="prosody").SwiftF0(threads=1, spin=False)


def levelled(clip: Audio) -> tuple[Audio, float]:
    """Cut a clip to its speech and bring it to one level; return it and the level it had, dBFS.

    Pitch trackers see more of loud speech, so pitch must not be measured at the clip's own level.
    """
    speech = trimmed(clip)
    level = active_level_dbfs(speech)
    gain = np.float32(10.0 ** ((NEUTRAL_LEVEL_DBFS - level) / 20.0))
    return dataclasses.replace(speech, samples=speech.samples * gain), level


def measured(clip: Audio, turn: UserTurn) -> tuple[Audio, Floats]:
    """Measure a clip: its speech and its `FEATURES`.

    Rate is that of the words: hesitations are taken off the duration. Range is p90 - p10, which a
    single octave error of the tracker does not move.
    """
    speech, level = levelled(clip)
    hesitant_s = sum(end_s - start_s for start_s, end_s in turn.style.hesitations)
    _, semitones = contour(speech)
    low, high = np.percentile(semitones, _RANGE_PERCENTILES)
    values = [
        -math.log2(speech.duration_s - hesitant_s),
        float(np.median(semitones)),
        math.log2(float(high - low)),
        level,
    ]
    return speech, np.array(values)


def members_of(corpus: Corpus) -> list[Member]:
    """Measure all clips of contrast sets of which the plan of `contrast` knows."""
    sounds = {one.id: turn.sound for one in contrast_plan.plan() for turn in one.turns}
    found = []
    for conversation in corpus:
        sound = sounds.get(conversation.id)
        axis = next((tag[5:] for tag in conversation.tags if tag.startswith("axis_")), None)
        if sound is None or axis is None or conversation.group is None:
            continue
        (turn,), (clip,) = conversation.turns, corpus.clips(conversation)
        speech, values = measured(clip, turn)
        style = sound.prosody
        declared = np.array(
            [math.log2(style.rate), style.pitch_st, math.log2(style.range_scale), style.level_db]
        )
        label = turn.style.label or ""
        found.append(Member(conversation.group, axis, label, turn, speech, values, declared, sound))
    return found


def rows_of(members: Sequence[Member]) -> Iterator[Row]:
    """Hold every axis against what it declares."""
    by_axis: dict[str, dict[str, list[Member]]] = defaultdict(lambda: defaultdict(list))
    for member in members:
        by_axis[member.axis][member.group].append(member)
    for axis, sets in by_axis.items():
        yield from _plain_rows(axis, list(sets.values()))
        special = _SPECIAL.get(axis)
        if special is not None:
            yield from special(axis, list(sets.values()))


def _plain_rows(axis: str, sets: Sequence[Sequence[Member]]) -> Iterator[Row]:
    """Rows of the four features, relative to the mean of each set."""
    pairs: dict[str, list[tuple[Floats, Floats]]] = defaultdict(list)
    for mates in sets:
        middle = np.mean([mate.values for mate in mates], axis=0)
        meant = np.mean([mate.declared for mate in mates], axis=0)
        for mate in mates:
            pairs[mate.label].append((mate.declared - meant, mate.values - middle))
    moves = np.any([one.declared != mates[0].declared for mates in sets for one in mates], axis=0)
    # A stressed word is an excursion of the melody itself.
    moves[2] |= axis == "emphasis"
    limits = np.where(moves, TOLERANCES, STEPS / 4.0)
    for label, found in pairs.items():
        declared = np.array([one for one, _ in found])
        values = np.array([one for _, one in found])
        for at, feature in enumerate(FEATURES):
            numbers = (declared[:, at], values[:, at])
            yield _row(axis, label, feature, *numbers, float(limits[at]))


def _row(
    axis: str, style: str, feature: str, declared: Floats, values: Floats, limit: float
) -> Row:
    worst = float(np.abs(values - declared).max())
    means = float(declared.mean()), float(values.mean())
    return Row(axis, style, feature, *means, worst, limit, len(values))


# ---------------------------------------------------------------------------- edits at places


def _emphasis_rows(axis: str, sets: Sequence[Sequence[Member]]) -> Iterator[Row]:
    """Rows of stress: what a word gains by being stressed instead of the other one."""
    gains: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one, other in sets:
        spans = [word_spans(mate.speech, mate.turn.text) for mate in (one, other)]
        (early,), (late,) = one.turn.style.emphasis, other.turn.style.emphasis
        with_early = [_word(one.speech, *spans[0][word]) for word in (early, late)]
        with_late = [_word(other.speech, *spans[1][word]) for word in (early, late)]
        gained = [with_early[0] - with_late[0], with_late[1] - with_early[1]]
        shares = [2.0 ** with_early[0][1] / one.speech.duration_s]
        shares.insert(0, 2.0 ** with_late[1][1] / other.speech.duration_s)
        for label, gain, share in zip(("early", "late"), gained, shares, strict=True):
            gains[f"{label} peak"].append((edits.PEAK_ST, gain[0]))
            gains[f"{label} length"].append((_declared_length(share), gain[1]))
        # The clip's level is held, so that only the sum of both gains is declared.
        gains["both level"].append((_DECLARED_LEVEL_DB, (gained[0][2] + gained[1][2]) / 2.0))
    for name, found in gains.items():
        label, feature = name.split()
        declared, measured = np.array(found).T
        yield _row(axis, label, feature, declared, measured, _STRESS[feature])


_STRESS: Final = MappingProxyType(
    {
        "peak": edits.PEAK_ST - PEAK_HEARD_ST,
        "length": math.log2(1.0 + ADDED_TOLERANCE),
        "level": float(TOLERANCES[3]),
    }
)
_DECLARED_LEVEL_DB: Final = edits.LOUDER_DB - edits.AFTER_DB / 2.0
"""Mean of the gains of the earlier word, and of the later one, which else is held back."""


def _declared_length(share: float) -> float:
    """What a word gains in octaves, beside one that took a share of its clip and compressed it."""
    before = share / edits.LONGER
    return math.log2(edits.LONGER * (1.0 - before) / (1.0 - share))


def _word(speech: Audio, start_s: float, end_s: float) -> Floats:
    """Highest pitch (p90) in a word, semitones; its duration in octaves; its level, dB."""
    times_s, semitones = contour(speech)
    inside = (times_s >= start_s) & (times_s < end_s)
    peak = float(np.percentile(semitones[inside], 90.0)) if inside.any() else math.nan
    level = active_level_dbfs(speech.span(start_s, end_s))
    return np.array([peak, math.log2(end_s - start_s), level])


def _question_rows(axis: str, sets: Sequence[Sequence[Member]]) -> Iterator[Row]:
    """Rows of the final melody: what the pitch does in the last 300 ms of voice, semitones."""
    falls: dict[str, list[float]] = defaultdict(list)
    for mates in sets:
        for mate in mates:
            times_s, semitones = contour(mate.speech)
            last = times_s >= times_s[-1] - edits.ENDING_S
            slope = np.polyfit(times_s[last], semitones[last], 1)[0]
            falls[mate.label].append(float(slope) * edits.ENDING_S)
    for label, found in falls.items():
        begins_st, ends_st = edits.RISE_ST if label == "question" else edits.FALL_ST
        declared = np.full(len(found), ends_st - begins_st)
        yield _row(axis, label, "ending st", declared, np.array(found), ENDING_TOLERANCE_ST)


def _hesitation_rows(axis: str, sets: Sequence[Sequence[Member]]) -> Iterator[Row]:
    """Rows of what hesitating adds to the duration, octaves of it."""
    declared, added = [], []
    for mates in sets:
        hesitant = next(mate for mate in mates if mate.turn.style.hesitations)
        fluent = next(mate for mate in mates if not mate.turn.style.hesitations)
        assert isinstance(hesitant.sound, edits.Hesitating)
        declared.append(math.log2(sum(map(_added_s, hesitant.sound.stumbles))))
        added.append(math.log2(hesitant.speech.duration_s - fluent.speech.duration_s))
    limit = math.log2(1.0 + ADDED_TOLERANCE)
    yield _row(axis, "hesitant", "log2 added s", np.array(declared), np.array(added), limit)


def _added_s(stumble: edits.Stumble) -> float:
    uttered_s = 0.0 if stumble.filler is None else edits.FILLER_S + stumble.after_s
    return stumble.silence_s + uttered_s + (edits.DRAWN_OUT - 1.0) * edits.DRAWN_S


_SPECIAL: Final = MappingProxyType(
    {"emphasis": _emphasis_rows, "question": _question_rows, "hesitation": _hesitation_rows}
)


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out, one a line."""
    lines = [
        f"{'axis':11s}{'style':12s}{'feature':14s}{'declared':>9s}{'measured':>9s}"
        f"{'limit':>7s}{'worst':>7s}{'n':>4s}"
    ]
    lines += [
        f"{row.axis:11s}{row.style:12s}{row.feature:14s}{row.declared:9.2f}{row.measured:9.2f}"
        f"{row.limit:7.2f}{row.worst:7.2f}{row.n:4d}{'' if row.holds else '  OFF'}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description="Measures the doses of contrast sets afresh.")
    parser.add_argument("corpus", nargs="?", default="contrast", help="name or folder")
    rows = list(rows_of(members_of(open_corpus(parser.parse_args().corpus))))
    units = "rate and range in octaves, pitch in semitones, loudness in dB; relative to the set"
    off = sum(not row.holds for row in rows)
    sys.stdout.write(f"{table(rows)}\n{units}\n{len(rows)} means, {off} off\n")
    return 0 if rows and not off else 1


if __name__ == "__main__":
    sys.exit(main())
