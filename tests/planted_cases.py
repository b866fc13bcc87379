"""Recordings made in memory for tests of metrics: what was said when is planted to the sample."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cascadence.audio import Audio, silence
from cascadence.conversation import (
    AfterReply,
    AudioRef,
    Conversation,
    Expect,
    Pause,
    UserTurn,
    When,
)
from cascadence.events import Stamped
from cascadence.measurement import Case, Censored, Measurement, Metric, Ratio, Value
from cascadence.playout import Stall
from cascadence.recording import Recording
from cascadence.simulator import PlayedTurn

RATE = 16_000
Span = tuple[float, float]


@dataclass(frozen=True)
class Spoken:
    """A user turn: its clip begins and ends with the speech."""

    start_s: float
    end_s: float
    text: str = "set a timer"
    when: When = field(default_factory=AfterReply)
    expect: Expect = field(default_factory=Expect)
    pauses: tuple[Pause, ...] = ()
    clip: Audio | None = None
    trigger: str = "reply_ended"


class Planted:
    """Tools that answer as told; remembers which sounds it was asked about."""

    def __init__(self, **answers: Callable[[Audio], Mapping[str, Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Audio]] = []

    def use(self, name: str, audio: Audio) -> Mapping[str, Any]:
        self.asked.append((name, audio))
        return self.answers[name](audio)


def hears(text: str) -> Planted:
    """A judge ASR that hears the same in every sound."""
    return Planted(judge_asr=lambda audio: {"text": text, "words": text.split()})


def noise(duration_s: float, seed: int = 0, rate: int = RATE) -> Audio:
    random = np.random.default_rng(seed)
    samples = random.uniform(-0.3, 0.3, round(duration_s * rate))
    return Audio(samples.astype(np.float32), rate)


def channel(duration_s: float, *parts: tuple[float, Audio]) -> Audio:
    """Sounds placed on a silent channel at their times."""
    rate = parts[0][1].sample_rate if parts else RATE
    samples = silence(duration_s, rate).samples.copy()
    for start_s, audio in parts:
        first = round(start_s * rate)
        samples[first : first + len(audio)] = audio.samples
    return Audio(samples, rate)


def audio_event(t_s: float, start_s: float, duration_s: float) -> Stamped:
    return Stamped(t_s, "audio", {"start_s": start_s, "duration_s": duration_s})


def mark(t_s: float, stage: str, edge: str) -> Stamped:
    return Stamped(t_s, "mark", {"stage": stage, "edge": edge})


def text(t_s: float, said: str) -> Stamped:
    return Stamped(t_s, "text", {"text": said})


def heard(t_s: float, understood: str) -> Stamped:
    return Stamped(t_s, "heard", {"text": understood})


def case_of(
    *spoken: Spoken,
    system: Sequence[Span] | Audio = (),
    events: Sequence[Stamped] = (),
    stalls: Sequence[Stall] = (),
    duration_s: float = 12.0,
    compute_s: float = 0.0,
    group: str | None = None,
    id: str = "c1",
    cell: str = "cell",
) -> Case:
    """A conversation; the system makes noise in the spans, or plays this channel."""
    if not isinstance(system, Audio):
        system = channel(duration_s, *((a, noise(b - a, i)) for i, (a, b) in enumerate(system)))
    turns = tuple(
        UserTurn(
            text=each.text,
            audio=AudioRef(path="clip.flac"),
            speech_s=(0.0, each.end_s - each.start_s),
            when=each.when,
            expect=each.expect,
            pauses=each.pauses,
        )
        for each in spoken
    )
    recording = Recording(
        conversation_id=id,
        cell=cell,
        repeat=0,
        user=silence(duration_s, RATE),
        system=system,
        events=tuple(sorted(events, key=lambda event: event.t_s)),
        turns=tuple(
            PlayedTurn(i, each.start_s, each.start_s, each.end_s, each.trigger)  # type: ignore[arg-type]
            for i, each in enumerate(spoken)
        ),
        stalls=tuple(stalls),
        clock="virtual",
        compute_s=compute_s,
    )
    clips = tuple(each.clip or noise(each.end_s - each.start_s, 99) for each in spoken)
    told = Conversation(id=id, licence="CC0-1.0", source="test", turns=turns, group=group)
    return Case(recording, told, clips)


def measured(metric: Metric, case: Case, tools: Planted | None = None) -> list[Measurement]:
    """Measure directly, so that an error is an error; every measurement knows its turn."""
    found = metric.function(case, tools or Planted())
    return [found] if isinstance(found, Measurement) else list(found)


def numbers(measurements: Sequence[Measurement]) -> list[float | None]:
    """Values and ratios as numbers; ``None`` for everything else."""

    def number(measurement: Measurement) -> float | None:
        match measurement.quantity:
            case Value(x):
                return x
            case Ratio(numerator, denominator):
                return numerator / denominator
        return None

    return [number(measurement) for measurement in measurements]


def bounds(measurements: Sequence[Measurement]) -> list[float | None]:
    """Lower bounds of what is censored; ``None`` for everything else."""
    quantities = [measurement.quantity for measurement in measurements]
    return [q.lower_bound if isinstance(q, Censored) else None for q in quantities]
