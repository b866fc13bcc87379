"""The catalogue of weights: the one that is shipped, and what is refused in another."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from cascadence import weight_recipes, weights
from cascadence.catalogue import BUILT_IN, read_catalogue
from cascadence.weights import WeightsError
from weight_bench import (
    CONFIG,
    LICENCE,
    MODEL,
    Bench,
    artefact_text,
    entry,
    sha,
    wheel_source,
)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_every_entry_has_licence_hash_size_and_source() -> None:
    entries = read_catalogue(BUILT_IN)
    assert {"asr", "judge_asr", "llm", "tts", "vad", "quality"} <= {each.kind for each in entries}
    for each in entries:
        assert each.licence, each.name
        assert each.sources, each.name
        assert len(each.sha256) == 64, each.name
        assert each.size > 0, each.name
        assert each.derivation is not None or each.files, each.name
    assert len({each.sha256 for each in entries}) == len(entries)


def test_the_voice_names_all_three_licences() -> None:
    licence = weights.artefact("piper-joe-medium").licence
    assert licence == "MIT AND CC0-1.0 AND LicenseRef-Blizzard-2013"


def test_recipes_and_extras_of_the_catalogue_exist() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    for each in weights.artefacts():
        if each.derivation is not None:
            assert each.derivation.recipe in weight_recipes.RECIPES
        if each.package is not None:
            wanted = project["project"]["optional-dependencies"][each.package.extra]
            assert any(line.startswith(each.package.package) for line in wanted)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("planted_model/data/model.bin", "../evil", "members"),
        ("planted_model/data/model.bin", "/etc/passwd", "members"),
        ("planted_model/data/model.bin", "a\\\\b", "members"),
        ('path = "model.bin"', 'path = "../model.bin"', "path"),
        (sha(MODEL), "abc", "sha256"),
        (f"size = {len(MODEL)}", "size = 0", "size"),
        (f"licences = [{LICENCE}]", "licences = []", "licences"),
        (f"licences = [{LICENCE}]\n", "", "licences"),
        ('kind = "wheel"', 'kind = "magnet"', "sources"),
        ('version = "1"\n', 'version = "1"\ncolour = "red"\n', "colour"),
        ('name = "planted-model"', 'name = "--index-url=x"', "wheels"),
        ('"model.bin" = [', '"other.bin" = [', "every file"),
        (f"files = [{entry('model.bin', MODEL)}]", "files = []", "needs files"),
    ],
)
def test_a_wrong_entry_names_file_entry_and_field(
    bench: Bench, old: str, new: str, field: str
) -> None:
    text = artefact_text("planted", entry("model.bin", MODEL), wheel_source())
    assert old in text
    bench.write(text.replace(old, new))
    with pytest.raises(WeightsError) as caught:
        weights.artefacts()
    assert str(bench.book) in caught.value.where
    assert "planted" in caught.value.where
    assert field in str(caught.value)


def test_parts_need_hashes_of_their_own(bench: Bench) -> None:
    joined = wheel_source().replace("[{ member", '[{ member = "a" }, { member')
    bench.write(artefact_text("planted", entry("model.bin", MODEL), joined))
    with pytest.raises(WeightsError, match="each part needs a size and a sha256"):
        weights.artefacts()


@pytest.mark.parametrize("text", ["not toml", "\udcff"])
def test_an_unreadable_catalogue_is_named(bench: Bench, text: str) -> None:
    bench.book.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        weights.artefacts()
    assert caught.value.where == str(bench.book)


def test_a_name_cannot_be_taken_twice(bench: Bench) -> None:
    bench.plant("silero-vad")
    with pytest.raises(WeightsError, match="'silero-vad' is in the catalogue already"):
        weights.artefacts()


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(WeightsError) as caught:
        weights.fetch("piper-jo-medium")
    assert caught.value.mend == "did you mean 'piper-joe-medium'?"


def test_the_fingerprint_follows_the_bytes(bench: Bench) -> None:
    bench.write(
        artefact_text("one", entry("model.bin", MODEL), wheel_source()),
        artefact_text("two", entry("model.bin", MODEL), wheel_source()),
        artefact_text("three", entry("model.bin", CONFIG), wheel_source()),
    )
    line = f"model.bin {len(MODEL)} {sha(MODEL)}"
    assert weights.fingerprint("one") == weights.fingerprint("two") == sha(line.encode())
    assert weights.fingerprint("three") != weights.fingerprint("one")
