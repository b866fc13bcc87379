"""Hostile corpora: nothing but problems comes out, and nothing outside the folder is opened.

More examples: ``FUZZ_EXAMPLES=5000 python -m pytest tests/test_corpus*fuzz.py``.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from cascadence.corpus import Corpus
from corpus_folder import encode, tone, write_corpus
from planted_hostile import FUZZ, PATHS, corpus_folder, ears, full_line, outside, survive

__all__ = ["corpus_folder", "ears", "outside"]


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
