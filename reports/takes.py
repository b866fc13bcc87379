"""One system in one conversation, as the page shows it: drawing, player, words and verdicts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup

from cascadence.audio import BadAudio
from cascadence.conversation import Conversation
from cascadence.measurement import Measurement
from cascadence.recording import Recording
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.entries import HEADLINE
from cascadence.reports.sound import Mix, fresh_mix, write_mix
from cascadence.reports.timeline import Annotations, gap_text, scale_px_per_s, timeline
from cascadence.reports.verdicts import Check, checks, was_heard
from cascadence.reports.wording import MISSING, measurement_text
from cascadence.results import Row
from cascadence.run_directory import Key

State = Literal["passed", "missed", "unjudged", "failed"]
SIGNS: dict[State, str] = {"passed": "✓", "missed": "✗", "unjudged": "·", "failed": "!"}
VERDICTS: dict[State, str] = {
    "passed": "expectations met",
    "missed": "expectations not met",
    "unjudged": "not judged",
    "failed": "no result",
}

_SMALL_PRINT = frozenset(HEADLINE) - {"response_gap_s", "task_success"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one user turn; texts are empty where nobody told."""

    turn: int
    gap: str
    understood: str
    meant: str
    was_heard: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A measurement of the take, for the small print."""

    metric: str
    text: str
    status: str
    title: str


@dataclass(frozen=True, slots=True)
class Take:
    """One repeat of one conversation with one system."""

    cell: ShownCell
    repeat: int
    state: State
    reason: str
    timeline: Markup | None
    mix: Mix | None
    replies: tuple[Reply, ...]
    numbers: tuple[Number, ...]


def make_takes(contents: Contents, folder: Path) -> dict[Key, Take]:
    """Make ready every finished conversation of a run.

    Args:
        contents: the run.
        folder: where the stereo mixes go; those of an earlier report are used again.
    """
    cells = {cell.name: cell for cell in contents.cells}
    keys = [key for key in contents.run.results if key[0] in cells]
    scales = _scales(contents, keys)

    def prepare(key: Key) -> Take:
        return _take(contents, cells[key[0]], key, scales[key[1]], folder)

    for key in keys:
        # What is looked up once is looked up before the threads start.
        contents.conversation(cells[key[0]], key[1])
        contents.rows_by_key.get(key)
    with ThreadPoolExecutor(max_workers=min(4, cpu_count() or 1)) as pool:
        return dict(zip(keys, pool.map(prepare, keys), strict=True))


def state_of(result: Mapping[str, Any], rows: Iterable[Row]) -> State:
    """Say whether a conversation came out as expected, by ``task_success``."""
    if result.get("status") != "ok":
        return "failed"
    shares = [
        row.measurement.quantity
        for row in rows
        if row.metric == "task_success" and row.measurement.quantity is not None
    ]
    if not shares:
        return "unjudged"
    full = all(_share(quantity) >= 1.0 for quantity in shares)
    return "passed" if full else "missed"


def _share(quantity: Any) -> float:
    if hasattr(quantity, "denominator"):
        return float(quantity.numerator / quantity.denominator)
    return float(getattr(quantity, "x", 0.0))


def _scales(contents: Contents, keys: Sequence[Key]) -> dict[str, float]:
    """One scale for all drawings of a conversation: a control that waits may run off the page."""
    controls = {cell.name for cell in contents.cells if cell.role == "control"}
    real = {key[1] for key in keys if key[0] not in controls}
    longest = dict.fromkeys((key[1] for key in keys), 0.0)
    for key in keys:
        if key[0] not in controls or key[1] not in real:
            duration_s = float(contents.run.results[key].get("duration_s", 0.0))
            longest[key[1]] = max(longest[key[1]], duration_s)
    return {name: scale_px_per_s(duration_s) for name, duration_s in longest.items()}


def _take(contents: Contents, cell: ShownCell, key: Key, scale: float, folder: Path) -> Take:
    """Load the recording, draw and mix it, and let go of its samples."""
    result = contents.run.results[key]
    rows = contents.rows_by_key.get(key, [])
    state = state_of(result, rows)
    reason, drawing, mix = "", None, None
    replies: tuple[Reply, ...] = ()
    if state == "failed":
        reason = str(result.get("reason", "")) or "no reason given"
    else:
        try:
            recording = contents.run.directory.recording(result)
        except (BadAudio, KeyError, TypeError) as error:
            reason = f"The recording cannot be read: {error}"
        else:
            conversation = contents.conversation(cell, key[1])
            notes = Annotations(_gaps(rows), _kinds(conversation))
            drawing = timeline(recording, scale, notes)
            mix = _mix(contents, key, recording, folder)
            replies = _replies(recording, conversation, rows)
    numbers = () if state == "failed" else tuple(_numbers(contents, rows))
    return Take(cell, key[2], state, reason, drawing, mix, replies, numbers)


def _mix(contents: Contents, key: Key, recording: Recording, folder: Path) -> Mix:
    path = folder / _plain(key[0]) / f"{_plain(key[1])}.{key[2]}.ogg"
    directory = contents.run.directory
    sources = (directory.audio_path(key, "user"), directory.audio_path(key, "system"))
    return fresh_mix(path, sources) or write_mix(path, recording.user, recording.system)


def _replies(
    recording: Recording, conversation: Conversation | None, rows: Sequence[Row]
) -> tuple[Reply, ...]:
    found = []
    for turn in recording.turns:
        mine = [row for row in rows if row.measurement.turn == turn.index]
        gap = next((r.measurement for r in mine if r.metric == "response_gap_s"), None)
        manifest = conversation.turns if conversation is not None else ()
        asked = manifest[turn.index] if turn.index < len(manifest) else None
        found.append(
            Reply(
                turn=turn.index + 1,
                gap=MISSING if gap is None else gap_text(gap),
                understood=recording.text_for(turn, "heard") or "",
                meant=recording.text_for(turn, "text") or "",
                was_heard=was_heard(mine),
                checks=checks(asked, mine),
            )
        )
    return tuple(found)


def _numbers(contents: Contents, rows: Sequence[Row]) -> Iterator[Number]:
    """The headline metrics, turn by turn, and whatever failed; the run's files have the rest."""
    grouped: dict[str, list[Measurement]] = {}
    for row in rows:
        if row.metric in _SMALL_PRINT or row.measurement.status == "failed":
            grouped.setdefault(row.metric, []).append(row.measurement)
    for metric, measurements in grouped.items():
        unit = contents.specs[metric].unit
        texts = [_text(measurement, unit) for measurement in measurements]
        status = "failed" if any(m.status == "failed" for m in measurements) else "ok"
        reasons = dict.fromkeys(f"{m.status}: {m.reason}" for m in measurements if m.reason)
        if status == "failed" or set(texts) != {MISSING}:
            yield Number(metric, " / ".join(texts), status, "; ".join(reasons))


def _text(measurement: Measurement, unit: str) -> str:
    return "failed" if measurement.status == "failed" else measurement_text(measurement, unit)


def _gaps(rows: Sequence[Row]) -> dict[int, Measurement]:
    return {
        row.measurement.turn: row.measurement
        for row in rows
        if row.metric == "response_gap_s"
        and row.measurement.turn is not None
        and row.measurement.status == "ok"
    }


def _kinds(conversation: Conversation | None) -> dict[int, str]:
    if conversation is None:
        return {}
    return {index: turn.when.kind for index, turn in enumerate(conversation.turns)}


def _plain(name: str) -> str:
    """Make a name safe as part of a path, whatever a run may hold, and still its own."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".")
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
