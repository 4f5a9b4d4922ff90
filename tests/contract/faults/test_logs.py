"""Log streams in trouble: a broken one reads like a whole one, or says where it does not."""

from __future__ import annotations

import random

import pytest

from runjob.sandbox import Fault, Sandbox
from runjob.sandbox.faults import Cut, Effect, Refuse, Reset
from tests.contract.launches import Launcher, sh

# Prints at once, then now and then, then at once again.
TALKS = (
    "seq 1 300; i=301; while [ $i -le 310 ]; do echo $i; i=$((i+1)); sleep 0.1; done; seq 311 600"
)
TALK = b"".join(b"%d\n" % number for number in range(1, 601))


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Refuse(429, retry_after=1), id="429 with Retry-After"),
        pytest.param(Refuse(500), id="500"),
        pytest.param(Refuse(503), id="503"),
        pytest.param(Refuse(401), id="401"),
        pytest.param(Reset(), id="reset"),
        pytest.param(Cut(0, "close"), id="closed at once"),
        pytest.param(Cut(1000, "mute"), id="mute"),
        pytest.param(Cut(0, "mute"), id="mute from the start"),
    ],
)
def test_a_log_goes_on_after(sandbox: Sandbox, launch: Launcher, name: str, effect: Effect) -> None:
    hit = sandbox.inject(Fault(effect, verb="get", resource="pods/log", times=2))
    run = launch("-j", name, *sh(TALKS))
    assert hit.hits == 2
    assert (run.code, run.log) == (0, TALK)


def test_a_log_goes_on_after_it_broke_off_and_was_forbidden_for_a_while(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    """So does an API server that was killed and started anew, until it knows the roles again."""
    sandbox.inject(Fault(Cut(1000, "close"), verb="get", resource="pods/log"))
    hit = sandbox.inject(Fault(Refuse(403), verb="get", resource="pods/log", times=3))
    run = launch("-j", name, *sh(TALKS))
    assert hit.hits == 3
    assert (run.code, run.log) == (0, TALK)


def test_a_log_goes_on_after_a_kubelet_that_started_anew_did_not_know_the_pod_yet(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.inject(Fault(Cut(1000, "close"), verb="get", resource="pods/log"))
    hit = sandbox.inject(Fault(Refuse(404), verb="get", resource="pods/log", times=3))
    run = launch("-j", name, *sh(TALKS))
    assert hit.hits == 3
    assert (run.code, run.log) == (0, TALK)


def test_a_log_that_is_forbidden_after_it_broke_off_is_told_of(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.inject(Fault(Cut(1000, "close"), verb="get", resource="pods/log"))
    sandbox.inject(Fault(Refuse(403), verb="get", resource="pods/log", times=None))
    run = launch("-j", name, *sh("i=0; while [ $i -lt 99 ]; do i=$((i+1)); echo line $i; done"))
    assert run.code == 0
    *lines, gap = run.lines
    assert 0 < len(lines) < 99
    assert gap.startswith("--- runjob: a gap: what [")
    assert "wrote after 20" in gap
    assert "not everything of" in run.err


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_log_stream_reads_like_a_whole_one(
    sandbox: Sandbox, launch: Launcher, name: str, seed: int
) -> None:
    """The stream is cut at random places: within lines, time stamps and many lines of a second."""
    places = random.Random(seed)
    for _ in range(6):
        effect = Cut(places.randrange(9000), places.choice(["close", "reset"]))
        sandbox.inject(Fault(effect, verb="get", resource="pods/log"))
    run = launch("-j", name, *sh(TALKS))
    assert (run.code, run.log) == (0, TALK)


def test_equal_lines_are_printed_as_often_as_they_were_written(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    for place in (100, 900, 5000):
        sandbox.inject(Fault(Cut(place, "reset"), verb="get", resource="pods/log"))
    script = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo same; done; sleep 1; echo same"
    run = launch("-j", name, *sh(script))
    assert (run.code, run.log) == (0, b"same\n" * 401)


def test_a_log_that_may_not_be_read_does_not_change_the_verdict(
    sandbox: Sandbox, launch: Launcher, name: str
) -> None:
    sandbox.inject(Fault(Refuse(403), verb="get", resource="pods/log", times=None))
    run = launch("-j", name, *sh("echo unseen"))
    assert run.code == 0
    (line,) = run.lines
    assert line.startswith(f"--- runjob: a gap: what [{name}-")
    assert "/main] wrote could not be read: pods is forbidden" in line
    assert "forbidden" in run.err
