"""The decisions of the Job controller: from a Job and its pods to what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .moments import seconds_of, stamp
from .podpolicy import Verdict, verdict_of
from .podstatus import with_condition
from .resources import Json, uid_of

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
TEXTS = {
    "BackoffLimitExceeded": "Job has reached the specified backoff limit",
    "DeadlineExceeded": "Job was active longer than specified deadline",
    "CompletionsReached": "Reached expected number of succeeded pods",
}


@dataclass(frozen=True)
class Note:
    """An event that a decision gives rise to."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True)
class Plan:
    """What to do for a Job now: its next status, pods to make, delete and release.

    ``create`` holds one completion index for each pod to make (None where there are none).
    ``look_again`` is the time at which something is due without any change, if there is one.
    """

    status: Json
    create: tuple[int | None, ...] = ()
    delete: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    failures: int = 0
    look_again: float | None = None


def condition_of(job: Json, kind: str) -> Json | None:
    """Find a condition that holds."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] == kind and condition["status"] == "True":
            found: Json = condition
            return found
    return None


def is_finished(job: Json) -> bool:
    """Tell whether the Job has its final condition."""
    return bool(condition_of(job, "Complete") or condition_of(job, "Failed"))


def phase(pod: Json) -> str:
    """Read the phase of a pod."""
    found: str = (pod.get("status") or {}).get("phase", "Pending")
    return found


def is_deleting(pod: Json) -> bool:
    """Tell whether a pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def is_tracked(pod: Json) -> bool:
    """Tell whether the pod is still to be counted."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def is_ready(pod: Json) -> bool:
    """Tell whether the pod is ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def has_failed(pod: Json, only_ended: bool) -> bool:
    """Tell whether a pod counts as failed; a deleted one does at once, unless told otherwise."""
    if phase(pod) == "Failed":
        return True
    return not only_ended and is_deleting(pod) and phase(pod) != "Succeeded"


def index_of(pod: Json) -> int | None:
    """Read the completion index of a pod; None when it has none."""
    text = (pod["metadata"].get("annotations") or {}).get(INDEX)
    return None if text is None else int(text)


