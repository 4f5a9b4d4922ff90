"""A log that is not given, breaks off, or is no more, and a follower that is told to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import ClassVar

import pytest

from runjob import follower as following
from runjob.errors import ApiError, NoClusterError
from runjob.follower import Follower
from runjob.logend import SHORT_READS, STRANGERS
from runjob.messages import LogGap, LogRead, Message, Trouble
from runjob.observed import ContainerView, PodView, Terminated
from runjob.retry import REFUSALS, SPREAD, Backoff

AT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
A, B, C = (b"2026-01-31T12:00:00.%09dZ %c\n" % (at, text) for at, text in enumerate(b"abc"))
STATUS = [
    pytest.param(403, id="forbidden"),
    pytest.param(404, id="unknown"),
]


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


def test_a_stream_that_ends_while_its_container_runs_is_opened_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "STATUS_LAG", 0)
    script = Script([A, A + B], B, views={2: ended()})
    assert follow(script, running()) == (b"a\nb\n", [LogRead("pod", "main")])
    assert script.reads == [(None, True, False), ("2026-01-31T11:59:59Z", True, False)]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        pytest.param([A], "each try breaks off before its log's end", id="the end does not come"),
        pytest.param(
            [A + B, A],
            "its log was rotated away by the kubelet",
            id="what had come does not come again",
        ),
    ],
)
def test_a_log_of_which_no_try_brings_the_end_is_given_up(
    answers: list[object], words: str
) -> None:
    script = Script(answers, C)
    written, told = follow(script, ended())
    assert [each.rpartition(": ")[2] for each in lost(told)] == [words]
    assert written.startswith(b"a\n")
    assert troubles(told) == [(0, "reading the log of pod")] * 5
    assert len(script.reads) == 7


def test_a_log_whose_last_line_is_never_there_when_asked_for_is_whole() -> None:
    """Its node has removed it once it was read."""
    written, told = follow(Script([A], b""), ended())
    assert (written, lost(told)) == (b"a\n", [])


def test_an_empty_log_is_read_four_times() -> None:
    script = Script([b""])
    assert follow(script, ended()) == (b"", [LogRead("pod", "main")])
    assert len(script.reads) == 4


def test_a_log_of_nothing_but_the_kubelets_words_is_lost() -> None:
    words = b"unable to retrieve container logs for containerd://1"
    written, told = follow(Script([words], words), ended())
    assert lost(told) == [
        "what it wrote could not be read: unable to retrieve container logs for containerd://1"
    ]
    assert written.startswith(b"--- runjob: a gap: ")


@pytest.mark.parametrize(("status", "tries"), [(403, REFUSALS), (404, STRANGERS)])
def test_a_log_that_is_refused_after_the_end_is_given_up_in_the_end(
    status: int, tries: int
) -> None:
    script = Script([ApiError(status, "no")])
    _, told = follow(script, ended())
    assert lost(told) == ["what it wrote could not be read: no"]
    assert troubles(told) == [(status, "reading the log of pod")] * (tries - 1)
    assert len(script.reads) == tries


@pytest.mark.parametrize("status", STATUS)
def test_refusals_are_counted_anew_once_the_log_was_given(status: int) -> None:
    no = ApiError(status, "no")
    script = Script([*[no] * 5, A, *[no] * 5, A], B)
    _, told = follow(script, ended())
    assert lost(told) == [
        "what it wrote after 2026-01-31T12:00:00.000000000Z, if anything, could not be read: "
        "each try breaks off before its log's end"
    ]


def test_a_log_that_is_forbidden_while_its_container_runs_is_asked_for_on_and_on() -> None:
    script = Script([*[ApiError(403, "no")] * 20, A], A, views={21: ended()})
    written, told = follow(script, running())
    assert (written, lost(told)) == (b"a\n", [])
    assert len(troubles(told)) == 20


def test_a_container_that_is_about_to_start_is_no_trouble() -> None:
    script = Script([ApiError(400, "is waiting to start"), A], A, views={2: ended()})
    assert follow(script, running()) == (b"a\n", [LogRead("pod", "main")])


@pytest.mark.parametrize("status", [400, 404])
def test_a_log_that_is_gone_before_it_was_read_is_lost(status: int) -> None:
    script = Script([ApiError(status, "gone")])
    _, told = follow(script, replace(ended(), gone=True))
    assert lost(told) == ["what it wrote could not be read: gone"]
    assert troubles(told) == []


def test_a_stream_that_breaks_within_a_line_goes_on_there() -> None:
    script = Script([(A + B[:-2], ApiError(0, "broke")), A + B], B)
    written, told = follow(script, ended())
    assert (written, lost(told)) == (b"a\nb\n", [])
    assert troubles(told) == [(0, "reading the log of pod")]


def test_what_came_in_a_stream_that_broke_may_go_on_though_an_end_was_seen_before() -> None:
    """The log ended where its last line was asked for, and went on when it was read again."""
    views = {3: replace(ended(), gone=True)}
    script = Script([A, (A + B, ApiError(0, "broke")), ApiError(404, "gone")], b"", views=views)
    written, told = follow(script, ended())
    assert lost(told) == [
        "what it wrote after 2026-01-31T12:00:00.000000001Z, if anything, could not be read: gone"
    ]
    assert written.startswith(b"a\nb\n")


def test_a_login_that_fails_is_told_and_tried_again() -> None:
    written, told = follow(Script([NoClusterError("no token"), A], A), ended())
    assert written == b"a\n"
    assert troubles(told) == [(401, "reading a log")]


def test_runs_that_go_by_unread_are_told() -> None:
    """The container was restarted again and again while its log was read."""
    script = Script([A, B, C], views={1: ended(4)})
    written, told = follow(script, replace(running(1), restarts_in_place=True))
    assert lost(told) == [
        "what it wrote in 2 earlier runs is gone: a node keeps the logs of the last two"
    ]
    first, gap, *rest = written.splitlines()
    assert (first, rest) == (b"a", [b"b", b"c"])
    assert gap.startswith(b"--- runjob: a gap: ")


class Waits(Backoff):
    """Waits of nothing; taken is how many were taken of each series."""

    taken: ClassVar[list[int]]

    def waits(self) -> Iterator[float]:
        self.taken.append(0)
        number = len(self.taken) - 1
        while True:
            self.taken[number] += 1
            yield 0


def test_the_waits_for_a_logs_end_begin_anew() -> None:
    """Else they are as long as those for an API that was away, and the launch gives the log up."""
    Waits.taken = []
    script = Script([A, *[ApiError(503, "away")] * 9, b""], B, views={11: ended()})
    _, told = follow(script, running(), Waits())
    assert lost(told)[0].endswith("its log was rotated away by the kubelet")
    assert Waits.taken[-2:] == [10, SHORT_READS - 1]


@pytest.mark.parametrize(
    ("status", "tries", "heard"),
    [
        pytest.param(404, STRANGERS, STRANGERS - 1, id="an answer, of which so many are enough"),
        pytest.param(503, 7, 0, id="none"),
        pytest.param(0, 4, 3, id="an empty log, which is read four times"),
    ],
)
def test_a_log_of_which_the_node_gives_nothing_is_heard_of_as_long_as_that_is_counted(
    status: int, tries: int, heard: int
) -> None:
    """A launch that takes the last byte for the last answer gives the log up before its end."""
    answer = ApiError(status, "no") if status else b""
    script = Script([answer], stop=7 if status == 503 else 0)
    follow(script, ended(), now=lambda: float(len(script.reads)))
    assert script.follower is not None
    assert (len(script.reads), script.follower.heard) == (tries, heard)


def test_a_log_is_fresh_when_it_brings_something_new_and_while_that_is_printed() -> None:
    """A launch gives up a log that is not for long, however often the same of it comes."""
    broke = ApiError(0, "broke")
    script = Script([(A, broke), (A, broke), (A + B, broke), (A + B, broke)], stop=6)
    clock = iter(range(1000))
    printing: list[tuple[float, float]] = []

    def write(_: bytes) -> None:
        follower = script.follower
        assert follower is not None
        printing.append((follower.fresh, follower.fresh))
        assert follower.heard > follower.fresh - 1

    script.follower = Follower(
        script, "ns", ended(), "main", write, lambda _: None, lambda _: None, Backoff(first=0),
        lambda: 100.0 * len(script.reads) + next(clock) / 1000,
    )  # fmt: skip
    assert script.follower.fresh < 1
    script.follower.run()
    assert [int(fresh) // 100 for fresh, _ in printing] == [1, 3]
    assert all(later > earlier for earlier, later in printing), "by now, however long it takes"
    assert int(script.follower.fresh) // 100 == 3
    assert script.follower.heard > 500, "also what came before was heard"


def test_what_waited_for_its_reader_was_heard_until_then() -> None:
    clock = [0.0]
    script = Script([A], A)

    def write(_: bytes) -> None:
        clock[0] += 100  # a pager that shows its first page

    script.follower = Follower(
        script, "ns", ended(), "main", write, lambda _: None, lambda _: None, Backoff(first=0),
        lambda: clock[0],
    )  # fmt: skip
    script.follower.run()
    assert (script.follower.heard, script.follower.fresh) == (100, 100)


def test_a_log_for_which_the_api_asks_to_wait_is_heard_of_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A launch that takes such a wait for silence gives the log up meanwhile."""
    waited: list[tuple[float, float]] = []

    def wait(
        follower: Follower, happened: Callable[[], bool], seconds: float | None = None
    ) -> bool:
        waited.extend([(seconds, follower.heard)] if seconds else [])
        return happened()

    monkeypatch.setattr(Follower, "_await", wait)
    script = Script([ApiError(503, "busy", retry_after=60), A], A)
    follow(script, ended(), now=lambda: 1000.0)
    ((seconds, heard),) = waited
    assert 60 <= seconds <= 60 * (1 + SPREAD)
    assert heard == 1000 + seconds


