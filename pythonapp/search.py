"""Posts by X's recent search, a poll at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tweepy

from pythonapp.backoff import Backoff
from pythonapp.clock import Clock
from pythonapp.environment import XSettings
from pythonapp.page import posts_of
from pythonapp.posts import Bookmark, Found, Json, Quiet
from pythonapp.route import quadrant_of
from pythonapp.rules import rules
from pythonapp.settings import Search, Settings
from pythonapp.tweets import FIELDS, client, out_of_patience, setback

PAGE = 100
TICK = 1.0
PATIENCE = 3600.0


class Refresh(Exception):  # noqa: N818 - a turn in the story, not an error
    """X takes the remembered id no more: it is older than the seven days that are searched."""


class Searcher:
    """Asks one quadrant's queries for what is newer than an id.

    X answers newest first; a poll is read whole and told oldest first, so that the last one told
    is a safe place to go on from.
    """

    def __init__(
        self, settings: Settings, limit: int, x: XSettings, clock: Clock, patience: float = PATIENCE
    ) -> None:
        self._queries = [rule.value for rule in rules(settings, limit)]
        self._client = client(x)
        self._url = x.url
        self._clock = clock
        self._patience = patience

    def newer(self, since_id: str | None) -> Iterator[Json | Quiet]:
        """Yield the posts after an id, oldest first; Quiet while X does not answer."""
        found: dict[int, Json] = {}
        for query in self._queries:
            try:
                yield from self._pages(query, since_id, found)
            except Refresh:
                yield from self._pages(query, None, found)
            if self._clock.stopped:
                return
        newest = int(since_id or 0)
        yield from (found[each] for each in sorted(found) if each > newest or not each)

    def _pages(self, query: str, since_id: str | None, found: dict[int, Json]) -> Iterator[Quiet]:
        """Collect every page of a query; yield Quiet once a second of waiting."""
        asked: dict[str, Any] = {"query": query, "max_results": PAGE, **FIELDS}
        if since_id:
            asked["since_id"] = since_id
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
                if self._clock.now() - since > self._patience:
                    raise out_of_patience(latest, self._patience, self._url) from error
                wait = backoff.after(latest.trouble, latest.until_reset)
                yield from waiting(self._clock, wait, Quiet.TROUBLE)
                continue
            since = self._clock.now()
            backoff.worked()
            for payload in posts_of(page):
                if not isinstance(payload, bytes) and isinstance(payload.get("data"), Mapping):
                    found[_number(payload)] = payload
            asked["next_token"] = (page.get("meta") or {}).get("next_token")
            if not asked["next_token"]:
                return


class SearchSource:
    """Polls every so many seconds, each quadrant from its own last id on."""

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

    def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
        self._since = {each.quadrant: saved.get(bookmark(each)) for each in self._quadrants}
        while not self._clock.stopped:
            begun = self._clock.now()
            for settings, searcher in zip(self._quadrants, self._searchers, strict=True):
                yield from self._poll(settings, searcher)
            left = self._every - (self._clock.now() - begun)
            yield Quiet.NOTHING_NEW
            yield from waiting(self._clock, left, Quiet.NOTHING_NEW)

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


def waiting(clock: Clock, seconds: float, quiet: Quiet) -> Iterator[Quiet]:
    """Wait, and yield now and then so that the reader can do what it has to."""
    until = clock.now() + seconds
    while (left := until - clock.now()) > 0 and not clock.wait(min(left, TICK)):
        yield quiet


def _number(payload: Json) -> int:
    """Return a post's id as the number that it is, 0 for what is none."""
    text = str(payload["data"].get("id"))
    return int(text) if text.isdecimal() and len(text) <= 20 else 0
