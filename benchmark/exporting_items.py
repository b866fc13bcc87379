"""What an export is made of: the turns of a corpus, or the recordings of a run, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from cascadence.audio import Audio, audible_runs, read_audio
from cascadence.clip import file_inside
from cascadence.conversation import Conversation, UserTurn
from cascadence.corpus import Corpus, open_corpus
from cascadence.exporting import BadExport, Item, Sound, Utterance
from cascadence.manifest import BadLine
from cascadence.recording import REPLY_BRIDGE_S, Recording, from_json
from cascadence.run_directory import RunDirectory, key_of
from cascadence.simulator import PlayedTurn

_NO_SUCH_LINE: Final = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What reading a line or a file raises that no run has written."""


def about_corpus(corpus: Corpus) -> dict[str, Any]:
    """Return what a corpus is and what may be done with it, as JSON values.

    Raises:
        CascadenceError: ``corpus.toml`` is missing or wrong.
    """
    return {"corpus": corpus.name, **corpus.info.model_dump(mode="json", exclude={"hashes"})}


def corpus_items(corpus: Corpus) -> Iterator[Item]:
    """Yield each turn's clip, in the manifest's order.

    Raises:
        BadLine: a line or a clip that is wrong: whatever is exported could be played.
    """
    errors = [problem for problem in corpus.problems if problem.severity == "error"]
    if errors:
        raise BadLine.of(errors)
    for entry in corpus.index():
        conversation = corpus.conversation(entry.id)
        for position, clip in enumerate(corpus.clips(conversation)):
            yield _clip_item(corpus, conversation, position, clip)


def about_run(folder: Path) -> dict[str, Any]:
    """Return what a run was and under which licences, as JSON values.

    Raises:
        CascadenceError: ``run.json`` is not one, or a corpus is not where it was.
    """
    about = _read_run(folder)
    cells = []
    for cell, corpus in _cells(about).values():
        cells.append(
            {
                "name": cell["name"],
                "system": cell["system_name"],
                "licence": cell["info"].get("licence", ""),
                "corpus": about_corpus(corpus),
            }
        )
    return {"run": about["name"], "started_at": about.get("started_at", ""), "cells": cells}


def run_items(folder: Path) -> Iterator[Item]:
    """Yield each finished recording; what failed in the run has none.

    Raises:
        CascadenceError: no run, a channel is missing, or its corpus is not where it was.
    """
    cells = _cells(_read_run(folder))
    directory = RunDirectory(folder.resolve())
    try:
        rows = [row for row in directory.results().values() if row["status"] == "ok"]
        for row in rows:
            cell, corpus = cells[row["cell"]]
            conversation = corpus.conversation(str(row["conversation_id"]))
            yield _recording_item(directory, row, cell, conversation)
    except _NO_SUCH_LINE as error:
        what = f"a line that no run writes: {type(error).__name__}: {error}"
        raise BadExport(what, where=str(directory.results_path)) from error


def _clip_item(corpus: Corpus, conversation: Conversation, position: int, clip: Audio) -> Item:
    turn = conversation.turns[position]
    reference = turn.audio
    name = f"{conversation.id}.{position}"
    end_s = reference.start_s + clip.duration_s
    sound = _sound(corpus.file(reference.path), name, reference.channel, reference.start_s, end_s)
    start_s, speech_end_s = turn.speech_s
    utterance = Utterance(
        name,
        0,
        start_s,
        # Manifests round times to milliseconds, upwards too.
        min(speech_end_s, clip.duration_s),
        turn.text,
        turn.speaker,
        conversation.language,
        _custom(conversation, position),
    )
    return Item(name, conversation.split, {"user": sound}, (utterance,))


def _sound(
    path: Path, stem: str, channel: int | None, start_s: float, end_s: float | None
) -> Sound:
    import soundfile

    header = soundfile.info(str(path))
    whole_s = header.frames / header.samplerate
    end_s = whole_s if end_s is None else min(end_s, whole_s)
    return Sound(
        path,
        stem,
        header.format,
        header.samplerate,
        header.frames,
        header.channels,
        channel or 0,
        start_s,
        end_s,
    )


def _custom(conversation: Conversation, position: int) -> dict[str, Any]:
    """Everything that a manifest says about a turn and that is no field of an `Utterance`."""
    turn = conversation.turns[position]
    told = conversation.model_dump(
        mode="json", exclude={"id", "language", "split", "turns"}, exclude_defaults=True
    )
    said = turn.model_dump(
        mode="json", exclude={"text", "audio", "speech_s", "speaker"}, exclude_defaults=True
    )
    # The kind is a default of its own class, and yet tells the classes apart.
    said["when"] = turn.when.model_dump(mode="json", exclude_none=True)
    split = {"split": conversation.split}
    return {"conversation": conversation.id, "turn": position, **split, **told, **said}


