"""Where the words of a clean synthetic clip begin and end.

flite tells how long each of its phones is. So the same text is said by flite, in three voices, and
laid along the clip by dynamic time warping of MFCCs (as the aligner aeneas does with espeak-ng);
each boundary between two words is the median of what the three voices say. (The judge ASR's own
word times, from its cross-attention, were tried first: 60 ms early, and 65 ms off on average.)

Measured on flite's test voices against their own durations, told by the other voices only: mean
error 10 ms, nine in ten within 21 ms, n = 136 boundaries (tests/test_recipe_edits.py measures some
of them again). Of other synthesisers no truth is known. There the three voices differ among
themselves by 0.03 s (joe), 0.05 s (kumo) and 0.13 s (gongitsune) on average, n = 45 each; by 0.02 s
on flite's own.
"""

from __future__ import annotations

import functools
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, read_audio
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, trimmed
from cascadence.data_manifests.recipes.synthesisers import SynthesiserMissing
from cascadence.errors import CascadenceError
from cascadence.require import require

Floats = npt.NDArray[np.float64]
Spans = tuple[tuple[float, float], ...]

RULERS: Final = ("kal16", "rms", "awb")
"""flite's voices that tell the time."""

_HOP: Final = 80
_SILENT_PHONE: Final = "pau"
_TIMEOUT_S: Final = 60.0
# A step of the path that keeps the pace costs nothing; standing still or skipping does.
_STEP_COSTS: Final = (0.3, 0.0, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """A text said by flite, and where its words end.

    Attributes:
        speech: without the silence around it.
        ends_s: of each word but the last, in the speech.
    """

    speech: Audio
    ends_s: tuple[float, ...]


def word_spans(audio: Audio, text: str, rulers: Sequence[str] = RULERS) -> Spans:
    """Find the words of a text in a clip of it.

    Args:
        audio: clean speech without long pauses, any rate, with or without quiet around it.
        text: what is said, words separated by spaces.
        rulers: flite's voices to go by.

    Returns:
        Start and end of each word of ``text.split()``, in order, seconds; neighbours touch.

    Raises:
        MissingExtra: librosa is not installed.
        SynthesiserMissing: flite is not installed.
        CascadenceError: there is no speech, or no ruler knows where its words end.
    """
    sound = audio.at_rate(CLIP_RATE_HZ)
    speech = trimmed(sound)
    start_s = _start_s(sound, speech)
    told = [found for name in rulers if (found := ruler(name, text)) is not None]
    if not told:
        raise CascadenceError("flite says these words otherwise alone", where=f"text {text!r}")
    inner = np.median([_laid_along(speech, one) for one in told], axis=0)
    edges = np.maximum.accumulate(np.concatenate(([0.0], inner, [speech.duration_s]))) + start_s
    return tuple((float(a), float(b)) for a, b in itertools.pairwise(np.round(edges, 4)))


@functools.lru_cache(maxsize=256)
def ruler(flite_voice: str, text: str) -> Ruler | None:
    """Say a text with flite and read its durations.

    Returns:
        ``None`` where the words alone have another number of phones than in the text, so that
        nobody can say which phones are whose.
    """
    audio, phones = _said(flite_voice, text)
    ends_s = [end_s for name, end_s in phones if name != _SILENT_PHONE]
    counts = [_phones_in(flite_voice, word.strip(".,;:!?")) for word in text.split()]
    if sum(counts) != len(ends_s):
        return None
    speech = trimmed(audio)
    start_s = _start_s(audio, speech)
    words = np.array(ends_s)[np.cumsum(counts)[:-1] - 1] - start_s
    return Ruler(speech, tuple(float(end_s) for end_s in words))


def _start_s(sound: Audio, speech: Audio) -> float:
    """Where the speech that was cut out of a sound began."""
    head = speech.samples[: 2 * _HOP]
    windows = np.lib.stride_tricks.sliding_window_view(sound.samples, len(head))
    return float(np.flatnonzero((windows == head).all(axis=1))[0]) / sound.sample_rate


@functools.lru_cache(maxsize=4096)
def _phones_in(flite_voice: str, word: str) -> int:
    return sum(name != _SILENT_PHONE for name, _ in _said(flite_voice, word)[1])


def _said(flite_voice: str, text: str) -> tuple[Audio, list[tuple[str, float]]]:
    """Return flite's speech at 16 kHz, and its phones with their ends in seconds."""
    program = shutil.which("flite")
    if program is None:
        raise SynthesiserMissing(
            "the program 'flite' is not installed", mend="apt-get install flite"
        )
    with tempfile.TemporaryDirectory(prefix="cascadence-") as folder:
        target = Path(folder) / "speech.wav"
        command = [program, "-voice", flite_voice, "-psdur", "-t", f" {text}"]
        done = subprocess.run(
            [*command, "-o", str(target)],
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
        )
        audio = read_audio(target).at_rate(CLIP_RATE_HZ)
    phones = [phone.rsplit(":", 1) for phone in done.stdout.split()]
    return audio, [(name, float(end_s)) for name, end_s in phones]


def _laid_along(speech: Audio, one: Ruler) -> Floats:
    """Return where the ruler's words end in the speech, seconds."""
    target, reference = _mfcc(speech), _mfcc(one.speech)
    # The ruler is brought to the pace of the speech first: the path then has little to mend.
    even = np.round(np.linspace(0, len(reference) - 1, len(target))).astype(int)
    path = _path(target, reference[even])
    pace = speech.duration_s / one.speech.duration_s
    frames = np.asarray(one.ends_s) * pace * CLIP_RATE_HZ / _HOP
    return np.asarray(np.searchsorted(path, frames) * (_HOP / CLIP_RATE_HZ))


def _mfcc(speech: Audio) -> Floats:
    """Return MFCCs and their slopes every 5 ms, each of mean 0 and spread 1: ``(frames, 26)``."""
    librosa: Any = require("librosa", extra="prosody")
    found = librosa.feature.mfcc(
        y=speech.samples.astype(np.float64),
        sr=CLIP_RATE_HZ,
        n_mfcc=13,
        n_fft=512,
        win_length=400,
        hop_length=_HOP,
        n_mels=40,
        fmin=100.0,
        fmax=7600.0,
    )
    both = np.vstack([found, librosa.feature.delta(found, width=9)])
    spread = both.std(axis=1, keepdims=True) + 1e-6
    return np.asarray((both - both.mean(axis=1, keepdims=True)) / spread).T


def _path(target: Floats, reference: Floats) -> npt.NDArray[np.intp]:
    """For each frame of the target the frame of the reference: 0, 1 or 2 further than before."""
    distance = ((target[:, None, :] - reference[None]) ** 2).mean(axis=2)
    count, width = distance.shape
    total = np.full(width, np.inf)
    total[0] = distance[0, 0]
    came = np.zeros((count, width), dtype=np.intp)
    for row in range(1, count):
        steps = np.full((3, width), np.inf)
        for ahead, cost in enumerate(_STEP_COSTS):
            steps[ahead, ahead:] = total[: width - ahead] + cost
        came[row] = steps.argmin(axis=0)
        total = steps.min(axis=0) + distance[row]
    path = np.zeros(count, dtype=np.intp)
    path[-1] = width - 1
    for row in range(count - 1, 0, -1):
        path[row - 1] = path[row] - came[row, path[row]]
    return path
