"""Decide which end a Job came to, or has to be brought to."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from runjob.diagnosis import Failure, describe, failures
from runjob.disruptions import counted, deleted, disruption, is_lost
from runjob.errors import Exit
from runjob.observed import Picture, PodView
from runjob.sidecars import held, is_decided, is_enough, without
from runjob.waiting import Waiting, cannot_start, causes, hopeless


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How it ended: the exit code, what happened in plain words, and what to do about it.

    final tells that the Job itself is over or gone; otherwise it was we who ended it. decided tells
    that its main containers have ended, and only sidecars ran on.
    """

    code: Exit
    text: str
    hint: str = ""
    final: bool = True
    decided: bool = False


def natural_end(picture: Picture) -> Ending | None:
    """Return the end that the Job came to by itself, None while it lives.

    Only its conditions decide: https://kubernetes.io/docs/concepts/workloads/controllers/job/
    (Complete and Failed are terminal; SuccessCriteriaMet and FailureTarget precede them while pods
    still end, and for ever while a pod stays on a node that is lost).
    """
    job, lost = picture.job, _only_lost_pods(picture)
    if job.condition("Complete") or (lost and job.condition("SuccessCriteriaMet")):
        return Ending(code=Exit.SUCCEEDED, text="succeeded")
    failed = job.condition("Failed") or (job.condition("FailureTarget") if lost else None)
    if failed is not None:
        return _failed(picture, failed.reason, failed.message)
    # What is deleted in the foreground stays as long as its pods, and those for ever on a node that
    # is lost; and as long as others hold it: no pod is made or counted any more then.
    stays = lost or (job.held and _has_no_pod_alive(picture))
    gone = picture.job_gone or (job.leaving and stays)
    if gone and job.killed:
        return Ending(code=Exit.KILLED, text="was ended by a kill of this run (--kill)")
    if gone and job.replaced:
        return Ending(
            code=Exit.DELETED,
            text="was replaced by a newer launch (--if-exists replace) before it ended",
            hint="what counts is the verdict of that launch",
        )
    if gone:
        return Ending(
            code=Exit.DELETED,
            text="was deleted by somebody else before it ended",
            hint="nothing is known about its result; find out who removes Jobs in this namespace "
            "(a clean-up task, a TTL, a colleague) before you run it again",
        )
    return None


def _has_no_pod_alive(picture: Picture) -> bool:
    job, pods = picture.job, picture.pods.values()
    counted = job.active + job.succeeded + job.failed
    return len(pods) >= counted and all(pod.over for pod in pods)


def _only_lost_pods(picture: Picture) -> bool:
    alive = [pod for pod in picture.pods.values() if not pod.over]
    return bool(alive) and all(map(is_lost, alive))


def _failed(picture: Picture, reason: str, message: str) -> Ending:
    if reason == "DeadlineExceeded" and picture.job.lease.ran_out:
        return Ending(
            code=Exit.DEADLINE,
            text="failed: its lease ran out (--on-lost kill): for "
            f"{picture.job.lease.term // 60} min no sign of life of its launcher reached the API",
            hint="its own deadline was not reached; find out what ended that launcher, or kept it "
            "from the API",
        )
    if reason == "DeadlineExceeded":
        waits = next((why.text for why in causes(picture).values() if not why.usual), "")
        return Ending(
            code=Exit.DEADLINE,
            text="failed: the Job ran into its deadline (activeDeadlineSeconds)"
            + (f" while it waited: {waits}" if waits else ""),
            hint="give it more time (--deadline), or find out what holds it up",
        )
    stuck = next(
        (why for pod in picture.pods.values() for c in pod.containers if (why := cannot_start(c))),
        None,
    )
    if stuck is not None and not any(_ran(pod) for pod in picture.pods.values()):
        return hopeless_end(None, stuck, final=True)
    told = failures(picture)
    last = told[-1] if told else None
    if last is not None:
        text = f"failed: {last.text}"
    else:
        text = f"failed: {reason or 'no reason given'}" + (f" ({message})" if message else "")
    if picture.job.succeeded:
        text += f"; {picture.job.succeeded} pod(s) succeeded before"
    disrupted = counted(picture) if reason == "BackoffLimitExceeded" else None
    taken = deleted(picture) if reason == "BackoffLimitExceeded" else ()
    if taken and disrupted is None:
        which = f"pod {taken[0].name}" if len(taken) == 1 else "one of its pods"
        return Ending(
            code=Exit.FAILED, text=f"{text}; {which} was deleted by somebody", hint=_DELETED_HINT
        )
    if disrupted is None:
        return Ending(code=Exit.FAILED, text=text, hint=_hint(last, reason))
    if last is None or last.pod != disrupted.name:
        text += f"; pod {disrupted.name} {disruption(disrupted)}"
    return Ending(
        code=Exit.FAILED,
        text=text,
        hint="a disruption counted against the retries: --ignore-disruptions has it not count",
    )


