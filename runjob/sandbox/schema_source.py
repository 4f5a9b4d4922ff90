"""Write schema.json from the models of the official client, which only this script needs.

Run it as ``python -m runjob.sandbox.schema_source`` after a new release of the client.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

ROOTS = (
    "Job", "Pod", "ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "Namespace",
    "CoreV1Event", "DeleteOptions", "ResourceQuota", "LimitRange", "PriorityClass",
)  # fmt: skip
# The models say "int" for both widths; the server names them in its messages.
INT64 = {
    "activeDeadlineSeconds", "terminationGracePeriodSeconds", "gracePeriodSeconds", "runAsUser",
    "runAsGroup", "fsGroup", "tolerationSeconds", "expirationSeconds", "generation",
    "observedGeneration", "deletionGracePeriodSeconds",
}  # fmt: skip
# What the models call a string may also be a number in JSON.
QUANTITIES = {
    "limits", "requests", "sizeLimit", "divisor", "capacity", "overhead", "hard", "used", "max",
    "min", "default", "defaultRequest", "maxLimitRequestRatio",
}  # fmt: skip
PLAIN = {
    "str": "string", "bool": "bool", "float": "float64", "object": "any", "datetime": "time",
}  # fmt: skip


def type_code(type_name: str, field: str) -> str:
    """Write a model's type as ``schema`` reads it: ``[x`` is a list, ``{x`` a map, else a name."""
    if listed := re.fullmatch(r"list\[(.*)\]", type_name):
        return "[" + type_code(listed[1], field)
    if mapped := re.fullmatch(r"dict[(\[]str, (.*)[)\]]", type_name):
        return "{" + type_code(mapped[1], field)
    if type_name == "int":
        return "int64" if field in INT64 else "int32"
    if type_name == "str" and field in QUANTITIES:
        return "quantity"
    return PLAIN.get(type_name) or _short(type_name)


def _short(model: str) -> str:
    name = re.sub(r"^V\d+", "", model)
    return "Event" if name == "CoreEvent" or model == "CoreV1Event" else name


def collect() -> dict[str, dict[str, str]]:
    """Walk from the roots over every type that they lead to."""
    models = importlib.import_module("kubernetes.client.models")
    types: dict[str, dict[str, str]] = {}
    waiting = [name if name.startswith("Core") else f"V1{name}" for name in ROOTS]
    while waiting:
        model = waiting.pop()
        name = _short(model)
        if name in types or not hasattr(models, model):
            continue
        owner = getattr(models, model)
        fields = {
            owner.attribute_map[attribute]: type_code(kind, owner.attribute_map[attribute])
            for attribute, kind in owner.openapi_types.items()
        }
        types[name] = dict(sorted(fields.items()))
        for kind in owner.openapi_types.values():
            waiting += [each for each in re.findall(r"\w+", kind) if hasattr(models, each)]
    return dict(sorted(types.items()))


def main() -> None:
    """Write the table, one line for each type."""
    lines = [f"{json.dumps(name)}: {json.dumps(fields)}" for name, fields in collect().items()]
    path = Path(__file__).with_name("schema.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
