"""What to ask about a launch before it is made, in the order in which to mend what is found."""

from __future__ import annotations

import re

from runjob.preflight.capacity import kind_of
from runjob.preflight.data import Listing, Object, Question, Right, Trial
from runjob.preflight.references import (
    priority_class,
    pull_secrets,
    references,
    service_account,
)
from runjob.request import PREREQUISITES, JobRequest

# What a launch does in its namespace: k8s/runjob.yaml grants it, and a test compares the two.
NEEDED = {
    ("batch", "jobs"): ("create", "get", "list", "watch", "patch", "delete"),
    ("", "pods"): ("list", "watch"),
    ("", "pods/log"): ("get",),
    ("", "events"): ("list", "watch"),
}
# Without these a launch runs all the same, and tells or keeps less.
SPARE = {
    ("jobs", "patch"): "the Job then bears no sign of its launcher's life",
    ("events", "list"): "reasons for waiting are then told less well",
    ("events", "watch"): "reasons for waiting are then told less well",
    **{
        (kind.plural, "patch"): "it would be left behind where the launcher is lost"
        for kind in PREREQUISITES.values()
    },
}
BROUGHT = ("create", "get", "patch", "delete")

QUOTAS = Listing("ResourceQuota", "resourcequotas")
RANGES = Listing("LimitRange", "limitranges")

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def is_name(name: str) -> bool:
    """Tell whether an object can be called so; another one would be a part of an address."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def questions(request: JobRequest) -> tuple[Question, ...]:
    """Return all that a preflight asks."""
    return (*rights(request), *objects(request), *trials(request))


def after_refusal(request: JobRequest, message: str, most: int = 15) -> tuple[Question, ...]:
    """Return what a refusal leaves open, at most so many questions.

    One for want of rights is about rights; any other proves those to create, and is about what the
    Job refers to.
    """
    asked = rights(request) if wants_rights(message) else objects(request)
    return asked[:most]


def wants_rights(message: str) -> bool:
    """Tell whether the API refused for want of rights."""
    return " is forbidden: User " in message and " cannot " in message


def rights(request: JobRequest) -> tuple[Right, ...]:
    """Return the rights that a launch needs, those of the Job first."""
    wanted = [
        Right(verb, group, resource)
        for (group, resource), verbs in NEEDED.items()
        for verb in verbs
    ]
    for body in request.prerequisites:
        kind = kind_of(body)
        group = kind.api_version.rpartition("/")[0]
        wanted += [Right(verb, group, kind.plural) for verb in BROUGHT]
    return tuple(dict.fromkeys(wanted))


def objects(request: JobRequest) -> tuple[Question, ...]:
    """Return the objects that the pods cannot do without, and what limits them."""
    job = request.job
    account = service_account(job)
    uses = [("ServiceAccount", account)] if account != "default" else []
    uses += [("Secret", name) for name in pull_secrets(job)]
    uses += [(each.kind, each.name) for each in references(job)]
    found: list[Question] = [Object("v1", kind, name) for kind, name in uses if is_name(name)]
    found += [QUOTAS, RANGES]
    priority = priority_class(job)
    if is_name(priority):
        found.append(Object("scheduling.k8s.io/v1", "PriorityClass", priority))
    return tuple(dict.fromkeys(found))


def trials(request: JobRequest) -> tuple[Question, ...]:
    """Return the dry runs, and what stands under the names that would be created."""
    bodies = (*request.prerequisites, request.job)
    there = [Object(body["apiVersion"], body["kind"], body["metadata"]["name"]) for body in bodies]
    return (*there, *(Trial(body["kind"], body["metadata"]["name"]) for body in bodies))
