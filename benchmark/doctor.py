"""Examines an installation: what is there, what is missing, what to do about it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

EXTRAS = {
    "asr": "faster_whisper",
    "llm": "transformers",
    "vad": "onnxruntime",
    "quality": "speechmos",
    "prosody": "swift_f0",
    "cadence": "torch",
    "piper": "piper",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: its name.
        ok: whether it is as it should be.
        detail: what was found, or what to do.
        optional: whether the core works without it.
    """

    what: str
    ok: bool
    detail: str
    optional: bool = False


def examine() -> list[Finding]:
    """Look at Python, extras, the weight store, the bundled corpora and the entry points."""
    findings = [_python(), *(_extra(extra, module) for extra, module in EXTRAS.items())]
    return [*findings, _store(), _entry_points(), *_corpora()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), version)


def _extra(extra: str, module: str) -> Finding:
    there = importlib.util.find_spec(module) is not None
    detail = module if there else f"pip install 'cascadence[{extra}]'"
    return Finding(f"extra {extra}", there, detail, optional=True)


def _store() -> Finding:
    from cascadence.weights import artefacts, locate, store_folder

    folder = store_folder()
    here = [entry.name for entry in artefacts() if locate(entry.name) is not None]
    return Finding("weights", True, f"{folder}: {', '.join(here) or 'nothing fetched yet'}")


def _corpora() -> list[Finding]:
    from cascadence.corpus import bundled_corpora, open_corpus

    findings = []
    for name in bundled_corpora():
        corpus = open_corpus(name)
        count = len(corpus.index())
        problems = [problem for problem in corpus.problems if problem.severity == "error"]
        detail = f"{count} conversations" if not problems else str(problems[0])
        findings.append(Finding(f"corpus {name}", not problems, detail))
    return findings


def _entry_points() -> Finding:
    """An editable install keeps the entry points of the day it was made."""
    import tomllib

    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    try:
        installed = {(p.group, p.name, p.value) for p in distribution("cascadence").entry_points}
    except PackageNotFoundError:
        return Finding("installation", False, "pip install -e . (the package is not installed)")
    if not project.is_file():
        return Finding("installation", True, f"{len(installed)} entry points")
    content: dict[str, Any] = tomllib.loads(project.read_text(encoding="utf-8"))
    if content.get("project", {}).get("name") != "cascadence":
        return Finding("installation", True, f"{len(installed)} entry points")
    groups = content["project"].get("entry-points", {})
    wanted = {
        (group, name, value) for group, points in groups.items() for name, value in points.items()
    }
    stale = sorted(name for _, name, _ in wanted - installed)
    if stale:
        return Finding(
            "installation", False, f"renew it, pip install -e . (new: {', '.join(stale)})"
        )
    return Finding("installation", True, f"{len(installed)} entry points")
