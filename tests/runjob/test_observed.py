"""The API's objects become small views, and the views one picture."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.lease import Lease
from runjob.observed import (
    Condition,
    ContainerView,
    EventView,
    JobView,
    Picture,
    PodView,
    Terminated,
    event_view,
    is_child,
    job_view,
    pod_view,
)
from tests.runjob.scenes import JOB, POD, at, container, ended, event, picture, pod, waiting

STAMP = "2026-01-31T12:00:00Z"
NOON = at(0)


def test_a_new_job_is_read() -> None:
    assert job_view({"metadata": {"uid": "u", "name": "hello"}}) == JobView(uid="u", name="hello")


def test_a_job_is_read() -> None:
    condition = {"type": "Failed", "status": "True", "lastTransitionTime": STAMP}
    body = {
        "metadata": {"uid": "u", "name": "hello", "creationTimestamp": STAMP},
        "spec": {"suspend": True},
        "status": {
            "active": 1,
            "ready": 2,
            "succeeded": 3,
            "failed": 4,
            "startTime": STAMP,
            "conditions": [{**condition, "reason": "R", "message": "m"}],
        },
    }
    view = job_view(body)
    assert view == JobView(
        uid="u",
        name="hello",
        created=NOON,
        active=1,
        ready=2,
        succeeded=3,
        failed=4,
        suspended=True,
        started=NOON,
        lease=Lease(heard=NOON),
        conditions=(Condition(type="Failed", status="True", reason="R", message="m", since=NOON),),
    )
    assert view.condition("Failed") == view.conditions[0]
    assert view.condition("Complete") is None


def test_a_condition_that_is_not_true_does_not_hold() -> None:
    body = {
        "metadata": {"uid": "u", "name": "hello"},
        "status": {"conditions": [{"type": "Complete", "status": "False"}]},
    }
    assert job_view(body).condition("Complete") is None


@pytest.mark.parametrize(
    ("finalizers", "held"),
    [
        pytest.param(["example.org/mine"], True, id="by others alone"),
        pytest.param(
            ["example.org/mine", "foregroundDeletion"], False, id="and its pods are being deleted"
        ),
        pytest.param(["foregroundDeletion"], False, id="its pods are being deleted"),
        pytest.param(None, False, id="by none"),
    ],
)
def test_a_job_is_held_once_only_others_keep_it(finalizers: list[str] | None, held: bool) -> None:
    metadata = {"uid": "u", "name": "hello", "finalizers": finalizers}
    assert job_view({"metadata": {**metadata, "deletionTimestamp": "now"}}).held is held
    assert not job_view({"metadata": metadata}).held


def test_a_new_pod_is_read() -> None:
    view = pod_view({"metadata": {"uid": "u", "name": "p"}})
    assert view == PodView(uid="u", name="p", restarts_in_place=True)
    assert not view.over
    assert not view.started


def test_a_pod_is_read() -> None:
    body = {
        "metadata": {
            "uid": "u",
            "name": "p",
            "creationTimestamp": STAMP,
            "deletionTimestamp": STAMP,
        },
        "spec": {
            "nodeName": "node-1",
            "restartPolicy": "Never",
            "initContainers": [{"name": "first"}, {"name": "mesh", "restartPolicy": "Always"}],
            "containers": [
                {"name": "main", "resources": {"limits": {"memory": "16Mi"}}},
                {"name": "other"},
            ],
        },
        "status": {
            "phase": "Failed",
            "reason": "Evicted",
            "message": "low on memory",
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "initContainerStatuses": [
                {"name": "first", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
                {"name": "mesh", "state": {"running": {"startedAt": STAMP}}},
            ],
            "containerStatuses": [
                {
                    "name": "main",
                    "restartCount": 2,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {
                        "terminated": {
                            "exitCode": 137,
                            "signal": 9,
                            "reason": "OOMKilled",
                            "message": "m",
                            "startedAt": STAMP,
                            "finishedAt": STAMP,
                        }
                    },
                }
            ],
        },
    }
    assert pod_view(body) == PodView(
        uid="u",
        name="p",
        phase="Failed",
        created=NOON,
        node="node-1",
        reason="Evicted",
        message="low on memory",
        deleting=True,
        restarts_in_place=False,
        containers=(
            ContainerView(
                name="first", role="init", terminated=Terminated(exit_code=0, reason="Completed")
            ),
            ContainerView(name="mesh", role="sidecar", running=NOON),
            ContainerView(
                name="main",
                restarts=2,
                waiting=("CrashLoopBackOff", ""),
                last=Terminated(
                    exit_code=137,
                    signal=9,
                    reason="OOMKilled",
                    message="m",
                    started=NOON,
                    finished=NOON,
                ),
                memory_limit="16Mi",
            ),
            ContainerView(name="other"),
        ),
        conditions=(Condition(type="PodScheduled", status="True"),),
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, {}, id="the least"),
        pytest.param(
            {"count": 4, "lastTimestamp": STAMP, "type": "Warning", "reason": "R", "message": "m"},
            {"count": 4, "at": NOON, "type": "Warning", "reason": "R", "message": "m"},
            id="counted by the old API",
        ),
        pytest.param(
            {"eventTime": STAMP, "series": {"count": 7, "lastObservedTime": STAMP}},
            {"count": 7, "at": NOON},
            id="counted in a series",
        ),
        pytest.param({"eventTime": STAMP}, {"at": NOON}, id="seen once by the new API"),
        pytest.param({"involvedObject": {"uid": "p"}}, {"about": "p"}, id="about a pod"),
    ],
)
def test_an_event_is_read(more: dict[str, Any], expected: dict[str, Any]) -> None:
    least = {"uid": "u", "about": "", "type": "Normal", "reason": "", "message": ""}
    assert event_view({"metadata": {"uid": "u"}, **more}) == EventView(**{**least, **expected})


@given(st.datetimes(datetime(1971, 1, 1), timezones=st.just(timezone.utc)), st.integers(0, 9))
def test_times_are_read_with_any_number_of_digits(time: datetime, digits: int) -> None:
    fraction = f".{time.microsecond:06d}000"[: digits + 1] if digits else ""
    text = f"{time.year:04d}{time:-%m-%dT%H:%M:%S}{fraction}Z"
    body = {"metadata": {"uid": "u", "name": "j", "creationTimestamp": text}}
    unit = 10 ** max(6 - digits, 0)
    assert job_view(body).created == time.replace(microsecond=time.microsecond // unit * unit)


def test_the_epoch_stamps_what_never_started() -> None:
    body = {"metadata": {"uid": "u", "name": "j", "creationTimestamp": "1970-01-01T00:00:00Z"}}
    assert job_view(body).created is None


@pytest.mark.parametrize(
    ("owners", "child"),
    [
        (None, False),
        ([], False),
        ([{"uid": "other"}], False),
        ([{"uid": "other"}, {"uid": JOB}], True),
    ],
)
def test_a_pod_is_known_by_its_owners_uid(owners: Any, child: bool) -> None:
    assert is_child({"metadata": {"ownerReferences": owners}}, JOB) is child


@pytest.mark.parametrize(
    ("view", "started", "end"),
    [
        pytest.param(container(), False, None, id="nothing is known"),
        pytest.param(waiting("ContainerCreating"), False, None, id="is made"),
        pytest.param(container(running=NOON), True, None, id="runs"),
        pytest.param(container(running=NOON, last=ended(1)), True, None, id="runs again"),
        pytest.param(container(terminated=ended(2)), True, ended(2), id="has ended"),
        pytest.param(
            container(terminated=ended(2), last=ended(1)), True, ended(2), id="has ended twice"
        ),
        pytest.param(
            waiting("CrashLoopBackOff", last=ended(1)), True, ended(1), id="waits to run again"
        ),
    ],
)
def test_a_container_tells_whether_it_ran_and_how_it_ended(
    view: ContainerView, started: bool, end: Terminated | None
) -> None:
    assert view.started is started
    assert view.latest_end == end


@pytest.mark.parametrize(
    ("view", "over"),
    [
        (pod(phase="Running"), False),
        (pod(phase="Succeeded"), True),
        (pod(phase="Failed"), True),
        (pod(gone=True), True),
    ],
    ids=["runs", "succeeded", "failed", "gone"],
)
def test_a_pod_is_over_when_nothing_more_can_come(view: PodView, over: bool) -> None:
    assert view.over is over


def test_a_pod_has_started_with_its_main_container() -> None:
    first = container("first", role="init", terminated=ended(0))
    assert not pod(first, container()).started
    assert pod(first, container(running=NOON)).started


# -- the picture ---------------------------------------------------------------------------------


def test_a_new_state_takes_the_place_of_the_old() -> None:
    known = picture(pod(phase="Pending"), event("R", "one", uid="e"), active=1)
    now = known.after(JobView(uid=JOB, active=2)).after(pod(phase="Running"))
    now = now.after(event("R", "two", uid="e"))
    assert (now.job.active, now.pods[POD].phase, now.events["e"].message) == (2, "Running", "two")
    assert not now.job_gone


def test_another_job_of_that_name_means_that_ours_is_gone() -> None:
    known = picture(active=1)
    now = known.after(JobView(uid="another", active=9))
    assert now.job_gone
    assert now.job == known.job


def test_what_is_gone_does_not_come_back() -> None:
    now = picture(pod()).after(pod(), gone=True).after(pod(phase="Running"))
    assert now.pods[POD].gone
    job = picture().after(JobView(uid=JOB), gone=True).after(JobView(uid=JOB, active=1))
    assert job.job_gone


RUNS, LEAVES = pod(phase="Running"), pod(phase="Running", deleting=True)
ENDED = pod(phase="Failed", deleting=True)
SUSPENDED, RESUMED = JobView(uid=JOB, suspended=True), JobView(uid=JOB)


@pytest.mark.parametrize(
    ("seen", "taken"),
    [
        pytest.param([RUNS], False, id="runs"),
        pytest.param([RUNS, LEAVES, ENDED], True, id="deleted, and then ended"),
        pytest.param([RUNS, pod(phase="Failed"), ENDED], False, id="ended, and then deleted"),
        pytest.param([ENDED], False, id="seen too late"),
        pytest.param([SUSPENDED, LEAVES, RESUMED, ENDED], False, id="suspended"),
        pytest.param([RUNS, LEAVES, SUSPENDED, RESUMED, LEAVES], False, id="seen before that"),
    ],
)
def test_a_pod_is_taken_that_was_deleted_before_it_ended(
    seen: list[JobView | PodView], taken: bool
) -> None:
    now = picture()
    for each in seen:
        now = now.after(each)
    assert now.pods[POD].taken is taken
    assert now.after(seen[-1], gone=True).pods[POD].taken is (taken or seen == [RUNS])
    assert now.with_only("Pod", frozenset()).pods[POD].taken is (taken or seen == [RUNS])


@pytest.mark.parametrize(
    ("kind", "uids", "job_gone", "pods_gone"),
    [
        ("Job", [JOB], False, [False, False]),
        ("Job", [], True, [False, False]),
        ("Pod", [POD], False, [False, True]),
        ("Pod", [], False, [True, True]),
        ("Event", [], False, [False, False]),
    ],
)
def test_what_a_list_does_not_hold_is_gone(
    kind: str, uids: list[str], job_gone: bool, pods_gone: list[bool]
) -> None:
    now = picture(pod(), pod(uid="2")).with_only(kind, frozenset(uids))
    assert now.job_gone is job_gone
    assert [each.gone for each in now.pods.values()] == pods_gone


def test_a_job_that_was_gone_stays_gone_in_a_list() -> None:
    assert picture(gone=True).with_only("Job", frozenset([JOB])).job_gone


def test_events_are_told_apart_by_what_they_are_about() -> None:
    one, two = event("A", about=POD), event("B", about=JOB)
    assert picture(one, two).about(JOB) == (two,)


@pytest.mark.parametrize(
    ("seen", "settled"),
    [
        pytest.param(picture(), True, id="nothing ran"),
        pytest.param(picture(succeeded=1), False, id="the pod was not seen"),
        pytest.param(picture(pod(), succeeded=1), False, id="its end was not seen"),
        pytest.param(picture(pod(phase="Succeeded"), succeeded=1), True, id="its end was seen"),
        pytest.param(
            picture(pod(phase="Succeeded"), pod(uid="2"), succeeded=1), False, id="one more runs"
        ),
        pytest.param(
            picture(pod(phase="Succeeded"), pod(uid="2", gone=True), succeeded=1, failed=1),
            True,
            id="one more is gone",
        ),
    ],
)
def test_a_picture_is_settled_when_every_counted_end_was_seen(seen: Picture, settled: bool) -> None:
    assert seen.settled is settled
