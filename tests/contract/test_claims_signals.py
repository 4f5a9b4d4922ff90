"""A launch that gets a signal between any two of its effects never ends with 0."""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

import pytest

from tests.contract.effects import launches_met_by
from tests.contract.launches import sh
from tests.contract.targets import Target, wants_real

pytestmark = pytest.mark.skipif(wants_real(), reason="what it shows hangs on the launcher alone")

# How many tests share the effects of one command line.
SHARED = 4


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("first", range(1, SHARED + 1))
@pytest.mark.parametrize(
    ("more", "least"),
    [
        pytest.param(("--result-file", "result.json"), 30, id="a launch"),
        pytest.param(("--preflight",), 30, id="a preflight"),
        pytest.param(("--dry-run", "server"), 8, id="a dry run"),
    ],
)
def test_after_a_signal_0_is_not_returned_by(
    target: Target,
    common: tuple[str, ...],
    name: str,
    more: tuple[str, ...],
    least: int,
    first: int,
) -> None:
    """A naive launcher has a last step after which nobody asks any more."""
    codes = set()
    with launches_met_by(signal.SIGTERM) as launched:
        for at in count(first, SHARED):
            job = f"{name}-{at}"
            line = (*common, "-j", job, *sh("echo once"), *more)
            ended = launched(at, line, Path(os.devnull))
            if not ended.met:
                break
            codes.add(ended.code)
            assert target.api.job(job) is None, at
    # One that comes before the command listens, or after it, ends the process as it ends any.
    assert codes <= {8, -signal.SIGTERM}, codes
    assert 8 in codes
    assert at > least, "so many effects such a command has"
