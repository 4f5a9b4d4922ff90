"""Watches in trouble: they go on, and nothing that happened meanwhile is missed."""

from __future__ import annotations

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Effect, Gone, Refuse, Reset, Slow
from tests.contract.launches import Launcher, sh, wait_until
from tests.contract.targets import EmbeddedTarget


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(401), id="401"),
        pytest.param(Refuse(410), id="410 as status"),
        pytest.param(Gone(0), id="410 inside the watch, at once"),
        pytest.param(Gone(1), id="410 inside the watch, after an event"),
        pytest.param(Reset(), id="reset"),
        pytest.param(Cut(0, "close"), id="closed at once"),
        pytest.param(Cut(300, "close"), id="closed within an event"),
        pytest.param(Cut(300, "reset"), id="reset within an event"),
    ],
)
def test_watches_go_on_after(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str, effect: Effect
) -> None:
    hits = [
        sandbox.inject(Fault(effect, verb="watch", resource=resource, times=2))
        for resource in ("jobs", "pods")
    ]
    run = launch("-j", name, *sh("echo one; sleep 1; echo two"))
    assert [hit.hits for hit in hits] == [2, 2]
    assert (run.code, run.log, run.pods) == (0, b"one\ntwo\n", (0, 1, 0))
    target.api.wait_gone(name)


@pytest.mark.parametrize("resource", ["jobs", "pods"])
def test_a_watch_that_is_not_answered_is_asked_for_anew(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    resource: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A naive launcher waits for the answer as long as for the next change: for minutes."""
    monkeypatch.setattr("runjob.cluster.READ_TIMEOUT", 0.5)
    sandbox.inject(Fault(Slow(999), verb="watch", resource=resource))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log) == (0, b"once\n")
    assert f"trouble watching {resource}: no answer in time" in run.err
    target.api.wait_gone(name)


@pytest.mark.parametrize("resource", ["jobs", "pods"])
def test_a_watch_that_goes_mute_is_opened_anew(
    target: EmbeddedTarget,
    sandbox: Sandbox,
    launch: Launcher,
    name: str,
    resource: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is broken when not even a bookmark comes, and costs no launch."""
    monkeypatch.setattr("runjob.cluster.WATCH_TIMEOUT", 1.5)
    hit = sandbox.inject(Fault(Cut(how="mute"), verb="watch", resource=resource))
    run = launch("-j", name, *sh("echo once"), "--api-timeout", "5")
    assert hit.hits == 1
    assert (run.code, run.log) == (0, b"once\n")
    target.api.wait_gone(name)


def test_a_watch_that_missed_what_happened_lists_anew(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """The first pod is deleted and replaced while no watch can be had, nor resumed after."""

    def disturb() -> None:
        metadata = target.api.running_pods(name)[0]["metadata"]
        pod, job = metadata["name"], metadata["ownerReferences"][0]["uid"]
        wait_until(
            lambda: any("watch=true" in each.query and job in each.query
                        for each in sandbox.requests),
            "the watch of its pods",
        )  # fmt: skip
        held = [
            sandbox.inject(Fault(Refuse(503), verb=verb, resource="pods", times=None))
            for verb in ("watch", "list")
        ]
        sandbox.stop_listening()
        sandbox.start_listening()
        assert held[0].wait()
        target.api.delete("pods", pod)
        held[1].remove()
        target.api.until(
            lambda: pod not in [each["metadata"]["name"] for each in target.api.running_pods(name)],
            "the replacement",
        )
        sandbox.forget_history()
        held[0].remove()

    script = "trap 'exit 1' TERM; echo up; i=0; while [ $i -lt 30 ]; do i=$((i+1)); sleep 0.1; done"
    run = launch("-j", name, *sh(f"{script}; echo whole"), "-b", "3", meanwhile=disturb)
    assert run.code == 0
    assert run.log.count(b"whole") == 1
    target.api.wait_gone(name)


def test_a_storm_of_closed_watches_is_not_answered_by_one_of_requests(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """A loop without a pause would ask thousands of times in these two seconds."""
    hit = sandbox.inject(Fault(Cut(0, "close"), verb="watch", resource="jobs", times=None))

    def relieve() -> None:
        wait_until(lambda: hit.hits >= 4, "some closed watches")
        hit.remove()

    run = launch("-j", name, *sh("echo one; sleep 2"), meanwhile=relieve)
    assert run.code == 0
    assert hit.hits < 20


def test_a_job_that_ends_before_its_pods_can_be_watched_shows_its_log(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """An API that is overrun has some requests wait in a queue, and answers others at once."""
    slow = sandbox.inject(Fault(Slow(5), verb="watch", resource="pods"))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    assert slow.hits == 1


def test_events_that_cannot_be_read_cost_the_diagnosis_and_nothing_else(
    target: EmbeddedTarget, sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    for verb in ("list", "watch"):
        sandbox.inject(Fault(Refuse(403), verb=verb, resource="events", times=None))
    run = launch("-j", name, *sh("exit 3"))
    assert run.code == 1
    assert "exit code 3" in run.verdict
    target.api.wait_gone(name)
