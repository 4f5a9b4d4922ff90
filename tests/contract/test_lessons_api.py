"""Lessons 8 to 11: an API in trouble that other launchers take for the Job's."""

from __future__ import annotations

from runjob.sandbox.faults import Gone, Refuse, Reset
from tests.contract import habits
from tests.contract.launches import sh
from tests.contract.lessons import Stage, lesson

SUSPENDED = ("--set", "spec.suspend=true")


@lesson(habits.OneWatch)
def test_lesson_08_a_watch_that_is_too_old(stage: Stage) -> None:
    """The API has forgotten the version to watch from, and says so within a stream that it began.

    Fails on a launcher whose watch's error is its own: prefect#8573, airflow#21087.
    """
    stage.fault(Gone(0), verb="watch", resource="jobs", times=2)
    run = stage.run(*sh("echo one; sleep 0.5; echo two"))
    assert (run.code, run.log) == (0, b"one\ntwo\n")


@lesson(habits.ThreeAttempts)
def test_lesson_09_a_token_that_is_replaced_late(stage: Stage) -> None:
    """The token ends before a new one lies there: it is read anew, however often it was refused.

    tests/e2e/test_breakdowns.py has a token that a real API server no longer takes.

    Fails on a launcher that tries three times: airflow#32718.
    """
    current = stage.gate.kubeconfig
    stage.kubeconfig = current.with_name("launcher.kubeconfig")
    stage.kubeconfig.write_bytes(current.read_bytes())
    started = stage.start(*sh("echo one; echo two"), *SUSPENDED)
    started.until(b"Job created")
    stage.gate.rotate_token()
    stage.resume()
    stage.wait(started, lambda: stage.asked("GET", status=401) > 3, "more than three refusals")
    stage.kubeconfig.write_bytes(current.read_bytes())
    run = started.end()
    assert (run.code, run.log) == (0, b"one\ntwo\n")
    stage.target.api.wait_gone(stage.name)


@lesson(habits.DeletesInTrouble)
def test_lesson_10_an_api_that_shuts_down(stage: Stage) -> None:
    """The API answers 503 with Retry-After, then 429: the Job goes on, and nothing deletes it.

    tests/e2e/test_breakdowns.py has a real API server that is killed.

    Fails on a launcher that tidies up when the API fails: airflow#32718 and its like.
    """
    for code in (503, 429):
        stage.fault(Refuse(code, retry_after=1), resource="pods/log")
    run = stage.run(*sh("echo one; echo two"))
    assert (run.code, run.log) == (0, b"one\ntwo\n")
    assert stage.asked("DELETE") == 1


@lesson(habits.CreatesAgain)
def test_lesson_11_a_create_whose_answer_is_lost(stage: Stage) -> None:
    """The Job stands, and the answer that says so never comes: the 409 that follows is our own.

    Fails on a launcher that takes the 409 for a refusal.
    """
    stage.fault(Reset(done=True), verb="create", resource="jobs")
    run = stage.run(*sh("echo once"))
    assert (run.code, run.log) == (0, b"once\n")
    assert run.pods == (0, 1, 0)
    stage.target.api.wait_gone(stage.name)
