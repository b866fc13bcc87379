"""Reads ``conversations.jsonl`` line by line, and says what is wrong with a line, and where.

JSON is taken strictly: UTF-8, one object a line, no key twice, no NaN, no infinity, no half of a
surrogate pair, no number that a float64 or a 64-bit integer cannot hold. A line that breaks a rule
is a `BadLine`; the rest goes on. A byte-order mark, Windows line ends and blank lines hurt nobody:
they are warnings.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError

from cascadence.conversation import Conversation, Identifier, Line
from cascadence.errors import CascadenceError

MANIFEST: Final = "conversations.jsonl"
LONGEST_LINE_BYTES: Final = 10_000_000
MOST_PROBLEMS_A_LINE: Final = 20
_LONGEST_INTEGER_DIGITS: Final = 19
_SKIP_BYTES: Final = 1 << 20
_HALF_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]")

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a corpus, and where.

    Attributes:
        severity: an ``error`` keeps a conversation from being played as its author meant; a
            ``warning`` deserves a look.
        file: relative to the corpus folder.
        line: from 1; 0 where the file as a whole is meant.
        field: dotted path inside the line or file, as in ``turns.0.audio.path``; may be empty.
        what: what is wrong.
        mend: what to do about it; empty when nothing is known.
    """

    severity: Literal["error", "warning"]
    file: str
    line: int
    field: str
    what: str
    mend: str = ""

    def __post_init__(self) -> None:
        """Make what may come from a hostile file short and printable."""
        for name, longest in (("file", 300), ("field", 200), ("what", 500)):
            object.__setattr__(self, name, _printable(getattr(self, name), longest))

    @property
    def where(self) -> str:
        """File, line and field in one, as in ``conversations.jsonl:12: turns.0.audio.path``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}" if self.field else place

    def __str__(self) -> str:
        """Lay it out on one line, place first, as compilers do."""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{self.where}: {self.severity}: {self.what}{mend}"


class BadLine(CascadenceError):
    """A line of a manifest, or a clip that it names, that cannot be used.

    Attributes:
        problems: everything that is wrong with it, at least one.
    """

    def __init__(
        self, what: str, where: str = "", mend: str = "", problems: tuple[Problem, ...] = ()
    ) -> None:
        """Keep the parts; usually made by `BadLine.of`."""
        super().__init__(what, where, mend)
        self.problems = problems

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> BadLine:
        """Make the error that tells the first of some problems and counts the others."""
        first, more = problems[0], len(problems) - 1
        what = f"{first.what} (and {more} more in this line)" if more else first.what
        return cls(what, first.where, first.mend, tuple(problems))


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index knows of a conversation.

    Attributes:
        id: unique in the corpus.
        line: in the manifest, from 1.
        offset: of the line in the file, in bytes.
        length: of the line, in bytes.
        split: of the conversation.
        tags: of the conversation.
        group: the contrast set it belongs to.
    """

    id: str
    line: int
    offset: int
    length: int
    split: Split
    tags: tuple[str, ...]
    group: str | None


@dataclass(frozen=True, slots=True)
class Index:
    """A manifest, scanned: where each conversation is, and what is wrong with the other lines."""

    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...]


def read_index(path: Path) -> Index:
    """Scan a manifest once, a line at a time; fields other than `Entry`'s are not validated yet.

    Args:
        path: of the manifest.
    """
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    oddities: dict[str, Problem] = {}
    shared_tags: dict[tuple[str, ...], tuple[str, ...]] = {}
    with path.open("rb") as file:
        for number, offset, raw in scan_lines(file):
            _note_oddities(raw, number, oddities)
            if not raw.strip():
                continue
            try:
                header = _header(parse_line(raw, number), number)
                if header.id in entries:
                    what = f"the id {header.id!r} is already on line {entries[header.id].line}"
                    raise bad_line(number, "id", what, "give each conversation its own id")
            except BadLine as error:
                problems.extend(error.problems)
                continue
            tags = shared_tags.setdefault(header.tags, header.tags)
            place = (number, offset, len(raw))
            entries[header.id] = Entry(header.id, *place, header.split, tags, header.group)
    return Index(entries, (*problems, *oddities.values()))


def bad_line(line: int, field: str, what: str, mend: str = "") -> BadLine:
    """Make the error for one field of one line of the manifest."""
    return BadLine.of([Problem("error", MANIFEST, line, field, what, mend)])


