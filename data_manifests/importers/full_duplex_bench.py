"""Full-Duplex-Bench v1 and v1.5: pauses, turn ends, backchannels, interruptions, overlaps.

A sample is a folder with ``input.wav`` and JSON beside it; the JSON tells which task it is, and in
v1.5 the name of the folder above. The annotations are taken for what they are: the start of a
``[PAUSE]`` and of the next speaker's turn, and the place of an inserted clip. Where speech truly
starts and ends is measured inside of them; the benchmark's own scripts count from the annotation,
which lies up to 0.6 s off (an inserted clip has silence around its words).

The corpus plays interactively what the benchmark plays at fixed times: an interruption comes
`INTERRUPTION_AFTER_S` into the reply, for the benchmark's own moment would miss the replies of
quick and of short-spoken systems. Speech to somebody else and speech in the background are asides
into the reply.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from cascadence.audio import Audio
from cascadence.conversation import (
    Aside,
    AudioRef,
    Backchannel,
    BargeIn,
    Conversation,
    Pause,
    UserTurn,
    When,
)
from cascadence.data_manifests.importers.questions import (
    UNTOLD,
    BadItem,
    attempt,
    identifier,
    measured_span,
    natural,
    read_json,
    sound_of,
    span_of,
    text_of,
)
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.manifest import Problem

INTERRUPTION_AFTER_S: Final = 2.0
"""How far into a reply the user speaks, in s after its first audible sample."""
KEPT_S: Final = 0.3
"""Silence that is kept after the end of a turn."""
SLACK_S: Final = 0.3
"""Speech may outlast the annotation of its clip this much."""
HUMAN_TIMING: Final = "icc_gt_distribution.json"
"""When people acknowledged, by sample; the benchmark's repository has it in ``evaluation/``."""
_BIN_S: Final = 0.2
_NO_SHARE: Final = 1e-6
"""The published histograms were smoothed: a share up to this was no count."""

TRANSCRIPTION: Final = "transcription.json"

Task = Literal["pause", "turn_end", "backchannel_opportunity", "overlap"]
_TASKS: Final[Mapping[str, Task]] = {
    "pause.json": "pause",
    "turn_taking.json": "turn_end",
    "interrupt.json": "overlap",
    "metadata.json": "overlap",
    TRANSCRIPTION: "backchannel_opportunity",
}
"""The file that tells a task; the first one that is there counts."""
_OVERLAPS: Final[Mapping[str, When]] = {
    "user_interruption": BargeIn(after_onset_s=INTERRUPTION_AFTER_S),
    "user_backchannel": Backchannel(after_onset_s=INTERRUPTION_AFTER_S),
    "talking_to_other": Aside(after_onset_s=INTERRUPTION_AFTER_S),
    "background_speech": Aside(after_onset_s=INTERRUPTION_AFTER_S),
}
"""What the user does in v1.5, by the name of the folder above the sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder of the benchmark.

    Attributes:
        folder: absolute.
        sound: ``input.wav``, or ``clean_input.wav``: the same without the overlap.
        task: what is tested.
        annotation: the file that tells it.
        scenario: name of the folder above.
        name: the conversation's id.
    """

    folder: Path
    sound: Path
    task: Task
    annotation: Path
    scenario: str
    name: str

    @property
    def is_clean(self) -> bool:
        """Whether this is the version without the overlap."""
        return self.sound.name.lower().startswith("clean_")


