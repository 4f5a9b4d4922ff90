"""The story: read posts from a source, send each as a message, account for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pythonapp.clock import Clock
from pythonapp.ledger import Ledger
from pythonapp.message import Message, Rejected, message
from pythonapp.posts import Bookmark, Found, Quiet

SAVE_EVERY = 2.0  # seconds between bookmarks; what was read after the last one is read again


class Source(Protocol):
    """Where posts come from; its iterator ends by itself, or when the clock is stopped.

    It yields something at least once a second or so: a post, where it is without a post, or why it
    is quiet.
    """

    @property
    def name(self) -> str: ...

    @property
    def due(self) -> float | None:
        """When it asks again, by the clock, where that is a while off; None where it is not."""
        ...

    def read(self, saved: Mapping[str, str]) -> Iterator[Found | Bookmark | Quiet]:
        """Go on from the saved positions, by the names of their bookmarks."""
        ...


class Broker(Protocol):
    """Where messages go to; see `kafka.Broker`."""

    @property
    def delivered(self) -> int: ...

    @property
    def undelivered(self) -> int: ...

    def send(self, topic: str, message: Message, delivered: Callable[[], None]) -> None: ...

    def poll(self, seconds: float = 0.0) -> None: ...

    def flush(self) -> None: ...


@dataclass(frozen=True)
class Until:
    """When to end though the source does not: after so many posts, or seconds without one."""

    posts: int | None = None
    idle: float | None = None


@dataclass
class Counts:
    """What became of the posts; read = accepted + rejected."""

    read: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def reject(self, reason: str) -> None:
        self.rejected += 1
        known = reason if reason in self.reasons or len(self.reasons) < 20 else "other reasons"
        self.reasons[known] = self.reasons.get(known, 0) + 1


class Producer:
    """Sends what a source yields, and saves how far it is delivered."""

    def __init__(
        self,
        source: Source,
        broker: Broker,
        topics: Mapping[str, str],
        dead_letters: str,
        save: Callable[[Bookmark], None],
        clock: Clock,
    ) -> None:
        self._source = source
        self._broker = broker
        self._topics = topics
        self._dead_letters = dead_letters
        self._save = save
        self._clock = clock
        self._ledgers: dict[str, Ledger] = {}
        self._saved: dict[str, Bookmark] = {}
        self._next_save = clock.now() + SAVE_EVERY
        self.counts = Counts()

    def run(
        self, saved: Mapping[str, str], until: Until, progress: Callable[[Counts], None]
    ) -> None:
        """Go on from the saved bookmarks until the source, a limit or the clock's stop ends it.

        Raises ProducerError where a message was not delivered or the source failed; what was
        delivered by then is saved all the same.
        """
        try:
            for _ in self._each(saved, until):
                self._broker.poll()
                self._save_some()
                progress(self.counts)
            self._broker.flush()
        finally:
            self._save_all()

    def _each(self, saved: Mapping[str, str], until: Until) -> Iterable[None]:
        quiet_since = self._clock.now()
        for item in self._source.read(saved):
            if isinstance(item, Found):
                self._send(item)
                if self.counts.read == until.posts:
                    return
            elif isinstance(item, Bookmark):
                self._ledger(item.name).sent(item)()
            if item is not Quiet.NOTHING_NEW:
                quiet_since = self._clock.now()
            elif until.idle is not None and self._clock.now() - quiet_since >= until.idle:
                return
            yield

    def _send(self, found: Found) -> None:
        self.counts.read += 1
        made = message(found.payload, found.quadrant, self._source.name)
        mark = found.bookmark
        delivered = self._ledger(mark.name).sent(mark) if mark else _nothing
        if isinstance(made, Rejected):
            self.counts.reject(made.reason)
            headers = {
                "reason": made.reason,
                "stage": "producer",
                "source": self._source.name,
                "quadrant": found.quadrant,
            }
            kept = Message(found.quadrant.encode(), made.raw, headers)
            self._broker.send(self._dead_letters, kept, delivered)
        else:
            self._broker.send(self._topics[found.quadrant], made, delivered)

    def _ledger(self, name: str) -> Ledger:
        return self._ledgers.setdefault(name, Ledger())

    def _save_some(self) -> None:
        if self._clock.now() >= self._next_save:
            self._save_all()
            self._next_save = self._clock.now() + SAVE_EVERY

    def _save_all(self) -> None:
        for name, ledger in self._ledgers.items():
            position = ledger.position()
            if position is not None and position != self._saved.get(name):
                self._save(position)
                self._saved[name] = position


def _nothing() -> None:
    pass
