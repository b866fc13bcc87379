"""ESD: 350 sentences, said by ten speakers of English and ten of Mandarin in five emotions.

The words stand in a table a speaker, in whatever encoding it was saved: UTF-8, UTF-16, GB 18030 or
Windows-1252. The dataset's own splits are kept; they share voices, not sentences.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cascadence.clip import BadClip, file_inside
from cascadence.conversation import Conversation
from cascadence.data_manifests.importers.acted import Take, contrast_sets, sounds_in
from cascadence.importing import Dataset, Shelf
from cascadence.manifest import Problem

SENTENCES: Final = 350
"""Utterances are numbered through the emotions: 1 and 351 are the same sentence."""
EMOTIONS: Final = {
    "neutral": "neutral",
    "angry": "angry",
    "happy": "happy",
    "sad": "sad",
    "surprise": "surprised",
    "中立": "neutral",
    "生气": "angry",
    "快乐": "happy",
    "伤心": "sad",
    "惊喜": "surprised",
}
"""By the name of the folder, and by the last column of a table."""
Split = Literal["train", "dev", "test"]
SPLITS: Final[Mapping[str, Split]] = {
    "train": "train",
    "evaluation": "dev",
    "test": "test",
}
_NAME: Final = re.compile(r"(\d{4})_(\d{6})")
"""Speaker and utterance, as in ``0011_000351``."""
_LAST_MANDARIN: Final = 10


@dataclass(frozen=True, slots=True)
class _Said:
    """A row of a speaker's table."""

    text: str
    emotion: str | None


class Esd:
    """Reads the unpacked archive, with or without its folder ``Emotion Speech Dataset``."""

    dataset = Dataset(
        title="ESD: Emotional Speech Dataset",
        licence="for research only, after signing its licence",
        citation=(
            "K. Zhou, B. Sisman, R. Liu, H. Li: Emotional Voice Conversion: Theory, Databases and "
            "ESD, Speech Communication 137, 2022, pp. 1-18, arXiv 2105.14762. K. Zhou, B. Sisman, "
            "R. Liu, H. Li: Seen and Unseen Emotional Style Transfer for Voice Conversion with a "
            "New Emotional Speech Dataset, ICASSP 2021, pp. 920-924, arXiv 2010.14794."
        ),
        url="https://github.com/HLTSingapore/Emotional-Speech-Data",
        layout="<speaker>/<speaker>.txt and <speaker>/<Emotion>/[<split>/]<speaker>_<number>.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the takes, speaker by speaker; see `cascadence.importing.Importer`."""
        yield from contrast_sets(shelf, self.dataset, self._takes(shelf))

    def _takes(self, shelf: Shelf) -> Iterator[Take | Problem]:
        tables: dict[Path, Mapping[str, _Said]] = {}
        for path in sounds_in(shelf, "."):
            file = path.relative_to(shelf.source).as_posix()
            name = _NAME.fullmatch(path.stem)
            if name is None:
                yield Problem("warning", file, 0, "", "not a name that ESD uses: left out")
                continue
            speaker, number = name.groups()
            folder = _folder(shelf, path, speaker)
            if folder not in tables:
                table = _table(shelf, folder, speaker)
                if isinstance(table, Problem):
                    yield table
                tables[folder] = {} if isinstance(table, Problem) else table
            yield _take(path, file, speaker, int(number), tables[folder].get(path.stem))


def _take(path: Path, file: str, speaker: str, number: int, said: _Said | None) -> Take | Problem:
    if said is None:
        return Problem("error", file, 0, "", "its words are not in the speaker's table")
    folders = [part.lower() for part in Path(file).parts[:-1]]
    emotion = next((EMOTIONS[part] for part in folders if part in EMOTIONS), said.emotion)
    if emotion is None:
        return Problem("error", file, 0, "", "neither its folder nor the table tells the emotion")
    split: Split = next((SPLITS[part] for part in reversed(folders) if part in SPLITS), "test")
    return Take(
        name=f"esd-{path.stem}",
        path=path,
        speaker=f"esd-{speaker}",
        sentence=f"{(number - 1) % SENTENCES + 1:03d}",
        text=said.text,
        emotion=emotion,
        rank=(number,),
        split=split,
        language="zh" if int(speaker) <= _LAST_MANDARIN else "en",
    )


def _folder(shelf: Shelf, path: Path, speaker: str) -> Path:
    """Return the speaker's folder, or the dataset's where the speaker has none."""
    return next((parent for parent in path.parents if parent.name == speaker), shelf.source)


def _table(shelf: Shelf, folder: Path, speaker: str) -> Mapping[str, _Said] | Problem:
    """Read a speaker's table: a line an utterance with its name, its words and its emotion."""
    file = f"{folder.relative_to(shelf.source).as_posix()}/{speaker}.txt".removeprefix("./")
    try:
        data = file_inside(shelf.source, file).read_bytes()
    except (BadClip, OSError) as error:
        return Problem("error", file, 0, "", f"cannot be read: {error}")
    rows = {}
    for line in _text(data, int(speaker) <= _LAST_MANDARIN).splitlines():
        utterance, *rest = line.split(None, 1)[:2] or [""]
        words = rest[0].strip() if rest else ""
        text, _, last = words.rpartition("\t") if "\t" in words else words.rpartition(" ")
        emotion = EMOTIONS.get(last.strip().lower())
        text = text.strip() if emotion else words
        if text and _NAME.fullmatch(utterance):
            rows[utterance] = _Said(text, emotion)
    return rows


def _text(data: bytes, is_mandarin: bool) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030" if is_mandarin else "cp1252", "replace")
