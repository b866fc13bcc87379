"""When to answer and when to stop: the same endpointing and barge-in for every half-duplex system.

`HalfDuplex` makes a `System` of anything that can answer one turn (a `Replier`), so that
turn-taking never decides a comparison by accident. Every rule and threshold is in `TurnTaking`, and
is written into the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

from cascadence.audio import Audio, concatenate
from cascadence.errors import CascadenceError
from cascadence.events import ClearAudio, EndOfTurn, Event, Mark
from cascadence.protocols import (
    FRAME_S,
    INPUT_RATE,
    AudioIn,
    Context,
    Exchange,
    Playout,
    Replier,
    SystemInfo,
    Turn,
)
from cascadence.systems.history import Said
from cascadence.systems.noise_gate import NoiseGate
from cascadence.systems.vad import Vad, VadName, make_vad

CHECK_S = 0.12
"""A system that hears the end of a turn is asked after this much silence, twice as much, ..."""
LISTEN_S = 0.2
"""A system that hears along is given the turn so far after this much silence."""
_HYSTERESIS = 0.15
_RUN_GAP_S = 0.1


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """The rules of the floor.

    Attributes:
        vad: ``silero`` or ``energy``.
        threshold: speech begins at this probability; it ends 0.15 below.
        noise_gate_db: what is so far below the user's speech, and no louder than the noise between
            turns, is not the user (see `NoiseGate`); ``None``: whatever sounds like speech is.
        silence_s: a turn is over after this much silence.
        end: ``silence`` waits for that, the same for every system; ``own`` also asks the system
            itself (see `HearsTurnEnd`) at every `CHECK_S` of silence.
        end_threshold: of the system's own probability that the turn is over.
        min_speech_s: less speech than this is a click, and no turn.
        pre_roll_s: kept from before the first frame of speech, for the recogniser.
        max_turn_s: the turn is taken as over after this long, whatever is heard.
        barge_in: whether the user can stop a reply; if not, what is said during it is not
            listened to.
        barge_in_s: this much speech without a break stops a reply; less is a backchannel and is
            passed over.
        resume_s: who speaks again so soon after a reply's first sound cannot have reacted to it:
            the turn was not over, and goes on (see `join_unanswered`).
    """

    vad: VadName = "silero"
    threshold: float = 0.5
    noise_gate_db: float | None = 6.0
    silence_s: float = 0.5
    end: Literal["silence", "own"] = "silence"
    end_threshold: float = 0.5
    min_speech_s: float = 0.1
    pre_roll_s: float = 0.3
    max_turn_s: float = 60.0
    barge_in: bool = True
    barge_in_s: float = 0.2
    resume_s: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.vad not in ("silero", "energy"):
            raise CascadenceError(f"no such vad: {self.vad!r}", "turn_taking.vad", "silero, energy")
        if self.end not in ("silence", "own"):
            raise CascadenceError(f"no such end: {self.end!r}", "turn_taking.end", "silence, own")
        for name in ("threshold", "end_threshold"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise CascadenceError("must lie between 0 and 1", f"turn_taking.{name}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_s") and not value >= 0.0:
                raise CascadenceError("must not be negative", f"turn_taking.{field.name}")
        if self.noise_gate_db is not None and not self.noise_gate_db > 0.0:
            raise CascadenceError("must be positive, or null", "turn_taking.noise_gate_db")

    @classmethod
    def of(cls, spec: TurnTaking | Mapping[str, Any] | None) -> TurnTaking:
        """Build it from what a sweep says.

        Args:
            spec: the thing itself, a mapping of its fields, or ``None`` for the defaults.

        Raises:
            CascadenceError: an unknown field, or a value that cannot work.
        """
        if isinstance(spec, TurnTaking):
            return spec
        known = [each.name for each in fields(cls)]
        for name in spec or {}:
            if name not in known:
                raise CascadenceError(
                    f"turn_taking has no {name!r}", "turn_taking", f"known: {', '.join(known)}"
                )
        return cls(**dict(spec or {}))


@runtime_checkable
class HearsTurnEnd(Protocol):
    """What a replier adds to take part in deciding when the user has finished."""

    def turn_end(self, audio: Audio) -> float:
        """Return how likely it is, in [0, 1], that a turn is over: 16 kHz, up to now."""


@runtime_checkable
class HearsAlong(Protocol):
    """What a replier adds to use the user's pauses, rather than begin to hear at the decision."""

    def hear_so_far(self, audio: Audio) -> None:
        """Hear what may be a whole turn: 16 kHz, `LISTEN_S` after its last speech.

        The turn, if it is over, is this audio and silence (see `Turn.silence_s`); if it goes on,
        this is called again at its next pause. It runs while the user may be speaking, and takes
        its time on the conversation's clock like everything else.
        """


