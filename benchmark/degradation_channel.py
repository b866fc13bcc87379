"""The user's channel under a condition: what a system hears, frame by frame.

A condition acts at two places. Room, noise level and gain are settled for the whole conversation
before its clock starts (`at_microphone`). What comes after the microphone acts on voice and
background *together* and therefore when a turn begins: then its place on the clock is known, and so
is the background around it (`UserChannel`). Both are causal: a frame depends on turns that have
begun, and on the seed. Between turns the background goes on: a noisy room does not fall silent when
the user does, and endpointing has to cope with that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from cascadence.audio import Audio, Samples
from cascadence.conditions import Condition, PacketLoss
from cascadence.protocols import FRAME_SAMPLES, INPUT_RATE
from cascadence.resampling import stable_seed

NOMINAL_DBFS: Final = -26.0
"""Level that is assumed for speech where a conversation has none (ITU-T P.56's nominal level)."""
_CONTEXT_SAMPLES: Final = INPUT_RATE // 10
"""Background on both sides of a turn, longer than any filter; even, as the narrow rate needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What is around the user and behind the microphone; by default, nothing.

    Attributes:
        background: at the microphone, a loop at `INPUT_RATE`, at its level; ``None`` is silence.
        between: the same as it is heard between turns, after clipping and coding.
        ceiling: amplitude that the microphone does not exceed.
        band: what passes.
        loss: of packets.
        seed: of the losses.
    """

    background: Samples | None = None
    between: Samples | None = None
    ceiling: float = 1.0
    band: Literal["full", "narrow", "telephone"] = "full"
    loss: PacketLoss | None = None
    seed: int = 0


def at_microphone(
    clips: Sequence[Audio], condition: Condition, seed: int
) -> tuple[list[Audio], Surroundings]:
    """Take a conversation's clips to the microphone, and make what is around them.

    Where speech and noise together could exceed full scale, both are turned down alike for the
    whole conversation, so that noise never brings clipping with it.

    Args:
        clips: as recorded, any rate.
        condition: of the sweep.
        seed: of room, noise and losses.

    Returns:
        The clips at `INPUT_RATE`, in the room and at their level, and the surroundings.
    """
    voices = [clip.at_rate(INPUT_RATE) for clip in clips]
    if condition.is_clean:
        return voices, Surroundings()
    from cascadence.degradation import at_level, in_room

    if condition.room is not None:
        room_seed = stable_seed(str(seed), "room")
        voices = [in_room(voice, condition.room, room_seed) for voice in voices]
    voices, background = _in_noise(voices, condition, seed)
    if condition.level_db is not None:
        voices = [at_level(voice, condition.level_db) for voice in voices]
        if background is not None:
            background = background * np.float32(10.0 ** (condition.level_db / 20.0))
    # A conversation in which nobody speaks has no peak to relate a ceiling to.
    peak = _peak(voices)
    ceiling = 1.0
    if condition.clipping_db is not None and peak > 0.0:
        ceiling = peak * 10.0 ** (condition.clipping_db / 20.0)
    around = Surroundings(
        background=background,
        ceiling=ceiling,
        band="telephone" if condition.telephone else "narrow" if condition.narrowband else "full",
        loss=condition.packet_loss,
        seed=stable_seed(str(seed), "packet_loss"),
    )
    return voices, replace(around, between=_between(around))


def _between(around: Surroundings) -> Samples | None:
    loop = around.background
    if loop is None:
        return None
    margin = _CONTEXT_SAMPLES
    return _transmitted(_around_loop(loop, -margin, len(loop) + margin), around)[margin:-margin]


def _in_noise(
    voices: list[Audio], condition: Condition, seed: int
) -> tuple[list[Audio], Samples | None]:
    """Set the background's level by the speech's; turn both down if they need it."""
    if condition.noise is None:
        return voices, None
    from cascadence.degradation import active_level_dbfs, at_level
    from cascadence.degradation_noise import background

    noise = condition.noise
    speech_dbfs = active_level_dbfs(voices)
    level_dbfs = (speech_dbfs if np.isfinite(speech_dbfs) else NOMINAL_DBFS) - noise.snr_db
    loop = background(noise.kind, stable_seed(str(seed), "noise"))
    loop = loop * np.float32(10.0 ** (level_dbfs / 20.0))
    highest = _peak(voices) + float(np.abs(loop).max())
    if highest <= 1.0:
        return voices, loop
    down_db = -20.0 * np.log10(highest)
    return [at_level(voice, down_db) for voice in voices], loop / np.float32(highest)


def _peak(sounds: Sequence[Audio]) -> float:
    return max((float(np.abs(sound.samples).max(initial=0.0)) for sound in sounds), default=0.0)


class UserChannel:
    """Gives out the frames of one conversation, in order."""

    def __init__(self, clips: Sequence[Audio], surroundings: Surroundings) -> None:
        """Open the microphone at sample 0.

        Args:
            clips: one a turn, at `INPUT_RATE`, from `at_microphone`.
            surroundings: the same.
        """
        self._clips = clips
        self._around = surroundings
        self._position = 0
        self._turn: Samples | None = None
        self._turn_position = 0
        self._line = None
        if surroundings.loss is not None:
            from cascadence.degradation import LossyLine

            self._line = LossyLine(surroundings.loss, surroundings.seed, INPUT_RATE)

    @property
    def speaking(self) -> bool:
        """Whether a turn's clip has not been given out to its end."""
        return self._turn is not None

    def begin(self, index: int) -> None:
        """Let a turn start with the next frame."""
        clip = self._clips[index].samples
        whole = max(1, -(-len(clip) // FRAME_SAMPLES)) * FRAME_SAMPLES
        clip = np.pad(clip, (0, whole - len(clip)))
        if self._around.background is None:
            self._turn = _transmitted(clip, self._around)
        else:
            margin = _CONTEXT_SAMPLES
            first, last = self._position - margin, self._position + len(clip) + margin
            mixed = _around_loop(self._around.background, first, last)
            mixed[margin:-margin] += clip
            self._turn = _transmitted(mixed, self._around)[margin:-margin]
        self._turn_position = 0

    def frame(self) -> Samples:
        """Return the next `FRAME_SAMPLES` samples as the system hears them."""
        sent = self._sent()
        self._position += FRAME_SAMPLES
        return sent if self._line is None else self._line.packet(sent)

    def _sent(self) -> Samples:
        if self._turn is None:
            if self._around.between is None:
                return np.zeros(FRAME_SAMPLES, dtype=np.float32)
            return _around_loop(
                self._around.between, self._position, self._position + FRAME_SAMPLES
            )
        samples = self._turn[self._turn_position : self._turn_position + FRAME_SAMPLES]
        self._turn_position += FRAME_SAMPLES
        if self._turn_position >= len(self._turn):
            self._turn = None
        return samples


def _transmitted(samples: Samples, around: Surroundings) -> Samples:
    """Clip and code what the microphone picks up."""
    if around.ceiling >= 1.0 and around.band == "full":
        return np.clip(samples, -1.0, 1.0)
    from cascadence.degradation import clipped, narrowband, over_telephone

    limited = clipped(Audio(samples, INPUT_RATE), around.ceiling)
    if around.band == "full":
        return limited.samples
    return (over_telephone if around.band == "telephone" else narrowband)(limited).samples


def _around_loop(loop: Samples, first: int, last: int) -> Samples:
    """Samples ``[first, last)`` of an endless loop; a copy."""
    return loop[np.arange(first, last) % len(loop)]
