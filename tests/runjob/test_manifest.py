"""A manifest goes to the API as it was written, its placeholders filled."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from runjob.errors import Exit, ManifestError, UsageError
from runjob.manifest import documents
from runjob.yamltext import MAX_CHARACTERS

HEAD = "apiVersion: batch/v1\nkind: Job\n"


def read(text: str, **params: str) -> tuple[Any, ...]:
    return documents(text, tuple(params.items()), "job.yaml")


def value(text: str, **params: str) -> Any:
    """Return what a field holds that is written so."""
    (body,) = read(f"{HEAD}x: {text}\n", **params)
    return body["x"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("---\n# a comment\n---\n", [], id="empty documents"),
        pytest.param(
            "kind: A\napiVersion: v1\n---\nkind: B\napiVersion: v1\n", ["A", "B"], id="two"
        ),
        pytest.param("---\nkind: A\napiVersion: v1\n---\n...\n", ["A"], id="one and an end"),
        pytest.param('{"kind": "A", "apiVersion": "v1"}', ["A"], id="JSON"),
        pytest.param(
            "kind: List\nitems:\n- {kind: A, apiVersion: v1}\n- {kind: B, apiVersion: v1}\n"
            "---\nkind: C\napiVersion: v1\n",
            ["A", "B", "C"],
            id="a List",
        ),
        pytest.param("kind: List\napiVersion: v1\n", [], id="an empty List"),
        pytest.param("\ufeffkind: A\napiVersion: v1\n", ["A"], id="byte order mark"),
        pytest.param("kind: A\r\napiVersion: v1\r\n", ["A"], id="Windows line ends"),
    ],
)
def test_every_document_is_found_in_its_order(text: str, names: list[str]) -> None:
    assert [body["kind"] for body in read(text)] == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-01-31", "2026-01-31", id="a date"),
        pytest.param("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z", id="a time"),
        pytest.param("12:30", "12:30", id="no base 60"),
        pytest.param("12:30:45", "12:30:45", id="no base 60 with seconds"),
        pytest.param("=", "=", id="an equals sign"),
        pytest.param("0644", 0o644, id="octal"),
        pytest.param("1.5", 1.5, id="a float"),
        pytest.param("yes", True, id="a word for true"),
        pytest.param("'yes'", "yes", id="a quoted word"),
        pytest.param("~", None, id="null"),
        pytest.param("1Gi", "1Gi", id="a quantity"),
        pytest.param("|\n  a\n  b", "a\nb\n", id="a block"),
    ],
)
def test_a_scalar_is_read_as_the_api_reads_it(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize("metadata", ["", "metadata:\n", "metadata: {}\n"])
def test_metadata_may_be_left_out(metadata: str) -> None:
    (body,) = read(HEAD + metadata)
    assert body["metadata"] == {}


@pytest.mark.parametrize("field", ["annotations", "labels"])
def test_marks_must_be_an_object(field: str) -> None:
    with pytest.raises(ManifestError, match=f"metadata.{field} must be an object"):
        read(f"{HEAD}metadata: {{{field}: [a]}}\n")


def test_anchors_and_merges_are_followed() -> None:
    (body,) = read(f"{HEAD}a: &a {{b: 1}}\nc: *a\nd: {{<<: *a, e: 2}}\n")
    assert (body["c"], body["d"]) == ({"b": 1}, {"b": 1, "e": 2})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: [", "job.yaml, line 1: ", id="no end"),
        pytest.param(f"{HEAD}a: b: c\n", "job.yaml, line 3: ", id="two colons"),
        pytest.param("\tkind: Job", "job.yaml, line 1: ", id="a tab"),
        pytest.param("just words", "line 1: a Kubernetes object is expected", id="a text"),
        pytest.param("- kind: Job", "a Kubernetes object is expected", id="a sequence"),
        pytest.param("x" * 90, f"not '{'x' * 39}", id="a long text is cut"),
        pytest.param("kind: Job", "line 1: an object without apiVersion", id="no apiVersion"),
        pytest.param("---\napiVersion: v1", "line 2: an object without kind", id="no kind"),
        pytest.param("kind: 5\napiVersion: v1", "an object without kind", id="a number for kind"),
        pytest.param(
            "kind: List\nitems: [5]",
            "a Kubernetes object is expected, not 5",
            id="a List of numbers",
        ),
        pytest.param("kind: List\nitems: 5", "must be a list", id="a List that is none"),
        pytest.param(f"{HEAD}metadata: x", "metadata must be an object", id="metadata is text"),
        pytest.param(f"{HEAD}kind: Job", "line 3: 'kind' stands twice", id="a key twice"),
        pytest.param(f"{HEAD}a: {{b: 1, b: 1}}", "'b' stands twice", id="a key twice, inside"),
        pytest.param(f"{HEAD}a: {{1: x, '1': y}}", "'1' stands twice", id="a key in two forms"),
        pytest.param(f"{HEAD}a: {{{{b}}: 1}}", "a key must be a word", id="braces for a key"),
        pytest.param(f"{HEAD}? [a]\n: b", "a key must be a word", id="a sequence for a key"),
        pytest.param(f"{HEAD}a: *b", "undefined alias", id="no such anchor"),
        pytest.param(f"{HEAD}a: &a [*a]", "an alias of itself", id="an alias of itself"),
        pytest.param(f"{HEAD}a: !!python/name:os.system", "is no type of JSON", id="a Python tag"),
        pytest.param(
            f"{HEAD}a: !mine x", "line 3: !mine is no type of JSON", id="a tag of somebody's"
        ),
        pytest.param("[" * 5000, "job.yaml", id="nested too deeply"),
        pytest.param(f"{HEAD}a: {'[' * 101}{']' * 101}", "nested too deeply", id="nested deeply"),
        pytest.param("#" * (MAX_CHARACTERS + 1), "larger than", id="too many characters"),
        pytest.param(f"{HEAD}a: \x07", "job.yaml", id="a control character"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == Exit.MANIFEST


def test_aliases_cannot_multiply_unseen() -> None:
    bomb = HEAD + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 9):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n"
    with pytest.raises(ManifestError, match="more than 50,000 values"):
        read(bomb)


ODD_VALUES = [
    "0x_", "0b_", "0o", "-_", "._", ".nan", ".inf", "1e400", "!!int a", "!!bool a", "!!float a",
    "!!float inf", "!!float nan", "!!timestamp a", "!!timestamp 2026-01-31", "!!binary aGk=",
    "!!binary '!'", "!!set {a}", "!!omap [a: 1]", "!!pairs [a: 1]", "!!map [a]", "!!seq {a: 1}",
    "!!str [a]", "!!null x", "!!merge x", "{<<: 5}", "9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", ODD_VALUES, ids=lambda text: text[:20])
def test_a_value_is_refused_or_can_be_sent(text: str) -> None:
    try:
        found = value(text)
    except ManifestError:
        return
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    ("text", "params", "expected"),
    [
        pytest.param("${{a}}", {"a": "text"}, "text", id="alone"),
        pytest.param("${{ a }}", {"a": "5"}, 5, id="a number"),
        pytest.param("${{a}}", {"a": "1.5"}, 1.5, id="a float"),
        pytest.param("${{a}}", {"a": "true"}, True, id="a truth value"),
        pytest.param("${{a}}", {"a": "null"}, "null", id="null is a text"),
        pytest.param("${{a}}", {"a": ""}, "", id="nothing is an empty text"),
        pytest.param("${{a}}", {"a": "2026-01-31"}, "2026-01-31", id="a date stays text"),
        pytest.param("${{a}}", {"a": "12:30"}, "12:30", id="a clock time stays text"),
        pytest.param("${{a}}", {"a": "[1, 2]"}, "[1, 2]", id="brackets stay text"),
        pytest.param("${{a}}", {"a": "<<"}, "<<", id="a merge stays text"),
        pytest.param("'${{a}}'", {"a": "5"}, "5", id="single quotes keep text"),
        pytest.param('"${{a}}"', {"a": "true"}, "true", id="double quotes keep text"),
        pytest.param("|\n  ${{a}}", {"a": "5"}, "5\n", id="a block keeps text"),
        pytest.param("${{a}}${{b}}", {"a": "1", "b": "2"}, "12", id="two of them are text"),
        pytest.param("x-${{a}}", {"a": "5"}, "x-5", id="with more around it"),
        pytest.param("['${{a}}', '${{a}}']", {"a": "x"}, ["x", "x"], id="used twice"),
        pytest.param("'${{a.b-c_1}}'", {"a.b-c_1": "x"}, "x", id="any letters of a name"),
        pytest.param("'${{a}}'", {"a": "${{b}}"}, "${{b}}", id="a value is not filled again"),
        pytest.param("$(A) ${B} $C", {}, "$(A) ${B} $C", id="other forms are not ours"),
    ],
)
def test_a_placeholder_takes_its_value(text: str, params: dict[str, str], expected: Any) -> None:
    found = value(text, **params)
    assert (found, type(found)) == (expected, type(expected))


def test_a_placeholder_in_a_key_is_filled() -> None:
    (body,) = read(f"{HEAD}${{{{a}}}}: 1\n", a="name")
    assert body["name"] == 1


def test_a_filled_key_cannot_take_the_place_of_another() -> None:
    with pytest.raises(ManifestError, match="stands twice"):
        read(f"{HEAD}${{{{a}}}}: 1\n", a="kind")


@given(st.text(), st.sampled_from(["{}", "'{}'", '"{}"', "x {} y", "|\n    {}\n", ">-\n    {}\n"]))
@example("x\nkind: Pod", "{}")
@example("x\n---\nkind: Pod", "{}")
@example('", kind: "Pod', '"{}"')
@example("0x_", "{}")
@example("0o", "{}")
@example("{a: b}", "{}")
@example("*a", "{}")
@example("# x", "{}")
def test_no_value_can_add_a_key_or_a_document(text: str, around: str) -> None:
    manifest = f"{HEAD}metadata:\n  name: {around.format('${{a}}')}\nspec: {{}}\n"
    (body,) = read(manifest, a=text)
    assert list(body) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(body["metadata"]) == ["name"]
    name = body["metadata"]["name"]
    assert text in name if isinstance(name, str) else isinstance(name, (int, float))


@pytest.mark.parametrize(
    ("text", "params", "message"),
    [
        pytest.param("x: ${{a}}", (), "line 1: no value for ${{a}}; give it as --param a=VALUE",
                     id="missing"),
        pytest.param("x: 1", (("a", "1"),), "--param a: job.yaml has no placeholder ${{a}}",
                     id="unused"),
        pytest.param("# ${{a}}\nx: 1", (("a", "1"),), "no placeholder", id="in a comment"),
        pytest.param("x: ${{a}}", (("a", "1"), ("a", "2")), "twice", id="given twice"),
    ],
)  # fmt: skip
def test_parameters_and_placeholders_must_match(
    text: str, params: tuple[tuple[str, str], ...], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        documents(f"{text}\nkind: Job\napiVersion: v1\n", params, "job.yaml")
    assert message in str(caught.value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), inner, max_size=3
        )
    ),
    max_leaves=10,
).filter(lambda found: "${{" not in json.dumps(found))


@given(json_values)
def test_a_manifest_reads_as_it_was_written(found: Any) -> None:
    written = {"apiVersion": "v1", "kind": "A", "metadata": {}, "x": found}
    assert read(yaml.safe_dump(written, allow_unicode=True)) == (written,)
    assert read(json.dumps(written, ensure_ascii=False)) == (written,)
