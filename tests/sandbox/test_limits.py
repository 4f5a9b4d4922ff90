"""Quotas, limit ranges, priorities and access reviews, as the embedded cluster plays them."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from runjob.sandbox import Sandbox
from runjob.sandbox.faults import Fault, Refuse

CORE = "/api/v1/namespaces/controlm"
JOBS = "/apis/batch/v1/namespaces/controlm/jobs"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def post(sandbox: Sandbox, path: str, body: Any, method: str = "POST") -> tuple[int, Any]:
    """Send an object; return the status and the answer."""
    request = urllib.request.Request(  # its address is the sandbox's
        sandbox.url + path,
        json.dumps(body).encode() if isinstance(body, dict) else body,
        {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"},
        method=method,
    )
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def pod(**spec: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "busybox:1", "resources": {"limits": {"memory": "1Gi"}}}
    return {"metadata": {"name": "p"}, "spec": {"containers": [main], **spec}}


@pytest.mark.parametrize("key", ["configmaps", "count/configmaps"])
def test_a_quota_lets_in_as_many_as_it_says(sandbox: Sandbox, key: str) -> None:
    # The namespace has one of its own, with the authority's certificate.
    body = {"metadata": {"name": "q"}, "spec": {"hard": {key: 2}}}
    assert post(sandbox, f"{CORE}/resourcequotas", body)[0] == 201
    statuses = [
        post(sandbox, f"{CORE}/configmaps", {"metadata": {"name": name}}) for name in ("a", "b")
    ]
    assert [status for status, _ in statuses] == [201, 403]
    assert statuses[1][1]["message"] == (
        f'configmaps "b" is forbidden: exceeded quota: q, requested: {key}=1, used: {key}=2, '
        f"limited: {key}=2"
    )


def test_a_limit_range_refuses_a_pod_above_it(sandbox: Sandbox) -> None:
    limits = [
        {"type": "Pod", "max": {"memory": 1}},
        {"type": "Container", "max": {"memory": "1Mi"}},
    ]
    post(sandbox, f"{CORE}/limitranges", {"metadata": {"name": "r"}, "spec": {"limits": limits}})
    status, answer = post(sandbox, f"{CORE}/pods", pod())
    assert status == 403
    assert answer["message"].endswith("maximum memory usage per Container is 1Mi, but limit is 1Gi")


def test_a_priority_class_must_exist(sandbox: Sandbox) -> None:
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    status, answer = post(sandbox, f"{CORE}/pods", pod(priorityClassName="high"))
    assert status == 403
    assert answer["message"].endswith("no PriorityClass with name high was found")
    assert post(sandbox, path, {"metadata": {"name": "high"}, "value": 1})[0] == 201
    assert post(sandbox, f"{CORE}/pods", pod(priorityClassName="high"))[0] == 201


def review(verb: str, resource: str, part: str = "", group: str = "") -> dict[str, Any]:
    wanted = {"verb": verb, "resource": resource, "subresource": part, "group": group,
              "namespace": "controlm"}  # fmt: skip
    return {"spec": {"resourceAttributes": wanted}}


def test_a_review_knows_what_is_forbidden_until_it_is_allowed_again(sandbox: Sandbox) -> None:
    passing = sandbox.inject(Fault(Refuse(403), "list", "pods"))
    lasting = sandbox.inject(Fault(Refuse(403), "get", "pods/log", times=None))

    def allowed(*wanted: str) -> bool:
        status, answer = post(sandbox, REVIEWS, review(*wanted))
        assert status == 201
        return bool(answer["status"]["allowed"])

    assert not allowed("get", "pods", "log")
    assert allowed("get", "pods")
    assert allowed("list", "pods")
    lasting.remove()
    assert allowed("get", "pods", "log")
    assert (passing.hits, lasting.hits) == (0, 0)


def test_a_review_is_an_object_that_is_sent(sandbox: Sandbox) -> None:
    assert post(sandbox, REVIEWS, None, "GET")[0] == 405
    assert post(sandbox, REVIEWS, b"{")[0] == 400
