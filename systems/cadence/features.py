"""Prosody beside what Whisper hears, at 50 Hz.

Whisper's log-mel is normalised to its maximum, so loudness is invisible to it: level, pitch and
voicing are streams of their own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascadence.require import require

__all__ = [
    "PROSODY_DIM",
    "SAMPLE_RATE",
    "PitchTracker",
    "Prosody",
    "ProsodyTracker",
]

SAMPLE_RATE = 16000
FRAME_S = 0.02
PROSODY_DIM = 3
_REFERENCE_HZ = 150.0
_QUIET_DB = -80.0


class PitchTracker:
    """F0 by SwiftF0 (arXiv 2508.18440), on any frame grid."""

    def __init__(self, minimum_hz: float = 60.0, maximum_hz: float = 500.0) -> None:
        """Loads the tracker (50 ms), on one thread."""
        swift = require("swift_f0", extra="cadence")
        self._detector: Any = swift.SwiftF0(threads=1, spin=False)
        self._range_hz = (minimum_hz, maximum_hz)

    def track(self, audio: NDArray[np.float32], frame_s: float) -> NDArray[np.float32]:
        """Returns F0 in Hz at `frame_s · (i + ½)`, 0 where unvoiced; audio at 16 kHz, mono."""
        frames = len(audio) // round(frame_s * SAMPLE_RATE)
        if frames == 0:
            return np.zeros(0, np.float32)
        low, high = self._range_hz
        found = self._detector.detect(audio, SAMPLE_RATE, fmin=low, fmax=high)
        times_s = (np.arange(frames) + 0.5) * frame_s
        nearest = np.clip(np.round(times_s / 0.016).astype(int), 0, len(found.pitch_hz) - 1)
        voiced = found.confidence >= 0.5
        if not voiced.any():
            return np.zeros(frames, np.float32)
        log_f0 = np.interp(times_s, found.timestamps[voiced], np.log(found.pitch_hz[voiced]))
        return np.where(voiced[nearest], np.exp(log_f0), 0.0).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Prosody:
    """Prosody of a turn every 20 ms.

    Attributes:
        f0_hz: (frames,), 0 where unvoiced.
        level_db: (frames,), RMS over 40 ms, dB re full scale, at least -80.
    """

    f0_hz: NDArray[np.float32]
    level_db: NDArray[np.float32]

    def streams(self) -> NDArray[np.float32]:
        """Returns (frames, 3): octaves re 150 Hz (0 if unvoiced), voicing, (level + 40 dB) / 20."""
        voiced = self.f0_hz > 0
        octaves = np.log2(np.where(voiced, self.f0_hz, _REFERENCE_HZ) / _REFERENCE_HZ)
        level = (self.level_db + 40.0) / 20.0
        return np.stack([octaves, voiced, level], axis=1).astype(np.float32)

    def pitch_statistics(self) -> tuple[float, float, float] | None:
        """Returns median F0 (semitones re 150 Hz), F0 spread (semitones), level (dB), where voiced.

        The spread is half of the distance between the 10th and the 90th percentile: octave errors
        move a standard deviation, not this. None if fewer than five frames are voiced.
        """
        voiced = self.f0_hz > 0
        if int(voiced.sum()) < 5:
            return None
        semitones = 12 * np.log2(self.f0_hz[voiced] / _REFERENCE_HZ)
        low, high = np.percentile(semitones, [10, 90])
        level = 10 * np.log10(np.mean(10 ** (self.level_db[voiced] / 10)))
        return float(np.median(semitones)), float((high - low) / 2), float(level)


class ProsodyTracker:
    """Measures `Prosody`."""

    def __init__(self) -> None:
        """Loads the pitch tracker."""
        self._pitch = PitchTracker()

    def track(self, audio: NDArray[np.float32]) -> Prosody:
        """Measures audio at 16 kHz."""
        hop = int(FRAME_S * SAMPLE_RATE)
        frames = len(audio) // hop
        padded = np.pad(audio[: frames * hop].astype(np.float64) ** 2, hop // 2)
        power = np.concatenate([[0.0], np.cumsum(padded)])
        mean = (power[2 * hop :: hop][:frames] - power[::hop][:frames]) / (2 * hop)
        level_db = 10 * np.log10(np.maximum(mean, 10 ** (_QUIET_DB / 10)))
        return Prosody(self._pitch.track(audio, FRAME_S)[:frames], level_db.astype(np.float32))
