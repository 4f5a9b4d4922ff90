"""What holds an object whose deletion was accepted, and what is said of it."""

from __future__ import annotations

import pytest

from runjob.commands import Commands
from runjob.finalizers import held, holders

MINE = "example.org/mine"


@pytest.mark.parametrize(
    ("answer", "by"),
    [
        pytest.param({"kind": "Status", "metadata": {}, "status": "Success"}, (), id="it is gone"),
        pytest.param({}, (), id="nothing was there"),
        pytest.param({"metadata": {"finalizers": None}}, (), id="the object as it was"),
        pytest.param({"metadata": {"finalizers": [MINE]}}, (MINE,), id="another party's"),
        pytest.param(
            {"metadata": {"finalizers": ["foregroundDeletion", "orphan"]}}, (), id="the collector's"
        ),
        pytest.param(
            {"metadata": {"finalizers": ["kubernetes.io/pvc-protection"]}},
            (),
            id="a claim whose pods are on their way out",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["service.kubernetes.io/load-balancer-cleanup"]}},
            (),
            id="a Service whose balancer is removed",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["not-kubernetes.io/a", "foregroundDeletion", "b.org/b"]}},
            ("not-kubernetes.io/a", "b.org/b"),
            id="some of both",
        ),
    ],
)
def test_the_answer_to_a_deletion_tells_who_holds_the_object(
    answer: dict[str, object], by: tuple[str, ...]
) -> None:
    assert holders(answer) == by


def test_who_reads_it_at_night_knows_whom_to_ask_and_what_force_risks() -> None:
    body = {"kind": "ConfigMap", "metadata": {"name": "words", "uid": "u1"}}
    assert held(body, (MINE, "b.org/b"), "here", Commands()) == (
        "ConfigMap words is being deleted, but stays until whoever set its finalizer "
        "example.org/mine, b.org/b takes that off; look who that is with: kubectl -n here get "
        "configmap words -o yaml --show-managed-fields; only where nobody will any more, take it "
        "off by force, and what it was to clean up stays behind: kubectl -n here patch configmap "
        """words --type=strategic -p '{"metadata":{"uid":"u1","$deleteFromPrimitiveList/"""
        """finalizers":["example.org/mine","b.org/b"]}}'"""
    )
