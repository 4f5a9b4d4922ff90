"""Thousands of pods that do nothing: fake nodes, played by kwok, for tests of scale."""

from __future__ import annotations

import json
import shutil

from tests.cluster.build import build
from tests.cluster.daemons import end_daemon, start_daemon
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import kubectl
from tests.cluster.layout import SOURCES, Layout
from tests.cluster.node import describe, is_up, locked
from tests.cluster.programs import KWOK
from tests.cluster.progress import step

# A pod that shall run there needs both: nothing else is sent to, or taken by, a fake node.
SELECTOR = {"type": "kwok"}
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"}
# How long a Job's pod runs, such as 30s; a second without it.
RUNS_FOR = "runjob.test/runs-for"
_NODES = [f"fake-{number}" for number in range(5)]
_PODS_PER_NODE = 1000
_DAEMONS = ("nodelogs", "kwok")


def start_kwok(layout: Layout) -> None:
    """Build kwok if need be, start it, and make fake nodes for a thousand pods each.

    A Job's pod there runs as long as its annotation RUNS_FOR says, prints one line and succeeds;
    any other pod just runs.
    """
    if not is_up(layout):
        raise ClusterError("the cluster is not up; 'python -m tests.cluster up' brings it up")
    build(layout, KWOK)
    with locked(layout), step(f"start kwok with {len(_NODES)} nodes"):
        shutil.copy(SOURCES / "config" / "kwok.yaml", layout.configuration)
        for name in _DAEMONS:
            start_daemon(layout, name)
        described = {"apiVersion": "v1", "kind": "List", "items": [_node(name) for name in _NODES]}
        kubectl(layout, "apply", "-f", "-", given=json.dumps(described))
        names = [f"node/{name}" for name in _NODES]
        kubectl(layout, "wait", "--for=condition=Ready", "--timeout=30s", *names)
        describe(layout)


def stop_kwok(layout: Layout) -> None:
    """Take the fake nodes away, and what played them."""
    with locked(layout), step("stop kwok"):
        kubectl(layout, "delete", "node", "--ignore-not-found", *_NODES)
        for name in _DAEMONS:
            end_daemon(layout, name)
        describe(layout)


def _node(name: str) -> dict[str, object]:
    capacity = {"cpu": "1000", "memory": "1Ti", "pods": str(_PODS_PER_NODE)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {**SELECTOR, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"taints": [{"key": TOLERATION["key"], "value": "fake", "effect": "NoSchedule"}]},
        "status": {"capacity": capacity, "allocatable": capacity},
    }
