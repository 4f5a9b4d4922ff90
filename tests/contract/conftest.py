"""One suite, two clusters: the embedded one always, the real one with RUNJOB_CLUSTER=real."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from misc.jobtype import Commands, expand
from runjob.sandbox import Image, Sandbox
from tests.contract.agents import JOB_TYPE, Agent, Expand
from tests.contract.launches import SCRIPT, Launcher, Starter
from tests.contract.lessons import Stage
from tests.contract.targets import EmbeddedTarget, RealTarget, Target, wants_real

# On the real cluster it is an image of its own; here it is this machine's Python.
PYTHON = Image("runjob/agent:1", args=("python3",))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than a minute")


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if not wants_real():
        with Sandbox(images=[PYTHON]) as sandbox:
            yield EmbeddedTarget(sandbox)
        return
    kubeconfig = os.environ.get("KUBECONFIG", "")
    assert kubeconfig, "RUNJOB_CLUSTER=real, but KUBECONFIG names no cluster"
    real = RealTarget(kubeconfig, tmp_path_factory.mktemp("real"))
    yield real
    real.close()


@pytest.fixture
def sandbox(target: Target) -> Sandbox:
    """Give the test the embedded cluster, to break it; on a real one the test is skipped."""
    if not isinstance(target, EmbeddedTarget):
        pytest.skip("only the embedded cluster breaks on demand")
    return target.sandbox


@pytest.fixture
def name(request: pytest.FixtureRequest, target: Target) -> Iterator[str]:
    """Make up a name; whatever the test leaves under names that begin so is removed."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).removeprefix("test-")
    made = f"{words[:34].strip('-')}-{secrets.token_hex(3)}"
    yield made
    for plural in ("jobs", "configmaps", "secrets"):
        for item in target.api.items(plural):
            if item["metadata"]["name"].startswith(made):
                target.api.delete(plural, item["metadata"]["name"])


@pytest.fixture
def common(target: Target) -> tuple[str, ...]:
    """Return the options that every launch needs here."""
    # A launcher that gets no answer is to fail its test, and not to run into the test's time-out.
    return (
        "-n", target.namespace, "--kubeconfig", str(target.kubeconfig), "--api-timeout", "90"
    )  # fmt: skip


@pytest.fixture
def launch(common: tuple[str, ...], capfdbinary: pytest.CaptureFixture[bytes]) -> Launcher:
    return Launcher(common, capfdbinary)


@pytest.fixture
def start(common: tuple[str, ...], target: Target) -> Iterator[Starter]:
    starter = Starter(common, target.api.patience)
    yield starter
    starter.close()


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (folder / "python3").chmod(0o755)
    return Agent(folder)


@pytest.fixture
def commands(common: tuple[str, ...], name: str) -> Expand:
    """Expand the form of a Job of this test's name; more are fields by their labels."""

    def expanded(run: str, **more: str) -> Commands:
        form = {
            "AI-Jobname": name,
            "AI-Image Name": "busybox:1",
            "AI-ImagePullPolicy": "IfNotPresent",
            "AI-ImagePullSecret": "none",
            "AI-More Options": shlex.join(common),
            "AI-Run Identity": f"{run} 1",
            **{f"AI-{label}": text for label, text in more.items()},
        }
        return expand(JOB_TYPE, form, {"AI-CLIPath": str(SCRIPT.parent)})

    return expanded


@pytest.fixture
def stage(target: Target, name: str) -> Iterator[Stage]:
    """Give a lesson its stage; an embedded cluster is its own, to be broken at will."""
    with contextlib.ExitStack() as stack:
        own = target if target.real else EmbeddedTarget(stack.enter_context(Sandbox()))
        made = Stage(own, name)
        stack.callback(made.close)
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
