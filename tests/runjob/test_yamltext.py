"""YAML means here what it means to the Kubernetes API."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.yamltext import MAX_DEPTH, MAX_NODES, BadYamlError, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None), ("~", None), ("null", None), ("x", "x"), ("true", True), ("no", False),
        ("0", 0), ("-7", -7), ("+7", 7), ("1_000", 1000), ("0x1F", 31), ("0b101", 5),
        ("0644", 420), ("-0644", -420), ("0o644", 420), ("089", "089"), ("0o", "0o"),
        ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000.0), ("1.", 1.0), ("1.2.3", "1.2.3"),
        (".", "."), ("-", [None]), ("1:30", "1:30"), ("2026-01-31", "2026-01-31"), ("=", "="),
        ("'5'", "5"), ("!!str 5", "5"), ("!!int '5'", 5), ("!!float 1", 1.0),
        ("{on: 1, 8080: 2, null: 3}", {"on": 1, "8080": 2, "null": 3}),
        ("[1, a, {b: [c]}]", [1, "a", {"b": ["c"]}]),
    ],
)  # fmt: skip
def test_a_value_is_that_of_the_api(text: str, expected: Any) -> None:
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a\n---\nb", ": more than one document", id="two documents"),
        pytest.param("x: 1\nx: 2", ", line 2: 'x' stands twice", id="a key twice"),
        pytest.param("on: 1\n'on': 2", ", line 2: 'on' stands twice", id="a key in two forms"),
        pytest.param("a: !!int x", ", line 1: a value does not fit its type", id="no integer"),
        pytest.param("\n!!set {a}", ", line 2: !!set is no type of JSON", id="a set"),
        pytest.param("{<<: 5}", ", line 1: expected a mapping", id="a merge with a number"),
        pytest.param("\x07", ": special characters are not allowed", id="a control character"),
        pytest.param(f"[{'1,' * MAX_NODES}]", ", line 1: too large", id="too many nodes"),
    ],
)
def test_what_is_no_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadYamlError) as caught:
        value(text)
    assert str(caught.value).startswith(message)


def test_a_value_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    # The innermost list stands at this depth, counted from 0.
    value("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    with pytest.raises(BadYamlError, match="nested too deeply"):
        value("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))


def test_a_value_may_be_as_large_as_the_limit_and_no_larger() -> None:
    value(f"[{'1,' * (MAX_NODES - 1)}]")
    with pytest.raises(BadYamlError, match="too large"):
        value(f"[{'1,' * MAX_NODES}]")


def test_a_placeholder_in_braces_is_told_to_be_quoted() -> None:
    with pytest.raises(BadYamlError, match="quote"):
        value("{a: ${{b}}}")
    with pytest.raises(BadYamlError) as caught:
        value("{a: [}")
    assert "quote" not in str(caught.value)
