"""What the folder Customer360-Environment does to a cluster, and what it calls ready."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ctm.definition import load
from tests.cluster import controls
from tests.cluster.images import BUSYBOX
from tests.cluster.kubectl import kubectl
from tests.contract.targets import RealTarget
from tests.k8s.shipped import K8S, Json, built, only

FOLDER = load((K8S.parent / "ctm" / "environment.json").read_text(), "environment.json")
AGENT = {"app.kubernetes.io/name": "controlm-agent"}
# A workload without and with a pod, for each way to run the agent.
WAYS: dict[str, tuple[Json, Json]] = {
    "DaemonSet": ({"template": {"spec": {"nodeSelector": {"nobody": "has"}}}}, {}),
    "StatefulSet": ({"replicas": 0, "serviceName": "agent"}, {"serviceName": "agent"}),
}


def agent_ready(namespace: str) -> subprocess.CompletedProcess[str]:
    """Run the job Agent-Ready in a namespace of the tests."""
    layout = controls.here()
    command = FOLDER["Customer360-Environment"]["Agent-Ready"]["Command"]
    assert "-n controlm" in command
    return subprocess.run(
        ["sh", "-c", command.replace("-n controlm", f"-n {namespace}")],
        env={
            **os.environ,
            "KUBECTL": f"{layout.programs / 'kubectl'} --kubeconfig={layout.kubeconfig}",
        },
        capture_output=True,
        text=True,
    )


def workload(kind: str, spec: Json) -> str:
    pod: dict[str, Any] = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "agent", "image": BUSYBOX, "imagePullPolicy": "IfNotPresent",
                        "command": ["sleep", "3600"]}],
        **spec.get("template", {}).get("spec", {}),
    }  # fmt: skip
    template = {"metadata": {"labels": AGENT}, "spec": pod}
    return yaml.safe_dump(
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": "controlm-agent", "labels": AGENT},
            "spec": {"selector": {"matchLabels": AGENT}, **spec, "template": template},
        }
    )


@pytest.fixture
def namespace(breakable: RealTarget) -> Iterator[str]:
    yield breakable.namespace
    kubectl(
        controls.here(), "-n", breakable.namespace, "delete", "--wait=true",
        "--ignore-not-found", "daemonset/controlm-agent", "statefulset/controlm-agent",
    )  # fmt: skip


@pytest.mark.parametrize("kind", WAYS)
def test_an_environment_is_ready_when_an_agent_is(kind: str, namespace: str) -> None:
    nobody, somebody = (workload(kind, spec) for spec in WAYS[kind])
    assert agent_ready(namespace).returncode != 0
    kubectl(controls.here(), "-n", namespace, "apply", "-f", "-", given=nobody)
    ended = agent_ready(namespace)
    assert (ended.returncode, "no matching resources" in ended.stderr) == (1, True)
    kubectl(controls.here(), "-n", namespace, "apply", "-f", "-", given=somebody)
    ended = agent_ready(namespace)
    assert ended.returncode == 0, ended.stderr
    assert "pod/controlm-agent-" in ended.stdout


@pytest.mark.parametrize("name", ["test", "production"])
def test_an_environment_has_an_agent_with_its_own_settings_and_image(
    name: str, breakable: RealTarget
) -> None:
    assert breakable.is_ours
    bodies = built(K8S / "environments" / name)
    settings = only(bodies, "ConfigMap", "controlm-agent")
    assert settings["data"] == {
        "CTM_SERVER": f"IN01-{name}",
        "CTM_HOSTGROUP": f"kubernetes-{name}",
    }
    [container] = only(bodies, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
    assert container["image"].startswith(f"registry.example/{name}/")
    assert len(bodies) == len(built(K8S / "overlays" / "daemonset"))
