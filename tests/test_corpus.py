from __future__ import annotations

import json
import re
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from cascadence.audio import write_audio
from cascadence.clip import BadClip
from cascadence.corpus import (
    BadCorpus,
    Corpus,
    bundled_corpora,
    corpus_place,
    manifest_line_hash,
    open_corpus,
)
from cascadence.errors import CascadenceError
from cascadence.manifest import BadLine, Entry
from corpus_folder import INFO, conversation, encode, tone, write_corpus


@pytest.fixture
def small(tmp_path: Path) -> Corpus:
    """Six conversations: two singles, a contrast set of three, and one whose turn is wrong."""
    folder = tmp_path / "small"
    lines = [
        conversation(folder, "one", tags=["timer", "single"]),
        conversation(folder, "two", turns=2, tags=["weather"], split="dev"),
        *(conversation(folder, f"set-{i}", tags=["contrast"], group="set") for i in range(3)),
        conversation(folder, "wrong", tags=["timer"]),
    ]
    lines[-1]["turns"][0]["audio"]["path"] = "../secret.flac"
    return Corpus(write_corpus(folder, lines))


def test_a_corpus_is_opened_by_folder_or_by_one_of_its_files(small: Corpus) -> None:
    for place in (small.path, small.path / "corpus.toml", small.path / "conversations.jsonl"):
        corpus = open_corpus(str(place))
        assert (corpus.path, corpus.name) == (small.path, "small")


def test_a_bundled_corpus_is_found_by_name_and_not_shadowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = write_corpus(tmp_path / "package" / "planted", [])
    write_corpus(tmp_path / "here" / "planted", [])
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("cascadence.corpus.bundled_corpora", lambda: {"planted": bundled})
    assert open_corpus("planted").path == bundled.resolve()
    assert open_corpus("./planted").path == (tmp_path / "here" / "planted").resolve()
    assert corpus_place(open_corpus("planted")) == "planted"
    assert corpus_place(open_corpus("./planted")) == str((tmp_path / "here" / "planted").resolve())
    with pytest.raises(BadCorpus) as caught:
        open_corpus("plantd")
    assert "did you mean 'planted'?" in caught.value.mend


def test_bundled_corpora_are_folders_with_their_information() -> None:
    for name, folder in bundled_corpora().items():
        assert folder.name == name
        assert open_corpus(name).info.licence


@pytest.mark.parametrize("name", ["", "nowhere/at/all", "a\0b", "x" * 5000, "~nobody-at-all/x"])
def test_what_is_no_corpus_is_refused(name: str) -> None:
    with pytest.raises(BadCorpus):
        open_corpus(name)


def test_a_folder_without_manifest_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match="neither"):
        open_corpus(str(tmp_path))
    (tmp_path / "corpus.toml").write_text(INFO)
    with pytest.raises(BadCorpus, match=r"conversations\.jsonl: there is no such file"):
        open_corpus(str(tmp_path)).index()


def test_what_a_corpus_is(small: Corpus) -> None:
    assert small.info.title == "Planted"
    assert small.info.voices["tone"].licence == "CC0-1.0"


WRONG_INFO = {
    "torn": ('title = "x', "corpus.toml", "not TOML"),
    "deep": ("a = " + "[" * 50_000, "corpus.toml", "not TOML"),
    "absent": (INFO.replace('licence = "CC0-1.0"\ns', "s"), "corpus.toml: licence", "required"),
    "misspelt": (INFO.replace("title", "titel"), "corpus.toml: title", "required"),
    "blank": (INFO.replace("made by a test", "  "), "corpus.toml: source", "at least 1"),
    "voice": (
        INFO.replace('e]\nlicence = "CC0-1.0"', "e]"),
        "corpus.toml: voices.tone.licence",
        "",
    ),
    "extra": (INFO + "colour = 1", "corpus.toml: voices.tone.colour", "Extra inputs"),
}


@pytest.mark.parametrize("defect", WRONG_INFO)
def test_wrong_information_is_named(tmp_path: Path, defect: str) -> None:
    info, where, what = WRONG_INFO[defect]
    with pytest.raises(BadLine) as caught:
        _ = Corpus(write_corpus(tmp_path, [], info)).info
    told = {problem.where: problem.what for problem in caught.value.problems}
    assert what in told[where]


