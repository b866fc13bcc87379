"""Slot types of the assistant domain: which values there are, and how each may be written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cascadence.data_manifests.assistant import names, numbers, places, things

_DAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "today",
    "tomorrow",
)

RELATIONS: dict[str, str] = {
    "my mother": "her",
    "my father": "him",
    "my sister": "her",
    "my brother": "him",
    "my wife": "her",
    "my husband": "him",
    "my grandmother": "her",
    "my grandfather": "him",
    "my daughter": "her",
    "my son": "him",
    "my aunt": "her",
    "my uncle": "him",
    "my boss": "them",
    "my doctor": "them",
    "my neighbor": "them",
    "my lawyer": "them",
    "my landlord": "him",
    "my teacher": "them",
}
"""People whom the user names by relation, with the pronoun for them."""

UNIT_FACTORS: dict[tuple[str, str], float] = {
    ("week", "day"): 7,
    ("day", "hour"): 24,
    ("hour", "minute"): 60,
    ("minute", "second"): 60,
    ("year", "month"): 12,
    ("foot", "inch"): 12,
    ("yard", "foot"): 3,
    ("meter", "centimeter"): 100,
    ("mile", "kilometer"): 1.609,
    ("inch", "centimeter"): 2.54,
    ("gallon", "liter"): 3.785,
    ("kilogram", "pound"): 2.205,
}
"""How many of the second unit there are in one of the first."""

_PLURALS = {"foot": "feet", "inch": "inches", "century": "centuries"}


def plural(unit: str) -> str:
    """Give the plural of a unit of measure."""
    return _PLURALS.get(unit, unit + "s")


def quantity_words(amount: int, unit: str) -> str:
    """Say an amount of a unit: ``three weeks``, ``one foot``."""
    return f"{numbers.number_words(amount)} {unit if amount == 1 else plural(unit)}"


@dataclass(frozen=True, slots=True)
class SlotType:
    """A kind of value.

    Attributes:
        name: Name of the type.
        values: Inventory that dialogues are sampled from; canonical forms.
        variants: Further forms of a value that may be said, or written by an ASR.
        is_open: Whether a close misspelling of a value is worth repairing.
    """

    name: str
    values: tuple[str, ...]
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_open: bool = False


def _numbers(first: int, last: int, step: int = 1, unit: str = "") -> tuple[str, ...]:
    """Say every number of a range, with a unit behind it if one is given."""
    words = (numbers.number_words(n) for n in range(first, last + 1, step))
    return tuple(f"{w} {unit}".strip() for w in words)


_CONTACT_VARIANTS = {
    **names.NAME_VARIANTS,
    "my mother": ("my mom", "my mum", "mom", "mum"),
    "my father": ("my dad", "dad"),
    "my grandmother": ("my grandma", "grandma"),
    "my grandfather": ("my grandpa", "grandpa"),
    "my neighbor": ("my neighbour",),
    "my doctor": ("the doctor",),
    "my boss": ("the boss",),
    "my son": ("my sun",),
    "my aunt": ("my ant",),
}

_TYPES = (
    SlotType("name", names.NAMES, names.NAME_VARIANTS, is_open=True),
    SlotType("contact", names.NAMES + tuple(RELATIONS), _CONTACT_VARIANTS, is_open=True),
    SlotType("city", places.CITIES, places.CITY_VARIANTS, is_open=True),
    SlotType("place", places.PLACES, places.PLACE_VARIANTS, is_open=True),
    SlotType("room", things.ROOMS, things.THING_VARIANTS, is_open=True),
    SlotType("colour", things.COLOURS, things.THING_VARIANTS, is_open=True),
    SlotType("device", things.DEVICES, things.THING_VARIANTS, is_open=True),
    SlotType("door", things.DOORS, things.THING_VARIANTS, is_open=True),
    SlotType("item", things.ITEMS, things.THING_VARIANTS, is_open=True),
    SlotType("list", things.LISTS, things.THING_VARIANTS, is_open=True),
    SlotType("music", things.MUSIC, things.THING_VARIANTS, is_open=True),
    SlotType("dish", things.DISHES, things.THING_VARIANTS, is_open=True),
    SlotType("cuisine", things.CUISINES, things.THING_VARIANTS, is_open=True),
    SlotType("language", things.LANGUAGES, things.THING_VARIANTS, is_open=True),
    SlotType("task", things.TASKS, things.THING_VARIANTS, is_open=True),
    SlotType("event", things.EVENTS, things.THING_VARIANTS, is_open=True),
    SlotType("mode", things.MODES, things.THING_VARIANTS, is_open=True),
    SlotType("message", tuple(things.MESSAGES), {}, is_open=True),
    SlotType("good_feeling", things.GOOD_FEELINGS, {}, is_open=True),
    SlotType("bad_feeling", things.BAD_FEELINGS, {}, is_open=True),
    SlotType("day", _DAYS),
    SlotType("time", numbers.TIMES),
    SlotType("duration", numbers.DURATIONS),
    SlotType("percent", _numbers(5, 100, 5, "percent")),
    SlotType("degrees", _numbers(12, 30, unit="degrees")),
    SlotType("nights", tuple(numbers.duration_words(n, "night") for n in range(1, 15))),
    SlotType("people", _numbers(2, 20)),
    SlotType("count", _numbers(2, 20)),
    SlotType("level", _numbers(0, 20)),
    SlotType("channel", _numbers(1, 60)),
    SlotType("addend", _numbers(1, 12)),
    SlotType(
        "quantity",
        tuple(quantity_words(n, unit) for unit, _ in UNIT_FACTORS for n in range(1, 13)),
    ),
    SlotType("unit", tuple(dict.fromkeys(plural(unit) for _, unit in UNIT_FACTORS))),
    SlotType("digits", ()),
    SlotType("onoff", ("on", "off")),
    SlotType(
        "openness",
        ("open", "closed"),
        {"open": ("up", "raise"), "closed": ("close", "shut", "down", "lower")},
    ),
    SlotType("lock", ("locked", "unlocked"), {"locked": ("lock",), "unlocked": ("unlock",)}),
    SlotType(
        "media",
        ("paused", "stopped", "playing again"),
        {
            "paused": ("pause", "hold"),
            "stopped": ("stop", "end"),
            "playing again": ("resume", "continue", "unpause"),
        },
    ),
)

TYPES: dict[str, SlotType] = {slot_type.name: slot_type for slot_type in _TYPES}
"""All slot types by name."""

NUMBER_TYPES = frozenset({"people", "count", "level", "channel", "addend"})
"""Types whose value is a bare number in words."""

MEASURED_TYPES = {"percent": "percent", "degrees": "degrees", "nights": "nights"}
"""Types whose value is a number and a fixed unit."""

_STATE_FORMS = {"closed": ("closed", "close"), "locked": ("locked",), "unlocked": ("unlocked",)}


def accepted_forms(type_name: str, value: str) -> tuple[str, ...]:
    """All forms in which a heard reply may write a value.

    Args:
        type_name: Name of the slot type.
        value: Canonical value.

    Returns:
        The forms, as the reply says it first; to be looked for as whole words, case-insensitively.

    Raises:
        KeyError: The type is unknown.
    """
    if type_name == "result":
        return numbers.amount_forms(value.removeprefix("about "))
    slot_type = TYPES[type_name]
    if type_name == "time":
        return numbers.clock_forms(value)
    if type_name in ("duration", "percent", "degrees", "nights", "quantity"):
        return numbers.duration_forms(value)
    if type_name in NUMBER_TYPES:
        return numbers.number_forms(value)
    if type_name == "digits":
        return numbers.digit_forms(value)
    if type_name == "message":
        return (things.MESSAGES[value], value)
    if type_name in ("onoff", "openness", "lock", "media"):
        return _STATE_FORMS.get(value, (value,))
    if value in RELATIONS:
        return (value.replace("my ", "your "),)
    return (value, *slot_type.variants.get(value, ()))


def pronoun_for(person: str) -> str:
    """The object pronoun for a person: ``him``, ``her`` or ``them``."""
    if person in RELATIONS:
        return RELATIONS[person]
    return "him" if person in names.MALE_NAMES else "her"
