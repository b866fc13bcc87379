from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from cascadence.manifest import (
    LONGEST_LINE_BYTES,
    BadLine,
    Problem,
    parse_line,
    read_index,
    scan_lines,
)
from corpus_folder import conversation, encode

GOOD = {"id": "good", "licence": "CC0-1.0", "source": "s", "turns": []}


def indexed(folder: Path, *lines: bytes) -> tuple[list[str], tuple[Problem, ...]]:
    path = folder / "conversations.jsonl"
    path.write_bytes(b"".join(lines))
    index = read_index(path)
    return list(index.entries), index.problems


DEFECTS: dict[str, tuple[bytes, str, str]] = {
    "torn": (b'{"id": "x", "tur\n', "", "not JSON"),
    "encoding": (b'{"id": "caf\xe9"}\n', "", "not UTF-8: byte 12 of the line is 0xe9"),
    "utf-16": ('{"id": "x"}'.encode("utf-16-le") + b"\n", "", "not JSON"),
    "array": (b"[1, 2]\n", "", "a JSON array where an object is expected"),
    "string": (b'"x"\n', "", "a JSON string where"),
    "null": (b"null\n", "", "a JSON null where"),
    "number": (b"7\n", "", "a JSON number where"),
    "boolean": (b"true\n", "", "a JSON boolean where"),
    "two objects": (b"{} {}\n", "", "not JSON: Extra data"),
    "NaN": (b'{"id": "x", "q": NaN}\n', "", "NaN is not JSON"),
    "infinity": (b'{"id": "x", "q": -Infinity}\n', "", "-Infinity is not JSON"),
    "overflow": (b'{"id": "x", "q": 1e999}\n', "", "number out of range: 1e999"),
    "integer": (b'{"id": "x", "q": ' + b"9" * 5000 + b"}\n", "", "number out of range: 999"),
    "nesting": (b"[" * 100_000 + b"\n", "", "nested too deeply"),
    "key": (b'{"id": "x", "id": "y"}\n', "id", "the key 'id' is there twice"),
    "zeros": (b"\0" * 20 + b"\n", "", "not JSON"),
    "long": (b'"' + b"x" * LONGEST_LINE_BYTES + b'"\n', "", "longer than 10 MB"),
    "no id": (b'{"licence": "x", "source": "s"}\n', "id", "Field required"),
    "id": (b'{"id": 7}\n', "id", "valid string"),
    "split": (encode({**GOOD, "split": "exam"}), "split", "'train', 'dev' or 'test'"),
    "tags": (encode({**GOOD, "tags": "a"}), "tags", "valid tuple"),
    "group": (encode({**GOOD, "group": "../g"}), "group", "match pattern"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_named_with_line_and_field_and_the_rest_goes_on(
    defect: str, tmp_path: Path
) -> None:
    raw, field, what = DEFECTS[defect]
    before, after = encode({**GOOD, "id": "before"}), encode({**GOOD, "id": "after"})
    names, problems = indexed(tmp_path, before, raw, after)
    assert names == ["before", "after"]
    assert {(p.severity, p.file, p.line) for p in problems} == {("error", "conversations.jsonl", 2)}
    told = next(p for p in problems if p.field == field)
    assert what in told.what
    assert len(told.what) < 400


def test_a_line_that_is_lost_has_all_its_problems_told(tmp_path: Path) -> None:
    _, problems = indexed(tmp_path, encode({"id": "a b", "turns": [{"text": "x"}], "x": 1}))
    fields = {p.field for p in problems}
    assert fields == {
        "id", "licence", "source", "x", "turns.0.audio", "turns.0.speech_s"
    }  # fmt: skip


def test_a_torn_last_line_is_told_as_such(tmp_path: Path) -> None:
    names, problems = indexed(tmp_path, encode(GOOD), encode({**GOOD, "id": "torn"})[:-9])
    assert names == ["good"]
    assert [(p.line, p.what[:5], bool(p.mend)) for p in problems] == [(2, "torn:", True)]


def test_a_whole_last_line_needs_no_newline(tmp_path: Path) -> None:
    assert indexed(tmp_path, encode(GOOD).rstrip()) == (["good"], ())


def test_a_second_use_of_an_id_names_the_first(tmp_path: Path) -> None:
    names, problems = indexed(tmp_path, encode(GOOD), b"{}\n", encode(GOOD))
    assert names == ["good"]
    twice = problems[-1]
    assert (twice.line, twice.field) == (3, "id")
    assert twice.what == "the id 'good' is already on line 1"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"\xef\xbb\xbf" + encode(GOOD), "byte-order mark"),
        (encode(GOOD).replace(b"\n", b"\r\n"), "CR LF"),
        (b"  \n" + encode(GOOD), "blank line"),
    ],
)
def test_what_hurts_nobody_is_a_warning_and_is_read(tmp_path: Path, raw: bytes, what: str) -> None:
    names, problems = indexed(tmp_path, raw)
    assert names == ["good"]
    assert [(p.severity, p.line) for p in problems] == [("warning", 1)]
    assert what in problems[0].what


