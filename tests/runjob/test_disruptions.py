"""A disruption is no failure of the Job's own, and is told from one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runjob.diagnosis import failures
from runjob.disruptions import (
    IGNORE,
    counted,
    disruption,
    ignored,
    is_lost,
    is_replaced,
    to_replace,
)
from runjob.endings import natural_end
from runjob.errors import Exit, UsageError
from runjob.observed import JobView, Picture, PodView, job_view
from tests.runjob.scenes import JOB, POD, condition, container, ended, picture, pod

EVICTED = (condition("DisruptionTarget", "EvictionByEvictionAPI", "Eviction API: evicting"),)
LOST = (condition("DisruptionTarget", "DeletionByTaintManager"),)
FAIL = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}


def job(policy: str | None = "Never", **spec: Any) -> Any:
    restart = {} if policy is None else {"restartPolicy": policy}
    return {"spec": {**spec, "template": {"spec": {**restart, "containers": []}}}}


def rules(body: Any) -> Any:
    return body["spec"]["podFailurePolicy"]["rules"]


def test_the_rule_comes_before_a_manifests_own() -> None:
    assert rules(ignored(job())) == [IGNORE]
    assert rules(ignored(job(podFailurePolicy={"rules": [FAIL]}))) == [IGNORE, FAIL]
    assert rules(ignored(job(podFailurePolicy=None))) == [IGNORE]


def test_the_rule_is_written_once() -> None:
    once = ignored(job(podFailurePolicy={"rules": [FAIL]}))
    assert ignored(once) is once


@pytest.mark.parametrize("policy", ["OnFailure", None])
def test_pods_that_restart_in_place_know_no_such_rule(policy: str | None) -> None:
    with pytest.raises(UsageError, match="needs restartPolicy Never"):
        ignored(job(policy))


def test_a_job_is_seen_to_ignore_disruptions() -> None:
    metadata = {"uid": "u", "name": "n"}
    assert job_view({"metadata": metadata, **ignored(job())}).ignores_disruptions
    other = {"action": "Ignore", "onPodConditions": [{"type": "ConfigIssue"}]}
    for policy in ([FAIL], [other], [{**IGNORE, "action": "Count"}]):
        body = {"metadata": metadata, **job(podFailurePolicy={"rules": policy})}
        assert not job_view(body).ignores_disruptions


@pytest.mark.parametrize(
    ("view", "words"),
    [
        pytest.param(pod(phase="Running"), None, id="runs"),
        pytest.param(pod(phase="Failed"), None, id="failed by itself"),
        pytest.param(pod(phase="Succeeded", deleting=True), None, id="cleaned up"),
        pytest.param(pod(phase="Failed", taken=True), "was deleted by somebody", id="taken"),
        pytest.param(
            pod(conditions=EVICTED),
            "was disrupted (EvictionByEvictionAPI: Eviction API: evicting)",
            id="evicted",
        ),
        pytest.param(
            pod(conditions=LOST), "was disrupted (DeletionByTaintManager)", id="without a message"
        ),
        pytest.param(
            pod(conditions=(condition("DisruptionTarget"),)), "was disrupted", id="without a word"
        ),
    ],
)
def test_what_took_a_pod_away_is_put_into_words(view: Any, words: str | None) -> None:
    assert disruption(view) == words


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(picture(pod(conditions=EVICTED), suspended=True), id="suspended"),
        pytest.param(picture(pod(conditions=EVICTED), leaving=True), id="being deleted"),
        pytest.param(picture(pod(conditions=EVICTED), gone=True), id="gone"),
        pytest.param(picture(pod(conditions=EVICTED), condition("FailureTarget")), id="failing"),
        pytest.param(picture(pod(phase="Running")), id="nothing happened"),
    ],
)
def test_nothing_replaces_the_pods_of_a_job_that_ends(seen: Picture) -> None:
    assert to_replace(seen) == {}


def test_a_disrupted_pod_of_a_job_that_goes_on_is_to_be_replaced() -> None:
    seen = picture(pod(conditions=EVICTED, uid="a"), pod(phase="Running", uid="b"))
    assert list(to_replace(seen)) == ["a"]


def test_it_is_known_when_a_pod_is_sure_to_be_replaced() -> None:
    evicted = pod(conditions=EVICTED, uid="a")
    assert not is_replaced(picture(evicted), "a")
    assert is_replaced(picture(evicted, backoff_limit=1), "a")
    assert not is_replaced(picture(evicted, backoff_limit=1, failed=1), "a")
    assert is_replaced(picture(evicted, ignores_disruptions=True), "a")
    assert not is_replaced(picture(pod(uid="a", deleting=True), ignores_disruptions=True), "a")
    assert is_replaced(picture(evicted, pod(uid="b")), "a")
    assert not is_replaced(picture(evicted, pod(uid="b", phase="Failed")), "a")
    assert not is_replaced(picture(pod(uid="b"), evicted), "a")


def test_a_pod_that_is_just_deleted_may_be_so_by_its_job() -> None:
    """Its deadline, say, of which the Job's own watch tells a moment later."""
    taken = pod(phase="Running", deleting=True, uid="a")
    assert to_replace(picture(taken, backoff_limit=1)) == {"a": "was deleted by somebody"}
    assert not is_replaced(picture(taken, backoff_limit=1), "a")
    assert is_replaced(picture(taken, pod(uid="b"), backoff_limit=1), "a")


