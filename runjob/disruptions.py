"""Tell disruptions of a Job's pods from failures, and have Kubernetes not count them."""

from __future__ import annotations

from math import inf

from runjob.errors import UsageError
from runjob.observed import Picture, PodView
from runjob.request import Body

# The condition of a pod that was preempted, evicted, drained or lost with its node:
# https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
CONDITION = "DisruptionTarget"
IGNORE: Body = {"action": "Ignore", "onPodConditions": [{"type": CONDITION}]}

# What the node controller says of a pod whose node is gone; it stays until the node is back.
_NODE_LOST = "DeletionByTaintManager"


def ignored(job: Body) -> Body:
    """Return the Job with a rule before its own, by which a disruption does not count as failure.

    Raises UsageError where Kubernetes knows no such rule: for pods that restart in place.
    """
    spec = job["spec"]
    if (spec["template"]["spec"].get("restartPolicy") or "Always") != "Never":
        raise UsageError(
            "--ignore-disruptions needs restartPolicy Never (-r Never): pods that restart in place "
            "are not counted one by one"
        )
    policy = spec.get("podFailurePolicy") or {}
    rules = policy.get("rules") or []
    if rules[:1] == [IGNORE]:
        return job
    return {**job, "spec": {**spec, "podFailurePolicy": {**policy, "rules": [IGNORE, *rules]}}}


def disruption(pod: PodView) -> str | None:
    """Say in words what disrupted a pod, None where nothing did."""
    condition = pod.condition(CONDITION)
    if condition is not None:
        message = " ".join(condition.message.split())
        told = ": ".join(part for part in (condition.reason, message) if part)
        return f"was disrupted ({told})" if told else "was disrupted"
    return "was deleted by somebody" if pod.taken else None


def to_replace(picture: Picture) -> dict[str, str]:
    """Return by its uid what became of each pod whose replacement the Job still needs.

    A Job whose end is decided, or that is suspended, takes its pods away by itself.
    """
    job = picture.job
    decided = ("SuccessCriteriaMet", "FailureTarget", "Complete", "Failed")
    if picture.job_gone or job.leaving or job.suspended or any(map(job.condition, decided)):
        return {}
    return {
        uid: words
        for uid, pod in picture.pods.items()
        if (words := disruption(pod)) and (pod.phase != "Succeeded" or _is_failed_by(picture, pod))
    }


def is_replaced(picture: Picture, uid: str) -> bool:
    """Tell whether the pod of that uid is sure to be replaced; else its Job may yet fail by it.

    A pod that was just deleted may be so by its Job, whose end is seen a moment later.
    """
    if _is_made_up_for(picture, uid):
        return True
    if picture.pods[uid].condition(CONDITION) is None:
        return False
    return picture.job.ignores_disruptions or picture.job.failed < picture.job.backoff_limit


def _is_made_up_for(picture: Picture, uid: str) -> bool:
    """Tell whether a later pod is there, and with it as many as are to run side by side."""
    job, there = picture.job, list(picture.pods)
    alive = [other for other, pod in picture.pods.items() if not (pod.over or pod.deleting)]
    left = inf if job.completions is None else job.completions - job.succeeded
    later = there[there.index(uid) + 1 :]
    return len(alive) >= min(job.parallelism, left) and not set(alive).isdisjoint(later)


def counted(picture: Picture) -> PodView | None:
    """Return the latest pod that failed by a disruption, where its Job counts those as failures.

    A pod that is taken away counts as failed at once, also where its container then ends with 0.
    """
    if picture.job.ignores_disruptions:
        return None
    over = [pod for pod in picture.pods.values() if pod.over]
    blameless = _is_each_success_counted(picture)
    failed = [pod for pod in over if not (blameless and pod.phase == "Succeeded")]
    return next((pod for pod in reversed(failed) if pod.condition(CONDITION)), None)


def deleted(picture: Picture) -> tuple[PodView, ...]:
    """Return the pods by whose deletion the Job failed: one of them at least somebody deleted.

    None where it has cause enough without: it takes its other pods away by itself then.
    """
    job, pods = picture.job, picture.pods.values()
    by_themselves = sum(pod.phase == "Failed" and not _is_deleted(pod) for pod in pods)
    # In pods that restart in place each restart counts, and the last one has the pod taken away.
    restarted = any(
        pod.restarts_in_place and view.restarts for pod in pods for view in pod.containers
    )
    if picture.job_gone or job.leaving or restarted or by_themselves > job.backoff_limit:
        return ()
    return tuple(filter(_is_deleted, pods))


def _is_deleted(pod: PodView) -> bool:
    return pod.taken and pod.condition(CONDITION) is None


def _is_failed_by(picture: Picture, pod: PodView) -> bool:
    """Tell whether the Job counts a pod as failed by its deletion that then ended with 0."""
    return _is_deleted(pod) and not _is_each_success_counted(picture)


def _is_each_success_counted(picture: Picture) -> bool:
    succeeded = sum(pod.phase == "Succeeded" for pod in picture.pods.values())
    return succeeded <= picture.job.succeeded


def is_lost(pod: PodView) -> bool:
    """Tell whether the pod's node is lost: the pod stays, and nothing more is heard of it."""
    condition = pod.condition(CONDITION)
    return pod.deleting and condition is not None and condition.reason == _NODE_LOST
