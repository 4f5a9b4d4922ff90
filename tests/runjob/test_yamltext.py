"""YAML means here what it means to the Kubernetes API."""

from __future__ import annotations

from typing import Any

import pytest

from runjob import yamltext
from runjob.yamltext import MAX_CHARACTERS, MAX_DEPTH, MAX_DOCUMENTS, BadYamlError, read, value

FEW = 500


@pytest.fixture
def few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a text have few values: fifty thousand take seconds to read, and one test reads them."""
    monkeypatch.setattr(yamltext, "MAX_NODES", FEW)


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


@pytest.mark.usefixtures("few_nodes")
def test_a_value_may_be_as_large_as_the_limit_and_no_larger() -> None:
    value(f"[{'1,' * (FEW - 1)}]")
    with pytest.raises(BadYamlError, match=f", line 1: more than {FEW} values"):
        value(f"[{'1,' * FEW}]")
    with pytest.raises(BadYamlError, match=f", line {FEW}: more than {FEW} values"):
        value("- 1\n" * 200_000)


def test_a_placeholder_in_braces_is_told_to_be_quoted() -> None:
    with pytest.raises(BadYamlError, match="quote"):
        value("{a: ${{b}}}")
    with pytest.raises(BadYamlError) as caught:
        value("{a: [}")
    assert "quote" not in str(caught.value)


def laughs(levels: int) -> str:
    """Return a text of few lines that stands for 9 to the power of levels values."""
    lines = ["a0: &a0 x"]
    lines += [
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(laughs(40), ", line 6: more than 50,000 values", id="a billion laughs"),
        pytest.param(
            "\n".join(f"a{n}: &a{n} {{x: {f'*a{n - 1}' if n else 1}}}" for n in range(200)),
            ", line 100: nested too deeply",
            id="a tower of aliases",
        ),
        pytest.param("a: &a {b: [1, *a]}", ", line 1: an alias of itself", id="an alias of itself"),
        pytest.param(
            "x: &a 1\n---\nx: &a [*a]", ", line 3: an alias of itself", id="in the second"
        ),
        pytest.param("a: *b", ", line 1: found undefined alias 'b'", id="an alias of nothing"),
        pytest.param("---\n" * 100_000, ": more than 100 documents", id="documents"),
        pytest.param("[" * 900_000, ", line 1: nested too deeply", id="brackets"),
        pytest.param("x" * (MAX_CHARACTERS + 1), ": larger than 1,000,000", id="characters"),
    ],
)
def test_what_is_too_much_is_refused_where_it_becomes_so(text: str, message: str) -> None:
    with pytest.raises(BadYamlError) as caught:
        list(read(text))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_what_is_refused_is_not_read_to_its_end() -> None:
    """Naive: the whole is composed first and measured then, for half a minute."""
    text = "[" + "1," * 400_000 + "\x07]"
    with pytest.raises(BadYamlError, match="special characters"):
        value(text)  # the reader looks at characters first, a part at a time
    with pytest.raises(BadYamlError, match="more than 50,000"):
        value(f"[{'1,' * 400_000}")  # that it has no end is never seen


def test_so_many_documents_and_aliases_are_read() -> None:
    assert (
        len([each.value() for each in read("\n---\n".join(["a"] * MAX_DOCUMENTS))]) == MAX_DOCUMENTS
    )
    assert value("a: &a [1, 2]\nb: [*a, *a]\nc: &c {<<: {x: *a}}\nd: *c") == {
        "a": [1, 2], "b": [[1, 2], [1, 2]], "c": {"x": [1, 2]}, "d": {"x": [1, 2]},
    }  # fmt: skip
