"""Cadence declines where its own probability of declining is over the weights' threshold."""

import json
import math
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

import cascadence.systems.cadence as package
from cascadence.data_manifests.assistant.intents import REPLY_DECLINED
from cascadence.events import TextOut
from cascadence.systems.cadence.bundle import load_bundle
from cascadence.systems.cadence.memory import build_memory
from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.rejection import log_probability, threshold_for
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


def test_the_threshold_loses_no_more_requests_than_it_may() -> None:
    scores = [-20.0 + 0.1 * i for i in range(100)]
    for lost in (0.0, 0.01, 0.05):
        threshold = threshold_for(scores[::-1], lost)
        assert sum(score > threshold for score in scores) == round(100 * lost)
    assert threshold_for([-8.0] * 5, 0.2) == -8.0  # over, not at: none of them is lost
    with pytest.raises(ValueError, match="no requests"):
        threshold_for([])


def test_the_shipped_weights_know_how_to_decline() -> None:
    bundle = load_bundle(SHIPPED)
    assert bundle.rejection is not None
    assert -12 < bundle.rejection.threshold < -3
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
