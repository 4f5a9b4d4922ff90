"""Tell which Jobs launches made, and which of them have lost their launcher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from runjob.identity import IDENTITY, TOLD
from runjob.lease import Life
from runjob.leftovers import ALIVE, counted, fronted, span
from runjob.moments import moment
from runjob.observed import JobView, job_view
from runjob.plan import is_ours
from runjob.request import Body

HEADER = ("NAME", "STATE", "SINCE", "PODS", "LAUNCHER", "SIGN OF LIFE", "RUN")

# How wide a column of what was read from annotations gets.
WIDEST = 200


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A Job that a launcher made, at one version of it.

    since is when its state began, heard when its launcher gave the newest sign of life, and
    until when that counts; run is the identity of the launch. leaving tells that it is being
    removed, over that it has ended, kept that its launcher told its end and left it on purpose,
    owned that another object (a CronJob) looks after it.
    """

    namespace: str
    name: str
    uid: str
    version: str
    state: str
    since: datetime
    created: datetime
    pods: str = "none"
    launcher: str = ""
    run: str = ""
    heard: datetime | None = None
    until: datetime | None = None
    life: Life = "unknown"
    leaving: bool = False
    over: bool = False
    kept: bool = False
    owned: bool = False


def entry(body: Body, now: datetime) -> Entry | None:
    """Return a Job as an entry; None for one that no launcher made."""
    if not is_ours(body):
        return None
    metadata, view = body["metadata"], job_view(body)
    created = view.created or datetime.fromtimestamp(0, timezone.utc)
    removed = moment(metadata.get("deletionTimestamp"))
    state, since = _state(view)
    return Entry(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        state="being removed" if removed else state,
        since=removed or since or created,
        created=created,
        pods=_pods(view),
        launcher=view.lease.launcher,
        run=metadata["annotations"].get(IDENTITY) or "",
        heard=view.lease.heard,
        until=view.lease.until if view.lease.heard else None,
        life=view.lease.life(now),
        leaving=removed is not None,
        over=state in ("complete", "failed"),
        kept=TOLD in metadata["annotations"],
        owned=any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()),
    )


def _state(job: JobView) -> tuple[str, datetime | None]:
    for type in ("Complete", "Failed"):
        condition = job.condition(type)
        if condition is not None:
            return type.lower(), condition.since
    # Decided, while its pods still end.
    for type, word in (("FailureTarget", "failing"), ("SuccessCriteriaMet", "completing")):
        condition = job.condition(type)
        if condition is not None:
            return word, condition.since
    suspended = job.condition("Suspended")
    if job.suspended:
        return "suspended", suspended.since if suspended else None
    return ("running", job.started) if job.ready else ("pending", job.started)


def _pods(job: JobView) -> str:
    counts = (
        (job.ready, "running"),
        (job.active - job.ready, "waiting"),
        (job.succeeded, "succeeded"),
        (job.failed, "failed"),
    )
    return ", ".join(f"{number} {word}" for number, word in counts if number > 0) or "none"


def table(entries: Iterable[Entry], now: datetime, *, namespaces: bool = False) -> tuple[str, ...]:
    """Return the lines of a table, aligned under their heads, the newest Job of a namespace last.

    With namespaces it says of each Job in which it lies.
    """
    ordered = sorted(entries, key=lambda each: (each.namespace, each.created, each.name))
    lines = _aligned([HEADER, *(_cells(each, now) for each in ordered)])
    if not namespaces:
        return lines
    return fronted(("NAMESPACE", *(each.namespace for each in ordered)), lines)


def _cells(each: Entry, now: datetime) -> tuple[str, ...]:
    since = f"{span((now - each.since).total_seconds())} ago"
    return (
        each.name, each.state, since, each.pods, _short(each.launcher), _sign(each, now),
        _short(each.run),
    )  # fmt: skip


def _short(text: str) -> str:
    """Return what anybody may have written on a Job, so that it widens no other row by much."""
    return "-" if not text else text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _sign(each: Entry, now: datetime) -> str:
    if each.kept:
        return "kept"
    if each.life == "unknown" or each.heard is None:
        return "unknown"
    ago = f"{span((now - each.heard).total_seconds())} ago"
    # It may have died since: nobody knows before its signs of life have ceased.
    return f"gone, {ago}" if each.life == "gone" else f"{ago}, counts until {each.until:%H:%M:%SZ}"


def _aligned(cells: Sequence[Sequence[str]]) -> tuple[str, ...]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return tuple(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def why_left(each: Entry) -> str:
    """Say why a Job is not to be removed as one that lost its launcher; nothing when it is."""
    if each.leaving:
        return "being removed already"
    if each.owned:
        return "looked after by its owner, such as a CronJob"
    if each.kept:
        return "kept by --keep (gc without --lost)"
    if each.life == "alive":
        return ALIVE
    if each.life == "unknown":
        return "whose launcher gives no signs of life (--heartbeat off, or an older version)"
    return ""


def lost(entries: Iterable[Entry]) -> tuple[tuple[Entry, ...], dict[str, int]]:
    """Return the Jobs that lost their launcher, and how many were left why.

    They come by namespace, and in each those that lost it the longest ago first.
    """
    found, left = [], list[tuple[str, datetime | None]]()
    for each in entries:
        why = why_left(each)
        if why:
            left.append((why, each.until if why == ALIVE else None))
        else:
            found.append(each)
    ordered = sorted(
        found, key=lambda each: (each.namespace, each.heard or each.created, each.name)
    )
    return tuple(ordered), counted(left)


def lost_rows(entries: Sequence[Entry], now: datetime) -> tuple[str, ...]:
    """Return a line for each: name, state, when its launcher gave the last sign, and which."""
    return _aligned(
        [
            (each.name, each.state, _sign(each, now).replace("gone, ", "last sign "), each.launcher)
            for each in entries
        ]
    )
