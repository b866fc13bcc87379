"""One conversation, played: a system and a simulated user on one clock.

The system's generator is driven here and nowhere else. Whatever it does, raise, yield garbage,
never stop, ends as a `Recording` or as one `SystemFailed` with the reason.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from cascadence.audio import Audio
from cascadence.clock import Clock
from cascadence.conversation import Aside, Backchannel, Conversation
from cascadence.degradation_channel import Surroundings, UserChannel
from cascadence.errors import CascadenceError
from cascadence.events import AudioOut, ClearAudio, EndOfTurn, Event, Stamped, audio_of, stamp
from cascadence.playout import PlayoutQueue
from cascadence.protocols import FRAME_S, INPUT_RATE, Answer, Context, System
from cascadence.recording import Recording
from cascadence.simulator import SimulatedUser, UserBehaviour


class SystemFailed(CascadenceError):
    """A system raised, or yielded what nobody can play; the conversation has no result.

    Attributes:
        trace: the traceback, for the run's record.
    """

    def __init__(self, what: str, where: str, trace: str = "") -> None:
        """Keep the reason and the traceback."""
        super().__init__(what, where)
        self.trace = trace


@dataclass(frozen=True, slots=True)
class Script:
    """What is played to a system.

    Attributes:
        conversation: the manifest's.
        clips: one a turn, any rate; under a condition, as they arrive at the microphone.
        cell: name of the system, corpus and condition together.
        repeat: from 0.
        seed: for the system; differs between repeats.
        behaviour: the user's patience.
        surroundings: what is around the user, under a condition.
    """

    conversation: Conversation
    clips: Sequence[Audio]
    cell: str = ""
    repeat: int = 0
    seed: int = 0
    behaviour: UserBehaviour = field(default_factory=UserBehaviour)
    surroundings: Surroundings = field(default_factory=Surroundings)


class _Microphone:
    """`AudioIn` over the simulated user: hands frames out when they have arrived on the clock."""

    def __init__(self, user: SimulatedUser, clock: Clock) -> None:
        self.over = False
        self._user = user
        self._clock = clock
        self._handed_out = 0
        self._made: list[Audio] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Audio:
        self._clock.leave_system()
        try:
            self._clock.wait_until((self._handed_out + 1) * FRAME_S)
            frame = self._take()
        finally:
            self._clock.enter_system()
        if frame is None:
            raise StopIteration
        return frame

    def poll(self) -> Audio | None:
        if self.over or self._clock.now_s() < (self._handed_out + 1) * FRAME_S:
            return None
        self._clock.leave_system()
        try:
            return self._take()
        finally:
            self._clock.enter_system()

    @property
    def position_s(self) -> float:
        return self._handed_out * FRAME_S

    def catch_up(self, t_s: float) -> None:
        """Let the user live on to ``t_s``, though the system has not asked for the frames yet."""
        while not self.over and self._user.position_s + FRAME_S <= t_s:
            self._make()

    def _make(self) -> None:
        frame = self._user.frame()
        if frame is None:
            self.over = True
        else:
            self._made.append(frame)

    def _take(self) -> Audio | None:
        while not self._made and not self.over:
            self._make()
        if not self._made:
            return None
        self._handed_out += 1
        return self._made.pop(0)


class _ManifestOracle:
    """`Oracle` over the turns that the user has begun."""

    def __init__(self, conversation: Conversation, user: SimulatedUser) -> None:
        self._conversation = conversation
        self._user = user

    def answers(self) -> Sequence[Answer]:
        answers = []
        for played in self._user.turns:
            turn = self._conversation.turns[played.index]
            is_addressed = not isinstance(turn.when, Aside | Backchannel)
            answers.append(
                Answer(
                    start_s=played.speech_start_s,
                    end_s=played.speech_end_s,
                    text=turn.text,
                    reply_text=turn.expect.reply_text or "".join(turn.expect.answer[:1]),
                    stay_silent=turn.expect.stay_silent or not is_addressed,
                    is_addressed=is_addressed,
                )
            )
        return answers


def play(system: System, script: Script, clock: Clock) -> Recording:
    """Play one conversation to a system that has been entered.

    Args:
        system: entered, so that loading is not on the clock.
        script: what to play.
        clock: started just now.

    Raises:
        SystemFailed: the system raised, or yielded garbage.
    """
    info = system.info
    playout = PlayoutQueue(info.output_rate, clock.now_s)
    clips = [clip.at_rate(INPUT_RATE) for clip in script.clips]
    channel = UserChannel(clips, script.surroundings)
    user = SimulatedUser(script.conversation, channel, playout, script.behaviour)
    microphone = _Microphone(user, clock)
    context = Context(
        language=script.conversation.language,
        seed=script.seed,
        playout=playout,
        instructions=script.conversation.instructions,
        oracle=_ManifestOracle(script.conversation, user) if info.sees_answers else None,
    )
    stamped: list[Stamped] = []
    where = f"{info.name}, conversation {script.conversation.id}"
    events = iter(system.converse(microphone, context))
    try:
        _drive(events, microphone, clock, playout, stamped, info.output_rate)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise SystemFailed(reason, where, traceback.format_exc()) from error
    while not microphone.over:
        microphone.catch_up(user.position_s + 1.0)
    said = user.render()
    return Recording(
        conversation_id=script.conversation.id,
        cell=script.cell,
        repeat=script.repeat,
        user=said,
        system=playout.render(said.duration_s),
        events=tuple(stamped),
        turns=tuple(user.turns),
        stalls=tuple(playout.stalls),
        clock=clock.kind,
        compute_s=clock.compute_s,
    )


def _drive(
    events: Iterator[Event],
    microphone: _Microphone,
    clock: Clock,
    playout: PlayoutQueue,
    stamped: list[Stamped],
    output_rate: int,
) -> None:
    """Pull events until the system or the user is done."""
    clock.enter_system()
    try:
        while True:
            event = _next_event(events, microphone)
            clock.leave_system()
            if event is None:
                return
            t_s = clock.now_s()
            microphone.catch_up(t_s)
            if microphone.over:
                return
            stamped.append(_take(event, t_s, playout, output_rate))
            clock.enter_system()
    finally:
        clock.leave_system()
        close = getattr(events, "close", None)
        if close is not None:
            close()


def _next_event(events: Iterator[Event], microphone: _Microphone) -> Event | None:
    try:
        return next(events, None)
    except RuntimeError as error:
        # A bare next(audio_in) inside a generator turns the end of the conversation into this (PEP
        # 479).
        if microphone.over and isinstance(error.__cause__, StopIteration):
            return None
        raise


def _take(event: Event, t_s: float, playout: PlayoutQueue, output_rate: int) -> Stamped:
    """Let one event take effect, and write it down."""
    if isinstance(event, AudioOut):
        audio = audio_of(event, output_rate, f"AudioOut at {t_s:.2f} s")
        start_s = playout.add(audio, t_s)
        data = {"start_s": round(start_s, 6), "duration_s": round(audio.duration_s, 6)}
        return Stamped(t_s, "audio", data)
    if isinstance(event, ClearAudio):
        playout.clear(t_s)
    elif isinstance(event, EndOfTurn):
        playout.end_reply()
    return stamp(event, t_s)
