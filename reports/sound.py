"""The sound of a report: both channels of a conversation as one stereo file that browsers play.

The user is on the left, the system on the right, on the conversation's clock. The codec is Vorbis
in Ogg: of what libsndfile writes and browsers play, it costs a third of Opus's time and, at these
rates, no more space; lossless FLAC is three times as large.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio

MIX_RATE = 24_000
EMBED_LIMIT_BYTES = 40_000_000
"""Above this total the sounds stay beside the page as files."""
_LOSSINESS = 0.7
"""libsndfile's scale from 0 (best) to 1: about 30 kbit/s for a conversation of two."""
_BLOCK_SAMPLES = 4 * MIX_RATE


@dataclass(frozen=True, slots=True)
class Mix:
    """A stereo file of one conversation.

    Attributes:
        path: of the file.
        size_bytes: of the file.
    """

    path: Path
    size_bytes: int


def write_mix(path: Path, user: Audio, system: Audio) -> Mix:
    """Write both channels as stereo Ogg Vorbis at `MIX_RATE`, user left, atomically.

    Args:
        path: where to; its folder is made.
        user: any rate.
        system: any rate; the shorter channel is padded with silence.
    """
    import soundfile

    stereo = _stereo(user, system)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with soundfile.SoundFile(
        str(partial),
        "w",
        samplerate=MIX_RATE,
        channels=2,
        format="OGG",
        subtype="VORBIS",
        compression_level=_LOSSINESS,
    ) as file:
        # One large write overflows the stack inside libsndfile's Vorbis encoder.
        for first in range(0, len(stereo), _BLOCK_SAMPLES):
            file.write(stereo[first : first + _BLOCK_SAMPLES])
    partial.replace(path)
    return Mix(path, path.stat().st_size)


def fresh_mix(path: Path, sources: tuple[Path, ...]) -> Mix | None:
    """Return the mix that an earlier report made, unless a source is newer."""
    if not path.is_file():
        return None
    status = path.stat()
    if any(source.stat().st_mtime_ns > status.st_mtime_ns for source in sources):
        return None
    return Mix(path, status.st_size)


def embedded(mix: Mix) -> str:
    """Return the file as a ``data:`` URI."""
    content = base64.b64encode(mix.path.read_bytes()).decode("ascii")
    return f"data:audio/ogg;base64,{content}"


def linked(mix: Mix, page_folder: Path) -> str:
    """Return the file's address relative to the page's folder."""
    return quote(mix.path.relative_to(page_folder).as_posix())


def _stereo(user: Audio, system: Audio) -> npt.NDArray[np.float32]:
    left, right = user.at_rate(MIX_RATE).samples, system.at_rate(MIX_RATE).samples
    stereo = np.zeros((max(len(left), len(right)), 2), dtype=np.float32)
    stereo[: len(left), 0] = left
    stereo[: len(right), 1] = right
    return stereo
