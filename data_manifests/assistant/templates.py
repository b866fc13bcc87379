"""The little template language of requests and replies.

``{slot}`` stands for a value, ``{slot:style}`` for an inflected one, and ``[...]`` for a part that
is left out unless all its slots are known. Styles: ``on`` (on Monday, tomorrow), ``adj`` (seven
minute), ``you`` (the user's words said back), ``verb`` (open, close), ``the`` (with an article),
``poss`` (Kevin's).
"""

import re
from collections.abc import Mapping

from cascadence.data_manifests.assistant import things

_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")

_VERBS = {
    "open": "open",
    "closed": "close",
    "locked": "lock",
    "unlocked": "unlock",
    "paused": "pause",
    "stopped": "stop",
    "playing again": "resume",
}


def slot_names(template: str) -> tuple[str, ...]:
    """Names of the slots that a template mentions, in order, each once."""
    return tuple(dict.fromkeys(match[1] for match in _SLOT.finditer(template)))


def literal_text(template: str) -> str:
    """The template's own words, without slots and marks."""
    return _SLOT.sub(" ", template).replace("[", " ").replace("]", " ")


def _styled(value: str, style: str | None) -> str:
    """Inflect a value."""
    if style == "on":
        return value if value in ("today", "tomorrow") else f"on {value}"
    if style == "adj":
        words, _, unit = value.rpartition(" ")
        return f"{words} {unit.removesuffix('s')}"
    if style == "you":
        return things.MESSAGES.get(value, re.sub(r"^my ", "your ", value))
    if style == "verb":
        return _VERBS[value]
    if style == "poss":
        return f"{value}'s"
    return value


def fill(template: str, slots: Mapping[str, str]) -> str:
    """Fill a template.

    Args:
        template: Text with slots and optional parts.
        slots: Values by slot name, in the form in which they are to be said.

    Returns:
        The text, with a capital at its start.

    Raises:
        KeyError: A slot outside the optional parts has no value.
    """

    def keep(match: re.Match[str]) -> str:
        return match[1] if all(name in slots for name in slot_names(match[1])) else ""

    text = _OPTIONAL.sub(keep, template)
    text = _SLOT.sub(lambda match: _styled(slots[match[1]], match[2]), text)
    return text[:1].upper() + text[1:]
