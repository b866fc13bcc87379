"""The voices of simulated users, and `speak`, which says a text in one of them in a given style.

Voices are split by speaker: whoever is heard in a ``test`` voice is heard in no ``train`` voice, in
whatever synthesiser. Train voices take their style from their synthesiser's own controls and are
fast (well under 0.1 s a sentence); test voices take what must be exact from WORLD resynthesis (see
`resynthesis`). A voice may be derived from another of the same speaker by moving its formants and
its pitch; it stays the same speaker.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cascadence.audio import Audio
from cascadence.data_manifests.recipes import resynthesis
from cascadence.data_manifests.recipes.clips import CLIP_RATE_HZ, Spoken, place
from cascadence.data_manifests.recipes.synthesisers import (
    Control,
    Native,
    Synthesiser,
    synthesise,
)
from cascadence.data_manifests.recipes.voice_licences import (
    ARCTIC,
    ESPEAK,
    JOE,
    KAL,
    KOKORO_ENGLISH,
    KOKORO_KONIWA,
    PICO,
    Licence,
)
from cascadence.errors import CascadenceError

__all__ = ["VOICES", "Prosody", "Spoken", "Voice", "speak", "speech", "voice", "voices"]

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Prosody:
    """How a text is said, relative to the voice's neutral.

    Attributes:
        rate: speaking rate, ratio.
        pitch_st: median pitch, semitones.
        range_scale: pitch excursions in semitones, ratio.
        level_db: active speech level, dB.
        formant_ratio: formant frequencies, ratio: above 1 a shorter vocal tract.
    """

    rate: float = 1.0
    pitch_st: float = 0.0
    range_scale: float = 1.0
    level_db: float = 0.0
    formant_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can play a user.

    Attributes:
        name: unique.
        synthesiser: the program that speaks.
        native: the synthesiser's own voice and its neutral.
        speaker: the person (or the formant synthesiser's variant) behind it: splits are disjoint in
            this.
        gender: as a listener would guess.
        licence: of the voice's recordings.
        split: ``train`` or ``test``.
        base_f0_hz: median F0 at neutral, measured with swift-f0.
        formant_ratio: formants relative to the native voice.
        pitch_st: pitch relative to the native voice, semitones.
    """

    name: str
    synthesiser: Synthesiser
    native: Native
    speaker: str
    gender: Literal["female", "male"]
    licence: Licence
    split: Split
    base_f0_hz: float
    formant_ratio: float = 1.0
    pitch_st: float = 0.0


def _espeak(variant: str, gender: Literal["female", "male"], base_f0_hz: float) -> Voice:
    name = variant.replace("+", "-")
    return Voice(
        f"espeak-{name}",
        "espeak",
        Native(variant, tempo=0.95),
        f"espeak_{name}",
        gender,
        ESPEAK,
        "train",
        base_f0_hz,
    )


def _kokoro_reader(readers: str, base_f0_hz: float, formant_ratio: float = 1.0) -> Voice:
    """Build a neural training voice out of style vectors that no test voice is made from.

    They come of other recordings than the test voices'; whether of other people, nobody has said.
    """
    native = "+".join(f"jf_{part}" for part in readers.split("+"))
    name = re.sub(r"[^a-z]+", "-", readers).strip("-")
    return Voice(
        f"kokoro-{name}" if formant_ratio == 1.0 else f"kokoro-{name}-low",
        "kokoro",
        Native(native, tempo=1.1),
        f"koniwa_{name}",
        "female",
        KOKORO_KONIWA,
        "train",
        base_f0_hz,
        formant_ratio,
    )


def _kokoro_english(style: str, base_f0_hz: float) -> Voice:
    """Build a neural training voice out of one of Kokoro's English style vectors."""
    return Voice(
        f"kokoro-{style.replace('_', '-')}",
        "kokoro",
        Native(style),
        f"kokoro_{style}",
        "female" if style[1] == "f" else "male",
        KOKORO_ENGLISH,
        "train",
        base_f0_hz,
    )


