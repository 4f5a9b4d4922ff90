"""The story of a launch that a signal ends, in whatever step it comes."""

from __future__ import annotations

import signal

import pytest

from runjob.errors import Exit, LaunchError
from runjob.messages import Created, NotCreated, Removed, Signalled
from tests.runjob.launch_stage import (
    COMPLETE,
    CREATED,
    JOB,
    JOB_GONE,
    KILL,
    READ,
    RUNNING,
    Stage,
    ended,
    pod,
)


def test_a_signal_is_heard_while_a_job_that_is_kept_is_settled_and_removes_it() -> None:
    """As after any other end: an API that hangs there held the launch for minutes."""
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (9, KILL),
                  (10, pod(gone=True)), (11, JOB_GONE), keep="always")  # fmt: skip
    stage.workshop.settles = False
    verdict = stage.play()
    assert (verdict.exit_code, verdict.left_behind) == (8, "")
    assert stage.inbox.now() == 11
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_signal_before_the_create_is_answered_cancels_it() -> None:
    stage = Stage((0, KILL), (1, NotCreated(LaunchError("ended", Exit.KILLED))))
    verdict = stage.play()
    assert stage.workshop.cancelled
    assert verdict.exit_code == 8
    assert stage.console.remarks == ["SIGTERM: creating nothing more"]
    assert verdict.sentence == "was killed by SIGTERM. Nothing had been created."


def test_a_signal_in_the_wait_for_an_earlier_job_tells_of_its_removal() -> None:
    gone = NotCreated(LaunchError("ended", Exit.KILLED), leaving="here/hello")
    verdict = Stage((0, KILL), (1, gone)).play()
    assert verdict.exit_code == 8
    assert (
        "Nothing had been created, but the earlier Job here/hello is being removed"
        in verdict.sentence
    )


def test_a_job_that_was_created_after_all_is_removed_after_a_signal() -> None:
    stage = Stage((0, KILL), (1, CREATED), (2, JOB_GONE))
    assert stage.play().exit_code == 8
    assert stage.workshop.removed == [(JOB, (), True)]


def test_a_second_signal_does_not_wait_for_the_create() -> None:
    stage = Stage((0, KILL), (1, KILL))
    verdict = stage.play()
    assert verdict.exit_code == 8
    assert "not known whether the Job was created" in verdict.sentence


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 8, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 8, id="SIGHUP"),
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
    ],
)
def test_a_signal_removes_the_job_and_waits_until_its_pods_are_gone(number: int, code: int) -> None:
    stage = Stage(
        (0, CREATED), (1, RUNNING), (2, Signalled(number)), (9, pod(gone=True)), (10, JOB_GONE)
    )  # fmt: skip
    verdict = stage.play()
    assert verdict.exit_code == code
    assert stage.inbox.now() == 10
    assert "Job and pods are gone" in verdict.sentence
    assert stage.workshop.removed == [(JOB, (), True)]


def test_what_is_not_gone_in_time_is_said_with_the_command_that_removes_it() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL))
    verdict = stage.play()
    assert verdict.exit_code == 8
    assert "NOT removed yet: Job here/hello, pod hello-1" in verdict.sentence
    assert "kubectl -n here delete job hello" in verdict.sentence


def test_a_second_signal_hurries_the_removal() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL), (3, KILL), (90, JOB_GONE))
    assert stage.play().exit_code == 8
    assert stage.inbox.now() == 3


def test_two_signals_at_once_hurry_but_the_deletion_is_waited_for() -> None:
    stage = Stage((0, CREATED), (1, RUNNING), (2, KILL), (2, KILL), (4, Removed()), removes=False)
    verdict = stage.play()
    assert (verdict.exit_code, stage.inbox.now()) == (8, 4)
    assert stage.workshop.removed == [(JOB, (), True)]


def test_after_two_signals_no_wait_is_announced_that_will_not_be() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (2, KILL), (2, KILL))
    assert (stage.play().exit_code, stage.inbox.now()) == (8, 2)
    assert not any("waiting up to" in line for line in stage.console.remarks)


def test_a_signal_after_the_end_still_counts() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, KILL), (2, JOB_GONE))
    assert stage.play().exit_code == 8


def test_a_signal_in_the_very_last_step_still_counts() -> None:
    stage = Stage((0, CREATED), (1, ended(0)), (1, COMPLETE), (1, READ), (2, KILL), removes=False)
    assert stage.play().exit_code == 8


def test_the_pods_own_grace_period_is_waited_for() -> None:
    spec = {"template": {"spec": {"terminationGracePeriodSeconds": 100}}}
    created = Created({**JOB, "spec": spec}, ())
    stage = Stage((0, created), (1, RUNNING), (2, KILL), (110, pod(gone=True)), (110, JOB_GONE))
    assert "Job and pods are gone" in stage.play().sentence
