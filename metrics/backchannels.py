"""Backchannels of the system: does it acknowledge while the user speaks, and where people would?

A backchannel is a run of system speech under 1 s and of at most 2 words (Full-Duplex-Bench, arXiv
2503.04721) that begins and ends inside a user's turn. Where people acknowledged comes from the
manifest: ``backchannels_s`` of a user turn, seconds inside its clip, of all listeners together.

The distance between both timings is the Jensen-Shannon *distance* (a square root) in base 2: 0 for
the same histogram, 1 for disjoint ones. Full-Duplex-Bench takes natural logarithms (0.83 at most)
and scores a system without backchannels 1.0, so that silence outweighs everything; here that turn
is skipped, and `backchannel_rate_per_min` tells how few there were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from cascadence.conversation import Aside, BargeIn, UserTurn
from cascadence.measurement import Case, Measurement, Tools, metric, ratio, skipped, value
from cascadence.metrics.turn_taking_floor import WINDOWS, cut_off, is_backchannel
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn, speaks_into_reply
from cascadence.resampling import stable_seed

FULL_DUPLEX_BENCH: Final = "arXiv 2503.04721"
BIN_S: Final = 0.2
CHANCE_DRAWS: Final = 200


def js_distance(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the Jensen-Shannon distance of two histograms, base 2, in [0, 1].

    Args:
        first: counts by bin, shape ``(bins,)``, not all 0.
        second: the same.

    Raises:
        ValueError: a histogram is empty.
    """
    from scipy.spatial.distance import jensenshannon

    if not (sum(first) > 0.0 and sum(second) > 0.0):
        raise ValueError("an empty histogram has no distribution")
    return float(jensenshannon(first, second, base=2.0))


@metric(
    family="turn_taking",
    unit="ratio",
    direction="lower",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def takeover_rate_backchannel_opportunity(case: Case, tools: Tools) -> list[Measurement]:
    """Share of the turns that people would acknowledge at which the system takes the floor instead.

    Turns with ``backchannels_s`` in the manifest. Backchannels of the system take nothing; speech
    after the user's end is its reply, and no takeover.
    """

    def taken(view: PlayedView) -> Measurement:
        return ratio(cut_off(view, tools), 1, windows=asdict(WINDOWS), trigger=view.played.trigger)

    return each_turn(case, taken, _is_opportunity)


@metric(
    family="turn_taking",
    unit="1/min",
    direction="neither",
    range=(0.0, float("inf")),
    level="turn",
    needs=("judge_asr",),
    summary="ratio",
    reference=FULL_DUPLEX_BENCH,
)
def backchannel_rate_per_min(case: Case, tools: Tools) -> list[Measurement]:
    """Backchannels of the system a minute of the user's speech.

    Over all turns that speak to the system and claim the floor, barge-ins left out; more is not
    better, see `backchannel_js_distance`.
    """

    def rate(view: PlayedView) -> Measurement:
        found_s = _backchannels_s(view, tools)
        spoken_min = (view.offset_s - view.start_s) / 60.0
        return ratio(len(found_s), spoken_min, onsets_s=found_s, windows=asdict(WINDOWS))

    return each_turn(
        case,
        rate,
        lambda turn: claims_floor(turn) and not isinstance(turn.when, Aside | BargeIn),
    )


@metric(
    family="turn_taking",
    unit="distance",
    direction="lower",
    range=(0.0, 1.0),
    level="turn",
    needs=("judge_asr",),
    reference=f"{FULL_DUPLEX_BENCH}; Endres and Schindelin 2003, doi:10.1109/TIT.2003.813506",
)
def backchannel_js_distance(case: Case, tools: Tools) -> list[Measurement]:
    """How far the timing of the system's backchannels in a turn is from that of human listeners.

    Jensen-Shannon distance, base 2, between onsets in bins of 0.2 s from the start of the user's
    speech to its end. Few backchannels are far from any distribution, however well they are timed:
    ``chance`` in the details is what as many, placed at random in the turn, come to. Skipped for a
    turn without backchannels of the system.
    """

    def distance(view: PlayedView) -> Measurement:
        found_s = _backchannels_s(view, tools)
        if not found_s:
            return skipped("the system makes no backchannel here")
        start_s, end_s = view.turn.speech_s
        human = _histogram([t - start_s for t in view.turn.backchannels_s], end_s - start_s)
        system = _histogram(found_s, end_s - start_s)
        chance = _chance(human, len(found_s), f"{case.conversation.id} {view.played.index}")
        details = {"onsets_s": found_s, "human": int(sum(human)), "bin_s": BIN_S, "chance": chance}
        return value(js_distance(system, human), windows=asdict(WINDOWS), **details)

    return each_turn(case, distance, _is_opportunity)


def _is_opportunity(turn: UserTurn) -> bool:
    return bool(turn.backchannels_s) and not speaks_into_reply(turn)


def _backchannels_s(view: PlayedView, tools: Tools) -> list[float]:
    """Onsets of the system's backchannels, in seconds from the start of the user's speech."""
    inside = [run for run in view.runs_s if run[1] <= view.offset_s]
    found = [run for run in inside if is_backchannel(view.case, tools, run)]
    return [round(start_s - view.start_s, 3) for start_s, _ in found]


def _histogram(times_s: Sequence[float], duration_s: float) -> list[float]:
    """Count times by bin, shape ``(bins,)``; what lies outside the turn is left out."""
    # A hair is added, since 0.6 / 0.2 lies below 3.
    places = [math.floor(t / BIN_S + 1e-9) for t in times_s if 0.0 <= t < duration_s]
    counts = [0.0] * max(1, math.ceil(duration_s / BIN_S - 1e-9))
    for place in places:
        counts[min(place, len(counts) - 1)] += 1.0
    return counts


def _chance(human: Sequence[float], count: int, name: str) -> float:
    """Return the mean distance of as many backchannels at random times, drawn by name."""
    random = np.random.default_rng(stable_seed("backchannel chance", name))
    drawn = random.integers(0, len(human), (CHANCE_DRAWS, count))
    histograms = [np.bincount(places, minlength=len(human)).tolist() for places in drawn]
    return round(float(np.mean([js_distance(each, human) for each in histograms])), 6)
