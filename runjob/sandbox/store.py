"""Objects, their versions and those who watch them.

Stored objects are never changed in place: a writer hands in a new one. So readers need no copies,
and one encoding of a change serves every watcher.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from .moments import stamp
from .refusals import already_exists, conflict, expired, not_found
from .resources import RESOURCES, Json, Key, Resource, key_of, with_metadata
from .selection import Match, Shelf, shelves_of

HISTORY = 50_000


def encode(value: object) -> bytes:
    """Write JSON as the API does, compact."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Change:
    """One write, as watchers see it."""

    type: str
    item: Json
    previous: Json | None
    version: int

    @cached_property
    def line(self) -> bytes:
        return event_line(self.type, self.item)

    def kind_through(self, match: Match | None) -> str | None:
        """Name the change as a watch with that selector sees it; None when it does not."""
        if match is None:
            return self.type
        before = self.previous is not None and match(self.previous)
        if self.type == "DELETED" or not match(self.item):
            return "DELETED" if before else None
        return "MODIFIED" if before else "ADDED"

    def seen_through(self, match: Match | None) -> bytes | None:
        """Encode the change as a watch with that selector sees it; None when it does not."""
        kind = self.kind_through(match)
        if kind is None:
            return None
        return self.line if kind == self.type else event_line(kind, self.item)


def event_line(kind: str, item: Json) -> bytes:
    """Write one line of a watch."""
    return b'{"type":"' + kind.encode() + b'","object":' + encode(item) + b"}\n"


