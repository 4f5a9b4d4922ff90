"""What a preflight takes a Job's pods to need."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.preflight.references import Reference, references
from tests.runjob.preflight_facts import job


@pytest.mark.parametrize(
    ("container", "volume", "expected"),
    [
        pytest.param(
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            {},
            [("Secret", "s", "k", "variable A of container main")],
            id="a variable of a Secret",
        ),
        pytest.param(
            {"env": [{"name": "A", "value": "plain"}]}, {}, [], id="a variable with its value"
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]},
            {},
            [("ConfigMap", "c", "", "envFrom of container main"),
             ("Secret", "s", "", "envFrom of container main")],
            id="all variables",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "c", "optional": True}}]}, {}, [],
            id="optional",
        ),
        pytest.param(
            {"envFrom": [{"configMapRef": {"name": "c", "optional": False}}]}, {},
            [("ConfigMap", "c", "", "envFrom of container main")],
            id="not optional",
        ),
        pytest.param(
            {}, {"secret": {"secretName": "s", "items": [{"key": "a"}, {"key": "b"}]}},
            [("Secret", "s", "a", "volume v"), ("Secret", "s", "b", "volume v")],
            id="keys of a volume",
        ),
        pytest.param(
            {}, {"configMap": {"name": "c"}}, [("ConfigMap", "c", "", "volume v")],
            id="a volume",
        ),
        pytest.param(
            {},
            {"projected": {"sources": [
                {"secret": {"name": "s"}}, {"configMap": {"name": "c", "items": [{"key": "k"}]}},
                {"serviceAccountToken": {"path": "t"}},
            ]}},
            [("Secret", "s", "", "volume v"), ("ConfigMap", "c", "k", "volume v")],
            id="a projected volume",
        ),
        pytest.param(
            {}, {"persistentVolumeClaim": {"claimName": "p"}},
            [("PersistentVolumeClaim", "p", "", "volume v")],
            id="a claim",
        ),
        pytest.param({}, {"emptyDir": {}}, [], id="a volume of its own"),
    ],
)  # fmt: skip
def test_what_pods_cannot_start_without(
    container: dict[str, Any], volume: dict[str, Any], expected: list[Any]
) -> None:
    body = job({"name": "main", **container}, volumes=[{"name": "v", **volume}])
    assert list(references(body)) == [Reference(*each) for each in expected]


def test_init_containers_refer_too() -> None:
    first = {"name": "first", "envFrom": [{"secretRef": {"name": "s"}}]}
    assert references(job(init=(first,))) == (
        Reference("Secret", "s", "", "envFrom of container first"),
    )
