"""Writes a Markdown page for every built-in metric, from its specification and docstring.

``python -m cascadence.reports.metric_pages docs/metrics`` makes them anew; nobody edits them.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cascadence.measurement import Metric, MetricSpec
from cascadence.registry import load, registered
from cascadence.reports.views import FAMILY_NAMES
from cascadence.reports.wording import label, number

MADE = "<!-- Made by cascadence.reports.metric_pages from the metric itself: do not edit. -->"
PACKAGE = "cascadence."
BETTER = {"higher": "higher", "lower": "lower", "neither": "neither: it describes"}
SUMMARIES = {
    "mean": "the mean",
    "median": "the median",
    "ratio": "the sum of numerators over the sum of denominators",
    "survival": "the Kaplan–Meier median, with p90, p95, the restricted mean and the share that "
    "never came",
}
_FORMULA = re.compile(r"\s[/=]\s")
_EDGE = re.compile(
    r"\b(skipped|censored|failed|left out|leaves out|negative|deletions|undefined)\b", re.IGNORECASE
)
_SENTENCES = re.compile(r"(?<=\.)\s+(?=[A-Z`*\d-])")
_INTRODUCTION = """\
Every value comes with `n`, a 95 % confidence interval and the number of failures. What does not
apply is `skipped`, what broke is `failed`; neither is ever 0, and neither enters a mean. The
version is raised whenever a value could change, and results carry it."""


def pages(metrics: Iterable[Metric]) -> dict[str, str]:
    """Write a page for each metric, and an index.

    Args:
        metrics: in any order.

    Returns:
        File names and their text.
    """
    known = sorted(metrics, key=lambda metric: metric.spec.name)
    names = [metric.spec.name for metric in known]
    made = {f"{metric.spec.name}.md": _page(metric, names) for metric in known}
    return {"index.md": _index(known, names), **made}


def built_in_metrics() -> list[Metric]:
    """Every registered metric of this package; plugins write their own pages."""
    points = registered("metrics")
    names = [name for name, point in points.items() if point.value.startswith(PACKAGE)]
    return [load("metrics", name) for name in sorted(names)]


def write_pages(folder: Path) -> list[Path]:
    """Write all pages into a folder; pages of metrics that are no more are deleted.

    Args:
        folder: made where it is missing; other files in it are left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = pages(built_in_metrics())
    for path in folder.glob("*.md"):
        if path.name not in made and path.read_text(encoding="utf-8").startswith(MADE):
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


def _page(metric: Metric, names: Sequence[str]) -> str:
    spec = metric.spec
    sentence, body = _split(metric.doc)
    formula, edges, rest = _sorted(body)
    blocks = [MADE, f"# {spec.name}", sentence, _facts(metric)]
    blocks += ["## Formula", *formula] if formula else []
    blocks += ["## Definition", *rest] if rest else []
    blocks += ["## Edge cases", "\n".join(f"- {edge}" for edge in edges)] if edges else []
    if spec.level == "corpus":
        blocks.append("The value is of all conversations of a cell together.")
    return _linked("\n\n".join(blocks), spec.name, names) + "\n"


def _facts(metric: Metric) -> str:
    spec = metric.spec
    rows = [
        ("family", _family(spec.family)),
        ("unit", spec.unit or "none"),
        ("range", _range(spec)),
        ("better", BETTER[spec.direction]),
        ("level", _level(spec)),
        ("needs", ", ".join(f"`{name}`" for name in spec.needs) or "nothing"),
        ("reference", spec.reference or "this project"),
        ("version", spec.version),
        ("source", f"`{metric.function.__module__}`, see [the family](index.md#{_anchor(spec)})"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {_cell(v)} |" for k, v in rows)])


def _family(name: str) -> str:
    return FAMILY_NAMES.get(name, label(name))


def _anchor(spec: MetricSpec) -> str:
    return _family(spec.family).lower().replace(" ", "-")


def _level(spec: MetricSpec) -> str:
    if spec.level == "corpus":
        return "one value a corpus"
    return f"one value a {spec.level}; of a corpus, {SUMMARIES[spec.summary]}"


def _range(spec: MetricSpec) -> str:
    low, high = (None if abs(x) == float("inf") else _bare(x) for x in spec.range)
    if low is None:
        return "any number" if high is None else f"{high} or less"
    return f"{low} or more" if high is None else f"{low} to {high}"


def _bare(x: float) -> str:
    return number(x, 0) if x == int(x) else f"{x:g}"


def _split(doc: str) -> tuple[str, str]:
    """Take the first sentence of a docstring off, without line breaks and indentation."""
    first, _, rest = doc.strip().partition("\n\n")
    return " ".join(first.split()), rest


def _sorted(body: str) -> tuple[list[str], list[str], list[str]]:
    """Sort the sentences of a docstring: formulas, edge cases, and paragraphs of the rest."""
    formula: list[str] = []
    edges: list[str] = []
    rest = []
    for paragraph in filter(None, (" ".join(p.split()) for p in re.split(r"\n\s*\n", body))):
        kept = []
        for sentence in _SENTENCES.split(paragraph):
            if _EDGE.search(sentence):
                edges.append(sentence)
            elif _FORMULA.search(sentence):
                formula.append(sentence)
            else:
                kept.append(sentence)
        rest += [" ".join(kept)] if kept else []
    return formula, edges, rest


def _linked(text: str, own: str, names: Sequence[str]) -> str:
    """Turn reStructuredText's literals and names into Markdown's, and names into links."""

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        last = name.rpartition(".")[2]
        linked = last in names and last != own and not name.startswith("`")
        return f"[`{last}`]({last}.md)" if linked else f"`{name}`"

    return re.sub(r"(?<!`)`([^`\n]+)`(?!`)", replaced, re.sub(r"``([^`\n]+)``", r"`\1`", text))


def _index(metrics: Sequence[Metric], names: Sequence[str]) -> str:
    blocks = [MADE, "# Metrics", _INTRODUCTION]
    families = dict.fromkeys((*FAMILY_NAMES, *sorted({m.spec.family for m in metrics})))
    for family in families:
        mine = [metric for metric in metrics if metric.spec.family == family]
        if not mine:
            continue
        blocks.append(f"## {_family(family)}")
        blocks += [_told(module) for module in sorted({m.function.__module__ for m in mine})]
        rows = [
            f"| `{m.spec.name}` | {m.spec.unit} | {m.spec.direction} | {m.spec.level} | "
            f"{_cell(_split(m.doc)[0])} |"
            for m in mine
        ]
        head = ["| metric | unit | better | level | what it says |", "|---|---|---|---|---|"]
        blocks.append("\n".join([*head, *rows]))
    return _linked("\n\n".join(blocks), "", names) + "\n"


def _told(module: str) -> str:
    """What a module says of itself: conventions, and how it differs from what others publish."""
    doc = inspect.cleandoc(importlib.import_module(module).__doc__ or "")
    return f"`{module}`: {doc}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages into the folder named."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if len(given) != 1:
        sys.stderr.write("python -m cascadence.reports.metric_pages FOLDER\n")
        return 2
    for path in write_pages(Path(given[0])):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
