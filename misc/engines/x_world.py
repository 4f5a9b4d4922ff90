"""The state of the stand-in for X: rules, posts, limits, and the faults it was asked for."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from misc.engines.x_rules import Clause, Facts, facts, parse

# An id holds the milliseconds since then in its upper bits.
EPOCH_MS = 1288834974657

Post = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """What one account may do; the numbers are those of docs.x.com for the pay-per-use tier.

    Requests and connects are counted in windows of window_seconds, whoever asks: a bearer token is
    the app's. For searches docs.x.com has two numbers, 450 ("Rate limits") and 60 ("Comparing X
    API's Search Posts endpoints", self-serve); the stand-in is as strict as the stricter one.
    """

    rules: int = 1_000
    rule_length: int = 1_024
    query_length: int = 512
    connects: int = 50
    searches: int = 60
    rule_requests: int = 450
    window_seconds: float = 900.0
    keep_alive_seconds: float = 20.0
    search_delay_seconds: float = 30.0  # a post is not found before, unless end_time asks for it


@dataclass(frozen=True)
class Rule:
    """A rule that was added."""

    id: str
    value: str
    tag: str | None
    clause: Clause

    def named(self) -> dict[str, str]:
        tag = {"tag": self.tag} if self.tag is not None else {}
        return {"id": self.id, "value": self.value, **tag}


@dataclass
class Window:
    """A rate limit: so many requests in so many seconds from the first."""

    limit: int
    seconds: float
    used: int = 0
    ends: float = 0.0

    def take(self) -> bool:
        """Count a request and tell whether it is within the limit."""
        now = time.time()
        if now >= self.ends:
            self.used, self.ends = 0, now + self.seconds
        self.used += 1
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(max(0, self.limit - self.used)),
            "x-rate-limit-reset": str(int(self.ends) + 1),
        }


@dataclass
class World:
    """Everything that the stand-in knows.

    The posts it was given are played at a rate a second, or as fast as they are read, from the
    first stream or search on. While a stream that was there is away they wait for it; a post that
    is pushed then is lost for the stream, as at X, and found by the search only.
    """

    to_play: Iterator[Post]
    rate: float | None
    limits: Limits
    rules: dict[str, Rule] = field(default_factory=dict)
    published: list[Post] = field(default_factory=list)
    pushed: deque[Post] = field(default_factory=deque)
    again: deque[Post] = field(default_factory=deque)
    faults: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    streaming: bool = False
    _started: float | None = None
    _played: int = 0
    _ended: bool = False
    _streamed: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add_rule(self, value: str, tag: str | None) -> Rule:
        rule = Rule(new_id(next(self._numbers)), value, tag, parse(value))
        self.rules[rule.id] = rule
        return rule

    def matching(self, post: Post) -> list[Rule]:
        """Return the rules that a post matches."""
        known: Facts = facts(post)
        return [rule for rule in self.rules.values() if rule.clause.matches(known)]

    def push(self, posts: Iterable[Post]) -> None:
        for post in posts:
            self.published.append(post)
            if self.streaming:
                self.pushed.append(post)

    def next_for_stream(self) -> Post | None:
        """Return the next post that is due, None when none is."""
        self._streamed = True
        if self.again:
            return self.again.popleft()
        if self.pushed:
            return self.pushed.popleft()
        return self._play()

    def seconds_to_next(self) -> float | None:
        """Return how long until a played post is due, None when there is none left."""
        if self._ended or self.rate is None or self._started is None:
            return None
        return max(0.0, self._started + self._played / self.rate - time.monotonic())

    def for_search(self) -> list[Post]:
        """Return what the search can find; without a stream it is also what plays the posts."""
        if not self._streamed:
            while self._play():
                pass
        return self.published

    def first_fault(self, path: str) -> dict[str, Any] | None:
        """Return the fault that is next for a path; those behind it wait for it."""
        return next((each for each in self.faults if each.get("path", "stream") == path), None)

    def take_fault(self, path: str, kinds: Iterable[str], sent: int = 0) -> dict[str, Any] | None:
        """Return and count off the next fault for a path, if it is of these kinds and due."""
        first = self.first_fault(path)
        if first is None or first["do"] not in kinds or sent < first.get("after", 0):
            return None
        if first.get("times", 1) > 1:
            first["times"] -= 1
        else:
            self.faults.remove(first)
        return first

    def _play(self) -> Post | None:
        now = time.monotonic()
        if self._started is None:
            self._started = now
        if self.rate is not None and now < self._started + self._played / self.rate:
            return None
        if (post := next(self.to_play, None)) is None:
            self._ended = True
            return None
        self._played += 1
        self.published.append(post)
        return post


def new_id(number: int) -> str:
    """Return an id of now; number tells ids of the same moment apart."""
    return str((int(time.time() * 1000) - EPOCH_MS << 22) | number & 0x3FFFFF)


def id_at(moment: float) -> int:
    """Return the lowest id of a moment, in seconds since 1970."""
    return max(0, int(moment * 1000) - EPOCH_MS) << 22
