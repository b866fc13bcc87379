"""What a deaf system would score: the same recordings against events of other conversations.

A system that speaks by the clock is often just silent when the user has finished, and falls silent
soon after any barge-in: it looks quick and polite without hearing anything. So each event is also
scored where it did not happen, in a recording of another conversation of the same cell. What does
not hear the user scores there as it does on its own events; what does hear, does not. The events
keep their length and the metrics are the same; ``tells_apart`` in the details says whether the
difference is more than chance.

- `yield_rate_shuffled`: barge-ins, as long after the onset of a *reply that nobody interrupts* as
  the manifest says. Users barge in while the system speaks; a random moment would be silent half
  the time, and make the yields of a toggler look earned.
- `response_gap_shuffled_s`: user turns, at a random moment. Not at their own time, since in most
  corpora all first turns end at about the same time.

Which recording and which moment are drawn by the name of the event, the same in every cell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np

from cascadence.audio import silence
from cascadence.comparison import compare
from cascadence.conversation import At, BargeIn
from cascadence.estimators import Observation
from cascadence.measurement import (
    Case,
    Censored,
    Measurement,
    MetricSpec,
    Tools,
    Value,
    censored,
    metric,
    skipped,
    value,
)
from cascadence.metrics.latency import response_gap_s
from cascadence.metrics.task_corpus import corpus_value, difference_of, observed
from cascadence.metrics.turn_taking import yield_rate
from cascadence.metrics.turn_taking_floor import WINDOWS, Floor, floor_of, met_at, yields
from cascadence.metrics.turns import chunk_at, expects_reply, speaks_into_reply, view
from cascadence.recording import Recording
from cascadence.resampling import stable_seed

T = TypeVar("T")

DRAWS: Final = 10
"""How often each event is set against another recording."""
ANY: Final = (float("-inf"), float("inf"))

USUAL: Final = MetricSpec(
    name="usual_gap_share",
    family="turn_taking",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="turn",
    summary="ratio",
)
"""Share of turns whose response gap is within ``usual_s`` of the system's own median gap.

Who answers the user is as late every time, quick or slow; who talks by itself is not.
"""


def told_apart(
    spec: MetricSpec, own: Sequence[Observation], shuffled: Sequence[Observation], label: str
) -> dict[str, Any]:
    """Compare a metric on a system's own events with the same on shuffled ones.

    Args:
        spec: of the metric; higher is better.
        own: measurements of the events as they happened.
        shuffled: for each of them, with the same cluster, item and turn, the mean over the draws.
        label: the cell; part of the seeds.

    Returns:
        Both values, the paired difference with its interval, and ``tells_apart``: whether the
        whole interval lies above 0; ``None`` without interval.
    """
    found = compare(spec, own, shuffled, label)
    return {
        "own": _number(corpus_value(spec, list(own), label)),
        "shuffled": _number(corpus_value(spec, list(shuffled), label)),
        **difference_of(found),
        "tells_apart": None if found.low is None else found.low > 0.0,
    }


def _number(measurement: Measurement) -> float | None:
    return measurement.quantity.x if isinstance(measurement.quantity, Value) else None


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply that nobody is meant to speak into: whose, how the floor was held, its onset."""

    conversation_id: str
    floor: Floor
    onset_s: float


