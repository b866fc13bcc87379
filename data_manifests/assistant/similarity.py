"""Repairs words that an ASR misheard: the nearest value, if it is near enough."""

import re
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import pairwise

_SOUNDS = (
    (r"^(kn|gn|pn)", "n"), (r"^wr", "r"), (r"^wh", "w"), (r"ph", "f"), (r"ck", "k"), (r"sch", "s"),
    (r"sh|ch|tch", "s"), (r"gh(?=t|$)", ""), (r"c(?=[eiy])", "s"), (r"[cq]", "k"), (r"x", "ks"),
    (r"dg|g(?=[eiy])", "j"), (r"th", "t"), (r"z", "s"), (r"v", "f"), (r"d", "t"), (r"b", "p"),
    (r"g", "k"), (r"mn$", "m"),
)  # fmt: skip


@lru_cache(maxsize=20_000)
def sound_key(word: str) -> str:
    """Reduce a word to a key that words of a similar sound share.

    Args:
        word: Lower-case letters; spaces are ignored.

    Returns:
        Its consonant classes, with a leading ``a`` for an initial vowel.
    """
    letters = re.sub(r"[^a-z]", "", word)
    for pattern, sound in _SOUNDS:
        letters = re.sub(pattern, sound, letters)
    head = "a" if letters[:1] in "aeiouy" else letters[:1]
    rest = re.sub(r"[aeiouyhw]", "", letters[1:])
    return re.sub(r"(.)\1+", r"\1", head + rest)


def _letters(text: str) -> str:
    """The letters of a text alone, lower-case."""
    return re.sub(r"[^a-z]", "", text.lower())


def _pairs(letters: str) -> frozenset[str]:
    """All pairs of neighbouring letters."""
    return frozenset(map("".join, pairwise(f"^{letters}$")))


@cache
def _prepared(values: tuple[str, ...]) -> tuple[tuple[str, str, str, frozenset[str]], ...]:
    """Work out once what :func:`nearest` compares."""
    rows = ((value, _letters(value)) for value in values)
    return tuple((value, row, sound_key(row), _pairs(row)) for value, row in rows)


@lru_cache(maxsize=20_000)
def nearest(heard: str, values: tuple[str, ...], threshold: float) -> tuple[str, float] | None:
    """Find the value that is most like what was heard, in spelling and in sound.

    Args:
        heard: Text; case, spaces and signs are ignored.
        values: Candidates.
        threshold: Least similarity that counts, in [0, 1]; 1 is for equal letters.

    Returns:
        The value and its similarity; nothing if none is near enough.
    """
    letters = _letters(heard)
    key, pairs = sound_key(letters), _pairs(letters)
    matcher = SequenceMatcher(b=letters, autojunk=False)
    best: tuple[str, float] | None = None
    for value, value_letters, value_key, value_pairs in _prepared(values):
        same_sound = key == value_key and len(key) > 1
        shared = 2 * len(pairs & value_pairs) / (len(pairs) + len(value_pairs))
        if shared < 0.2 and not same_sound:
            continue
        matcher.set_seq1(value_letters)
        likeness = matcher.ratio()
        # Equal sound is worth much, but not for words that are spelt quite apart.
        likeness = min(1.0, likeness + 0.2) if same_sound and likeness >= 0.62 else likeness
        if likeness >= threshold and (best is None or likeness > best[1]):
            best = value, likeness
    return best
