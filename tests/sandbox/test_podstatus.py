"""The status of a pod."""

from __future__ import annotations

import pytest

from runjob.sandbox.podstatus import (
    ContainerState,
    conditions_of,
    created,
    phase_of,
    quality_of_service,
    with_conditions,
)

from .talk import Json

WAITING = created({"name": "c", "image": "i"}, "ContainerCreating")
RUNNING = ContainerState("c", "i", {"running": {}}, {})


def ended(code: int) -> ContainerState:
    return ContainerState("c", "i", {"terminated": {"exitCode": code}}, {})


CRASHED = ended(1).waiting("CrashLoopBackOff", "back-off")


@pytest.mark.parametrize(
    ("main", "policy", "phase"),
    [
        ([WAITING], "Never", "Pending"),
        ([RUNNING, WAITING], "Never", "Pending"),
        ([RUNNING], "Never", "Running"),
        ([RUNNING, ended(1)], "Never", "Running"),
        ([ended(0)], "Never", "Succeeded"),
        ([ended(0), ended(3)], "Never", "Failed"),
        ([ended(0)], "OnFailure", "Succeeded"),
        ([ended(3)], "OnFailure", "Running"),
        ([CRASHED], "OnFailure", "Running"),
        ([ended(0)], "Always", "Running"),
    ],
)
def test_the_phase_follows_the_containers(
    main: list[ContainerState], policy: str, phase: str
) -> None:
    assert phase_of([], frozenset(), main, policy) == phase


@pytest.mark.parametrize(
    ("initial", "policy", "phase"),
    [
        (WAITING, "Never", "Pending"),
        (ended(0), "Never", "Running"),
        (ended(1), "Never", "Failed"),
        (ended(1), "OnFailure", "Pending"),
    ],
)
def test_init_containers_come_first(initial: ContainerState, policy: str, phase: str) -> None:
    assert phase_of([initial], frozenset(), [RUNNING], policy) == phase


def test_a_sidecar_does_not_hold_the_phase_back() -> None:
    assert phase_of([RUNNING], frozenset({"c"}), [ended(0)], "Never") == "Succeeded"


def test_the_last_end_is_remembered_while_a_container_waits() -> None:
    again = CRASHED.waiting("CrashLoopBackOff")
    assert again.as_json()["lastState"] == {"terminated": {"exitCode": 1}}
    assert again.as_json()["ready"] is False


def test_an_init_container_is_ready_when_it_is_done() -> None:
    assert ended(0).as_json(ready_when_done=True)["ready"] is True
    assert ended(1).as_json(ready_when_done=True)["ready"] is False


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    first = with_conditions([], [{"type": "Ready", "status": "False"}], "monday")
    second = with_conditions(first, [{"type": "Ready", "status": "False"}], "tuesday")
    third = with_conditions(second, [{"type": "Ready", "status": "True"}], "friday")
    assert [c[0]["lastTransitionTime"] for c in (first, second, third)] == [
        "monday", "monday", "friday",
    ]  # fmt: skip


def test_unready_containers_are_named() -> None:
    conditions = {c["type"]: c for c in conditions_of("Pending", False, False, True, [WAITING])}
    assert conditions["Initialized"]["reason"] == "ContainersNotInitialized"
    assert conditions["Ready"]["message"] == "containers with unready status: [c]"
    assert conditions["PodReadyToStartContainers"]["status"] == "True"


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"requests": BOTH, "limits": BOTH}, "Guaranteed"),
    ],
)
def test_the_quality_of_service_follows_requests_and_limits(resources: Json, quality: str) -> None:
    assert quality_of_service({"containers": [{"resources": resources}]}) == quality
