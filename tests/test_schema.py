"""The published schema is that of the models, and the page's example is a corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cascadence.audio import write_audio
from cascadence.cli import app
from cascadence.conversation import Conversation, Line
from cascadence.corpus import Corpus, CorpusInfo
from cascadence.errors import CascadenceError
from cascadence.schema import FILES, TABLES, field_tables, schema_text
from cascadence.validation import validate
from corpus_folder import tone

DOCS = Path(__file__).resolve().parent.parent / "docs"
AGAIN = "run: python -m cascadence.schema docs"


@pytest.mark.parametrize("name", FILES)
def test_the_committed_copy_is_what_the_models_say(name: str) -> None:
    committed = (DOCS / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(name), AGAIN


def test_the_page_has_the_tables_of_the_models() -> None:
    found = TABLES.search((DOCS / "corpora.md").read_text(encoding="utf-8"))
    assert found is not None
    assert found.group() == field_tables(), AGAIN


def parts(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = json.loads(schema_text(name))
    yield name, schema
    yield from schema["$defs"].items()


@pytest.mark.parametrize("name", FILES)
def test_every_field_and_every_part_is_described_and_nothing_else_is_let_in(name: str) -> None:
    for part, schema in parts(name):
        assert schema["description"].strip(), part
        assert schema["additionalProperties"] is False, part
        for field, told in schema["properties"].items():
            assert told.get("description", "").strip(), f"{part}.{field}"


def test_every_model_of_the_file_boundary_is_published() -> None:
    published = {part for name in FILES for part, _ in parts(name)} - set(FILES)
    models = {model.__name__ for model in Line.__subclasses__()}
    assert published | {Conversation.__name__, CorpusInfo.__name__} == models


def test_a_planted_field_shows_up_with_type_bounds_default_and_words() -> None:
    text = field_tables()
    channel = (
        "| `channel` | integer (0 to 63) | `null` | Which channel of a file with several, from 0. |"
    )
    assert channel in text
    assert '| `split` | `train`, `dev`, `test` | `"test"` |' in text
    assert "| `turns` | list of `UserTurn` | **needed** |" in text
    assert "| `speech_s` | [number (0 to 36000), number (0 to 36000)] | **needed** |" in text


def test_the_command_prints_the_schema() -> None:
    assert CliRunner().invoke(app, ["schema", "corpus"]).output == schema_text("corpus")
    assert CliRunner().invoke(app, ["schema"]).output == schema_text("conversation")
    with pytest.raises(CascadenceError, match="no schema is called 'sweep'"):
        schema_text("sweep")


def test_the_page_s_example_is_a_corpus_without_errors(tmp_path: Path) -> None:
    page = (DOCS / "corpora.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```(toml|json)\n(.*?)```", page, re.DOTALL))
    line = json.loads(blocks["json"])
    (tmp_path / "corpus.toml").write_text(blocks["toml"], encoding="utf-8")
    (tmp_path / "conversations.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    for turn in line["turns"]:
        write_audio(tmp_path / turn["audio"]["path"], tone(speech_s=tuple(turn["speech_s"])))
    problems = [str(problem) for problem in validate(Corpus(tmp_path), audio=True)]
    assert [problem for problem in problems if "without a sha256" not in problem] == []
    words = line["turns"][0]["text"].split()
    assert words[line["turns"][0]["style"]["emphasis"][0]] == "two"
