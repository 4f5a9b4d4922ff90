"""A preflight asks at once, tries again what heals, and waits for nobody for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from runjob.errors import ApiError, Exit, NoClusterError
from runjob.existing import Refuse, stands
from runjob.identity import IDENTITY, signature
from runjob.options import RunOptions
from runjob.plan import LAUNCH
from runjob.preflight import check
from runjob.preflight.data import Answer, Object, Right
from runjob.preflight.questions import QUOTAS
from runjob.request import Body, JobRequest

REQUEST = JobRequest(
    "hello", "ns", {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "hello"}}
)
SECRET = Object("v1", "Secret", "s")


NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


class Api:
    """Answers a read as it is told to, and everything else with yes."""

    def __init__(self, read: Callable[[], Body]) -> None:
        self._read = read
        self.created: list[bool] = []

    def now(self) -> datetime:
        return NOW

    def create(self, body: Body, namespace: str, *, dry_run: bool = False) -> Body:  # noqa: ARG002  # as the API has it
        self.created.append(dry_run)
        return body

    def read(self, body: Body, namespace: str) -> Body:  # noqa: ARG002
        return self._read()

    def list(self, *_: Any) -> tuple[list[Body], str]:
        return [], "1"

    def call(self, method: str, path: str, body: Body | None = None) -> Body:  # noqa: ARG002
        return {"status": {"allowed": True}}


def raising(*errors: Exception) -> Callable[[], Body]:
    """Return a read that fails so, one after the other, and then works."""
    left: Iterator[Exception] = iter(errors)

    def read() -> Body:
        for error in left:
            raise error
        return {"metadata": {}}

    return read


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(raising(), Answer({"metadata": {}}), id="at once"),
        pytest.param(
            raising(ApiError(503, "x"), ApiError(0, "y")), Answer({"metadata": {}}), id="it heals"
        ),
        pytest.param(
            raising(ApiError(404, "gone", reason="NotFound")),
            Answer(None, 404, "NotFound", "gone"),
            id="absent",
        ),
        pytest.param(
            raising(ApiError(503, "busy", retry_after=50.0)),
            Answer(None, 503, "", "busy"),
            id="later than the patience",
        ),
        pytest.param(
            raising(ApiError(0, "no host", reason="NoSuchHost")),
            Answer(None, 0, "NoSuchHost", "no host"),
            id="no such host",
        ),
        pytest.param(
            raising(NoClusterError("not trusted")),
            Answer(None, 0, "NoCluster", "not trusted"),
            id="no cluster",
        ),
        pytest.param(
            raising(KeyError("status")),
            Answer(None, 0, "", "an answer that is none (KeyError('status'))"),
            id="no answer",
        ),
    ],
)
def test_one_question_is_answered(read: Callable[[], Body], expected: Answer) -> None:
    facts = check.ask(Api(read), REQUEST, [SECRET], 20.0)
    assert facts.answers == {SECRET: expected}


def test_what_does_not_answer_holds_up_nothing_but_itself() -> None:
    never = threading.Event()

    def read() -> Body:
        never.wait(60)
        return {}

    right = Right("get", "", "pods")
    facts = check.ask(Api(read), REQUEST, [SECRET, right, QUOTAS], 0.3)
    never.set()
    assert facts.answers[SECRET].status == 0
    assert (facts.answers[right].body, facts.answers[QUOTAS].body) == (True, [])


def test_nothing_is_created_but_by_dry_run() -> None:
    api = Api(raising(ApiError(404, "gone")))
    printed: list[str] = []
    assert check.preflight(api, REQUEST, RunOptions(), printed.append) is Exit.SUCCEEDED
    assert api.created == [True]
    assert printed == ["Preflight of Job ns/hello:", "Preflight: nothing stands in the way"]


RUN = RunOptions(identity="ns/hello/r", bound=True)


@pytest.mark.parametrize(
    ("options", "generated", "code", "last"),
    [
        pytest.param(
            RUN,
            "",
            15,
            "1 thing stands in the way; a launch would end with exit code 15",
            id="refused",
        ),
        pytest.param(
            replace(RUN, if_exists="replace"),
            "",
            0,
            "nothing stands in the way, see the warnings",
            id="replaced",
        ),
        pytest.param(RUN, "hel", 0, "nothing stands in the way", id="beside it"),
        pytest.param(
            replace(RUN, if_exists="fail"),
            "hel",
            15,
            "1 thing stands in the way; a launch would end with exit code 15",
            id="a generated name, refused",
        ),
    ],
)
def test_a_job_that_stands_in_the_way_is_judged_as_a_launch_would(
    options: RunOptions, generated: str, code: int, last: str
) -> None:
    notes = {LAUNCH: "l0", IDENTITY: "ns/hello/q"}
    metadata = {"name": "hello", "namespace": "ns", "uid": "u", "resourceVersion": "1"}
    status = {"conditions": [{"type": "Complete", "status": "True"}]}
    there = {"metadata": {**metadata, "annotations": notes}, "status": status}
    printed: list[str] = []
    request = replace(REQUEST, generated=generated)
    assert check.preflight(Api(lambda: there), request, options, printed.append) == code
    assert printed[-1] == f"Preflight: {last}"
    if code:
        refusal = stands(there, signature(request, options, ""), options.if_exists, NOW)
        assert isinstance(refusal, Refuse)
        assert printed[1] == f"1. error: {refusal.text}; {refusal.hint}"


@pytest.mark.parametrize(
    ("secrets", "last"),
    [
        (["s"], "nothing found in the way; 2 kinds could not be looked at"),
        (["s", "t"], "nothing found in the way; 2 kinds could not be looked at"),
        ([], "nothing found in the way; 1 kind could not be looked at"),
    ],
)
def test_what_could_not_be_looked_at_is_not_said_to_be_well(secrets: list[str], last: str) -> None:
    sources = [{"secretRef": {"name": each}} for each in secrets]
    pod = {"containers": [{"name": "main", "envFrom": sources}]}
    body = {**REQUEST.job, "spec": {"template": {"spec": pod}}}

    def forbidden() -> Body:
        raise ApiError(403, "no")

    printed: list[str] = []
    request = JobRequest("hello", "ns", body)
    assert check.preflight(Api(forbidden), request, RunOptions(), printed.append) is Exit.SUCCEEDED
    assert printed[-1] == f"Preflight: {last}"


def test_after_a_refusal_only_what_it_did_not_say_is_told() -> None:
    body = {**REQUEST.job, "spec": {"template": {"spec": {"serviceAccountName": "sa"}}}}
    request = JobRequest("hello", "ns", body)
    api = Api(raising(ApiError(404, "gone")))
    printed: list[str] = []
    check.explain(api, request, "refused", printed.append)
    assert printed == [
        "preflight: error: ServiceAccount sa does not exist; create it: kubectl -n ns create "
        "serviceaccount sa"
    ]
    api = Api(raising(ApiError(404, "gone")))
    check.explain(api, request, "ServiceAccount sa does not exist", printed.append)
    assert len(printed) == 1
