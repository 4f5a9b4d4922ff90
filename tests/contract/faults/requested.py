"""What a cluster was asked for."""

from __future__ import annotations

from runjob.sandbox import Sandbox


def created(sandbox: Sandbox) -> int:
    """Count the Jobs that were made."""
    return sum(
        each.method == "POST" and each.path.endswith("/jobs") and each.status == 201
        for each in sandbox.requests
    )


def deleted(sandbox: Sandbox) -> int:
    return sum(each.method == "DELETE" for each in sandbox.requests)


def asked(sandbox: Sandbox, method: str, end: str) -> list[int]:
    """Return how the launcher's requests of that method to such paths were answered."""
    return [
        each.status
        for each in sandbox.requests
        if each.method == method
        and each.path.endswith(end)
        and each.user_agent.startswith("runjob/")
    ]
