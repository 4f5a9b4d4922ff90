"""The story: posts are read, decided on, stored, and only then committed.

The lake stores a post once, whoever sends it and however often; so whatever ends this program, at
any point, the posts that are not committed are read again and nothing is lost or doubled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from application.batch import Limits, cut
from application.errors import ApplicationError, UnreachableError
from application.kafka_message import Message, Partition
from application.message import Poison, Reading, read
from application.records import Decision, Origin

# Seconds that one look for messages takes at most, so that a signal is soon noticed.
LOOK = 0.1
# Seconds that a batch may be under way before the group is told that this member lives.
PATIENCE = 2.0
# Messages that one look takes at most: each may have a megabyte, and all are held.
LOT = 100
# Seconds that messages may wait while none comes and the group reads none either. The group shuts
# out a member that was killed after 45 s, by default, and gives its partitions to us.
STUCK = 120.0


class Source(Protocol):
    """The story's side of a member of a consumer group (source.py)."""

    def open(
        self,
        assigned: Callable[[frozenset[Partition]], None],
        revoked: Callable[[frozenset[Partition]], None],
    ) -> None: ...
    def poll(self, most: int, timeout: float) -> list[Message]: ...
    def rest(self, timeout: float) -> None: ...
    def commit(self, offsets: Mapping[Partition, int]) -> None: ...
    def close(self) -> None: ...
    def leave(self) -> None: ...
    def waiting(self) -> int | None: ...


class Store(Protocol):
    """The lake (warehouse.py)."""

    def merge(self, rows: Sequence[Decision]) -> None: ...


class Letters(Protocol):
    """Where messages go that are no posts (source.py)."""

    def send(self, letters: Sequence[tuple[Message, str]]) -> None: ...


class Decide(Protocol):
    """What is made of posts (decide.py)."""

    def recall(self) -> None:
        """Learn what was decided by others, as partitions came from them."""

    def __call__(self, posts: Sequence[tuple[Reading, Origin]]) -> Sequence[Decision]: ...


@dataclass(frozen=True)
class Ends:
    """When the run is over by itself: after idle seconds, so many messages, at a time; or never."""

    idle: float | None = None
    messages: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Summary:
    """What a run did; waiting are the messages that it left on Kafka, None if unknown."""

    read: int
    merged: int
    dead_letters: int
    seconds: float
    waiting: int | None

    def __str__(self) -> str:
        rate = self.read / self.seconds if self.seconds else 0
        left = "an unknown number" if self.waiting is None else f"{self.waiting:,}"
        return (
            f"{self.read:,} read, {self.merged:,} merged, {self.dead_letters:,} dead letters, "
            f"{rate:,.0f} a second, {left} left on Kafka"
        )


@dataclass(frozen=True)
class _Flight:
    """A batch on its way into the lake, and what comes next in its partitions."""

    stored: Future[None]
    offsets: Mapping[Partition, int]
    rows: int
    letters: int


