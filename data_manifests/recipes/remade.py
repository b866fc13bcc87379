"""Tells whether corpora that were made again are the same as before.

    python -m cascadence.data_manifests.recipes.remade OLD NEW

Each folder is a corpus, or holds corpora as folders. Two corpora are the same if

- their conversations stand in the same order, and every field of each is the same but the hash of
  the audio's bytes (a decoder or an encoder of another build may change bytes that nobody hears);
- every clip, decoded, has the same sample rate and number of samples, and its log-mel distance
  (`distance_db`) is below `FARTHEST_DB`.

Prints a line a corpus, then every difference. The exit status is 1 where something is not the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from cascadence.audio import Audio, read_audio
from cascadence.conversation import AudioRef, Conversation
from cascadence.errors import CascadenceError
from cascadence.manifest import (
    MANIFEST,
    BadLine,
    bad_line,
    parse_line,
    problems_of,
    scan_lines,
)

FARTHEST_DB: Final = 0.5
MEL_BANDS: Final = 80
FLOOR_DB: Final = -80.0
"""Of a power spectrum, relative to the clip's loudest band."""
WINDOW_S: Final = 0.025
HOP_S: Final = 0.010
_SILENT_POWER: Final = 1e-20
_ABSENT: Final = "absent"

Lines = dict[str, dict[str, Any]]


class Unlike(NamedTuple):
    """Why two clips are not the same: what of them, before and now."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        corpus: name of its folder.
        conversation: its id; empty where the corpus as a whole is meant.
        turn: from 0; None where the conversation as a whole is meant.
        field: dotted path inside the turn or the conversation.
        old: the value before, as JSON or in words.
        new: the value now.
    """

    corpus: str
    conversation: str
    turn: int | None
    field: str
    old: str
    new: str

    def __str__(self) -> str:
        """Lay it out on one line, place first."""
        turn = "" if self.turn is None else f" turn {self.turn}"
        where = f"{self.conversation}{turn}".strip()
        return f"{self.corpus}: {where}: {self.field}: {self.old} -> {self.new}"


@dataclass(frozen=True, slots=True)
class Compared:
    """What the comparison of one corpus found.

    Attributes:
        corpus: name of its folder.
        conversations: how many are in both.
        clips: how many are readable in both and of equal length.
        identical_files: how many of the clips lie in files whose bytes are the same.
        worst_db: largest distance of clips of equal length, in dB; None where there are none.
        worst_clip: path of that clip.
        differences: everything that is not the same.
    """

    corpus: str
    conversations: int
    clips: int
    identical_files: int
    worst_db: float | None
    worst_clip: str
    differences: tuple[Difference, ...]


def log_mel_db(audio: Audio) -> npt.NDArray[np.float64]:
    """Return the log-mel power spectrogram, shape ``(80, frames)``, in dB, floored at `FLOOR_DB`.

    The spectrum is zero-padded fourfold or more, so that no mel band is left without a bin.
    """
    import librosa

    window = round(WINDOW_S * audio.sample_rate)
    power = librosa.feature.melspectrogram(
        y=audio.samples.astype(np.float64),
        sr=audio.sample_rate,
        n_fft=1 << (4 * window - 1).bit_length(),
        win_length=window,
        hop_length=round(HOP_S * audio.sample_rate),
        n_mels=MEL_BANDS,
        pad_mode="constant",
    )
    floor = max(float(power.max()) * 10.0 ** (FLOOR_DB / 10.0), _SILENT_POWER)
    levels: npt.NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, floor))
    return levels


def distance_db(one: Audio, other: Audio) -> float:
    """Return the mean absolute difference of two log-mel spectrograms, in dB.

    Args:
        one: a sound.
        other: another of the same rate and number of samples.
    """
    return float(np.mean(np.abs(log_mel_db(one) - log_mel_db(other))))


def compare(old: Path, new: Path) -> Compared:
    """Compare a corpus folder with one that was made again.

    Raises:
        CascadenceError: a manifest is missing or cannot be read.
    """
    before, after = _lines(old), _lines(new)
    name = new.name
    differences = list(_order(name, list(before), list(after)))
    both = [one for one in before if one in after]
    clips = identical = 0
    worst_db, worst_clip = None, ""
    for one in both:
        differences += _fields(name, one, before[one], after[one])
        for turn, (was, now) in enumerate(_refs(before[one], after[one])):
            measured = _sound(old, was, new, now)
            if not isinstance(measured, Unlike):
                clips += 1
                identical += (old / was.path).read_bytes() == (new / now.path).read_bytes()
                if worst_db is None or measured > worst_db:
                    worst_db, worst_clip = measured, now.path
                if measured < FARTHEST_DB:
                    continue
                measured = Unlike("log-mel distance", f"< {FARTHEST_DB} dB", f"{measured:.2f} dB")
            differences.append(Difference(name, one, turn, *measured))
    return Compared(name, len(both), clips, identical, worst_db, worst_clip, tuple(differences))


