"""Where two renderings of the same words meet: mel cepstra, and dynamic time warping over them.

Conventions: frames are `HOP_S` apart, frame ``k`` centred at ``k * HOP_S``; cepstra have shape
``(CEPSTRA, frames)``, c0 first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.metrics.signal_levels import ANALYSIS_RATE
from cascadence.require import require

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

HOP_SAMPLES = 256
HOP_S = HOP_SAMPLES / ANALYSIS_RATE
WINDOW_SAMPLES = 512
MEL_BANDS = 40
CEPSTRA = 14
"""c0 to c13."""
DEEPEST = 1e-8
"""Bands more than 80 dB below the loudest are as good as silent."""


def mel_cepstra(audio: Audio) -> Floats:
    """Return the cepstra of the log power in mel bands (to 8 kHz).

    c[n] = mean over the bands k of ln P[k] · cos(π n (k + ½) / bands): then c0² + 2 Σ c[n]² is the
    mean square of ln P, and differences of cepstra are differences of spectra. A gain moves c0
    alone.

    Args:
        audio: any rate.

    Returns:
        Shape ``(CEPSTRA, frames)``.
    """
    from scipy.fft import dct

    librosa = require("librosa", extra="prosody")
    samples = audio.at_rate(ANALYSIS_RATE).samples
    power = librosa.feature.melspectrogram(
        y=np.pad(samples, (0, max(0, WINDOW_SAMPLES - len(samples)))),
        sr=ANALYSIS_RATE,
        n_fft=WINDOW_SAMPLES,
        hop_length=HOP_SAMPLES,
        n_mels=MEL_BANDS,
    ).astype(np.float64)
    logarithms = np.log(np.maximum(power, max(DEEPEST * float(power.max()), 1e-20)))
    return np.asarray(dct(logarithms, axis=0)[:CEPSTRA] / (2 * MEL_BANDS), dtype=np.float64)


def levels_at_frames_db(audio: Audio) -> Floats:
    """Return the RMS level around each cepstral frame, in dBFS, shape ``(frames,)``.

    Args:
        audio: any rate.
    """
    samples = audio.at_rate(ANALYSIS_RATE).samples.astype(np.float64)
    missing = max(0, WINDOW_SAMPLES - len(samples))
    half = WINDOW_SAMPLES // 2
    padded = np.pad(samples, (half, half + missing))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    return np.asarray(10.0 * np.log10(np.maximum(np.mean(windows**2, axis=1), 1e-12)))


def align(reference: Floats, candidate: Floats) -> tuple[Indices, Indices]:
    """Align two renderings of the same words in time.

    Dynamic time warping (Euclidean) over the cepstra, c0 left out so that level does not matter,
    each standardised. It always finds a path, also where the words differ: what it is worth is told
    by mismatched pairs (`cascadence.metrics.prosody_similarity`).

    Args:
        reference: cepstra, at least a frame.
        candidate: the same.

    Returns:
        Frame numbers in each, of equal length and never falling.
    """
    librosa = require("librosa", extra="prosody")
    _, path = librosa.sequence.dtw(X=_standardised(reference), Y=_standardised(candidate))
    forwards = path[::-1]
    return forwards[:, 0], forwards[:, 1]


def _standardised(cepstra: Floats) -> Floats:
    shape = cepstra[1:]
    spread = np.maximum(shape.std(axis=1, keepdims=True), 1e-6)
    return np.asarray((shape - shape.mean(axis=1, keepdims=True)) / spread, dtype=np.float64)