def test_a_pod_that_is_deleted_and_then_ends_with_0_is_replaced_where_it_counts_as_failed() -> None:
    gone = picture(pod(phase="Running", deleting=True)).after(pod(phase="Succeeded", deleting=True))
    assert list(to_replace(gone)) == [POD]
    assert to_replace(gone.after(JobView(uid=JOB, succeeded=1))) == {}


def test_a_pod_beside_it_replaces_none() -> None:
    evicted, beside = pod(conditions=EVICTED, deleting=True, uid="a"), pod(uid="b")
    assert not is_replaced(picture(evicted, beside, parallelism=2), "a")
    assert is_replaced(picture(evicted, beside, pod(uid="c"), parallelism=2), "a")
    done = pod(uid="b", phase="Succeeded")
    both: dict[str, Any] = {"parallelism": 2, "completions": 2}
    assert not is_replaced(picture(evicted, done, succeeded=1, **both), "a")
    assert is_replaced(picture(evicted, done, pod(uid="c"), succeeded=1, **both), "a")
    assert is_replaced(picture(evicted, beside, parallelism=2, completions=1), "a")


def test_what_succeeded_before_it_was_taken_away_is_replaced_by_nothing() -> None:
    assert to_replace(picture(pod(phase="Succeeded", conditions=EVICTED))) == {}


def test_what_counted_against_the_retries_is_named_with_the_option_that_spares_it() -> None:
    main = container(terminated=ended(143))
    exceeded = condition("Failed", "BackoffLimitExceeded")
    evicted = pod(main, phase="Failed", conditions=EVICTED)
    end = natural_end(picture(evicted, exceeded))
    assert end is not None
    assert end.code is Exit.FAILED
    assert "was disrupted (EvictionByEvictionAPI" in end.text
    assert "--ignore-disruptions" in end.hint
    spared = natural_end(picture(evicted, exceeded, ignores_disruptions=True))
    assert spared is not None
    assert "--ignore-disruptions" not in spared.hint


def test_a_disruption_before_the_last_failure_is_named_too() -> None:
    own = pod(container(terminated=ended(3, seconds=9)), phase="Failed", uid="b", name="b")
    evicted = pod(container(terminated=ended(143)), phase="Failed", uid="a", name="a",
                  conditions=EVICTED)  # fmt: skip
    end = natural_end(picture(evicted, own, condition("Failed", "BackoffLimitExceeded")))
    assert end is not None
    assert "pod b ended with exit code 3" in end.text
    assert "; pod a was disrupted (EvictionByEvictionAPI" in end.text


def test_a_pod_that_ends_with_0_as_it_is_taken_away_is_named_too() -> None:
    """The Job has counted it as failed by then, and counts no pod as succeeded for it."""
    exceeded = condition("Failed", "BackoffLimitExceeded")
    taken = pod(container(terminated=ended(0)), phase="Succeeded", conditions=EVICTED, uid="a")
    for view in (taken, replace(taken, gone=True)):
        end = natural_end(picture(view, exceeded))
        assert end is not None
        assert "was disrupted (EvictionByEvictionAPI" in end.text
        assert "--ignore-disruptions" in end.hint
    done = pod(phase="Succeeded", uid="b")
    assert counted(picture(done, taken, succeeded=1)) == taken
    assert counted(picture(done, taken, succeeded=2)) is None


