"""Posts by X's recent search, a poll at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tweepy

from pythonapp.backoff import WINDOW, Backoff
from pythonapp.clock import Clock
from pythonapp.environment import XSettings
from pythonapp.page import posts_of
from pythonapp.posts import Bookmark, Found, Json, Quiet
from pythonapp.route import quadrant_of
from pythonapp.rules import rules
from pythonapp.settings import Search, Settings
from pythonapp.tweets import FIELDS, Allowance, client, out_of_patience, setback

PAGE = 100
TICK = 1.0
PATIENCE = 3600.0
# X searches up to 30 seconds ago (docs.x.com, end_time); ten more for a clock that is fast.
SETTLED = 40.0
# Requests in 15 minutes until X tells its own number. docs.x.com has two for an app: 60 ("Comparing
# X API's Search Posts endpoints", self-serve) and 450 ("Rate limits").
SEARCHES = 60
PODS = 4  # of Connecticut's quadrants; they share the limit, which is the app's
SHORTEST = 60.0  # seconds between two polls unless the settings say otherwise
LONG = 30.0  # seconds from which on a wait is worth a word
_EPOCH_MS = 1288834974657  # of X's ids


class Refresh(Exception):  # noqa: N818 - a turn in the story, not an error
    """X takes the remembered id no more: it is older than the seven days that are searched."""


class Searcher:
    """Asks one quadrant's queries for what is newer than an id.

    X answers newest first; a poll is read whole and told oldest first, so that the last one told
    is a safe place to go on from. All queries of a poll end at the same id: what is written while
    they are asked one after the other is left, whole, to the next poll.
    """

    def __init__(
        self, settings: Settings, limit: int, x: XSettings, clock: Clock, patience: float = PATIENCE
    ) -> None:
        self._queries = [rule.value for rule in rules(settings, limit)]
        self._client = client(x)
        self._url = x.url
        self._clock = clock
        self._patience = patience
        self.due: float | None = None  # the end of a long wait, while there is one

    @property
    def queries(self) -> int:
        return len(self._queries)

    @property
    def allowance(self) -> Allowance | None:
        """What X told last of the limit; None before it did."""
        found: Allowance | None = self._client.session.allowance
        return found

    def newer(self, since_id: str | None) -> Iterator[Json | Quiet]:
        """Yield the posts after an id, oldest first; Quiet while X does not answer."""
        found: dict[int, Json] = {}
        newest, end = int(since_id or 0), _id_at(self._clock.time() - SETTLED)
        if newest + 1 >= end:
            return
        for query in self._queries:
            try:
                yield from self._pages(query, since_id, end, found)
            except Refresh:
                yield from self._pages(query, None, end, found)
            if self._clock.stopped:
                return
        yield from (found[each] for each in sorted(found) if each > newest or not each)

    def _pages(
        self, query: str, since_id: str | None, end: int, found: dict[int, Json]
    ) -> Iterator[Quiet]:
        """Collect every page of a query; yield Quiet once a second of waiting."""
        asked: dict[str, Any] = {"query": query, "max_results": PAGE, "until_id": end, **FIELDS}
        if since_id:
            asked["since_id"] = since_id
        yield from self._next_window()
        backoff, since = Backoff(), self._clock.now()
        while not self._clock.stopped:
            try:
                page = self._client.search_recent_tweets(**asked)
            except tweepy.BadRequest as error:
                if since_id and "since_id" in str(error.api_errors):
                    raise Refresh from error
                setback(error, self._clock, self._url)
                raise AssertionError from error
            except Exception as error:
                latest = setback(error, self._clock, self._url)
                yield Quiet.TROUBLE
                if latest.until_reset is not None:
                    since = self._clock.now()  # X is there; the window is used up, maybe by others
                elif self._clock.now() - since > self._patience:
                    raise out_of_patience(latest, self._patience, self._url) from error
                wait = backoff.after(latest.trouble, latest.until_reset)
                yield from self._wait(wait)
                continue
            backoff.worked()
            for payload in posts_of(page):
                if not isinstance(payload, bytes) and isinstance(payload.get("data"), Mapping):
                    found[_number(payload)] = payload
            asked["next_token"] = (page.get("meta") or {}).get("next_token")
            if not asked["next_token"]:
                return
            yield from self._next_window()
            since = self._clock.now()

    def _next_window(self) -> Iterator[Quiet]:
        """Wait for the limit's next window where this one is used up."""
        if (told := self.allowance) and not told.remaining:
            left = min(told.reset + 1 - self._clock.time(), WINDOW)
            yield from self._wait(left)

    def _wait(self, seconds: float) -> Iterator[Quiet]:
        self.due = due_after(self._clock, seconds)
        yield from waiting(self._clock, seconds, Quiet.TROUBLE)
        self.due = None


