"""Run commands and the launcher, and measure what they cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

LAUNCHER = str(Path(__file__).parents[2] / "runjob" / "runJob.py")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one process took: seconds of wall and CPU, MB of memory at its peak.

    created is the time until its output held the mark that the create had returned.
    """

    wall: float
    cpu: float
    memory: float
    created: float = 0.0


def run(command: Sequence[str], *, mark: bytes = b"", env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and return its cost; mark is the line to wait for as `created`."""
    start = time.perf_counter()
    created = 0.0
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env and dict(env)
    )
    assert process.stdout is not None
    for line in process.stdout:
        if mark and not created and line.startswith(mark):
            created = time.perf_counter() - start
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(command[:4])} … ended with {process.returncode}")
    return Cost(
        wall=time.perf_counter() - start,
        cpu=used.ru_utime + used.ru_stime,
        memory=used.ru_maxrss / 1024,
        created=created,
    )


def typical(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(
        wall=median(cost.wall for cost in costs),
        cpu=median(cost.cpu for cost in costs),
        memory=median(cost.memory for cost in costs),
        created=median(cost.created for cost in costs),
    )


def launcher(name: str, kubeconfig: str, *options: str) -> list[str]:
    """Return the launcher's command line for a Job in the namespace controlm."""
    return [
        sys.executable,
        LAUNCHER,
        *("--kubeconfig", kubeconfig, "-n", "controlm", "-j", name),
        *("-i", "busybox:1", "-p", "IfNotPresent", "-s", "none"),
        *options,
    ]
