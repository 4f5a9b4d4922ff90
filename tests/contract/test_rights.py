"""The launcher asks for what its Role grants, and its Role grants what the launcher asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

import runjob
from runjob import cli
from runjob.options import RunOptions
from runjob.sandbox.faults import Fault, Refuse
from tests.contract.launches import FOREVER, Launcher, Starter, own_handlers, sh
from tests.contract.rights import granted, rights_of
from tests.contract.targets import SHIPPED, EmbeddedTarget, Target, launcher_rules

MORE = SHIPPED.with_name("preflight.yaml")
# Everybody may ask what he may do.
EVERYBODYS = {("selfsubjectaccessreviews", "create")}

Say = Callable[..., int]


@pytest.fixture
def say(target: Target) -> Say:
    """Run a command line, and return its exit code."""

    def run(*words: str) -> int:
        where = ("-n", target.namespace, "--kubeconfig", str(target.kubeconfig))
        with own_handlers():
            return cli.main([*words, *where])

    return run


def manifest(name: str) -> str:
    """Return a Job with a TTL, as a manifest."""
    main = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", "exit 3"]}
    spec = {"restartPolicy": "Never", "containers": [main | {"imagePullPolicy": "IfNotPresent"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": 0, "template": {"spec": spec}},
    }
    return json.dumps(job)


def test_the_role_grants_what_is_asked_for_and_no_more(
    target: Target, launch: Launcher, start: Starter, say: Say, name: str, tmp_path: Path
) -> None:
    """Launches that take every way, a kill, a launcher that dies, and what looks after them."""
    path = tmp_path / "job.yaml"
    path.write_text(manifest(f"{name}-ttl"))
    run = ("--run-id", name[-20:].strip("-"))
    with target.counted() as asked:
        waiting = ("--node-selector", "nowhere=at-all", "--start-timeout", "2")
        assert launch("-j", f"{name}-waits", *sh("echo never"), *waiting).code == 11
        assert launch("-j", name, *sh("exit 1"), "--keep", "failed").code == 1
        assert launch("-j", name, *sh("echo never")).code == 15
        assert launch("-j", name, *sh("exit 0"), "--if-exists", "replace").code == 0
        assert launch("-y", str(path), "--keep", "always", "--on-lost", "kill").code == 1
        assert beats(target, f"{name}-beats")

        killed = start("-j", f"{name}-lost", *sh(FOREVER), *run)
        killed.until(b"up\n")
        killed.process.kill()
        killed.process.wait(10)
        again = start("-j", f"{name}-lost", *sh(FOREVER), *run)
        again.until(b"Job adopted\n")
        again.until(b"up\n")
        assert say("list") == 0
        assert say("show", f"{name}-lost") == 0
        assert say("--kill", *run) == 0
        assert again.end().code != 0
        assert say("gc") == 0
        assert say("gc", "--lost") == 0
        assert say("gc", "--older-than", "0", "--delete") == 0
    assert rights_of(target, asked) == granted(*launcher_rules())


def test_all_namespaces_take_a_right_that_the_role_does_not_grant(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays the Role of one namespace: who lists all of them binds a right of his own."""
    with ExitStack() as stack:
        if isinstance(target, EmbeddedTarget):
            fault = target.sandbox.inject(Fault(Refuse(403), "list", "jobs", times=None))
            stack.callback(fault.remove)
        asked = stack.enter_context(target.counted())
        with own_handlers():
            assert cli.main(["list", "-A", "--kubeconfig", str(target.kubeconfig)]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("runjob: error: cannot list the Jobs of all namespaces: jobs.batch is ")
    assert 'cannot list resource "jobs" in API group "batch" at the cluster scope; name one' in said
    assert "bind a ClusterRole that may list jobs" in said
    if not target.real:  # whose audit tells no namespaces, but whose answer does
        beyond = rights_of(target, asked) - granted(*launcher_rules())
        assert beyond == {("jobs of all namespaces", "list")}


def beats(target: Target, name: str) -> bool:
    """Run a Job that is long enough for a sign of life."""
    command = ["sh", "-c", "sleep 3"]
    job = runjob.build_job(
        name, "busybox:1", namespace=target.namespace, command=command, pull_secret=None,
        pull_policy="IfNotPresent",
    )  # fmt: skip
    return runjob.run(job, options=RunOptions(heartbeat=1), kubeconfig=str(target.kubeconfig)).ok


def test_a_preflight_reads_what_it_may_be_granted_and_changes_nothing(
    target: Target, launch: Launcher, name: str
) -> None:
    with target.counted() as asked:
        launch("-j", name, *sh("echo never"), "--preflight", "--env-from", "configmap/none")
    with MORE.open() as file:
        role = next(body for body in yaml.safe_load_all(file) if body["kind"] == "Role")
    beyond = rights_of(target, asked) - granted(*launcher_rules(), *role["rules"]) - EVERYBODYS
    # Asked for in vain, where nobody grants it: what holds values of Secrets or is the cluster's.
    assert beyond <= {("secrets", "get"), ("priorityclasses", "get")}
    assert target.api.job(name) is None


def test_the_words_about_the_role_name_its_verbs() -> None:
    page = (SHIPPED.parents[1] / "docs" / "security.md").read_text("utf-8")
    words = re.sub(r"\s+", " ", page).partition("in one namespace: ")[2].partition(" Jobs;")[0]
    verbs = re.split(r", | and ", words)
    assert set(verbs) == {verb for resource, verb in granted(*launcher_rules())
                          if resource == "jobs"}  # fmt: skip
