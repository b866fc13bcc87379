"""English text to the phoneme alphabet that Kokoro was trained on, by way of espeak-ng.

The alphabet is misaki's (Apache-2.0, https://github.com/hexgrad/misaki): IPA with one letter for
each diphthong and affricate. espeak-ng, called with ``--ipa --tie=^``, writes those tied, so that
they can be told from two vowels in a row.
"""

# ruff: noqa: RUF001  (IPA letters look like Latin ones; that is the point)

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from typing import Final

from cascadence.errors import CascadenceError

_SYLLABIC: Final = "\u0329"
_TIE: Final = "\u0361"
# Longest first, so that a tied pair is replaced before its parts are.
_REPLACEMENTS: Final = (
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ɔ^ɪ", "Y"),
    ("d^ʒ", "ʤ"),
    ("t^ʃ", "ʧ"),
    ("ə^l", "ᵊl"),
    ("ɜːɹ", "ɜɹ"),
    ("ʲo", "jo"),
    ("ʲə", "jə"),
    ("ɜː", "ɜɹ"),
    ("ɪə", "iə"),
    ("ʲ", ""),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɬ", "l"),
    ("ː", ""),
    ("e", "A"),
    ("o", "ɔ"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("^", ""),
)
_CLAUSE: Final = re.compile(r"([^.,;:!?]+)([.,;:!?]*)")


@functools.lru_cache(maxsize=4096)
def kokoro_phonemes(text: str) -> str:
    """Return a text's phonemes in Kokoro's alphabet, American English, punctuation kept.

    Args:
        text: plain English; of abbreviations with full stops, a.m. and p.m. are known.

    Raises:
        CascadenceError: espeak-ng is not installed or failed.
    """
    # A full stop inside an abbreviation ends no sentence.
    text = re.sub(r"\b([ap])\.m\.", lambda match: f"{match[1].upper()}M", text)
    spoken = [
        _clause(match[1].strip()) + match[2] for match in _CLAUSE.finditer(text) if match[1].strip()
    ]
    return " ".join(spoken)


def _clause(text: str) -> str:
    program = shutil.which("espeak-ng")
    if program is None:
        raise CascadenceError(
            "the program 'espeak-ng' is not installed", mend="apt-get install espeak-ng"
        )
    command = [program, "-v", "en-us", "-q", "--ipa", "--tie=^", f" {text}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    phonemes = " ".join(done.stdout.split()).replace(_TIE, "^")
    for old, new in _REPLACEMENTS:
        phonemes = phonemes.replace(old, new)
    return re.sub(rf"(\S){_SYLLABIC}", r"ᵊ\1", phonemes).replace(_SYLLABIC, "")
