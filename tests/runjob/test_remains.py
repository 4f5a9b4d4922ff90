"""What is left of a launch is said, with the command that removes it."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.remains import not_removed
from runjob.request import JobRequest
from tests.runjob.launch_stage import JOB


@pytest.mark.parametrize(
    ("remaining", "told", "words"),
    [
        ("", {"accepted": True}, ""),
        (
            "pod p",
            {"accepted": True},
            "NOT removed yet: pod p; remove it with: "
            "kubectl -n here delete job hello --cascade=foreground",
        ),
        (
            "",
            {"accepted": False},
            "NOT removed yet: what was created (the API has not accepted the deletion); remove it "
            "with: kubectl -n here delete job hello --cascade=foreground",
        ),
        ("pod p", {"accepted": True, "refusal": "no"}, "NOT removed: no"),
        ("pod p", {"accepted": True, "held": ["a", "b"]}, "NOT removed yet: pod p; a; b"),
    ],
)
def test_what_is_left_is_said(remaining: str, told: Any, words: str) -> None:
    assert not_removed(JobRequest("hello", "here", JOB), remaining, **told) == words
