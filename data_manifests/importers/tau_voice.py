"""Trajectories of tau-voice: calls of a simulated customer with a voice agent, in ticks of 0.2 s.

A run of tau2-bench with ``--verbose-logs`` has one file a simulation and the call as stereo sound:
the user on the left, the agent on the right. The ticks tell who spoke which words; when exactly, is
measured in the sound. Imported are the user's turns, backchannels and asides, what the agent said
and which tools it called. Not imported are the reward (the state of a database, which no recording
tells), and what the agent's recogniser understood. Text-only simulations have no sound and are left
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from cascadence.audio import audible_runs, read_audio
from cascadence.clip import file_inside
from cascadence.conversation import Conversation
from cascadence.data_manifests.importers.calls import Call, Spoken, call_of, in_order, said_at
from cascadence.data_manifests.importers.questions import (
    UNTOLD,
    BadItem,
    attempt,
    identifier,
    natural,
    read_json,
    span_of,
    text_of,
)
from cascadence.errors import CascadenceError
from cascadence.events import Stamped
from cascadence.importing import BadDataset, Dataset, Shelf
from cascadence.importing_runs import ImportedRecording
from cascadence.manifest import Problem
from cascadence.recording import REPLY_BRIDGE_S

TICK_S: Final = 0.2
USER: Final = 0
AGENT: Final = 1
_CONTROL: Final = re.compile(r"###[A-Z-]+###")
"""What the simulated user says to the simulation: stop, transfer."""
_BRACKETED: Final = re.compile(r"\[[^\]]*\]")
_CASCADES: Final = ("livekit",)


@dataclass(frozen=True, slots=True)
class _Run:
    """What ``results.json`` says of all simulations of a folder."""

    folder: Path
    domain: str
    system: str
    kind: str


class TauVoice:
    """Reads a run's folder, or a folder of several."""

    dataset = Dataset(
        title="tau-voice trajectories",
        licence="MIT for tau2-bench; the voices' and models' providers have terms of their own",
        citation=(
            "S. Ray, K. Dhandhania, V. Barres, K. Narasimhan: tau-Voice: Benchmarking Full-Duplex "
            "Voice Agents on Real-World Domains, 2026, arXiv 2603.13686."
        ),
        url="https://github.com/sierra-research/tau2-bench",
        layout="results.json, simulations/<id>.json and "
        "artifacts/task_<task>/sim_<id>/audio/both.wav",
    )

    def recordings(self, shelf: Shelf) -> Iterator[ImportedRecording | Problem]:
        """Yield the simulations, run by run; see `RecordingImporter`."""
        results = sorted(shelf.source.rglob("results.json"), key=natural)
        if not results:
            raise BadDataset("no results.json", where=str(shelf.source))
        for path in results:
            file = path.relative_to(shelf.source).as_posix()
            told = attempt(file, partial(read_json, shelf, path))
            if not isinstance(told, Mapping):
                yield (
                    told if isinstance(told, Problem) else Problem("error", file, 0, "", "no run")
                )
                continue
            run = _run(path.parent, told)
            for name, simulation in _simulations(shelf, path.parent, told):
                if isinstance(simulation, Problem):
                    yield simulation
                else:
                    yield from _recordings(shelf, run, name, simulation)


def _run(folder: Path, told: Mapping[str, Any]) -> _Run:
    info = _mapping(told.get("info"))
    native = _mapping(info.get("audio_native_config"))
    agent = _mapping(info.get("agent_info"))
    provider = text_of(native, "provider", "")
    model = text_of(native, "model", "") or text_of(agent, "llm", "")
    parts = [part for part in (provider, model) if part]
    is_cascade = provider.lower() in _CASCADES
    kind = "" if not provider else "cascade" if is_cascade else "end_to_end"
    domain = text_of(_mapping(info.get("environment_info")), "domain_name", folder.name)
    return _Run(folder, domain, "-".join(parts) or "agent", kind)


