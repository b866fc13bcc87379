"""What the controls scored, against what they must score: a check of the metrics themselves.

A control understands nothing, or nothing but what was planted, so what it must come out as is known
beforehand. `REQUIREMENTS` says it, one entry each; where a control comes out otherwise, the metric
is wrong on this corpus, or does not mean what its name says. What was not measured is said to be
so: it is neither held nor violated. `rankings` finds the metrics that no control should lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cascadence.measurement import MetricSpec
from cascadence.reports.audit_checks import (
    NEAR,
    Check,
    Observed,
    Place,
    about,
    all_censored,
    all_skipped,
    at_ceiling,
    better,
    chance,
    control_name,
    deaf,
    exactly,
    floor,
    met_by_bursts,
    never_better,
    nothing_but_silence,
)
from cascadence.reports.audit_planted import misheard, planted, planted_stall, right, sum_of
from cascadence.reports.contents import ShownCell
from cascadence.reports.entries import Entry, Numbers

COMBINED = "turn-taking, combined"
NEAR_S = 0.03
"""A planted time comes back within a frame and a half of the conversation's clock."""
NEAR_WER = 0.02
NEAR_CEILING = 0.05
_COMBINED = MetricSpec(COMBINED, "turn_taking", "ratio", "lower", (0.0, 1.0), "corpus")
_NO_METRIC = Observed("not measured", note="no such metric")

Which = tuple[str, ...] | Callable[[MetricSpec], bool]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a control must come out as.

    Attributes:
        control: its registered name.
        which: names of metrics, or what tells them.
        must: in words.
        check: looks at one metric.
        what: names the metrics together, where `which` does not.
    """

    control: str
    which: Which
    must: str
    check: Check
    what: str = ""

    def metrics(self, specs: Sequence[MetricSpec]) -> list[str]:
        """Names of the metrics meant; of a rule, those that the run has."""
        if isinstance(self.which, tuple):
            return list(self.which)
        return [spec.name for spec in specs if self.which(spec)]


def compares_how(spec: MetricSpec) -> bool:
    """Whether a metric says how like the user the reply sounds: nothing can, without a reply."""
    names = ("contrast_gain", "contrast_correlation", "style_preservation", "style_information")
    return spec.family == "prosody" or spec.name.startswith(names)


REQUIREMENTS = (
    Requirement("silent", ("response_gap_s",), "no reply ever came", all_censored),
    Requirement("silent", ("task_success",), "0 where silence is wrong", nothing_but_silence),
    Requirement("silent", compares_how, "skipped", all_skipped, "similarity"),
    Requirement("silent", ("takeover_rate_pause",), "0", exactly(0.0)),
    Requirement("always_talking", ("cutoff_rate",), "near 1", about(1.0, NEAR)),
    Requirement("always_talking", ("yield_rate",), "0", exactly(0.0)),
    Requirement("always_talking", (COMBINED,), "never above a system", never_better),
    Requirement("toggle", ("cutoff_rate",), "where bursts meet turns", met_by_bursts),
    Requirement("toggle", (COMBINED,), "never above a system", never_better),
    Requirement("toggle", ("yield_rate_shuffled",), "yields by chance", deaf),
    Requirement("toggle", ("response_gap_shuffled_s",), "gaps by chance", deaf),
    Requirement("parrot", ("style_preservation",), "near 1", about(1.0, NEAR)),
    Requirement(
        "parrot",
        lambda spec: spec.name.startswith("contrast_gain"),
        "near 1",
        about(1.0, NEAR),
        "contrast_gain",
    ),
    Requirement(
        "parrot",
        ("prosody_similarity_auc", "prosody_style_auc"),
        "at its ceiling",
        at_ceiling(NEAR_CEILING),
    ),
    Requirement("parrot", ("task_success",), "near chance", chance),
    Requirement("random_reply", ("task_success",), "below every system", floor),
    Requirement(
        "scripted",
        ("response_gap_s",),
        "the planted gap",
        planted(sum_of("delay_s", "asr_s", "llm_s", "compute_s"), NEAR_S),
    ),
    Requirement("scripted", ("stall_s",), "the planted stall", planted_stall(NEAR_S)),
    Requirement(
        "scripted", ("yield_latency_s",), "the planted yield", planted(sum_of("yield_s"), NEAR_S)
    ),
    Requirement("scripted", ("heard_wer",), "the planted errors", planted(misheard, NEAR_WER)),
    Requirement("scripted", ("task_success",), "the planted success", planted(right, NEAR)),
)
"""What each control must come out as."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A requirement on one metric of one control."""

    control: ShownCell
    metric: str
    must: str
    observed: Observed


@dataclass(frozen=True, slots=True)
class Ranking:
    """A metric that ranks controls above real systems, by its corpus values.

    Attributes:
        spec: of the metric.
        setting: in which.
        above: controls that are better than at least one system.
        below: systems that are worse than at least one control.
        systems: how many have a value.
    """

    spec: MetricSpec
    setting: str
    above: tuple[Entry, ...]
    below: tuple[Entry, ...]
    systems: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that the controls say about the metrics.

    Attributes:
        rows: by setting, control and requirement.
        rankings: by setting and metric.
        absent: controls with requirements that the run does not have.
    """

    rows: tuple[AuditRow, ...]
    rankings: tuple[Ranking, ...]
    absent: tuple[str, ...]


def audit(numbers: Numbers) -> Audit:
    """Check every control of a run; nothing where it has none."""
    contents = numbers.contents
    controls = [cell for cell in contents.cells if cell.role == "control"]
    if not controls:
        return Audit((), (), ())
    known = dict.fromkeys(requirement.control for requirement in REQUIREMENTS)
    names = {control_name(cell) for cell in controls}
    return Audit(
        rows=tuple(row for cell in controls for row in _rows(numbers, cell)),
        rankings=tuple(rankings(numbers)),
        absent=tuple(name for name in known if name not in names),
    )


def _rows(numbers: Numbers, cell: ShownCell) -> Iterator[AuditRow]:
    specs = numbers.contents.specs
    for requirement in REQUIREMENTS:
        if requirement.control != control_name(cell):
            continue
        names = requirement.metrics(list(specs.values()))
        if not names:
            yield AuditRow(cell, requirement.what, requirement.must, _NO_METRIC)
        for name in names:
            spec = _COMBINED if name == COMBINED else specs.get(name)
            seen = requirement.check(Place(numbers, cell, spec)) if spec else _NO_METRIC
            yield AuditRow(cell, name, requirement.must, seen)


def rankings(numbers: Numbers) -> Iterator[Ranking]:
    """Find the metrics by which a control comes out above a real system."""
    contents = numbers.contents
    for setting in contents.settings:
        cells = [cell for cell in contents.cells if cell.setting == setting]
        for name, spec in contents.specs.items():
            known = [e for e in numbers.entries([name], cells) if e.value is not None]
            controls = [entry for entry in known if entry.cell.role == "control"]
            real = [entry for entry in known if entry.cell.role == "system"]
            above = [one for one in controls if any(better(one, other) for other in real)]
            below = [other for other in real if any(better(one, other) for one in controls)]
            if above:
                yield Ranking(spec, setting, tuple(above), tuple(below), len(real))
