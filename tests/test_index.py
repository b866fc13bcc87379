"""A sweep over a few conversations of a large manifest parses and opens only those."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import cascadence.clip
import cascadence.corpus
from cascadence.audio import Audio
from cascadence.conversation import Conversation
from cascadence.corpus import Corpus
from cascadence.planning import plan
from cascadence.progress import TerminalProgress
from cascadence.run_directory import RunDirectory
from cascadence.runner import run_sweep
from cascadence.sweep import Sweep
from corpus_folder import conversation, encode, write_corpus

COUNT = 2000
ASKED = ["c17", "c170", "c1700"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Conversations of one turn, of which only the clips of those asked for exist."""
    model = encode(conversation(tmp_path, "model"))
    lines = [model.replace(b'"id": "model"', b'"id": "c%d"' % i) for i in range(COUNT)]
    for i, line in enumerate(lines):
        lines[i] = line.replace(b"audio/model.0", b"audio/c%d.0" % i)
    for name in ASKED:
        clip = tmp_path / "audio" / f"{name}.0.flac"
        clip.write_bytes((tmp_path / "audio" / "model.0.flac").read_bytes())
    return write_corpus(tmp_path, lines)


def test_a_sweep_over_three_of_two_thousand_touches_only_those(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: Counter[str] = Counter()
    validated: Counter[str] = Counter()
    opened: Counter[str] = Counter()
    parse, check, read = (
        cascadence.corpus.parse_line,
        Conversation.model_validate,
        cascadence.clip.read_audio,
    )

    def parse_line(raw: bytes, line: int) -> dict[str, Any]:
        data = parse(raw, line)
        parsed[data["id"]] += 1
        return data

    def model_validate(data: dict[str, Any]) -> Conversation:
        validated[data["id"]] += 1
        return check(data)

    def read_audio(path: Path, *span: Any) -> Audio:
        opened[path.name] += 1
        return read(path, *span)

    monkeypatch.setattr(cascadence.corpus, "parse_line", parse_line)
    monkeypatch.setattr(Conversation, "model_validate", model_validate)
    monkeypatch.setattr(cascadence.clip, "read_audio", read_audio)
    sweep = Sweep.model_validate(
        {
            "name": "three",
            "corpora": [{"corpus": str(folder), "ids": ASKED}],
            "systems": ["silent"],
            "user": {"patience_s": 0.1, "tail_s": 0.1},
        }
    )
    plans = plan(sweep, folder)
    with RunDirectory(folder / "run") as directory, TerminalProgress() as progress:
        outcome = run_sweep(sweep, plans, directory, progress)
    assert outcome.failed == 0
    assert len(plans[0].corpus.index()) == COUNT
    # Once for the fingerprint, once to be played.
    assert parsed == validated == dict.fromkeys(ASKED, 2)
    assert opened == {f"{name}.0.flac": 1 for name in ASKED}


def test_choosing_ten_of_a_large_manifest_parses_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus(folder)
    assert len(corpus.index()) == COUNT

    def refuse(*_: object) -> None:
        raise AssertionError("a conversation was parsed to choose one")

    monkeypatch.setattr(cascadence.corpus, "parse_line", refuse)
    assert len(corpus.select(limit=10)) == 10