def _lines(folder: Path) -> Lines:
    path = folder / MANIFEST
    if not path.is_file():
        raise CascadenceError("no corpus, and no folder of corpora", str(folder))
    lines: Lines = {}
    with path.open("rb") as file:
        for number, _, raw in scan_lines(file):
            if not raw.strip():
                continue
            line = parse_line(raw, number)
            try:
                Conversation.model_validate(line)
            except ValidationError as error:
                raise BadLine.of(problems_of(error, line, MANIFEST, number)) from error
            if line["id"] in lines:
                raise bad_line(number, "id", f"{line['id']!r} is there twice")
            lines[line["id"]] = line
    return lines


def _order(corpus: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    """What is missing or new, and the first place where the order of the rest differs."""
    for one in old:
        if one not in new:
            yield Difference(corpus, one, None, "conversation", "there", _ABSENT)
    for one in new:
        if one not in old:
            yield Difference(corpus, one, None, "conversation", _ABSENT, "there")
    kept = [one for one in old if one in new]
    for place, (was, now) in enumerate(zip(kept, (one for one in new if one in old), strict=True)):
        if was != now:
            yield Difference(corpus, "", None, f"order, place {place}", was, now)
            return


def _fields(
    corpus: str, conversation: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Difference]:
    turns: Iterator[tuple[Any, Any]] = zip_longest(old["turns"], new["turns"], fillvalue={})
    parts: list[tuple[int | None, Mapping[str, Any], Mapping[str, Any]]]
    parts = [(number, was, now) for number, (was, now) in enumerate(turns)]
    for turn, was, now in [(None, {**old, "turns": None}, {**new, "turns": None}), *parts]:
        before, after = dict(_leaves(was)), dict(_leaves(now))
        for field in {**before, **after}:
            values = before.get(field, _ABSENT), after.get(field, _ABSENT)
            if values[0] != values[1] and field != "audio.sha256":
                yield Difference(corpus, conversation, turn, field, *values)


def _leaves(value: object, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield each field's dotted path and its value as JSON, which tells 1 from 1.0 and from true.

    Empty objects are values; arrays are compared as a whole.
    """
    if isinstance(value, Mapping) and (value or field):
        if not value:
            yield field, "{}"
        for name, inner in value.items():
            yield from _leaves(inner, f"{field}.{name}" if field else name)
    elif field:
        yield field, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _refs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[AudioRef, AudioRef]]:
    for was, now in zip(old["turns"], new["turns"], strict=False):
        yield AudioRef.model_validate(was["audio"]), AudioRef.model_validate(now["audio"])


def _sound(old: Path, was: AudioRef, new: Path, now: AudioRef) -> float | Unlike:
    """Return the distance of two clips in dB, or why they have none."""
    try:
        one, other = _decoded(old, was), _decoded(new, now)
    except CascadenceError as error:
        return Unlike("clip", "readable in both", f"{error.what} ({error.where})")
    if one.sample_rate != other.sample_rate:
        return Unlike("sample rate", f"{one.sample_rate} Hz", f"{other.sample_rate} Hz")
    if len(one) != len(other):
        return Unlike("length", f"{len(one)} samples", f"{len(other)} samples")
    return distance_db(one, other) if len(one) else 0.0


def _decoded(folder: Path, ref: AudioRef) -> Audio:
    return read_audio(folder / ref.path, ref.start_s, ref.end_s, ref.channel)


def corpora(old: Path, new: Path) -> list[tuple[Path, Path]]:
    """Return the pairs of corpus folders to compare: the two folders, or those of one name in them.

    Raises:
        CascadenceError: a corpus is in one of the two alone, or there are none.
    """
    if (old / MANIFEST).is_file() or (new / MANIFEST).is_file():
        return [(old, new)]
    names = [{path.parent.name for path in one.glob(f"*/{MANIFEST}")} for one in (old, new)]
    for alone, folder in ((names[0] - names[1], new), (names[1] - names[0], old)):
        if alone:
            raise CascadenceError(f"no corpus {', '.join(sorted(alone))}", str(folder))
    if not names[0]:
        raise CascadenceError("no corpus, and no folder of corpora", str(old))
    return [(old / name, new / name) for name in sorted(names[0])]


def table(found: Sequence[Compared]) -> str:
    """Lay out a line a corpus, then every difference."""
    lines = [
        f"{'corpus':<12}{'same':>5}{'conversations':>15}{'clips':>7}{'same bytes':>12}"
        f"{'differences':>13}{'worst dB':>10}  worst clip"
    ]
    for one in found:
        same = "no" if one.differences else "yes"
        worst = "-" if one.worst_db is None else f"{one.worst_db:.3f}"
        lines.append(
            f"{one.corpus:<12}{same:>5}{one.conversations:>15}{one.clips:>7}"
            f"{one.identical_files:>12}{len(one.differences):>13}{worst:>10}  {one.worst_clip}"
        )
    lines += [str(difference) for one in found for difference in one.differences]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, compare, and tell."""
    parser = argparse.ArgumentParser(description="Tells whether re-made corpora are the same.")
    parser.add_argument("old", type=Path, help="a corpus folder, or a folder of them")
    parser.add_argument("new", type=Path, help="the same, made again")
    options = parser.parse_args()
    try:
        found = [compare(*pair) for pair in corpora(options.old.resolve(), options.new.resolve())]
    except CascadenceError as error:
        sys.exit(str(error))
    sys.stdout.write(table(found))
    sys.exit(any(one.differences for one in found))


if __name__ == "__main__":
    main()