def indexes(text: str) -> set[int]:
    """Read ranges as the API writes them (``0-2,5``)."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def ranges(found: Iterable[int]) -> str:
    """Write indexes as the API does: two neighbours with a comma, more with a dash."""
    runs: list[list[int]] = []
    for index in sorted(found):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = (f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)
    return ",".join(parts)


def decide(job: Json, pods: Sequence[Json], now: float, retry_at: float = 0.0) -> Plan:
    """Decide what a Job needs; no pod is made before ``retry_at``."""
    if is_finished(job):
        return Plan(job["status"], release=_names(filter(is_tracked, pods)))
    spec, before = job["spec"], job.get("status") or {}
    only_ended = spec["podReplacementPolicy"] == "Failed"
    tally = _count(job, pods, only_ended)
    live = [pod for pod in pods if phase(pod) not in ("Succeeded", "Failed")]
    active = [pod for pod in live if not is_deleting(pod)]
    terminating = len(live) - len(active)
    status = {
        **before,
        "active": len(active),
        "ready": sum(map(is_ready, active)),
        "terminating": terminating,
        "succeeded": tally.succeeded - len(tally.uncounted.get("succeeded", ())),
        "failed": tally.failed - len(tally.uncounted.get("failed", ())),
        "uncountedTerminatedPods": tally.uncounted,
    }
    if spec["completionMode"] == "Indexed" and tally.completed:
        status["completedIndexes"] = ranges(tally.completed)
    plan = Plan(status, release=tally.release, failures=tally.new_failures)
    if spec.get("suspend"):
        return _suspended(job, plan, active)
    notes: tuple[Note, ...] = ()
    if "startTime" not in before:
        status["startTime"] = stamp(now)
        if _was_suspended(job):
            status["conditions"] = _with(before, "Suspended", "False", "JobResumed", "Job resumed")
            notes = (Note("Resumed", "Job resumed"),)
    interim = _interim(job, tally, active, seconds_of(status["startTime"]), now)
    if interim is not None:
        return _ending(plan, interim, active, terminating, notes)
    wanted = _wanted(job, tally, active)
    deadline = spec.get("activeDeadlineSeconds")
    due = None if deadline is None else seconds_of(status["startTime"]) + deadline
    if len(active) > wanted:
        excess = active[wanted:]
        return _replace(plan, _without(status, excess), delete=_names(excess), notes=notes)
    missing = wanted - len(active) - (terminating if only_ended else 0)
    create: tuple[int | None, ...] = ()
    if missing > 0 and now < retry_at:
        due = retry_at if due is None else min(due, retry_at)
    elif missing > 0:
        create = _to_create(spec, tally.completed, live if only_ended else active, missing)
        status["active"] += len(create)
    return Plan(_tidy(status), create, (), tally.release, notes, tally.new_failures, due)


@dataclass(frozen=True)
class _Tally:
    succeeded: int
    failed: int
    completed: frozenset[int]
    new_failures: int
    uncounted: Json
    release: tuple[str, ...]
    verdict: Verdict | None


def _count(job: Json, pods: Sequence[Json], only_ended: bool) -> _Tally:
    """Count the pods that ended since the last look; each carries the finalizer until then."""
    spec, status = job["spec"], job.get("status") or {}
    indexed = spec["completionMode"] == "Indexed"
    completed = indexes(status.get("completedIndexes", ""))
    # What was noted before is counted now; what is new is noted, and its pod released.
    noted = status.get("uncountedTerminatedPods") or {}
    succeeded = status.get("succeeded", 0) + len(noted.get("succeeded") or ())
    failed = status.get("failed", 0) + len(noted.get("failed") or ())
    new: dict[str, list[str]] = {"succeeded": [], "failed": []}
    release, verdict = [], None
    for pod in filter(is_tracked, pods):
        if phase(pod) == "Succeeded":
            index = index_of(pod)
            if indexed and index is not None:
                if index < spec["completions"]:
                    completed.add(index)
            else:
                succeeded += 1
                new["succeeded"].append(uid_of(pod))
        elif spec.get("suspend") and is_deleting(pod):
            # Ended by the suspension: neither a success nor a failure.
            pass
        elif has_failed(pod, only_ended):
            ruling = verdict_of(spec.get("podFailurePolicy"), pod)
            if ruling is not None and ruling.action == "FailJob" and verdict is None:
                verdict = ruling
            if ruling is None or ruling.action != "Ignore":
                failed += 1
                new["failed"].append(uid_of(pod))
        else:
            continue
        release.append(pod["metadata"]["name"])
    if indexed:
        succeeded = len(completed)
    return _Tally(
        succeeded,
        failed,
        frozenset(completed),
        len(new["failed"]),
        {kind: uids for kind, uids in new.items() if uids},
        tuple(release),
        verdict,
    )


def _interim(
    job: Json, tally: _Tally, active: Sequence[Json], started: float, now: float
) -> Json | None:
    """Find out whether the Job's end is decided: its interim condition, or None."""
    for kind in ("FailureTarget", "SuccessCriteriaMet"):
        if (found := condition_of(job, kind)) is not None:
            return found
    spec = job["spec"]
    deadline, limit = spec.get("activeDeadlineSeconds"), spec["backoffLimit"]
    reason, message = None, ""
    if tally.verdict is not None:
        reason, message = "PodFailurePolicy", tally.verdict.message
    elif tally.failed > limit or _restarts_exceed(spec, active):
        reason = "BackoffLimitExceeded"
    elif deadline is not None and now >= started + deadline:
        reason = "DeadlineExceeded"
    if reason is not None:
        return {"type": "FailureTarget", "reason": reason, "message": message or TEXTS[reason]}
    completions = spec.get("completions")
    if completions is None:
        done = tally.succeeded > 0 and not active
    else:
        done = tally.succeeded >= completions
    if not done:
        return None
    reason = "CompletionsReached"
    return {"type": "SuccessCriteriaMet", "reason": reason, "message": TEXTS[reason]}


