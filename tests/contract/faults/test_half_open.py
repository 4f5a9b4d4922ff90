"""Connections that fall silent and stay open: nobody tells the launcher that they are dead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runjob import cluster
from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Mute, Refuse
from runjob.scene import Patience
from tests.contract.faults.requested import asked
from tests.contract.launches import Launcher, sh, wait_until
from tests.contract.targets import EmbeddedTarget
from tests.soak.way import Way, way


@pytest.fixture
def network(target: EmbeddedTarget, launch: Launcher) -> Iterator[Way]:
    """Put a network between the launcher and the API, which loses connections untold."""
    config = json.loads(target.kubeconfig.read_text())
    with way(("127.0.0.1", target.sandbox.port)) as network:
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{network.port}"
        kubeconfig = target.kubeconfig.with_name("network")
        kubeconfig.write_text(json.dumps(config))
        launch.common = ("-n", target.namespace, "--kubeconfig", str(kubeconfig))
        yield network


def test_all_that_is_open_dies_in_the_middle_of_a_log(
    target: EmbeddedTarget,
    network: Way,
    launch: Launcher,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A launcher that waits for bytes without an end misses the rest of the log, and the Job's end.

    The container goes on until its log was asked for anew.
    """
    monkeypatch.setattr("runjob.cluster.WATCH_TIMEOUT", 1.5)
    monkeypatch.setattr("runjob.cluster.STREAM_TIMEOUT", 1.5)
    dead, seen = tmp_path / "dead", tmp_path / "seen"

    def kill() -> None:
        wait_until(lambda: asked(target.sandbox, "GET", "/log"), "its log")
        network.kill()
        dead.touch()
        wait_until(lambda: len(asked(target.sandbox, "GET", "/log")) > 1, "its log once more")
        seen.touch()

    script = "; ".join(
        ("seq 1 300", *(f"until [ -e {each} ]; do sleep 0.05; done; seq {numbers}"
                        for each, numbers in ((dead, "301 600"), (seen, "601 900"))))
    )  # fmt: skip
    run = launch("-j", name, *sh(script), meanwhile=kill)
    assert (run.code, run.pods) == (0, (0, 1, 0))
    assert run.lines == [str(number) for number in range(1, 901)]
    target.api.wait_gone(name)


@pytest.mark.parametrize("done", [False, True], ids=["lost", "heard"])
def test_a_create_that_nobody_answers_is_asked_for_once_more(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    done: bool,
) -> None:
    """A launcher that waits for the answer hangs; one that takes the 409 for another's Job ends."""
    monkeypatch.setattr("runjob.cluster.READ_TIMEOUT", 1.0)
    sandbox.inject(Fault(Mute(done), verb="create", resource="jobs"))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    assert asked(sandbox, "POST", "/jobs") == [0, 409 if done else 201]
    target.api.wait_gone(name)


@pytest.mark.parametrize("done", [False, True], ids=["lost", "heard"])
def test_a_deletion_that_nobody_answers_is_asked_for_once_more(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    done: bool,
) -> None:
    """A launcher that waits for the answer longer than for the removal leaves the Job behind."""
    monkeypatch.setattr("runjob.cluster.END_TIMEOUT", 1.0)
    sandbox.inject(Fault(Mute(done), verb="delete", resource="jobs"))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log) == (0, b"once\n")
    assert "NOT removed" not in run.verdict
    assert asked(sandbox, "DELETE", f"/{name}") == [0, 404 if done else 200]
    target.api.wait_gone(name)


def test_a_job_that_ends_while_nothing_comes_of_its_pods_shows_its_log(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """That the connection is dead is found out after minutes.

    A launcher that waits three seconds for what it might bring removes the Job unread.
    """
    silent = sandbox.inject(Fault(Cut(1, "mute"), verb="watch", resource="pods"))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    assert silent.hits == 1


def test_a_follow_that_nobody_answers_is_given_up_soon_after_its_container_has_ended(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, tmp_path: Path
) -> None:
    """It cannot be told before from that of a container which writes nothing.

    A launcher that waits for it as long as for such a one gives up the whole log.
    """
    unanswered = sandbox.inject(Fault(Mute(), verb="get", resource="pods/log"))
    over = tmp_path / "over"

    def end() -> None:
        assert unanswered.wait()
        over.touch()

    script = f"seq 1 300; until [ -e {over} ]; do sleep 0.05; done"
    run = launch("-j", name, *sh(script), meanwhile=end)
    assert run.code == 0
    assert run.lines == [str(number) for number in range(1, 301)]
    target.api.wait_gone(name)


@pytest.mark.parametrize("after", [0, 1], ids=["all of it", "its last line"])
def test_a_log_that_nobody_answers_is_asked_for_once_more(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    """It is asked for when all is written.

    A launcher that waits for the answer for as long as it waits for logs at all loses this one.
    """
    monkeypatch.setattr("runjob.cluster.END_TIMEOUT", 1.0)
    early = sandbox.inject(Fault(Refuse(503), verb="get", resource="pods/log", times=None))
    unanswered = sandbox.inject(Fault(Mute(), verb="get", resource="pods/log", after=after))

    def let_it_be_read() -> None:
        target.api.until(
            lambda: any(each["status"]["phase"] == "Succeeded" for each in target.api.pods(name)),
            "its end",
        )
        early.remove()

    run = launch("-j", name, *sh("seq 1 300"), meanwhile=let_it_be_read)
    assert (run.code, unanswered.hits) == (0, 1)
    assert "is lost" not in run.err
    assert run.lines == [str(number) for number in range(1, 301)]
    target.api.wait_gone(name)


def test_what_a_launch_waits_for_at_its_end_is_asked_for_anew_before_it_is_given_up() -> None:
    patience = Patience()
    assert patience.removal > cluster.END_TIMEOUT
    assert patience.drain > 2 * cluster.END_TIMEOUT


def test_a_deletion_is_not_broken_off_while_the_api_waits_for_a_webhook() -> None:
    """One that hangs and may be ignored costs each deletion its timeoutSeconds, 10 by default."""
    assert cluster.END_TIMEOUT > 10 + 2
