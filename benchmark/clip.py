"""Finds and loads the clips that a corpus names: inside its folder, whole, and as declared."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Final

from cascadence.audio import Audio, BadAudio, check_channel, read_audio
from cascadence.conversation import AudioRef, UserTurn

LOWEST_RATE_HZ: Final = 8000
LARGEST_CLIP_SAMPLES: Final = 3600 * 48_000
"""A header may promise more than any memory holds: longer clips are not read."""
_ROUNDING_S: Final = 0.001
"""Manifests round times to milliseconds."""
_LOST_S: Final = 0.050
"""A file that ends this much before its header says is torn; a lossy codec's padding is less."""


class BadClip(BadAudio):
    """A clip that is not what its turn says.

    Attributes:
        field: of the turn, as in ``audio.sha256``.
    """

    def __init__(
        self, what: str, where: str = "", mend: str = "", field: str = "audio.path"
    ) -> None:
        """Keep the parts and the field concerned."""
        super().__init__(what, where, mend)
        self.field = field


def file_inside(folder: Path, relative: str) -> Path:
    """Find a regular file that lies in a folder even after all links are followed.

    Args:
        folder: absolute, itself resolved.
        relative: POSIX path from the folder.

    Raises:
        BadClip: it is missing, no regular file, or leads out of the folder.
    """
    try:
        path = (folder / relative).resolve()
        inside = path.is_relative_to(folder)
        # Only regular files are ever opened: a named pipe or a device would never end.
        regular = inside and path.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        raise BadClip(f"not a usable path: {error}", where=relative) from error
    if not inside:
        mend = "copy the file into the folder"
        raise BadClip("the path leads out of the corpus folder", where=relative, mend=mend)
    if not regular:
        what = "not a regular file" if path.exists() else "there is no such file"
        raise BadClip(what, where=relative)
    return path


def file_sha256(path: Path) -> str:
    """Hash a file's bytes, once a process for each state of the file.

    Raises:
        BadClip: it cannot be read.
    """
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise BadClip(f"cannot be read: {error.strerror}", where=path.name) from error


def load_clip(folder: Path, turn: UserTurn) -> Audio:
    """Load what the user says in a turn, at the file's own rate.

    Args:
        folder: the corpus's, absolute and resolved.
        turn: from the manifest.

    Raises:
        BadClip: file, hash, channels, rate, length, samples or boundaries are not what they must
            be.
    """
    reference = turn.audio
    path = file_inside(folder, reference.path)
    if reference.sha256 is not None and file_sha256(path) != reference.sha256:
        raise BadClip(
            f"the file's SHA-256 begins {file_sha256(path)[:12]}, not {reference.sha256[:12]}",
            where=reference.path,
            mend="restore the file, or write its own hash into the manifest",
            field="audio.sha256",
        )
    promised_s = _promised_s(path, reference)
    audio = _read(path, reference)
    if audio.duration_s < promised_s - _LOST_S:
        what = f"torn: {audio.duration_s:.3f} s of {promised_s:.3f} s can be read"
        raise BadClip(what, where=reference.path, mend="restore the file")
    if not len(audio):
        raise BadClip("holds no samples", where=reference.path)
    if turn.speech_s[1] > audio.duration_s + _ROUNDING_S:
        what = f"speech ends at {turn.speech_s[1]:g} s in a clip of {audio.duration_s:.3f} s"
        raise BadClip(what, where=reference.path, field="speech_s")
    return audio


def _promised_s(path: Path, reference: AudioRef) -> float:
    """Length of the part wanted, by the file's header, which must fit what the turn says."""
    import soundfile

    try:
        header = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        what = f"cannot be read as audio: {error.error_string}"
        raise BadClip(what, where=reference.path) from error
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadClip(f"cannot be read as audio: {error}", where=reference.path) from error
    try:
        check_channel(header.channels, reference.channel, reference.path)
    except BadAudio as error:
        field = "audio.path" if reference.channel is None else "audio.channel"
        raise BadClip(error.what, error.where, error.mend, field) from error
    if header.samplerate < LOWEST_RATE_HZ:
        what = f"{header.samplerate} Hz is below {LOWEST_RATE_HZ} Hz"
        raise BadClip(what, where=reference.path, mend="use a recording with a higher rate")
    whole_s = float(header.frames / header.samplerate)
    end_s = whole_s if reference.end_s is None else reference.end_s
    for field, time_s in (("audio.start_s", reference.start_s), ("audio.end_s", end_s)):
        if time_s > whole_s + _ROUNDING_S:
            what = f"{time_s:g} s is behind the end of a file of {whole_s:.3f} s"
            raise BadClip(what, where=reference.path, field=field)
    if header.frames and end_s <= reference.start_s:
        raise BadClip("end_s must come after start_s", where=reference.path, field="audio.end_s")
    if (end_s - reference.start_s) * header.samplerate > LARGEST_CLIP_SAMPLES:
        what = f"a clip of {end_s - reference.start_s:.0f} s is more than is ever read at once"
        raise BadClip(what, where=reference.path, mend="cut it with start_s and end_s")
    return min(end_s, whole_s) - reference.start_s


def _read(path: Path, reference: AudioRef) -> Audio:
    try:
        return read_audio(path, reference.start_s, reference.end_s, reference.channel)
    except BadAudio as error:
        raise BadClip(error.what, where=reference.path, mend=error.mend) from error
    except (RuntimeError, TypeError, ValueError, MemoryError) as error:
        raise BadClip(f"cannot be read as audio: {error}", where=reference.path) from error


@functools.lru_cache(maxsize=1 << 18)
def _sha256(path: Path, size_bytes: int, modified_ns: int) -> str:
    # Size and time are part of the key, so that a file that changes is hashed again.
    del size_bytes, modified_ns
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
