"""Backgrounds of a conversation: seeded noise that is made here, so that nothing is downloaded.

A background is a loop, shape ``(LOOP_S * INPUT_RATE,)``, of mean power 1 whose end goes over into
its beginning: what is heard at a sample of the conversation depends on the seed and on that sample
alone. No kind is made of recordings. Babble out of a corpus would say its requests aloud to the
systems under test, would change with every line that is added, and could not be had from a corpus
of one speaker; the talkers here say syllables that are no words in any language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import signal

from cascadence.audio import Samples
from cascadence.conditions import NoiseKind
from cascadence.protocols import INPUT_RATE

Floats = npt.NDArray[np.float64]

LOOP_S: Final = 32.0
"""Longer than most turns, and a whole number of bars."""
TALKERS: Final = 8
_COUNT: Final = round(LOOP_S * INPUT_RATE)
_FADE_SAMPLES: Final = INPUT_RATE // 50

# Formants in Hz of men's vowels (Peterson and Barney 1952, doi:10.1121/1.1906875).
_VOWELS_HZ: Final = (
    (270, 2290, 3010),
    (390, 1990, 2550),
    (530, 1840, 2480),
    (660, 1720, 2410),
    (730, 1090, 2440),
    (570, 840, 2410),
    (440, 1020, 2240),
    (300, 870, 2240),
    (640, 1190, 2390),
    (490, 1350, 1690),
)
_BANDWIDTHS_HZ: Final = (70.0, 100.0, 160.0, 250.0)
_PROGRESSION: Final = ((0, 4, 7), (7, 11, 14), (9, 12, 16), (5, 9, 12))
"""Semitones above the key: I, V, vi, IV."""
_CHORD_S: Final = 2.0
_NOTE_S: Final = 0.5


def background(kind: NoiseKind, seed: int) -> Samples:
    """Make the loop of a kind of noise.

    Args:
        kind: ``babble`` (`TALKERS` talkers of no language), ``street`` (rumble, and cars that
            pass), ``music`` (plucked chords over a bass), ``white`` or ``pink`` (1/f power).
        seed: of talkers, cars, key and noise.

    Returns:
        Float32, shape ``(LOOP_S * INPUT_RATE,)``, of mean power 1 over the loop; street and babble
        are louder and softer in between.
    """
    random = np.random.default_rng(seed)
    makers: dict[NoiseKind, Callable[[np.random.Generator], Floats]] = {
        "babble": _babble,
        "street": _street,
        "music": _music,
        "white": lambda generator: _coloured(generator, 0.0, 0.0),
        "pink": lambda generator: _coloured(generator, 1.0, 20.0),
    }
    made = makers[kind](random)
    return np.asarray(_unit_power(made), dtype=np.float32)


def _unit_power(samples: Floats) -> Floats:
    return np.asarray(samples / np.sqrt(np.mean(samples**2)), dtype=np.float64)


def _coloured(
    random: np.random.Generator, exponent: float, low_hz: float, high_hz: float = INPUT_RATE / 2
) -> Floats:
    """Circular noise of unit power whose power falls as ``f ** -exponent`` inside a band."""
    frequency_hz = np.fft.rfftfreq(_COUNT, 1.0 / INPUT_RATE)
    inside = (frequency_hz >= low_hz) & (frequency_hz <= high_hz)
    weight = np.where(inside, np.maximum(frequency_hz, 1.0) ** (-exponent / 2.0), 0.0)
    spectrum = np.fft.rfft(random.standard_normal(_COUNT)) * weight
    return _unit_power(np.fft.irfft(spectrum, _COUNT))


def _street(random: np.random.Generator) -> Floats:
    """Rumble, and cars: their power falls with the square of the distance, treble sooner."""
    total = _coloured(random, 1.5, 40.0)
    times_s = np.arange(_COUNT) / INPUT_RATE
    for passing_s in np.arange(6) * LOOP_S / 6 + random.uniform(0.0, LOOP_S / 6, 6):
        away_s = np.abs(times_s - passing_s)
        away_s = np.minimum(away_s, LOOP_S - away_s)
        near = 1.0 / (1.0 + (away_s / random.uniform(0.5, 1.2)) ** 2)
        tyres = _coloured(random, 1.0, 400.0, 3000.0) * near
        engine = _coloured(random, 1.0, 60.0, 400.0) * np.sqrt(near)
        total += random.uniform(1.0, 2.0) * (tyres + 0.7 * engine)
    return total


def _music(random: np.random.Generator) -> Floats:
    """A chord every two seconds, its notes plucked in turn by halves, and a bass below."""
    total = np.zeros(_COUNT)
    key_hz = 220.0 * 2.0 ** (random.integers(-5, 6) / 12.0)
    for chord in range(round(LOOP_S / _CHORD_S)):
        semitones = _PROGRESSION[chord % len(_PROGRESSION)]
        first = round(chord * _CHORD_S * INPUT_RATE)
        _add(total, first, 0.8 * _pluck(key_hz / 4.0 * 2.0 ** (semitones[0] / 12.0), _CHORD_S))
        for place in range(round(_CHORD_S / _NOTE_S)):
            start = first + round(place * _NOTE_S * INPUT_RATE)
            for number, semitone in enumerate(semitones):
                loud = random.uniform(0.5, 1.0) if number == place % 3 else 0.25
                _add(total, start, loud * _pluck(key_hz * 2.0 ** (semitone / 12.0), 1.2))
    return total


def _pluck(pitch_hz: float, duration_s: float) -> Floats:
    """A string: harmonics that die away, the high ones sooner."""
    times_s = np.arange(round(duration_s * INPUT_RATE)) / INPUT_RATE
    note = np.zeros(len(times_s))
    for harmonic in range(1, 9):
        if harmonic * pitch_hz < 0.45 * INPUT_RATE:
            decay = np.exp(-times_s * (2.0 + 0.8 * harmonic))
            note += decay * np.sin(2.0 * np.pi * harmonic * pitch_hz * times_s) / harmonic
    return _faded(note, INPUT_RATE // 200)


def _babble(random: np.random.Generator) -> Floats:
    """Talkers at different distances; a voice activity detector takes them for speech."""
    total = np.zeros(_COUNT)
    for _ in range(TALKERS):
        total += random.uniform(0.6, 1.0) * _unit_power(_talker(random))
    return total


def _talker(random: np.random.Generator) -> Floats:
    """Phrases of syllables with pauses between them, around the loop."""
    total = np.zeros(_COUNT)
    pitch_hz = float(np.exp(random.uniform(np.log(95.0), np.log(220.0))))
    tract = 1.0 + 0.15 * np.log2(pitch_hz / 110.0) + random.uniform(-0.04, 0.04)
    position = int(random.integers(_COUNT))
    end = position + _COUNT
    while position < end:
        syllables = int(random.integers(4, 11))
        for place in range(syllables):
            declined_hz = pitch_hz * (1.15 - 0.3 * place / syllables)
            spoken = _syllable(random, declined_hz * random.uniform(0.9, 1.15), tract)
            _add(total, position, spoken * random.uniform(0.5, 1.0))
            position += len(spoken) - _FADE_SAMPLES
        position += round(random.uniform(0.15, 0.6) * INPUT_RATE)
    return total


def _syllable(random: np.random.Generator, pitch_hz: float, tract: float) -> Floats:
    """A vowel through a cascade of formants, mostly after a burst of friction."""
    count = round(random.uniform(0.11, 0.26) * INPUT_RATE)
    glide = np.linspace(1.0, random.uniform(0.85, 1.15), count)
    turns = np.cumsum(pitch_hz * glide * (1.0 + 0.01 * random.standard_normal(count)))
    pulses = np.diff(np.floor(turns / INPUT_RATE), prepend=0.0)
    source = signal.lfilter([1.0], [1.0, -0.96], pulses + 0.01 * random.standard_normal(count))
    formants_hz = (*_VOWELS_HZ[random.integers(len(_VOWELS_HZ))], 3500)
    sections = [
        _resonator(tract * hz, width) for hz, width in zip(formants_hz, _BANDWIDTHS_HZ, strict=True)
    ]
    vowel = _faded(np.asarray(signal.sosfilt(np.array(sections), source)), _FADE_SAMPLES)
    vowel = _unit_power(vowel)
    if random.random() > 0.7:
        return vowel
    hiss = random.standard_normal(round(random.uniform(0.03, 0.09) * INPUT_RATE))
    place = _resonator(random.uniform(1800.0, 5500.0), 1200.0)
    friction = _faded(np.asarray(signal.sosfilt(np.array([place]), hiss)), _FADE_SAMPLES // 2)
    return np.concatenate((0.35 * _unit_power(friction), vowel))


def _resonator(frequency_hz: float, bandwidth_hz: float) -> list[float]:
    """A second-order section with gain 1 at 0 Hz (Klatt 1980, doi:10.1121/1.383940)."""
    radius = np.exp(-np.pi * bandwidth_hz / INPUT_RATE)
    turn = 2.0 * radius * np.cos(2.0 * np.pi * frequency_hz / INPUT_RATE)
    return [1.0 - turn + radius**2, 0.0, 0.0, 1.0, -turn, radius**2]


def _faded(samples: Floats, fade_samples: int) -> Floats:
    ramp = np.sin(np.linspace(0.0, np.pi / 2.0, fade_samples)) ** 2
    samples[:fade_samples] *= ramp
    samples[-fade_samples:] *= ramp[::-1]
    return samples


def _add(total: Floats, first: int, piece: Floats) -> None:
    """Add a piece around the loop's end."""
    places = np.arange(first, first + len(piece)) % len(total)
    total[places] += piece
