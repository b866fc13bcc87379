"""A metric's version must be raised when what its values depend on changes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import metric_signatures
from metric_signatures import (
    MEND,
    Signature,
    all_changes,
    changes,
    metrics,
    read_record,
    recorded_anew,
    tools,
    version_source,
)
from source_closure import Closure, closure

METRIC = '''
"""Planted."""
from __future__ import annotations

from planted.measurement import Case, metric
from planted.signal import level as loudness

UNIT_RANGE = (0.0, 1.0)

@metric(family="test", unit="ratio", range=UNIT_RANGE, version="1", reference="nobody")
def loud(case: Case, tools: object) -> float:
    """How loud."""
    return loudness(case.recording) - case.recording.offset_s
'''
PLANTED = {
    "planted.metrics": METRIC,
    "planted.measurement": '''
from planted.recording import Recording

def metric(**about): return lambda function: function

class Case:
    """A case."""
    recording: Recording
    weather: int = 3

    def unused(self):
        return 1
''',
    "planted.recording": """
class Recording:
    @property
    def offset_s(self):
        return self._helper() + 1.0

    def _helper(self):
        return 0.5

    @property
    def onset_s(self):
        return 2.0
""",
    "planted.signal": '''
import planted.scale as scale
from planted import offsets

FLOOR = -60.0
TABLE = {}
TABLE["a"] = 1.0

def level(recording):
    # A comment.
    """Level."""
    return _power(recording) + FLOOR + offsets.zero() + TABLE["a"]

def _power(recording):
    from planted.late import late

    return scale.double(1.0) + late()

def elsewhere():
    return 7
''',
    "planted": "",
    "planted.scale": "def double(x): return 2 * x\n",
    "planted.offsets": "def zero(): return 0.0\n",
    "planted.late": "def late(): return 4.0\n",
    "outside": "def far(): return 1\n",
}


def hash_of(**edits: tuple[str, str]) -> str:
    """Hash of the planted metric after replacing text in modules (``__`` stands for the dot)."""
    return closure_of(PLANTED, edits).hash


def closure_of(
    modules: Mapping[str, str], edits: Mapping[str, tuple[str, str]], root: str = "metrics:loud"
) -> Closure:
    sources = dict(modules)
    for module, (old, new) in edits.items():
        name = f"planted.{module}"
        assert old in sources[name]
        sources[name] = sources[name].replace(old, new)
    return closure(f"planted.{root}", sources.get, "planted")


@pytest.mark.parametrize(
    "edits",
    [
        {"metrics": ("loudness(case.recording) -", "loudness(case.recording) +")},
        {"signal": ("FLOOR = -60.0", "FLOOR = -50.0")},
        {"signal": ('TABLE["a"] = 1.0', 'TABLE["a"] = 2.0')},
        {"signal": ("scale.double(1.0)", "scale.double(3.0)")},
        {"scale": ("2 * x", "3 * x")},
        {"offsets": ("0.0", "0.1")},
        {"late": ("4.0", "5.0")},
        {"recording": ("self._helper() + 1.0", "self._helper() + 1.5")},
        {"recording": ("0.5", "0.7")},
        {"metrics": ("UNIT_RANGE = (0.0, 1.0)", "UNIT_RANGE = (0.0, 2.0)")},
        {"metrics": ('unit="ratio"', 'unit="s"')},
    ],
    ids=lambda edits: f"{next(iter(edits))}: {next(iter(edits.values()))[1]}",
)
def test_a_change_that_the_metric_reaches_is_noticed(edits: dict[str, tuple[str, str]]) -> None:
    assert hash_of(**edits) != hash_of()


@pytest.mark.parametrize(
    "edits",
    [
        {"metrics": ('"""How loud."""', '"""How very loud."""')},
        {"metrics": ('"""Planted."""', "")},
        {"signal": ("# A comment.", "# Another one.\n")},
        {"signal": ('"""Level."""', "")},
        {"signal": ("scale.double(1.0)", "(scale.double(\n        1.0\n    ))")},
        {"signal": ("return 7", "return 8")},
        {"recording": ("return 2.0", "return 3.0")},
        {"measurement": ("return 1", "return 2")},
        {"measurement": ("weather: int = 3", "weather: int = 4")},
        {"metrics": ("tools: object", "tools: int")},
        {"metrics": ('version="1", reference="nobody"', 'reference="a book", version="2"')},
    ],
    ids=lambda edits: f"{next(iter(edits))}: {next(iter(edits.values()))[1]}",
)
def test_what_can_change_no_value_is_not(edits: dict[str, tuple[str, str]]) -> None:
    assert hash_of(**edits) == hash_of()


def test_a_function_may_move_to_another_module() -> None:
    moved = {
        **PLANTED,
        "planted.signal": PLANTED["planted.signal"]
        .replace("import planted.scale as scale", "from planted.other import _power")
        .replace(
            "def _power(recording):\n    from planted.late import late\n\n"
            "    return scale.double(1.0) + late()\n",
            "",
        ),
        "planted.other": "from planted import scale\n\ndef _power(recording):\n"
        "    from planted.late import late\n    return scale.double(1.0) + late()\n",
    }
    assert "planted.other._power" in closure_of(moved, {}).parts
    assert closure_of(moved, {}).hash == hash_of()


def test_it_ends_where_the_package_ends_and_says_what_it_found() -> None:
    parts = closure_of(
        PLANTED, {"signal": ("def elsewhere", "from outside import far\ndef elsewhere")}
    ).parts
    assert set(parts) == {
        "planted.metrics.loud",
        "planted.metrics.UNIT_RANGE",
        "planted.measurement.Case",
        "planted.measurement.Case.recording",
        "planted.recording.Recording",
        "planted.recording.Recording.offset_s",
        "planted.recording.Recording._helper",
        "planted.signal.level",
        "planted.signal.FLOOR",
        "planted.signal.TABLE",
        "planted.signal._power",
        "planted.scale.double",
        "planted.offsets.zero",
        "planted.late.late",
    }


def test_nothing_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="nothing is defined"):
        closure_of(PLANTED, {}, "metrics:quiet")


def test_a_metric_that_uses_another_has_its_source_and_not_its_version() -> None:
    source = """
