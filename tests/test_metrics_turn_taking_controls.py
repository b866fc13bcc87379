"""What the deaf controls score, played: the goldens of turn-taking."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cascadence.conversation import AfterReply, Aside, Backchannel, BargeIn, Expect, Pause
from cascadence.measurement import Case, Metric
from cascadence.metrics.task_corpus import observed
from cascadence.metrics.turn_taking import cutoff_rate, takeover_rate_pause, yield_rate
from cascadence.metrics.turn_taking_errors import (
    aside_error_rate,
    backchannel_error_rate,
    system_interruptions_per_turn,
)
from cascadence.protocols import System
from cascadence.statistics import Summary, summarise
from cascadence.systems import scripted
from cascadence.systems.controls import AlwaysTalking, Silent, Toggle
from cascadence.systems.scripted import Scripted
from planted import LEAD_S, Said, conversation, played, spend
from planted_cases import hears

BARGED_IN = 4


@cache
def cases(make: type[System]) -> tuple[Case, ...]:
    """Four conversations of every kind of turn, the first with a pause of half a second."""
    random = np.random.default_rng(7)
    found = []
    for number in range(BARGED_IN):
        lengths_s = random.uniform(1.2, 2.5, 3)
        said = (
            Said(pieces_s=(lengths_s[0], 0.5, 1.0)),
            Said(pieces_s=(lengths_s[1],), when=BargeIn(after_onset_s=0.6)),
            Said(pieces_s=(lengths_s[2],), when=AfterReply(gap_s=random.uniform(0.5, 1.5))),
            Said(pieces_s=(0.4,), when=Backchannel(after_onset_s=0.5)),
            Said(pieces_s=(1.0,), when=Aside(), expect=Expect(stay_silent=True)),
        )
        told = conversation(*said, id=f"c{number}")
        pause = Pause(at_s=LEAD_S + lengths_s[0], duration_s=0.5)
        first = told.turns[0].model_copy(update={"pauses": (pause,)})
        told = told.model_copy(update={"turns": (first, *told.turns[1:])})
        recording = replace(played(make(), *said, seed=number), conversation_id=told.id)
        found.append(Case(recording, told, [each.audio for each in said]))
    return tuple(found)


def corpus(metric: Metric, make: type[System]) -> Summary:
    heard_nothing = hears("")
    found = [o for case in cases(make) for o in observed(metric, case, heard_nothing)]
    return summarise(metric.spec, found)


@pytest.fixture(autouse=True)
def planted_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `Scripted` compute on the planted clock, so that a busy machine changes nothing."""
    monkeypatch.setattr(scripted, "_compute", spend)


def test_silent_takes_no_pause_yields_nothing_and_makes_no_error() -> None:
    assert (corpus(takeover_rate_pause, Silent).value, corpus(takeover_rate_pause, Silent).n) == (
        0,
        4,
    )
    assert (corpus(yield_rate, Silent).value, corpus(yield_rate, Silent).n) == (0, BARGED_IN)
    for metric in (cutoff_rate, aside_error_rate, backchannel_error_rate):
        assert corpus(metric, Silent).value == 0.0


def test_always_talking_cuts_everybody_off_and_yields_to_nobody() -> None:
    assert corpus(cutoff_rate, AlwaysTalking).value == 1.0
    assert corpus(system_interruptions_per_turn, AlwaysTalking).value == 1.0
    assert (corpus(yield_rate, AlwaysTalking).value, corpus(yield_rate, AlwaysTalking).n) == (0, 4)
    assert corpus(aside_error_rate, AlwaysTalking).value == 1.0


def test_toggle_cuts_most_users_off_and_does_not_yield() -> None:
    """Each of its bursts is over by itself, and it says so."""
    cut = corpus(cutoff_rate, Toggle).value
    assert cut is not None
    assert cut > 0.7
    assert corpus(yield_rate, Toggle).value == 0.0
    assert corpus(aside_error_rate, Toggle).value == 1.0


def test_a_system_that_hears_takes_no_pause_and_yields() -> None:
    assert corpus(cutoff_rate, Scripted).value == 0.0
    assert corpus(takeover_rate_pause, Scripted).value == 0.0
    assert corpus(system_interruptions_per_turn, Scripted).value == 0.0
    assert corpus(yield_rate, Scripted).value == 1.0
    assert corpus(aside_error_rate, Scripted).value == 0.0
    assert corpus(backchannel_error_rate, Scripted).value == 0.0
