"""What goes to the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from runjob.commands import Commands

Body = Mapping[str, Any]

# Bytes of a manifest: as large as what the API takes, and etcd takes 1.5 MiB.
MAX_SIZE = 1 << 20


@dataclass(frozen=True)
class JobRequest:
    """One Job, as the JSON object that the API takes, and what must exist before it.

    prerequisites are JSON objects in the order in which to create them; source tells who wrote the
    Job, since the exit code of a refusal depends on it; generated is the start of a name whose
    end is not the user's; commands words what is printed for a person to run.
    """

    name: str
    namespace: str
    job: Body
    prerequisites: tuple[Body, ...] = ()
    source: Literal["flags", "manifest"] = "flags"
    generated: str = ""
    commands: Commands = field(default_factory=Commands)

    @property
    def label(self) -> str:
        """The Job as a user calls it: namespace/name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Kind:
    """Where the API keeps one kind of object; every kind here lives in a namespace."""

    api_version: str
    name: str
    plural: str

    def path(self, namespace: str | None, name: str = "") -> str:
        """Return an address within the API; None stands for all namespaces, and lists alone."""
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        # Names are checked where they come in; here they stay one part of the address in any case.
        # An empty namespace is none, and must not lead to all of them.
        place = () if namespace is None else ("namespaces", namespace)
        parts = [quote(part, safe="") for part in (*place, self.plural, name) if part]
        return f"{root}/{'/'.join(parts)}"


JOB = Kind("batch/v1", "Job", "jobs")
POD = Kind("v1", "Pod", "pods")
EVENT = Kind("v1", "Event", "events")

# What a manifest may bring along for its Job.
PREREQUISITES = {
    (kind.api_version, kind.name): kind
    for kind in (
        Kind("v1", "ConfigMap", "configmaps"),
        Kind("v1", "Secret", "secrets"),
        Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        Kind("v1", "ServiceAccount", "serviceaccounts"),
        Kind("v1", "Service", "services"),
        Kind("rbac.authorization.k8s.io/v1", "Role", "roles"),
        Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
        Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    )
}
