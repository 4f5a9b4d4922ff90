"""A post of X's version 2 as a message of post.schema.json, or the reason why not."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import fastjsonschema

from pythonapp.posts import Json

SCHEMA = "post/1"
RAW_LIMIT = 100_000  # bytes that are kept of what is rejected
_BY_HAND = re.compile(r"\s*RT @\w+:?\s")
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@dataclass(frozen=True)
class Message:
    """What goes to the topic."""

    key: bytes
    value: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Rejected:
    """What is kept aside: why, and the post as it came, cut where it is too long."""

    reason: str
    raw: bytes


class _MalformedError(Exception):
    """Why a post cannot become a message."""


def message(payload: Json | bytes, quadrant: str, source: str) -> Message | Rejected:
    """Make the message of one post.

    The payload is as the stream delivers it: {"data": post, "includes": {"users", "places"}}.
    """
    try:
        body = _body(payload, quadrant, source)
        _validate()(body)
    except _MalformedError as error:
        return _rejected(str(error), payload)
    except fastjsonschema.JsonSchemaValueException as error:
        return _rejected(error.message.replace("data.", "", 1), payload)
    return Message(
        key=body["author"]["id"].encode(),
        value=_ENCODER.encode(body).encode(),
        headers={"schema": SCHEMA, "source": source, "quadrant": quadrant, "id": body["id"]},
    )


def read(line: bytes) -> Json | bytes:
    """Parse one line of JSON; what is no object, or holds what is no JSON, comes back as it is."""
    try:
        value = _DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        return line
    return value if isinstance(value, dict) else line


def _body(payload: Json | bytes, quadrant: str, source: str) -> dict[str, Any]:
    if isinstance(payload, bytes):
        raise _MalformedError("it is no JSON object" if payload.strip() else "it is empty")
    post = _object(payload, "data")
    includes = payload.get("includes") or {}
    if not isinstance(includes, Mapping):
        raise _MalformedError("includes is no object")
    body: dict[str, Any] = {
        "version": 1,
        "id": post.get("id"),
        "text": _whole_text(post),
        "lang": post.get("lang") or "und",
        "created_at": _checked_time(post.get("created_at")),
        "author": _author(post, includes),
        "position": _position(post, includes),
        "retweet": _is_retweet(post),
        "quadrant": quadrant,
        "source": source,
    }
    if earlier := _earlier(post):
        body["edits"] = earlier
    return body


def _whole_text(post: Json) -> str:
    """Return the text, of a long post (note_tweet) all of it, with X's three escapes undone."""
    note = post.get("note_tweet")
    text = note.get("text") if isinstance(note, Mapping) else None
    text = post.get("text") if text is None else text
    if not isinstance(text, str):
        raise _MalformedError("it has no text")
    for escaped, plain in _ESCAPED:
        text = text.replace(escaped, plain)
    return _clean(text)


def _is_retweet(post: Json) -> bool:
    """Tell whether a post is somebody else's words, by X's button or copied by hand as RT @name."""
    by_button = any(each.get("type") == "retweeted" for each in _objects(post, "referenced_tweets"))
    return by_button or _BY_HAND.match(str(post.get("text"))) is not None


def _clean(text: str) -> str:
    """Drop NUL, which no database takes, and replace halves of surrogate pairs, not in UTF-8."""
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _checked_time(value: object) -> str:
    text = str(value)
    try:
        datetime.fromisoformat(text[:19])  # the schema's pattern sees to the rest
    except ValueError as error:
        raise _MalformedError(f"created_at {text[:40]!r} is no time") from error
    return text


def _author(post: Json, includes: Json) -> dict[str, Any]:
    wanted = post.get("author_id")
    for user in _objects(includes, "users"):
        if wanted is not None and user.get("id") == wanted:
            return {
                "id": wanted,
                "username": user.get("username"),
                "name": _text(user.get("name")),
                "location": _text(user.get("location")),
            }
    raise _MalformedError("its author is not among the includes")


def _text(value: object) -> object:
    return _clean(value) if isinstance(value, str) else value or ""


def _position(post: Json, includes: Json) -> dict[str, Any] | None:
    geo = post.get("geo") or {}
    if not isinstance(geo, Mapping):
        raise _MalformedError("geo is no object")
    if point := geo.get("coordinates"):
        lon, lat = _numbers(point.get("coordinates") if isinstance(point, Mapping) else None, 2)
        return {"kind": "point", "lon": lon, "lat": lat}
    for place in _objects(includes, "places"):
        if place.get("id") == geo.get("place_id") and isinstance(place.get("geo"), Mapping):
            box = _numbers(place["geo"].get("bbox"), 4)
            if box[0] > box[2] or box[1] > box[3]:
                raise _MalformedError("its place's box is out of order")
            return {
                "kind": "place",
                "id": place["id"],
                "full_name": _text(place.get("full_name")),
                "place_type": _text(place.get("place_type")),
                "bbox": box,
            }
    return None


def _numbers(value: object, count: int) -> list[float]:
    if not isinstance(value, list) or len(value) != count:
        raise _MalformedError("its position is not of so many numbers as it should be")
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in value):
        raise _MalformedError("its position is not made of numbers")
    return value


def _earlier(post: Json) -> list[Any]:
    """Return the ids before this one's in its history, the oldest first."""
    history = post.get("edit_history_tweet_ids")
    if not isinstance(history, list) or post.get("id") not in history:
        return []
    return history[: history.index(post.get("id"))]


def _object(parent: Json, key: str) -> Json:
    value = parent.get(key)
    if not isinstance(value, Mapping):
        raise _MalformedError(f"it has no {key}")
    return value


def _objects(parent: Json, key: str) -> list[Json]:
    value = parent.get(key) or []
    if not isinstance(value, list):
        raise _MalformedError(f"{key} is no list")
    return [each for each in value if isinstance(each, Mapping)]


def _rejected(reason: str, payload: Json | bytes) -> Rejected:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Rejected(reason[:500], raw[:RAW_LIMIT])


@functools.cache
def _validate() -> Callable[[Any], Any]:
    schema = json.loads(resources.files(__package__).joinpath("post.schema.json").read_bytes())
    check: Callable[[Any], Any] = fastjsonschema.compile(schema)
    return check
