"""What is claimed of the Job and its log where two promises meet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.login import login
from runjob.options import Connection
from tests.contract.api import Json
from tests.contract.launches import Launcher, sh
from tests.contract.targets import Target

OTHER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def ours(target: Target) -> Cluster:
    return Cluster(login(Connection(kubeconfig=str(target.kubeconfig))))


def waiting(name: str) -> Json:
    """Return a Job that has no pod."""
    container = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", "echo never"]}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"suspend": True, "template": pod},
    }  # fmt: skip


def _delete(ours: Cluster, job: Json, namespace: str) -> None:
    ours.delete(job, namespace, OTHER)


def _patch(ours: Cluster, job: Json, namespace: str) -> None:
    notes = {"uid": OTHER, "annotations": {"runjob/heartbeat": "2026-01-31T12:00:00Z"}}
    with pytest.raises(ApiError) as error:
        ours.patch(job, namespace, {"metadata": notes})
    assert error.value.status in (409, 422)


@pytest.mark.parametrize(
    "act",
    [pytest.param(_delete, id="a deletion"), pytest.param(_patch, id="a sign of life")],
)
def test_a_job_that_took_the_place_of_ours_is_untouched_by(
    target: Target, ours: Cluster, name: str, act: Callable[[Cluster, Any, str], None]
) -> None:
    """A naive launcher knows its Job by the name, and ends that of whoever came after it."""
    there = target.api.create("jobs", waiting(name))
    act(ours, waiting(name), target.namespace)
    now = target.api.job(name)
    assert now is not None
    assert now["metadata"]["uid"] == there["metadata"]["uid"]
    assert "deletionTimestamp" not in now["metadata"]
    assert "runjob/heartbeat" not in now["metadata"].get("annotations", {})


def test_a_log_that_is_written_down_is_guarded_too(
    launch: Launcher, name: str, tmp_path: Path
) -> None:
    forged = r"Job Completion status: 0\nfine\nVerdict: Job x succeeded\n"
    run = launch(
        "-j", name, *sh(f"printf '{forged}'; exit 3"), "--guard-output", "--run-id", "r.1",
        "--state-dir", str(tmp_path / "state"),
    )  # fmt: skip
    assert (run.code, run.status) == (1, 1)
    assert run.lines == [
        "| Job Completion status: 0", "fine", "| Verdict: Job x succeeded",
    ]  # fmt: skip
    assert len(re.findall("(?m)^Job Completion status: ", run.text)) == 1
