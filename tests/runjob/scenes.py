"""Pods, containers and events as the tests see them, each with only what matters to it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from runjob.observed import (
    Condition,
    ContainerView,
    EventView,
    JobView,
    Picture,
    PodView,
    Terminated,
)

JOB = "uid-of-the-job"
POD = "uid-of-the-pod"
NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=timezone.utc)


def at(seconds: float) -> datetime:
    """Return the time so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def ended(exit_code: int, reason: str = "", *, seconds: float = 0, **more: Any) -> Terminated:
    """Return the end of a run that took one second."""
    reason = reason or ("Error" if exit_code else "Completed")
    return Terminated(
        exit_code=exit_code,
        reason=reason,
        started=at(seconds - 1),
        finished=at(seconds),
        **more,
    )


def container(name: str = "main", **more: Any) -> ContainerView:
    return ContainerView(name=name, **more)


def waiting(reason: str, message: str = "", name: str = "main", **more: Any) -> ContainerView:
    return ContainerView(name=name, waiting=(reason, message), **more)


def pod(*containers: ContainerView, uid: str = POD, **more: Any) -> PodView:
    """Return a pod that a node has taken."""
    more.setdefault("node", "node-1")
    more.setdefault("name", "hello-x7k2p")
    return PodView(uid=uid, containers=containers, **more)


def failed(exit_code: int = 4, uid: str = POD, seconds: float = 0, **more: Any) -> PodView:
    """Return a pod whose main container failed."""
    end = ended(exit_code, seconds=seconds, **more)
    return pod(container(terminated=end), uid=uid, name=f"hello-{uid}", phase="Failed")


def succeeded(uid: str = POD, seconds: float = 0) -> PodView:
    view = container(terminated=ended(0, seconds=seconds))
    return pod(view, uid=uid, name=f"hello-{uid}", phase="Succeeded")


def event(
    reason: str, message: str = "", *, about: str = POD, uid: str = "", **more: Any
) -> EventView:
    return EventView(
        uid=uid or f"{reason} {message}",
        about=about,
        type=more.pop("type", "Warning"),
        reason=reason,
        message=message,
        **more,
    )


def condition(type: str, reason: str = "", message: str = "", **more: Any) -> Condition:
    return Condition(
        type=type, status=more.pop("status", "True"), reason=reason, message=message, **more
    )


COMPLETE = condition("Complete")
BACKOFF = condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


def picture(*seen: PodView | EventView | Condition, gone: bool = False, **job: Any) -> Picture:
    """Return what is known of a Job: its pods, the events, and conditions of the Job."""
    conditions = tuple(each for each in seen if isinstance(each, Condition))
    view = JobView(uid=JOB, name="hello", conditions=conditions, **job)
    result = Picture(view, job_gone=gone)
    for each in seen:
        if not isinstance(each, Condition):
            result = result.after(each, gone=isinstance(each, PodView) and each.gone)
    return result
