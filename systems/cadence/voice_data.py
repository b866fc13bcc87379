"""Training data of the vocoder: what the reply voice says, when, and at which pitch.

The voice is a Piper voice (training only; piper-tts is GPL-3.0). Its graph carries a tensor of
durations that no output shows; one node is added to the outputs, and with the duration noise off
the samples are exactly the frames' sum, so that symbols and audio are aligned without an aligner.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascadence.require import require
from cascadence.systems.cadence.features import PitchTracker
from cascadence.systems.cadence.symbols import merge_phonemes

__all__ = ["FRAME_S", "PiperVoice", "Utterance", "reply_sentences", "word_salads"]

FRAME_S = 0.01
_SAMPLE_RATE = 16000
_DURATION_NODE = "/Ceil_output_0"
_PIPER_HOP = 256
_NOISE_SCALE = 0.2  # near-deterministic audio: a regression target should not be a lottery


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance of the voice, aligned.

    Attributes:
        symbols: merged phonemes, `begin` and `end` not included.
        durations: frames of 10 ms a symbol, (len(symbols) + 2,), with the silence at both ends.
        audio: float32 mono at 16 kHz, 160 samples a frame.
        f0_hz: F0 a frame; 0 where unvoiced.
    """

    symbols: tuple[str, ...]
    durations: NDArray[np.int64]
    audio: NDArray[np.float32]
    f0_hz: NDArray[np.float32]


class PiperVoice:
    """Phonemizes with a Piper voice, and speaks with known durations."""

    def __init__(self, model: Path, config: Path) -> None:
        """Loads the voice and exposes its duration tensor.

        Args:
            model: the voice's ONNX file.
            config: its JSON file.
        """
        piper = require("piper", extra="piper")
        onnx = require("onnx", extra="cadence-train")
        onnxruntime = require("onnxruntime", extra="cadence-train")
        self._voice: Any = piper.PiperVoice.load(str(model), str(config))
        self._rate_hz = int(json.loads(config.read_text(encoding="utf-8"))["audio"]["sample_rate"])
        graph = onnx.load(str(model))
        graph.graph.output.append(
            onnx.helper.make_tensor_value_info(_DURATION_NODE, onnx.TensorProto.FLOAT, None)
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._pitch = PitchTracker(minimum_hz=55.0, maximum_hz=300.0)

    def symbols(self, text: str) -> tuple[str, ...]:
        """Turns text into symbols; sentences are joined with a space."""
        sentences = self._voice.phonemize(text)
        return tuple(merge_phonemes(" ".join("".join(sentence) for sentence in sentences)))

    def speak(self, text: str) -> Utterance:
        """Speaks a text of one or several sentences in one breath."""
        import soxr

        symbols = self.symbols(text)
        characters = [character for symbol in symbols for character in symbol]
        ids = np.array([self._voice.phonemes_to_ids(characters)], dtype=np.int64)
        if ids.shape[1] != 2 * len(characters) + 3:
            raise ValueError(f"the voice does not know every phoneme of {text!r}")
        scales = np.array([_NOISE_SCALE, 1.0, 0.0], dtype=np.float32)
        lengths = np.array([ids.shape[1]], dtype=np.int64)
        wave, frames = self._session.run(
            None, {"input": ids, "input_lengths": lengths, "scales": scales}
        )
        durations = _symbol_durations(symbols, frames.reshape(-1) * _PIPER_HOP / self._rate_hz)
        hop = int(FRAME_S * _SAMPLE_RATE)
        audio = soxr.resample(wave.reshape(-1).astype(np.float32), self._rate_hz, _SAMPLE_RATE)
        total = int(durations.sum()) * hop
        audio = np.pad(audio, (0, max(0, total - len(audio))))[:total].astype(np.float32)
        f0_hz = self._pitch.track(audio, FRAME_S)[: int(durations.sum())]
        return Utterance(symbols, durations, audio, f0_hz)


def _symbol_durations(
    symbols: Sequence[str], id_durations_s: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Sums the durations of ids (`^ _ c _ c _ … $`, each pad given to the character before it)."""
    ends_s = [float(id_durations_s[:2].sum())]
    position = 2
    for symbol in symbols:
        step = 2 * len(symbol)
        ends_s.append(ends_s[-1] + float(id_durations_s[position : position + step].sum()))
        position += step
    ends_s.append(ends_s[-1] + float(id_durations_s[position:].sum()))
    frames = np.round(np.array(ends_s) / FRAME_S).astype(np.int64)
    return np.diff(frames, prepend=0)


def word_salads(vocabulary: Path, count: int, seed: int) -> list[str]:
    """Draws sentences of unrelated English words: every sound beside every other.

    Args:
        vocabulary: a Whisper `tokenizer.json`; its whole-word entries, frequent ones first.
        count: how many sentences.
        seed: the same seed gives the same sentences.
    """
    table = json.loads(vocabulary.read_text(encoding="utf-8"))["model"]["vocab"]
    ranked = sorted(table, key=table.__getitem__)
    words = [w[1:] for w in ranked if w[0] == "Ġ" and len(w) > 3 and w[1:].isascii()]
    words = [w for w in words if w.isalpha() and w.islower()][:12000]
    rng = random.Random(seed)
    sentences = []
    for _ in range(count):
        chosen = [words[int(len(words) * rng.random() ** 1.7)] for _ in range(rng.randint(4, 9))]
        if rng.random() < 0.3:
            chosen[len(chosen) // 2] += ","
        sentences.append(" ".join(chosen).capitalize() + rng.choice(["."] * 4 + ["?", "!"]))
    return sentences


def reply_sentences(count: int, seed: int) -> list[str]:
    """Draws distinct replies of the assistant domain, from conversations of its training split.

    Args:
        count: how many, at most.
        seed: the same seed gives the same sentences.
    """
    from cascadence.data_manifests.assistant.sampling import sample_dialogue

    rng = random.Random(seed)
    found: dict[str, None] = {}
    for _ in range(20 * count):
        if len(found) >= count:
            break
        found.update(dict.fromkeys(line.reply for line in sample_dialogue(rng, "train").turns))
    return list(found)[:count]
