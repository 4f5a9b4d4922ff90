"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable

from .refusals import Refusal
from .resources import JOBS, Json, Resource

Match = Callable[[Json], bool]
Shelf = tuple[str, str]

_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<lacking>[\w./-]+)"
    r"|(?P<key>[\w./-]+)\s*(?:(?P<set>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|(?P<sign>==|=|!=)\s*(?P<value>[\w.-]*))?)\s*(?:,|$)"
)

FIELDS = {
    "pods": ("spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP"),
    "jobs": ("status.successful",),
    "events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
        "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
        "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    ),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
}  # fmt: skip


def labels_match(selector: str) -> Match | None:
    """Compile a label selector; None when it selects everything."""
    tests: list[Callable[[dict[str, str]], bool]] = []
    position = 0
    while position < len(selector):
        term = _TERM.match(selector, position)
        if term is None:
            raise Refusal(
                400,
                f"unable to parse requirement: found {selector[position:]!r}, expected: in, notin, "
                "=, ==, !=, gt, lt",
            )
        tests.append(_label_test(term))
        position = term.end()
    if not tests:
        return None

    def match(item: Json) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return match


def _label_test(term: re.Match[str]) -> Callable[[dict[str, str]], bool]:
    if term["absent"]:
        lacking = term["lacking"]
        return lambda labels: lacking not in labels
    key = term["key"]
    if term["set"]:
        values = {value.strip() for value in term["values"].split(",")}
        if term["set"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if term["sign"]:
        wanted = term["value"]
        if term["sign"] == "!=":
            return lambda labels: labels.get(key) != wanted
        return lambda labels: labels.get(key) == wanted
    return lambda labels: key in labels


def fields_match(resource: Resource, selector: str) -> Match | None:
    """Compile a field selector; refuse fields that the real server does not index."""
    tests: list[Match] = []
    for term in filter(None, selector.split(",")):
        found = re.fullmatch(r"([\w.]+)(==|=|!=)(.*)", term)
        if found is None:
            raise Refusal(400, f"invalid selector: {selector!r}; can't understand {term!r}")
        path, sign, wanted = found.groups()
        known = ("metadata.name", "metadata.namespace", *FIELDS.get(resource.plural, ()))
        if path not in known:
            text = f"field label not supported: {path}"
            if resource is JOBS:
                text = f'field label "{path}" not supported for Job'
            raise Refusal(400, text)
        tests.append(_field_test(path.split("."), sign, wanted))
    if not tests:
        return None
    return lambda item: all(test(item) for test in tests)


def _field_test(path: list[str], sign: str, wanted: str) -> Match:
    def value(item: Json) -> str:
        if path == ["status", "successful"]:
            return str((item.get("status") or {}).get("succeeded", 0))
        found: object = item
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if path == ["source"] and isinstance(found, dict):
            found = found.get("component")
        return "" if found is None else str(found)

    if sign == "!=":
        return lambda item: value(item) != wanted
    return lambda item: value(item) == wanted


def both(first: Match | None, second: Match | None) -> Match | None:
    """Join two tests; None is one that everything passes."""
    if first is None or second is None:
        return first or second
    return lambda item: first(item) and second(item)


_LABEL_EQUALS = re.compile(r"(?:^|,)\s*([\w./-]+)\s*==?\s*([\w.-]+)\s*(?:,|$)")
_FIELD_EQUALS = re.compile(r"(?:^|,)(metadata\.name|involvedObject\.uid)==?([^,]+)")


def shelf_of(labels: str, fields: str) -> Shelf | None:
    """Name one equality that a selection asks for, by which watchers are sorted."""
    for found in (_FIELD_EQUALS.search(fields), _LABEL_EQUALS.search(labels)):
        if found is not None:
            return found[1], found[2]
    return None


def shelves_of(item: Json) -> set[Shelf]:
    """Name all the shelves whose watchers a change of this object may concern."""
    metadata = item["metadata"]
    shelves = {("metadata.name", metadata["name"])}
    shelves.update((metadata.get("labels") or {}).items())
    if "involvedObject" in item:
        shelves.add(("involvedObject.uid", item["involvedObject"].get("uid", "")))
    return shelves
