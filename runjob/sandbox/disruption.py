"""Disruptions: pods that a cluster takes away for reasons of its own, and a node that is lost."""

from __future__ import annotations

from dataclasses import dataclass

from .deletion import DeleteOptions, delete
from .moments import stamp
from .podstatus import UNKNOWN_END, with_condition
from .resources import PODS, Json, with_metadata, with_status
from .store import Store


@dataclass(frozen=True)
class Disruption:
    """What the condition DisruptionTarget says of a pod."""

    reason: str
    message: str


EVICTION = Disruption("EvictionByEvictionAPI", "Eviction API: evicting")
PREEMPTION = Disruption(
    "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"
)
NODE_LOST = Disruption("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")


def disrupt(store: Store, pod: Json, disruption: Disruption) -> None:
    """Mark a pod as disrupted and delete it, as each part of a cluster that does so."""
    status = pod.get("status") or {}
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": disruption.reason,
        "message": disruption.message,
    }
    conditions = with_condition(status.get("conditions") or (), condition, stamp())
    pod = store.update(PODS, with_status(pod, {**status, "conditions": conditions}))
    delete(store, PODS, pod, DeleteOptions())


def bury(store: Store, pod: Json) -> None:
    """End a pod whose containers went with their node, and let go of one that is being deleted."""
    status = pod.get("status") or {}
    ended = {"terminated": UNKNOWN_END}
    parts = {
        field: [
            each if "terminated" in each["state"] else {**each, "state": ended, "ready": False}
            for each in status.get(field) or ()
        ]
        for field in ("containerStatuses", "initContainerStatuses")
        if status.get(field)
    }
    pod = with_status(pod, {**status, **parts, "phase": "Failed"})
    if "deletionTimestamp" in pod["metadata"]:
        pod = with_metadata(pod, deletionGracePeriodSeconds=0)
    store.update(PODS, pod)


def on_node(store: Store) -> list[Json]:
    """Return the pods that a node has and that have not ended."""
    return [
        pod
        for pod in store.select(PODS, "", None)
        if pod["spec"].get("nodeName")
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]
