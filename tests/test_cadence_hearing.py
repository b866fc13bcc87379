"""Cadence's encoder and its low-rank changes, in batches and alone; noise that is mixed anew."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("swift_f0")

import torch
from safetensors.torch import load_file, save_file

from cascadence import degradation
from cascadence.audio import Audio
from cascadence.systems.cadence import bundle as cadence_bundle
from cascadence.systems.cadence.bundle import CONFIG_NAME, WEIGHTS_NAME, load_bundle
from cascadence.systems.cadence.data import Lessons, TurnPlan, as_float, as_int16
from cascadence.systems.cadence.encoder import STATE_DIM, Adapters, WhisperEncoder
from cascadence.systems.cadence.features import PROSODY_DIM, ProsodyTracker
from cascadence.systems.cadence.hearing import (
    FreshNoise,
    Sounds,
    encoded,
    hear_all,
    hear_shards,
    joined,
)
from cascadence.systems.cadence.lessons_batch import ear_input
from cascadence.systems.cadence.model import Ears
from cascadence.systems.cadence.ragged import save_ragged

RATE_HZ = 16000


def _encoder() -> WhisperEncoder:
    torch.manual_seed(0)
    return WhisperEncoder().requires_grad_(False).eval()


def _changed(adapters: Adapters) -> Adapters:
    """Fills in changes that change something."""
    torch.manual_seed(1)
    for name, value in adapters.named_parameters():
        if name.endswith("up"):
            torch.nn.init.normal_(value, 0, 0.5)
    return adapters


def _turns(*seconds: float) -> list[torch.Tensor]:
    torch.manual_seed(2)
    return [torch.randn(round(s * RATE_HZ)) * 0.1 for s in seconds]


def _speechlike(seconds: float) -> np.ndarray:
    """Makes a voice of 120 Hz that comes and goes."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    voice = sum(np.sin(2 * np.pi * 120 * k * times) / k for k in range(1, 9))
    return (0.1 * voice * (np.sin(2 * np.pi * 2 * times) > -0.5)).astype(np.float32)


def _lessons(path: Path, *plans: TurnPlan) -> Lessons:
    audio = [_speechlike(1.5 + 0.3 * i) for i in range(len(plans))]
    tracker = ProsodyTracker()
    sounds = {
        "audio": [as_int16(one) for one in audio],
        "prosody": [tracker.track(one).streams().astype(np.float16) for one in audio],
        "style": [np.zeros((1, 4), np.float32) for _ in plans],
    }
    save_ragged(path, sounds, [{"plan": asdict(plan), "said": [], "reply": []} for plan in plans])
    return Lessons([path])


def _plan(dialogue: int, **channel: str) -> TurnPlan:
    return TurnPlan(dialogue, 0, "hello", "", "", "request", {}, "pico-us", **channel)


def test_a_turn_is_encoded_in_a_batch_as_if_it_were_alone() -> None:
    encoder, adapters, turns = _encoder(), _changed(Adapters()), _turns(1.0, 2.33, 0.51)
    with torch.inference_mode():
        together, frames = encoder(turns, adapters)
        assert frames.tolist() == [50, 117, 26]
        for row, turn in enumerate(turns):
            alone, _ = encoder([turn], adapters)
            torch.testing.assert_close(together[row, : frames[row]], alone[0], rtol=1e-4, atol=1e-4)


def test_changes_are_none_at_first_and_may_be_added_to_the_weights() -> None:
    encoder, adapters, turns = _encoder(), Adapters(), _turns(0.7, 1.1)
    with torch.inference_mode():
        plain, _ = encoder(turns)
        torch.testing.assert_close(encoder(turns, adapters)[0], plain)
        changed, _ = encoder(turns, _changed(adapters))
        assert (changed - plain).abs().mean() > 0.1
        added, _ = encoder.adapted(adapters)(turns)
    torch.testing.assert_close(added, changed, rtol=1e-4, atol=1e-4)


def test_only_the_changes_of_the_encoder_learn() -> None:
    encoder, ears = _encoder(), Ears(20, 30)
    turns = [(turn.numpy(), np.ones((40, PROSODY_DIM), np.float32)) for turn in _turns(0.9, 0.8)]
    ears(*encoded(ears, encoder, turns)).states.sum().backward()
    assert all(value.grad is None for value in encoder.parameters())
    ups = [v.grad for name, v in ears.adapters.named_parameters() if name.endswith("up")]
    assert len(ups) == 16
    assert all(grad is not None and grad.abs().sum() > 0 for grad in ups)


