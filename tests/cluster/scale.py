"""Thousands of pods that do nothing: fake nodes, played by kwok, for tests of scale."""

from __future__ import annotations

import json

from tests.cluster.build import build
from tests.cluster.daemons import start_daemon
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import kubectl
from tests.cluster.layout import SOURCES, Layout
from tests.cluster.node import describe, is_up, locked
from tests.cluster.programs import KWOK
from tests.cluster.progress import step

# A pod that shall run there needs both: nothing else is sent to, or taken by, a fake node.
SELECTOR = {"type": "kwok"}
TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists", "effect": "NoSchedule"}
_PODS_PER_NODE = 1000


def start_kwok(layout: Layout, nodes: int = 5) -> None:
    """Build kwok if need be, start it, and make fake nodes for a thousand pods each.

    A Job's pod there runs for a moment, prints one line and succeeds; any other pod just runs.
    """
    if not is_up(layout):
        raise ClusterError("the cluster is not up; 'python -m tests.cluster up' brings it up")
    build(layout, KWOK)
    with locked(layout), step(f"start kwok with {nodes} nodes"):
        text = (SOURCES / "config" / "kwok.yaml").read_text()
        line = layout.configuration / "kwok.log"
        # Logs are served in the form in which a node keeps them.
        line.write_text("2026-01-01T00:00:00.000000000Z stdout F a line of a fake pod\n")
        config = text.replace("@log@", str(line))
        (layout.configuration / "kwok.yaml").write_text(config)
        start_daemon(layout, "kwok")
        described = {
            "apiVersion": "v1",
            "kind": "List",
            "items": [_node(f"fake-{number}") for number in range(nodes)],
        }
        kubectl(layout, "apply", "-f", "-", given=json.dumps(described))
        names = [f"node/fake-{number}" for number in range(nodes)]
        kubectl(layout, "wait", "--for=condition=Ready", "--timeout=30s", *names)
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