# American and British, female and male; median F0 in Hz.
_ENGLISH_STYLES: Final = {
    "af_alloy": 139.0,
    "af_aoede": 174.0,
    "af_bella": 183.0,
    "af_heart": 183.0,
    "af_jessica": 199.0,
    "af_kore": 145.0,
    "af_nova": 159.0,
    "af_river": 175.0,
    "af_sarah": 181.0,
    "af_sky": 152.0,
    "am_adam": 109.0,
    "am_echo": 103.0,
    "am_eric": 155.0,
    "am_fenrir": 128.0,
    "am_liam": 115.0,
    "am_michael": 106.0,
    "am_onyx": 85.0,
    "am_puck": 112.0,
    "bf_alice": 211.0,
    "bf_emma": 176.0,
    "bf_isabella": 193.0,
    "bf_lily": 172.0,
    "bm_daniel": 119.0,
    "bm_fable": 112.0,
    "bm_george": 140.0,
    "bm_lewis": 85.0,
}

_SLT = Native("slt", f0_mean_hz=172.0, f0_sd_hz=26.0)
KAL16 = Native("kal16", tempo=1.0, f0_mean_hz=95.0, f0_sd_hz=11.0)

_TRAIN: Final = (
    Voice("flite-slt", "flite", _SLT, "cmu_slt", "female", ARCTIC, "train", 171.0),
    Voice("flite-slt-low", "flite", _SLT, "cmu_slt", "female", ARCTIC, "train", 148.0, 0.92, -2.5),
    Voice("flite-slt-high", "flite", _SLT, "cmu_slt", "female", ARCTIC, "train", 203.0, 1.08, 3.0),
    Voice("flite-kal", "flite", KAL16, "cmu_kal", "male", KAL, "train", 89.0),
    Voice("flite-kal-high", "flite", KAL16, "cmu_kal", "male", KAL, "train", 127.0, 1.1, 6.0),
    Voice("flite-kal-child", "flite", KAL16, "cmu_kal", "female", KAL, "train", 184.0, 1.2, 12.0),
    Voice("pico-us", "pico", Native("en-US"), "pico_lh0", "female", PICO, "train", 170.0),
    Voice("pico-gb", "pico", Native("en-GB"), "pico_kh0", "female", PICO, "train", 171.0),
    Voice(
        "pico-us-low",
        "pico",
        Native("en-US"),
        "pico_lh0",
        "male",
        PICO,
        "train",
        112.0,
        0.86,
        -7.0,
    ),
    Voice(
        "pico-gb-low",
        "pico",
        Native("en-GB"),
        "pico_kh0",
        "male",
        PICO,
        "train",
        122.0,
        0.88,
        -6.0,
    ),
    _kokoro_reader("nezumi", 226.0),
    _kokoro_reader("tebukuro", 211.0),
    _kokoro_reader("nezumi:0.5+tebukuro:0.5", 218.0),
    _kokoro_reader("tebukuro", 182.0, 0.86),
    *(_kokoro_english(style, f0_hz) for style, f0_hz in _ENGLISH_STYLES.items()),
    _espeak("en-gb", "male", 101.0),
    _espeak("en-gb-scotland+m2", "male", 101.0),
    _espeak("en-gb-x-rp+m4", "male", 94.0),
    _espeak("en-us+m3", "male", 104.0),
    _espeak("en-us+m7", "male", 106.0),
    _espeak("en-us+m8", "male", 86.0),
    _espeak("en-us+f1", "female", 180.0),
    _espeak("en-us+f2", "female", 195.0),
    _espeak("en-us+f4", "female", 181.0),
    _espeak("en-us+steph", "female", 185.0),
)

_RMS = Native("rms")
_AWB = Native("awb")
_JOE_NATIVE = Native("piper-joe-medium", tempo=0.9)

