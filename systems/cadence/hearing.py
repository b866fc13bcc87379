"""Rendered turns as the ears hear them: encoded in batches, in noise that is mixed anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cascadence.systems.cadence import augment
from cascadence.systems.cadence.data import Lessons
from cascadence.systems.cadence.encoder import WhisperEncoder
from cascadence.systems.cadence.features import ProsodyTracker
from cascadence.systems.cadence.lessons_batch import ear_input
from cascadence.systems.cadence.model import Ears
from cascadence.systems.cadence.ragged import load_ragged, save_ragged
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = [
    "FreshNoise",
    "RenderedTurn",
    "Sounds",
    "encoded",
    "hear_all",
    "hear_shards",
    "joined",
    "rendered_turn",
]

RenderedTurn = tuple[NDArray[np.float32], NDArray[np.float16] | NDArray[np.float32]]


class FreshNoise:
    """Mixes noise into turns that were rendered in quiet."""

    def __init__(self, share: float, rng: np.random.Generator) -> None:
        """Takes the share of the quiet turns that get noise, and the source of randomness."""
        self._share, self._rng = share, rng
        self._tracker = ProsodyTracker()

    def turn(self, lessons: Lessons, index: int) -> RenderedTurn:
        """Returns a turn's samples at 16 kHz and its prosody (frames, 3), as heard this time."""
        plan = lessons.plans[index]
        is_quiet = plan.text and plan.noise == plan.line == "none"
        if not is_quiet or self._rng.random() >= self._share:
            return rendered_turn(lessons, index)
        noisy = augment.in_fresh_noise(lessons.audio(index), self._rng)
        return noisy, self._tracker.track(noisy).streams()


def rendered_turn(lessons: Lessons, index: int) -> RenderedTurn:
    """Returns a turn's samples at 16 kHz and its prosody (frames, 3), as rendered."""
    return lessons.audio(index), lessons.prosody(index)


def encoded(
    ears: Ears,
    encoder: WhisperEncoder,
    turns: Sequence[RenderedTurn],
    rng: np.random.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Encodes turns for the ears, by their own changes of the encoder.

    Args:
        ears: see `Ears.adapters`.
        encoder: as it comes from the weight store.
        turns: samples and prosody.
        rng: given in training; see `ear_input`.

    Returns:
        What `Ears` take in.
    """
    states, frames = encoder([torch.from_numpy(audio) for audio, _ in turns], ears.adapters)
    return ear_input(states, frames, [prosody for _, prosody in turns], rng)


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """Rendered turns as the frozen ears hear them.

    Attributes:
        states: (frames, dim) float16 a turn.
        spoken: (frames,) a turn, true where a phoneme was heard.
    """

    states: Sequence[NDArray[np.float16]]
    spoken: Sequence[NDArray[np.bool_]]


@torch.inference_mode()
def hear_all(
    ears: Ears,
    encoder: WhisperEncoder,
    lessons: Lessons,
    log: Callable[[str], None],
    *,
    unsure: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Sounds:
    """Runs the ears over every turn, in batches of similar length.

    Args:
        ears: frozen.
        encoder: as it comes from the weight store.
        lessons: the turns.
        log: told about the progress.
        unsure: in training, the ears' dropout: they are surer of the voices that they were trained
            on than of a stranger's, and the decoder has to bear that.
        noise: share of the quiet turns that are heard in noise.
        seed: of the noise and the dropout.
    """
    torch.manual_seed(seed)
    ears.train(unsure > 0.0)
    layers = [layer for layer in ears.modules() if isinstance(layer, nn.Dropout)]
    usual = [layer.p for layer in layers]
    for layer in layers:
        layer.p = unsure
    states: list[NDArray[np.float16]] = [np.zeros((0, 0), np.float16)] * len(lessons)
    spoken: list[NDArray[np.bool_]] = [np.zeros(0, bool)] * len(lessons)
    fresh = FreshNoise(noise, np.random.default_rng(seed))
    order = np.argsort(lessons.lengths())
    for start in range(0, len(order), 16):
        chosen = order[start : start + 16]
        with torch.autocast("cpu", torch.bfloat16):
            turns = [fresh.turn(lessons, i) for i in chosen]
            features, lengths = encoded(ears, encoder, turns)
            heard = ears(features, lengths)
        voiced = (ears.phone_head(heard.states.float()).argmax(-1) != SymbolTable.PAD).numpy()
        for row, i in enumerate(chosen):
            states[i] = heard.states[row, : lengths[row]].float().numpy().astype(np.float16)
            spoken[i] = voiced[row, : lengths[row]]
        if start % 1600 == 0:
            log(f"heard {start} of {len(order)} turns")
    ears.eval()
    for layer, share in zip(layers, usual, strict=True):
        layer.p = share
    return Sounds(states, spoken)


def hear_shards(
    folder: Path,
    ears: Ears,
    encoder: WhisperEncoder,
    shards: Sequence[Path],
    log: Callable[[str], None],
    *,
    unsure: float,
    noise: float,
) -> Sounds:
    """Runs the ears over rendered shards, and keeps what they hear of each.

    Args:
        folder: of what is kept, a file a shard; to be named after the ears, `unsure` and `noise`.
        ears: frozen.
        encoder: as it comes from the weight store.
        shards: files that `Lessons` reads.
        log: told about the progress.
        unsure: see `hear_all`.
        noise: see `hear_all`.

    Returns:
        All turns, in the shards' order.
    """
    folder.mkdir(exist_ok=True)
    states: list[NDArray[np.float16]] = []
    spoken: list[NDArray[np.bool_]] = []
    for number, shard in enumerate(shards):
        kept = folder / f"{shard.parent.name}-{shard.name}"
        if not kept.exists():
            lessons = Lessons([shard])
            heard = hear_all(
                ears, encoder, lessons, lambda _: None, unsure=unsure, noise=noise, seed=number
            )
            save_ragged(kept, {"states": heard.states, "spoken": heard.spoken}, None)
            log(f"{folder.name}: {number + 1} of {len(shards)} shards are heard")
        fields, _ = load_ragged(kept)
        states.extend(fields["states"][i] for i in range(len(fields["states"])))
        spoken.extend(fields["spoken"][i] for i in range(len(fields["spoken"])))
    return Sounds(states, spoken)


def joined(parts: Sequence[Sounds]) -> Sounds:
    """Puts turns after one another."""
    states = [turn for part in parts for turn in part.states]
    return Sounds(states, [turn for part in parts for turn in part.spoken])