def test_what_the_ears_take_in_is_stacked_in_order_and_ends_with_the_turn() -> None:
    states = torch.arange(2 * 5, dtype=torch.float32).reshape(2, 5, 1).expand(2, 5, STATE_DIM)
    prosody = [np.full((n, PROSODY_DIM), value, np.float32) for n, value in ((5, 7.0), (3, 8.0))]
    features, lengths = ear_input(states, torch.tensor([5, 4]), prosody)
    assert lengths.tolist() == [2, 1]
    columns = features[..., [0, STATE_DIM, 2 * STATE_DIM, -1]]
    assert columns[0].tolist() == [[0, 1, 7, 7], [2, 3, 7, 7]]
    assert columns[1].tolist() == [[5, 6, 8, 8], [0, 0, 0, 0]]


def test_noise_is_mixed_anew_into_quiet_turns_only(tmp_path: Path) -> None:
    plans = _plan(0), _plan(1, noise="babble"), _plan(2, line="telephone")
    lessons = _lessons(tmp_path / "a.safetensors", *plans)
    fresh = FreshNoise(1.0, np.random.default_rng(0))
    for index in (1, 2):
        assert (fresh.turn(lessons, index)[0] == lessons.audio(index)).all()
    quiet = lessons.audio(0)
    level_db = degradation.active_level_dbfs([Audio(quiet, RATE_HZ)])
    ratios = []
    for _ in range(30):
        noisy, prosody = fresh.turn(lessons, 0)
        ratios.append(level_db - 20 * np.log10(np.sqrt(np.mean((noisy - quiet) ** 2))))
        assert prosody.shape == lessons.prosody(0).shape
        assert prosody[:, 2].mean() > lessons.prosody(0)[:, 2].mean()
    assert min(ratios) > 2.9
    assert max(ratios) < 18.1
    assert np.std(ratios) > 2
    never = FreshNoise(0.0, np.random.default_rng(0))
    assert (never.turn(lessons, 0)[0] == quiet).all()


def test_every_turn_is_heard_as_it_would_be_alone(tmp_path: Path) -> None:
    encoder, ears = _encoder(), Ears(20, 30).eval()
    lessons = _lessons(tmp_path / "a.safetensors", _plan(0), _plan(1), _plan(2))
    sounds = hear_all(ears, encoder, lessons, lambda _: None)
    with torch.inference_mode():
        for i in range(3):
            alone = ears(*encoded(ears, encoder, [(lessons.audio(i), lessons.prosody(i))]))
            # in batches they are computed with 8 bits of precision
            np.testing.assert_allclose(sounds.states[i], alone.states[0], atol=0.15)
    noisy = hear_all(ears, encoder, lessons, lambda _: None, noise=1.0)
    assert np.abs(noisy.states[0] - sounds.states[0]).mean() > 0.05


def test_a_shard_is_heard_once_and_as_in_its_turn(tmp_path: Path) -> None:
    encoder, ears, told = _encoder(), Ears(20, 30), list[str]()
    (tmp_path / "speech").mkdir()
    shards = [tmp_path / "speech" / f"{i}.safetensors" for i in range(3)]
    for number, shard in enumerate(shards):
        _lessons(shard, *(_plan(i) for i in range(number + 1)))

    def hear(folder: str) -> Sounds:
        return hear_shards(
            tmp_path / folder, ears, encoder, shards, told.append, unsure=0.2, noise=0.5
        )

    first = hear("a")
    assert [len(first.states), len(first.spoken), len(told)] == [6, 6, 3]
    again = hear("a")
    assert len(told) == 3, "nothing is left to be heard"
    for shard in (tmp_path / "a").glob("*-1.*"):
        shard.unlink()
    mended, anew = hear("a"), hear("b")
    assert len(told) == 3 + 1 + 3
    for other in (again, mended, anew):
        for i in range(6):
            np.testing.assert_array_equal(other.states[i], first.states[i])
            np.testing.assert_array_equal(other.spoken[i], first.spoken[i])
    both = joined([first, hear("a")])
    assert len(both.states) == len(both.spoken) == 12
    assert both.states[7] is not both.states[1]
    np.testing.assert_array_equal(both.states[7], first.states[1])


def test_weights_of_before_the_changes_hear_as_they_did(tmp_path: Path) -> None:
    shipped = Path(cadence_bundle.__file__).parent
    tensors = load_file(shipped / WEIGHTS_NAME)
    old = {name: value for name, value in tensors.items() if "adapters" not in name}
    save_file(old, tmp_path / WEIGHTS_NAME)
    config = json.loads((shipped / CONFIG_NAME).read_text(encoding="utf-8"))
    config["sha256"] = hashlib.sha256((tmp_path / WEIGHTS_NAME).read_bytes()).hexdigest()
    (tmp_path / CONFIG_NAME).write_text(json.dumps(config), encoding="utf-8")
    adapters = load_bundle(tmp_path).ears.adapters
    assert all((v == 0).all() for n, v in adapters.named_parameters() if n.endswith("up"))


def test_sixteen_bits_hold_a_sample() -> None:
    samples = np.array([-1, -0.25, 0, 1e-4, 1], np.float32)
    np.testing.assert_allclose(as_float(as_int16(samples)), samples, atol=0.5 / 32767)
