"""Say what is left of a launch, and which commands look after it."""

from __future__ import annotations

from collections.abc import Sequence

from runjob.observed import Picture
from runjob.request import Body, JobRequest


def remains(request: JobRequest, picture: Picture | None) -> str:
    """Name what is still there of the Job; nothing when nothing is."""
    if picture is None:
        return ""
    pods = [pod.name for pod in picture.pods.values() if not pod.gone]
    parts = [] if picture.job_gone else [f"Job {request.label}"]
    return ", ".join(parts + [f"pod {name}" for name in pods])


def not_removed(
    request: JobRequest,
    remaining: str,
    *,
    accepted: bool,
    refusal: str = "",
    held: Sequence[str] = (),
) -> str:
    """Say what could not be deleted, and what to do; nothing where nothing is left.

    remaining names what was seen to be there yet; accepted tells that the API has accepted the
    deletion, refusal what it has refused, held what others hold.
    """
    parts = [f"NOT removed: {refusal}"] if refusal else []
    if held:
        parts.append(f"NOT removed yet: {'; '.join(filter(None, (remaining, *held)))}")
    if parts or (accepted and not remaining):
        return ". ".join(parts)
    why = "" if accepted else " (the API has not accepted the deletion)"
    what = remaining or "what was created"
    return f"NOT removed yet: {what}{why}; remove it with: {how_to_remove(request)}"


def how_to_remove(request: JobRequest) -> str:
    """Return the command that removes the Job and its pods."""
    return request.commands.kubectl(
        request.namespace, "delete", "job", request.name, "--cascade=foreground"
    )


def how_to_find(request: JobRequest, picture: Picture | None, adopt: str) -> str:
    """Say how to look after a Job that lives on, or may have been made; adopt is one way more."""
    if picture is None:
        look = request.commands.kubectl(request.namespace, "get", "job", request.name)
        return f"it is not known whether the Job was created; look with: {look}; {adopt}"
    look = request.commands.kubectl(
        request.namespace, "get", "job,pod", "-l", f"job-name={request.name}"
    )
    return (
        f"the Job lives on and was not touched; see it with: {look}; end it with: "
        f"{how_to_remove(request)}; {adopt}"
    )


def grace(job: Body) -> float:
    """Return the seconds that the Job's pods have to end once they are deleted."""
    spec = ((job.get("spec") or {}).get("template") or {}).get("spec") or {}
    seconds = spec.get("terminationGracePeriodSeconds")
    return 30.0 if seconds is None else float(seconds)
