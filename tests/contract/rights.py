"""The rights that requests take, and that Roles grant."""

from __future__ import annotations

from collections.abc import Collection

from tests.contract.targets import Asked, Target

Right = tuple[str, str]


def right_of(method: str, path: str, query: str) -> Right:
    """Return the resource and the verb of a request, as a Role names them."""
    plural, *rest = path.partition("/namespaces/")[2].split("/")[1:]
    if method != "GET":
        return plural, {"POST": "create", "PATCH": "patch", "DELETE": "delete"}.get(method, method)
    if "watch=true" in query:
        return plural, "watch"
    return "/".join([plural, *rest[1:]]), "get" if rest else "list"


def rights_of(target: Target, asked: Collection[Asked]) -> set[Right]:
    """Return what was asked for, as a Role names it.

    The embedded cluster counts methods and addresses, the real one's audit names verbs.
    """
    if target.real:
        return {(each.resource, each.verb) for each in asked}
    return {_right(each) for each in asked}


def _right(asked: Asked) -> Right:
    if "/namespaces/" in asked.resource:
        return right_of(asked.verb, asked.resource, asked.query)
    plural, *name = asked.resource.split("/")[4:]  # of the cluster: /apis/GROUP/VERSION/PLURAL/NAME
    if plural == "jobs":
        plural = "jobs of all namespaces"  # which no Role can grant
    return plural, {"POST": "create"}.get(asked.verb, "get" if name else "list")


def granted(*rules: dict[str, list[str]]) -> set[Right]:
    return {
        (resource, verb)
        for rule in rules
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