class FullDuplexBench:
    """Reads the input folders, of one task or of all."""

    dataset = Dataset(
        title="Full-Duplex-Bench v1.0 and v1.5",
        licence=(
            "CC-BY-NC-4.0 for the Candor and ICC subsets of v1.0 (not for commercial use; the "
            "terms of Candor and ICC hold too); MIT for the synthetic subsets and v1.5"
        ),
        citation=(
            "G.-T. Lin, J. Lian, T. Li, Q. Wang, G. Anumanchipalli, A. H. Liu, H. Lee: "
            "Full-Duplex-Bench: A Benchmark to Evaluate Full-Duplex Spoken Dialogue Models on "
            "Turn-Taking Capabilities, 2025, arXiv 2503.04721; G.-T. Lin, S.-Y. S. Kuan, Q. Wang, "
            "J. Lian, T. Li, H. Lee: Full-Duplex-Bench v1.5: Evaluating Overlap Handling for "
            "Full-Duplex Speech Models, 2025, arXiv 2507.23159."
        ),
        url="https://github.com/DanielLin94144/Full-Duplex-Bench",
        layout="<task>/<number>/input.wav with pause.json, turn_taking.json, interrupt.json, "
        "metadata.json or transcription.json beside it",
    )

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        """Yield the samples, task by task; see `cascadence.importing.Importer`."""
        human = HumanTiming(shelf)
        yield from human.problems
        for sample in samples(shelf):
            if isinstance(sample, Problem):
                yield sample
                continue
            yield from human.unknown(sample)
            yield from wordless(shelf, sample)
            yield read_sample(shelf, sample, human)


def samples(shelf: Shelf) -> Iterator[Sample | Problem]:
    """Find the benchmark's samples below a folder, in the order of their numbers.

    Raises:
        BadDataset: there is no ``input.wav``.
    """
    sounds = [path for path in shelf.source.rglob("*") if path.name.lower() == "input.wav"]
    if not sounds:
        raise BadDataset("no input.wav", where=str(shelf.source))
    for sound in sorted(sounds, key=natural):
        folder = sound.parent
        files = {path.name.lower(): path for path in folder.iterdir()}
        annotation = next((name for name in _TASKS if name in files), None)
        place = folder.relative_to(shelf.source).as_posix()
        if annotation is None:
            yield Problem("error", place, 0, "", f"none of {', '.join(_TASKS)}")
            continue
        scenario = folder.parent.name
        name = identifier(scenario, folder.name)
        told = files[annotation]
        yield Sample(folder, sound, _TASKS[annotation], told, scenario, name)
        if "clean_input.wav" in files:
            clean = files["clean_input.wav"]
            yield Sample(folder, clean, _TASKS[annotation], told, scenario, f"{name}-clean")


def wordless(shelf: Shelf, sample: Sample) -> Iterator[Problem]:
    """Say that nothing tells the words of a sample; everything else can be measured."""
    if sample.task != "overlap" and not (sample.folder / TRANSCRIPTION).is_file():
        file = sample.folder.relative_to(shelf.source).as_posix()
        what = f"no {TRANSCRIPTION}: the words are unknown, word error rates are skipped"
        yield Problem("warning", file, 0, "", what)


def read_sample(shelf: Shelf, sample: Sample, human: HumanTiming) -> Conversation | Problem:
    """Make a sample's conversation, or say what is wrong with it."""
    file = sample.folder.relative_to(shelf.source).as_posix()
    return attempt(file, lambda: conversation_of(shelf, sample, human))


def conversation_of(shelf: Shelf, sample: Sample, human: HumanTiming) -> Conversation:
    """Make a sample's conversation; the clip of each turn is a part of the sample's sound.

    Raises:
        CascadenceError: the sample is not what it should be.
        ValidationError: a value is not what the manifest takes.
    """
    path = shelf.clip(sample.sound)
    audio = sound_of(shelf, path)
    told = read_json(shelf, sample.annotation)
    if sample.task == "overlap":
        turns = _overlap(sample, audio, path, told)
    elif sample.task == "turn_end":
        turns = (_turn_end(shelf, sample, audio, path, told),)
    else:
        turns = (_whole(shelf, sample, audio, path, told, human),)
    kind = f"{sample.task}.{sample.scenario}" if sample.task == "overlap" else sample.task
    return Conversation(
        id=sample.name,
        tags=(
            identifier(kind),
            identifier(sample.scenario),
            *(("clean",) if sample.is_clean else ()),
        ),
        licence=licence_of(sample),
        source=FullDuplexBench.dataset.url,
        turns=turns,
    )


