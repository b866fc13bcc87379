"""Writes a bundled corpus's files beside its audio: manifest, making notes, ``corpus.toml``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cascadence.conversation import Conversation
from cascadence.corpus import INFO
from cascadence.data_manifests.recipes.voices import Voice, voice
from cascadence.manifest import MANIFEST

MAKING: Final = "making.jsonl"
NOBODY: Final = "nobody"
"""The speaker of turns in which nobody speaks."""

_DESCRIPTION: Final = """\
Spoken requests to a home assistant: single and multi-turn conversations with corrections, \
anaphora and clarifications, requests outside the domain, rooms in which nobody speaks, and \
contrast sets (same words, same voice, four styles). Text, values and replies are drawn from the \
domain's own sampler, split 'test': combinations of values that no training dialogue holds. The \
voices are synthetic and are heard in no training material. Style is imposed by WORLD \
resynthesis and measured again on the decoded clip (rate within 5 %, level within 1 dB, median \
F0 within 0.5 semitone); speech boundaries are where the speech becomes audible (10 ms frames at \
-50 dBFS; the noise floor lies at -70) and stops being so. Every clip was heard by Whisper base \
with at most 25 % of its words wrong and no value lost, else it was made again, calmer or in \
another voice, or dropped: so the corpus is, by choice, one that a generic ASR can hear. What was \
measured, heard and dropped: making.jsonl."""


def write(
    folder: Path, conversations: Sequence[Conversation], notes: Iterable[Mapping[str, Any]]
) -> None:
    """Write ``conversations.jsonl``, ``making.jsonl`` and ``corpus.toml``.

    Args:
        folder: the corpus folder; the audio is there already.
        conversations: in the order of the manifest.
        notes: lines for ``making.jsonl``.
    """
    _write_lines(folder / MANIFEST, [manifest_line(one) for one in conversations])
    _write_lines(
        folder / MAKING, [json.dumps(note, ensure_ascii=False, sort_keys=True) for note in notes]
    )
    names = {turn.speaker for one in conversations for turn in one.turns if turn.speaker}
    names.discard(NOBODY)
    (folder / INFO).write_text(
        _info(folder, [voice(name) for name in sorted(names)]), encoding="utf-8"
    )


def manifest_line(conversation: Conversation) -> str:
    """Return a conversation as one line of JSON, defaults left out except those that identify."""
    data = conversation.model_dump(mode="json", exclude_defaults=True)
    data |= {"language": conversation.language, "split": conversation.split}
    for turn, model in zip(data["turns"], conversation.turns, strict=True):
        # The kind is a default of its own class, and yet tells the classes apart.
        turn["when"] = model.when.model_dump(mode="json")
    return json.dumps(data, ensure_ascii=False)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _info(folder: Path, speakers: Sequence[Voice]) -> str:
    """Lay out ``corpus.toml``."""
    parts = [
        _table(
            "",
            {
                "title": "Cascadence assistant corpus",
                "licence": "Apache-2.0",
                "source": "synthetic speech: text, audio and labels made by the recipe named below",
                "citation": "Cascadence, bundled corpus 'assistant', version 1.0.0",
                "version": "1.0.0",
                "recipe": "python -m cascadence.data_manifests.recipes.assistant",
                "description": _DESCRIPTION,
            },
        ),
        _table(
            "hashes",
            {
                name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
                for name in (MANIFEST, MAKING)
            },
        ),
    ]
    parts += [
        _table(
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
    return "\n".join([*parts, _table(f"voices.{NOBODY}", silent)])


def _table(name: str, values: Mapping[str, str]) -> str:
    """Write one TOML table of strings; JSON's string syntax is TOML's."""
    head = f"[{name}]\n" if name else ""
    rows = (
        f"{key if key.isidentifier() else json.dumps(key)} = {json.dumps(value)}\n"
        for key, value in values.items()
    )
    return head + "".join(rows)
