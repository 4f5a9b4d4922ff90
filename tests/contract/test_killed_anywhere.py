"""A launcher that is killed between any two of its effects leaves a run that can be finished."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.launches import sh
from tests.contract.targets import Target, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="what it shows hangs on the launcher alone")

# Launches, a process each, that kill themselves before their effect of a given number: a request,
# what is printed, and what is written into or removed from the state folder, before and after each.
# They are forked off one that has imported the launcher, which takes longer than the launch itself.
LAUNCHES = """
import json, os, signal, sys, threading
from runjob import cli, cluster, console
from runjob import api, identity, jobspec, launcher, logprinter, login, report, state, workshop
last, done, lock = 0, 0, threading.Lock()
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
for asked in sys.stdin:
    last, sysout, *line = json.loads(asked)
    if not (child := os.fork()):
        os.dup2(os.open(sysout, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        sys.exit(cli.main(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
# Each run of the Job names itself, so that a second one would show.
SCRIPT = "echo run $(cat /proc/sys/kernel/random/uuid); seq 100 104; sleep 0.3; seq 105 109; exit 3"
TOLD = "Job Completion status: 3"
EVERY = 12

# Runs a launch that has so many effects at most, 0 for any, and returns its exit code.
Launched = Callable[[int, tuple[str, ...], Path], int]


@pytest.fixture
def launched() -> Iterator[Launched]:
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def launched(last: int, line: tuple[str, ...], sysout: Path) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps([last, str(sysout), *line]), file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield launched


@pytest.mark.parametrize("first", range(1, EVERY + 1))
def test_the_next_launch_tells_the_one_run_to_its_end(
    target: Target,
    common: tuple[str, ...],
    name: str,
    tmp_path: Path,
    launched: Launched,
    first: int,
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
    assert kills > 2
