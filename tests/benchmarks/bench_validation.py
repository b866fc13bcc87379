"""How long `cascadence validate --audio` takes on the bundled corpora.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_validation.py

Told for each corpus are clips, problems, processor time and wall time; beyond
`MOST_S` of wall time for all together the exit status is 1.
"""

from __future__ import annotations

import sys
import time

from cascadence.corpus import bundled_corpora, open_corpus
from cascadence.validation import validate

MOST_S = 90.0


def main() -> int:
    """Print the figures; return the exit status."""
    wall_s = 0.0
    for name in bundled_corpora():
        corpus = open_corpus(name)
        clips = sum(len(conversation.turns) for conversation in corpus)
        started_s, began_s = time.process_time(), time.perf_counter()
        problems = len(list(validate(corpus, audio=True)))
        cpu_s, took_s = time.process_time() - started_s, time.perf_counter() - began_s
        wall_s += took_s
        sys.stdout.write(
            f"{name:12s} {clips:5d} clips {problems:3d} problems {cpu_s:6.2f} s processor time "
            f"({1e3 * cpu_s / max(1, clips):.1f} ms a clip), {took_s:.2f} s wall time\n"
        )
    held = wall_s < MOST_S
    sys.stdout.write(f"bar: {MOST_S:.0f} s: {'reached' if held else 'missed'} ({wall_s:.1f} s)\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
