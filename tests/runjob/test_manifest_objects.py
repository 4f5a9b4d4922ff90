"""The Job and what it brings along are told apart, named, placed and compared."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import Exit, LaunchError, ManifestError
from runjob.manifest import agreed_name, agreed_namespace, divide, placed, same_content
from runjob.request import PREREQUISITES


def body(kind: str = "Job", api: str = "", **metadata: Any) -> dict[str, Any]:
    api = api or ("batch/v1" if kind == "Job" else "v1")
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def test_the_job_and_its_prerequisites_are_told_apart() -> None:
    first, job, last = body("ConfigMap", name="a"), body(name="j"), body("Secret", name="b")
    assert divide((first, job, last), "job.yaml") == (job, (first, last))


@pytest.mark.parametrize(("api", "kind"), list(PREREQUISITES))
def test_a_known_kind_may_stand_beside_a_job(api: str, kind: str) -> None:
    other = body(kind, api, name="x")
    assert divide((body(), other), "job.yaml") == (body(), (other,))


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        pytest.param([], "holds nothing but no Job", id="nothing"),
        pytest.param([body("Pod")], "holds Pod but no Job", id="a Pod"),
        pytest.param([body("Pod"), body("Pod"), body("X")], "Pod, X but no Job", id="some kinds"),
        pytest.param([body(), body()], "holds 2 Jobs", id="two Jobs"),
        pytest.param([body(api="batch/v2")], "'batch/v2'; it must be batch/v1", id="a new Job"),
        pytest.param([body(), body("Pod", name="p")], "v1 Pod cannot stand", id="a Pod beside"),
        pytest.param([body(), body("Secret", "v2", name="p")], "v2 Secret", id="another version"),
        pytest.param([body(), body("Secret")], "a Secret without metadata.name", id="no name"),
        pytest.param([body(), body("Secret", name=5)], "without metadata.name", id="a number"),
    ],
)
def test_what_makes_no_launch_is_refused(objects: list[Any], message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        divide(tuple(objects), "job.yaml")
    assert message in str(caught.value)
    assert caught.value.exit_code == Exit.MANIFEST


@pytest.mark.parametrize(
    ("written", "wanted", "expected"),
    [
        pytest.param({"name": "a"}, None, "a", id="the manifest's"),
        pytest.param({}, "a", "a", id="the line's"),
        pytest.param({"name": "a"}, "a", "a", id="both agree"),
    ],
)
def test_the_name_is_agreed_upon(
    written: dict[str, Any], wanted: str | None, expected: str
) -> None:
    assert agreed_name(body(**written), wanted, "job.yaml") == expected


@pytest.mark.parametrize(
    ("objects", "wanted", "expected"),
    [
        pytest.param([body()], None, "default", id="nobody names one"),
        pytest.param([body()], "a", "a", id="the line's"),
        pytest.param([body(namespace="a")], None, "a", id="the manifest's"),
        pytest.param([body(namespace="a")], "a", "a", id="both agree"),
        pytest.param([body("Secret", namespace="a"), body()], None, "a", id="a prerequisite's"),
        pytest.param([body(namespace="a"), body(namespace="a")], None, "a", id="all agree"),
    ],
)
def test_the_namespace_is_agreed_upon(
    objects: list[Any], wanted: str | None, expected: str
) -> None:
    assert agreed_namespace(tuple(objects), wanted, "job.yaml") == expected


def name_of(metadata: dict[str, Any], wanted: str | None) -> str:
    return agreed_name(body(**metadata), wanted, "job.yaml")


def namespace_of(metadata: dict[str, Any], wanted: str | None) -> str:
    other = body("Secret", namespace="other")
    return agreed_namespace((body(**metadata), other), wanted, "job.yaml")


@pytest.mark.parametrize(
    ("agree", "metadata", "wanted", "code"),
    [
        pytest.param(name_of, {"name": "a"}, "b", 16, id="two names"),
        pytest.param(name_of, {}, None, 5, id="no name"),
        pytest.param(name_of, {"name": 5}, None, 5, id="a number for a name"),
        pytest.param(name_of, {"name": 5}, "5", 5, id="a number like the name"),
        pytest.param(namespace_of, {"namespace": "a"}, "b", 18, id="two namespaces"),
        pytest.param(namespace_of, {}, "b", 18, id="the namespace of a prerequisite"),
        pytest.param(namespace_of, {"namespace": "a"}, None, 18, id="objects do not agree"),
        pytest.param(namespace_of, {"namespace": 5}, None, 5, id="a number for a namespace"),
    ],
)
def test_a_disagreement_has_its_exit_code(
    agree: Callable[[dict[str, Any], str | None], str],
    metadata: dict[str, Any],
    wanted: str | None,
    code: int,
) -> None:
    with pytest.raises(LaunchError) as caught:
        agree(metadata, wanted)
    assert caught.value.exit_code == code


def test_an_object_is_placed_in_its_namespace_and_keeps_its_name() -> None:
    secret = body("Secret", name="s", generateName="x-")
    assert placed(secret, "ns")["metadata"] == {
        "name": "s",
        "generateName": "x-",
        "namespace": "ns",
    }
    assert placed(secret, "ns", "t")["metadata"] == {"name": "t", "namespace": "ns"}


SECRET = {"kind": "Secret", "metadata": {"name": "s"}}
HELLO = base64.b64encode(b"hello").decode()


@pytest.mark.parametrize(
    ("wanted", "known", "same"),
    [
        pytest.param({"a": 1}, {"a": 1, "uid": "x"}, True, id="more is known"),
        pytest.param({"a": 1}, {"a": 2}, False, id="another value"),
        pytest.param({"a": 1}, {}, False, id="less is known"),
        pytest.param({"a": None}, {}, True, id="null is nothing"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True, id="inside"),
        pytest.param({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2, "c": 3}]}, True, id="in a list"),
        pytest.param({"a": [1]}, {"a": [1, 2]}, False, id="a longer list"),
        pytest.param({"a": [1]}, {"a": {"b": 1}}, False, id="a list is no object"),
        pytest.param(
            {**SECRET, "stringData": {"k": "hello"}},
            {**SECRET, "data": {"k": HELLO}},
            True,
            id="a Secret's text",
        ),
        pytest.param(
            {**SECRET, "stringData": {"k": "hello"}, "data": {"l": "eA=="}},
            {**SECRET, "data": {"k": HELLO, "l": "eA==", "m": "eA=="}},
            True,
            id="a Secret's text and data",
        ),
        pytest.param(
            {**SECRET, "stringData": {"k": "bye"}},
            {**SECRET, "data": {"k": HELLO}},
            False,
            id="another text of a Secret",
        ),
        pytest.param(SECRET, SECRET, True, id="a Secret with nothing"),
    ],
)
def test_an_object_that_exists_is_compared_by_what_is_written(
    wanted: Any, known: Any, same: bool
) -> None:
    assert same_content(wanted, known) is same


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.integers()))
def test_what_the_api_adds_does_not_count(written: dict[str, str], added: dict[str, int]) -> None:
    assert same_content(written, {**added, **written})
