"""Importing: the driver that every importer shares, with a planted dataset."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given
from hypothesis import strategies as st

from cascadence.clip import BadClip
from cascadence.conversation import AudioRef, Conversation, UserTurn
from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, Dataset, Shelf, import_corpus, to_line, to_table
from cascadence.manifest import BadLine, Problem, parse_line
from cascadence.validation import validate

RATE = 16_000


class Planted:
    """Every WAV file is a conversation; ``bad*`` are left out, ``twin*`` share one id."""

    dataset = Dataset("Planted", "CC0-1.0", "nobody, 2026", "https://example.org", "*.wav files")

    def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
        for path in sorted(shelf.source.glob("**/*.wav")):
            if path.name.startswith("bad"):
                yield Problem("error", path.name, 0, "", "is bad")
                continue
            turn = UserTurn(
                text="hello",
                audio=AudioRef(path=shelf.clip(path)),
                speech_s=(0.2, 0.8),
                speaker="Ann",
            )
            name = "twin" if path.name.startswith("twin") else path.stem
            yield Conversation(id=name, licence="CC0-1.0", source="planted", turns=(turn,))


def write_tone(path: Path, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times_s = np.arange(RATE) / RATE
    tone = 0.1 * np.sin(2.0 * np.pi * 200.0 * times_s) * ((times_s > 0.2) & (times_s < 0.8))
    samples = np.stack([tone / (1 + channel) for channel in range(channels)], axis=1)
    soundfile.write(str(path), samples, RATE)


def plant(folder: Path) -> Path:
    for name in ("a/one.wav", "a/two.wav", "bad.wav", "twin1.wav", "twin2.wav"):
        write_tone(folder / name)
    return folder


def test_in_place_two_files_are_written_and_no_sound_is_copied(tmp_path: Path) -> None:
    source = plant(tmp_path / "data")
    before = {path for path in source.rglob("*") if path.is_file()}
    imported = import_corpus(Planted(), source)
    after = {path for path in source.rglob("*") if path.is_file()}
    assert {path.name for path in after - before} == {"corpus.toml", "conversations.jsonl"}
    assert imported.count == 3
    assert [problem.what for problem in imported.problems] == [
        "is bad",
        "a second conversation is called 'twin'",
    ]
    corpus = open_corpus(str(source))
    assert [one.id for one in corpus] == ["one", "two", "twin"]
    assert corpus.info.voices["Ann"].licence == "CC0-1.0"
    assert len(corpus.clip(corpus.conversation("two").turns[0])) == RATE


def test_in_another_folder_named_clips_are_there_and_the_rest_is_not(tmp_path: Path) -> None:
    source, out = plant(tmp_path / "data"), tmp_path / "corpus"
    import_corpus(Planted(), source, out, limit=2)
    assert not (source / "corpus.toml").exists()
    assert (out / "a/two.wav").read_bytes() == (source / "a/two.wav").read_bytes()
    assert not (out / "bad.wav").exists()
    assert not [p for p in validate(open_corpus(str(out)), audio=True) if p.severity == "error"]


def test_an_earlier_import_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    source = plant(tmp_path / "data")
    import_corpus(Planted(), source, limit=1)
    with pytest.raises(BadDataset, match="already holds a corpus"):
        import_corpus(Planted(), source)
    assert len((source / "conversations.jsonl").read_text().splitlines()) == 1
    import_corpus(Planted(), source, replace=True)
    assert len((source / "conversations.jsonl").read_text().splitlines()) == 3


def test_nothing_found_says_what_was_expected_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"\*\.wav files"):
        import_corpus(Planted(), tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(BadDataset, match="no such folder"):
        import_corpus(Planted(), tmp_path / "nowhere")


def test_an_importer_that_breaks_leaves_no_half_manifest(tmp_path: Path) -> None:
    class Breaks(Planted):
        def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
            yield from super().conversations(shelf)
            raise BadDataset("torn table")

    source = plant(tmp_path / "data")
    with pytest.raises(BadDataset, match="torn table"):
        import_corpus(Breaks(), source)
    assert not list(source.glob("*.jsonl*"))
    assert not list(source.glob(".*"))


def test_a_shelf_lets_nothing_out(tmp_path: Path) -> None:
    source = plant(tmp_path / "data")
    write_tone(tmp_path / "outside.wav")
    shelf = Shelf(source, tmp_path / "corpus")
    for path in ("../outside.wav", tmp_path / "outside.wav", "a/none.wav"):
        with pytest.raises(BadClip):
            shelf.clip(path)
    (source / "link.wav").symlink_to(tmp_path / "outside.wav")
    with pytest.raises(BadClip, match="leads out"):
        shelf.clip("link.wav")
    with pytest.raises(BadDataset, match="leads out"):
        shelf.store("../x.wav", b"")
    assert (tmp_path / "corpus" / shelf.store("audio/x.wav", b"data")).read_bytes() == b"data"
    with pytest.raises(BadDataset, match="--out"):
        Shelf(source, source).store("x.wav", b"")


def test_a_turn_may_be_one_channel_of_a_file(tmp_path: Path) -> None:
    write_tone(tmp_path / "two.wav", channels=2)
    line = {
        "id": "a",
        "licence": "CC0-1.0",
        "source": "planted",
        "turns": [
            {
                "text": "hello",
                "audio": {"path": "two.wav", "channel": channel},
                "speech_s": [0.2, 0.8],
            }
            for channel in (0, 1)
        ],
    }
    (tmp_path / "conversations.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "corpus.toml").write_text('title="t"\nlicence="CC0-1.0"\nsource="s"\n')
    corpus = open_corpus(str(tmp_path))
    left, right = corpus.clips(corpus.conversation("a"))
    assert np.abs(left.samples - 2.0 * right.samples).max() < 1e-4
    assert np.abs(right.samples).max() > 0.01
    third = UserTurn.model_validate(
        {**line["turns"][0], "audio": {"path": "two.wav", "channel": 2}}
    )  # type: ignore[index]
    with pytest.raises(BadClip, match="no channel 2 in a file with 2"):
        corpus.clip(third)


def with_text_in(field: str, text: str) -> Conversation:
    """A conversation that holds a text in one field, as an importer would make it."""
    expect: dict[str, object] = {"slots": {"number": ["1"]}}
    if field == "turns.0.expect.slots.number.0":
        expect = {"slots": {"number": [text]}}
    if field.startswith("turns.0.expect.slots.key"):
        expect = {"slots": {f"key{text}": ["1"]}}
    turn = {"text": "hello", "audio": {"path": "a.wav"}, "speech_s": [0.2, 0.8], "expect": expect}
    told: dict[str, object] = {"id": "one", "licence": "CC0-1.0", "source": "planted"}
    if field == "turns.0.text":
        turn["text"] = text
    elif "." not in field:
        told[field] = text
    return Conversation.model_validate({**told, "turns": [turn]})


FIELDS = ("source", "instructions", "turns.0.text", "turns.0.expect.slots.number.0")


@given(st.sampled_from((*FIELDS, "turns.0.expect.slots.key")), st.text(), st.text(), st.data())
def test_half_surrogates_are_refused_by_field(
    field: str, before: str, after: str, data: st.DataObject
) -> None:
    half = data.draw(st.characters(categories=["Cs"]))
    with pytest.raises(BadLine) as refused:
        to_line(with_text_in(field, before + half + after))
    (problem,) = refused.value.problems
    assert problem.field.startswith(field)
    assert "half a surrogate pair" in problem.what
    assert str(refused.value).encode()


@given(st.sampled_from(FIELDS), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_other_text_is_written_and_read_back(field: str, text: str) -> None:
    told = with_text_in(field, f"say {text}")
    line = to_line(told)
    assert Conversation.model_validate(parse_line(line.encode(), 1)) == told


def test_a_conversation_with_half_a_surrogate_is_left_out_and_told(tmp_path: Path) -> None:
    class Halved(Planted):
        def conversations(self, shelf: Shelf) -> Iterator[Conversation | Problem]:
            for one in super().conversations(shelf):
                broken = isinstance(one, Conversation) and one.id == "two"
                yield one.model_copy(update={"instructions": "\ud83d"}) if broken else one

    imported = import_corpus(Halved(), plant(tmp_path / "data"))
    assert [one.id for one in open_corpus(str(imported.folder))] == ["one", "twin"]
    assert "instructions" in [problem.field for problem in imported.problems]


@given(st.text(st.characters(codec=None)))
def test_a_table_of_any_texts_is_toml(text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assume(whole == text)
    told = tomllib.loads(to_table("voices", {text: text, "plain": "\N{GRINNING FACE}"}))
    assert told == {"voices": {text: text, "plain": "\N{GRINNING FACE}"}}


def test_half_a_character_in_a_title_is_replaced() -> None:
    assert tomllib.loads(to_table("", {"title": "a\ud83d"})) == {
        "title": "a\N{REPLACEMENT CHARACTER}"
    }