_DELETED_HINT = (
    "a pod that is deleted counts as a failed attempt: find out who deletes pods in this namespace "
    "(kubectl delete pod, a clean-up task); with retries (-b) it is replaced"
)


def _ran(pod: PodView) -> bool:
    return any(
        each.started and cannot_start(each) is None
        for each in pod.containers
        if each.role == "main"
    )


_HINTS = {
    "OOMKilled": "give it more memory (--limits memory=…), or let it use less",
    "Evicted": "the node ran short of something; ask for what the pod needs (--requests)",
}


def _hint(last: Failure | None, reason: str) -> str:
    if last is None:
        return "look at the events above" if reason != "PodFailurePolicy" else ""
    if last.reason in _HINTS:
        return _HINTS[last.reason]
    if last.exit_code in (126, 127):
        return "the image lacks the command, or may not run it: mend -k or the image"
    if last.exit_code == 137:
        return "something killed the container: the node, a limit, or somebody's kill -9"
    return "the program's last lines above tell why"


def hopeless_end(pod: PodView | None, why: Waiting, *, final: bool = False) -> Ending:
    """Return the end of a Job that no waiting can help."""
    where = f"pod {pod.name}: " if pod else ""
    return Ending(
        code=why.final or Exit.NOT_STARTED,
        text=f"cannot start: {where}{why.text}",
        hint=why.hint,
        final=final,
    )


def sidecar_end(picture: Picture, name: str) -> Ending | None:
    """Return the end that the main containers of that name decide while sidecars run on.

    None while they decide nothing.
    """
    pod = without(picture, name)
    if pod is not None:
        there = ", ".join(view.name for view in pod.containers if view.role == "main")
        return Ending(
            code=Exit.CONFIGURATION,
            text=f"pod {pod.name} has no container {name}",
            hint=f"name one that it has with --main-container: {there}",
            final=False,
        )
    holding = held(picture, name)
    if not is_decided(picture, holding):
        return None
    bad = next((each for each in holding if each.end.exit_code), None)
    others = ", ".join(dict.fromkeys(other for each in holding for other in each.others))
    if bad is not None:
        text = f"failed: container {name} of pod {bad.pod.name} "
        text += f"{describe(bad.main, bad.end, bad.pod)}; {others} ran on"
        if picture.job.backoff_limit:
            text += ", so that it was not tried again"
        return Ending(code=Exit.FAILED, text=text, hint=_SIDECAR_HINT, final=False, decided=True)
    if is_enough(picture, holding):
        text = f"succeeded: container {name} ended with exit code 0, {others} ran on"
        return Ending(code=Exit.SUCCEEDED, text=text, final=False, decided=True)
    done = picture.job.succeeded + len(holding)
    return Ending(
        code=Exit.FAILED,
        text=f"failed: container {name} ended with exit code 0 in {done} of "
        f"{picture.job.completions} pods, and no further one can come while {others} run on",
        hint=_SIDECAR_HINT,
        final=False,
        decided=True,
    )


_SIDECAR_HINT = (
    "make it a native sidecar (an init container with restartPolicy Always), which ends with the "
    "others"
)


def early_end(picture: Picture) -> Ending | None:
    """Return the end that is certain already, because a pod can never start."""
    found = hopeless(picture)
    return None if found is None else hopeless_end(*found)


def killed(number: int) -> Ending:
    """Return the end of a launch that the signal of that number ends."""
    code = Exit.INTERRUPTED if number == signal.SIGINT else Exit.KILLED
    return Ending(code=code, text=f"was killed by {signal.Signals(number).name}", final=False)


def overdue_end(picture: Picture, timeout: float) -> Ending:
    """Return the end of a Job that waited too long for its start."""
    why = next(iter(causes(picture).values()), None)
    text = why.text if why else "no reason was given"
    absent = re.search(r'"[^"]+" not found', text)
    unschedulable = why is not None and why.text.startswith("Unschedulable")
    image = "cannot be pulled" in text
    if absent and not image:
        code = Exit.CONFIGURATION
        hint = "create what is missing (--preflight shows whether more is), or wait longer"
    elif unschedulable:
        code, hint = Exit.UNSCHEDULABLE, "ask for less, free the nodes, or wait longer"
    elif image:
        code = Exit.IMAGE
        hint = (
            "the registry did not heal in time; look at it, let the node use the image that it has "
            "(-p IfNotPresent), or wait longer"
        )
    else:
        code, hint = Exit.NOT_STARTED, "mend what it waits for, or wait longer"
    return Ending(
        code=code,
        text=f"did not start within {timeout:.0f} s: {text}",
        hint=f"{hint} (--start-timeout)",
        final=False,
    )
