"""The sample call of the original README, on a real cluster."""

from __future__ import annotations

import time

from tests.cluster import controls
from tests.contract.launches import Launcher, sh
from tests.contract.targets import RealTarget


def test_the_sample_call_counts_and_ends_well(
    target: RealTarget, launch: Launcher, name: str
) -> None:
    run = launch(
        "-j", name, "-b", "0", "-s", "regcred", "-i", "joegoldberg/controlm:appimage",
        "-p", "Never", "-e", "LOOPCTR", "-v", "10", "-e", "STIME", "-v", "1",
    )  # fmt: skip
    assert (run.code, run.status, run.pods) == (0, 0, (0, 1, 0))
    assert "LOOPCTR=10 STIME=1" in run.text.splitlines()[0]
    assert len(run.lines) >= 10
    for number in range(1, 11):
        assert any(str(number) in line.split() for line in run.lines), run.lines
    target.api.wait_gone(name)


def test_nothing_that_a_launch_asks_for_is_refused(
    breakable: RealTarget, launch: Launcher, name: str
) -> None:
    """The account has the Role that the README gives, and no right beyond."""
    since = time.time()
    assert launch("-j", name, *sh("echo hi")).code == 0
    assert launch("-j", name, *sh("exit 3"), "-b", "0", "--keep", "always").code == 1
    assert launch("-j", name, *sh("echo hi")).code == 15
    waiting = launch(
        "-j", f"{name}-2", *sh("echo hi"), "--node-selector", "nowhere=at-all",
        "--start-timeout", "3",
    )  # fmt: skip
    assert waiting.code == 11
    asked = controls.requests("runjob/", breakable.user, since)
    assert asked
    assert [each for each in asked if each.code == 403] == []
