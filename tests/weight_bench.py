"""Wheels, catalogues and a store to test the weights with, without a network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cascadence import weight_sources
from cascadence.catalogue import Wheel

MODEL = bytes(range(256)) * 5000  # 1.28 MB: more than one chunk
CONFIG = b'{"planted": true}\n'
LICENCE = '{ spdx = "MIT", of = "the test", url = "https://example.org" }'


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(path: str, data: bytes) -> str:
    return f'{{ path = "{path}", size = {len(data)}, sha256 = "{sha(data)}" }}'


def artefact_text(name: str, files: str, sources: str) -> str:
    return (
        f'[[artefacts]]\nname = "{name}"\nkind = "asr"\ntitle = "Planted"\nversion = "1"\n'
        f"licences = [{LICENCE}]\nfiles = [{files}]\n{sources}\n"
    )


def wheel_source(member: str = "planted_model/data/model.bin") -> str:
    return (
        '[[artefacts.sources]]\nkind = "wheel"\n'
        'wheels = [{ name = "planted-model", version = "1.0" }]\n[artefacts.sources.members]\n'
        f'"model.bin" = [{{ member = "{member}" }}]\n'
    )


Edit = Callable[[zipfile.ZipFile], None]


def build_wheel(
    folder: Path, project: str, members: dict[str, bytes], edit: Edit | None = None
) -> Path:
    """Write a wheel by hand, so that it can hold what no build tool would put into one."""
    info = f"{project}-1.0.dist-info"
    path = folder / f"{project}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        for name, data in members.items():
            archive.writestr(name, data)
        if edit is not None:
            edit(archive)
        archive.writestr(f"{info}/RECORD", "")
    return path


class Bench:
    """A store, a folder of wheels that pip finds, and a catalogue, all in one temporary folder."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.links, self.book = root / "home", root / "links", root / "more.toml"
        self.links.mkdir()
        self.environment = {
            "CASCADENCE_HOME": str(self.home),
            "CASCADENCE_CATALOGUE": str(self.book),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.links),
        }
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def write(self, *texts: str) -> None:
        self.book.write_text("\n".join(texts), encoding="utf-8")

    def plant(
        self, name: str = "planted", promised: bytes = MODEL, edit: Edit | None = None
    ) -> None:
        """Put a wheel with MODEL on the index, and an entry that promises `promised`."""
        self.write(artefact_text(name, entry("model.bin", promised), wheel_source()))
        build_wheel(self.links, "planted_model", {"planted_model/data/model.bin": MODEL}, edit)

    def left(self) -> list[str]:
        """Everything in the store but the locks, as paths inside it."""
        store = self.home / "weights"
        paths = (path.relative_to(store) for path in store.rglob("*") if path.is_file())
        return sorted(str(path) for path in paths if path.parts[0] != ".locks")

    def start(self, code: str) -> subprocess.Popen[str]:
        """Start Python on some code, with this store and the packages of this process."""
        environment = os.environ | self.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )

    def spare_pip(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Copy wheels instead of asking pip, which takes a second, to test what comes after it."""

        def copy(wheel: Wheel, folder: Path, tell: Callable[[int], None]) -> Path:
            found = next(self.links.glob(f"{wheel.name.replace('-', '_')}-*.whl"))
            tell(900)
            tell(4)  # as when pip deletes its temporary copy
            return Path(shutil.copy(found, folder))

        monkeypatch.setattr(weight_sources, "_download_wheel", copy)
