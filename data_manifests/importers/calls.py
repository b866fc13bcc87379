"""What importers of recorded calls share: from spans of speech to turns of a conversation.

Logs of calls tell roughly when somebody spoke, the sound tells exactly. So each span from a log is
measured again in the sound around it, without reaching into the spans beside it. Somebody who
begins while the other is audible interrupts, whatever was meant by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cascadence.audio import Audio, audible_runs
from cascadence.conversation import (
    AfterReply,
    Aside,
    At,
    AudioRef,
    Backchannel,
    BargeIn,
    UserTurn,
    When,
)
from cascadence.data_manifests.importers.questions import BadItem, measured_span
from cascadence.events import Stamped
from cascadence.recording import REPLY_BRIDGE_S

JUST_AFTER_S = 0.020
"""Words that are known to have been said, but not when they were thought of, are put this long
after the reply has begun: late enough that nobody takes them for its first token."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One stretch of the user's speech, as a log tells it.

    Attributes:
        start_s: on the recording's clock.
        end_s: on the same.
        text: what was said.
        kind: ``turn``, ``backchannel`` or ``aside``.
    """

    start_s: float
    end_s: float
    text: str
    kind: str = "turn"


@dataclass(frozen=True, slots=True)
class Call:
    """The user's side of a recording.

    Attributes:
        turns: for the manifest.
        starts_s: of their clips.
        rough: how many of them could not be measured and have the log's times.
    """

    turns: tuple[UserTurn, ...]
    starts_s: tuple[float, ...]
    rough: int


def call_of(
    spoken: Sequence[Spoken],
    user: Audio,
    heard: Audio,
    path: str,
    channel: int | None,
    slack_s: float,
) -> Call:
    """Make turns of what the user said.

    Args:
        spoken: in order of time.
        user: the user's channel.
        heard: the system's channel.
        path: of the file that the clips are parts of.
        channel: of the file.
        slack_s: how far the log may be off, to either side.

    Raises:
        BadItem: the user says nothing.
    """
    runs_s = audible_runs(heard, bridge_s=REPLY_BRIDGE_S)
    turns: list[UserTurn] = []
    starts_s: list[float] = []
    rough, free_s = 0, 0.0
    for one, following in zip(spoken, [*spoken[1:], None], strict=False):
        limit_s = user.duration_s if following is None else max(one.end_s, following.start_s)
        start_s = max(free_s, one.start_s - slack_s)
        end_s = min(one.end_s + slack_s, limit_s, user.duration_s)
        if end_s <= start_s:
            continue
        try:
            speech_s = measured_span(user, start_s, end_s)
        except BadItem:
            rough += 1
            speech_s = max(start_s, one.start_s), min(end_s, one.end_s)
        free_s = speech_s[1]
        when = _when(one, speech_s[0], runs_s, is_first=not turns)
        turns.append(_turn(one, path, channel, (start_s, end_s), speech_s, when))
        starts_s.append(start_s)
    if not turns:
        raise BadItem("the user says nothing")
    return Call(tuple(turns), tuple(starts_s), rough)


def said_at(t_s: float, heard_runs_s: Sequence[tuple[float, float]]) -> float:
    """Return where to put words that belong to the reply that is next, or going on, at a time.

    Args:
        t_s: when they were logged.
        heard_runs_s: when the system was audible.
    """
    begun_s = next((start for start, end in heard_runs_s if end > t_s), t_s)
    return round(max(t_s, begun_s + JUST_AFTER_S), 4)


def in_order(events: Sequence[Stamped]) -> tuple[Stamped, ...]:
    """Sort events by time; those of one time stay as they are."""
    return tuple(sorted(events, key=lambda event: event.t_s))


def _turn(
    one: Spoken,
    path: str,
    channel: int | None,
    part_s: tuple[float, float],
    speech_s: tuple[float, float],
    when: When,
) -> UserTurn:
    start_s, end_s = part_s
    return UserTurn(
        text=one.text,
        audio=AudioRef(path=path, channel=channel, start_s=start_s, end_s=end_s),
        speech_s=(round(speech_s[0] - start_s, 4), round(speech_s[1] - start_s, 4)),
        when=when,
    )


def _when(
    one: Spoken, start_s: float, runs_s: Sequence[tuple[float, float]], is_first: bool
) -> When:
    onset_s = next((a for a, b in runs_s if a <= start_s < b), None)
    if one.kind == "aside":
        into = onset_s is not None and not is_first
        return Aside(after_onset_s=_since(onset_s, start_s)) if into else Aside()
    if is_first:
        # Before the first turn there is no reply, only a greeting.
        return AfterReply() if onset_s is None else At(t_s=round(start_s, 4))
    if one.kind == "backchannel":
        return Backchannel(after_onset_s=_since(onset_s, start_s))
    return AfterReply() if onset_s is None else BargeIn(after_onset_s=_since(onset_s, start_s))


def _since(onset_s: float | None, start_s: float) -> float:
    return 0.0 if onset_s is None else round(start_s - onset_s, 4)
