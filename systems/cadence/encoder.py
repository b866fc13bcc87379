"""Whisper's encoder in plain PyTorch, and low-rank changes of it.

Its weights are read from a CTranslate2 file of the weight store; windows are as long as the audio,
not padded to 30 s.
"""

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the name that everybody uses)
from numpy.typing import NDArray
from torch import Tensor, nn

from cascadence.systems.cadence.features import SAMPLE_RATE
from cascadence.weights import fetch

__all__ = [
    "STATE_DIM",
    "WHISPER",
    "Adapters",
    "LogMel",
    "WhisperEncoder",
    "load_encoder",
    "read_ctranslate2",
]

WHISPER = "whisper-tiny-en-ct2"
STATE_DIM = 384
_LAYERS = 4
_HEADS = 6
_MEL_BINS = 80
_RANK = 32
# The changes should learn at a quarter of the ears' rate, but share their optimiser. Matrices four
# times as large, and their product divided by 16, amount to the same.
_GAIN = 4.0


def _mel_matrix(bins: int, fft_bins: int) -> Tensor:
    """Builds Slaney's area-normalised mel filters, (fft_bins, bins), for 16 kHz."""
    step_hz, knee_hz, knee_mel = 200.0 / 3, 1000.0, 15.0
    log_step = math.log(6.4) / 27
    top_mel = knee_mel + math.log(SAMPLE_RATE / 2 / knee_hz) / log_step
    mels = np.linspace(0.0, top_mel, bins + 2)
    hz = np.where(mels < knee_mel, mels * step_hz, knee_hz * np.exp(log_step * (mels - knee_mel)))
    grid = np.linspace(0, SAMPLE_RATE / 2, fft_bins)[:, None]
    rising = (grid - hz[None, :-2]) / (hz[1:-1] - hz[:-2])
    falling = (hz[None, 2:] - grid) / (hz[2:] - hz[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (hz[2:] - hz[:-2]))
    return torch.from_numpy(filters.astype(np.float32))


class LogMel(nn.Module):
    """Whisper's log-mel spectrogram (arXiv 2212.04356, §2.2) of audio as long as it is."""

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        """Prepares window and filters."""
        super().__init__()
        self.register_buffer("window", torch.hann_window(400), persistent=False)
        self.register_buffer("filters", _mel_matrix(_MEL_BINS, 201), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Turns (samples,) at 16 kHz into (80, samples // 160)."""
        spectrum = torch.stft(audio, 400, 160, window=self.window, return_complex=True)
        power = spectrum[:, :-1].abs() ** 2
        mel = torch.log10((self.filters.T @ power).clamp(min=1e-10))
        return (torch.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0


class _LowRank(nn.Module):
    """A change of a matrix by a product of two narrow ones; zero at first."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(_RANK, inputs) * (_GAIN / math.sqrt(inputs)))
        self.up = nn.Parameter(torch.zeros(outputs, _RANK))

    def forward(self, x: Tensor) -> Tensor:
        return (x @ self.down.T / _GAIN**2) @ self.up.T

    def matrix(self) -> Tensor:
        """Returns the change itself, (outputs, inputs)."""
        return self.up @ self.down / _GAIN**2


class Adapters(nn.Module):
    """Low-rank changes of the encoder (LoRA, arXiv 2106.09685): .8 M numbers of rank 32."""

    def __init__(self) -> None:
        """Builds changes of every linear layer that change nothing yet."""
        super().__init__()
        dim = STATE_DIM
        shapes = {"qkv": (dim, 3 * dim), "out": (dim, dim)}
        shapes |= {"ffn_in": (dim, 4 * dim), "ffn_out": (4 * dim, dim)}
        self.layers = nn.ModuleList(
            nn.ModuleDict({name: _LowRank(*shape) for name, shape in shapes.items()})
            for _ in range(_LAYERS)
        )

    def each_layer(self) -> list[nn.ModuleDict]:
        """Returns the changes of each layer, by the name of what they change."""
        return cast("list[nn.ModuleDict]", list(self.layers))


class _WhisperLayer(nn.Module):
    """One pre-norm Transformer layer of Whisper's encoder."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.ffn_norm = nn.LayerNorm(dim)
        self.ffn_in = nn.Linear(dim, 4 * dim)
        self.ffn_out = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None, changes: nn.ModuleDict | None) -> Tensor:
        def linear(name: str, values: Tensor) -> Tensor:
            made: Tensor = self.get_submodule(name)(values)
            return made if changes is None else made + changes[name](values)

        batch, frames, dim = x.shape
        qkv = linear("qkv", self.attention_norm(x)).view(batch, frames, 3, _HEADS, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # Written out: the fused kernel takes several times as long to go backward.
        scores = (query / math.sqrt(dim // _HEADS)) @ key.transpose(2, 3)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        attended = scores.softmax(-1).to(value.dtype) @ value
        x = x + linear("out", attended.transpose(1, 2).reshape(batch, frames, dim))
        return x + linear("ffn_out", F.gelu(linear("ffn_in", self.ffn_norm(x))))


class WhisperEncoder(nn.Module):
    """Whisper tiny.en's encoder, frozen: 8.2 M parameters, 384 numbers every 20 ms."""

    def __init__(self) -> None:
        """Builds the encoder with random weights; `load_ctranslate2` fills it."""
        super().__init__()
        self.mel = LogMel()
        self.conv1 = nn.Conv1d(_MEL_BINS, STATE_DIM, 3, padding=1)
        self.conv2 = nn.Conv1d(STATE_DIM, STATE_DIM, 3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.zeros(1500, STATE_DIM))
        self.layers = nn.ModuleList(_WhisperLayer(STATE_DIM) for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(STATE_DIM)

    def forward(
        self, turns: Sequence[Tensor], adapters: Adapters | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encodes turns, each as if it were alone.

        Args:
            turns: (samples,) each, at 16 kHz, at most 30 s.
            adapters: changes, while they are trained; see `adapted` for afterwards.

        Returns:
            States (batch, frames, 384) at 50 Hz, and the frames of each turn, (batch,).
        """
        with torch.no_grad():
            mels = [self.mel(audio) for audio in turns]
            sizes = torch.tensor([mel.shape[1] for mel in mels])
            padded = nn.utils.rnn.pad_sequence([mel.T for mel in mels], batch_first=True)
            inside = torch.arange(padded.shape[1]) < sizes[:, None]
            hidden = F.gelu(self.conv1(padded.transpose(1, 2))) * inside[:, None]
            hidden = F.gelu(self.conv2(hidden)).transpose(1, 2)
            hidden = hidden + self.positions[: hidden.shape[1]]
        frames = (sizes + 1) // 2
        mask = torch.arange(hidden.shape[1]) < frames[:, None]
        attended = None if bool(mask.all()) else mask[:, None, None]
        changes = adapters.each_layer() if adapters else [None] * _LAYERS
        for layer, change in zip(self.layers, changes, strict=True):
            hidden = layer(hidden, attended, change)
        states: Tensor = self.norm(hidden)
        return states, frames

    @torch.no_grad()
    def adapted(self, adapters: Adapters) -> Self:
        """Adds changes to the weights for good; returns itself."""
        for layer, changes in zip(self.layers, adapters.each_layer(), strict=True):
            for name, change in changes.items():
                weight = cast("nn.Linear", layer.get_submodule(name)).weight
                weight += cast("_LowRank", change).matrix()
        return self

    @classmethod
    def load_ctranslate2(cls, model_bin: Path) -> "WhisperEncoder":
        """Builds the encoder from a CTranslate2 Whisper's `model.bin`, frozen, in float32."""
        weights = read_ctranslate2(model_bin)
        encoder = cls()
        state = {"positions": weights["encoder/position_encodings/encodings"]}
        plain = {"conv1": "conv1", "conv2": "conv2", "norm": "layer_norm"}
        for i in range(len(encoder.layers)):
            plain |= {
                f"layers.{i}.qkv": f"layer_{i}/self_attention/linear_0",
                f"layers.{i}.out": f"layer_{i}/self_attention/linear_1",
                f"layers.{i}.attention_norm": f"layer_{i}/self_attention/layer_norm",
                f"layers.{i}.ffn_norm": f"layer_{i}/ffn/layer_norm",
                f"layers.{i}.ffn_in": f"layer_{i}/ffn/linear_0",
                f"layers.{i}.ffn_out": f"layer_{i}/ffn/linear_1",
            }
        for name, source in plain.items():
            first, second = ("gamma", "beta") if "norm" in name else ("weight", "bias")
            state[f"{name}.weight"] = weights[f"encoder/{source}/{first}"]
            state[f"{name}.bias"] = weights[f"encoder/{source}/{second}"]
        encoder.load_state_dict(
            {k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()}
        )
        return encoder.requires_grad_(False).eval()


def load_encoder() -> WhisperEncoder:
    """Loads the encoder from the weight store."""
    return WhisperEncoder.load_ctranslate2(fetch(WHISPER) / "model.bin")


def read_ctranslate2(path: Path) -> dict[str, NDArray[Any]]:
    """Reads the tensors of a CTranslate2 `model.bin` (binary version 6).

    Raises:
        ValueError: if the file is of another version.
    """
    raw = path.read_bytes()
    position = 0

    def number(code: str) -> int:
        nonlocal position
        value = struct.unpack_from("<" + code, raw, position)[0]
        position += struct.calcsize("<" + code)
        return int(value)

    def text() -> str:
        nonlocal position
        size = number("H")
        value = raw[position : position + size].rstrip(b"\0").decode()
        position += size
        return value

    version = number("I")
    if version != 6:
        raise ValueError(f"{path}: CTranslate2 binary version {version}, expected 6")
    text()
    number("I")
    kinds = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
    tensors: dict[str, NDArray[Any]] = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind = np.dtype(kinds[number("B")])
        size = number("I")
        values = np.frombuffer(raw, kind, count=size // kind.itemsize, offset=position)
        tensors[name] = values.reshape(shape)
        position += size
    return tensors
