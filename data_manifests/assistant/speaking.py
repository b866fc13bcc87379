"""How users put things: ways to say a value, to correct it, to ask again, and small decorations."""

import random
import re
from collections.abc import Iterator, Mapping

from cascadence.data_manifests.assistant.numbers import (
    CLOCK_OF_TIME,
    DIGIT_WORDS,
    TIMES,
    UNITS,
    clock_phrases,
)
from cascadence.data_manifests.assistant.phrases import NUMERALS
from cascadence.data_manifests.assistant.schema import Intent, Slot
from cascadence.data_manifests.assistant.templates import fill
from cascadence.data_manifests.assistant.values import TYPES

CORRECTIONS_WITH_FRAGMENT = (
    "No, {f}.",
    "Actually, {f}.",
    "Sorry, I meant {f}.",
    "No, I said {f}.",
    "Wait, {f} instead.",
    "Oops, I meant {f}.",
    "No, sorry, {f}.",
)
CORRECTIONS_WITH_BARE = (
    "No, make it {b}.",
    "Make that {b}, please.",
    "Change that to {b}.",
    "Not {old}, {b}.",
    "Actually, make it {b}.",
    "I meant {b}, not {old}.",
    "No, not {old}, {b}.",
)
AGAIN_WITH_FRAGMENT = (
    "And {f}?",
    "And {f}, please.",
    "What about {b}?",
    "How about {b}?",
    "The same {f}, please.",
    "Now {f}, please.",
    "And {f}, too.",
    "Do the same {f}.",
)
AGAIN_WITH_BARE = (
    "And {b}, please.",
    "What about {b}?",
    "How about {b}?",
    "And {b}, too.",
    "Now {b}, please.",
)
ANSWERS = ("{f}.", "{b}.", "{b}, please.", "{f}, please.", "Um, {b}.", "I think {f}.")
REPEATS = (
    "What did you say?",
    "Say that again, please.",
    "Could you repeat that?",
    "Pardon?",
    "Sorry, I did not hear you.",
    "Can you say that again?",
)
CANCELS = (
    "Cancel that.",
    "Never mind.",
    "Forget it.",
    "Undo that, please.",
    "No, cancel that.",
    "Please cancel it.",
)

_PREFIXES = ("Hey, ", "Okay, ", "Um, ", "Hello, ", "Well, ", "So, ")
_KEEPS_CAPITAL = re.compile(r"(I|I'm|[A-Z]\w+day)\b")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!uni|euro|one |use|ukr)[aeiou])", re.IGNORECASE)


def _said_value(rng: random.Random, slot: Slot, value: str, text: str, plain: bool) -> str:
    """Choose among the ways to say a value, given the words around it."""
    if plain or rng.random() < 0.6:
        return value
    if slot.type == "time":
        hour, minute = CLOCK_OF_TIME[value]
        phrases = list(clock_phrases(value))
        if f"at {{{slot.name}}}" in text:
            suffix = rng.choice((" a.m.", " p.m."))
            phrases += [UNITS[hour]] * 2 if minute == 0 else []
            phrases.append((UNITS[hour] if minute == 0 else value) + suffix)
        return rng.choice(phrases)
    if slot.type == "duration" and f"{{{slot.name}:adj}}" not in text:
        return {
            "thirty minutes": "half an hour",
            "one hour": "an hour",
            "one minute": "a minute",
        }.get(value, value)
    return value


def _mended(text: str) -> str:
    """Mend articles and doubled full stops."""
    return _ARTICLE.sub(r"\1n ", text).replace("m..", "m.").replace("m.?", "m.?")


def spoken(rng: random.Random, template: str, intent: Intent, slots: Mapping[str, str]) -> str:
    """Say a request.

    Args:
        rng: Chooses among the ways to say a value.
        template: The phrasing.
        intent: What is asked for.
        slots: Its values.
    """
    values = {
        name: _said_value(rng, intent.slot(name), value, template, plain=False)
        for name, value in slots.items()
    }
    return _mended(fill(template, values))


def said(rng: random.Random, template: str, slot: Slot, value: str, plain: bool = False) -> str:
    """Say a single value, in lower case where it has no capital of its own."""
    chosen = _said_value(rng, slot, value, template, plain)
    marked = fill(f"~{template}", {slot.name: chosen})
    return _mended(marked.removeprefix("~"))


def uncapitalised(text: str) -> str:
    """Take the capital from the start of a sentence, unless its first word always has one."""
    return text if _KEEPS_CAPITAL.match(text) else text[0].lower() + text[1:]


def decorated(rng: random.Random, text: str) -> str:
    """Now and then begin with a word or two, end with "please", or hesitate.

    Args:
        rng: Source of randomness.
        text: A request.
    """
    draw = rng.random()
    if draw < 0.08 and not text.startswith(
        ("No", "Not", "Sorry", "Hello", "Hi", "Hey", "Good", "Um")
    ):
        first = text.split()[0].strip(",.")
        if first.lower() in _COMMON_STARTS:
            return rng.choice(_PREFIXES) + uncapitalised(text)
    if draw > 0.97 and len(text.split()) > 4:
        words = text.split()
        index = rng.randrange(2, len(words))
        before = words[index - 1]
        if not before.endswith((",", ".")) and before.lower() not in NUMERALS:
            words[index - 1] += f", {rng.choice(('um', 'uh'))},"
            return " ".join(words)
    takes_please = text.endswith(".") and not text.endswith("m.") and len(text.split()) > 2
    if 0.9 < draw < 0.96 and takes_please and "please" not in text.lower():
        return text[:-1] + ", please."
    return text


_STARTS = """
turn switch could can i please put make set change dim heat let clean vacuum play close open lock
unlock start give wake remind at move postpone cancel delete add write remove take cross what will
tell is do how book reserve we order get show find where are my call phone text send invite ask
convert repeat say read the
"""
_COMMON_STARTS = frozenset(_STARTS.split())


def value_texts() -> Iterator[str]:
    """All forms in which a sampled user may say a value."""
    for slot_type in TYPES.values():
        for value in slot_type.values:
            yield value
            if slot_type.name in ("openness", "lock", "media"):
                yield fill("{v:verb}", {"v": value})
            if slot_type.name == "duration":
                yield fill("{v:adj}", {"v": value})
    yield from (phrase for time in TIMES for phrase in clock_phrases(time))
    yield from ("a.m. p.m. half an hour a minute", *DIGIT_WORDS)


def phrase_texts() -> Iterator[str]:
    """All phrases around values that a sampled user may say."""
    patterns = (
        *CORRECTIONS_WITH_FRAGMENT,
        *CORRECTIONS_WITH_BARE,
        *AGAIN_WITH_FRAGMENT,
        *AGAIN_WITH_BARE,
        *ANSWERS,
    )
    yield from (re.sub(r"\{\w+\}", " ", pattern) for pattern in patterns)
    yield from (*REPEATS, *CANCELS, *_PREFIXES, "um uh please an him her them")


def emphasised(text: str, value: str) -> tuple[int, ...]:
    """Indices of the words that say a value.

    Args:
        text: What is said.
        value: The value, in its plainest form.

    Returns:
        Indices into ``text.split()``; empty if the value is said in another way.
    """
    words = [re.sub(r"[^\w']", "", word).lower() for word in text.split()]
    target = value.lower().split()
    for start in range(len(words) - len(target), -1, -1):
        if words[start : start + len(target)] == target:
            return tuple(range(start, start + len(target)))
    return ()
