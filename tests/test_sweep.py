"""Sweep files: what they expand to, and what is said about wrong ones."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from cascadence.sweep import BadSweep, Sweep, bundled_sweeps, expand, read_sweep, resolve_files


def sweep(**changes: object) -> Sweep:
    return Sweep.model_validate(
        {"name": "s", "corpora": ["assistant"], "systems": ["silent"], **changes}
    )


def test_shorthand_names_become_entries() -> None:
    (cell,) = expand(sweep())
    assert cell.name == "silent--assistant"
    assert cell.system == "silent"
    assert cell.clock == "virtual"


def test_a_grid_is_a_product_and_reaches_inside() -> None:
    entry = {
        "name": "c",
        "system": "cascade",
        "parameters": {"asr": "oracle", "turn_taking": {"vad": "silero"}},
        "grid": {"llm": ["a", "b"], "turn_taking.silence_s": [0.3, 0.5, 0.8]},
    }
    cells = expand(sweep(systems=[entry]))
    assert len(cells) == 6
    assert len({cell.name for cell in cells}) == 6
    last = cells[-1]
    assert last.name == "c.llm-b.silence_s-0.8--assistant"
    assert last.parameters["turn_taking"] == {"vad": "silero", "silence_s": 0.8}
    assert cells[0].parameters["turn_taking"]["silence_s"] == 0.3


def test_a_grid_turns_a_part_name_into_a_mapping() -> None:
    entry = {"system": "cascade", "parameters": {"asr": "whisper"}, "grid": {"asr.beam": [1, 5]}}
    first, _ = expand(sweep(systems=[entry]))
    assert first.parameters == {"asr": {"part": "whisper", "beam": 1}}


def test_two_cells_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="give the systems a `name`"):
        sweep(systems=["silent", "silent"])


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("name: x\ncorpora: [a]\nsystems: [b]\nspeed: 3\n", "speed", "Extra inputs"),
        ("name: x\ncorpora: []\nsystems: [b]\n", "corpora", "at least 1"),
        ("name: ../x\ncorpora: [a]\nsystems: [b]\n", "name", "pattern"),
        (
            "name: x\ncorpora: [a]\nsystems: [{system: b, grid: {c: []}}]\n",
            "systems.0.grid",
            "no values",
        ),
        ("name: [\n", "", "YAML"),
        ("just text", "", "a sweep is a mapping"),
        ("name: x\ncorpora: [a]\nsystems: [b]\nrepeats: 0\n", "repeats", "greater than"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(BadSweep, match=what) as caught:
        read_sweep(str(path))
    assert "wrong.yaml" in caught.value.where
    assert where in caught.value.where


def test_yaml_cannot_build_objects(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(BadSweep, match="YAML"):
        read_sweep(str(path))


def test_every_bundled_sweep_reads() -> None:
    assert "demo" in bundled_sweeps()
    for name in bundled_sweeps():
        read, _ = read_sweep(name)
        assert expand(read)


def test_an_unknown_sweep_names_the_bundled_ones() -> None:
    with pytest.raises(BadSweep, match="demo"):
        read_sweep("dmeo")


def test_files_beside_the_sweep_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    tree = {"asr": "mine.py:Asr", "llm": "policy", "tts": {"part": "mine.py:Tts"}}
    found = resolve_files(tree, tmp_path)
    assert found["asr"] == f"{tmp_path / 'mine.py'}:Asr"
    assert found["llm"] == "policy"
    assert found["tts"]["part"].endswith("mine.py:Tts")
