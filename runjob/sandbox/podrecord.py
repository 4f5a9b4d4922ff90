"""The record of one pod: what its containers do, as written to its object and its events."""

from __future__ import annotations

from dataclasses import replace

from .events import Recorder
from .moments import stamp
from .podstatus import (
    UNKNOWN_END,
    ContainerState,
    conditions_of,
    created,
    phase_of,
    quality_of_service,
    with_conditions,
)
from .resources import PODS, Json, key_of, uid_of, with_metadata
from .store import Store

COMPONENT = "kubelet"
NODE_ADDRESS = "127.0.0.1"
ENDED = ("Succeeded", "Failed")


class PodRecord:
    """Keeps the states of a pod's containers and publishes each change."""

    def __init__(
        self, pod: Json, sidecars: frozenset[str], store: Store, recorder: Recorder
    ) -> None:
        self._pod = pod
        self._sidecars = sidecars
        self._store = store
        self._recorder = recorder
        spec = pod["spec"]
        self._initial = [each["name"] for each in spec.get("initContainers") or ()]
        self._main = [each["name"] for each in spec["containers"]]
        reason = "PodInitializing" if self._initial else "ContainerCreating"
        self.states: dict[str, ContainerState] = {
            each["name"]: created(each, reason)
            for each in (*(spec.get("initContainers") or ()), *spec["containers"])
        }
        self.failure: Json = {}
        self.initialized = not self._initial
        self.sandboxed = False
        self.silent = False
        self._started = stamp()

    def set(self, name: str, state: ContainerState) -> None:
        """Change the state of a container and publish it."""
        self.states[name] = state
        self.publish()

    def refuse(self, name: str, reason: str, message: str) -> None:
        """Let a container wait for a reason that is an error."""
        self.say("Failed", f"Error: {reason}", warning=True, container=self.field(name))
        self.set(name, self.states[name].waiting(reason, message))

    def field(self, name: str) -> str:
        """Name the container as events do."""
        kind = "initContainers" if name in self._initial else "containers"
        return f"spec.{kind}{{{name}}}"

    def say(self, reason: str, message: str, warning: bool = False, container: str = "") -> None:
        """Write an event about the pod, or about the container of that field."""
        if not self.silent:
            self._recorder.say(self._pod, reason, message, COMPONENT, warning, container)

    def publish(self, last: bool = False, halted: bool = False) -> None:
        """Write the status to the pod, if it is still there.

        The last status ends the pod; when it was halted, what never ran is written off. A record
        that is silent writes nothing, as a kubelet that is cut off.
        """
        if self.silent:
            return
        stored = self._store.find(PODS, key_of(self._pod))
        if stored is None or uid_of(stored) != uid_of(self._pod):
            return
        if halted:
            for name, state in self.states.items():
                if "waiting" in state.state:
                    self.states[name] = replace(state, state={"terminated": UNKNOWN_END})
        stored = {**stored, "status": self._status(stored.get("status") or {}, last, halted)}
        if last and "deletionTimestamp" in stored["metadata"]:
            stored = with_metadata(stored, deletionGracePeriodSeconds=0)
        self._store.update(PODS, stored)

    def _status(self, before: Json, last: bool, halted: bool) -> Json:
        initial = [self.states[name] for name in self._initial]
        main = [self.states[name] for name in self._main]
        phase = phase_of(initial, self._sidecars, main, self._pod["spec"]["restartPolicy"])
        if last and (self.failure or (halted and phase not in ENDED)):
            phase = "Failed"
        conditions = conditions_of(phase, last, self.initialized, self.sandboxed, main)
        if phase in ENDED and not last:
            # The containers have ended; the pod has only once its last status is written.
            phase = "Running" if self.initialized else "Pending"
        status: Json = {
            **before,
            "phase": phase,
            "conditions": with_conditions(before.get("conditions") or (), conditions, stamp()),
            "hostIP": NODE_ADDRESS,
            "hostIPs": [{"ip": NODE_ADDRESS}],
            "startTime": self._started,
            "containerStatuses": [each.as_json() for each in main],
            "qosClass": quality_of_service(self._pod["spec"]),
        }
        if self.sandboxed:
            status.update(podIP=NODE_ADDRESS, podIPs=[{"ip": NODE_ADDRESS}])
        if initial:
            status["initContainerStatuses"] = [each.as_json(True) for each in initial]
        if last:
            status.update(self.failure)
        return status