_TEST: Final = (
    Voice("flite-rms", "flite", _RMS, "cmu_rms", "male", ARCTIC, "test", 101.0),
    Voice("flite-rms-high", "flite", _RMS, "cmu_rms", "female", ARCTIC, "test", 170.0, 1.14, 9.0),
    Voice("flite-awb", "flite", _AWB, "cmu_awb", "male", ARCTIC, "test", 128.0),
    Voice("joe-tenor", "piper", _JOE_NATIVE, "piper_joe", "male", JOE, "test", 120.0, 1.05, 4.0),
    Voice("joe-alto", "piper", _JOE_NATIVE, "piper_joe", "female", JOE, "test", 180.0, 1.16, 11.0),
    Voice(
        "kokoro-gongitsune",
        "kokoro",
        Native("jf_gongitsune", tempo=1.1),
        "koniwa_gongitsune",
        "female",
        KOKORO_KONIWA,
        "test",
        227.0,
        pitch_st=-1.0,
    ),
    Voice(
        "kokoro-kumo",
        "kokoro",
        Native("jm_kumo"),
        "koniwa_kumo",
        "male",
        KOKORO_KONIWA,
        "test",
        104.0,
        pitch_st=2.0,
    ),
    Voice(
        "kokoro-kumo-high",
        "kokoro",
        Native("jm_kumo"),
        "koniwa_kumo",
        "female",
        KOKORO_KONIWA,
        "test",
        160.0,
        1.14,
        10.0,
    ),
)

VOICES: Final[tuple[Voice, ...]] = (*_TRAIN, *_TEST)
"""Every voice, train voices first."""


def voices(split: Split) -> tuple[Voice, ...]:
    """Return the voices of a split, in a fixed order."""
    return tuple(one for one in VOICES if one.split == split)


def voice(name: str) -> Voice:
    """Return a voice by its name.

    Raises:
        CascadenceError: there is none of that name.
    """
    for one in VOICES:
        if one.name == name:
            return one
    raise CascadenceError(f"there is no voice '{name}'", where="recipes.voices.VOICES")


def speak(voice: Voice, text: str, style: Prosody, seed: int) -> Spoken:
    """Say a text in a voice and a style; the same arguments give the same clip.

    Args:
        voice: one of `VOICES`.
        text: plain English.
        style: relative to the voice's neutral.
        seed: draws the quiet around the speech and the noise floor.

    Returns:
        A 16 kHz clip with its true speech boundaries.

    Raises:
        CascadenceError: the synthesiser is missing or failed, or the speech would clip.
    """
    return place(speech(voice, text, style), style.level_db, np.random.default_rng(seed))


def speech(voice: Voice, text: str, style: Prosody) -> Audio:
    """Say a text, without the quiet around it, its level not set yet: see `speak`."""
    said = _natively if voice.split == "train" else _exactly
    return said(voice, text, style)


def _natively(voice: Voice, text: str, style: Prosody) -> Audio:
    """Speak with the synthesiser's own controls; formants move by playing the speech faster.

    Played ``k`` times as fast, speech has its formants, its pitch and its rate multiplied by
    ``k``: so it is asked for slower and lower by as much.
    """
    ratio = voice.formant_ratio * style.formant_ratio
    control = Control(
        rate=style.rate / ratio,
        pitch_st=voice.pitch_st + style.pitch_st - 12.0 * math.log2(ratio),
        range_scale=style.range_scale,
    )
    said = synthesise(voice.synthesiser, voice.native, text, control)
    return dataclasses.replace(said, sample_rate=round(said.sample_rate * ratio)).at_rate(
        CLIP_RATE_HZ
    )


def _exactly(voice: Voice, text: str, style: Prosody) -> Audio:
    """Speak neutrally, then impose everything through WORLD.

    Neutral speech goes through it too, so that the vocoder's own sound tells no style from another.
    """
    change = resynthesis.Change(
        rate=style.rate,
        pitch_st=voice.pitch_st + style.pitch_st,
        range_scale=style.range_scale,
        formant_ratio=voice.formant_ratio * style.formant_ratio,
    )
    return resynthesis.resynthesise(_analysed(voice.synthesiser, voice.native, text), change)


@functools.lru_cache(maxsize=8)
def _analysed(synthesiser: Synthesiser, native: Native, text: str) -> resynthesis.Analysis:
    """Neutral speech, taken apart once for all the styles it is said in."""
    return resynthesis.analyse(synthesise(synthesiser, native, text, Control()))
