"""Is somebody speaking? Voice activity, frame by frame, as every half-duplex system hears it.

Frames are `cascadence.protocols.FRAME_S` long at `INPUT_RATE`; a probability is in [0, 1] and holds
for the newest frame. `SileroVad` is the default; `EnergyVad` needs nothing but numpy and serves
clean audio, tests and machines without onnxruntime.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Literal, Protocol

import numpy as np

from cascadence.audio import AUDIBLE_DBFS, Audio, BadAudio
from cascadence.protocols import FRAME_S, INPUT_RATE
from cascadence.require import require

VadName = Literal["silero", "energy"]

_SILERO_ARTEFACT = "silero-vad"
_WINDOW_SAMPLES = 512
_CONTEXT_SAMPLES = 64
_QUIET_WINDOWS_TO_RESET = 32

_FLOOR_WINDOW_S = 2.0
_FLOOR_LEAST_DBFS = -75.0
_MARGIN_DB = 9.0
_SLOPE_DB = 2.0


class Vad(Protocol):
    """A voice activity detector with state; one instance serves one conversation at a time."""

    @property
    def revision(self) -> str:
        """What pins its behaviour: the hash of its weights, or the version of its code."""

    @property
    def weights(self) -> tuple[str, ...]:
        """Names in the weight store's catalogue."""

    def load(self) -> None:
        """Load the model, if there is one; calling it again does nothing."""

    def reset(self) -> None:
        """Forget what was heard: a new conversation begins."""

    def probability(self, frame: Audio) -> float:
        """Return how likely it is, in [0, 1], that there is speech in the newest frame."""


def make_vad(name: VadName) -> Vad:
    """Return a detector by name, not yet loaded."""
    return EnergyVad() if name == "energy" else SileroVad()


class EnergyVad:
    """Speech is what stands out from the noise floor, the quietest moment of the last two seconds.

    A steady noise that sets in is taken for speech until it has become the floor.
    """

    revision = "1"
    weights: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Start in silence."""
        self._levels_dbfs: deque[float] = deque(maxlen=round(_FLOOR_WINDOW_S / FRAME_S))

    def load(self) -> None:
        """There is nothing to load."""

    def reset(self) -> None:
        """Forget the noise floor."""
        self._levels_dbfs.clear()

    def probability(self, frame: Audio) -> float:
        """Return 0.5 where the frame is audible and 9 dB above the floor, more above that."""
        samples = frame.samples
        power = float(np.dot(samples, samples)) / max(1, len(samples))
        level_dbfs = 10.0 * math.log10(power) if power > 0.0 else -120.0
        self._levels_dbfs.append(level_dbfs)
        # Before there has been any quiet, a floor is assumed, or the first word would be taken for
        # noise.
        full = len(self._levels_dbfs) == self._levels_dbfs.maxlen
        floor_dbfs = min(self._levels_dbfs) if full else min(*self._levels_dbfs, AUDIBLE_DBFS)
        bar_dbfs = max(AUDIBLE_DBFS, max(floor_dbfs, _FLOOR_LEAST_DBFS) + _MARGIN_DB)
        return 1.0 / (1.0 + math.exp(min(60.0, (bar_dbfs - level_dbfs) / _SLOPE_DB)))


class SileroVad:
    """Silero VAD in onnxruntime: no torch, one thread, one call for each window of 32 ms.

    Frames of 20 ms are gathered into windows; between two windows the probability stays what it
    was. Digital silence is not put through the network: a second of it resets the network's memory,
    and nothing is computed until it ends.
    """

    weights: tuple[str, ...] = (_SILERO_ARTEFACT,)

    def __init__(self) -> None:
        """Prepare; the model is loaded by `load`."""
        self._session: Any = None
        self._rate = np.array(INPUT_RATE, dtype=np.int64)
        self._window = np.zeros((1, _CONTEXT_SAMPLES + _WINDOW_SAMPLES), dtype=np.float32)
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._filled = 0
        self._quiet_windows = 0
        self._probability = 0.0

    @property
    def revision(self) -> str:
        """Hash of the weights."""
        from cascadence.weights import fingerprint

        return fingerprint(_SILERO_ARTEFACT)[:12]

    def load(self) -> None:
        """Build the session from the weight store.

        Raises:
            MissingExtra: onnxruntime or silero-vad is not installed.
        """
        if self._session is not None:
            return
        ort = require("onnxruntime", extra="vad")
        from cascadence.weights import fetch

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = fetch(_SILERO_ARTEFACT) / "silero_vad.onnx"
        self._session = ort.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def reset(self) -> None:
        """Forget what was heard."""
        self._window[:] = 0.0
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._filled = 0
        self._quiet_windows = 0
        self._probability = 0.0

    def probability(self, frame: Audio) -> float:
        """Return the probability of the last whole window.

        Raises:
            BadAudio: the frame has another rate than 16 kHz.
        """
        if frame.sample_rate != INPUT_RATE:
            raise BadAudio(f"Silero listens at {INPUT_RATE} Hz, not at {frame.sample_rate} Hz")
        samples = frame.samples
        taken = 0
        while taken < len(samples):
            count = min(len(samples) - taken, _WINDOW_SAMPLES - self._filled)
            start = _CONTEXT_SAMPLES + self._filled
            self._window[0, start : start + count] = samples[taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == _WINDOW_SAMPLES:
                self._listen()
        return self._probability

    def _listen(self) -> None:
        self._filled = 0
        self._quiet_windows = 0 if self._window.any() else self._quiet_windows + 1
        if self._quiet_windows > _QUIET_WINDOWS_TO_RESET:
            return
        if self._quiet_windows == _QUIET_WINDOWS_TO_RESET:
            self.reset()
            self._quiet_windows = _QUIET_WINDOWS_TO_RESET
            return
        inputs = {"input": self._window, "state": self._state, "sr": self._rate}
        output, self._state = self._session.run(None, inputs)
        self._probability = float(output[0, 0])
        self._window[0, :_CONTEXT_SAMPLES] = self._window[0, -_CONTEXT_SAMPLES:]
