"""Hostile corpora: nothing but problems comes out, and nothing outside the folder is opened.

More examples: ``FUZZ_EXAMPLES=5000 python -m pytest tests/test_corpus_fuzz.py``.
"""

from __future__ import annotations

import copy
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascadence.audio import Audio
from cascadence.conversation import Conversation
from cascadence.corpus import BadCorpus, Corpus, manifest_line_hash, open_corpus
from cascadence.errors import CascadenceError
from cascadence.exporting import export_named
from cascadence.manifest import Entry
from cascadence.validation import Problem, validate
from corpus_folder import INFO, conversation, encode, tone, write_corpus

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
@given(
    data=st.data(),
    name=st.sampled_from(["FLAC", "WAV", "OGG", "AIFF", "AU", "W64", "CAF", "MP3"]),
    channels=st.integers(1, 2),
    channel=st.sampled_from([None, 0, 1, 63]),
)
@pytest.mark.usefixtures("ears")
def test_garbled_files_end_as_problems_or_sound(
    corpus_folder: Path, data: st.DataObject, name: str, channels: int, channel: int | None
) -> None:
    path = corpus_folder / "audio" / "garbled"
    subtype = "OPUS" if name == "OGG" else None
    sound = np.stack([tone().samples] * channels, axis=1)
    soundfile.write(str(path), sound, 16_000, format=name, subtype=subtype)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        # Headers are where a lie does harm.
        place = data.draw(st.integers(0, 80) | st.integers(0, len(raw) - 1))
        raw[min(place, len(raw) - 1)] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.just(len(raw)) | st.integers(0, len(raw)))])
    line = full_line()
    line["turns"][0]["audio"] = {"path": "audio/garbled", "channel": channel}
    write_corpus(corpus_folder, [line])
    survive(corpus_folder)


@FUZZ
@given(
    channel=st.one_of(st.integers(-1, 64), st.floats(), st.booleans(), st.text(max_size=3)),
    path=st.sampled_from(["audio/both.wav", "audio/good.0.flac"]),
    start_s=st.floats(0, 36_000) | st.sampled_from([0, 1e-9, 1.2999999, 1.3, 36_000]),
    end_s=st.floats(0, 36_000) | st.sampled_from([None, 0, 1e-9, 1.3, 1.3009, 36_000]),
)
@pytest.mark.usefixtures("ears")
def test_any_channel_of_any_part_ends_as_problems_or_sound(
    corpus_folder: Path, channel: Any, path: str, start_s: float, end_s: float | None
) -> None:
    line = full_line()
    line["turns"][0].update(pauses=[], style={}, speech_s=[0.0, 0.01])
    part = {"start_s": start_s, "end_s": end_s}
    line["turns"][0]["audio"] = {"path": path, "channel": channel, **part}
    write_corpus(corpus_folder, [line])
    problems = survive(corpus_folder)
    if not any(problem.severity == "error" for problem in problems):
        assert float(channel) in ((0, 1) if path.endswith("wav") else (0,))


ENCODINGS = st.sampled_from(["utf-8-sig", "utf-16", "utf-32-be", "latin-1", "cp037"])


@FUZZ
@given(encoding=ENCODINGS, text=st.text("aé\u00df", min_size=1, max_size=5))
@pytest.mark.usefixtures("ears")
def test_other_encodings_end_as_problems(corpus_folder: Path, encoding: str, text: str) -> None:
    line = full_line()
    line["turns"][0]["text"] = f"{text} said two words"
    write_corpus(corpus_folder, [json.dumps(line, ensure_ascii=False).encode(encoding)])
    problems = survive(corpus_folder)
    readable = encoding == "utf-8-sig" or (encoding == "latin-1" and text.isascii())
    assert readable != any(problem.severity == "error" for problem in problems)


@FUZZ
@given(
    depth=st.integers(1, 3000),
    kind=st.sampled_from(["[]", '{"a":}']),
    place=st.sampled_from(["turns", "expect", "slots", "tags", "id", "x"]),
    inmost=st.sampled_from(["1", '"\\ud800"']),
)
@pytest.mark.usefixtures("ears")
def test_deep_nesting_ends_as_a_problem(
    corpus_folder: Path, depth: int, kind: str, place: str, inmost: str
) -> None:
    nested = kind[:-1] * depth + inmost + kind[-1] * depth
    line: dict[str, Any] = {**full_line(), place: "PLACE"}
    if place in ("expect", "slots"):
        line = full_line()
        line["turns"][0]["expect"] = "PLACE" if place == "expect" else {"slots": {"n": "PLACE"}}
    raw = encode(line).replace(b'"PLACE"', nested.encode())
    write_corpus(corpus_folder, [raw, {**full_line(), "id": "after"}])
    survive(corpus_folder)
    assert "after" in {entry.id for entry in Corpus(corpus_folder).index()}


