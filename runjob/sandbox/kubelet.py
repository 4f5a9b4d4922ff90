"""The kubelet: runs the pods that the scheduler gave to the node."""

from __future__ import annotations

import asyncio
from typing import Any

from .disruption import NODE_LOST, bury, disrupt, on_node
from .podrun import PodRun, Workshop
from .resources import PODS, Json, uid_of
from .store import Change

ENDED = ("Succeeded", "Failed")


class Kubelet:
    """Keeps one task for each pod that runs."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._runs: dict[str, PodRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lost = False
        shop.store.observe(PODS, self._note)

    def _note(self, change: Change) -> None:
        pod = change.item
        uid = uid_of(pod)
        run = self._runs.get(uid)
        if change.type == "DELETED":
            if run is not None:
                run.kill()
            else:
                self._shop.logs.forget(uid)
        elif self._lost:
            pass
        elif run is not None:
            before = (change.previous or {}).get("metadata") or {}
            grace = pod["metadata"].get("deletionGracePeriodSeconds")
            if "deletionTimestamp" in pod["metadata"] and (
                grace != before.get("deletionGracePeriodSeconds")
            ):
                run.stop(grace or 0)
        elif _is_to_run(pod):
            self._runs[uid] = run = PodRun(pod, self._shop)
            task = asyncio.ensure_future(run.run())
            self._tasks[uid] = task
            task.add_done_callback(lambda _: self._forget(pod))

    def lose(self) -> None:
        """Go away with all that runs; the logs are out of reach until it is back."""
        self._lost = self._shop.logs.lost = True
        for run in self._runs.values():
            run.vanish()
        for pod in on_node(self._shop.store):
            disrupt(self._shop.store, pod, NODE_LOST)

    def come_back(self) -> None:
        """Find that the containers are gone, and say so of their pods."""
        self._lost = self._shop.logs.lost = False
        for pod in on_node(self._shop.store):
            bury(self._shop.store, pod)

    def _forget(self, pod: Json) -> None:
        uid = uid_of(pod)
        self._runs.pop(uid, None)
        self._tasks.pop(uid, None)
        metadata = pod["metadata"]
        stored = self._shop.store.find(PODS, (metadata["namespace"], metadata["name"]))
        if stored is None or uid_of(stored) != uid:
            self._shop.logs.forget(uid)

    async def close(self) -> None:
        """Kill everything that runs and wait for it."""
        for run in list(self._runs.values()):
            run.kill()
        tasks: list[asyncio.Future[Any]] = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def _is_to_run(pod: Json) -> bool:
    return (
        bool(pod["spec"].get("nodeName"))
        and (pod.get("status") or {}).get("phase") not in ENDED
        and "deletionTimestamp" not in pod["metadata"]
    )
