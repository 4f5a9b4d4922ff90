"""The fields that objects have, and the strictness with which bodies are read."""

from __future__ import annotations

import json

from .refusals import Refusal
from .resources import Json, Resource


def decoded(resource: Resource, item: Json, strictness: str) -> tuple[Json, tuple[str, ...]]:
    return item, ()


def parse_json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Refusal(400, f"error decoding the request body: {error}") from error
