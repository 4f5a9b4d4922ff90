"""Launches of one run, at once or in turn, share one Job, whoever makes up its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Refuse
from tests.contract.adoption.killed import CODE, RUN, SCRIPT_LINE
from tests.contract.launches import Launcher, Run, Starter, result_of, sh
from tests.contract.targets import Target


def test_two_launches_of_one_run_share_one_job(target: Target, start: Starter, name: str) -> None:
    both = [start("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE) for _ in range(2)]
    runs = [each.end() for each in both]
    assert [run.code for run in runs] == [3, 3]
    assert sorted(b"Job adopted" in run.out for run in runs) == [False, True]
    assert all(b"one\ntwo\n" in run.out for run in runs)
    target.api.wait_gone(name)


def test_two_launches_of_one_run_share_a_job_whose_name_is_generated(
    target: Target, start: Starter, name: str
) -> None:
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE), *RUN, *CODE)
    both = [start(*job) for _ in range(2)]
    shared(target, name, [each.end() for each in both])


def shared(target: Target, name: str, runs: list[Run]) -> None:
    assert [run.code for run in runs] == [3, 3]
    assert sorted(b"Job adopted" in run.out for run in runs) == [False, True]
    assert len({run.verdict.split()[1] for run in runs}) == 1
    target.api.until(lambda: not named_so(target, name), "nothing left")


def named_so(target: Target, name: str) -> list[str]:
    names = [each["metadata"]["name"] for each in target.api.items("jobs")]
    return [each for each in names if each.startswith(name)]


def test_a_run_that_kept_its_job_runs_beside_it_under_another_generated_name(
    target: Target, launch: Launcher, name: str
) -> None:
    job = ("--generate-name", f"{name}-", *sh("exit 3"), *RUN, *CODE, "--keep", "failed")
    runs = [launch(*job) for _ in range(2)]
    assert [run.code for run in runs] == [3, 3]
    assert sorted(named_so(target, name)) == sorted(
        run.verdict.split()[1].partition("/")[2] for run in runs
    )
    assert len(named_so(target, name)) == 2


def test_two_launches_that_saw_no_job_of_their_run_make_one(
    target: Target, sandbox: Sandbox, start: Starter, name: str
) -> None:
    """Both have looked before either creates; where each draws a name they make two Jobs."""
    held = sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=None))
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE), *RUN, *CODE)
    both = [start(*job) for _ in range(2)]
    for each in both:
        each.until(b"trouble creating")
    held.remove()
    shared(target, name, [each.end() for each in both])


def test_a_create_in_doubt_is_told_under_the_generated_name_that_was_tried(
    target: Target, sandbox: Sandbox, launch: Launcher, name: str, tmp_path: Path
) -> None:
    job = ("--generate-name", f"{name}-", *sh("exit 3"), *RUN, "--keep", "failed")
    assert launch(*job).code == 1
    away = sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=None))
    run = launch(*job, "--api-timeout", "1", "--result-file", str(tmp_path / "result"))
    away.remove()
    (there,) = named_so(target, name)
    tried = result_of(tmp_path / "result")["job"]
    assert run.code == 6
    assert tried.startswith(f"{name}-")
    assert tried != there
    assert f"Job {target.namespace}/{tried} was not created: creating Job " in run.verdict
    assert f" get job {tried};" in run.verdict
    assert there not in run.verdict


@pytest.mark.usefixtures("sandbox")
def test_a_job_with_a_generated_name_that_is_being_deleted_is_waited_for_under_its_name(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    """A launch that sees it no more takes that name, and the two are to make one Job."""
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE), *RUN)
    assert launch(*job, "--keep", "failed").code == 1
    (first,) = named_so(target, name)
    hold(target, first, ["tests.runjob/held"])
    target.api.delete("jobs", first)
    started = start(*job)
    started.until(f"Job {first} is being deleted: waiting".encode())
    hold(target, first, None)
    run = started.end()
    assert (run.code, run.log) == (1, b"one\ntwo\n")
    assert f"Job {target.namespace}/{first} failed" in run.verdict


def hold(target: Target, name: str, finalizers: list[str] | None) -> None:
    body = {"metadata": {"finalizers": finalizers}}
    target.api.call("PATCH", target.api.path("jobs", name), body, "application/merge-patch+json")
