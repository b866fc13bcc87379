"""The heavy instruments that metrics share: judge ASR, DNSMOS, signal features.

Each is a `cascadence.measurement.Tool`: built without arguments, loaded when it is first asked. Its
``version`` names the model and every setting that could change an answer, because answers are
cached under it; the number of threads does not.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence import weights
from cascadence.audio import Audio, Samples, audible_runs
from cascadence.metrics.signal import ANALYSIS_RATE, PitchTrack, utterance_features
from cascadence.metrics.text import words
from cascadence.require import require

THREADS: Final = min(4, os.cpu_count() or 1)
"""Nothing else runs while a run is scored; more threads than this bring little at these sizes."""


def _expect(module: str, extra: str) -> None:
    """Complain at once, though the module is imported later: a missing tool skips its metrics.

    Raises:
        MissingExtra: it is not installed.
    """
    if find_spec(module) is None:
        require(module, extra)


def _session(model: Path) -> Any:
    """Load an ONNX model for the CPU."""
    onnxruntime = require("onnxruntime", extra="quality")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class JudgeAsr:
    """Transcribes what was heard: Whisper base (MIT), by faster-whisper.

    Beam 5, temperature 0, no context from earlier sounds, int8 on the CPU (two thirds of the time
    of float32, and the same transcripts but for a word in a hundred). Answers: ``text``, ``words``
    (as compared), ``no_speech_prob``. What is not audible is not asked about and says nothing,
    since an ASR may hallucinate there.
    """

    def __init__(
        self,
        artefact: str = "whisper-base-ct2",
        language: str = "en",
        beam_size: int = 5,
        compute_type: str = "int8",
    ) -> None:
        """Prepare to load.

        Args:
            artefact: a Whisper model in CTranslate2 format, in the weight store's catalogue.
            language: of the speech.
            beam_size: of the search.
            compute_type: of CTranslate2.

        Raises:
            MissingExtra: faster-whisper is not installed.
        """
        _expect("faster_whisper", "asr")
        self._artefact = artefact
        self._language = language
        self._beam_size = beam_size
        self._compute_type = compute_type
        library = f"faster-whisper-{installed_version('faster-whisper')}"
        model = f"{artefact}-{weights.fingerprint(artefact)[:12]}"
        self.version = f"{library}/{model}/{language}/beam{beam_size}/{compute_type}/t0/10-per-s"

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        """Transcribe one sound, at any rate.

        Raises:
            BadAudio: NaN or out of range.
            WeightsError: the model cannot be had.
        """
        sound = audio.check().at_rate(ANALYSIS_RATE)
        if not audible_runs(sound):
            return {"text": "", "words": [], "no_speech_prob": None}
        segments, _ = self._model.transcribe(
            sound.samples,
            language=self._language,
            beam_size=self._beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            max_new_tokens=_most_tokens(sound),
        )
        found = list(segments)
        text = " ".join(segment.text.strip() for segment in found)
        doubt = max((float(segment.no_speech_prob) for segment in found), default=None)
        return {
            "text": text,
            "words": words(text),
            "no_speech_prob": None if doubt is None else round(doubt, 4),
        }

    @cached_property
    def _model(self) -> Any:
        faster_whisper = require("faster_whisper", extra="asr")
        return faster_whisper.WhisperModel(
            str(weights.fetch(self._artefact)),
            device="cpu",
            compute_type=self._compute_type,
            cpu_threads=THREADS,
            num_workers=1,
            local_files_only=True,
        )


def _most_tokens(sound: Audio) -> int:
    """Nobody says more than ten tokens a second; on noise, the model would go on to its limit."""
    return 16 + math.ceil(10.0 * min(sound.duration_s, 30.0))


DNSMOS_QUIET_S = 0.25
_DNSMOS_WINDOW_SAMPLES = 144_160
# Raw outputs to opinion scores: published with the models, highest power first.
_DNSMOS_POLYNOMIALS = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


class Dnsmos:
    """Predicts how listeners would rate speech, background and the whole (P.835), 1 to 5.

    DNSMOS (arXiv 2110.01763), the models that `speechmos` carries (MIT). A sound shorter than the
    model's window of 9.01 s is repeated until it fills it. Answers: ``sig``, ``bak``, ``ovrl``;
    ``None`` where nothing is audible.

    It learnt from speech with its pauses, and holds against a short sound that is cut to what is
    audible that its copies follow each other without one. So such a sound gets `DNSMOS_QUIET_S` of
    silence on either side first. Overall, of 60 sentences of about 2 s by five people: what DNSMOS
    says of them in a row (0.3 s between them), of each alone, and of each with so much silence
    (``tests/benchmarks/bench_dnsmos_short.py``):

    | white noise | in a row | alone | 0.15 s | 0.25 s | 0.35 s | 0.5 s |
    |---|---|---|---|---|---|---|
    | none | 3.01 | 2.75 | 2.84 | 2.94 | 2.94 | 2.93 |
    | 25 dB below | 2.78 | 2.35 | 2.64 | 2.83 | 2.84 | 2.84 |
    | 10 dB below | 2.21 | 1.86 | 2.11 | 2.38 | 2.39 | 2.39 |

    `speechmos` itself adds none, and looks at every second of the repeated sound; this looks once
    at each part of the sound, in windows that overlap as little as can be: many times faster. With
    ``every_second=True`` the answers are those of `speechmos`.
    """

    def __init__(self, every_second: bool = False) -> None:
        """Prepare to load.

        Args:
            every_second: windows begin at every second, as `speechmos` has it.

        Raises:
            MissingExtra: speechmos or onnxruntime is not installed.
        """
        _expect("speechmos", "quality")
        _expect("onnxruntime", "quality")
        self._every_second = every_second
        windows = "every-second" if every_second else f"cover/quiet-{DNSMOS_QUIET_S}"
        self.version = f"speechmos-{installed_version('speechmos')}/sig_bak_ovr/{windows}"

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        """Rate one sound, at any rate.

        Raises:
            BadAudio: NaN or out of range.
        """
        sound = audio.check().at_rate(ANALYSIS_RATE)
        if not audible_runs(sound):
            return dict.fromkeys(_DNSMOS_POLYNOMIALS)
        raw = np.array(
            [self._model.run(None, {"input_1": w[None]})[0][0] for w in self._windows(sound)]
        )
        return {
            name: round(float(np.mean(np.polyval(polynomial, raw[:, column]))), 4)
            for column, (name, polynomial) in enumerate(_DNSMOS_POLYNOMIALS.items())
        }

    def _windows(self, sound: Audio) -> list[Samples]:
        samples, size = sound.samples, _DNSMOS_WINDOW_SAMPLES
        if len(samples) < size:
            if not self._every_second:
                samples = np.pad(samples, round(DNSMOS_QUIET_S * ANALYSIS_RATE))
            # Doubled, not tiled: so does speechmos, and its windows run on into the copies.
            while len(samples) < size:
                samples = np.concatenate((samples, samples))
            starts = np.zeros(1, dtype=int)
        else:
            starts = np.linspace(0, len(samples) - size, -(-len(samples) // size)).astype(int)
        if self._every_second:
            count = int(len(samples) // ANALYSIS_RATE - size / ANALYSIS_RATE) + 1
            starts = np.arange(count) * ANALYSIS_RATE
        return [samples[a : a + size] for a in starts if a + size <= len(samples)]

    @cached_property
    def _model(self) -> Any:
        package = Path(str(require("speechmos", extra="quality").__file__)).parent
        return _session(package / "dnsmos_models" / "sig_bak_ovr.onnx")


class Features:
    """Measures an utterance: `cascadence.metrics.signal.utterance_features`.

    Pitch, level, rate, pauses and voice quality. The pitch tracker is swift-f0 (MIT), chosen by
    measurement: ``docs/f0_trackers.md``.
    """

    LOWEST_HZ = 50.0
    HIGHEST_HZ = 550.0

    def __init__(self) -> None:
        """Prepare to load.

        Raises:
            MissingExtra: swift-f0, librosa or onnxruntime is not installed.
        """
        for module in ("swift_f0", "librosa", "onnxruntime"):
            _expect(module, "prosody")
        tracker = f"swift-f0-{installed_version('swift-f0')}"
        self.version = f"signal-2/{tracker}/{self.LOWEST_HZ:.0f}-{self.HIGHEST_HZ:.0f}Hz"

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        """Measure one utterance, at any rate.

        Raises:
            BadAudio: NaN or out of range.
        """
        return utterance_features(audio, self.track)

    def track(self, audio: Audio) -> PitchTrack:
        """Track the pitch of a sound at `cascadence.metrics.signal.ANALYSIS_RATE`."""
        swift_f0 = require("swift_f0", extra="prosody")
        hop_s = float(swift_f0.core.FRAME_PERIOD)
        if not len(audio):
            return PitchTrack(hop_s, np.zeros(0))
        found = self._detector.detect(
            audio.samples, audio.sample_rate, self.LOWEST_HZ, self.HIGHEST_HZ
        )
        f0_hz: npt.NDArray[np.float64] = np.where(found.confidence >= 0.5, found.pitch_hz, 0.0)
        return PitchTrack(hop_s, f0_hz)

    @cached_property
    def _detector(self) -> Any:
        return require("swift_f0", extra="prosody").SwiftF0(threads=1, spin=False)
