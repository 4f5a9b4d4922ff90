"""A signal ends a launch in any phase: nothing stays behind, and the exit code says so."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.api import Json, waiting_reason
from tests.contract.launches import FOREVER, Launcher, Starter, sh
from tests.contract.targets import Target

SIGNALS = [
    pytest.param(signal.SIGTERM, 8, id="SIGTERM"),
    pytest.param(signal.SIGHUP, 8, id="SIGHUP"),
    pytest.param(signal.SIGINT, 130, id="SIGINT"),
]


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_running_job_is_removed_and_its_log_printed(
    target: Target, start: Starter, name: str, number: signal.Signals, code: int
) -> None:
    started = start("-j", name, *sh(FOREVER))
    started.until(b"up\n")
    uid = _uid(target, name)
    started.signal(number)
    run = started.end()
    assert (run.code, run.status) == (code, code)
    assert run.lines[0] == "up"
    assert f"killed by {number.name}" in run.verdict
    assert "Job and pods are gone" in run.verdict
    assert target.api.is_gone(name), uid


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_in_this_process_ends_the_launch_alike(
    target: Target, launch: Launcher, name: str, number: signal.Signals, code: int
) -> None:
    def kill() -> None:
        target.api.running_pods(name)
        os.kill(os.getpid(), number)

    run = launch("-j", name, *sh(FOREVER), meanwhile=kill)
    assert (run.code, run.status) == (code, code)
    assert f"killed by {number.name}" in run.verdict
    assert target.api.is_gone(name)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_before_the_create_nothing_is_created(
    target: Target, start: Starter, name: str, number: signal.Signals, code: int
) -> None:
    """Standard input stays open, so that the launcher waits for its manifest."""
    started = start("-j", name, "-y", "-")
    started.say(b"apiVersion: batch/v1\n", close=False)
    _wait_until_it_reads(started.process)
    started.signal(number)
    run = started.end()
    assert run.code == code
    assert run.err == f"runjob: error: killed by {number.name} before anything was created\n"
    assert target.api.is_gone(name)


def _wait_until_it_reads(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process sleeps in a read of its standard input."""
    assert process.stdin is not None
    told = Path(f"/proc/{process.pid}/syscall")
    until = time.monotonic() + 20
    # The number of read() is 0 on x86-64 and 63 on arm64; its first argument is the file, 0.
    while told.read_text().split()[:2] not in (["0", "0x0"], ["63", "0x0"]):
        assert time.monotonic() < until, "it never read its standard input"
        time.sleep(0.02)


Phase = Callable[[Target, str], object]


def _unschedulable(target: Target, name: str) -> object:
    def refused() -> list[Json]:
        return [
            pod
            for pod in target.api.pods(name)
            for each in pod["status"].get("conditions") or ()
            if each.get("reason") == "Unschedulable"
        ]

    return target.api.until(refused, "a pod that no node takes")


def _unpullable(target: Target, name: str) -> object:
    return target.api.until(
        lambda: [p for p in target.api.pods(name) if waiting_reason(p) == "ImagePullBackOff"],
        "a pull that failed",
    )


def _pulling(target: Target, name: str) -> object:
    def begun() -> bool:
        return any(
            event["reason"] == "Pulling" and event["involvedObject"]["name"].startswith(name)
            for event in target.api.items("events")
        )

    return target.api.until(begun, "a pull under way")


def _between_attempts(target: Target, name: str) -> object:
    """Wait for the pause after the n-th failed attempt, long enough to be met."""

    def pausing() -> bool:
        status = (target.api.job(name) or {}).get("status") or {}
        return status.get("failed", 0) >= target.slow_retry and not status.get("active")

    return target.api.until(pausing, "a pause between attempts")


