"""What a run was made with, as facts and small tables for the page's last section."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cascadence.catalogue import WeightsError
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.wording import MISSING
from cascadence.sweep import bundled_sweeps, read_sweep
from cascadence.weights import artefact


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the section: terms and facts, or a table, or a command."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    code: str = ""


def provenance(contents: Contents) -> list[Block]:
    """Collect everything that is known about how the run came to be."""
    about = contents.run.about
    blocks = [
        Block("To do it again", code=_commands(about)),
        Block("Run", facts=tuple(_run_facts(contents))),
        Block("Machine", facts=tuple(_machine_facts(about))),
        _systems(contents),
        _parts(contents),
        _weights(contents),
        _costs(contents),
        _corpora(contents),
        _signatures(contents),
        Block("Packages", facts=tuple(_packages(about))),
        Block("The sweep, as asked for", code=_json(about.get("sweep"))),
    ]
    return [block for block in blocks if block.facts or block.rows or block.code]


def _commands(about: Mapping[str, Any]) -> str:
    source = about.get("source") or {}
    lines = []
    if source.get("revision"):
        changed = "  # and changes that were not committed" if source.get("dirty") else ""
        lines.append(f"git checkout {shlex.quote(str(source['revision']))}{changed}")
    name = str(about.get("name", ""))
    if _is_bundled(name, about.get("sweep")):
        lines.append(f"cascadence run {shlex.quote(name)}")
    else:
        lines.append("cascadence run sweep.yaml  # the sweep at the end of this page, as a file")
    return "\n".join(lines)


def _is_bundled(name: str, asked: object) -> bool:
    """Whether the sweep of this name that comes with the package is the one that was asked for."""
    if name not in bundled_sweeps():
        return False
    sweep, _ = read_sweep(name)
    dumped = sweep.model_dump(mode="json")
    # A run from before there were conditions does not name any.
    return isinstance(asked, Mapping) and {"conditions": dumped["conditions"], **asked} == dumped


def _run_facts(contents: Contents) -> Iterator[tuple[str, str]]:
    about = contents.run.about
    sweep = about.get("sweep") or {}
    source = about.get("source") or {}
    revision = str(source.get("revision", "")) or "unknown"
    yield "status", str(about.get("status", "unknown"))
    yield "played", " to ".join(_present(about, ("started_at", "finished_at"))) or "unknown"
    yield "revision", revision + (", with changes not committed" if source.get("dirty") else "")
    for term, key in (("seed", "seed"), ("repeats", "repeats"), ("clock", "clock")):
        if key in sweep:
            yield term, str(sweep[key])
    clocks = sorted({str(cell.record.get("clock", "")) for cell in contents.cells} - {""})
    if clocks:
        yield "clocks used", ", ".join(clock.replace("_", " ") for clock in clocks)
    if sweep.get("workers"):
        yield "workers", str(sweep["workers"])
    if sweep.get("user"):
        yield "simulated user", _pairs(sweep["user"])


def _machine_facts(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    machine = about.get("machine") or {}
    for key in ("processor", "cores", "memory_gb", "system", "python", "cascadence"):
        if machine.get(key):
            yield key.replace("memory_gb", "memory, GB"), str(machine[key])
    if about.get("calibration"):
        yield "calibration", _pairs(about["calibration"])


def _packages(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    packages = (about.get("machine") or {}).get("packages") or {}
    for name, version in packages.items():
        yield str(name), str(version)


def _systems(contents: Contents) -> Block:
    cells = list({cell.system: cell for cell in contents.cells}.values())
    rows = [
        (
            cell.system,
            cell.kind or MISSING,
            _text(cell.info.get("duplex")),
            _text(cell.info.get("licence")),
            _text(cell.info.get("revision")),
            ", ".join(map(str, cell.info.get("weights") or ())) or MISSING,
            _json_line(cell.record.get("parameters")) or MISSING,
        )
        for cell in cells
    ]
    columns = ("system", "kind", "duplex", "licence", "revision", "weights", "parameters")
    return Block("Systems", columns=columns, rows=tuple(rows))


def _parts(contents: Contents) -> Block:
    rows: dict[tuple[str, ...], None] = {}
    for cell in contents.cells:
        for part in cell.info.get("parts") or ():
            answers = "yes" if part.get("sees_answers") else "no"
            row = (
                _text(part.get("name")),
                _text(part.get("licence")),
                _text(part.get("revision")),
                ", ".join(map(str, part.get("weights") or ())) or MISSING,
                _json_line(part.get("parameters")) or MISSING,
                answers,
            )
            rows[row] = None
    columns = ("part", "licence", "revision", "weights", "parameters", "sees answers")
    return Block("Parts of the cascades", columns=columns, rows=tuple(rows))


def _weights(contents: Contents) -> Block:
    """What the catalogue says of the artefacts that systems name."""
    owners = [
        owner for cell in contents.cells for owner in (cell.info, *(cell.info.get("parts") or ()))
    ]
    names = dict.fromkeys(str(name) for owner in owners for name in owner.get("weights") or ())
    rows = []
    for name in names:
        try:
            entry = artefact(name)
        except WeightsError:
            rows.append((name, MISSING, MISSING, "not in this installation's catalogue"))
            continue
        licences = "; ".join(f"{licence.spdx}: {licence.of}" for licence in entry.licences)
        rows.append((name, entry.version, entry.sha256, licences))
    columns = ("artefact", "version", "SHA-256", "licences")
    return Block("Weights, by this installation's catalogue", columns=columns, rows=tuple(rows))


def _costs(contents: Contents) -> Block:
    rows = [_cost(cell) for cell in contents.cells if cell.record.get("cost")]
    columns = ("cell", "played", "failed", "load, s", "in the system, s", "wall, s", "overhead")
    return Block("What playing cost", columns=columns, rows=tuple(rows))


def _cost(cell: ShownCell) -> tuple[str, ...]:
    cost = cell.record["cost"]
    share = cost.get("overhead_share")
    return (
        cell.name,
        str(cost.get("played", MISSING)),
        str(cost.get("failed", MISSING)),
        *(_seconds(cost.get(key)) for key in ("load_s", "compute_s", "wall_s")),
        MISSING if share is None else f"{share:.1%}",
    )


def _corpora(contents: Contents) -> Block:
    rows: dict[tuple[str, ...], None] = {}
    for cell in contents.cells:
        asked = cell.record.get("corpus")
        rows[
            (
                cell.corpus,
                _text(cell.record.get("conversations")),
                _text(cell.record.get("corpus_sha256")),
                _json_line(asked if isinstance(asked, Mapping) else {}) or MISSING,
            )
        ] = None
    columns = ("corpus", "conversations and repeats", "manifest SHA-256", "asked for")
    return Block("Corpora", columns=columns, rows=tuple(rows))


def _signatures(contents: Contents) -> Block:
    found: dict[str, set[str]] = {}
    for row in contents.run.rows:
        found.setdefault(row.metric, set()).add(row.signature)
    rows = [
        (name, ", ".join(sorted(signatures)), contents.specs[name].reference or MISSING)
        for name, signatures in sorted(found.items())
    ]
    return Block(
        "Metric signatures", columns=("metric", "version and tools", "definition"), rows=tuple(rows)
    )


def _present(about: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    return [str(about[key]) for key in keys if about.get(key)]


def _text(value: object) -> str:
    return MISSING if value is None or value == "" else str(value)


def _seconds(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else MISSING


def _pairs(mapping: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in mapping.items())


def _json_line(value: Any) -> str:
    if not value:
        return ""
    kept = {key: item for key, item in value.items() if item not in (None, [], {}, "")}
    return json.dumps(kept, ensure_ascii=False, default=str) if kept else ""


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) if value else ""
