"""Cadence declines where its own probability of declining is over the weights' threshold."""

import json
import math
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import numpy as np
import torch

import cascadence.systems.cadence as package
from cascadence.data_manifests.assistant.intents import REPLY_DECLINED
from cascadence.events import TextOut
from cascadence.systems.cadence.bundle import load_bundle
from cascadence.systems.cadence.memory import build_memory
from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.rejection import (
    Rejection,
    limits_for,
    log_probability,
    unsureness,
)
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.system import Cadence, CadenceReplier, Switch
from test_cadence import CONTEXT, needs_whisper, spoken_request, turn

SHIPPED = Path(package.__file__).parent


def weights(folder: Path, threshold: float | None) -> str:
    """Copy the shipped weights with another threshold, or as weights from before there was one."""
    for name in ("cadence.safetensors", "cadence.json"):
        shutil.copy(SHIPPED / name, folder)
    config = json.loads((SHIPPED / "cadence.json").read_text(encoding="utf-8"))
    if threshold is None:
        del config["rejection"]
    else:
        config["rejection"]["threshold"] = threshold
    (folder / "cadence.json").write_text(json.dumps(config), encoding="utf-8")
    return str(folder)


def answer(folder: str | None, rejection: Switch) -> str:
    with CadenceReplier(weights=folder, rejection=rejection) as replier:
        events = list(replier.reply(turn(spoken_request()), [], CONTEXT))
    return "".join(event.text for event in events if isinstance(event, TextOut))


def test_the_probability_is_that_of_writing_step_by_step() -> None:
    torch.manual_seed(0)
    ears, decoder = Ears(5, 10, dim=32).eval(), Decoder(5, dim=32).eval()
    with torch.inference_mode():
        memory = build_memory(ears, decoder, [torch.randn(6, 32)], [[]])

        def after(*ids: int) -> torch.Tensor:
            return decoder(torch.tensor([[SymbolTable.BEGIN, *ids]]), memory)[0, -1].exp()

        begins, three = after(), after(3)
        assert float(begins.sum()) == pytest.approx(1.0, abs=1e-5)
        stepwise = begins[3] * three[4] * after(3, 4)[SymbolTable.END]
        found = log_probability(decoder, memory, [3, 4])
        assert math.exp(found) == pytest.approx(float(stepwise), rel=1e-4)
        nothing = log_probability(decoder, memory, [])
        assert math.exp(nothing) == pytest.approx(float(begins[SymbolTable.END]), rel=1e-4)


def planted_requests(slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that rise with the logarithm of how unsure the ears are, and spread as much."""
    rng = np.random.default_rng(0)
    unsure = rng.uniform(0.01, 0.5, 4000)
    spread = rng.uniform(0.0, 10.0, len(unsure))
    return -2.0 + slope * np.log(unsure) - spread, unsure


@pytest.mark.parametrize("lost", [0.01, 0.05])
def test_as_many_requests_are_lost_as_may_be_however_unsure_the_ears(lost: float) -> None:
    scores, unsure = planted_requests(slope=3.0)
    rejection = Rejection((), *limits_for(scores.tolist(), unsure.tolist(), lost))
    # Scores are spread evenly over 10 nats below the line.
    wanted = -2.0 + 3.0 * math.log(0.2) - 10.0 * lost
    assert rejection.limit(0.2) == pytest.approx(wanted, abs=0.1)
    assert rejection.slope == pytest.approx(3.0, abs=0.2)
    over = scores > [rejection.limit(each) for each in unsure]
    for heard in (unsure < 0.1, unsure > 0.4):
        assert over[heard].mean() == pytest.approx(lost, abs=0.01)


def test_less_sure_ears_never_lower_the_threshold() -> None:
    scores, unsure = planted_requests(slope=-3.0)
    assert limits_for(scores.tolist(), unsure.tolist())[1] == 0.0
    assert limits_for([-8.0], [0.1])[0] == pytest.approx(-8.0)
    with pytest.raises(ValueError, match="no requests"):
        limits_for([], [])


def test_ears_are_as_unsure_as_the_rest_of_the_probability_of_what_they_hear() -> None:
    shares = torch.tensor([[0.9, 0.1, 0.0], [0.3, 0.7, 0.0], [0.1, 0.3, 0.6]])
    assert SymbolTable.PAD == 0
    # The first frame is silence, and is not counted.
    assert unsureness(shares.log()) == pytest.approx((0.3 + 0.4) / 2)
    assert unsureness(shares[:1].log()) == 1.0
    assert Rejection((), -1.0, 2.0).limit(math.exp(-3.0)) == pytest.approx(-7.0)
    assert Rejection((), -9.0).limit(0.5) == -9.0


def test_the_shipped_weights_know_how_to_decline() -> None:
    bundle = load_bundle(SHIPPED)
    assert bundle.rejection is not None
    assert -12 < bundle.rejection.limit(0.05) < -3
    assert all(symbol in bundle.table for symbol in bundle.rejection.symbols)


def test_what_was_played_with_another_threshold_is_played_again(tmp_path: Path) -> None:
    (tmp_path / "same").mkdir()
    (tmp_path / "other").mkdir()
    config = json.loads((SHIPPED / "cadence.json").read_text(encoding="utf-8"))
    threshold = config["rejection"]["threshold"]
    same = weights(tmp_path / "same", threshold)
    other = weights(tmp_path / "other", threshold + 1)
    shipped = Cadence().info.revision
    assert Cadence(weights=same).info.revision == shipped
    assert Cadence(weights=other).info.revision != shipped


@needs_whisper
def test_it_declines_over_the_threshold_and_never_if_switched_off(tmp_path: Path) -> None:
    assert "timer" in answer(None, "on")
    low = weights(tmp_path, -1000.0)
    assert answer(low, "on") == REPLY_DECLINED
    assert "timer" in answer(low, "off")


@needs_whisper
def test_weights_without_a_threshold_answer_as_ever(tmp_path: Path) -> None:
    assert "timer" in answer(weights(tmp_path, None), "on")
