"""The story of a launch, told by a script of messages."""

from __future__ import annotations

import pytest

from runjob.errors import ApiError, Exit, LaunchError
from runjob.messages import Answered, Listed, Message, Named, NotCreated, Observed, Settled, Trouble
from runjob.observed import ContainerView, JobView
from tests.runjob.launch_stage import (
    COMPLETE,
    CREATED,
    FAILED,
    JOB,
    JOB_GONE,
    KILL,
    MADE,
    NO_POD,
    READ,
    RUNNING,
    RUNS,
    UID,
    UNSCHEDULABLE,
    Stage,
    ended,
    job,
    pod,
)


def test_a_job_that_completes_is_removed_and_reported() -> None:
    stage = Stage((0, CREATED), (0.5, NO_POD), (0.9, ended(0)), (0.9, COMPLETE), (0.9, READ))
    verdict = stage.play()
    assert verdict.exit_code == 0
    assert stage.workshop.removed == [(JOB, (), False)]
    assert stage.workshop.watched == ["jobs", "pods"]
    assert all(thread.stopped for thread in stage.workshop.threads)
    (heart,) = stage.workshop.heartbeats
    assert heart.stopped
    assert [view.succeeded for view in heart.seen][:3] == [0, 0, 1]
    assert stage.workshop.kept == []


def test_what_explains_a_failure_is_asked_for_before_the_job_is_removed() -> None:
    stage = Stage((0, CREATED), (1, ended(3)), (1, FAILED), (1, READ))
    assert stage.play().exit_code == 1
    assert stage.workshop.asked == ["p1", UID]
    assert stage.workshop.removed


def test_a_quiet_launch_wakes_up_for_each_sign_of_life_and_for_nothing_else() -> None:
    stage = Stage((0, CREATED), (1, job(active=1, ready=1)), (1000, ended(0)), (1000, COMPLETE),
                  (1000, READ))  # fmt: skip
    stage.workshop.due = 300.0
    assert stage.play().exit_code == 0
    (heart,) = stage.workshop.heartbeats
    # A few looks at the clock at the start, then one each 300 s.
    assert 4 <= heart.kept_up < 20


def test_a_job_that_is_kept_is_settled_and_what_is_left_to_do_is_said() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), keep="always")
    stage.workshop.unsettled = "do it with: kubectl"
    assert stage.play().exit_code == 0
    assert stage.workshop.kept == [(JOB, True)]
    assert "do it with: kubectl" in stage.console.remarks


def test_a_job_that_takes_long_to_be_settled_is_waited_for() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (99, Settled("do it")),
                  keep="always")  # fmt: skip
    stage.workshop.settles = False
    assert stage.play().exit_code == 0
    assert stage.inbox.now() == 99
    assert "do it" in stage.console.remarks


def test_events_are_watched_while_a_pod_waits_and_not_while_it_runs() -> None:
    stage = Stage((0, CREATED), (0.5, pod()), (9, RUNS), (1000, ended(0)), (1000, COMPLETE),
                  (1000, READ))  # fmt: skip
    assert stage.play().exit_code == 0
    assert stage.workshop.watched == ["jobs", "pods", "events"]
    _, _, events, *_ = stage.workshop.threads
    assert events.stopped_before_the_end


@pytest.mark.parametrize(
    ("keep", "end", "code", "removed"),
    [
        pytest.param("never", COMPLETE, 0, True, id="never, succeeded"),
        pytest.param("failed", COMPLETE, 0, True, id="failed, succeeded"),
        pytest.param("failed", FAILED, 1, False, id="failed, failed"),
        pytest.param("always", COMPLETE, 0, False, id="always, succeeded"),
    ],
)
def test_keep_decides_whether_an_ended_job_stays(
    keep: str, end: Observed, code: int, removed: bool
) -> None:
    stage = Stage((0, CREATED), (1, ended(code)), (1, end), (1, READ), keep=keep)
    verdict = stage.play()
    assert verdict.exit_code == code
    assert bool(stage.workshop.removed) is removed
    assert ("kept" in verdict.sentence) is not removed


def test_a_job_that_others_delete_and_something_holds_is_not_called_kept() -> None:
    leaving = job(failed=1, leaving=True, held=True)
    stage = Stage((0, CREATED), (1, ended(1)), (1, READ), (2, leaving), keep="always")
    verdict = stage.play()
    assert verdict.exit_code == Exit.DELETED
    assert stage.workshop.removed_at == [2], "by which it is known, and said, what holds it"
    assert "kept" not in verdict.left_behind


