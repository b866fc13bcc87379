"""Everything that happened in one conversation: both channels, stamped events, and who spoke when.

A `Recording` is complete: any metric can be computed from it later, elsewhere. On disk it is one
line of ``conversations.jsonl`` and two FLAC files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cascadence.audio import Audio
from cascadence.events import Stamped
from cascadence.playout import Stall
from cascadence.simulator import PlayedTurn

REPLY_BRIDGE_S = 0.3
"""Pauses up to this long belong to a run of system speech."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One conversation, as played.

    Attributes:
        conversation_id: in the manifest.
        cell: which system, corpus and condition.
        repeat: from 0.
        user: the user's channel, 16 kHz, on the conversation's clock.
        system: the system's channel, at its own rate, on the same clock.
        events: what the system yielded, with times, in order.
        turns: what the user said, and when.
        stalls: silences inside replies because a chunk was late.
        clock: ``virtual`` or ``real_time``.
        compute_s: time spent inside the system.
        contended: another cell ran beside it on this machine: its latencies are not to be compared.
    """

    conversation_id: str
    cell: str
    repeat: int
    user: Audio
    system: Audio
    events: tuple[Stamped, ...]
    turns: tuple[PlayedTurn, ...]
    stalls: tuple[Stall, ...]
    clock: Literal["virtual", "real_time"]
    compute_s: float
    contended: bool = False

    @property
    def duration_s(self) -> float:
        """Length of the conversation."""
        return self.user.duration_s

    def window_s(self, turn: PlayedTurn) -> tuple[float, float]:
        """Return the span from the start of the user's speech to that of the next, or to the end.

        What is said under a reply does not end a window: the reply goes on.
        """
        later = [t.speech_start_s for t in self.turns if t.index > turn.index and t.claims_floor]
        return turn.speech_start_s, min(later, default=self.duration_s)

    def text_for(self, turn: PlayedTurn, kind: Literal["text", "heard"] = "text") -> str | None:
        """Return what the system meant to say (or heard) in a turn's window, to be shown.

        ``None`` where it did not tell. Metrics look closer: `cascadence.metrics.turns.view`.
        """
        start_s, end_s = self.window_s(turn)
        events = (e for e in self.events if e.kind == kind and start_s <= e.t_s < end_s)
        pieces = [str(e.data["text"]) for e in events]
        return " ".join(" ".join(pieces).split()) if pieces else None


def to_json(recording: Recording) -> dict[str, Any]:
    """Everything but the sound, as JSON values."""
    return {
        "conversation_id": recording.conversation_id,
        "cell": recording.cell,
        "repeat": recording.repeat,
        "clock": recording.clock,
        "duration_s": round(recording.duration_s, 6),
        "compute_s": round(recording.compute_s, 6),
        "contended": recording.contended,
        "turns": [
            {
                "index": t.index,
                "start_s": round(t.start_s, 6),
                "speech_start_s": round(t.speech_start_s, 6),
                "speech_end_s": round(t.speech_end_s, 6),
                "trigger": t.trigger,
                "claims_floor": t.claims_floor,
            }
            for t in recording.turns
        ],
        "events": [
            {"t_s": round(e.t_s, 6), "kind": e.kind, **({"data": dict(e.data)} if e.data else {})}
            for e in recording.events
        ],
        "stalls": [
            {"start_s": round(s.start_s, 6), "duration_s": round(s.duration_s, 6)}
            for s in recording.stalls
        ],
    }


def from_json(row: Mapping[str, Any], user: Audio, system: Audio) -> Recording:
    """Put a recording together again.

    Raises:
        KeyError: a field is missing.
    """
    return Recording(
        conversation_id=row["conversation_id"],
        cell=row["cell"],
        repeat=row["repeat"],
        user=user,
        system=system,
        events=tuple(Stamped(e["t_s"], e["kind"], e.get("data", {})) for e in row["events"]),
        turns=tuple(PlayedTurn(**turn) for turn in row["turns"]),
        stalls=tuple(Stall(**stall) for stall in row["stalls"]),
        clock=row["clock"],
        compute_s=row["compute_s"],
        contended=row["contended"],
    )
