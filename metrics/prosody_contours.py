"""Two aligned tracks, compared: pitch, loudness, timbre.

Conventions: both tracks have one value a frame and are aligned already, frame by frame
(`cascadence.metrics.prosody_alignment`). Pitch is in Hz, 0 where unvoiced; differences of pitch are
in cents (1200 an octave); levels are in dB. What cannot be told (too few frames, a track that does
not vary) is ``None``, never 0 or NaN.

Known traps, avoided: a difference in Hz over unvoiced zeros measures voicing, so only frames that
are voiced in both count; the correlation of a track with its octave double is 1, so the errors of
voicing and the gross errors are counted beside it; a correlation of levels over pauses and speech
together is high for any two sounds that pause, so only frames in which both speak count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GROSS_SHARE = 0.2
FEWEST_FRAMES = 5
FLATTEST_CENTS = 10.0
"""A voice that varies by less (standard deviation) is flat: it would correlate by its noise."""
FLATTEST_DB = 0.5
"""The same for levels."""
DISTORTION_DB = 10.0 / np.log(10.0) * np.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class ContourDifference:
    """Two aligned pitch contours, compared.

    Attributes:
        frames: aligned pairs of frames.
        covoiced: those that are voiced in both.
        voicing_errors: those that are voiced in one alone.
        gross_errors: co-voiced frames that are off by more than 20 % (in Hz, nothing removed).
        log_f0_rmse_cents: over co-voiced frames, the difference of the medians removed; ``None``
            where there are fewer than `FEWEST_FRAMES`.
        raw_rmse_cents: the same, nothing removed.
        f0_correlation: of log F0 over co-voiced frames; ``None`` where one does not vary.
    """

    frames: int
    covoiced: int
    voicing_errors: int
    gross_errors: int
    log_f0_rmse_cents: float | None
    raw_rmse_cents: float | None
    f0_correlation: float | None

    @property
    def vde(self) -> float:
        """Voicing decision error: share of all frames whose voicing differs."""
        return self.voicing_errors / self.frames

    @property
    def gpe(self) -> float | None:
        """Gross pitch error: share of co-voiced frames that are off; ``None`` without any."""
        return self.gross_errors / self.covoiced if self.covoiced else None

    @property
    def ffe(self) -> float:
        """F0 frame error: share of all frames with either error."""
        return (self.voicing_errors + self.gross_errors) / self.frames


def compare_contours(reference_hz: Floats, candidate_hz: Floats) -> ContourDifference:
    """Compare two pitch contours.

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
    gross = both & (np.abs(candidate_hz - reference_hz) > GROSS_SHARE * reference_hz)
    raw = removed = correlation = None
    if both.sum() >= FEWEST_FRAMES:
        first = 1200.0 * np.log2(reference_hz[both])
        second = 1200.0 * np.log2(candidate_hz[both])
        apart = second - first
        raw = float(np.sqrt(np.mean(apart**2)))
        levelled = apart - (np.median(second) - np.median(first))
        removed = float(np.sqrt(np.mean(levelled**2)))
        correlation = _correlation(first, second, FLATTEST_CENTS)
    return ContourDifference(
        frames=len(reference_hz),
        covoiced=int(both.sum()),
        voicing_errors=int((voiced != (candidate_hz > 0.0)).sum()),
        gross_errors=int(gross.sum()),
        log_f0_rmse_cents=removed,
        raw_rmse_cents=raw,
        f0_correlation=correlation,
    )


def level_correlation(reference_db: Floats, candidate_db: Floats, both: Flags) -> float | None:
    """Correlate two level contours (Pearson) over the frames in which both speak.

    Args:
        reference_db: shape ``(frames,)``.
        candidate_db: the same shape.
        both: which frames count, the same shape.

    Returns:
        ``None`` for fewer than `FEWEST_FRAMES`, or where one varies by less than `FLATTEST_DB`.
    """
    if both.sum() < FEWEST_FRAMES:
        return None
    return _correlation(reference_db[both], candidate_db[both], FLATTEST_DB)


def mel_cepstral_distortion_db(
    reference: Floats, candidate: Floats, both: Flags | None = None
) -> float | None:
    """Return the mean distance of two sequences of mel cepstra, in dB.

    10 / ln 10 · √(2 Σ Δc²) for a frame (Kubichek 1993, doi:10.1109/PACRIM.1993.407206), the sum
    over all coefficients but c0, so that level does not matter. In the scaling of
    `cascadence.metrics.prosody_alignment.mel_cepstra` it is the RMS difference of the two smoothed
    log spectra over the mel bands. Other analyses (WORLD, other orders, c0 left in) give other
    figures: compare with nothing that was not measured by this.

    Args:
        reference: shape ``(coefficients, frames)``, c0 first.
        candidate: the same shape.
        both: frames that count, shape ``(frames,)``; all where left out.

    Returns:
        ``None`` where no frame counts.
    """
    apart = (candidate - reference)[1:]
    if both is not None:
        apart = apart[:, both]
    if not apart.shape[1]:
        return None
    return float(DISTORTION_DB * np.mean(np.sqrt(np.sum(apart**2, axis=0))))


def _correlation(first: Floats, second: Floats, flattest: float) -> float | None:
    if min(first.std(), second.std()) < flattest:
        return None
    # Rounding may reach beyond 1 by a hair.
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
