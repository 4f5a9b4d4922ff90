"""The right that a request takes."""

from __future__ import annotations


def right_of(method: str, path: str, query: str) -> tuple[str, str]:
    """Return the resource and the verb of a request, as a Role names them."""
    plural, *rest = path.partition("/namespaces/")[2].split("/")[1:]
    if method != "GET":
        return plural, {"POST": "create", "PATCH": "patch", "DELETE": "delete"}.get(method, method)
    if "watch=true" in query:
        return plural, "watch"
    return "/".join([plural, *rest[1:]]), "get" if rest else "list"
