"""What a metric returns, and what it says about itself.

A metric is a pure function and a `MetricSpec`. It returns parts rather than a bare float, so that a
corpus value can be a ratio of sums and a reply that never came stays *censored*. **Missing is never
0 and never NaN; a failure never enters a mean, never stops a run, and is counted in the report.**
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from cascadence.audio import Audio
from cascadence.conversation import Conversation
from cascadence.errors import CascadenceError
from cascadence.recording import Recording

Level = Literal["turn", "conversation", "corpus"]
Direction = Literal["higher", "lower", "neither"]
Status = Literal["ok", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Value:
    """A plain number; the corpus value is the mean (or the median, see `MetricSpec.summary`)."""

    x: float

    def __post_init__(self) -> None:
        """Refuse NaN and infinity."""
        if not math.isfinite(self.x):
            raise ValueError(f"a measurement must be finite, not {self.x}")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share; the corpus value is the sum of numerators over the sum of denominators."""

    numerator: float
    denominator: float

    def __post_init__(self) -> None:
        """Refuse what has no value."""
        if not (math.isfinite(self.numerator) and math.isfinite(self.denominator)):
            raise ValueError(f"a ratio must be finite, not {self.numerator}/{self.denominator}")
        if self.denominator <= 0:
            raise ValueError("a ratio without denominator is `skipped`, not a number")


@dataclass(frozen=True, slots=True)
class Censored:
    """Something that had not happened when the watching stopped: the value is at least this."""

    lower_bound: float

    def __post_init__(self) -> None:
        """Refuse NaN and infinity."""
        if not math.isfinite(self.lower_bound):
            raise ValueError(f"a lower bound must be finite, not {self.lower_bound}")


Quantity = Value | Ratio | Censored


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric's value for one turn, conversation or corpus.

    Attributes:
        status: ``ok``; ``skipped`` where the metric does not apply; ``failed`` where it broke.
        quantity: present exactly when the status is ``ok``.
        reason: why it was skipped or failed.
        turn: index of the user turn, for turn-level metrics.
        details: further parts (counts, alignments), JSON values.
        interval: 95 % confidence interval, for corpus-level metrics.
        n: how many independent items the value rests on.
    """

    status: Status
    quantity: Quantity | None = None
    reason: str = ""
    turn: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    n: int = 1

    def __post_init__(self) -> None:
        """Refuse a value without status ``ok``, and the reverse."""
        if (self.status == "ok") != (self.quantity is not None):
            raise ValueError("a measurement has a quantity exactly when its status is ok")

    def on_turn(self, index: int) -> Measurement:
        """Return the same, said about a user turn."""
        return replace(self, turn=index)


def value(x: float, **details: Any) -> Measurement:
    """Return an ``ok`` measurement of a plain number."""
    return Measurement("ok", Value(float(x)), details=details)


def ratio(numerator: float, denominator: float, **details: Any) -> Measurement:
    """Return an ``ok`` measurement of a share."""
    return Measurement("ok", Ratio(float(numerator), float(denominator)), details=details)


def censored(lower_bound: float, **details: Any) -> Measurement:
    """Return an ``ok`` measurement of what had not happened yet."""
    return Measurement("ok", Censored(float(lower_bound)), details=details)


def skipped(reason: str) -> Measurement:
    """Return the measurement of something that does not apply here."""
    return Measurement("skipped", reason=reason)


def failed(reason: str) -> Measurement:
    """Return the measurement that could not be made."""
    return Measurement("failed", reason=reason)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What a metric measures.

    Attributes:
        name: snake case, with its unit as suffix where it has one.
        family: ``latency``, ``turn_taking``, ``task`` ...
        unit: ``s``, ``ratio``, ``cents`` ...
        direction: which way is better.
        range: smallest and largest possible value.
        level: what one measurement is about.
        needs: names of the tools it uses.
        reference: DOI or arXiv number of the definition, or where it is written.
        version: to be raised whenever a value could change.
        summary: how a corpus value is made of the parts; ``survival`` is the Kaplan-Meier median.
    """

    name: str
    family: str
    unit: str
    direction: Direction
    range: tuple[float, float]
    level: Level
    needs: tuple[str, ...] = ()
    reference: str = ""
    version: str = "1"
    summary: Literal["mean", "median", "ratio", "survival"] = "mean"

    @property
    def signature(self) -> str:
        """Name and version, as results carry them."""
        return f"{self.name}@{self.version}"


Question = Mapping[str, Any]
"""What a tool that reads text is asked: JSON values, finite and keyed by strings."""


class ToolUnavailable(CascadenceError):
    """A tool that a metric needs is not installed or not configured: the metric is skipped."""


class Tool(Protocol):
    """A heavy instrument that metrics share: judge ASR, DNSMOS, signal features, an LLM judge.

    Built without arguments; raises `ToolUnavailable` then where it cannot work here. Its answers
    are JSON values, cached by tool, version and the hash of what it is asked about.
    """

    version: str

    def __call__(self, about: Any, /) -> Mapping[str, Any]:
        """Measure one sound (`Audio`), or answer one `Question`: each tool takes one of the two."""


class Tools(Protocol):
    """The instruments, by the names that `MetricSpec.needs` uses; each answer is cached."""

    def use(self, name: str, about: Audio | Question) -> Mapping[str, Any]:
        """Ask a tool about a sound, or whatever question it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A recording with the conversation it came from and the user's clean clips."""

    recording: Recording
    conversation: Conversation
    clips: Sequence[Audio] = ()


CaseFunction = Callable[[Case, Tools], Measurement | Iterable[Measurement]]
CorpusFunction = Callable[[Sequence[Case], Tools], Measurement]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its specification and its function.

    The function takes ``(case, tools)``, or ``(cases, tools)`` where the level is ``corpus``.
    """

    spec: MetricSpec
    function: Callable[..., Any]
    doc: str = ""

    def measure(self, case: Case, tools: Tools) -> list[Measurement]:
        """Measure one conversation; whatever breaks becomes a ``failed`` measurement."""
        try:
            result = self.function(case, tools)
            return [result] if isinstance(result, Measurement) else list(result)
        except Exception as error:
            return [failed(f"{type(error).__name__}: {error}")]

    def measure_corpus(self, cases: Sequence[Case], tools: Tools) -> Measurement:
        """Measure all conversations of a cell together."""
        try:
            result = self.function(cases, tools)
        except Exception as error:
            return failed(f"{type(error).__name__}: {error}")
        if not isinstance(result, Measurement):
            return failed(f"{self.spec.name} returned {type(result).__name__}, not a Measurement")
        return result


def metric(
    *,
    family: str,
    unit: str,
    direction: Direction,
    range: tuple[float, float],
    level: Level,
    needs: tuple[str, ...] = (),
    reference: str = "",
    version: str = "1",
    summary: Literal["mean", "median", "ratio", "survival"] = "mean",
) -> Callable[[Callable[..., Any]], Metric]:
    """Make a function a metric of the same name; see `MetricSpec` for the arguments."""

    def decorate(function: Callable[..., Any]) -> Metric:
        spec = MetricSpec(
            name=function.__name__,
            family=family,
            unit=unit,
            direction=direction,
            range=range,
            level=level,
            needs=needs,
            reference=reference,
            version=version,
            summary=summary,
        )
        return Metric(spec, function, (function.__doc__ or "").strip())

    return decorate
