"""The agent's overlays in a namespace of their own on the real node, with stand-in commands."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from runjob.login import login
from runjob.options import Connection
from tests.cluster import controls
from tests.cluster.kubectl import kubectl
from tests.contract.api import Api, Json, is_running
from tests.contract.targets import RealTarget
from tests.k8s.agent_folder import COMMANDS, FIRST, STAND_IN
from tests.k8s.shipped import K8S

GROUP, USER = "kubernetes", 65534
IMAGE = "docker.io/runjob/controlm-agent"
PATH = "/opt/stand-in:/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Deployed:
    """An overlay in a namespace of its own, and the folder that its stand-in keeps."""

    api: Api
    server: Path

    @property
    def namespace(self) -> str:
        return self.api.namespace

    def known(self) -> Json:
        """Return what the stand-in knows, nothing while it writes."""
        try:
            told: Json = json.loads((self.server / "server.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {"agents": told["agents"], "groups": told["groups"]}

    def callers(self, *words: str) -> list[str]:
        """Return which command of the agent's made each of the calls that begin so."""
        calls = [json.loads(line) for line in (self.server / "calls").read_text().splitlines()]
        callers = (self.server / "callers").read_text().splitlines()
        pairs = zip(calls, callers, strict=True)
        return [by for each, by in pairs if each[: len(words)] == list(words)]

    def calls(self, *words: str) -> list[list[str]]:
        """Return the calls of the vendor's commands that begin so."""
        file = self.server / "calls"
        told = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [each for each in told if each[: len(words)] == list(words)]

    def pods(self) -> list[Json]:
        return self.api.items("pods")

    def pod(self, former: str = "") -> Json:
        """Wait for the agent's pod to run and be ready, another one than the former."""

        def ready() -> Json | None:
            for each in self.pods():
                if each["metadata"]["uid"] != former and is_running(each) and is_ready(each):
                    return each
            return None

        return self.api.until(ready, "an agent that is ready")

    def run(self, pod: Json, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the agent's container."""
        layout = controls.here()
        return subprocess.run(
            [
                layout.programs / "kubectl", f"--kubeconfig={layout.kubeconfig}", "exec", "-i",
                "-n", self.namespace, pod["metadata"]["name"], "--", *words,
            ],
            input=given, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def mount(self, secret: Mapping[str, str]) -> None:
        """Put the .secret files into the agent's Secret."""
        data = {f"{name}.secret": text for name, text in secret.items()}
        body = {"metadata": {"name": "controlm-agent"}, "stringData": data}
        if self.api.find("secrets", "controlm-agent") is None:
            self.api.create("secrets", body)
        else:
            path = self.api.path("secrets", "controlm-agent")
            self.api.call("PATCH", path, body, "application/merge-patch+json")


def is_ready(pod: Json) -> bool:
    fit = {"type": "Ready", "status": "True"}
    conditions = pod["status"].get("conditions") or ()
    return any(fit.items() <= each.items() for each in conditions)


def alias(host: str) -> Json:
    return {"agents": [f"{host}:7006"], "groups": {GROUP: [f"{host}:7006"]}}


NOBODY: Json = {"agents": [], "groups": {}}


def stand_in_patch(kind: str) -> str:
    """Return what gives the vendor's commands to the shipped pod, and nothing else."""
    container: Json = {
        "name": "agent",
        "readinessProbe": {"periodSeconds": 1},
        "env": [{"name": "PATH", "value": PATH}, {"name": "STAND_IN", "value": "/stand-in"}],
        "volumeMounts": [
            {"name": "commands", "mountPath": "/opt/stand-in"},
            {"name": "server", "mountPath": "/stand-in"},
        ],
    }
    volumes: list[Json] = [
        {"name": "commands", "configMap": {"name": "stand-in", "defaultMode": 0o755}},
        {"name": "server", "persistentVolumeClaim": {"claimName": "server"}},
    ]
    return yaml.safe_dump(
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": "controlm-agent"},
            "spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}},
        }
    )


def new_namespace(target: RealTarget) -> Api:
    """Make a namespace with the agent's credentials in it; return the way to it."""
    name = f"agent-{secrets.token_hex(3)}"
    api = Api(login(Connection(kubeconfig=target.admin_kubeconfig)), name, patience=150.0)
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return api


def mount_folder(api: Api, claim: str, folder: Path) -> str:
    """Let a folder of the node stand in for a disk: this cluster has no storage class.

    Our namespace lets no pod mount a path of the node. The agent is another user than this test.
    Returns the path of the volume, which is to be removed.
    """
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    volume = {
        "metadata": {"name": f"{api.namespace}-{claim}"},
        "spec": {
            "capacity": {"storage": "4Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": str(folder), "type": "Directory"},
            "claimRef": {"namespace": api.namespace, "name": claim},
        },
    }
    api.call("POST", "/api/v1/persistentvolumes", volume)
    return f"/api/v1/persistentvolumes/{api.namespace}-{claim}"


CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "server"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "resources": {"requests": {"storage": "4Gi"}},
    },
}


@contextmanager
def deploy(overlay: str, kind: str, image: str, api: Api, top: Path) -> Iterator[Deployed]:
    """Apply an overlay as it is shipped, but for namespace, image's tag and the commands."""
    server = top / "server"
    volume = mount_folder(api, "server", server)
    top.chmod(0o755)
    for name in COMMANDS:
        shutil.copy(STAND_IN, top / name)
    shipped = os.path.relpath(K8S / "overlays" / overlay, top.resolve())
    (top / "claim.yaml").write_text(yaml.safe_dump(CLAIM))
    (top / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "namespace": api.namespace,
                "resources": [shipped, "claim.yaml"],
                "images": [{"name": IMAGE, "newTag": image}],
                "configMapGenerator": [{"name": "stand-in", "files": list(COMMANDS)}],
                "patches": [{"patch": stand_in_patch(kind)}],
            }
        )
    )
    deployed = Deployed(api, server)
    deployed.mount(FIRST)
    kubectl(controls.here(), "apply", "--validate=strict", "-k", str(top))
    yield deployed
    api.call("DELETE", f"/api/v1/namespaces/{api.namespace}", {})
    api.call("DELETE", volume)


def launch(deployed: Deployed, name: str, script: str, *more: str) -> list[str]:
    """Return the words that launch a shell script as a Job of the agent's namespace."""
    return [
        "python3", "/opt/runjob/runJob.py", "-n", deployed.namespace, "-j", name,
        "-i", "busybox:1", "-p", "IfNotPresent", "-s", "none", "--security", "restricted",
        "--set", f"spec.template.spec.securityContext.runAsUser={USER}",
        *more, "-k", "sh", "-k", "-c", "-k", script,
    ]  # fmt: skip
