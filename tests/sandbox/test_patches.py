"""The three kinds of patches."""

from __future__ import annotations

from typing import Any

import pytest

from runjob.sandbox.patches import patched
from runjob.sandbox.refusals import Refusal

from .talk import Json

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
ITEM: Json = {"a": {"b": 1, "c": [1, 2]}, "x/y": 0}


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/n", "value": 2}], {**ITEM, "n": 2}),
        ([{"op": "replace", "path": "/a/b", "value": 5}], {"a": {"b": 5, "c": [1, 2]}, "x/y": 0}),
        ([{"op": "remove", "path": "/a/b"}], {"a": {"c": [1, 2]}, "x/y": 0}),
        ([{"op": "add", "path": "/a/c/-", "value": 3}], {"a": {"b": 1, "c": [1, 2, 3]}, "x/y": 0}),
        ([{"op": "add", "path": "/a/c/0", "value": 0}], {"a": {"b": 1, "c": [0, 1, 2]}, "x/y": 0}),
        ([{"op": "replace", "path": "/a/c/1", "value": 9}], {"a": {"b": 1, "c": [1, 9]}, "x/y": 0}),
        ([{"op": "remove", "path": "/a/c/0"}], {"a": {"b": 1, "c": [2]}, "x/y": 0}),
        ([{"op": "copy", "from": "/a/b", "path": "/z"}], {**ITEM, "z": 1}),
        ([{"op": "move", "from": "/a/b", "path": "/z"}], {"a": {"c": [1, 2]}, "x/y": 0, "z": 1}),
        ([{"op": "replace", "path": "/x~1y", "value": 1}], {**ITEM, "x/y": 1}),
        ([{"op": "test", "path": "/a/c/1", "value": 2}], ITEM),
        ([{"op": "replace", "path": "", "value": {"n": 1}}], {"n": 1}),
    ],
)  # fmt: skip
def test_json_patches_do_what_their_operations_say(operations: list[Any], result: Json) -> None:
    assert patched(ITEM, JSON, operations) == result
    assert ITEM == {"a": {"b": 1, "c": [1, 2]}, "x/y": 0}


def test_a_json_patch_reaches_into_lists() -> None:
    patch = [{"op": "replace", "path": "/c/0/image", "value": "new"}]
    assert patched({"c": [{"image": "old"}]}, JSON, patch) == {"c": [{"image": "new"}]}


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([{"op": "test", "path": "/a/b", "value": 2}], 422),
        ([{"op": "remove", "path": "/nosuch"}], 422),
        ([{"op": "replace", "path": "/nosuch", "value": 1}], 422),
        ([{"op": "add", "path": "/a/c/x", "value": 1}], 422),
        ([{"op": "shout", "path": "/a"}], 400),
        ({"not": "a list"}, 400),
        ([{"op": "replace", "path": "", "value": 1}], 400),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(operations: object, code: int) -> None:
    with pytest.raises(Refusal) as caught:
        patched(ITEM, JSON, operations)
    assert caught.value.code == code


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_merge_replaces_adds_and_removes(kind: str) -> None:
    patch = {"a": {"b": None, "d": {"e": 1}}, "x/y": [3]}
    assert patched(ITEM, kind, patch) == {"a": {"c": [1, 2], "d": {"e": 1}}, "x/y": [3]}


def test_a_strategic_merge_joins_lists_by_their_keys() -> None:
    item = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}
    patch = {
        "$setElementOrder/containers": [{"name": "a"}],
        "containers": [
            {"name": "a", "image": "2"},
            {"name": "b", "$patch": "delete"},
            {"name": "c"},
        ],
    }
    assert patched(item, STRATEGIC, patch) == {
        "containers": [{"name": "a", "image": "2"}, {"name": "c"}]
    }


def test_a_strategic_merge_takes_words_off_a_list_and_those_that_are_not_there_are_no_matter() -> (
    None
):
    patch = {"$deleteFromPrimitiveList/words": ["b", "z"], "$deleteFromPrimitiveList/none": ["b"]}
    assert patched({"words": ["a", "b", "c"]}, STRATEGIC, patch) == {"words": ["a", "c"]}
    assert patched({"words": ["b"]}, STRATEGIC, patch) == {"words": []}


def test_another_kind_of_patch_is_refused() -> None:
    with pytest.raises(Refusal, match="unknown format") as caught:
        patched(ITEM, "application/apply-patch+yaml", {})
    assert caught.value.code == 415
