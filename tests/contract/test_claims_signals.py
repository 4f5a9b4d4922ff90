"""A launch that gets a signal between any two of its effects never ends with 0."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

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
# How many tests share the effects of one command line.
SHARED = 4


def signalled(at: int, line: tuple[str, ...]) -> int:
    """Run a command line that signals itself at its effect of that number; return its exit code."""
    return subprocess.run(
        [sys.executable, "-c", LINE, str(at), str(int(signal.SIGTERM)), *line],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
        check=False,
        timeout=120,
    ).returncode


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("first", range(1, SHARED + 1))
@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("--result-file", "result.json"), id="a launch"),
        pytest.param(("--preflight",), id="a preflight"),
        pytest.param(("--dry-run", "server"), id="a dry run"),
    ],
)
def test_after_a_signal_0_is_not_returned_by(
    target: Target,
    common: tuple[str, ...],
    name: str,
    more: tuple[str, ...],
    first: int,
) -> None:
    """A naive launcher has a last step after which nobody asks any more."""
    at, codes = first, []
    while True:
        job = f"{name}-{at}"
        code = signalled(at, (*common, "-j", job, *sh("echo once"), *more))
        if code == ALL:
            break
        codes.append(code)
        assert target.api.job(job) is None, at
        at += SHARED
    # One that comes before the command listens, or after it, ends the process as it ends any.
    assert set(codes) <= {8, -signal.SIGTERM}, codes
    assert 8 in codes
