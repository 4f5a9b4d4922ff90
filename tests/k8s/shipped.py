"""What is shipped in k8s/: its files, and what kustomize makes of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.cluster import controls
from tests.cluster.kubectl import kubectl
from tests.containers.recipes import CHECKOUT

Json = dict[str, Any]
K8S = CHECKOUT / "k8s"
JOBS = tuple(each for each in sorted((K8S / "jobs").iterdir()) if each.name != "kustomization.yaml")
OVERLAYS = tuple(sorted(each for each in (K8S / "overlays").iterdir() if each.is_dir()))


def built(folder: Path) -> list[Json]:
    """Build a kustomization and return its objects."""
    return list(yaml.safe_load_all(kubectl(controls.here(), "kustomize", str(folder))))


def read(file: Path) -> list[Json]:
    """Read a file of manifests."""
    return [body for body in yaml.safe_load_all(file.read_text()) if body]


def only(bodies: list[Json], kind: str, name: str = "") -> Json:
    """Return the one object of a kind, or of a kind and a name's beginning."""
    (found,) = (
        each
        for each in bodies
        if each["kind"] == kind and each["metadata"]["name"].startswith(name)
    )
    return found


def is_restricted(pod: Json) -> bool:
    """Tell whether a pod's spec is what the Pod Security Standard `restricted` asks for.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    whole = pod["securityContext"]
    volumes = {kind for each in pod["volumes"] for kind in each if kind != "name"}
    return (
        whole["runAsNonRoot"]
        and whole["runAsUser"] > 0
        and whole["seccompProfile"]["type"] == "RuntimeDefault"
        and not any(pod.get(each) for each in ("hostNetwork", "hostPID", "hostIPC"))
        and volumes <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"}
        and all(
            each["securityContext"]["allowPrivilegeEscalation"] is False
            and each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            and "hostPort" not in str(each)
            for each in pod["containers"]
        )
    )
