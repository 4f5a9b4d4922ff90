"""Pods that the cluster takes away, and sidecars that keep one: who decides, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runjob import explaining
from runjob.sandbox import Sandbox
from tests.contract.api import is_running
from tests.contract.launches import FOREVER, Launcher, Run, Starter, sh
from tests.contract.targets import EmbeddedTarget, Target, wants_real

IGNORING = "--ignore-disruptions"

# Ends well at the second attempt, which finds the mark of the first on the node.
ONCE = "if mkdir {place} 2>/dev/null; then trap 'exit 1' TERM; echo first; {wait}; fi; echo second"
WAIT = "while :; do sleep 0.1; done"


def evict(target: Target, pod: str) -> None:
    """Take a pod away as `kubectl drain` does."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    target.api.call("POST", target.api.path("pods", pod) + "/eviction", body)


def delete(target: Target, pod: str) -> None:
    target.api.delete("pods", pod)


@pytest.fixture
def place(target: Target, tmp_path: Path) -> str:
    """Return a folder on the node that is not there yet, and where a pod may make it."""
    return f"/tmp/{tmp_path.name}-{target.namespace}" if target.real else str(tmp_path / "once")


def twice(place: str, target: Target) -> tuple[str, ...]:
    script = sh(ONCE.format(place=place, wait=WAIT))
    # On the real cluster /tmp must outlive the pod.
    return (*script, "-H", "/tmp", "-t", "/tmp") if target.real else script


def disturbed(
    target: Target,
    start: Starter,
    name: str,
    take: Callable[[Target, str], None],
    *more: str,
    said: bytes = b"first\n",
) -> Run:
    """Launch, and take the first pod away once the launcher has shown that it said so.

    One that is gone before the launcher has seen it is no more than a number to it.
    """
    started = start("-j", name, *more)
    started.until(said)
    take(target, target.api.speaking_pod(name)["metadata"]["name"])
    return started.end()


def test_an_evicted_pod_that_is_ignored_is_replaced_and_followed(
    target: Target, start: Starter, name: str, place: str
) -> None:
    """Without a rule for it, backoffLimit 0 ends the Job with the first eviction."""
    run = disturbed(target, start, name, evict, *twice(place, target), IGNORING)
    assert (run.code, run.pods[1]) == (0, 1), run.err
    assert "was disrupted (EvictionByEvictionAPI: Eviction API: evicting): waiting" in run.err
    assert run.text.count("first\n") == 1
    assert run.text.count("second\n") == 1
    target.api.wait_gone(name)


def test_an_evicted_pod_that_counts_ends_the_job_and_the_option_is_named(
    target: Target, start: Starter, name: str
) -> None:
    """The pod's own exit code is 0: SIGTERM finds it well."""
    run = disturbed(target, start, name, evict, *sh(FOREVER), said=b"up\n")
    assert run.code == 1
    assert "was disrupted (EvictionByEvictionAPI" in run.verdict
    assert IGNORING in run.verdict
    assert "waiting for its replacement" not in run.err
    target.api.wait_gone(name)


@pytest.mark.parametrize(
    ("take", "words"),
    [pytest.param(evict, "was disrupted (", id="evicted"),
     pytest.param(delete, "was deleted by somebody: waiting", id="deleted by somebody")],
)  # fmt: skip
def test_a_pod_that_counts_and_may_be_retried_is_waited_for(
    target: Target,
    start: Starter,
    name: str,
    place: str,
    take: Callable[[Target, str], None],
    words: str,
) -> None:
    run = disturbed(target, start, name, take, *twice(place, target), "-b", "2")
    assert run.code == 0, run.err
    assert words in run.err
    assert run.text.count("second\n") == 1
    target.api.wait_gone(name)


def test_a_deleted_pod_by_which_the_job_fails_is_told_from_one_that_failed(
    target: Target, start: Starter, name: str
) -> None:
    """It ends with 143 like one that ends itself, and has no condition that tells them apart."""
    script = "trap 'exit 143' TERM; echo up; while :; do sleep 0.1; done"
    run = disturbed(target, start, name, delete, *sh(script), "-b", "0", said=b"up\n")
    assert run.code == 1
    assert "exit code 143 (SIGTERM); pod" in run.verdict
    assert "was deleted by somebody. A pod that is deleted counts as a failed" in run.verdict
    assert "waiting for its replacement" not in run.err
    target.api.wait_gone(name)


