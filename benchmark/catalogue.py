"""The catalogue of artefacts: what each file must be, under which licence, and where it is had.

`catalogue.toml` beside this module is read once. `CASCADENCE_CATALOGUE` may name further files of
the same form, separated like `PATH`; their artefacts are added, and a name may not be taken twice.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from cascadence.errors import CascadenceError

BUILT_IN: Final = Path(__file__).with_name("catalogue.toml")
_STRICT: Final = ConfigDict(extra="forbid")


class WeightsError(CascadenceError):
    """An artefact is unknown, cannot be had, or is not what the catalogue says."""


def inner_path(text: str) -> str:
    """Return a relative POSIX path unchanged if it stays inside its folder.

    Raises:
        ValueError: The path is empty, absolute, climbs with `..`, or is written for Windows.
    """
    parts = text.split("/")
    plain = not any(part in ("", ".", "..") for part in parts)
    if not plain or PurePosixPath(text).is_absolute() or set(text) & set("\\:\0"):
        raise ValueError(f"{text!r} is not a plain path inside a folder")
    return text


InnerPath: TypeAlias = Annotated[str, AfterValidator(inner_path)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Project: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]
Version: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")]
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SizeBytes: TypeAlias = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Licence:
    """A licence, and the part of the artefact that it covers."""

    spdx: Annotated[str, Field(min_length=1)]
    of: str
    url: str


@dataclass(frozen=True, slots=True, config=_STRICT)
class FileEntry:
    """A file as it must lie in the store: relative path, size in bytes, SHA-256 in hex."""

    path: InnerPath
    size: SizeBytes
    sha256: Sha256


@dataclass(frozen=True, slots=True, config=_STRICT)
class Wheel:
    """A wheel on the package index; `size` in bytes serves the progress display only."""

    name: Project
    version: Version
    size: SizeBytes | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Member:
    """A file inside a wheel: the whole of a stored file, or one part of it.

    `wheel` may be left out where the source has only one. `size` and `sha256` may be left out where
    the stored file has one part only, for they are then the file's own.
    """

    member: InnerPath
    wheel: Project | None = None
    size: SizeBytes | None = None
    sha256: Sha256 | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class WheelSource:
    """Members of one or more wheels; those listed under a path are joined in order to make it."""

    kind: Literal["wheel"]
    wheels: Annotated[tuple[Wheel, ...], Field(min_length=1)]
    members: dict[InnerPath, Annotated[tuple[Member, ...], Field(min_length=1)]]

    @model_validator(mode="after")
    def _members_belong(self) -> Self:
        known = [wheel.name for wheel in self.wheels]
        for path, members in self.members.items():
            for member in members:
                if member.wheel is None and len(known) > 1:
                    raise ValueError(f"{path}: say which of the wheels holds {member.member}")
                if member.wheel is not None and member.wheel not in known:
                    raise ValueError(f"{path}: {member.wheel} is not among the wheels")
                if len(members) > 1 and (member.size is None or member.sha256 is None):
                    raise ValueError(f"{path}: each part needs a size and a sha256")
        return self


@dataclass(frozen=True, slots=True, config=_STRICT)
class HubSource:
    """Files of one revision of a Hugging Face repository: stored path → path there."""

    kind: Literal["hub"]
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Version
    files: dict[InnerPath, InnerPath]


@dataclass(frozen=True, slots=True, config=_STRICT)
class NpmSource:
    """Files of one package on the npm registry: stored path → path inside the package."""

    kind: Literal["npm"]
    package: Annotated[str, Field(pattern=r"^(@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*$")]
    version: Version
    members: dict[InnerPath, InnerPath]


@dataclass(frozen=True, slots=True, config=_STRICT)
class PackageSource:
    """Files that an installed package carries in one folder; they are read where they lie."""

    kind: Literal["package"]
    package: Project
    extra: str
    folder: InnerPath


@dataclass(frozen=True, slots=True, config=_STRICT)
class DeriveSource:
    """Files made here, once, from another artefact.

    `content_sha256` fixes what is made (for tensors: names, types, shapes and values) and not the
    bytes of the container, which a later release of the writing library may lay out otherwise.
    `size` is that of the result in bytes, to the nearest few; `made_with` names the releases that
    `content_sha256` was recorded with.
    """

    kind: Literal["derive"]
    origin: Name
    recipe: str
    content_sha256: Sha256
    size: SizeBytes
    made_with: str


Source: TypeAlias = Annotated[
    WheelSource | HubSource | NpmSource | PackageSource | DeriveSource,
    Field(discriminator="kind"),
]
Download: TypeAlias = WheelSource | HubSource | NpmSource


@dataclass(frozen=True, slots=True, config=_STRICT)
class Artefact:
    """One entry of the catalogue: a folder of files that some part of a system or metric needs.

    Attributes:
        name: Its name in the store, as in `whisper-tiny-en-ct2`.
        kind: What it is for, as in `asr`, `judge_asr`, `llm`, `tts`, `vad`, `quality`, `pitch`.
        title: One line for people.
        version: The upstream's name for this state of it.
        licences: Every licence that bears on it.
        files: What must be there, byte for byte; empty for a derived artefact.
        sources: Where to have it from, in order of preference.
    """

    name: Name
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    version: str
    licences: Annotated[tuple[Licence, ...], Field(min_length=1)]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    files: tuple[FileEntry, ...] = ()

    @model_validator(mode="after")
    def _sources_fit_the_files(self) -> Self:
        paths = {file.path for file in self.files}
        derived = self.derivation is not None
        if derived and paths:
            raise ValueError("the files of a derived artefact are known only once it is made")
        if not derived and not paths:
            raise ValueError("an artefact needs files")
        if len(paths) != len(self.files):
            raise ValueError("a path is listed twice")
        for source in self.sources:
            if isinstance(source, PackageSource | DeriveSource) and len(self.sources) > 1:
                raise ValueError("a package or a derivation must be the only source")
            if isinstance(source, WheelSource | NpmSource) and set(source.members) != paths:
                raise ValueError(f"a {source.kind} source must make every file, and only those")
            if isinstance(source, HubSource) and set(source.files) != paths:
                raise ValueError("a hub source must name every file, and only those")
        return self

    @property
    def derivation(self) -> DeriveSource | None:
        """The recipe that makes it from another artefact, if that is how it is had."""
        first = self.sources[0]
        return first if isinstance(first, DeriveSource) else None

    @property
    def package(self) -> PackageSource | None:
        """The installed package that carries it, if that is how it is had."""
        first = self.sources[0]
        return first if isinstance(first, PackageSource) else None

    @property
    def licence(self) -> str:
        """All its licences as one SPDX expression."""
        return " AND ".join(dict.fromkeys(licence.spdx for licence in self.licences))

    @property
    def size(self) -> int:
        """Its size on disk in bytes."""
        if self.derivation is not None:
            return self.derivation.size
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """Its fingerprint in hex: one SHA-256 over paths, sizes and hashes (or over the recipe)."""
        if self.derivation is not None:
            lines = [f"{self.derivation.recipe} {self.derivation.content_sha256}"]
        else:
            lines = sorted(f"{file.path} {file.size} {file.sha256}" for file in self.files)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


_FILE: Final = TypeAdapter(dict[Literal["artefacts"], list[Artefact]])


def read_catalogue(path: Path) -> list[Artefact]:
    """Read and check one catalogue file.

    Raises:
        WeightsError: It cannot be read, or an entry is wrong; file, entry and field are named.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return _FILE.validate_python(tables).get("artefacts", [])
    except ValidationError as error:
        first = error.errors()[0]
        field = _field(tables, first["loc"])
        raise WeightsError(
            f"The weight catalogue is wrong: {first['msg']}",
            f"{path}, {field}",
            "correct the entry",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(
            f"The weight catalogue cannot be read: {error}",
            str(path),
            "correct the file, or take it out of CASCADENCE_CATALOGUE",
        ) from error


def catalogue() -> dict[str, Artefact]:
    """Return every known artefact by name, the built-in ones first.

    Raises:
        WeightsError: A catalogue file is wrong, or a name is taken twice.
    """
    more = os.environ.get("CASCADENCE_CATALOGUE", "")
    return _merged(tuple(Path(part) for part in more.split(os.pathsep) if part))


@functools.lru_cache(maxsize=8)
def _merged(further: tuple[Path, ...]) -> dict[str, Artefact]:
    merged: dict[str, Artefact] = {}
    for path in (BUILT_IN, *further):
        for artefact in read_catalogue(path):
            if artefact.name in merged:
                raise WeightsError(
                    f"The artefact '{artefact.name}' is in the catalogue already.",
                    str(path),
                    "choose another name",
                )
            merged[artefact.name] = artefact
    for artefact in merged.values():
        recipe = artefact.derivation
        if recipe is not None:
            origin = merged.get(recipe.origin)
            if origin is None or origin.derivation is not None:
                raise WeightsError(
                    f"'{artefact.name}' is made from '{recipe.origin}', which is not an artefact "
                    "with sources of its own.",
                    "weight catalogue",
                    "correct its origin",
                )
    return merged


def _field(tables: dict[str, object], location: Iterable[int | str]) -> str:
    """Name the place of a validation error by the artefact's name rather than by its index."""
    place = list(location)
    entries = tables.get("artefacts")
    if len(place) > 1 and isinstance(entries, list) and isinstance(place[1], int):
        entry = entries[place[1]]
        if isinstance(entry, dict) and "name" in entry:
            place[:2] = [str(entry["name"])]
    return ".".join(str(part) for part in place)
