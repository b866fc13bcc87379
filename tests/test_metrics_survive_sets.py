"""Contrast sets in which every metric has something to measure, and what must not matter to it.

A cell of six sets, two styles, two repeats: asides, barge-ins, backchannels, tools, everything
that a manifest can ask for. Every registered metric has a value there. Then the same cell louder,
softer and later has the same values; and with odd sounds in place of user or replies each metric
still ends in a status.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest

from cascadence.audio import Audio, silence
from cascadence.conversation import (
    Aside,
    Backchannel,
    BargeIn,
    Expect,
    ExpectedToolCall,
    Pause,
    Style,
    UserTurn,
)
from cascadence.events import Stamped
from cascadence.measurement import Case, Measurement, Ratio, Value
from cascadence.playout import Stall
from planted_cases import (
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
from test_metrics_prosody import TUNE, Remembered, tune
from test_metrics_survive import METRICS, REPLIES, assert_a_status, measured, tools

GROUPS, REPEATS = 6, 2
WORDS = ("set a timer now please sam", "call a doctor now my dear")
"""By the number of the set, so that there are other words to compare with."""
CALL = ExpectedToolCall(name="timer", arguments={"minutes": 7.0})
STYLES = {
    "neutral": Style(
        label="neutral", emotion="neutral", sentence_type="statement", sarcasm=False, emphasis=(0,)
    ),
    "excited": Style(
        label="excited",
        emotion="happy",
        sentence_type="question",
        sarcasm=True,
        emphasis=(2,),
        hesitations=((0.1, 0.2),),
    ),
}
WANTED = {
    "neutral": Expect(
        slots={"what": ("timer",)},
        contains=("timer",),
        answer=("timer",),
        reply_text=WORDS[0],
        reply_style=Style(pitch=0.0),
        tool_calls=(CALL,),
    ),
    "excited": Expect(contains=("alarm",), reply_text=WORDS[0], reply_style=Style(pitch=3.0)),
}


@dataclass(frozen=True)
class Sounds:
    """What user and system sound like.

    Attributes:
        clip: of the first turn, by group and style.
        reply: to it, by the clip.
        gain: of the system's channel.
        later_s: how much later everything happens.
    """

    clip: Callable[[int, str], Audio]
    reply: Callable[[Audio], Audio] = lambda clip: clip
    gain: float = 1.0
    later_s: float = 0.0


@lru_cache(maxsize=16)
def clip(group: int, style: str) -> Audio:
    """Who is excited speaks higher, livelier, louder and quicker."""
    is_excited = style == "excited"
    lively = 1.5 if is_excited else 1.0
    levels = (0.1, 0.12, 0.08 + 0.01 * group, 0.1, 0.1, 0.1)
    return tune(
        f0_hz=[TUNE[0] * (hz / TUNE[0]) ** lively for hz in TUNE],
        durations_s=(0.22 if is_excited else 0.27,) * 6,
        levels=[(1.5 if is_excited else 1.0) * level for level in levels],
        shift=2.0 ** ((0.5 * group + 3.0 * is_excited) / 12.0),
        pause_s=0.2,
    )


def rich(sounds: Sounds, group: int, style: str, repeat: int) -> Case:
    """One conversation; see the timeline in the code."""
    first, t = sounds.clip(group, style), sounds.later_s
    words = WORDS[group % 2]
    answer = sounds.reply(first)
    end_s = first.duration_s + 0.5
    after_s = end_s + 0.5 + answer.duration_s
    begun_s = after_s + t

    def at(clock_s: float) -> float:
        """From the end of the first reply on."""
        return begun_s + clock_s

    spoken = (
        Spoken(0.5 + t, max(end_s, 0.6) + t, text=words, expect=WANTED[style], clip=first),
        Spoken(
            at(1.0), at(3.0), text="and then I went on", pauses=(Pause(at_s=1.2, duration_s=0.3),)
        ),
        Spoken(at(4.0), at(4.3), text="mm hmm", when=Backchannel(after_onset_s=0.5)),
        Spoken(at(6.0), at(6.6), text="no stop", when=BargeIn(after_onset_s=2.5)),
        Spoken(at(8.6), at(9.1), text="not you", when=Aside()),
        Spoken(at(9.5), at(10.0), text="quiet", expect=Expect(stay_silent=True)),
    )
    rate = answer.sample_rate
    system = channel(
        at(11.0),
        (end_s + 0.5 + t, answer),
        (at(1.5), noise(0.3, 1, rate)),
        (at(3.5), noise(2.7, 2 + group + repeat, rate)),
        (at(7.0), noise(1.2, 30 + group, rate)),
    )
    case = case_of(
        *spoken,
        system=Audio(system.samples * np.float32(sounds.gain), rate),
        events=_events(words, end_s + t, after_s - end_s - 0.5, at),
        stalls=(Stall(at(4.5), 0.2),),
        duration_s=at(11.0),
        compute_s=1.0,
        group=f"g{group}",
        id=f"g{group}-{style}",
    )
    turns = (_styled(case.conversation.turns[0], style), _followed(case.conversation.turns[1]))
    told = case.conversation.model_copy(update={"turns": turns + case.conversation.turns[2:]})
    return Case(replace(case.recording, repeat=repeat), told, case.clips)


def _styled(turn: UserTurn, style: str) -> UserTurn:
    return turn.model_copy(update={"style": STYLES[style], "speaker": "sam"})


def _followed(turn: UserTurn) -> UserTurn:
    """A turn that people would acknowledge."""
    return turn.model_copy(update={"backchannels_s": (0.5,)})


def _events(
    words: str, end_s: float, answer_s: float, at: Callable[[float], float]
) -> list[Stamped]:
    return [
        mark(end_s + 0.1, "endpoint", "end"),
        heard(end_s + 0.2, "set a time now please sam"),
        mark(end_s + 0.3, "llm", "first"),
        text(end_s + 0.35, words),
        Stamped(end_s + 0.36, "tool_call", {"name": "timer", "arguments": {"minutes": 7.0}}),
        audio_event(end_s + 0.45, end_s + 0.5, answer_s),
        Stamped(end_s + 0.5 + answer_s, "end_of_turn", {}),
        mark(at(3.1), "endpoint", "end"),
        heard(at(3.2), "and then I went on"),
        text(at(3.3), "tell me more of it"),
        audio_event(at(3.4), at(3.5), 3.5),
        Stamped(at(6.15), "clear", {}),
        mark(at(6.7), "endpoint", "end"),
        heard(at(6.75), "no stop"),
        text(at(6.8), "all right"),
        audio_event(at(6.9), at(7.0), 1.2),
        Stamped(at(8.25), "end_of_turn", {}),
    ]


def cell(sounds: Sounds, repeats: int = REPEATS) -> list[Case]:
    """All conversations."""
    return [
        rich(sounds, group, style, repeat)
        for group in range(GROUPS)
        for style in STYLES
        for repeat in range(repeats)
    ]


@pytest.fixture(scope="module")
def instruments() -> Planted:
    """Real features, each sound measured once; a judge that tells words from a hum by length."""
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    made = tools()
    made.answers["features"] = Remembered()
    made.answers["judge_asr"] = lambda audio: {
        "text": (said := "mm hmm" if audio.duration_s < 0.5 else WORDS[0]),
        "words": said.split(),
        "no_speech_prob": 0.1,
    }
    made.answers["emotion"] = lambda audio: {
        "label": "happy",
        "outputs": {},
        "labels": ["happy", "neutral"],
    }
    return made


@pytest.fixture(scope="module")
def plain(instruments: Planted) -> dict[str, list[Measurement]]:
    """What every metric says of the cell as it is."""
    given = cell(Sounds(clip))
    return {name: measured(metric, given, instruments) for name, metric in METRICS.items()}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_value_here(name: str, plain: dict[str, list[Measurement]]) -> None:
    """Else the tests below would compare nothing."""
    assert_a_status(METRICS[name], plain[name])
    statuses = {(found.status, found.reason) for found in plain[name]}
    assert ("ok", "") in statuses, statuses


def quantity(found: Measurement) -> tuple[str, int | None, float | None]:
    match found.quantity:
        case Value(x):
            return found.status, found.turn, x
        case Ratio(numerator, denominator):
            return found.status, found.turn, numerator / denominator
    return found.status, found.turn, getattr(found.quantity, "lower_bound", None)


DRAWN = {"yield_rate_shuffled", "response_gap_shuffled_s"}
"""Where others' events are put is drawn anew in a recording of another length."""


