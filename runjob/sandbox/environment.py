"""Environment variables of a container, and the $(NAME) references in its command."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping

from .resources import CONFIGMAPS, SECRETS, Json, Resource

Find = Callable[[Resource, str], Json | None]

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")
_KEY_SOURCES = (("configMapKeyRef", CONFIGMAPS), ("secretKeyRef", SECRETS))
_WHOLE_SOURCES = (("configMapRef", CONFIGMAPS), ("secretRef", SECRETS))


class ConfigError(Exception):
    """A reference that cannot be resolved yet, in the kubelet's words."""


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME); $$ is a dollar sign, and an unknown name stays as it stands."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return variables.get(found[1], found[0])

    return _REFERENCE.sub(value, text)


def environment_of(
    container: Json, pod: Json, find: Find, base: Mapping[str, str]
) -> dict[str, str]:
    """Compute a container's variables; raise ConfigError where something is missing.

    ``find`` looks a ConfigMap or Secret up in the pod's namespace.
    """
    variables = dict(base)
    for source in container.get("envFrom") or ():
        for field, resource in _WHOLE_SOURCES:
            if field in source:
                values = _values(resource, source[field], find) or {}
                prefix = source.get("prefix") or ""
                variables.update({prefix + key: value for key, value in values.items()})
    for entry in container.get("env") or ():
        if entry.get("valueFrom"):
            value = _value_from(entry["valueFrom"], pod, find)
            if value is not None:
                variables[entry["name"]] = value
        else:
            variables[entry["name"]] = expanded(entry.get("value") or "", variables)
    return variables


def _value_from(source: Json, pod: Json, find: Find) -> str | None:
    for field, resource in _KEY_SOURCES:
        reference = source.get(field)
        if reference is None:
            continue
        values, key = _values(resource, reference, find), reference["key"]
        if values is not None and key in values:
            return values[key]
        if reference.get("optional"):
            return None
        where = f"{pod['metadata']['namespace']}/{reference['name']}"
        raise ConfigError(f"couldn't find key {key} in {resource.kind} {where}")
    return field_value(pod, (source.get("fieldRef") or {}).get("fieldPath", ""))


def _values(resource: Resource, reference: Json, find: Find) -> dict[str, str] | None:
    """Read all keys of a ConfigMap or Secret; None when it may be absent and is."""
    item = find(resource, reference["name"])
    if item is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{resource.kind.lower()} "{reference["name"]}" not found')
    values: dict[str, str] = item.get("data") or {}
    if resource is CONFIGMAPS:
        return values
    return {
        key: base64.b64decode(value).decode(errors="surrogateescape")
        for key, value in values.items()
    }


def field_value(pod: Json, path: str) -> str:
    """Look up what the downward API tells a container about its pod."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript is not None:
        return str((pod["metadata"].get(subscript[1]) or {}).get(subscript[2], ""))
    value: object = pod
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value)
