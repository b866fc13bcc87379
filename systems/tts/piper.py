"""Piper: a small neural voice that runs many times faster than it speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from cascadence.audio import Audio
from cascadence.protocols import Context, PartInfo
from cascadence.require import require

_RATES_HZ: Final = {"piper-joe-medium": 22_050}
_WARM_UP = "Good morning, how can I help you today?"


class Piper:
    """A `Tts`: one chunk of sound a sentence.

    The voice's own randomness is switched off (`noise_scale` and `noise_w_scale` are 0), so that
    the same words always sound the same, whatever was said before.
    """

    def __init__(
        self,
        voice: str = "piper-joe-medium",
        length_scale: float = 1.11,
        noise_scale: float = 0.0,
        noise_w_scale: float = 0.0,
        threads: int = 1,
    ) -> None:
        """Choose a voice; it is loaded on entering.

        Args:
            voice: an artefact of the weight store.
            length_scale: 1 is the voice's own pace, more is slower. The default voice is quick and
                heard better at .9 of its pace (see `_PACE` in `systems/cadence/style.py`).
            noise_scale: randomness of the sound; above 0, repeats differ.
            noise_w_scale: randomness of the durations; above 0, repeats differ.
            threads: of the network.
        """
        self._artefact = voice
        self._length_scale = length_scale
        self._noise_scale = noise_scale
        self._noise_w_scale = noise_w_scale
        self._threads = threads
        self._voice: Any = None
        self._synthesis: Any = None

    @property
    def info(self) -> PartInfo:
        """What it is; the licences of the code and of the voice are both named."""
        from cascadence.weights import artefact, fingerprint

        try:
            code = version("piper-tts")
        except PackageNotFoundError:
            code = "absent"
        return PartInfo(
            name="piper",
            licence=f"GPL-3.0-or-later (code); {artefact(self._artefact).licence} (voice)",
            revision=f"{fingerprint(self._artefact)[:12]}/piper-tts-{code}",
            parameters={
                "voice": self._artefact,
                "length_scale": self._length_scale,
                "noise_scale": self._noise_scale,
                "noise_w_scale": self._noise_w_scale,
                "threads": self._threads,
            },
            weights=(self._artefact,),
        )

    @property
    def output_rate(self) -> int:
        """Hz; read from the voice's configuration where the catalogue's own voice is not used."""
        if self._artefact in _RATES_HZ:
            return _RATES_HZ[self._artefact]
        return int(self._config()["audio"]["sample_rate"])

    def __enter__(self) -> Self:
        """Load the voice and say a sentence.

        Raises:
            MissingExtra: piper-tts is not installed.
            WeightsError: the voice cannot be had.
        """
        voices = require("piper.voice", extra="piper")
        configs = require("piper.config", extra="piper")
        ort = require("onnxruntime", extra="piper")
        from cascadence.weights import fetch

        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        model = next(fetch(self._artefact).glob("*.onnx"))
        session = ort.InferenceSession(
            str(model), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._voice = voices.PiperVoice(
            session=session, config=configs.PiperConfig.from_dict(self._config())
        )
        self._synthesis = configs.SynthesisConfig(
            length_scale=self._length_scale,
            noise_scale=self._noise_scale,
            noise_w_scale=self._noise_w_scale,
            # Each sentence comes out with its peak at full scale; this leaves room for resampling.
            volume=0.7,
        )
        for _ in self._voice.synthesize(_WARM_UP, self._synthesis):
            continue
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the voice."""
        self._voice = None

    def synthesize(self, text: str, context: Context) -> Iterator[Audio]:
        """Speak one sentence; what has no sound gives nothing."""
        for chunk in self._voice.synthesize(text, self._synthesis):
            samples = np.asarray(chunk.audio_float_array, dtype=np.float32)
            if len(samples):
                yield Audio(samples, int(chunk.sample_rate))

    def _config(self) -> dict[str, Any]:
        from cascadence.weights import fetch

        path = next(fetch(self._artefact).glob("*.onnx.json"))
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return config
