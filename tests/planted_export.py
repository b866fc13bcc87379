"""A corpus with every way in which a turn can lie in a file, and readers for what came of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from cascadence.audio import audible_runs, read_audio, write_audio
from corpus_folder import INFO, tone, write_corpus

Row = dict[str, Any]
EXPECT = {"slots": {"number": ["two", "2"]}, "excludes": ["three"]}
STYLE = {"rate": 1.2, "emphasis": [2], "label": "fast"}
CALL_RATE = 8000
SPEECH_S = {
    "single.0": (0.2, 1.0),
    "call.0": (0.3, 1.3),
    "call.1": (0.4, 1.4),
    "part.0": (0.25, 1.0),
    "lossy.0": (0.2, 1.0),
}
"""Of each turn, inside its clip."""


def plant(folder: Path) -> Path:
    """Write the corpus: a whole file, two channels of one file, a part, and Ogg Opus."""
    write_audio(folder / "audio" / "single.flac", tone())
    left = tone(300.0, speech_s=(0.5, 1.5), duration_s=4.0, sample_rate=CALL_RATE)
    right = tone(500.0, speech_s=(2.1, 3.1), duration_s=4.0, sample_rate=CALL_RATE)
    both = np.stack([left.samples, right.samples], axis=1)
    (folder / "calls").mkdir()
    soundfile.write(str(folder / "calls" / "call.wav"), both, CALL_RATE)
    write_audio(folder / "long.flac", tone(speech_s=(1.25, 2.0), duration_s=3.0))
    lossy = str(folder / "audio" / "lossy.opus")
    soundfile.write(lossy, tone().samples, 16_000, format="OGG", subtype="OPUS")
    return write_corpus(folder, lines(), INFO + '\n[voices.bell]\nlicence = "CC-BY-4.0"\n')


def lines() -> list[Row]:
    """Its manifest."""
    single = turn("single.0", "I said two", {"path": "audio/single.flac"})
    single |= {"style": STYLE, "expect": EXPECT, "pauses": [{"at_s": 0.5, "duration_s": 0.1}]}
    call = [
        turn("call.0", "book a table", {"path": "calls/call.wav", "channel": 0}, 0.2, 1.8),
        turn("call.1", "für drei", {"path": "calls/call.wav", "channel": 1}, 1.7, 3.5),
    ]
    call[1] |= {"speaker": "bell", "when": {"kind": "barge_in", "after_onset_s": 0.5}}
    part = turn("part.0", "stop", {"path": "long.flac"}, 1.0, 2.3)
    lossy = turn("lossy.0", "go on", {"path": "audio/lossy.opus"})
    del lossy["speaker"]
    return [
        talk("single", [single], split="train", tags=["timer", "one"], group="set"),
        talk("call", call, language="de", instructions="be brief"),
        talk("part", [part], split="dev"),
        talk("lossy", [lossy], split="dev", group="set"),
    ]


def turn(name: str, text: str, audio: Row, start_s: float = 0.0, end_s: float | None = None) -> Row:
    """One turn of the manifest."""
    part = {} if end_s is None else {"start_s": start_s, "end_s": end_s}
    speech_s = list(SPEECH_S[name])
    return {"text": text, "audio": {**audio, **part}, "speech_s": speech_s, "speaker": "tone"}


def talk(name: str, turns: list[Row], **more: Any) -> Row:
    """One line of the manifest."""
    return {"id": name, "licence": "CC0-1.0", "source": "a test", "turns": turns, **more}


def rows(path: Path) -> list[Row]:
    """Read JSON lines, compressed or not."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.decode("utf-8").splitlines()]


def heard_s(
    path: Path, start_s: float = 0.0, end_s: float | None = None, channel: int | None = None
) -> tuple[float, float]:
    """When sound starts and ends in a part of a file, from the part's start, to 10 ms."""
    runs = audible_runs(read_audio(path, start_s, end_s, channel), bridge_s=0.3)
    return runs[0][0], runs[-1][1]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
