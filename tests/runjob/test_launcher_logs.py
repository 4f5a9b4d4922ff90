"""The story of a launch that reads logs: nothing is removed before their last byte."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.errors import ApiError, Exit
from runjob.messages import Answered, Created, LogGap, LogRead, Observed, Removed, Trouble
from runjob.observed import ContainerView, PodView, Terminated
from tests.runjob.launch_stage import (
    COMPLETE,
    CREATED,
    FAILED,
    JOB,
    JOB_GONE,
    KILL,
    READ,
    RUNS,
    Journal,
    Stage,
    ended,
    job,
    pod,
)
from tests.runjob.scenes import NOON


def test_the_end_waits_for_the_last_log_byte() -> None:
    stage = Stage((0, CREATED), (1, ended(3)), (1, FAILED), (9, READ))
    verdict = stage.play()
    assert verdict.exit_code == 1
    assert stage.inbox.now() == 9
    assert "exit code 3" in verdict.sentence


def test_a_log_that_never_ends_is_given_up_and_said() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE))
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.console.remarks == [
        "nothing more came in 30 s of the log of [hello-1/main]: the rest of it is lost"
    ]
    assert verdict.lost == (f"--- runjob: a gap: {stage.console.remarks[0]} ---",)
    assert any(thread.stopped for thread in stage.workshop.threads)
    assert any(thread.broken_off for thread in stage.workshop.threads)
    assert stage.workshop.removed


def test_a_log_is_read_as_long_as_it_comes() -> None:
    """A naive launcher gives the rest of a long log so many seconds in all, and deletes it."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (999, READ))

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard = thread.fresh = now()
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    assert stage.play().exit_code == 0
    assert now() == 999
    assert stage.console.remarks == []
    (heart,) = stage.workshop.heartbeats
    assert heart.kept_up > 999, "it lives all the while"


def test_a_log_that_brings_the_same_again_and_again_is_given_up_in_the_end() -> None:
    """As behind a proxy that resets each stream at one place: nothing of that tells an end."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (999, READ))

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard = now()
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    assert stage.play().exit_code == 0
    assert 150 < now() < 155
    assert "nothing more came in 150 s" in stage.console.remarks[-1]


@pytest.mark.parametrize(("answered", "at"), [(0, 230), (60, 290), (200, 350)])
def test_of_a_log_that_was_silent_before_its_container_ended_answers_count_as_long(
    answered: float, at: float
) -> None:
    """Else a log of few lines would have less time than others."""
    stage = Stage((0, CREATED), (1, RUNS), (200, ended(0)), (200, COMPLETE), (999, READ))

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard = min(now(), 200 + answered)
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    stage.play()
    assert at < now() < at + 2


def test_an_outage_takes_nothing_of_the_time_in_which_answers_count() -> None:
    """A kubelet that comes back with the API knows no pods at first, and says so."""
    stage = Stage(
        (0, CREATED), (1, ended(0)), (1, COMPLETE),
        (2, Trouble(ApiError(0, "refused"), "watching pods")), (300, Answered("watching pods")),
        (400, READ),
    )  # fmt: skip

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard = now() if now() >= 300 else 1.0
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    verdict = stage.play()
    assert (verdict.exit_code, verdict.lost, now()) == (0, (), 400)


def test_a_log_whose_printing_took_long_is_not_silent() -> None:
    """Its reader paused: the stream had brought its latest chunk long before."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (101.7, READ))

    def hears() -> float:
        for thread in stage.workshop.threads:
            thread.heard, thread.fresh = (now(), now()) if now() < 100 else (60, 100)
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    assert (stage.play().lost, now()) == ((), 101.7)


@pytest.mark.parametrize("api_timeout", [10, 600])
def test_a_log_is_waited_for_after_another_one_that_took_long(api_timeout: int) -> None:
    views = tuple(
        ContainerView(name=name, terminated=Terminated(exit_code=0)) for name in ("main", "other")
    )
    both = Observed(PodView(uid="p1", name="hello-1", phase="Succeeded", containers=views))
    stage = Stage(
        (0, CREATED), (1, both), (1, COMPLETE), (50, READ), (55, LogRead("hello-1", "other")),
        api_timeout=api_timeout,
    )  # fmt: skip

    def hears() -> float:
        for thread in stage.workshop.threads[2:3]:
            thread.heard = thread.fresh = min(now(), 50)
        return now()

    now, stage.inbox.now = stage.inbox.now, hears  # type: ignore[method-assign]
    assert (stage.play().lost, now()) == ((), 55)


