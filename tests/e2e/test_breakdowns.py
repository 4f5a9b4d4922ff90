"""Parts of a real cluster that break while a Job runs."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cluster import controls
from tests.contract.api import Api, RefusedError
from tests.contract.launches import Launcher, Starter, sh, wait_until
from tests.contract.targets import RealTarget

# A control plane that lost its API server takes up its work again within a minute or two.
pytestmark = pytest.mark.timeout(300)

# A line each tenth of a second, for 25 seconds.
COUNT = "i=0; while [ $i -lt 250 ]; do i=$((i+1)); echo line $i; sleep 0.1; done"
COUNTED = [f"line {number}" for number in range(1, 251)]


def log_on_the_node(target: RealTarget, name: str) -> Path:
    pod = target.api.running_pods(name)[0]["metadata"]
    return controls.pod_log_file(target.namespace, pod["name"], pod["uid"], "main")


def test_a_kubelet_that_restarts(breakable: RealTarget, start: Starter, name: str) -> None:
    """Its logs break off and come back; the containers go on."""
    started = start("-j", name, *sh(COUNT))
    started.until(b"line 20\n")
    controls.restart_kubelet()
    run = started.end(200)
    assert run.code == 0
    assert run.lines == COUNTED
    breakable.api.wait_gone(name)


def test_lesson_01_a_log_that_the_kubelet_rotates_while_it_is_followed(
    breakable: RealTarget, start: Starter, name: str
) -> None:
    """Three times as much as the kubelet keeps in one file, in a stream that goes on.

    tests/contract/test_lessons_logs.py has the follow that goes mute then.
    """
    long = "long=$(printf %01000d 0)"
    ten = "for n in 0 1 2 3 4 5 6 7 8 9; do echo $i$n $long; done"
    controls.limit_container_logs("1Mi")
    try:
        started = start(
            "-j", name, *sh(f"{long}; i=10; while [ $i -lt 310 ]; do i=$((i+1)); {ten}; "
                            "sleep 0.1; done")
        )  # fmt: skip
        started.until(b"\n110")
        folder = log_on_the_node(breakable, name).parent
        wait_until(lambda: list(folder.glob("0.log.*")), "a rotated file", 60)
        run = started.end(200)
    finally:
        controls.limit_container_logs("4Gi")
    assert run.code == 0
    assert [line.split()[0] for line in run.lines] == [str(number) for number in range(110, 3110)]
    assert len(run.log) == sum(len(str(number)) + 1002 for number in range(110, 3110))


def test_a_token_that_ends_mid_run_and_is_replaced(
    breakable: RealTarget,
    launch: Launcher,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first token is bound to a Secret, and ends with it."""
    from runjob import api
    from runjob.login import login
    from runjob.options import Connection

    target = breakable
    account = tmp_path / "account"
    for variable, value in target.in_cluster_files(account).items():
        monkeypatch.setenv(variable, value)
    bound = f"{name}-binding"
    target.api.create("secrets", {"metadata": {"name": bound}})
    old = target.new_token(bound_to=bound)
    (account / "token").write_text(old)
    monkeypatch.setattr(api, "login", lambda asked: login(asked, str(account)))
    launch.common = ("-n", target.namespace)
    probe = Api(login(Connection(), str(account)), target.namespace, patience=0)

    def refused() -> bool:
        try:
            probe.job(name)
        except RefusedError as error:
            return error.status == 401
        return False

    def replace() -> None:
        target.api.running_pods(name)
        target.api.delete("secrets", bound)
        # The API server remembers for some seconds that the token was good.
        target.api.until(refused, "the end of the token")
        target.api.until(
            lambda: any(each.code == 401 for each in controls.requests("runjob/", since=began)),
            "a request of the launcher's that was refused",
        )
        (account / "token").write_text(target.new_token())

    began = time.time()
    run = launch("-j", name, *sh(COUNT), meanwhile=replace)
    assert (run.code, run.lines) == (0, COUNTED)
    target.api.wait_gone(name)


def test_an_api_server_that_is_killed_and_back_after_ten_seconds(
    breakable: RealTarget, start: Starter, name: str
) -> None:
    """The log is exactly whole, and the Job's end is told."""
    started = start("-j", name, *sh(COUNT))
    started.until(b"line 20\n")
    file = log_on_the_node(breakable, name)
    controls.kill_api_server()
    try:
        # The container goes on; a hundred lines are ten seconds.
        wait_until(lambda: b"line 130\n" in controls.pod_log_bytes(file), "the outage's lines")
    finally:
        controls.start_api_server()
    run = started.end(200)
    assert run.code == 0
    assert run.lines == COUNTED
    assert "trying on" in run.err
    assert "the API answers again" in run.err
    breakable.api.wait_gone(name)


def test_a_job_that_ends_while_the_api_server_is_dead(
    breakable: RealTarget, start: Starter, name: str
) -> None:
    script = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo line $i; sleep 0.1; done; exit 6"
    started = start("-j", name, *sh(script), "--exit-code", "container")
    started.until(b"line 10\n")
    file = log_on_the_node(breakable, name)
    controls.kill_api_server()
    try:
        wait_until(lambda: b"line 60\n" in controls.pod_log_bytes(file), "the log's end")
    finally:
        controls.start_api_server()
    run = started.end(200)
    assert run.code == 6
    assert run.lines == COUNTED[:60]
    breakable.api.wait_gone(name)


def test_a_signal_while_the_api_server_is_dead(
    breakable: RealTarget, start: Starter, name: str
) -> None:
    started = start("-j", name, *sh(COUNT))
    started.until(b"line 5\n")
    controls.kill_api_server()
    try:
        started.signal(signal.SIGTERM)
        started.until(b"trouble ")
    finally:
        controls.start_api_server()
    run = started.end(200)
    assert (run.code, run.status) == (8, 8)
    breakable.api.wait_gone(name)
