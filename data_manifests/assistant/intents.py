"""All intents of the assistant domain, and what it answers."""

from collections.abc import Mapping

from cascadence.data_manifests.assistant import home, people, planning, talk, travel
from cascadence.data_manifests.assistant.numbers import NUMBER_OF_WORDS, number_words
from cascadence.data_manifests.assistant.schema import Intent
from cascadence.data_manifests.assistant.templates import fill
from cascadence.data_manifests.assistant.values import UNIT_FACTORS, plural, quantity_words

INTENTS: dict[str, Intent] = {
    intent.name: intent
    for module in (home, planning, travel, people, talk)
    for intent in module.INTENTS
}
"""Every intent by name."""

REPLY_NOT_CAUGHT = "Sorry, I did not catch that."
REPLY_DECLINED = "Sorry, I cannot help with that."
REPLY_CANCELLED = "Okay, I cancelled that."
REPLY_NOTHING_TO_CANCEL = "There is nothing to cancel."


def unit_of(quantity: str) -> tuple[int, str]:
    """Split a quantity such as ``three weeks`` into its amount and its singular unit.

    Raises:
        KeyError: The words are no quantity of a known unit.
    """
    words, _, name = quantity.rpartition(" ")
    for unit in {unit for pair in UNIT_FACTORS for unit in pair}:
        if name in (unit, plural(unit)):
            return NUMBER_OF_WORDS[words], unit
    raise KeyError(quantity)


def derived(intent: str, slots: Mapping[str, str]) -> dict[str, str] | None:
    """Values that follow from the user's ones: the result of a sum or of a conversion.

    Args:
        intent: Name of the intent.
        slots: Its values.

    Returns:
        The further values; ``None`` if it cannot be worked out from the table of units.
    """
    if intent == "sum":
        total = NUMBER_OF_WORDS[slots["a"]] + NUMBER_OF_WORDS[slots["b"]]
        return {"result": number_words(total)}
    if intent == "convert":
        amount, source = unit_of(slots["quantity"])
        _, target = unit_of(f"one {slots['unit']}")
        factor = UNIT_FACTORS.get((source, target))
        if factor is None and (target, source) in UNIT_FACTORS:
            factor = 1 / UNIT_FACTORS[target, source]
        if factor is None:
            return None
        exact = amount * factor
        count = round(exact)
        if not 1 <= count <= 9999:
            return None
        about = "" if abs(exact - count) < 1e-9 else "about "
        verb = "is" if count == 1 else "are"
        return {"result": about + quantity_words(count, target), "be": verb}
    return {}


def render_reply(intent: str, slots: Mapping[str, str], correction: bool = False) -> str:
    """Say the answer to a complete request.

    Args:
        intent: Name of the intent.
        slots: Values of at least its required slots.
        correction: Whether the user has corrected an earlier request.

    Returns:
        The reply; :data:`REPLY_DECLINED` where a conversion is not in the table.

    Raises:
        KeyError: The intent is unknown, or a required slot is missing.
    """
    further = derived(intent, slots)
    if further is None:
        return REPLY_DECLINED
    text = fill(INTENTS[intent].reply, {**slots, **further})
    if not correction:
        return text
    keeps_capital = text.startswith("I ")
    return "Okay, " + (text if keeps_capital else text[0].lower() + text[1:])
