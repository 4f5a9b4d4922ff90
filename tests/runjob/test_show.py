"""What `show` says of a Job in each of its states."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runjob.commands import Commands
from runjob.identity import TOLD
from runjob.lease import Lease
from runjob.observed import Picture
from runjob.plan import LAUNCH
from runjob.show import (
    EVENTS,
    PODS,
    WIDTH,
    LastWords,
    described,
    logs_to_show,
    maker,
    near,
    next_commands,
    pods_to_show,
)
from tests.runjob.scenes import (
    JOB,
    NOON,
    at,
    condition,
    container,
    ended,
    event,
    picture,
    pod,
    waiting,
)

NOW = NOON + timedelta(hours=1)
FAILED = condition("Failed", "BackoffLimitExceeded", "Job has reached the limit", since=at(0))
COMPLETE = condition("Complete", since=at(0))


def body(**more: Any) -> dict[str, Any]:
    metadata = {"name": "hello", "namespace": "ns", "annotations": {LAUNCH: "ab12"}}
    template = {"spec": {"containers": [{"name": "main", "image": "busybox:1"}]}}
    return {"metadata": {**metadata, **more}, "spec": {"backoffLimit": 0, "template": template}}


def lines(seen: Picture, *words: LastWords, **metadata: Any) -> list[str]:
    return list(described(body(**metadata), seen, words, NOW, Commands()))


@pytest.mark.parametrize(
    ("lease", "told"),
    [
        (Lease(), []),
        (Lease(launcher="agent/7"), ["agent/7: unknown"]),
        (
            Lease(launcher="agent/7", every=300, heard=NOW - timedelta(minutes=2)),
            ["agent/7: alive, latest sign of life 2m ago"],
        ),
        (
            Lease(launcher="agent/7", every=300, heard=NOON),
            ["agent/7: gone, latest sign of life 1h ago"],
        ),
    ],
)
def test_a_job_tells_which_launcher_follows_it(lease: Lease, told: list[str]) -> None:
    found = [line for line in lines(picture(lease=lease)) if line.startswith("  launcher")]
    assert found == [f"  launcher    {each}" for each in told]


def test_the_launcher_of_a_kept_job_is_not_said_to_live() -> None:
    lease = Lease(launcher="agent/7", every=300, heard=NOW - timedelta(seconds=2))
    told = lines(picture(lease=lease), annotations={TOLD: "true"})
    assert "  launcher    agent/7: has told how the Job ended, and left it" in told


def test_a_failed_job_is_told_from_its_state_to_the_next_command() -> None:
    failed = pod(container(terminated=ended(3)), phase="Failed", created=at(-60))
    words = LastWords("hello-x7k2p", "main", ("no such table", "giving up"))
    seen = picture(FAILED, failed, event("Fell", "it fell\nover", at=at(0), count=2), failed=1)
    assert lines(seen, words) == [
        "Job ns/hello: Failed, 1h ago",
        "  made        by runjob (launch ab12)",
        "  image       busybox:1",
        "  pods        0 active, 0 succeeded, 1 failed (completions 1, backoffLimit 0)",
        "  condition   Failed 1h ago: BackoffLimitExceeded: Job has reached the limit",
        "Pod hello-x7k2p: Failed on node-1, made 1h1m ago",
        "  container main: ended with exit code 3, 1h ago",
        "Events, warnings last",
        "  1h ago  Warning  pod hello-x7k2p: Fell: it fell over (2 times)",
        "Last lines of hello-x7k2p/main",
        "  | no such table",
        "  | giving up",
        "Verdict: Failed: container main of pod hello-x7k2p ended with exit code 3. The program's "
        "last lines above tell why",
        "Next:    kubectl -n ns logs hello-x7k2p -c main",
        "         kubectl -n ns delete job hello --cascade=foreground",
    ]


def test_a_pod_that_waits_says_for_what() -> None:
    message = "rpc error: not found"
    stuck = pod(waiting("ErrImagePull", message), conditions=())
    text = "\n".join(lines(picture(stuck)))
    assert "Job ns/hello: cannot start" in text
    assert f"  waits: image of main cannot be pulled: {message}" in text
    assert "Verdict: Cannot start: pod hello-x7k2p: image of main" in text
    assert "Next:    kubectl -n ns describe pod hello-x7k2p" in text


def test_a_container_between_two_runs_tells_of_both() -> None:
    view = waiting("CrashLoopBackOff", "back-off 10s", restarts=2, last=ended(137, "OOMKilled"))
    text = "\n".join(lines(picture(pod(view, phase="Running"))))
    assert (
        "container main: waits: CrashLoopBackOff: back-off 10s; 2 restarts; the run before ended "
        "with exit code 137 (SIGKILL), OOMKilled" in text
    )


@pytest.mark.parametrize(
    ("seen", "state", "first"),
    [
        pytest.param(picture(COMPLETE), "Complete, 1h ago", "delete job hello", id="complete"),
        pytest.param(picture(FAILED), "Failed, 1h ago", "describe job hello", id="its pods gone"),
        pytest.param(picture(suspended=True), "suspended", "patch job hello -p", id="suspended"),
        pytest.param(picture(), "waiting", "describe job hello", id="no pod yet"),
        pytest.param(
            picture(pod(container(running=at(0)), phase="Running")),
            "running",
            "logs -f hello-x7k2p -c main",
            id="running",
        ),
        pytest.param(
            picture(pod(waiting("PodInitializing"))),
            "waiting",
            "describe pod hello-x7k2p",
            id="starting",
        ),
        pytest.param(
            picture(pod(container(terminated=ended(0)), phase="Running")),
            "running",
            "describe pod hello-x7k2p",
            id="ending",
        ),
    ],
)
def test_each_state_has_its_word_and_its_next_command(
    seen: Picture, state: str, first: str
) -> None:
    assert lines(seen)[0] == f"Job ns/hello: {state}"
    assert next_commands(body(), seen, Commands())[0].startswith(f"kubectl -n ns {first}")


def test_what_failed_last_is_told_first_and_many_pods_are_counted() -> None:
    failed = [
        pod(
            container(terminated=ended(1)),
            uid=f"f{number}",
            name=f"f{number}",
            phase="Failed",
            created=at(number),
        )
        for number in range(3)
    ]
    done = [pod(uid=f"d{number}", name=f"d{number}", phase="Succeeded") for number in range(9)]
    seen = picture(*done, *failed)
    assert [each.name for each in pods_to_show(seen)][:3] == ["f2", "f1", "f0"]
    assert [each.name for each, _ in logs_to_show(seen)] == ["f2", "f1", "f0"]
    assert sum(line.startswith("Pod ") for line in lines(seen)) == PODS
    assert f"… and more pods: {12 - PODS} Succeeded" in lines(seen)


def test_of_many_events_the_warnings_and_the_latest_stay() -> None:
    usual = [event("Usual", f"{n}.", type="Normal", at=at(n)) for n in range(20)]
    seen = picture(pod(), *usual, event("Fell", "over", about=JOB, at=at(-60)))
    told = [line for line in lines(seen) if " ago  " in line]
    assert len(told) == EVENTS
    assert told[-1].endswith("Job: Fell: over")
    assert told[0].endswith("Usual: 11.")


def test_an_absent_pull_secret_is_told_where_it_may_be_the_cause_only() -> None:
    absent = event("FailedToRetrieveImagePullSecret", "regcred")
    ran = picture(pod(container(terminated=ended(1)), phase="Failed"), absent)
    assert not any("regcred" in line for line in lines(ran))
    assert any("regcred" in line for line in lines(picture(pod(container()), absent)))


def test_a_log_that_is_empty_or_cannot_be_read_says_so() -> None:
    told = lines(picture(FAILED), LastWords("p", "a"), LastWords("p", "b", trouble="gone"))
    assert "Log of p/a: empty" in told
    assert "Log of p/b: cannot be read (gone)" in told


def test_a_deletion_under_way_tells_what_it_waits_for() -> None:
    text = lines(picture(), deletionTimestamp="2026-01-31T12:00:00Z", finalizers=["a/b"])
    assert "  deletion    under way since 2026-01-31T12:00:00Z, waits for: a/b" in text


def test_lines_stay_readable_however_long_they_come() -> None:
    told = lines(picture(FAILED), LastWords("p", "a", ("x" * 10_000,)))
    assert max(map(len, told)) == WIDTH


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"annotations": {LAUNCH: "ab"}}, "runjob (launch ab)"),
        ({"ownerReferences": [{"kind": "CronJob", "name": "nightly"}]}, "CronJob nightly"),
        (
            {
                "managedFields": [
                    {"manager": "controller", "time": "1", "subresource": "status"},
                    {"manager": "kubectl-edit", "time": "3"},
                    {"manager": "kubectl-create", "time": "2"},
                ]
            },
            "kubectl-create",
        ),
        ({}, "somebody else than runjob"),
    ],
)
def test_the_maker_is_named_as_far_as_the_job_tells(metadata: dict[str, Any], name: str) -> None:
    assert maker({"metadata": metadata}) == name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("helo", ("hello",)),
        ("load", ("nightly-load", "nightly-load-2")),
        ("nightly-load-2-x", ("nightly-load-2", "nightly-load")),
        ("zzz", ()),
    ],
)
def test_near_names_are_alike_or_hold_each_other(name: str, found: tuple[str, ...]) -> None:
    assert near(name, ["hello", "nightly-load", "nightly-load-2", "other"]) == found