def _simulations(
    shelf: Shelf, folder: Path, told: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    """Yield simulations with the file that they stand in: one each, or all in ``results.json``."""
    paths = sorted((folder / "simulations").glob("*.json"), key=natural)
    for path in paths:
        file = path.relative_to(shelf.source).as_posix()
        one = attempt(file, partial(read_json, shelf, path))
        is_one = isinstance(one, Mapping | Problem)
        yield file, one if is_one else Problem("error", file, 0, "", "no simulation")
    file = (folder / "results.json").relative_to(shelf.source).as_posix()
    listed = told.get("simulations")
    for one in listed if isinstance(listed, list) and not paths else []:
        is_one = isinstance(one, Mapping)
        yield file, one if is_one else Problem("error", file, 0, "", "no simulation")


def _recordings(
    shelf: Shelf, run: _Run, file: str, simulation: Mapping[str, Any]
) -> Iterator[ImportedRecording | Problem]:
    try:
        yield from _recording(shelf, run, file, simulation)
    except (CascadenceError, ValueError) as error:
        yield attempt(file, partial(_raise, error))


def _raise(error: Exception) -> ImportedRecording:
    raise error


def _recording(
    shelf: Shelf, run: _Run, file: str, simulation: Mapping[str, Any]
) -> Iterator[ImportedRecording | Problem]:
    task, sim_id = text_of(simulation, "task_id"), text_of(simulation, "id")
    ticks = simulation.get("ticks")
    if not isinstance(ticks, list) or not ticks:
        raise BadItem("no ticks: a text-only simulation has no sound")
    place = Path("artifacts") / f"task_{task}" / f"sim_{sim_id}" / "audio" / "both.wav"
    path = shelf.clip(run.folder / place)
    sound = file_inside(shelf.folder, path)
    user, heard = read_audio(sound, channel=USER), read_audio(sound, channel=AGENT)
    tick_s = _tick_s(ticks)
    spoken = sorted(
        [*_user_speech(ticks, tick_s), *_asides(simulation)], key=lambda one: one.start_s
    )
    call = call_of(spoken, user, heard, path, USER, tick_s)
    if call.rough:
        what = f"{call.rough} turns could not be measured: known to {tick_s:g} s only"
        yield Problem("warning", file, 0, "", what)
    yield ImportedRecording(
        conversation=_conversation(run, task, simulation, call),
        starts_s=call.starts_s,
        system=run.system,
        user=user,
        heard=heard,
        events=_events(ticks, tick_s, audible_runs(heard, bridge_s=REPLY_BRIDGE_S)),
        info={
            "duplex": "full",
            "licence": "unknown",
            "revision": "unknown",
            **({"kind": run.kind} if run.kind else {}),
        },
    )


def _conversation(run: _Run, task: str, simulation: Mapping[str, Any], call: Call) -> Conversation:
    trial = text_of(simulation, "trial", "0")
    return Conversation(
        id=identifier(run.folder.name, task, trial),
        tags=(identifier(run.domain),),
        licence=TauVoice.dataset.licence,
        source=TauVoice.dataset.url,
        turns=call.turns,
    )


def _tick_s(ticks: Sequence[Any]) -> float:
    told = _mapping(ticks[0]).get("tick_duration_seconds")
    if isinstance(told, bool) or not isinstance(told, int | float):
        return TICK_S
    return float(told) if 0.01 <= told <= 10.0 else TICK_S


def _user_speech(ticks: Sequence[Any], tick_s: float) -> Iterator[Spoken]:
    """Yield the user's stretches of speech; the last word to the simulation is none."""
    for first, last, chunks in _stretches(ticks, "user_chunk"):
        said = _joined(_raw(chunk, "content") for chunk in chunks)
        if _CONTROL.search(said) and not _CONTROL.sub("", said).strip():
            continue
        action = _mapping(chunks[0].get("turn_taking_action")).get("action")
        kind = "backchannel" if action == "backchannel" else "turn"
        text = _CONTROL.sub("", said).strip() or UNTOLD
        yield Spoken(first * tick_s, (last + 1) * tick_s, text, kind)


def _stretches(
    ticks: Sequence[Any], name: str
) -> Iterator[tuple[int, int, list[Mapping[str, Any]]]]:
    """Yield runs of ticks with speech of one side: first and last tick, and their chunks."""
    begun: int | None = None
    chunks: list[Mapping[str, Any]] = []
    for place, tick in enumerate([*ticks, None]):
        chunk = _mapping(_mapping(tick).get(name))
        if chunk and chunk.get("contains_speech", True):
            begun = place if begun is None else begun
            chunks.append(chunk)
        elif begun is not None:
            yield begun, place - 1, chunks
            begun, chunks = None, []


def _asides(simulation: Mapping[str, Any]) -> Iterator[Spoken]:
    """Yield what the user says out of turn: to somebody else, or a cough."""
    events = _mapping(simulation.get("effect_timeline")).get("events")
    for event in events if isinstance(events, list) else []:
        told = _mapping(event)
        if told.get("effect_type") != "out_of_turn_speech" or told.get("participant") != "user":
            continue
        start_ms, end_ms = span_of([told.get("start_ms"), told.get("end_ms")])
        said = _BRACKETED.sub("", text_of(_mapping(told.get("params")), "text", "")).strip()
        yield Spoken(start_ms / 1000.0, end_ms / 1000.0, said or UNTOLD, "aside")


def _events(
    ticks: Sequence[Any], tick_s: float, runs_s: Sequence[tuple[float, float]]
) -> tuple[Stamped, ...]:
    events = []
    for first, _, chunks in _stretches(ticks, "agent_chunk"):
        text = _joined(_agent_text(chunk) for chunk in chunks)
        if text:
            events.append(Stamped(said_at(first * tick_s, runs_s), "text", {"text": text}))
    for place, tick in enumerate(ticks):
        calls = _mapping(tick).get("agent_tool_calls")
        for call in calls if isinstance(calls, list) else []:
            arguments = _mapping(_mapping(call).get("arguments"))
            data = {"name": text_of(call, "name", "unknown"), "arguments": dict(arguments)}
            events.append(Stamped(round(place * tick_s, 4), "tool_call", data))
    return in_order(events)


def _agent_text(chunk: Mapping[str, Any]) -> str:
    told = _raw(chunk, "content")
    return told or _raw(_mapping(chunk.get("raw_data")), "proportional_transcript")


def _raw(chunk: Mapping[str, Any], key: str) -> str:
    value = chunk.get(key)
    return value if isinstance(value, str) else ""


def _joined(pieces: Iterable[str]) -> str:
    """Join what ticks hold: a tick may end in the middle of a word."""
    return " ".join("".join(pieces).split())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
