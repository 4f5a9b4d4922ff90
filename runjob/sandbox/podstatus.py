"""The status of a pod, computed from what its containers do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .resources import Json

UNKNOWN_END = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}


@dataclass(frozen=True)
class ContainerState:
    """What one container does now, did before, and how often it began again."""

    name: str
    image: str
    state: Mapping[str, Json]
    last: Mapping[str, Json]
    restarts: int = 0
    container_id: str = ""
    image_id: str = ""

    @property
    def terminated(self) -> Json | None:
        return self.state.get("terminated")

    @property
    def running(self) -> bool:
        return "running" in self.state

    def waiting(self, reason: str, message: str = "") -> ContainerState:
        """Move to waiting; an end that stood in the state is kept as the last one."""
        last = {"terminated": self.terminated} if self.terminated else self.last
        why = {"reason": reason, **({"message": message} if message else {})}
        return replace(self, state={"waiting": why}, last=last)

    def as_json(self, ready_when_done: bool = False) -> Json:
        done = ready_when_done and (self.terminated or {}).get("exitCode") == 0
        return {
            "name": self.name,
            "state": dict(self.state),
            "lastState": dict(self.last),
            "ready": self.running or done,
            "restartCount": self.restarts,
            "image": self.image,
            "imageID": self.image_id,
            **({"containerID": self.container_id} if self.container_id else {}),
            "started": self.running,
        }


def created(container: Json, reason: str) -> ContainerState:
    """Make the state of a container that waits to be run."""
    waiting = {"waiting": {"reason": reason}}
    return ContainerState(container["name"], container["image"], waiting, {})


def should_restart(policy: str, code: int) -> bool:
    """Decide whether a container that ended is run again."""
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def phase_of(
    initial: Sequence[ContainerState],
    sidecars: frozenset[str],
    main: Sequence[ContainerState],
    policy: str,
) -> str:
    """Decide the phase by the kubelet's rules."""
    for state in initial:
        if state.name in sidecars:
            continue
        ended = state.terminated
        if ended is None or ended["exitCode"] != 0:
            return "Failed" if ended is not None and policy == "Never" else "Pending"
    if any("waiting" in each.state and not each.last for each in main):
        return "Pending"
    ends = [each.terminated for each in main]
    if policy == "Always" or any(end is None for end in ends):
        return "Running"
    if all(end is not None and end["exitCode"] == 0 for end in ends):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def conditions_of(
    phase: str, last: bool, initialized: bool, sandboxed: bool, main: Sequence[ContainerState]
) -> list[Json]:
    """List the kubelet's conditions for a pod that is, or at ``last`` was, in that phase."""
    unready = [each.name for each in main if not each.running]
    ready: Json = {"status": "True"}
    if phase == "Succeeded":
        ready = {"status": "False", "reason": "PodCompleted"}
    elif phase == "Failed":
        ready = {"status": "False", "reason": "PodFailed"}
    elif unready:
        text = f"containers with unready status: [{' '.join(unready)}]"
        ready = {"status": "False", "reason": "ContainersNotReady", "message": text}
    done: Json = {"status": "True"}
    if phase == "Succeeded":
        done = {"status": "True", "reason": "PodCompleted"}
    elif not initialized:
        done = {"status": "False", "reason": "ContainersNotInitialized"}
    live = sandboxed and not last
    return [
        {"type": "PodReadyToStartContainers", "status": "True" if live else "False"},
        {"type": "Initialized", **done},
        {"type": "Ready", **ready},
        {"type": "ContainersReady", **ready},
    ]


def with_condition(conditions: Iterable[Json], new: Json, now: str) -> list[Json]:
    """Set one condition; its time of transition changes only with its status."""
    times = {"lastProbeTime": None, "lastTransitionTime": now}
    merged: list[Json] = []
    found = False
    for old in conditions:
        if old["type"] != new["type"]:
            merged.append(old)
            continue
        found = True
        if old["status"] == new["status"]:
            times = {key: old.get(key) for key in times}
        merged.append({**times, **new})
    return merged if found else [*merged, {**times, **new}]


def with_conditions(conditions: Iterable[Json], new: Iterable[Json], now: str) -> list[Json]:
    """Set several conditions."""
    merged = list(conditions)
    for condition in new:
        merged = with_condition(merged, condition, now)
    return merged


def quality_of_service(spec: Json) -> str:
    """Classify a pod by its requests and limits."""
    asked = [each.get("resources") or {} for each in spec["containers"]]
    if not any(each.get("requests") or each.get("limits") for each in asked):
        return "BestEffort"
    guaranteed = all(
        set(each.get("limits") or ()) >= {"cpu", "memory"}
        and each.get("requests") == each["limits"]
        for each in asked
    )
    return "Guaranteed" if guaranteed else "Burstable"
