"""Access reviews: whoever has the token may do everything, except what a fault forbids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .faults import Injection, Target
from .http import Reply, Request, json_reply, refusal_reply
from .refusals import Refusal, no_such_method
from .resources import Resource
from .schema import parse_json

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def reviewed(request: Request, injections: Sequence[Injection]) -> Reply:
    """Answer whether the client may do what it asks about."""
    if request.method != "POST":
        return refusal_reply(no_such_method())
    try:
        body = parse_json(request.body)
    except Refusal as refusal:
        return refusal_reply(refusal)
    wanted: dict[str, Any] = body["spec"]["resourceAttributes"]
    resource = Resource(wanted["resource"], "", wanted.get("group") or "")
    target = Target(
        wanted["verb"],
        resource,
        wanted.get("namespace") or "",
        wanted.get("name") or "",
        wanted.get("subresource") or "",
    )
    allowed = not any(each.takes_away(target) for each in injections)
    return json_reply({**body, "status": {"allowed": allowed}}, 201)