def test_a_deleted_pod_that_is_gone_at_once_is_told_of_too(
    target: Target, start: Starter, name: str, place: str
) -> None:
    script = sh(f"mkdir {place} 2>/dev/null && echo up && exec sleep 300; echo again; sleep 1")
    more = (*script, "-H", "/tmp", "-t", "/tmp") if target.real else script

    def at_once(target: Target, pod: str) -> None:
        target.api.delete("pods", pod, 0)

    run = disturbed(target, start, name, at_once, *more, "-b", "1", said=b"up\n")
    assert run.code == 0, run.err
    assert "was deleted by somebody: waiting for its replacement" in run.err
    assert "again" in run.text
    target.api.wait_gone(name)


@pytest.mark.parametrize("retries", ["0", "3"])
def test_pods_that_their_job_takes_away_at_its_deadline_were_deleted_by_nobody(
    target: Target, launch: Launcher, name: str, retries: str
) -> None:
    run = launch("-j", name, *sh(FOREVER), "-b", retries, "--deadline", "3s")
    assert run.code == 13, run.err
    assert "by somebody" not in run.text + run.err
    target.api.wait_gone(name)


def test_pods_that_their_job_takes_away_as_another_fails_were_deleted_by_nobody(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    text = beside(name, "test $JOB_COMPLETION_INDEX = 0 || exec sleep 300; sleep 1; exit 3", "true",
                  completions=2, parallelism=2, completionMode="Indexed")  # fmt: skip
    run = launched(launch, folder, name, text)
    assert run.code == 1, run.err
    assert "by somebody" not in run.text + run.err
    target.api.wait_gone(name)


def test_pods_that_restart_in_place_cannot_be_ignored(launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("echo never"), "-r", "OnFailure", IGNORING)
    assert run.code == 1
    assert run.err.endswith("are not counted one by one\n")


embedded = pytest.mark.skipif(wants_real(), reason="a node to lose is the embedded cluster's")


@embedded
def test_a_preempted_pod_is_told_of_and_followed_in_its_replacement(
    start: Starter, name: str, place: str
) -> None:
    with Sandbox() as sandbox:
        target = EmbeddedTarget(sandbox)
        start.common = ("-n", target.namespace, "--kubeconfig", str(sandbox.kubeconfig))
        run = disturbed(
            target, start, name, lambda _, pod: sandbox.preempt(target.namespace, pod),
            *twice(place, target), IGNORING,
        )  # fmt: skip
    assert run.code == 0
    assert "was disrupted (PreemptionByScheduler: " in run.err


@pytest.fixture
def classes(target: Target, name: str) -> Iterator[tuple[str, str]]:
    """Make two priority classes, a low one and a high one."""
    path, made = "/apis/scheduling.k8s.io/v1/priorityclasses", (f"{name}-low", f"{name}-high")
    for each, value in zip(made, (-10, 1000), strict=True):
        target.api.call("POST", path, {"metadata": {"name": each}, "value": value})
    yield made
    for each in made:
        target.api.call("DELETE", f"{path}/{each}", {})


@pytest.mark.skipif(not wants_real(), reason="the embedded cluster preempts on demand only")
def test_a_pod_that_makes_room_for_a_more_important_one_is_replaced(
    target: Target, launch: Launcher, name: str, place: str, classes: tuple[str, str]
) -> None:
    low, high = classes
    nodes = target.api.call("GET", "/api/v1/nodes")["items"]
    cpu = next(
        node["status"]["allocatable"]["cpu"] for node in nodes if not node["spec"].get("taints")
    )
    much = f"{int(cpu) * 600}m"

    def compete() -> None:
        target.api.speaking_pod(name)
        main = {
            "name": "main", "image": "busybox:1", "imagePullPolicy": "IfNotPresent",
            "command": ["sleep", "60"], "resources": {"requests": {"cpu": much}},
        }  # fmt: skip
        spec = {"priorityClassName": high, "restartPolicy": "Never", "containers": [main]}
        target.api.create("pods", {"metadata": {"name": f"{name}-vip"}, "spec": spec})
        target.api.until(
            lambda: is_running(target.api.find("pods", f"{name}-vip") or {"status": {}}),
            "the more important pod",
        )
        target.api.delete("pods", f"{name}-vip", 0)

    run = launch(
        "-j", name, *twice(place, target), IGNORING, "--requests", f"cpu={much}",
        "--set", f"spec.template.spec.priorityClassName={low}", meanwhile=compete,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "was disrupted (PreemptionByScheduler: " in run.err
    assert run.text.count("second\n") == 1
    target.api.wait_gone(name)


@embedded
@pytest.mark.parametrize("more", [(IGNORING,), ("-b", "1")], ids=["ignored", "counted"])
def test_a_lost_node_is_waited_for(
    launch: Launcher, name: str, place: str, more: tuple[str, ...]
) -> None:
    """The pod stays for ever, until its node is back."""
    with Sandbox() as sandbox:
        target = EmbeddedTarget(sandbox)
        launch.common = ("-n", target.namespace, "--kubeconfig", str(sandbox.kubeconfig))

        def lose() -> None:
            target.api.speaking_pod(name)
            sandbox.lose_node()
            target.api.until(
                lambda: sandbox.requests and any(
                    each.path.endswith("/log") and each.status == 500 for each in sandbox.requests
                ),
                "a log that cannot be read",
            )  # fmt: skip
            sandbox.return_node()

        run = launch("-j", name, *twice(place, target), *more, meanwhile=lose)
        assert run.code == 0, run.err
        assert "was disrupted (DeletionByTaintManager: " in run.err
        assert run.text.count("second\n") == 1
        target.api.wait_gone(name)


# -- sidecars ----------------------------------------------------------------------------------


def beside(name: str, main: str, sidecar: str, **spec: Any) -> str:
    """Return a manifest whose pod has a main container and a classic sidecar."""
    shell = {"image": "busybox:1", "imagePullPolicy": "IfNotPresent"}
    containers = [
        {"name": "proxy", **shell, "command": ["sh", "-c", sidecar]},
        {"name": "main", **shell, "command": ["sh", "-c", main]},
    ]
    pod = {"restartPolicy": "Never", "containers": containers, "terminationGracePeriodSeconds": 5}
    job = {"backoffLimit": 0, **spec, "template": {"spec": pod}}
    return json.dumps(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": job}
    )


def launched(launch: Launcher, folder: Path, name: str, text: str, *more: str) -> Run:
    (folder / "job.yaml").write_text(text)
    return launch("-j", name, "-y", "job.yaml", "--main-container", "main", *more)


@pytest.mark.parametrize("code", [0, 3])
def test_the_main_container_decides_where_a_sidecar_runs_on(
    target: Target, launch: Launcher, name: str, folder: Path, code: int
) -> None:
    """Without the option such a Job lives for ever."""
    text = beside(name, f"seq 1 500; exit {code}", FOREVER, backoffLimit=1)
    run = launched(launch, folder, name, text, "--exit-code", "container")
    assert (run.code, run.status) == (code, code)
    assert [line.split()[-1] for line in run.lines if "/main]" in line] == [
        str(number) for number in range(1, 501)
    ]
    assert "proxy ran on" in run.verdict
    assert ("so that it was not tried again" in run.verdict) is (code != 0)
    assert target.api.is_gone(name)


def test_a_sidecar_that_ends_by_itself_is_left_to_the_job(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    run = launched(launch, folder, name, beside(name, "echo done", "sleep 1; echo bye"))
    assert (run.code, run.pods) == (0, (0, 1, 0))
    assert "ran on" not in run.verdict
    assert any(line.endswith("bye") for line in run.lines)
    target.api.wait_gone(name)


def test_a_sidecar_that_comes_first_is_told_of_too(
    target: Target,
    launch: Launcher,
    name: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explaining, "HELD", 0.0)
    (folder / "job.yaml").write_text(beside(name, "echo done", "sleep 3"))
    run = launch("-j", name, "-y", "job.yaml")
    assert run.code == 0, run.err
    assert "main ended with 0, proxy runs on and keeps the Job alive; where that is a" in run.err
    assert run.err.count("--main-container") == 1
    target.api.wait_gone(name)


def test_several_completions_side_by_side_are_decided_by_their_main_containers(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    text = beside(name, "echo done", FOREVER, completions=2, parallelism=2)
    run = launched(launch, folder, name, text)
    assert run.code == 0
    assert run.text.count("/main] done") == 2
    assert target.api.is_gone(name)


def test_a_completion_that_a_sidecar_keeps_from_coming_is_told_of(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    run = launched(launch, folder, name, beside(name, "echo done", FOREVER, completions=2))
    assert run.code == 1
    assert "in 1 of 2 pods, and no further one can come while proxy run on" in run.verdict
    assert target.api.is_gone(name)


def test_a_name_that_no_container_has_is_refused_with_those_that_there_are(
    target: Target, launch: Launcher, name: str, folder: Path
) -> None:
    (folder / "job.yaml").write_text(beside(name, "echo never", FOREVER))
    run = launch("-j", name, "-y", "job.yaml", "--main-container", "web")
    assert run.code == 1
    assert "--main-container 'web' is no container of the pod: it has proxy, main" in run.err
    assert target.api.job(name) is None
