"""Definitions are read strictly, and everything in them has its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.definition import DefinitionError, load, read

TEXT = """{
  "folder": {
    "Type": "Folder",
    "job": {"Type": "Job:Command",
            "Command": "echo {\\"a\\": [1, 2]}",
            "Variables": [{"A": "1"},
                          {"B": "2"}]}
  }
}
"""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Return the path of everything in the value, found by walking it."""
    found = {path}
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths(inner, (*path, key))
    if isinstance(value, list):
        for position, inner in enumerate(value):
            found |= paths(inner, (*path, position))
    return found


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("folder",), 2),
        (("folder", "job", "Command"), 5),
        (("folder", "job", "Variables", 0, "A"), 6),
        (("folder", "job", "Variables", 1), 7),
        (("folder", "job", "NoSuch", "Thing"), 4),
    ],
)
def test_everything_has_its_line_or_its_nearest_parents(
    path: tuple[str | int, ...], line: int
) -> None:
    assert read(TEXT, "x.json").line(path) == line


@given(content=st.dictionaries(st.text(), JSON, max_size=4), indent=st.sampled_from([None, 0, 2]))
def test_what_is_read_is_what_json_reads_and_every_path_has_a_line(
    content: dict[str, Any], indent: int | None
) -> None:
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    definition = read(text, "x.json")
    assert definition.content == content
    assert set(definition.lines) == paths(content)
    assert definition.repeated == ()


def test_a_repeated_name_is_told_with_both_lines_and_the_last_counts() -> None:
    definition = read('{"a": {"x": 1,\n"y": {"z": 0},\n"y": 2}}', "x.json")
    assert definition.content == {"a": {"x": 1, "y": 2}}
    (twice,) = definition.repeated
    assert (twice.path, twice.line, twice.first) == (("a", "y"), 3, 2)
    assert ("a", "y", "z") not in definition.lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"x": 1,\n"x": 2}}', 'x.json:2: "x" is given twice in one object'),
        ('{"a": 1\n"b": 2}', "x.json:2: not JSON: Expecting ',' delimiter at column 1"),
        ('{"a": NaN}', "x.json:1: not JSON: NaN is JavaScript"),
        ('{"a": ' + "[" * 100_000, "x.json:1: not JSON: nested too deep"),
        ("[]", "x.json:1: not a definition: the text holds a list"),
        ("", "x.json:1: not JSON: Expecting value at column 1"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load(text, "x.json")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
