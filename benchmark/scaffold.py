"""Writes a small working example of a system, a metric or a corpus, with a sweep that uses it."""

from __future__ import annotations

import re
from pathlib import Path

from cascadence.errors import CascadenceError

_SYSTEM = '''"""{title}: says what it does, in one sentence."""

from collections.abc import Iterator, Sequence
from typing import Self

from cascadence.events import AudioOut, Event
from cascadence.protocols import Context, Exchange, SystemInfo, Turn
from cascadence.systems.turn_taking import HalfDuplex


class {Class}Replier:
    """Answers a turn by playing it back; put your model here."""

    def __init__(self, gain: float = 1.0) -> None:
        """Take parameters; a sweep gives them under ``parameters``."""
        self.gain = gain

    @property
    def info(self) -> SystemInfo:
        """Say what it is."""
        return SystemInfo(
            name="{name}",
            kind="end_to_end",
            duplex="half",
            output_rate=16_000,
            licence="Apache-2.0",
            revision="1",
            parameters={{"gain": self.gain}},
        )

    def __enter__(self) -> Self:
        """Load models here: it is not on the clock."""
        return self

    def __exit__(self, *exit_information: object) -> None:
        """Release models."""

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        """Yield audio as soon as there is some; nothing yielded means nothing said."""
        yield AudioOut((turn.audio.samples * self.gain).clip(-1, 1), turn.audio.sample_rate)


def {name}(gain: float = 1.0) -> HalfDuplex:
    """The system, with the turn-taking that all half-duplex systems share."""
    return HalfDuplex({Class}Replier(gain))
'''

_METRIC = '''"""{title}: says what it measures, in one sentence."""

from cascadence.measurement import Case, Measurement, Tools, metric, skipped, value
from cascadence.metrics.turns import PlayedView, each_turn


@metric(
    family="latency",
    unit="s",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    reference="DOI or arXiv number",
    version="1",
)
def {name}(case: Case, tools: Tools) -> list[Measurement]:
    """Length of each reply, from its first to its last audible sample."""

    def length(view: PlayedView) -> Measurement:
        return skipped("no reply") if view.reply is None else value(view.reply.duration_s)

    return each_turn(case, length)
'''

_SWEEP = """# cascadence run {name}.yaml
name: {name}
corpora:
  - corpus: assistant
    limit: 4
systems:
  - {system}
  - silent
metrics:
  - response_gap_s{metric}
"""

_CORPUS_TOML = """title = "{title}"
licence = "CC0-1.0"
source = "where the speech comes from"
description = "What these conversations are for."
"""


def write_example(kind: str, name: str, folder: Path) -> list[Path]:
    """Write the files of an example.

    Args:
        kind: ``system``, ``metric`` or ``corpus``.
        name: snake case.
        folder: where to.

    Returns:
        What was written.

    Raises:
        CascadenceError: wrong kind or name, or a file is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise CascadenceError(f"{name!r} is not snake case", mend="like my_system")
    words = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "Class": "".join(part.capitalize() for part in name.split("_")),
    }
    match kind:
        case "system":
            sweep = _SWEEP.format(**words, system=f"system: {name}.py:{name}", metric="")
            files = {f"{name}.py": _SYSTEM.format(**words), f"{name}.yaml": sweep}
        case "metric":
            sweep = _SWEEP.format(**words, system="parrot", metric=f"\n  - {name}.py:{name}")
            files = {f"{name}.py": _METRIC.format(**words), f"{name}.yaml": sweep}
        case "corpus":
            files = {
                f"{name}/corpus.toml": _CORPUS_TOML.format(**words),
                f"{name}/conversations.jsonl": "",
            }
        case _:
            raise CascadenceError(f"no example of a {kind!r}", mend="system, metric or corpus")
    paths = {folder / path: text for path, text in files.items()}
    there = [path for path in paths if path.exists()]
    if there:
        raise CascadenceError("is there already", where=str(there[0]))
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(paths)
