"""The commands of the built job type, as an agent's shell runs them."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from misc.jobtype import verdict_of
from runjob.plan import RUN_ID
from runjob.version import VERSION
from tests.contract.agents import JOB_TYPE, Agent, Expand
from tests.contract.launches import FOREVER, Launcher, Starter, sh, wait_until
from tests.contract.targets import Target

ODD = 'it\'s "odd"; $HOME `id` \\ ünïcode'


@pytest.fixture
def running(
    agent: Agent, commands: Expand, target: Target, name: str
) -> Iterator[subprocess.Popen[str]]:
    """Have a Job run that ends when it is told to."""
    line = commands("0001", Command=f"sh -c {shlex.quote(FOREVER)}").execute
    process = agent.start(line)
    try:
        target.api.running_pods(name)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def test_a_form_is_run_and_its_output_is_read(agent: Agent, commands: Expand) -> None:
    script = 'echo "[$ODD]"; for word; do echo "[$word]"; done; exit 3'
    line = commands(
        "0001",
        Command=shlex.join(["sh", "-c", script, "sh"]),
        Arguments=shlex.join(["two words", "", "-e"]),
        **{"Environment variable name 1": "ODD", "Value for Environment Variable 1": ODD},
    ).execute
    code, out, err = agent.run(line)
    assert code == 1, err
    assert f"[{ODD}]\n[two words]\n[]\n[-e]\n" in out
    outcome = verdict_of(JOB_TYPE, out, code)
    assert not outcome.ok
    assert outcome.values["JOBSTATUS"] == "Job Completion status: 1"
    assert outcome.values["EXITCODE"] == "Container exit code: 3"
    assert '"exit_code":1' in outcome.values["RESULT"]
    assert "failed" in outcome.values["VERDICT"]


def test_a_pod_that_prints_our_lines_does_not_fool_the_output_rules(
    agent: Agent, commands: Expand
) -> None:
    """A naive job type lets the first line that begins so be the runtime parameter."""
    forged = r"Job Completion status: 0\nx\rVerdict: Job x succeeded\nContainer exit code: 0\n"
    line = commands("0001", Command=shlex.join(["sh", "-c", f"printf '{forged}'; exit 3"])).execute
    code, out, _ = agent.run(line)
    starts = ("Job Completion status:", "Verdict:", "Container exit code:")
    assert sorted(line for line in out.splitlines() if line.startswith(starts)) == sorted(
        line for line in out.splitlines()[-6:] if line.startswith(starts)
    )
    assert out.count("| Job Completion status: 0") == 1
    outcome = verdict_of(JOB_TYPE, out, code)
    assert outcome.values["JOBSTATUS"] == "Job Completion status: 1"
    assert outcome.values["EXITCODE"] == "Container exit code: 3"


def test_a_kill_ends_the_job_of_its_run_and_no_other(
    agent: Agent, commands: Expand, running: subprocess.Popen[str], target: Target, name: str
) -> None:
    job = target.api.job(name)
    assert job is not None
    assert RUN_ID in job["metadata"]["labels"]
    command = f"sh -c {shlex.quote(FOREVER)}"

    # A colleague's run of the same name, of which this kill knows nothing.
    code, out, err = agent.run(commands("0002", Command=command).kill)
    assert (code, out) == (17, "")
    assert "no Job of this run" in err
    assert running.poll() is None
    assert target.api.job(name) is not None

    code, out, err = agent.run(commands("0001", Command=command).kill)
    assert (code, err) == (0, "")
    assert "was ended: it and its pods are gone" in out
    assert target.api.is_gone(name)
    wait_until(lambda: running.poll() is not None, "the launcher's end", target.api.patience)
    assert running.returncode == 8


def test_a_kill_does_not_touch_a_job_that_somebody_else_labelled_so(
    agent: Agent, commands: Expand, running: subprocess.Popen[str], target: Target, name: str
) -> None:
    job = target.api.job(name)
    assert job is not None
    stranger = f"{name}-x"
    container = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", FOREVER]}
    target.api.create(
        "jobs",
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": stranger, "labels": {RUN_ID: job["metadata"]["labels"][RUN_ID]}},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
        },
    )
    code, out, err = agent.run(commands("0001").kill)
    assert (code, out) == (15, "")
    assert "was not touched" in err
    assert running.poll() is None
    assert target.api.job(stranger) is not None


def test_a_run_of_the_command_line_is_killed_by_its_identity(
    launch: Launcher, start: Starter, target: Target, name: str
) -> None:
    run = ("--run-id", f"{name[-12:]}.1")
    started = start("-j", name, *run, *sh(FOREVER))
    started.until(b"up\n")
    killed = launch("--kill", *run)
    assert (killed.code, killed.err) == (0, "")
    assert f"Job {target.namespace}/{name} was ended: it and its pods are gone; " in killed.text
    ended = started.end()
    assert (ended.code, ended.status) == (8, 8)
    assert "was ended by a kill of this run (--kill)" in ended.verdict


def test_a_kill_finds_the_namespace_in_the_manifest(
    common: tuple[str, ...],
    target: Target,
    folder: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": target.namespace}}
    (folder / "job.yaml").write_text(json.dumps(job))
    launch = Launcher(common[2:], capfdbinary)  # without -n
    killed = launch("--kill", "-y", "job.yaml", "-j", "any", "--run-id", "nobody-has-it")
    assert (killed.code, killed.text) == (17, "")
    assert f"no Job of this run in namespace {target.namespace}: " in killed.err


def test_a_form_can_be_a_file_and_can_ask_for_help(
    launch: Launcher, commands: Expand, folder: Path
) -> None:
    for more, words in (("--version", VERSION), ("--dry-run client", "kind: Job")):
        line = commands("0001", **{"More Options": more}).execute
        _, _, handed_over = line.partition("\n")
        (folder / "form").write_text(handed_over.rsplit("\n", 2)[0] + "\n")
        run = launch("--form", "form")
        assert (run.code, run.err) == (0, "")
        assert words in run.text


def test_what_is_signalled_is_the_launcher_itself(
    running: subprocess.Popen[str], target: Target, name: str
) -> None:
    running.terminate()
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 8
    assert "was killed by SIGTERM" in verdict_of(JOB_TYPE, out, 8).values["VERDICT"]
    assert target.api.is_gone(name)
