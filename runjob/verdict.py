"""Judge how a Job ended, and say why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from runjob.diagnosis import (
    Failure,
    describe,
    failures,
    is_main,
    main_container_code,
    warnings,
)
from runjob.disruptions import counted, disruption, is_lost
from runjob.errors import Exit
from runjob.observed import Picture, PodView
from runjob.sidecars import held, is_decided, is_enough, without
from runjob.waiting import Waiting, cannot_start, causes, hopeless, with_absent_secret


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


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The truth about one launch.

    exit_code is what the process returns; ending tells why in words; running, succeeded and failed
    count pods. started and finished bound the time in which a container ran, queued_seconds is the
    time until a node took the first pod, pulling_seconds from there to the first start of a
    container (image pull and set-up); None where it never came to that. container_code is the main
    container's exit code, None when it did not end; mapped_from is the one that --map-exit turned
    into exit_code, None when it turned none.
    """

    job: str
    namespace: str
    exit_code: int
    ending: Ending
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    attempts: int = 0
    queued_seconds: float | None = None
    pulling_seconds: float | None = None
    running_seconds: float | None = None
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    pods: tuple[PodView, ...] = ()
    left_behind: str = ""
    container_code: int | None = None
    mapped_from: int | None = None

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        first, *more = [
            part.rstrip(".")
            for part in (self.ending.text, self.ending.hint, self._mapping, self.left_behind)
            if part
        ]
        return ". ".join([first, *(part[:1].upper() + part[1:] for part in more)]) + "."

    @property
    def _mapping(self) -> str:
        if self.mapped_from is None:
            return ""
        return f"exit code {self.mapped_from} is mapped to {self.exit_code} by --map-exit"


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
    # What is deleted in the foreground stays as long as its pods, and those for ever.
    gone = picture.job_gone or (job.leaving and lost)
    if gone and job.killed:
        return Ending(code=Exit.KILLED, text="a kill of this run (--kill) ended it")
    if gone:
        return Ending(
            code=Exit.DELETED,
            text="was deleted by somebody else before it ended",
            hint="nothing is known about its result; find out who removes Jobs in this namespace "
            "(a clean-up task, a TTL, a colleague) before you run it again",
        )
    return None


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
    if disrupted is None:
        return Ending(code=Exit.FAILED, text=text, hint=_hint(last, reason))
    if last is None or last.pod != disrupted.name:
        text += f"; pod {disrupted.name} {disruption(disrupted)}"
    return Ending(
        code=Exit.FAILED,
        text=text,
        hint="a disruption counted against the retries: --ignore-disruptions has it not count",
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


def overdue_end(picture: Picture, timeout: float) -> Ending:
    """Return the end of a Job that waited too long for its start."""
    why = next(iter(causes(picture).values()), None)
    text = why.text if why else "no reason was given"
    absent = re.search(r'"[^"]+" not found', text)
    unschedulable = why is not None and why.text.startswith("Unschedulable")
    image = "cannot be pulled" in text
    if absent and not image:
        code = Exit.CONFIGURATION
        hint = "create what is missing (--preflight shows whether more is)"
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


def is_moving(picture: Picture) -> bool:
    """Tell whether the Job runs, or something is under way whose end another party bounds."""
    if picture.job.ready or any(
        pod.started and not pod.over and _at_work(pod) for pod in picture.pods.values()
    ):
        return True
    return any(why.moving for why in causes(picture).values())


def _at_work(pod: PodView) -> bool:
    """Tell whether a container runs; one that restarts counts, backoffLimit ends that."""
    return pod.phase == "Running" or any(each.running for each in pod.containers)


def progress(picture: Picture) -> tuple[int, ...]:
    """Measure how far the pods have come; it grows when something moved, and with each new pod."""
    return tuple(
        sum(
            (
                1,
                bool(pod.node),
                sum(each.started for each in pod.containers),
                sum(bool(each.terminated) for each in pod.containers if each.role == "init"),
                pod.over,
            )
        )
        for pod in picture.pods.values()
    )


def exit_code(
    ending: Ending,
    picture: Picture | None,
    container: bool,
    mapped: tuple[tuple[int, int], ...],
    main: str | None = None,
) -> int:
    """Return the process's exit code: the ending's, or what --exit-code and --map-exit make of it.

    Only an end that the Job came to by its containers is theirs to tell: after a signal, a
    deletion or a Job that never started the ending's own code stands.
    """
    if not container or picture is None or ending.code not in (Exit.SUCCEEDED, Exit.FAILED):
        return int(ending.code)
    code = _container_code(ending, picture, main)
    if code is None or (code == 0 and ending.code is Exit.FAILED):
        # The container succeeded and the Job did not: no code of it says so.
        return int(ending.code)
    return dict(mapped).get(code, code)


_GAPS = "parts of the log that could not be read, each told of where it is missing"


def verdict(
    label: str,
    ending: Ending,
    picture: Picture | None,
    *,
    judged: Picture | None = None,
    container: bool = False,
    mapped: tuple[tuple[int, int], ...] = (),
    main: str | None = None,
    left_behind: str = "",
    gaps: int = 0,
) -> Verdict:
    """Sum up one launch; picture is None when no Job was made.

    judged is the picture on which the ending was decided: what failed after it, as we removed the
    Job, is no failure of the Job's.
    """
    namespace, _, name = label.partition("/")
    code = exit_code(ending, judged or picture, container, mapped, main)
    unmapped = exit_code(ending, judged or picture, container, (), main)
    if picture is None:
        return Verdict(
            job=name, namespace=namespace, exit_code=code, ending=ending, left_behind=left_behind
        )
    # A pull can be judged before its events are known.
    ending = replace(ending, text=with_absent_secret(ending.text, picture.events.values()))
    pods = tuple(picture.pods.values())
    created = picture.job.created
    scheduled = min((at for pod in pods if (at := _scheduled(pod))), default=None)
    runs = [
        end
        for pod in pods
        for view in pod.containers
        for end in (view.last, view.terminated)
        if end and is_main(view, main)
    ]
    begun = [end.started for end in runs if end.started] + [
        view.running for pod in pods for view in pod.containers if view.running
    ]
    started = min(begun, default=None)
    finished = max((end.finished for end in runs if end.finished), default=None)
    return Verdict(
        job=name,
        namespace=namespace,
        exit_code=code,
        ending=ending,
        running=picture.job.active,
        succeeded=picture.job.succeeded,
        failed=picture.job.failed,
        attempts=len(pods) + sum(view.restarts for pod in pods for view in pod.containers),
        queued_seconds=_between(created, scheduled),
        pulling_seconds=_between(scheduled, started),
        running_seconds=_between(started, finished),
        failures=failures(judged or picture),
        warnings=(*warnings(picture), *([f"{_GAPS}: {gaps}"] if gaps else [])),
        pods=pods,
        left_behind=left_behind,
        container_code=_container_code(ending, judged or picture, main),
        mapped_from=unmapped if unmapped != code else None,
    )


def _container_code(ending: Ending, picture: Picture, main: str | None) -> int | None:
    # A Job that completed did so by a container's 0, whatever earlier attempts ended with.
    return 0 if ending.code is Exit.SUCCEEDED else main_container_code(picture, main)


def _scheduled(pod: PodView) -> datetime | None:
    condition = pod.condition("PodScheduled")
    return condition.since if condition else None


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max((end - start).total_seconds(), 0.0)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as --result-file writes it; its schema stands in docs/endings.md."""
    return {
        "schema": 1,
        "job": verdict.job,
        "namespace": verdict.namespace,
        "exit_code": verdict.exit_code,
        "mapped_from": verdict.mapped_from,
        "ending": verdict.ending.code.name.lower(),
        "verdict": verdict.sentence,
        "reason": verdict.ending.text,
        "hint": verdict.ending.hint,
        "pods": {
            "running": verdict.running,
            "succeeded": verdict.succeeded,
            "failed": verdict.failed,
        },
        "attempts": verdict.attempts,
        "seconds": {
            "queued": verdict.queued_seconds,
            "pulling": verdict.pulling_seconds,
            "running": verdict.running_seconds,
        },
        "containers": [
            {
                "pod": pod.name,
                "node": pod.node or None,
                "container": view.name,
                "role": view.role,
                "restarts": view.restarts,
                "exit_code": end.exit_code if (end := view.latest_end) else None,
                "reason": (end.reason if end else "") or pod.reason or None,
            }
            for pod in verdict.pods
            for view in pod.containers
        ],
        "failures": [
            {
                "pod": failure.pod,
                "container": failure.container or None,
                "node": failure.node or None,
                "attempt": failure.attempt,
                "exit_code": failure.exit_code,
                "reason": failure.reason or None,
                "text": failure.text,
            }
            for failure in verdict.failures
        ],
        "warnings": list(verdict.warnings),
    }