def test_conversations_come_validated_and_in_order(small: Corpus) -> None:
    assert [entry.id for entry in small.index()] == [
        "one", "two", "set-0", "set-1", "set-2", "wrong"
    ]  # fmt: skip
    assert len(small.conversation("two").turns) == 2
    with pytest.raises(BadLine) as caught:
        small.conversation("wrong")
    assert caught.value.where == "conversations.jsonl:6: turns.0.audio.path"


def test_iteration_leaves_out_what_is_wrong_and_says_so_once(small: Corpus) -> None:
    for _ in range(2):
        assert [c.id for c in small] == ["one", "two", "set-0", "set-1", "set-2"]
    assert [p.where for p in small.problems] == ["conversations.jsonl:6: turns.0.audio.path"]


def test_an_unknown_conversation_gets_the_nearest_name(small: Corpus) -> None:
    with pytest.raises(BadCorpus) as caught:
        small.conversation("set_1")
    assert "did you mean 'set-" in caught.value.mend


def test_a_manifest_that_changes_underneath_is_noticed(small: Corpus) -> None:
    small.index()
    write_corpus(small.path, [conversation(small.path, "new", tags=["timer", "single"])])
    with pytest.raises(BadLine, match="has changed"):
        small.conversation("one")


def test_clips_come_with_their_turns(small: Corpus) -> None:
    clips = small.clips(small.conversation("two"))
    assert [clip.sample_rate for clip in clips] == [16_000, 16_000]
    assert clips[0].sha256() != clips[1].sha256()


def test_a_bad_clip_is_named_by_line_and_field(small: Corpus) -> None:
    write_audio(small.path / "audio" / "two.1.flac", tone(level=0.1))
    spoken = small.conversation("two")
    with pytest.raises(BadLine) as caught:
        small.clips(spoken)
    assert caught.value.where == "conversations.jsonl:2: turns.1.audio.sha256"
    assert "audio/two.1.flac" in caught.value.what
    with pytest.raises(BadClip):
        small.clip(spoken.turns[1])
    small.clip(spoken.turns[0])


def test_the_two_files_may_not_be_links_out_of_the_folder(tmp_path: Path) -> None:
    other = write_corpus(tmp_path / "other", [conversation(tmp_path / "other", "a")])
    folder = tmp_path / "linked"
    folder.mkdir()
    for name in ("corpus.toml", "conversations.jsonl"):
        (folder / name).symlink_to(other / name)
    corpus = open_corpus(str(folder))
    with pytest.raises(BadCorpus, match="leads out"):
        corpus.index()
    with pytest.raises(BadCorpus, match="leads out"):
        _ = corpus.info


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["one", "two", "set-0", "set-1", "set-2", "wrong"]),
        ({"split": "dev"}, ["two"]),
        ({"split": "train"}, []),
        ({"tags": ["timer"]}, ["one", "wrong"]),
        ({"tags": ["single", "weather"]}, ["one", "two"]),
        ({"tags": ["timer"], "split": "dev"}, []),
        ({"ids": ["set-1", "one"]}, ["one", "set-1"]),
        ({"groups": ["set"]}, ["set-0", "set-1", "set-2"]),
        ({"limit": 100}, ["one", "two", "set-0", "set-1", "set-2", "wrong"]),
    ],
)
def test_selection(small: Corpus, asked: dict[str, Any], found: list[str]) -> None:
    assert small.select(**asked) == found


def test_a_limit_keeps_contrast_sets_whole(small: Corpus) -> None:
    for seed in range(20):
        chosen = small.select(limit=3, seed=seed)
        assert len(chosen) == 3
        assert sum(name.startswith("set-") for name in chosen) in (0, 3)
        assert chosen == small.select(limit=3, seed=seed)


