"""Tokens that are replaced under a launch: the next one is read in time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runjob.cluster import Cluster
from runjob.errors import ApiError
from runjob.login import login
from runjob.options import Connection
from runjob.request import JOB
from runjob.sandbox import Sandbox
from tests.contract.faults.requested import deleted
from tests.contract.launches import Launcher, sh, wait_until
from tests.contract.targets import EmbeddedTarget


def test_a_token_that_is_replaced_is_read_anew(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a pod: the old token ends before the kubelet has written the new one."""
    from runjob import api

    account = tmp_path / "account"
    for variable, value in target.in_cluster_files(account).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(api, "login", lambda asked: login(asked, str(account)))
    launch.common = ("-n", target.namespace)

    def replace() -> None:
        target.api.running_pods(name)
        sandbox.rotate_token()
        sandbox.stop_listening()
        sandbox.start_listening()
        wait_until(lambda: any(each.status == 401 for each in sandbox.requests), "a refused token")
        sandbox.namespace_files(account)

    run = launch("-j", name, *sh("echo up; sleep 3; echo whole"), meanwhile=replace)
    assert (run.code, run.log) == (0, b"up\nwhole\n")
    assert deleted(sandbox) == 1


def test_a_token_that_comes_after_the_refusal_is_the_next_to_be_used(
    target: EmbeddedTarget, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Tokens may live for seconds: a launcher that keeps the one it read at the refusal is late."""
    account = tmp_path / "account"
    target.in_cluster_files(account)
    config = json.loads(target.kubeconfig.read_text())
    for each in config["users"]:
        each["user"] = {"tokenFile": str(account / "token")}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    cluster = Cluster(login(Connection(kubeconfig=str(kubeconfig))))
    sandbox.rotate_token()
    with pytest.raises(ApiError, match="Unauthorized"):
        cluster.list(JOB, target.namespace, {})
    sandbox.namespace_files(account)
    assert cluster.list(JOB, target.namespace, {})[0] == []


def test_a_kubeconfig_whose_token_is_replaced_is_read_anew(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    def replace() -> None:
        target.api.running_pods(name)
        sandbox.rotate_token()
        sandbox.stop_listening()
        sandbox.start_listening()

    run = launch("-j", name, *sh("echo up; sleep 3; echo whole"), meanwhile=replace)
    assert (run.code, run.log) == (0, b"up\nwhole\n")
    assert deleted(sandbox) == 1
