"""Watches: a stream of changes to one resource."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from math import inf

from .http import Reply, Request
from .refusals import Refusal
from .resources import Json, Resource
from .selection import Match, Shelf, shelf_of
from .store import Change, Store, encode, event_line
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
    view = View(resource, match, wants_table(request))
    if not _flag(parameters, "allowWatchBookmarks"):
        bookmark = 0
    span = Span(since, _flag(parameters, "sendInitialEvents"), time.monotonic() + seconds, bookmark)
    return Reply(200, stream=_follow(store, view, shelf, span))


@dataclass(frozen=True)
class Span:
    """From where a watch starts, until when it lasts and how often it is bookmarked (0: never)."""

    since: int | None
    marks_initial: bool
    deadline: float
    bookmark: float


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

    def bookmark(self, version: int, initial: bool = False) -> bytes:
        metadata: Json = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        item = {
            "kind": self.resource.kind,
            "apiVersion": self.resource.api_version,
            "metadata": metadata,
        }
        return event_line("BOOKMARK", item)


def _flag(parameters: dict[str, str], name: str) -> bool:
    return parameters.get(name, "").lower() in ("1", "true")


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


async def _follow(
    store: Store, view: View, shelf: Shelf | None, span: Span
) -> AsyncIterator[bytes]:
    try:
        watcher, past = store.watch(view.resource, span.since, shelf)
    except Refusal as refusal:
        yield event_line("ERROR", refusal.status())
        return
    try:
        first = view.lines(past)
        if span.marks_initial:
            first += view.bookmark(store.version, initial=True)
        if first:
            yield first
        # Due at its time whatever else goes on: changes that this watch may not see are no sign.
        mark = time.monotonic() + span.bookmark if span.bookmark else inf
        while (left := span.deadline - time.monotonic()) > 0:
            lines = view.lines(await watcher.take(min(left, mark - time.monotonic())))
            if time.monotonic() >= mark:
                lines += view.bookmark(store.version)
                mark = time.monotonic() + span.bookmark
            if lines:
                yield lines
    finally:
        store.unwatch(view.resource, watcher, shelf)
