"""Recordings of Full-Duplex-Bench: its input folders with a model's ``output.wav`` beside them.

Both files share one time axis, which the benchmark demands of every model. Several models may lie
side by side as ``<model>_output.wav``; ``clean_output.wav`` answers ``clean_input.wav``. There is
no log: who decided what and when is unknown, and so is what the model meant to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from cascadence.audio import Audio, read_audio, silence
from cascadence.clip import file_inside
from cascadence.conversation import BargeIn, Conversation, Expect
from cascadence.data_manifests.importers.full_duplex_bench import (
    FullDuplexBench,
    HumanTiming,
    Sample,
    read_sample,
    samples,
    wordless,
)
from cascadence.data_manifests.importers.questions import attempt, sound_of
from cascadence.importing import BadDataset, Shelf
from cascadence.importing_runs import ImportedRecording
from cascadence.manifest import Problem

OUTPUT: Final = "output.wav"
UNNAMED: Final = "recorded"
"""What a model is called whose file has no name of its own."""
ROOM_S: Final = 2.0
"""A recording that ends sooner than this after the user's end has no room for an answer: the
benchmark cuts its pause and backchannel inputs there and asks for silence until then."""


class FullDuplexBenchRuns:
    """Reads input folders with outputs, of one task or of all."""

    dataset = replace(
        FullDuplexBench.dataset,
        title="Full-Duplex-Bench v1.0 and v1.5, with outputs of models",
        layout="<task>/<number>/input.wav with its JSON, and output.wav or <model>_output.wav",
    )

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        """Yield a recording for each sample and model; see `RecordingImporter`.

        A sample without a model's output counts as failed for that model, unless the model has no
        output in any sample of the task: then it was not run on it.
        """
        models = _models(shelf.source)
        if not models:
            raise BadDataset(f"no {OUTPUT} beside an input.wav", where=str(shelf.source))
        not_run: set[Path] = set()
        human = HumanTiming(shelf)
        yield from human.problems
        for sample in samples(shelf):
            if isinstance(sample, Problem):
                yield sample
                continue
            task = sample.folder.parent
            if task not in models:
                if task not in not_run:
                    not_run.add(task)
                    file = task.relative_to(shelf.source).as_posix()
                    yield Problem("warning", file, 0, "", f"no model has an {OUTPUT} here")
                continue
            yield from human.unknown(sample)
            yield from wordless(shelf, sample)
            made = read_sample(shelf, sample, human)
            if isinstance(made, Problem):
                yield made
                continue
            yield from self._of_sample(shelf, sample, made, models[task])

    def _of_sample(
        self, shelf: Shelf, sample: Sample, made: Conversation, models: dict[str, str]
    ) -> Iterator[ImportedRecording | Problem]:
        user = sound_of(shelf, made.turns[0].audio.path)
        conversation = _as_recorded(made, user.duration_s)
        clean = "clean_" if sample.is_clean else ""
        for prefix, model in models.items():
            place = (sample.folder / f"{prefix}{clean}{OUTPUT}").relative_to(shelf.source)
            heard = attempt(place.as_posix(), partial(_heard, shelf, place))
            if isinstance(heard, Problem):
                # The outputs for clean inputs are an extra that most do not make.
                if sample.is_clean:
                    continue
                yield heard
            yield _recording(conversation, model, user, heard)


def _recording(
    conversation: Conversation, model: str, user: Audio, heard: Audio | Problem
) -> ImportedRecording:
    failure = str(heard.what) if isinstance(heard, Problem) else ""
    return ImportedRecording(
        conversation=conversation,
        starts_s=tuple(turn.audio.start_s for turn in conversation.turns),
        system=model,
        user=user,
        heard=silence(0.0, user.sample_rate) if isinstance(heard, Problem) else heard,
        info={"duplex": "full", "licence": "unknown", "revision": "unknown"},
        failure=failure,
    )


def _heard(shelf: Shelf, place: Path) -> Audio:
    """Read a model's channel; of several, the first: models write the same to all."""
    import soundfile

    path = file_inside(shelf.source, place.as_posix())
    try:
        several = soundfile.info(str(path)).channels > 1
    except soundfile.LibsndfileError:
        several = False
    return read_audio(path, channel=0 if several else None)


def _models(source: Path) -> dict[Path, dict[str, str]]:
    """Return the models whose outputs are there, by the folder of a task.

    Each with what its files' names begin with, and its own name.
    """
    found: dict[Path, dict[str, str]] = {}
    for path in sorted(source.rglob(f"*{OUTPUT}")):
        names = {beside.name.lower() for beside in path.parent.iterdir()}
        if "input.wav" in names:
            prefix = path.name[: -len(OUTPUT)].removesuffix("clean_")
            found.setdefault(path.parent.parent, {})[prefix] = prefix.strip("_-. ") or UNNAMED
    return {task: dict(sorted(models.items())) for task, models in found.items()}


def _as_recorded(conversation: Conversation, duration_s: float) -> Conversation:
    """Ask for silence where the recording leaves no room for an answer."""
    last = conversation.turns[-1]
    room_s = duration_s - (last.audio.start_s + last.speech_s[1])
    if room_s >= ROOM_S or isinstance(last.when, BargeIn):
        return conversation
    silent = last.model_copy(update={"expect": Expect(stay_silent=True)})
    return conversation.model_copy(update={"turns": (*conversation.turns[:-1], silent)})
