"""Which Jobs were left behind, and how a time is spelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.identity import TOLD
from runjob.leftovers import GRACE, Wanted, divide, ended, fronted, rows, span, why_spared
from runjob.plan import LAUNCH
from runjob.values import seconds
from tests.runjob.jobs import NOW, job

# A log of two gigabytes takes its launcher longer than a Job is left alone for.
READS = {
    LAUNCH: "ab",
    "runjob/heartbeat-seconds": "300",
    "runjob/heartbeat": f"{NOW - timedelta(minutes=6):%Y-%m-%dT%H:%M:%SZ}",
}


@pytest.mark.parametrize("state", ["FailureTarget", "SuccessCriteriaMet", "Suspended"])
def test_a_job_that_has_not_ended_is_no_leftover(state: str) -> None:
    assert ended(job(state)) is None
    assert ended({**job(), "status": {}}) is None


@pytest.mark.parametrize(
    ("body", "wanted", "why"),
    [
        pytest.param(job(), Wanted(), "", id="failed"),
        pytest.param(job("Complete"), Wanted(), "", id="complete"),
        pytest.param(job("Complete"), Wanted(failed_only=True), "completed", id="not failed"),
        pytest.param(job(annotations={}), Wanted(), "not made by runjob", id="another's"),
        pytest.param(job(annotations=None), Wanted(all_makers=True), "", id="all makers"),
        pytest.param(
            job(ownerReferences=[{"kind": "CronJob", "controller": True}]),
            Wanted(all_makers=True),
            "looked after by its owner",
            id="a CronJob's",
        ),
        pytest.param(
            job(deletionTimestamp="2026-01-31T12:00:00Z"), Wanted(), "being removed", id="leaving"
        ),
        pytest.param(job(hours=0.1), Wanted(), "ended less than 10m ago", id="young"),
        pytest.param(job(hours=0.1), Wanted(older_than=0), "", id="any age"),
        pytest.param(job(hours=1), Wanted(older_than=3600), "", id="just old enough"),
        pytest.param(
            job(annotations=READS), Wanted(older_than=0), "whose launcher gave", id="read yet"
        ),
        pytest.param(
            job(annotations={**READS, TOLD: "true"}), Wanted(), "", id="kept by its launcher"
        ),
        pytest.param(job(hours=-1), Wanted(), "ended less than", id="a clock that is ahead"),
    ],
)
def test_a_leftover_is_ended_ours_and_old_enough(
    body: dict[str, Any], wanted: Wanted, why: str
) -> None:
    found = ended(body)
    assert found is not None
    spared = why_spared(found, wanted, NOW)
    assert spared.startswith(why)
    assert bool(spared) == bool(why)


def test_the_longest_ended_come_first_and_the_spared_are_counted_by_reason() -> None:
    bodies = [
        job(hours=1, name="late"),
        job("Complete", hours=50, name="early-one"),
        job(hours=GRACE / 7200, name="young"),
        job(annotations={}, name="theirs"),
        job(annotations={}, name="theirs-too"),
    ]
    found = [each for body in bodies if (each := ended(body))]
    leftovers, spared = divide(found, Wanted(), NOW)
    assert rows(leftovers, NOW) == (
        "early-one  Complete  2d2h ago",
        "late       Failed      1h ago  Why",
    )
    assert sorted(spared.values()) == [1, 2]


def test_those_of_a_namespace_stand_together() -> None:
    places = [("b", "old", 9), ("a", "late", 1), ("a", "early", 5)]
    bodies = [job(namespace=place, name=name, hours=hours) for place, name, hours in places]
    leftovers, _ = divide([each for body in bodies if (each := ended(body))], Wanted(), NOW)
    assert fronted([each.namespace for each in leftovers], rows(leftovers, NOW)) == (
        "a  early  Failed    5h ago  Why",
        "a  late   Failed    1h ago  Why",
        "b  old    Failed    9h ago  Why",
    )
    assert fronted([], []) == ()


def test_what_is_judged_is_one_version_of_one_object() -> None:
    found = ended(job())
    assert found is not None
    assert (found.name, found.uid, found.version, found.ours) == ("hello", "1", "7", True)


@pytest.mark.parametrize(
    ("time", "spelled"),
    [(0, "0s"), (-5, "0s"), (59.9, "59s"), (60, "1m"), (3601, "1h"), (187200, "2d4h")],
)
def test_a_time_is_spelled_by_its_two_greatest_units(time: float, spelled: str) -> None:
    assert span(time) == spelled


@given(st.integers(1, 3 * 365 * 86400))
def test_an_option_understands_what_is_spelled(time: int) -> None:
    assert 0 <= time - seconds(span(time)) < time / 24
