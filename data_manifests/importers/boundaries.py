"""Where speech begins and ends in a clip whose dataset does not say."""

from __future__ import annotations

from typing import Final

import numpy as np

from cascadence.audio import Audio, audible_runs, frame_levels_dbfs
from cascadence.errors import CascadenceError

BELOW_SPEECH_DB: Final = 30.0
"""What is this far below the loud frames is not speech, however quiet the room is."""
ABOVE_FLOOR_DB: Final = 12.0
"""What is this close to the floor is the room's, however loud it is."""
BRIDGE_S: Final = 0.3
"""A click this far from the speech, and shorter than `LEAST_S`, is not part of it."""
LEAST_S: Final = 0.08
_LOWEST_DBFS: Final = -90.0


def speech_span(audio: Audio) -> tuple[float, float]:
    """Measure the start and end of the speech in a clip.

    Frames of 10 ms count as speech from a threshold on that lies between the clip's own floor (the
    5th percentile of the frame levels) and its loud frames (the 95th): 30 dB below the loud ones,
    but no nearer to the floor than 12 dB, or half way where there is less than 24 dB between them.

    Args:
        audio: mono, any rate, with some speech in it.

    Returns:
        Seconds, on the 10 ms grid; a clip without quiet around the speech is speech from end to
        end.

    Raises:
        CascadenceError: the clip is digital silence, or too short to hold speech.
    """
    levels = frame_levels_dbfs(audio)
    heard = levels[np.isfinite(levels)]
    if len(heard) < 3:
        raise CascadenceError("there is no speech to find in silence")
    floor_db, loud_db = np.percentile(np.maximum(levels, _LOWEST_DBFS), (5, 95))
    above = min(ABOVE_FLOOR_DB, (loud_db - floor_db) / 2.0)
    threshold_dbfs = max(loud_db - BELOW_SPEECH_DB, floor_db + above)
    runs = audible_runs(audio, BRIDGE_S, float(threshold_dbfs))
    long = [run for run in runs if run[1] - run[0] >= LEAST_S] or list(runs)
    if not long:
        raise CascadenceError("nothing in the clip is long enough to be speech")
    return long[0][0], min(long[-1][1], audio.duration_s)
