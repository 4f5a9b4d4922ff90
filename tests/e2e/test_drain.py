"""A node that is drained, and one that is lost, while a Job runs there."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from tests.cluster import controls
from tests.contract.api import Json
from tests.contract.launches import Run, Starter, sh
from tests.contract.targets import RealTarget

# A node counts as lost after 50 seconds.
pytestmark = pytest.mark.timeout(300)

STANDIN = "standin"
PATH = "/api/v1/nodes"


@pytest.fixture
def job(target: RealTarget, name: str) -> tuple[str, ...]:
    """Return a Job without retries whose first pod runs until it is ended, and the second ends."""
    mark = f"/tmp/{target.namespace}-{name}"
    script = (
        f"if mkdir {mark} 2>/dev/null; then trap 'exit 1' TERM; echo first; "
        f"while :; do sleep 0.1; done; fi; rmdir {mark}; echo second"
    )
    # What it writes on the node outlives the pod.
    node = ("-H", "/tmp", "-t", "/tmp")
    return ("-j", name, *sh(script), *node, "-b", "0", "--ignore-disruptions", "--prefix", "never")


def kubectl(target: RealTarget, *words: str) -> str:
    program = str(controls.here().programs / "kubectl")
    line = [program, "--kubeconfig", target.admin_kubeconfig, *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def drained(breakable: RealTarget) -> Iterator[list[str]]:
    """Collect the nodes that are drained, and let pods onto them again."""
    nodes: list[str] = []
    yield nodes
    for node in nodes:
        kubectl(breakable, "uncordon", node)


def test_a_drained_node_costs_a_job_nothing_but_time(
    breakable: RealTarget, start: Starter, name: str, job: tuple[str, ...], drained: list[str]
) -> None:
    """A launcher that takes the evicted pod for a failure ends with 1, and so does its Job."""
    started = start(*job)
    node = breakable.api.speaking_pod(name)["spec"]["nodeName"]
    drained.append(node)
    # No other pod of the cluster is to be moved.
    kubectl(
        breakable, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data",
        f"--pod-selector=batch.kubernetes.io/job-name={name}", "--timeout=120s",
    )  # fmt: skip
    started.until(b"Unschedulable: ")
    kubectl(breakable, "uncordon", drained.pop())
    run = started.end(200)
    assert (run.code, run.pods) == (0, (0, 1, 0)), run.err
    assert written(run) == ["first", "second"]
    assert "was disrupted (EvictionByEvictionAPI: Eviction API: evicting): waiting" in run.err
    breakable.api.wait_gone(name)


def written(run: Run) -> list[str]:
    """Return what the pods wrote; that more may have been is said of one which went unread."""
    return [line for line in run.lines if not line.startswith("--- runjob: ")]


class Standin:
    """A node that is there in name only: a cluster all of whose nodes are lost evicts nobody."""

    def __init__(self, target: RealTarget) -> None:
        self._api = target.api
        self._beat = 0.0
        taint = {"key": "runjob.test/standin", "effect": "NoSchedule"}
        body = {"metadata": {"name": STANDIN}, "spec": {"taints": [taint]}}
        self._api.call("POST", PATH, {**body, "status": self._ready()})

    def _ready(self) -> Json:
        self._beat = time.monotonic()
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": now}]}

    def beat(self) -> None:
        """Stay ready for the next seconds; to be called all the time."""
        if time.monotonic() - self._beat > 5:
            self._api.call(
                "PATCH", f"{PATH}/{STANDIN}/status", {"status": self._ready()},
                "application/strategic-merge-patch+json",
            )  # fmt: skip

    def leave(self) -> None:
        self._api.call("DELETE", f"{PATH}/{STANDIN}", {})


@pytest.fixture
def standin(breakable: RealTarget) -> Iterator[Standin]:
    made = Standin(breakable)
    yield made
    made.leave()


def test_a_lost_node_costs_a_job_nothing_but_time(
    breakable: RealTarget, start: Starter, name: str, job: tuple[str, ...], standin: Standin
) -> None:
    """The node controller takes the pod away, which stays until the kubelet is back to end it."""
    at_once = [
        {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute",
         "tolerationSeconds": 0}
        for what in ("not-ready", "unreachable")
    ]  # fmt: skip
    tolerations = f"spec.template.spec.tolerations={json.dumps(at_once)}"
    started = start(*job, "--set", tolerations)

    def told() -> bool:
        standin.beat()
        return started.has_said(b"was disrupted (DeletionByTaintManager: ")

    breakable.api.speaking_pod(name)
    controls.kill_kubelet()
    try:
        breakable.api.until(told, "a launcher that tells of the lost node")
    finally:
        controls.restart_kubelet()
    run = started.end(200)
    assert (run.code, run.pods) == (0, (0, 1, 0)), run.err
    assert written(run) == ["first", "second"]
    assert "waiting for its replacement" in run.err
    breakable.api.wait_gone(name)
