"""Tables: the columns that kubectl get prints."""

from __future__ import annotations

import time

from .http import Request
from .moments import seconds_of
from .resources import EVENTS, JOBS, PODS, Json, Resource

COLUMNS = {
    PODS: ("Name", "Ready", "Status", "Restarts", "Age"),
    EVENTS: ("Last Seen", "Type", "Reason", "Object", "Message"),
    JOBS: ("Name", "Status", "Completions", "Duration", "Age"),
}


def wants_table(request: Request) -> bool:
    """Tell whether the client asked for a table."""
    return "as=Table" in request.headers.get("accept", "")


def as_table(resource: Resource, items: list[Json], version: int) -> Json:
    """Write objects as the Table that kubectl prints from."""
    columns = COLUMNS.get(resource, ("Name", "Age"))
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": [
            {"name": name, "type": "string", "format": "", "description": "", "priority": 0}
            for name in columns
        ],
        "rows": [{"cells": _cells(resource, item), "object": _partial(item)} for item in items],
    }


def table_event(resource: Resource, kind: str, item: Json) -> Json:
    """Write a change as a watch that asked for tables sends it."""
    return {"type": kind, "object": as_table(resource, [item], 0)}


def _partial(item: Json) -> Json:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": item["metadata"],
    }


def _cells(resource: Resource, item: Json) -> list[str]:
    metadata, status = item["metadata"], item.get("status") or {}
    name, age = metadata["name"], _since(metadata["creationTimestamp"], time.time())
    if resource is PODS:
        entries = status.get("containerStatuses") or []
        ready = sum(entry["ready"] for entry in entries)
        total = len(item["spec"]["containers"])
        restarts = sum(entry["restartCount"] for entry in entries)
        return [name, f"{ready}/{total}", pod_word(item), str(restarts), age]
    if resource is JOBS:
        wanted = item["spec"].get("completions") or 1
        ended = status.get("completionTime")
        took = ""
        if "startTime" in status:
            end = seconds_of(ended) if ended else time.time()
            took = _since(status["startTime"], end)
        return [name, job_word(status), f"{status.get('succeeded', 0)}/{wanted}", took, age]
    if resource is EVENTS:
        involved = item["involvedObject"]
        about = f"{involved['kind'].lower()}/{involved['name']}"
        seen = _since(item.get("lastTimestamp") or metadata["creationTimestamp"], time.time())
        return [seen, item["type"], item["reason"], about, item["message"]]
    return [name, age]


def job_word(status: Json) -> str:
    """Choose the word that stands under STATUS for a Job."""
    held = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
    for word in ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if word in held:
            return word
    return "Running"


def pod_word(pod: Json) -> str:
    """Choose the word that stands under STATUS."""
    status = pod.get("status") or {}
    word: str = status.get("reason") or status.get("phase", "Pending")
    for entry in status.get("containerStatuses") or ():
        state = entry["state"]
        held = state.get("waiting") or state.get("terminated") or {}
        word = held.get("reason", word)
    return "Terminating" if "deletionTimestamp" in pod["metadata"] else word


def _since(start: str, end: float) -> str:
    seconds = max(0, int(end - seconds_of(start)))
    if seconds < 120:
        return f"{seconds}s"
    return f"{seconds // 60}m" if seconds < 7200 else f"{seconds // 3600}h"
