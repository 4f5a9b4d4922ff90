"""A launcher that dies is no drama: the next launch of the same run takes its Job up."""

from __future__ import annotations

from pathlib import Path

import pytest

import runjob
from runjob import RunOptions
from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Refuse, Reset
from tests.contract.adoption.killed import CODE, RUN, SCRIPT_LINE, adopted, joined, kill, uid_of
from tests.contract.api import Json
from tests.contract.launches import Launcher, Starter, result_of, sh
from tests.contract.targets import Target


def test_a_launch_that_was_killed_while_its_job_ran_is_taken_up(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN)
    started.until(b"one\n")
    assert kill(started) == b"one\n"
    uid = uid_of(target.api.job(name))
    run = launch(
        "-j", name, *sh(SCRIPT_LINE), *RUN, *CODE, meanwhile=lambda: seen(target, name, uid)
    )
    how, log = adopted(run)
    assert "from its beginning" in how
    assert (run.code, log, run.pods) == (3, b"one\ntwo\n", (0, 0, 1))
    target.api.wait_gone(name)


def seen(target: Target, name: str, uid: str) -> None:
    """See that it is the one Job all the while, until it is removed."""
    while (job := target.api.job(name)) is not None:
        assert uid_of(job) == uid


def test_with_a_state_folder_the_log_goes_on_where_it_was(
    target: Target, start: Starter, launch: Launcher, name: str, kept: tuple[str, str]
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN, *kept)
    started.until(b"one\n")
    first = kill(started)
    run = launch("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE, *kept)
    how, rest = adopted(run)
    assert "goes on" in how
    assert joined(first, rest) == b"one\ntwo\n"
    assert run.code == 3
    target.api.wait_gone(name)
    assert list(Path(kept[1]).iterdir()) == []


def test_a_launch_that_was_killed_while_its_pod_waited_is_taken_up(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    image = (
        "-i",
        target.image("slow"),
        "-s",
        "none",
        "-k",
        "sh",
        "-k",
        "-c",
        "-k",
        "echo x; exit 3",
    )
    started = start("-j", name, *image, *RUN)
    started.until(b"Job created")
    target.api.until(lambda: target.api.pods(name), "its pod")
    assert kill(started) == b""
    run = launch("-j", name, *image, *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"x\n")
    target.api.wait_gone(name)


@pytest.mark.parametrize("keeps", [False, True], ids=["without a state folder", "with one"])
def test_a_job_that_ended_meanwhile_is_told_of_truly(
    target: Target,
    start: Starter,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
    keeps: bool,
    tmp_path: Path,
) -> None:
    more = (*RUN, *(kept if keeps else ()))
    started = start("-j", name, *sh(SCRIPT_LINE), *more)
    started.until(b"one\n")
    first = kill(started)
    target.api.until(lambda: has_ended(target.api.job(name)), "the Job's end")
    result = tmp_path / "result.json"
    run = launch("-j", name, *sh(SCRIPT_LINE), *more, *CODE, "--result-file", str(result))
    log = adopted(run)[1]
    assert (joined(first, log) if keeps else log) == b"one\ntwo\n"
    assert (run.code, run.pods) == (3, (0, 0, 1))
    assert result_of(result)["exit_code"] == 3
    target.api.wait_gone(name)


def has_ended(job: Json | None) -> bool:
    conditions = (job or {}).get("status", {}).get("conditions") or ()
    return any(each["type"] in ("Complete", "Failed") for each in conditions)


def test_a_job_with_a_generated_name_is_found_by_its_run(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    job = ("--generate-name", f"{name}-", *sh(SCRIPT_LINE))
    started = start(*job, *RUN)
    started.until(b"one\n")
    kill(started)
    run = launch(*job, *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    assert not [each for each in target.api.items("jobs") if name in each["metadata"]["name"]]


def test_what_the_manifest_brought_along_is_removed_with_it(
    target: Target, start: Starter, launch: Launcher, name: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "job.yaml"
    manifest.write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n---\n"
        f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\n"
        "spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: main, "
        f"image: 'busybox:1', imagePullPolicy: IfNotPresent, "
        f"command: [sh, -c, '{SCRIPT_LINE}']}}]}}}}}}\n"
    )
    started = start("-y", str(manifest), *RUN)
    started.until(b"one\n")
    kill(started)
    run = launch("-y", str(manifest), *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)
    assert target.api.find("configmaps", name) is None


def test_a_program_takes_up_what_a_launcher_left(
    target: Target, start: Starter, name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN)
    started.until(b"one\n")
    kill(started)
    job = runjob.build_job(
        name,
        "busybox:1",
        namespace=target.namespace,
        command=["sh", "-c", SCRIPT_LINE],
        pull_policy="IfNotPresent",
        pull_secret=None,
    )
    run = RunOptions(identity=f"{target.namespace}/{name}/r.1", bound=True, container_exit=True)
    verdict = runjob.run(job, options=run, kubeconfig=str(target.kubeconfig))
    assert verdict.exit_code == 3
    assert capfdbinary.readouterr().out.endswith(b" ---\none\ntwo\n")
    target.api.wait_gone(name)


def test_a_launch_that_was_killed_before_it_knew_of_its_job_is_taken_up(
    target: Target, sandbox: Sandbox, start: Starter, launch: Launcher, name: str
) -> None:
    """The answer to its create was lost, and the next requests get none."""
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs", name=None))
    deaf = sandbox.inject(Fault(Refuse(503), verb="create", resource="jobs", times=None, after=0))
    started = start("-j", name, *sh(SCRIPT_LINE), *RUN)
    target.api.until(lambda: target.api.job(name), "the Job")
    assert deaf.wait()
    kill(started)
    deaf.remove()
    run = launch("-j", name, *sh(SCRIPT_LINE), *RUN, *CODE)
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)


@pytest.mark.parametrize("state", [False, True], ids=["without a state folder", "with one"])
def test_a_launch_that_was_killed_during_its_removal_is_brought_to_its_end(
    target: Target,
    sandbox: Sandbox,
    start: Starter,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
    state: bool,
) -> None:
    more = (*RUN, *CODE, *(kept if state else ()))
    job = ("-j", name, *sh("echo one; exit 3"), *more)
    held = sandbox.inject(Fault(Refuse(503), verb="delete", resource="jobs", times=None))
    started = start(*job)
    assert held.wait(timeout=30)
    assert kill(started) == b"one\n"
    held.remove()
    run = launch(*job)
    assert (run.code, run.pods) == (3, (0, 0, 1))
    assert "exit code 3" in run.verdict
    if state:
        assert b"one\n" not in run.out
        assert "finishing what that one began" in run.err
    else:
        assert adopted(run)[1] == b"one\n"
    target.api.wait_gone(name)


def test_a_launch_that_was_killed_after_its_removal_does_not_run_again(
    target: Target,
    sandbox: Sandbox,
    start: Starter,
    launch: Launcher,
    name: str,
    kept: tuple[str, str],
) -> None:
    """The Job is gone, but its launcher could not hear that and never told the end."""
    job = ("-j", name, *sh("echo one; exit 3"), *RUN, *CODE, *kept)
    held = sandbox.inject(Fault(Reset(done=True), verb="delete", resource="jobs", times=1))
    deaf = sandbox.inject(Fault(Refuse(503), verb="delete", resource="jobs", times=None))
    started = start(*job)
    assert held.wait(timeout=30)
    assert deaf.wait()
    kill(started)
    deaf.remove()
    target.api.wait_gone(name)
    run = launch(*job)
    assert (run.code, run.pods) == (3, (0, 0, 1))
    assert b"one\n" not in run.out
    assert target.api.job(name) is None
    # And after that the run is over: a launch of the same name is one more.
    assert launch(*job).log == b"one\n"
