"""Compares pitch trackers: accuracy where F0 is known, agreement where it is not, and speed.

    OMP_NUM_THREADS=1 python tests/f0_trackers.py [tones] [voices] [human] [creaky] [speed]

prints the tables of docs/f0_trackers.md (some ten minutes on one core). Needs the extras
``prosody``, ``piper`` and ``recipes``, and mir_eval. Human speech is looked for in
``../shared/data/emodb``, Piper's voice in the weight store; what is not there is left out and said.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, permutations
from pathlib import Path
from typing import Any

import numpy as np

from cascadence.audio import Audio, concatenate, read_audio
from cascadence.corpus import open_corpus
from cascadence.metrics.signal_levels import ANALYSIS_RATE, active_level_dbfs
from cascadence.metrics.signal_pitch import PitchTrack
from cascadence.metrics.tools import Features

Floats = np.ndarray[Any, np.dtype[np.float64]]
Tracker = Callable[[Audio], PitchTrack]
Trackers = dict[str, Tracker]

LOWEST_HZ, HIGHEST_HZ = Features.LOWEST_HZ, Features.HIGHEST_HZ
REFERENCE_HOP_S = 0.005
NOISE_DB = 10.0
HUMAN = Path(__file__).parents[2] / "shared" / "data" / "emodb"
CREAKY = (
    "Okay, the timer is set.",
    "I am sorry, there is nothing on your list.",
    "The alarm on Monday is cancelled.",
    "It will be cold and windy tomorrow morning.",
    "Your table is booked for seven.",
    "You have no messages.",
)


def swift_f0() -> Tracker:
    return Features().track


def pyin() -> Tracker:
    import librosa

    def track(audio: Audio) -> PitchTrack:
        f0_hz, _, _ = librosa.pyin(
            audio.samples,
            fmin=LOWEST_HZ,
            fmax=HIGHEST_HZ,
            sr=ANALYSIS_RATE,
            frame_length=1024,
            hop_length=160,
        )
        return PitchTrack(0.01, np.nan_to_num(f0_hz))

    return track


def dio() -> Tracker:
    import pyworld

    def track(audio: Audio) -> PitchTrack:
        sound = audio.samples.astype(np.float64)
        found, times_s = pyworld.dio(sound, ANALYSIS_RATE, LOWEST_HZ, HIGHEST_HZ)
        return PitchTrack(0.005, pyworld.stonemask(sound, found, times_s, ANALYSIS_RATE))

    return track


def harvest() -> Tracker:
    import pyworld

    def track(audio: Audio) -> PitchTrack:
        sound = audio.samples.astype(np.float64)
        return PitchTrack(0.005, pyworld.harvest(sound, ANALYSIS_RATE, LOWEST_HZ, HIGHEST_HZ)[0])

    return track


TRACKERS: dict[str, Callable[[], Tracker]] = {
    "swift-f0": swift_f0,
    "librosa.pyin": pyin,
    "dio + stonemask": dio,
    "harvest": harvest,
}


@dataclass(frozen=True, slots=True)
class Score:
    """How a track compares with the truth; shares, pooled over frames.

    Attributes:
        raw_pitch: of voiced frames, found voiced and within 50 cents (mir_eval).
        recall: of voiced frames, found voiced.
        false_alarm: of unvoiced frames, found voiced.
        gross: of frames voiced in both, off by more than 20 %; ``None`` where there are none.
    """

    raw_pitch: float
    recall: float
    false_alarm: float
    gross: float | None


def score(truths: list[PitchTrack], tracks: list[PitchTrack]) -> Score:
    """Compare tracks with the truth on its frames, by `mir_eval.melody`, pooled."""
    from mir_eval import melody

    parts = []
    for truth, track in zip(truths, tracks, strict=True):
        reference, found = truth.f0_hz, track.f0_hz
        parts.append(melody.to_cent_voicing(truth.times_s, reference, track.times_s, found))
    voiced, cents, heard, heard_cents = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    recall, false_alarm = melody.voicing_measures(voiced, heard)
    both = (voiced > 0) & (heard > 0)
    ratio = np.exp2((heard_cents[both] - cents[both]) / 1200.0)
    return Score(
        # A frame that was taken for unvoiced is no pitch found.
        melody.raw_pitch_accuracy(voiced, cents, heard, np.where(heard > 0, heard_cents, 0.0)),
        float(recall),
        float(false_alarm),
        float(np.mean(np.abs(ratio - 1.0) > 0.2)) if both.any() else None,
    )


def tones(count: int = 40) -> Iterator[tuple[Audio, PitchTrack]]:
    """Harmonic tones, 60 to 450 Hz: three stretches with glides or vibrato, silence between."""
    for seed in range(count):
        random = np.random.default_rng(seed)
        times_s = np.arange(2 * ANALYSIS_RATE) / ANALYSIS_RATE
        middle = 60.0 * (450.0 / 60.0) ** (seed / (count - 1))
        bend = random.uniform(-0.5, 0.5) * (times_s - 1.0)
        bend += random.uniform(0.0, 0.15) * np.sin(2 * np.pi * random.uniform(1, 6) * times_s)
        f0 = middle * np.exp2(bend)
        phase = 2 * np.pi * np.cumsum(f0) / ANALYSIS_RATE
        formants = random.uniform((300, 900, 2200), (800, 1800, 3000))
        sound = np.zeros_like(phase)
        for k in range(1, int(7500 / f0.max()) + 1):
            near = sum(np.exp(-(((k * f0 - centre) / 200.0) ** 2)) for centre in formants)
            sound += (0.05 + near) * k**-0.7 * np.sin(k * phase + random.uniform(0, 6))
        loud = np.zeros_like(times_s)
        for start_s in (0.2, 0.8, 1.4):
            inside = np.clip((times_s - start_s) / 0.02, 0, 1)
            loud += inside * np.clip((start_s + 0.4 - times_s) / 0.02, 0, 1)
        audio = Audio((0.05 * sound * loud / np.std(sound)).astype(np.float32), ANALYSIS_RATE)
        step = round(REFERENCE_HOP_S * ANALYSIS_RATE)
        yield audio, PitchTrack(REFERENCE_HOP_S, np.where(loud >= 0.5, f0, 0.0)[::step])


def planted(
    speech: list[Audio], trackers: dict[str, Tracker]
) -> Iterator[tuple[Audio, PitchTrack]]:
    """Speech, resynthesised by WORLD with a contour that no tracker found.

    The envelope is the speech's own; voiced is what most trackers hold to be voiced; F0 is the
    speech's median, and a fall with accents about it.
    """
    import pyworld

    for seed, audio in enumerate(speech):
        random = np.random.default_rng(seed)
        sound = audio.samples.astype(np.float64)
        times_s = np.arange(int(audio.duration_s / REFERENCE_HOP_S)) * REFERENCE_HOP_S
        votes = np.array([_at(track(audio), times_s) for track in trackers.values()])
        voiced = _long_runs(np.sum(votes > 0, axis=0) >= 3)
        if voiced.sum() < 40:
            continue
        own = np.median(votes[:, voiced][votes[:, voiced] > 0])
        accents = np.convolve(random.normal(0, 25, len(times_s)), np.hanning(61) / 30, mode="same")
        fall = np.linspace(2.0, -2.0, len(times_s))
        contour = np.clip(own * np.exp2((fall + accents) / 12), 55.0, 500.0)
        analysed = np.where(voiced, np.median(votes, axis=0), 0.0)
        envelope = pyworld.cheaptrick(sound, analysed, times_s, ANALYSIS_RATE)
        noise = pyworld.d4c(sound, analysed, times_s, ANALYSIS_RATE)
        f0 = np.where(voiced, contour, 0.0)
        made = pyworld.synthesize(f0, envelope, noise, ANALYSIS_RATE, 1000 * REFERENCE_HOP_S)
        made *= 0.9 / max(0.9, np.abs(made).max())
        yield Audio(made.astype(np.float32), ANALYSIS_RATE), PitchTrack(REFERENCE_HOP_S, f0)


def _at(track: PitchTrack, times_s: Floats) -> Floats:
    nearest = np.rint(times_s / track.hop_s).astype(int)
    return np.asarray(track.f0_hz[np.clip(nearest, 0, len(track.f0_hz) - 1)])


def _long_runs(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Voiced stretches of at least 50 ms."""
    runs = [list(run) for _, run in groupby(flags)]
    return np.concatenate([np.full(len(run), run[0] and len(run) >= 10) for run in runs])