from functools import partial
from planted.measurement import metric

_similar = partial(metric, unit="AUC")
_similar_metric = _similar

@metric(unit="s", version="1")
def gap(case):
    return {gap}

@_similar_metric(version="{version}")
def auc(case):
    return gap(case) / 2
"""

    def found(gap: str = "1.0", version: str = "1", unit: str = "AUC") -> Closure:
        text = source.format(gap=gap, version=version).replace("AUC", unit)
        modules = {
            **PLANTED,
            "planted.metrics": text.replace('"s", version="1"', f'"s", version="{version}"'),
        }
        return closure("planted.metrics:auc", modules.get, "planted")

    assert "planted.measurement.metric" not in found().parts
    assert found(version="2").hash == found().hash
    assert found(gap="2.0").hash != found().hash
    assert found(unit="share").hash != found().hash


def test_fields_matched_by_position_and_validators_count() -> None:
    module = """
class Value:
    x: float = {x}
    y: float = 2.0

    @field_validator("y")
    def _sane(cls, y):
        return {y}

def loud(quantity):
    match quantity:
        case Value(x):
            return x
"""

    def hashed(x: float, y: float) -> str:
        source = {"planted.metrics": module.format(x=x, y=y)}
        return closure("planted.metrics:loud", source.get, "planted").hash

    assert len({hashed(1.0, 1.0), hashed(2.0, 1.0), hashed(1.0, 2.0)}) == 3


def planted(version: str = "1", **edits: tuple[str, str]) -> list[Signature]:
    return [Signature("loud", version, closure_of(PLANTED, edits))]


def record_of(signatures: list[Signature]) -> dict[str, Any]:
    empty = {"metrics": {}, "tools": {}, "parts": {}}
    return recorded_anew(empty, {"metrics": signatures, "tools": []}, "")


HELPER = ("2 * x", "3 * x")


def test_a_change_without_a_new_version_names_metric_and_place() -> None:
    record = record_of(planted())
    (found,) = changes(planted(scale=HELPER), record["metrics"], record["parts"])
    assert (found.key, found.kind) == ("loud@1", "changed")
    assert found.text == (
        "loud@1: the source has changed and the version has not (planted.scale.double changed)"
    )
    assert changes(planted(), record["metrics"], record["parts"]) == []


def test_recording_refuses_until_the_version_is_raised() -> None:
    record = record_of(planted())
    now = {"metrics": planted(scale=HELPER), "tools": []}
    with pytest.raises(ValueError, match="loud@1: the source has changed"):
        recorded_anew(record, now, "")
    raised = {"metrics": planted("2", scale=HELPER), "tools": []}
    assert [change.kind for change in all_changes(record, raised)] == ["raised"]
    made = recorded_anew(record, raised, "")
    assert list(made["metrics"]) == ["loud@2"]
    assert all_changes(made, raised) == []
    lowered = {"metrics": planted("1"), "tools": []}
    with pytest.raises(ValueError, match="below the one recorded"):
        recorded_anew(made, lowered, "a reason does not help")


def test_unchanged_values_need_a_reason_that_is_kept() -> None:
    record = record_of(planted())
    now = {"metrics": planted(scale=HELPER), "tools": []}
    made = recorded_anew(record, now, "only a name")
    assert made["metrics"]["loud@1"]["hash"] == now["metrics"][0].closure.hash
    assert made["metrics"]["loud@1"]["unchanged"] == [
        {"before": record["metrics"]["loud@1"]["hash"], "reason": "only a name"}
    ]
    again = recorded_anew(made, now, "")
    assert again == made
    raised = recorded_anew(made, {"metrics": planted("2"), "tools": []}, "")
    assert "unchanged" not in raised["metrics"]["loud@2"]


def test_new_and_lost_metrics_are_told() -> None:
    record = record_of(planted())
    other = [Signature("quiet", "1", planted()[0].closure)]
    found = {c.key: c.kind for c in changes(other, record["metrics"], record["parts"])}
    assert found == {"quiet@1": "new", "loud@1": "gone"}


def test_the_version_of_a_tool_is_what_it_is_made_of() -> None:
    tool = """
