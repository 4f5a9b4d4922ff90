"""A manifest's TTL removes no Job before it is read, and is given back with it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Injection, Refuse
from tests.contract.launches import Launcher, Starter
from tests.contract.targets import Target


@pytest.fixture
def forbidden(sandbox: Sandbox) -> Iterator[Injection]:
    """Let nobody patch a Job."""
    injected = sandbox.inject(Fault(Refuse(403), verb="patch", resource="jobs", times=None))
    yield injected
    injected.remove()


MANIFEST = """
apiVersion: batch/v1
kind: Job
metadata:
  name: NAME
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: TTL
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: busybox:1
          imagePullPolicy: IfNotPresent
          command: [sh, -c, "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; exit 3"]
"""


def manifest(folder: Path, name: str, ttl: int) -> str:
    path = folder / "job.yaml"
    path.write_text(MANIFEST.replace("NAME", name).replace("TTL", str(ttl)))
    return str(path)


def test_a_ttl_of_nothing_removes_no_job_before_it_is_read(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    """kapp#333: the Job is gone before its end is seen, and counts as deleted or as good."""
    run = launch("-y", manifest(tmp_path, name, 0), "--exit-code", "container")
    assert run.code == 3
    assert run.lines == [str(number) for number in range(2000)]
    assert "exit code 3" in run.verdict
    target.api.wait_gone(name)


def test_a_job_that_is_kept_gets_its_ttl_back(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    run = launch("-y", manifest(tmp_path, name, 7200), "--keep", "always", "--on-lost", "kill")
    assert run.code == 1
    job = target.api.job(name)
    assert job is not None
    assert job["spec"]["ttlSecondsAfterFinished"] == 7200
    assert "activeDeadlineSeconds" not in job["spec"]
    assert (
        job["metadata"]["annotations"]
        .keys()
        .isdisjoint({"runjob/ttl", "runjob/deadline", "runjob/on-lost"})
    )


def test_a_job_that_is_kept_with_a_ttl_of_nothing_goes_as_its_author_wanted(
    target: Target, launch: Launcher, name: str, tmp_path: Path
) -> None:
    run = launch("-y", manifest(tmp_path, name, 0), "--keep", "always")
    assert run.code == 1
    assert len(run.lines) == 2000
    target.api.wait_gone(name)


def test_a_ttl_is_given_back_by_the_launch_after_one_that_was_killed_before_it_could(
    target: Target,
    forbidden: Injection,
    start: Starter,
    launch: Launcher,
    name: str,
    tmp_path: Path,
) -> None:
    """Its end was written down already, and all that is written of the Job is its name."""
    job = (
        "-y", manifest(tmp_path, name, 7200), "--keep", "always",
        "--run-id", "r.1", "--state-dir", str(tmp_path / "state"),
    )  # fmt: skip
    started = start(*job)
    assert forbidden.wait(timeout=60)
    started.signal(signal.SIGKILL)
    started.end()
    forbidden.remove()
    run = launch(*job)
    assert run.code == 1
    assert "finishing what that one began" in run.err
    found = target.api.job(name)
    assert found is not None
    assert found["spec"]["ttlSecondsAfterFinished"] == 7200


def test_a_ttl_that_cannot_be_given_back_is_said_with_the_command(
    target: Target, forbidden: Injection, launch: Launcher, name: str, tmp_path: Path
) -> None:
    run = launch("-y", manifest(tmp_path, name, 7200), "--keep", "always")
    assert run.code == 1
    assert forbidden.wait()
    (said,) = [line for line in run.err.splitlines() if "could not be restored" in line]
    assert f"kubectl -n {target.namespace} --kubeconfig " in said
    command = f" patch job {name} --type=merge -p '"
    text = said.partition(command)[2].rstrip("'")
    patch: Any = json.loads(text)
    assert patch["spec"] == {"ttlSecondsAfterFinished": 7200}
