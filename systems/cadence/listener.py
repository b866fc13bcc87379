"""Ears at run time: audio in, states out. Shared by Cadence and by its ASR for cascades."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascadence.audio import Audio
from cascadence.systems.cadence.encoder import load_encoder
from cascadence.systems.cadence.features import SAMPLE_RATE, ProsodyTracker
from cascadence.systems.cadence.lessons_batch import ear_input
from cascadence.systems.cadence.model import Ears
from cascadence.systems.cadence.rejection import unsureness
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["HeardTurn", "Listener"]

_LONGEST_S = 28.0
_SHORTEST_S = 0.2
_AUDIBLE = 10 ** (-50 / 20)  # the same threshold as `cascadence.audio.AUDIBLE_DBFS`


@dataclass(frozen=True, slots=True, eq=False)
class HeardTurn:
    """What the ears make of one turn.

    Attributes:
        states: (frames, dim) at 25 Hz.
        spoken: (frames,), true where a phoneme was heard.
        style: z-scored style as the ears estimate it, (4,).
        pitch: median F0 and spread in semitones, level in dB, as `Prosody.pitch_statistics`
            measures them; None where nothing is voiced, or with the prosody taken out.
        unsure: see `unsureness`.
    """

    states: Tensor
    spoken: Tensor
    style: list[float]
    pitch: tuple[float, float, float] | None
    unsure: float

    @property
    def is_empty(self) -> bool:
        """Whether no phoneme was heard."""
        return not bool(self.spoken.any())


class Listener:
    """Hears turns."""

    def __init__(self, ears: Ears, *, prosody: bool = True) -> None:
        """Loads the Whisper encoder from the weight store, and the pitch tracker.

        Args:
            ears: Cadence's own encoder.
            prosody: false takes pitch, voicing and level out of the input (a control).
        """
        self._ears = ears
        self._encoder = load_encoder().adapted(ears.adapters)
        self._tracker = ProsodyTracker()
        self._prosody = prosody
        self._latest: tuple[Audio, HeardTurn | None] | None = None

    def hear_turn(self, audio: Audio, silence_s: float = 0.0) -> HeardTurn | None:
        """Hears a turn, and remembers it: heard again with more silence, it takes no time.

        Args:
            audio: 16 kHz mono.
            silence_s: at its end, which says nothing new.
        """
        if self._latest is None or not _goes_on_silent(self._latest[0], audio, silence_s):
            self._latest = audio, self.hear(audio.samples)
        return self._latest[1]

    @torch.inference_mode()
    def hear(self, samples: NDArray[np.float32]) -> HeardTurn | None:
        """Hears a turn.

        Args:
            samples: mono at 16 kHz; of more than 28 s the last 28 are heard.

        Returns:
            None where nothing is loud or long enough to be speech.
        """
        samples = samples[-int(_LONGEST_S * SAMPLE_RATE) :]
        frame = SAMPLE_RATE // 100
        levels = samples[: len(samples) // frame * frame].reshape(-1, frame)
        loud = np.sqrt((levels.astype(np.float64) ** 2).mean(1)) >= _AUDIBLE
        if loud.sum() * 0.01 < _SHORTEST_S:
            return None
        states, frames = self._encoder([torch.from_numpy(samples)])
        prosody = self._tracker.track(samples)
        streams = prosody.streams() * np.float32(self._prosody)
        heard = self._ears(*ear_input(states, frames, [streams]))
        scores = self._ears.phone_head(heard.states)[0]
        spoken = scores.argmax(-1) != SymbolTable.PAD
        style = [float(value) for value in heard.style[0]]
        pitch = prosody.pitch_statistics() if self._prosody else None
        return HeardTurn(heard.states[0], spoken, style, pitch, unsureness(scores))


def _goes_on_silent(earlier: Audio, now: Audio, silence_s: float) -> bool:
    """Tells whether a sound is an earlier one, and after it only some of the silence at its end."""
    more = len(now) - len(earlier)
    if not 0 <= more <= round(silence_s * now.sample_rate):
        return False
    return bool((now.samples[: len(earlier)] == earlier.samples).all())