def _restarts_exceed(spec: Json, active: Sequence[Json]) -> bool:
    """Judge restarts in place, which stand for failed pods with restartPolicy OnFailure."""
    if spec["template"]["spec"]["restartPolicy"] != "OnFailure":
        return False
    restarts: int = sum(
        entry["restartCount"]
        for pod in active
        for field in ("initContainerStatuses", "containerStatuses")
        for entry in (pod.get("status") or {}).get(field) or ()
    )
    limit: int = spec["backoffLimit"]
    return restarts > 0 if limit == 0 else restarts >= limit


def _ending(
    plan: Plan, interim: Json, active: Sequence[Json], terminating: int, notes: tuple[Note, ...]
) -> Plan:
    """End the Job in two steps: say that it is decided, then, once no pod is left, how."""
    status = plan.status
    if "status" not in interim:
        status["conditions"] = _with(
            status, interim["type"], "True", interim["reason"], interim["message"]
        )
        status = _without(status, active)
        return _replace(plan, status, delete=_names(active), notes=notes)
    if active:
        return _replace(plan, _without(status, active), delete=_names(active), notes=notes)
    if terminating or plan.release:
        return _replace(plan, status, notes=notes)
    reason, message = interim["reason"], interim["message"]
    if interim["type"] == "FailureTarget":
        status["conditions"] = _with(status, "Failed", "True", reason, message)
        notes = (*notes, Note(reason, message, warning=True))
    else:
        status["conditions"] = _with(status, "Complete", "True", reason, message)
        status["completionTime"] = stamp()
        notes = (*notes, Note("Completed", "Job completed"))
    return _replace(plan, status, notes=notes)


def _suspended(job: Json, plan: Plan, active: Sequence[Json]) -> Plan:
    status = _without(plan.status, active)
    status.pop("startTime", None)
    notes: tuple[Note, ...] = ()
    if not _was_suspended(job):
        status["conditions"] = _with(status, "Suspended", "True", "JobSuspended", "Job suspended")
        notes = (Note("Suspended", "Job suspended"),)
    return _replace(plan, status, delete=_names(active), notes=notes)


def _was_suspended(job: Json) -> bool:
    return condition_of(job, "Suspended") is not None


def _wanted(job: Json, tally: _Tally, active: Sequence[Json]) -> int:
    spec = job["spec"]
    parallelism: int = spec["parallelism"]
    completions = spec.get("completions")
    if completions is None:
        # A work queue: after the first success no pod is added.
        return min(len(active), parallelism) if tally.succeeded else parallelism
    missing: int = completions - tally.succeeded
    return max(0, min(parallelism, missing))


def _to_create(
    spec: Json, completed: frozenset[int], occupied: Sequence[Json], missing: int
) -> tuple[int | None, ...]:
    if spec["completionMode"] != "Indexed":
        return (None,) * missing
    taken = completed | {index_of(pod) for pod in occupied}
    free = [index for index in range(spec["completions"]) if index not in taken]
    return tuple(free[:missing])


def _without(status: Json, pods: Sequence[Json]) -> Json:
    """Count pods that are about to be deleted as terminating."""
    gone = len(pods)
    ready = sum(map(is_ready, pods))
    return {
        **status,
        "active": status["active"] - gone,
        "ready": status["ready"] - ready,
        "terminating": status["terminating"] + gone,
    }


def _replace(
    plan: Plan, status: Json, delete: tuple[str, ...] = (), notes: tuple[Note, ...] = ()
) -> Plan:
    return Plan(_tidy(status), (), delete, plan.release, notes, plan.failures)


def _tidy(status: Json) -> Json:
    """Leave out counts of zero where the API does."""
    return {
        key: value
        for key, value in status.items()
        if value or key not in ("active", "succeeded", "failed")
    }


def _with(status: Json, kind: str, value: str, reason: str, message: str) -> list[Json]:
    now = stamp()
    condition = {"type": kind, "status": value, "reason": reason, "message": message}
    times = {"lastProbeTime": now, "lastTransitionTime": now}
    conditions = with_condition(status.get("conditions") or (), condition, now)
    return [{**each, **times} if each["type"] == kind else each for each in conditions]


def _names(pods: Iterable[Json]) -> tuple[str, ...]:
    return tuple(pod["metadata"]["name"] for pod in pods)