@pytest.mark.parametrize(
    "changed",
    [Sounds(clip, gain=0.5), Sounds(clip, gain=1.5), Sounds(clip, later_s=1.0)],
    ids=["softer", "louder", "later"],
)
def test_gain_and_time_change_nothing(
    changed: Sounds, instruments: Planted, plain: dict[str, list[Measurement]]
) -> None:
    given = cell(changed)
    for name, metric in METRICS.items():
        if changed.later_s and name in DRAWN:
            continue
        found = measured(metric, given, instruments)
        assert len(found) == len(plain[name])
        for one, other in zip(map(quantity, found), map(quantity, plain[name]), strict=True):
            assert one[:2] == other[:2], name
            if one[2] is None or other[2] is None:
                assert one[2] is other[2], name
            else:
                assert one[2] == pytest.approx(other[2], rel=0.01, abs=0.01), name


def odd(sound: Audio) -> Audio:
    """What is heard of a channel of `REPLIES`; something, so that there is a channel at all."""
    return sound.span(2.5, 4.5) if len(sound) else silence(0.0, sound.sample_rate)


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("side", ["user", "system"])
def test_odd_sounds_in_contrast_sets_end_in_a_status(
    name: str, side: str, instruments: Planted
) -> None:
    sound = odd(REPLIES[name])
    sounds = Sounds(clip, lambda said: sound)
    if side == "user":
        sounds = Sounds(lambda group, style: sound, lambda said: clip(0, "neutral"))
    given = cell(sounds, repeats=1)
    for metric in METRICS.values():
        assert_a_status(metric, measured(metric, given, instruments))
