"""Pitch of an utterance: the track, and what is read off it.

Semitones are relative to `SEMITONE_REFERENCE_HZ`. A feature that too few voiced frames bear is
``None``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SEMITONE_REFERENCE_HZ: Final = 100.0
FEWEST_VOICED_FRAMES: Final = 3
FINAL_SPAN_S: Final = 0.3
"""The final slope is that of the last voiced frames, this far back."""
FEWEST_FINAL_FRAMES: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class PitchTrack:
    """Fundamental frequency, frame by frame.

    Attributes:
        hop_s: distance of the frames; frame ``k`` is centred at ``k * hop_s``.
        f0_hz: shape ``(frames,)``; 0 where unvoiced.
    """

    hop_s: float
    f0_hz: Floats

    @property
    def times_s(self) -> Floats:
        """Centres of the frames."""
        return np.asarray(np.arange(len(self.f0_hz)) * self.hop_s, dtype=np.float64)

    @property
    def voiced(self) -> Flags:
        """Which frames are voiced."""
        return self.f0_hz > 0.0

    def inside(self, spans_s: list[tuple[float, float]]) -> PitchTrack:
        """Return the same track, unvoiced outside the spans."""
        times_s = self.times_s
        within = np.zeros(len(times_s), dtype=np.bool_)
        for start_s, end_s in spans_s:
            within |= (times_s >= start_s) & (times_s <= end_s)
        return PitchTrack(self.hop_s, np.where(within, self.f0_hz, 0.0))

    def at(self, times_s: Floats) -> Floats:
        """Return F0 at any times, 0 where unvoiced or outside the track.

        Between two voiced frames it is interpolated (geometrically); else the nearer frame counts.

        Args:
            times_s: shape ``(n,)``.
        """
        if not len(self.f0_hz):
            return np.zeros(len(times_s))
        places = times_s / self.hop_s
        nearest = np.rint(places).astype(np.intp)
        within = (nearest >= 0) & (nearest < len(self.f0_hz))
        below = np.clip(np.floor(places).astype(np.intp), 0, len(self.f0_hz) - 1)
        above = np.minimum(below + 1, len(self.f0_hz) - 1)
        low, high = self.f0_hz[below], self.f0_hz[above]
        both = (low > 0.0) & (high > 0.0)
        share = np.clip(places - below, 0.0, 1.0)
        between = np.where(both, low, 1.0) ** (1.0 - share) * np.where(both, high, 1.0) ** share
        single = self.f0_hz[np.clip(nearest, 0, len(self.f0_hz) - 1)]
        return np.asarray(np.where(within, np.where(both, between, single), 0.0))


PitchDetector = Callable[[Audio], PitchTrack]
"""Takes a sound at `cascadence.metrics.signal.ANALYSIS_RATE`."""


def semitones(f0_hz: Floats) -> Floats:
    """Return voiced frequencies (all > 0) in semitones above `SEMITONE_REFERENCE_HZ`."""
    return np.asarray(12.0 * np.log2(f0_hz / SEMITONE_REFERENCE_HZ), dtype=np.float64)


def pitch_features(track: PitchTrack) -> dict[str, float | None]:
    """Read median, range (p95 - p5) and final slope off the voiced frames.

    Args:
        track: of one utterance.

    Returns:
        ``f0_median_st``, ``f0_range_st`` (semitones), ``final_f0_slope_st_per_s``: the slope of the
        least-squares line through the voiced frames of the last `FINAL_SPAN_S`.
    """
    voiced = track.voiced
    if voiced.sum() < FEWEST_VOICED_FRAMES:
        return {"f0_median_st": None, "f0_range_st": None, "final_f0_slope_st_per_s": None}
    pitch_st = semitones(track.f0_hz[voiced])
    times_s = track.times_s[voiced]
    low, median, high = np.percentile(pitch_st, (5, 50, 95))
    final = times_s >= times_s[-1] - FINAL_SPAN_S
    enough = final.sum() >= FEWEST_FINAL_FRAMES
    slope = float(np.polyfit(times_s[final], pitch_st[final], 1)[0]) if enough else None
    return {
        "f0_median_st": round(float(median), 4),
        "f0_range_st": round(float(high - low), 4),
        "final_f0_slope_st_per_s": None if slope is None else round(slope, 3),
    }
