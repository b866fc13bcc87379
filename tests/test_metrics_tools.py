import numpy as np
import pytest

from cascadence import weights
from cascadence.audio import Audio, BadAudio, silence
from cascadence.metrics.intelligibility import word_errors
from cascadence.metrics.tools import Features, JudgeAsr
from cascadence.require import MissingExtra


def test_a_missing_package_is_reported_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cascadence.metrics.tools.find_spec", lambda module: None)
    monkeypatch.setitem(__import__("sys").modules, "faster_whisper", None)
    with pytest.raises(MissingExtra, match="asr"):
        JudgeAsr()


def test_versions_are_known_without_loading_and_tell_settings_apart() -> None:
    pytest.importorskip("faster_whisper")
    judge = JudgeAsr()
    assert weights.fingerprint("whisper-base-ct2")[:12] in judge.version
    assert len({judge.version, JudgeAsr(beam_size=1).version, JudgeAsr(language="de").version}) == 3
    assert "_model" not in vars(judge)


@pytest.mark.parametrize("sound", [silence(0.0, 16_000), silence(3.0, 16_000)])
def test_the_judge_hears_nothing_in_silence_and_need_not_load(sound: Audio) -> None:
    pytest.importorskip("faster_whisper")
    judge = JudgeAsr(artefact="whisper-base-ct2")
    assert judge(sound) == {"text": "", "words": [], "no_speech_prob": None}
    assert "_model" not in vars(judge)


def test_nan_is_refused() -> None:
    pytest.importorskip("faster_whisper")
    with pytest.raises(BadAudio):
        JudgeAsr()(Audio(np.array([np.nan], dtype=np.float32), 16_000))


def test_the_track_of_nothing_is_empty() -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    assert len(Features().track(silence(0.0, 16_000)).f0_hz) == 0


@pytest.mark.slow
def test_the_judge_hears_a_clear_voice() -> None:
    """Real weights, real speech: one sentence of the voice that the cascades use."""
    piper = pytest.importorskip("piper")
    pytest.importorskip("faster_whisper")
    folder = weights.locate("piper-joe-medium")
    if folder is None or weights.locate("whisper-base-ct2") is None:
        pytest.skip("weights are not in the store")
    voice = piper.PiperVoice.load(str(next(folder.glob("*.onnx"))))
    chunks = list(voice.synthesize("I set a timer for seven minutes."))
    spoken = Audio(
        np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float32),
        chunks[0].sample_rate,
    )
    found = JudgeAsr()(spoken)
    assert word_errors("I set a timer for seven minutes.", found["text"]).errors <= 1
    assert "7" in found["words"]
    assert found["no_speech_prob"] < 0.5
