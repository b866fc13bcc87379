"""Plugins: a third-party package through entry points, names that are wrong, files by path."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cascadence.errors import CascadenceError
from cascadence.registry import UnknownName, build, load, registered
from corpus_folder import conversation, write_corpus

HERE = Path(__file__).parent


def test_a_third_party_package_is_a_first_class_citizen(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    place = ["--disable-pip-version-check", "--target", str(site), str(HERE / "third_party")]
    subprocess.run([sys.executable, *install, *place], check=True, capture_output=True)
    folder = tmp_path / "corpus"
    write_corpus(folder, [conversation(folder, f"c{i}") for i in range(2)])
    (tmp_path / "s.yaml").write_text(
        f"name: s\ncorpora: [{folder}]\nsystems: [foreign_system]\nmetrics: [foreign_turns]\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "cascadence.cli", "run", "s.yaml"]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
    lines = (tmp_path / "runs/s/measurements.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["quantity"] for row in rows] == [{"value": 1.0}, {"value": 1.0}]
    assert {row["cell"] for row in rows} == {"foreign_system--corpus"}


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'silent'"):
        load("systems", "silnet")
    with pytest.raises(UnknownName, match="did you mean 'response_gap_s'"):
        load("metrics", "response_gap")


def test_files_and_modules_need_no_registration(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine:\n    '''Mine.'''\n")
    assert load("systems", f"{tmp_path / 'mine.py'}:Mine").__name__ == "Mine"
    assert load("systems", "cascadence.clock:VirtualClock").__name__ == "VirtualClock"
    with pytest.raises(UnknownName, match="did you mean 'Mine'"):
        load("systems", f"{tmp_path / 'mine.py'}:Mina")
    with pytest.raises(UnknownName, match="no such file"):
        load("systems", f"{tmp_path / 'other.py'}:Mine")
    with pytest.raises(UnknownName, match="cannot import"):
        load("systems", "no.such.module:Thing")


def test_wrong_parameters_are_said_with_the_name() -> None:
    with pytest.raises(CascadenceError, match=r"no parameter 'loudness'"):
        build("systems", {"part": "silent", "loudness": 3})
    with pytest.raises(CascadenceError, match="did you mean 'llm'"):
        build("systems", {"part": "cascade", "asr": "oracle", "lmm": "oracle"})


def test_nothing_is_imported_to_list_names() -> None:
    code = (
        "import sys\nfrom cascadence.registry import registered\n"
        "assert registered('systems') and registered('metrics')\n"
        "assert not {'torch', 'numpy'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert {"silent", "parrot", "cascade", "cadence"} <= set(registered("systems"))
