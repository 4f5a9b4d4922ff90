"""What one pod asks for and may use, with what the namespace's LimitRanges fill in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from runjob.preflight.quantity import quantity
from runjob.preflight.shapes import items, mapping, pod_spec, text
from runjob.request import Body

Amounts = dict[str, Fraction]


@dataclass(frozen=True)
class Demand:
    """What a container or a pod requests, and the limits that it has, by resource."""

    name: str
    requests: Amounts
    limits: Amounts


def containers_demands(job: Body, ranges: Iterable[Body]) -> tuple[Demand, ...]:
    """Return the demand of each container of a pod, those first that run before the others."""
    pod = pod_spec(job)
    defaults = [_defaults(item) for each in ranges for item in limits_of(each, "Container")]
    return tuple(
        _container(each, defaults)
        for each in (*items(pod, "initContainers"), *items(pod, "containers"))
    )


def pod_demand(job: Body, each: tuple[Demand, ...]) -> Demand:
    """Sum up a pod: its containers at work, or its hungriest step before them.

    Sidecars (init containers that restart always) go on beside all that follows them:
    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    inits = items(pod_spec(job), "initContainers")
    beside = tuple(text(container, "restartPolicy") == "Always" for container in inits)

    def total(amounts: Callable[[Demand], Amounts]) -> Amounts:
        sidecars: Amounts = {}
        peak: Amounts = {}
        for demand, stays in zip(each, beside, strict=False):
            step = _plus(sidecars, amounts(demand))
            peak = _most(peak, step)
            sidecars = step if stays else sidecars
        for demand in each[len(inits) :]:
            sidecars = _plus(sidecars, amounts(demand))
        return _most(peak, sidecars)

    return Demand("pod", total(lambda one: one.requests), total(lambda one: one.limits))


def limits_of(limit_range: Body, kind: str) -> list[dict[str, Any]]:
    """Return the limits of a LimitRange for Containers, or for Pods."""
    return [each for each in items(limit_range, "spec", "limits") if text(each, "type") == kind]


def amounts(value: Any, *path: str) -> Amounts:
    """Follow a path to quantities by resource; what is none is left out."""
    read = {name: quantity(each) for name, each in mapping(value, *path).items()}
    return {name: each for name, each in read.items() if each is not None}


def _defaults(item: Any) -> tuple[Amounts, Amounts]:
    """Return the requests and the limits that a LimitRange gives, as the API completes it."""
    limits = {**amounts(item, "max"), **amounts(item, "default")}
    requests = {**amounts(item, "min"), **limits, **amounts(item, "defaultRequest")}
    return requests, limits


def _container(container: Any, defaults: list[tuple[Amounts, Amounts]]) -> Demand:
    limits = amounts(container, "resources", "limits")
    requests = {**limits, **amounts(container, "resources", "requests")}
    for more_requests, more_limits in defaults:
        requests = {**more_requests, **requests}
        limits = {**more_limits, **limits}
    return Demand(text(container, "name"), requests, limits)


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return {name: one.get(name, Fraction(0)) + other.get(name, Fraction(0))
            for name in (*one, *other)}  # fmt: skip


def _most(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, Fraction(0)), other.get(name, Fraction(0)))
            for name in (*one, *other)}  # fmt: skip
