"""Which quadrant a post belongs to, where one reader serves several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pythonapp.posts import Json
from pythonapp.rules import PREFIX
from pythonapp.settings import Settings


def quadrant_of(payload: Json | bytes, quadrants: Sequence[Settings]) -> str | None:
    """Return the quadrant that holds the middle of a post's position.

    One without a position goes to the first quadrant whose rule matched, or to the first at all.
    None is for what only rules of others matched, and for what lies outside: rules reach a little
    beyond the edges.
    """
    if isinstance(payload, bytes):
        return quadrants[0].quadrant
    matching = payload.get("matching_rules")
    if isinstance(matching, list) and matching:
        tags = {each.get("tag") for each in matching if isinstance(each, Mapping)}
        quadrants = [each for each in quadrants if PREFIX + each.quadrant in tags]
    middle = _middle(payload)
    names = (each.quadrant for each in quadrants if middle is None or each.box.holds(*middle))
    return next(names, None)


def _middle(payload: Json) -> tuple[float, float] | None:
    """Return the point of a post, or the middle of its place; None for whatever is not there."""
    try:
        geo = payload["data"]["geo"]
        if "coordinates" in geo:
            lon, lat = geo["coordinates"]["coordinates"]
            return float(lon), float(lat)
        places = {place["id"]: place for place in payload["includes"]["places"]}
        west, south, east, north = map(float, places[geo["place_id"]]["geo"]["bbox"])
        return (west + east) / 2, (south + north) / 2
    except (KeyError, TypeError, ValueError):
        return None
