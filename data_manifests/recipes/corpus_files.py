"""Writes a bundled corpus's files beside its audio: manifest, making notes, ``corpus.toml``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import Conversation
from cascadence.corpus import INFO
from cascadence.data_manifests.recipes.voices import Voice, voice
from cascadence.importing import to_line, to_table
from cascadence.manifest import MANIFEST

MAKING: Final = "making.jsonl"
NOBODY: Final = "nobody"
"""The speaker of turns in which nobody speaks."""


@dataclass(frozen=True, slots=True)
class About:
    """What ``corpus.toml`` says of a bundled corpus, besides its voices and hashes.

    Attributes:
        name: of the corpus and of its recipe.
        version: raised when a conversation changes.
        description: what is in it, and how it was made and checked.
    """

    name: str
    version: str
    description: str

    @property
    def recipe(self) -> str:
        """The module that makes the corpus."""
        return f"cascadence.data_manifests.recipes.{self.name}"


def write(
    folder: Path,
    about: About,
    conversations: Sequence[Conversation],
    notes: Iterable[Mapping[str, Any]],
) -> None:
    """Write ``conversations.jsonl``, ``making.jsonl`` and ``corpus.toml``.

    Args:
        folder: the corpus folder; the audio is there already.
        about: the corpus.
        conversations: in the order of the manifest.
        notes: lines for ``making.jsonl``.
    """
    _write_lines(folder / MANIFEST, [to_line(one) for one in conversations])
    _write_lines(
        folder / MAKING, [json.dumps(note, ensure_ascii=False, sort_keys=True) for note in notes]
    )
    names = {turn.speaker for one in conversations for turn in one.turns if turn.speaker}
    names.discard(NOBODY)
    (folder / INFO).write_text(
        _info(folder, about, [voice(name) for name in sorted(names)]), encoding="utf-8"
    )


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _info(folder: Path, about: About, speakers: Sequence[Voice]) -> str:
    """Lay out ``corpus.toml``."""
    parts = [
        to_table(
            "",
            {
                "title": f"Cascadence {about.name} corpus",
                "licence": "Apache-2.0",
                "source": "synthetic speech: text, audio and labels made by the recipe named below",
                "citation": f"Cascadence, bundled corpus {about.name!r}, version {about.version}",
                "version": about.version,
                "recipe": f"python -m {about.recipe}",
                "description": about.description,
            },
        ),
        to_table(
            "hashes",
            {
                name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
                for name in (MANIFEST, MAKING)
            },
        ),
    ]
    parts += [
        to_table(
            f"voices.{one.name}",
            {
                "licence": one.licence.name,
                "source": one.licence.url,
                "citation": one.licence.notes,
                "description": f"{one.gender}; {one.synthesiser} voice {one.native.voice}, "
                f"formants x {one.formant_ratio:g}, pitch {one.pitch_st:+g} st, "
                f"median F0 {one.base_f0_hz:.0f} Hz",
                "language": "en",
            },
        )
        for one in speakers
    ]
    silent = {"licence": "Apache-2.0", "description": "no voice: made room noise"}
    return "\n".join([*parts, to_table(f"voices.{NOBODY}", silent)])
