"""What a pod's status tells of one run of a container."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal

import pytest

from runjob.observed import ContainerView, PodView, Terminated
from runjob.runs import RunView, run_of

AT = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
Role = Literal["init", "sidecar", "main"]


def end(exit_code: int = 0, finished: datetime | None = AT) -> Terminated:
    return Terminated(exit_code=exit_code, reason="", message="", signal=0,
                      started=AT, finished=finished)  # fmt: skip


def waits(restarts: int = 0, last: Terminated | None = None, role: Role = "main") -> ContainerView:
    return ContainerView(
        name="main", role=role, restarts=restarts, waiting=("CrashLoopBackOff", ""), last=last
    )


def runs(restarts: int = 0) -> ContainerView:
    last = end(1) if restarts else None
    return ContainerView(name="main", restarts=restarts, running=AT, last=last)


def ended(restarts: int = 0, exit_code: int = 0, role: Role = "main") -> ContainerView:
    return ContainerView(name="main", role=role, restarts=restarts, terminated=end(exit_code))


def run(
    number: int, view: ContainerView, phase: str = "Running", *, in_place: bool = False
) -> RunView:
    pod = PodView(
        uid="p1",
        name="pod",
        phase=phase,
        containers=(ContainerView(name="other"), view),
        restarts_in_place=in_place,
    )
    return run_of(pod, "main", number)


@pytest.mark.parametrize(
    ("view", "begun", "over", "superseded"),
    [
        pytest.param(waits(), False, False, False, id="waits for its first start"),
        pytest.param(runs(), True, False, False, id="runs"),
        pytest.param(ended(), True, True, False, id="has ended"),
        pytest.param(waits(0, end()), True, True, False, id="waits to be started once more"),
        pytest.param(runs(1), True, True, True, id="runs once more"),
        pytest.param(waits(3, end()), True, True, True, id="was started more often"),
    ],
)
def test_the_first_run_of_a_container_that(
    view: ContainerView, begun: bool, over: bool, superseded: bool
) -> None:
    first = run(0, view)
    assert (first.begun, first.over, first.superseded) == (begun, over, superseded)


@pytest.mark.parametrize(
    ("view", "begun", "over"),
    [
        pytest.param(runs(), False, False, id="runs for the first time"),
        pytest.param(ended(), False, False, id="has ended once"),
        pytest.param(runs(1), True, False, id="runs for the second time"),
        pytest.param(ended(1), True, True, id="has ended twice"),
    ],
)
def test_the_second_run_of_a_container_that(view: ContainerView, begun: bool, over: bool) -> None:
    second = run(1, view)
    assert (second.begun, second.over, second.superseded) == (begun, over, False)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_each_run_is_over_once_its_pod_is(phase: str) -> None:
    assert run(0, runs(), phase).over
    assert not run(1, waits(0, end(1)), phase, in_place=True).pending


@pytest.mark.parametrize(
    ("number", "view", "in_place", "pending"),
    [
        pytest.param(0, waits(), False, True, id="the first run comes"),
        pytest.param(0, runs(), False, False, id="it has come"),
        pytest.param(1, runs(), False, False, id="no second one without restarts"),
        pytest.param(1, ended(0, 1), False, False, id="nor after a failure"),
        pytest.param(1, runs(), True, True, id="nobody knows how it ends"),
        pytest.param(1, ended(0, 1), True, True, id="a failure is tried again"),
        pytest.param(1, ended(), True, False, id="a success is not"),
        pytest.param(1, ended(0, 0, "init"), True, False, id="nor an init container's"),
        pytest.param(1, ended(0, 0, "sidecar"), True, True, id="but a sidecar's is"),
        pytest.param(1, ended(0, 0, "sidecar"), False, True, id="whatever its pod's policy"),
    ],
)
def test_another_run_is_waited_for_while_it_may_come(
    number: int, view: ContainerView, in_place: bool, pending: bool
) -> None:
    assert run(number, view, in_place=in_place).pending is pending


@pytest.mark.parametrize(
    ("view", "second"),
    [
        pytest.param(
            ended(), b"2026-01-31T12:00:01", id="the one after its end, which has no part"
        ),
        pytest.param(runs(), None, id="none while it runs"),
        pytest.param(
            ContainerView(name="main", terminated=end(finished=None)),
            None,
            id="none without a time",
        ),
    ],
)
def test_the_last_second_in_which_a_run_can_have_written(
    view: ContainerView, second: bytes | None
) -> None:
    assert run(0, view).last_second == second
