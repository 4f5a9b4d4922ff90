"""Jobs that cannot start, or take long to: what is waited for, and what ends at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from runjob.errors import Exit
from tests.contract.launches import SHELL, Launcher, Run, Starter, sh
from tests.contract.targets import Target

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers[0]"
NO_KEY = "{name: A, valueFrom: {configMapKeyRef: {name: kube-root-ca.crt, key: absent}}}"


@dataclass(frozen=True)
class Cause:
    """A reason for which a pod can never start; image is a behaviour of the registry."""

    label: str
    code: Exit
    words: str
    options: tuple[str, ...] = SHELL
    image: str = ""


CAUSES = (
    Cause("image missing", Exit.IMAGE, "not found", image="missing"),
    Cause("image denied", Exit.IMAGE, "authorization failed", image="denied"),
    Cause("image forbidden", Exit.IMAGE, "403", image="forbidden"),
    Cause("image name invalid", Exit.IMAGE, "InvalidImageName", ("-i", "No/Such:Name:1")),
    Cause(
        "image absent and never pulled", Exit.IMAGE, "ErrImageNeverPull",
        ("-i", "never.example/pulled:1", "-p", "Never"),
    ),
    Cause(
        "ConfigMap missing", Exit.CONFIGURATION, 'configmap "absent" not found',
        (*SHELL, "--env-from", "configmap/absent"),
    ),
    Cause(
        "key missing", Exit.CONFIGURATION, "couldn't find key absent",
        (*SHELL, "--set", f"{CONTAINER}.env[0]={NO_KEY}"),
    ),
    Cause(
        "Secret missing", Exit.CONFIGURATION, 'secret "absent" not found',
        (*SHELL, "--env-from", "secret/absent"),
    ),
    Cause(
        "volume's ConfigMap missing", Exit.CONFIGURATION, 'configmap "absent" not found',
        (*SHELL, "--set", f"{POD}.volumes[0]={{name: v, configMap: {{name: absent}}}}",
         "--set", f"{CONTAINER}.volumeMounts[0]={{name: v, mountPath: /v}}"),
    ),
    Cause(
        "command missing", Exit.CONFIGURATION, "/no/such/command",
        (*SHELL, "-k", "/no/such/command"),
    ),
    Cause(
        "ServiceAccount missing", Exit.CONFIGURATION, 'serviceaccount "absent" not found',
        (*SHELL, "--service-account", "absent"),
    ),
)  # fmt: skip
BY_LABEL = {cause.label: cause for cause in CAUSES}


@pytest.fixture(scope="module")
def early_ends(target: Target) -> Iterator[dict[str, tuple[str, Run]]]:
    """Launch a Job for each cause, all at the same time; give its name and end by the label."""
    common = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
    starter = Starter(common, target.api.patience)
    running = {}
    for number, cause in enumerate(CAUSES):
        name = f"early-end-{number}-{time.time_ns() % 10**9}"
        image = ("-i", target.image(cause.image)) if cause.image else ()
        # The time-out is the default of 10 minutes: what ends sooner ends early.
        running[cause.label] = (name, starter("-j", name, *cause.options, *image))
    try:
        yield {label: (name, each.end(60)) for label, (name, each) in running.items()}
    finally:
        starter.close()


@pytest.mark.parametrize("label", BY_LABEL)
def test_what_cannot_heal_ends_early_with_a_code_of_its_own(
    target: Target, early_ends: dict[str, tuple[str, Run]], label: str
) -> None:
    cause = BY_LABEL[label]
    name, run = early_ends[label]
    assert (run.code, run.status) == (cause.code, cause.code)
    assert cause.words in run.verdict
    assert "cannot start" in run.verdict
    assert "mend" in run.verdict.lower()
    assert run.log == b""
    assert target.api.is_gone(name)


def test_an_early_end_in_this_process_removes_the_job(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *SHELL, "-i", target.image("missing"))
    assert run.code == Exit.IMAGE
    assert target.api.is_gone(name)


def test_a_registry_that_heals_is_waited_for(target: Target, launch: Launcher, name: str) -> None:
    run = launch("-j", name, *sh("echo pulled at last"), "-i", target.image("flaky"))
    assert (run.code, run.log) == (0, b"pulled at last\n")


@pytest.mark.parametrize("image", ["quota", "broken"])
def test_a_registry_that_does_not_heal_in_time_ends_with_10(
    target: Target, launch: Launcher, name: str, image: str
) -> None:
    run = launch(
        "-j", name, *sh("echo never"), "-i", target.image(image), "--start-timeout", target.short
    )
    assert (run.code, run.status) == (10, 10)
    assert f"did not start within {target.short} s" in run.verdict
    assert target.api.is_gone(name)


def test_a_pull_may_take_longer_than_the_start_timeout(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo pulled"), "-i", target.image("slow"), "--start-timeout", "2")
    assert (run.code, run.log) == (0, b"pulled\n")
    assert "Pulling image" in run.err


@pytest.mark.slow
def test_a_start_may_take_more_than_a_minute(target: Target, launch: Launcher, name: str) -> None:
    if not target.real:
        pytest.skip("the embedded cluster's clock is the real one: see the shorter pull above")
    run = launch("-j", name, *sh("echo pulled"), "-i", target.image("slow-70"))
    assert (run.code, run.log) == (0, b"pulled\n")
    assert "Pulling image" in run.err


def test_a_pod_that_no_node_takes_ends_with_11(target: Target, launch: Launcher, name: str) -> None:
    run = launch(
        "-j", name, *sh("echo never"), "--node-selector", "nowhere=at-all",
        "--start-timeout", target.short,
    )  # fmt: skip
    assert (run.code, run.status) == (11, 11)
    assert "Unschedulable" in run.verdict
    assert run.err.count("waiting: ") == 1
    assert target.api.is_gone(name)


def test_a_suspended_job_ends_with_17_when_nobody_resumes_it(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch(
        "-j", name, *sh("echo never"), "--set", "spec.suspend=true",
        "--start-timeout", target.short,
    )  # fmt: skip
    assert (run.code, run.status) == (17, 17)
    assert "suspended" in run.verdict
    assert target.api.is_gone(name)


def test_a_suspended_job_that_is_resumed_runs(target: Target, launch: Launcher, name: str) -> None:
    def resume() -> None:
        target.api.until(lambda: target.api.job(name), "the Job")
        target.api.call(
            "PATCH",
            target.api.path("jobs", name),
            {"spec": {"suspend": False}},
            "application/merge-patch+json",
        )

    run = launch("-j", name, *sh("echo resumed"), "--set", "spec.suspend=true", meanwhile=resume)
    assert (run.code, run.log) == (0, b"resumed\n")


def test_a_pod_waits_for_what_is_created_late(target: Target, launch: Launcher, name: str) -> None:
    """A pod without a node is no pod that can never start."""

    def make_room() -> None:
        target.api.until(lambda: target.api.pods(name), "a pod")
        target.api.until(lambda: _is_unschedulable(target, name), "a pod that no node takes")
        target.api.delete("jobs", name)

    run = launch("-j", name, *sh("echo never"), "--node-selector", "nowhere=at-all",
                 meanwhile=make_room)  # fmt: skip
    assert run.code == 14


def _is_unschedulable(target: Target, name: str) -> bool:
    conditions = target.api.pods(name)[0]["status"].get("conditions") or ()
    return any(each.get("reason") == "Unschedulable" for each in conditions)
