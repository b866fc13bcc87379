"""Hostile corpora: nothing but problems comes out, and nothing outside the folder is opened."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascadence.audio import Audio
from cascadence.corpus import Corpus, manifest_line_hash
from cascadence.errors import CascadenceError
from cascadence.validation import Problem, validate
from corpus_folder import conversation, encode, tone, write_corpus

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


def survive(folder: Path) -> list[Problem]:
    """Do everything that is ever done with a corpus, and return its problems."""
    corpus = Corpus(folder)
    for spoken in corpus:
        try:
            clips = corpus.clips(spoken)
        except CascadenceError:
            continue
        assert all(isinstance(clip, Audio) for clip in clips)
    for entry in corpus.index():
        assert len(manifest_line_hash(corpus, entry.id)) == 64
    if corpus.index():
        assert corpus.select(limit=10_000) == [entry.id for entry in corpus.index()]
    problems = list(validate(corpus, audio=True))
    for problem in problems:
        assert isinstance(problem, Problem)
        assert problem.what
        assert len(str(problem)) < 4000
        assert str(problem).isprintable()
    return problems


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**18, -(10**25), 10**400, 2**63, -1, 36_001]),
    st.floats(),
    st.sampled_from([1e308, -1e-320, float("nan"), float("inf")]),
    st.text(max_size=20),
    st.sampled_from(["", " ", "\0", "\ud800", "x" * 100_000, "\u202e", "-", "barge_in"]),
)
KEYS = st.text(max_size=8) | st.sampled_from(["\ud800", "\x1b[2J", "\n", "id", "x" * 10_000])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in steps:
        found.append((*way, key))
        if isinstance(inner, dict | list):
            found += places(inner, (*way, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, line: dict[str, Any]) -> bytes:
    """A valid line with up to three places replaced, deleted or added to."""
    line = copy.deepcopy(line)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(line) or [("id",)]))
        holder: Any = line
        for step in way:
            holder = holder[step]
        what = draw(st.sampled_from(["replace", "delete", "add"]))
        if what == "delete" and (isinstance(holder, list) or last in holder):
            del holder[last]
        elif what == "add" and isinstance(holder, dict):
            holder[draw(KEYS)] = draw(VALUES)
        elif isinstance(holder, dict) or last < len(holder):
            holder[last] = draw(VALUES)
    raw = encode(line)
    return raw if draw(st.booleans()) else raw[: draw(st.integers(0, len(raw)))] + b"\n"


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
    return {
        "id": "full",
        "licence": "CC0-1.0",
        "source": "s",
        "tags": ["a", "b"],
        "split": "dev",
        "group": "g",
        "turns": [turn, again],
    }


def test_the_full_line_is_valid_before_it_is_mutated(corpus_folder: Path) -> None:
    write_corpus(corpus_folder, [full_line()])
    assert [p for p in survive(corpus_folder) if p.severity == "error"] == []


@FUZZ
@given(lines=st.lists(mutated(full_line()), min_size=1, max_size=4))
@pytest.mark.usefixtures("ears")
def test_mutated_lines_end_as_problems_or_conversations(
    corpus_folder: Path, lines: list[bytes]
) -> None:
    write_corpus(corpus_folder, [*lines, {**full_line(), "id": "after"}])
    survive(corpus_folder)
    assert "after" in {entry.id for entry in Corpus(corpus_folder).index()}


@FUZZ
@given(raw=st.binary(max_size=300), info=st.binary(max_size=100))
@pytest.mark.usefixtures("ears")
def test_any_bytes_end_as_problems(corpus_folder: Path, raw: bytes, info: bytes) -> None:
    write_corpus(corpus_folder, [raw])
    (corpus_folder / "corpus.toml").write_bytes(info)
    assert any(problem.severity == "error" for problem in survive(corpus_folder))


WORDS = ".. . link up loop audio outside0 pipe zero passwd etc secret.flac link.flac good.0.flac"
PARTS = st.sampled_from(
    [*WORDS.split(), "", "C:", "~", "\\", "\0", "\x1b[2J", "..\\..", "NUL", "a" * 300]
)
PATHS = st.lists(PARTS, min_size=1, max_size=5).map("/".join) | st.text(max_size=12)


@FUZZ
@given(path=PATHS, head=st.sampled_from(["", "/", "audio/", "link/", "up/", "file:///"]))
@pytest.mark.usefixtures("ears")
def test_no_path_leads_out_of_the_folder(corpus_folder: Path, path: str, head: str) -> None:
    line = full_line()
    line["turns"][0]["audio"]["path"] = head + path
    write_corpus(corpus_folder, [line, {**full_line(), "id": "after"}])
    problems = survive(corpus_folder)
    good = os.path.normpath(head + path) == "audio/good.0.flac"
    assert good != any(p.line == 1 and p.severity == "error" for p in problems)
    assert not any(p.line == 2 and p.severity == "error" for p in problems)


@pytest.mark.usefixtures("ears")
@pytest.mark.parametrize("path", ["link.flac", "link/secret.flac", "up/{}/secret.flac"])
def test_known_ways_out_are_closed(corpus_folder: Path, outside: Path, path: str) -> None:
    line = full_line()
    line["turns"][1]["audio"] = {"path": path.format(outside.name)}
    write_corpus(corpus_folder, [line])
    errors = [p for p in survive(corpus_folder) if p.severity == "error"]
    assert [(p.line, p.field) for p in errors] == [(1, "turns.1.audio.path")]
    assert "leads out of the corpus folder" in errors[0].what


@FUZZ
@given(data=st.data(), name=st.sampled_from(["FLAC", "WAV", "OGG", "AIFF", "AU"]))
@pytest.mark.usefixtures("ears")
def test_garbled_files_end_as_problems_or_sound(
    corpus_folder: Path, data: st.DataObject, name: str
) -> None:
    path = corpus_folder / "audio" / "garbled"
    subtype = "OPUS" if name == "OGG" else None
    soundfile.write(str(path), tone().samples, 16_000, format=name, subtype=subtype)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        # Headers are where a lie does harm.
        place = data.draw(st.integers(0, 80) | st.integers(0, len(raw) - 1))
        raw[min(place, len(raw) - 1)] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.just(len(raw)) | st.integers(0, len(raw)))])
    line = full_line()
    line["turns"][0]["audio"] = {"path": "audio/garbled"}
    write_corpus(corpus_folder, [line])
    survive(corpus_folder)
