"""Lhotse manifests: recordings, supervisions and cuts, as gzipped JSON lines.

Paths are relative to the folder, which Lhotse is told when it reads them::

    folder = Path("exported")
    cuts = CutSet.from_file(folder / "cuts.jsonl.gz").with_recording_path_prefix(folder)

A corpus: one recording a file, one `MonoCut` a turn, on the turn's channel. A run: one recording a
conversation, channel 0 the user and channel 1 the system, and one `MultiCut` over both. Lhotse
wants one rate and one length for all channels: where they differ, the channel with the lower rate
is resampled to the other's, and the shorter filled with silence.

Format: https://lhotse.readthedocs.io (Żelasko et al., arXiv 2110.12561).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from cascadence.audio import Audio
from cascadence.exporting import Box, Item, Sound, Utterance

Row = dict[str, Any]


class Lhotse:
    """Writes ``recordings.jsonl.gz``, ``supervisions.jsonl.gz`` and ``cuts.jsonl.gz``."""

    def write(self, items: Iterator[Item], box: Box) -> None:
        """Write the three manifests, and the sound into ``audio/``."""
        known: set[str] = set()
        with (
            box.lines("recordings.jsonl.gz") as write_recording,
            box.lines("supervisions.jsonl.gz") as write_supervision,
            box.lines("cuts.jsonl.gz") as write_cut,
        ):
            for item in items:
                clip = next(iter(item.sounds.values())) if len(item.sounds) == 1 else None
                recording = _file(clip, box) if clip else _channels(item, box)
                if recording["id"] not in known:
                    known.add(recording["id"])
                    write_recording(recording)
                start_s = clip.start_s if clip else 0.0
                for utterance in item.utterances:
                    write_supervision(_supervision(utterance, recording, clip, start_s))
                write_cut(_cut(item, recording, clip))


def _file(sound: Sound, box: Box) -> Row:
    path = box.link(sound)
    sources = [{"type": "file", "channels": list(range(sound.channels)), "source": path}]
    return _recording(PurePosixPath(path).stem, sources, sound.sample_rate, sound.frames)


def _channels(item: Item, box: Box) -> Row:
    sounds = list(item.sounds.values())
    rate = max(sound.sample_rate for sound in sounds)
    frames = max(round(sound.frames * rate / sound.sample_rate) for sound in sounds)
    sources = []
    for channel, sound in enumerate(sounds):
        fits = (sound.sample_rate, sound.frames) == (rate, frames)
        path = box.link(sound) if fits else box.store(_fitted(sound, rate, frames), sound.stem)
        sources.append({"type": "file", "channels": [channel], "source": path})
    return _recording(item.id, sources, rate, frames)


def _fitted(sound: Sound, rate: int, frames: int) -> Audio:
    samples = sound.read().at_rate(rate).samples[:frames]
    return Audio(np.pad(samples, (0, frames - len(samples))), rate)


def _recording(name: str, sources: list[Row], rate: int, frames: int) -> Row:
    return {
        "id": name,
        "sources": sources,
        "sampling_rate": rate,
        "num_samples": frames,
        "duration": frames / rate,
        "channel_ids": [channel for source in sources for channel in source["channels"]],
    }


def _supervision(utterance: Utterance, recording: Row, clip: Sound | None, start_s: float) -> Row:
    row = {
        "id": utterance.id,
        "recording_id": recording["id"],
        "start": round(start_s + utterance.start_s, 6),
        "duration": round(utterance.end_s - utterance.start_s, 6),
        "channel": clip.channel if clip else utterance.channel,
        "text": utterance.text,
        "language": utterance.language,
        "speaker": utterance.speaker,
        "custom": {"speech_s": [utterance.start_s, utterance.end_s], **utterance.custom},
    }
    return {name: value for name, value in row.items() if value is not None}


def _cut(item: Item, recording: Row, clip: Sound | None) -> Row:
    """Times of the supervisions inside a cut count from the cut's start."""
    return {
        "id": item.id,
        "start": round(clip.start_s, 6) if clip else 0.0,
        "duration": round(clip.duration_s, 6) if clip else recording["duration"],
        "channel": clip.channel if clip else recording["channel_ids"],
        "supervisions": [_supervision(each, recording, clip, 0.0) for each in item.utterances],
        "recording": recording,
        "custom": {"split": item.split, **item.custom},
        "type": "MonoCut" if clip else "MultiCut",
    }
