"""Label and field selectors."""

from __future__ import annotations

import pytest

from runjob.sandbox.refusals import Refusal
from runjob.sandbox.resources import EVENTS, JOBS, PODS, Json, Resource
from runjob.sandbox.selection import fields_match, labels_match, shelf_of, shelves_of


def labelled(**labels: str) -> Json:
    return {"metadata": {"name": "x", "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("a=1", True), ("a==1", True), ("a=2", False), ("a!=2", True), ("a!=1", False),
        ("a", True), ("b", False), ("!b", True), ("!a", False),
        ("a in (1,2)", True), ("a in (3)", False), ("a notin (3)", True), ("a notin (1)", False),
        ("a=1,c=3", True), ("a=1, c=4", False), ("example.org/k-1_x=", False), ("missing!=1", True),
    ],
)  # fmt: skip
def test_label_selectors_choose_as_kubernetes_does(selector: str, chosen: bool) -> None:
    match = labels_match(selector)
    assert match is not None
    assert match(labelled(a="1", c="3")) is chosen


def test_an_empty_selector_selects_everything() -> None:
    assert labels_match("") is None
    assert fields_match(PODS, "") is None


def test_a_selector_that_is_none_is_refused() -> None:
    with pytest.raises(Refusal, match="unable to parse requirement"):
        labels_match("a b")
    with pytest.raises(Refusal, match="invalid selector"):
        fields_match(PODS, "nonsense")


@pytest.mark.parametrize(
    ("resource", "selector", "item", "chosen"),
    [
        (PODS, "status.phase=Running", {"status": {"phase": "Running"}}, True),
        (PODS, "status.phase!=Running", {"status": {"phase": "Running"}}, False),
        (PODS, "spec.nodeName=", {"spec": {}}, True),
        (JOBS, "status.successful=0", {"status": {}}, True),
        (EVENTS, "involvedObject.uid=u,type=Warning", {"involvedObject": {"uid": "u"}}, False),
        (EVENTS, "source=kubelet", {"source": {"component": "kubelet"}}, True),
    ],
)
def test_field_selectors_look_at_the_indexed_fields(
    resource: Resource, selector: str, item: Json, chosen: bool
) -> None:
    match = fields_match(resource, selector)
    assert match is not None
    assert match({"metadata": {"name": "x"}, **item}) is chosen


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (PODS, "field label not supported: spec.foo"),
        (JOBS, 'field label "spec.foo" not supported for Job'),
    ],
)
def test_other_fields_are_refused_in_the_servers_words(resource: Resource, text: str) -> None:
    with pytest.raises(Refusal) as caught:
        fields_match(resource, "spec.foo=x")
    assert caught.value.message == text


@pytest.mark.parametrize(
    ("labels", "fields"),
    [("a=1", ""), ("", "metadata.name=x"), ("b!=2,a=1", ""), ("", "involvedObject.uid=u")],
)
def test_a_watcher_stands_on_a_shelf_that_its_objects_have(labels: str, fields: str) -> None:
    item = {**labelled(a="1"), "involvedObject": {"uid": "u"}}
    assert shelf_of(labels, fields) in shelves_of(item)


@pytest.mark.parametrize("labels", ["", "a", "!a", "a!=1", "a in (1)"])
def test_a_selector_without_an_equality_has_no_shelf(labels: str) -> None:
    assert shelf_of(labels, "") is None
