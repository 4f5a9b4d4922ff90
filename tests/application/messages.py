"""Messages as the producer writes them, and what is made of them."""

from __future__ import annotations

import json
from typing import Any

from application.message import read
from application.records import Action, Decision, Match, Origin, Sentiment

PLACE = {
    "kind": "place",
    "id": "01",
    "full_name": "Hartford, CT",
    "place_type": "city",
    "bbox": [-72.72, 41.72, -72.64, 41.81],
}


def fields(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the fields of a valid message, some of them changed."""
    return {
        "version": 1,
        "id": str(number),
        "text": "My broker is great.",
        "lang": "en",
        "created_at": "2026-03-01T12:30:00.000Z",
        "author": {"id": "7", "username": "ann", "name": "Ann Smith", "location": "Hartford"},
        "position": {"kind": "point", "lon": -72.68, "lat": 41.76},
        "quadrant": "ctne",
        "source": "replay",
    } | changes


def message(number: int = 1, **changes: Any) -> bytes:
    return json.dumps(fields(number, **changes)).encode()


def decision(number: int, why: str = "because", **changes: object) -> Decision:
    reading = read(message(number, **changes))
    return Decision(
        reading.post,
        reading.raw,
        Match("prospect", 0.5, "near", 12.5, "a1", kin=("c2",)),
        Sentiment("positive", 0.7),
        frozenset({"praise", "moving"}),
        (Action("offer", "c1", why, "bonds", 30),),
        Origin("tweets", 1, number),
    )
