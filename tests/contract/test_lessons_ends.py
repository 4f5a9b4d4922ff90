"""Lessons 21 to 28: why a Job failed, how it is ended, and what becomes of it afterwards."""

from __future__ import annotations

import signal

from runjob.errors import Exit
from runjob.sandbox.faults import Refuse, Slow
from tests.contract import habits
from tests.contract.api import waiting_reason
from tests.contract.launches import FOREVER, RUNJOB, Run, sh
from tests.contract.lessons import Stage, lesson
from tests.contract.naive import end_of

POD = "spec.template.spec"


@lesson(habits.ReadsEvents)
def test_lesson_21_an_init_container_without_memory(stage: Stage) -> None:
    """OOMKilled stands in no event, only in the container's state; init containers have one too.

    Fails on a launcher that reads the events: airflow#8722.
    """
    init = (
        "{name: before, image: 'busybox:1', imagePullPolicy: IfNotPresent, command: "
        "[tail, /dev/zero], resources: {requests: {memory: 8Mi}, limits: {memory: 48Mi}}}"
    )
    run = stage.run(*sh("echo never"), "--set", f"{POD}.initContainers[0]={init}")
    assert run.code == 1
    assert "container before" in run.verdict
    assert "OOMKilled" in run.verdict


@lesson(habits.EndsWell)
def test_lesson_22_a_signal_while_it_runs(stage: Stage) -> None:
    """The container ends well, as asked by SIGTERM; the launch does not.

    Fails on a launcher that tidies up and ends with 0: airflow#73006.
    """
    started = stage.start(*sh(FOREVER))
    started.until(b"up\n")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert stage.target.api.is_gone(stage.name)


@lesson(habits.EndsWell)
def test_lesson_22_a_signal_after_the_jobs_end(stage: Stage) -> None:
    """The Job has succeeded and is being deleted: also then the launch was killed.

    Fails on a launcher that tidies up and ends with 0: airflow#73006.
    """
    hit = stage.fault(Slow(1.0), verb="delete", resource="jobs")
    started = stage.start(*sh("echo done"))
    stage.wait(started, lambda: hit.hits, "a deletion")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status, run.log) == (8, 8, b"done\n")
    stage.target.api.wait_gone(stage.name)


@lesson(habits.DeletesTheJobAlone)
def test_lesson_23_a_kill_before_a_pod_runs(stage: Stage) -> None:
    """The pod is there and does not run yet: it goes with its Job, and that is verified.

    Fails on a launcher that deletes without propagation: airflow#62398.
    """
    api = stage.target.api
    started = stage.start(*sh("echo never"), *stage.too_much)
    api.until(lambda: api.pods(stage.name), "a pod")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert api.is_gone(stage.name)


@lesson(habits.ForgetsTheCreate)
def test_lesson_23_a_kill_during_the_create(stage: Stage) -> None:
    """The create is under way, and will have its effect: that is waited for and removed.

    Fails on a launcher that removes what it knows of: airflow#62398.
    """
    hit = stage.fault(Slow(1.0), verb="create", resource="jobs")
    started = stage.start(*sh(FOREVER))
    stage.wait(started, lambda: hit.hits, "a create")
    started.signal(signal.SIGTERM)
    run = started.end()
    stage.target.api.until(lambda: stage.asked("POST", "/jobs"), "the create's effect")
    assert (run.code, run.status) == (8, 8)
    assert stage.target.api.is_gone(stage.name)


@lesson(habits.HeedsOnceItRuns)
def test_lesson_24_a_kill_between_pulls(stage: Stage) -> None:
    """A kill in ImagePullBackOff does what it does while the pod runs.

    Fails on a launcher that looks for signals while it reads the log: argo#10896.
    """
    api = stage.target.api
    started = stage.start(*sh("echo never"), "-i", stage.target.image("broken"))
    api.until(
        lambda: [pod for pod in api.pods(stage.name) if waiting_reason(pod) == "ImagePullBackOff"],
        "a pull that failed",
    )
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert api.is_gone(stage.name)


