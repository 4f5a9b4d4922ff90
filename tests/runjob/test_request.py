"""Every kind of object has its place in the API."""

from __future__ import annotations

import pytest

from runjob.request import JOB, POD, PREREQUISITES, Kind


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        (JOB, "", "/apis/batch/v1/namespaces/ns/jobs"),
        (JOB, "hello", "/apis/batch/v1/namespaces/ns/jobs/hello"),
        (POD, "hello", "/api/v1/namespaces/ns/pods/hello"),
        (
            PREREQUISITES["rbac.authorization.k8s.io/v1", "Role"],
            "",
            "/apis/rbac.authorization.k8s.io/v1/namespaces/ns/roles",
        ),
    ],
    ids=["all Jobs", "a Job", "of the core", "of another group"],
)
def test_an_object_is_found_at_its_path(kind: Kind, name: str, path: str) -> None:
    assert kind.path("ns", name) == path


def test_those_of_all_namespaces_are_found_where_none_is_named() -> None:
    assert JOB.path(None) == "/apis/batch/v1/jobs"
    # What comes of a variable without a value leads nowhere.
    assert JOB.path("") == "/apis/batch/v1/namespaces/jobs"


def test_what_may_stand_beside_a_job_is_known_by_version_and_kind() -> None:
    assert all(key == (kind.api_version, kind.name) for key, kind in PREREQUISITES.items())
