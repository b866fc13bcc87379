"""Cadence on disk: one safetensors file in float16, and one JSON file that says what it is."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.rejection import Rejection
from cascadence.systems.cadence.style import StyleStatistics
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.turn_end import TurnEnd
from cascadence.systems.cadence.vocoder import Vocoder

__all__ = [
    "CONFIG_NAME",
    "WEIGHTS_NAME",
    "Bundle",
    "load_bundle",
    "read_config",
    "revision",
    "save_bundle",
]

WEIGHTS_NAME = "cadence.safetensors"
CONFIG_NAME = "cadence.json"


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """The networks and what their numbers mean.

    Attributes:
        ears: encoder of user turns.
        decoder: writes the reply's symbols.
        vocoder: speaks them.
        turn_end: hears the end of a turn.
        table: of symbols.
        words: of the ears' word head, numbered from 1.
        spelling: text of each spoken word, keyed by its joined symbols.
        statistics: of the training users' style.
        rejection: how it declines what may lie outside of its domain; None in old weights.
        training: how it was trained, for people.
    """

    ears: Ears
    decoder: Decoder
    vocoder: Vocoder
    turn_end: TurnEnd
    table: SymbolTable
    words: tuple[str, ...]
    spelling: dict[str, str]
    statistics: StyleStatistics
    rejection: Rejection | None
    training: dict[str, Any]

    def spoken_words(self) -> list[str]:
        """Returns the joined symbols of every word that may be said."""
        return [sound for sound in self.spelling if " " not in sound]


def _networks(symbols: int, words: int) -> dict[str, nn.Module]:
    return {
        "ears": Ears(symbols, words + 1),
        "decoder": Decoder(symbols),
        "vocoder": Vocoder(symbols),
        "turn_end": TurnEnd(),
    }


def save_bundle(folder: Path, bundle: Bundle) -> None:
    """Writes weights in float16 and the configuration with their SHA-256."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    networks = {
        "ears": bundle.ears,
        "decoder": bundle.decoder,
        "vocoder": bundle.vocoder,
        "turn_end": bundle.turn_end,
    }
    tensors = {
        f"{name}.{key}": value.half().contiguous()
        for name, network in networks.items()
        for key, value in network.state_dict().items()
    }
    part = folder / f"{WEIGHTS_NAME}.part"
    save_file(tensors, part)
    config = {
        "sha256": hashlib.sha256(part.read_bytes()).hexdigest(),
        "symbols": list(bundle.table.symbols),
        "words": list(bundle.words),
        "spelling": bundle.spelling,
        "style": asdict(bundle.statistics),
        "rejection": asdict(bundle.rejection) if bundle.rejection else None,
        "training": bundle.training,
    }
    text = json.dumps(config, ensure_ascii=False, indent=1)
    part.chmod(0o644)  # safetensors makes it private to the user
    part.replace(folder / WEIGHTS_NAME)
    (folder / CONFIG_NAME).write_text(text + "\n", encoding="utf-8")


def read_config(folder: Path) -> dict[str, Any]:
    """Reads the JSON file beside the weights."""
    config: dict[str, Any] = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
    return config


def revision(folder: Path) -> str:
    """Returns 12 hex digits that change with the networks and with all that is set beside them."""
    text = json.dumps(read_config(folder), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_bundle(folder: Path) -> Bundle:
    """Loads the networks in float32, in evaluation mode.

    Raises:
        FileNotFoundError: if the folder lacks one of the files.
        ValueError: if the weights are not those that the configuration names, or if they were
            trained for networks of another shape.
    """
    from safetensors.torch import load_file

    config = read_config(folder)
    raw = (folder / WEIGHTS_NAME).read_bytes()
    if hashlib.sha256(raw).hexdigest() != config["sha256"]:
        raise ValueError(f"{folder / WEIGHTS_NAME} is not the file that {CONFIG_NAME} names")
    table = SymbolTable(config["symbols"])
    words = tuple(config["words"])
    tensors = load_file(folder / WEIGHTS_NAME)
    networks = _networks(len(table), len(words))
    for name, network in networks.items():
        state = {
            key.removeprefix(f"{name}."): value.to(torch.float32)
            for key, value in tensors.items()
            if key.startswith(f"{name}.")
        }
        if isinstance(network, Ears):  # those of earlier weights change nothing
            unchanged = network.adapters.state_dict(prefix="adapters.")
            state = unchanged | state
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(
                f"{folder / WEIGHTS_NAME} holds a {name} of another shape than this version has: "
                "train it again, or use the version that it was trained with"
            ) from error
        network.requires_grad_(False).eval()
    ears, decoder, vocoder = networks["ears"], networks["decoder"], networks["vocoder"]
    turn_end = networks["turn_end"]
    assert isinstance(ears, Ears)
    assert isinstance(decoder, Decoder)
    assert isinstance(vocoder, Vocoder)
    assert isinstance(turn_end, TurnEnd)
    rejection = config.get("rejection")
    return Bundle(
        ears=ears,
        decoder=decoder,
        vocoder=vocoder,
        turn_end=turn_end,
        table=table,
        words=words,
        spelling=config["spelling"],
        statistics=StyleStatistics.of(config["style"]["mean"], config["style"]["std"]),
        rejection=(
            Rejection(**rejection | {"symbols": tuple(rejection["symbols"])}) if rejection else None
        ),
        training=config["training"],
    )