def _read_run(folder: Path) -> dict[str, Any]:
    try:
        about = RunDirectory(folder).read_run()
        return {**about, "name": about["name"], "cells": list(about["cells"])}
    except _NO_SUCH_LINE as error:
        raise BadExport(f"not a run's run.json: {error}", where=str(folder)) from error


def _cells(about: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], Corpus]]:
    opened: dict[str, Corpus] = {}
    cells = {}
    try:
        for cell in about["cells"]:
            where = cell["corpus_path"]
            if where not in opened:
                opened[where] = open_corpus(where)
            cells[cell["name"]] = (cell, opened[where])
    except _NO_SUCH_LINE as error:
        raise BadExport(f"not a cell of a run: {error!r}", where="run.json") from error
    return cells


def _recording_item(
    directory: RunDirectory,
    row: Mapping[str, Any],
    cell: Mapping[str, Any],
    conversation: Conversation,
) -> Item:
    key = key_of(row)
    name = ".".join(map(str, key))
    sounds, heard = {}, {}
    for channel in ("user", "system"):
        relative = directory.audio_path(key, channel).relative_to(directory.path)
        path = file_inside(directory.path, relative.as_posix())
        heard[channel] = read_audio(path)
        sounds[channel] = _sound(path, f"{name}.{channel}", None, 0.0, None)
    recording = from_json(row, heard["user"], heard["system"])
    said = [_user_utterance(name, recording, played, conversation) for played in recording.turns]
    said += _replies(name, recording, str(cell["system_name"]), conversation.language)
    custom = {
        "conversation": conversation.id,
        "cell": key[0],
        "repeat": key[2],
        "system": cell["system_name"],
        "system_licence": cell["info"].get("licence", ""),
        "condition": row.get("condition", "clean"),
        "clock": recording.clock,
    }
    said.sort(key=lambda utterance: (utterance.start_s, utterance.channel))
    return Item(name, conversation.split, sounds, tuple(said), custom)


def _user_utterance(
    name: str, recording: Recording, played: PlayedTurn, conversation: Conversation
) -> Utterance:
    if not 0 <= played.index < len(conversation.turns):
        what = f"there is no turn {played.index}: the corpus has changed since the run"
        raise BadExport(what, where=f"conversation {conversation.id}")
    turn: UserTurn = conversation.turns[played.index]
    custom = {
        **_custom(conversation, played.index),
        # Pauses, hesitations and backchannels are told in seconds inside the clip.
        "clip_start_s": played.start_s,
        "trigger": played.trigger,
        "claims_floor": played.claims_floor,
    }
    heard = recording.text_for(played, "heard")
    if heard is not None:
        custom["heard"] = heard
    return Utterance(
        f"{name}.user.{played.index}",
        0,
        played.speech_start_s,
        min(played.speech_end_s, recording.duration_s),
        turn.text,
        turn.speaker,
        conversation.language,
        custom,
    )


def _replies(name: str, recording: Recording, speaker: str, language: str) -> Iterator[Utterance]:
    """Yield what the system says from one user turn to the next, from its first sound to its last.

    A sound belongs to the turn after whose start it begins, as a text does; a reply without text
    has none, and a text that is never heard is no utterance.
    """
    runs = audible_runs(recording.system, REPLY_BRIDGE_S)
    starts = [turn.speech_start_s for turn in recording.turns if turn.claims_floor]
    indices = [turn.index for turn in recording.turns if turn.claims_floor]
    place = np.searchsorted(starts, [start_s for start_s, _ in runs], side="right")
    texts: dict[int, list[str]] = {}
    for event in recording.events:
        if event.kind == "text":
            window = int(np.searchsorted(starts, event.t_s, side="right"))
            texts.setdefault(window, []).append(str(event.data["text"]))
    for window in sorted({int(each) for each in place}):
        own = [run for run, at in zip(runs, place, strict=True) if at == window]
        text = " ".join(" ".join(texts[window]).split()) if window in texts else None
        turn = indices[window - 1] if window else None
        yield Utterance(
            f"{name}.system.{window}",
            1,
            own[0][0],
            own[-1][1],
            text,
            speaker,
            language,
            {"replies_to_turn": turn, "conversation": recording.conversation_id},
        )
