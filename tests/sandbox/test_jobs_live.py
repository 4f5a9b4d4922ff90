"""Jobs from create to end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runjob.sandbox import Sandbox

from .talk import CORE, JOBS, PODS, Json, Talk, held, is_finished, job, phase_is, shell

Fresh = Callable[[], str]
MERGE = "application/merge-patch+json"


def pods_of(talk: Talk, name: str) -> list[Json]:
    found: list[Json] = talk.get(PODS, labelSelector=f"job-name={name}")["items"]
    return found


def test_a_job_completes_and_says_so(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    made = talk.job(shell(name, "true"))
    done = talk.ended(name)
    assert held(done) == {
        "SuccessCriteriaMet": "CompletionsReached",
        "Complete": "CompletionsReached",
    }
    status = done["status"]
    assert status["succeeded"] == 1
    assert (status["ready"], status["terminating"]) == (0, 0)
    assert status["startTime"] <= status["completionTime"]
    assert [reason for reason, _ in talk.events(made)] == ["SuccessfulCreate", "Completed"]


def test_a_job_fails_and_says_so(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    made = talk.job(shell(name, "exit 1"))
    failed = talk.ended(name)
    assert held(failed) == {
        "FailureTarget": "BackoffLimitExceeded",
        "Failed": "BackoffLimitExceeded",
    }
    assert failed["status"]["failed"] == 1
    assert ("BackoffLimitExceeded", "Job has reached the specified backoff limit") in (
        talk.events(made)
    )


def test_failed_pods_are_replaced_up_to_the_limit(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "exit 1", backoffLimit=2))
    assert talk.ended(name)["status"]["failed"] == 3
    assert [pod["status"]["phase"] for pod in pods_of(talk, name)] == ["Failed"] * 3


def test_a_retry_can_succeed(talk: Talk, fresh: Fresh, tmp_path: object) -> None:
    name = fresh()
    script = f"if mkdir {tmp_path}/once; then exit 1; fi"
    talk.job(shell(name, script, backoffLimit=3))
    status = talk.ended(name)["status"]
    assert (status["failed"], status["succeeded"]) == (1, 1)


def test_completions_are_reached_in_parallel(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "true", completions=5, parallelism=2))
    assert talk.ended(name)["status"]["succeeded"] == 5
    assert len(pods_of(talk, name)) == 5


def test_each_index_has_its_pod_its_number_and_its_host_name(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    script = 'echo "$JOB_COMPLETION_INDEX $HOSTNAME"'
    talk.job(shell(name, script, completionMode="Indexed", completions=3, parallelism=3))
    assert talk.ended(name)["status"]["completedIndexes"] == "0-2"
    logs = sorted(talk.log(pod["metadata"]["name"]) for pod in pods_of(talk, name))
    assert logs == [f"{index} {name}-{index}\n".encode() for index in range(3)]
    names = sorted(pod["metadata"]["name"] for pod in pods_of(talk, name))
    assert [each[: len(name) + 3] for each in names] == [f"{name}-{i}-" for i in range(3)]


def test_restarts_in_place_end_with_the_limit(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "exit 1", backoffLimit=1, pod={"restartPolicy": "OnFailure"}))
    assert held(talk.ended(name))["Failed"] == "BackoffLimitExceeded"


def test_a_job_has_a_deadline(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "exec sleep 60", activeDeadlineSeconds=1))
    assert held(talk.ended(name))["Failed"] == "DeadlineExceeded"


def test_a_finished_job_expires(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "true", ttlSecondsAfterFinished=1))
    talk.ended(name)
    talk.gone(JOBS, name)
    assert pods_of(talk, name) == []


def test_a_suspended_job_waits_until_it_is_resumed(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    path = f"{JOBS}/{name}"
    made = talk.job(shell(name, "exec sleep 60"))
    pod = talk.pod(name, phase_is("Running"))
    talk.call("PATCH", path, {"spec": {"suspend": True}}, kind=MERGE)
    talk.gone(PODS, pod["metadata"]["name"])
    assert "Suspended" in held(talk.get(path))
    talk.call("PATCH", path, {"spec": {"suspend": False}}, kind=MERGE)
    again = talk.pod(name, phase_is("Running"))
    assert again["metadata"]["uid"] != pod["metadata"]["uid"]
    found = talk.get(path)
    assert held(found) == {}
    assert "failed" not in found["status"]
    reasons = [reason for reason, _ in talk.events(made)]
    assert reasons.count("Suspended") == reasons.count("Resumed") == 1
    talk.call("DELETE", path, propagationPolicy="Background")


def test_less_parallelism_deletes_pods(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "exec sleep 60", parallelism=3, completions=9, backoffLimit=9))
    path = f"{JOBS}/{name}"
    query = {"fieldSelector": f"metadata.name={name}"}
    talk.until(JOBS, lambda each: each["status"].get("ready") == 3, **query)
    talk.call("PATCH", path, {"spec": {"parallelism": 1}}, kind=MERGE)
    talk.until(JOBS, lambda each: each["status"].get("active") == 1, **query)
    talk.call("DELETE", path, propagationPolicy="Background")


@pytest.mark.parametrize(("action", "failed"), [("FailJob", 1), ("Ignore", 0), ("Count", 2)])
def test_a_failure_policy_decides_on_exit_codes(
    talk: Talk, fresh: Fresh, tmp_path: object, action: str, failed: int
) -> None:
    name = fresh()
    codes = {"operator": "In", "values": [42]}
    policy = {"rules": [{"action": action, "onExitCodes": codes}]}
    script = f"if mkdir {tmp_path}/a; then exit 42; elif mkdir {tmp_path}/b; then exit 42; fi"
    talk.job(shell(name, script, backoffLimit=5, podFailurePolicy=policy))
    done = talk.ended(name)
    assert done["status"].get("failed", 0) == failed
    assert ("Failed" in held(done)) is (action == "FailJob")


def test_a_disrupted_pod_need_not_count(talk: Talk, fresh: Fresh, tmp_path: object) -> None:
    name = fresh()
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    script = f"if mkdir {tmp_path}/once; then exec sleep 60; fi"
    talk.job(shell(name, script, podFailurePolicy={"rules": [rule]}))
    pod = talk.pod(name, phase_is("Running"))
    talk.call("POST", f"{PODS}/{pod['metadata']['name']}/eviction", {})
    done = talk.ended(name)
    assert "Complete" in held(done)
    assert "failed" not in done["status"]


def test_a_deleted_pod_is_replaced(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    talk.job(shell(name, "exec sleep 60", backoffLimit=3))
    pod = talk.pod(name, phase_is("Running"))
    talk.call("DELETE", f"{PODS}/{pod['metadata']['name']}")
    own = pod["metadata"]["uid"]
    talk.pod(name, lambda p: p["metadata"]["uid"] != own and p["status"]["phase"] == "Running")
    talk.call("DELETE", f"{JOBS}/{name}", propagationPolicy="Background")


def test_pods_that_cannot_be_made_are_reported_and_tried_again(talk: Talk, fresh: Fresh) -> None:
    name = fresh()
    made = talk.job(shell(name, "true", pod={"serviceAccountName": name}))
    event = talk.until(
        f"{CORE}/events",
        lambda event: event["reason"] == "FailedCreate",
        fieldSelector=f"involvedObject.uid={made['metadata']['uid']}",
    )
    assert event["message"].endswith(f'serviceaccount "{name}" not found')
    talk.create(f"{CORE}/serviceaccounts", {"metadata": {"name": name}})
    assert "Complete" in held(talk.ended(name))


def test_many_jobs_at_once_all_complete(fresh: Fresh) -> None:
    with Sandbox() as sandbox:
        talk = Talk(sandbox)
        names = {fresh() for _ in range(60)}
        for name in names:
            talk.job(job(name, "true"))
        done: set[str] = set()
        for event in talk.watch(JOBS, timeoutSeconds=60):
            if is_finished(event["object"]):
                done.add(event["object"]["metadata"]["name"])
            if done == names:
                break
        assert done == names
