"""Read parts of an object that nobody has checked yet: what is not as it should be is empty."""

from __future__ import annotations

from typing import Any


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """Follow a path of keys to an object."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Any, *path: str) -> list[dict[str, Any]]:
    """Follow a path of keys to a list, and return the objects in it."""
    *way, last = path
    found = mapping(value, *way).get(last)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: Any, *path: str) -> str:
    """Follow a path of keys to a text."""
    *way, last = path
    found = mapping(value, *way).get(last)
    return found if isinstance(found, str) else ""


def pod_spec(job: Any) -> dict[str, Any]:
    """Return what a Job says of its pods."""
    return mapping(job, "spec", "template", "spec")


def containers(pod: Any) -> list[dict[str, Any]]:
    """Return the containers of a pod, those first that run first."""
    return [*items(pod, "initContainers"), *items(pod, "containers")]