def licence_of(sample: Sample) -> str:
    """Return a subset's licence; where the folder's name does not tell, the stricter one."""
    free = sample.task == "overlap" or "synthetic" in sample.scenario.lower()
    return "MIT" if free else "CC-BY-NC-4.0"


def _turn_end(shelf: Shelf, sample: Sample, audio: Audio, path: str, told: object) -> UserTurn:
    """The user's turn ends where the next speaker begins, at the latest."""
    next_s = span_of(_first(told).get("timestamp"))[0]
    speech_s = measured_span(audio, 0.0, next_s)
    end_s = min(speech_s[1] + KEPT_S, audio.duration_s)
    return UserTurn(
        text=_said(shelf, sample, speech_s),
        audio=AudioRef(path=path, end_s=round(end_s, 4)),
        speech_s=speech_s,
    )


def _whole(
    shelf: Shelf, sample: Sample, audio: Audio, path: str, told: object, human: HumanTiming
) -> UserTurn:
    """One long turn, with pauses in it or with places where people would acknowledge."""
    speech_s = measured_span(audio)
    is_pause = sample.task == "pause"
    pauses = tuple(_pauses(told, speech_s)) if is_pause else ()
    times_s = () if is_pause else human.times_s(sample.folder.name, speech_s)
    return UserTurn(
        text=_said(shelf, sample, speech_s),
        audio=AudioRef(path=path),
        speech_s=speech_s,
        pauses=pauses,
        backchannels_s=times_s,
    )


def _pauses(told: object, speech_s: tuple[float, float]) -> Iterator[Pause]:
    rows = told if isinstance(told, list) else [told]
    for row in rows:
        start_s, end_s = span_of(row.get("timestamp") if isinstance(row, Mapping) else None)
        if end_s > speech_s[1]:
            raise BadItem(f"a pause ends at {end_s:.3f} s, after the speech at {speech_s[1]:.3f} s")
        yield Pause(at_s=round(start_s, 4), duration_s=round(end_s - start_s, 4))


def _overlap(sample: Sample, audio: Audio, path: str, told: object) -> tuple[UserTurn, ...]:
    """A request, and what is said into the reply."""
    row = _first(told)
    is_first = sample.annotation.name.lower() == "interrupt.json"
    names = ("context", "interrupt", "timestamp")
    if not is_first:
        names = ("context_text", "current_turn_text", "timestamps")
    context, event, times = names
    start_s, end_s = span_of(row.get(times))
    until_s = math.inf if sample.is_clean else start_s
    request = _part(audio, path, (0.0, until_s), text_of(row, context))
    if sample.is_clean:
        return (request,)
    when = _OVERLAPS["user_interruption"] if is_first else _when(sample)
    part_s = (start_s, min(end_s + SLACK_S, audio.duration_s))
    return request, _part(audio, path, part_s, text_of(row, event), when)


def _when(sample: Sample) -> When:
    for name, when in _OVERLAPS.items():
        if name in sample.scenario.lower():
            return when
    known = ", ".join(_OVERLAPS)
    raise BadItem(f"the folder above is called {sample.scenario!r}, which is none of {known}")


def _part(
    audio: Audio, path: str, part_s: tuple[float, float], text: str, when: When | None = None
) -> UserTurn:
    """Make a turn of a part of a sound."""
    start_s, end_s = part_s
    speech_s = measured_span(audio, start_s, end_s)
    kept_s = min(speech_s[1] + KEPT_S, end_s, audio.duration_s)
    turn: dict[str, Any] = {} if when is None else {"when": when}
    return UserTurn(
        text=text,
        audio=AudioRef(path=path, start_s=start_s, end_s=round(kept_s, 4)),
        speech_s=(round(speech_s[0] - start_s, 4), round(speech_s[1] - start_s, 4)),
        **turn,
    )


def _first(told: object) -> Mapping[str, Any]:
    row = told[0] if isinstance(told, list) and told else told
    if not isinstance(row, Mapping):
        raise BadItem("no annotation in the file")
    return row


