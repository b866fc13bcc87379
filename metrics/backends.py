"""Instruments whose weights the user brings: any ONNX file that hears speech at 16 kHz, mono.

No weights come with this project and none are fetched: an environment variable names the file, and
without it the metrics are skipped. What the file holds is the user's word; results carry its hash
and never its path. A file is read by onnxruntime alone (nothing is unpickled). It takes float32 of
shape ``(samples,)`` or ``(1, samples)`` in [-1, 1], of any length (`AutoPcp`: two of them), and its
first output is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, Samples, audible_runs
from cascadence.errors import CascadenceError
from cascadence.measurement import Question, ToolUnavailable
from cascadence.metrics.tools import THREADS
from cascadence.require import require

Floats = npt.NDArray[np.float64]

RATE: Final = 16_000
LONGEST_S: Final = 30.0
"""A longer sound is heard in equal parts, and their outputs are averaged: attention over minutes
fills the memory."""
MOS_BOUNDS: Final = (0.0, 6.0)
"""Predictors overshoot 1 to 5 a little; what is outside of this is on another scale."""
PCP_BOUNDS: Final = (0.5, 4.5)
"""Regressors overshoot 1 to 4 a little; what is half a step outside is on another scale."""

UTMOS_VARIABLE: Final = "CASCADENCE_UTMOS_ONNX"
EMOTION_VARIABLE: Final = "CASCADENCE_EMOTION_ONNX"
AUTO_PCP_VARIABLE: Final = "CASCADENCE_AUTO_PCP_ONNX"

_INPUTS: Final = {1: "one float32 input", 2: "two float32 inputs"}


class BackendFailed(CascadenceError):
    """A model file that cannot be used, or an output that means nothing."""


class SpeechModel:
    """An ONNX file named by an environment variable."""

    def __init__(self, variable: str, sounds: int = 1) -> None:
        """Hash the file; it is loaded when it is first asked.

        Args:
            variable: names the file.
            sounds: how many the model hears at once, 1 or 2.

        Raises:
            ToolUnavailable: the variable is not set, or names no file.
            MissingExtra: onnxruntime is not installed.
        """
        named = os.environ.get(variable, "").strip()
        if not named:
            raise ToolUnavailable(
                "no model is configured", where=variable, mend="set it to the path of an ONNX file"
            )
        self.path = Path(named).expanduser()
        self._variable = variable
        self._sounds = sounds
        if not self.path.is_file():
            raise ToolUnavailable("names no file", where=variable)
        require("onnxruntime", extra="quality")
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        library = f"onnxruntime-{installed_version('onnxruntime')}"
        self.version = f"onnx-{digest[:12]}/{library}/{RATE}-Hz/{LONGEST_S:.0f}-s"

    def outputs(self, *sounds: Audio) -> Floats:
        """Run the model on sounds at any rate.

        Args:
            sounds: as many as the model hears at once, none of them empty. A single one is heard
                part by part; two are heard whole, since their parts would not correspond.

        Returns:
            Shape ``(outputs,)``: the first output, flattened, averaged over the parts.

        Raises:
            BadAudio: NaN or out of range.
            BackendFailed: the model cannot be read or run, or its output is not finite.
        """
        heard = [sound.check().at_rate(RATE).samples for sound in sounds]
        parts = max(1, -(-len(heard[0]) // round(LONGEST_S * RATE))) if len(heard) == 1 else 1
        fed = zip(*(np.array_split(samples, parts) for samples in heard), strict=True)
        session, ranks = self._session
        try:
            raw = [np.asarray(session.run(None, _feed(ranks, each))[0]) for each in fed]
            table = np.array([one.astype(np.float64).reshape(-1) for one in raw])
        except Exception as error:  # onnxruntime's own have no base class, and quote paths
            problem = f"the model cannot be run ({type(error).__name__})"
            raise BackendFailed(problem, where=self._variable) from None
        mean: Floats = table.mean(axis=0)
        if not np.isfinite(mean).all():
            raise BackendFailed("the model's output is not finite", where=self._variable)
        return mean

    @cached_property
    def _session(self) -> tuple[Any, dict[str, int]]:
        """The model, and the ranks of its inputs by name, in order."""
        onnxruntime = require("onnxruntime", extra="quality")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                str(self.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            problem = f"not a model that onnxruntime reads ({type(error).__name__})"
            raise BackendFailed(problem, where=self._variable) from None
        inputs = session.get_inputs()
        ranks = {each.name: len(each.shape) for each in inputs if each.type == "tensor(float)"}
        fits = len(inputs) == len(ranks) == self._sounds
        if not fits or not {1, 2}.issuperset(ranks.values()):
            found = " and ".join(f"{each.type} of rank {len(each.shape)}" for each in inputs)
            wanted = f"{_INPUTS[self._sounds]}, (samples,) or (1, samples)"
            problem = f"the model must take {wanted}, not {found or 'nothing'}"
            raise BackendFailed(problem, where=self._variable)
        return session, ranks


def _feed(ranks: Mapping[str, int], sounds: Iterable[Samples]) -> dict[str, Samples]:
    """Name the inputs of a model, with a batch axis where it wants one."""
    pairs = zip(ranks.items(), sounds, strict=True)
    return {name: each[None] if rank == 2 else each for (name, rank), each in pairs}


class Utmos:
    """Predicts how natural listeners would find a sound, by UTMOS (arXiv 2204.02152).

    Answers: ``mos``, ``None`` where nothing is audible.
    """

    def __init__(self) -> None:
        """Prepare to load.

        Raises:
            ToolUnavailable: no file is named.
            MissingExtra: onnxruntime is not installed.
        """
        self._model = SpeechModel(UTMOS_VARIABLE)
        self.version = f"utmos-1/{self._model.version}"

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        """Rate one sound, at any rate.

        Raises:
            BadAudio: NaN or out of range.
            BackendFailed: the model is not one that gives an opinion score.
        """
        if not audible_runs(audio.check()):
            return {"mos": None}
        found = self._model.outputs(audio)
        if found.size != 1:
            raise BackendFailed(f"the model gives {found.size} numbers, not one")
        low, high = MOS_BOUNDS
        if not low <= found[0] <= high:
            raise BackendFailed(f"the model's output is no opinion score: {found[0]:.3g}")
        return {"mos": round(float(found[0]), 4)}


class Emotion:
    """Names the emotion in a voice, by a classifier that the user brings.

    Its labels are a JSON list beside the file (``model.onnx``, ``model.json``), in the order of the
    outputs and in the corpus's own words. Answers: ``label`` (of the largest output; the first of
    equals), ``outputs`` by label, ``labels``; ``label`` is ``None`` where nothing is audible.
    """

    def __init__(self) -> None:
        """Prepare to load, and read the labels.

        Raises:
            ToolUnavailable: no file is named, or no list of labels is beside it.
            MissingExtra: onnxruntime is not installed.
        """
        self._model = SpeechModel(EMOTION_VARIABLE)
        self._labels = _labels(self._model.path.with_suffix(".json"))
        named = hashlib.sha256(json.dumps(self._labels).encode()).hexdigest()[:12]
        self.version = f"emotion-1/{self._model.version}/labels-{named}"

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        """Classify one sound, at any rate.

        Raises:
            BadAudio: NaN or out of range.
            BackendFailed: the model's outputs are not one for each label.
        """
        if not audible_runs(audio.check()):
            return {"label": None, "outputs": {}, "labels": self._labels}
        found = self._model.outputs(audio)
        if found.size != len(self._labels):
            raise BackendFailed(
                f"the model gives {found.size} numbers for {len(self._labels)} labels"
            )
        outputs = {n: round(float(x), 4) for n, x in zip(self._labels, found, strict=True)}
        return {
            "label": self._labels[int(found.argmax())],
            "outputs": outputs,
            "labels": self._labels,
        }


class AutoPcp:
    """Predicts how alike people would find two ways of speaking, by AutoPCP (arXiv 2312.05187).

    The file takes both sounds, first the reference, then the reply. Both orders are asked and
    averaged, as the published configuration does. Answers: ``pcp``, the mean of
    ``reference_first`` and ``reply_first``.
    """

    def __init__(self) -> None:
        """Prepare to load.

        Raises:
            ToolUnavailable: no file is named.
            MissingExtra: onnxruntime is not installed.
        """
        self._model = SpeechModel(AUTO_PCP_VARIABLE, sounds=2)
        self.version = f"auto-pcp-1/{self._model.version}"

    def __call__(self, pair: Question) -> Mapping[str, Any]:
        """Compare two sounds, at most `LONGEST_S` long each, as `pair_question` puts them.

        Raises:
            BadAudio: NaN or out of range.
            BackendFailed: the model is not one that scores a pair on the scale of 1 to 4.
        """
        reference, reply = (_read_sound(pair[name]) for name in ("reference", "reply"))
        orders = self._score(reference, reply), self._score(reply, reference)
        first, second = (round(score, 4) for score in orders)
        return {
            "pcp": round(sum(orders) / 2, 4),
            "reference_first": first,
            "reply_first": second,
        }

    def _score(self, first: Audio, second: Audio) -> float:
        found = self._model.outputs(first, second)
        if found.size != 1:
            raise BackendFailed(f"the model gives {found.size} numbers, not one")
        low, high = PCP_BOUNDS
        if not low <= found[0] <= high:
            raise BackendFailed(f"the model's output is not on the scale of 1 to 4: {found[0]:.3g}")
        return float(found[0])


def pair_question(reference: Audio, reply: Audio) -> Question:
    """Put two sounds at any rate into the question that `AutoPcp` answers.

    Questions are JSON: samples at `RATE` Hz become base64 of little-endian float32.
    """
    return {"reference": _written_sound(reference), "reply": _written_sound(reply)}


def _written_sound(audio: Audio) -> str:
    samples = audio.at_rate(RATE).samples.astype("<f4")
    return base64.b64encode(samples.tobytes()).decode("ascii")


def _read_sound(text: str) -> Audio:
    samples = np.frombuffer(base64.b64decode(text), dtype="<f4")
    return Audio(samples.astype(np.float32), RATE)


def plain_label(name: str) -> str:
    """Return a label as it is compared: without case and surrounding spaces."""
    return name.strip().casefold()


def _labels(path: Path) -> list[str]:
    unusable = ToolUnavailable(
        "a JSON list of at least two different labels must lie beside the model",
        where=EMOTION_VARIABLE,
        mend=f"name it as the model, with the ending {path.suffix}",
    )
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise unusable from None
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told):
        raise unusable
    labels = [plain_label(one) for one in told]
    if len(labels) < 2 or len(set(labels)) < len(labels) or not all(labels):
        raise unusable
    return labels
