"""What the signal features tell of human speech: figures with n and a 95 % interval.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_human_speech.py [FOLDER]

FOLDER holds half of the Berlin Database of Emotional Speech (Burkhardt et al., Interspeech 2005):
``labels.csv`` and the recordings it names; by default ``shared/data/emodb`` beside the repository.
Without it the figures are skipped, and that is no failure. The bars are in `BARS`: where one is
missed on all recordings, the exit status is 1.

The recordings at hand are cut at 2 s, before the labelled speech ends in most of them. So every
figure is also given for those that hold all of their speech. Intervals are bootstraps over the
sentences: of *these speakers*, they say nothing of others.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cascadence.audio import read_audio
from cascadence.metrics.signal import active_level_dbfs, speech_runs
from cascadence.metrics.style_information_estimator import StyledSet, style_information
from cascadence.metrics.tools import Features
from cascadence.resampling import bootstrap_interval, stable_seed

Floats = npt.NDArray[np.float64]

HUMAN = Path(__file__).resolve().parents[3] / "shared" / "data" / "emodb"
EDGE_S = 0.03
"""Speech that ends nearer to the recording's end may be cut."""
RESAMPLES = 1000
HIGH, LOW = ("anger", "joy"), ("sadness", "boredom")
VOICE = (
    "rate_syllables_per_s",
    "f0_median_st",
    "f0_range_st",
    "level_range_db",
    "pause_ratio",
    "final_f0_slope_st_per_s",
    "spectral_tilt_db_per_octave",
    "hnr_db",
)
"""Not the level: the recordings were brought to one peak."""
BARS: Mapping[str, Callable[[float], bool]] = {
    "bits, folds by sentence": lambda bits: bits >= 1.2,
    "AUC of f0_median_st": lambda auc: auc >= 0.97,
    "error of syllable rate, whole speech": lambda error: error <= 0.08,
    "error of speech boundaries (s)": lambda error: error <= 0.06,
}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording, what was labelled by hand, and what was measured.

    Attributes:
        start_s, end_s: of the speech, by hand.
        syllables: of the whole speech, by hand.
        is_whole: whether the recording holds all of it.
        begins_s, ends_s: of the speech, measured.
        features: the answer of the tool ``features``.
    """

    speaker: str
    sentence: str
    emotion: str
    start_s: float
    end_s: float
    syllables: int
    is_whole: bool
    begins_s: float
    ends_s: float
    features: Mapping[str, Any]

    @property
    def number(self) -> Floats:
        """The eight features of `VOICE`, NaN for what it does not bear."""
        read = [self.features[name] for name in VOICE]
        return np.array([np.nan if x is None else x for x in read], dtype=np.float64)

    @property
    def rate_error(self) -> float:
        """Relative error of the syllable rate against syllables and times counted by hand."""
        rate = float(self.features["rate_syllables_per_s"])
        return rate * (self.end_s - self.start_s) / self.syllables - 1.0

    @property
    def boundary_errors_s(self) -> list[float]:
        """Of the start, and of the end where it was not cut off."""
        end = [abs(self.ends_s - self.end_s)] if self.is_whole else []
        return [abs(self.begins_s - self.start_s), *end]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, of how many recordings (or pairs of boundaries), with its interval."""

    name: str
    value: float
    n: int
    interval: tuple[float, float] | None
    note: str = ""


def recordings(folder: Path) -> list[Spoken]:
    """Measure every recording of the folder."""
    features, found = Features(), []
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            audio = read_audio(folder / row["file"])
            runs = speech_runs(audio, active_level_dbfs(audio) or 0.0)
            end_s = float(row["speech_end_s"])
            found.append(
                Spoken(
                    speaker=row["speaker"],
                    sentence=row["sentence"],
                    emotion=row["emotion"],
                    start_s=float(row["speech_start_s"]),
                    end_s=end_s,
                    syllables=int(row["syllables"]),
                    is_whole=end_s <= audio.duration_s - EDGE_S,
                    begins_s=runs[0][0],
                    ends_s=runs[-1][1],
                    features=features(audio),
                )
            )
    return found


def emotion_bits(
    name: str, spoken: Sequence[Spoken], fold: Callable[[Spoken], str], exchanged: int | None = None
) -> Figure | None:
    """Bits about the emotion, by the estimator of `style_information_bits`.

    Each speaker's neutral median is subtracted; a set is a fold: what is the same in all of it
    (a sentence, a speaker) tells nothing.

    Args:
        name: of the figure.
        spoken: the recordings.
        fold: what is left out together.
        exchanged: seed by which the emotions are exchanged within the folds; none: they are not.

    Returns:
        ``None`` where there are too few folds.
    """
    neutral = {
        speaker: np.nanmedian(
            [o.number for o in spoken if (o.speaker, o.emotion) == (speaker, "neutral")], axis=0
        )
        for speaker in sorted({one.speaker for one in spoken})
    }
    members: dict[str, list[Spoken]] = defaultdict(list)
    for one in spoken:
        members[fold(one)].append(one)
    sets = []
    for key, group in sorted(members.items()):
        emotions = np.array([one.emotion for one in group])
        if exchanged is not None:
            emotions = np.random.default_rng([exchanged, len(sets)]).permutation(emotions)
        rows = np.array([one.number - neutral[one.speaker] for one in group])
        sets.append(StyledSet(key, tuple(map(str, emotions)), rows))
    found = style_information(sets, name)
    if found is None:
        return None
    note = f"of {found.entropy_bits:.2f}; {found.groups} folds, p = {found.p_value:.3f}"
    return Figure(name, found.bits, found.members, found.interval, note)


