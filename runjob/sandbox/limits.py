"""Quotas, limit ranges and priority classes: what they do not let in."""

from __future__ import annotations

from .quantity import quantity
from .refusals import forbidden
from .resources import LIMITS, PODS, PRIORITIES, QUOTAS, Json, Resource
from .store import Store


def within_quotas(store: Store, resource: Resource, item: Json) -> None:
    """Refuse one object more than a quota counts; quotas of CPU and memory are not played."""
    if not resource.namespaced:
        return
    metadata = item["metadata"]
    namespace = metadata["namespace"]
    for quota in store.select(QUOTAS, namespace):
        hard = (quota.get("spec") or {}).get("hard") or {}
        for key in (f"count/{resource.qualified}", resource.qualified):
            used = len([each for each in store.select(resource, namespace) if not _over(each)])
            if key in hard and quantity(hard[key]) <= used:
                raise forbidden(
                    resource,
                    metadata.get("name", ""),
                    f"exceeded quota: {quota['metadata']['name']}, requested: {key}=1, "
                    f"used: {key}={used}, limited: {key}={hard[key]}",
                )


def _over(item: Json) -> bool:
    return (item.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def within_limits(store: Store, pod: Json) -> None:
    """Refuse a pod with a container above the most of a limit range, or of an unknown priority."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    priority = spec.get("priorityClassName")
    if priority and store.find(PRIORITIES, ("", priority)) is None:
        raise forbidden(PODS, name, f"no PriorityClass with name {priority} was found")
    for limit_range in store.select(LIMITS, pod["metadata"]["namespace"]):
        for item in limit_range["spec"]["limits"]:
            for container in spec["containers"] if item["type"] == "Container" else ():
                limits = (container.get("resources") or {}).get("limits") or {}
                for resource, most in (item.get("max") or {}).items():
                    limit = limits.get(resource)
                    if limit is not None and quantity(limit) > quantity(most):
                        raise forbidden(
                            PODS,
                            name,
                            f"maximum {resource} usage per Container is {most}, but limit is "
                            f"{limit}",
                        )
