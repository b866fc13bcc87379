"""How fast DNSMOS rates speech: multiples of real time, in processor time.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_dnsmos.py

The model looks at windows of 9.01 s, and a shorter sound is repeated until it fills one: single
clips cost a whole window each. So both are told: clips one by one, and joined to a minute of
speech. The bar is for the latter: `LEAST`, below it the exit status is 1.
"""

from __future__ import annotations

import sys

from bench_features import clips, times_real_time

from cascadence.audio import Audio, concatenate
from cascadence.metrics.signal_levels import ANALYSIS_RATE
from cascadence.metrics.tools import Dnsmos

LEAST = 10.0
ROUNDS = 3
LONG_S = 60.0


def main() -> int:
    """Print the figures; return the exit status."""
    short = clips(12)
    joined = concatenate(clips(40), ANALYSIS_RATE)
    long = [Audio(joined.samples[: round(LONG_S * ANALYSIS_RATE)], ANALYSIS_RATE)]
    judge = Dnsmos()
    speeds = {}
    for name, sounds in (("clips one by one", short), ("a minute of speech", long)):
        speeds[name] = times_real_time(lambda k, s=sounds: judge(s[k]), sounds, ROUNDS)
        mean_s = sum(sound.duration_s for sound in sounds) / len(sounds)
        sys.stdout.write(f"{name:20s} ({mean_s:4.1f} s each) {speeds[name]:6.1f} x real time\n")
        sys.stdout.flush()
    held = speeds["a minute of speech"] >= LEAST
    sys.stdout.write(f"bar: at least {LEAST:.0f} x: {'reached' if held else 'missed'}\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
