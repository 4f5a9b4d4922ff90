"""The one node, and whether a pod fits on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from .quantity import quantity
from .resources import Json

NO_VICTIMS = "No preemption victims found for incoming pod."
NO_HELP = "Preemption is not helpful for scheduling."


@dataclass(frozen=True)
class Node:
    """The node's name, what it has to give, and its labels."""

    name: str = "node1"
    cpu: str = "32"
    memory: str = "128Gi"
    lost: bool = False
    labels: tuple[tuple[str, str], ...] = field(
        default=(
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/hostname", "node1"),
            ("kubernetes.io/os", "linux"),
        )
    )


@dataclass(frozen=True)
class Timings:
    """Delays of the cluster's loops, in seconds; those that double begin with these."""

    job_backoff: float = 0.2
    pull_backoff: float = 0.2
    crash_backoff: float = 0.2
    longest_backoff: float = 10.0
    retry: float = 0.2
    bookmark: float = 60.0
    memory_poll: float = 0.05

    def doubled(self, base: float, times: int) -> float:
        return min(base * 2.0 ** min(times, 30), self.longest_backoff)


def requested(pod: Json, resource: str) -> Fraction:
    """Sum up what a pod's containers ask for; an init container counts when it asks for more."""

    def of(container: Json) -> Fraction:
        requests = (container.get("resources") or {}).get("requests") or {}
        return quantity(requests.get(resource, 0))

    main = sum((of(each) for each in pod["spec"]["containers"]), Fraction(0))
    initial = (of(each) for each in pod["spec"].get("initContainers") or ())
    return max(main, max(initial, default=Fraction(0)))


def why_unschedulable(
    pod: Json, node: Node, running: Iterable[Json], claim_exists: Callable[[str], bool]
) -> str | None:
    """Word why a pod cannot go on the node, as the scheduler does; None when it can."""
    spec = pod["spec"]
    for volume in spec.get("volumes") or ():
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim and not claim_exists(claim):
            why = f'persistentvolumeclaim "{claim}" not found'
            return f"0/1 nodes are available: {why}. not found"
    if node.lost:
        taint = "1 node(s) had untolerated taint(s) {node.kubernetes.io/unreachable: }"
        return _unavailable(taint, NO_HELP)
    labels = dict(node.labels)
    wanted: Json = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return _unavailable("1 node(s) didn't match Pod's node affinity/selector", NO_HELP)
    others = list(running)
    short, hopeless = [], False
    for resource, capacity in (("cpu", node.cpu), ("memory", node.memory)):
        wanted_here, there_is = requested(pod, resource), quantity(capacity)
        taken = sum(requested(other, resource) for other in others) if wanted_here else 0
        if wanted_here and wanted_here + taken > there_is:
            short.append(f"1 Insufficient {resource}")
            hopeless = hopeless or wanted_here > there_is
    return _unavailable(", ".join(short), NO_HELP if hopeless else NO_VICTIMS) if short else None


def _unavailable(why: str, preemption: str) -> str:
    return (
        f"0/1 nodes are available: {why}. no new claims to deallocate, "
        f"preemption: 0/1 nodes are available: 1 {preemption}"
    )
