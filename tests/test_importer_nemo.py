"""NeMo manifests, other people's and our own; and what importers of tables share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascadence.conversation import Conversation
from cascadence.corpus import Corpus, open_corpus
from cascadence.exporting import export_named
from cascadence.importing import BadDataset, import_named
from planted_export import plant as plant_corpus
from test_importer_emodb import NEAR_S, errors, write

UNTOLD = "\N{HORIZONTAL ELLIPSIS}"


def without_files(corpus: Corpus) -> dict[str, dict[str, Any]]:
    """Everything that a manifest says, but which file a clip is in."""
    told = {}
    for one in corpus:
        data = one.model_dump(mode="json")
        for turn in data["turns"]:
            del turn["audio"]
            turn["speech_s"] = [round(second, 4) for second in turn["speech_s"]]
        told[one.id] = data
    return told


def lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def plant(folder: Path) -> Path:
    write(folder / "clips" / "a.wav")
    write(folder / "clips" / "b.wav", channels=2)
    write(folder / "clips" / "c.wav")
    write(folder.parent / "outside.wav")
    good = {"audio_filepath": "../clips/a.wav", "duration": 1.5004, "text": "<b>set</b> a timer"}
    lines(
        folder / "manifests" / "dev_manifest.json",
        good,
        {**good, "offset": 0.2, "duration": 1.1, "text": "  part ", "speaker": 7, "lang": "de"},
        {**good, "text": "", "id": "../../wordless"},
        {**good, "audio_filepath": str(folder / "clips" / "a.wav"), "emotion": "sad"},
        {**good, "audio_filepath": str(folder.parent / "outside.wav")},
        {**good, "audio_filepath": "../../outside.wav"},
        {**good, "audio_filepath": "clips/c.wav", "split": "train"},
        {**good, "audio_filepath": "../clips/b.wav"},
        {**good, "audio_filepath": ["../clips/a.wav"]},
        {**good, "duration": "long"},
        {**good, "offset": 9.0},
        {**good, "duration": 4.0},
        '{"audio_filepath": "../clips/a.wav", "duration": NaN}',
        "[]",
        "{torn",
    )
    lines(folder / "other.json", {"name": "no manifest"})
    return folder


def test_lines_are_conversations_and_bad_lines_problems(tmp_path: Path) -> None:
    source = plant(tmp_path / "data")
    done = import_named("nemo", source)
    corpus = open_corpus(str(source))
    found = {one.id: one for one in corpus}
    stem = "manifests-dev_manifest"
    assert list(found) == [f"{stem}-1", f"{stem}-2", "wordless", f"{stem}-4", f"{stem}-7"]
    whole, part = found[f"{stem}-1"], found[f"{stem}-2"]
    assert whole.turns[0].text == "<b>set</b> a timer"
    assert whole.turns[0].speech_s == pytest.approx((0.3, 1.1), abs=NEAR_S)
    assert (whole.turns[0].audio.start_s, whole.turns[0].audio.end_s) == (0.0, None)
    assert (part.turns[0].text, part.turns[0].speaker, part.language) == ("part", "7", "de")
    assert part.turns[0].speech_s == pytest.approx((0.1, 0.9), abs=NEAR_S)
    assert len(corpus.clip(part.turns[0])) == round(1.1 * 16_000)
    assert found["wordless"].turns[0].text == UNTOLD
    assert found[f"{stem}-4"].turns[0].style.emotion == "sad"
    assert [one.split for one in found.values()] == ["dev", "dev", "dev", "dev", "train"]
    assert errors(corpus) == []
    assert [problem.line for problem in done.problems] == [5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 0]
    what = " ".join(problem.what for problem in done.problems)
    for piece in (
        "outside of",
        "2 channels",
        "no time",
        "starts at 9",
        "no words in 1",
    ):
        assert piece in what


def test_options_name_columns_and_tell_the_rest(tmp_path: Path) -> None:
    source = tmp_path / "data"
    write(source / "clips" / "a.wav")
    row = {"audio_filepath": "/old/place/clips/a.wav", "duration": 1.5, "said": "hello"}
    lines(source / "all.jsonl", {**row, "who": "Ann"})
    options = """
        title = "Calls"
        licence = "CC-BY-4.0"
        citation = "nobody, 2026"
        source = "https://example.org"
        language = "fr"
        split = "train"
        prefix = "/old/place"
        [columns]
        text = "said"
        speaker = "who"
    """
    (source / "cascadence-import.toml").write_text(options, encoding="utf-8")
    assert import_named("nemo", source).problems == []
    corpus = open_corpus(str(source))
    one = corpus.conversation("all-1")
    assert (one.turns[0].text, one.turns[0].speaker) == ("hello", "Ann")
    assert (one.language, one.split, one.licence) == ("fr", "train", "CC-BY-4.0")
    assert (corpus.info.title, corpus.info.source) == ("Calls", "https://example.org")


@pytest.mark.parametrize(
    "options", ["titel = 'x'", "split = 'all'", "columns = 3", "[columns]\nsound = 'x'", "= torn"]
)
def test_options_that_are_not_known_are_refused(tmp_path: Path, options: str) -> None:
    source = plant(tmp_path / "data")
    (source / "cascadence-import.toml").write_text(options)
    with pytest.raises(BadDataset, match="cascadence-import"):
        import_named("nemo", source)


def test_our_own_export_comes_back(tmp_path: Path) -> None:
    source = plant_corpus(tmp_path / "corpus")
    exported = export_named("nemo", str(source), tmp_path / "exported")
    done = import_named("nemo", exported)
    assert done.problems == []
    corpus, again = open_corpus(str(source)), open_corpus(str(exported))
    assert without_files(again) == without_files(corpus)
    assert errors(again) == errors(corpus) == []
    assert again.info.title == corpus.info.title
    for one in corpus:
        for turn, same in zip(one.turns, again.conversation(one.id).turns, strict=True):
            assert len(again.clip(same)) == pytest.approx(len(corpus.clip(turn)), abs=1)


def test_a_conversation_that_lost_a_turn_is_left_out(tmp_path: Path) -> None:
    exported = export_named("nemo", str(plant_corpus(tmp_path / "corpus")), tmp_path / "exported")
    manifest = exported / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    kept = [row for row in rows if (row["conversation"], row["turn"]) != ("call", 0)]
    kept[0]["style"] = {"emotion": {"not": "text"}}
    lines(manifest, *kept)
    done = import_named("nemo", exported)
    ids = [one.id for one in open_corpus(str(exported))]
    assert ids == ["part", "lossy"]
    assert sorted(problem.field for problem in done.problems) == ["style.emotion", "turn"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9) | st.integers(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside),
    max_leaves=6,
)
FIELDS = ("text", "duration", "offset", "id", "speaker", "lang", "split", "emotion", "speech_s")
OURS = ("conversation", "turn", "style", "when", "pauses", "expect", "tags", "group", "licence")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_a_row_holds_the_others_are_imported(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    source = tmp_path_factory.mktemp("fuzz")
    write(source / "a.wav")
    odd = data.draw(st.dictionaries(st.sampled_from((*FIELDS, *OURS)), JSON, min_size=1))
    path = data.draw(st.just("a.wav") | JSON)
    good = {"audio_filepath": "a.wav", "id": "good", "text": "fine"}
    lines(source / "m.jsonl", good, {"audio_filepath": path, **odd}, {**good, "id": "also"})
    done = import_named("nemo", source)
    corpus = open_corpus(str(source))
    assert {"good", "also"} <= {one.id for one in corpus}
    assert done.count == len(list(corpus)) == len(corpus.index())
    assert corpus.problems == ()
    assert done.count == 3 or done.problems


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="audio_filepath"):
        import_named("nemo", tmp_path)


def test_a_row_is_one_turn_whatever_its_columns_are_called(tmp_path: Path) -> None:
    source = tmp_path / "data"
    write(source / "a.wav")
    # Columns that mean something in our own exports mean nothing in other people's tables.
    odd = {"style": "calm", "when": "yesterday", "expect": 3, "tags": "x", "turn": 4, "group": ""}
    lines(source / "m.json", {"audio_filepath": "a.wav", "text": "hi", **odd, "source": "web"})
    assert import_named("nemo", source).problems == []
    one: Conversation = open_corpus(str(source)).conversation("m-1")
    assert (one.group, one.tags, one.turns[0].style.label) == (None, (), None)
    assert one.source != "web"
