"""Paralinguistic preservation: did the *how* survive the trip through the system?

Contrast sets hold the same words by the same speaker in several styles, so whatever differs between
the replies of a set was caused by the style alone. For a feature, over all pairs of a set, the
reply's difference is regressed on the user's: **gain** 0 is deaf to it, 1 mirrors it fully, below 0
does the opposite; **correlation** says how reliably. A cascade whose ASR hears the words right
gives 0 by construction.

Rate and pitch range are compared in octaves (log2 of syllables per second of speech, of semitones
from the 5th to the 95th percentile), pitch in semitones, level in dB, so that a gain of 1 is the
same *proportion* in another voice. Intervals: cluster bootstrap over
sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cascadence.measurement import Case, Measurement, Tools, Value, metric, skipped
from cascadence.metrics.syllables import count_syllables
from cascadence.metrics.turns import PlayedView, expects_reply, view
from cascadence.resampling import bootstrap, bootstrap_interval, stable_seed

Floats = npt.NDArray[np.float64]

FEWEST_SETS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """What a user or a system said, and how.

    Attributes:
        features: the answer of the tool ``features``.
        words: says what was said; asked only where a feature needs it.
    """

    features: Mapping[str, Any]
    words: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Feature:
    """One way in which users' styles differ.

    Attributes:
        name: short, for seeds.
        read: from an utterance; ``None`` where it does not bear the feature.
        smallest_spread: standard deviation within a set that listeners would hardly notice. Sets in
            which the user varies less are left out, and replies that vary less have no correlation:
            it would be one with measurement noise.
    """

    name: str
    read: Callable[[Utterance], float | None]
    smallest_spread: float


def _octaves_of_rate(utterance: Utterance) -> float | None:
    """Syllables of the known words over the time of speech.

    Ten times as exact as syllables counted in the sound, whose noise would pull every slope to 0.
    """
    speech_s = float(utterance.features["speech_s"])
    syllables = count_syllables(utterance.words()) if speech_s > 0.0 else 0
    return float(np.log2(syllables / speech_s)) if syllables else None


def _pitch(utterance: Utterance) -> float | None:
    pitch_st: float | None = utterance.features["f0_median_st"]
    return pitch_st


def _octaves_of_range(utterance: Utterance) -> float | None:
    range_st: float | None = utterance.features["f0_range_st"]
    return float(np.log2(range_st)) if range_st else None


def _level(utterance: Utterance) -> float | None:
    level_db: float | None = utterance.features["level_db"]
    return level_db


RATE = Feature("rate", _octaves_of_rate, 0.05)
PITCH = Feature("f0", _pitch, 0.25)
RANGE = Feature("range", _octaves_of_range, 0.15)
LEVEL = Feature("level", _level, 0.5)


@dataclass(frozen=True, slots=True)
class Contrast:
    """One contrast set: the same turn in several styles.

    Attributes:
        group: its name; sets of several repeats or turns of one group share it.
        user: the feature in the user's clips, shape ``(styles,)``.
        reply: the same in the replies.
    """

    group: str
    user: Floats
    reply: Floats


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a feature of the user shows in the replies.

    Attributes:
        gain: slope of the reply's differences on the user's.
        correlation: of the differences; ``None`` where the replies do not differ (see `Feature`).
        gain_interval: 95 %, over sets; ``None`` for fewer than `FEWEST_SETS`.
        correlation_interval: the same for the correlation.
        sets: independent contrast sets.
        pairs: pairs of styles compared.
    """

    gain: float
    correlation: float | None
    gain_interval: tuple[float, float] | None
    correlation_interval: tuple[float, float] | None
    sets: int
    pairs: int


def transfer(
    contrasts: Sequence[Contrast], seed_name: str, smallest_spread: float = 1e-9
) -> Transfer | None:
    """Regress the replies' differences on the users', over all pairs of every set.

    The sum over a set's pairs of products of differences is K times the sum of products about the
    mean, for K styles, so nothing is enumerated.

    Args:
        contrasts: the sets.
        seed_name: names the random numbers of the bootstrap.
        smallest_spread: see `Feature`.

    Returns:
        ``None`` where the user's feature does not vary within any set.
    """
    sums: dict[str, Floats] = defaultdict(lambda: np.zeros(3))
    pairs = weight = 0
    for contrast in contrasts:
        size = len(contrast.user)
        x, y = contrast.user - contrast.user.mean(), contrast.reply - contrast.reply.mean()
        if size < 2 or x.std() < smallest_spread:
            continue
        sums[contrast.group] += size * np.array([x @ x, x @ y, y @ y])
        weight += size * size
        pairs += size * (size - 1) // 2
    if not sums:
        return None
    table = np.array(list(sums.values()))
    gain, correlation = _slope_and_correlation(table.sum(axis=0)[None])
    gain_interval = correlation_interval = None
    if len(table) >= FEWEST_SETS:
        drawn = bootstrap(lambda weights: weights @ table, len(table), stable_seed(seed_name))
        gains, correlations = _slope_and_correlation(drawn)
        gain_interval = bootstrap_interval(gains, len(table))
        correlation_interval = bootstrap_interval(correlations, len(table))
    # Replies that differ by less than anybody hears would correlate by their measurement noise.
    reply_spread = np.sqrt(table[:, 2].sum() / weight)
    known = bool(np.isfinite(correlation[0])) and bool(reply_spread >= smallest_spread)
    return Transfer(
        gain=float(gain[0]),
        correlation=float(correlation[0]) if known else None,
        gain_interval=gain_interval,
        correlation_interval=correlation_interval if known else None,
        sets=len(table),
        pairs=pairs,
    )


