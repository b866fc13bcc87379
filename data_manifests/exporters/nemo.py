"""A NeMo manifest: one line a piece of sound, with path, offset, duration and text.

Of a corpus, a line is a turn's clip; of a run, it is one utterance of one channel. Paths are
relative to the manifest, which is where NeMo looks for them. NeMo does not name a channel in a
line: one channel of several is cut out into a file of its own. ``speech_s`` counts from
``offset``; a text that nobody knows is empty.

Format: https://docs.nvidia.com/nemo-framework (ASR datasets).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cascadence.exporting import Box, Item, Sound, Utterance


class Nemo:
    """Writes ``manifest.jsonl``."""

    def write(self, items: Iterator[Item], box: Box) -> None:
        """Write the manifest, and the sound into ``audio/``."""
        with box.lines("manifest.jsonl") as write_line:
            for item in items:
                sounds = list(item.sounds.values())
                places = [_place(sound, box) for sound in sounds]
                for utterance in item.utterances:
                    path, start_s = places[utterance.channel]
                    if len(sounds) == 1:
                        span_s = (0.0, sounds[0].duration_s)
                    else:
                        span_s = (utterance.start_s, utterance.end_s)
                    write_line({**_line(utterance, path, start_s, span_s), **item.custom})


def _place(sound: Sound, box: Box) -> tuple[str, float]:
    """Return the file that a sound is in, and where it starts there, in seconds."""
    return (box.link(sound), sound.start_s) if sound.channels == 1 else (box.cut(sound), 0.0)


def _line(
    utterance: Utterance, path: str, start_s: float, span_s: tuple[float, float]
) -> dict[str, Any]:
    """Describe the part ``span_s`` of a sound that starts at ``start_s`` in its file."""
    from_s, to_s = span_s
    row = {
        "audio_filepath": path,
        "offset": round(start_s + from_s, 6),
        "duration": round(to_s - from_s, 6),
        "text": utterance.text or "",
        "lang": utterance.language,
        "speaker": utterance.speaker,
        "id": utterance.id,
        "speech_s": [round(utterance.start_s - from_s, 6), round(utterance.end_s - from_s, 6)],
        **utterance.custom,
    }
    return {name: value for name, value in row.items() if value is not None}
