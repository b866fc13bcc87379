"""What the two sides have heard of each other: replies cut short, turns left unanswered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cascadence.events import AudioOut, EndOfTurn, Event, Heard, TextOut, ToolCall
from cascadence.protocols import Exchange, Playout

_WORDS_PER_S = 3.0
_NO_WORDS = "…"
"""Stands in the history for a reply that was heard, but whose words the system did not tell."""


def join_unanswered(
    history: Sequence[Exchange],
) -> tuple[tuple[Exchange, ...], tuple[Exchange, ...]]:
    """Join turns to which no answer was heard to those that followed.

    Somebody pauses for thought within a sentence, the system takes the turn for over, and they go
    on before they can have heard what it says: both pieces are one request.

    Args:
        history: as `HalfDuplex` hands it to a replier.

    Returns:
        The exchanges that ended in an answer, each with everything it answers in ``heard``; and the
        newest turns, which still wait for one.
    """
    answered: list[Exchange] = []
    pending: list[Exchange] = []
    for exchange in history:
        if exchange.interrupted and not exchange.said:
            pending.append(exchange)
            continue
        heard = " ".join(filter(None, (each.heard for each in (*pending, exchange))))
        answered.append(replace(exchange, heard=heard))
        pending = []
    return tuple(answered), tuple(pending)


@dataclass(slots=True)
class _Sentence:
    text: str
    duration_s: float = 0.0


@dataclass(slots=True)
class Said:
    """What the system means to say in one reply, and how much of it has been heard.

    Attributes:
        playout: tells how much has been played.
        before_s: how much of earlier replies had been played when this one began.
        heard: what the system understood of the turn.
        anything: whether there was a reply at all: sound, words or a tool call.
        ended: whether the replier itself ended the reply.
        sentences: a text and the sound that followed it, in order.
    """

    playout: Playout
    before_s: float
    heard: str = ""
    anything: bool = False
    ended: bool = False
    sentences: list[_Sentence] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """Take down what the replier yields."""
        match event:
            case Heard(text):
                self.heard = f"{self.heard} {text}".strip()
            case TextOut(text):
                if self.sentences and not self.sentences[-1].duration_s:
                    self.sentences[-1].text += f" {text}"
                else:
                    self.sentences.append(_Sentence(text))
            case AudioOut(samples, sample_rate):
                if not self.sentences:
                    self.sentences.append(_Sentence(""))
                self.sentences[-1].duration_s += len(samples) / sample_rate
            case EndOfTurn():
                self.ended = True
        self.anything |= isinstance(event, AudioOut | TextOut | ToolCall)

    def all(self) -> str:
        """Return all words of the reply."""
        words = " ".join(" ".join(s.text for s in self.sentences).split())
        return words or (_NO_WORDS if self.sentences else "")

    @property
    def played_s(self) -> float:
        """How much of the reply has been played."""
        return self.playout.played_s - self.before_s

    def cut(self, complete: bool) -> str:
        """Return the words heard by now: whole sentences, then words in proportion to time.

        Args:
            complete: whether all audio of the last sentence had been made; if not, its length
                is estimated.
        """
        left_s = self.played_s
        words: list[str] = []
        for sentence in self.sentences:
            own = sentence.text.split()
            duration_s = sentence.duration_s
            if sentence is self.sentences[-1] and not complete:
                duration_s = max(duration_s, len(own) / _WORDS_PER_S)
            if left_s >= duration_s - 1e-6:
                words += own if duration_s > 0.0 else []
                left_s -= duration_s
                continue
            words += own[: int(len(own) * left_s / duration_s)]
            break
        wordless = not any(sentence.text for sentence in self.sentences)
        if wordless and self.played_s > 0.0:
            return _NO_WORDS
        return " ".join(words)
