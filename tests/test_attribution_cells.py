"""What `attribution: true` makes of a sweep: which cells, called what, with which seeds."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cascadence.errors import CascadenceError
from cascadence.planning import Plan, plan
from cascadence.sweep import BadSweep, Sweep, expand
from corpus_folder import conversation, write_corpus

PARTS = {"asr": "faster_whisper", "llm": "policy", "tts": "oracle"}
CASCADE = {"name": "c", "system": "cascade", "parameters": PARTS}
REPLACED = {"asr": "oracle", "llm": "oracle"}

DECLARED = """\
from cascadence.protocols import SystemInfo
from cascadence.require import require


class Planted:
    def __init__(self, ears="dull", brain=None, tongue="thick"):
        parameters = {"ears": ears, "brain": brain, "tongue": tongue}
        self.info = SystemInfo("p", "control", "half", 16_000, "CC0", "1", parameters=parameters)

    def converse(self, audio_in, context):
        yield from ()


class Declared(Planted):
    oracles = {"ears": {"ears": "sharp"}, "mind": {"brain": {"part": "best"}, "tongue": "fine"}}


class Wrong(Planted):
    oracles = ["ears"]


class Unknown(Planted):
    oracles = {"nose": {"nose": "long"}}


class Lacking(Declared):
    def __init__(self, ears="dull"):
        require("no_such_package", extra="ears")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_corpus(tmp_path / "corpus", [conversation(tmp_path / "corpus", f"c{i}") for i in "01"])
    (tmp_path / "mine.py").write_text(DECLARED)
    return tmp_path


def planned(folder: Path, *systems: Mapping[str, Any] | str, **changes: Any) -> list[Plan]:
    content = {"name": "s", "corpora": ["corpus"], "systems": systems, "repeats": 2, **changes}
    return plan(Sweep.model_validate(content), folder)


def names(plans: list[Plan]) -> list[str]:
    return [each.cell.name for each in plans]


def test_a_cascade_is_played_in_every_coalition(folder: Path) -> None:
    three = {**CASCADE, "parameters": {**PARTS, "tts": "piper"}, "attribution": True}
    plans = planned(folder, three, "silent")
    assert names(plans) == [
        "c--corpus",
        *(f"c~{chosen}--corpus" for chosen in ("asr", "llm", "tts")),
        *(f"c~{chosen}--corpus" for chosen in ("asr~llm", "asr~tts", "llm~tts", "asr~llm~tts")),
        "silent--corpus",
    ]
    free, *replays, silent = [each.cell for each in plans]
    assert (free.coalition, silent.coalition) == (None, None)
    for cell in replays:
        assert cell.coalition is not None
        assert cell.coalition.of == "c--corpus"
        assert cell.system_name == "~".join(("c", *cell.coalition.oracles))
        for stage, part in free.parameters.items():
            expected = "oracle" if stage in cell.coalition.oracles else part
            assert cell.parameters[stage] == expected
    assert free.parameters == {**PARTS, "tts": "piper"}


def test_a_stage_that_is_an_oracle_already_is_no_player(folder: Path) -> None:
    for oracle in ("oracle", {"part": "oracle"}):
        entry = {**CASCADE, "parameters": {**PARTS, "tts": oracle}, "attribution": True}
        assert names(planned(folder, entry)) == [
            "c--corpus",
            "c~asr--corpus",
            "c~llm--corpus",
            "c~asr~llm--corpus",
        ]


def test_all_coalitions_share_seeds_and_the_free_cell_is_what_it_was(folder: Path) -> None:
    conditions = ["clean", "babble_5db"]
    [before, noisy_before] = planned(folder, CASCADE, conditions=conditions)
    plans = planned(folder, {**CASCADE, "attribution": True}, conditions=conditions)
    by_name = {each.cell.name: each for each in plans}
    assert by_name["c--corpus"].jobs == before.jobs
    assert by_name["c--corpus--babble_5db"].jobs == noisy_before.jobs
    assert names(plans)[4:6] == ["c--corpus--babble_5db", "c~asr--corpus--babble_5db"]
    prints = {job.fingerprint for each in plans for job in each.jobs}
    assert len(prints) == 8 * 2 * 2
    for each in plans:
        condition = each.cell.condition
        twin = before if condition.is_clean else noisy_before
        assert [job.key[1:] for job in each.jobs] == [job.key[1:] for job in twin.jobs]
        assert [job.seed for job in each.jobs] == [job.seed for job in twin.jobs]
        assert [job.condition_seed for job in each.jobs] == [j.condition_seed for j in twin.jobs]
        if each.cell.coalition is not None:
            heard = "" if condition.is_clean else "--babble_5db"
            assert each.cell.coalition.of == f"c--corpus{heard}"


