"""What becomes of a Job that stands in a launch's way (--if-exists)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runjob import lease
from runjob.identity import CONTENT, IDENTITY, TOLD, Signature, is_own, note, same_run
from runjob.observed import job_view
from runjob.options import IfExists, RunOptions
from runjob.plan import is_ours, made_by
from runjob.request import Body


@dataclass(frozen=True)
class Past:
    """What is written down of an earlier launch of this run.

    job is the Job that it followed, ours what it made beside that; concluded tells that it had
    come to the end and was about to remove them.
    """

    job: Body
    ours: tuple[Body, ...]
    concluded: bool


@dataclass(frozen=True)
class Adopt:
    """It is ours: follow it. again tells that another launch made it, and not this one."""

    again: bool


@dataclass(frozen=True)
class Replace:
    """Remove it, as it was seen, and create anew."""

    uid: str
    version: str


@dataclass(frozen=True)
class AwaitRemoval:
    """It is on its way out: wait, and create anew."""


@dataclass(frozen=True)
class Refuse:
    """It stays, and there is no launch; text says whose it is, hint what to do."""

    text: str
    hint: str


Fate = Adopt | Replace | AwaitRemoval | Refuse


def stands(
    there: Body,
    signature: Signature,
    if_exists: IfExists,
    now: datetime,
    *,
    told: bool = False,
) -> Fate:
    """Decide what becomes of a Job that is there already.

    Only a Job that runjob made is ever adopted or replaced, and only one that this very run asked
    for in these words is adopted; now tells how long its launcher has given no sign of life. One
    that may be followed yet is replaced by its own run alone, and a launch that names none may be
    of any. told tells that its end is known to be told, whatever stands on it.
    """
    if told:
        there = _with_note(there, TOLD)
    if made_by(there, signature.launch):
        return Adopt(again=False)  # the answer to our own create was lost
    if if_exists == "fail" or not is_ours(there):
        return _refusal(there, signature, if_exists, now)
    same = same_run(there, signature)
    ended = final_state(there) is not None
    wanted = if_exists == "adopt" or (if_exists == "auto" and signature.bound)
    adoptable = same and wanted and not note(there, TOLD)
    if there["metadata"].get("deletionTimestamp") and not (ended and adoptable):
        return AwaitRemoval()
    if if_exists == "replace":
        if _followed(there, signature, now):
            return _refusal(there, signature, if_exists, now)
        metadata = there["metadata"]
        return Replace(metadata["uid"], metadata["resourceVersion"])
    if not adoptable:
        return _refusal(there, signature, if_exists, now)
    if note(there, CONTENT) != signature.content:
        why = f"it {signature.kinship}, but other words made it"
        return _refusal(there, signature, if_exists, now, why)
    return Adopt(again=True)


def _followed(there: Body, signature: Signature, now: datetime) -> str:
    """Say why a Job must not be replaced now; nothing where it may be."""
    if final_state(there) is not None or (signature.bound and same_run(there, signature)):
        return ""
    return lease.read(there).told(now)


def final_state(job: Body) -> str | None:
    """Return how a Job ended, Complete or Failed; None while it lives."""
    conditions = job_view({**job, "metadata": {"uid": "", "name": "", **job["metadata"]}})
    found = (each for each in ("Complete", "Failed") if conditions.condition(each))
    return next(found, None)


def _with_note(body: Body, key: str) -> Body:
    metadata = body["metadata"]
    notes = {**(metadata.get("annotations") or {}), key: "true"}
    return {**body, "metadata": {**metadata, "annotations": notes}}


def as_told(job: Body, patch: Body | None = None) -> Body:
    """Return the patch of a Job that stays, by which no later launch takes it for its own.

    patch is what else is to change of it.
    """
    patch = patch or {}
    metadata = {"uid": job["metadata"]["uid"], **patch.get("metadata", {})}
    notes = {**metadata.get("annotations", {}), TOLD: "true"}
    return {**patch, "metadata": {**metadata, "annotations": notes}}


def told(there: Body) -> str:
    """Say in a few words who made a Job, when, and how it stands."""
    metadata = there["metadata"]
    state = (final_state(there) or "running").lower()
    by = manager(there)
    launcher = lease.read(there).launcher
    if is_ours(there) or any(map(is_own, metadata.get("annotations") or ())):
        by = "another launch of runjob" + (f" ({launcher})" if launcher else "")
    if metadata.get("deletionTimestamp"):
        state += ", being deleted"
    return f"made by {by or 'somebody else'} at {metadata.get('creationTimestamp')}, {state}"


def manager(body: Body) -> str:
    """Name the client program that made an object; empty where it is not known.

    Who wrote to a subresource, as the Job controller does to the status, made nothing.
    """
    entries = body["metadata"].get("managedFields") or ()
    made = (each for each in entries if each.get("manager") and not each.get("subresource"))
    first = min(made, key=lambda each: each.get("time") or "", default=None)
    return str(first["manager"]) if first else ""


def _refusal(
    there: Body, signature: Signature, if_exists: IfExists, now: datetime, why: str = ""
) -> Refuse:
    """Say whose the Job is that stands in our way, and what leads on."""
    metadata = there["metadata"]
    place, name = signature.identity.split("/")[0], metadata["name"]
    namespace = metadata.get("namespace") or place
    theirs = note(there, IDENTITY)
    over = note(there, TOLD)
    ours, same = is_ours(there), same_run(there, signature)
    held = _followed(there, signature, now) if ours else ""
    kin = f"it {signature.kinship}" if same and ours and not why else ""
    parts = [told(there), f"run {theirs}" if theirs and not same else kin]
    parts += [why, held]
    if over:
        parts.append("its end was told already")
    elif ours and not final_state(there) and lease.read(there).life(now) == "gone":
        parts.append("its launcher counts as gone")
    parts.append(signature.this_run)
    ways = [f"another name (--generate-name {name}-)"]
    if ours:
        if if_exists in ("auto", "fail") and same and not (why or over):
            ways.insert(0, "--if-exists adopt, where it is this run's")
        again = "the same command" if if_exists == "replace" else "--if-exists replace"
        ways.append(again + (_from_when(there, now) if held else ""))
    return Refuse(
        f"Job {namespace}/{name} exists already, {'; '.join(part for part in parts if part)}; it "
        "was not touched",
        f"use {', or '.join(ways)}, or remove it with: "
        f"{signature.commands.kubectl(namespace, 'delete', 'job', name)}",
    )


def _from_when(there: Body, now: datetime) -> str:
    """Say from when on a Job that may be followed yet is replaced."""
    terms = lease.read(there)
    when = " once it has ended"
    if terms.life(now) == "alive":
        when += f", or after {terms.until:%H:%M:%SZ} where no further sign of life is given"
    return when


def how_to_adopt(options: RunOptions) -> str:
    """Say how a launch that ends before its Job is taken up by another one, without a full stop."""
    run = options.identity.split("/")[-1]
    if not options.bound:
        how = " with --if-exists adopt"
    elif ":" in run:
        how = ", with the same order id in its environment"
    else:
        how = f", with --run-id {run}"
    if options.on_lost == "kill":
        how += f", before --on-lost kill ends it, {lease.term(options.heartbeat) // 60} min at most"
    return f"take it up again: the same command{how}"
