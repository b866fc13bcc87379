"""How much silence around a short sound lets DNSMOS judge it as it judges speech with pauses.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_dnsmos_short.py [FOLDER]

FOLDER as in `bench_human_speech`; without it there is nothing to do, and that is no failure.
`EACH` recordings of each of the speakers, cut to what is audible, in white noise or none: overall
scores of each speaker's in a row with `GAP_S` of silence between them, and the mean of each alone
between two silences of several lengths (without any, a short sound follows its own copy). The exit
status is 1 if the silence that the tool adds is further from the row than none.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench_human_speech import HUMAN

from cascadence.audio import Audio, audible_runs, read_audio
from cascadence.metrics.signal_levels import ANALYSIS_RATE
from cascadence.metrics.tools import _DNSMOS_WINDOW_SAMPLES, DNSMOS_QUIET_S, Dnsmos

Samples = npt.NDArray[np.float32]

EACH = 12
GAP_S = 0.3
QUIET_S = (0.0, 0.15, DNSMOS_QUIET_S, 0.35, 0.5)
SNR_DB = (np.inf, 25.0, 10.0)


class _AsItIs(Dnsmos):
    """Judges a sound with the silence that it has."""

    def _windows(self, sound: Audio) -> list[Samples]:
        size = _DNSMOS_WINDOW_SAMPLES
        copies = -(-size // len(sound.samples))
        return [np.tile(sound.samples, copies)[:size]] if copies > 1 else super()._windows(sound)


def audible(path: Path) -> Samples:
    """Read a recording, from the first to the last audible sample."""
    sound = read_audio(path).at_rate(ANALYSIS_RATE)
    runs = audible_runs(sound)
    return sound.span(runs[0][0], runs[-1][1]).samples


def in_noise(samples: Samples, snr_db: float, random: np.random.Generator) -> Samples:
    """Add white noise."""
    power = np.mean(samples**2) * 10 ** (-snr_db / 10)
    noisy = samples + np.sqrt(power) * random.standard_normal(len(samples))
    return np.clip(noisy, -1, 1).astype(np.float32)


def scores(judge: Dnsmos, sounds: Sequence[Samples]) -> list[float]:
    """Overall scores: of the sounds in a row, then the mean alone for each of `QUIET_S`."""
    gap = round(GAP_S * ANALYSIS_RATE)
    found = [_overall(judge, np.concatenate([np.pad(x, (0, gap)) for x in sounds]))]
    for quiet_s in QUIET_S:
        quiet = round(quiet_s * ANALYSIS_RATE)
        found.append(float(np.mean([_overall(judge, np.pad(x, quiet)) for x in sounds])))
    return found


def _overall(judge: Dnsmos, samples: Samples) -> float:
    return float(judge(Audio(samples, ANALYSIS_RATE))["ovrl"])


def recordings(folder: Path) -> Mapping[str, list[Path]]:
    """`EACH` recordings of each speaker, drawn at random."""
    found: dict[str, list[Path]] = defaultdict(list)
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["speaker"]].append(folder / row["file"])
    random = np.random.default_rng(0)
    return {
        speaker: [paths[k] for k in random.permutation(len(paths))[:EACH]]
        for speaker, paths in sorted(found.items())
    }


def main(folder: Path) -> int:
    """Print the scores; return the exit status."""
    if not (folder / "labels.csv").exists():
        sys.stdout.write(f"skipped: no {folder / 'labels.csv'}\n")
        return 0
    judge, random, missed = _AsItIs(), np.random.default_rng(1), 0
    columns = " ".join(f"{quiet_s:5.2f} s" for quiet_s in QUIET_S)
    sys.stdout.write(f"noise (dB below)  in a row  {columns}\n")
    spoken = [[audible(path) for path in paths] for paths in recordings(folder).values()]
    for snr_db in SNR_DB:
        rows = [scores(judge, [in_noise(x, snr_db, random) for x in some]) for some in spoken]
        row, *alone = np.mean(rows, axis=0)
        values = " ".join(f"{value:7.2f}" for value in alone)
        sys.stdout.write(f"{snr_db:16.0f}  {row:8.2f}  {values}  n = {len(rows)} x {EACH}\n")
        sys.stdout.flush()
        added = alone[QUIET_S.index(DNSMOS_QUIET_S)]
        missed += abs(added - row) >= abs(alone[0] - row)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HUMAN))
