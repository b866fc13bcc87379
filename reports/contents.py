"""What a report shows of a run: its cells in reading order, its metrics, its conversations.

Real systems come first, then those that see the manifest's answers (oracles), then the controls. A
system keeps one colour and one shape through tables, figures and drawings; neither means anything
alone, so that nobody has to tell colours apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from cascadence.compared_cells import PlayedCorpora, corpus_name, specs_of
from cascadence.conversation import Conversation
from cascadence.measurement import MetricSpec
from cascadence.results import Row, Run
from cascadence.run_directory import Key

Role = Literal["system", "oracle", "control"]
ROLE_NAMES: dict[Role, str] = {
    "system": "systems",
    "oracle": "oracles: they see the manifest's answers",
    "control": "controls: what no real system may lose to",
}

# Okabe and Ito's colours (2008), the ones with enough contrast on white and on black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#3f90da")
CONTROL_COLOUR = "#808080"
SHAPES = ("circle", "square", "triangle", "diamond", "down", "pentagon", "cross", "plus")
KIND_NAMES = {"cascade": "cascade", "end_to_end": "end-to-end", "control": "control"}


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One system on one corpus under one condition, as a reader meets it.

    Attributes:
        name: of the cell.
        system: its name in tables.
        corpus: name of the corpus.
        condition: name of the acoustic condition; empty where the run has none but the clean one.
        role: where it stands.
        kind: the architecture, in words; empty where the system could not be built.
        colour: of its marks, ``#rrggbb``.
        shape: of its marks, one of `SHAPES`.
        index: of the system, in the sweep's order.
        record: what ``run.json`` says about the cell.
    """

    name: str
    system: str
    corpus: str
    condition: str
    role: Role
    kind: str
    colour: str
    shape: str
    index: int
    record: Mapping[str, Any]

    @property
    def setting(self) -> str:
        """What is compared within: the corpus, and the condition where there are several."""
        return f"{self.corpus}, {self.condition}" if self.condition else self.corpus

    @property
    def css(self) -> str:
        """The class that gives marks and drawings the system's colour."""
        return f"look-{self.index}"

    @property
    def info(self) -> Mapping[str, Any]:
        """The system's `SystemInfo`, as a mapping."""
        return self.record.get("info") or {}

    @property
    def remark(self) -> str:
        """What a reader must know about the system."""
        return str(self.info.get("remark", ""))

    @property
    def sees_answers(self) -> bool:
        """Whether it, or a part of it, reads the manifest's answers."""
        return _sees_answers(self.info)


class Contents:
    """A run, made ready to be shown; what is expensive is looked up once."""

    def __init__(self, run: Run) -> None:
        """Take a run; nothing else is read yet."""
        self.run = run
        self._corpora = PlayedCorpora()

    @cached_property
    def cells(self) -> tuple[ShownCell, ...]:
        """All cells in reading order: by corpus, condition, role, then as the sweep has them.

        Replays with oracles are left out: they only serve attribution.
        """
        records = [record for record in self.run.cells if not record.get("attribution")]
        looks = _looks(records)
        several = any(record.get("condition") for record in records)
        cells = [_shown(record, looks, several) for record in records]
        corpora = list(dict.fromkeys(cell.corpus for cell in cells))
        settings = list(dict.fromkeys(cell.setting for cell in cells))
        roles = list(ROLE_NAMES)

        def place(cell: ShownCell) -> tuple[int, int, int]:
            corpus, setting = corpora.index(cell.corpus), settings.index(cell.setting)
            return corpus, setting, roles.index(cell.role)

        return tuple(sorted(cells, key=place))

    @cached_property
    def corpora(self) -> tuple[str, ...]:
        """Names of the corpora, in order."""
        return tuple(dict.fromkeys(cell.corpus for cell in self.cells))

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """What systems are compared within, in order: see `ShownCell.setting`."""
        return tuple(dict.fromkeys(cell.setting for cell in self.cells))

    @cached_property
    def specs(self) -> Mapping[str, MetricSpec]:
        """Every metric of the run by name; one that only has rows gets a bare specification."""
        return specs_of(self.run)

    @cached_property
    def rows(self) -> Mapping[tuple[str, str], list[Row]]:
        """The measurements, by cell and metric."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.run.rows:
            found.setdefault((row.cell, row.metric), []).append(row)
        return found

    @cached_property
    def rows_by_key(self) -> Mapping[Key, list[Row]]:
        """The measurements of turns and conversations, by cell, conversation and repeat."""
        found: dict[Key, list[Row]] = {}
        for row in self.run.rows:
            if row.conversation_id:
                found.setdefault((row.cell, row.conversation_id, row.repeat), []).append(row)
        return found

    @cached_property
    def docs(self) -> Mapping[str, str]:
        """What each metric says of itself."""
        entries = self.run.about.get("metrics", ())
        return {str(entry["name"]): str(entry.get("doc", "")) for entry in entries}

    def results_of(self, cell: ShownCell) -> list[Mapping[str, Any]]:
        """The finished conversations of a cell, those without result included."""
        return [result for key, result in self.run.results.items() if key[0] == cell.name]

    def without_result(self, cell: ShownCell) -> int:
        """How many of a cell's conversations were tried and have no result."""
        return sum(result.get("status") != "ok" for result in self.results_of(cell))

    def contended(self, cell: ShownCell) -> bool:
        """Whether another cell ran beside it: then its latencies are not to be compared."""
        return any(result.get("contended") for result in self.results_of(cell))

    def conversation(self, cell: ShownCell, conversation_id: str) -> Conversation | None:
        """Return the manifest's conversation, or ``None`` where the corpus is not at hand."""
        return self._corpora.conversation(cell.record, conversation_id)

    def cluster(self, cell: ShownCell, conversation_id: str) -> str:
        """Name what must be drawn together when resampling: the contrast set or conversation."""
        conversation = self.conversation(cell, conversation_id)
        group = conversation.group if conversation is not None else None
        return group or conversation_id


def _shown(
    record: Mapping[str, Any], looks: Mapping[str, tuple[int, str, str]], several: bool
) -> ShownCell:
    info = record.get("info") or {}
    condition = record.get("condition") or {"name": "clean"}
    system = str(record.get("system_name", record["name"]))
    index, colour, shape = looks[system]
    return ShownCell(
        name=str(record["name"]),
        system=system,
        corpus=corpus_name(record),
        condition=str(condition["name"]) if several else "",
        role=_role(info),
        kind=KIND_NAMES.get(str(info.get("kind", "")), ""),
        colour=colour,
        shape=shape,
        index=index,
        record=record,
    )


def _role(info: Mapping[str, Any]) -> Role:
    if info.get("kind") == "control":
        return "control"
    return "oracle" if _sees_answers(info) else "system"


def _sees_answers(info: Mapping[str, Any]) -> bool:
    parts: Sequence[Mapping[str, Any]] = info.get("parts") or ()
    return bool(info.get("sees_answers")) or any(part.get("sees_answers") for part in parts)


def _looks(records: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, str, str]]:
    """Number the systems, and give each a colour and a shape; both repeat out of step."""
    looks: dict[str, tuple[int, str, str]] = {}
    real = controls = 0
    for record in records:
        system = str(record.get("system_name", record["name"]))
        if system in looks:
            continue
        if _role(record.get("info") or {}) == "control":
            looks[system] = (len(looks), CONTROL_COLOUR, SHAPES[controls % len(SHAPES)])
            controls += 1
        else:
            colour, shape = COLOURS[real % len(COLOURS)], SHAPES[real % len(SHAPES)]
            looks[system] = (len(looks), colour, shape)
            real += 1
    return looks
