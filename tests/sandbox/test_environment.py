"""A container's variables."""

from __future__ import annotations

import base64

import pytest

from runjob.sandbox.environment import ConfigError, environment_of, expanded
from runjob.sandbox.resources import Json, Resource

POD: Json = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"a/b": "c"}},
    "spec": {"nodeName": "node1"},
}
OBJECTS: dict[tuple[str, str], Json] = {
    ("configmaps", "settings"): {"data": {"KEY": "value", "other": "x"}},
    ("secrets", "password"): {"data": {"key": base64.b64encode(b"hidden").decode()}},
    ("configmaps", "empty"): {},
}


def find(resource: Resource, name: str) -> Json | None:
    return OBJECTS.get((resource.plural, name))


def environment(*env: Json, env_from: list[Json] | None = None) -> dict[str, str]:
    container = {"env": list(env), "envFrom": env_from or []}
    return environment_of(container, POD, find, {"BASE": "b"})


def from_map(name: str, key: str, **more: object) -> Json:
    return {"name": "X", "valueFrom": {"configMapKeyRef": {"name": name, "key": key, **more}}}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$(A)", "1"), ("x$(A)y$(A)", "x1y1"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$A", "$A"),
        ("$$", "$"), ("$(A", "$(A"),
    ],
)  # fmt: skip
def test_references_are_replaced_as_the_kubelet_does(text: str, result: str) -> None:
    assert expanded(text, {"A": "1"}) == result


def test_a_value_sees_the_variables_before_it() -> None:
    found = environment({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(BASE)-$(C)"})
    assert found == {"BASE": "b", "A": "1", "B": "1-b-$(C)"}


def test_values_come_from_maps_secrets_and_the_pod_itself() -> None:
    secret = {"secretKeyRef": {"name": "password", "key": "key"}}
    paths = ("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
             "metadata.labels['a/b']", "metadata.annotations['none']")  # fmt: skip
    fields = [{"name": path, "valueFrom": {"fieldRef": {"fieldPath": path}}} for path in paths]
    found = environment(
        from_map("settings", "KEY"), {"name": "S", "valueFrom": secret}, {"name": "E"}, *fields
    )
    assert list(found.values()) == ["b", "value", "hidden", "", "p", "n", "u", "node1", "c", ""]


def test_whole_maps_come_with_a_prefix() -> None:
    sources: list[Json] = [
        {"prefix": "P_", "configMapRef": {"name": "settings"}},
        {"secretRef": {"name": "password"}},
        {"configMapRef": {"name": "lost", "optional": True}},
        {"configMapRef": {"name": "empty"}},
    ]
    assert environment(env_from=sources) == {
        "BASE": "b", "P_KEY": "value", "P_other": "x", "key": "hidden",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        (from_map("lost", "KEY"), 'configmap "lost" not found'),
        (from_map("settings", "lost"), "couldn't find key lost in ConfigMap n/settings"),
        (
            {"name": "X", "valueFrom": {"secretKeyRef": {"name": "password", "key": "lost"}}},
            "couldn't find key lost in Secret n/password",
        ),
    ],
)
def test_what_is_missing_is_named_as_the_kubelet_does(variable: Json, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(variable)
    assert str(caught.value) == why


@pytest.mark.parametrize("name", ["lost", "settings"])
def test_what_may_be_missing_is_left_out(name: str) -> None:
    assert "X" not in environment(from_map(name, "nokey", optional=True))
