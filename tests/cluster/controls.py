"""What a test may do to the running cluster, and ask of it."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tests.cluster import access
from tests.cluster.certificates import NODE_NAME
from tests.cluster.daemons import API_SERVER, api_ready, kill_daemon, start_daemon, wait_until
from tests.cluster.kubectl import kubectl
from tests.cluster.layout import Layout, layout_from
from tests.cluster.network import KUBELET_PORT, NODE_ADDRESS
from tests.cluster.node import describe, locked


@dataclass(frozen=True)
class Request:
    """One line of the audit log."""

    at: float
    user: str
    user_agent: str
    verb: str
    resource: str
    code: int
    uri: str


def here() -> Layout:
    """Return the layout of the cluster that the environment names."""
    return layout_from(os.environ)


def kill_api_server() -> None:
    """Kill the API server with SIGKILL; etcd, the node and its pods go on."""
    layout = here()
    with locked(layout):
        kill_daemon(layout, API_SERVER)


def start_api_server() -> None:
    """Start the API server again and wait until it is ready, some three seconds."""
    layout = here()
    with locked(layout):
        start_daemon(layout, API_SERVER)
        wait_until(layout, API_SERVER, "ready API server", lambda: api_ready(layout))
        describe(layout)


def kill_kubelet() -> None:
    """Kill the kubelet with SIGKILL; the containers go on, and nobody tells of them."""
    layout = here()
    with locked(layout):
        kill_daemon(layout, "kubelet")


def restart_kubelet() -> None:
    """Kill the kubelet, start it anew and wait until it answers; the containers go on meanwhile."""
    bounce("kubelet", 0)


def bounce(name: str, seconds: float) -> None:
    """Kill a daemon, start it anew after so many seconds, and wait until it serves."""
    layout = here()
    with locked(layout):
        kill_daemon(layout, name)
        time.sleep(seconds)
        start_daemon(layout, name)
        if name == "kubelet":
            wait_until(layout, name, "kubelet that answers", _kubelet_answers)
        elif name == API_SERVER:
            wait_until(layout, name, "ready API server", lambda: api_ready(layout))
        describe(layout)


def limit_container_logs(size: str) -> None:
    """Let the kubelet rotate a container's log at ``size``, like 10Mi, the default of clusters."""
    config = here().configuration / "kubelet.yaml"
    changed = re.sub(
        r"(?m)^containerLogMaxSize: .*$", f"containerLogMaxSize: {size}", config.read_text()
    )
    config.write_text(changed)
    restart_kubelet()


def new_launcher_token(seconds: int = 3600) -> str:
    """Return a fresh token of the launcher's service account, valid for at least 600 seconds."""
    return access.new_launcher_token(here(), seconds)


def add_node_label(name: str, value: str | None) -> None:
    """Set a label of the node; None takes it away."""
    change = f"{name}-" if value is None else f"{name}={value}"
    kubectl(here(), "label", "node", NODE_NAME, "--overwrite", change)


def requests(
    user_agent: str = "", user: str = "", since: float = 0.0, settle: float = 0.3
) -> list[Request]:
    """Return the requests whose user agent and user contain these words, from ``since`` on.

    ``since`` is a time as time.time() tells it. Watches and followed logs count when they start,
    all others when they end; ``settle`` waits for the lines of what has just ended.
    """
    time.sleep(settle)
    return [
        request
        for request in _audited(here().audit_log)
        if request.at >= since and user_agent in request.user_agent and user in request.user
    ]


def request_count(user_agent: str = "", user: str = "", since: float = 0.0) -> int:
    """Return the number of those requests."""
    return len(requests(user_agent, user, since))


def pod_log_file(namespace: str, pod: str, uid: str, container: str, restart: int = 0) -> Path:
    """Return the file on the node's disk that holds what a container wrote, as CRI lines."""
    return here().pod_logs / f"{namespace}_{pod}_{uid}" / container / f"{restart}.log"


def pod_log_bytes(file: Path) -> bytes:
    """Return what the container wrote, without the CRI's marks; its files must not be rotated.

    Each line is ``time stream P|F text``: P is a part, to be continued by the next line.
    """
    written = bytearray()
    for line in file.read_bytes().split(b"\n")[:-1]:
        _, _, mark, text = line.split(b" ", 3)
        written += text if mark.startswith(b"P") else text + b"\n"
    return bytes(written)


def _kubelet_answers() -> bool:
    try:
        socket.create_connection((NODE_ADDRESS, KUBELET_PORT), timeout=1).close()
    except OSError:
        return False
    return True


def _audited(log: Path) -> Iterator[Request]:
    with log.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return
            event = json.loads(line)
            target = event.get("objectRef", {})
            resource = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
            yield Request(
                at=_seconds(event["requestReceivedTimestamp"]),
                user=event["user"].get("username", ""),
                user_agent=event.get("userAgent", ""),
                verb=event["verb"],
                resource=resource,
                code=event.get("responseStatus", {}).get("code", 0),
                uri=event["requestURI"],
            )


def _seconds(stamp: str) -> float:
    parsed = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ")
    return parsed.replace(tzinfo=timezone.utc).timestamp()
