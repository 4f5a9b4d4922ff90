"""What came along with a Job goes with it."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.belonging import bequest, jobs_of
from runjob.request import Body

JOB: Body = {"metadata": {"name": "load", "uid": "j1"}}
OWNER = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "name": "load",
    "uid": "j1",
    "controller": False,
    "blockOwnerDeletion": False,
}
OTHER = {**OWNER, "name": "other", "uid": "j2"}
HOLDER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "holder", "uid": "c1"}


def settings(*owners: Any) -> Body:
    return {"metadata": {"name": "settings", "uid": "c2", "ownerReferences": list(owners)}}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"metadata": {"name": "settings", "uid": "c2"}}, id="nobody's"),
        pytest.param({"metadata": {"uid": "c2", "ownerReferences": None}}, id="of none"),
        pytest.param(settings(OTHER, HOLDER), id="of others"),
    ],
)
def test_an_object_is_bound_to_its_job_by_adding_one_owner(body: Body) -> None:
    assert bequest(body, JOB) == {"metadata": {"uid": "c2", "ownerReferences": [OWNER]}}


def test_what_is_bound_already_is_not_bound_again() -> None:
    assert bequest(settings(OTHER, OWNER), JOB) is None


@pytest.mark.parametrize(
    ("owners", "names"),
    [
        pytest.param([], [], id="nobody's"),
        pytest.param([OWNER, OTHER], ["load", "other"], id="of two Jobs"),
        pytest.param([OWNER, HOLDER], [], id="of something else too"),
    ],
)
def test_an_object_goes_with_the_last_of_its_jobs(owners: list[Any], names: list[str]) -> None:
    jobs = jobs_of(settings(*owners))
    assert [job["metadata"]["name"] for job in jobs] == names
    assert all(job["kind"] == "Job" for job in jobs)
