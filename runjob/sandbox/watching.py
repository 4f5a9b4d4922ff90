"""Watches: a stream of changes to one resource."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from .http import Reply, Request
from .refusals import Refusal
from .resources import Resource
from .selection import Match, Shelf, shelf_of
from .store import Change, Store, Watcher, encode, event_line
from .tables import table_event, wants_table

LONGEST = (1800, 3600)


def watch_reply(
    store: Store, request: Request, resource: Resource, match: Match | None, bookmark: float
) -> Reply:
    """Open a watch; a version too old is told inside the stream, as API servers do."""
    parameters = request.parameters
    since = _version(parameters.get("resourceVersion", ""))
    seconds = float(parameters.get("timeoutSeconds") or 0) or random.uniform(*LONGEST)
    shelf = shelf_of(parameters.get("labelSelector", ""), parameters.get("fieldSelector", ""))
    try:
        watcher, past = store.watch(resource, since, shelf)
    except Refusal as refusal:
        return Reply(200, stream=_single(event_line("ERROR", refusal.status())))
    view = View(resource, match, wants_table(request))
    if parameters.get("allowWatchBookmarks", "").lower() not in ("1", "true"):
        bookmark = 0
    stream = _follow(store, view, watcher, shelf, past, time.monotonic() + seconds, bookmark)
    return Reply(200, stream=stream)


@dataclass(frozen=True)
class View:
    """What a watch lets its reader see of the changes, and in which form."""

    resource: Resource
    match: Match | None
    table: bool

    def lines(self, changes: list[Change]) -> bytes:
        if self.table:
            seen = (change.kind_through(self.match) for change in changes)
            return b"".join(
                encode(table_event(self.resource, kind, change.item)) + b"\n"
                for kind, change in zip(seen, changes, strict=True)
                if kind is not None
            )
        return b"".join(filter(None, (change.seen_through(self.match) for change in changes)))

    def bookmark(self, version: int) -> bytes:
        item = {
            "kind": self.resource.kind,
            "apiVersion": self.resource.api_version,
            "metadata": {"resourceVersion": str(version), "creationTimestamp": None},
        }
        return event_line("BOOKMARK", item)


def _version(text: str) -> int | None:
    if text in ("", "0"):
        return None
    if not text.isdigit():
        raise Refusal(
            500,
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": '
            "invalid syntax",
            reason="",
        )
    return int(text)


async def _single(line: bytes) -> AsyncIterator[bytes]:
    yield line


async def _follow(
    store: Store,
    view: View,
    watcher: Watcher,
    shelf: Shelf | None,
    past: list[Change],
    deadline: float,
    bookmark: float,
) -> AsyncIterator[bytes]:
    try:
        if lines := view.lines(past):
            yield lines
        while (left := deadline - time.monotonic()) > 0:
            changes = await watcher.take(min(left, bookmark) if bookmark else left)
            if lines := view.lines(changes):
                yield lines
            elif not changes and bookmark:
                yield view.bookmark(store.version)
    finally:
        store.unwatch(view.resource, watcher, shelf)
