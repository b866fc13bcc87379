"""Fingerprints of the source that each built-in metric's values depend on.

`tests/metric_signatures.json` holds, beside every metric's name and version, a hash of what its
values depend on (see `source_closure`). Where the hash changes the version must be raised, because
results carry the version and `cascadence compare` refuses to mix them. Then, or where no value can
have changed::

    python tests/metric_signatures.py --record
    python tests/metric_signatures.py --record --unchanged-values "a name was made clearer"

Tools are reached by name at run time and have versions of their own, which results carry too. Each
is fingerprinted beside the expression that makes its version.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from source_closure import PACKAGE, Closure, canonical, closure, digest, dotted

ROOT = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Signature:
    """A metric or tool with its version and what its values depend on."""

    name: str
    version: str
    closure: Closure

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"


def metrics() -> list[Signature]:
    """Every built-in metric as it is now."""
    found = []
    for name, target in _entry_points("metrics"):
        module, _, attribute = target.partition(":")
        version = str(getattr(import_module(module), attribute).spec.version)
        found.append(Signature(name, version, closure(target)))
    return found


def tools() -> list[Signature]:
    """Every built-in tool; its version stands for the expression that makes it."""
    found = []
    for name, target in _entry_points("tools"):
        reached = closure(target)
        found.append(Signature(name, version_source(reached), reached))
    return found


def _entry_points(group: str) -> list[tuple[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return sorted(project["entry-points"][f"{PACKAGE}.{group}"].items())


def version_source(reached: Closure) -> str:
    """Hash what a tool's ``version`` is made of: the expression, and the names in it.

    What the expression evaluates to depends on the packages installed, and so is no fingerprint.

    Raises:
        LookupError: no class reached has a version.
    """
    for _, node in reached.classes.values():
        made = _assigned(node, "version")
        if made:
            names = {
                child.id if isinstance(child, ast.Name) else child.attr
                for expression in made
                for child in ast.walk(expression)
                if isinstance(child, ast.Name | ast.Attribute)
            }
            named = [e for name in sorted(names - {"version"}) for e in _assigned(node, name)]
            return digest("\n".join(map(canonical, (*made, *named))), 8)
    raise LookupError("a tool needs a `version`")


def _assigned(node: ast.ClassDef, name: str) -> list[ast.expr]:
    """What is assigned to a name, or to that attribute of ``self``, anywhere in a class."""
    found = []
    for child in ast.walk(node):
        if isinstance(child, ast.Assign | ast.AnnAssign) and child.value is not None:
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            if {dotted(target) for target in targets} & {name, f"self.{name}"}:
                found.append(child.value)
    return found


Records = dict[str, dict[str, Any]]
"""By ``name@version``: ``hash``, and ``unchanged`` where another one stood for the same values."""


@dataclass(frozen=True)
class Change:
    """A metric or tool that is not what was recorded."""

    key: str
    kind: str
    text: str


def changes(
    now: Iterable[Signature], recorded: Mapping[str, Any], parts: Mapping[str, str]
) -> list[Change]:
    """Compare what is there with what was recorded.

    Args:
        now: from `metrics` or `tools`.
        recorded: of the same kind.
        parts: all parts' hashes as recorded, to say what has changed.
    """
    before = {key.rpartition("@")[0]: key for key in recorded}
    found = []
    for one in now:
        known = before.pop(one.name, None)
        if known is None:
            found.append(Change(one.key, "new", f"{one.key} is not recorded"))
        elif known == one.key:
            if recorded[known]["hash"] != one.closure.hash:
                found.append(Change(one.key, "changed", _what_changed(one, parts)))
        elif _is_raised(known.rpartition("@")[2], one.version):
            found.append(Change(one.key, "raised", f"{one.key} is recorded as {known}"))
        else:
            text = f"{one.key}: its version is below the one recorded, {known}"
            found.append(Change(one.key, "lowered", text))
    found += [Change(key, "gone", f"{key} is recorded and not there") for key in before.values()]
    return found


def _is_raised(before: str, now: str) -> bool:
    """Numbers must grow; anything else, as the fingerprint of a tool's version, must differ."""
    if before.isdecimal() and now.isdecimal():
        return int(now) > int(before)
    return True


def _what_changed(one: Signature, parts: Mapping[str, str]) -> str:
    differ = sorted(place for place, h in one.closure.parts.items() if parts.get(place, h) != h)
    added = sorted(place for place in one.closure.parts if place not in parts)
    named = [f"{place} changed" for place in differ] + [f"{place} is new" for place in added]
    shown = "; ".join(named[:6]) + (f"; and {len(named) - 6} more" if len(named) > 6 else "")
    return f"{one.key}: the source has changed and the version has not ({shown or 'moved'})"


MEND = """Raise the version of each whose values could change (of a tool: what `version` says), then
  python tests/metric_signatures.py --record
or, where no value can have changed, say why:
  python tests/metric_signatures.py --record --unchanged-values "the reason"
"""


def read_record(path: Path = RECORDED) -> dict[str, Any]:
    """What was recorded; empty before the first time."""
    if not path.is_file():
        return {"metrics": {}, "tools": {}, "parts": {}}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def all_changes(record: Mapping[str, Any], now: Mapping[str, list[Signature]]) -> list[Change]:
    """Everything that is not as recorded."""
    return [
        change
        for kind, signatures in now.items()
        for change in changes(signatures, record[kind], record["parts"])
    ]


def recorded_anew(
    record: Mapping[str, Any], now: Mapping[str, list[Signature]], reason: str
) -> dict[str, Any]:
    """Return the record that describes what is there.

    Args:
        record: what was recorded before.
        now: by kind, ``metrics`` and ``tools``.
        reason: why changed source gives unchanged values; empty: no source may have changed under
            the same version.

    Raises:
        ValueError: it has, or a version was lowered; names each.
    """
    refused = ("lowered",) if reason else ("lowered", "changed")
    found = [change.text for change in all_changes(record, now) if change.kind in refused]
    if found:
        raise ValueError("\n".join(found))
    parts = {p: h for group in now.values() for one in group for p, h in one.closure.parts.items()}
    kinds = {
        kind: {one.key: _entry(one, record[kind].get(one.key), reason) for one in signatures}
        for kind, signatures in now.items()
    }
    return {**kinds, "parts": dict(sorted(parts.items()))}


def _entry(one: Signature, before: Mapping[str, Any] | None, reason: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"hash": one.closure.hash}
    accepted = list((before or {}).get("unchanged", ()))
    if before is not None and before["hash"] != one.closure.hash:
        accepted.append({"before": before["hash"], "reason": reason})
    if accepted:
        entry["unchanged"] = accepted
    return entry


def main(arguments: list[str] | None = None) -> int:
    """Say what has changed, or record it; 2 where that is refused."""
    parser = argparse.ArgumentParser(description="Fingerprints of what metrics depend on.")
    parser.add_argument("--record", action="store_true", help="write metric_signatures.json")
    parser.add_argument("--unchanged-values", default="", metavar="REASON", help="with --record")
    asked = parser.parse_args(arguments)
    record = read_record()
    now = {"metrics": metrics(), "tools": tools()}
    found = all_changes(record, now)
    for change in found:
        sys.stderr.write(change.text + "\n")
    if not asked.record:
        sys.stderr.write(MEND if found else "")
        return 1 if found else 0
    try:
        made = recorded_anew(record, now, asked.unchanged_values.strip())
    except ValueError:
        sys.stderr.write(f"not recorded\n{MEND}")
        return 2
    RECORDED.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stderr.write(f"{len(made['metrics'])} metrics and {len(made['tools'])} tools recorded\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
