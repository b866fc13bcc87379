"""Says in a few lines what a registered or bundled thing is."""

from __future__ import annotations

from typing import Any

from cascadence.errors import CascadenceError
from cascadence.measurement import Metric
from cascadence.registry import Group, load, registered

SEARCHED: tuple[Group, ...] = ("metrics", "systems", "asr", "llm", "tts", "tools")


def describe(name: str) -> str:
    """Return what is known about a name, for reading.

    Raises:
        CascadenceError: nothing has this name.
    """
    for group in SEARCHED:
        if name in registered(group):
            found = load(group, name)
            return _metric(found) if isinstance(found, Metric) else _part(group, name, found)
    from cascadence.corpus import bundled_corpora, open_corpus

    if name in bundled_corpora():
        return _corpus(open_corpus(name))
    everything = sorted({key for group in SEARCHED for key in registered(group)})
    raise CascadenceError(f"nothing is called {name!r}", mend=f"known: {', '.join(everything)}")


def _metric(metric: Metric) -> str:
    spec = metric.spec
    low, high = spec.range
    return "\n".join(
        [
            f"{spec.name} (metric, family {spec.family}, version {spec.version})",
            f"  unit {spec.unit}, better: {spec.direction}, range {low:g} to {high:g}",
            f"  one value a {spec.level}, summarised as {spec.summary}",
            f"  needs: {', '.join(spec.needs) or 'nothing'}",
            f"  reference: {spec.reference or 'this project'}",
            "",
            metric.doc,
        ]
    )


def _part(group: Group, name: str, found: Any) -> str:
    kind = group.removesuffix("s") if group in ("systems", "tools") else group
    doc = (getattr(found, "__doc__", "") or "").strip()
    return f"{name} ({kind}, {found.__module__})\n\n{doc}"


def _corpus(corpus: Any) -> str:
    info = corpus.info
    entries = corpus.index()
    return "\n".join(
        [
            f"{corpus.name} (corpus, {len(entries)} conversations)",
            f"  {info.title}",
            f"  licence: {info.licence}",
            f"  source: {info.source}",
            "",
            info.description,
        ]
    )