class Judge:
    BEAM = 5

    def __init__(self):
        model = f"whisper-{installed()}"
        self.version = f"{model}/beam{self.BEAM}"

    def __call__(self, audio):
        return {"text": "yes"}
"""

    def made(old: str, new: str) -> tuple[str, str]:
        source = {"planted.metrics": tool.replace(old, new)}
        reached = closure("planted.metrics:Judge", source.get, "planted")
        return version_source(reached), reached.hash

    before = made("yes", "yes")
    assert made("yes", "no")[0] == before[0]
    assert made("yes", "no")[1] != before[1]
    assert made("BEAM = 5", "BEAM = 6")[0] != before[0]
    assert made("whisper-", "parakeet-")[0] != before[0]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line on planted metrics."""
    path = tmp_path / "signatures.json"
    monkeypatch.setattr(metric_signatures, "read_record", lambda: read_record(path))
    monkeypatch.setattr(metric_signatures, "RECORDED", path)
    monkeypatch.setattr(metric_signatures, "tools", list)
    monkeypatch.setattr(metric_signatures, "metrics", planted)
    return path


def test_the_command_records_refuses_and_says_how_to_mend(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert metric_signatures.main([]) == 1
    assert metric_signatures.main(["--record"]) == 0
    assert metric_signatures.main([]) == 0
    before = recorded.read_text()
    monkeypatch.setattr(metric_signatures, "metrics", lambda: planted(scale=HELPER))
    capsys.readouterr()
    assert metric_signatures.main(["--record"]) == 2
    assert "loud@1: the source has changed" in capsys.readouterr().err
    assert recorded.read_text() == before
    assert metric_signatures.main(["--record", "--unchanged-values", " "]) == 2
    assert metric_signatures.main(["--record", "--unchanged-values", "doubled twice"]) == 0
    entry = json.loads(recorded.read_text())["metrics"]["loud@1"]
    assert entry["unchanged"][0]["reason"] == "doubled twice"


@pytest.mark.parametrize("kind", ["metrics", "tools"])
def test_no_built_in_source_has_changed_under_its_version(kind: str) -> None:
    record = read_record()
    now = metrics() if kind == "metrics" else tools()
    found = changes(now, record[kind], record["parts"])
    if found:
        pytest.fail("\n".join([*(change.text for change in found), "", MEND]), pytrace=False)
