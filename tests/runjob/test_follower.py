"""One container's log through all its runs, and from a position that another process left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

import pytest

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
        self.raw = False  # whether it says in words that there is no log, until the pod is gone
        self.removed = False  # the pod, once its log was read
        self.more: Callable[[], None] = lambda: None  # what happens before its last line is asked
        self.after: dict[int, Callable[[], None]] = {}  # what happens once so much was asked

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
        del namespace, pod, container, follow
        log = self.logs[previous]
        if tail and self.removed:
            raise ApiError(404, "pods not found")
        if tail:
            self.more()
            log = self.logs[previous]
            if log is None:
                raise ApiError(400, "previous terminated container not found")
            return Answer(b"".join(log.splitlines(keepends=True)[-tail:]))
        self.asked.append(previous)
        self.after.get(len(self.asked), lambda: None)()
        if (self.removed and len(self.asked) > 1) or (self.raw and len(self.asked) > 3):
            raise ApiError(404, "pods not found")
        if log is None:
            raise ApiError(400, "previous terminated container not found")
        served = [line for line in log.splitlines(keepends=True) if not since or self.raw or
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
    node: Node,
    pod: PodView,
    position: Position | None = None,
    later: dict[int, PodView] | None = None,
) -> tuple[list[tuple[Position, bytes]], list[Message]]:
    """Follow to the end; return what was recorded and told.

    later are the views of the pod that come once the log was asked for so many times.
    """
    recorded: list[tuple[Position, bytes]] = []
    told: list[Message] = []

    def record(at: Position, data: bytes) -> None:
        recorded.append((at, data))

    def never(data: bytes) -> None:
        raise AssertionError(f"record takes write's place, for {data!r} too")

    def mark(text: str) -> None:
        recorded.append(((-1, {}), f"{text}\n".encode()))

    follower = Follower(
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
    )
    for asked, view in (later or {}).items():
        node.after[asked] = partial(follower.look, view)
    follower.run()
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


def running(restarts: int) -> PodView:
    """Return a pod whose container runs after so many restarts, and may be restarted."""
    view = ContainerView(name="main", role="main", restarts=restarts, running=AT)
    pod = PodView(uid="p1", name="pod", phase="Running", containers=(view,))
    return replace(pod, restarts_in_place=True)


def test_a_restart_that_the_status_does_not_tell_yet_costs_no_line() -> None:
    """The stream broke just then: what is asked for as the present log is the next run's."""
    begun, _ = follow(Node(None, lines(0, b"a", b"b")), ended(0))
    node = Node(lines(0, b"a", b"b", b"c"), lines(1, b"d"))
    rest, told = follow(node, running(0), begun[0][0], {2: ended(1)})
    assert text(rest) == b"c\nd\n"
    assert told == [LogRead("pod", "main")]
    assert node.asked[:2] == [False, True]


def test_a_run_of_which_nothing_was_read_is_not_taken_for_the_next_one() -> None:
    """Its status is old: it tells that the run ended, and not that the next one began."""
    node = Node(lines(0, b"a", b"b"), lines(1, b"c"))
    old = replace(ended(0), phase="Running", restarts_in_place=True)
    rest, told = follow(node, old, later={2: ended(1)})
    assert text(rest) == b"a\nb\nc\n"
    assert told == [LogRead("pod", "main")]
    assert node.asked[:2] == [False, True]


def test_a_first_run_that_nobody_knows_to_be_over_is_not_taken_for_the_next_one() -> None:
    """As after an outage in which the container was restarted: its status is that of before."""
    node = Node(lines(0, b"a", b"b"), lines(1, b"c"))
    rest, told = follow(node, running(0), later={2: ended(1)})
    assert text(rest) == b"a\nb\nc\n"
    assert told == [LogRead("pod", "main")]


@pytest.mark.parametrize("at", [1, 2], ids=["before the API does", "after"])
def test_a_log_that_was_read_before_its_pod_went_has_no_gap(at: int) -> None:
    """Nobody can be asked for its last line any more, and the watch tells that at any time."""
    node = Node(None, lines(0, b"a"))
    node.removed = True
    alive = replace(running(0), restarts_in_place=False)
    recorded, told = follow(node, alive, later={1: ended(0), at: replace(ended(0), gone=True)})
    assert text(recorded) == b"a\n"
    assert not [each for each in told if isinstance(each, LogGap)]


@pytest.mark.parametrize(
    "left", [b"unable to retrieve container logs for containerd://1", b""], ids=["words", "nothing"]
)
@pytest.mark.parametrize("stays", [False, True], ids=["its pod goes", "its pod stays"])
def test_a_log_that_the_node_removed_after_it_was_read_has_no_gap(left: bytes, stays: bool) -> None:
    """The node says so in an answer of 200, or sends an empty one."""
    node = Node(None, lines(0, b"a"))
    alive = replace(running(0), restarts_in_place=False)

    def more() -> None:
        node.logs[False] = left

    node.more = more
    node.raw = not stays
    gone = {} if stays else {4: replace(ended(0), gone=True)}
    recorded, told = follow(node, alive, later={1: ended(0), **gone})
    assert text(recorded) == b"a\n"
    assert not [each for each in told if isinstance(each, LogGap)]


def test_a_log_whose_last_line_did_not_come_before_its_pod_went_has_a_gap() -> None:
    node = Node(None, lines(0, b"a"))
    alive = replace(running(0), restarts_in_place=False)

    def more() -> None:
        node.logs[False], node.removed = lines(0, b"a", b"b"), True

    node.more = more
    recorded, told = follow(node, alive, later={1: ended(0), 2: replace(ended(0), gone=True)})
    assert text(recorded).startswith(b"a\n--- runjob: a gap: ")
    assert isinstance(told[-2], LogGap)


def test_a_log_that_was_rotated_and_not_restarted_has_its_gap() -> None:
    begun, _ = follow(Node(None, lines(0, b"a", b"b")), ended(0))
    node = Node(None, lines(1, b"d"))
    rest, told = follow(node, running(0), begun[0][0], {3: ended(0)})
    marker, line = text(rest).splitlines()
    assert marker.startswith(b"--- runjob: a gap: what [pod/main] wrote after 2026-01-31T12:00:00")
    assert (line, told[-1]) == (b"d", LogRead("pod", "main"))
    assert node.asked[:3] == [False, True, False]


def test_a_log_that_was_rotated_after_a_restart_has_its_gap() -> None:
    begun, _ = follow(Node(None, lines(1, b"a", b"b")), ended(0))
    node = Node(lines(0, b"x"), lines(2, b"d"))
    rest, told = follow(node, running(1), (1, begun[0][0][1]), {8: ended(1)})
    marker, line = text(rest).splitlines()
    assert marker.startswith(b"--- runjob: a gap: what [pod/main] wrote after 2026-01-31T12:01:00")
    assert (line, told[-1]) == (b"d", LogRead("pod", "main"))


def test_what_waits_for_its_reader_to_be_printed_is_still_heard() -> None:
    """Else a log that somebody reads slowly is given up for lost, and its Job removed."""
    heard: list[float] = []
    times = iter(range(99))

    def write(_: bytes) -> None:
        heard.extend(follower.heard for _ in range(3))  # the reader takes its time

    follower = Follower(
        Node(None, lines(0, b"a")), "ns", ended(0), "main", write, lambda _: None, lambda _: None,
        Backoff(first=0), lambda: float(next(times)),
    )  # fmt: skip
    follower.run()
    assert heard[0] < heard[1] < heard[2]
    assert follower.heard == follower.heard
