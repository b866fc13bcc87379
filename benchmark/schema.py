"""Publishes what a corpus's two files may hold: as JSON Schema, and as tables for the docs.

Both come from the models and the docstrings of their fields. ``python -m cascadence.schema docs``
writes ``docs/schema/`` and the tables in ``docs/corpora.md`` again after a change. What a schema
cannot say (a turn's speech ends after it starts) is checked by `cascadence validate` alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from cascadence.conversation import Conversation
from cascadence.corpus import INFO, CorpusInfo
from cascadence.errors import CascadenceError
from cascadence.manifest import MANIFEST

FILES: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    "conversation": (Conversation, f"A line of {MANIFEST}"),
    "corpus": (CorpusInfo, INFO),
}
"""By name: the model and what it describes."""
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TABLES: Final = re.compile(r"(?<=<!-- fields -->\n).*?(?=<!-- end of fields -->)", re.DOTALL)
"""Where in the page the tables are."""


def schema_text(name: str) -> str:
    """Return a schema as it is published: JSON, indented, with a newline at the end.

    Args:
        name: one of `FILES`.

    Raises:
        CascadenceError: there is no such schema.
    """
    if name not in FILES:
        raise CascadenceError(f"no schema is called {name!r}", mend=f"one of {', '.join(FILES)}")
    schema = {"$schema": DIALECT, **FILES[name][0].model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def field_tables() -> str:
    """Return the fields of all models as Markdown, a table a model."""
    parts = []
    for name, (model, what) in FILES.items():
        schema = json.loads(schema_text(name))
        parts.append(f"### {what}: `{model.__name__}`\n\n{_table(schema)}")
        for inner, part in schema.get("$defs", {}).items():
            told = part["description"].replace("``", "`")
            parts.append(f"#### `{inner}`\n\n{told}\n\n{_table(part)}")
    return "\n".join(parts)


def write_docs(folder: Path) -> None:
    """Write the schemas and the tables of the page again.

    Args:
        folder: of the documentation.
    """
    (folder / "schema").mkdir(exist_ok=True)
    for name in FILES:
        path = folder / "schema" / f"{name}.schema.json"
        path.write_text(schema_text(name), encoding="utf-8")
    page = folder / "corpora.md"
    text = TABLES.sub(lambda _: field_tables(), page.read_text(encoding="utf-8"))
    page.write_text(text, encoding="utf-8")


def _table(schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = ["| field | type | default | |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = "**needed**" if name in needed else f"`{_default(field)}`"
        told = " ".join(field.get("description", "").split()).replace("``", "`")
        rows.append(f"| `{name}` | {_type(field)} | {default} | {told} |")
    return "\n".join(rows) + "\n"


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default", {})
    if isinstance(default, dict):
        # Defaults of a part are told with its own fields.
        default = {name: value for name, value in default.items() if name == "kind"}
    return json.dumps(default)


def _type(field: Mapping[str, Any]) -> str:
    return " or ".join(_types(field))


def _types(field: Mapping[str, Any]) -> Iterator[str]:
    """Say a field's type in words; ``null`` is what its default says already."""
    if "$ref" in field:
        yield f"`{field['$ref'].rpartition('/')[2]}`"
    elif "const" in field:
        yield f"`{field['const']}`"
    elif "enum" in field:
        yield ", ".join(f"`{each}`" for each in field["enum"])
    elif "anyOf" in field or "oneOf" in field:
        for each in field.get("anyOf", field.get("oneOf", ())):
            if each.get("type") != "null":
                yield from _types(each)
    elif field["type"] == "array" and "prefixItems" in field:
        yield f"[{', '.join(map(_type, field['prefixItems']))}]"
    elif field["type"] == "array":
        yield f"list of {_type(field['items'])}"
    elif field["type"] == "object":
        yield f"object of {_type(field['additionalProperties'])}"
    else:
        yield field["type"] + _bounds(field)


def _bounds(field: Mapping[str, Any]) -> str:
    least, most = field.get("minimum"), field.get("maximum")
    if least is None and most is None:
        return ""
    return f" ({least:g} to {most:g})" if most is not None else f" (from {least:g})"


if __name__ == "__main__":
    write_docs(Path(sys.argv[1]))
