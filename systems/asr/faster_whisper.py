"""Whisper in CTranslate2, through faster-whisper's feature extraction and tokenizer.

Whisper was trained on windows of 30 s, and the usual call pads every clip to that length. Here a
clip is padded to `window_s` instead: on two CPU cores that takes a fifth of the time, at the same
word error rate. A decoder on a short window may fall into a loop; that is seen from the text and
the probabilities alone, and the clip is then heard once more in the window that the model was
trained on.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from cascadence.audio import Audio
from cascadence.protocols import INPUT_RATE, Context, PartInfo, Turn
from cascadence.require import require

_TRAINED_WINDOW_S = 30.0
_ROOM_S = 2.0
_HOP_SAMPLES = 160

# More tokens than anyone can say: a loop.
_TOKENS_BASE = 8
_TOKENS_PER_S = 8.0

# Thresholds of Whisper's own transcription loop.
_LOOP_COMPRESSION = 2.4
_POOR_LOG_PROBABILITY = -1.0
_NO_SPEECH_PROBABILITY = 0.6


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    text: str
    log_probability: float
    no_speech_probability: float
    cut: bool

    @property
    def loops(self) -> bool:
        letters = self.text.encode()
        return self.cut or len(letters) > _LOOP_COMPRESSION * len(zlib.compress(letters))

    @property
    def poor(self) -> bool:
        return self.log_probability < _POOR_LOG_PROBABILITY

    @property
    def is_silence(self) -> bool:
        return self.poor and self.no_speech_probability > _NO_SPEECH_PROBABILITY


class FasterWhisper:
    """An `Asr`: greedy, without timestamps, one answer a turn."""

    def __init__(
        self,
        model: str = "whisper-tiny-en-ct2",
        window_s: float = 8.0,
        compute_type: str = "int8",
        cpu_threads: int = 1,
        device: Literal["cpu", "cuda", "auto"] = "cpu",
    ) -> None:
        """Choose a model; it is loaded on entering.

        Args:
            model: an artefact of the weight store that CTranslate2 can read.
            window_s: shortest window in seconds; 30 is the one that Whisper was trained on.
            compute_type: as CTranslate2 names it: ``int8``, ``float32``, ``float16`` on a GPU.
            cpu_threads: of the matrix products.
            device: where it runs.
        """
        self._artefact = model
        self._window_s = min(window_s, _TRAINED_WINDOW_S)
        self._compute_type = compute_type
        self._cpu_threads = cpu_threads
        self._device = device
        self._whisper: Any = None
        self._tokenizer: Any = None
        self._prompt: list[int] = []
        self._suppressed: list[int] = []

    @property
    def info(self) -> PartInfo:
        """What it is; the revision holds the weights and the code that runs them."""
        from cascadence.weights import artefact, fingerprint

        try:
            code = version("faster-whisper")
        except PackageNotFoundError:
            code = "absent"
        return PartInfo(
            name="faster_whisper",
            licence=artefact(self._artefact).licence,
            revision=f"{fingerprint(self._artefact)[:12]}/faster-whisper-{code}",
            parameters={
                "model": self._artefact,
                "window_s": self._window_s,
                "compute_type": self._compute_type,
                "cpu_threads": self._cpu_threads,
                "device": self._device,
            },
            weights=(self._artefact,),
        )

    def __enter__(self) -> Self:
        """Load the model and hear a second of noise.

        Raises:
            MissingExtra: faster-whisper is not installed.
            WeightsError: the weights cannot be had.
        """
        package = require("faster_whisper", extra="asr")
        tokenizers = require("faster_whisper.tokenizer", extra="asr")
        transcribing = require("faster_whisper.transcribe", extra="asr")
        from cascadence.weights import fetch

        self._whisper = package.WhisperModel(
            str(fetch(self._artefact)),
            device=self._device,
            compute_type=self._compute_type,
            cpu_threads=self._cpu_threads,
            local_files_only=True,
        )
        many = self._whisper.model.is_multilingual
        self._tokenizer = tokenizers.Tokenizer(
            self._whisper.hf_tokenizer, many, task="transcribe", language="en"
        )
        self._prompt = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        self._suppressed = list(transcribing.get_suppressed_tokens(self._tokenizer, [-1]))
        noise = np.random.default_rng(0).normal(0.0, 0.05, INPUT_RATE).astype(np.float32)
        for window_s in (self._window_s, _TRAINED_WINDOW_S):
            self._decode(noise, window_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the model."""
        self._whisper = None
        self._tokenizer = None

    def transcribe(self, turn: Turn, context: Context) -> Iterator[str]:
        """Yield the transcript, a piece for every 30 s; nothing where there was no speech."""
        longest = round(_TRAINED_WINDOW_S * INPUT_RATE)
        samples = turn.audio.at_rate(INPUT_RATE).samples
        for start in range(0, len(samples), longest):
            text = self.hear(Audio(samples[start : start + longest], INPUT_RATE))
            if text:
                yield text

    def hear(self, audio: Audio) -> str:
        """Transcribe up to 30 s of 16 kHz audio; silence gives an empty text."""
        window_s = max(self._window_s, min(audio.duration_s + _ROOM_S, _TRAINED_WINDOW_S))
        best = self._decode(audio.samples, window_s)
        if (best.loops or best.poor) and window_s < _TRAINED_WINDOW_S:
            again = self._decode(audio.samples, _TRAINED_WINDOW_S)
            if not again.loops or best.loops:
                best = again
        return "" if best.is_silence else best.text

    def _decode(self, samples: np.ndarray, window_s: float) -> _Hypothesis:
        frames = round(window_s * INPUT_RATE / _HOP_SAMPLES)
        padded = np.zeros(frames * _HOP_SAMPLES, dtype=np.float32)
        count = min(len(samples), len(padded))
        padded[:count] = samples[:count]
        features = self._whisper.feature_extractor(padded, padding=_HOP_SAMPLES)[:, :frames]
        limit = round(_TOKENS_BASE + _TOKENS_PER_S * len(samples) / INPUT_RATE)
        result = self._whisper.model.generate(
            self._whisper.encode(features),
            [self._prompt],
            beam_size=1,
            # CTranslate2 generates at most half of `max_length`; Whisper's own limit is 448.
            max_length=min(448, 2 * limit),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
        )[0]
        tokens = result.sequences_ids[0]
        return _Hypothesis(
            text=self._tokenizer.decode(tokens).strip(),
            log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech_probability=result.no_speech_prob,
            cut=len(tokens) >= min(224, limit),
        )