def test_a_log_that_was_given_up_is_read_no_further() -> None:
    """Else its rest may stand behind the word that it is lost, or before it."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE))
    stage.play()
    (reader,) = (thread for thread in stage.workshop.threads if thread.pod_name)
    assert reader.stopped_before_the_end


def test_what_an_earlier_launch_had_given_up_is_told_by_the_one_that_tells_its_end() -> None:
    told = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE)).play()
    assert told.lost
    journal = Journal()
    journal.verdict = told
    taken_up = (0, Created(JOB, (), concluded=True))
    assert Stage(taken_up, (1, JOB_GONE), journal=journal).play().lost == told.lost
    stage = Stage(taken_up, (1, KILL), (2, Removed()), removes=False, journal=journal)
    killed = stage.play()
    assert (killed.exit_code, killed.lost) == (Exit.KILLED, told.lost)


@pytest.mark.parametrize("what", ["watching jobs", "watching pods"])
def test_the_wait_for_a_log_stands_still_while_the_api_is_away(what: str) -> None:
    stage = Stage(
        (0, CREATED),
        (1, ended(0)),
        (1, COMPLETE),
        (2, Trouble(ApiError(0, "refused"), what)),
        (500, Answered(what)),
        (529, READ),
    )
    assert stage.play().exit_code == 0
    assert stage.inbox.now() == 529
    assert stage.workshop.removed


def test_nothing_is_removed_when_the_api_stays_away_before_the_log_was_read() -> None:
    """A naive launcher deletes the Job as soon as the API is back, and its unread log with it."""
    stage = Stage(
        (0, CREATED),
        (1, ended(0)),
        (1, COMPLETE),
        (2, Trouble(ApiError(0, "refused"), "watching pods")),
        api_timeout=60,
    )
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.workshop.removed == []
    assert "NOT removed: the API gave no answer for" in verdict.left_behind
    assert "the log of [hello-1/main] is not read to its end" in verdict.left_behind
    assert "kubectl -n here delete job hello" in verdict.left_behind


def test_the_end_waits_for_a_pod_that_the_job_has_counted_already() -> None:
    stage = Stage((0, CREATED), (1, COMPLETE), (2, ended(0)), (2, READ))
    stage.play()
    assert stage.workshop.followed == [("hello-1", "main", True)]


def test_the_end_waits_for_pods_whose_watch_is_down_longer_than_the_jobs() -> None:
    away = ApiError(0, "Connection refused")
    stage = Stage(
        (0, CREATED),
        (1, Trouble(away, "watching pods")),
        (1, Trouble(away, "watching jobs")),
        (2, Answered("watching jobs")),
        (2, FAILED),
        (8, Answered("watching pods")),
        (9, ended(3)),
        (9, READ),
    )
    assert "exit code 3" in stage.play().sentence
    assert stage.workshop.followed == [("hello-1", "main", True)]


def test_what_could_not_be_read_is_said() -> None:
    lost = LogGap("hello-1", "main", "the pod was deleted")
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, lost), (1, lost), (1, READ))
    verdict = stage.play()
    assert (
        stage.console.remarks
        == ["not everything of [hello-1/main] could be read: the pod was deleted"] * 2
    )
    assert verdict.warnings == (
        "parts of the log that could not be read, each told of where it is missing: 2",
    )


def test_a_replacement_is_prefixed_though_the_first_pod_was_alone() -> None:
    second = ContainerView(name="main", terminated=Terminated(exit_code=0))
    stage = Stage(
        (0, CREATED),
        (1, ended(1)),
        (1, READ),
        (2, pod(second, uid="p2", name="hello-2", phase="Succeeded")),
        (2, job(succeeded=1, failed=1, conditions=COMPLETE.seen.conditions)),  # type: ignore[union-attr]
        (2, LogRead("hello-2", "main")),
    )
    stage.play()
    assert stage.workshop.followed == [("hello-1", "main", True), ("hello-2", "main", False)]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"parallelism": 2}, id="parallel pods"),
        pytest.param({"completions": 2}, id="several completions"),
        pytest.param(
            {"template": {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}},
            id="two containers",
        ),
    ],
)
def test_several_sources_are_prefixed_from_the_first_line(spec: dict[str, Any]) -> None:
    created = Created({**JOB, "spec": spec}, ())
    stage = Stage((0, created), (1, ended(0)), (1, COMPLETE), (1, READ))
    stage.play()
    assert stage.workshop.followed == [("hello-1", "main", False)]


def test_the_last_words_of_a_killed_container_are_waited_for() -> None:
    """They come after the pod has gone, since the node keeps a log a moment longer."""
    running = ContainerView(name="main", running=NOON)
    stage = Stage(
        (0, CREATED),
        (1, pod(running, phase="Running")),
        (2, KILL),
        (3, pod(running, gone=True, phase="Running")),
        (3, JOB_GONE),
        (4, READ),
    )
    assert stage.play().exit_code == Exit.KILLED
    assert stage.inbox.now() == 4


LOST = "the launch was ended before the end of the log of [hello-1/main]: the rest of it is lost"
BEHIND = job(failed=1, backoff_limit=3)


@pytest.mark.parametrize(
    ("steps", "at", "remarks"),
    [
        pytest.param([(1, RUNS), (3, BEHIND), (4, KILL), (5, ended(1)), (5, READ)], 5, [],
                     id="the Job counts a pod before its end is seen"),
        pytest.param([(1, RUNS), (4, KILL)], 4, [LOST], id="what runs is not waited for"),
        pytest.param([(1, RUNS), (4, KILL), (9, READ)], 4, [], id="what it says as it ends"),
        pytest.param([(1, ended(1)), (3, BEHIND), (4, KILL)], 6, [LOST], id="two seconds at most"),
        pytest.param([(1, RUNS), (3, BEHIND), (4, KILL)], 6, [LOST],
                     id="for what is not seen as well"),
        pytest.param([(1, ended(1)), (4, KILL), (9, READ)], 6, [], id="what comes after all"),
        pytest.param([(1, ended(1)), (4, KILL), (5, KILL)], 5, [LOST], id="a second signal"),
        pytest.param([(1, ended(1)), (4, KILL), (4, KILL)], 4, [LOST], id="two at once"),
        pytest.param([(1, RUNS), (4, KILL), (5, KILL)], 4, [LOST],
                     id="a second one while it ends"),
        pytest.param([(1, ended(1)), (1, FAILED), (9, KILL), (10, READ)], 10, [],
                     id="a signal while the log of an ended Job is read"),
        pytest.param([(1, ended(1)), (1, FAILED), (9, KILL)], 11, [LOST],
                     id="such a log that does not end"),
    ],
)  # fmt: skip
def test_a_signal_gives_what_has_ended_a_moment_and_says_what_is_lost(
    steps: list[Any], at: float, remarks: list[str]
) -> None:
    """A naive launcher deletes at once, and nobody knows what the last attempt said."""
    stage = Stage((0, CREATED), *steps, (12, pod(gone=True)), (12, JOB_GONE))
    verdict = stage.play()
    assert verdict.exit_code == Exit.KILLED
    assert stage.workshop.removed_at == [at]
    assert [line for line in stage.console.remarks if "is lost" in line] == remarks
    assert verdict.lost == tuple(f"--- runjob: a gap: {line} ---" for line in remarks)


def test_a_pod_that_a_killed_launch_never_saw_is_told() -> None:
    stage = Stage((0, CREATED), (3, BEHIND), (4, KILL), (12, JOB_GONE))
    verdict = stage.play()
    assert verdict.exit_code == Exit.KILLED
    unseen = "1 of the Job's pods could not be seen before the end: what they wrote was not read"
    assert unseen in stage.console.remarks
    assert verdict.lost == (f"--- runjob: a gap: {unseen} ---",)
