"""What Cadence hears: the states of a frozen Whisper encoder, and prosody beside them, at 50 Hz.

The Whisper encoder's weights are read from a CTranslate2 file of the weight store and run in plain
PyTorch; windows are as long as the audio, not padded to 30 s. Whisper's log-mel is normalised to
its maximum, so loudness is invisible to it: level, pitch and voicing are streams of their own.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the name that everybody uses)
from numpy.typing import NDArray
from torch import Tensor, nn

from cascadence.require import require

__all__ = [
    "PROSODY_DIM",
    "SAMPLE_RATE",
    "STATE_DIM",
    "LogMel",
    "PitchTracker",
    "Prosody",
    "ProsodyTracker",
    "WhisperEncoder",
    "read_ctranslate2",
    "stack_frames",
]

SAMPLE_RATE = 16000
FRAME_S = 0.02
STATE_DIM = 384
PROSODY_DIM = 3
_MEL_BINS = 80
_REFERENCE_HZ = 150.0
_QUIET_DB = -80.0


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


class _WhisperLayer(nn.Module):
    """One pre-norm Transformer layer of Whisper's encoder."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.ffn_norm = nn.LayerNorm(dim)
        self.ffn_in = nn.Linear(dim, 4 * dim)
        self.ffn_out = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        frames, dim = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(frames, 3, self.heads, -1).permute(1, 2, 0, 3)
        attended = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        x = x + self.out(attended.transpose(0, 1).reshape(frames, dim))
        hidden: Tensor = self.ffn_out(F.gelu(self.ffn_in(self.ffn_norm(x))))
        return x + hidden


class WhisperEncoder(nn.Module):
    """Whisper tiny.en's encoder, frozen: 8.2 M parameters, 384 numbers every 20 ms."""

    def __init__(self, layers: int = 4, heads: int = 6) -> None:
        """Builds the encoder with random weights; `load_ctranslate2` fills it."""
        super().__init__()
        self.mel = LogMel()
        self.conv1 = nn.Conv1d(_MEL_BINS, STATE_DIM, 3, padding=1)
        self.conv2 = nn.Conv1d(STATE_DIM, STATE_DIM, 3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.zeros(1500, STATE_DIM))
        self.layers = nn.ModuleList(_WhisperLayer(STATE_DIM, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(STATE_DIM)

    def forward(self, audio: Tensor) -> Tensor:
        """Turns (samples,) at 16 kHz, at most 30 s, into states (frames, 384) at 50 Hz."""
        hidden = F.gelu(self.conv1(self.mel(audio)[None]))
        hidden = F.gelu(self.conv2(hidden))[0].T
        hidden = hidden + self.positions[: len(hidden)]
        for layer in self.layers:
            hidden = layer(hidden)
        states: Tensor = self.norm(hidden)
        return states

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


class PitchTracker:
    """F0 by SwiftF0 (arXiv 2508.18440), on any frame grid."""

    def __init__(self, minimum_hz: float = 60.0, maximum_hz: float = 500.0) -> None:
        """Loads the tracker (50 ms), on one thread."""
        swift = require("swift_f0", extra="cadence")
        self._detector: Any = swift.SwiftF0(threads=1, spin=False)
        self._range_hz = (minimum_hz, maximum_hz)

    def track(self, audio: NDArray[np.float32], frame_s: float) -> NDArray[np.float32]:
        """Returns F0 in Hz at `frame_s · (i + ½)`, 0 where unvoiced; audio at 16 kHz, mono."""
        frames = len(audio) // round(frame_s * SAMPLE_RATE)
        if frames == 0:
            return np.zeros(0, np.float32)
        low, high = self._range_hz
        found = self._detector.detect(audio, SAMPLE_RATE, fmin=low, fmax=high)
        times_s = (np.arange(frames) + 0.5) * frame_s
        nearest = np.clip(np.round(times_s / 0.016).astype(int), 0, len(found.pitch_hz) - 1)
        voiced = found.confidence >= 0.5
        if not voiced.any():
            return np.zeros(frames, np.float32)
        log_f0 = np.interp(times_s, found.timestamps[voiced], np.log(found.pitch_hz[voiced]))
        return np.where(voiced[nearest], np.exp(log_f0), 0.0).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Prosody:
    """Prosody of a turn every 20 ms.

    Attributes:
        f0_hz: (frames,), 0 where unvoiced.
        level_db: (frames,), RMS over 40 ms, dB re full scale, at least -80.
    """

    f0_hz: NDArray[np.float32]
    level_db: NDArray[np.float32]

    def streams(self) -> NDArray[np.float32]:
        """Returns (frames, 3): octaves re 150 Hz (0 if unvoiced), voicing, (level + 40 dB) / 20."""
        voiced = self.f0_hz > 0
        octaves = np.log2(np.where(voiced, self.f0_hz, _REFERENCE_HZ) / _REFERENCE_HZ)
        level = (self.level_db + 40.0) / 20.0
        return np.stack([octaves, voiced, level], axis=1).astype(np.float32)

    def pitch_statistics(self) -> tuple[float, float, float] | None:
        """Returns median F0 (semitones re 150 Hz), F0 spread (semitones), level (dB), where voiced.

        The spread is half of the distance between the 10th and the 90th percentile: octave errors
        move a standard deviation, not this. None if fewer than five frames are voiced.
        """
        voiced = self.f0_hz > 0
        if int(voiced.sum()) < 5:
            return None
        semitones = 12 * np.log2(self.f0_hz[voiced] / _REFERENCE_HZ)
        low, high = np.percentile(semitones, [10, 90])
        level = 10 * np.log10(np.mean(10 ** (self.level_db[voiced] / 10)))
        return float(np.median(semitones)), float((high - low) / 2), float(level)


class ProsodyTracker:
    """Measures `Prosody`."""

    def __init__(self) -> None:
        """Loads the pitch tracker."""
        self._pitch = PitchTracker()

    def track(self, audio: NDArray[np.float32]) -> Prosody:
        """Measures audio at 16 kHz."""
        hop = int(FRAME_S * SAMPLE_RATE)
        frames = len(audio) // hop
        padded = np.pad(audio[: frames * hop].astype(np.float64) ** 2, hop // 2)
        power = np.concatenate([[0.0], np.cumsum(padded)])
        mean = (power[2 * hop :: hop][:frames] - power[::hop][:frames]) / (2 * hop)
        level_db = 10 * np.log10(np.maximum(mean, 10 ** (_QUIET_DB / 10)))
        return Prosody(self._pitch.track(audio, FRAME_S)[:frames], level_db.astype(np.float32))


def stack_frames(values: NDArray[Any], stack: int) -> NDArray[Any]:
    """Joins every `stack` frames: (frames, dim) → (frames // stack, stack · dim)."""
    frames = len(values) // stack * stack
    return values[:frames].reshape(frames // stack, -1)
