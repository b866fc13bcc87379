"""Latency: how long the user waits, and for what.

All times are on the conversation's clock, seconds. The system's onset is its first audible sample
(from the waveform: leading silence in a chunk is not speech), the user's offset is the manifest's.
**Negative means overlap, and is kept**; a reply that never came is `Censored`, not dropped.

The waterfall (`endpointing_delay_s`, `heard_s`, `first_token_s`, `first_audio_s`, `onset_s`) is
counted from the user's offset, so that differences of neighbours are the stages; its corpus value
is a mean, because means of stages add up and medians do not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cascadence.events import Stamped
from cascadence.measurement import (
    Case,
    Measurement,
    Tools,
    censored,
    metric,
    ratio,
    skipped,
    value,
)
from cascadence.metrics.turns import (
    FRAME_S,
    PlayedView,
    chunk_at,
    each_turn,
    expects_reply,
)
from cascadence.playout import Stall

ANY = (float("-inf"), float("inf"))
NOT_NEGATIVE = (0.0, float("inf"))

NO_REPLY = "no reply came"
NO_CHUNKS = "the recording does not tell when its chunks of audio came"
NO_DECISION = "the system marks no end-of-turn decision"

_on_replies: Callable[..., list[Measurement]] = partial(
    each_turn, applies=expects_reply, otherwise="no reply is expected here"
)


@metric(
    family="latency",
    unit="s",
    direction="lower",
    range=ANY,
    level="turn",
    summary="survival",
    reference="Stivers et al. 2009, doi:10.1073/pnas.0903616106; Kaplan-Meier for missing replies",
)
def response_gap_s(case: Case, tools: Tools) -> list[Measurement]:
    """System's first audible sample minus the user's last one.

    Negative where they overlap. Where no reply comes before the next user turn, or before the user
    gives up, the gap is at least that long: `Censored`. Turns that expect silence, asides and
    backchannels are skipped.
    """

    def gap(view: PlayedView) -> Measurement:
        if view.onset_s is None:
            return censored(view.end_s - view.offset_s)
        return value(view.onset_s - view.offset_s)

    return _on_replies(case, gap)


def _decision(view: PlayedView) -> Stamped | None:
    """The end-of-turn decision that led to the reply: the last one before it."""
    ends = [e for e in view.events("mark") if _is_mark(e, "endpoint", "end")]
    limit_s = _made_by_s(view)
    return next((e for e in reversed(ends) if e.t_s <= limit_s), None)


def _first_text(view: PlayedView) -> Stamped | None:
    """The first text of the reply: `TextOut`, or the mark of the language model's first token."""
    since_s, until_s = view.since_s, _made_by_s(view)
    firsts = [e for e in view.events("mark") if _is_mark(e, "llm", "first")]
    told = [*firsts, *view.events("text")]
    return min(
        (event for event in told if since_s <= event.t_s <= until_s),
        key=lambda event: event.t_s,
        default=None,
    )


def _first_audio(view: PlayedView) -> Stamped | None:
    """The reply's first `AudioOut`: the first one after the decision.

    A system that marks no decision may send silence all the time; for it, the chunk that plays at
    the onset counts.
    """
    if view.onset_s is None:
        return None
    decision = _decision(view)
    if decision is not None:
        since_s = max(decision.t_s, view.since_s)
        chunks = [e for e in view.events("audio") if e.t_s >= since_s]
        if chunks and chunks[0].t_s <= view.onset_s:
            return chunks[0]
    return chunk_at(view.case.recording, view.onset_s)


def _made_by_s(view: PlayedView) -> float:
    """When the audio that plays at the onset was yielded; what led to it came before."""
    if view.onset_s is None:
        return view.end_s
    chunk = chunk_at(view.case.recording, view.onset_s)
    return view.onset_s if chunk is None else chunk.t_s


def _is_mark(event: Stamped, stage: str, edge: str) -> bool:
    return bool(event.data["stage"] == stage and event.data["edge"] == edge)


def _from_offset(view: PlayedView, event: Stamped | None, missing: str) -> Measurement:
    if event is not None:
        return value(event.t_s - view.offset_s)
    return skipped(missing if view.onset_s is not None else NO_REPLY)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def endpointing_delay_s(case: Case, tools: Tools) -> list[Measurement]:
    """End-of-turn decision minus the user's true end.

    The decision is ``Mark("endpoint", "end")``; where there are several (the system thought so
    before), the last one before the reply. Negative: it decided while the user was still speaking.
    """

    def delay(view: PlayedView) -> Measurement:
        decision = _decision(view)
        return skipped(NO_DECISION) if decision is None else _from_offset(view, decision, "")

    return _on_replies(case, delay)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def heard_s(case: Case, tools: Tools) -> list[Measurement]:
    """Final transcript (the last `Heard` before the reply) minus the user's end."""

    def heard(view: PlayedView) -> Measurement:
        limit_s = _made_by_s(view)
        told = [event for event in view.events("heard") if event.t_s <= limit_s]
        return _from_offset(
            view, told[-1] if told else None, "the system does not say what it hears"
        )

    return _on_replies(case, heard)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def first_token_s(case: Case, tools: Tools) -> list[Measurement]:
    """First text of the reply (`TextOut` or ``Mark("llm", "first")``) minus the user's end."""

    def first(view: PlayedView) -> Measurement:
        return _from_offset(view, _first_text(view), "the system tells no text")

    return _on_replies(case, first)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def first_audio_s(case: Case, tools: Tools) -> list[Measurement]:
    """First `AudioOut` of the reply, silent or not, minus the user's end."""

    def first(view: PlayedView) -> Measurement:
        return _from_offset(view, _first_audio(view), "the recording tells no chunks")

    return _on_replies(case, first)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def onset_s(case: Case, tools: Tools) -> list[Measurement]:
    """First audible sample of the reply minus the user's end: the waterfall's last step.

    Equals `response_gap_s` where a reply came; skipped where none did, so that the steps of the
    waterfall are means over the same turns.
    """

    def onset(view: PlayedView) -> Measurement:
        if view.onset_s is None:
            return skipped(NO_REPLY)
        return value(view.onset_s - view.offset_s)

    return _on_replies(case, onset)


