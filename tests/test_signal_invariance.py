"""What must not matter to the signal features: gain, an offset, silence around."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascadence.audio import Audio, concatenate, silence
from cascadence.corpus import open_corpus
from cascadence.metrics.signal import ANALYSIS_RATE
from cascadence.metrics.tools import Features
from test_signal import syllables

RATE = ANALYSIS_RATE
BOUNDS = {
    "level_db": 0.05,
    "level_range_db": 1.0,
    "speech_s": 0.021,
    "pause_ratio": 0.01,
    "syllables": 1,
    "rate_syllables_per_s": 0.6,
    "f0_median_st": 0.5,
    "f0_range_st": 1.0,
    "spectral_tilt_db_per_octave": 0.15,
    "hnr_db": 0.8,
}
"""How far each may move when frames fall elsewhere; one syllable is a tenth of the rate. (Most do
not move at all: the median of each change is 0.)"""


def utterance(number: int) -> Audio:
    """A clip of the bundled corpus, its own silence cut away."""
    corpus = open_corpus("assistant")
    conversation = corpus.conversation(corpus.index()[number].id)
    turn = conversation.turns[0]
    return corpus.clip(turn).at_rate(RATE).span(*turn.speech_s)


@pytest.fixture(scope="module")
def features() -> Features:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    return Features()


@pytest.fixture(scope="module")
def clips() -> list[Audio]:
    return [
        Audio(0.3 * c.samples / np.abs(c.samples).max(), RATE) for c in map(utterance, (10, 40, 60))
    ]


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_gain_moves_the_level_and_nothing_else(
    features: Features, clips: list[Audio], data: st.DataObject
) -> None:
    clip = data.draw(st.sampled_from(clips))
    gain_db = data.draw(st.floats(-50.0, 10.0))
    louder = Audio((clip.samples * 10 ** (gain_db / 20)).astype(np.float32), RATE)
    plain, found = dict(features(clip)), dict(features(louder))
    assert found.pop("level_db") == pytest.approx(plain.pop("level_db") + gain_db, abs=0.01)
    for track in (plain, found):
        track["f0_hz"] = np.array(track["f0_hz"])
        assert track["f0_hz"].any()
    np.testing.assert_allclose(found.pop("f0_hz"), plain.pop("f0_hz"), atol=0.5)
    assert found.pop("pauses_s") == plain.pop("pauses_s")
    for name, value in plain.items():
        assert found[name] == pytest.approx(value, abs=0.02), name


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_silence_around_and_an_offset_change_little(
    features: Features, clips: list[Audio], data: st.DataObject
) -> None:
    clip = data.draw(st.sampled_from(clips))
    before_s, after_s = (data.draw(st.floats(0.0, 3.0)) for _ in range(2))
    offset = data.draw(st.floats(-0.3, 0.3))
    around = [silence(before_s, RATE), clip, silence(after_s, RATE)]
    sound = Audio(concatenate(around, RATE).samples + np.float32(offset), RATE)
    plain, found = features(clip), features(sound)
    for name, bound in BOUNDS.items():
        assert found[name] == pytest.approx(plain[name], abs=bound), name
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("before_s", "after_s"), [(0.01, 0.0), (0.0, 0.7), (1.0, 0.5), (2.13, 1.0)]
)
def test_silence_that_keeps_the_frames_changes_no_digit(
    features: Features, clips: list[Audio], before_s: float, after_s: float
) -> None:
    for clip in clips:
        around = [silence(before_s, RATE), clip, silence(after_s, RATE)]
        plain, found = features(clip), features(concatenate(around, RATE))
        apart = {name for name in BOUNDS if plain[name] != found[name]}
        assert apart == set()


@settings(max_examples=25, deadline=None)
@given(before=st.integers(0, 40_000), after=st.integers(0, 40_000))
def test_silence_of_any_length_changes_nothing_of_a_voice_that_begins_at_once(
    features: Features, before: int, after: int
) -> None:
    """Frames are laid from the first loud sample on, wherever that is."""
    around = np.zeros(before), syllables(6, 4.0, 130.0).samples[400:-400], np.zeros(after)
    found = features(Audio(np.concatenate(around).astype(np.float32), RATE))
    plain = features(Audio(around[1], RATE))
    assert plain["f0_median_st"] is not None
    for name in BOUNDS:
        assert found[name] == pytest.approx(plain[name], abs=0.01), name


@settings(max_examples=40, deadline=None)
@given(
    pieces=st.lists(
        st.tuples(
            st.sampled_from(["noise", "silence", "tone", "clicks", "square"]), st.integers(1, 6000)
        ),
        max_size=4,
    ),
    level=st.sampled_from([1e-6, 1e-3, 0.1, 1.0]),
)
def test_any_sound_has_features_that_json_can_hold(
    features: Features, pieces: list[tuple[str, int]], level: float
) -> None:
    random = np.random.default_rng(0)
    makers = {
        "noise": lambda n: random.uniform(-1, 1, n),
        "silence": np.zeros,
        "tone": lambda n: np.sin(2 * np.pi * 180.0 * np.arange(n) / RATE),
        "clicks": lambda n: (np.arange(n) % 400 == 0).astype(float),
        "square": lambda n: np.sign(np.sin(2 * np.pi * 90.0 * np.arange(n) / RATE)),
    }
    parts = [level * makers[kind](count) for kind, count in pieces]
    samples = np.concatenate([*parts, np.zeros(0)]).astype(np.float32)
    found = features(Audio(samples, RATE))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(BOUNDS) < found.keys()
