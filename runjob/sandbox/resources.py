"""The resources that the embedded cluster serves, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True)
class Resource:
    """One kind of object, with the names it goes by in paths, bodies and messages."""

    plural: str
    kind: str
    group: str = ""
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def qualified(self) -> str:
        """Name the resource as error messages do (``jobs.batch``, ``pods``)."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def prefix(self) -> str:
        return f"/apis/{self.group}/v1" if self.group else "/api/v1"


JOBS = Resource("jobs", "Job", "batch", categories=("all",))
PODS = Resource("pods", "Pod", short=("po",), categories=("all",))
EVENTS = Resource("events", "Event", short=("ev",))
CONFIGMAPS = Resource("configmaps", "ConfigMap", short=("cm",))
SECRETS = Resource("secrets", "Secret")
SERVICEACCOUNTS = Resource("serviceaccounts", "ServiceAccount", short=("sa",))
CLAIMS = Resource("persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",))
NAMESPACES = Resource("namespaces", "Namespace", namespaced=False, short=("ns",))
QUOTAS = Resource("resourcequotas", "ResourceQuota", short=("quota",))
LIMITS = Resource("limitranges", "LimitRange", short=("limits",))
PRIORITIES = Resource(
    "priorityclasses", "PriorityClass", "scheduling.k8s.io", namespaced=False, short=("pc",)
)

RESOURCES = (
    JOBS, PODS, EVENTS, CONFIGMAPS, SECRETS, SERVICEACCOUNTS, CLAIMS, NAMESPACES, QUOTAS, LIMITS,
    PRIORITIES,
)  # fmt: skip


def resource_named(group: str, plural: str) -> Resource | None:
    """Find a resource of a group; None when there is none."""
    for resource in RESOURCES:
        if resource.plural == plural and resource.group == group:
            return resource
    return None


def key_of(item: Json) -> Key:
    """Read the namespace and name of an object."""
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def uid_of(item: Json) -> str:
    """Read the uid of an object."""
    uid: str = item["metadata"]["uid"]
    return uid


def with_metadata(item: Json, **fields: Any) -> Json:
    """Copy an object with metadata fields replaced; a field given as None is left out."""
    metadata = {**item["metadata"], **fields}
    return {**item, "metadata": {k: v for k, v in metadata.items() if v is not None}}


def with_status(item: Json, status: Json) -> Json:
    """Copy an object with another status."""
    return {**item, "status": status}