@metric(family="latency", unit="s", direction="neither", range=ANY, level="turn")
def unexplained_s(case: Case, tools: Tools) -> list[Measurement]:
    """What the waterfall does not explain of the gap.

    The events say when the reply's first chunk starts to play and which chunks follow. Whatever
    part of the time from there to the audible onset no chunk covers is unexplained (a stall before
    the first sound); an onset before the first chunk is unexplained too, and negative. Up to one
    frame of 20 ms counts as 0.
    """

    def unexplained(view: PlayedView) -> Measurement:
        first = _first_audio(view)
        if view.onset_s is None or first is None:
            return skipped(NO_REPLY if view.onset_s is None else "the recording tells no chunks")
        plays_s = float(first.data["start_s"])
        covered_s = 0.0
        for chunk in view.events("audio"):
            start_s = float(chunk.data["start_s"])
            end_s = start_s + float(chunk.data["duration_s"])
            covered_s += max(0.0, min(end_s, view.onset_s) - max(start_s, plays_s))
        missing_s = (view.onset_s - plays_s) - covered_s
        return value(missing_s if abs(missing_s) > FRAME_S else 0.0)

    return _on_replies(case, unexplained)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def ttfa_s(case: Case, tools: Tools) -> list[Measurement]:
    """Time to first audio: end-of-turn decision to first *audible* sample.

    Excludes the endpointing delay, unlike the gap; leading silence in a chunk counts as waiting.
    """

    def ttfa(view: PlayedView) -> Measurement:
        decision = _decision(view)
        if view.onset_s is None or decision is None:
            return skipped(NO_REPLY if view.onset_s is None else NO_DECISION)
        return value(view.onset_s - decision.t_s)

    return _on_replies(case, ttfa)


@metric(family="latency", unit="s", direction="lower", range=ANY, level="turn")
def ttft_s(case: Case, tools: Tools) -> list[Measurement]:
    """Time to first token: end-of-turn decision to the first text of the reply."""

    def ttft(view: PlayedView) -> Measurement:
        decision, first = _decision(view), _first_text(view)
        if decision is None:
            return skipped(NO_REPLY if view.onset_s is None else NO_DECISION)
        if first is None:
            return skipped(NO_REPLY if view.onset_s is None else "the system tells no text")
        return value(first.t_s - decision.t_s)

    return _on_replies(case, ttft)


@metric(
    family="latency",
    unit="ratio",
    direction="lower",
    range=NOT_NEGATIVE,
    level="conversation",
    summary="ratio",
)
def rtf(case: Case, tools: Tools) -> Measurement:
    """Real-time factor: compute time over the duration of the audio produced.

    Says what a reply costs, never how long the user waits. Audio that was dropped after a barge-in
    was produced and counts.
    """
    produced_s = sum(
        float(event.data["duration_s"]) for event in case.recording.events if event.kind == "audio"
    )
    if produced_s <= 0.0:
        sounds = bool(case.recording.system.samples.any())
        return skipped(NO_CHUNKS if sounds else "the system produced no audio")
    return ratio(case.recording.compute_s, produced_s)


@metric(
    family="latency", unit="s", direction="lower", range=NOT_NEGATIVE, level="turn", version="2"
)
def stall_s(case: Case, tools: Tools) -> list[Measurement]:
    """Silence inside a reply because its next chunk was late; the number of stalls in the details.

    Pauses that were synthesised are none.
    """

    def stall(view: PlayedView) -> Measurement:
        if view.onset_s is None:
            return skipped(NO_REPLY)
        if not _tells_chunks(case):
            return skipped(NO_CHUNKS)
        late = _stalls(view)
        return value(sum(s.duration_s for s in late), stalls=len(late))

    return _on_replies(case, stall)


@metric(
    family="latency", unit="count", direction="lower", range=NOT_NEGATIVE, level="turn", version="2"
)
def stalls(case: Case, tools: Tools) -> list[Measurement]:
    """How often a reply falls silent because its next chunk was late; see `stall_s`."""

    def count(view: PlayedView) -> Measurement:
        if view.onset_s is None:
            return skipped(NO_REPLY)
        if not _tells_chunks(case):
            return skipped(NO_CHUNKS)
        return value(len(_stalls(view)))

    return _on_replies(case, count)


def _tells_chunks(case: Case) -> bool:
    """Whether chunks were logged: a recording made elsewhere may hold the sound alone."""
    recording = case.recording
    return bool(recording.stalls) or any(event.kind == "audio" for event in recording.events)


def _stalls(view: PlayedView) -> list[Stall]:
    return [s for s in view.case.recording.stalls if view.start_s <= s.start_s < view.end_s]
