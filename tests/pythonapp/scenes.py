"""Posts, settings and a clock for the tests of the producer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from pythonapp.message import Message
from pythonapp.posts import Bookmark, Found, Quiet
from pythonapp.settings import Settings, Source, parse

EPOCH_MS = 1288834974657  # of X's ids
BOXES = {
    "ctne": (-72.644537, 41.683924, -71.78, 42.06),
    "ctnw": (-73.73, 41.683924, -72.644537, 42.06),
    "ctse": (-72.644537, 40.98, -71.78, 41.683924),
    "ctsw": (-73.73, 40.98, -72.644537, 41.683924),
}
INSIDE = {
    "ctne": [-72.0, 41.8],
    "ctnw": [-73.2, 41.8],
    "ctse": [-72.1, 41.3],
    "ctsw": [-73.2, 41.2],
}


def settings(quadrant: str = "ctne", source: Source | None = None, **more: Any) -> Settings:
    west, south, east, north = BOXES[quadrant]
    text = (
        f"bottomLongitude: {west}\nbottomLatitude: {south}\ntopLongitude: {east}\n"
        f"topLatitude: {north}\ntrack: [portfolio, mutual fund]\n"
    )
    read = parse(text, f"{quadrant}.yaml")
    return replace(read, source=source or read.source, **more)


def post(
    number: int = 1, *, age: float = 3600.0, quadrant: str = "ctne", **data: Any
) -> dict[str, Any]:
    """Return a post as the stream sends it; number tells apart, age is in seconds."""
    moment = datetime.now(timezone.utc).timestamp() - age
    author = str(number % 7 + 100)
    return {
        "data": {
            "id": str((int(moment * 1000) - EPOCH_MS << 22) + number),
            "text": f"my portfolio {number}",
            "lang": "en",
            "created_at": datetime.fromtimestamp(moment, timezone.utc).strftime(
                "%Y-%m-%dT%H:%M:%S.000Z"
            ),
            "author_id": author,
            "geo": {
                "place_id": "place",
                "coordinates": {"type": "Point", "coordinates": INSIDE[quadrant]},
            },
            **data,
        },
        "includes": {
            "users": [{"id": author, "name": "A name", "username": "handle", "location": "here"}],
            "places": [
                {
                    "id": "place",
                    "full_name": "Town, CT",
                    "place_type": "city",
                    "geo": {"type": "Feature", "bbox": [-72.1, 41.7, -71.9, 41.9]},
                }
            ],
        },
    }


def line(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload) + "\n"


class FakeClock:
    """Time that passes by being waited for; it stops by itself after so many waits."""

    def __init__(self, most_waits: int | None = None) -> None:
        self.stopped = False
        self.waits: list[float] = []
        self.ended = threading.Event()
        self._most = most_waits
        self._now = 1_000_000.0
        self._zero = int(time.time()) - self._now

    def now(self) -> float:
        return self._now

    def time(self) -> float:
        return self._zero + self._now

    def pass_by(self, seconds: float) -> None:
        self._now += seconds

    def wait(self, seconds: float) -> bool:
        if self.stopped:
            return True
        if seconds > 0:
            self.waits.append(seconds)
            self._now += seconds
        if self._most is not None and len(self.waits) >= self._most:
            self.stop()
        return self.stopped

    def stop(self) -> None:
        self.stopped = True
        self.ended.set()


class ListSource:
    """A source that yields what it was given."""

    def __init__(self, items: Sequence[Found | Bookmark | Quiet], name: str = "search") -> None:
        self.name = name
        self.due: float | None = None
        self._items = items

    def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
        assert saved is not None
        yield from self._items


class ListBroker:
    """A broker that keeps what it is sent; `hold` keeps deliveries back until `release`."""

    def __init__(self, *, hold: bool = False) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.delivered = 0
        self.flushed = False
        self._hold = hold
        self._reports: list[Callable[[], None]] = []

    @property
    def undelivered(self) -> int:
        return len(self.messages) - self.delivered

    def send(self, topic: str, message: Message, delivered: Callable[[], None]) -> None:
        self.messages.append((topic, message))
        self._reports.append(delivered)
        if not self._hold:
            self.release(len(self._reports) - 1)

    def release(self, number: int) -> None:
        self._reports[number]()
        self.delivered += 1

    def poll(self, seconds: float = 0.0) -> None:
        assert seconds == 0

    def flush(self) -> None:
        self.flushed = True
