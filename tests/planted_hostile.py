"""What tests with hostile corpora share: traps, ears for what is opened, all uses of a corpus."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cascadence.audio import Audio
from cascadence.conversation import Conversation
from cascadence.corpus import BadCorpus, Corpus, manifest_line_hash, open_corpus
from cascadence.errors import CascadenceError
from cascadence.exporting import export_named
from cascadence.manifest import Entry
from cascadence.validation import Problem, validate
from corpus_folder import conversation, tone, write_corpus

FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "50")),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# Audit hooks cannot be taken away again: this one is deaf outside these tests.
OPENED: list[str] = []
LISTENING = False


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if LISTENING and event in ("open", "os.listdir", "os.scandir"):
        path = arguments[0]
        if isinstance(path, str | bytes | os.PathLike):
            OPENED.append(os.path.realpath(os.fsdecode(path)))


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder full of secrets beside the corpus."""
    sys.addaudithook(_hear)
    folder = tmp_path_factory.mktemp("outside").resolve()
    soundfile.write(str(folder / "secret.flac"), tone().samples, 16_000)
    write_corpus(folder, [conversation(folder, "secret")])
    return folder


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory, outside: Path) -> Path:
    """A corpus with every kind of trap that a path can lead into."""
    folder = tmp_path_factory.mktemp("corpus").resolve()
    write_corpus(folder, [conversation(folder, "good", turns=2)])
    both = np.stack([tone().samples, tone(300.0).samples], axis=1)
    soundfile.write(str(folder / "audio" / "both.wav"), both, 16_000)
    (folder / "link").symlink_to(outside)
    (folder / "link.flac").symlink_to(outside / "secret.flac")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture
def ears(corpus_folder: Path, outside: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is opened meanwhile, by Python or by libsndfile, lies in the corpus."""
    global LISTENING
    start = soundfile.SoundFile.__init__

    def noted(self: Any, file: Any, *arguments: Any, **named: Any) -> None:
        OPENED.append(os.path.realpath(file))
        start(self, file, *arguments, **named)

    monkeypatch.setattr(soundfile.SoundFile, "__init__", noted)
    OPENED.clear()
    LISTENING = True
    yield
    LISTENING = False
    forbidden = (str(outside), "/etc/passwd", "/etc/hostname", "/dev/zero", "/dev/urandom")
    assert str(corpus_folder / "conversations.jsonl") in OPENED
    assert [path for path in OPENED if path.startswith(forbidden)] == []


def indexed(corpus: Corpus) -> tuple[Entry, ...]:
    """The index; nothing where there is no manifest."""
    try:
        return corpus.index()
    except BadCorpus:
        return ()


def readable(corpus: Corpus) -> Iterator[Conversation]:
    """The conversations that are valid."""
    return iter(corpus) if indexed(corpus) else iter(())


def survive(folder: Path) -> list[Problem]:
    """Do everything that is ever done with a corpus, and return its problems."""
    corpus = open_corpus(str(folder))
    for spoken in readable(corpus):
        try:
            clips = corpus.clips(spoken)
        except CascadenceError:
            continue
        assert all(isinstance(clip, Audio) for clip in clips)
    for entry in indexed(corpus):
        assert len(manifest_line_hash(corpus, entry.id)) == 64
    if indexed(corpus):
        assert corpus.select(limit=10_000) == [entry.id for entry in corpus.index()]
    problems = list(validate(corpus, audio=True))
    for problem in problems:
        assert isinstance(problem, Problem)
        assert problem.what
        assert len(str(problem)) < 4000
        assert str(problem).isprintable()
    wrong = any(problem.severity == "error" for problem in problems)
    # One an example, and for the same example always the same one.
    turn = sum(entry.length for entry in indexed(corpus))
    survive_export(folder, EXPORTERS[turn % len(EXPORTERS)], wrong)
    return problems


EXPORTERS = ("lhotse", "hf_datasets", "nemo")


def survive_export(folder: Path, kind: str, wrong: bool) -> None:
    """Export all of it or nothing; where `validate` finds no error it can be exported."""
    place = Path(tempfile.mkdtemp(dir=folder.parent))
    before = set(folder.rglob("*"))
    try:
        export_named(kind, str(folder), place / "out")
    except CascadenceError:
        assert wrong
        assert list(place.iterdir()) == []
    else:
        for path in place.rglob("*.jsonl"):
            for line in path.read_text("utf-8").splitlines():
                json.loads(line)
    finally:
        shutil.rmtree(place)
    assert set(folder.rglob("*")) == before


def full_line() -> dict[str, Any]:
    turn = {
        "text": "I said two tables",
        "audio": {"path": "audio/good.0.flac", "start_s": 0.0, "end_s": 1.3},
        "speech_s": [0.2, 1.0],
        "style": {"rate": 1.2, "emphasis": [2], "hesitations": [[0.3, 0.4]], "label": "x"},
        "when": {"kind": "after_reply", "gap_s": 1.0},
        "pauses": [{"at_s": 0.5, "duration_s": 0.1}],
        "expect": {
            "slots": {"n": ["2", "two"]},
            "answer": ["two"],
            "reply_style": {"emotion": "calm"},
            "tool_calls": [{"name": "book", "arguments": {"n": 2, "now": True, "who": "me"}}],
        },
        "speaker": "tone",
    }
    again = {**turn, "when": {"kind": "barge_in", "after_onset_s": 0.5}}
    again["audio"] = {"path": "audio/both.wav", "start_s": 0.0, "end_s": 1.3, "channel": 1}
    return {
        "id": "full",
        "licence": "CC0-1.0",
        "source": "s",
        "tags": ["a", "b"],
        "split": "dev",
        "group": "g",
        "turns": [turn, again],
    }


WORDS = ".. . link up loop audio outside0 pipe zero passwd etc secret.flac link.flac good.0.flac"
PARTS = st.sampled_from(
    [*WORDS.split(), "", "C:", "~", "\\", "\0", "\x1b[2J", "..\\..", "NUL", "a" * 300]
)
PATHS = st.lists(PARTS, min_size=1, max_size=5).map("/".join) | st.text(max_size=12)
