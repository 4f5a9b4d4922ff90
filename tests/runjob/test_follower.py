"""One container's log through all its runs, and from a position that another process left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from runjob.errors import ApiError
from runjob.follower import Follower, Position
from runjob.messages import LogGap, LogRead, Message
from runjob.observed import ContainerView, PodView, Terminated
from runjob.retry import Backoff

AT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def lines(run: int, *texts: bytes) -> bytes:
    """Return a log as the API sends it; each run has a minute of its own."""
    return b"".join(
        b"2026-01-31T12:%02d:00.%09dZ %s\n" % (run, at, text) for at, text in enumerate(texts)
    )


class Node:
    """Serves the logs of one container's latest run and of the one before."""

    def __init__(self, previous: bytes | None, latest: bytes) -> None:
        self.logs = {True: previous, False: latest}
        self.asked: list[bool] = []

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since: str | None = None,
        follow: bool = False,
        previous: bool = False,
    ) -> Answer:
        del namespace, pod, container, follow
        self.asked.append(previous)
        log = self.logs[previous]
        if log is None:
            raise ApiError(400, "previous terminated container not found")
        served = [line for line in log.splitlines(keepends=True) if not since or
                  line[:19] >= since[:19].encode()]  # fmt: skip
        return Answer(b"".join(served))


class Answer:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self.data

    def close(self) -> None:
        pass


def ended(restarts: int) -> PodView:
    """Return a pod whose container ended after so many restarts."""
    end = Terminated(exit_code=0, reason="Completed", message="", signal=0,
                     started=AT, finished=AT)  # fmt: skip
    view = ContainerView(name="main", role="main", restarts=restarts, terminated=end)
    return PodView(uid="p1", name="pod", phase="Succeeded", containers=(view,))


def follow(
    node: Node, pod: PodView, position: Position | None = None
) -> tuple[list[tuple[Position, bytes]], list[Message]]:
    """Follow to the end; return what was recorded and told."""
    recorded: list[tuple[Position, bytes]] = []
    told: list[Message] = []

    def record(at: Position, data: bytes) -> None:
        recorded.append((at, data))

    def never(data: bytes) -> None:
        raise AssertionError(f"record takes write's place, for {data!r} too")

    def mark(text: str) -> None:
        recorded.append(((-1, {}), f"{text}\n".encode()))

    Follower(
        node,
        "ns",
        pod,
        "main",
        never,
        mark,
        told.append,
        Backoff(first=0),
        lambda: 0.0,
        position,
        record,
    ).run()
    return recorded, told


def text(recorded: list[tuple[Position, bytes]]) -> bytes:
    return b"".join(data for _, data in recorded)


def test_every_position_goes_on_with_what_came_after_it() -> None:
    node = Node(lines(0, b"a", b"b"), lines(1, b"c"))
    whole, _ = follow(node, ended(1))
    assert text(whole) == b"a\nb\nc\n"
    for number, (position, _) in enumerate(whole):
        rest, _ = follow(node, ended(1), position)
        assert text(rest) == text(whole[number + 1 :])


def test_a_container_that_was_read_to_its_end_is_asked_for_no_more() -> None:
    node = Node(None, lines(0, b"a"))
    whole, _ = follow(node, ended(0))
    before = len(node.asked)
    rest, told = follow(node, ended(0), whole[-1][0])
    assert (rest, told) == ([], [LogRead("pod", "main")])
    assert len(node.asked) == before


def test_runs_that_are_gone_since_the_position_are_told() -> None:
    first, _ = follow(Node(None, lines(0, b"a")), ended(0))
    node = Node(lines(2, b"c"), lines(3, b"d"))
    rest, told = follow(node, ended(3), first[0][0])
    gap = "wrote in 2 earlier runs is gone: a node keeps the logs of the last two"
    marker = f"--- runjob: a gap: what [pod/main] {gap} ---\n"
    assert text(rest) == marker.encode() + b"c\nd\n"
    assert told == [LogGap("pod", "main", f"what it {gap}"), LogRead("pod", "main")]
