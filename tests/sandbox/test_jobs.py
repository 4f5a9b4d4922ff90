"""The decisions of the Job controller."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.sandbox.defaults import job_with_defaults
from runjob.sandbox.jobs import INDEX, TRACKING, Plan, decide, indexes, ranges
from runjob.sandbox.moments import stamp
from runjob.sandbox.podpolicy import verdict_of

from .talk import Json, held

NOW = 1_700_000_000.0


def a_job(status: Json | None = None, restart: str = "Never", **spec: Any) -> Json:
    template = {"spec": {"restartPolicy": restart, "containers": [{"name": "main"}]}}
    body = {"metadata": {"name": "j"}, "spec": {"template": template, **spec}}
    return {**job_with_defaults(body), "status": status or {}}


def a_pod(
    name: str, phase: str = "Running", deleting: bool = False, tracked: bool = True,
    index: int | None = None, restarts: int = 0, code: int = 0,
) -> Json:  # fmt: skip
    metadata: Json = {"name": name, "namespace": "n", "uid": name}
    if tracked:
        metadata["finalizers"] = [TRACKING]
    if deleting:
        metadata["deletionTimestamp"] = "now"
    if index is not None:
        metadata["annotations"] = {INDEX: str(index)}
    ready = "True" if phase == "Running" else "False"
    state = {"terminated": {"exitCode": code}} if code else {}
    container = {"name": "main", "restartCount": restarts, "state": state}
    conditions = [{"type": "Ready", "status": ready}]
    status = {"phase": phase, "conditions": conditions, "containerStatuses": [container]}
    return {"metadata": metadata, "status": status}


def reasons(plan: Plan) -> dict[str, str]:
    return held({"status": plan.status})


def after(job: Json, plan: Plan) -> Json:
    return {**job, "status": plan.status}


def test_a_new_job_gets_its_pods_and_its_start_time() -> None:
    plan = decide(a_job(parallelism=2, completions=3), [], NOW)
    assert plan.create == (None, None)
    assert plan.status["active"] == 2
    assert plan.status["startTime"] == stamp(NOW)


def test_no_more_pods_than_completions_are_missing() -> None:
    done = {"succeeded": 2, "startTime": stamp(NOW)}
    assert decide(a_job(done, parallelism=5, completions=3), [], NOW).create == (None,)


def test_pods_above_the_parallelism_are_deleted() -> None:
    pods = [a_pod("a"), a_pod("b"), a_pod("c")]
    plan = decide(a_job(parallelism=1, completions=9), pods, NOW)
    assert len(plan.delete) == 2
    assert plan.status["active"] == 1
    assert plan.status["terminating"] == 2


def test_a_job_completes_in_three_steps() -> None:
    job = a_job({"startTime": stamp(NOW)})
    first = decide(job, [a_pod("a", "Succeeded")], NOW)
    assert reasons(first) == {"SuccessCriteriaMet": "CompletionsReached"}
    assert first.release == ("a",)
    assert first.status["uncountedTerminatedPods"] == {"succeeded": ["a"]}
    assert "succeeded" not in first.status
    second = decide(after(job, first), [a_pod("a", "Succeeded", tracked=False)], NOW)
    assert reasons(second)["Complete"] == "CompletionsReached"
    assert second.status["succeeded"] == 1
    assert [note.reason for note in second.notes] == ["Completed"]
    third = decide(after(job, second), [a_pod("b", "Succeeded")], NOW)
    assert third == Plan(second.status, release=("b",))


def test_a_job_fails_only_when_its_last_pod_is_gone() -> None:
    job = a_job({"startTime": stamp(NOW)}, backoffLimit=0, parallelism=2, completions=2)
    pods = [a_pod("bad", "Failed"), a_pod("other")]
    first = decide(job, pods, NOW)
    assert reasons(first) == {"FailureTarget": "BackoffLimitExceeded"}
    assert first.delete == ("other",)
    assert first.failures == 1
    job = after(job, first)
    ending = [a_pod("bad", "Failed", tracked=False), a_pod("other", deleting=True)]
    second = decide(job, ending, NOW)
    assert "Failed" not in reasons(second)
    assert second.status["failed"] == 1
    assert second.release == ("other",)
    third = decide(after(job, second), [a_pod("bad", "Failed", tracked=False)], NOW)
    assert reasons(third)["Failed"] == "BackoffLimitExceeded"
    assert third.status["failed"] == 2
    assert [note.warning for note in third.notes] == [True]


def test_a_job_whose_end_is_decided_deletes_a_pod_that_is_still_active() -> None:
    interim = {"type": "FailureTarget", "status": "True", "reason": "r", "message": "m"}
    job = a_job({"startTime": stamp(NOW), "conditions": [interim]})
    assert decide(job, [a_pod("late")], NOW).delete == ("late",)


def test_a_failed_pod_is_replaced_after_the_backoff() -> None:
    job = a_job({"startTime": stamp(NOW), "failed": 1}, backoffLimit=3)
    early = decide(job, [], NOW, retry_at=NOW + 5)
    assert (early.create, early.look_again) == ((), NOW + 5)
    assert decide(job, [], NOW + 5, retry_at=NOW + 5).create == (None,)


def test_the_earlier_of_backoff_and_deadline_wakes_the_controller() -> None:
    job = a_job({"startTime": stamp(NOW)}, activeDeadlineSeconds=3)
    assert decide(job, [], NOW, retry_at=NOW + 5).look_again == NOW + 3
    assert decide(job, [], NOW, retry_at=NOW + 1).look_again == NOW + 1


def test_a_deadline_ends_the_job() -> None:
    job = a_job({"startTime": stamp(NOW)}, activeDeadlineSeconds=3)
    assert reasons(decide(job, [a_pod("a")], NOW + 2.9)) == {}
    assert reasons(decide(job, [a_pod("a")], NOW + 3)) == {"FailureTarget": "DeadlineExceeded"}


@pytest.mark.parametrize(
    ("limit", "restarts", "fails"), [(0, 0, False), (0, 1, True), (2, 1, False), (2, 2, True)]
)
def test_restarts_in_place_count_against_the_backoff_limit(
    limit: int, restarts: int, fails: bool
) -> None:
    job = a_job({"startTime": stamp(NOW)}, restart="OnFailure", backoffLimit=limit)
    plan = decide(job, [a_pod("a", restarts=restarts)], NOW)
    assert bool(reasons(plan)) is fails


@pytest.mark.parametrize(
    ("policy", "created", "failed"),
    [
        pytest.param("TerminatingOrFailed", 1, 1, id="at once"),
        pytest.param("Failed", 0, 0, id="only after its end"),
    ],
)
def test_a_deleted_pod_is_replaced_as_the_policy_wants(
    policy: str, created: int, failed: int
) -> None:
    job = a_job({"startTime": stamp(NOW)}, podReplacementPolicy=policy, backoffLimit=9)
    plan = decide(job, [a_pod("a", deleting=True)], NOW)
    assert (len(plan.create), plan.failures) == (created, failed)


def test_a_work_queue_is_done_when_all_end_after_a_first_success() -> None:
    job = a_job({"startTime": stamp(NOW)}, parallelism=2)
    assert "completions" not in job["spec"]
    first = decide(job, [a_pod("a", "Succeeded"), a_pod("b")], NOW)
    assert (reasons(first), first.create) == ({}, ())
    second = decide(after(job, first), [a_pod("b", "Succeeded")], NOW)
    assert "SuccessCriteriaMet" in reasons(second)


def test_each_index_is_run_until_it_has_succeeded_once() -> None:
    job = a_job({"startTime": stamp(NOW)}, completionMode="Indexed", completions=4, parallelism=3)
    pods = [a_pod("a", "Succeeded", index=0), a_pod("b", index=2), a_pod("c", "Succeeded", index=9)]
    plan = decide(job, pods, NOW)
    assert plan.create == (1, 3)
    assert plan.status["completedIndexes"] == "0"
    assert plan.status["succeeded"] == 1


def test_suspending_deletes_the_pods_and_counts_none_of_them() -> None:
    job = a_job({"startTime": stamp(NOW)}, suspend=True)
    first = decide(job, [a_pod("a")], NOW)
    assert first.delete == ("a",)
    assert reasons(first) == {"Suspended": "JobSuspended"}
    assert "startTime" not in first.status
    second = decide(after(job, first), [a_pod("a", deleting=True)], NOW)
    assert (second.release, second.failures, second.notes) == (("a",), 0, ())
    job["spec"]["suspend"] = False
    third = decide(after(job, second), [], NOW)
    assert (third.create, reasons(third)) == ((None,), {})
    assert [note.reason for note in third.notes] == ["Resumed"]


def rule(action: str, **match: Any) -> Json:
    return {"action": action, **match}


EXIT_42 = {"onExitCodes": {"operator": "In", "values": [42]}}
NOT_42 = {"onExitCodes": {"operator": "NotIn", "values": [42]}}
OTHER = {"onExitCodes": {"operator": "In", "values": [42], "containerName": "other"}}
NOT_READY = {"onPodConditions": [{"type": "Ready", "status": "False"}]}


@pytest.mark.parametrize(
    ("rules", "action"),
    [
        ([rule("FailJob", **EXIT_42)], "FailJob"),
        ([rule("FailJob", **NOT_42)], None),
        ([rule("FailJob", **OTHER)], None),
        ([rule("Ignore", **NOT_READY), rule("FailJob", **EXIT_42)], "Ignore"),
        ([rule("Count", onPodConditions=[{"type": "DisruptionTarget"}])], None),
        ([], None),
    ],
)
def test_the_first_rule_that_matches_decides_on_a_failed_pod(
    rules: list[Json], action: str | None
) -> None:
    verdict = verdict_of({"rules": rules}, a_pod("p", "Failed", code=42))
    assert (verdict and verdict.action) == action


def test_a_failed_pod_can_fail_the_job_at_once() -> None:
    policy = {"rules": [rule("FailJob", **EXIT_42)]}
    job = a_job({"startTime": stamp(NOW)}, backoffLimit=9, podFailurePolicy=policy)
    plan = decide(job, [a_pod("p", "Failed", code=42)], NOW)
    assert plan.status["conditions"][0]["message"] == (
        "Container main for pod n/p failed with exit code 42 matching FailJob rule at index 0"
    )


def test_an_ignored_failure_is_replaced_and_not_counted() -> None:
    policy = {"rules": [rule("Ignore", **NOT_READY)]}
    job = a_job({"startTime": stamp(NOW)}, backoffLimit=0, podFailurePolicy=policy)
    plan = decide(job, [a_pod("p", "Failed", code=1)], NOW)
    assert (plan.create, plan.failures, plan.release) == ((None,), 0, ("p",))


@pytest.mark.parametrize(
    ("found", "text"), [([], ""), ([0], "0"), ([0, 1], "0,1"), ([2, 0, 1, 5], "0-2,5")]
)
def test_indexes_are_written_as_the_api_writes_them(found: list[int], text: str) -> None:
    assert ranges(found) == text


@given(st.sets(st.integers(0, 200)))
def test_indexes_are_read_as_they_are_written(found: set[int]) -> None:
    assert indexes(ranges(found)) == found
