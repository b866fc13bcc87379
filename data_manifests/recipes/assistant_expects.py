"""What a reply without values must say to count: a refusal, a question back, a cancellation."""

from __future__ import annotations

import re
from typing import Final

from cascadence.data_manifests.assistant.intents import (
    REPLY_CANCELLED,
    REPLY_DECLINED,
    REPLY_NOTHING_TO_CANCEL,
)
from cascadence.data_manifests.assistant.scenes import Line

DECLINED: Final = (
    "cannot help",
    "not able",
    "unable",
    "cannot do",
    "cannot answer",
    "cannot assist",
    "do not know",
    "sorry",
)
"""Ways to say that a request is outside of what an assistant does."""
CANCELLED: Final = ("cancelled", "canceled", "cancel", "undone", "never mind")
_PREPOSITION: Final = re.compile(r"^(at|for|from|in|on|to|under)\s+(?=(which|what|how|whom)\b)")
_ASKING: Final = re.compile(r"\b(which|what|how|whom|where)\b")
_LONGEST: Final = 4
_TOO_OPEN: Final = ("to what", "what")
_OTHER_WORDS: Final = {
    "which day": ("when", "what date", "which date"),
    "what time": ("when",),
    "how long": ("how much time", "what duration"),
    "whom": ("who",),
    "where to": ("which destination", "what destination", "where would you like to go"),
    "which name": ("whose name", "your name"),
}


def expected_act(line: Line) -> dict[str, tuple[str, ...]]:
    """Return what must be heard in a reply that holds no value, by what it does.

    Args:
        line: of the domain.

    Returns:
        Like `Line.expect_slots`: one entry, or none where any answer will do, as in small talk.
    """
    if line.expect_slots:
        return {}
    if line.reply == REPLY_DECLINED:
        return {"declined": DECLINED}
    if line.reply in (REPLY_CANCELLED, REPLY_NOTHING_TO_CANCEL):
        return {"cancelled": CANCELLED}
    if line.reply.endswith("is cancelled."):
        return {"cancelled": CANCELLED}
    forms = ways_to_ask(line.reply) if line.reply.endswith("?") else ()
    return {"asks": forms} if forms else {}


def ways_to_ask(question: str) -> tuple[str, ...]:
    """Return a short question as it may be put in other words; longer ones may be put in any.

    >>> ways_to_ask("On which day?")
    ('which day', 'what day', 'when', 'what date', 'which date')
    >>> ways_to_ask("What would you like to hear?")
    ()
    """
    plain = _PREPOSITION.sub("", question.rstrip("?").lower())
    if len(plain.split()) > _LONGEST or not _ASKING.search(plain) or plain in _TOO_OPEN:
        return ()
    forms = [plain, plain.replace("which", "what")]
    for phrase, others in _OTHER_WORDS.items():
        if phrase in plain:
            forms += others
    return tuple(dict.fromkeys(forms))
