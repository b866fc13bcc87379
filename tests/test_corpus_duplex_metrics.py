"""The bundled corpus `duplex`, played: the metrics of turn-taking read its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest

from cascadence.conversation import Conversation
from cascadence.corpus import Corpus, bundled_corpora
from cascadence.measurement import Case, Measurement, Metric, Ratio
from cascadence.metrics.backchannels import (
    backchannel_js_distance,
    backchannel_rate_per_min,
    takeover_rate_backchannel_opportunity,
)
from cascadence.metrics.turn_taking import (
    cutoff_rate,
    takeover_rate_aside,
    takeover_rate_barge_in,
    takeover_rate_pause,
    takeover_rate_turn_end,
    yield_latency_s,
    yield_rate,
)
from cascadence.metrics.turn_taking_errors import aside_error_rate, backchannel_error_rate
from cascadence.protocols import Context, Turn
from cascadence.session import Script, play
from cascadence.systems.cascade import Cascade
from cascadence.systems.oracles import OracleAsr, answers
from cascadence.systems.turn_taking import TurnTaking
from planted import PlantedClock, PlantedTts
from planted_cases import Planted, Spoken, case_of, channel, hears, measured, noise, numbers

FEWEST = 20


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus(bundled_corpora()["duplex"])


@pytest.fixture(scope="module")
def told(corpus: Corpus) -> list[Conversation]:
    return list(corpus)


PLAYED = (
    "turn_end",
    "pause_1500ms",
    "pause_300ms",
    "barge_in_correction",
    "barge_in_stop",
    "barge_in_topic",
    "backchannel",
    "backchannel_opportunity",
    "background_over_reply",
)


def total(found: Sequence[Measurement]) -> tuple[float, float]:
    """Sums of numerators and denominators."""
    ratios = [each.quantity for each in found if isinstance(each.quantity, Ratio)]
    return sum(r.numerator for r in ratios), sum(r.denominator for r in ratios)


class HearsTooSoon(OracleAsr):
    """Understands the turn that was begun last, however little of it was said."""

    def transcribe(self, turn: Turn, context: Context) -> Iterator[str]:
        yield answers(context)[-1].text


@pytest.fixture(scope="module")
def cases(corpus: Corpus, told: list[Conversation]) -> dict[str, Case]:
    """One conversation of each type, played to a cascade that speaks for 3 s at a time."""
    rules = TurnTaking(vad="energy", barge_in_s=0.6)
    played: dict[str, Case] = {}
    with Cascade(HearsTooSoon(), "policy", PlantedTts(sentence_s=3.0), rules) as system:
        for tag in PLAYED:
            one = next(one for one in told if tag in one.tags)
            clips = corpus.clips(one)
            recording = play(system, Script(one, clips, seed=1), PlantedClock())
            played[tag] = Case(recording, one, tuple(clips))
    return played


@pytest.mark.parametrize(
    ("metric", "tag", "expected"),
    [
        (takeover_rate_turn_end, "turn_end", (1, 1)),
        (cutoff_rate, "turn_end", (0, 1)),
        (takeover_rate_pause, "pause_300ms", (0, 1)),
        (takeover_rate_pause, "pause_1500ms", (1, 1)),
        (cutoff_rate, "pause_1500ms", (1, 1)),
        (yield_rate, "barge_in_correction", (1, 1)),
        (yield_rate, "barge_in_stop", (1, 1)),
        (yield_rate, "barge_in_topic", (1, 1)),
        (takeover_rate_barge_in, "barge_in_correction", (1, 1)),
        (takeover_rate_barge_in, "barge_in_topic", (1, 1)),
        (backchannel_error_rate, "backchannel", (0, 1)),
        (aside_error_rate, "backchannel", (1, 1)),
        (takeover_rate_aside, "backchannel", (1, 1)),
        (aside_error_rate, "background_over_reply", (2, 2)),
    ],
)
def test_metrics_read_the_events(
    cases: Mapping[str, Case], metric: Metric, tag: str, expected: tuple[int, int]
) -> None:
    case = cases[tag]
    assert [turn.index for turn in case.recording.turns] == list(
        range(len(case.conversation.turns))
    )
    assert total(measured(metric, case, hears("yes"))) == expected


def test_a_barge_in_is_yielded_to_after_as_much_speech_as_the_rules_say(
    cases: Mapping[str, Case],
) -> None:
    for tag in ("barge_in_correction", "barge_in_topic"):
        (latency_s,) = numbers(measured(yield_latency_s, cases[tag]))
        assert latency_s is not None
        assert 0.6 <= latency_s <= 1.0
        barge_in = cases[tag].recording.turns[1]
        assert barge_in.trigger == "onset"


def listened(conversation: Conversation, at_s: Sequence[float]) -> Case:
    """Somebody who hums at these times of a single turn and says nothing else."""
    (turn,) = conversation.turns
    hums = [(t_s, noise(0.3, index)) for index, t_s in enumerate(at_s)]
    end_s = turn.speech_s[1] + 2.0
    case = case_of(Spoken(*turn.speech_s), system=channel(end_s, *hums), duration_s=end_s)
    return Case(case.recording, conversation, case.clips)


def test_who_hums_as_the_rule_says_is_near_it_and_who_hums_elsewhere_is_not(
    told: list[Conversation],
) -> None:
    near, far = [], []
    judge: Planted = hears("mm hmm")
    for one in (one for one in told if "backchannel_opportunity" in one.tags):
        at_s = one.turns[0].backchannels_s
        case = listened(one, at_s)
        near += measured(backchannel_js_distance, case, judge)
        far += measured(backchannel_js_distance, listened(one, [t + 0.5 for t in at_s]), judge)
        assert total(measured(takeover_rate_backchannel_opportunity, case, judge)) == (0, 1)
        hums, _ = total(measured(backchannel_rate_per_min, case, judge))
        assert hums == 2
    assert len(near) >= FEWEST
    assert np.mean([x for x in numbers(near) if x is not None]) < 0.25
    assert np.mean([x for x in numbers(far) if x is not None]) > 0.9