class _Endpointing:
    """Listens frame by frame: has a turn begun, and is it over?"""

    def __init__(self, rules: TurnTaking, vad: Vad, replier: object = None) -> None:
        self._rules = rules
        self._vad = vad
        self._turn_end: Callable[[Audio], float] | None = None
        self._hear_so_far: Callable[[Audio], None] | None = None
        if rules.end == "own" and isinstance(replier, HearsTurnEnd):
            # Asked for the end of the turn, it has to hear along anyway.
            self._turn_end = replier.turn_end
        elif isinstance(replier, HearsAlong):
            self._hear_so_far = replier.hear_so_far
        self._pre_roll: deque[Audio] = deque(maxlen=round(rules.pre_roll_s / FRAME_S))
        self._frames: list[Audio] = []
        self._speech_frames = 0
        self._silent_frames = 0
        self._run_frames = 0

    def push(self, frame: Audio) -> bool:
        """Hear one frame; return whether it ends a turn, which `take` then hands out."""
        bar = self._rules.threshold - (_HYSTERESIS if self._speaking else 0.0)
        speech = self._vad.probability(frame) >= bar
        if not self._frames:
            if not speech:
                self._pre_roll.append(frame)
                return False
            self._frames = list(self._pre_roll)
            self._pre_roll.clear()
        self._frames.append(frame)
        if speech:
            if self._silent_frames * FRAME_S > _RUN_GAP_S:
                self._run_frames = 0
            self._speech_frames += 1
            self._run_frames += 1
            self._silent_frames = 0
        else:
            self._silent_frames += 1
            if self._hear_so_far and self._silent_frames == round(LISTEN_S / FRAME_S):
                self._hear_so_far(concatenate(self._frames, INPUT_RATE))
        return self._over()

    def take(self, end_s: float) -> Turn:
        """Hand out the turn that ends at ``end_s``, and listen for the next."""
        audio = concatenate(self._frames, INPUT_RATE)
        silence_s = self._silent_frames * FRAME_S
        self._frames = []
        self._forget()
        return Turn(audio, end_s - audio.duration_s, end_s, silence_s)

    def drop(self) -> None:
        """Pass over what was heard, and keep its end as the beginning of what may follow."""
        self._pre_roll.extend(self._frames)
        self._frames = []
        self._forget()

    def drop_backchannel(self) -> None:
        """A reply has ended: pass over what was said during it, unless that still goes on."""
        if not self._speaking and not self.barged_in:
            self.drop()

    @property
    def barged_in(self) -> bool:
        """Whether the user has spoken for long enough to stop a reply."""
        if not self._rules.barge_in or not self._frames:
            return False
        return self.spoken_s >= self._rules.barge_in_s - 1e-9

    @property
    def spoken_s(self) -> float:
        """For how long the user has been speaking without a break."""
        return self._run_frames * FRAME_S

    @property
    def _speaking(self) -> bool:
        return bool(self._frames) and self._silent_frames * FRAME_S <= _RUN_GAP_S

    def _over(self) -> bool:
        if len(self._frames) * FRAME_S >= self._rules.max_turn_s:
            return True
        is_speech = self._speech_frames * FRAME_S >= self._rules.min_speech_s - 1e-9
        if self._silent_frames * FRAME_S < self._rules.silence_s - 1e-9:
            return is_speech and self._ends_by_itself()
        if is_speech:
            return True
        self.drop()
        return False

    def _ends_by_itself(self) -> bool:
        """Ask the system whether the turn is over, every `CHECK_S` of silence."""
        step = round(CHECK_S / FRAME_S)
        if self._turn_end is None or not self._silent_frames or self._silent_frames % step:
            return False
        said = concatenate(self._frames, INPUT_RATE)
        return self._turn_end(said) >= self._rules.end_threshold

    def _forget(self) -> None:
        self._speech_frames = 0
        self._silent_frames = 0
        self._run_frames = 0


