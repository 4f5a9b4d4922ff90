"""What the pods of a Job refer to by name: Secrets, ConfigMaps and their keys, claims and more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from runjob.preflight.shapes import containers, items, mapping, pod_spec, text
from runjob.request import Body


@dataclass(frozen=True)
class Reference:
    """One use of an object: by what, and of which key; key is empty where all of it is used."""

    kind: str
    name: str
    key: str
    user: str


def references(job: Body) -> tuple[Reference, ...]:
    """Return what the pods cannot start without, in the order in which the pod names it.

    What is marked `optional` is left out: a pod starts without it.
    """
    pod = pod_spec(job)
    found = [*_volumes(pod)]
    for container in containers(pod):
        found += _environment(container)
    return tuple(dict.fromkeys(each for each in found if each.name))


def pull_secrets(job: Body) -> tuple[str, ...]:
    """Return the names of the imagePullSecrets."""
    names = (text(each, "name") for each in items(pod_spec(job), "imagePullSecrets"))
    return tuple(dict.fromkeys(name for name in names if name))


def service_account(job: Body) -> str:
    """Return the ServiceAccount of the pods; the one named default where none is named."""
    pod = pod_spec(job)
    return text(pod, "serviceAccountName") or text(pod, "serviceAccount") or "default"


def priority_class(job: Body) -> str:
    """Return the PriorityClass of the pods, empty where none is named."""
    return text(pod_spec(job), "priorityClassName")


def _environment(container: Any) -> Iterator[Reference]:
    name = text(container, "name")
    for variable in items(container, "env"):
        user = f"variable {text(variable, 'name')} of container {name}"
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            source = mapping(variable, "valueFrom", field)
            yield from _reference(kind, source, "name", [text(source, "key")], user)
    for variables in items(container, "envFrom"):
        user = f"envFrom of container {name}"
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            yield from _reference(kind, mapping(variables, field), "name", [""], user)


def _volumes(pod: Any) -> Iterator[Reference]:
    for volume in items(pod, "volumes"):
        user = f"volume {text(volume, 'name')}"
        secret, projected = mapping(volume, "secret"), mapping(volume, "projected")
        yield from _reference("Secret", secret, "secretName", _keys(secret), user)
        yield from _map_or_secret(volume, user, ("configMap",))
        for source in items(projected, "sources"):
            yield from _map_or_secret(source, user, ("configMap", "secret"))
        claim = mapping(volume, "persistentVolumeClaim")
        yield from _reference("PersistentVolumeClaim", claim, "claimName", [""], user)


def _map_or_secret(source: Any, user: str, fields: tuple[str, ...]) -> Iterator[Reference]:
    kinds = {"configMap": "ConfigMap", "secret": "Secret"}
    for field in fields:
        part = mapping(source, field)
        yield from _reference(kinds[field], part, "name", _keys(part), user)


def _keys(source: Any) -> list[str]:
    return [text(each, "key") for each in items(source, "items")] or [""]


def _reference(
    kind: str, source: Any, name: str, keys: list[str], user: str
) -> Iterator[Reference]:
    if source.get("optional") is not True:
        for key in keys:
            yield Reference(kind, text(source, name), key, user)