class Consumer:
    """One run over one source; the parts are the caller's to open and to close."""

    def __init__(
        self,
        source: Source,
        store: Store,
        letters: Letters,
        decide: Decide,
        *,
        limits: Limits,
        ends: Ends,
        stop: Callable[[], bool],
        moved: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._store = store
        self._letters = letters
        self._decide = decide
        self._limits = limits
        self._ends = ends
        self._stop = stop
        self._moved = moved
        self._waiting: list[Message] = []
        self._since = 0.0  # when the oldest of them came
        self._flight: _Flight | None = None
        self._assigned_anew = False
        self._read = self._merged = self._dead = 0
        self._first = self._last = 0.0  # when the first message was read, the last one stored
        self._quiet_since = 0.0
        self._left: int | None = None  # what waited on Kafka when it was last asked
        self._left_since = 0.0

    def run(self) -> Summary:
        """Read until the end; raise what Kafka or the lake refused, with what is left to do."""
        with ThreadPoolExecutor(1, "lake") as lake:
            try:
                return self._run(lake)
            except ApplicationError as error:
                self._flight = None
                left = self._source.waiting()
                self._source.leave()
                if not left:
                    raise
                raise type(error)(
                    f"{error}; nothing of this batch is committed, {left:,} messages wait on Kafka"
                ) from error

    def _run(self, lake: Executor) -> Summary:
        self._quiet_since = self._left_since = time.monotonic()
        self._source.open(self._assigned, self._revoked)
        while not self._over():
            self._take()
            if count := self._due():
                self._begin(lake, count)
            elif self._flight is not None and self._flight.stored.done():
                self._settle()
            self._moved(self._progress())
        while self._waiting:
            self._begin(lake, self._due(at_once=True))
        self._land()
        waiting = self._source.waiting()
        self._source.close()
        seconds = self._last - self._first
        return Summary(self._read, self._merged, self._dead, seconds, waiting)

    def _over(self) -> bool:
        if self._stop():
            return True
        if self._ends.messages is not None and self._read >= self._ends.messages:
            return True
        if self._ends.at is not None and datetime.now(timezone.utc) >= self._ends.at:
            return True
        return self._idle()

    def _idle(self) -> bool:
        """Tell whether nothing came for long enough, and nothing waits for the whole group.

        What waits in partitions of others counts: their owner may be gone. Where nothing moves,
        raise UnreachableError, for this run could not end otherwise.
        """
        if self._ends.idle is None or self._waiting or self._flight is not None:
            return False
        if time.monotonic() - self._quiet_since < self._ends.idle:
            return False
        now = self._quiet_since = time.monotonic()
        left = self._source.waiting()
        if left != self._left:
            self._left, self._left_since = left, now
        elif left != 0 and now - self._left_since > STUCK:
            raise UnreachableError(
                f"Kafka gave no message for {STUCK:.0f} s and the group read none; check the other "
                "consumers of the group and the broker"
            )
        return left == 0

    def _take(self) -> None:
        """Look for messages, unless two batches of them wait already."""
        if sum(map(_size, self._waiting)) >= 2 * self._limits.bytes:
            return
        most = min(LOT, self._limits.count - len(self._waiting))
        if self._ends.messages is not None:
            most = min(most, self._ends.messages - self._read)
        found = self._source.poll(most, LOOK)
        if not found:
            return
        now = self._quiet_since = self._left_since = time.monotonic()
        self._first = self._first or now
        if not self._waiting:
            self._since = now
        self._waiting += found
        self._read += len(found)

    def _due(self, *, at_once: bool = False) -> int:
        waited = self._limits.seconds if at_once else time.monotonic() - self._since
        return cut([_size(each) for each in self._waiting], waited, self._limits)

    def _begin(self, lake: Executor, count: int) -> None:
        """Decide on a batch while the one before is stored, then send it after that."""
        if self._assigned_anew:
            self._land()
            self._assigned_anew = False
            self._decide.recall()
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        self._since = time.monotonic()
        posts, letters = sort(batch)
        rows = self._decide(posts)
        self._land()

        def store() -> None:
            self._store.merge(rows)
            self._letters.send(letters)

        self._flight = _Flight(lake.submit(store), following(batch), len(rows), len(letters))

    def _land(self) -> None:
        """Wait for the batch under way; a slow lake does not cost the membership."""
        flight = self._flight
        while flight is not None and flight is self._flight:
            if wait([flight.stored], PATIENCE).done:
                self._settle()
            else:
                self._source.rest(LOOK)
                self._moved(self._progress())

    def _settle(self) -> None:
        """Commit the batch under way once it is stored; raise what kept it from being stored."""
        flight, self._flight = self._flight, None
        if flight is None:
            return
        flight.stored.result()
        self._source.commit(flight.offsets)
        self._merged += flight.rows
        self._dead += flight.letters
        self._last = time.monotonic()

    def _assigned(self, partitions: frozenset[Partition]) -> None:
        self._assigned_anew = self._assigned_anew or bool(partitions)
        self._quiet_since = time.monotonic()

    def _revoked(self, partitions: frozenset[Partition]) -> None:
        """Finish what is under way, and leave to the next owner what is not begun."""
        self._settle()
        kept = [each for each in self._waiting if each.partition not in partitions]
        self._read -= len(self._waiting) - len(kept)
        self._waiting = kept

    def _progress(self) -> str:
        seconds = (self._last or time.monotonic()) - self._first
        rate = self._merged / seconds if seconds > 0 else 0
        return f"{self._merged:,} merged, {self._dead:,} dead letters, {rate:,.0f} a second"


def _size(message: Message) -> int:
    return len(message.value or b"")


def sort(
    batch: Sequence[Message],
) -> tuple[list[tuple[Reading, Origin]], list[tuple[Message, str]]]:
    """Tell posts from what is none, which comes with its reason."""
    posts, letters = [], []
    for each in batch:
        try:
            posts.append((read(each.value), each.origin))
        except Poison as poison:
            letters.append((each, str(poison)))
    return posts, letters


def following(batch: Sequence[Message]) -> dict[Partition, int]:
    """Return the offset to commit for each partition: that of its next message."""
    return {each.partition: each.origin.offset + 1 for each in batch}
