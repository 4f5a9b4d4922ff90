"""The node's daemons: each started by its name, written down, and waited for."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable

from tests.cluster import mounts
from tests.cluster.cgroups import create_groups
from tests.cluster.errors import ClusterError
from tests.cluster.layout import Layout
from tests.cluster.network import API_PORT, NODE_ADDRESS
from tests.cluster.processes import Process, kill, read_record, start, write_record
from tests.cluster.services import scale_services, services

HOLDER = "mounts"
API_SERVER = "kube-apiserver"


def start_daemon(layout: Layout, name: str) -> Process:
    """Start one daemon, or return it if it runs."""
    record = read_record(layout.record)
    if name in record and record[name].alive():
        return record[name]
    log = layout.logs / f"{name}.log"
    group = create_groups()
    if name == HOLDER:
        process = start(name, mounts.holder_command(layout), group, log)
    else:
        service = {**services(layout), **scale_services(layout)}[name]
        process = start(
            name, list(service.command), group, log, record[HOLDER], service.environment
        )
    write_record(layout.record, {**record, name: process})
    return process


def kill_daemon(layout: Layout, name: str) -> None:
    """Kill one daemon with SIGKILL, and wait until it is gone."""
    record = read_record(layout.record)
    if name in record:
        kill(record[name])


def end_daemon(layout: Layout, name: str) -> None:
    """Kill one daemon, and expect it no longer."""
    kill_daemon(layout, name)
    record = read_record(layout.record)
    write_record(layout.record, {key: each for key, each in record.items() if key != name})


def alive(layout: Layout) -> dict[str, bool]:
    """Tell of each daemon whether it runs; empty when none was ever started."""
    return {name: process.alive() for name, process in read_record(layout.record).items()}


def wait_until(
    layout: Layout, name: str, what: str, ready: Callable[[], bool], seconds: float = 60.0
) -> None:
    """Wait until ``ready`` says so; fail when the daemon ``name`` ends, or takes too long."""
    deadline = time.monotonic() + seconds
    log = layout.logs / f"{name}.log"
    while not ready():
        if not read_record(layout.record)[name].alive():
            raise ClusterError(f"{name} ended while {what} was waited for; its log is {log}", log)
        if time.monotonic() > deadline:
            raise ClusterError(f"no {what} after {seconds:.0f} s; the log of {name} is {log}", log)
        time.sleep(0.1)


def api_ready(layout: Layout) -> bool:
    """Ask the API server whether it is ready."""
    trusted = ssl.create_default_context(cafile=str(layout.certificates / "ca.crt"))
    asked = http.client.HTTPSConnection(NODE_ADDRESS, API_PORT, timeout=2, context=trusted)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
