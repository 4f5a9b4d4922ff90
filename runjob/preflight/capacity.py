"""Whether ResourceQuotas and LimitRanges of the namespace let the Job and its pods in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from runjob.errors import Exit
from runjob.preflight.data import Finding, error, warning
from runjob.preflight.demand import (
    Amounts,
    Demand,
    amounts,
    containers_demands,
    limits_of,
    pod_demand,
)
from runjob.preflight.quantity import written
from runjob.preflight.shapes import items, mapping, pod_spec
from runjob.request import JOB, PREREQUISITES, Body, Kind

# A quota on one of these lets no pod in that does not say how much it wants.
_MUST_BE_SAID = ("cpu", "memory", "ephemeral-storage")
_MEND_LIMITS = (
    "mend --requests or --limits (in a manifest resources), or have the LimitRange changed"
)


def limited(job: Body, ranges: Iterable[Body]) -> Iterator[Finding]:
    """Yield what the LimitRanges would not let pass."""
    ranges = tuple(ranges)
    each = containers_demands(job, ranges)
    whole = pod_demand(job, each)
    for limit_range in ranges:
        name = f"LimitRange {limit_range['metadata']['name']}"
        for item in limits_of(limit_range, "Container"):
            for demand in each:
                yield from _within(name, f"container {demand.name}", demand, item)
        for item in limits_of(limit_range, "Pod"):
            yield from _within(name, "the pod", whole, item)


def _within(name: str, who: str, demand: Demand, item: Any) -> Iterator[Finding]:
    for resource, most in amounts(item, "max").items():
        limit = demand.limits.get(resource)
        if limit is None:
            yield _limit(f"{name}: {who} has no limit of {resource}, and must have one")
        elif max(limit, demand.requests.get(resource, limit)) > most:
            yield _limit(
                f"{name}: {who} may use at most {written(most)} of {resource}, and wants "
                f"{written(max(limit, demand.requests.get(resource, limit)))}"
            )
    for resource, least in amounts(item, "min").items():
        asked = demand.requests.get(resource)
        if asked is None:
            yield _limit(f"{name}: {who} requests no {resource}, and must")
        elif asked < least:
            yield _limit(
                f"{name}: {who} must request at least {written(least)} of {resource}, and "
                f"requests {written(asked)}"
            )


def _limit(text: str) -> Finding:
    return error(Exit.CONFIGURATION, text, _MEND_LIMITS)


def admitted(
    job: Body, others: Iterable[Body], quotas: Iterable[Body], ranges: Iterable[Body], refused: Exit
) -> Iterator[Finding]:
    """Yield what the ResourceQuotas have no room for: objects, and the pods that run at once.

    others are the objects that are created with the Job.
    """
    demand = pod_demand(job, containers_demands(job, ranges))
    objects = Counter(_counted(kind_of(body)) for body in (job, *others))
    for quota in quotas:
        name = f"ResourceQuota {quota['metadata']['name']}"
        hard = amounts(quota, "status", "hard") or amounts(quota, "spec", "hard")
        room = {key: most - amounts(quota, "status", "used").get(key, Fraction(0))
                for key, most in hard.items()}  # fmt: skip
        for key, left in room.items():
            wanted = objects.get(key, objects.get(f"count/{key}", 0))
            if wanted and wanted > left:
                yield error(
                    refused,
                    f"{name} has no room: {key} {written(hard[key])}, of which "
                    f"{written(max(left, Fraction(0)))} is free and {wanted} needed",
                    "remove what is no longer needed, or have the quota raised",
                )
        if _concerns(quota, job, demand):
            yield from _pods(name, hard, room, demand, at_once(job))


def _pods(name: str, hard: Amounts, room: Amounts, demand: Demand, count: int) -> Iterator[Finding]:
    for key, left in room.items():
        needed = _needed(key, demand)
        if needed is None:
            continue
        if needed < 0:
            yield error(
                Exit.CONFIGURATION,
                f"{name}: the pod must say how much it wants of {key}",
                "give every container --requests and --limits (in a manifest resources)",
            )
            continue
        free = f"{key} {written(hard[key])}, of which {written(max(left, Fraction(0)))} is free"
        if needed > left:
            yield error(
                Exit.NOT_STARTED,
                f"{name} has no room for a pod: {free} and {written(needed)} needed",
                "ask for less, wait until others end, or have the quota raised",
            )
        elif needed * count > left:
            yield warning(
                f"{name} has room for {left // needed} of the {count} pods at once: {free} and "
                f"{written(needed * count)} needed",
                "the others wait for the first to end",
            )


def _needed(key: str, demand: Demand) -> Fraction | None:
    """Return what one pod takes of a quota's key: None for nothing, below 0 if it must be said."""
    if key in ("pods", "count/pods"):
        return Fraction(1)
    part, dot, resource = key.partition(".")
    if part == "limits" and dot:
        found = demand.limits.get(resource)
    elif part == "requests" and dot:
        found = demand.requests.get(resource)
    else:
        resource, found = key, demand.requests.get(key) if key in _MUST_BE_SAID else None
    if found is None and resource in _MUST_BE_SAID:
        return Fraction(-1)
    return found or None


def at_once(job: Body) -> int:
    """Return how many pods of a Job run at once at most."""
    spec = mapping(job, "spec")
    counts = [spec.get("parallelism", 1), spec.get("completions")]
    known = [each for each in counts if isinstance(each, int) and not isinstance(each, bool)]
    return max(min(known, default=1), 0)


def _concerns(quota: Body, job: Body, demand: Demand) -> bool:
    """Tell whether a quota counts these pods; of scopes that are not known here, no."""
    spec = mapping(quota, "spec")
    scopes = spec.get("scopes")
    best_effort = not demand.requests and not demand.limits
    ends = "activeDeadlineSeconds" in pod_spec(job)
    met = {
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "Terminating": ends,
        "NotTerminating": not ends,
    }
    named = scopes if isinstance(scopes, list) else []
    selected = items(spec, "scopeSelector", "matchExpressions")
    return not selected and all(met.get(str(each), False) for each in named)


def kind_of(body: Body) -> Kind:
    """Return where the API keeps an object of the request."""
    return JOB if body["kind"] == "Job" else PREREQUISITES[body["apiVersion"], body["kind"]]


def _counted(kind: Kind) -> str:
    """Name a kind as quotas count it: count/jobs.batch."""
    group = kind.api_version.rpartition("/")[0]
    return f"count/{kind.plural}" + (f".{group}" if group else "")
