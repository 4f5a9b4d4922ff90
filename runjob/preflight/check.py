"""Ask the API what a preflight wants to know, and tell what was found."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from runjob.errors import ApiError, Exit, NoClusterError
from runjob.existing import Fate, Refuse, stands
from runjob.identity import signature
from runjob.options import RunOptions
from runjob.preflight.data import (
    UNANSWERED,
    Answer,
    Facts,
    Finding,
    Listing,
    Object,
    Question,
    Right,
)
from runjob.preflight.findings import findings, not_looked_at, unseen
from runjob.preflight.questions import after_refusal, questions
from runjob.request import Body, JobRequest, Kind
from runjob.retry import Backoff, wait_for

# Seconds for all questions together: of a preflight, and where a launch has been refused.
PATIENCE = 20.0
SHORT_PATIENCE = 5.0
# How many questions are asked at once.
WORKERS = 6

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"


class Api(Protocol):
    """What a preflight needs of the API: it reads, reviews, and creates by dry run alone."""

    def now(self) -> datetime:
        """Return the time by the API's clock."""

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:
        """Create an object, here by dry run."""

    def read(self, body: Body, namespace: str) -> Body:
        """Return the object of that kind and name."""

    def list(self, kind: Kind, namespace: str, query: dict[str, str]) -> tuple[list[Body], str]:
        """Return the objects of a kind."""

    def call(self, method: str, path: str, body: Body | None = None) -> Body:
        """Send a request about what is in no namespace."""


def preflight(
    api: Api, request: JobRequest, options: RunOptions, line: Callable[[str], None]
) -> Exit:
    """Check all that a launch needs and print the report; return what a launch would end with.

    Creates nothing. Blocks for PATIENCE seconds at most.
    """
    facts = ask(api, request, questions(request), PATIENCE)
    there = facts.object("Job", request.name)
    if there is not None and there.status == 200:
        facts = replace(facts, fate=_fate(there.body, request, options, api.now()))
    found = findings(facts)
    line(f"Preflight of Job {request.label}:")
    for number, each in enumerate(found, 1):
        line(f"{number}. {each.line}")
    if unseen(facts):
        line(f"not looked at: {not_looked_at(facts)}")
    errors = [each for each in found if each.severity == "error"]
    code = errors[0].code if errors else Exit.SUCCEEDED
    line(_summary(found, code, unseen(facts)))
    return code


def _fate(there: Body, request: JobRequest, options: RunOptions, now: datetime) -> Fate | None:
    """Return what a launch would make of the Job of its name; None where it would leave it be."""
    mine = signature(request, options, "preflight")
    fate = stands(there, mine, options.if_exists, now)
    # Of a run whose Job has a generated name one that stays does not keep the next one away.
    beside = request.generated and mine.bound and options.if_exists in ("auto", "adopt")
    return None if beside and isinstance(fate, Refuse) else fate


def _summary(found: tuple[Finding, ...], code: Exit, unseen: int) -> str:
    if code is Exit.SUCCEEDED:
        # Where something was not looked at, nothing is known of it.
        text = "nothing found in the way" if unseen else "nothing stands in the way"
        text += ", see the warnings" if found else ""
        kinds = "1 kind" if unseen == 1 else f"{unseen} kinds"
        return f"Preflight: {text}" + (f"; {kinds} could not be looked at" if unseen else "")
    errors = sum(each.severity == "error" for each in found)
    count = "1 thing stands" if errors == 1 else f"{errors} things stand"
    return f"Preflight: {count} in the way; a launch would end with exit code {int(code)}"


def explain(api: Api, request: JobRequest, refusal: str, line: Callable[[str], None]) -> None:
    """Tell what else stands in the way of a launch that was refused; nothing where nothing does.

    Blocks for SHORT_PATIENCE seconds at most.
    """
    facts = ask(api, request, after_refusal(request, refusal), SHORT_PATIENCE)
    for each in findings(facts):
        if each.text not in refusal:
            line(f"preflight: {each.line}")


def ask(api: Api, request: JobRequest, asked: Iterable[Question], seconds: float) -> Facts:
    """Ask several questions at once; what has no answer after so many seconds has none."""
    waiting: queue.SimpleQueue[Question] = queue.SimpleQueue()
    answered: queue.SimpleQueue[tuple[Question, Answer]] = queue.SimpleQueue()
    asked = tuple(asked)
    for question in asked:
        waiting.put(question)
    deadline = time.monotonic() + seconds

    def work() -> None:
        while True:
            try:
                question = waiting.get_nowait()
            except queue.Empty:
                return
            answered.put((question, _answer(api, request, question, deadline)))

    for number in range(min(WORKERS, len(asked))):
        threading.Thread(target=work, name=f"preflight {number}", daemon=True).start()
    answers = dict.fromkeys(asked, UNANSWERED)
    try:
        for _ in asked:
            question, answer = answered.get(timeout=max(deadline - time.monotonic(), 0.0))
            answers[question] = answer
    except queue.Empty:
        pass
    return Facts(request, answers)


def _answer(api: Api, request: JobRequest, question: Question, deadline: float) -> Answer:
    """Ask one question, again and again while that may help."""
    for wait in Backoff().waits():
        try:
            return Answer(_send(api, request, question))
        except ApiError as error:
            pause = wait_for(error.retry_after, wait)
            final = not error.heals or error.reason == "NoSuchHost"
            if final or time.monotonic() + pause > deadline:
                return Answer(None, error.status, error.reason, str(error))
            threading.Event().wait(pause)
        except NoClusterError as error:
            return Answer(None, 0, "NoCluster", str(error))
        except Exception as error:  # noqa: BLE001
            # An answer that is none must not leave the others untold.
            return Answer(None, 0, "", f"an answer that is none ({error!r})")
    raise AssertionError("the waits never end")


def _send(api: Api, request: JobRequest, question: Question) -> Any:
    namespace = request.namespace
    if isinstance(question, Right):
        return bool(api.call("POST", _REVIEWS, _review(question, namespace))["status"]["allowed"])
    if isinstance(question, Listing):
        kind = Kind("v1", question.kind, question.plural)
        return api.list(kind, namespace, {"limit": "100"})[0]
    if isinstance(question, Object):
        if question.kind == "PriorityClass":
            return api.call("GET", f"{_PRIORITIES}/{question.name}")
        return api.read(_named(question), namespace)
    bodies = (*request.prerequisites, request.job)
    body = next(
        each
        for each in bodies
        if (each["kind"], each["metadata"]["name"]) == (question.kind, question.name)
    )
    return api.create(body, namespace, dry_run=True)


def _review(right: Right, namespace: str) -> Body:
    resource, _, part = right.resource.partition("/")
    wanted = {
        "namespace": namespace,
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": part,
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wanted},
    }


def _named(question: Object) -> Body:
    return {
        "apiVersion": question.api_version,
        "kind": question.kind,
        "metadata": {"name": question.name},
    }
