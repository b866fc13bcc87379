"""What the system did about each turn of the user: the one view that all turn-level metrics share.

The denominator is the manifest's: every turn that a metric applies to gets a measurement, whatever
the system did. The *reply* to a turn is what the system says from the start of that turn to the
start of the next turn that claims the floor (a backchannel does not, nor an aside into the reply);
what was being said already, or had been yielded before the user spoke, belongs to the turn before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cascadence.audio import Audio, audible_runs
from cascadence.conversation import Aside, BargeIn, UserTurn
from cascadence.events import Stamped
from cascadence.measurement import Case, Measurement, failed, skipped
from cascadence.recording import REPLY_BRIDGE_S, Recording
from cascadence.simulator import PlayedTurn

FRAME_S = 0.020
"""Resolution of the conversation's clock."""
EDGE_S = 0.25
"""How far the quiet around a reply may still be its onset or tail."""


@dataclass(frozen=True, slots=True, eq=False)
class PlayedView:
    """A user turn, and what the system did until the floor was claimed again.

    Attributes:
        case: the conversation that it belongs to.
        turn: as the manifest tells it.
        played: as it happened.
        end_s: start of the next turn that claims the floor, or the conversation's end.
        next_turn: that turn.
        runs_s: audible runs of the system's reply, ``(start_s, end_s)``, short pauses bridged.
    """

    case: Case
    turn: UserTurn
    played: PlayedTurn
    end_s: float
    next_turn: UserTurn | None
    runs_s: tuple[tuple[float, float], ...]

    @property
    def start_s(self) -> float:
        """Start of the user's speech."""
        return self.played.speech_start_s

    @property
    def offset_s(self) -> float:
        """End of the user's speech."""
        return self.played.speech_end_s

    @property
    def onset_s(self) -> float | None:
        """First audible sample of the reply: of the first run that reaches beyond the user's end.

        A run that lies wholly inside the user's turn (a backchannel, a cut-off) is no answer to
        what the user said in the end.
        """
        return next((start for start, end in self.runs_s if end > self.offset_s), None)

    @property
    def reply(self) -> Audio | None:
        """The reply's sound, first to last audible sample; ``None`` where none came."""
        if not self.runs_s:
            return None
        return self.case.recording.system.span(self.runs_s[0][0], self.runs_s[-1][1])

    @property
    def reply_as_played(self) -> Audio | None:
        """The reply's sound with `EDGE_S` of what the system played on either side.

        Soft onsets and tails are below what counts as audible, but part of how a voice sounds.
        Nothing from before the user's turn, or from after the floor was claimed again.
        """
        if not self.runs_s:
            return None
        start_s = max(self.start_s, self.runs_s[0][0] - EDGE_S)
        return self.case.recording.system.span(
            start_s, min(self.end_s, self.runs_s[-1][1] + EDGE_S)
        )

    @property
    def answer(self) -> Audio | None:
        """The reply's sound from `onset_s` on, to its last audible sample.

        A false start in the user's pause is no answer to what the user said in the end, and the
        wait after it is no pause of the voice. ``None`` where no answer came.
        """
        if self.onset_s is None:
            return None
        return self.case.recording.system.span(self.onset_s, self.runs_s[-1][1])

    @property
    def clip(self) -> Audio:
        """The user's clean speech, without the silence around it."""
        if self.case.clips:
            return self.case.clips[self.played.index].span(*self.turn.speech_s)
        return self.case.recording.user.span(self.start_s, self.offset_s)

    def events(self, kind: str) -> tuple[Stamped, ...]:
        """Events of one kind that were yielded between the turn's start and `end_s`."""
        return tuple(
            event
            for event in self.case.recording.events
            if event.kind == kind and self.start_s <= event.t_s < self.end_s
        )

    @property
    def since_s(self) -> float:
        """When the reply began to be made, at the earliest.

        The start of the user's turn, or the last time before the reply that the queue was dropped
        or an earlier reply was completed.
        """
        onset_s = self.onset_s
        chunk = None if onset_s is None else chunk_at(self.case.recording, onset_s)
        if chunk is None:
            return self.start_s
        breaks = (*self.events("clear"), *self.events("end_of_turn"))
        return max((e.t_s for e in breaks if e.t_s < chunk.t_s), default=self.start_s)

    @property
    def meant(self) -> str | None:
        """What the system meant to say; ``None`` where it did not tell."""
        since_s = self.since_s
        return _joined(event for event in self.events("text") if event.t_s >= since_s)

    @property
    def understood(self) -> bool:
        """Whether an oracle's voice spoke: its words count as heard."""
        return any(event.data.get("understood") for event in self.events("text"))

    @property
    def heard(self) -> str | None:
        """What the system understood; ``None`` where it did not tell."""
        return _joined(self.events("heard"))

    @property
    def interrupted(self) -> bool:
        """Whether the reply was cut: by a barge-in, a dropped queue, or the next turn."""
        return self._is_cut(self.start_s)

    @property
    def answer_interrupted(self) -> bool:
        """Whether the `answer` was cut; a false start before it always is."""
        return self._is_cut(self.since_s)

    def _is_cut(self, since_s: float) -> bool:
        """Tell whether something that was yielded since then was not played to its end."""
        if self.next_turn is not None and isinstance(self.next_turn.when, BargeIn):
            return True
        if self.runs_s and self.next_turn is not None and self.runs_s[-1][1] > self.end_s - FRAME_S:
            return True
        began_s = min((e.t_s for e in self.events("audio") if e.t_s >= since_s), default=None)
        return began_s is not None and any(began_s < e.t_s for e in self.events("clear"))