def test_every_point_of_a_grid_is_taken_apart(folder: Path) -> None:
    grid = {"turn_taking.silence_s": [0.3, 0.5]}
    plans = planned(folder, {**CASCADE, "grid": grid, "attribution": True})
    assert names(plans)[4:6] == ["c.silence_s-0.5--corpus", "c.silence_s-0.5~asr--corpus"]
    assert {each.cell.parameters["turn_taking"]["silence_s"] for each in plans[4:]} == {0.5}


def test_for_the_whole_sweep_what_has_no_oracles_is_left_as_it_is(folder: Path) -> None:
    whole = {**CASCADE, "name": "o", "parameters": REPLACED | {"tts": "oracle"}}
    plans = planned(folder, CASCADE, whole, "silent", attribution=True)
    assert names(plans)[-2:] == ["o--corpus", "silent--corpus"]
    assert len(plans) == 4 + 1 + 1
    apart = planned(
        folder, CASCADE, {**CASCADE, "name": "d", "attribution": False}, attribution=True
    )
    assert names(apart)[-1] == "d--corpus"
    assert len(apart) == 4 + 1


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (
            {"system": "silent", "attribution": True},
            "declares none\n.*system silent\n.*a `cascade`",
        ),
        (
            {**CASCADE, "parameters": REPLACED | {"tts": "oracle"}, "attribution": True},
            "has none but oracles\n.*system c\n",
        ),
        ({"system": "mine.py:Wrong", "attribution": True}, "must map .*\n.*system Wrong\n"),
        ({"system": "mine.py:Unknown", "attribution": True}, "no parameter 'nose'"),
        ({"system": "mine.py:Gone", "attribution": True}, "has no 'Gone'"),
    ],
)
def test_what_cannot_be_attributed_is_refused(
    folder: Path, entry: Mapping[str, Any], what: str
) -> None:
    with pytest.raises(CascadenceError, match=what):
        planned(folder, entry)


def test_a_sweep_without_any_stages_to_replace_is_refused(folder: Path) -> None:
    with pytest.raises(BadSweep, match="no system has stages"):
        planned(folder, "silent", "parrot", attribution=True)


def test_any_system_can_declare_its_own_stages(folder: Path) -> None:
    entry = {"system": "mine.py:Declared", "attribution": True}
    plans = planned(folder, entry)
    assert names(plans)[1:] == [f"Declared~{s}--corpus" for s in ("ears", "mind", "ears~mind")]
    both = {"ears": "sharp", "brain": {"part": "best"}, "tongue": "fine"}
    assert plans[3].cell.parameters == both
    assert plans[3].info["parameters"] == both
    mended = {**entry, "parameters": {"brain": "best", "tongue": "fine"}}
    assert len(planned(folder, mended)) == 2


def test_what_cannot_be_built_is_not_replayed(folder: Path) -> None:
    [free] = planned(folder, {"system": "mine.py:Lacking", "attribution": True})
    assert "no_such_package" in free.problem


def test_a_system_of_another_environment_says_that_it_cannot_be_asked(folder: Path) -> None:
    entry = {"name": "far", "system": "no_such_module:System", "python": sys.executable}
    with pytest.raises(BadSweep, match="system far"):
        planned(folder, {**entry, "attribution": True})
    [far, *_] = planned(folder, entry, CASCADE, attribution=True)
    assert far.cell.name == "far--corpus"
    assert far.problem


def test_the_documented_sweep_reads() -> None:
    page = Path(__file__).parent.parent / "docs" / "attribution.md"
    written = page.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    asked = Sweep.model_validate({"name": "s", "corpora": ["c"], **yaml.safe_load(written)})
    assert [cell.attribution for cell in expand(asked)] == [True, True, False, False]
    at_the_top = {"name": "s", "corpora": ["c"], **yaml.safe_load(written.replace("# att", "att"))}
    whole = expand(Sweep.model_validate(at_the_top))
    assert [cell.attribution for cell in whole] == [True, True, None, None]
