"""What a log of gigabytes costs the launcher, on the embedded cluster, with every line counted."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.measure import launcher
from tests.bench.table import Row, say

LINE = (
    b"2026-01-31 12:00:00 INFO "
    + b"a line of a program that logs as programs do; ".ljust(174, b".")
    + b"\n"
)
SMALL, LARGE = 1_000_000, 10_000_000  # lines
LIMIT = 10_000_000


@contextmanager
def cluster() -> Iterator[str]:
    """Run the embedded cluster as a process of its own; yield its kubeconfig."""
    command = [sys.executable, "-m", "runjob.sandbox"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip().partition("=")[2]
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()


@dataclass(frozen=True)
class Read:
    """What came of a launch: lines of the log, other lines, peak memory in MB, and seconds."""

    lines: int
    others: int
    memory: float
    seconds: float


def launch(kubeconfig: str, lines: int, *options: str) -> Read:
    """Run a Job that prints so many lines, and count those that come whole."""
    say(f"a log of {lines * len(LINE) / 1e9:.1f} GB {' '.join(options)}")
    words = f"yes '{LINE.decode().strip()}' | head -n {lines}"
    name = f"biglog-{os.getpid()}-{lines}-{len(options)}"
    command = launcher(name, kubeconfig, "-k", "sh", "-k", "-c", "-k", words, *options)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    whole, ends, rest = 0, 0, b""
    while chunk := os.read(process.stdout.fileno(), 1 << 20):
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        whole += data.count(LINE, 0, end)
        ends += data.count(b"\n", 0, end)
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: a launch with a large log ended with {process.returncode}")
    return Read(whole, ends - whole, used.ru_maxrss / 1024, time.perf_counter() - start)


def measures() -> list[Row]:
    """Measure a log, one of ten times its size, and that with a limit."""
    with cluster() as kubeconfig:
        small, large = (launch(kubeconfig, lines) for lines in (SMALL, LARGE))
        limited = launch(kubeconfig, SMALL, "--log-limit", str(LIMIT))
    growth = large.memory - small.memory
    return [
        Row(f"peak memory with a log of {LARGE * len(LINE) / 1e9:.1f} GB", f"{large.memory:.0f} MB",
            f"{SMALL * len(LINE) / 1e9:.1f} GB: {small.memory:.0f} MB",
            "40 MB, and 3 MB more than that", large.memory <= 40 and growth <= 3),
        Row("lines of it that were lost or are others", f"{LARGE - large.lines}",
            f"{large.others} lines beside it", "0", large.lines == LARGE and large.others <= 9),
        Row("its throughput, the cluster's work included",
            f"{LARGE * len(LINE) / large.seconds / 1e6:.0f} MB/s",
            f"{LARGE / large.seconds / 1000:,.0f},000 lines/s", "", True),
        Row(f"peak memory with --log-limit {LIMIT // 10**6}M", f"{limited.memory:.0f} MB",
            f"{limited.lines:,} lines shown, in {limited.seconds:.0f} s",
            "its half more", limited.memory <= small.memory + LIMIT / 2e6 + 3),
    ]  # fmt: skip
