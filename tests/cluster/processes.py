"""Daemons: started in the node's namespaces, recorded with their start time, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.network import NAMESPACE

# A process joins the group before it becomes the daemon, so that none can slip out of it.
_JOIN = 'echo $$ > "$0"/cgroup.procs && exec "$@"'


@dataclass(frozen=True)
class Process:
    """A process that was started here: its id can be given again, its start time cannot."""

    name: str
    pid: int
    started: int

    def alive(self) -> bool:
        """Tell whether just this process still runs."""
        return _start_time(self.pid) == self.started


def start(
    name: str,
    command: list[str],
    group: Path,
    log: Path,
    holder: Process | None = None,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start a daemon in the network namespace, and in the mounts of ``holder`` when there is one.

    It outlives its caller: own session, no terminal, nothing inherited but the log.
    """
    entry = ["nsenter", f"--net=/run/netns/{NAMESPACE}", "--"]
    if holder is not None:
        entry = ["nsenter", "--target", str(holder.pid), "--mount", "--net", "--"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        child = subprocess.Popen(
            ["sh", "-c", _JOIN, str(group), *entry, *command],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**_ENVIRONMENT, **(environment or {})},
        )
    # Nobody waits for a daemon; this keeps the object's end from warning about that.
    child.returncode = 0
    started = _start_time(child.pid)
    if started is None:
        raise ClusterError(f"{name} ended at once; its log is {log}", log)
    return Process(name, child.pid, started)


_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def kill(process: Process, seconds: float = 10.0) -> None:
    """Kill a process at once, as a crash would, and wait until it is gone."""
    deadline = time.monotonic() + seconds
    while process.alive():
        if time.monotonic() > deadline:
            raise ClusterError(f"{process.name} (process {process.pid}) would not end")
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        # Reaps it where it is a child of ours, as it is in the process that started it.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
        time.sleep(0.02)


def write_record(path: Path, processes: Mapping[str, Process]) -> None:
    """Write down which processes run, in one step."""
    fresh = path.with_suffix(".part")
    fresh.write_text(json.dumps({p.name: [p.pid, p.started] for p in processes.values()}))
    fresh.replace(path)


def read_record(path: Path) -> dict[str, Process]:
    """Return the processes that were written down; none when nothing was."""
    try:
        record = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: Process(name, pid, started) for name, (pid, started) in record.items()}


def _start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it is gone or dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the command in brackets, which may hold blanks and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])
