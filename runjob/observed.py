"""What was seen of a Job: small frozen views of the API's objects, and the picture they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from runjob.finalizers import holders
from runjob.lease import Lease, read
from runjob.moments import moment
from runjob.request import Body

# Written on a Job by the --kill of its run, before it deletes it.
KILLED = "runjob/killed"
# And by a launch that replaces it.
REPLACED = "runjob/replaced"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition of a Job or pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A Job; the counts are those of its status.

    completions is None for a work queue; leaving tells that it is being deleted, held that nothing
    but finalizers of others keeps it then, killed that a --kill of its run deletes it, replaced
    that a launch with --if-exists replace does.
    """

    uid: str
    name: str = ""
    created: datetime | None = None
    active: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0
    suspended: bool = False
    completions: int | None = None
    parallelism: int = 1
    backoff_limit: int = 0
    ignores_disruptions: bool = False
    leaving: bool = False
    held: bool = False
    killed: bool = False
    replaced: bool = False
    started: datetime | None = None
    lease: Lease = field(default_factory=Lease)
    conditions: tuple[Condition, ...] = ()

    def condition(self, type: str) -> Condition | None:
        return _true(self.conditions, type)


@dataclass(frozen=True, kw_only=True)
class Terminated:
    """How one run of a container ended. signal is 0 where the runtime named none."""

    exit_code: int
    reason: str = ""
    message: str = ""
    signal: int = 0
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ContainerView:
    """A container of a pod; restarts counts the runs before the present one.

    waiting is the (reason, message) of its state, running the time of its start.
    """

    name: str
    role: Literal["init", "sidecar", "main"] = "main"
    restarts: int = 0
    waiting: tuple[str, str] | None = None
    running: datetime | None = None
    terminated: Terminated | None = None
    last: Terminated | None = None
    memory_limit: str = ""

    @property
    def started(self) -> bool:
        """Whether it has run, or runs."""
        return self.running is not None or self.terminated is not None or self.last is not None

    @property
    def latest_end(self) -> Terminated | None:
        """How its latest run ended; None while it runs, or before it ever did."""
        if self.terminated:
            return self.terminated
        return self.last if self.waiting else None


@dataclass(frozen=True, kw_only=True)
class PodView:
    """A pod of the Job.

    taken tells that it was seen to be deleted before it had ended, while its Job was not suspended.
    """

    uid: str
    name: str
    phase: str = "Pending"
    created: datetime | None = None
    node: str = ""
    reason: str = ""
    message: str = ""
    deleting: bool = False
    gone: bool = False
    taken: bool = False
    restarts_in_place: bool = False
    containers: tuple[ContainerView, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def condition(self, type: str) -> Condition | None:
        return _true(self.conditions, type)

    @property
    def over(self) -> bool:
        """Whether nothing more can come from it."""
        return self.gone or self.phase in ("Succeeded", "Failed")

    @property
    def started(self) -> bool:
        """Whether a main container of it has run."""
        return any(each.started for each in self.containers if each.role == "main")


@dataclass(frozen=True, kw_only=True)
class EventView:
    """An event about the Job or one of its pods."""

    uid: str
    about: str
    type: str
    reason: str
    message: str
    count: int = 1
    at: datetime | None = None


Seen = JobView | PodView | EventView


@dataclass(frozen=True)
class Picture:
    """All that is known of one Job at one moment.

    job_gone tells that the Job was there and is no more; pods and events are by uid, in the order
    in which they were first seen.
    """

    job: JobView
    job_gone: bool = False
    pods: Mapping[str, PodView] = field(default_factory=dict)
    events: Mapping[str, EventView] = field(default_factory=dict)

    def after(self, seen: Seen, *, gone: bool = False) -> Picture:
        """Return the picture with one more observation; what is over does not come back."""
        if isinstance(seen, JobView):
            if seen.uid != self.job.uid:
                # Another Job of that name: ours must have been deleted before it was made.
                return replace(self, job_gone=True)
            pods = _spared(self.pods) if seen.suspended else self.pods
            return replace(self, job=seen, job_gone=self.job_gone or gone, pods=pods)
        if isinstance(seen, PodView):
            known = self.pods.get(seen.uid)
            gone = gone or (known is not None and known.gone)
            view = self._judged(replace(seen, gone=gone), known)
            return replace(self, pods={**self.pods, seen.uid: view})
        return replace(self, events={**self.events, seen.uid: seen})

    def with_only(self, kind: str, uids: frozenset[str]) -> Picture:
        """Return the picture after a list: what it did not hold is gone."""
        if kind == "Job":
            return replace(self, job_gone=self.job_gone or self.job.uid not in uids)
        if kind == "Pod":
            pods = {
                uid: pod if uid in uids else self._judged(replace(pod, gone=True), pod)
                for uid, pod in self.pods.items()
            }
            return replace(self, pods=pods)
        return self

    def _judged(self, pod: PodView, known: PodView | None) -> PodView:
        """Return the pod with the word whether it was taken: its first deletion decides that."""
        if known is not None and (known.deleting or known.over):
            return replace(pod, taken=known.taken)
        ended = pod.phase in ("Succeeded", "Failed")
        taken = (pod.deleting or pod.gone) and not ended and not self.job.suspended
        return replace(pod, taken=taken)

    def about(self, uid: str) -> tuple[EventView, ...]:
        """Return the events about the object of that uid, in the order in which they came."""
        return tuple(event for event in self.events.values() if event.about == uid)

    @property
    def settled(self) -> bool:
        """Whether the end of every pod that the Job has counted was seen here too."""
        return all(pod.over for pod in self.pods.values()) and not self.behind

    @property
    def behind(self) -> bool:
        """Whether the Job has counted a pod whose end was not seen here."""
        over = sum(pod.over for pod in self.pods.values())
        return over < self.job.succeeded + self.job.failed

    @property
    def unseen(self) -> int:
        """How many pods the Job has counted that were never seen here to have begun."""
        begun = sum(pod.started or pod.over for pod in self.pods.values())
        return max(self.job.succeeded + self.job.failed - begun, 0)


def _spared(pods: Mapping[str, PodView]) -> dict[str, PodView]:
    """Return the pods of a Job that is suspended: it takes them away, which may be seen before."""
    return {uid: replace(pod, taken=False) for uid, pod in pods.items()}


def _true(conditions: tuple[Condition, ...], type: str) -> Condition | None:
    return next((each for each in conditions if each.type == type and each.status == "True"), None)


def _conditions(status: Body) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=each["type"],
            status=each["status"],
            reason=each.get("reason") or "",
            message=each.get("message") or "",
            since=moment(each.get("lastTransitionTime")),
        )
        for each in status.get("conditions") or ()
    )