def _said(shelf: Shelf, sample: Sample, speech_s: tuple[float, float]) -> str:
    if not (sample.folder / TRANSCRIPTION).is_file():
        return UNTOLD
    return _words(read_json(shelf, sample.folder / TRANSCRIPTION), speech_s)


def _words(told: object, speech_s: tuple[float, float]) -> str:
    """Join the words that were said in the speech, by the one who said most of it.

    Some transcriptions tell the words of both speakers; the sound is of one of them.
    """
    speakers = [words for words in _by_speaker(told) if words]
    if not speakers:
        raise BadItem("no words", where=TRANSCRIPTION)
    said = max(speakers, key=lambda words: sum(_shared_s(word, speech_s) for word in words))
    return " ".join(text for text, span_s in said if _shared_s((text, span_s), speech_s) > 0.0)


def _by_speaker(told: object) -> Iterator[list[tuple[str, tuple[float, float]]]]:
    if isinstance(told, Mapping):
        told = told.get("chunks", [])
    rows = told if isinstance(told, list) else []
    if any(isinstance(row, Mapping) and "item" in row for row in rows):
        yield from ([*_timed(row.get("item"))] for row in rows if isinstance(row, Mapping))
    else:
        yield [*_timed(rows)]


def _timed(rows: object) -> Iterator[tuple[str, tuple[float, float]]]:
    for row in rows if isinstance(rows, list) else []:
        text = text_of(row, "text", "")
        if text and not text.startswith("["):
            yield text, span_of(row.get("timestamp"))


def _shared_s(word: tuple[str, tuple[float, float]], speech_s: tuple[float, float]) -> float:
    _, (start_s, end_s) = word
    return min(end_s, speech_s[1]) - max(start_s, speech_s[0])


class HumanTiming:
    """When people acknowledged in the ICC samples, where the benchmark's table is at hand."""

    def __init__(self, shelf: Shelf) -> None:
        """Read the table, if it lies anywhere below the dataset's folder."""
        self.problems: list[Problem] = []
        self._source = shelf.source
        self._shares: Mapping[str, list[float]] = {}
        self._told = False
        found = next(iter(sorted(shelf.source.rglob(HUMAN_TIMING))), None)
        if found is None:
            return
        told = attempt(HUMAN_TIMING, lambda: read_json(shelf, found))
        if isinstance(told, Problem):
            self.problems.append(told)
        elif isinstance(told, Mapping):
            # What is no histogram is left out here, and `unknown` says so.
            self._shares = {name: list(one) for name, one in told.items() if _is_histogram(one)}

    def unknown(self, sample: Sample) -> Iterator[Problem]:
        """Say once that the table does not tell of a sample that it should tell of."""
        if sample.task != "backchannel_opportunity" or sample.folder.name in self._shares:
            return
        if not self._told:
            self._told = True
            what = "when people acknowledged is unknown"
            mend = f"put {HUMAN_TIMING} of the benchmark's repository into the folder"
            file = sample.folder.relative_to(self._source).as_posix()
            yield Problem("warning", file, 0, "", what, mend)

    def times_s(self, name: str, speech_s: tuple[float, float]) -> tuple[float, ...]:
        """Return when a sample was acknowledged, in s; the middles of bins of 0.2 s.

        The table holds shares; they are counts again when divided by the smallest.

        Args:
            name: of the sample's folder.
            speech_s: of the user; what lies outside is left out.
        """
        shares = self._shares.get(name, [])
        counted = [share for share in shares if share > _NO_SHARE]
        if not counted:
            return ()
        times: list[float] = []
        for place, share in enumerate(shares):
            middle_s = round((place + 0.5) * _BIN_S, 3)
            if share > _NO_SHARE and speech_s[0] <= middle_s < speech_s[1]:
                times += [middle_s] * round(share / min(counted))
        return tuple(times)


def _is_histogram(value: object) -> bool:
    """Whether a value is a list of shares."""
    return isinstance(value, list) and all(
        not isinstance(share, bool) and isinstance(share, int | float) and 0.0 <= share <= 1.0
        for share in value
    )
