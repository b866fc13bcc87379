"""Writes down in words what Cadence means to say.

The phonemizer writes some words together ("in the" has no space in phonemes), so replies' texts and
phonemes are aligned first; what was not among them is written in IPA between slashes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from cascadence.systems.cadence.symbols import SPACE, canonical, split_words

__all__ = ["align_words", "spelling_table", "write_words"]

_PUNCTUATION = set(".,;:?!")
_JOINED = 4  # words that the phonemizer may write together
_STRESS = str.maketrans("", "", "ˈˌ")


def _distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def _plain(symbols: Iterable[str]) -> str:
    return "".join(map(canonical, symbols)).translate(_STRESS)


def align_words(
    text: str, symbols: Sequence[str], phones: Callable[[str], Sequence[str]]
) -> list[tuple[str, str]]:
    """Aligns a text with its symbols.

    Args:
        text: of a reply.
        symbols: the phonemizer's, for the whole reply.
        phones: phonemizes a single word.

    Returns:
        Each spoken word's joined symbols with the text that it stands for, in order; empty if the
        text has fewer words than were spoken.
    """
    words = [w.strip(".,;:?!") for w in text.split()]
    alone = [_plain(s for s in phones(w) if s not in _PUNCTUATION and s != SPACE) for w in words]
    spoken = [w for w in split_words(symbols) if w[0] not in _PUNCTUATION]
    plain = [_plain(w) for w in spoken]
    best: dict[tuple[int, int], tuple[int, int]] = {(0, 0): (0, 0)}
    for i in range(1, len(spoken) + 1):
        for j in range(i, len(words) + 1):
            options = [
                (best[i - 1, j - k][0] + _distance(plain[i - 1], "".join(alone[j - k : j])), k)
                for k in range(1, min(_JOINED, j) + 1)
                if (i - 1, j - k) in best
            ]
            if options:
                best[i, j] = min(options)
    if (len(spoken), len(words)) not in best:
        return []
    pairs, j = [], len(words)
    for i in range(len(spoken), 0, -1):
        k = best[i, j][1]
        pairs.append(("".join(map(canonical, spoken[i - 1])), " ".join(words[j - k : j])))
        j -= k
    return pairs[::-1]


def spelling_table(
    replies: Iterable[tuple[str, Sequence[str]]], phones: Callable[[str], Sequence[str]]
) -> dict[str, str]:
    """Builds the table of spoken words from replies, each given as text and symbols.

    Of several spellings of one sound the most frequent wins. Where another wins after a certain
    word, the pair, with a space between, is in the table too.
    """
    known: dict[str, Sequence[str]] = {}

    def once(word: str) -> Sequence[str]:
        if word not in known:
            known[word] = phones(word)
        return known[word]

    counts: dict[str, Counter[str]] = defaultdict(Counter)
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for text, symbols in replies:
        before = ""
        for sound, spelled in align_words(text, symbols, once):
            # The first word has a capital for its place: it counts less than the same word inside.
            counts[sound][spelled] += 1000 if before else 1
            if before:
                after[f"{before} {sound}"][spelled] += 1
            before = sound
    table = {sound: spelled.most_common(1)[0][0] for sound, spelled in sorted(counts.items())}
    for pair, choices in sorted(after.items()):
        word = choices.most_common(1)[0][0]
        if word != table[pair.split()[1]]:
            table[pair] = word
    return table


def write_words(symbols: Sequence[str], table: dict[str, str]) -> str:
    """Writes symbols as text: known words, IPA between slashes for others, punctuation attached."""
    text = before = ""
    for word in split_words(symbols):
        if word[0] in _PUNCTUATION:
            text += word[0]
        else:
            sound = "".join(map(canonical, word))
            spelled = table.get(f"{before} {sound}") or table.get(sound, f"/{sound}/")
            text += (" " if text else "") + spelled
            before = sound
    return text[:1].upper() + text[1:]