@lesson(habits.WaitsForTheJob)
def test_lesson_25_a_sidecar_that_goes_on(stage: Stage) -> None:
    """A container beside the main one never ends: who names the main one is told by that.

    Fails on a launcher that waits for the Job's end: kubernetes#25908.
    """
    beside = (
        "{name: beside, image: 'busybox:1', imagePullPolicy: IfNotPresent, command: [sh, -c, "
        "'while :; do sleep 0.1; done']}"
    )
    run = stage.run(
        *sh("echo done; exit 3"), "--main-container", "main", "--exit-code", "container",
        "--set", f"{POD}.containers[1]={beside}",
        "--set", f"{POD}.terminationGracePeriodSeconds=1",
    )  # fmt: skip
    assert (run.code, run.status) == (3, 3)
    assert b"done\n" in run.log
    stage.target.api.wait_gone(stage.name)


@lesson(habits.StartsAnother)
def test_lesson_26_a_launcher_that_is_killed_and_run_again(stage: Stage) -> None:
    """SIGKILL ends the launcher, and the scheduler runs it again: the one Job is taken up.

    Fails on a launcher that starts a second one: airflow#10544.
    """
    wait = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); sleep 0.1; done"
    options = (*sh(f"echo up on $HOSTNAME; {wait}; echo down on $HOSTNAME"), "--run-id", "one")
    first = stage.start(*options)
    first.until(b"\nup on ")
    first.signal(signal.SIGKILL)
    before = _said(first.end(), "up on")
    run = stage.run(*options)
    assert run.code == 0
    assert _said(run, "up on") == before
    assert len(_said(run, "down on")) == 1
    stage.target.api.wait_gone(stage.name)


def _said(run: Run, words: str) -> list[str]:
    return [line for line in run.text.splitlines() if line.startswith(words)]


@lesson(habits.TakesWhatIsThere)
def test_lesson_26_an_earlier_run_that_left_its_job(stage: Stage) -> None:
    """A Job of the same name has succeeded in an earlier run: that is no success of this one.

    Fails on a launcher that takes what is there for its own.
    """
    api = stage.target.api
    ours = stage.start(*sh("echo old"), "--run-id", "one", "--keep", "always", program=RUNJOB)
    assert ours.end().code == 0
    there = api.job(stage.name)
    run = stage.run(*sh("echo new; exit 1"), "--run-id", "two")
    assert run.code == Exit.EXISTS
    assert not _said(run, "old")
    now = api.job(stage.name)
    assert now is not None
    assert there is not None
    assert now["metadata"]["uid"] == there["metadata"]["uid"]


@lesson(habits.CodeOfTheJob)
def test_lesson_27_the_containers_exit_code(stage: Stage) -> None:
    """Who asks for the container's exit code gets it.

    Fails on a launcher that knows the Job's end alone.
    """
    run = stage.run(*sh("exit 5"), "--exit-code", "container")
    assert (run.code, run.status) == (5, 5)


@lesson(habits.OneLookForTheCode)
def test_lesson_27_an_exit_code_that_comes_late(stage: Stage) -> None:
    """The Job has failed before its pod's end can be seen: the code is waited for.

    Fails on a launcher that looks for it once: kubernetes#58742.
    """
    hit = stage.fault(Refuse(503), resource="pods", times=None)
    started = stage.start(*sh("echo one; exit 5"), "--exit-code", "container")
    started.until(b"Job created")
    stage.wait(started, lambda: end_of(stage.target.api.job(stage.name) or {}), "the Job's end")
    before = hit.hits
    stage.wait(started, lambda: hit.hits > before + 1, "two looks after that")
    hit.remove()
    run = started.end()
    assert (run.code, run.status, run.log) == (5, 5, b"one\n")


@lesson(habits.OnlyAfterSuccess)
def test_lesson_28_a_job_that_fails_has_a_log(stage: Stage) -> None:
    """A Job that fails is the one whose log is wanted, and it is removed as any other.

    Fails on a launcher that shows and deletes after a success.
    """
    run = stage.run(*sh("echo before; exit 3"))
    assert (run.code, run.log) == (1, b"before\n")
    stage.target.api.wait_gone(stage.name)
