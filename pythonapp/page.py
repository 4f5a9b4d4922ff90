"""The posts of one answer of X, each with what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pythonapp.posts import Json


def posts_of(payload: Json | bytes) -> Iterator[Json | bytes]:
    """Yield the single posts of a page, in its order; what is no page comes as it is."""
    if isinstance(payload, bytes) or not isinstance(payload.get("data"), list):
        yield payload
        return
    users, places = _by_id(payload, "users"), _by_id(payload, "places")
    for post in payload["data"]:
        if not isinstance(post, Mapping):
            yield {"data": post}
            continue
        geo = post.get("geo")
        place = places.get(geo.get("place_id")) if isinstance(geo, Mapping) else None
        user = users.get(post.get("author_id"))
        yield {
            "data": post,
            "includes": {
                "users": [user] if user else [],
                "places": [place] if place else [],
            },
        }


def _by_id(payload: Json, kind: str) -> dict[Any, Json]:
    includes = payload.get("includes")
    found = includes.get(kind) if isinstance(includes, Mapping) else None
    if not isinstance(found, list):
        return {}
    return {
        each["id"]: each
        for each in found
        if isinstance(each, Mapping) and isinstance(each.get("id"), str)
    }
