"""--set reaches any field, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runjob.errors import UsageError
from runjob.fields import steps, with_field


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", ("a",)),
        ("spec.template.spec", ("spec", "template", "spec")),
        ("containers[0].image", ("containers", 0, "image")),
        ("a[0][12]", ("a", 0, 12)),
        ('labels."example.com/team"', ("labels", "example.com/team")),
        ('"x y".z', ("x y", "z")),
        ('a."[0]"', ("a", "[0]")),
        ("matrix.0", ("matrix", "0")),
    ],
)
def test_a_path_is_split_into_keys_and_positions(
    path: str, expected: tuple[str | int, ...]
) -> None:
    assert steps(path) == expected


@pytest.mark.parametrize(
    "path",
    [".a", "[0]", "a..b", "a.", "a[", "a[x]", "a[-1]", 'a."b', 'a"b"', 'a."b"c', "a[1]b", "a]"],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="not a path such as"):
        steps(path)


BODY = {"a": {"b": [{"c": 1}]}, "empty": None, "text": "x"}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        pytest.param("new", "1", {**BODY, "new": 1}, id="a new key"),
        pytest.param("a.b[0].c", "2", {**BODY, "a": {"b": [{"c": 2}]}}, id="a known field"),
        pytest.param("a.b[1]", "x", {**BODY, "a": {"b": [{"c": 1}, "x"]}}, id="one more entry"),
        pytest.param(
            "a.b[1].d", "x", {**BODY, "a": {"b": [{"c": 1}, {"d": "x"}]}}, id="in one more entry"
        ),
        pytest.param("n.m[0].o", "true", {**BODY, "n": {"m": [{"o": True}]}}, id="made on the way"),
        pytest.param("empty.x", "y", {**BODY, "empty": {"x": "y"}}, id="null on the way"),
        pytest.param("text", "null", {**BODY, "text": None}, id="null"),
        pytest.param("text", "", {**BODY, "text": ""}, id="an empty text"),
        pytest.param("text", "[1, {k: v}]", {**BODY, "text": [1, {"k": "v"}]}, id="a structure"),
        pytest.param("text", '"1"', {**BODY, "text": "1"}, id="quoted digits are text"),
        pytest.param("text", "2026-01-31", {**BODY, "text": "2026-01-31"}, id="a date is text"),
    ],
)
def test_a_field_is_set(path: str, text: str, expected: dict[str, Any]) -> None:
    assert with_field(BODY, path, text) == expected


def test_the_object_itself_stays_as_it_was() -> None:
    body = {"a": {"b": [1]}}
    with_field(body, "a.b[0]", "2")
    assert body == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    "path",
    ["text.x", "text[0]", "a.b.c", "a[0]", "a.b[2]", "a.b[9].c", "new[1]"],
)
def test_a_path_that_runs_into_something_else_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="there is no place for"):
        with_field(BODY, path, "1")


@pytest.mark.parametrize("text", ["{", "[1", "'", "{{x}}", "- a\nb", "a: b: c", "1\n---\n2", "@a"])
def test_what_is_no_yaml_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no YAML value"):
        with_field({}, "a", text)


@given(st.text(st.characters(codec="utf-8")))
@example("0x_")
@example("12:30")
@example(".inf")
@example("!!int a")
@example("!!bool a")
@example("!!float a")
@example("!!timestamp a")
@example("!!timestamp 2026-01-31")
@example("!!binary aGk=")
@example("!!set {a}")
@example("!!python/name:os.system")
@example("9" * 5000)
@example("[" * 1000)
@example("&a [*a]")
def test_a_value_is_refused_or_can_be_sent(text: str) -> None:
    try:
        body = with_field({}, "a", text)
    except UsageError:
        return
    assert json.loads(json.dumps(body, allow_nan=False)) == body


keys = st.text(st.characters(codec="utf-8", exclude_characters='"'), min_size=1)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(keys, min_size=1, max_size=4), values)
def test_what_is_set_is_read_back(path: list[str], value: Any) -> None:
    dotted = ".".join(f'"{key}"' for key in path)
    found: Any = with_field({}, dotted, json.dumps(value, ensure_ascii=False))
    for key in path:
        assert list(found) == [key]
        found = found[key]
    assert found == value
