"""How fast a large manifest is indexed, and in how much memory.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_index.py

The manifest is made: `COUNT` conversations, lines of the bundled corpus under other ids, a third of
them in contrast sets. Told are processor time and wall time of `read_index`, by how much the peak
memory of the process (its resident set) grew meanwhile, what choosing ten conversations and reading
these then costs, and the same for a fingerprint of each. Beyond the bars the exit status is 1.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cascadence.corpus import INFO, Corpus, bundled_corpora, manifest_line_hash
from cascadence.manifest import MANIFEST

COUNT = 100_000
MOST_S = 10.0
MOST_MB = 500.0
SET_SIZE = 4


def main() -> int:
    """Print the figures; return the exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size_mb = write_manifest(folder) / 1e6
        before_mb = peak_mb()
        corpus = Corpus(folder)
        index_s, wall_s, entries = timed(corpus.index)
        grown_mb = peak_mb() - before_mb
        say(f"{len(entries)} conversations, {size_mb:.0f} MB of JSON lines")
        say(f"index          {index_s:7.2f} s processor time, {wall_s:.2f} s wall time")
        say(f"memory         {grown_mb:7.0f} MB more than the {before_mb:.0f} MB before")
        choose_s, _, chosen = timed(lambda: corpus.select(limit=10))
        read_s, _, _ = timed(lambda: [corpus.conversation(each) for each in chosen])
        hash_s, _, _ = timed(lambda: [manifest_line_hash(corpus, each) for each in chosen])
        say(f"choose {len(chosen):7d} {choose_s:7.2f} s")
        say(f"read them      {1e3 * read_s:7.2f} ms, hash them {1e3 * hash_s:.2f} ms")
    held = index_s < MOST_S and grown_mb < MOST_MB and len(entries) == COUNT
    say(f"bars: {MOST_S:.0f} s, {MOST_MB:.0f} MB: {'reached' if held else 'missed'}")
    return 0 if held else 1


def write_manifest(folder: Path) -> int:
    """Write a corpus without sound; return the manifest's size in bytes."""
    bundled = bundled_corpora()["assistant"]
    (folder / INFO).write_bytes((bundled / INFO).read_bytes())
    models = [json.loads(line) for line in (bundled / MANIFEST).read_bytes().splitlines()]
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        for number, model in zip(range(COUNT), itertools.cycle(models), strict=False):
            group = f"set-{number // (3 * SET_SIZE)}" if number // SET_SIZE % 3 == 0 else None
            line = {**model, "id": f"made-{number}", "group": group}
            file.write(json.dumps(line) + "\n")
    return (folder / MANIFEST).stat().st_size


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return processor time, wall time, both in seconds, and what the work returned."""
    started_s, began_s = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - started_s, time.perf_counter() - began_s, result


def peak_mb() -> float:
    """The largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