class _Ears:
    """The user's microphone with endpointing behind it."""

    def __init__(self, audio_in: AudioIn, endpointing: _Endpointing) -> None:
        self._audio_in = audio_in
        self._endpointing = endpointing

    def next_turn(self) -> Turn | None:
        """Wait until the user has said something; ``None`` once the conversation is over."""
        self._endpointing.drop_backchannel()
        for frame in self._audio_in:
            if self._endpointing.push(frame):
                return self._endpointing.take(self._audio_in.position_s)
        return None

    def catch_up(self) -> bool:
        """Hear what has arrived in the meantime; return whether the user has barged in."""
        while not self._endpointing.barged_in and (frame := self._audio_in.poll()) is not None:
            self._hear(frame)
        return self._endpointing.barged_in

    @property
    def barged_in(self) -> bool:
        """Whether the user has spoken for long enough to stop a reply."""
        return self._endpointing.barged_in

    @property
    def spoken_s(self) -> float:
        """For how long the user has been speaking without a break."""
        return self._endpointing.spoken_s

    def next_frame(self) -> bool:
        """Wait for a frame, and hear it; return whether there was one."""
        for frame in self._audio_in:
            self._hear(frame)
            return True
        return False

    def _hear(self, frame: Audio) -> None:
        if self._endpointing.push(frame):
            # A turn that ends while the system holds the floor was too short to take it away: a
            # backchannel.
            self._endpointing.drop()


def _detector(rules: TurnTaking) -> Vad:
    vad = make_vad(rules.vad)
    return vad if rules.noise_gate_db is None else NoiseGate(vad, rules.noise_gate_db)


class HalfDuplex:
    """A `System` that answers once the user has finished, and yields when interrupted.

    A reply is stopped by `TurnTaking.barge_in_s` of speech, whether it is playing or still being
    made. The history keeps what was heard of it (nothing, if the user was just going on: see
    `TurnTaking.resume_s`), and the user's speech becomes the next turn, with its beginning.
    """

    def __init__(
        self,
        replier: Replier,
        turn_taking: TurnTaking | Mapping[str, Any] | None = None,
        vad: Vad | None = None,
    ) -> None:
        """Wrap a replier.

        Args:
            replier: answers one turn.
            turn_taking: the rules, or a mapping of their fields.
            vad: a detector to be used instead of the one that the rules name.

        Raises:
            CascadenceError: ``end: own`` for a replier that does not hear the end of a turn.
        """
        self.replier = replier
        self.turn_taking = TurnTaking.of(turn_taking)
        if self.turn_taking.end == "own" and not isinstance(replier, HearsTurnEnd):
            raise CascadenceError(
                "this system does not hear the end of a turn", "turn_taking.end", "silence"
            )
        self._vad = vad or _detector(self.turn_taking)

    @property
    def info(self) -> SystemInfo:
        """The replier's, with the rules of the floor among the parameters."""
        inner = self.replier.info
        rules = {**asdict(self.turn_taking), "vad_revision": self._vad.revision}
        return replace(
            inner,
            duplex="half",
            parameters={**inner.parameters, "turn_taking": rules},
            weights=(*inner.weights, *self._vad.weights),
        )

    def __enter__(self) -> Self:
        """Load the detector and the replier."""
        self._vad.load()
        self.replier.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the replier."""
        self.replier.__exit__(kind, error, trace)

    def converse(self, audio_in: AudioIn, context: Context) -> Iterator[Event]:
        """Talk for one conversation."""
        self._vad.reset()
        ears = _Ears(audio_in, _Endpointing(self.turn_taking, self._vad, self.replier))
        history: list[Exchange] = []
        while (turn := ears.next_turn()) is not None:
            yield Mark("endpoint", "end")
            said = Said(context.playout, context.playout.played_s)
            complete = yield from self._generate(turn, tuple(history), context, ears, said)
            if complete and self._heard_out(context.playout, ears):
                history.append(Exchange(turn, said.heard, said.all()))
                continue
            goes_on = said.played_s - ears.spoken_s < self.turn_taking.resume_s
            words = "" if goes_on else said.cut(complete)
            history.append(Exchange(turn, said.heard, words, interrupted=True))
            yield ClearAudio()

    def _generate(
        self,
        turn: Turn,
        history: Sequence[Exchange],
        context: Context,
        ears: _Ears,
        said: Said,
    ) -> Generator[Event, None, bool]:
        """Pass the reply on as it is made; return whether it was completed."""
        reply = self.replier.reply(turn, history, context)
        try:
            for event in reply:
                if ears.catch_up():
                    return False
                said.note(event)
                yield event
        finally:
            close = getattr(reply, "close", None)
            if close is not None:
                close()
        if said.anything and not said.ended:
            yield EndOfTurn()
        return True

    def _heard_out(self, playout: Playout, ears: _Ears) -> bool:
        """Listen while the reply plays; return whether it was heard to its end."""
        while playout.remaining_s > 0.0 and ears.next_frame():
            if ears.barged_in:
                return False
        return True