def with_noise(audio: Audio, seed: int) -> Audio:
    """White noise, `NOISE_DB` below the active level, from beginning to end."""
    level_db = active_level_dbfs(audio)
    assert level_db is not None
    noise = np.random.default_rng(seed).standard_normal(len(audio))
    noise *= 10 ** ((level_db - NOISE_DB) / 20)
    return Audio(np.clip(audio.samples + noise, -1, 1).astype(np.float32), audio.sample_rate)


def bundled(each: int = 3) -> list[Audio]:
    """So many clips of every voice of the bundled corpus."""
    corpus = open_corpus("assistant")
    taken: dict[str, list[Audio]] = {}
    for entry in corpus:
        for turn in entry.turns:
            clips = taken.setdefault(turn.speaker or "", [])
            if len(clips) < each:
                clips.append(corpus.clip(turn).at_rate(ANALYSIS_RATE))
    return [clip for clips in taken.values() for clip in clips]


def human(every: int = 6) -> list[Audio]:
    """Every so manyth recording of emotional German."""
    with (HUMAN / "labels.csv").open(encoding="utf-8") as file:
        return [read_audio(HUMAN / row["file"]) for row in list(csv.DictReader(file))[::every]]


def creaky() -> list[Audio]:
    """A low male voice of Piper that creaks at the ends of its sentences."""
    from cascadence.data_manifests.recipes.synthesisers import Control, Native, synthesise

    native = Native("piper-joe-medium", tempo=0.9)
    spoken = [synthesise("piper", native, text, Control()) for text in CREAKY]
    return [audio.at_rate(ANALYSIS_RATE) for audio in spoken]


