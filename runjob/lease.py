"""The terms on which a launcher holds its Job: signs of life, and what happens without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from runjob.errors import UsageError
from runjob.moments import moment, stamp
from runjob.options import RunOptions
from runjob.request import Body, JobRequest

# Annotations of the Job. The latest sign of life, in RFC 3339; until there is one the Job's own
# creation counts, so that a short Job costs no request. INTERVAL is in seconds, 0 for none.
HEARTBEAT = "runjob/heartbeat"
INTERVAL = "runjob/heartbeat-seconds"
LAUNCHER = "runjob/launcher"
ON_LOST = "runjob/on-lost"
# What the manifest said, while a launch has something else in its place.
TTL = "runjob/ttl"
DEADLINE = "runjob/deadline"

_ALL = (HEARTBEAT, INTERVAL, LAUNCHER, ON_LOST, TTL, DEADLINE)

# After so many intervals without a sign the launcher counts as gone.
MISSED = 3
# Seconds. What is ended without its launcher is given so long at least: an API server may be away
# for some minutes, and is waited for.
SHORTEST = 900
# How long such a Job stays after its end, in seconds, for somebody to look at; never shorter than
# it takes to count its launcher as gone.
STAYS = 3600

Life = Literal["alive", "gone", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Lease:
    """What a Job says about its launcher; times are in seconds.

    every is the time between two signs of life, 0 where none are given; heard is the newest sign;
    kills tells that the Job ends when they cease. deadline and ttl are those that its author asked
    for, in_effect is the deadline that it has.
    """

    launcher: str = ""
    every: int = 0
    heard: datetime | None = None
    kills: bool = False
    deadline: int | None = None
    ttl: int | None = None
    in_effect: int | None = None

    @property
    def term(self) -> int:
        """How long the Job may go on after a sign of life."""
        return term(self.every)

    @property
    def ran_out(self) -> bool:
        """Whether a deadline that the Job ran into was the lease's, and not its author's."""
        return self.kills and self.in_effect != self.deadline

    def life(self, now: datetime) -> Life:
        """Judge whether the launcher is there."""
        if not self.every or self.heard is None:
            return "unknown"
        return "gone" if now > self.until else "alive"

    @property
    def until(self) -> datetime:
        """Until when the newest sign of life counts."""
        assert self.heard is not None
        try:
            return self.heard + timedelta(seconds=MISSED * self.every)
        except OverflowError:  # somebody wrote a time there that no calendar has
            return datetime.max.replace(tzinfo=timezone.utc)

    def told(self, now: datetime) -> str:
        """Say what is known of a launcher that is not gone; nothing of one that is.

        It may have died a moment ago: nobody knows before its signs of life have ceased.
        """
        life = self.life(now)
        if life == "gone":
            return ""
        if life == "unknown" or self.heard is None:
            return "whether its launcher lives is not known (--heartbeat off, or an older version)"
        ago = max(int((now - self.heard).total_seconds()), 0)
        return f"latest sign of life {ago} s ago, taken for gone at {self.until:%H:%M:%SZ}"


def term(every: int) -> int:
    """Return how long a Job may go on after a sign of life, of which one is given in each every."""
    return max(MISSED * every, SHORTEST)


def read(job: Body) -> Lease:
    """Read the terms off a Job; what somebody else wrote there in our name says nothing."""
    metadata, spec = job["metadata"], job.get("spec") or {}
    notes = metadata.get("annotations") or {}
    own = _count(spec.get("activeDeadlineSeconds"))
    kills = notes.get(ON_LOST) == "kill"
    return Lease(
        launcher=notes.get(LAUNCHER) or "",
        every=_noted(notes, INTERVAL) or 0,
        heard=_heard(notes.get(HEARTBEAT)) or moment(metadata.get("creationTimestamp")),
        kills=kills,
        deadline=_noted(notes, DEADLINE) if kills else own,
        ttl=_noted(notes, TTL),
        in_effect=own,
    )


def _noted(notes: Mapping[str, str], name: str) -> int | None:
    text = notes.get(name) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _heard(text: str | None) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None


def _count(value: Any) -> int | None:
    """Return a number of seconds; None for what is none, which the API is to refuse by itself."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def check(options: RunOptions) -> None:
    """Refuse terms that contradict each other; raises UsageError."""
    if options.on_lost == "kill" and not options.heartbeat:
        raise UsageError(
            "--on-lost kill needs signs of life, by which it knows a launcher: "
            "leave --heartbeat off out"
        )


