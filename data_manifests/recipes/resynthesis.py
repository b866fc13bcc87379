"""Imposes a known rate, pitch, pitch range and formant shift on speech, and measures what came out.

WORLD (Morise, Yokomori & Ozawa 2016, doi:10.1587/transinf.2015EDP7457) takes speech apart into F0,
spectral envelope and aperiodicity, which can be changed one at a time. F0 comes from swift-f0, not
from WORLD's own estimators, which are wrong on creaky voices.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, trimmed
from cascadence.errors import CascadenceError
from cascadence.require import require

Floats = npt.NDArray[np.float64]

FRAME_S: Final = 0.005
F0_FLOOR_HZ: Final = 60.0
F0_CEILING_HZ: Final = 500.0
VOICED_CONFIDENCE: Final = 0.5
SURE_CONFIDENCE: Final = 0.9
"""Frames that count in a measurement of pitch; doubtful ones are where trackers err."""
PITCH_TOLERANCE_ST: Final = 0.15
"""A measured median further off than this is corrected."""
_CORRECTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What is imposed, relative to the speech as it is: ratios and semitones."""

    rate: float = 1.0
    pitch_st: float = 0.0
    range_scale: float = 1.0
    formant_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Pitch:
    """Pitch of one utterance.

    Attributes:
        median_st: median of the sure voiced frames, semitones re 100 Hz.
        range_st: p95 - p5, semitones.
        frames: how many 16 ms frames that is.
    """

    median_st: float
    range_st: float
    frames: int

    @property
    def median_hz(self) -> float:
        """The median in Hz."""
        return float(100.0 * 2.0 ** (self.median_st / 12.0))


def measure_pitch(audio: Audio) -> Pitch:
    """Measure the pitch of an utterance with swift-f0.

    Raises:
        MissingExtra: swift-f0 is not installed.
        CascadenceError: fewer than five frames are surely voiced.
    """
    _, pitch_hz, confidence = _track(audio)
    sure = 12.0 * np.log2(pitch_hz[confidence >= SURE_CONFIDENCE] / 100.0)
    if len(sure) < 5:
        raise CascadenceError("too little voiced speech to measure its pitch")
    low, middle, high = np.percentile(sure, (5, 50, 95))
    return Pitch(float(middle), float(high - low), len(sure))


@dataclass(frozen=True, slots=True)
class Analysis:
    """Speech as WORLD sees it, in frames of 5 ms.

    Attributes:
        speech: what was analysed, 16 kHz, without padding.
        f0_hz: shape ``(frames,)``; 0 where unvoiced.
        envelope: power spectral envelope, shape ``(frames, bins)``.
        aperiodicity: share of noise, shape ``(frames, bins)``.
    """

    speech: Audio
    f0_hz: Floats
    envelope: Floats
    aperiodicity: Floats


def analyse(speech: Audio) -> Analysis:
    """Take speech apart.

    Args:
        speech: any rate; padding is cut away.

    Raises:
        MissingExtra: pyworld or swift-f0 is not installed.
        CascadenceError: there is no speech, or none of it is voiced.
    """
    speech = trimmed(speech.at_rate(CLIP_RATE_HZ))
    world: Any = require("pyworld", extra="recipes")
    rate = speech.sample_rate
    signal = speech.samples.astype(np.float64)
    frames = int(len(signal) / rate / FRAME_S) + 1
    times_s = np.arange(frames, dtype=np.float64) * FRAME_S
    f0_hz = _f0_at(times_s, speech)
    envelope = world.cheaptrick(signal, f0_hz, times_s, rate, f0_floor=F0_FLOOR_HZ)
    aperiodicity = world.d4c(signal, f0_hz, times_s, rate, fft_size=2 * (envelope.shape[1] - 1))
    return Analysis(speech, f0_hz, envelope, aperiodicity)


