"""Sound as a value, and the one definition of *audible* that everything shares.

Conventions: samples are float32 in [-1, 1], mono, shape ``(n,)``; times are seconds from the first
sample; a span is ``(start_s, end_s)``, end exclusive. Levels are dB relative to full scale (RMS; a
square wave at 1.0 has 0 dBFS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cascadence.errors import CascadenceError

Samples = npt.NDArray[np.float32]

AUDIBLE_DBFS = -50.0
"""A 10 ms frame at or above this RMS level counts as audible."""
ACTIVITY_FRAME_S = 0.010
MINIMUM_RUN_S = 0.030
"""Shorter bursts are clicks, not speech: the system's onset is its first audible run of at least
this length."""


class BadAudio(CascadenceError):
    """Samples that nobody should play: NaN, out of range, wrong shape, unreadable file."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Mono sound.

    Attributes:
        samples: float32, shape ``(n,)``, in [-1, 1].
        sample_rate: in Hz.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        """Refuse what is not mono float32; the values themselves are checked by `check`."""
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise BadAudio(
                "audio must be float32 of shape (n,), "
                f"not {self.samples.dtype} of shape {self.samples.shape}"
            )
        if self.sample_rate <= 0:
            raise BadAudio(f"sample rate must be positive, not {self.sample_rate}")

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.samples)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def span(self, start_s: float, end_s: float) -> Audio:
        """Cut out ``[start_s, end_s)``; what lies outside the sound is left out."""
        first = max(0, round(start_s * self.sample_rate))
        last = max(first, round(end_s * self.sample_rate))
        return Audio(self.samples[first:last], self.sample_rate)

    def at_rate(self, sample_rate: int) -> Audio:
        """Resample to ``sample_rate`` Hz (soxr); returns itself where nothing changes."""
        if sample_rate == self.sample_rate:
            return self
        import soxr

        resampled = soxr.resample(self.samples, self.sample_rate, sample_rate)
        return Audio(np.clip(resampled, -1.0, 1.0).astype(np.float32), sample_rate)

    def check(self, where: str = "audio") -> Audio:
        """Return itself, or raise `BadAudio` for NaN, infinity or values outside [-1, 1]."""
        if len(self.samples) and not np.isfinite(self.samples).all():
            raise BadAudio("samples are not finite (NaN or infinity)", where=where)
        peak = float(np.abs(self.samples).max(initial=0.0))
        if peak > 1.0:
            raise BadAudio(
                f"samples reach {peak:.3g}, outside [-1, 1]",
                where=where,
                mend="scale the output, e.g. divide int16 samples by 32768",
            )
        return self

    def sha256(self) -> str:
        """Hash of rate and samples, the same on every platform."""
        digest = hashlib.sha256(self.sample_rate.to_bytes(4, "little"))
        digest.update(np.ascontiguousarray(self.samples, dtype="<f4").tobytes())
        return digest.hexdigest()


def silence(duration_s: float, sample_rate: int) -> Audio:
    """Digital silence of ``duration_s`` seconds."""
    return Audio(np.zeros(round(duration_s * sample_rate), dtype=np.float32), sample_rate)


def concatenate(parts: Iterable[Audio], sample_rate: int) -> Audio:
    """Join sounds of one rate end to end; no parts give an empty sound at ``sample_rate`` Hz.

    Raises:
        BadAudio: a part has another rate.
    """
    pieces = list(parts)
    for piece in pieces:
        if piece.sample_rate != sample_rate:
            raise BadAudio(f"cannot join {piece.sample_rate} Hz to {sample_rate} Hz")
    if not pieces:
        return silence(0.0, sample_rate)
    return Audio(np.concatenate([piece.samples for piece in pieces]), sample_rate)


def read_audio(
    path: Path, start_s: float = 0.0, end_s: float | None = None, channel: int | None = None
) -> Audio:
    """Read a sound file, or the part ``[start_s, end_s)`` of it.

    Args:
        path: of the file.
        start_s: where the part begins.
        end_s: where it ends; by default with the file.
        channel: which one of several, from 0; a file with one channel needs none.

    Raises:
        BadAudio: the file is missing, unreadable, has several channels and none was chosen, or
            holds values nobody should play.
    """
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            check_channel(file.channels, channel, str(path))
            first = round(start_s * file.samplerate)
            file.seek(min(first, file.frames))
            count = -1 if end_s is None else max(0, round(end_s * file.samplerate) - first)
            samples = file.read(count, dtype="float32", always_2d=True)[:, channel or 0]
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadAudio(f"cannot be read as audio: {error}", where=str(path)) from error
    # Lossy codecs overshoot by a hair on decoding; that is not a defect of the corpus.
    overshoot = np.clip(samples, -1.0, 1.0)
    if np.abs(samples - overshoot).max(initial=0.0) < 0.05:
        samples = overshoot
    return Audio(samples.astype(np.float32), rate).check(str(path))


def check_channel(channels: int, channel: int | None, where: str) -> None:
    """Refuse a channel that a file does not have, and a file with several where none is chosen.

    Raises:
        BadAudio: see above.
    """
    if channel is None and channels != 1:
        mend = "choose one with audio.channel, or make it mono"
        raise BadAudio(f"{channels} channels where one is expected", where, mend)
    if channel is not None and channel >= channels:
        raise BadAudio(f"no channel {channel} in a file with {channels} (from 0)", where)


def write_audio(path: Path, audio: Audio) -> None:
    """Write 16-bit FLAC, atomically: the file is whole or absent."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    soundfile.write(str(partial), audio.samples, audio.sample_rate, format="FLAC", subtype="PCM_16")
    partial.replace(path)


def frame_levels_dbfs(audio: Audio) -> npt.NDArray[np.float64]:
    """Return the RMS level of each 10 ms frame, shape ``(frames,)``, in dBFS.

    Silence is -inf; the last frame is filled up with zeros.
    """
    frame = max(1, round(ACTIVITY_FRAME_S * audio.sample_rate))
    count = -(-len(audio) // frame)
    padded = np.zeros(count * frame, dtype=np.float64)
    padded[: len(audio)] = audio.samples
    power = np.mean(padded.reshape(count, frame) ** 2, axis=1)
    with np.errstate(divide="ignore"):
        levels: npt.NDArray[np.float64] = 10.0 * np.log10(power)
    return levels


def audible_runs(
    audio: Audio, bridge_s: float = 0.0, threshold_dbfs: float = AUDIBLE_DBFS
) -> tuple[tuple[float, float], ...]:
    """Spans of audible signal, at least `MINIMUM_RUN_S` long, in seconds.

    Args:
        audio: the sound.
        bridge_s: silent gaps up to this long do not end a run.
        threshold_dbfs: frames at or above this level are audible.

    Returns:
        ``((start_s, end_s), ...)`` on the 10 ms grid, in order.
    """
    active = frame_levels_dbfs(audio) >= threshold_dbfs
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    least = round(MINIMUM_RUN_S / ACTIVITY_FRAME_S)
    runs = [(a, b) for a, b in runs if b - a >= least]
    gap = round(bridge_s / ACTIVITY_FRAME_S)
    merged: list[tuple[int, int]] = []
    for a, b in runs:
        if merged and a - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    step = max(1, round(ACTIVITY_FRAME_S * audio.sample_rate)) / audio.sample_rate
    return tuple((a * step, min(b * step, audio.duration_s)) for a, b in merged)