def test_a_job_that_could_start_yet_is_removed_even_with_keep() -> None:
    missing = pod(ContainerView(name="main", waiting=("InvalidImageName", "bad")))
    stage = Stage(
        (0, CREATED), (1, missing), (1, pod(gone=True)), (1, JOB_GONE), keep="always"
    )  # fmt: skip
    assert stage.play().exit_code == Exit.IMAGE
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_refused_create_leaves_nothing_of_what_came_before_it() -> None:
    refused = NotCreated(LaunchError("the API refused it", Exit.REFUSED), (MADE,))
    stage = Stage((0, refused))
    verdict = stage.play()
    assert (verdict.exit_code, verdict.ending.text) == (3, "was not created: the API refused it")
    assert stage.workshop.removed == [(None, (MADE,), False)]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(
            (NotCreated(LaunchError("no answer", Exit.UNREADABLE), unsure=True),),
            id="the API gave no answer",
        ),
        pytest.param((KILL, KILL), id="nobody waits for its answer"),
    ],
)
def test_a_create_in_doubt_is_told_under_the_name_that_was_tried(end: tuple[Message, ...]) -> None:
    verdict = Stage((0, Named("hello-2")), *((1, message) for message in end)).play()
    assert verdict.job == "hello-2"
    assert "get job hello-2;" in verdict.left_behind


def test_a_job_that_somebody_deletes_is_told_as_that() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, JOB_GONE), (3, pod(gone=True)), (3, READ))
    assert stage.play().exit_code == Exit.DELETED
    assert stage.workshop.removed == [(None, (), False)]


def test_another_job_of_that_name_means_that_ours_is_gone() -> None:
    other = Observed(JobView(uid="u2", name="hello"))
    assert Stage((0, CREATED), (1, other)).play().exit_code == Exit.DELETED


def test_a_list_without_the_job_means_that_it_is_gone() -> None:
    stage = Stage((0, CREATED), (1, Listed("Job", frozenset())))
    assert stage.play().exit_code == Exit.DELETED


def test_a_pod_that_waits_too_long_ends_the_job() -> None:
    stage = Stage((0, CREATED), (1, UNSCHEDULABLE), start_timeout=60)
    stage.inbox._steps.append((62, pod(gone=True)))
    stage.inbox._steps.append((63, JOB_GONE))
    verdict = stage.play()
    assert verdict.exit_code == Exit.UNSCHEDULABLE
    assert "within 60 s" in verdict.sentence


def test_each_step_of_a_pod_gives_it_new_time() -> None:
    stage = Stage(
        (0, CREATED),
        (50, UNSCHEDULABLE),
        (100, pod()),
        (150, ended(0)),
        (150, COMPLETE),
        (150, READ),
        start_timeout=60,
    )
    assert stage.play().exit_code == 0


def test_a_running_pod_has_all_the_time_it_wants() -> None:
    running = job(active=1, ready=1)
    stage = Stage(
        (0, CREATED), (1, running), (9999, ended(0)), (9999, COMPLETE), (9999, READ)
    )  # fmt: skip
    assert stage.play().exit_code == 0


def test_waiting_is_explained_once_per_change() -> None:
    stage = Stage(
        (0, CREATED),
        (1, UNSCHEDULABLE),
        (5, UNSCHEDULABLE),
        (6, UNSCHEDULABLE),
        (7, ended(0)),
        (7, COMPLETE),
        (7, READ),
    )
    stage.play()
    assert stage.console.remarks == ["waiting: pod hello-1: Unschedulable: 0/3 nodes"]
    assert "events" in stage.workshop.watched


def test_a_short_wait_is_not_worth_a_line() -> None:
    stage = Stage((0, CREATED), (0.2, pod()), (0.9, ended(0)), (0.9, COMPLETE), (0.9, READ))
    stage.play()
    assert stage.console.remarks == []
    assert "events" not in stage.workshop.watched


def test_an_api_that_is_away_for_a_while_is_ridden_out() -> None:
    error = Trouble(ApiError(0, "Connection refused"), "watching jobs")
    stage = Stage(
        (0, CREATED),
        (1, RUNNING),
        (2, error),
        (5, error),
        (12, Answered("watching jobs")),
        (13, error),
        (14, Answered("watching jobs")),
        (14, ended(0)),
        (14, COMPLETE),
        (14, READ),
    )
    assert stage.play().exit_code == 0
    assert stage.console.remarks == [
        "trouble watching jobs: Connection refused; trying on",
        "the API answers again, after 10 s",
        "the API answers again, after 1 s",
    ]


def test_an_api_that_stays_away_ends_the_launch_but_not_the_job() -> None:
    error = Trouble(ApiError(0, "Connection refused"), "watching jobs")
    stage = Stage((0, CREATED), (1, RUNNING), (2, error), api_timeout=60)
    verdict = stage.play()
    assert verdict.exit_code == Exit.UNREADABLE
    assert "The Job lives on" in verdict.sentence
    assert stage.workshop.removed == []