def resynthesise(parts: Analysis, change: Change) -> Audio:
    """Impose a change on analysed speech; no change is a plain copy through the same vocoder.

    The pitch that was asked for is measured on the result and corrected until it is there: voicing
    decisions at the edges of a contour move the median a little.

    Args:
        parts: from `analyse`.
        change: what to impose, relative to the speech as it was.

    Returns:
        16 kHz speech without padding.

    Raises:
        MissingExtra: pyworld or swift-f0 is not installed.
        CascadenceError: the result holds too little voice to measure.
    """
    wanted_st = measure_pitch(parts.speech).median_st + change.pitch_st
    result = _synthesise(parts, change)
    asked_st = change.pitch_st
    for _ in range(_CORRECTIONS):
        error_st = measure_pitch(result).median_st - wanted_st
        if abs(error_st) <= PITCH_TOLERANCE_ST:
            break
        asked_st -= error_st
        result = _synthesise(parts, dataclasses.replace(change, pitch_st=asked_st))
    return result


def _synthesise(parts: Analysis, change: Change) -> Audio:
    world: Any = require("pyworld", extra="recipes")
    f0_hz = _moved(parts.f0_hz, change)
    envelope = _warped(parts.envelope, change.formant_ratio)
    aperiodicity = np.clip(_warped(parts.aperiodicity, change.formant_ratio), 0.0, 1.0)
    # Frames laid out at another spacing: the rate changes and nothing else.
    spacing_ms = 1000.0 * FRAME_S / change.rate
    signal = world.synthesize(f0_hz, envelope, aperiodicity, parts.speech.sample_rate, spacing_ms)
    peak = max(1.0, float(np.abs(signal).max()))
    return Audio((signal / peak).astype(np.float32), parts.speech.sample_rate)


def _moved(f0_hz: Floats, change: Change) -> Floats:
    """Shift F0 and stretch its excursions about the median, both in semitones."""
    voiced = f0_hz > 0.0
    moved = np.zeros_like(f0_hz)
    if voiced.any():
        semitones = 12.0 * np.log2(f0_hz[voiced] / 100.0)
        middle = np.median(semitones)
        semitones = middle + change.range_scale * (semitones - middle) + change.pitch_st
        moved[voiced] = np.clip(100.0 * 2.0 ** (semitones / 12.0), 45.0, 700.0)
    return moved


def _warped(spectra: Floats, ratio: float) -> Floats:
    """Stretch each spectrum along frequency; above the old edge the last bin is held."""
    if ratio == 1.0:
        return spectra
    bins = np.arange(spectra.shape[1], dtype=np.float64)
    source = np.minimum(bins / ratio, bins[-1])
    below = np.minimum(source.astype(int), len(bins) - 2)
    share = source - below
    logs = np.log(np.maximum(spectra, 1e-16))
    # WORLD wants rows in memory order; fancy indexing leaves columns.
    return np.ascontiguousarray(np.exp(logs[:, below] * (1.0 - share) + logs[:, below + 1] * share))


def _f0_at(times_s: Floats, speech: Audio) -> Floats:
    """F0 on a time grid: interpolated in semitones inside voiced stretches, 0 outside."""
    track_s, pitch_hz, confidence = _track(speech)
    voiced = confidence >= VOICED_CONFIDENCE
    if not voiced.any():
        raise CascadenceError("no voiced speech: nothing can be imposed on its pitch")
    nearest = np.clip(np.searchsorted(track_s, times_s - 0.008), 0, len(track_s) - 1)
    logs = np.interp(times_s, track_s[voiced], np.log(pitch_hz[voiced]))
    return np.where(voiced[nearest], np.exp(logs), 0.0)


def _track(audio: Audio) -> tuple[Floats, Floats, Floats]:
    """Times in s, pitch in Hz and confidence of every 16 ms frame."""
    result = _detector().detect(audio.samples, audio.sample_rate, F0_FLOOR_HZ, F0_CEILING_HZ)
    return (
        np.asarray(result.timestamps, dtype=np.float64),
        np.asarray(result.pitch_hz, dtype=np.float64),
        np.asarray(result.confidence, dtype=np.float64),
    )


@functools.cache
def _detector() -> Any:
    return require("swift_f0", extra="prosody").SwiftF0(threads=1, spin=False)
