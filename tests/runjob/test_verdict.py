"""The Job's own conditions decide, and the verdict says why in plain words."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.diagnosis import describe, failures, main_container_code, warnings
from runjob.endings import Ending, early_end, natural_end, overdue_end
from runjob.errors import Exit
from runjob.lease import Lease
from runjob.motion import is_moving, progress
from runjob.observed import ContainerView, Picture, PodView, Terminated
from runjob.result import as_json
from runjob.verdict import Verdict, exit_code, verdict
from tests.runjob.scenes import (
    JOB,
    NOON,
    POD,
    at,
    condition,
    container,
    ended,
    event,
    picture,
    pod,
    waiting,
)

COMPLETE = condition("Complete")
BACKOFF = condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


def failed(exit_code: int = 4, uid: str = POD, seconds: float = 0, **more: Any) -> PodView:
    """Return a pod whose main container failed."""
    end = ended(exit_code, seconds=seconds, **more)
    return pod(container(terminated=end), uid=uid, name=f"hello-{uid}", phase="Failed")


def succeeded(uid: str = POD, seconds: float = 0) -> PodView:
    view = container(terminated=ended(0, seconds=seconds))
    return pod(view, uid=uid, name=f"hello-{uid}", phase="Succeeded")


# -- how it ended --------------------------------------------------------------------------------


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


# -- whether it moves ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "moving"),
    [
        pytest.param(picture(), False, id="new"),
        pytest.param(picture(ready=1), True, id="a pod is ready"),
        pytest.param(picture(pod(waiting("ContainerCreating"))), False, id="is made"),
        pytest.param(
            picture(pod(waiting("ContainerCreating")), event("Pulling", "Pulling image")),
            True,
            id="pulls",
        ),
        pytest.param(picture(pod(container(running=NOON), phase="Running")), True, id="runs"),
        pytest.param(
            picture(pod(container(running=NOON), waiting("ImagePullBackOff", name="other"))),
            True,
            id="one of two runs",
        ),
        pytest.param(
            picture(pod(waiting("CrashLoopBackOff", last=ended(1)), phase="Running")),
            True,
            id="restarts",
        ),
        pytest.param(
            picture(pod(waiting("Odd", last=ended(1)))), False, id="waits after it has run"
        ),
        pytest.param(picture(failed()), False, id="has failed"),
    ],
)
def test_a_job_moves_while_something_is_under_way(seen: Picture, moving: bool) -> None:
    assert is_moving(seen) is moving


def test_progress_grows_with_every_step_and_every_pod() -> None:
    first, main = container("first", role="init"), container()
    ran = container("first", role="init", terminated=ended(0))
    steps = [
        picture(),
        picture(pod(first, main, node="")),
        picture(pod(first, main)),
        picture(pod(container("first", role="init", running=NOON), main)),
        picture(pod(ran, main)),
        picture(pod(ran, container(running=NOON))),
        picture(pod(ran, container(terminated=ended(0)), phase="Succeeded")),
        picture(pod(ran, container(terminated=ended(0)), phase="Succeeded"), pod(uid="2")),
    ]
    found = [progress(step) for step in steps]
    assert found == sorted(set(found))


# -- diagnosis -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "view", "owner", "text"),
    [
        pytest.param(ended(4), container(), pod(), "exit code 4", id="by itself"),
        pytest.param(ended(0), container(), pod(), "exit code 0", id="well"),
        pytest.param(
            Terminated(exit_code=3), container(), pod(), "exit code 3", id="without a reason"
        ),
        pytest.param(ended(143), container(), pod(), "exit code 143 (SIGTERM)", id="SIGTERM"),
        pytest.param(ended(139), container(), pod(), "exit code 139 (SIGSEGV)", id="SIGSEGV"),
        pytest.param(ended(255), container(), pod(), "exit code 255", id="255 is no signal"),
        pytest.param(ended(128), container(), pod(), "exit code 128", id="128 is no signal"),
        pytest.param(
            ended(1, signal=9),
            container(),
            pod(),
            "exit code 1 (SIGKILL)",
            id="told by the runtime",
        ),
        pytest.param(
            ended(1, signal=99), container(), pod(), "exit code 1 (signal 99)", id="no such signal"
        ),
        pytest.param(
            ended(137, "OOMKilled"),
            container(memory_limit="16Mi"),
            pod(),
            "exit code 137 (SIGKILL), OOMKilled, its memory limit is 16Mi",
            id="out of memory, with its limit",
        ),
        pytest.param(
            ended(137, "OOMKilled"),
            container(),
            pod(),
            "exit code 137 (SIGKILL), OOMKilled",
            id="out of memory of the node",
        ),
        pytest.param(
            ended(128, "ContainerCannotRun"),
            container(),
            pod(),
            "exit code 128, ContainerCannotRun",
            id="another reason",
        ),
        pytest.param(
            ended(137),
            container(),
            pod(reason="Evicted", message="The node was low on resource: memory."),
            "exit code 137 (SIGKILL); the pod was Evicted (The node was low on resource: memory.)",
            id="evicted",
        ),
        pytest.param(
            ended(137),
            container(),
            pod(reason="Terminated"),
            "exit code 137 (SIGKILL); the pod was Terminated",
            id="a pod without a message",
        ),
        pytest.param(
            ended(1, message="first\n  last\n"),
            container(),
            pod(),
            "exit code 1: first last",
            id="with a last word",
        ),
        pytest.param(
            ended(1, message="x" * 501 + "y"),
            container(),
            pod(),
            f"exit code 1: {'x' * 499}y",
            id="with a long last word",
        ),
    ],
)
def test_an_end_is_told_in_words(
    end: Terminated, view: ContainerView, owner: PodView, text: str
) -> None:
    assert describe(view, end, owner) == f"ended with {text}"


@pytest.mark.parametrize(
    "number", [each for each in signal.Signals if each < 32], ids=lambda number: number.name
)
def test_an_exit_code_behind_a_signal_names_it(number: signal.Signals) -> None:
    text = describe(container(), ended(128 + number), pod())
    assert f"({number.name})" in text


@pytest.mark.parametrize("code", [160, 161, 192, 254])
def test_an_exit_code_beyond_the_signals_names_none(code: int) -> None:
    assert describe(container(), ended(code), pod()) == f"ended with exit code {code}"


def names(seen: Picture) -> list[tuple[str, str, int, int]]:
    return [(each.pod, each.container, each.attempt, each.exit_code) for each in failures(seen)]


def test_every_failed_run_is_told_the_earliest_first() -> None:
    restarted = pod(
        container("first", role="init", terminated=ended(0, seconds=1)),
        container(last=ended(2, seconds=5), terminated=ended(3, seconds=9)),
        container("other", terminated=ended(0, seconds=9)),
        name="a",
        phase="Failed",
    )
    late = pod(container(terminated=ended(1, seconds=7)), uid="2", name="b", phase="Failed")
    assert names(picture(restarted, late)) == [
        ("a", "main", 1, 2),
        ("b", "main", 2, 1),
        ("a", "main", 1, 3),
    ]


def test_a_run_that_is_told_twice_counts_once() -> None:
    end = ended(1)
    assert len(failures(picture(pod(container(last=end, terminated=end))))) == 1


@pytest.mark.parametrize(
    ("phase", "told"),
    [("Failed", [("hello-x7k2p", "first", 1, 0)]), ("Succeeded", [])],
    ids=["failed", "a killed child, and the pod succeeded"],
)
def test_a_container_out_of_memory_with_exit_code_0_is_told_where_its_pod_failed(
    phase: str, told: list[tuple[str, str, int, int]]
) -> None:
    view = container("first", role="init", terminated=ended(0, "OOMKilled"))
    assert names(picture(pod(view, phase=phase))) == told


def test_a_pod_that_failed_without_a_container_is_told_by_itself() -> None:
    bare = pod(container(), phase="Failed", name="a")
    timed = failed(1, "2", seconds=3)
    (first,) = failures(picture(bare))
    assert first.text == "pod a failed: no reason given"
    assert [each[0] for each in names(picture(bare, timed))] == ["a", "hello-2"]


def test_a_pod_that_succeeded_is_no_failure() -> None:
    assert failures(picture(succeeded())) == ()


def test_warnings_are_told_once_and_the_last_five() -> None:
    seen = [event("R", f"m\n{number % 7}", uid=str(number)) for number in range(14)]
    seen += [
        event("Pulled", "fine", type="Normal"),
        event("BackoffLimitExceeded", "told already"),
        event("DeadlineExceeded", "told already"),
        event("FailedToRetrieveImagePullSecret", "no harm by itself"),
    ]
    assert warnings(picture(*seen)) == tuple(f"R: m {number}" for number in (2, 3, 4, 5, 6))


# -- the exit code -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        pytest.param(picture(), None, id="no pod"),
        pytest.param(picture(pod()), None, id="no container"),
        pytest.param(picture(pod(container(running=NOON))), None, id="it runs"),
        pytest.param(picture(failed(4)), 4, id="one"),
        pytest.param(picture(failed(4, "1", 1), failed(5, "2", 2)), 5, id="the latest"),
        pytest.param(picture(failed(4, "1", 2), failed(5, "2", 1)), 4, id="the latest, seen first"),
        pytest.param(picture(failed(4, "1", 1), succeeded("2", 2)), 4, id="a failed one first"),
        pytest.param(
            picture(pod(waiting("CrashLoopBackOff", last=ended(3)))), 3, id="it waits to restart"
        ),
        pytest.param(
            picture(
                pod(
                    container("first", role="init", terminated=ended(7)),
                    container("mesh", role="sidecar", terminated=ended(8)),
                    container("main", terminated=ended(4)),
                    container("other", terminated=ended(9)),
                )
            ),
            4,
            id="the first of the main ones",
        ),
        pytest.param(
            picture(pod(container(terminated=Terminated(exit_code=6)))), 6, id="without a time"
        ),
    ],
)
def test_the_main_container_is_the_first(seen: Picture, code: int | None) -> None:
    assert main_container_code(seen) == code


def ending(code: Exit, **more: Any) -> Ending:
    return Ending(code=code, text="it ended", **more)


FAILED, SUCCEEDED = ending(Exit.FAILED), ending(Exit.SUCCEEDED)


@pytest.mark.parametrize(
    ("end", "seen", "container_asked", "mapped", "code"),
    [
        pytest.param(FAILED, picture(failed(4)), False, (), 1, id="the Job's"),
        pytest.param(FAILED, picture(failed(4)), True, (), 4, id="the container's"),
        pytest.param(FAILED, picture(failed(4)), True, ((4, 0),), 0, id="mapped"),
        pytest.param(FAILED, picture(failed(4)), True, ((4, 7), (4, 8)), 8, id="mapped twice"),
        pytest.param(FAILED, picture(failed(4)), True, ((5, 0),), 4, id="another is mapped"),
        pytest.param(FAILED, picture(failed(4)), False, ((4, 0),), 1, id="not asked for"),
        pytest.param(FAILED, picture(succeeded()), True, (), 1, id="no code tells of a failure"),
        pytest.param(FAILED, picture(succeeded()), True, ((0, 0),), 1, id="nor does a map"),
        pytest.param(FAILED, picture(), True, ((1, 0),), 1, id="no container ran"),
        pytest.param(SUCCEEDED, picture(succeeded()), True, (), 0, id="success"),
        pytest.param(SUCCEEDED, picture(), True, (), 0, id="success that nobody saw"),
        pytest.param(SUCCEEDED, picture(succeeded()), True, ((0, 3),), 3, id="success is mapped"),
        pytest.param(
            SUCCEEDED,
            picture(failed(4, "1", 1), succeeded("2", 2)),
            True,
            (),
            0,
            id="success after a retry",
        ),
    ],
)
def test_the_exit_code_is_the_jobs_or_the_containers(
    end: Ending,
    seen: Picture,
    container_asked: bool,
    mapped: tuple[tuple[int, int], ...],
    code: int,
) -> None:
    assert exit_code(end, seen, container_asked, mapped) == code


def test_without_a_job_the_exit_code_is_the_endings() -> None:
    assert verdict("here/hello", FAILED, None, container=True, mapped=((1, 0),)).exit_code == 1


@pytest.mark.parametrize(
    ("end", "code", "mapped", "told"),
    [
        (FAILED, 4, {4: 0}, " Exit code 4 is mapped to 0 by --map-exit. A pod is left."),
        (SUCCEEDED, 0, {0: 3}, " Exit code 0 is mapped to 3 by --map-exit. A pod is left."),
        (FAILED, 5, {4: 0}, ""),
        (FAILED, 4, {4: 4}, ""),
        (ending(Exit.DELETED), 4, {4: 0, 14: 0}, ""),
    ],
)
def test_a_code_that_was_mapped_is_told_of(
    end: Ending, code: int, mapped: dict[int, int], told: str
) -> None:
    seen = picture(failed(code) if code else succeeded())
    found = verdict(
        "ns/hello", end, seen, container=True, mapped=tuple(mapped.items()),
        left_behind="a pod is left",
    )  # fmt: skip
    assert found.sentence.endswith(told)
    assert ("mapped" in found.sentence) == bool(told)
    assert as_json(found)["mapped_from"] == (code if told else None)


@pytest.mark.parametrize(
    ("end", "seen", "code"),
    [
        pytest.param(FAILED, picture(failed(4)), 4, id="failed"),
        pytest.param(FAILED, picture(), None, id="never ran"),
        pytest.param(FAILED, None, None, id="no Job"),
        pytest.param(ending(Exit.DEADLINE), picture(failed(137)), 137, id="ended by others"),
        pytest.param(
            SUCCEEDED, picture(failed(4, "1", 1), succeeded("2", 2)), 0, id="success after a retry"
        ),
    ],
)
def test_the_verdict_knows_the_containers_code(
    end: Ending, seen: Picture | None, code: int | None
) -> None:
    assert verdict("ns/hello", end, seen).container_code == code


@given(
    st.sampled_from([code for code in Exit if code not in (Exit.SUCCEEDED, Exit.FAILED)]),
    st.integers(0, 255),
    st.booleans(),
    st.dictionaries(st.integers(0, 255), st.just(0)),
)
def test_after_a_signal_or_without_a_start_no_container_and_no_map_makes_it_0(
    code: Exit, container_code: int, asked: bool, mapped: dict[int, int]
) -> None:
    seen = picture(failed(container_code))
    assert exit_code(ending(code), seen, asked, tuple(mapped.items())) == code != 0


@given(st.integers(1, 255), st.booleans())
def test_a_failed_job_is_never_0_unless_a_map_says_so(code: int, asked: bool) -> None:
    assert exit_code(FAILED, picture(failed(code)), asked, ()) != 0


# -- the whole -----------------------------------------------------------------------------------


def test_a_launch_that_made_no_job_has_a_verdict_too() -> None:
    end = ending(Exit.REFUSED)
    assert verdict("ns/hello", end, None, left_behind="a Secret") == Verdict(
        job="hello", namespace="ns", exit_code=3, ending=end, left_behind="a Secret"
    )
    assert as_json(verdict("ns/hello", end, None))["pods"] == {
        "running": 0,
        "succeeded": 0,
        "failed": 0,
    }


def whole() -> Verdict:
    first = pod(
        container("first", role="init", terminated=ended(0, seconds=2)),
        container(last=ended(1, seconds=6), terminated=ended(4, seconds=9), restarts=1),
        phase="Failed",
        conditions=(condition("PodScheduled", since=at(1)),),
    )
    second = pod(
        container(running=at(20)),
        uid="2",
        name="b",
        node="",
        conditions=(condition("PodScheduled", since=at(15)),),
    )
    seen = picture(
        first, second, event("R", "m"), BACKOFF, created=at(0), active=1, failed=1, succeeded=0
    )
    return verdict("ns/hello", ending(Exit.FAILED), seen, container=True, left_behind="a pod")


def test_a_launch_is_summed_up() -> None:
    found = whole()
    assert (found.job, found.namespace, found.exit_code) == ("hello", "ns", 4)
    assert (found.running, found.succeeded, found.failed, found.attempts) == (1, 0, 1, 3)
    assert (found.queued_seconds, found.pulling_seconds, found.running_seconds) == (1, 4, 4)
    assert [each.exit_code for each in found.failures] == [1, 4]
    assert found.warnings == ("R: m",)
    assert found.left_behind == "a pod"
    assert not found.ok


def test_times_that_never_came_are_none() -> None:
    found = verdict("ns/hello", SUCCEEDED, picture(pod(container()), created=NOON))
    assert found.ok
    assert (found.queued_seconds, found.pulling_seconds, found.running_seconds) == (None,) * 3


@pytest.mark.parametrize("role", ["sidecar", "init"])
def test_what_runs_beside_the_main_containers_is_no_run_of_the_job(role: Any) -> None:
    scheduled = condition("PodScheduled", since=NOON)
    beside = container("proxy", role=role, running=at(1))
    seen = pod(beside, container(terminated=ended(0, seconds=9)), conditions=(scheduled,))
    found = verdict("ns/hello", SUCCEEDED, picture(seen, created=NOON))
    assert (found.pulling_seconds, found.running_seconds) == (8, 1)
    alone = pod(beside, container(waiting=("ImagePullBackOff", "")), conditions=(scheduled,))
    assert verdict("ns/hello", SUCCEEDED, picture(alone)).pulling_seconds is None


def test_clocks_that_disagree_make_no_negative_time() -> None:
    early = pod(conditions=(condition("PodScheduled", since=at(-5)),))
    assert verdict("ns/hello", SUCCEEDED, picture(early, created=NOON)).queued_seconds == 0


def test_what_fails_as_we_remove_the_job_is_no_failure_of_its() -> None:
    before = picture(pod(container(running=NOON)))
    after = picture(failed(137))
    found = verdict("ns/hello", ending(Exit.KILLED), after, judged=before)
    assert found.failures == ()
    assert found.exit_code == 8


def test_the_verdict_is_one_sentence_after_another() -> None:
    end = Ending(code=Exit.FAILED, text="failed.", hint="look there")
    found = Verdict(job="j", namespace="n", exit_code=1, ending=end, left_behind="a pod is left.")
    assert found.sentence == "failed. Look there. A pod is left."
    assert Verdict(job="j", namespace="n", exit_code=0, ending=SUCCEEDED).sentence == "it ended."


def test_the_verdict_can_be_read_by_a_machine() -> None:
    found = as_json(whole())
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "schema": 1,
        "job": "hello",
        "namespace": "ns",
        "exit_code": 4,
        "mapped_from": None,
        "ending": "failed",
        "verdict": "it ended. A pod.",
        "reason": "it ended",
        "hint": "",
        "pods": {"running": 1, "succeeded": 0, "failed": 1},
        "attempts": 3,
        "seconds": {"queued": 1.0, "pulling": 4.0, "running": 4.0},
        "containers": [
            seen_container("first", "init", 0, 0, "Completed"),
            seen_container("main", "main", 1, 4, "Error"),
            {
                "pod": "b",
                "node": None,
                "container": "main",
                "role": "main",
                "restarts": 0,
                "exit_code": None,
                "reason": None,
            },
        ],
        "failures": [seen_failure(1), seen_failure(4)],
        "warnings": ["R: m"],
    }


def seen_container(name: str, role: str, restarts: int, code: int, reason: str) -> dict[str, Any]:
    return {
        "pod": "hello-x7k2p",
        "node": "node-1",
        "container": name,
        "role": role,
        "restarts": restarts,
        "exit_code": code,
        "reason": reason,
    }


def seen_failure(code: int) -> dict[str, Any]:
    return {
        "pod": "hello-x7k2p",
        "container": "main",
        "node": "node-1",
        "attempt": 1,
        "exit_code": code,
        "reason": "Error",
        "text": f"container main of pod hello-x7k2p ended with exit code {code}",
    }


def test_a_verdict_on_a_pull_names_the_secret_that_became_known_after_it() -> None:
    absent = event(
        "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); …"
    )
    seen = picture(pod(waiting("ErrImagePull", "pull access denied")))
    ending = early_end(seen)
    assert ending is not None
    told = verdict("ns/hello", ending, picture(*seen.pods.values(), absent))
    assert told.ending.text.endswith("denied; the imagePullSecret regcred does not exist")
    assert verdict("ns/hello", told.ending, picture(absent)).ending == told.ending