def lent(request: JobRequest, options: RunOptions, launcher: str) -> JobRequest:
    """Return the request with the terms of this launch on its Job.

    A TTL is held back, since it may remove the Job before it is read. Raises UsageError.
    """
    check(options)
    job = request.job
    metadata, spec = job["metadata"], dict(job.get("spec") or {})
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _ALL}
    notes |= {LAUNCHER: launcher, INTERVAL: str(options.heartbeat), ON_LOST: options.on_lost}
    ttl = _count(spec.get("ttlSecondsAfterFinished"))
    if ttl is not None:
        notes[TTL] = str(ttl)
        del spec["ttlSecondsAfterFinished"]
    if options.on_lost == "kill":
        own = _count(spec.get("activeDeadlineSeconds"))
        if own is not None:
            notes[DEADLINE] = str(own)
        if own is not None or spec.get("activeDeadlineSeconds") is None:
            spec["activeDeadlineSeconds"] = _until(0, term(options.heartbeat), own)
        spec["ttlSecondsAfterFinished"] = _stays(0, term(options.heartbeat), ttl)
    metadata = {**metadata, "annotations": notes}
    return replace(request, job={**job, "metadata": metadata, "spec": spec})


def _until(elapsed: float, term: int, own: int | None) -> int:
    """Return the deadline that gives a Job a term from now on, never more than its author did."""
    reach = int(max(elapsed, 0)) + term
    return reach if own is None else min(reach, own)


def _stays(ended: float, term: int, own: int | None) -> int:
    """Return the TTL that leaves a Job there from now on, so long after its end."""
    return max(int(max(ended, 0)) + max(STAYS, term), own or 0)


def beat(
    lease: Lease, uid: str, now: datetime, elapsed: float | None, ended: float | None = None
) -> Body:
    """Return the patch that is a sign of life, and moves on what hangs on it: deadline and TTL.

    elapsed are the seconds since the Job's startTime; None before it has one, as while it is
    suspended: its time then begins later. ended are those since its end, None before that: its log
    may take longer to read than the Job would stay.
    """
    sign: dict[str, Any] = {"metadata": {"uid": uid, "annotations": {HEARTBEAT: stamp(now)}}}
    if lease.kills:
        deadline = _until(elapsed or 0, lease.term, lease.deadline)
        sign["spec"] = {"activeDeadlineSeconds": deadline}
        if ended is not None:
            sign["spec"]["ttlSecondsAfterFinished"] = _stays(ended, lease.term, lease.ttl)
    return sign


def kept(job: Body, keep: str, look: str, *, settled: bool) -> str:
    """Say what becomes of a Job that is kept, and how to look at it.

    settled tells that it has what its author asked for, which may be a TTL.
    """
    ttl = read(job).ttl if settled else None
    if ttl == 0:
        return (
            f"The Job is left (--keep={keep}) to its manifest's TTL of 0 s, which removes it at "
            "once"
        )
    until = "" if ttl is None else f" until its manifest's TTL removes it {ttl} s after its end"
    return f"The Job is kept (--keep={keep}){until}; look at it: {look}"


def settled(job: Body) -> Body | None:
    """Return the patch that gives a Job that is kept what its author asked for; None for none."""
    lease = read(job)
    if lease.ttl is None and not lease.kills:
        return None
    spec: dict[str, int | None] = {"ttlSecondsAfterFinished": lease.ttl}
    if lease.kills:
        spec["activeDeadlineSeconds"] = lease.deadline
    notes = dict.fromkeys((TTL, DEADLINE, ON_LOST))
    return {"metadata": {"uid": job["metadata"]["uid"], "annotations": notes}, "spec": spec}
