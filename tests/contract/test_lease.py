"""A Job knows whether its launcher lives, and what to do without it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

import runjob
from runjob import cli, moments
from runjob.options import RunOptions
from runjob.sandbox import Fault
from runjob.sandbox.faults import Refuse
from tests.contract.api import Json
from tests.contract.launches import FOREVER, Launcher, own_handlers, sh
from tests.contract.targets import EmbeddedTarget, Target, wants_real

embedded = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")

# A launch with an interval that no option gives: of a second, and with the least lease, in seconds,
# that is given, on a machine whose clock is so many seconds ahead. Its Job is a line of shell.
LIBRARY = """
import signal, sys
from datetime import timedelta
from runjob import build_job, lease, moments, run
from runjob.options import RunOptions
kubeconfig, namespace, name, script, on_lost, shortest, suspend, ahead = sys.argv[1:]
ours = moments.now
moments.now = lambda: ours() + timedelta(seconds=int(ahead))
lease.SHORTEST = int(shortest)
job = build_job(name, "busybox:1", namespace=namespace, command=["sh", "-c", script],
                pull_policy="IfNotPresent", pull_secret=None)
if suspend:
    job.job["spec"]["suspend"] = True
def listen(tell):
    signal.signal(signal.SIGTERM, lambda number, frame: tell(number))
verdict = run(job, kubeconfig=kubeconfig, listen=listen,
              options=RunOptions(heartbeat=1, on_lost=on_lost))
print(verdict.sentence)
sys.exit(verdict.exit_code)
"""


class Kept:
    """A launch of the library in a process of its own."""

    def __init__(self, target: Target, name: str, *words: str) -> None:
        where = (str(target.kubeconfig), target.namespace, name)
        self.target, self.name = target, name
        self.process = subprocess.Popen(
            [sys.executable, "-c", LIBRARY, *where, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def until_it_beats(self, times: int = 1) -> None:
        """Wait until so many signs of life were seen."""
        seen: set[str] = set()

        def beaten() -> bool:
            job = self.target.api.job(self.name)
            seen.add(notes(job).get("runjob/heartbeat") or "" if job else "")
            return len(seen - {""}) >= times

        self.target.api.until(beaten, f"{times} signs of life on {self.name}")

    def kill(self) -> None:
        """End it as a container that restarts does."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and what it printed."""
        out, _ = self.process.communicate(timeout=self.target.api.patience + 30)
        return self.process.returncode, out

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.communicate()


Start = Callable[..., Kept]

# More lines than the pipe of a reader that does not read takes in.
LONG = 40_000


@pytest.fixture
def keep(target: Target, name: str) -> Iterator[Start]:
    started: list[Kept] = []

    def start(
        script: str,
        on_lost: str = "keep",
        *,
        shortest: int = 3,
        suspend: bool = False,
        ahead: int = 0,
    ) -> Kept:
        terms = (on_lost, str(shortest), "yes" if suspend else "", str(ahead))
        launched = Kept(target, name, script, *terms)
        started.append(launched)
        return launched

    yield start
    for each in started:
        each.close()


def notes(job: Json) -> dict[str, str]:
    return dict(job["metadata"].get("annotations") or {})


@dataclass(frozen=True)
class Said:
    """What a subcommand returned, and its lines about one Job."""

    code: int
    rows: list[list[str]]


Say = Callable[..., Said]


@pytest.fixture
def say(target: Target, name: str, capfd: pytest.CaptureFixture[str]) -> Say:
    def run(*words: str) -> Said:
        capfd.readouterr()
        with own_handlers():
            code = cli.main(
                [*words, "-n", target.namespace, "--kubeconfig", str(target.kubeconfig)]
            )
        lines = capfd.readouterr().out.splitlines()
        return Said(code, [re.split(r"  +", line) for line in lines if f"{name} " in line])

    return run


def failure(target: Target, name: str) -> str:
    """Return the reason for which a Job failed; empty while it did not."""
    job = target.api.job(name)
    assert job is not None
    conditions = job["status"].get("conditions") or ()
    found = (each["reason"] for each in conditions if each["type"] == "Failed")
    return str(next(found, ""))


def test_a_long_job_tells_that_its_launcher_lives(
    target: Target, keep: Start, say: Say, name: str
) -> None:
    launched = keep(FOREVER)
    target.api.running_pods(name)
    launched.until_it_beats(times=2)
    (row,) = say("list").rows
    host, process = os.uname().nodename, launched.process.pid
    assert (row[0], row[1], row[4]) == (name, "running", f"{host}/{process}")
    assert "ago, counts until " in row[5]
    assert say("gc", "--lost", "--delete").rows == []
    assert target.api.job(name) is not None


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("whose", ["the launcher's", "the caretaker's"])
def test_a_clock_that_is_wrong_makes_no_living_launcher_a_lost_one(
    keep: Start, say: Say, monkeypatch: pytest.MonkeyPatch, whose: str, hours: int
) -> None:
    """Times are the API's: a machine that is an hour off must not end what others follow."""
    keep(FOREVER, ahead=3600 * hours if whose == "the launcher's" else 0).until_it_beats(times=2)
    ours = moments.now
    if whose == "the caretaker's":
        monkeypatch.setattr(moments, "now", lambda: ours() + timedelta(hours=hours))
    (row,) = say("list").rows
    assert re.fullmatch(r"\ds ago, counts until \d\d:\d\d:\d\dZ", row[5])
    assert say("gc", "--lost", "--delete").rows == []


