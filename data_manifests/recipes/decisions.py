"""What was decided when a corpus was made, read from its ``making.jsonl``: who speaks, and how."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cascadence.data_manifests.recipes.planned import Sound
from cascadence.errors import CascadenceError

KEPT: Final = "kept"
_OK: Final = "ok"


class Decisions:
    """The notes of a making, group by group: a contrast set, or a conversation alone."""

    def __init__(self, notes: Sequence[Mapping[str, Any]]) -> None:
        """Take the notes in their order: those of a group's clips come before its verdict."""
        self._notes: dict[str, list[dict[str, Any]]] = {}
        self._clips: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
        open_notes: list[dict[str, Any]] = []
        for note in map(dict, notes):
            open_notes.append(note)
            if "turn" in note:
                place = (note["id"], note["turn"], note["voice"])
                self._clips.setdefault(place, []).append(note)
            else:
                self._notes.setdefault(note["id"], []).extend(open_notes)
                open_notes = []

    def __contains__(self, group: str) -> bool:
        """Whether something was decided of a group."""
        return group in self._notes

    def notes(self, group: str) -> list[dict[str, Any]]:
        """Return what was noted of a group, its last verdict at the end."""
        return self._notes[group]

    def voice(self, group: str) -> str | None:
        """Return the name of the voice in which a group was kept; ``None`` if it was dropped."""
        last = self._notes[group][-1]
        return str(last["voice"]) if last["verdict"] == KEPT else None

    def sound(self, conversation: str, turn: int, voice: str, renditions: Sequence[Sound]) -> Sound:
        """Return the rendition of a turn that was kept.

        Args:
            conversation: its id.
            turn: its number.
            voice: name of who says it.
            renditions: as they were tried, one after the other.

        Raises:
            CascadenceError: none of them has the style that was kept: the plan has changed since.
        """
        clips = self._clips.get((conversation, turn, voice), [])
        if clips and clips[-1]["verdict"] == _OK:
            style = clips[-1]["style"]
            fitting = [s for s in renditions if dataclasses.asdict(s.prosody) == style]
            if fitting:
                return fitting[min(len(clips), len(fitting)) - 1]
        raise CascadenceError(
            "the plan is not the one that was decided on",
            where=f"{conversation}, turn {turn}",
            mend="make the corpus with --judge",
        )


def read_decisions(path: Path) -> Decisions:
    """Read a ``making.jsonl``."""
    return Decisions([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