class SearchSource:
    """Polls now and then, each quadrant from its own last id on.

    How often is in the settings, or follows from the queries and X's limit.
    """

    name = "search"

    def __init__(
        self,
        options: Search,
        quadrants: Sequence[Settings],
        x: XSettings,
        clock: Clock,
    ) -> None:
        self._every = options.every
        self._quadrants = quadrants
        self._clock = clock
        self._searchers = [Searcher(each, options.rule_limit, x, clock) for each in quadrants]
        self._since: dict[str, str | None] = {}
        self._due: float | None = None

    @property
    def due(self) -> float | None:
        waits = (self._due, *(each.due for each in self._searchers))
        return next((each for each in waits if each is not None), None)

    def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
        self._since = {each.quadrant: saved.get(bookmark(each)) for each in self._quadrants}
        while not self._clock.stopped:
            begun = self._clock.now()
            for settings, searcher in zip(self._quadrants, self._searchers, strict=True):
                yield from self._poll(settings, searcher)
            left = self._interval() - (self._clock.now() - begun)
            self._due = due_after(self._clock, left)
            yield Quiet.NOTHING_NEW
            yield from waiting(self._clock, left, Quiet.NOTHING_NEW)
            self._due = None

    def _interval(self) -> float:
        if self._every is not None:
            return self._every
        told = self._searchers[-1].allowance
        queries = sum(each.queries for each in self._searchers)
        return interval(queries, len(self._searchers), told.limit if told else SEARCHES)

    def _poll(self, settings: Settings, searcher: Searcher) -> Iterator[Found | Bookmark | Quiet]:
        for each in searcher.newer(self._since[settings.quadrant]):
            if isinstance(each, Quiet):
                yield each
                continue
            if not (number := _number(each)):
                yield Found(each, settings.quadrant)
                continue
            here = Bookmark(bookmark(settings), str(number))
            self._since[settings.quadrant] = here.position
            quadrant = quadrant_of(each, [settings])
            yield Found(each, quadrant, here) if quadrant else here


def bookmark(settings: Settings) -> str:
    """Name the bookmark of a quadrant's search."""
    return f"{settings.quadrant}-search"


def interval(queries: int, quadrants: int, limit: int) -> float:
    """Return the seconds from poll to poll with which all pods stay within X's limit.

    A poll of so many queries for so many quadrants shares the limit with the pods of the others,
    as if each asked as much; only whole polls are counted into a window.
    """
    share = limit * min(quadrants / PODS, 1)
    polls = share // queries
    return max(WINDOW / polls if polls else WINDOW * math.ceil(queries / share), SHORTEST)


def waiting(clock: Clock, seconds: float, quiet: Quiet) -> Iterator[Quiet]:
    """Wait, and yield now and then so that the reader can do what it has to."""
    until = clock.now() + seconds
    while (left := until - clock.now()) > 0 and not clock.wait(min(left, TICK)):
        yield quiet


def due_after(clock: Clock, seconds: float) -> float | None:
    """Return when a wait ends, None where it is a short one."""
    return clock.now() + seconds if seconds > LONG else None


def _id_at(moment: float) -> int:
    """Return the lowest id of a moment, in seconds since 1970: an id holds ms in its upper bits."""
    return max(int(moment * 1000) - _EPOCH_MS, 0) << 22


def _number(payload: Json) -> int:
    """Return a post's id as the number that it is, 0 for what is none."""
    text = str(payload["data"].get("id"))
    return int(text) if text.isdecimal() and len(text) <= 20 else 0
