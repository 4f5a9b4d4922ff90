"""Tell which Jobs have ended and were left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

from runjob.identity import TOLD
from runjob.lease import Lease
from runjob.observed import job_view
from runjob.plan import LAUNCH
from runjob.request import Body

# Seconds. A launcher that lives removes its Job well within this time after the Job's end.
GRACE = 600
# Why a Job is left to a launcher that may follow it yet.
ALIVE = "whose launcher gave a sign of life lately"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which of the Jobs that have ended are meant; older_than is in seconds since the end."""

    failed_only: bool = False
    older_than: int = GRACE
    all_makers: bool = False


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A Job that has ended, at one version of it.

    ours tells that a launcher made it, held on which terms that one reads it yet, None where it
    told the end and kept the Job. owned tells that another object (a CronJob) made it and looks
    after it, leaving that it is being deleted already.
    """

    namespace: str
    name: str
    uid: str
    version: str
    state: Literal["Complete", "Failed"]
    at: datetime
    reason: str = ""
    ours: bool = False
    held: Lease | None = None
    owned: bool = False
    leaving: bool = False


def ended(body: Body) -> Ended | None:
    """Return a Job as one that has ended; None while it lives, for it may be anybody's work."""
    metadata, view = body["metadata"], job_view(body)
    notes = metadata.get("annotations") or {}
    for state in ("Complete", "Failed"):
        condition = view.condition(state)
        if condition is not None:
            return Ended(
                namespace=metadata["namespace"],
                name=metadata["name"],
                uid=metadata["uid"],
                version=metadata["resourceVersion"],
                state="Complete" if state == "Complete" else "Failed",
                at=condition.since or view.created or datetime.fromtimestamp(0, timezone.utc),
                reason=condition.reason if state == "Failed" else "",
                ours=LAUNCH in notes,
                held=None if TOLD in notes else view.lease,
                owned=any(owner.get("controller") for owner in metadata.get("ownerReferences", ())),
                leaving="deletionTimestamp" in metadata,
            )
    return None


def why_spared(job: Ended, wanted: Wanted, now: datetime) -> str:
    """Say why a Job that has ended is not to be removed; nothing when it is a leftover."""
    if job.leaving:
        return "being removed already"
    if job.owned:
        return "looked after by its owner, such as a CronJob"
    if not (job.ours or wanted.all_makers):
        return "not made by runjob (--all-makers)"
    if job.ours and job.held is not None and job.held.life(now) == "alive":
        return ALIVE
    if wanted.failed_only and job.state != "Failed":
        return "completed (--failed)"
    if (now - job.at).total_seconds() < wanted.older_than:
        return f"ended less than {span(wanted.older_than)} ago (--older-than)"
    return ""


def divide(
    jobs: Iterable[Ended], wanted: Wanted, now: datetime
) -> tuple[tuple[Ended, ...], dict[str, int]]:
    """Return the leftovers, and how many were spared for which reason.

    They come by namespace, and in each the longest ended first.
    """
    leftovers, spared = [], list[tuple[str, datetime | None]]()
    for job in jobs:
        why = why_spared(job, wanted, now)
        if why:
            spared.append((why, job.held.until if why == ALIVE and job.held else None))
        else:
            leftovers.append(job)
    ordered = sorted(leftovers, key=lambda job: (job.namespace, job.at, job.name))
    return tuple(ordered), counted(spared)


def counted(spared: Iterable[tuple[str, datetime | None]]) -> dict[str, int]:
    """Return how many Jobs were spared for which reason, each of them given with its end, if any.

    Of a reason that ends the earliest end is told.
    """
    numbers, ends = Counter[str](), dict[str, datetime]()
    for why, until in spared:
        numbers[why] += 1
        if until is not None:
            ends[why] = min(until, ends.get(why, until))
    return {_until(why, ends.get(why), number): number for why, number in numbers.items()}


def _until(why: str, end: datetime | None, number: int) -> str:
    if end is None:
        return why
    which = "the first of them" if number > 1 else "it"
    return f"{why}; without another {which} is taken for gone at {end:%H:%M:%SZ}"


def rows(jobs: Sequence[Ended], now: datetime) -> tuple[str, ...]:
    """Return a line for each Job, aligned: name, state, when it ended, and why it failed."""
    ages = [f"{span((now - job.at).total_seconds())} ago" for job in jobs]
    name = max((len(job.name) for job in jobs), default=0)
    age = max(map(len, ages), default=0)
    return tuple(
        f"{job.name:<{name}}  {job.state:<8}  {ago:>{age}}  {job.reason}".rstrip()
        for job, ago in zip(jobs, ages, strict=True)
    )


def fronted(column: Sequence[str], lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines with a column before them, aligned."""
    width = max(map(len, column), default=0)
    return tuple(f"{cell:<{width}}  {line}" for cell, line in zip(column, lines, strict=True))


def count(number: int) -> str:
    """Count Jobs in words."""
    return "1 Job" if number == 1 else f"{number} Jobs"


def span(seconds: float) -> str:
    """Spell a time as the options do, by its two greatest units: 2d4h, 3h, 5m10s, 0s."""
    left, parts = max(int(seconds), 0), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        number, left = divmod(left, size)
        parts.append((number, unit))
    first = next((at for at, (number, _) in enumerate(parts) if number), len(parts) - 1)
    told = [f"{number}{unit}" for number, unit in parts[first : first + 2] if number]
    return "".join(told) or "0s"
