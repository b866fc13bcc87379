"""The simulated user: plays the manifest's turns and decides, by ear alone, when to speak next.

Causal: the frame that covers ``[t, t + 20 ms)`` depends only on what was played before ``t``. The
    user reacts to what is
audible, never to what a system declares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cascadence.audio import Audio
from cascadence.conversation import (
    AfterReply,
    Aside,
    At,
    Conversation,
    UserTurn,
)
from cascadence.degradation_channel import UserChannel
from cascadence.playout import PlayoutQueue
from cascadence.protocols import FRAME_S, INPUT_RATE

Trigger = Literal["start", "reply_ended", "onset", "time", "patience", "talked_over"]


@dataclass(frozen=True, slots=True)
class UserBehaviour:
    """How patient the user is; the same for every system of a sweep, and written into the run.

    Attributes:
        patience_s: without an answer, the user goes on (or leaves) after this long.
        silence_patience_s: the same, after a turn that needs no answer.
        longest_reply_s: the user talks over a reply that is still going on after this long.
        tail_s: silence after the last reply before the user leaves.
    """

    patience_s: float = 10.0
    silence_patience_s: float = 3.0
    longest_reply_s: float = 30.0
    tail_s: float = 2.0


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """A user turn as it happened.

    Attributes:
        index: in the manifest's conversation.
        start_s: of the clip.
        speech_start_s: true start of the speech.
        speech_end_s: true end of the speech.
        trigger: what made the user speak: ``patience`` and ``talked_over`` mean that the manifest's
            ``when`` was not met.
        claims_floor: whether an answer may follow; what is said under a reply claims nothing.
    """

    index: int
    start_s: float
    speech_start_s: float
    speech_end_s: float
    trigger: Trigger
    claims_floor: bool = True


class SimulatedUser:
    """Plays one conversation, frame by frame."""

    def __init__(
        self,
        conversation: Conversation,
        channel: UserChannel,
        playout: PlayoutQueue,
        behaviour: UserBehaviour,
    ) -> None:
        """Prepare to speak.

        Args:
            conversation: what to say, and when.
            channel: at its start; what it makes of the turns is what the system hears.
            playout: what the system is heard to say.
            behaviour: the user's patience.
        """
        self.turns: list[PlayedTurn] = []
        self._manifest = conversation.turns
        self._channel = channel
        self._playout = playout
        self._behaviour = behaviour
        self._spoken: list[np.ndarray] = []
        self._floor_turn: PlayedTurn | None = None

    def frame(self) -> Audio | None:
        """Return the next frame of `FRAME_SAMPLES`, or ``None`` once the user has left."""
        t_s = len(self._spoken) * FRAME_S
        self._playout.listen(t_s)
        if not self._channel.speaking:
            if len(self.turns) < len(self._manifest):
                trigger = self._trigger(self._manifest[len(self.turns)], t_s)
                if trigger is not None:
                    self._begin_turn(t_s, trigger)
            elif self._conversation_over(t_s):
                return None
        samples = self._channel.frame()
        self._spoken.append(samples)
        return Audio(samples, INPUT_RATE)

    @property
    def position_s(self) -> float:
        """End of the last frame made."""
        return len(self._spoken) * FRAME_S

    def render(self) -> Audio:
        """Return everything that was heard so far, what is between the turns included."""
        if not self._spoken:
            return Audio(np.zeros(0, dtype=np.float32), INPUT_RATE)
        return Audio(np.concatenate(self._spoken), INPUT_RATE)

    def _begin_turn(self, t_s: float, trigger: Trigger) -> None:
        index = len(self.turns)
        turn = self._manifest[index]
        start_s, end_s = turn.speech_s
        claims_floor = not turn.is_under_reply
        played = PlayedTurn(index, t_s, t_s + start_s, t_s + end_s, trigger, claims_floor)
        self.turns.append(played)
        self._channel.begin(index)
        if claims_floor:
            self._floor_turn = played

    def _trigger(self, turn: UserTurn, t_s: float) -> Trigger | None:
        lead_s = turn.speech_s[0]
        when = turn.when
        if isinstance(when, At):
            return "time" if t_s >= when.t_s - lead_s - 1e-9 else None
        if self._floor_turn is None:
            gap_s = when.gap_s if isinstance(when, AfterReply | Aside) else 0.0
            return "start" if t_s >= gap_s - lead_s - 1e-9 else None
        since_s = self._floor_turn.speech_end_s
        onset_s = self._playout.first_onset_s(since_s)
        if onset_s is None:
            return "patience" if t_s - since_s >= self._patience_s() else None
        into_s = None if isinstance(when, AfterReply) else when.after_onset_s
        if into_s is not None:
            return "onset" if t_s >= onset_s + into_s - lead_s - 1e-9 else None
        gap_s = when.gap_s if isinstance(when, AfterReply | Aside) else 0.0
        if t_s - self._playout.last_audible_s >= gap_s - lead_s - 1e-9:
            return "reply_ended"
        return "talked_over" if t_s - since_s >= self._behaviour.longest_reply_s else None

    def _conversation_over(self, t_s: float) -> bool:
        last = self._floor_turn or self.turns[-1]
        if t_s < max(turn.speech_end_s for turn in self.turns):
            return False
        if self._playout.first_onset_s(last.speech_end_s) is None:
            return t_s - last.speech_end_s >= self._patience_s()
        if t_s - self._playout.last_audible_s >= self._behaviour.tail_s:
            return True
        return t_s - last.speech_end_s >= self._behaviour.longest_reply_s

    def _patience_s(self) -> float:
        last = self._manifest[self._floor_turn.index if self._floor_turn else 0]
        needs_no_answer = last.expect.stay_silent or isinstance(last.when, Aside)
        behaviour = self._behaviour
        return behaviour.silence_patience_s if needs_no_answer else behaviour.patience_s
