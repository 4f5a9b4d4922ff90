"""Keep account of a launch's logs: who reads which, and what is not read to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from runjob.messages import LogRead
from runjob.observed import PodView


class Reader(Protocol):
    """Reads one container's log."""

    @property
    def pod_name(self) -> str: ...

    @property
    def heard(self) -> float:
        """When its log last brought something, or once that has an end, an answer about it."""

    @property
    def fresh(self) -> float:
        """When its log last brought something new."""

    @property
    def seen(self) -> str:
        """The time stamp of the latest line that was passed on, "" where there is none."""

    def look(self, pod: PodView) -> None:
        """Take the newest view of the pod."""

    def break_off(self) -> None:
        """End the stream that is open; it is opened anew where it was, unless all is read."""

    def stop(self) -> None:
        """Read no further."""


# For how long answers that bring nothing new count, in seconds: a proxy that resets each stream at
# one place would bring the same lines for ever.
NOTHING_NEW = 120.0

# A pod's uid, and a container of it.
Key = tuple[str, str]


@dataclass(frozen=True)
class Unread:
    """Logs that are not read to their end, in words, with the latest stamp that was read of each.

    heard is when one of them was last heard of, fresh when one last brought something new.
    """

    logs: tuple[str, ...] = ()
    heard: float = 0.0
    fresh: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.logs)

    def __str__(self) -> str:
        return ", ".join(self.logs)


class Readings:
    """The readers of one launch by pod and container; times are in seconds, by one clock.

    follow starts the reader of a container, and is told whether its log comes alone.
    """

    def __init__(self, follow: Callable[[PodView, str, bool], Reader]) -> None:
        self._follow = follow
        self._readers: dict[Key, Reader] = {}
        self._unread: dict[Key, float | None] = {}  # when the container ended
        self.several = False  # whether more than one log comes, or is to come
        self.gaps = 0  # parts that could not be read

    def look(self, pods: Iterable[PodView], now: float, *, begin: bool) -> None:
        """Show the pods to their readers; with begin, have each container that started read."""
        for pod in pods:
            for view in pod.containers:
                key = (pod.uid, view.name)
                reader = self._readers.get(key)
                if reader is None and view.started and begin:
                    self.several = self.several or bool(self._readers)
                    reader = self._follow(pod, view.name, not self.several)
                    self._readers[key] = reader
                    self._unread[key] = None
                if reader is None:
                    continue
                if key in self._unread:
                    over = pod.over or (view.latest_end is not None and not view.running)
                    self._unread[key] = (self._unread[key] or now) if over else None
                reader.look(pod)

    def close(self, message: LogRead) -> None:
        """Note that a log was read to its end."""
        for key, reader in self._readers.items():
            if key[1] == message.container and reader.pod_name == message.pod:
                self._unread.pop(key, None)

    def break_off_mute(self, now: float, seconds: float) -> None:
        """End each stream that brings nothing for so long after its container's end."""
        for key, ended in self._unread.items():
            reader = self._readers[key]
            if ended is not None and now - max(ended, reader.heard) > seconds:
                reader.break_off()

    def stop(self) -> None:
        """Read no further."""
        for reader in self._readers.values():
            reader.stop()

    @property
    def unread(self) -> Unread:
        """All that is not read to its end."""
        return self._told(self._unread)

    @property
    def ended(self) -> Unread:
        """What is not read to its end though its container has ended."""
        return self._told(key for key, ended in self._unread.items() if ended is not None)

    def _told(self, keys: Iterable[Key]) -> Unread:
        found = [(self._readers[key], key[1]) for key in keys]
        return Unread(
            tuple(
                f"[{reader.pod_name}/{container}]" + (f" after {reader.seen}" * bool(reader.seen))
                for reader, container in found
            ),
            max((reader.heard for reader, _ in found), default=0.0),
            max((reader.fresh for reader, _ in found), default=0.0),
        )


@dataclass(frozen=True)
class Listening:
    """How long what is unread has been silent, for one who has listened since begun.

    Nobody could have heard anything until excused. latest is when something was heard that counts,
    in_all the same without the excuse.
    """

    begun: float
    excused: float = 0.0
    latest: float = 0.0
    in_all: float = 0.0

    def to(self, unread: Unread) -> Listening:
        """Listen to what is unread now: what one log brought counts for those that wait for it."""
        latest = max(self.latest, self._heard(unread, self.excused))
        return replace(self, latest=latest, in_all=max(self.in_all, self._heard(unread, 0.0)))

    def silent(self, now: float) -> float:
        """Return for how many seconds nothing was heard that could have been."""
        return now - max(self.begun, self.excused, self.latest)

    def silent_in_all(self, now: float) -> float:
        """Return for how many seconds nothing was heard, for whatever reason."""
        return now - max(self.begun, self.in_all)

    def since_new(self, unread: Unread, now: float) -> float:
        """Return for how many seconds nothing new came."""
        return now - max(self.begun, unread.fresh)

    def _heard(self, unread: Unread, excused: float) -> float:
        return min(unread.heard, max(self.begun, unread.fresh, excused) + NOTHING_NEW)
