"""Writes small corpora for tests: a planted tone burst for each turn, with true boundaries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cascadence.audio import Audio, write_audio

INFO = """\
title = "Planted"
licence = "CC0-1.0"
source = "made by a test"

[voices.tone]
licence = "CC0-1.0"
"""
SPEECH_S = (0.2, 1.0)
CLIP_S = 1.3


def tone(
    pitch_hz: float = 200.0,
    level: float = 0.2,
    sample_rate: int = 16_000,
    speech_s: tuple[float, float] = SPEECH_S,
    duration_s: float = CLIP_S,
) -> Audio:
    """A tone of amplitude ``level`` in ``speech_s``, and silence around it."""
    times = np.arange(round(duration_s * sample_rate)) / sample_rate
    inside = (times >= speech_s[0]) & (times < speech_s[1])
    samples = level * np.sin(2 * np.pi * pitch_hz * times) * inside
    return Audio(samples.astype(np.float32), sample_rate)


def conversation(folder: Path, name: str, turns: int = 1, **changes: Any) -> dict[str, Any]:
    """Write the clips of a valid conversation, and return its line as a mapping."""
    spoken = []
    for position in range(turns):
        path = folder / "audio" / f"{name}.{position}.flac"
        seed = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:2], "big")
        write_audio(path, tone(200.0 + seed / 100.0))
        spoken.append(
            {
                "text": f"please play number {seed}",
                "audio": {
                    "path": f"audio/{path.name}",
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                },
                "speech_s": list(SPEECH_S),
                "speaker": "tone",
                "expect": {"slots": {"number": [str(seed)]}},
            }
        )
    line = {"id": name, "licence": "CC0-1.0", "source": "made by a test", "turns": spoken}
    return {**line, **changes}


def encode(line: Any) -> bytes:
    """One line of a manifest."""
    return json.dumps(line).encode() + b"\n"


def write_corpus(folder: Path, lines: Sequence[Any], info: str = INFO) -> Path:
    """Write ``corpus.toml`` and the manifest; a line may be bytes, to plant what JSON never is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus.toml").write_text(info, encoding="utf-8")
    raw = b"".join(line if isinstance(line, bytes) else encode(line) for line in lines)
    (folder / "conversations.jsonl").write_bytes(raw)
    return folder
