"""Show what a launch would create."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runjob.console import Console
from runjob.errors import ApiError, Exit, LaunchError
from runjob.options import Connection
from runjob.request import JobRequest


def as_written(request: JobRequest, console: Console) -> Exit:
    """Print the objects as they would be sent."""
    return _print([*request.prerequisites, request.job], console)


def as_answered(request: JobRequest, connection: Connection, console: Console) -> Exit:
    """Print the objects as the API would have them; raises LaunchError where it refuses one."""
    from runjob.cluster import Cluster
    from runjob.login import login

    cluster = Cluster(login(connection))
    answers = []
    for body in (*request.prerequisites, request.job):
        try:
            answers.append(cluster.create(body, request.namespace, dry_run=True))
        except ApiError as error:
            name = f"{body['kind']} {request.namespace}/{body['metadata']['name']}"
            raise LaunchError(f"the API refuses {name}: {error}", _code(error, request)) from error
    return _print(answers, console)


def _code(error: ApiError, request: JobRequest) -> Exit:
    if error.status == 401:
        return Exit.NO_CLUSTER
    if error.heals:
        return Exit.UNREADABLE
    if error.reason == "AlreadyExists":
        return Exit.EXISTS
    return Exit.MANIFEST if request.source == "manifest" else Exit.REFUSED


def _print(bodies: Sequence[Any], console: Console) -> Exit:
    import yaml

    text = yaml.safe_dump_all([dict(body) for body in bodies], sort_keys=False)
    console.log(text.encode())
    # A manifest that is cut short on a full disk must not look whole.
    return Exit.FAILED if console.lost else Exit.SUCCEEDED
