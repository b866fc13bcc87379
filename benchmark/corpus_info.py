"""What a corpus is, whose it is and which voices are in it: ``corpus.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints, ValidationError

from cascadence.conversation import Line
from cascadence.manifest import BadLine, Problem, problems_of

INFO: Final = "corpus.toml"
LARGEST_BYTES: Final = 4_000_000
MOST_DOTS: Final = 300
"""In a line. The parser's time grows with the square of a dotted key's length: a file must not be
able to hang it."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Voice(Line):
    """A speaker of a corpus, and the terms under which the voice may be used."""

    licence: Words
    """SPDX identifier or plain words."""
    source: str = ""
    """Where the voice comes from."""
    citation: str = ""
    """How its makers want to be named."""
    description: str = ""
    """What it sounds like, how it was made."""
    language: str = ""
    """BCP 47."""


class CorpusInfo(Line):
    """What a corpus is, where it comes from and what may be done with it: ``corpus.toml``."""

    title: Words
    """Its name in full."""
    licence: Words
    """SPDX identifier or plain words, of text and sound together."""
    source: Words
    """Where it comes from."""
    citation: str = ""
    """How it wants to be cited."""
    description: str = ""
    """What is in it, and how that was chosen."""
    version: str = ""
    """Raised when conversations or sound change."""
    recipe: str = ""
    """How it was made: the command or module that makes it again."""
    hashes: dict[str, Sha256] = Field(default_factory=dict)
    """Of files of the folder, by relative path."""
    voices: dict[str, Voice] = Field(default_factory=dict)
    """By the name that `UserTurn.speaker` uses."""


def read_info(path: Path) -> CorpusInfo:
    """Read ``corpus.toml``.

    Args:
        path: of the file.

    Raises:
        BadLine: it is not TOML, or a field is wrong.
    """
    try:
        data = _read_toml(path)
    except (ValueError, RecursionError) as error:
        problem = Problem("error", INFO, 0, "", f"not TOML: {error}")
        raise BadLine.of([problem]) from error
    try:
        return CorpusInfo.model_validate(data)
    except ValidationError as error:
        raise BadLine.of(problems_of(error, data, INFO, 0)) from error


def _read_toml(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        raw = file.read(LARGEST_BYTES + 1)
    if len(raw) > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES // 1_000_000} MB")
    text = raw.decode("utf-8")
    if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        raise ValueError(f"a line holds more than {MOST_DOTS} dots")
    return tomllib.loads(text)
