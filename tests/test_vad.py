"""Voice activity: our Silero call equals its package's, the energy detector finds the speech."""

import subprocess
import sys

import numpy as np
import pytest

from cascadence.audio import Audio, BadAudio
from cascadence.protocols import FRAME_SAMPLES, INPUT_RATE
from cascadence.systems.vad import EnergyVad, SileroVad, Vad, make_vad
from planted import tone_clip


def frames(samples: np.ndarray) -> list[Audio]:
    count = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    pieces = samples[:count].astype(np.float32).reshape(-1, FRAME_SAMPLES)
    return [Audio(piece.copy(), INPUT_RATE) for piece in pieces]


def probabilities(vad: Vad, samples: np.ndarray) -> np.ndarray:
    return np.array([vad.probability(frame) for frame in frames(samples)])


def vowel(duration_s: float) -> np.ndarray:
    """A buzz of 120 Hz with the formants of an open vowel, which Silero takes for speech."""
    time_s = np.arange(round(duration_s * INPUT_RATE)) / INPUT_RATE
    sound = np.zeros_like(time_s)
    for harmonic in range(1, 40):
        hz = 120.0 * harmonic
        gain = sum(np.exp(-(((hz - f) / 120.0) ** 2)) for f in (700.0, 1200.0, 2600.0)) + 0.01
        phase = 2 * np.pi * hz * time_s + 3.0 * np.sin(2 * np.pi * 0.5 * time_s)
        sound += gain * np.sin(phase)
    return 0.2 * sound / np.abs(sound).max() * (1.0 + 0.5 * np.sin(2 * np.pi * 4 * time_s))


def silero() -> SileroVad:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("silero_vad")
    vad = SileroVad()
    vad.load()
    return vad


def test_silero_gives_what_its_package_gives() -> None:
    vad = silero()
    torch = pytest.importorskip("torch")
    from silero_vad import load_silero_vad

    noise = 0.02 * np.random.default_rng(0).standard_normal(INPUT_RATE)
    sound = np.concatenate([noise, vowel(1.5), noise, vowel(0.3), noise]).astype(np.float32)
    theirs = load_silero_vad(onnx=True)
    windows = [sound[start : start + 512] for start in range(0, len(sound) - 511, 512)]
    expected = [float(theirs(torch.from_numpy(window), INPUT_RATE)) for window in windows]
    ours = probabilities(vad, sound)
    # A window is known with the frame that completes it.
    newest = [-(-512 * (count + 1) // FRAME_SAMPLES) - 1 for count in range(len(windows))]
    got = [ours[frame] for frame in newest if frame < len(ours)]
    assert np.ptp(expected) > 0.2
    assert np.allclose(got, expected[: len(got)], atol=1e-5)


def test_silero_starts_anew_after_a_reset_and_after_long_silence() -> None:
    vad = silero()
    # Whole windows and whole frames: 7 times 2560 samples.
    once = probabilities(vad, vowel(1.12))
    vad.reset()
    assert np.array_equal(probabilities(vad, vowel(1.12)), once)
    # 40 windows of digital silence: the network is not asked, and its memory is empty again.
    assert probabilities(vad, np.zeros(40 * 2560))[-1] == 0.0
    assert np.array_equal(probabilities(vad, vowel(1.12)), once)


def test_silero_refuses_another_rate() -> None:
    with pytest.raises(BadAudio, match="8000"):
        SileroVad().probability(Audio(np.zeros(160, dtype=np.float32), 8000))


def test_silero_needs_no_torch() -> None:
    silero()
    program = (
        "import sys; from cascadence.systems.vad import SileroVad; SileroVad().load(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_energy_finds_speech_in_silence_to_the_frame() -> None:
    clip = tone_clip(1.0, 0.5, 0.6, lead_s=0.4, tail_s=0.4)
    heard = probabilities(EnergyVad(), clip.samples) >= 0.5
    expected = np.zeros(len(heard), dtype=bool)
    expected[20:70] = expected[95:125] = True
    assert np.mean(heard == expected) > 0.95
    assert not heard[:20].any()
    assert not heard[72:94].any()


def test_energy_takes_a_steady_noise_for_the_floor_and_hears_speech_above_it() -> None:
    noise = 0.01 * np.random.default_rng(1).standard_normal(5 * INPUT_RATE)
    sound = noise.copy()
    sound[4 * INPUT_RATE : 4 * INPUT_RATE + 8000] += tone_clip(0.5, lead_s=0, tail_s=0).samples
    heard = probabilities(EnergyVad(), sound) >= 0.5
    assert not heard[100:199].any()
    assert heard[200:225].mean() > 0.8
    assert not heard[226:].any()


def test_energy_does_not_hear_what_is_inaudible() -> None:
    whisper = 0.001 * np.random.default_rng(2).standard_normal(INPUT_RATE)
    assert (probabilities(EnergyVad(), whisper) < 0.5).all()


def test_detectors_are_made_by_name() -> None:
    assert isinstance(make_vad("energy"), EnergyVad)
    vad = make_vad("silero")
    assert isinstance(vad, SileroVad)
    assert vad.weights == ("silero-vad",)
    assert len(vad.revision) == 12
