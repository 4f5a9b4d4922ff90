"""What a launch leaves for the next one of its run, where it was ended in two steps."""

from __future__ import annotations

import signal
from pathlib import Path

from runjob.sandbox import Fault
from runjob.sandbox.faults import Refuse
from tests.contract.launches import Starter, sh
from tests.contract.targets import EmbeddedTarget


def test_an_end_by_sigterm_and_then_sigkill_is_no_end_of_the_run(
    target: EmbeddedTarget, start: Starter, name: str, tmp_path: Path
) -> None:
    """As when a pod's grace is over: a naive launcher has written down that it was killed.

    The next launch would tell of that, and run nothing.
    """
    over = tmp_path / "over"
    script = f"echo up; while [ ! -e {over} ]; do sleep 0.05; done; echo down; exit 3"
    line = (
        "-j", name, *sh(script), "--run-id", "r.1", "--exit-code", "container",
        "--state-dir", str(tmp_path / "state"),
    )  # fmt: skip
    hit = target.sandbox.inject(Fault(Refuse(503), verb="delete", resource="jobs", times=None))
    first = start(*line)
    first.until(b"up\n")
    first.signal(signal.SIGTERM)
    assert hit.wait()
    first.signal(signal.SIGKILL)
    assert first.end().code == -signal.SIGKILL
    hit.remove()
    second = start(*line)
    second.until(b"Job adopted\n")
    over.touch()
    run = second.end()
    assert (run.code, run.status) == (3, 3)
    assert "down" in run.text.splitlines()
    target.api.wait_gone(name)
    assert list((tmp_path / "state").iterdir()) == []