def separation(spoken: Sequence[Spoken], feature: str) -> float:
    """AUC of anger and joy against sadness and boredom, each speaker's neutral median removed."""
    neutral: dict[str, list[float]] = defaultdict(list)
    for one in spoken:
        if one.emotion == "neutral":
            neutral[one.speaker].append(one.features[feature])

    def relative(emotions: Sequence[str]) -> Floats:
        return np.array(
            [
                one.features[feature] - np.median(neutral[one.speaker])
                for one in spoken
                if one.emotion in emotions and neutral[one.speaker]
            ]
        )

    high, low = relative(HIGH)[:, None], relative(LOW)
    return float(np.mean((high > low) + 0.5 * (high == low))) if high.size and low.size else np.nan


def over_sentences(
    name: str, spoken: Sequence[Spoken], statistic: Callable[[Sequence[Spoken]], float], n: int
) -> Figure:
    """A statistic with its interval: sentences are drawn with replacement."""
    members: dict[str, list[Spoken]] = defaultdict(list)
    for one in spoken:
        members[one.sentence].append(one)
    sentences = sorted(members)
    random = np.random.default_rng(stable_seed(name))
    drawn = [
        statistic(
            [
                o
                for k in random.integers(0, len(sentences), len(sentences))
                for o in members[sentences[k]]
            ]
        )
        for _ in range(RESAMPLES)
    ]
    interval = bootstrap_interval(np.array(drawn), len(sentences))
    return Figure(name, statistic(spoken), n, interval, f"{len(sentences)} sentences")


def _median_rate_error(spoken: Sequence[Spoken]) -> float:
    return float(np.median([abs(one.rate_error) for one in spoken]))


def _median_boundary_error_s(spoken: Sequence[Spoken]) -> float:
    return float(np.median([error for one in spoken for error in one.boundary_errors_s]))


def figures(spoken: Sequence[Spoken]) -> Iterator[Figure]:
    """Compute everything, of all these recordings."""
    by_sentence = emotion_bits("bits, folds by sentence", spoken, lambda one: one.sentence)
    by_speaker = emotion_bits("bits, folds by speaker", spoken, lambda one: one.speaker)
    exchanged = emotion_bits("bits, emotions exchanged", spoken, lambda one: one.sentence, 0)
    yield from (found for found in (by_sentence, by_speaker, exchanged) if found is not None)
    compared = sum(one.emotion in HIGH + LOW for one in spoken)
    for feature in ("f0_median_st", "spectral_tilt_db_per_octave", "rate_syllables_per_s"):

        def auc(some: Sequence[Spoken], feature: str = feature) -> float:
            return separation(some, feature)

        yield over_sentences(f"AUC of {feature}", spoken, auc, compared)
    whole = [one for one in spoken if one.is_whole]
    error = "error of syllable rate, whole speech"
    yield over_sentences(error, whole, _median_rate_error, len(whole))
    if len(whole) < len(spoken):
        # The rate of what is there, against that of the whole sentence.
        error = "error of syllable rate, cut or whole"
        yield over_sentences(error, spoken, _median_rate_error, len(spoken))
    boundaries = sum(len(one.boundary_errors_s) for one in spoken)
    error = "error of speech boundaries (s)"
    yield over_sentences(error, spoken, _median_boundary_error_s, boundaries)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; return the exit status."""
    folder = Path(arguments[0]) if arguments else HUMAN
    if not (folder / "labels.csv").is_file():
        sys.stdout.write(f"skipped: no human speech in {folder}\n")
        return 0
    spoken = recordings(folder)
    whole = [one for one in spoken if one.is_whole]
    held = True
    for title, some in (("all recordings", spoken), ("speech not cut off", whole)):
        sys.stdout.write(f"{title}: {len(some)}\n")
        for figure in figures(some):
            low, high = figure.interval or (np.nan, np.nan)
            bar = BARS.get(figure.name) if some is spoken else None
            verdict = "" if bar is None else "  reached" if bar(figure.value) else "  missed"
            held = held and verdict != "  missed"
            sys.stdout.write(
                f"  {figure.name:40s} {figure.value:6.3f} [{low:6.3f}, {high:6.3f}]"
                f"  n = {figure.n:3d}  {figure.note}{verdict}\n"
            )
            sys.stdout.flush()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