@pytest.mark.parametrize(
    ("options", "image", "phase"),
    [
        pytest.param(
            (*sh("echo never"), "--node-selector", "nowhere=at-all"), "", _unschedulable,
            id="while no node takes the pod",
        ),
        pytest.param(sh("echo never"), "broken", _unpullable, id="while the pull fails"),
        pytest.param(sh("echo never"), "slow", _pulling, id="while the image is pulled"),
        pytest.param(
            (*sh("echo attempt; exit 1"), "-b", "9"), "", _between_attempts, id="between attempts"
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_waiting_job_is_removed(
    target: Target,
    start: Starter,
    name: str,
    options: tuple[str, ...],
    image: str,
    phase: Phase,
    number: signal.Signals,
    code: int,
) -> None:
    more = ("-i", target.image(image)) if image else ()
    started = start("-j", name, *options, *more)
    if phase is _between_attempts:
        # A pod that has failed for the Job may be unread yet: its log goes with it at the signal.
        started.until(b"attempt\n", target.slow_retry)
    phase(target, name)
    started.signal(number)
    run = started.end()
    assert (run.code, run.status) == (code, code)
    assert "Job and pods are gone" in run.verdict
    assert target.api.is_gone(name)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_job_that_was_taken_up_is_removed(
    target: Target, start: Starter, name: str, number: signal.Signals, code: int
) -> None:
    line = ("-j", name, *sh(FOREVER), "--run-id", "r.1")
    first = start(*line)
    first.until(b"up\n")
    first.signal(signal.SIGKILL)
    first.end()
    started = start(*line)
    started.until(b"Job adopted\n")
    started.signal(number)
    run = started.end()
    assert (run.code, run.status) == (code, code)
    assert target.api.is_gone(name)


@pytest.mark.parametrize(
    ("options", "phase"),
    [
        pytest.param(
            (*sh("echo never"), "--node-selector", "nowhere=at-all"), _unschedulable,
            id="while no node takes the pod",
        ),
        pytest.param(sh(FOREVER), lambda target, name: target.api.running_pods(name),
                     id="while it runs"),
        pytest.param((*sh("exit 1"), "-b", "9"), _between_attempts, id="between attempts"),
    ],
)  # fmt: skip
def test_a_launcher_whose_run_is_killed_from_elsewhere_says_so(
    target: Target,
    start: Starter,
    launch: Launcher,
    name: str,
    options: tuple[str, ...],
    phase: Phase,
) -> None:
    """One that only sees its Job go takes a stranger for the one who deleted it."""
    run_id = ("--run-id", f"{name[-12:]}.1")
    started = start("-j", name, *options, *run_id)
    phase(target, name)
    assert launch("--kill", *run_id).code == 0
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert "was ended by a kill of this run (--kill)" in run.verdict
    assert target.api.is_gone(name)


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace_period(
    target: Target, start: Starter, name: str
) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    started = start(
        "-j", name, *sh(script), "--set", "spec.template.spec.terminationGracePeriodSeconds=2"
    )
    started.until(b"up\n")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.lines) == (8, ["up"])
    assert target.api.is_gone(name)


def test_a_second_signal_hurries(target: Target, start: Starter, name: str) -> None:
    """The pod needs its whole grace period; who has signalled twice does not wait for it."""
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    started = start(
        "-j", name, *sh(script), "--set", "spec.template.spec.terminationGracePeriodSeconds=20"
    )
    started.until(b"up\n")
    pod = target.api.running_pods(name)[0]["metadata"]["name"]
    started.signal(signal.SIGTERM)
    target.api.until(lambda: _is_deleting(target, name), "the Job's deletion")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert "NOT removed yet" in run.verdict
    assert f"pod {pod}" in run.verdict
    # Its deletion is under way: nobody needs to do anything.
    target.api.delete("pods", pod, 0)
    target.api.wait_gone(name)


def test_what_a_job_says_while_it_is_ended_is_printed(
    target: Target, start: Starter, name: str
) -> None:
    script = (
        "trap 'echo tidying; sleep 1; echo tidy; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    )
    started = start("-j", name, *sh(script))
    started.until(b"up\n")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.lines) == (8, ["up", "tidying", "tidy"])
    assert target.api.is_gone(name)


def test_a_signal_ends_a_job_that_would_be_kept(target: Target, start: Starter, name: str) -> None:
    started = start("-j", name, *sh(FOREVER), "--keep", "always")
    started.until(b"up\n")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert run.code == 8
    assert target.api.is_gone(name)


def test_a_reader_that_goes_away_does_not_keep_the_job(
    target: Target, start: Starter, name: str
) -> None:
    started = start(
        "-j", name, *sh("i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i; sleep 0.1; done")
    )
    started.until(b"1\n")
    assert started.process.stdout is not None
    started.stop_reading()
    assert started.process.wait(target.api.patience) == 0
    target.api.wait_gone(name)


def test_under_nohup_a_hangup_is_ignored(target: Target, start: Starter, name: str) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    started = start("-j", name, *sh("echo up; sleep 2; echo whole"), preexec_fn=ignore)
    started.until(b"up\n")
    started.signal(signal.SIGHUP)
    run = started.end()
    assert (run.code, run.lines) == (0, ["up", "whole"])
    target.api.wait_gone(name)


def _uid(target: Target, name: str) -> str:
    job = target.api.job(name)
    assert job is not None
    return str(job["metadata"]["uid"])


def _is_deleting(target: Target, name: str) -> bool:
    job = target.api.job(name)
    return job is None or "deletionTimestamp" in job["metadata"]