def expects_reply(turn: UserTurn) -> bool:
    """Whether an attentive listener would answer this turn."""
    return claims_floor(turn) and not isinstance(turn.when, Aside) and not turn.expect.stay_silent


def claims_floor(turn: UserTurn) -> bool:
    """Whether the turn is more than what is said under a reply: an acknowledgement, an aside."""
    return not turn.is_under_reply


def speaks_into_reply(turn: UserTurn) -> bool:
    """Whether the manifest lets the user speak into a reply, whatever for."""
    return turn.is_under_reply or isinstance(turn.when, BargeIn)


def each_turn(
    case: Case,
    measure: Callable[[PlayedView], Measurement],
    applies: Callable[[UserTurn], bool] = claims_floor,
    otherwise: str = "",
) -> list[Measurement]:
    """Measure the turns of a conversation, one by one.

    Args:
        case: the conversation.
        measure: called with each played turn that the metric applies to.
        applies: which turns those are, by the manifest alone.
        otherwise: why the others are skipped; empty: they are left out silently.

    Returns:
        One measurement a turn, in order; ``failed`` for a turn that was never played.
    """
    played = {turn.index: turn for turn in case.recording.turns}
    measurements = []
    for index, turn in enumerate(case.conversation.turns):
        if not applies(turn):
            if otherwise:
                measurements.append(skipped(otherwise).on_turn(index))
        elif index not in played:
            measurements.append(failed("the turn was never played").on_turn(index))
        else:
            measurements.append(measure(view(case, played[index])).on_turn(index))
    return measurements


def view(case: Case, played: PlayedTurn) -> PlayedView:
    """Look at one turn of a conversation."""
    manifest = case.conversation.turns
    later = [
        (turn.speech_start_s, manifest[turn.index])
        for turn in case.recording.turns
        if turn.index > played.index and claims_floor(manifest[turn.index])
    ]
    end_s, next_turn = min(
        later, default=(case.recording.duration_s, None), key=lambda pair: pair[0]
    )
    runs = tuple(
        (start, min(end, end_s))
        for start, end in system_runs_s(case.recording)
        if played.speech_start_s < start < end_s
        and not _yielded_before(case.recording, start, played.speech_start_s)
    )
    return PlayedView(case, manifest[played.index], played, end_s, next_turn, runs)


@lru_cache(maxsize=4)
def system_runs_s(recording: Recording) -> tuple[tuple[float, float], ...]:
    """Audible runs of the system's channel, pauses up to `REPLY_BRIDGE_S` bridged."""
    return audible_runs(recording.system, bridge_s=REPLY_BRIDGE_S)


def overlap_s(runs_s: Sequence[tuple[float, float]], start_s: float, end_s: float) -> float:
    """Return how much of ``[start_s, end_s)`` the runs cover, in seconds."""
    return sum(max(0.0, min(end, end_s) - max(start, start_s)) for start, end in runs_s)


def chunk_at(recording: Recording, t_s: float) -> Stamped | None:
    """Return the `AudioOut` that plays at a time; ``None`` where the recording does not tell."""
    for event in reversed(recording.events):
        if event.kind == "audio":
            start_s = float(event.data["start_s"])
            # Half a level frame: the onset lies on a grid of 10 ms, the chunk on samples.
            if start_s - 0.01 <= t_s < start_s + float(event.data["duration_s"]):
                return event
    return None


def _joined(events: Iterable[Stamped]) -> str | None:
    pieces = [str(event.data["text"]) for event in events]
    return " ".join(" ".join(pieces).split()) if pieces else None


def _yielded_before(recording: Recording, onset_s: float, t_s: float) -> bool:
    chunk = chunk_at(recording, onset_s)
    return chunk is not None and chunk.t_s < t_s
