"""Cadence's training, small: from an empty folder to weights that know 20 turns by heart."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("swift_f0")
pytest.importorskip("piper")
pytest.importorskip("onnx")
pytest.importorskip("py_nanotts")

import torch

from cascadence.errors import CascadenceError
from cascadence.systems.cadence.bundle import load_bundle, read_config
from cascadence.systems.cadence.config import (
    DecoderConfig,
    SpeechConfig,
    StageConfig,
    TrainConfig,
    load_config,
    smoke_config,
)
from cascadence.systems.cadence.data import Lessons, TurnPlan, plan_turns
from cascadence.systems.cadence.encoder import STATE_DIM
from cascadence.systems.cadence.features import PROSODY_DIM
from cascadence.systems.cadence.fitting import Plan, fit, learning_rate_share
from cascadence.systems.cadence.lessons_batch import ear_input
from cascadence.systems.cadence.model import Ears
from cascadence.systems.cadence.ragged import save_ragged
from cascadence.systems.cadence.stages import Stages
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.train import main
from cascadence.systems.cadence.train_vocoder import load_utterances


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    main(None, folder, smoke=True)
    return folder


def test_without_prosody_no_style_is_heard() -> None:
    torch.manual_seed(0)
    ears = Ears(20, 30).eval()
    prosody = np.random.default_rng(0).standard_normal((4, 18, PROSODY_DIM)).astype(np.float32)
    prosody[2] = 0
    states, frames = torch.randn(4, 18, STATE_DIM), torch.tensor([18] * 4)
    with torch.inference_mode():
        heard = ears(*ear_input(states, frames, list(prosody)))
    assert heard.has_prosody.tolist() == [True, True, False, True]
    assert heard.style.abs().sum(1).gt(0).tolist() == heard.has_prosody.tolist()


@pytest.mark.slow
def test_twenty_turns_are_learnt_by_heart(trained: Path) -> None:
    training = read_config(trained / "weights")["training"]
    assert training["learned"]["turns"] == 20
    assert training["learned"]["exact"] == 20
    assert training["learned"]["symbol_error"] == 0.0
    bundle = load_bundle(trained / "weights")
    assert len(bundle.table) > 40


@pytest.mark.slow
def test_every_stage_leaves_a_curve_and_is_not_done_again(trained: Path) -> None:
    curves = {name: trained / f"{name}.csv" for name in ("ears", "decoder", "vocoder", "turn_end")}
    before = {name: path.read_text() for name, path in curves.items()}
    for name in ("ears", "decoder"):
        rows = [line.split(",") for line in before[name].splitlines()]
        assert float(rows[-1][2]) < 0.2 * float(rows[1][2]), name
    weights = (trained / "weights" / "cadence.safetensors").read_bytes()
    main(None, trained, smoke=True)
    assert {name: path.read_text() for name, path in curves.items()} == before
    assert (trained / "weights" / "cadence.safetensors").read_bytes() == weights


def test_a_stage_is_keyed_by_what_it_builds_on() -> None:
    config = TrainConfig()
    other = config.model_copy(update={"speech": SpeechConfig(utterances=12)})
    assert config.speech.fingerprint() != other.speech.fingerprint()
    assert config.ears.fingerprint("a") != config.ears.fingerprint("b")
    assert config.ears.fingerprint("a") == TrainConfig().ears.fingerprint("a")


@pytest.mark.slow
def test_training_goes_on_from_given_weights(trained: Path, tmp_path: Path) -> None:
    settings = smoke_config().model_dump(mode="json")
    for name in ("ears", "vocoder", "turn_end"):
        settings[name]["steps"] = 0
    settings["decoder"] |= {"steps": 5, "regrouped": 0}
    settings["start"] = str(Path("..") / "before")
    before = shutil.copytree(trained / "weights", tmp_path / "before")
    (tmp_path / "asked").mkdir()
    asked = tmp_path / "asked" / "mine.yaml"
    asked.write_text(json.dumps(settings))
    old, new = load_bundle(before), load_bundle(main(asked, tmp_path / "out"))
    for name in ("ears", "vocoder", "turn_end"):
        pairs = zip(getattr(old, name).parameters(), getattr(new, name).parameters(), strict=True)
        assert all(one.equal(other) for one, other in pairs), name
    assert not next(old.decoder.parameters()).equal(next(new.decoder.parameters()))
    assert (new.table.symbols, new.words) == (old.table.symbols, old.words)
    assert new.statistics == old.statistics
    assert new.training["start"] == {
        "sha256": read_config(before)["sha256"],
        "training": old.training,
    }


def test_what_is_kept_must_be_there(tmp_path: Path) -> None:
    config = TrainConfig(turn_end=StageConfig(steps=0, batch=1, learning_rate=1e-3))
    with pytest.raises(CascadenceError, match="no weights to keep: turn_end"):
        Stages(config, tmp_path)


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("ears: {steps: 5, batch: 2, learning_rate: 0.001, minutes: 3}\n")
    with pytest.raises(ValueError, match="minutes"):
        load_config(path)
    path.write_text("calibration: 0\n")  # it would fail when all else is trained
    with pytest.raises(ValueError, match="calibration"):
        load_config(path)
    path.write_text("speech: {voices: [pico-us]}\n")
    assert load_config(path).speech.voices == ("pico-us",)


def test_plans_are_the_same_for_the_same_seed_and_follow_their_shares() -> None:
    config = SpeechConfig(room_share=1.0, hesitant_share=1.0, paused_share=0.0, silent_share=0.0)
    plans = plan_turns(config, "train", 40, ["pico-us"])
    assert plans == plan_turns(config, "train", 40, ["pico-us"])
    assert all(plan.rt60_s > 0 and plan.pause_s == 0 for plan in plans)
    assert all({"um,", "uh,"} & set(plan.text.split()) for plan in plans)
    calm = plan_turns(smoke_config().speech, "train", 20, ["pico-us"])
    assert {(plan.noise, plan.rt60_s, plan.gains_db) for plan in calm} == {("none", 0.0, ())}


def test_the_rate_warms_up_and_ends_low() -> None:
    plan = Plan(steps=1000, learning_rate=1.0, warm_up=100)
    assert learning_rate_share(0, plan) == pytest.approx(0.01, abs=1e-3)
    assert learning_rate_share(100, plan) == pytest.approx(0.976, abs=1e-2)
    assert learning_rate_share(999, plan) == pytest.approx(0.03, abs=1e-3)
    resumed = Plan(steps=1000, learning_rate=1.0, warm_up=100, first=500)
    assert learning_rate_share(500, resumed) < 0.02
    assert learning_rate_share(700, resumed) == learning_rate_share(700, plan)


def test_fitting_finds_a_planted_map_and_says_how_far_it_is() -> None:
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.ModuleList([torch.nn.Linear(16, 16)])[0])
    wanted = torch.randn(16, 16) / 4
    lines: list[str] = []
    saved: list[int] = []

    def losses() -> dict[str, torch.Tensor]:
        x = torch.randn(32, 16)
        return {"error": ((net(x) - x @ wanted.T) ** 2).mean()}

    fit(net, Plan(400, 3e-2), {"error": 1.0}, losses, saved.append, lines.append)
    assert lines[0] == "step,seconds,error"
    assert float(lines[-1].split(",")[2]) < 1e-2
    assert saved == [400]


def test_a_configuration_is_written_with_the_weights(trained: Path) -> None:
    config = json.loads((trained / "weights" / "cadence.json").read_text(encoding="utf-8"))
    assert config["training"]["config"] == smoke_config().model_dump(mode="json")


def test_the_threshold_of_declining_is_set_by_requests_of_the_domain(trained: Path) -> None:
    log = (trained / "train.log").read_text(encoding="utf-8")
    number = r"(-?[\d.]+)"
    found = re.search(
        rf"declines over {number} \+ {number} ln\(unsure\) nats, by (\d+) hearings", log
    )
    rejection = load_bundle(trained / "weights").rejection
    assert found
    assert rejection is not None
    assert (rejection.threshold, rejection.slope) == (float(found[1]), float(found[2]))
    assert 0 < int(found[3]) <= 2 * smoke_config().calibration
    assert int(found[3]) % 2 == 0  # each in quiet and in noise


def _shard(path: Path, texts: dict[tuple[int, int], str]) -> Path:
    """Writes a shard of turns without sound, by conversation and place in it."""
    plans = [
        TurnPlan(dialogue, turn, text, "", "", "request", {}, "pico-us")
        for (dialogue, turn), text in texts.items()
    ]
    path.parent.mkdir(exist_ok=True)
    sounds = {
        "audio": [np.zeros(640, np.int16) for _ in plans],
        "prosody": [np.zeros((2, PROSODY_DIM), np.float16) for _ in plans],
        "style": [np.zeros((1, 4), np.float32) for _ in plans],
    }
    save_ragged(path, sounds, [{"plan": asdict(plan), "said": [], "reply": []} for plan in plans])
    return path


def test_conversations_of_several_sets_stay_apart(tmp_path: Path) -> None:
    first = _shard(tmp_path / "a" / "0.safetensors", {(0, 0): "a", (1, 0): "b", (1, 1): "c"})
    second = _shard(tmp_path / "b" / "0.safetensors", {(0, 0): "d", (0, 1): "e"})
    third = _shard(tmp_path / "b" / "1.safetensors", {(1, 0): "f", (1, 1): "g", (1, 2): "h"})
    lessons = Lessons([first, second, third])
    assert [plan.text for plan in lessons.plans] == list("abcdefgh")
    assert [plan.dialogue for plan in lessons.plans] == [0, 1, 1, 2, 2, 3, 3, 3]
    assert [lessons.earlier(i, 2) for i in range(8)] == [[], [], [1], [], [3], [], [5], [6, 5]]


def test_the_decoder_has_turns_of_its_own_unless_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SpeechConfig(utterances=6, evaluation=4)
    asked: dict[str, list[TurnPlan]] = {}

    def rendered(_: Stages, name: str, key: str, plans: list[TurnPlan]) -> list[Path]:
        asked[f"{name}-{key}"] = plans
        return [_shard(tmp_path / f"{name}-{key}" / "0.safetensors", {(0, 0): "a"})]

    monkeypatch.setattr(Stages, "_rendered", rendered)
    own = Stages(_with_decoder(small, utterances=9), tmp_path)
    shared = Stages(_with_decoder(small, utterances=0), tmp_path)
    own.speech("train")
    (ears_turns,) = asked.values()
    unknown, familiar = own.decoder_speech()
    _, decoder_turns = asked.values()
    assert len(ears_turns) >= 6
    assert len(decoder_turns) >= 9
    assert not {t.seed for t in ears_turns} & {t.seed for t in decoder_turns}
    assert [p.parent.name for p in (*familiar, *unknown)] == list(asked)
    assert shared.decoder_speech() == (familiar, [])
    assert len(asked) == 2, "with none of its own it learns from the ears' turns"
    assert own.key("ears") == shared.key("ears")
    assert own.key("decoder") != shared.key("decoder")


def _with_decoder(speech: SpeechConfig, utterances: int) -> TrainConfig:
    return TrainConfig(speech=speech, decoder=DecoderConfig(utterances=utterances, outside=0))


def test_a_sentence_with_a_symbol_that_the_table_lacks_is_left_out_and_named(
    tmp_path: Path,
) -> None:
    path, told = tmp_path / "voice.safetensors", list[str]()
    fields = {
        "audio": [np.zeros(20 * 160, np.int16)] * 2,
        "durations": [np.array([5, 5, 5, 5], np.int64)] * 2,
        "f0_hz": [np.full(20, 100.0, np.float32)] * 2,
    }
    save_ragged(path, fields, {"symbols": [["a", "b"], ["a", "ɔɪ"]]})
    examples = load_utterances([path], SymbolTable(["a", "b"]), told.append)
    assert [example.ids.tolist() for example in examples] == [[1, 3, 4, 2]]
    assert told == ["left out of the voice's text, unknown ['ɔɪ']: 'aɔɪ'"]