class Watcher:
    """A queue of changes that one watch request reads."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self._arrived = asyncio.Event()

    def push(self, change: Change) -> None:
        self._changes.append(change)
        self._arrived.set()

    async def take(self, seconds: float) -> list[Change]:
        """Wait for changes and return all that are there; none when the time is over."""
        if not self._changes:
            # What arrives in the very moment is taken too: a bookmark must not pass it over.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), seconds)
        self._arrived.clear()
        taken = list(self._changes)
        self._changes.clear()
        return taken


class Store:
    """All objects of the cluster; every method belongs to the event loop's thread."""

    def __init__(self) -> None:
        self.version = 1
        self._items: dict[str, dict[Key, Json]] = {r.plural: {} for r in RESOURCES}
        self._history: dict[str, deque[Change]] = {r.plural: deque() for r in RESOURCES}
        self._forgotten = {r.plural: 0 for r in RESOURCES}
        # By what they ask for: a write wakes only those whom it can concern.
        self._watchers: dict[tuple[str, Shelf | None], set[Watcher]] = {}
        self._observers: dict[str, list[Callable[[Change], None]]] = {}
        self._owned: dict[str, dict[tuple[str, Key], Resource]] = {}

    def observe(self, resource: Resource, observer: Callable[[Change], None]) -> None:
        """Call ``observer`` at every write of that resource; it may only take a note."""
        self._observers.setdefault(resource.plural, []).append(observer)

    def find(self, resource: Resource, key: Key) -> Json | None:
        return self._items[resource.plural].get(key)

    def get(self, resource: Resource, key: Key) -> Json:
        item = self.find(resource, key)
        if item is None:
            raise not_found(resource, key[1])
        return item

    def select(
        self, resource: Resource, namespace: str = "", match: Match | None = None
    ) -> list[Json]:
        items = self._items[resource.plural]
        chosen = (
            item
            for (home, _), item in items.items()
            if (not namespace or home == namespace) and (match is None or match(item))
        )
        return sorted(chosen, key=key_of)

    def owned_by(self, uid: str) -> Iterator[tuple[Resource, Json]]:
        """Yield the objects that name ``uid`` among their owners."""
        for (plural, key), resource in list(self._owned.get(uid, {}).items()):
            yield resource, self._items[plural][key]

    def create(self, resource: Resource, item: Json) -> Json:
        key = key_of(item)
        if key in self._items[resource.plural]:
            raise already_exists(resource, key[1])
        self._write(resource, "ADDED", item, None)
        return self._items[resource.plural][key]

    @staticmethod
    def prepare(item: Json) -> Json:
        """Give a new object what the server gives it: uid and time of creation."""
        return with_metadata(item, uid=str(uuid.uuid4()), creationTimestamp=stamp())

    def update(self, resource: Resource, item: Json) -> Json:
        """Replace an object, if its resourceVersion (when it has one) is still the stored one.

        An object whose deletion waited only for this write is removed.
        """
        key = key_of(item)
        stored = self.get(resource, key)
        metadata = item["metadata"]
        version = metadata.get("resourceVersion")
        current = stored["metadata"]["resourceVersion"]
        if version not in (None, "", current):
            raise conflict(
                resource,
                key[1],
                "the object has been modified; please apply your changes to the latest version "
                "and try again",
            )
        if item == stored or with_metadata(item, resourceVersion=current) == stored:
            return stored
        if (
            "deletionTimestamp" in metadata
            and not metadata.get("finalizers")
            and not metadata.get("deletionGracePeriodSeconds")
        ):
            # The last state that watchers see still has the finalizers, as on a real server.
            last = with_metadata(item, finalizers=stored["metadata"].get("finalizers"))
            self._write(resource, "DELETED", last, stored)
            return item
        self._write(resource, "MODIFIED", item, stored)
        return self._items[resource.plural][key]

    def remove(self, resource: Resource, key: Key) -> Json:
        stored = self.get(resource, key)
        self._write(resource, "DELETED", stored, stored)
        return stored

    def _write(self, resource: Resource, kind: str, item: Json, previous: Json | None) -> None:
        self.version += 1
        plural, key = resource.plural, key_of(item)
        item = with_metadata(item, resourceVersion=str(self.version))
        if kind == "DELETED":
            del self._items[plural][key]
        else:
            self._items[plural][key] = item
        self._index(resource, key, previous, None if kind == "DELETED" else item)
        change = Change(kind, item, previous, self.version)
        history = self._history[plural]
        history.append(change)
        if len(history) > HISTORY:
            self._forgotten[plural] = history.popleft().version
        shelves = shelves_of(item) | (shelves_of(previous) if previous else set())
        for shelf in (None, *shelves):
            for watcher in self._watchers.get((plural, shelf), ()):
                watcher.push(change)
        for observer in self._observers.get(plural, ()):
            observer(change)

    def _index(self, resource: Resource, key: Key, before: Json | None, after: Json | None) -> None:
        place = (resource.plural, key)
        old, new = _owners(before), _owners(after)
        for uid in old - new:
            owned = self._owned[uid]
            del owned[place]
            if not owned:
                del self._owned[uid]
        for uid in new - old:
            self._owned.setdefault(uid, {})[place] = resource

    def watch(
        self, resource: Resource, since: int | None, shelf: Shelf | None = None
    ) -> tuple[Watcher, list[Change]]:
        """Open a watch; return it with what happened after version ``since``.

        Without a version the state comes first, as additions. Raise a 410 refusal when the
        history does not reach back that far.
        """
        watcher = Watcher()
        if since is None:
            items = sorted(self._items[resource.plural].values(), key=key_of)
            past = [Change("ADDED", item, None, self.version) for item in items]
        else:
            oldest = self._forgotten[resource.plural]
            if since < oldest:
                raise expired(since, oldest)
            past = []
            for change in reversed(self._history[resource.plural]):
                if change.version <= since:
                    break
                past.append(change)
            past.reverse()
        self._watchers.setdefault((resource.plural, shelf), set()).add(watcher)
        return watcher, past

    def unwatch(self, resource: Resource, watcher: Watcher, shelf: Shelf | None = None) -> None:
        watchers = self._watchers[resource.plural, shelf]
        watchers.discard(watcher)
        if not watchers:
            del self._watchers[resource.plural, shelf]

    def forget_history(self) -> None:
        """Compact: whoever resumes a watch from an earlier version is told 410."""
        self.version += 1
        for plural, history in self._history.items():
            history.clear()
            self._forgotten[plural] = self.version


def _owners(item: Json | None) -> set[str]:
    if item is None:
        return set()
    return {owner["uid"] for owner in item["metadata"].get("ownerReferences") or ()}
