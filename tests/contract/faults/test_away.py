"""An API that is away: what a launch rides out, and what it leaves when it gives up."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Slow
from tests.contract.faults.requested import created, deleted
from tests.contract.launches import FOREVER, Launcher, Starter, sh, wait_until
from tests.contract.targets import EmbeddedTarget


def test_an_api_that_hangs_ends_the_launch_and_not_the_job(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its watches are open and bring nothing, and no other can be had."""
    monkeypatch.setattr("runjob.cluster.WATCH_TIMEOUT", 1.5)
    monkeypatch.setattr("runjob.cluster.READ_TIMEOUT", 1.0)
    sandbox.inject(Fault(Cut(how="mute"), verb="watch", resource="jobs"))
    sandbox.inject(Fault(Slow(999), verb="watch", resource="jobs", times=None))
    run = launch("-j", name, *sh(FOREVER), "--api-timeout", "2")
    assert (run.code, run.status) == (6, 6)
    # What tells first is told; a pod that merely runs is as silent, and on a busy machine sooner.
    assert re.search("trouble watching (jobs|pods): no answer in time; trying on", run.err)
    assert "the API gave no answer for" in run.verdict
    assert deleted(sandbox) == 0
    assert target.api.running_pods(name)


def test_an_api_that_comes_back_finds_the_launch_waiting(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """What the container said meanwhile is printed, once."""
    away, middle = (target.kubeconfig.with_name(word) for word in ("away", "middle"))

    def restart() -> None:
        target.api.running_pods(name)
        sandbox.stop_listening()
        away.touch()
        wait_until(middle.exists, "the middle of the log")
        sandbox.start_listening()

    # It says the most while the API is away, however late that comes, for two seconds at least.
    script = (
        "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i; sleep 0.1; "
        f"[ $i != 10 ] || until [ -e {away} ]; do sleep 0.05; done; "
        f"[ $i != 30 ] || touch {middle}; done"
    )
    run = launch("-j", name, *sh(script), meanwhile=restart)
    assert run.code == 0
    assert run.lines == [f"line {number}" for number in range(1, 41)]
    assert "trying on" in run.err
    assert "the API answers again" in run.err
    target.api.wait_gone(name)


def test_a_job_that_ends_while_the_api_is_away_is_told_of_afterwards(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    over = target.kubeconfig.with_name("over")

    def restart() -> None:
        target.api.running_pods(name)
        sandbox.stop_listening()
        over.touch()
        wait_until(lambda: not over.exists(), "the container's end")
        sandbox.start_listening()

    script = f"echo up; while [ ! -e {over} ]; do sleep 0.05; done; echo down; rm {over}; exit 5"
    run = launch("-j", name, *sh(script), "--exit-code", "container", meanwhile=restart)
    assert (run.code, run.log) == (5, b"up\ndown\n")
    target.api.wait_gone(name)


def test_an_api_that_is_away_at_the_create_is_waited_for(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    sandbox.stop_listening()
    started = start("-j", name, *sh("echo at last"))
    started.until(b"trying on")
    sandbox.start_listening()
    run = started.end()
    assert (run.code, run.log) == (0, b"at last\n")
    assert created(sandbox) == 1


def test_an_api_that_stays_away_ends_the_launch_and_not_the_job(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    def leave() -> None:
        target.api.running_pods(name)
        sandbox.stop_listening()

    run = launch("-j", name, *sh(FOREVER), "--api-timeout", "2", meanwhile=leave)
    assert (run.code, run.status) == (6, 6)
    assert "lives on" in run.verdict
    assert f"end it with: kubectl -n {target.namespace} --kubeconfig " in run.verdict
    assert f" delete job {name} --cascade=foreground" in run.verdict
    assert "take it up again: the same command with --if-exists adopt" in run.verdict
    sandbox.start_listening()
    assert deleted(sandbox) == 0
    job = target.api.job(name)
    assert job is not None
    assert "deletionTimestamp" not in job["metadata"]
    assert target.api.running_pods(name)


def test_after_an_api_that_stayed_away_the_same_command_goes_on_in_the_log(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, tmp_path: Path
) -> None:
    job = (
        "-j", name, *sh("echo one; sleep 4; echo two; exit 5"), "--exit-code", "container",
        "--run-id", "r", "--state-dir", str(tmp_path / "state"),
    )  # fmt: skip

    def leave() -> None:
        target.api.running_pods(name)
        wait_until(lambda: any(each.path.endswith("/log") for each in sandbox.requests), "its log")
        sandbox.stop_listening()

    first = launch(*job, "--api-timeout", "1", meanwhile=leave)
    assert first.code == 6
    assert "with --run-id r" in first.verdict
    sandbox.start_listening()
    second = launch(*job)
    rest = second.out.partition(b"goes on where the earlier launcher stopped ---\n")[2]
    assert second.code == 5
    assert b"already ---" not in rest
    assert first.log + rest[: rest.index(b"Failed:")] == b"one\ntwo\n"
    target.api.wait_gone(name)
    assert created(sandbox) == 1


def test_an_api_that_is_never_there_ends_with_6(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.stop_listening()
    run = launch("-j", name, *sh("echo never"), "--api-timeout", "1")
    assert (run.code, run.status) == (6, 6)
    sandbox.start_listening()
    assert created(sandbox) == 0


def test_a_signal_while_the_api_is_away_waits_for_it_to_remove_the_job(
    target: EmbeddedTarget, sandbox: Sandbox, start: Starter, name: str
) -> None:
    started = start("-j", name, *sh(FOREVER))
    started.until(b"up\n")
    sandbox.stop_listening()
    started.signal(signal.SIGTERM)
    started.until(b"trouble ")
    sandbox.start_listening()
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert target.api.is_gone(name)