@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        ({"ids": ["oen"]}, "did you mean 'one'?"),
        ({"tags": ["wether"]}, "did you mean 'weather'?"),
        ({"groups": ["sett"]}, "did you mean 'set'?"),
        ({"groups": ["set"], "limit": 2}, "at least 3"),
        ({"limit": 0}, ""),
    ],
)
def test_a_selection_that_cannot_be(small: Corpus, asked: dict[str, Any], mend: str) -> None:
    with pytest.raises(CascadenceError) as caught:
        small.select(**asked)
    assert mend in caught.value.mend


def test_a_hash_hangs_on_content_and_not_on_layout(tmp_path: Path) -> None:
    line = conversation(tmp_path, "a")
    line["turns"][0]["expect"]["slots"]["also"] = ["x"]
    turned = {**line, "turns": [{**line["turns"][0]}]}
    slots = dict(reversed(line["turns"][0]["expect"]["slots"].items()))
    turned["turns"][0]["expect"] = {"slots": slots}
    spaced = json.dumps(dict(reversed(turned.items())), separators=(" , ", " : "))
    first = manifest_line_hash(Corpus(write_corpus(tmp_path, [line])), "a")
    moved = write_corpus(tmp_path, [conversation(tmp_path, "b"), (spaced + "\n").encode()])
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert manifest_line_hash(Corpus(moved), "a") == first
    line["turns"][0]["speech_s"] = [0.2, 0.99]
    assert manifest_line_hash(Corpus(write_corpus(tmp_path, [line])), "a") != first


def test_a_hash_changes_with_the_clip(tmp_path: Path) -> None:
    line = conversation(tmp_path, "a")
    del line["turns"][0]["audio"]["sha256"]
    write_corpus(tmp_path, [line])
    first = manifest_line_hash(Corpus(tmp_path), "a")
    write_audio(tmp_path / "audio" / "a.0.flac", tone(level=0.11))
    second = manifest_line_hash(Corpus(tmp_path), "a")
    (tmp_path / "audio" / "a.0.flac").unlink()
    third = manifest_line_hash(Corpus(tmp_path), "a")
    assert len({first, second, third}) == 3


def test_a_bad_line_has_a_hash_that_changes_when_it_is_mended(small: Corpus) -> None:
    broken = manifest_line_hash(small, "wrong")
    lines = [conversation(small.path, "wrong", tags=["timer"])]
    assert manifest_line_hash(Corpus(write_corpus(small.path, lines)), "wrong") != broken


@pytest.mark.slow
def test_a_hundred_thousand_conversations_are_indexed_and_ten_are_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = conversation(tmp_path, "a", turns=2, tags=["timer", "x"], group="g")
    template = encode(model).replace(b'"a"', b'"%s"').replace(b'"g"', b'"%s"')
    with (write_corpus(tmp_path, []) / "conversations.jsonl").open("wb") as file:
        for i in range(100_000):
            file.write(template % (b"c%d" % i, b"g%d" % (i // 4)))
    corpus = Corpus(tmp_path)
    started_s = time.process_time()  # on a busy machine the wall clock measures the others
    assert len(corpus.index()) == 100_000
    assert time.process_time() - started_s < 10.0
    read: list[Entry] = []
    raw_line = Corpus._raw

    def noted(self: Corpus, entry: Entry) -> bytes:
        read.append(entry)
        return raw_line(self, entry)

    monkeypatch.setattr(Corpus, "_raw", noted)
    chosen = corpus.select(limit=10)
    assert len(chosen) == 8
    assert [corpus.conversation(name).id for name in chosen] == chosen
    assert [entry.id for entry in read] == chosen


@pytest.mark.slow
def test_an_index_keeps_little_in_memory(tmp_path: Path) -> None:
    # Tracing is slow, so a twentieth of a hundred thousand is traced: in a twentieth of 100 MB.
    template = encode(conversation(tmp_path, "a", turns=2, group="g"))
    with (write_corpus(tmp_path, []) / "conversations.jsonl").open("wb") as file:
        for i in range(5_000):
            file.write(template.replace(b'"a"', b'"c%d"' % i).replace(b'"g"', b'"g%d"' % i))
    tracemalloc.start()
    try:
        Corpus(tmp_path).index()
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 100_000_000 / 20
