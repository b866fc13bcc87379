"""What Cadence makes of human speech, of silence and of noise: figures with n and 95 % intervals.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_cadence_human.py [FOLDER]

FOLDER holds ``emodb/`` (Burkhardt et al., Interspeech 2005; acted German, cut at 2 s) and ``fsdd/``
(Free Spoken Digit Dataset, 8 kHz); by default ``shared/data`` beside the repository. Without it the
figures of human speech are skipped, and that is no failure.

Every recording is answered whole: an exception ends the benchmark. The F0 that Cadence mirrors is
compared with pYIN's (librosa), which neither Cadence nor the metrics use; its rate, in phonemes,
with the hand-made count of syllables. How many phonemes a syllable has is the median over the
*other* speakers. Intervals are bootstraps over speakers. The bars are those of `BARS`.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio, read_audio
from cascadence.events import AudioOut
from cascadence.protocols import Context, Turn
from cascadence.resampling import bootstrap_interval, stable_seed
from cascadence.systems.cadence.augment import background
from cascadence.systems.cadence.bundle import load_bundle
from cascadence.systems.cadence.listener import Listener
from cascadence.systems.cadence.style import UserStyle
from cascadence.systems.cadence.system import CadenceReplier

Floats = npt.NDArray[np.float64]

HUMAN = Path(__file__).resolve().parents[3] / "shared" / "data"
RATE = 16_000
CADENCE_HZ = 150.0
"""Cadence's semitones count from here."""
NOISES = ("white", "pink", "hum")
LEVELS_DBFS = (-60.0, -50.0, -40.0, -30.0, -25.0)
SEEDS = 4
RESAMPLES = 1000
BARS: Mapping[str, Callable[[float], bool]] = {
    "noises answered": lambda share: share == 0.0,
    "emodb: error of F0 (st), median": lambda error: error <= 1.5,
    "fsdd: error of F0 (st), median": lambda error: error <= 1.5,
    "emodb: error of rate, median": lambda error: error <= 0.2,
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording, and what Cadence made of it.

    Attributes:
        speaker: who speaks.
        style: as Cadence heard it; ``None`` where it heard no phoneme.
        f0_hz: median by pYIN, NaN where nothing is voiced.
        syllables_per_s: by hand; NaN where nobody counted.
        answered: whether anything was said.
    """

    speaker: str
    style: UserStyle | None
    f0_hz: float
    syllables_per_s: float
    answered: bool

    @property
    def f0_error_st(self) -> float:
        """Of the F0 that is mirrored."""
        if self.style is None:
            return float("nan")
        return abs(self.style.f0_st - 12.0 * np.log2(self.f0_hz / CADENCE_HZ))


class Ears:
    """Cadence, as it is shipped."""

    def __init__(self, replier: CadenceReplier) -> None:
        """Load its ears a second time, to look at the style."""
        from cascadence.systems.cadence import system

        bundle = load_bundle(Path(system.__file__).parent)
        self._statistics = bundle.statistics
        self._listener = Listener(bundle.ears)
        self._replier = replier

    def hear(self, audio: Audio, speaker: str, syllables_per_s: float = float("nan")) -> Heard:
        """Hear a recording, and let it be answered."""
        sound = audio.at_rate(RATE)
        heard = self._listener.hear(sound.samples)
        style = None
        if heard is not None and not heard.is_empty and heard.pitch is not None:
            style = self._statistics.user_style(heard.style, heard.pitch)
        turn = Turn(sound, 0.0, sound.duration_s)
        events = self._replier.reply(turn, (), Context("en", 0, _Nothing()))
        answered = any(isinstance(event, AudioOut) for event in events)
        return Heard(speaker, style, _pyin_hz(sound), syllables_per_s, answered)


class _Nothing:
    """Nothing is being played."""

    played_s = remaining_s = 0.0


def _pyin_hz(audio: Audio) -> float:
    samples = audio.samples.astype(np.float64)
    f0_hz, voiced, _ = librosa.pyin(samples, fmin=60.0, fmax=600.0, sr=audio.sample_rate)
    return float(np.median(f0_hz[voiced])) if voiced.any() else float("nan")


def emodb(folder: Path, ears: Ears) -> list[Heard]:
    """Hear the acted sentences; the rate is that of the labelled whole."""
    found = []
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            spoken_s = float(row["speech_end_s"]) - float(row["speech_start_s"])
            rate = int(row["syllables"]) / spoken_s
            found.append(ears.hear(read_audio(folder / row["file"]), row["speaker"], rate))
    return found


def fsdd(folder: Path, ears: Ears) -> list[Heard]:
    """Hear the digits."""
    paths = sorted(folder.rglob("*_*_*.flac"))
    return [ears.hear(read_audio(path), path.stem.split("_")[1]) for path in paths]


def noises(ears: Ears) -> list[Heard]:
    """Hear two seconds of silence, once, and of noise, at several levels."""
    found = [ears.hear(Audio(np.zeros(2 * RATE, dtype=np.float32), RATE), "silence")]
    for kind in NOISES:
        for level_dbfs in LEVELS_DBFS:
            for seed in range(SEEDS):
                noise = background(2 * RATE, kind, np.random.default_rng(seed))
                samples = noise * np.float32(10 ** (level_dbfs / 20))
                found.append(ears.hear(Audio(samples, RATE), kind))
    return found


def rate_errors(heard: Sequence[Heard]) -> dict[str, list[float]]:
    """Relative errors by speaker; phonemes a syllable are those of the other speakers."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for one in heard:
        if one.style is not None:
            ratios[one.speaker].append(one.style.phones_per_s / one.syllables_per_s)
    errors = {}
    for speaker, own in ratios.items():
        others = [ratio for name, some in ratios.items() if name != speaker for ratio in some]
        errors[speaker] = [abs(ratio / float(np.median(others)) - 1.0) for ratio in own]
    return errors


def f0_errors(heard: Sequence[Heard]) -> dict[str, list[float]]:
    """Errors by speaker, in semitones."""
    errors: dict[str, list[float]] = defaultdict(list)
    for one in heard:
        if np.isfinite(one.f0_error_st):
            errors[one.speaker].append(one.f0_error_st)
    return errors


def figures(
    name: str, errors: Mapping[str, list[float]], limit: float
) -> Iterator[tuple[str, float, int, tuple[float, float]]]:
    """The median error, and the share within a limit, with intervals over speakers."""
    values = [np.array(some) for some in errors.values() if some]
    statistics: dict[str, Callable[[Floats], float]] = {
        f"{name}, median": lambda all_of_them: float(np.median(all_of_them)),
        f"{name}, share within {limit:g}": lambda all_of_them: float(np.mean(all_of_them <= limit)),
    }
    for title, statistic in statistics.items():
        random = np.random.default_rng(stable_seed(title))
        picks = random.integers(0, len(values), (RESAMPLES, len(values)))
        drawn = [statistic(np.concatenate([values[k] for k in pick])) for pick in picks]
        together = np.concatenate(values)
        interval = bootstrap_interval(np.array(drawn), len(values))
        yield title, statistic(together), len(together), interval


def show(title: str, value: float, n: int, interval: tuple[float, float] | None = None) -> bool:
    """Print a figure; whether its bar is reached, if it has one."""
    bar = BARS.get(title)
    verdict = "" if bar is None else "  reached" if bar(value) else "  missed"
    span = "" if interval is None else f" [{interval[0]:6.3f}, {interval[1]:6.3f}]"
    sys.stdout.write(f"{title:45s} {value:6.3f}{span}  n = {n}{verdict}\n")
    sys.stdout.flush()
    return verdict != "  missed"


def main(arguments: Sequence[str]) -> int:
    """Print the figures; return the exit status."""
    folder = Path(arguments[0]) if arguments else HUMAN
    with CadenceReplier() as replier:
        ears = Ears(replier)
        found = noises(ears)
        held = show("noises answered", float(np.mean([one.answered for one in found])), len(found))
        for name, read in (("emodb", emodb), ("fsdd", fsdd)):
            if not (folder / name).is_dir():
                sys.stdout.write(f"skipped: no {name} in {folder}\n")
                continue
            heard = read(folder / name, ears)
            silent = [not one.answered for one in heard]
            show(f"{name}: not answered", float(np.mean(silent)), len(heard))
            for figure in figures(f"{name}: error of F0 (st)", f0_errors(heard), 1.5):
                held &= show(*figure)
            if name == "emodb":
                for figure in figures(f"{name}: error of rate", rate_errors(heard), 0.2):
                    held &= show(*figure)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
