"""The scheduler: gives pods to the node as soon as it has room."""

from __future__ import annotations

import asyncio

from .events import Recorder
from .moments import stamp
from .node import Node, why_unschedulable
from .podstatus import with_condition
from .resources import CLAIMS, PODS, Json, Key, key_of, with_status
from .store import Change, Store

COMPONENT = "default-scheduler"
ENDED = ("Succeeded", "Failed")


class Scheduler:
    """Binds pods in the order of their arrival, and tries again when something frees room."""

    def __init__(self, store: Store, recorder: Recorder, node: Node) -> None:
        self._store = store
        self._recorder = recorder
        self._node = node
        self._waiting: dict[Key, None] = {}
        self._running: dict[Key, Json] = {}
        self._due = False
        store.observe(PODS, self._note)
        store.observe(CLAIMS, lambda _: self._wake())

    def resize(self, node: Node) -> None:
        """Change the node; pods that wait are tried again."""
        self._node = node
        self._wake()

    def _note(self, change: Change) -> None:
        pod, key = change.item, key_of(change.item)
        if change.type == "DELETED" or (pod.get("status") or {}).get("phase") in ENDED:
            self._waiting.pop(key, None)
            if self._running.pop(key, None) is not None and self._waiting:
                self._wake()
        elif pod["spec"].get("nodeName"):
            self._waiting.pop(key, None)
            self._running[key] = pod
        elif "deletionTimestamp" in pod["metadata"]:
            self._waiting.pop(key, None)
        elif key not in self._waiting:
            self._waiting[key] = None
            self._wake()

    def _wake(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._try_all)

    def _try_all(self) -> None:
        self._due = False
        for key in list(self._waiting):
            self._try(self._store.get(PODS, key))

    def _try(self, pod: Json) -> None:
        metadata = pod["metadata"]
        namespace = metadata["namespace"]
        why = why_unschedulable(
            pod,
            self._node,
            self._running.values(),
            lambda name: self._store.find(CLAIMS, (namespace, name)) is not None,
        )
        if why is None:
            bound = {**pod, "spec": {**pod["spec"], "nodeName": self._node.name}}
            text = f"Successfully assigned {namespace}/{metadata['name']} to {self._node.name}"
            self._recorder.say(pod, "Scheduled", text, COMPONENT)
            self._store.update(PODS, _scheduled(bound, {"status": "True"}))
            return
        refused = _scheduled(pod, {"status": "False", "reason": "Unschedulable", "message": why})
        if self._store.update(PODS, refused) is not pod:
            self._recorder.say(pod, "FailedScheduling", why, COMPONENT, warning=True)


def _scheduled(pod: Json, outcome: Json) -> Json:
    status = pod.get("status") or {}
    condition = {"type": "PodScheduled", **outcome}
    conditions = with_condition(status.get("conditions") or (), condition, stamp())
    return with_status(pod, {**status, "conditions": conditions})
