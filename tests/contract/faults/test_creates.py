"""A create in trouble: tried until it is answered, and never for a second Job."""

from __future__ import annotations

import os
import signal

import pytest

from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.retry import REFUSALS
from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Effect, Refuse, Reset, Slow
from tests.contract.faults.requested import created
from tests.contract.launches import FOREVER, Launcher, Starter, sh
from tests.contract.targets import EmbeddedTarget


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Refuse(429), id="429"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(401), id="401"),
        pytest.param(Refuse(403), id="403 of a server that just started"),
        pytest.param(
            Refuse(409, message='Operation cannot be fulfilled on resourcequotas "q"'),
            id="409 of a quota that changes",
        ),
        pytest.param(Reset(), id="reset before it had its effect"),
        pytest.param(Cut(0, "reset"), id="reset after the answer's head"),
        pytest.param(Cut(40, "close"), id="half an answer"),
    ],
)
def test_a_create_is_tried_until_it_is_answered(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, effect: Effect
) -> None:
    hit = sandbox.inject(Fault(effect, verb="create", resource="jobs", times=2))
    run = launch("-j", name, *sh("echo once"))
    assert hit.hits == 2
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_create_whose_answer_is_lost_adopts_its_own_job(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, times: int
) -> None:
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs", times=times))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)


def test_a_create_whose_answer_is_lost_and_that_is_then_refused_adopts_its_own_job(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """As by a quota that the Job itself has used up: a naive launcher leaves it to itself."""
    used = f'jobs.batch "{name}" is forbidden: exceeded quota: one'
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs"))
    sandbox.inject(Fault(Refuse(403, message=used), verb="create", resource="jobs", times=None))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)


def test_a_job_that_exists_for_a_create_and_not_for_a_read_is_not_tried_for_ever(
    sandbox: Sandbox, launch: Launcher, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runjob.creator.REMOVAL", 1.0)

    def exists(*_: object, **__: object) -> None:
        raise ApiError(409, "it exists", reason="AlreadyExists")

    monkeypatch.setattr(Cluster, "create", exists)
    run = launch("-j", name, *sh("echo never"))
    assert run.code == 15
    assert "find out who makes and deletes it, with: kubectl -n controlm " in run.verdict
    assert f" get job {name}" in run.verdict
    assert created(sandbox) == 0


def test_after_a_lost_answer_another_launchs_job_is_not_adopted(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "busybox:1", "command": ["sh", "-c", FOREVER]}]}}  # fmt: skip
    body = {
        "metadata": {"name": name, "annotations": {"runjob/launch": "another"}},
        "spec": {"template": template},
    }
    there = target.api.create("jobs", body)
    sandbox.inject(Fault(Reset(done=True), verb="create", resource="jobs"))
    run = launch("-j", name, *sh("echo never"))
    assert run.code == 15
    now = target.api.job(name)
    assert now is not None
    assert now["metadata"]["uid"] == there["metadata"]["uid"]


@pytest.mark.parametrize(
    ("code", "times"), [(400, 1), (403, REFUSALS), (404, 1), (405, 1), (413, 1), (422, 1)]
)
def test_a_create_that_is_refused_for_good_ends_with_3(
    sandbox: Sandbox, launch: Launcher, name: str, code: int, times: int
) -> None:
    hit = sandbox.inject(Fault(Refuse(code), verb="create", resource="jobs", times=None))
    run = launch("-j", name, *sh("echo never"))
    assert (run.code, run.status, hit.hits) == (3, 3, times)
    assert created(sandbox) == 0


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Fault(Slow(1.5), verb="create", resource="jobs"), id="under way"),
        pytest.param(
            Fault(Reset(done=True), verb="create", resource="jobs", times=None),
            id="whose answer is lost",
        ),
        pytest.param(
            Fault(Refuse(503), verb="create", resource="jobs", times=None), id="that is refused"
        ),
        pytest.param(
            Fault(Refuse(429, retry_after=30), verb="create", resource="jobs", times=None),
            id="that is put off",
        ),
    ],
)
def test_a_signal_during_a_create(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, trouble: Fault
) -> None:
    hit = sandbox.inject(trouble)

    def kill() -> None:
        assert hit.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    run = launch("-j", name, *sh(FOREVER), meanwhile=kill)
    assert (run.code, run.status) == (8, 8)
    assert target.api.is_gone(name)


def test_two_signals_during_a_create_do_not_wait_for_its_answer(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    hit = sandbox.inject(Fault(Slow(60), verb="create", resource="jobs"))
    started = start("-j", name, *sh(FOREVER))
    assert hit.wait()
    started.signal(signal.SIGTERM)
    started.until(b"SIGTERM: creating nothing")
    started.signal(signal.SIGTERM)
    run = started.end()
    assert (run.code, run.status) == (8, 8)
    assert "not known whether the Job was created" in run.verdict


def test_nothing_is_claimed_about_a_create_that_nobody_answered(
    sandbox: Sandbox, start: Starter, name: str
) -> None:
    """The API may yet do what it was asked for."""
    hit = sandbox.inject(Fault(Slow(40), verb="create", resource="jobs"))
    started = start("-j", name, *sh(FOREVER))
    assert hit.wait()
    started.signal(signal.SIGTERM)
    run = started.end(60)
    assert (run.code, run.status) == (8, 8)
    assert "not known whether the Job was created" in run.verdict