def test_pods_that_failed_by_themselves_are_no_disruption() -> None:
    assert counted(picture(pod(phase="Failed"))) is None
    assert counted(picture(pod(phase="Running", conditions=EVICTED))) is None
    done = pod(phase="Succeeded", gone=True, conditions=EVICTED)
    assert counted(picture(done, succeeded=1)) is None
    assert failures(picture(pod(phase="Failed")))[0].text.endswith("no reason given")


EXCEEDED = condition("Failed", "BackoffLimitExceeded")
DELETED = "was deleted by somebody"


def taken(uid: str = "a", phase: str = "Failed", **more: Any) -> PodView:
    """Return a pod that was deleted while it ran."""
    main = container(terminated=ended(143, seconds=5))
    return pod(main, phase=phase, taken=True, deleting=True, uid=uid, name=uid, **more)


def over(*pods: PodView, reason: str = "BackoffLimitExceeded", **job: Any) -> Picture:
    """Return a Job that failed, whose pods were seen as they are given."""
    seen = picture(condition("Failed", reason), **job)
    return replace(seen, pods={each.uid: each for each in pods})


def own(uid: str = "b") -> PodView:
    """Return a pod that failed by itself."""
    return pod(container(terminated=ended(3)), phase="Failed", uid=uid, name=uid)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(over(taken()), f"(SIGTERM); pod a {DELETED}", id="its only pod"),
        pytest.param(over(taken(phase="Succeeded")), f"pod a {DELETED}", id="ended with 0"),
        pytest.param(over(taken(phase="Running", gone=True)), f"pod a {DELETED}", id="at once"),
        pytest.param(over(taken(), own(), backoff_limit=1), f"pod a {DELETED}", id="and a failure"),
        pytest.param(over(taken(), taken("b")), f"one of its pods {DELETED}", id="one of two"),
    ],
)
def test_who_deletes_a_pod_by_which_the_job_fails_is_somebody(seen: Picture, words: str) -> None:
    end = natural_end(seen)
    assert end is not None
    assert end.code is Exit.FAILED
    assert end.text.endswith(words)
    assert "find out who deletes pods" in end.hint


RESTARTED = pod(container(restarts=1), phase="Running", taken=True, restarts_in_place=True)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(over(own(), taken()), id="the other failed, and the Job takes this away"),
        pytest.param(over(RESTARTED), id="restarts used up"),
        pytest.param(over(taken(), reason="PodFailurePolicy"), id="a policy"),
        pytest.param(over(taken(), reason="DeadlineExceeded"), id="a deadline"),
        pytest.param(over(taken(), leaving=True), id="the Job is deleted"),
        pytest.param(over(taken(conditions=EVICTED)), id="evicted"),
        pytest.param(over(own()), id="failed by itself"),
    ],
)
def test_what_the_job_takes_away_by_itself_nobody_deleted(seen: Picture) -> None:
    end = natural_end(seen)
    assert end is not None
    assert DELETED not in end.text
    assert "who deletes pods" not in end.hint


@pytest.mark.parametrize(
    ("interim", "code"), [("SuccessCriteriaMet", Exit.SUCCEEDED), ("FailureTarget", Exit.FAILED)]
)
def test_a_pod_on_a_lost_node_does_not_keep_an_end_that_is_decided(
    interim: str, code: Exit
) -> None:
    """Kubernetes says Complete or Failed only once each pod is seen to have ended."""
    lost = pod(phase="Running", deleting=True, conditions=LOST, uid="a")
    assert is_lost(lost)
    assert not is_lost(pod(phase="Running", conditions=LOST))
    assert not is_lost(pod(phase="Running", deleting=True))
    done = pod(phase="Succeeded", uid="b")
    end = natural_end(picture(lost, done, condition(interim)))
    assert end is not None
    assert end.code is code
    assert natural_end(picture(lost, pod(phase="Running", uid="b"), condition(interim))) is None
    assert natural_end(picture(done, condition(interim))) is None


@pytest.mark.parametrize(("killed", "code"), [(False, Exit.DELETED), (True, Exit.KILLED)])
def test_a_job_that_is_deleted_before_its_pod_on_a_lost_node_is_not_waited_for(
    killed: bool, code: Exit
) -> None:
    """What is deleted in the foreground stays as long as its pods do."""
    lost = pod(phase="Running", deleting=True, conditions=LOST, uid="a")
    end = natural_end(picture(lost, leaving=True, killed=killed))
    assert end is not None
    assert end.code is code
    other = pod(phase="Running", deleting=True, uid="b")
    assert natural_end(picture(lost, other, leaving=True)) is None
