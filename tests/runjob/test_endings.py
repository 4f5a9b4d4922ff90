"""How a Job ends: its own conditions decide, and what cannot start is not waited for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runjob.endings import Ending, early_end, natural_end, overdue_end
from runjob.errors import Exit
from runjob.lease import Lease
from runjob.observed import Picture, PodView
from tests.runjob.scenes import (
    BACKOFF,
    COMPLETE,
    JOB,
    condition,
    container,
    ended,
    event,
    failed,
    picture,
    pod,
    succeeded,
    waiting,
)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        pytest.param(picture(), None, id="new"),
        pytest.param(picture(succeeded(), succeeded=1), None, id="pods do not decide"),
        pytest.param(picture(failed(), failed=1), None, id="failed pods do not decide"),
        pytest.param(picture(condition("SuccessCriteriaMet")), None, id="about to complete"),
        pytest.param(picture(condition("FailureTarget")), None, id="about to fail"),
        pytest.param(picture(condition("Suspended")), None, id="suspended"),
        pytest.param(picture(condition("Complete", status="False")), None, id="not complete"),
        pytest.param(picture(COMPLETE), 0, id="complete"),
        pytest.param(picture(COMPLETE, gone=True), 0, id="complete, then deleted"),
        pytest.param(picture(failed(), COMPLETE, failed=1), 0, id="complete after a retry"),
        pytest.param(picture(BACKOFF), 1, id="failed"),
        pytest.param(picture(BACKOFF, gone=True), 1, id="failed, then deleted"),
        pytest.param(picture(succeeded(), BACKOFF, succeeded=1), 1, id="one of several failed"),
        pytest.param(picture(condition("Failed", "DeadlineExceeded")), 13, id="deadline"),
        pytest.param(
            picture(condition("Failed", "DeadlineExceeded"), lease=Lease(kills=True, in_effect=9)),
            13,
            id="a lease that ran out",
        ),
        pytest.param(picture(gone=True), 14, id="deleted by somebody else"),
        pytest.param(picture(gone=True, killed=True), 8, id="deleted by the kill of its run"),
        pytest.param(picture(gone=True, replaced=True), 14, id="replaced by a newer launch"),
        pytest.param(picture(succeeded(), gone=True, succeeded=1), 14, id="deleted, nearly done"),
    ],
)
def test_only_the_jobs_conditions_decide(seen: Picture, code: int | None) -> None:
    ending = natural_end(seen)
    assert (ending and ending.code) == code
    assert ending is None or ending.final


STUCK = ended(128, "StartError", message='exec: "nope": executable file not found in $PATH')


@pytest.mark.parametrize(
    ("seen", "text", "hint"),
    [
        pytest.param(
            picture(failed(4), BACKOFF),
            "failed: container main of pod hello-uid-of-the-pod ended with exit code 4",
            "the program's last lines above tell why",
            id="by itself",
        ),
        pytest.param(
            picture(failed(4), BACKOFF, succeeded=2),
            "failed: container main of pod hello-uid-of-the-pod ended with exit code 4; "
            "2 pod(s) succeeded before",
            "the program's last lines above tell why",
            id="after others succeeded",
        ),
        pytest.param(
            picture(failed(4, "1", 5), failed(5, "2", 1), BACKOFF),
            "failed: container main of pod hello-1 ended with exit code 4",
            "the program's last lines above tell why",
            id="the last of several attempts",
        ),
        pytest.param(
            picture(failed(127), BACKOFF),
            "failed: container main of pod hello-uid-of-the-pod ended with exit code 127",
            "the image lacks the command, or may not run it: mend -k or the image",
            id="no such command",
        ),
        pytest.param(
            picture(failed(137), BACKOFF),
            "failed: container main of pod hello-uid-of-the-pod ended with exit code 137 (SIGKILL)",
            "something killed the container: the node, a limit, or somebody's kill -9",
            id="killed",
        ),
        pytest.param(
            picture(failed(137, reason="OOMKilled"), BACKOFF),
            "failed: container main of pod hello-uid-of-the-pod ended with exit code 137 (SIGKILL)"
            ", OOMKilled",
            "give it more memory (--limits memory=…), or let it use less",
            id="out of memory",
        ),
        pytest.param(
            picture(pod(phase="Failed", reason="Evicted", message="low on memory"), BACKOFF),
            "failed: pod hello-x7k2p failed: Evicted (low on memory)",
            "the node ran short of something; ask for what the pod needs (--requests)",
            id="evicted",
        ),
        pytest.param(
            picture(BACKOFF),
            "failed: BackoffLimitExceeded (Job has reached the specified backoff limit)",
            "look at the events above",
            id="nobody saw the pod",
        ),
        pytest.param(
            picture(condition("Failed", "PodFailurePolicy", "Pod matched rule 0")),
            "failed: PodFailurePolicy (Pod matched rule 0)",
            "",
            id="by its own policy",
        ),
        pytest.param(
            picture(condition("Failed")),
            "failed: no reason given",
            "look at the events above",
            id="without a reason",
        ),
    ],
)
def test_a_failed_job_says_what_failed(seen: Picture, text: str, hint: str) -> None:
    assert natural_end(seen) == Ending(code=Exit.FAILED, text=text, hint=hint)


DEADLINE = condition("Failed", "DeadlineExceeded")


def test_a_lease_that_ran_out_is_not_blamed_on_the_users_deadline() -> None:
    lost = Lease(every=300, kills=True, in_effect=1200, deadline=7200)
    ending = natural_end(picture(failed(137), DEADLINE, lease=lost))
    assert ending is not None
    assert "its lease ran out (--on-lost kill): for 15 min no sign of life" in ending.text
    assert "its own deadline was not reached" in ending.hint
    own = replace(lost, in_effect=7200)
    ending = natural_end(picture(failed(137), DEADLINE, lease=own))
    assert ending is not None
    assert "ran into its deadline (activeDeadlineSeconds)" in ending.text


@pytest.mark.parametrize(
    ("seen", "more"),
    [
        pytest.param(picture(DEADLINE), "", id="with nothing to tell"),
        pytest.param(picture(failed(137), DEADLINE), "", id="while it ran"),
        pytest.param(
            picture(pod(waiting("ErrImagePull", "pull QPS exceeded")), DEADLINE),
            " while it waited: image of main cannot be pulled: pull QPS exceeded",
            id="while it pulled",
        ),
    ],
)
def test_a_deadline_says_what_held_the_job_up(seen: Picture, more: str) -> None:
    ending = natural_end(seen)
    assert ending is not None
    assert ending.text == (f"failed: the Job ran into its deadline (activeDeadlineSeconds){more}")


def test_a_job_that_failed_since_it_could_not_start_says_so() -> None:
    seen = picture(pod(container(terminated=STUCK), phase="Failed"), BACKOFF)
    ending = natural_end(seen)
    assert ending is not None
    assert (ending.code, ending.final) == (Exit.CONFIGURATION, True)
    assert ending.text == f"cannot start: StartError: {STUCK.message}"


def test_a_job_that_ran_before_it_could_not_start_has_failed() -> None:
    stuck = pod(container(terminated=STUCK), uid="2", phase="Failed")
    ending = natural_end(picture(failed(4), stuck, BACKOFF))
    assert ending is not None
    assert ending.code == Exit.FAILED


@pytest.mark.parametrize(
    ("seen", "code", "text"),
    [
        pytest.param(picture(), None, "", id="new"),
        pytest.param(picture(pod(waiting("ContainerCreating"))), None, "", id="waits"),
        pytest.param(
            picture(pod(waiting("InvalidImageName", "no name"))),
            Exit.IMAGE,
            "cannot start: pod hello-x7k2p: InvalidImageName: no name",
            id="no image",
        ),
        pytest.param(
            picture(event("FailedCreate", 'pods "x" is forbidden: no', about=JOB)),
            Exit.CONFIGURATION,
            'cannot start: the Job cannot create its pod: pods "x" is forbidden: no',
            id="no pod",
        ),
    ],
)
def test_an_end_that_is_certain_is_not_waited_for(
    seen: Picture, code: Exit | None, text: str
) -> None:
    ending = early_end(seen)
    if code is None:
        assert ending is None
        return
    assert ending is not None
    assert (ending.code, ending.text, ending.final) == (code, text, False)


@pytest.mark.parametrize(
    ("seen", "code", "text"),
    [
        pytest.param(
            picture(
                pod(
                    node="",
                    conditions=(
                        condition("PodScheduled", "Unschedulable", "0/3 nodes", status="False"),
                    ),
                )
            ),
            Exit.UNSCHEDULABLE,
            "Unschedulable: 0/3 nodes",
            id="no node",
        ),
        pytest.param(
            picture(
                pod(
                    node="",
                    conditions=(
                        condition(
                            "PodScheduled",
                            "Unschedulable",
                            'persistentvolumeclaim "a" not found',
                            status="False",
                        ),
                    ),
                )
            ),
            Exit.CONFIGURATION,
            'Unschedulable: persistentvolumeclaim "a" not found',
            id="no claim",
        ),
        pytest.param(
            picture(pod(waiting("ErrImagePull", "pull QPS exceeded"))),
            Exit.IMAGE,
            "image of main cannot be pulled: pull QPS exceeded",
            id="no image",
        ),
        pytest.param(
            picture(pod(waiting("ContainerCreating"))),
            Exit.NOT_STARTED,
            "ContainerCreating",
            id="anything else",
        ),
        pytest.param(
            picture(pod(phase="Running")), Exit.NOT_STARTED, "no reason was given", id="nothing"
        ),
    ],
)
def test_a_start_that_takes_too_long_says_what_it_waited_for(
    seen: Picture, code: Exit, text: str
) -> None:
    ending = overdue_end(seen, 600)
    assert (ending.code, ending.final) == (code, False)
    assert ending.text == f"did not start within 600 s: {text}"
    assert ending.hint.endswith("(--start-timeout)")


@pytest.mark.parametrize(
    ("killed", "code"), [(True, Exit.KILLED), (False, Exit.DELETED)], ids=["a kill", "somebody"]
)
@pytest.mark.parametrize("last", [pod(gone=True), pod(phase="Failed")], ids=["gone", "ended"])
def test_a_job_that_is_deleted_and_held_is_over_with_its_pods(
    killed: bool, code: Exit, last: PodView
) -> None:
    end = natural_end(picture(last, leaving=True, held=True, killed=killed))
    assert end is not None
    assert end.code is code


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(picture(pod(), leaving=True, held=True), id="a pod is there"),
        pytest.param(picture(active=1, leaving=True, held=True), id="a pod is yet to be seen"),
        pytest.param(picture(pod(gone=True), leaving=True), id="the pods are being deleted"),
    ],
)
def test_a_job_that_is_deleted_is_not_over_before_its_pods(seen: Picture) -> None:
    assert natural_end(seen) is None


def test_a_job_that_is_deleted_and_held_is_not_over_before_each_pod_was_seen() -> None:
    """Else the log of a pod whose watch lags behind the Job's is lost, and the pod runs on."""
    leaving: dict[str, Any] = {"active": 1, "succeeded": 1, "leaving": True, "held": True}
    assert natural_end(picture(succeeded("a"), **leaving)) is None
    assert natural_end(picture(succeeded("a"), pod(uid="b"), **leaving)) is None
    over = natural_end(picture(succeeded("a"), succeeded("b"), **leaving))
    assert over is not None
    assert over.code is Exit.DELETED
