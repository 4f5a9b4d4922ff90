"""A log that is not given, breaks off, or is no more, and a follower that is told to stop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runjob import follower as following
from runjob.errors import ApiError, NoClusterError
from runjob.logend import STRANGERS
from runjob.messages import LogRead
from runjob.observed import ContainerView, PodView
from runjob.retry import REFUSALS
from tests.runjob.follower_stage import (
    A,
    B,
    C,
    Script,
    ended,
    follow,
    lost,
    running,
    troubles,
)

STATUS = [
    pytest.param(403, id="forbidden"),
    pytest.param(404, id="unknown"),
]


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


@pytest.mark.parametrize(
    ("latest", "printed"), [pytest.param(C, b"c\n", id="lines"), pytest.param(b"", b"", id="none")]
)
def test_a_later_run_of_which_nothing_but_words_is_left_is_lost(
    latest: bytes, printed: bytes
) -> None:
    """A kubelet removed its container while the end of the run before was looked for."""
    words = b"unable to retrieve container logs for containerd://1"
    script = Script([A, words, latest], views={1: ended(2)})
    written, told = follow(script, replace(running(), restarts_in_place=True))
    assert lost(told) == [
        "what it wrote in its run 2, if anything, could not be read: "
        "unable to retrieve container logs for containerd://1"
    ]
    first, gap, *rest = written.splitlines(keepends=True)
    assert (first, b"".join(rest)) == (b"a\n", printed)
    assert gap.startswith(b"--- runjob: a gap: ")


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