def accuracy_table(
    name: str, pairs: list[tuple[Audio, PitchTrack]], trackers: dict[str, Tracker]
) -> str:
    """One row a tracker, clean and in noise."""
    truths = [truth for _, truth in pairs]
    noisy = [with_noise(audio, seed) for seed, (audio, _) in enumerate(pairs)]
    voiced_s = sum(truth.voiced.sum() for truth in truths) * REFERENCE_HOP_S
    rows = [
        f"\n{name}: n = {len(pairs)} sounds, {voiced_s:.0f} s voiced.\n\n"
        "| tracker | condition | raw pitch ↑ | voicing recall ↑ | false alarm ↓ | gross ↓ |\n"
        "|---|---|---|---|---|---|"
    ]
    for condition, sounds in (("clean", [a for a, _ in pairs]), ("10 dB", noisy)):
        for tracker, track in trackers.items():
            got = score(truths, [track(sound) for sound in sounds])
            rows.append(
                f"| {tracker} | {condition} | {got.raw_pitch:.3f} | {got.recall:.3f} "
                f"| {got.false_alarm:.3f} | {'' if got.gross is None else f'{got.gross:.3f}'} |"
            )
    return "\n".join(rows)


def agreement_table(name: str, sounds: list[Audio], trackers: Trackers) -> str:
    """Gross disagreement of pairs of trackers; nobody is right by decree."""
    tracks = {tracker: [track(sound) for sound in sounds] for tracker, track in trackers.items()}
    grids = [np.arange(int(sound.duration_s / 0.01)) * 0.01 for sound in sounds]
    f0 = {
        tracker: np.concatenate([_at(one, grid) for one, grid in zip(found, grids, strict=True)])
        for tracker, found in tracks.items()
    }
    rows = [
        f"\n{name}: n = {len(sounds)} sounds, {sum(s.duration_s for s in sounds):.0f} s."
        " In each row, of the frames that both hold to be voiced, the share a factor of 1.2 or"
        " more apart (in brackets: the median difference there, semitones).\n\n"
        f"| | {' | '.join(trackers)} | voiced |\n|---|{'---|' * (len(trackers) + 1)}"
    ]
    cells: dict[tuple[str, str], str] = {}
    for one, other in permutations(trackers, 2):
        both = (f0[one] > 0) & (f0[other] > 0)
        apart = 12 * np.log2(f0[other][both] / f0[one][both])
        gross = np.abs(apart) > 12 * np.log2(1.2)
        middle = f" ({np.median(apart[gross]):+.1f})" if gross.any() else ""
        cells[one, other] = f"{gross.mean():.3f}{middle}"
    for one in trackers:
        row = [cells.get((one, other), "") for other in trackers]
        rows.append(f"| {one} | {' | '.join(row)} | {np.mean(f0[one] > 0):.2f} |")
    return "\n".join(rows)


def speed_table(sound: Audio, trackers: dict[str, Tracker], runs: int = 5) -> str:
    """Multiples of real time by processor time, median; one thread, so that others do not count."""
    rows = [
        f"\nSpeed on {sound.duration_s:.0f} s of speech, median of {runs}.\n\n"
        "| tracker | × real time |\n|---|---|"
    ]
    for name, track in trackers.items():
        track(sound)
        took_s = []
        for _ in range(runs):
            began_s = time.process_time()
            track(sound)
            took_s.append(time.process_time() - began_s)
        rows.append(f"| {name} | {sound.duration_s / float(np.median(took_s)):.0f} |")
    return "\n".join(rows)


def _tones(trackers: Trackers) -> str:
    return accuracy_table("Harmonic tones", list(tones()), trackers)


def _voices(trackers: Trackers) -> str:
    pairs = list(planted(bundled(), trackers))
    return accuracy_table("Bundled synthetic voices, planted contour", pairs, trackers)


def _human(trackers: Trackers) -> str:
    if not (HUMAN / "labels.csv").is_file():
        return "\nNo human speech on this machine."
    speech = human()
    known = accuracy_table(
        "Human speech, planted contour", list(planted(speech, trackers)), trackers
    )
    return f"{known}\n{agreement_table('Human speech as it is', speech, trackers)}"


def _creaky(trackers: Trackers) -> str:
    return agreement_table("Creaky Piper", creaky(), trackers)


def _speed(trackers: Trackers) -> str:
    return speed_table(concatenate(bundled(1), ANALYSIS_RATE), trackers)


TABLES: dict[str, Callable[[Trackers], str]] = {
    "tones": _tones,
    "voices": _voices,
    "human": _human,
    "creaky": _creaky,
    "speed": _speed,
}


def main() -> None:
    """Print the tables that were asked for, or all."""
    trackers = {name: make() for name, make in TRACKERS.items()}
    for name in sys.argv[1:] or TABLES:
        sys.stdout.write(TABLES[name](trackers) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
