"""Events: what components of the cluster have to say about an object."""

from __future__ import annotations

import time

from .moments import stamp
from .resources import EVENTS, Json, Key, uid_of
from .store import Store

KEPT = 10_000


class Recorder:
    """Writes events; what is said again about the same object is counted, not repeated."""

    def __init__(self, store: Store, node: str, kept: int = KEPT) -> None:
        self._store = store
        self._node = node
        self._kept = kept
        self._said: dict[tuple[str, str, str], Key] = {}

    def say(
        self,
        item: Json,
        reason: str,
        message: str,
        component: str,
        warning: bool = False,
        container: str = "",
    ) -> None:
        told = (uid_of(item), reason, container + message)
        earlier = self._store.find(EVENTS, self._said.get(told, ("", "")))
        if earlier is not None:
            # The newer kind of event, which the scheduler writes, has neither count nor times.
            count = earlier.get("count")
            again = earlier
            if count is not None:
                again = {**earlier, "count": count + 1, "lastTimestamp": stamp()}
            self._store.update(EVENTS, again)
            return
        event = self._event(item, reason, message, component, warning, container)
        created = self._store.create(EVENTS, Store.prepare(event))
        self._said[told] = (event["metadata"]["namespace"], created["metadata"]["name"])
        if len(self._said) > self._kept:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._said))
        key = self._said.pop(oldest)
        if self._store.find(EVENTS, key) is not None:
            self._store.remove(EVENTS, key)

    def _event(
        self, item: Json, reason: str, message: str, component: str, warning: bool, container: str
    ) -> Json:
        metadata, now = item["metadata"], stamp()
        source = {"component": component}
        involved = {
            "kind": item["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": item["apiVersion"],
            "resourceVersion": metadata["resourceVersion"],
        }
        if container:
            involved["fieldPath"] = container
        told: Json = {"source": source, "firstTimestamp": now, "lastTimestamp": now, "count": 1}
        if component == "kubelet":
            source["host"] = self._node
        elif component == "default-scheduler":
            told = {"source": {}, "firstTimestamp": None, "lastTimestamp": None}
        return {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {
                "name": f"{metadata['name']}.{time.time_ns():x}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            **told,
            "type": "Warning" if warning else "Normal",
            "eventTime": None if "count" in told else f"{now[:-1]}.000000Z",
            "reportingComponent": component,
            "reportingInstance": source.get("host", ""),
        }