@metric(
    family="turn_taking",
    unit="ratio",
    direction="neither",
    range=(0.0, 1.0),
    level="corpus",
    version="2",
)
def yield_rate_shuffled(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Yield rate on barge-ins that did not happen: what falling silent by itself comes to.

    Each barge-in of the manifest is set, at its ``after_onset_s``, against up to ten replies of
    other conversations into which the manifest lets nobody speak, and judged as in `yield_rate`. In
    the details: ``own`` (the yield rate itself), the paired difference with its interval and
    p-value, ``tells_apart``. A system whose own rate is not above this does not yield to anybody,
    or falls silent so soon by itself that one cannot see it yield (replies under two seconds of a
    system that tells no ends). Skipped where there is no barge-in, or no other reply.
    """
    events: list[tuple[Observation, BargeIn, str]] = []
    replies: list[_Reply] = []
    for case in cases:
        for event in observed(yield_rate, case, tools):
            when = case.conversation.turns[_turn(event)].when
            if isinstance(when, BargeIn) and event.measurement.status == "ok":
                events.append((event, when, case.conversation.id))
        replies.extend(_replies(case))
    if not events:
        return skipped("no barge-in was played")
    draws: list[Observation] = []
    own: list[Observation] = []
    shuffled: list[Observation] = []
    for event, when, conversation_id in events:
        others = [reply for reply in replies if reply.conversation_id != conversation_id]
        hits = [
            yields(met_at(reply.floor, reply.onset_s + when.after_onset_s))
            for reply in _drawn(others, _name(event))
        ]
        if hits:
            draws.extend(_instead(event, hit) for hit in hits)
            own.append(event)
            shuffled.append(_instead(event, sum(hits) / len(hits)))
    if not draws:
        return skipped("no reply of another conversation that nobody interrupts")
    label = cases[0].recording.cell
    both = told_apart(yield_rate.spec, own, shuffled, label)
    details = {**both, "replies": len(replies), "windows": asdict(WINDOWS)}
    return corpus_value(yield_rate_shuffled.spec, draws, label, **details)


def _replies(case: Case) -> list[_Reply]:
    """Find the replies of a conversation that the user is not meant to speak into.

    By the manifest, whatever happened: those that were not spoken into would be the short ones.
    """
    floor, found = floor_of(case.recording), []
    after = dict(enumerate(case.conversation.turns[1:]))
    for played in case.recording.turns:
        seen, following = view(case, played), after.get(played.index)
        into = following is not None and (
            speaks_into_reply(following) or isinstance(following.when, At)
        )
        if into or not expects_reply(seen.turn):
            continue
        # As the simulated user hears it: who was speaking already begins at the user's end.
        onsets_s = (max(a, seen.offset_s) for a, b in floor.runs_s if b > seen.offset_s)
        onset_s = next(onsets_s, None)
        if onset_s is not None and onset_s < seen.end_s:
            found.append(_Reply(case.conversation.id, floor, onset_s))
    return found


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A recording that other conversations' turns are set into, without its sound.

    Attributes:
        conversation_id: whose turns are not set into it.
        floor: when the system spoke.
        told: the recording, both channels empty.
    """

    conversation_id: str
    floor: Floor
    told: Recording

    @classmethod
    def of(cls, recording: Recording) -> Elsewhere:
        """Keep what a response gap is measured by; an hour of sound would be kept otherwise."""
        mute = silence(0.0, recording.system.sample_rate)
        told = replace(recording, user=mute, system=mute)
        return cls(recording.conversation_id, floor_of(recording), told)

    def gap(self, start_s: float, end_s: float) -> Measurement:
        """Measure the response gap of a turn that was not said here; see `response_gap_s`."""
        for onset_s, stop_s in self.floor.runs_s:
            if onset_s > start_s and stop_s > end_s and not self._made_before(onset_s, start_s):
                return value(onset_s - end_s)
        return censored(self.floor.duration_s - end_s)

    def _made_before(self, onset_s: float, t_s: float) -> bool:
        chunk = chunk_at(self.told, onset_s)
        return chunk is not None and chunk.t_s < t_s


@metric(family="turn_taking", unit="s", direction="neither", range=ANY, level="corpus", version="2")
def response_gap_shuffled_s(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Median response gap on user turns that were said elsewhere: what talking by itself comes to.

    Each turn that expects a reply is set at random moments into ten recordings of other
    conversations, and measured as in `cascadence.metrics.latency.response_gap_s`. The median alone
    tells little (a system that hears may have any): ``usual`` in the details compares the share of
    gaps within ``usual_s`` of the system's own median, on its own events and on these, and says
    whether the system tells them apart. `Censored` where replies begin in less than half of the
    cases. Skipped where there are not two conversations.
    """
    own: list[tuple[Observation, float, Elsewhere]] = []
    recordings: list[Elsewhere] = []
    for case in cases:
        here = Elsewhere.of(case.recording)
        recordings.append(here)
        lengths_s = {t.index: t.speech_end_s - t.speech_start_s for t in case.recording.turns}
        for found in observed(response_gap_s, case, tools):
            if found.measurement.status == "ok":
                own.append((found, lengths_s[_turn(found)], here))
    draws: list[Observation] = []
    for found, length_s, here in own:
        others = [each for each in recordings if each.conversation_id != here.conversation_id]
        draws.extend(_elsewhere(found, length_s, others))
    if not draws:
        return skipped("no turn that fits into the recording of another conversation")
    label = cases[0].recording.cell
    details = {
        "usual": _usual([each for each, _, _ in own], draws, label),
        "windows": asdict(WINDOWS),
    }
    median = corpus_value(response_gap_s.spec, draws, label, **details)
    bounds = [q.lower_bound for o in draws if isinstance(q := o.measurement.quantity, Censored)]
    if median.status == "ok" or not bounds:
        return median
    return replace(censored(max(bounds), **details), n=len({o.cluster for o in draws}))


def _elsewhere(own: Observation, length_s: float, others: Sequence[Elsewhere]) -> list[Observation]:
    """Set a turn into recordings of other conversations, each at a random moment."""
    random = np.random.default_rng(stable_seed("moments", _name(own)))
    found = []
    for other in _drawn(others, _name(own)):
        room_s = other.floor.duration_s - length_s
        start_s = float(random.random()) * room_s
        if room_s > 0.0:
            gap = other.gap(start_s, start_s + length_s).on_turn(_turn(own))
            found.append(replace(own, measurement=gap))
    return found


def _usual(own: Sequence[Observation], draws: Sequence[Observation], label: str) -> dict[str, Any]:
    """Compare the shares of usual gaps, own and shuffled, paired by turn."""
    drawn: dict[tuple[str, str, int], list[float | None]] = defaultdict(list)
    for each in draws:
        drawn[each.cluster, each.item, _turn(each)].append(_gap_s(each))
    kept = [o for o in own if (o.cluster, o.item, _turn(o)) in drawn]
    answered = [gap_s for o in kept if (gap_s := _gap_s(o)) is not None]
    median_s = float(np.median(answered)) if answered else None

    def share(gaps_s: Sequence[float | None]) -> float:
        near = [
            gap_s is not None and median_s is not None and abs(gap_s - median_s) <= WINDOWS.usual_s
            for gap_s in gaps_s
        ]
        return sum(near) / len(near)

    mine = [_instead(o, share([_gap_s(o)])) for o in kept]
    theirs = [_instead(o, share(drawn[o.cluster, o.item, _turn(o)])) for o in kept]
    return told_apart(USUAL, mine, theirs, label)


def _gap_s(found: Observation) -> float | None:
    quantity = found.measurement.quantity
    return quantity.x if isinstance(quantity, Value) else None


def _turn(found: Observation) -> int:
    return found.measurement.turn or 0


def _name(found: Observation) -> str:
    return f"{found.item} {_turn(found)}"


def _instead(found: Observation, share: float) -> Observation:
    """The same event with another outcome."""
    return replace(found, measurement=value(share).on_turn(_turn(found)))


def _drawn(choices: Sequence[T], name: str) -> list[T]:
    """Draw up to `DRAWS` without replacement, by the event's name."""
    random = np.random.default_rng(stable_seed("shuffled events", name))
    return [choices[place] for place in random.permutation(len(choices))[:DRAWS]]
