"""A message's bytes as a post, checked against the schema, or the reason why they are none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import fastjsonschema
import orjson

from application.records import Author, Json, Place, Point, Post

VERSION = 1
# A topic takes 1 MB unless it is told otherwise; the lake takes 16 MB in one VARIANT.
LARGEST = 8_000_000
_YEARS = range(2006, 2200)  # X began in 2006; later years than these are no time of a post
_validate = fastjsonschema.compile(
    json.loads(Path(__file__).with_name("post.schema.json").read_text(encoding="utf-8"))
)


class Poison(Exception):  # noqa: N818 -- the field's term for a message that nobody can digest
    """A message that is no post; its text is the reason."""


@dataclass(frozen=True)
class Reading:
    """A post, and the whole JSON that it was read from, written so that the lake takes it."""

    post: Post
    raw: bytes


def read(value: bytes | None) -> Reading:
    """Return the post of a message's value; raise Poison, and nothing else, where it is none."""
    raw = _json(value)
    version = raw.get("version")
    if type(version) is not int or version != VERSION:
        raise Poison(f"version {version!r:.50}: this consumer knows {VERSION}")
    try:
        _validate(raw)
    except fastjsonschema.JsonSchemaValueException as error:
        raise Poison(error.message.removeprefix("data.")[:300]) from error
    return Reading(
        Post(
            id=raw["id"],
            text=raw["text"],
            lang=raw["lang"],
            created_at=_time(raw["created_at"]),
            author=Author(*(raw["author"][key] for key in ("id", "username", "name", "location"))),
            position=_position(raw["position"]),
            quadrant=raw["quadrant"],
            retweet=raw.get("retweet", False),
        ),
        _rewritten(raw),
    )


def _json(value: bytes | None) -> dict[str, Any]:
    if not value:
        raise Poison("the message is empty")
    _limit(value)
    try:
        # Strict, as the lake is: no NaN, no half of a character, nothing nested without end.
        raw = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Poison(f"not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise Poison("not a JSON object")
    return raw


def _rewritten(raw: Json) -> bytes:
    """Return the JSON that was read: the lake's PARSE_JSON refuses a key that stands twice.

    A key has its last value, which is the one that was decided on.
    """
    try:
        text = orjson.dumps(raw)
    except orjson.JSONEncodeError as error:  # it reads more levels than it writes
        raise Poison(f"nested too deeply: {error}") from error
    # Snowflake cannot read a NUL. Behind an even number of backslashes it is no escape.
    if b"\\u0000" in text and b"\\u0000" in text.replace(b"\\\\", b""):
        raise Poison("a NUL character, which the lake cannot store")
    _limit(text)  # 9e15 is longer in full
    return text


def _limit(text: bytes) -> None:
    if len(text) > LARGEST:
        raise Poison(f"{len(text)} bytes are more than the {LARGEST} of a post")


def _time(text: str) -> datetime:
    """Read a time that the schema's pattern lets through; the calendar may still not know it."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    try:
        time = datetime.fromisoformat(f"{whole}.{fraction.ljust(6, '0')}+00:00")
    except ValueError as error:
        raise Poison(f"created_at {text}: {error}") from error
    if time.year not in _YEARS:
        raise Poison(f"created_at {text}: no year of a post")
    return time


def _position(raw: Json | None) -> Point | Place | None:
    if raw is None:
        return None
    if raw["kind"] == "point":
        return Point(raw["lon"], raw["lat"])
    west, south, east, north = raw["bbox"]
    if west > east or south > north:
        raise Poison("position.bbox is out of order: it goes west, south, east, north")
    return Place(raw["id"], raw["full_name"], raw["place_type"], west, south, east, north)
