"""Lessons 12 to 17: what tells how a Job is, and what does not."""

from __future__ import annotations

from runjob.sandbox.faults import Cut
from tests.contract import habits
from tests.contract.api import is_running
from tests.contract.launches import FOREVER, sh
from tests.contract.lessons import Stage, lesson

SUSPENDED = ("--set", "spec.suspend=true")


@lesson(habits.BelievesTheWatch)
def test_lesson_12_a_watch_that_ends_early(stage: Stage) -> None:
    """A watch comes to a clean end while the Job runs: only the Job's conditions decide.

    Fails on a launcher that takes it for the Job's end: prefect#15259.
    """
    stage.fault(Cut(0, "close"), verb="watch", resource="jobs", times=2)
    run = stage.run(*sh("echo one; sleep 0.5; echo two; exit 3"))
    assert (run.code, run.log) == (1, b"one\ntwo\n")


@lesson(habits.WaitsForComplete)
def test_lesson_13_a_job_that_fails(stage: Stage) -> None:
    """A Job can end in two ways, and either ends the wait.

    Fails on a launcher that waits for the one: kubectl#1629.
    """
    run = stage.run(*sh("echo one; exit 3"))
    assert (run.code, run.log) == (1, b"one\n")


@lesson(habits.WaitsForComplete)
def test_lesson_13_a_job_that_is_deleted(stage: Stage) -> None:
    """A Job can also be taken away by somebody else, and will never meet a condition.

    Fails on a launcher that waits for one: kubectl#1629.
    """
    started = stage.start(*sh(FOREVER))
    started.until(b"up\n")
    stage.target.api.delete("jobs", stage.name)
    run = started.end()
    assert (run.code, run.status) == (14, 14)


@lesson(habits.LooksNowAndThen)
def test_lesson_14_a_job_that_goes_as_it_ends(stage: Stage) -> None:
    """With `ttlSecondsAfterFinished: 0` a Job is removed at its end: it stays until that was read.

    Fails on a launcher that looks now and then: kapp#333.
    """
    run = stage.run(*sh("echo one"), "--set", "spec.ttlSecondsAfterFinished=0")
    assert (run.code, run.log) == (0, b"one\n")
    stage.target.api.wait_gone(stage.name)


@lesson(habits.GivesUpWithoutPod)
def test_lesson_15_a_job_without_a_pod_yet(stage: Stage) -> None:
    """No pod for a while is no failure: this Job gets none until it is resumed.

    Fails on a launcher that looks for a pod a few times: airflow#70585.
    """
    started = stage.start(*sh("echo at last"), *SUSPENDED)
    started.until(b"Job created")
    stage.wait(started, lambda: started.has_said(b"waiting: the Job is suspended"), "its patience")
    stage.resume()
    run = started.end()
    assert (run.code, run.log) == (0, b"at last\n")


@lesson(habits.WaitsForEachPod)
def test_lesson_15_more_parallelism_than_completions(stage: Stage) -> None:
    """Three pods may run at once and one has to: there will never be three.

    Fails on a launcher that waits for as many as may run: airflow#64867.
    """
    run = stage.run(*sh("echo one"), "--parallelism", "3", "--completions", "1")
    assert (run.code, run.log.split()[-1]) == (0, b"one")


@lesson(habits.FirstPodDecides)
def test_lesson_16_a_first_pod_that_is_evicted(stage: Stage) -> None:
    """A node is drained: the pod's failure is not the Job's, which has another one.

    Fails on a launcher that takes it for the Job's: prefect-kubernetes#118.
    """
    _outlives_an_eviction(stage, "-b", "1")


@lesson(habits.FirstPodDecides)
def test_lesson_16_an_eviction_that_is_not_counted(stage: Stage) -> None:
    """A Job without a retry has one for a drained node, where that is asked for.

    Fails on a launcher that takes the pod's failure for the Job's: prefect-kubernetes#118.
    """
    _outlives_an_eviction(stage, "-b", "0", "--ignore-disruptions")


def _outlives_an_eviction(stage: Stage, *options: str) -> None:
    api = stage.target.api
    turns = 80 if stage.target.real else 15
    wait = f"i=0; while [ $i -lt {turns} ]; do i=$((i+1)); sleep 0.1; done"
    started = stage.start(*sh(f"trap 'exit 1' TERM; echo up; {wait}; echo whole"), *options)
    started.until(b"up\n")
    pod = api.running_pods(stage.name)[0]["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": pod, "namespace": stage.target.namespace},
    }  # fmt: skip
    api.call("POST", f"{api.path('pods', pod)}/eviction", eviction)
    run = started.end()
    assert run.code == 0
    assert run.log.count(b"whole\n") == 1


@lesson(habits.KnowsPodByName)
def test_lesson_17_a_pod_that_vanishes_while_it_is_pending(stage: Stage) -> None:
    """The first pod is gone before it ran; the Job has another one, of another name.

    Fails on a launcher that goes on asking for the first.
    """
    api = stage.target.api
    started = stage.start(*sh("echo pulled"), "-i", stage.target.image("slow"), "-b", "3")
    started.until(b"waiting: pod")  # else it may be gone before the launcher has seen it
    pod = api.until(lambda: api.pods(stage.name), "a pod")[0]
    assert not is_running(pod)
    api.delete("pods", pod["metadata"]["name"], 0)
    run = started.end()
    assert (run.code, run.log) == (0, b"pulled\n")
