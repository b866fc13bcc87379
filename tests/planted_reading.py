"""What tests read off a recording of a planted system: who said what after which turn."""

from cascadence.audio import Audio, audible_runs
from cascadence.events import Stamped
from cascadence.recording import REPLY_BRIDGE_S, Recording
from cascadence.simulator import PlayedTurn


def replies_s(recording: Recording, turn: PlayedTurn) -> tuple[tuple[float, float], ...]:
    """The audible runs of the system that begin in the turn's window, cut where that ends."""
    start_s, end_s = recording.window_s(turn)
    runs = audible_runs(recording.system, bridge_s=REPLY_BRIDGE_S)
    return tuple((a, min(b, end_s)) for a, b in runs if start_s < a < end_s)


def reply_audio(recording: Recording, turn: PlayedTurn) -> Audio | None:
    """The answer to a turn, from its first to its last audible sample, if any."""
    runs = replies_s(recording, turn)
    return recording.system.span(runs[0][0], runs[-1][1]) if runs else None


def events_for(recording: Recording, turn: PlayedTurn, kind: str) -> tuple[Stamped, ...]:
    """Events of one kind that were yielded in the turn's window."""
    start_s, end_s = recording.window_s(turn)
    return tuple(e for e in recording.events if e.kind == kind and start_s <= e.t_s < end_s)
