"""The fields that objects have, and the strictness with which bodies are read.

The table in schema.json gives for each type its fields; a field's type is the name of a type or
of a scalar, with ``[`` in front for a list and ``{`` for a map with such values.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from .moments import seconds_of
from .quantity import quantity
from .refusals import Cause, Refusal
from .resources import Json, Resource

Types = Mapping[str, Mapping[str, str]]

STRICTNESS = ("", "Ignore", "Strict", "Warn")
LIMITS = {"int32": 2**31, "int64": 2**63}
SCALARS = ("string", "bool", "int32", "int64", "float64", "any", "time", "quantity")


@lru_cache(maxsize=1)
def types() -> Types:
    """Load the table, when a body is first read."""
    text = files(__package__).joinpath("schema.json").read_text("utf-8")
    table: Types = json.loads(text)
    return table


def parse_json(body: bytes) -> Any:
    """Read JSON; raise a refusal when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        message = "the object provided is unrecognized: couldn't get version/kind; json parse error"
        raise Refusal(400, f"{message}: {error}") from error


def decoded(resource: Resource, item: Json, strictness: str) -> tuple[Json, tuple[str, ...]]:
    """Read a body as an object of that kind; return it without unknown fields, and warnings.

    Raise a refusal for wrong types, and for unknown fields where the client asks for strictness.
    """
    if strictness not in STRICTNESS:
        raise refused_option("Create", "fieldValidation", strictness, STRICTNESS)
    _check_kind(resource, item)
    reader = _Reader(resource.kind)
    known: Json = reader.read(resource.kind, item, "", "", resource.kind)
    if reader.unknown and strictness == "Strict":
        raise reader.refuse(f"strict decoding error: {', '.join(reader.unknown)}")
    return known, () if strictness == "Ignore" else tuple(reader.unknown)


def refused_option(kind: str, field: str, value: str, choices: tuple[str, ...]) -> Refusal:
    """Refuse the value of a request's option."""
    supported = ", ".join(f'"{choice}"' for choice in choices)
    cause = Cause(
        field, "FieldValueNotSupported",
        f'Unsupported value: "{value}": supported values: {supported}',
    )  # fmt: skip
    options = f"{kind}Options"
    causes = [{"reason": cause.reason, "message": cause.message, "field": field}]
    details = {"group": "meta.k8s.io", "kind": options, "causes": causes}
    message = f'{options}.meta.k8s.io "" is invalid: {field}: {cause.message}'
    return Refusal(422, message, details=details)


def _check_kind(resource: Resource, item: Json) -> None:
    kind, version = item.get("kind") or "", item.get("apiVersion") or ""
    if kind in ("", resource.kind) and version in ("", resource.api_version):
        return
    shown, where = kind or resource.kind, version or resource.api_version
    raise Refusal(
        400,
        f'{shown} in version "{where.rpartition("/")[2]}" cannot be handled as a '
        f'{resource.kind}: no kind "{shown}" is registered for version "{where}" '
        'in scheme "pkg/runtime/scheme.go:111"',
    )


class _Reader:
    """Walks over one body, collecting the fields that nobody knows."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._types = types()
        self.unknown: list[str] = []

    def refuse(self, why: str) -> Refusal:
        kind = self._kind
        return Refusal(400, f'{kind} in version "v1" cannot be handled as a {kind}: {why}')

    def read(self, kind: str, value: Any, path: str, field: str, owner: str) -> Any:
        """Read a value of a type; ``path`` has indexes, ``field`` is how Go names the place."""
        if value is None:
            return None
        if kind.startswith("["):
            if not isinstance(value, list):
                raise self._mismatch(value, kind, field, owner)
            return [
                self.read(kind[1:], each, f"{path}[{at}]", field, owner)
                for at, each in enumerate(value)
            ]
        if kind.startswith("{"):
            if not isinstance(value, dict):
                raise self._mismatch(value, kind, field, owner)
            return {
                key: self.read(kind[1:], each, f"{path}.{key}", field, owner)
                for key, each in value.items()
            }
        if kind in self._types:
            return self._read_fields(kind, value, path, field, owner)
        self._check_scalar(kind, value, field, owner)
        return value

    def _read_fields(self, kind: str, value: Any, path: str, field: str, owner: str) -> Json:
        if not isinstance(value, dict):
            raise self._mismatch(value, kind, field, owner)
        fields, result = self._types[kind], {}
        for name, each in value.items():
            inner = f"{path}.{name}" if path else name
            if name not in fields:
                self.unknown.append(f'unknown field "{inner}"')
                continue
            where = f"{field}.{name}" if field else name
            read = self.read(fields[name], each, inner, where, kind)
            if read is not None:
                result[name] = read
        return result

    def _check_scalar(self, kind: str, value: Any, field: str, owner: str) -> None:
        if kind == "any":
            return
        if kind == "quantity":
            self._check_quantity(value)
        elif kind == "time":
            self._check_time(value, field, owner)
        elif kind == "bool":
            if not isinstance(value, bool):
                raise self._mismatch(value, kind, field, owner)
        elif kind == "string":
            if not isinstance(value, str):
                raise self._mismatch(value, kind, field, owner)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._mismatch(value, kind, field, owner)
        elif kind in LIMITS and (isinstance(value, float) or abs(value) >= LIMITS[kind]):
            raise self._mismatch(value, kind, field, owner, f"number {value}")

    def _check_quantity(self, value: Any) -> None:
        try:
            quantity(value)
        except ValueError as error:
            raise self.refuse(str(error)) from error

    def _check_time(self, value: Any, field: str, owner: str) -> None:
        if not isinstance(value, str):
            raise self._mismatch(value, "time", field, owner)
        try:
            seconds_of(value)
        except ValueError as error:
            layout = "2006-01-02T15:04:05Z07:00"
            raise self.refuse(
                f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"'
            ) from error

    def _mismatch(
        self, value: Any, kind: str, field: str, owner: str, found: str | None = None
    ) -> Refusal:
        return self.refuse(
            f"json: cannot unmarshal {found or _json_type(value)} into Go struct field "
            f"{owner}.{field} of type {_go_type(kind)}"
        )


def _json_type(value: Any) -> str:
    names = {bool: "bool", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def _go_type(kind: str) -> str:
    if kind.startswith("["):
        return f"[]{_go_type(kind[1:])}"
    if kind.startswith("{"):
        return f"map[string]{_go_type(kind[1:])}"
    if kind == "time":
        return "v1.Time"
    return kind if kind in SCALARS else f"v1.{kind}"


def secret_with_data(secret: Json) -> Json:
    """Check a Secret's data and put ``stringData`` into it, encoded."""
    for value in (secret.get("data") or {}).values():
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error as error:
            why = "illegal base64 data at input byte 0"
            raise Refusal(
                400, f'Secret in version "v1" cannot be handled as a Secret: {why}'
            ) from error
    plain = secret.pop("stringData", None) or {}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in plain.items()}
    if encoded:
        secret["data"] = {**(secret.get("data") or {}), **encoded}
    return secret
