"""What is claimed of an API in trouble, where only a look behind the launch can show it."""

from __future__ import annotations

import importlib

import pytest

from runjob.retry import wait_for
from runjob.sandbox import Fault
from runjob.sandbox.faults import Gone, Refuse
from tests.contract.launches import Launcher, sh, wait_until
from tests.contract.targets import EmbeddedTarget


@pytest.mark.parametrize(
    ("home", "verb", "resource"),
    [
        pytest.param("asking", "create", "jobs", id="a create"),
        pytest.param("informer", "watch", "jobs", id="a watch of Jobs"),
        pytest.param("informer", "watch", "pods", id="a watch of pods"),
        pytest.param("follower", "get", "pods/log", id="a log"),
        pytest.param("retry", "delete", "jobs", id="a deletion"),
    ],
)
def test_the_wait_that_the_api_asks_for_is_heeded_by(
    target: EmbeddedTarget,
    launch: Launcher,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    home: str,
    verb: str,
    resource: str,
) -> None:
    """A naive launcher comes back as soon as it likes, and so keeps an API down that recovers."""
    asked: list[float | None] = []

    def heeded(after: float | None, planned: float) -> float:
        asked.append(after)
        assert wait_for(after, planned) >= (after or 0.0)
        return planned  # nobody is to sit through it

    monkeypatch.setattr(importlib.import_module(f"runjob.{home}"), "wait_for", heeded)
    hit = target.sandbox.inject(Fault(Refuse(503, retry_after=47), verb=verb, resource=resource))
    run = launch("-j", name, *sh("echo once"))
    assert (run.code, run.log, hit.hits) == (0, b"once\n", 1)
    assert asked.count(47.0) == 1


@pytest.mark.parametrize("resource", ["jobs", "pods"])
def test_a_410_within_a_stream_that_began_well_is_answered_by_a_list(
    target: EmbeddedTarget, launch: Launcher, name: str, resource: str
) -> None:
    """A naive launcher asks for the same version again, which the API will never know again."""
    sandbox = target.sandbox
    hit = sandbox.inject(Fault(Gone(0), verb="watch", resource=resource, times=None))

    def relieve() -> None:
        wait_until(
            lambda: any(
                each.method == "GET"
                and each.path.endswith(f"/{resource}")
                and "watch=" not in each.query
                and each.user_agent.startswith("runjob/")
                for each in sandbox.requests
            ),
            "a list",
        )
        hit.remove()

    run = launch("-j", name, *sh("echo once"), meanwhile=relieve)
    assert (run.code, run.log, run.pods) == (0, b"once\n", (0, 1, 0))
    target.api.wait_gone(name)
