"""In noise that is itself speech, who is the user? The one who is loud and near.

A voice activity detector hears speech in babble and in music, and then a turn never ends. People
tell the user by level. `NoiseGate` wraps a detector and does the same: what is far below the
user's speech, and no louder than what is there when the user is silent, is not the user. Where it
is quiet between turns, the gate never closes, so that clean speech is heard as without it.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

import numpy as np

from cascadence.audio import Audio
from cascadence.protocols import FRAME_S
from cascadence.systems.vad import Vad

SPEECH: Final = 0.5
"""Probability from which a frame that passes tells the level of speech."""
MARGIN_DB: Final = 5.5
"""Noise is at most this much louder than the softest tenth of the last seconds."""
_SPEECH_FRAMES: Final = round(5.0 / FRAME_S)
_FLOOR_FRAMES: Final = round(8.0 / FRAME_S)
_FIRST_FRAMES: Final = round(0.5 / FRAME_S)
_LOUD_PERCENTILE: Final = 90.0
_FLOOR_PERCENTILE: Final = 10.0
_RELEASE: Final = 0.75
"""The level falls to this share of its power in a frame, and rises at once."""
_LEAST_POWER: Final = 1e-12


class NoiseGate:
    """A `Vad` that passes a detector's probability on where a frame is loud enough to be the user.

    Elsewhere the probability is 0. The gate closes below the lower one of two levels: `gate_db`
    under the loud parts of the last five seconds of speech, and `MARGIN_DB` above the floor of the
    last eight seconds, whatever the detector takes them for (minimum statistics, as in Martin 2001,
    doi 10.1109/89.928915): in babble it hears speech everywhere.
    """

    def __init__(self, vad: Vad, gate_db: float) -> None:
        """Wrap a detector.

        Args:
            vad: the detector.
            gate_db: how far below the user's speech the others are, at least.
        """
        self._vad = vad
        self._gate_db = gate_db
        self._power = _LEAST_POWER
        self._speech_db: deque[float] = deque(maxlen=_SPEECH_FRAMES)
        self._all_db: deque[float] = deque(maxlen=_FLOOR_FRAMES)

    @property
    def revision(self) -> str:
        """The detector's, and of the gate."""
        return f"{self._vad.revision}+gate-2"

    @property
    def weights(self) -> tuple[str, ...]:
        """The detector's."""
        return self._vad.weights

    def load(self) -> None:
        """Load the detector."""
        self._vad.load()

    def reset(self) -> None:
        """Forget what was heard: a new conversation begins."""
        self._vad.reset()
        self._power = _LEAST_POWER
        self._speech_db.clear()
        self._all_db.clear()

    def probability(self, frame: Audio) -> float:
        """Return the detector's probability, or 0 where the frame is too soft to be the user."""
        heard = self._vad.probability(frame)
        samples = frame.samples
        power = float(np.dot(samples, samples)) / max(1, len(samples))
        self._power = max(power, _RELEASE * self._power + (1.0 - _RELEASE) * power, _LEAST_POWER)
        level_db = 10.0 * math.log10(self._power)
        self._all_db.append(level_db)
        if level_db < self._bar_db():
            return 0.0
        if heard >= SPEECH:
            self._speech_db.append(level_db)
        return heard

    def _bar_db(self) -> float:
        if not self._speech_db or len(self._all_db) <= _FIRST_FRAMES:
            return -math.inf
        loud_db = float(np.percentile(self._speech_db, _LOUD_PERCENTILE))
        floor_db = float(np.percentile(self._all_db, _FLOOR_PERCENTILE))
        return min(loud_db - self._gate_db, floor_db + MARGIN_DB)
