"""One spelling for what was said: so that words are compared, not the habits of whoever wrote them.

An ASR writes ``7.15``, ``18°`` and ``May 3rd`` where a system meant ``a quarter past seven``,
``eighteen degrees`` and ``May third``. Every comparison in Cascadence goes through `words` (whole
texts, for error rates) or `says` (is this phrase in it?), which share one reading: the normaliser
`NORMALISER`, English. It lower-cases, drops punctuation, expands contractions and symbols, reads
number words, clock times, ordinals and decimals as figures, and joins neighbouring figures, because
``5 5 1`` and ``551`` sound alike. Other languages pass through it with their number words unread.

What a human would accept passes and what they would not fails: words match whole (``bat`` is not in
``combat``), but a plural is the same word (``bats``); a number matches whole (``7`` is not in
``7:15``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from cascadence.metrics.numerals import BREAK, read_numbers

NORMALISER = "cascadence-en-1"
"""Name of the reading; to be raised whenever it could change a result."""

FILLERS = frozenset({"uh", "um", "er", "erm", "hm", "hmm", "mm", "mhm", "mmm"})
"""Left out of error rates: ASR systems drop them by training."""

_SPELLINGS = {
    "okay": "ok",
    "alright": "all right",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "cancelled": "canceled",
    "cancelling": "canceling",
    "grey": "gray",
    "cannot": "can not",
    "gonna": "going to",
    "wanna": "want to",
}
_CONTRACTIONS = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(it|that|what|there|here|he|she|who|where|how|when)'s\b"), r"\1 is"),
)
_SYMBOLS = (
    (re.compile(r"\$\s?(\d[\d,]*(?:\.\d+)?)"), r"\1 dollars "),
    (re.compile(r"€\s?(\d[\d,]*(?:\.\d+)?)"), r"\1 euros "),
    (re.compile(r"£\s?(\d[\d,]*(?:\.\d+)?)"), r"\1 pounds "),
    (re.compile(r"(?<=\d)\s?%"), " percent "),
    (re.compile(r"\bper cent\b"), "percent"),
    (re.compile(r"\s?°\s?[cf]?\b|\s?°"), " degrees "),
    (re.compile(r"(?<=\d)\s*[\u00d7*]\s*(?=\d)"), " times "),
    (re.compile(r"(?<=\d)\s+[-\u2212]\s+(?=\d)|(?<!\w)[-\u2212](?=\d)"), " minus "),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"\b([ap])\.\s?m\b\.?|(?<=\d)\s?([ap])m\b"), r" \1\2m "),
    (re.compile(r"\b[o0]'?\s?clock\b"), " oclock "),
    (re.compile(r"\b0?(\d{1,2}):(\d{2})\b"), r" \1\2 "),
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:st|nd|rd|th)?(?![^\W\d_])|\d+(?:\.\d+)?|[^\W\d_]+|[.,;:!?|—]")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared in error rates.

    Args:
        text: what somebody said or wrote.

    Returns:
        Lower-case words without punctuation and fillers; neighbouring figures joined.
    """
    return [word for word in _elements(_tokens(text), split=False) if word not in FILLERS]


def says(text: str, phrase: str) -> bool:
    """Whether a text says a phrase: as whole words in order, numbers and plurals normalised.

    Args:
        text: a transcript.
        phrase: what is looked for; an empty one is said by nothing.
    """
    wanted = _elements(_tokens(phrase), split=False)
    tokens = _tokens(text)
    # Punctuation may end a number ("at 7, 20 minutes") or stand inside one ("555, 0123").
    return any(_holds(_elements(tokens, split), wanted) for split in (False, True))


def _tokens(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text.replace("…", " ")).lower()
    text = re.sub(r"[\u2018\u2019\u02bc`\u00b4]", "'", text)
    for pattern, replacement in _CONTRACTIONS:
        text = pattern.sub(replacement, text)
    for pattern, replacement in _SYMBOLS:
        text = pattern.sub(replacement, text)
    text = text.replace("&", " and ").replace("+", " plus ").replace("=", " equals ")
    tokens: list[str] = []
    for token in _TOKEN.findall(text.replace("'", "")):
        if token in ".,;:!?|—":
            tokens.append(BREAK)
        else:
            tokens.extend(_SPELLINGS.get(token, token).split())
    return read_numbers(tokens)


def _elements(tokens: Sequence[str], split: bool) -> list[str]:
    """Join neighbouring figures, across punctuation or (``split``) only up to it."""
    elements: list[str] = []
    broken = False
    for token in tokens:
        if token == BREAK:
            broken = True
            continue
        joins = bool(elements) and token[0].isdigit() and elements[-1][-1].isdigit()
        if joins and token.isdigit() and not (split and broken):
            elements[-1] += token
        else:
            elements.append(token)
        broken = False
    return elements


def _holds(elements: Sequence[str], wanted: Sequence[str]) -> bool:
    count = len(wanted)
    if not count:
        return False
    return any(
        all(
            _same(word, there, article=count > 1 and position < count - 1)
            for position, (word, there) in enumerate(
                zip(wanted, elements[first : first + count], strict=True)
            )
        )
        for first in range(len(elements) - count + 1)
    )


def _same(wanted: str, there: str, article: bool) -> bool:
    if wanted == there:
        return True
    if wanted == "1" and article:
        return there in ("a", "an")
    if wanted[0].isdigit() or there[0].isdigit():
        return _cardinal(wanted) == _cardinal(there)
    return _is_plural(wanted, there) or _is_plural(there, wanted)


def _cardinal(word: str) -> str:
    match = _ORDINAL.fullmatch(word)
    return match[1] if match else word


def _is_plural(one: str, many: str) -> bool:
    if len(one) < 3:
        return False
    if one.endswith("y") and one[-2] not in "aeiou":
        return many == one[:-1] + "ies"
    if one.endswith(("s", "x", "z", "ch", "sh", "o")) and many == one + "es":
        return True
    return not one.endswith("s") and many == one + "s"
