"""A launcher that is killed between any two of its effects leaves a run that can be finished."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.launches import sh
from tests.contract.targets import Target, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="what it shows hangs on the launcher alone")

# A launch that kills itself before its effect of that number: a request, what it prints, and what
# it writes into or removes from its state folder, before and after each.
LAUNCH = """
import os, signal, sys, threading
from runjob import cli, cluster, console
last, done, lock = int(sys.argv[1]), 0, threading.Lock()
def effect():
    global done
    with lock:
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
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
for name in ("pwrite", "replace", "remove", "rmdir"):
    between(os, name)
sys.exit(cli.main(sys.argv[2:]))
"""
# Each run of the Job names itself, so that a second one would show.
SCRIPT = "echo run $(cat /proc/sys/kernel/random/uuid); seq 100 104; sleep 0.3; seq 105 109; exit 3"
TOLD = "Job Completion status: 3"
EVERY = 4


@pytest.mark.parametrize("first", range(1, EVERY + 1))
def test_the_next_launch_tells_the_one_run_to_its_end(
    target: Target, common: tuple[str, ...], name: str, tmp_path: Path, first: int
) -> None:
    """A naive launcher loses or repeats what it did just before it was killed."""
    kills = 0
    while True:
        at = first + kills * EVERY
        job, sysout, state = f"{name}-{at}", tmp_path / f"sysout-{at}", tmp_path / f"state-{at}"
        line = (*common, "-j", job, *sh(SCRIPT), "--run-id", "r.1", "--exit-code", "container",
                "--state-dir", str(state))  # fmt: skip
        code = launched(at, line, sysout)
        if code == 3:
            break  # it has not so many effects
        assert code == -signal.SIGKILL
        kills += 1
        if TOLD in sysout.read_text():
            continue  # the run is over
        assert launched(0, line, sysout) == 3, at
        text = sysout.read_text()
        assert len(re.findall("^run ", text, re.MULTILINE)) == 1, at
        assert re.findall(r"^1\d\d$", text, re.MULTILINE) == [str(n) for n in range(100, 110)], at
        assert target.api.job(job) is None
        assert list(state.iterdir()) == []
    assert kills > 8


def launched(last: int, line: tuple[str, ...], sysout: Path) -> int:
    """Run a launch that has so many effects at most, 0 for any; return its exit code."""
    with sysout.open("ab") as out:
        return subprocess.run(
            [sys.executable, "-c", LAUNCH, str(last), *line],
            stdout=out,
            stderr=subprocess.DEVNULL,
            env=os.environ,
            check=False,
            timeout=120,
        ).returncode
