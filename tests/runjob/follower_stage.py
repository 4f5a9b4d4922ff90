"""One follower, played from a script of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

from runjob.errors import ApiError
from runjob.follower import Follower
from runjob.messages import LogGap, Message, Trouble
from runjob.observed import ContainerView, PodView, Terminated
from runjob.retry import Backoff

AT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
A, B, C = (b"2026-01-31T12:00:00.%09dZ %c\n" % (at, text) for at, text in enumerate(b"abc"))


@dataclass
class Script:
    """Answers each read with the next of its answers, and with the last one from then on.

    An answer are bytes, an error, or both as (bytes, error).
    """

    answers: list[object]
    tail: bytes | None = None  # the log's last line; None for the one that came last
    views: dict[int, PodView] = field(default_factory=dict)  # what is seen at the read so numbered
    stop: int = 0  # the read at which the follower is stopped
    reads: list[tuple[str | None, bool, bool]] = field(default_factory=list)
    latest: bytes = b""
    doubts: list[ApiError] = field(default_factory=list)  # when asked for an earlier run's log
    follower: Follower | None = None
    closed: int = 0

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: str | None = None,
        follow: bool = False,
        previous: bool = False,
        tail: int | None = None,
    ) -> Answer:
        assert (namespace, pod, container) == ("ns", "pod", "main")
        if tail and previous and not self.reads[-1][2]:
            none = ApiError(400, "previous terminated container not found")
            raise self.doubts.pop() if self.doubts else none
        if tail:
            latest = b"".join(self.latest.splitlines(keepends=True)[-1:])
            return Answer(self, latest if self.tail is None else self.tail)
        self.reads.append((since, follow, previous))
        number = len(self.reads)
        assert self.follower is not None
        if number in self.views:
            self.follower.look(self.views[number])
        if number == self.stop:
            self.follower.stop()
        answer = self.answers[min(number, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        self.latest, error = answer if isinstance(answer, tuple) else (answer, None)
        return Answer(self, self.latest, error)


class Answer:
    def __init__(self, script: Script, data: bytes, error: Exception | None = None) -> None:
        self._script, self._data, self._error = script, data, error
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        if self._closed:
            return
        if self._data:
            yield self._data
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._closed = True
        self._script.closed += 1


def running(restarts: int = 0) -> PodView:
    view = ContainerView(name="main", restarts=restarts, running=AT)
    return PodView(uid="p1", name="pod", phase="Running", containers=(view,))


def ended(restarts: int = 0) -> PodView:
    end = Terminated(exit_code=0, reason="Completed", message="", signal=0,
                     started=AT, finished=AT)  # fmt: skip
    view = ContainerView(name="main", restarts=restarts, terminated=end)
    return PodView(uid="p1", name="pod", phase="Succeeded", containers=(view,))


def follow(
    script: Script,
    pod: PodView,
    backoff: Backoff = Backoff(first=0),  # noqa: B008  # frozen
    now: Callable[[], float] = lambda: 0.0,
) -> tuple[bytes, list[Message]]:
    """Follow to the end; return what was written and told."""
    written: list[bytes] = []
    told: list[Message] = []

    def mark(text: str) -> None:
        written.append(f"{text}\n".encode())

    follower = Follower(script, "ns", pod, "main", written.append, mark, told.append, backoff, now)
    script.follower = follower
    follower.run()
    return b"".join(written), told


def lost(told: list[Message]) -> list[str]:
    return [each.what for each in told if isinstance(each, LogGap)]


def troubles(told: list[Message]) -> list[tuple[int, str]]:
    return [(each.error.status, each.what) for each in told if isinstance(each, Trouble)]
