"""What happens to a voice on its way: room, level, clipping, narrow bands, lost packets.

Every effect is a pure function from `Audio` to `Audio` of the same length and rate on the same time
axis: filters have no delay, the direct sound stays where it is, and so true boundaries stay true.
The same seed gives the same samples. Backgrounds are made in `cascadence.degradation_noise`; both
come together in `cascadence.degradation_channel`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import signal

from cascadence.audio import Audio, Samples, frame_levels_dbfs
from cascadence.conditions import PacketLoss, Room

Floats = npt.NDArray[np.float64]

NARROW_RATE: Final = 8000
PACKET_S: Final = 0.020
ACTIVITY_MARGIN_DB: Final = 15.9
"""How far below the active level a frame still counts as speech (ITU-T P.56)."""
_EARLIEST_REFLECTION_S: Final = 0.002
_BAND_HZ: Final = (250.0, 3450.0)
"""Half-amplitude points: a transition of 100 Hz leaves 300 to 3400 Hz as they are."""
_BAND_TAPS: Final = 257
_MU_LAW_STEPS: Final = 8159
_MU_LAW_BIAS: Final = 33
_CONCEALED_S: Final = 0.060
_REJOIN_S: Final = 0.005
_PITCH_S: Final = (0.0025, 0.015)
_PERIODIC: Final = 0.5
"""Correlation from which on the sound before a loss is taken to have a pitch."""


def active_level_dbfs(sounds: Iterable[Audio]) -> float:
    """Return the mean level of the 10 ms frames in which somebody speaks, in dBFS.

    Speech are the frames at most `ACTIVITY_MARGIN_DB` below the level that is returned, as in ITU-T
    P.56, method B, but with frames for its envelope; pauses do not count.

    Returns:
        -inf for digital silence.
    """
    levels = [10.0 ** (frame_levels_dbfs(sound) / 10.0) for sound in sounds]
    power = np.concatenate(levels) if levels else np.zeros(0)
    active = power[power > 0.0]
    if not len(active):
        return -np.inf
    while True:
        least = active.mean() * 10.0 ** (-ACTIVITY_MARGIN_DB / 10.0)
        louder = active[active >= least]
        if len(louder) == len(active):
            return float(10.0 * np.log10(active.mean()))
        active = louder


def at_level(audio: Audio, level_db: float) -> Audio:
    """Apply a gain in dB; what then exceeds full scale is clipped."""
    return _like(audio, audio.samples.astype(np.float64) * 10.0 ** (level_db / 20.0))


def clipped(audio: Audio, ceiling: float) -> Audio:
    """Cut off what exceeds an amplitude ``ceiling``, in [0, 1]."""
    return _like(audio, np.clip(audio.samples, -ceiling, ceiling))


def in_room(audio: Audio, room: Room, seed: int) -> Audio:
    """Add the reverberation of a room.

    The impulse response is a pulse at 0 and, 2 ms later, white noise that decays exponentially
    (Moorer 1979, doi:10.2307/3680280). Its energy is 1, so that speech keeps its level; what rings
    beyond the end of the sound is cut off.

    Args:
        audio: any rate.
        room: reverberation time, and direct-to-reverberant ratio.
        seed: of the room.
    """
    times_s = np.arange(max(2, round(room.rt60_s * audio.sample_rate))) / audio.sample_rate
    response = np.random.default_rng(seed).standard_normal(len(times_s))
    response *= 10.0 ** (-3.0 * times_s / room.rt60_s)
    response[: round(_EARLIEST_REFLECTION_S * audio.sample_rate)] = 0.0
    response *= 10.0 ** (-room.direct_db / 20.0) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    response /= np.sqrt(np.sum(response**2))
    if not len(audio):
        return audio
    return _like(audio, signal.oaconvolve(audio.samples, response)[: len(audio)])


def narrowband(audio: Audio) -> Audio:
    """Resample to 8 kHz and back (soxr, without delay)."""
    return _from_narrow(audio, audio.at_rate(NARROW_RATE).samples)


def over_telephone(audio: Audio) -> Audio:
    """Pass 300 to 3400 Hz at 8 kHz through G.711 μ-law, and resample back.

    The filter is symmetric and centred, so that nothing is delayed.
    """
    if not len(audio):
        return audio
    band = signal.firwin(_BAND_TAPS, _BAND_HZ, pass_zero=False, fs=NARROW_RATE)
    narrow = audio.at_rate(NARROW_RATE).samples
    filtered = signal.oaconvolve(narrow, band, mode="full")
    first = _BAND_TAPS // 2
    return _from_narrow(audio, mu_law(filtered[first : first + len(narrow)]))


def mu_law(samples: npt.ArrayLike) -> Floats:
    """Code and decode samples in [-1, 1] with 8-bit μ-law (ITU-T G.711, table 2a); 0 stays 0."""
    steps = np.round(np.asarray(samples, dtype=np.float64) * _MU_LAW_STEPS)
    size = np.minimum(np.abs(steps), _MU_LAW_STEPS - 1) + _MU_LAW_BIAS
    segment = np.floor(np.log2(size)) - 5.0
    mantissa = np.floor(size / 2.0 ** (segment + 1.0)) - 16.0
    decoded = (2.0 * mantissa + _MU_LAW_BIAS) * 2.0**segment - _MU_LAW_BIAS
    return np.asarray(np.sign(steps) * decoded / _MU_LAW_STEPS, dtype=np.float64)


def with_losses(audio: Audio, loss: PacketLoss, seed: int) -> Audio:
    """Lose packets of 20 ms, and conceal them: `LossyLine` over a whole sound."""
    line = LossyLine(loss, seed, audio.sample_rate)
    size = line.packet_samples
    padded = np.pad(audio.samples, (0, -len(audio) % size))
    arrived = [line.packet(packet) for packet in padded.reshape(-1, size)]
    return _like(audio, np.concatenate(arrived)[: len(audio)]) if arrived else audio


class LossyLine:
    """A packet network and the receiver at its end, packet by packet and without delay.

    Losses follow a chain of two states, as in Gilbert 1960 (doi:10.1002/j.1538-7305.1960.tb03959.x)
    and Elliott 1963 (doi:10.1002/j.1538-7305.1963.tb00955.x), in one of which every packet is lost
    and in the other none. A missing packet is replaced by the last pitch period (or, where there is
    no pitch, the last packet), repeated and faded out over 60 ms, in the manner of ITU-T G.711
    Appendix I; the next packet that arrives is faded in over 5 ms.
    """

    def __init__(self, loss: PacketLoss, seed: int, sample_rate: int) -> None:
        """Open the line; a seed loses the same packets always."""
        self.packet_samples = round(PACKET_S * sample_rate)
        self._random = np.random.default_rng(seed)
        self._rate = sample_rate
        self._recovers = 1.0 / loss.burst_packets
        self._breaks = loss.rate / (loss.burst_packets * (1.0 - loss.rate))
        self._broken = self._random.random() < loss.rate
        self._heard = np.zeros(3 * self.packet_samples, dtype=np.float32)
        self._repeated = self._heard[:0]
        self._concealed = 0

    def packet(self, sent: Samples) -> Samples:
        """Return what is played for a packet of `packet_samples` samples."""
        lost = self._broken
        self._broken = self._random.random() < (1.0 - self._recovers if lost else self._breaks)
        if lost:
            if not self._concealed:
                self._repeated = self._last_period()
            played = self._more(len(sent))
        elif self._concealed:
            played = sent.copy()
            fade = round(_REJOIN_S * self._rate)
            share = np.arange(fade, dtype=np.float32) / fade
            played[:fade] = share * sent[:fade] + (1.0 - share) * self._more(fade)
            self._concealed = 0
        else:
            played = sent
        self._heard = np.concatenate((self._heard[len(played) :], played))
        return played

    def _more(self, count: int) -> Samples:
        """Go on with what is repeated, ever softer."""
        places = self._concealed + np.arange(count)
        self._concealed += count
        gain = np.clip(1.0 - places / (_CONCEALED_S * self._rate), 0.0, 1.0)
        more = self._repeated[places % len(self._repeated)] * gain
        return np.asarray(more, dtype=np.float32)

    def _last_period(self) -> Samples:
        """Cut the last pitch period out of what was heard; the last packet where there is none."""
        window = self.packet_samples
        recent = self._heard[-window:].astype(np.float64)
        lags = range(round(_PITCH_S[0] * self._rate), round(_PITCH_S[1] * self._rate) + 1)
        earlier = np.stack([self._heard[-window - lag : -lag] for lag in lags]).astype(np.float64)
        energy = np.sqrt(np.sum(earlier**2, axis=1) * np.sum(recent**2))
        likeness = earlier @ recent / np.maximum(energy, 1e-12)
        best = int(np.argmax(likeness))
        return self._heard[-(lags[best] if likeness[best] >= _PERIODIC else window) :]


def _from_narrow(audio: Audio, narrow: npt.NDArray[np.floating]) -> Audio:
    """Bring 8 kHz samples back to a sound's rate and length."""
    limited = np.clip(narrow, -1.0, 1.0).astype(np.float32)
    back = Audio(limited, NARROW_RATE).at_rate(audio.sample_rate).samples[: len(audio)]
    return _like(audio, np.pad(back, (0, len(audio) - len(back))))


def _like(audio: Audio, samples: npt.NDArray[np.floating]) -> Audio:
    """Samples inside full scale, at a sound's rate."""
    return Audio(np.clip(samples, -1.0, 1.0).astype(np.float32), audio.sample_rate)
