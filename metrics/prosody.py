"""Prosody similarity: two renderings of the same words.

A parrot's reply against the user's clip, or any system that was asked to repeat. Where the reply
has other words there is nothing to align, and the metrics are skipped: whether the *style* survived
is measured by `cascadence.metrics.paralinguistics`.

Frames are aligned by dynamic time warping over cepstra. Known traps, avoided: RMSE in Hz over
unvoiced zeros measures voicing (only co-voiced frames count here); the correlation of a track with
its octave double is 1 (so voicing and gross errors stand beside every figure).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, audible_runs
from cascadence.measurement import Case, Measurement, Tools, metric, skipped, value
from cascadence.metrics.intelligibility import word_errors
from cascadence.metrics.signal import ANALYSIS_RATE
from cascadence.metrics.task import heard_reply
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn
from cascadence.require import require

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

CEPSTRA_HOP_S = 0.016
CEPSTRA_WINDOW = 512
SAME_WORDS_WER = 0.2
"""Up to this word error rate a transcript counts as the same words: the judge errs too."""
GROSS_SHARE = 0.2
FEWEST_FRAMES = 5


@dataclass(frozen=True, slots=True)
class ContourDifference:
    """Two aligned pitch contours, compared.

    Attributes:
        frames: aligned pairs of frames.
        covoiced: those that are voiced in both.
        log_f0_rmse_cents: over co-voiced frames, the difference of the medians removed; ``None``
            where there are fewer than `FEWEST_FRAMES`.
        raw_rmse_cents: the same, nothing removed.
        f0_correlation: of log F0 over co-voiced frames; ``None`` where one does not vary.
        vde: share of all frames whose voicing differs.
        gpe: share of co-voiced frames that are off by more than 20 % (in Hz, nothing removed).
        ffe: share of all frames with either error.
    """

    frames: int
    covoiced: int
    log_f0_rmse_cents: float | None
    raw_rmse_cents: float | None
    f0_correlation: float | None
    vde: float
    gpe: float | None
    ffe: float


def compare_contours(reference_hz: Floats, candidate_hz: Floats) -> ContourDifference:
    """Compare two pitch contours that are aligned frame by frame.

    Error rates after Chu and Alwan 2009 (doi:10.1109/ICASSP.2009.4960497).

    Args:
        reference_hz: shape ``(frames,)``, 0 where unvoiced.
        candidate_hz: the same shape.

    Raises:
        ValueError: no frames, or shapes that differ.
    """
    if not len(reference_hz) or reference_hz.shape != candidate_hz.shape:
        raise ValueError(
            f"contours must be aligned: {reference_hz.shape} against {candidate_hz.shape}"
        )
    voiced = reference_hz > 0.0
    both = voiced & (candidate_hz > 0.0)
    differs = voiced != (candidate_hz > 0.0)
    gross = both & (np.abs(candidate_hz - reference_hz) > GROSS_SHARE * reference_hz)
    covoiced = int(both.sum())
    raw = removed = correlation = None
    if covoiced >= FEWEST_FRAMES:
        first = 1200.0 * np.log2(reference_hz[both])
        second = 1200.0 * np.log2(candidate_hz[both])
        apart = second - first
        levelled = apart - (np.median(second) - np.median(first))
        raw = float(np.sqrt(np.mean(apart**2)))
        removed = float(np.sqrt(np.mean(levelled**2)))
        if first.std() > 1e-6 and second.std() > 1e-6:
            correlation = float(np.corrcoef(first, second)[0, 1])
    return ContourDifference(
        frames=len(reference_hz),
        covoiced=covoiced,
        log_f0_rmse_cents=removed,
        raw_rmse_cents=raw,
        f0_correlation=correlation,
        vde=float(differs.mean()),
        gpe=float(gross.sum() / covoiced) if covoiced else None,
        ffe=float((differs | gross).mean()),
    )


def align(reference: Audio, candidate: Audio) -> tuple[Indices, Indices]:
    """Align two renderings of the same words in time.

    Dynamic time warping (Euclidean) over 12 cepstra, c0 left out so that level does not matter,
    each standardised.

    Args:
        reference: at least a frame long, any rate.
        candidate: the same.

    Returns:
        Frame numbers in each, of equal length and never falling, `CEPSTRA_HOP_S` apart.
    """
    librosa = require("librosa", extra="prosody")
    _, path = librosa.sequence.dtw(X=_cepstra(reference), Y=_cepstra(candidate))
    forwards = path[::-1]
    return forwards[:, 0], forwards[:, 1]


def _cepstra(audio: Audio) -> Floats:
    librosa = require("librosa", extra="prosody")
    samples = audio.at_rate(ANALYSIS_RATE).samples
    cepstra: Floats = librosa.feature.mfcc(
        y=np.pad(samples, (0, max(0, CEPSTRA_WINDOW - len(samples)))),
        sr=ANALYSIS_RATE,
        n_mfcc=13,
        n_fft=CEPSTRA_WINDOW,
        hop_length=round(CEPSTRA_HOP_S * ANALYSIS_RATE),
    )[1:].astype(np.float64)
    levelled = cepstra - cepstra.mean(axis=1, keepdims=True)
    spread = np.maximum(cepstra.std(axis=1, keepdims=True), 1e-6)
    return np.asarray(levelled / spread, dtype=np.float64)


def _contour(features: Mapping[str, Any], frames: Indices) -> Floats:
    """Read the pitch at cepstral frames (frame ``k`` is centred at ``k * CEPSTRA_HOP_S``)."""
    f0_hz = np.asarray(features["f0_hz"], dtype=np.float64)
    hop_s = float(features["f0_hop_s"])
    nearest = np.rint(frames * CEPSTRA_HOP_S / hop_s).astype(int)
    return np.asarray(f0_hz[np.clip(nearest, 0, len(f0_hz) - 1)])


@metric(
    family="prosody",
    unit="cents",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    needs=("features", "judge_asr"),
    reference="log-F0 RMSE; errors of voicing and pitch: doi:10.1109/ICASSP.2009.4960497",
)
def log_f0_rmse_cents(case: Case, tools: Tools) -> list[Measurement]:
    """Root mean square difference of the reply's pitch contour from the user's, same words.

    Over co-voiced frames, after alignment, the difference of the medians removed (speakers differ
    in pitch). ``vde``, ``gpe``, ``ffe``, ``f0_correlation`` and the raw RMSE in the details: a
    contour that is right where it is voiced, and seldom voiced, is not right. Skipped where the
    reply has other words (by the system's own text, else by the judge ASR).
    """

    def difference(view: PlayedView) -> Measurement:
        reply, clip = view.reply, _audible_part(view.clip)
        if reply is None or clip is None:
            return skipped("no reply came" if reply is None else "the user's clip is inaudible")
        if not _same_words(view, tools):
            return skipped("the reply has other words than the user")
        user, system = tools.use("features", clip), tools.use("features", reply)
        if not user["f0_hz"] or not system["f0_hz"]:
            return skipped("no pitch to compare")
        in_user, in_reply = align(clip, reply)
        found = compare_contours(_contour(user, in_user), _contour(system, in_reply))
        if found.log_f0_rmse_cents is None:
            return skipped("too few frames are voiced in both")
        return value(
            found.log_f0_rmse_cents,
            raw_rmse_cents=found.raw_rmse_cents,
            f0_correlation=found.f0_correlation,
            vde=found.vde,
            gpe=found.gpe,
            ffe=found.ffe,
            covoiced=found.covoiced,
            frames=found.frames,
        )

    return each_turn(case, difference, claims_floor)


def _same_words(view: PlayedView, tools: Tools) -> bool:
    said = heard_reply(view, tools) if view.meant is None else view.meant
    counts = word_errors(view.turn.text, said)
    most = SAME_WORDS_WER * counts.reference_words
    return counts.reference_words > 0 and counts.errors <= most


def _audible_part(audio: Audio) -> Audio | None:
    """Cut the silence around a clip, as a reply's is cut."""
    runs = audible_runs(audio)
    return audio.span(runs[0][0], runs[-1][1]) if runs else None
