"""An hour: every registered metric ends in a status, and none takes long over it.

Speech is sparse in an hour of silence, as it would be on a line that was left open. Everything but
the signal features is looked at in the default suite; these, at some hundred times real time, take
over half a minute of computing, and are marked slow.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.conversation import Aside, BargeIn, Expect, Pause, Style
from cascadence.measurement import Case
from cascadence.metrics.tools import Features
from planted_cases import RATE, Spoken, audio_event, case_of, heard, mark, text
from test_metrics_prosody import tune
from test_metrics_survive import METRICS, assert_a_status, measured, tools

HOUR_S = 3600.0
EVERY_S = 120.0


@cache
def sparse() -> Audio:
    """An hour with a sentence every two minutes."""
    samples = np.zeros(round(HOUR_S * RATE), dtype=np.float32)
    sentence = tune().samples
    for start_s in np.arange(3.0, HOUR_S - 5.0, EVERY_S):
        first = round(start_s * RATE)
        samples[first : first + len(sentence)] = sentence
    return Audio(samples, RATE)


def hour(clip: Audio | None, index: int = 0) -> Case:
    """One reply that lasts an hour, to a short turn or to one that lasts an hour too."""
    user_s = 1.5 if clip is None else 900.0
    expect = Expect(contains=("timer",), answer=("timer",), reply_style=Style(pitch=0.0))
    return case_of(
        Spoken(
            0.5, 0.5 + user_s, expect=expect, pauses=(Pause(at_s=0.5, duration_s=0.3),), clip=clip
        ),
        Spoken(HOUR_S - 4.0, HOUR_S - 3.0, when=BargeIn(after_onset_s=1.0)),
        Spoken(HOUR_S - 2.0, HOUR_S - 1.0, when=Aside()),
        system=sparse(),
        events=[
            mark(2.1, "endpoint", "end"),
            heard(2.2, "set a timer"),
            text(2.3, "set a timer"),
            audio_event(2.5, 3.0, HOUR_S - 3.0),
        ],
        duration_s=HOUR_S,
        group=f"g{index}",
        id=f"g{index}-neutral",
    )


def planted_features(audio: Audio) -> Mapping[str, Any]:
    """The features of the first minute, for any length."""
    return Features()(audio.span(0.0, 60.0))


@pytest.mark.parametrize("clip", [None, "an hour"])
def test_an_hour_ends_in_a_status(clip: str | None) -> None:
    instruments = tools()
    instruments.answers["features"] = planted_features
    given = hour(None if clip is None else sparse())
    for metric in METRICS.values():
        assert_a_status(metric, measured(metric, [given], instruments))


@pytest.mark.slow
def test_the_features_of_an_hour_are_those_of_its_sentences() -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    features = Features()
    found, sentence = features(sparse()), features(tune())
    assert found["f0_median_st"] == pytest.approx(sentence["f0_median_st"], abs=0.3)
    assert found["level_db"] == pytest.approx(sentence["level_db"], abs=1.0)
    assert found["pause_ratio"] > 0.98
    known: dict[str, Mapping[str, Any]] = {}
    instruments = tools()
    instruments.answers["features"] = lambda audio: (
        found if audio.duration_s > 600.0 else known.setdefault(audio.sha256(), features(audio))
    )
    cases = [hour(None, index) for index in range(2)]
    for metric in METRICS.values():
        if "features" in metric.spec.needs:
            assert_a_status(metric, measured(metric, cases, instruments))
