"""A corpus is a folder: ``corpus.toml``, ``conversations.jsonl`` and the audio; read as needed.

The manifest is scanned once for its index and never held: a conversation is validated when it is
asked for, a clip is hashed when it is played. What is wrong with a line is a `Problem` that names
file, line and field; the other lines go on. Nothing outside the folder is ever opened.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import importlib.util
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from cascadence.audio import Audio
from cascadence.clip import BadClip, file_inside, file_sha256, load_clip
from cascadence.conversation import Conversation, UserTurn
from cascadence.corpus_info import INFO as INFO
from cascadence.corpus_info import CorpusInfo as CorpusInfo
from cascadence.corpus_info import Voice as Voice
from cascadence.corpus_info import read_info
from cascadence.errors import CascadenceError
from cascadence.manifest import (
    MANIFEST,
    BadLine,
    Entry,
    Index,
    Problem,
    Split,
    bad_line,
    parse_line,
    problems_of,
    read_index,
)
from cascadence.sampling import sample

_LATER_FIELDS = ("backchannels_s",)
"""Of a turn, added after runs were made: where they say nothing, a line keeps its hash."""


class BadCorpus(CascadenceError):
    """There is no such corpus, or no such conversation in it."""


class Corpus:
    """A corpus folder: its index, and conversations and clips on demand.

    Attributes:
        path: the folder, absolute, links resolved.
        name: what it is called in tables.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        """Take a folder; nothing is read yet.

        Args:
            path: the folder.
            name: by default the folder's name.
        """
        self.path = path.resolve()
        self.name = name or self.path.name
        self._left_out: dict[Problem, None] = {}
        self._line_hashes: dict[str, str] = {}

    @functools.cached_property
    def info(self) -> CorpusInfo:
        """What ``corpus.toml`` says.

        Raises:
            BadCorpus: it is missing.
            BadLine: it is not TOML, or a field is wrong.
        """
        return read_info(self._own_file(INFO))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with lines that the index and iteration have left out so far.

        Raises:
            BadCorpus: there is no manifest.
        """
        return tuple(dict.fromkeys((*self._scanned.problems, *self._left_out)))

    def index(self) -> tuple[Entry, ...]:
        """List the conversations in the manifest's order; the file is scanned the first time.

        Raises:
            BadCorpus: there is no manifest.
        """
        return tuple(self._scanned.entries.values())

    def entry(self, conversation_id: str) -> Entry:
        """Find a conversation in the index.

        Raises:
            BadCorpus: there is none with this id; suggests the nearest.
        """
        entries = self._scanned.entries
        if conversation_id not in entries:
            raise self._unknown("conversation", conversation_id, entries)
        return entries[conversation_id]

    def conversation(self, conversation_id: str) -> Conversation:
        """Read and validate one conversation.

        Raises:
            BadLine: the line is not valid; names line and field.
            BadCorpus: there is none with this id.
        """
        entry = self.entry(conversation_id)
        data = parse_line(self._raw(entry), entry.line)
        try:
            conversation = Conversation.model_validate(data)
        except ValidationError as error:
            raise BadLine.of(problems_of(error, data, MANIFEST, entry.line)) from error
        if conversation.id != conversation_id:
            raise bad_line(entry.line, "id", "the manifest has changed since it was indexed")
        return conversation

    def __iter__(self) -> Iterator[Conversation]:
        """Yield the valid conversations in order; what is wrong with others ends in `problems`."""
        for entry in self.index():
            try:
                yield self.conversation(entry.id)
            except BadLine as error:
                self._left_out.update(dict.fromkeys(error.problems))

    def select(
        self,
        *,
        split: Split | None = None,
        tags: Collection[str] = (),
        ids: Collection[str] = (),
        groups: Collection[str] = (),
        limit: int | None = None,
        seed: int = 0,
    ) -> list[str]:
        """Choose conversations by what the index knows; the same arguments choose the same ones.

        Args:
            split: only this one.
            tags: only conversations with at least one of these.
            ids: only these.
            groups: only these contrast sets.
            limit: at most this many, a fair part by tags with contrast sets kept whole (see
                `cascadence.sampling`).
            seed: another one makes `limit` choose others.

        Returns:
            Ids, in the manifest's order.

        Raises:
            BadCorpus: an id, a tag or a contrast set that no conversation has.
            CascadenceError: a limit below one, or below every contrast set's size.
        """
        entries = self._scanned.entries
        if tags:
            self._demand("tag", tags, {tag for entry in entries.values() for tag in entry.tags})
        if groups:
            known = {entry.group for entry in entries.values() if entry.group is not None}
            self._demand("contrast set", groups, known)
        self._demand("conversation", ids, entries.keys())
        wanted_ids, wanted_tags, wanted_groups = set(ids), set(tags), set(groups)
        chosen = [
            entry
            for entry in entries.values()
            if (split is None or entry.split == split)
            and (not wanted_ids or entry.id in wanted_ids)
            and (not wanted_tags or not wanted_tags.isdisjoint(entry.tags))
            and (not wanted_groups or entry.group in wanted_groups)
        ]
        if limit is not None:
            chosen = sample(chosen, limit, seed)
        return [entry.id for entry in chosen]

    def file(self, relative: str) -> Path:
        """Find a regular file of the folder.

        Raises:
            BadClip: it is missing, no regular file, or leads out of the folder.
        """
        return file_inside(self.path, relative)

    def clip(self, turn: UserTurn) -> Audio:
        """Load what the user says in a turn, at the file's own rate.

        Raises:
            BadClip: file, hash, rate, length or boundaries are not what the turn says.
        """
        return load_clip(self.path, turn)

    def clips(self, conversation: Conversation) -> tuple[Audio, ...]:
        """Load the clips of all turns.

        Raises:
            BadLine: a clip cannot be used; names line and field, which `clip` cannot know.
        """
        clips = []
        for position, turn in enumerate(conversation.turns):
            try:
                clips.append(self.clip(turn))
            except BadClip as error:
                line = self.entry(conversation.id).line
                raise BadLine.of([clip_problem(error, line, position)]) from error
        return tuple(clips)

    def _line_hash(self, conversation_id: str) -> str:
        if conversation_id not in self._line_hashes:
            self._line_hashes[conversation_id] = self._hash_line(conversation_id)
        return self._line_hashes[conversation_id]

    def _hash_line(self, conversation_id: str) -> str:
        try:
            conversation = self.conversation(conversation_id)
        except BadLine:
            raw = self._raw(self.entry(conversation_id))
            return hashlib.sha256(b"bad line\n" + raw).hexdigest()
        line = conversation.model_dump(mode="json")
        for turn in line["turns"]:
            for name in _LATER_FIELDS:
                if not turn[name]:
                    del turn[name]
            if turn["audio"]["channel"] is None:
                del turn["audio"]["channel"]
        content = {
            "line": line,
            "audio": [self._declared_sha256(turn) for turn in conversation.turns],
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    def _declared_sha256(self, turn: UserTurn) -> str:
        # What the manifest declares is checked before a clip is played, so it need not be read now.
        if turn.audio.sha256 is not None:
            return turn.audio.sha256
        try:
            return file_sha256(self.file(turn.audio.path))
        except BadClip as error:
            return f"bad clip: {error.what}"

    @functools.cached_property
    def _scanned(self) -> Index:
        return read_index(self._manifest)

    @functools.cached_property
    def _manifest(self) -> Path:
        return self._own_file(MANIFEST)

    def _raw(self, entry: Entry) -> bytes:
        with self._manifest.open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.length)

    def _own_file(self, name: str) -> Path:
        try:
            return self.file(name)
        except BadClip as error:
            raise BadCorpus(f"{name}: {error.what}", where=str(self.path)) from error

    def _demand(self, kind: str, names: Collection[str], known: Collection[str]) -> None:
        for name in names:
            if name not in known:
                raise self._unknown(kind, name, known)

    def _unknown(self, kind: str, name: str, known: Iterable[str]) -> BadCorpus:
        near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
        mend = f"did you mean {near[0]!r}?" if near else ""
        return BadCorpus(f"no {kind} is called {name!r}", where=f"corpus {self.name}", mend=mend)


def manifest_line_hash(corpus: Corpus, conversation_id: str) -> str:
    """Hash all that a conversation's result depends on, for a resume's fingerprint.

    SHA-256 of the canonical JSON (sorted keys, no spaces, ASCII) of the validated line, defaults
    included, and of the clips' hashes: as declared, or of the bytes where none is. Layout and order
    of the manifest do not matter. A line that is not valid has the hash of its bytes.

    Raises:
        BadCorpus: there is no conversation with this id.
    """
    return corpus._line_hash(conversation_id)


def clip_problem(error: BadClip, line: int, position: int) -> Problem:
    """Say which turn's clip is wrong: ``position`` is the turn's in the conversation on a line."""
    field = f"turns.{position}.{error.field}"
    return Problem("error", MANIFEST, line, field, f"{error.where}: {error.what}", error.mend)


def bundled_corpora() -> dict[str, Path]:
    """List the corpora that come with the package: name to folder; nothing is imported."""
    found: dict[str, Path] = {}
    spec = importlib.util.find_spec("cascadence.data_manifests")
    for place in (spec and spec.submodule_search_locations) or ():
        for info in Path(place).glob(f"*/{INFO}"):
            found.setdefault(info.parent.name, info.parent)
    return dict(sorted(found.items()))


def open_corpus(name_or_path: str) -> Corpus:
    """Open a bundled corpus by name, or a folder by path.

    A plain word is a bundled name first, so that a folder of the same name cannot stand in for it
    unseen; ``./name`` is always the folder.

    Args:
        name_or_path: a name, a folder, or one of the two files that a folder must hold.

    Raises:
        BadCorpus: there is neither; suggests the nearest name.
    """
    bundled = bundled_corpora()
    if name_or_path in bundled:
        return Corpus(bundled[name_or_path], name_or_path)
    try:
        path = Path(name_or_path).expanduser()
        path = path.parent if path.name in (INFO, MANIFEST) else path
        is_folder = name_or_path != "" and path.is_dir()
        is_corpus = is_folder and any((path / name).exists() for name in (INFO, MANIFEST))
    except (OSError, RuntimeError, ValueError) as error:
        raise BadCorpus(f"not a usable path: {error}", where=repr(name_or_path)) from error
    if is_corpus:
        return Corpus(path)
    if is_folder:
        what = f"the folder holds neither {INFO} nor {MANIFEST}: it is no corpus"
        raise BadCorpus(what, where=str(path), mend="an importer makes one: `cascadence import`")
    near = difflib.get_close_matches(name_or_path, bundled, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    known = ", ".join(bundled) or "none"
    raise BadCorpus(
        f"no corpus is called {name_or_path!r}, and there is no such folder",
        mend=f"{hint}bundled: {known}; or give a folder",
    )


def corpus_place(corpus: Corpus) -> str:
    """Say by what `open_corpus` finds a corpus again, from any working directory.

    Returns:
        The name of a bundled corpus, which holds on other machines too; else the absolute path.
    """
    bundled = bundled_corpora().get(corpus.name)
    is_bundled = bundled is not None and bundled.resolve() == corpus.path
    return corpus.name if is_bundled else str(corpus.path)
