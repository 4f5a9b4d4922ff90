"""The control group that holds all of the node's processes, pods and all, and ends them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.cluster.errors import ClusterError

NAME = "runjob"
_ROOT = Path("/sys/fs/cgroup")


def create_groups() -> Path:
    """Make the group in each hierarchy; return the one that tells who belongs to it."""
    if not (_ROOT / "pids").is_dir():
        raise ClusterError(
            f"{_ROOT} has no version 1 hierarchy 'pids'; this cluster is made for version 1"
        )
    for hierarchy in _hierarchies():
        group = hierarchy / NAME
        group.mkdir(exist_ok=True)
        for limit in ("cpuset.cpus", "cpuset.mems"):
            # A new cpuset has no processor and no memory, and takes no process.
            if (group / limit).exists():
                (group / limit).write_text((hierarchy / limit).read_text())
    return _ROOT / "pids" / NAME


def members() -> list[int]:
    """Return the processes of the node."""
    found: list[int] = []
    for tasks in (_ROOT / "pids" / NAME).rglob("cgroup.procs"):
        with contextlib.suppress(OSError):
            found += [int(line) for line in tasks.read_text().split()]
    return found


def end_members(seconds: float = 20.0) -> None:
    """Kill the node's processes, and wait until none is left."""
    deadline = time.monotonic() + seconds
    while left := members():
        if time.monotonic() > deadline:
            raise ClusterError(f"processes of the node would not end: {left}")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove_groups() -> None:
    """Remove the group and those that the kubelet made below it, the innermost first."""
    for hierarchy in _hierarchies():
        top = hierarchy / NAME
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def _hierarchies() -> list[Path]:
    return [path for path in _ROOT.iterdir() if (path / "cgroup.procs").exists()]
