"""Records of EVA: calls of a simulated caller with a voice agent, both channels on disk.

A record has the caller's and the agent's channel on one time axis, the caller's log (who spoke, by
the wall clock, and which words were meant) and the agent's log (what it understood, said and
called). Where the log lies on the sound's clock is found by sliding the caller's spans along the
loudness of the caller's channel; where speech starts and ends is then measured in the sound.
Imported are the turns and those words and calls; not the state of the scenario's database, which no
recording tells. A record that kept only the mixed sound cannot be scored and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence.audio import ACTIVITY_FRAME_S, Audio, audible_runs, frame_levels_dbfs
from cascadence.conversation import Conversation
from cascadence.data_manifests.importers.calls import Spoken, call_of, in_order, said_at
from cascadence.data_manifests.importers.questions import (
    UNTOLD,
    BadItem,
    attempt,
    identifier,
    json_lines,
    natural,
    read_json,
    sound_of,
    text_of,
)
from cascadence.errors import CascadenceError
from cascadence.events import Stamped
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.importing_runs import ImportedRecording
from cascadence.manifest import Problem
from cascadence.recording import REPLY_BRIDGE_S

USER_WAV: Final = "audio_user.wav"
AGENT_WAV: Final = "audio_assistant.wav"
CALLER_LOGS: Final = ("user_simulator_events.jsonl", "elevenlabs_events.jsonl")
"""The caller's log, by the version of EVA."""
SLACK_S: Final = 0.6
"""How far from a logged span speech may lie: the end of speech is noticed this late at most."""
QUIETEST_DBFS: Final = -60.0
_CALLERS: Final = ("simulated_user", "elevenlabs_user")
_MARKUP: Final = re.compile(r"\[[^\]]*\]")
_SPEECH_TO_SPEECH: Final = ("elevenlabs", "ultravox")
"""Providers of ready-made agents that are cascades inside."""


class Eva:
    """Reads a run's folder, or a folder of several."""

    dataset = Dataset(
        title="EVA records",
        licence="MIT for EVA; the voices' and models' providers have terms of their own",
        citation=(
            "T. Bogavelli, G. Gauthier Melançon, K. Stankiewicz, O. Bamgbose, H. Nguyen, R. "
            "Mehndiratta, H. Subramani: EVA: A New Framework for Evaluating Voice Agents, "
            "ServiceNow, 2026, arXiv 2605.13841."
        ),
        url="https://github.com/ServiceNow/eva",
        layout=f"records/<record>/ with {USER_WAV}, {AGENT_WAV}, {CALLER_LOGS[0]}, audit_log.json",
    )

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        """Yield the records in the order of their names; see `RecordingImporter`."""
        folders = {
            path.parent
            for name in (*CALLER_LOGS, "result.json")
            for path in shelf.source.rglob(name)
        }
        if not folders:
            raise BadDataset(f"no {CALLER_LOGS[0]}", where=str(shelf.source))
        for folder in sorted(folders, key=natural):
            file = folder.relative_to(shelf.source).as_posix()
            try:
                yield from _recording(shelf, folder, file)
            except (CascadenceError, ValueError) as error:
                yield _problem(file, error)


def _problem(file: str, error: Exception) -> Problem:
    def make() -> Problem:
        raise error

    return attempt(file, make)


def _recording(shelf: Shelf, folder: Path, file: str) -> Iterator[ImportedRecording | Problem]:
    user_path, agent_path = shelf.clip(folder / USER_WAV), shelf.clip(folder / AGENT_WAV)
    user, heard = sound_of(shelf, user_path), sound_of(shelf, agent_path)
    log, problems = _caller_log(shelf, folder)
    yield from problems
    logged = _spoken(log)
    if not logged:
        raise BadItem("the caller's log tells no speech")
    offset_s = log_offset_s([(one.start_s, one.end_s) for one in logged], user)
    spoken = [
        Spoken(one.start_s + offset_s, one.end_s + offset_s, one.text, one.kind) for one in logged
    ]
    call = call_of(spoken, user, heard, user_path, None, SLACK_S)
    if call.rough:
        what = f"{call.rough} turns could not be measured: known as the log has them only"
        yield Problem("warning", file, 0, "", what)
    runs_s = audible_runs(heard, bridge_s=REPLY_BRIDGE_S)
    events = attempt(file, lambda: _agent_log(shelf, folder, offset_s, runs_s))
    if isinstance(events, Problem):
        yield Problem("warning", file, 0, "", f"what the agent did is unknown: {events.what}")
        events = ()
    system, info = _agent(shelf, folder)
    yield ImportedRecording(
        conversation=Conversation(
            id=identifier(*(part for part in Path(file).parts if part != "records")),
            licence=Eva.dataset.licence,
            source=Eva.dataset.url,
            turns=call.turns,
        ),
        starts_s=call.starts_s,
        system=system,
        user=user,
        heard=heard,
        events=events,
        info=info,
    )


def log_offset_s(spans_s: Sequence[tuple[float, float]], user: Audio) -> float:
    """Find what must be added to a log's times so that they fit a sound.

    The spans are slid along the level of the sound, in steps of 10 ms, to where they cover the
    loudest part; background noise is the same everywhere and does not matter.

    Args:
        spans_s: when somebody spoke, by the log's clock.
        user: that person's channel.

    Returns:
        Seconds; the first span may not start before the sound.
    """
    first_s = spans_s[0][0]
    levels = np.maximum(frame_levels_dbfs(user), QUIETEST_DBFS)
    levels -= levels.mean()
    spans = _frames([(start - first_s, end - first_s) for start, end in spans_s])
    if len(spans) >= len(levels):
        spans = spans[: max(1, len(levels) - 1)]
    from scipy.signal import correlate

    # The mean is removed from the levels alone: each place is covered by the same spans.
    fit = correlate(levels, spans, mode="valid", method="fft")
    # The first of the places that fit equally well: rounding must not choose.
    place = int(np.flatnonzero(fit >= fit.max() - 1e-6 * max(1.0, abs(float(fit.max()))))[0])
    return place * ACTIVITY_FRAME_S - first_s