def test_a_job_whose_launcher_was_killed_is_found_and_removed(
    target: Target, keep: Start, say: Say, name: str
) -> None:
    launched = keep(FOREVER)

    def counted() -> bool:
        job = target.api.job(name)
        return bool(job and job.get("status", {}).get("ready"))

    target.api.until(counted, "a pod that the Job counts as ready")
    launched.kill()
    row = target.api.until(lambda: next(iter(say("gc", "--lost").rows), None), "that it is lost")
    assert row[:3] == ["would remove", name, "running"]
    (listed,) = say("list").rows
    assert listed[5].startswith("gone, ")
    assert failure(target, name) == "", "a Job that is kept runs on"
    (removed,) = say("gc", "--lost", "--delete").rows
    assert removed[:2] == ["removed", name]
    target.api.wait_gone(name)


def test_a_short_job_is_created_with_its_terms_and_asks_for_nothing_more(
    target: Target, launch: Launcher, name: str
) -> None:
    terms = ("--heartbeat", "off", "--keep", "always")
    assert launch("-j", name, *sh("echo hi"), *terms).code == 0
    job = target.api.job(name)
    assert job is not None
    written = notes(job)
    assert written["runjob/heartbeat-seconds"] == "0"
    assert written["runjob/launcher"].endswith(f"/{os.getpid()}")
    assert "runjob/heartbeat" not in written


@embedded
@pytest.mark.parametrize(("status", "right"), [(403, True), (400, False)])
def test_a_beat_that_is_refused_is_said_once_and_ends_nothing(
    target: EmbeddedTarget, name: str, capfd: pytest.CaptureFixture[str], status: int, right: bool
) -> None:
    """A webhook that denies does so by 400 where it names no status of its own."""
    no = target.sandbox.inject(Fault(Refuse(status), verb="patch", resource="jobs", times=None))
    job = runjob.build_job(
        name, "busybox:1", namespace=target.namespace, command=["sleep", "5"], pull_secret=None
    )
    options = RunOptions(heartbeat=1)
    verdict = runjob.run(job, options=options, kubeconfig=str(target.kubeconfig))
    assert verdict.ok
    assert no.wait()
    no.remove()
    said = capfd.readouterr().err
    assert said.count("no sign of life can be written on the Job") == 1
    assert ("needs the verb patch on jobs" in said) == right


def test_a_job_that_is_not_to_outlive_its_launcher_ends_by_itself(
    target: Target, keep: Start, say: Say, name: str
) -> None:
    launched = keep(FOREVER, "kill")
    target.api.running_pods(name)
    launched.kill()
    target.api.until(lambda: failure(target, name), "the end of the Job")
    assert failure(target, name) == "DeadlineExceeded"
    target.api.until(lambda: not target.api.pods(name), "its pods gone")
    job = target.api.job(name)
    assert job is not None
    assert job["spec"]["ttlSecondsAfterFinished"] == 3600
    row = target.api.until(
        lambda: next(iter(say("gc", "--lost", "--delete").rows), None), "that it is lost"
    )
    assert row[:3] == ["removed", name, "failed"]


def test_a_launcher_that_lives_keeps_its_job_beyond_the_lease(
    target: Target, keep: Start, name: str
) -> None:
    code, said = keep("sleep 10; echo done", "kill", shortest=6).end()
    assert (code, "done\n" in said) == (0, True), said
    target.api.wait_gone(name)


def test_a_launcher_that_was_held_up_says_why_its_job_ended(
    target: Target, keep: Start, name: str
) -> None:
    launched = keep(FOREVER, "kill")
    target.api.running_pods(name)
    launched.process.send_signal(signal.SIGSTOP)
    target.api.until(lambda: failure(target, name), "the end of the Job")
    launched.process.send_signal(signal.SIGCONT)
    code, said = launched.end()
    assert code == 13
    assert "its lease ran out (--on-lost kill)" in said
    assert "find out what ended that launcher" in said
    target.api.wait_gone(name)


def test_a_job_that_has_ended_stays_as_long_as_its_log_is_read(
    target: Target, keep: Start, name: str
) -> None:
    """Its reader stops reading, so that the launcher is not done with it for a while."""
    launched = keep(
        f"i=0; while [ $i -lt {LONG} ]; do echo line $i; i=$((i+1)); done", "kill", shortest=20
    )

    def is_moved() -> bool:
        job = target.api.job(name)
        return job is not None and int(job["spec"]["ttlSecondsAfterFinished"]) >= 3602

    target.api.until(is_moved, "signs of life that hold the TTL back")
    code, said = launched.end()
    assert (code, f"line {LONG - 1}\n" in said) == (0, True)
    target.api.wait_gone(name)


def test_the_time_of_a_suspended_job_begins_when_it_is_resumed(
    target: Target, keep: Start, name: str
) -> None:
    launched = keep("sleep 8; echo done", "kill", shortest=6, suspend=True)
    launched.until_it_beats(times=7)  # longer than the lease
    path = target.api.path("jobs", name)
    patch = {"spec": {"suspend": False}}
    target.api.call("PATCH", path, patch, "application/merge-patch+json")
    code, said = launched.end()
    assert (code, "done\n" in said) == (0, True), said


def test_a_deadline_of_the_users_own_stays_the_users(
    target: Target, launch: Launcher, name: str
) -> None:
    terms = ("--on-lost", "kill", "--deadline", "3s")
    run = launch("-j", name, *sh("sleep 60"), *terms)
    assert run.code == 13
    assert "ran into its deadline (activeDeadlineSeconds)" in run.verdict
    target.api.wait_gone(name)
