"""The assistant's dialogue policy: one deterministic reply to every turn."""

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from cascadence.data_manifests.assistant.frames import Frame
from cascadence.data_manifests.assistant.intents import (
    INTENTS,
    REPLY_CANCELLED,
    REPLY_DECLINED,
    REPLY_NOT_CAUGHT,
    REPLY_NOTHING_TO_CANCEL,
    render_reply,
)
from cascadence.data_manifests.assistant.understanding import (
    DialogueState,
    Understanding,
    understand,
)

Kind = Literal["answer", "correction", "clarify", "decline", "nothing"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the assistant says.

    Attributes:
        text: Its words; empty if it stays silent.
        intent: The intent that it answers, or nothing.
        slots: The values that it has understood, open slots left out.
        kind: Whether it answers, answers a correction, asks back, declines or stays silent.
    """

    text: str
    intent: str | None = None
    slots: dict[str, str] = field(default_factory=dict)
    kind: Kind = "answer"


@cache
def _prepare() -> None:
    """Build every index once, so that the first turn is answered as fast as the others."""
    understand("Call Xqzt in Xqztville about the xqzt, please.", DialogueState())


class Policy:
    """Answers the turns of one conversation, one after the other."""

    def __init__(self) -> None:
        """Start a conversation."""
        _prepare()
        self.state = DialogueState()

    def reset(self) -> None:
        """Forget everything that was said."""
        self.state = DialogueState()

    def reply(self, user_text: str) -> Reply:
        """Answer a turn.

        Args:
            user_text: What the user said, as an ASR wrote it.

        Returns:
            The reply. It says every value back that it acts on, asks for one that is missing,
            declines what is outside the domain, and is silent if nothing was said.
        """
        meant = understand(user_text, self.state)
        reply = self._respond(meant)
        if reply.kind != "nothing":
            self.state.last_reply = reply.text
        return reply

    def _respond(self, meant: Understanding) -> Reply:
        """Decide on the reply and remember what it is about."""
        if meant.act == "silence":
            return Reply("", kind="nothing")
        if meant.act == "repeat":
            if not self.state.last_reply:
                return Reply(REPLY_NOT_CAUGHT, kind="clarify")
            return Reply(self.state.last_reply, "repeat_last")
        if meant.act == "cancel":
            return self._cancel()
        if meant.intent is None:
            if meant.act == "noise":
                return Reply(REPLY_NOT_CAUGHT, kind="clarify")
            self._close_question()
            return Reply(REPLY_DECLINED, kind="decline")
        return self._serve(meant.intent, meant.slots, meant.correction)

    def _cancel(self) -> Reply:
        """Take the last request or the open question back."""
        state = self.state
        something = state.pending or (state.last and INTENTS[state.last.intent].slots)
        self._close_question()
        state.last = None
        return Reply(REPLY_CANCELLED if something else REPLY_NOTHING_TO_CANCEL, "cancel_last")

    def _close_question(self) -> None:
        """Stop waiting for a value."""
        self.state.pending = self.state.pending_slot = None

    def _serve(self, intent: str, slots: dict[str, str], correction: bool) -> Reply:
        """Answer a request, or ask for the first value that is missing."""
        state = self.state
        for slot in INTENTS[intent].slots:
            if slot.name in slots:
                state.focus[slot.type] = slots[slot.name]
                if slot.type in ("name", "contact"):
                    state.focus.update(contact=slots[slot.name], name=slots[slot.name])
        for slot in INTENTS[intent].required:
            if slot.name not in slots:
                state.pending, state.pending_slot = Frame(intent, slots), slot.name
                return Reply(slot.ask, intent, slots, "clarify")
        self._close_question()
        text = render_reply(intent, slots, correction)
        if text == REPLY_DECLINED:
            return Reply(text, kind="decline")
        state.last = Frame(intent, slots, complete=True)
        return Reply(text, intent, slots, "correction" if correction else "answer")
