"""The noise gate: soft speech in noise is not the user's, soft speech in quiet is."""

import numpy as np
import pytest

from cascadence.audio import Audio
from cascadence.conditions import Condition, Noise
from cascadence.corpus import open_corpus
from cascadence.degradation_channel import UserChannel, at_microphone
from cascadence.errors import CascadenceError
from cascadence.protocols import FRAME_S, FRAME_SAMPLES, INPUT_RATE
from cascadence.systems.noise_gate import NoiseGate
from cascadence.systems.turn_taking import HalfDuplex, TurnTaking
from cascadence.systems.vad import SileroVad, Vad
from planted import PlantedReplier


class _Sure:
    """Hears speech in everything from the given amplitude on."""

    revision = "planted"
    weights: tuple[str, ...] = ()

    def __init__(self, from_amplitude: float = 0.0) -> None:
        self.from_amplitude = from_amplitude

    def load(self) -> None: ...

    def reset(self) -> None: ...

    def probability(self, frame: Audio) -> float:
        return 0.9 if np.abs(frame.samples).max() >= self.from_amplitude else 0.1


def heard(vad: Vad, *pieces: tuple[float, float]) -> list[float]:
    """Plays pieces of noise (seconds, level in dBFS); the last frame's probability of each."""
    rng = np.random.default_rng(0)
    last = []
    for duration_s, level_db in pieces:
        for _ in range(round(duration_s / FRAME_S)):
            noise = rng.standard_normal(FRAME_SAMPLES) * 10 ** (level_db / 20)
            probability = vad.probability(Audio(noise.astype(np.float32), INPUT_RATE))
        last.append(probability)
    return last


def test_what_is_as_soft_as_the_noise_is_not_the_user() -> None:
    # The detector hears nothing at first, then speech in everything: the user is 14 dB up.
    detector = _Sure(1.0)
    gate = NoiseGate(detector, 9.0)
    assert heard(gate, (1.0, -40)) == [0.1]
    detector.from_amplitude = 0.0
    assert heard(gate, (1.0, -26), (1.0, -40), (1.0, -26)) == [0.9, 0.0, 0.9]


def test_speech_that_trails_off_in_quiet_is_heard_as_without_the_gate() -> None:
    levels = ((1.0, -80), (1.0, -20), (0.5, -45), (0.5, -60), (1.0, -20))
    detector = _Sure(0.0015)
    plain = heard(detector, *levels)
    assert heard(NoiseGate(detector, 9.0), *levels) == plain == [0.1, 0.9, 0.9, 0.9, 0.9]


def test_the_gate_never_closes_near_the_level_of_the_user() -> None:
    """Noise as loud as the user is let through: nothing tells them apart."""
    detector = _Sure(1.0)
    gate = NoiseGate(detector, 9.0)
    heard(gate, (1.0, -26))
    detector.from_amplitude = 0.0
    assert heard(gate, (1.0, -20), (1.0, -26)) == [0.9, 0.9]


def test_noise_that_was_never_taken_for_silence_is_known_by_its_level() -> None:
    """The detector hears speech in everything from the first frame on, as in babble."""
    gate = NoiseGate(_Sure(), 6.0)
    levels = ((1.0, -40), (1.0, -26), (1.0, -40), (9.0, -40), (0.5, -30))
    assert heard(gate, *levels) == [0.9, 0.9, 0.0, 0.0, 0.9]


def test_a_new_conversation_begins_with_an_open_gate() -> None:
    detector = _Sure(1.0)
    gate = NoiseGate(detector, 9.0)
    heard(gate, (1.0, -40))
    detector.from_amplitude = 0.0
    heard(gate, (1.0, -20))
    gate.reset()
    assert heard(gate, (0.2, -40)) == [0.9]


def _ends_s(vad: Vad, condition: Condition) -> list[float | None]:
    """Half a second of silence after each first turn of some conversations: how late it comes."""
    corpus = open_corpus("assistant")
    late: list[float | None] = []
    for number in range(0, 60, 12):
        conversation = list(corpus)[number]
        clips, around = at_microphone(corpus.clips(conversation)[:1], condition, number)
        channel = UserChannel(clips, around)
        vad.reset()
        end_s = 1.0 + conversation.turns[0].speech_s[1]
        silent = 0
        for frame in range(round((end_s + 3.0) / FRAME_S)):
            if frame == round(1.0 / FRAME_S):
                channel.begin(0)
            is_speech = vad.probability(Audio(channel.frame(), INPUT_RATE)) >= 0.35
            silent = 0 if is_speech else silent + 1
            now_s = (frame + 1) * FRAME_S
            if now_s > end_s and silent * FRAME_S >= 0.5 - 1e-9:
                late.append(now_s - end_s)
                break
        else:
            late.append(None)
    return late


def _silero() -> SileroVad:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("silero_vad")
    vad = SileroVad()
    vad.load()
    return vad


@pytest.mark.parametrize("snr_db", [10.0, 5.0])
def test_turns_end_in_babble_as_they_do_in_quiet(snr_db: float) -> None:
    babble = Condition(name="babble", noise=Noise(kind="babble", snr_db=snr_db))
    vad = _silero()
    plain, gated = _ends_s(vad, babble), _ends_s(NoiseGate(vad, 6.0), babble)
    assert sum(end is None or end > 1.0 for end in plain) >= 3
    assert all(end is not None and end <= 0.8 for end in gated)


def test_clean_turns_end_at_the_same_frame_with_and_without_it() -> None:
    vad, clean = _silero(), Condition(name="clean")
    assert _ends_s(NoiseGate(vad, 6.0), clean) == _ends_s(vad, clean)


def test_the_rules_say_whether_there_is_a_gate() -> None:
    gated, plain = (
        HalfDuplex(PlantedReplier("hi"), {"vad": "energy", "noise_gate_db": level})
        for level in (6.0, None)
    )
    assert gated.info.parameters["turn_taking"]["vad_revision"] == "1+gate-2"
    assert plain.info.parameters["turn_taking"]["vad_revision"] == "1"
    with pytest.raises(CascadenceError, match="must be positive"):
        TurnTaking(noise_gate_db=0.0)
