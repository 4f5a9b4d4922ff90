"""How the Jobs of launches stand, and which of them have lost their launcher."""

from __future__ import annotations

import pytest

from runjob.plan import LAUNCH
from runjob.request import Body
from runjob.roster import Entry, entry, lost, lost_rows, table, why_left
from tests.runjob.jobs import NOW, stamp
from tests.runjob.jobs import launched as job


def known(body: Body) -> Entry:
    found = entry(body, NOW)
    assert found is not None
    return found


RUNS = {"startTime": stamp(500), "active": 2, "ready": 1, "failed": 1}


@pytest.mark.parametrize(
    ("body", "state", "seconds", "pods"),
    [
        pytest.param(job(), "pending", 600, "none", id="created"),
        pytest.param(
            job(status={"startTime": stamp(500), "active": 1}), "pending", 500, "1 waiting",
            id="pending",
        ),
        pytest.param(
            job(status=RUNS), "running", 500, "1 running, 1 waiting, 1 failed", id="running"
        ),
        pytest.param(
            job(conditions={"Complete": 9}, status={"succeeded": 3}), "complete", 9, "3 succeeded",
            id="complete",
        ),
        pytest.param(job(conditions={"Failed": 9}), "failed", 9, "none", id="failed"),
        pytest.param(
            job(conditions={"FailureTarget": 5}, status={"startTime": stamp(500), "failed": 1}),
            "failing", 5, "1 failed", id="failed, and its pods still end",
        ),
        pytest.param(
            job(conditions={"SuccessCriteriaMet": 5}, status={"succeeded": 1}), "completing", 5,
            "1 succeeded", id="complete, and its pods still end",
        ),
        pytest.param(
            job(suspend=True, conditions={"Suspended": 30}), "suspended", 30, "none",
            id="suspended",
        ),
        pytest.param(job(suspend=True), "suspended", 600, "none", id="suspended at once"),
        pytest.param(
            job(status=RUNS, deletionTimestamp=stamp(5)), "being removed", 5,
            "1 running, 1 waiting, 1 failed", id="being removed",
        ),
    ],
)  # fmt: skip
def test_a_job_is_told_as_it_stands(body: Body, state: str, seconds: float, pods: str) -> None:
    found = known(body)
    assert (found.state, (NOW - found.since).total_seconds(), found.pods) == (state, seconds, pods)
    assert (found.over, found.leaving) == (
        state in ("complete", "failed"), state == "being removed"
    )  # fmt: skip


def test_a_job_that_no_launcher_made_is_no_entry() -> None:
    assert entry(job(annotations={"mine": "1"}), NOW) is None


@pytest.mark.parametrize(
    ("body", "life", "why"),
    [
        pytest.param(job(sign=900), "alive", "gave a sign of life lately", id="alive"),
        pytest.param(job(sign=901), "gone", "", id="gone"),
        pytest.param(job(sign=None, age=901), "gone", "", id="gone before its first beat"),
        pytest.param(job(sign=None, age=60), "alive", "gave a sign of life", id="young"),
        pytest.param(job(sign=9999, every=0), "unknown", "gives no signs of life", id="off"),
        pytest.param(job(sign=None, every=None), "unknown", "or an older version", id="older"),
        pytest.param(
            job(sign=9999, conditions={"Failed": 9999}), "gone", "", id="ended, and nobody came"
        ),
        pytest.param(
            job(sign=9999, conditions={"Failed": 9999}, kept=True),
            "gone",
            "kept by --keep",
            id="left on purpose",
        ),
        pytest.param(
            job(sign=9999, deletionTimestamp=stamp(1)), "gone", "being removed", id="leaving"
        ),
        pytest.param(
            job(sign=9999, ownerReferences=[{"kind": "CronJob", "controller": True}]),
            "gone",
            "looked after by its owner",
            id="owned",
        ),
    ],
)
def test_only_a_launcher_that_was_silent_for_long_has_lost_its_job(
    body: Body, life: str, why: str
) -> None:
    found = known(body)
    assert found.life == life
    told = why_left(found)
    assert why in told
    assert bool(told) is bool(why)
    strays, left = lost([found])
    assert strays == (() if why else (found,))
    assert list(left.values()) == ([1] if why else [])
    assert all(each.startswith(told) for each in left)


def test_the_table_is_aligned_and_ends_with_the_newest() -> None:
    bodies = [
        job("a-longer-name", sign=None, every=0, age=60),
        job("old", age=86400, status=RUNS),
        job("lost", age=7200, sign=3600),
        job("kept", age=8000, sign=8000, conditions={"Failed": 7900}, kept=True),
    ]
    assert table(map(known, bodies), NOW) == (
        "NAME           STATE    SINCE      PODS                            "
        "LAUNCHER  SIGN OF LIFE                    RUN",
        "old            running  8m20s ago  1 running, 1 waiting, 1 failed  "
        "agent/7   1m ago, counts until 14:14:00Z  ns/hello",
        "kept           failed   2h11m ago  none                            "
        "agent/7   kept                            ns/hello",
        "lost           pending  2h ago     none                            "
        "agent/7   gone, 1h ago                    ns/hello",
        "a-longer-name  pending  1m ago     none                            "
        "agent/7   unknown                         ns/hello",
    )


def test_of_several_namespaces_each_job_tells_its_own() -> None:
    bodies = [
        job("new", namespace="etl", age=60),
        job("old", namespace="etl", age=8000),
        job("load", namespace="controlm", age=600),
    ]
    head, *lines = table(map(known, bodies), NOW, namespaces=True)
    assert head.startswith("NAMESPACE  NAME  STATE    SINCE ")
    assert [line[:23] for line in lines] == [
        "controlm   load  pendin", "etl        old   pendin", "etl        new   pendin",
    ]  # fmt: skip
    found, _ = lost(known({**job(namespace=place, sign=sign)})
                    for place, sign in [("b", 9999), ("a", 1000), ("a", 2000)])  # fmt: skip
    assert [(each.namespace, (NOW - each.heard).seconds) for each in found if each.heard] == [
        ("a", 2000), ("a", 1000), ("b", 9999),
    ]  # fmt: skip


def test_what_is_not_known_of_a_launch_is_a_dash() -> None:
    (_, line) = table([known(job(annotations={LAUNCH: "0a"}))], NOW)
    assert line.split() == ["hello", "pending", "10m", "ago", "none", "-", "unknown", "-"]


def test_what_anybody_wrote_on_a_job_widens_no_other_row_by_much() -> None:
    """Any tenant may write an annotation, of 256 KiB, that an administrator's list -A shows."""
    wide = job("wide", annotations={LAUNCH: "0a", "runjob/launcher": "x" * 9999})
    lines = table([known(job()), known(wide)], NOW)
    assert "x" * 199 + "…" in lines[-1]
    assert max(map(len, lines)) < 400


def test_what_was_lost_longest_ago_comes_first() -> None:
    found, left = lost(map(known, [job("b", sign=2000), job("a", sign=3600), job("c", sign=10)]))
    assert [each.name for each in found] == ["a", "b"]
    alive = "whose launcher gave a sign of life lately"
    assert left == {f"{alive}; without another it is taken for gone at 14:14:50Z": 1}
    _, left = lost(map(known, [job("b", sign=30), job("a", sign=60), job("c", sign=10)]))
    assert left == {f"{alive}; without another the first of them is taken for gone at 14:14:00Z": 3}
    assert lost_rows(found, NOW) == (
        "a  pending  last sign 1h ago      agent/7",
        "b  pending  last sign 33m20s ago  agent/7",
    )
    assert lost_rows([], NOW) == ()
