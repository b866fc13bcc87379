"""The command line as a user meets it: exit codes, what goes where, what is said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpus_folder import conversation, write_corpus

SYSTEMS = Path(__file__).with_name("planted_systems.py")


def cascadence(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cascadence.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    write_corpus(folder, [conversation(folder, f"c{i}") for i in range(3)])
    (tmp_path / "s.yaml").write_text(
        "name: s\ncorpora: [corpus]\nmetrics: [response_gap_s]\nsystems:\n"
        f"  - {{name: echoing, system: '{SYSTEMS}:Echoing'}}\n"
    )
    return tmp_path


def test_a_run_ends_with_a_table_and_the_report(place: Path) -> None:
    done = cascadence("run", "s.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "echoing" in done.stdout
    assert "index.html" in done.stdout
    assert (place / "runs/s/report/index.html").is_file()
    assert "playing" in done.stderr
    assert "playing" not in done.stdout


def test_a_dry_run_plays_nothing(place: Path) -> None:
    done = cascadence("run", "s.yaml", "--dry-run", cwd=place)
    assert done.returncode == 0
    head, line = done.stdout.splitlines()
    assert head.split()[:3] == ["system", "corpus", "condition"]
    assert line.split() == ["echoing", "corpus", "clean", "3", "1", "virtual", "to", "play"]
    assert not (place / "runs").exists()


def test_a_dry_run_shows_the_conditions(place: Path) -> None:
    text = (place / "s.yaml").read_text()
    (place / "s.yaml").write_text(text + "conditions: [clean, babble_10db, telephone]\n")
    done = cascadence("run", "s.yaml", "--dry-run", cwd=place)
    assert done.returncode == 0, done.stderr
    conditions = [line.split()[2] for line in done.stdout.splitlines()]
    assert conditions == ["condition", "clean", "babble_10db", "telephone"]


def test_an_interpreter_that_is_not_there_is_wrong_use(place: Path) -> None:
    text = (place / "s.yaml").read_text().replace("Echoing'", "Echoing', python: no/python")
    (place / "s.yaml").write_text(text)
    done = cascadence("run", "s.yaml", cwd=place)
    assert done.returncode == 2
    assert "system echoing: no/python" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "runs").exists()


def test_failures_are_recorded_with_exit_code_1(place: Path) -> None:
    text = (place / "s.yaml").read_text().replace("Echoing", "Unloadable")
    (place / "s.yaml").write_text(text)
    done = cascadence("run", "s.yaml", cwd=place)
    assert done.returncode == 1
    assert "no such model" in done.stderr
    assert (place / "runs/s/report/index.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nothing.yaml"), "no such sweep"),
        (("run", "s.yaml", "--sped"), "--sped"),
        (("list", "sistems"), "nothing is listed"),
        (("describe", "nothing"), "nothing is called"),
        (("validate", "nowhere"), "nowhere"),
        (("score", "corpus"), "not a run"),
        (("compare", "corpus", "corpus"), "not a run"),
        (("new", "systm", "x"), "system, metric or corpus"),
        (("train", "moshi"), "moshi"),
        (("weights", "fetch", "whisper-tiny"), "whisper-tiny-en-ct2"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    place: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = cascadence(*arguments, cwd=place)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_system_or_metric_suggests_the_nearest(place: Path) -> None:
    path = place / "s.yaml"
    path.write_text("name: s\ncorpora: [corpus]\nsystems: [silnet]\n")
    done = cascadence("run", "s.yaml", cwd=place)
    assert done.returncode == 2
    assert "did you mean 'silent'" in done.stderr


def test_lists_are_data(place: Path) -> None:
    done = cascadence("list", "metrics", "--json", cwd=place)
    names = json.loads(done.stdout)
    assert names["response_gap_s"].startswith("cascadence.metrics.latency")
    done = cascadence("weights", "list", "--json", cwd=place)
    assert all(row["licence"] for row in json.loads(done.stdout))


@pytest.mark.parametrize("kind", ["system", "metric"])
def test_a_new_example_works_as_it_is(place: Path, kind: str) -> None:
    assert cascadence("new", kind, "my_example", cwd=place).returncode == 0
    path = place / "my_example.yaml"
    path.write_text(path.read_text().replace("assistant", "corpus"))
    done = cascadence("run", "my_example.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    rows = (place / "runs/my_example/measurements.jsonl").read_text().splitlines()
    assert any(json.loads(row)["status"] == "ok" for row in rows)


def test_validate_names_file_line_and_field(place: Path) -> None:
    manifest = place / "corpus/conversations.jsonl"
    manifest.write_text(manifest.read_text().replace('"licence"', '"license"', 1))
    done = cascadence("validate", "corpus", cwd=place)
    assert done.returncode == 1
    assert "conversations.jsonl:1" in done.stdout
    assert "license" in done.stdout


def test_doctor_says_what_to_install(place: Path) -> None:
    done = cascadence("doctor", cwd=place)
    assert "python" in done.stdout
    assert "extra piper" in done.stdout
