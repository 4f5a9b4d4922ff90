"""A deletion in trouble: tried until it is answered, and what stays is named."""

from __future__ import annotations

import os
import signal

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Effect, Refuse, Reset, Slow
from tests.contract.launches import Launcher, sh
from tests.contract.targets import EmbeddedTarget


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Reset(), id="reset before it had its effect"),
        pytest.param(Reset(done=True), id="reset after it had its effect"),
    ],
)
def test_a_deletion_is_tried_until_it_is_answered(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, effect: Effect
) -> None:
    hit = sandbox.inject(Fault(effect, verb="delete", resource="jobs", times=2))
    run = launch("-j", name, *sh("echo done"))
    assert run.code == 0
    assert hit.hits >= 1
    target.api.wait_gone(name)


def test_a_deletion_that_is_forbidden_for_a_while_is_tried_again(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """As by an API server that has just started and does not know the roles yet."""
    hit = sandbox.inject(Fault(Refuse(403), verb="delete", resource="jobs", times=3))
    run = launch("-j", name, *sh("echo done"))
    assert (run.code, hit.hits) == (0, 3)
    target.api.wait_gone(name)


def test_what_could_not_be_removed_is_named(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    hit = sandbox.inject(Fault(Refuse(403), verb="delete", resource="jobs", times=None))
    run = launch("-j", name, *sh("echo done"))
    assert run.code == 0
    assert f"delete job {name}" in run.verdict
    assert target.api.job(name) is not None
    hit.remove()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 8), (signal.SIGHUP, 8), (signal.SIGINT, 130)]
)
def test_a_signal_after_the_jobs_end_is_not_a_success(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    number: signal.Signals,
    code: int,
) -> None:
    hit = sandbox.inject(Fault(Slow(1.0), verb="delete", resource="jobs"))

    def kill() -> None:
        assert hit.wait()
        os.kill(os.getpid(), number)

    run = launch("-j", name, *sh("echo done"), meanwhile=kill)
    assert (run.code, run.status, run.log) == (code, code, b"done\n")
    target.api.wait_gone(name)


def test_a_signal_is_heard_while_the_api_hangs_at_a_job_that_is_kept(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """It is being marked, for minutes; a launch that heard no signal meanwhile ended with 0."""
    hit = sandbox.inject(Fault(Slow(60.0), verb="patch", resource="jobs", times=None))

    def kill() -> None:
        assert hit.wait(timeout=20)
        os.kill(os.getpid(), signal.SIGTERM)

    run = launch("-j", name, *sh("echo done"), "--keep", "always", meanwhile=kill)
    hit.remove()
    assert (run.code, run.log) == (8, b"done\n")
    assert "Job and pods are gone" in run.verdict
    target.api.wait_gone(name)
