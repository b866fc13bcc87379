"""How fast the signal features are: multiples of real time on one core.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_features.py

Measures the clips of the bundled corpus, one after another, and prints the median of five rounds
for the whole and for each part. Processor time with one thread, so that other programs do not
count. The bar is `LEAST`; below it the exit status is 1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from cascadence.audio import Audio
from cascadence.corpus import open_corpus
from cascadence.metrics.signal import utterance_features
from cascadence.metrics.signal_levels import ANALYSIS_RATE, active_level_dbfs, speech_runs
from cascadence.metrics.signal_pitch import PitchTrack
from cascadence.metrics.signal_syllables import syllable_nuclei_s
from cascadence.metrics.signal_voice_quality import hnr_db, spectral_tilt_db_per_octave
from cascadence.metrics.tools import Features

LEAST = 40.0
CLIPS = 40
ROUNDS = 5


def clips(count: int = CLIPS) -> list[Audio]:
    """The first clips of the bundled corpus, resampled beforehand."""
    corpus = open_corpus("assistant")
    found: list[Audio] = []
    for conversation in corpus:
        found.extend(clip.at_rate(ANALYSIS_RATE) for clip in corpus.clips(conversation))
        if len(found) >= count:
            break
    return found[:count]


def times_real_time(work: Callable[[int], object], sounds: list[Audio], rounds: int) -> float:
    """Seconds of sound a second of computing, median of the rounds.

    Args:
        work: takes the number of a sound.
        sounds: all of them, worked on once a round, and once before the clock runs.
        rounds: how often.
    """
    took_s = []
    for measured in (False, *[True] * rounds):
        began_s = time.process_time()
        for number in range(len(sounds)):
            work(number)
        if measured:
            took_s.append(time.process_time() - began_s)
    return sum(sound.duration_s for sound in sounds) / float(np.median(took_s))


def parts(sounds: list[Audio]) -> dict[str, Callable[[int], object]]:
    """What is measured, each given what the others found."""
    features = Features()
    tracks = [features.track(sound) for sound in sounds]
    levels = [active_level_dbfs(sound) or 0.0 for sound in sounds]

    def known(number: int) -> Callable[[Audio], PitchTrack]:
        return lambda audio: tracks[number]

    return {
        "all features": lambda k: features(sounds[k]),
        "all but the pitch tracker": lambda k: utterance_features(sounds[k], known(k)),
        "pitch tracker (swift-f0)": lambda k: features.track(sounds[k]),
        "active level": lambda k: active_level_dbfs(sounds[k]),
        "speech runs": lambda k: speech_runs(sounds[k], levels[k]),
        "syllable nuclei": lambda k: syllable_nuclei_s(sounds[k], tracks[k]),
        "spectral tilt": lambda k: spectral_tilt_db_per_octave(sounds[k], tracks[k]),
        "harmonics-to-noise ratio": lambda k: hnr_db(sounds[k], tracks[k]),
    }


def main() -> int:
    """Print the table; return the exit status."""
    sounds = clips()
    total_s = sum(sound.duration_s for sound in sounds)
    sys.stdout.write(f"{len(sounds)} clips, {total_s:.0f} s, median of {ROUNDS} rounds\n")
    speeds = {}
    for name, work in parts(sounds).items():
        speeds[name] = times_real_time(work, sounds, ROUNDS)
        sys.stdout.write(f"{name:28s} {speeds[name]:8.0f} x real time\n")
        sys.stdout.flush()
    enough = speeds["all features"] >= LEAST
    sys.stdout.write(f"bar: at least {LEAST:.0f} x: {'reached' if enough else 'missed'}\n")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
