"""A Hugging Face audio folder: ``<split>/metadata.jsonl`` and the sound beside it.

Read it with ``datasets.load_dataset("audiofolder", data_dir="exported")``; `datasets` calls the
split ``dev`` ``validation``. Of a corpus, a row is a turn's clip; of a run, it is one channel of a
recording, with all that is said in it.

Columns are the same in every row and have one type, as Arrow wants it, whatever a manifest holds:
text that is not known is empty, and what is neither text nor number (``tags``, ``style``, ``when``,
``pauses``, ``expect`` ...) is JSON in a column of text. A row's sound is a file of its own.

Format: https://huggingface.co/docs/datasets/audio_dataset.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, Final

from cascadence.exporting import Box, Item, Utterance, WriteLine

TEXTS: Final = ("conversation", "group", "licence", "source", "instructions")
"""Columns of text of a clip, besides those of every row."""
JSON_TEXTS: Final = ("tags", "style", "when", "pauses", "backchannels_s", "expect")
"""Columns of JSON of a clip; ``null`` where the manifest says nothing."""

Row = dict[str, Any]


class HfDatasets:
    """Writes an audio folder."""

    def write(self, items: Iterator[Item], box: Box) -> None:
        """Write a folder a split, with ``metadata.jsonl`` and ``audio/``."""
        writers: dict[str, WriteLine] = {}
        with contextlib.ExitStack() as stack:
            for item in items:
                if item.split not in writers:
                    lines = box.lines(f"{item.split}/metadata.jsonl")
                    writers[item.split] = stack.enter_context(lines)
                for row in _rows(item, box):
                    writers[item.split](row)


def _rows(item: Item, box: Box) -> Iterator[Row]:
    for channel, (name, sound) in enumerate(item.sounds.items()):
        path = box.cut(sound, f"{item.split}/audio")
        said = [each for each in item.utterances if each.channel == channel]
        row: Row = {"file_name": path.removeprefix(f"{item.split}/")}
        if len(item.sounds) == 1:
            yield {**row, **_clip(said[0])}
        else:
            yield {**row, **_channel(item, name, said)}


def _clip(utterance: Utterance) -> Row:
    custom = utterance.custom
    return {
        "id": utterance.id,
        "text": utterance.text or "",
        "speaker": utterance.speaker or "",
        "language": utterance.language,
        "turn": custom["turn"],
        "speech_s": [utterance.start_s, utterance.end_s],
        **{name: custom.get(name, "") for name in TEXTS},
        **{name: _json(custom.get(name)) for name in JSON_TEXTS},
    }


def _channel(item: Item, name: str, said: list[Utterance]) -> Row:
    speakers = dict.fromkeys(each.speaker for each in said if each.speaker)
    languages = [each.language for each in item.utterances]
    return {
        "id": f"{item.id}.{name}",
        "channel": name,
        "text": " ".join(each.text for each in said if each.text),
        "speaker": ", ".join(speakers),
        "language": languages[0] if languages else "",
        **item.custom,
        "utterances": _json([_described(each) for each in said]),
    }


def _described(utterance: Utterance) -> Row:
    return {
        "id": utterance.id,
        "text": utterance.text,
        "speaker": utterance.speaker,
        "speech_s": [utterance.start_s, utterance.end_s],
        **utterance.custom,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
