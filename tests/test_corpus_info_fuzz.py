"""Hostile ``corpus.toml`` files and folders: nothing but problems comes out of them either."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_folder import INFO, conversation, write_corpus
from planted_hostile import FUZZ, PATHS, corpus_folder, ears, full_line, outside, survive

__all__ = ["corpus_folder", "ears", "outside"]


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
