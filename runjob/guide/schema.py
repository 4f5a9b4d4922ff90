"""The schema of the result file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runjob.errors import Exit

Schema = dict[str, Any]


def _object(description: str, **properties: Schema) -> Schema:
    return {
        "description": description,
        "type": "object",
        "required": list(properties),
        "properties": properties,
    }


def _list(description: str, **properties: Schema) -> Schema:
    return {"description": description, "type": "array", "items": _object("", **properties)}


def _value(kind: str | list[str], description: str, **more: Any) -> Schema:
    return {"type": kind, "description": description, **more}


def _count(description: str) -> Schema:
    return _value("integer", description, minimum=0)


def _seconds(description: str) -> Schema:
    return _value(["number", "null"], description, minimum=0)


_MAYBE = ["string", "null"]

RESULT: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "How a launch ended, as runjob writes it with --result-file and --print result",
    **_object(
        "Fields may be added to it; what is here stays as long as schema is 1",
        schema={"const": 1, "description": "which form of this file it is"},
        job=_value("string", "name of the Job"),
        namespace=_value("string", "namespace of the Job"),
        exit_code=_value("integer", "exit code of the launcher", minimum=0, maximum=255),
        mapped_from=_value(
            ["integer", "null"],
            "exit code that --map-exit turned into exit_code, null where it turned none",
            minimum=0,
            maximum=255,
        ),
        ending=_value(
            "string",
            "what the exit code is called, whatever --exit-code or --map-exit made of it",
            enum=[code.name.lower() for code in Exit],
        ),
        verdict=_value("string", "what happened and what to do, as the last line tells it"),
        reason=_value("string", "what happened"),
        hint=_value("string", "what to do about it; may be empty"),
        pods=_object(
            "pods as the Job's status counts them",
            running=_count("pods that ran at the end"),
            succeeded=_count("pods that succeeded"),
            failed=_count("pods that failed"),
        ),
        attempts=_count("pods and restarts of containers, together"),
        seconds=_object(
            "where the time went; null where it never came to that",
            queued=_seconds("until a node took the first pod"),
            pulling=_seconds("from there to the first start of a main container"),
            running=_seconds("from the first start to the last end"),
        ),
        containers=_list(
            "every container of every pod that was seen",
            pod=_value("string", "its pod"),
            node=_value(_MAYBE, "node of the pod, null before it has one"),
            container=_value("string", "its name"),
            role=_value("string", "what it is to the pod", enum=["main", "init", "sidecar"]),
            restarts=_count("how often it was started again"),
            exit_code=_value(["integer", "null"], "of its latest run, null when it has not ended"),
            reason=_value(_MAYBE, "the cluster's word for its end or its pod's, null without one"),
        ),
        failures=_list(
            "runs that failed, the earliest first",
            pod=_value("string", "the pod"),
            container=_value(_MAYBE, "the container, null when the pod failed as a whole"),
            node=_value(_MAYBE, "node of the pod, null before it has one"),
            attempt=_value("integer", "which attempt it was, from 1", minimum=1),
            exit_code=_value("integer", "its exit code, 0 when the pod failed as a whole"),
            reason=_value(_MAYBE, "the cluster's word for it, null without one"),
            text=_value("string", "the failure in words"),
        ),
        warnings={
            "description": "events of the cluster that warn and tell more than the verdict",
            "type": "array",
            "items": {"type": "string"},
        },
    ),
}


def fields(schema: Mapping[str, Any] = RESULT) -> tuple[tuple[str, str], ...]:
    """Return each field of an object, those within it as `pods.failed`, with what it means."""
    return tuple(_fields(schema, ""))


def _fields(schema: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for name, each in schema["properties"].items():
        yield before + name, each["description"]
        inner = each.get("items", each)
        if "properties" in inner:
            yield from _fields(inner, f"{before}{name}{'[]' if inner is not each else ''}.")
