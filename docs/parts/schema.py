"""The fields of a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.parts.markdown import code
from docs.parts.markdown import table as written

Json = Mapping[str, Any]


def table(path: Path) -> str:
    """Tell each field of the schema in a file."""
    return fields(json.loads(path.read_text("utf-8")))


def fields(schema: Json) -> str:
    """Tell each field by its path, with its type, whether it may be missing, and what it means."""
    return written(
        ("field", "type", "meaning"),
        (
            (code(path), _type(each) + ("" if needed else ", optional"), _says(each))
            for path, each, needed in _walk(schema, "")
        ),
    )


def _walk(schema: Json, start: str) -> Iterator[tuple[str, Json, bool]]:
    for name, each in schema.get("properties", {}).items():
        path = f"{start}{name}"
        yield path, each, name in schema.get("required", ())
        for kind in (each, *each.get("oneOf", ()), *each.get("anyOf", ())):
            yield from _walk(kind, f"{path}.")
            yield from _walk(kind.get("items", {}) if _is_object(kind) else {}, f"{path}[].")


def _is_object(kind: Json) -> bool:
    return isinstance(kind.get("items"), Mapping)


def _type(schema: Json) -> str:
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return code(*(str(each) for each in schema["enum"]))
    kinds = schema.get("oneOf") or schema.get("anyOf")
    if kinds:
        return " or ".join(dict.fromkeys(_type(each) for each in kinds))
    told = schema.get("type", "")
    return " or ".join(told) if isinstance(told, list) else str(told)


def _says(schema: Json) -> str:
    said = str(schema.get("description", ""))
    if "minimum" in schema and "maximum" in schema:
        said += f" from {schema['minimum']} to {schema['maximum']}"
    return said.strip().replace("<", r"\<")
