"""Voice quality of an utterance: spectral tilt, and how much of the voice is periodic.

Both look at voiced frames only, are ratios of powers in the same frames, and so do not depend on
gain. Both follow the pitch (one is read at the harmonics, the other period by period), so that they
say little about how high a voice is and how it moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.metrics.signal_pitch import FEWEST_VOICED_FRAMES, PitchTrack

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

TILT_BANDS_HZ: Final = 1000.0 * 2.0 ** (np.arange(-6, 6) / 3.0)
"""Centres of the third-octave bands, 250 Hz to 3.15 kHz: what a telephone lets through, so that a
channel or a sampling rate of 8 kHz is no change of voice."""
_TILT_WINDOW_S: Final = 0.04
_TILT_BINS: Final = 1024
_BELOW_F0: Final = 2.0 ** (-1.0 / 6.0)
"""A band is left out where its centre lies further below the fundamental than half a band."""

HNR_PERIODS: Final = 2.0
"""Length of the two stretches that are compared; a longer one takes a change of vowel for noise."""
HNR_LIMITS_DB: Final = (-20.0, 40.0)
_HNR_SEARCH: Final = 0.1
"""The period is looked for this far around that of the track."""
_STEEPEST_PER_S: Final = 8.0
"""Fastest change of log F0 that is believed (140 semitones a second); more is a leap of octave."""
_CHUNK: Final = 256
"""Frames worked on at a time, which bounds the memory."""


def spectral_tilt_db_per_octave(audio: Audio, track: PitchTrack) -> float | None:
    """Return how steeply the spectrum of the voice falls.

    The slope of the least-squares line through the long-term average spectrum of the voiced frames,
    in dB, over log2 of frequency, in the third-octave bands `TILT_BANDS_HZ`. Long-term average
    spectra: Löfqvist and Mandersson 1987 (Folia Phoniatrica 39, 221-229). Theirs has holes between
    low harmonics, and its slope moves by 1.1 dB an octave when speech is shifted by six semitones.
    So this one is read at the harmonics: the power of each, straight lines between them on
    logarithmic axes, and the fundamental's below it; that moves by 0.3 dB.

    Args:
        audio: at `cascadence.metrics.signal.ANALYSIS_RATE`, without DC.
        track: its pitch.

    Returns:
        dB per octave, negative for a spectrum that falls; ``None`` for too few voiced frames, or a
        voice above the bands.
    """
    voiced = np.flatnonzero(track.voiced)
    bands_hz = TILT_BANDS_HZ
    if len(voiced) >= FEWEST_VOICED_FRAMES:
        bands_hz = bands_hz[bands_hz >= _BELOW_F0 * np.median(track.f0_hz[voiced])]
    if len(voiced) < FEWEST_VOICED_FRAMES or len(bands_hz) < 3:
        return None
    total = np.zeros(len(bands_hz))
    for frames in _chunks(voiced):
        centres = _centres(audio, track, frames)
        levels = _levels_at(_power(audio, centres), track.f0_hz[frames], audio, bands_hz)
        total += np.sum(np.exp(levels), axis=0)
    return float(np.polyfit(np.log2(bands_hz), 10.0 * np.log10(total), 1)[0])


def _chunks(voiced: Indices) -> Iterator[Indices]:
    for first in range(0, len(voiced), _CHUNK):
        yield voiced[first : first + _CHUNK]


def _centres(audio: Audio, track: PitchTrack, frames: Indices) -> Indices:
    return np.asarray(np.rint(frames * track.hop_s * audio.sample_rate), dtype=np.intp)


def _around(audio: Audio, centres: Indices, first: int, count: int) -> Floats:
    """Cut ``count`` samples from ``centre + first`` on; zeros outside. ``(frames, count)``."""
    margin = abs(first) + count
    padded = np.pad(audio.samples.astype(np.float64), margin)
    windows = np.lib.stride_tricks.sliding_window_view(padded, count)
    last = len(windows) - 1
    return np.asarray(windows[np.clip(centres + margin + first, 0, last)])


def _power(audio: Audio, centres: Indices) -> Floats:
    """Power spectra around the centres, shape ``(frames, bins)``."""
    size = round(_TILT_WINDOW_S * audio.sample_rate)
    sound = _around(audio, centres, -size // 2, size)
    spectra = np.fft.rfft(sound * np.hanning(size + 1)[:size], _TILT_BINS)
    return np.asarray(spectra.real**2 + spectra.imag**2)


def _levels_at(power: Floats, f0_hz: Floats, audio: Audio, bands_hz: Floats) -> Floats:
    """Log power per Hz at the bands, by lines through the harmonics around each.

    Shape ``(frames, bands)``. A harmonic's power is that of the spectrum half an F0 to either side.
    """
    bin_hz = audio.sample_rate / _TILT_BINS
    below = np.maximum(np.floor(bands_hz / f0_hz[:, None]), 1.0)
    sums = np.concatenate((np.zeros((len(power), 1)), np.cumsum(power, axis=1)), axis=1)

    def harmonic(number: Floats) -> Floats:
        edges = [(number + side) * f0_hz[:, None] / bin_hz + 0.5 for side in (-0.5, 0.5)]
        low, high = (_between(sums, edge) for edge in edges)
        return np.log(np.maximum(high - low, 1e-20) / f0_hz[:, None])

    share = np.log(bands_hz / (below * f0_hz[:, None])) / np.log((below + 1.0) / below)
    share = np.maximum(share, 0.0)
    lower, upper = harmonic(below), harmonic(below + 1.0)
    return np.asarray(lower + share * (upper - lower))


def _between(rows: Floats, places: Floats) -> Floats:
    """Read each row at its fractional places, linearly."""
    whole = np.clip(np.floor(places).astype(np.intp), 0, rows.shape[1] - 2)
    low = np.take_along_axis(rows, whole, axis=1)
    high = np.take_along_axis(rows, whole + 1, axis=1)
    return np.asarray(low + np.clip(places - whole, 0.0, 1.0) * (high - low))


def hnr_db(audio: Audio, track: PitchTrack) -> float | None:
    """Return the harmonics-to-noise ratio: how much of the voice repeats from period to period.

    10 log10(r / (1 - r)), averaged over the voiced frames, where r is the highest normalised
    correlation of two stretches of sound one period apart: Boersma 1993 (IFA Proceedings 17,
    97-110), by cross-correlation. Each stretch is weighted by a Hann window of `HNR_PERIODS`
    periods and normalised by its own power, so that the window cancels exactly and a perfect period
    has r = 1. The movement of the pitch is taken out first, by reading the sound at equal steps of
    phase: else a glide of an octave a second costs a noiseless voice all above 25 dB, and whoever
    speaks lively seems to be hoarse. Noise counts up to 8 kHz.

    Args:
        audio: at `cascadence.metrics.signal.ANALYSIS_RATE`.
        track: its pitch.

    Returns:
        dB, every frame kept within `HNR_LIMITS_DB`; ``None`` for too few voiced frames.
    """
    from scipy.signal import resample_poly

    voiced = np.flatnonzero(track.voiced)
    if len(voiced) < FEWEST_VOICED_FRAMES:
        return None
    finer = Audio(resample_poly(audio.samples, 2, 1).astype(np.float32), 2 * audio.sample_rate)
    slopes = _slopes(track)
    ratios = []
    for frames in _chunks(voiced):
        f0_hz = track.f0_hz[frames]
        points = int(np.ceil(finer.sample_rate / f0_hz.min()))
        sound = _by_phase(finer, track.times_s[frames], f0_hz, slopes[frames], points)
        low, high = (10.0 ** (limit / 10.0) for limit in HNR_LIMITS_DB)
        r = np.clip(_periodicity(sound, points), low / (1.0 + low), high / (1.0 + high))
        ratios.append(10.0 * np.log10(r / (1.0 - r)))
    return float(np.mean(np.concatenate(ratios)))


def _slopes(track: PitchTrack) -> Floats:
    """Change of log F0 per second at each frame, from its voiced neighbours."""
    logs = np.log(np.where(track.voiced, track.f0_hz, np.nan))
    steps = np.diff(logs, prepend=np.nan, append=np.nan) / track.hop_s
    known = np.isfinite(steps)
    total = np.where(known, steps, 0.0)
    found = (total[:-1] + total[1:]) / np.maximum(known[:-1].astype(int) + known[1:], 1)
    return np.asarray(np.clip(found, -_STEEPEST_PER_S, _STEEPEST_PER_S))


def _by_phase(finer: Audio, times_s: Floats, f0_hz: Floats, slopes: Floats, points: int) -> Floats:
    """Read the sound around each time at ``points`` equal steps of phase a period.

    Shape ``(frames, samples)``: what the two stretches need, half a period before and after.
    """
    periods = 0.5 + HNR_PERIODS / 2.0 + _HNR_SEARCH
    reach = int(np.ceil(periods * points)) + 4
    steps = np.arange(-reach, reach + 1)
    # Phase f0 (t + slope t^2 / 2) = steps / points, solved for t.
    linear = steps / points / f0_hz[:, None]
    root = np.sqrt(np.maximum(1.0 + 2.0 * slopes[:, None] * linear, 0.0))
    places = (times_s[:, None] + 2.0 * linear / (1.0 + root)) * finer.sample_rate
    margin = int(np.ceil(-places.min(initial=0.0))) + 2
    beyond = int(np.ceil(places.max(initial=0.0))) + 3 - len(finer)
    samples = np.pad(finer.samples.astype(np.float64), (margin, max(0, beyond)))
    first = np.floor(places).astype(np.intp)
    x = places - first
    # A cubic through four samples: enough at twice the rate.
    a, b, c, d = (samples[first + margin + step] for step in (-1, 0, 1, 2))
    bent = 2.0 * a - 5.0 * b + 4.0 * c - d + x * (3.0 * (b - c) + d - a)
    return np.asarray(b + 0.5 * x * (c - a + x * bent))


def _periodicity(sound: Floats, points: int) -> Floats:
    """Return the highest correlation of stretches about a period apart, shape ``(frames,)``.

    Args:
        sound: from `_by_phase`.
        points: to a period.
    """
    correlation = _correlation(sound, points)
    lags = np.arange(int((1.0 - _HNR_SEARCH) * points), int((1.0 + _HNR_SEARCH) * points) + 2)
    best = lags[correlation[:, lags].argmax(axis=1)]
    # The peak lies between the points: a parabola through it and its neighbours.
    left, peak, right = (correlation[np.arange(len(best)), best + step] for step in (-1, 0, 1))
    bend = left - 2.0 * peak + right
    is_peak = (peak >= left) & (peak >= right) & (bend < 0.0)
    return np.asarray(peak + (left - right) ** 2 / np.where(is_peak, -8.0 * bend, np.inf))


def _correlation(sound: Floats, points: int) -> Floats:
    """Correlate the stretch half a period before the middle with what follows, by lag.

    Shape ``(frames, lags)``. Both sides are weighted alike and normalised by their own power.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    reach = round(HNR_PERIODS / 2.0 * points)
    first = sound.shape[1] // 2 - points // 2 - reach
    sound = sound[:, first:]
    window = 0.5 + 0.5 * np.cos(np.pi * np.arange(-reach, reach + 1) / reach)
    size, lags = len(window), sound.shape[1] - len(window) + 1
    sound = sound - (sound[:, :size] @ window / window.sum())[:, None]
    samples = next_fast_len(sound.shape[1], real=True)
    weighted, plain = rfft(window * sound[:, :size], samples), rfft(window, samples)
    products = irfft(np.conj(weighted) * rfft(sound, samples), samples)[:, :lags]
    powers = irfft(np.conj(plain) * rfft(sound**2, samples), samples)[:, :lags]
    own = powers[:, :1]
    # Where one stretch lies in silence, nothing is to be learned from dividing by its power.
    scale = np.sqrt(np.maximum(own * powers, 1e-6 * own**2 + 1e-30))
    return np.asarray(products / scale)