@pytest.mark.parametrize("error", [None, ApiError(0, "closed")], ids=["cleanly", "by an error"])
def test_a_follower_that_is_stopped_tells_of_no_loss(error: ApiError | None) -> None:
    script = Script([(A, ApiError(0, "broke")), (A + B, error)], b"", stop=2)
    written, told = follow(script, running())
    assert (written, lost(told)) == (b"a\n", []), "what it opens meanwhile is not read"
    assert len(script.reads) == 2


def test_a_follower_that_is_stopped_ends_its_stream_and_tells_of_no_trouble() -> None:
    script = Script([A], B, stop=2)
    assert follow(script, ended()) == (b"a\n", [LogRead("pod", "main")])
    assert script.closed == 2, "the one that was open, and the one that it opens meanwhile"


@pytest.mark.parametrize("in_place", [False, True], ids=["never restarted", "not restarted yet"])
def test_the_present_log_of_a_first_run_is_its_own(in_place: bool) -> None:
    script = Script([A], views={1: ended()})
    pod = replace(running(), restarts_in_place=in_place)
    assert follow(script, pod) == (b"a\n", [LogRead("pod", "main")])
    assert [previous for _, _, previous in script.reads] == [False]


def test_whether_there_was_an_earlier_run_is_asked_until_it_is_told() -> None:
    script = Script([A], views={2: ended()}, doubts=[ApiError(503, "later")])
    written, told = follow(script, replace(running(), restarts_in_place=True))
    assert (written, lost(told)) == (b"a\n", [])
    assert troubles(told) == [(503, "reading the log of pod")]


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(ended(), id="and its pod has ended"),
        pytest.param(replace(ended(), phase="Running"), id="and is never restarted"),
        pytest.param(
            replace(ended(), phase="Running", restarts_in_place=True), id="and has succeeded"
        ),
    ],
)
def test_a_container_that_ended_is_followed_no_further(pod: PodView) -> None:
    """Others of its pod may run on."""
    assert follow(Script([A]), pod) == (b"a\n", [LogRead("pod", "main")])


@pytest.mark.parametrize("in_place", [False, True], ids=["a Job's", "one that is restarted"])
def test_a_pod_that_ends_before_its_container_ran_has_no_log(in_place: bool) -> None:
    waiting = PodView(
        uid="p1", name="pod", phase="Failed", containers=(ContainerView(name="main"),)
    )
    script = Script([A])
    pod = replace(waiting, restarts_in_place=in_place)
    assert follow(script, pod) == (b"", [LogRead("pod", "main")])
    assert script.reads == []


def test_a_follower_knows_its_pod_and_the_latest_line() -> None:
    script = Script([A + B], B)
    follow(script, ended())
    assert script.follower is not None
    assert script.follower.pod_name == "pod"
    assert script.follower.seen == "2026-01-31T12:00:00.000000001Z"