@pytest.mark.parametrize(
    ("text", "wrong"), [(r"\ud83d", True), (r"\ud83d\ude00", False), (r"\\ud83d", False)]
)
def test_half_a_surrogate_pair_is_a_problem(corpus_folder: Path, text: str, wrong: bool) -> None:
    raw = encode(full_line()).replace(b"I said two tables", f"I said {text} x".encode())
    write_corpus(corpus_folder, [raw])
    errors = [problem.what for problem in survive(corpus_folder) if problem.severity == "error"]
    assert any("surrogate" in error for error in errors) == bool(errors) == wrong


TOML_KEYS = st.sampled_from(
    ["title", "licence", "source", "hashes", "voices", "voices.tone", "recipe", "x", r'"\u0000"']
)
TOML_WORDS = (
    '"x" "" 1 -1e400 inf nan true [] {} 1979-05-27 9999-99-99 [[[[{a=1}]]]] "\\ud800" """ \'\'\' '
    "{licence='CC0-1.0'} {'conversations.jsonl'='" + "0" * 64 + "'}"
).split()
TOML_HEAVY = ["0x" + "f" * 999, "9" * 5000, "[" * 2000 + "]" * 2000, "." * 400]
TOML_VALUES = st.sampled_from([*TOML_WORDS, *TOML_HEAVY]) | st.text(max_size=10).map(json.dumps)
TOML_LINES = st.one_of(
    st.tuples(TOML_KEYS, TOML_VALUES).map(" = ".join),
    TOML_KEYS.map("[{}]".format),
    TOML_KEYS.map("[[{}]]".format),
    st.integers(1, 20_000).map(lambda n: "a." * n + "a = 1"),
    st.sampled_from(INFO.splitlines()),
    st.text(max_size=20),
)


@FUZZ
@given(lines=st.lists(TOML_LINES, max_size=8), keep=st.booleans(), end=st.sampled_from("\n\r\0"))
@pytest.mark.usefixtures("ears")
def test_any_information_ends_as_problems(
    corpus_folder: Path, lines: list[str], keep: bool, end: str
) -> None:
    info = (INFO if keep else "") + end.join(lines)
    write_corpus(corpus_folder, [full_line()])
    (corpus_folder / "corpus.toml").write_bytes(info.encode("utf-8", "surrogatepass"))
    survive(corpus_folder)


@FUZZ
@given(path=PATHS, head=st.sampled_from(["", "/", "audio/", "link/", "up/"]))
@pytest.mark.usefixtures("ears")
def test_no_hashed_file_leads_out_of_the_folder(corpus_folder: Path, path: str, head: str) -> None:
    hashes = f'\n[hashes]\n{json.dumps(head + path)} = "{"0" * 64}"\n'
    write_corpus(corpus_folder, [full_line()])
    (corpus_folder / "corpus.toml").write_bytes((INFO + hashes).encode("utf-8", "surrogatepass"))
    files = {problem.file for problem in survive(corpus_folder) if problem.severity == "error"}
    assert files == {"corpus.toml"}


@pytest.mark.parametrize(
    ("info", "what"),
    [("a." * 100_000 + "a = 1", "more than 300 dots"), ("#" * 4_000_001, "larger than 4 MB")],
    ids=["dots", "size"],
)
def test_information_that_would_hang_the_parser_is_refused(
    corpus_folder: Path, info: str, what: str
) -> None:
    write_corpus(corpus_folder, [full_line()], info)
    assert any(what in problem.what for problem in survive(corpus_folder))


@pytest.mark.usefixtures("ears")
@pytest.mark.parametrize("name", ["audio", "corpus.toml", "conversations.jsonl"])
@pytest.mark.parametrize("trap", ["outside", "loop", "pipe", "/dev/zero", "nowhere"])
def test_a_corpus_whose_own_parts_are_traps_is_refused(
    corpus_folder: Path, outside: Path, tmp_path: Path, name: str, trap: str
) -> None:
    write_corpus(corpus_folder, [full_line()])
    survive(corpus_folder)
    folder = tmp_path.resolve() / "trapped"
    shutil.copytree(corpus_folder / "audio", folder / "audio")
    place = write_corpus(folder, [full_line()]) / name
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    if trap == "pipe":
        os.mkfifo(place)
    else:
        ways = {"outside": outside / name, "loop": place, "nowhere": folder / "none"}
        place.symlink_to(ways.get(trap, Path(trap)))
    problems = survive(folder)
    assert any(problem.severity == "error" for problem in problems)
    assert not any("secret" in str(problem) for problem in problems)


def test_names_that_no_text_holds_are_told(tmp_path: Path) -> None:
    write_corpus(tmp_path, [conversation(tmp_path, "good")])
    Path(os.fsdecode(os.fsencode(tmp_path / "audio") + b"/\xff\x1b[2J.flac")).touch()
    (problem,) = survive(tmp_path)
    assert "files that no conversation names" in problem.what