def scan_lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield each line's number (from 1), offset in bytes and content, newline included.

    A line beyond `LONGEST_LINE_BYTES` comes cut to one byte more than that: it never fills memory.
    """
    number = offset = 0
    while raw := file.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        yield number, offset, raw
        offset += len(raw)
        while not raw.endswith(b"\n") and (raw := file.readline(_SKIP_BYTES)):
            offset += len(raw)


def parse_line(raw: bytes, line: int) -> dict[str, Any]:
    """Parse one line of JSON, strictly.

    Args:
        raw: the line's bytes; without a newline at the end it is the file's last.
        line: its number, for the error.

    Raises:
        BadLine: it is no JSON object, or not strict.
    """
    if len(raw) > LONGEST_LINE_BYTES:
        raise bad_line(line, "", f"longer than {LONGEST_LINE_BYTES // 1_000_000} MB")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        what = f"not UTF-8: byte {error.start + 1} of the line is 0x{raw[error.start]:02x}"
        raise bad_line(line, "", what, "save the file as UTF-8") from error
    try:
        value = _STRICT_JSON.decode(text)
        if _HALF_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        what = "half a surrogate pair, which is no character"
        raise bad_line(line, "", what, "write the text as UTF-8, without escapes") from error
    except _NotStrict as error:
        raise bad_line(line, error.field, error.what) from error
    except RecursionError as error:
        raise bad_line(line, "", "nested too deeply") from error
    except ValueError as error:
        reason = f"not JSON: {error}"
        if raw.endswith(b"\n"):
            raise bad_line(line, "", reason) from error
        mend = "delete the line, or write the file again"
        what = f"torn: the file ends inside the line ({reason})"
        raise bad_line(line, "", what, mend) from error
    if not isinstance(value, dict):
        raise bad_line(line, "", f"a JSON {_json_type(value)} where an object is expected")
    return value


def problems_of(error: ValidationError, data: object, file: str, line: int) -> list[Problem]:
    """Say what a model refused, field by field, at most `MOST_PROBLEMS_A_LINE`.

    Args:
        error: what pydantic raised.
        data: what was validated; only fields that are in it, or are missing from it, are named.
        file: relative to the corpus folder.
        line: its number; 0 for the file as a whole.
    """
    items = error.errors(include_url=False, include_context=False)
    # Pydantic counts only valid turns: with one turn, and that one wrong, it also finds too few.
    inner = {item["loc"][:depth] for item in items for depth in range(1, len(item["loc"]))}
    items = [item for item in items if item["type"] != "too_short" or item["loc"] not in inner]
    found = []
    for item in items[:MOST_PROBLEMS_A_LINE]:
        message = item["msg"].removeprefix("Value error, ")
        missing = item["type"] == "missing"
        field = _field(item["loc"], data, message, missing)
        mend = _nearest_field(field) if item["type"] == "extra_forbidden" else ""
        found.append(Problem("error", file, line, field, message, mend))
    return found


class _Header(BaseModel):
    """The part of a line that the index needs."""

    model_config = ConfigDict(extra="ignore")

    id: Identifier
    split: Split = "test"
    tags: tuple[str, ...] = ()
    group: Identifier | None = None


def _header(data: dict[str, Any], line: int) -> _Header:
    try:
        return _Header.model_validate(data)
    except ValidationError as header_error:
        # The line is lost anyway: say everything that is wrong with it, not only with its header.
        try:
            Conversation.model_validate(data)
        except ValidationError as error:
            raise BadLine.of(problems_of(error, data, MANIFEST, line)) from error
        raise BadLine.of(problems_of(header_error, data, MANIFEST, line)) from header_error


def _note_oddities(raw: bytes, line: int, oddities: dict[str, Problem]) -> None:
    """Keep one warning a kind, for the first line it is seen on."""
    if raw.startswith(b"\xef\xbb\xbf"):
        what, mend = "begins with a byte-order mark", "save the file as UTF-8 without a mark"
    elif not raw.strip():
        what, mend = "blank line", "delete it"
    elif raw.endswith(b"\r\n"):
        what, mend = "ends in CR LF, as on Windows", "save the file with LF"
    else:
        return
    oddities.setdefault(what, Problem("warning", MANIFEST, line, "", what, mend))


class _NotStrict(ValueError):
    """What Python's JSON reader lets through, and this one does not."""

    def __init__(self, what: str, field: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.field = field


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for name, count in Counter(n for n, _ in pairs).items() if count > 1)
        raise _NotStrict(f"the key {twice!r} is there twice", twice)
    return members


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotStrict(f"number out of range: {text[:40]}")
    return value


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER_DIGITS:
        raise _NotStrict(f"number out of range: {text[:40]}")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _NotStrict(f"{text} is not JSON")


# Built once: `json.loads` with hooks would build a decoder for every line.
_STRICT_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
)


def _field(loc: tuple[int | str, ...], data: object, message: str, missing: bool) -> str:
    """Turn pydantic's location, which also names types and union tags, into the path in the file.

    A check on a whole object names the field it is about at the start of its message.
    """
    names: list[str] = []
    for position, step in enumerate(loc):
        inside, data = _descend(data, step)
        if inside or (missing and position == len(loc) - 1):
            names.append(str(step))
    claimed = re.match(r"[a-z_]+(\.\w+)*", message)
    if claimed is not None:
        inside = True
        for step in claimed.group().split("."):
            found, data = _descend(data, int(step) if step.isdecimal() else step)
            inside = inside and found
        if inside:
            names.append(claimed.group())
    return ".".join(names)


def _descend(data: object, step: int | str) -> tuple[bool, object]:
    if isinstance(data, Mapping) and step in data:
        return True, data[step]
    if isinstance(data, list | tuple) and isinstance(step, int) and step < len(data):
        return True, data[step]
    return False, data


def _nearest_field(field: str) -> str:
    known = {name for model in Line.__subclasses__() for name in model.model_fields}
    near = difflib.get_close_matches(field.rpartition(".")[2], known, n=1)
    return f"did you mean {near[0]!r}?" if near else "delete the field"


def _json_type(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _printable(text: str, longest: int) -> str:
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if short.isprintable():
        return short
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