def _frames(spans_s: Sequence[tuple[float, float]]) -> npt.NDArray[np.float64]:
    count = max(1, round(max(end for _, end in spans_s) / ACTIVITY_FRAME_S))
    frames = np.zeros(count)
    for start_s, end_s in spans_s:
        frames[round(start_s / ACTIVITY_FRAME_S) : round(end_s / ACTIVITY_FRAME_S)] = 1.0
    return frames


def _caller_log(shelf: Shelf, folder: Path) -> tuple[list[Mapping[str, Any]], list[Problem]]:
    for name in CALLER_LOGS:
        if (folder / name).is_file():
            rows = [row for _, row in json_lines(shelf, folder / name)]
            problems = [row for row in rows if isinstance(row, Problem)]
            return [row for row in rows if not isinstance(row, Problem)], problems
    raise BadItem(f"neither {' nor '.join(CALLER_LOGS)}")


def _spoken(log: Sequence[Mapping[str, Any]]) -> list[Spoken]:
    """Return the caller's spans by the wall clock, each with what was meant in it.

    An end may be noticed late, even after the next start: then the start ends the span.
    """
    starts = [t_s for kind, t_s in _edges(log) if kind == "audio_start"]
    ends = [t_s for kind, t_s in _edges(log) if kind == "audio_end"]
    texts: dict[int, list[str]] = {}
    for row in log:
        t_s = _wall_s(row.get("timestamp"), 1000.0)
        if row.get("type") == "user_speech" and t_s is not None and starts:
            place = max(0, sum(start <= t_s for start in starts) - 1)
            said = _MARKUP.sub("", text_of(row.get("data"), "text", ""))
            texts.setdefault(place, []).append(" ".join(said.split()))
    spoken = []
    for place, (start_s, next_s) in enumerate(zip(starts, [*starts[1:], None], strict=False)):
        later = [end for end in ends if end > start_s and (next_s is None or end <= next_s)]
        end_s = later[0] if later else next_s
        if end_s is not None and end_s > start_s:
            text = " ".join(filter(None, texts.get(place, [])))
            spoken.append(Spoken(start_s, end_s, text or UNTOLD))
    return spoken


def _edges(log: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for row in log:
        kind, t_s = row.get("event_type"), _wall_s(row.get("audio_timestamp"))
        if kind in ("audio_start", "audio_end") and row.get("user") in _CALLERS and t_s is not None:
            yield str(kind), t_s


def _wall_s(value: object, per_s: float = 1.0) -> float | None:
    """Return a time of the wall clock in seconds; the logs write some as text."""
    try:
        t_s = float(value) / per_s  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return t_s if 0.0 < t_s < 1e11 else None


def _agent_log(
    shelf: Shelf, folder: Path, offset_s: float, runs_s: Sequence[tuple[float, float]]
) -> tuple[Stamped, ...]:
    """Return what the agent understood, said and called.

    The log has the words when they were complete, not when they began: they are put after the
    reply's onset, where they tell no latency.
    """
    told = read_json(shelf, folder / "audit_log.json")
    rows = told.get("transcript") if isinstance(told, Mapping) else None
    if not isinstance(rows, list):
        raise BadItem("no `transcript`", where="audit_log.json")
    events = []
    for row in rows:
        t_s = _wall_s(row.get("timestamp"), 1000.0) if isinstance(row, Mapping) else None
        if t_s is None or t_s + offset_s < 0.0:
            continue
        kind, value = row.get("message_type"), row.get("value")
        logged_s = round(t_s + offset_s, 4)
        if kind in ("user", "assistant") and isinstance(value, str) and value.strip():
            name = "heard" if kind == "user" else "text"
            data = {"text": " ".join(value.split())}
            events.append(Stamped(said_at(logged_s, runs_s), name, data))
        elif kind == "tool_call" and isinstance(value, Mapping):
            given = value.get("parameters")
            arguments = dict(given) if isinstance(given, Mapping) else {}
            call = {"name": text_of(value, "tool", "unknown"), "arguments": arguments}
            events.append(Stamped(logged_s, "tool_call", call))
    return in_order(events)


def _agent(shelf: Shelf, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the agent's name and what is known of it, from the run's configuration."""
    info: dict[str, Any] = {"duplex": "full", "licence": "unknown", "revision": "unknown"}
    for place in folder.parents:
        if not place.is_relative_to(shelf.source):
            break
        told = attempt("config.json", partial(read_json, shelf, place / "config.json"))
        if isinstance(told, Mapping):
            model = told.get("model") or told.get("pipeline")
            name, kind = agent_of(model if isinstance(model, Mapping) else {})
            return name, {**info, **({"kind": kind} if kind else {})}
    return "agent", info


def agent_of(model: Mapping[str, Any]) -> tuple[str, str]:
    """Return an agent's name and architecture; the latter is empty where it is not known.

    Args:
        model: of the run's configuration: the services by stage.
    """
    stages = {
        stage: text_of(model, stage, "") or text_of(model, f"{stage}_model", "")
        for stage in ("stt", "audio_llm", "llm", "tts", "s2s")
    }
    name = "+".join(value for value in stages.values() if value) or "agent"
    if stages["s2s"]:
        is_inside = stages["s2s"] in _SPEECH_TO_SPEECH
        return name, "cascade" if is_inside else "end_to_end"
    return name, "cascade" if stages["llm"] or stages["audio_llm"] else ""