def _slope_and_correlation(sums: Floats) -> tuple[Floats, Floats]:
    """Return both for rows of ``(Sxx, Sxy, Syy)``; not finite where undefined."""
    xx, xy, yy = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return xy / xx, np.where(yy > 1e-12, xy / np.sqrt(xx * yy), np.nan)


def contrasts_of(
    cases: Sequence[Case], tools: Tools, feature: Feature
) -> tuple[list[Contrast], int]:
    """Collect a feature of users and replies by contrast set.

    Args:
        cases: recordings of one cell; those without group are left out.
        tools: with ``features``.
        feature: which one.

    Returns:
        One contrast for each group, repeat and turn, and the number of turns left out because no
        reply came or one side does not bear the feature.
    """
    pairs: dict[tuple[str, int, int], list[tuple[float, float]]] = defaultdict(list)
    missing = 0
    for case in cases:
        group = case.conversation.group
        if group is None:
            continue
        for played in case.recording.turns:
            if not expects_reply(case.conversation.turns[played.index]):
                continue
            seen = view(case, played)
            user = Utterance(tools.use("features", seen.clip), partial(str, seen.turn.text))
            x, y = feature.read(user), None
            if seen.answer is not None:
                reply = Utterance(tools.use("features", seen.answer), partial(said, seen, tools))
                y = feature.read(reply)
            if x is None or y is None:
                missing += 1
            else:
                pairs[group, case.recording.repeat, played.index].append((x, y))
    contrasts = [
        Contrast(place[0], np.array([x for x, _ in found]), np.array([y for _, y in found]))
        for place, found in pairs.items()
    ]
    return contrasts, missing


def said(seen: PlayedView, tools: Tools) -> str:
    """What was said in an answer: by the system itself, where all of it was played."""
    answer, meant = seen.answer, seen.meant
    if answer is None or (meant is not None and (seen.understood or not seen.answer_interrupted)):
        return meant or ""
    return str(tools.use("judge_asr", answer)["text"])


def _found(
    cases: Sequence[Case], tools: Tools, feature: Feature
) -> tuple[Transfer, int] | Measurement:
    """Compute the transfer of a feature in a cell, or say why there is none."""
    contrasts, missing = contrasts_of(cases, tools, feature)
    if not contrasts:
        return skipped("no replies to compare" if missing else "no contrast sets in this corpus")
    seed_name = f"{feature.name} {cases[0].recording.cell}"
    found = transfer(contrasts, seed_name, feature.smallest_spread)
    if found is None:
        return skipped("the users of each contrast set do not differ in this")
    return found, missing


def _gain(cases: Sequence[Case], tools: Tools, feature: Feature) -> Measurement:
    found = _found(cases, tools, feature)
    if isinstance(found, Measurement):
        return found
    shown, missing = found
    return Measurement(
        "ok",
        Value(shown.gain),
        details={"pairs": shown.pairs, "missing": missing, "correlation": shown.correlation},
        interval=shown.gain_interval,
        n=shown.sets,
    )


def _correlation(cases: Sequence[Case], tools: Tools, feature: Feature) -> Measurement:
    found = _found(cases, tools, feature)
    if isinstance(found, Measurement):
        return found
    shown, missing = found
    if shown.correlation is None:
        return skipped("the replies of each contrast set do not differ in this")
    return Measurement(
        "ok",
        Value(shown.correlation),
        details={"pairs": shown.pairs, "missing": missing, "gain": shown.gain},
        interval=shown.correlation_interval,
        n=shown.sets,
    )


_gain_metric = partial(
    metric,
    family="paralinguistics",
    unit="ratio",
    direction="higher",
    range=(float("-inf"), float("inf")),
    level="corpus",
    version="2",
)
_correlation_metric = partial(
    metric,
    family="paralinguistics",
    unit="correlation",
    direction="higher",
    range=(-1.0, 1.0),
    level="corpus",
    version="2",
)


@_gain_metric(needs=("features", "judge_asr"))
def contrast_gain_rate(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How far the reply's speaking rate follows the user's: slope, in octaves of rate.

    Syllables per second of speech, pauses removed. The syllables are those of the words: the
    manifest's for the user; the system's own text for the reply, else the judge's transcript.
    """
    return _gain(cases, tools, RATE)


@_gain_metric(needs=("features",))
def contrast_gain_f0(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How far the reply's median pitch follows the user's: slope, in semitones."""
    return _gain(cases, tools, PITCH)


@_gain_metric(needs=("features",))
def contrast_gain_range(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How far the reply's pitch range follows the user's: slope, in octaves of range.

    A few words tell a range with some noise, and noise in the user's pulls the slope to 0.
    """
    return _gain(cases, tools, RANGE)


@_gain_metric(needs=("features",))
def contrast_gain_level(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How far the reply's active speech level follows the user's: slope, in dB."""
    return _gain(cases, tools, LEVEL)


@_correlation_metric(needs=("features", "judge_asr"))
def contrast_correlation_rate(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How reliably the reply's speaking rate follows the user's, within contrast sets."""
    return _correlation(cases, tools, RATE)


@_correlation_metric(needs=("features",))
def contrast_correlation_f0(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How reliably the reply's median pitch follows the user's, within contrast sets."""
    return _correlation(cases, tools, PITCH)


@_correlation_metric(needs=("features",))
def contrast_correlation_range(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How reliably the reply's pitch range follows the user's, within contrast sets."""
    return _correlation(cases, tools, RANGE)


@_correlation_metric(needs=("features",))
def contrast_correlation_level(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How reliably the reply's active speech level follows the user's, within contrast sets."""
    return _correlation(cases, tools, LEVEL)
