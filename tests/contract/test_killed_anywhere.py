"""A launcher that is killed between any two of its effects leaves a run that can be finished."""

from __future__ import annotations

import re
import signal
from itertools import count
from pathlib import Path

import pytest

from tests.contract.effects import launches_met_by
from tests.contract.launches import sh
from tests.contract.targets import Target, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="what it shows hangs on the launcher alone")

# Each run of the Job names itself, so that a second one would show.
SCRIPT = "echo run $(cat /proc/sys/kernel/random/uuid); seq 100 104; sleep 0.3; seq 105 109; exit 3"
TOLD = "Job Completion status: 3"
# How many tests share the effects of a launch.
SHARED = 12


@pytest.mark.parametrize("first", range(1, SHARED + 1))
def test_the_next_launch_tells_the_one_run_to_its_end(
    target: Target, common: tuple[str, ...], name: str, tmp_path: Path, first: int
) -> None:
    """A naive launcher loses or repeats what it did just before it was killed."""
    with launches_met_by(signal.SIGKILL) as launched:
        for at in count(first, SHARED):
            job, sysout, state = f"{name}-{at}", tmp_path / f"sysout-{at}", tmp_path / f"state-{at}"
            line = (*common, "-j", job, *sh(SCRIPT), "--run-id", "r.1", "--exit-code", "container",
                    "--state-dir", str(state))  # fmt: skip
            ended = launched(at, line, sysout)
            assert ended.code == (-signal.SIGKILL if ended.met else 3), at
            if not ended.met:
                break
            if TOLD in sysout.read_text():
                continue  # the run is over
            assert launched(0, line, sysout).code == 3, at
            text = sysout.read_text()
            assert len(re.findall("^run ", text, re.MULTILINE)) == 1, at
            numbers = re.findall(r"^1\d\d$", text, re.MULTILINE)
            assert numbers == [str(number) for number in range(100, 110)], at
            assert target.api.job(job) is None
            assert list(state.iterdir()) == []
    assert at > 3 * SHARED
