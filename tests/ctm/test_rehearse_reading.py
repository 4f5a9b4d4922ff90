"""What cannot be rehearsed is refused, and what is not looked at is told."""

from __future__ import annotations

from typing import Any

import pytest

from ctm.rehearse.errors import PlanError
from ctm.rehearse.reading import plan_of
from tests.ctm.folders import NEEDS, folder


@pytest.mark.parametrize(
    "members",
    [
        {"X": {"Type": "job:Command"}},
        {"X": {"Type": "Folder"}},
        {"X": {"Type": "Job"}},
        {"A": {"X": {"Type": "WaitForEvent", "Events": [{"Event": "E1"}]}}},
        {"A": {"X": {"Type": "Resource:Lok", "LockType": "Exclusive"}}},
        {"A": {"X": {"Type": "Job:Dummy"}}},
        {"A": {"X": {"Type": "IfCollection"}}},
    ],
)
def test_a_member_that_is_not_known_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match=r"X: a \S+ cannot be rehearsed here; python -m ctm\.lint"):
        folder(**{"A": {}, **members})


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        ({"Variables": 5}, "A"),
        ({"a": {"Type": "AddEvents", "Events": 7}}, "A"),
        ({"w": {"Type": "WaitForEvents", "Events": 7}}, "A"),
        ({"RerunLimit": {"Times": "1", "Units": ["x"]}}, "A"),
        ({"RerunLimit": 5}, "A"),
        ({"Type": "Job:SLAManagement", "ServiceName": "S", "CompleteIn": "5"}, "A"),
        ({"x": {"Type": 5}}, "x"),
    ],
)
def test_a_value_of_the_wrong_shape_is_told_with_its_owner(
    definition: dict[str, Any], named: str
) -> None:
    with pytest.raises(PlanError, match=rf"^{named}: .*; python -m ctm\.lint says where$"):
        folder(A=definition)


def test_what_is_kept_after_a_failure_and_retries_are_told() -> None:
    lake = {"Type": "Resource:Lock", "LockType": "Exclusive", "IfFail": "Keep"}
    seats = {"Type": "Resource:Pool", "Quantity": "1", "IfFail": "Keep"}
    plan = folder(A={"lake": lake, "seats": seats, "NumberOfRetries": "3"}, B={"lake": lake})
    assert plan.notes == (
        "NumberOfRetries is not looked at: a transfer is tried once",
        "IfFail of seats is not looked at: who fails gives it back",
        "IfFail of lake is not looked at: who fails gives it back",
    )


def test_a_when_is_told_of_folders_as_of_jobs() -> None:
    when = {"When": {"WeekDays": ["MON"]}}
    for content in ({"A": {"Type": "Job:Dummy", **when}}, {"A": {"Type": "Job:Dummy"}, **when}):
        plan = plan_of([{"F": {"Type": "Folder", **content}}], NEEDS)
        assert plan.notes == ("When is not looked at: everything runs now",)


@pytest.mark.parametrize(
    ("definitions", "says"),
    [
        ({"Defaults": 5, "F": {"Type": "Folder"}}, r"^Defaults: 5 is no object"),
        ({"F": {"Type": 5}}, r"^F: '5' is no folder"),
        (
            {"F": {"Type": "Folder", "f": {"Type": "Flow", "Sequence": [["j"]]}}},
            r"^F/f: a value has the wrong shape",
        ),
        (
            {"F": {"Type": "Folder", "A": {"Type": "Job:Dummy", "Command": "a\0b"}}},
            r"^A: it has a NUL character",
        ),
    ],
)
def test_a_file_of_the_wrong_shape_is_told(definitions: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError, match=says):
        plan_of([definitions], NEEDS)
