"""Every metric, whatever it is given, ends in a status: no exception, no NaN, no 0 for missing."""

import json
import math

import numpy as np
import pytest

from cascadence.audio import Audio, silence
from cascadence.conversation import Aside, BargeIn, Expect, Pause
from cascadence.measurement import Case, Measurement, Metric, Ratio, Value
from cascadence.metrics.tools import Features
from cascadence.registry import registered
from cascadence.scoring import load_metrics
from planted_cases import (
    RATE,
    Planted,
    Spoken,
    audio_event,
    case_of,
    channel,
    heard,
    mark,
    noise,
    text,
)

METRICS = {
    found.spec.name: found
    for found in load_metrics([])
    if found.function.__module__.startswith("cascadence.")
}
REPLIES = {
    "silent": silence(12.0, RATE),
    "empty": silence(0.0, RATE),
    "one sample": channel(12.0, (3.0, Audio(np.array([0.9], dtype=np.float32), RATE))),
    "a click": channel(12.0, (3.0, noise(0.03))),
    "direct current": channel(12.0, (3.0, Audio(np.full(RATE, 0.5, dtype=np.float32), RATE))),
    "clipped": channel(12.0, (3.0, Audio(np.sign(noise(1.0).samples), RATE))),
    "narrow band": channel(12.0, (3.0, noise(1.0, rate=8_000))),
    "wide band": channel(12.0, (3.0, noise(1.0, rate=48_000))),
    "all the time": noise(12.0),
}


def tools() -> Planted:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    return Planted(
        judge_asr=lambda audio: {"text": "set a timer", "words": [], "no_speech_prob": 0.1},
        dnsmos=lambda audio: {"ovrl": 3.0, "sig": 3.0, "bak": 3.0},
        llm_judge=lambda question: {"verdict": "partly", "reason": ""},
        utmos=lambda audio: {"mos": 3.0},
        emotion=lambda audio: {"label": "sad", "outputs": {}, "labels": ["sad", "angry"]},
        auto_pcp=lambda pair: {"pcp": 3.0, "reference_first": 2.9, "reply_first": 3.1},
        features=Features(),
    )


def case(system: Audio) -> Case:
    """A bit of everything that a manifest can ask for."""
    expect = Expect(slots={"time": ("7",)}, contains=("timer",), answer=("seven",))
    return case_of(
        Spoken(0.5, 2.0, expect=expect, pauses=(Pause(at_s=0.5, duration_s=0.3),)),
        Spoken(5.0, 6.0, when=BargeIn(after_onset_s=1.0), clip=silence(1.0, RATE)),
        Spoken(8.0, 9.0, when=Aside(), expect=Expect(stay_silent=True)),
        system=system,
        events=[
            mark(2.3, "endpoint", "end"),
            heard(2.4, "set a timer"),
            text(2.6, "set a timer"),
            audio_event(3.0, 3.0, 1.0),
        ],
        group="g",
    )


def measured(metric: Metric, cases: list[Case], instruments: Planted) -> list[Measurement]:
    """All that a metric finds in a cell."""
    if metric.spec.level == "corpus":
        return [metric.measure_corpus(cases, instruments)]
    return [found for each in cases for found in metric.measure(each, instruments)]


def assert_a_status(metric: Metric, found: list[Measurement]) -> None:
    """No failure, a reason exactly where it was skipped, numbers inside the range, JSON."""
    name = metric.spec.name
    low, high = metric.spec.range
    for measurement in found:
        assert measurement.status != "failed", (name, measurement.reason)
        assert (measurement.status == "skipped") == bool(measurement.reason), name
        json.dumps(measurement.details, allow_nan=False)
        assert not np.isnan(measurement.interval or ()).any(), name
        match measurement.quantity:
            case Value(x):
                assert low <= x <= high, name
            case Ratio(numerator, denominator):
                assert low <= numerator / denominator <= high, name
                assert math.isfinite(numerator)


def test_every_registered_metric_is_here() -> None:
    """A new entry point is covered without anybody thinking of it."""
    points = {n: p.value for n, p in registered("metrics").items()}
    assert METRICS.keys() == {n for n, where in points.items() if where.startswith("cascadence.")}


def test_all_seven_families_are_here() -> None:
    assert {metric.spec.family for metric in METRICS.values()} == {
        "intelligibility",
        "latency",
        "paralinguistics",
        "prosody",
        "quality",
        "task",
        "turn_taking",
    }


@pytest.mark.parametrize("name", METRICS)
def test_each_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert metric.doc
    assert metric.spec.range[0] < metric.spec.range[1]
    assert not name.endswith("_s") or metric.spec.unit == "s"


@pytest.mark.parametrize("reply", REPLIES)
def test_odd_sounds_end_in_a_status(reply: str) -> None:
    instruments = tools()
    given = case(REPLIES[reply])
    for metric in METRICS.values():
        assert_a_status(metric, measured(metric, [given, given], instruments))


@pytest.mark.parametrize("name", [n for n in METRICS if METRICS[n].spec.level == "corpus"])
def test_an_empty_cell_is_skipped(name: str) -> None:
    assert METRICS[name].measure_corpus([], Planted()).status == "skipped"
