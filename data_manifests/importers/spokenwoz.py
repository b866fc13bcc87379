"""SpokenWOZ: 5,700 phone calls to a tourist office, two channels, annotated word by word.

The caller is the user. A turn's clip is a part of the call's file on the caller's channel, which is
found by listening: the one that is louder while the caller's words are spoken. The times of the
words come from the dataset's recogniser, in ms; where speech starts and ends inside of them is
measured. The gap before a turn is the one that the caller left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from cascadence.audio import Audio, read_audio
from cascadence.clip import BadClip, file_inside
from cascadence.conversation import AfterReply, AudioRef, Conversation, UserTurn
from cascadence.data_manifests.importers.questions import (
    BadItem,
    attempt,
    identifier,
    measured_span,
    natural,
    read_json,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

MARGIN_S: Final = 0.2
"""The recogniser's times are this exact: speech is looked for so far around the words."""
LONGEST_GAP_S: Final = 10.0
_DEV_LIST: Final = "valListFile.json"

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class _Said:
    """One entry of a call's log.

    Attributes:
        text: what was said.
        start_s: of the first word, from the start of the call.
        end_s: of the last word.
    """

    text: str
    start_s: float
    end_s: float


class SpokenWoz:
    """Reads the unpacked archives of text and sound."""

    dataset = Dataset(
        title="SpokenWOZ",
        licence="CC-BY-NC-4.0 (not for commercial use)",
        citation=(
            "S. Si, W. Ma, H. Gao, Y. Wu, T.-E. Lin, Y. Dai, H. Li, R. Yan, F. Huang, Y. Li: "
            "SpokenWOZ: A Large-Scale Speech-Text Benchmark for Spoken Task-Oriented Dialogue "
            "Agents, NeurIPS 2023 Datasets and Benchmarks, arXiv 2305.13040."
        ),
        url="https://spokenwoz.github.io/SpokenWOZ-github.io/",
        layout="text_5700_*/data.json and audio_5700_*/<dialogue>.wav",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the calls in the table's order; see `cascadence.importing.Importer`."""
        tables = sorted(shelf.source.rglob("data.json"), key=natural)
        if not tables:
            raise BadDataset("no data.json", where=str(shelf.source))
        sounds = {
            path.stem: path
            for path in sorted(shelf.source.rglob("*.[wW][aA][vV]"))
            if not path.name.startswith("._")
        }
        for table in tables:
            yield from self._table(shelf, table, sounds)

    def _table(
        self, shelf: Shelf, table: Path, sounds: Mapping[str, Path]
    ) -> Iterator[Conversation | Problem]:
        file = table.relative_to(shelf.source).as_posix()
        calls = attempt(file, lambda: read_json(shelf, table))
        if not isinstance(calls, Mapping):
            yield calls if isinstance(calls, Problem) else Problem("error", file, 0, "", "no calls")
            return
        dev = _dev_names(shelf, table.with_name(_DEV_LIST))
        for name, call in calls.items():

            def make(name: str = name, call: object = call) -> Conversation:
                if name not in sounds:
                    raise BadItem("there is no sound", where=f"{name}.wav")
                is_test = "test" in table.parent.name.lower()
                split: Split = "test" if is_test else "dev" if name in dev else "train"
                return self._conversation(shelf, name, call, sounds[name], split)

            made = attempt(file, make)
            if isinstance(made, Problem):
                made = Problem("error", file, 0, name, made.what, made.mend)
            yield made

    def _conversation(
        self, shelf: Shelf, name: str, call: object, sound: Path, split: Split
    ) -> Conversation:
        log = call.get("log") if isinstance(call, Mapping) else None
        if not isinstance(log, list) or not log:
            raise BadItem("no `log`")
        said = [_said(entry) for entry in log]
        path = shelf.clip(sound)
        channels = _channels(file_inside(shelf.folder, path))
        channel = caller_channel(channels, said[::2], said[1::2])
        turns = []
        for place in range(0, len(said), 2):
            before = said[place - 1] if place else None
            turns.append(_turn(path, channel, channels[channel], said[place], before))
        return Conversation(
            id=identifier(name),
            tags=("multi_domain" if name.upper().startswith("MUL") else "single_domain",),
            licence=self.dataset.licence,
            source=self.dataset.url,
            split=split,
            turns=tuple(turns),
        )


def caller_channel(
    channels: Sequence[Audio], caller: Sequence[_Said], agent: Sequence[_Said]
) -> int:
    """Say which channel is the caller's.

    Args:
        channels: of the call.
        caller: what the caller said.
        agent: what the agent said.

    Raises:
        BadItem: the call has one channel only: what the agent says would be in the user's clips.
    """
    if len(channels) < 2:
        raise BadItem("one channel, where caller and agent have one each")
    shares = [_power(audio, caller) / max(_power(audio, agent), 1e-12) for audio in channels]
    return int(np.argmax(shares))


def _power(audio: Audio, said: Sequence[_Said]) -> float:
    pieces = [audio.span(one.start_s, one.end_s).samples for one in said]
    samples = np.concatenate(pieces) if pieces else np.zeros(1, dtype=np.float32)
    return float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0


def _channels(path: Path) -> list[Audio]:
    import soundfile

    return [read_audio(path, channel=one) for one in range(soundfile.info(str(path)).channels)]


def _said(entry: Any) -> _Said:
    text = text_of(entry, "text")
    words = entry.get("words")
    if not isinstance(words, list) or not words:
        raise BadItem(f"no words with times: {text:.40}")
    start_s = _time_s(words[0], "BeginTime")
    end_s = _time_s(words[-1], "EndTime")
    if end_s <= start_s:
        raise BadItem(f"ends before it starts: {text:.40}")
    return _Said(text, start_s, end_s)


def _time_s(word: object, key: str) -> float:
    value = word.get(key) if isinstance(word, Mapping) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 36e6:
        raise BadItem(f"no time under {key!r}")
    return value / 1000.0


def _turn(path: str, channel: int, audio: Audio, one: _Said, before: _Said | None) -> UserTurn:
    start_s = max(0.0, one.start_s - MARGIN_S)
    end_s = min(one.end_s + MARGIN_S, audio.duration_s)
    speech_s = measured_span(audio, start_s, end_s)
    gap_s = 1.0 if before is None else min(max(0.0, speech_s[0] - before.end_s), LONGEST_GAP_S)
    return UserTurn(
        text=one.text,
        audio=AudioRef(
            path=path, channel=channel, start_s=round(start_s, 4), end_s=round(end_s, 4)
        ),
        speech_s=(round(speech_s[0] - start_s, 4), round(speech_s[1] - start_s, 4)),
        when=AfterReply(gap_s=round(gap_s, 3)),
    )


def _dev_names(shelf: Shelf, path: Path) -> frozenset[str]:
    """Read the names of the development calls; the file is a list of lines, whatever its name."""
    try:
        found = file_inside(shelf.source, path.relative_to(shelf.source).as_posix())
    except BadClip:
        return frozenset()
    return frozenset(found.read_text(encoding="utf-8", errors="replace").split())
