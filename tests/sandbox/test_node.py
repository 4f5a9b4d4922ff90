"""Quantities, and what fits on the node."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from runjob.sandbox.node import Node, Timings, requested, why_unschedulable
from runjob.sandbox.quantity import quantity

from .talk import Json

NODE = Node(cpu="2", memory="1Gi")


def a_pod(initial: str = "", **requests: str) -> Json:
    spec: Json = {"containers": [{"name": "main", "resources": {"requests": requests}}]}
    if initial:
        spec["initContainers"] = [{"resources": {"requests": {"cpu": initial}}}]
    return {"spec": spec}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", Fraction(1)), ("100m", Fraction(1, 10)), ("1.5", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("2Ki", Fraction(2048)), ("3k", Fraction(3000)), ("1e3", Fraction(1000)),
        ("5E-1", Fraction(1, 2)), ("1Gi", Fraction(2**30)), ("7n", Fraction(7, 10**9)),
        ("-1", Fraction(-1)), (12, Fraction(12)), ("1E", Fraction(10**18)),
    ],
)  # fmt: skip
def test_quantities_are_read_exactly(text: object, value: Fraction) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "12Q", "1 Gi", "Gi", "1.2.3", "[1]"])
def test_other_text_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        quantity(text)


def unschedulable(pod: Json, *running: Json) -> str | None:
    return why_unschedulable(pod, NODE, running, lambda name: name == "there")


def test_a_pod_fits_as_long_as_there_is_room() -> None:
    half = a_pod(cpu="1")
    assert unschedulable(half, half) is None
    assert unschedulable(half, half, half) == (
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_a_pod_that_asks_for_nothing_fits_on_a_full_node() -> None:
    assert unschedulable(a_pod(), a_pod(cpu="2")) is None


def test_a_pod_larger_than_the_node_is_told_that_nothing_helps() -> None:
    why = unschedulable(a_pod(cpu="3", memory="2Gi"))
    assert why is not None
    assert "1 Insufficient cpu, 1 Insufficient memory." in why
    assert why.endswith("1 Preemption is not helpful for scheduling.")


def test_an_init_container_counts_when_it_asks_for_more() -> None:
    assert requested(a_pod("3", cpu="1"), "cpu") == 3
    assert requested(a_pod("1", cpu="2"), "cpu") == 2


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, None),
        ({"nodeSelector": {"disk": "fast"}}, "didn't match Pod's node affinity/selector"),
        ({"volumes": [{"persistentVolumeClaim": {"claimName": "there"}}]}, None),
        (
            {"volumes": [{"persistentVolumeClaim": {"claimName": "lost"}}]},
            'persistentvolumeclaim "lost" not found. not found',
        ),
    ],
)
def test_selectors_and_claims_decide_too(spec: dict[str, Any], why: str | None) -> None:
    pod = a_pod()
    pod["spec"].update(spec)
    found = unschedulable(pod)
    assert found is None if why is None else found is not None and why in found


def test_backoff_doubles_up_to_its_limit() -> None:
    timings = Timings(longest_backoff=1.0)
    assert [timings.doubled(0.2, count) for count in (0, 1, 2, 3, 99)] == [0.2, 0.4, 0.8, 1.0, 1.0]
