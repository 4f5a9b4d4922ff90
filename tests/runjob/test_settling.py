"""A Job that is kept gets back what its author asked for, or the user the command that does it."""

from __future__ import annotations

import json
from queue import Queue
from typing import Any

import pytest

from runjob.errors import ApiError, NoClusterError
from runjob.identity import TOLD
from runjob.lease import kept
from runjob.request import Body
from runjob.retry import Backoff
from runjob.workshop import Workshop


class Api:
    """Takes patches, and fails so many times with what it was made of."""

    def __init__(self, error: Exception | None = None, times: int = 99) -> None:
        self.error = error
        self.times = times
        self.patches: list[Any] = []

    def patch(self, _body: Body, namespace: str, patch: Body) -> Body:
        assert namespace == "ns"
        self.patches.append(patch)
        if self.error is not None and len(self.patches) <= self.times:
            raise self.error
        return {}


def settle(api: Api, **annotations: str) -> str:
    job = {"kind": "Job", "metadata": {"name": "hello", "uid": "1", "annotations": annotations}}
    more: Any = api
    at_once = Backoff(first=0.0, cap=0.0)
    told: Queue[Any] = Queue()
    Workshop(more, "ns", more, lambda: 0.0, backoff=at_once).settle(job, told.put, over=True)
    return str(told.get(timeout=10).left)


HELD = {"runjob/ttl": "0"}


def test_a_ttl_that_was_held_back_is_restored() -> None:
    api = Api()
    assert settle(api, **HELD) == ""
    (patch,) = api.patches
    assert patch["spec"] == {"ttlSecondsAfterFinished": 0}
    assert patch["metadata"]["annotations"]["runjob/ttl"] is None


@pytest.mark.parametrize("status", [0, 401, 403, 429, 503])
def test_one_that_meets_a_moment_of_trouble_is_restored_all_the_same(status: int) -> None:
    api = Api(ApiError(status, "later"), times=3)
    assert settle(api, **HELD) == ""
    assert len(api.patches) == 4


@pytest.mark.parametrize(
    "error",
    [ApiError(0, "reset"), ApiError(403, "no"), NoClusterError("no token"), RecursionError("deep")],
)
def test_one_that_cannot_be_restored_is_said_with_the_command(error: Exception) -> None:
    said = settle(Api(error), **HELD)
    assert f"could not be restored, nor its end marked as told ({error})" in said
    command, _, text = said.partition("kubectl ")[2].partition(" -p ")
    assert command == "-n ns patch job hello --type=merge"
    patch = json.loads(text.strip("'"))
    assert patch["spec"] == {"ttlSecondsAfterFinished": 0}
    assert patch["metadata"]["annotations"][TOLD] == "true"


@pytest.mark.parametrize("annotations", [HELD, {}])
def test_nothing_is_said_of_a_job_that_is_gone(annotations: dict[str, str]) -> None:
    assert settle(Api(ApiError(404, "not found")), **annotations) == ""


def test_an_end_that_cannot_be_marked_as_told_is_said_with_the_command_that_removes_the_job() -> (
    None
):
    assert settle(Api(ApiError(403, "no"))) == (
        "NOT marked as told: Job hello (no), so that a launch which takes it up tells this end "
        "again; remove it with: kubectl -n ns delete job hello"
    )


@pytest.mark.parametrize(
    ("notes", "settled", "words"),
    [
        ({}, True, "The Job is kept (--keep=always); look at it: LOOK"),
        (
            HELD,
            True,
            "The Job is left (--keep=always) to its manifest's TTL of 0 s, which removes it at "
            "once",
        ),
        (
            {"runjob/ttl": "300"},
            True,
            "The Job is kept (--keep=always) until its manifest's TTL removes it 300 s after its "
            "end; look at it: LOOK",
        ),
        (HELD, False, "The Job is kept (--keep=always); look at it: LOOK"),
    ],
)
def test_a_job_that_is_kept_is_not_promised_beyond_its_ttl(
    notes: dict[str, str], settled: bool, words: str
) -> None:
    job = {"kind": "Job", "metadata": {"name": "hello", "uid": "1", "annotations": notes}}
    assert kept(job, "always", "LOOK", settled=settled) == words