def test_a_windows_file_is_warned_about_once(tmp_path: Path) -> None:
    lines = [encode({**GOOD, "id": f"c{i}"}).replace(b"\n", b"\r\n") for i in range(50)]
    names, problems = indexed(tmp_path, *lines)
    assert len(names) == 50
    assert [p.line for p in problems] == [1]


def test_an_entry_points_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "conversations.jsonl"
    second = encode({**GOOD, "id": "b", "split": "dev", "tags": ["x"], "group": "g", "é": 1})
    path.write_bytes(encode(GOOD) + b"\n" + second)
    entry = read_index(path).entries["b"]
    raw = path.read_bytes()[entry.offset : entry.offset + entry.length]
    assert raw == second
    assert (entry.line, entry.split, entry.tags, entry.group) == (3, "dev", ("x",), "g")


def test_a_huge_line_is_never_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "conversations.jsonl"
    path.write_bytes(b"x" * (3 * LONGEST_LINE_BYTES) + b"\n{}\n")
    with path.open("rb") as file:
        lines = [(number, offset, len(raw)) for number, offset, raw in scan_lines(file)]
    assert lines == [
        (1, 0, LONGEST_LINE_BYTES + 1),
        (2, 3 * LONGEST_LINE_BYTES + 1, 3),
    ]


def test_strict_json_keeps_every_value() -> None:
    data: dict[str, Any] = {"a": [1, -2.5, 1e-7, True, None, "é\U0001f600"], "b": {"c": 2**62}}
    assert parse_line(json.dumps(data).encode() + b"\n", 1) == data


def test_an_unknown_field_gets_the_nearest_name(tmp_path: Path) -> None:
    line = conversation(tmp_path, "a", split="exam")
    line["turns"][0]["speach_s"] = line["turns"][0].pop("speech_s")
    _, problems = indexed(tmp_path, encode(line))
    told = {p.field: p for p in problems}
    assert set(told) == {"split", "turns.0.speach_s", "turns.0.speech_s"}
    assert told["turns.0.speach_s"].mend == "did you mean 'speech_s'?"
    assert told["turns.0.speech_s"].what == "Field required"


def test_a_bad_line_crosses_processes_whole() -> None:
    problem = Problem("error", "conversations.jsonl", 12, "turns.0.audio.path", "what", "mend")
    error = BadLine.of([problem, problem])
    copy = pickle.loads(pickle.dumps(error))
    assert copy.problems == (problem, problem)
    assert copy.where == "conversations.jsonl:12: turns.0.audio.path"
    assert copy.what == "what (and 1 more in this line)"
    assert str(problem) == "conversations.jsonl:12: turns.0.audio.path: error: what (mend)"
