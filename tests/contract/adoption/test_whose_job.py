"""Whose Job it is: only one of the same run is taken up, whatever its name."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from runjob.identity import CONTENT, IDENTITY
from runjob.plan import LAUNCH
from runjob.sandbox import Fault
from runjob.sandbox.faults import Refuse
from tests.contract.adoption.killed import CODE, RUN, SCRIPT_LINE, adopted, kill, uid_of
from tests.contract.launches import FOREVER, Launcher, Starter, sh
from tests.contract.targets import EmbeddedTarget, Target, wants_real

embedded = pytest.mark.skipif(wants_real(), reason="only the embedded cluster breaks on demand")


@pytest.fixture
def left(target: Target, start: Starter, name: str) -> str:
    """Leave a Job that a killed launcher made for run r.1; return its uid."""
    started = start("-j", name, *sh(FOREVER), *RUN)
    started.until(b"up\n")
    kill(started)
    return uid_of(target.api.job(name))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(("--run-id", "r.2"), "/r.1", id="another run"),
        pytest.param((), "/r.1", id="no run"),
        pytest.param(("--run-id", "r.2", "--if-exists", "adopt"), "/r.1", id="adopt, another run"),
        pytest.param((*RUN, "--if-exists", "fail"), "exists already", id="fail"),
        pytest.param((*RUN, "-b", "3"), "other words", id="this run in other words"),
        pytest.param(
            ("--run-id", "r.2", "--if-exists", "replace"),
            "taken for gone at",
            id="replace, and it may be alive",
        ),
    ],
)
def test_what_is_not_of_this_run_is_not_taken_up(
    target: Target, launch: Launcher, name: str, left: str, options: tuple[str, ...], words: str
) -> None:
    run = launch("-j", name, *sh(FOREVER), *options)
    assert (run.code, run.status) == (15, 15)
    assert words in run.verdict
    assert "kubectl -n" in run.verdict
    assert (f"this is run {target.namespace}/{name}/r." in run.verdict) == ("--run-id" in options)
    assert uid_of(target.api.job(name)) == left


def test_a_job_of_the_same_name_is_taken_up_when_that_is_asked_for(
    target: Target, start: Starter, launch: Launcher, name: str
) -> None:
    started = start("-j", name, *sh(SCRIPT_LINE))
    started.until(b"one\n")
    kill(started)
    refused = launch("-j", name, *sh(SCRIPT_LINE))
    assert refused.code == 15
    assert "--if-exists adopt" in refused.verdict
    assert "it was asked for under the same name (no run is named)" in refused.verdict
    run = launch("-j", name, *sh(SCRIPT_LINE), *CODE, "--if-exists", "adopt")
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    target.api.wait_gone(name)


@pytest.mark.usefixtures("left")
def test_a_job_of_this_run_is_replaced_when_that_is_asked_for(
    target: Target, launch: Launcher, name: str
) -> None:
    run = launch("-j", name, *sh("echo anew"), *RUN, "--if-exists", "replace")
    assert (run.code, run.log, run.pods) == (0, b"anew\n", (0, 1, 0))
    assert "removing Job" in run.err
    target.api.wait_gone(name)


@pytest.mark.parametrize(
    "noted",
    [
        pytest.param(True, id="with the right to write who does so"),
        pytest.param(False, id="without it", marks=embedded),
    ],
)
def test_a_launcher_whose_job_is_replaced_tells_by_whom(
    target: Target, start: Starter, launch: Launcher, name: str, noted: bool
) -> None:
    started = start("-j", name, *sh(FOREVER), *RUN, "--heartbeat", "off")
    started.until(b"up\n")
    with ExitStack() as stack:
        if not noted:
            assert isinstance(target, EmbeddedTarget)
            fault = Fault(Refuse(403), "patch", "jobs", times=None)
            stack.callback(target.sandbox.inject(fault).remove)
        run = launch("-j", name, *sh("echo anew"), *RUN, "--if-exists", "replace")
    assert (run.code, run.log) == (0, b"anew\n")
    earlier = started.end()
    assert earlier.code == 14
    why = "replaced by a newer launch (--if-exists replace)" if noted else "by somebody else"
    assert why in earlier.verdict


@pytest.mark.parametrize("how", ["auto", "adopt", "fail", "replace"])
def test_a_job_that_runjob_did_not_make_is_never_touched(
    target: Target, launch: Launcher, name: str, how: str
) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "busybox:1", "imagePullPolicy": "IfNotPresent",
         "command": ["sh", "-c", FOREVER]}]}}  # fmt: skip
    uid = uid_of(
        target.api.create("jobs", {"metadata": {"name": name}, "spec": {"template": template}})
    )
    run = launch("-j", name, *sh(FOREVER), *RUN, "--if-exists", how)
    assert run.code == 15
    assert uid_of(target.api.job(name)) == uid


@pytest.mark.usefixtures("left")
def test_a_job_that_is_being_deleted_is_waited_for(
    target: Target, launch: Launcher, name: str
) -> None:
    path = target.api.path("jobs", name)
    target.api.call("DELETE", path, {"propagationPolicy": "Foreground"})
    run = launch("-j", name, *sh("echo anew"), *RUN)
    assert (run.code, run.log) == (0, b"anew\n")
    target.api.wait_gone(name)


def test_a_kept_job_whose_end_was_told_is_no_job_to_take_up(
    target: Target, launch: Launcher, name: str
) -> None:
    job = ("-j", name, *sh("exit 3"), *RUN)
    assert launch(*job, "--keep", "failed").code == 1
    run = launch(*job)
    assert run.code == 15
    assert "its end was told already" in run.verdict
    assert launch(*job, "--if-exists", "replace").code == 1
    target.api.wait_gone(name)


@pytest.mark.usefixtures("left")
def test_what_is_written_on_a_job_tells_whose_it_is(target: Target, name: str) -> None:
    job = target.api.job(name)
    assert job is not None
    notes = job["metadata"]["annotations"]
    assert notes[IDENTITY] == f"{target.namespace}/{name}/r.1"
    assert {LAUNCH, CONTENT, "runjob/launcher"} <= notes.keys()


def test_an_order_of_the_scheduler_is_a_run(
    target: Target, start: Starter, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNJOB_ORDER_ID", "0a1b")
    job = ("-j", name, *sh(SCRIPT_LINE), *CODE)
    started = start(*job)
    started.until(b"one\n")
    kill(started)
    run = start(*job).end()
    assert (run.code, adopted(run)[1]) == (3, b"one\ntwo\n")
    monkeypatch.setenv("RUNJOB_ORDER_ID", "0a1c")
    target.api.wait_gone(name)
