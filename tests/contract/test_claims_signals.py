"""A launch that gets a signal between any two of its effects never ends with 0."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.launches import sh
from tests.contract.targets import Target, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="what it shows hangs on the launcher alone")

# A command line that signals itself at its effect of that number: before and after each request,
# line, step of its result file, its giving the signals back, and itself.
LINE = """
import os, signal, sys, threading
from runjob import cli, cluster, console, interrupts
last, number, done, lock = int(sys.argv[1]), int(sys.argv[2]), 0, threading.Lock()
def effect():
    global done
    with lock:
        done += 1
        hit = done == last
    if hit:
        os.kill(os.getpid(), number)
def between(owner, name):
    act = getattr(owner, name)
    def acts(*args, **more):
        effect()
        answer = act(*args, **more)
        effect()
        return answer
    setattr(owner, name, acts)
between(cluster.Cluster, "_request")
between(console.Console, "_write")
for name in ("replace", "remove"):
    between(os, name)
between(interrupts.Interrupts, "restore")
between(cli, "main")
code = cli.main(sys.argv[3:])
sys.exit(code if done >= last else 99)
"""
# It has no such effect: all of them have been tried.
ALL = 99


def signalled(at: int, number: signal.Signals, line: tuple[str, ...]) -> int:
    """Run a command line that signals itself at its effect of that number; return its exit code."""
    return subprocess.run(
        [sys.executable, "-c", LINE, str(at), str(int(number)), *line],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
        check=False,
        timeout=120,
    ).returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_launch_returns_0(
    target: Target, common: tuple[str, ...], name: str, tmp_path: Path, number: signal.Signals
) -> None:
    """A naive launcher has a last step after which nobody asks any more."""
    result = str(tmp_path / "result.json")
    at, codes = 1, []
    while True:
        job = f"{name}-{at}"
        line = (*common, "-j", job, *sh("echo once"), "--result-file", result)
        code = signalled(at, number, line)
        if code == ALL:
            break
        codes.append(code)
        assert target.api.job(job) is None, at
        at += 1
    # One that comes before the launch listens, or after it has ended, ends the process as usual.
    assert set(codes) <= {8, 130, -number}, codes
    assert len(codes) > 20


@pytest.mark.parametrize("look", ["--preflight", "--dry-run=server"])
def test_nothing_that_creates_nothing_returns_0(
    target: Target, common: tuple[str, ...], name: str, look: str
) -> None:
    at, codes = 1, []
    while True:
        line = (*common, "-j", name, *sh("echo never"), look)
        code = signalled(at, signal.SIGTERM, line)
        if code == ALL:
            break
        codes.append(code)
        at += 1
    assert set(codes) <= {8, -signal.SIGTERM}, codes
    assert target.api.job(name) is None
