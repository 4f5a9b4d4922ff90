"""Patches: JSON, merge, and the part of strategic merge that kubectl relies on."""

from __future__ import annotations

from typing import Any

from .refusals import Refusal
from .resources import Json

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "conditions": "type",
}

# What a list of words loses: the rest of the key names the list.
REMOVED = "$deleteFromPrimitiveList/"


def patched(item: Json, content_type: str, patch: object) -> Json:
    """Apply a patch to a copy of an object."""
    if content_type == "application/json-patch+json":
        if not isinstance(patch, list):
            raise Refusal(400, "error decoding patch: a JSON patch is a list of operations")
        result: Any = item
        for operation in patch:
            result = _operate(result, operation)
    elif content_type in (
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    ):
        result = _merged(item, patch, strategic="strategic" in content_type)
    else:
        supported = (
            "application/json-patch+json, application/merge-patch+json, "
            "application/strategic-merge-patch+json"
        )
        raise Refusal(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            + supported,
        )
    if not isinstance(result, dict):
        raise Refusal(400, "a patched object must stay an object")
    return result


def _merged(target: object, patch: object, strategic: bool, field: str = "") -> Any:
    if strategic and isinstance(patch, list) and field in MERGE_KEYS and isinstance(target, list):
        return _merged_list(target, patch, MERGE_KEYS[field])
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if strategic and key.startswith(REMOVED):
            name = key.removeprefix(REMOVED)
            if name in result:
                result[name] = [each for each in result[name] if each not in value]
        elif key.startswith("$"):
            # Orders and retained keys change nothing that a merge by key has not done.
            continue
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value, strategic, key)
    return result


def _merged_list(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    result = {each[key]: each for each in target}
    for each in patch:
        if each.get("$patch") == "delete":
            result.pop(each[key], None)
        else:
            result[each[key]] = _merged(result.get(each[key]), each, strategic=True)
    return list(result.values())


def _operate(document: Any, operation: Json) -> Any:
    kind = operation.get("op")
    steps = [
        step.replace("~1", "/").replace("~0", "~")
        for step in str(operation.get("path", "")).split("/")[1:]
    ]
    try:
        if kind == "test":
            if _read(document, steps) != operation["value"]:
                raise Refusal(422, "the server rejected our request due to an error in it")
            return document
        if kind in ("move", "copy"):
            origin = operation["from"]
            value = _read(document, origin.split("/")[1:])
            if kind == "move":
                document = _operate(document, {"op": "remove", "path": origin})
            return _changed(document, steps, "add", value)
        if kind not in ("add", "replace", "remove"):
            raise Refusal(400, f"Unexpected kind: {kind}")
        return _changed(document, steps, kind, operation.get("value"))
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        message = f"{kind} operation does not apply: doc is missing path: {operation.get('path')}"
        raise Refusal(422, f"the server rejected our request: {message}") from error


def _read(document: Any, steps: list[str]) -> Any:
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _changed(document: Any, steps: list[str], kind: str, value: Any) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(document, list):
        copy: Any = list(document)
        at = len(copy) if step == "-" else int(step)
        if rest:
            copy[at] = _changed(copy[at], rest, kind, value)
        elif kind == "add":
            copy.insert(at, value)
        elif kind == "replace":
            copy[at] = value
        else:
            del copy[at]
        return copy
    copy = dict(document)
    if rest:
        copy[step] = _changed(copy[step], rest, kind, value)
    elif kind == "remove":
        del copy[step]
    elif kind == "replace" and step not in copy:
        raise KeyError(step)
    else:
        copy[step] = value
    return copy