def job_view(body: Body) -> JobView:
    """Read a Job as the API gives it."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    by = holders(body) if metadata.get("deletionTimestamp") else ()
    return JobView(
        uid=metadata["uid"],
        name=metadata["name"],
        created=moment(metadata.get("creationTimestamp")),
        active=status.get("active") or 0,
        ready=status.get("ready") or 0,
        succeeded=status.get("succeeded") or 0,
        failed=status.get("failed") or 0,
        suspended=bool(spec.get("suspend")),
        completions=spec.get("completions"),
        parallelism=spec.get("parallelism", 1),
        backoff_limit=spec.get("backoffLimit", 0),
        ignores_disruptions=_ignores_disruptions(spec),
        leaving=bool(metadata.get("deletionTimestamp")),
        held=bool(by) and len(by) == len(metadata["finalizers"]),
        killed=KILLED in (metadata.get("annotations") or {}),
        replaced=REPLACED in (metadata.get("annotations") or {}),
        started=moment(status.get("startTime")),
        lease=read(body),
        conditions=_conditions(status),
    )


def _ignores_disruptions(spec: Body) -> bool:
    rules = (spec.get("podFailurePolicy") or {}).get("rules") or ()
    return any(
        rule.get("action") == "Ignore" and each.get("type") == "DisruptionTarget"
        for rule in rules
        for each in rule.get("onPodConditions") or ()
    )


def pod_view(body: Body) -> PodView:
    """Read a pod as the API gives it."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    return PodView(
        uid=metadata["uid"],
        name=metadata["name"],
        phase=status.get("phase") or "Pending",
        created=moment(metadata.get("creationTimestamp")),
        node=spec.get("nodeName") or "",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        deleting=bool(metadata.get("deletionTimestamp")),
        restarts_in_place=spec.get("restartPolicy") != "Never",
        containers=_containers(spec, status),
        conditions=_conditions(status),
    )


def _containers(spec: Body, status: Body) -> tuple[ContainerView, ...]:
    seen = {
        each["name"]: each
        for part in ("initContainerStatuses", "containerStatuses")
        for each in status.get(part) or ()
    }
    views = []
    for part in ("initContainers", "containers"):
        for each in spec.get(part) or ():
            role: Literal["init", "sidecar", "main"] = "main"
            if part == "initContainers":
                role = "sidecar" if each.get("restartPolicy") == "Always" else "init"
            views.append(_container(each, seen.get(each["name"], {}), role))
    return tuple(views)


def _container(spec: Body, status: Body, role: Literal["init", "sidecar", "main"]) -> ContainerView:
    state, last = status.get("state") or {}, status.get("lastState") or {}
    waiting, running = state.get("waiting"), state.get("running")
    limits = (spec.get("resources") or {}).get("limits") or {}
    return ContainerView(
        name=spec["name"],
        role=role,
        restarts=status.get("restartCount") or 0,
        waiting=(waiting.get("reason") or "", waiting.get("message") or "")
        if waiting is not None
        else None,
        running=moment(running.get("startedAt")) if running is not None else None,
        terminated=_terminated(state.get("terminated")),
        last=_terminated(last.get("terminated")),
        memory_limit=str(limits.get("memory") or ""),
    )


def _terminated(state: Body | None) -> Terminated | None:
    if state is None:
        return None
    return Terminated(
        exit_code=state.get("exitCode") or 0,
        reason=state.get("reason") or "",
        message=state.get("message") or "",
        signal=state.get("signal") or 0,
        started=moment(state.get("startedAt")),
        finished=moment(state.get("finishedAt")),
    )


def event_view(body: Body) -> EventView:
    """Read an event as the API gives it."""
    about = body.get("involvedObject") or {}
    series = body.get("series") or {}
    return EventView(
        uid=body["metadata"]["uid"],
        about=about.get("uid") or "",
        type=body.get("type") or "Normal",
        reason=body.get("reason") or "",
        message=body.get("message") or "",
        count=series.get("count") or body.get("count") or 1,
        at=moment(
            series.get("lastObservedTime") or body.get("lastTimestamp") or body.get("eventTime")
        ),
    )


def is_child(body: Body, job_uid: str) -> bool:
    """Tell whether the Job of that uid is the controller of this pod."""
    owners = body["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == job_uid for owner in owners)
