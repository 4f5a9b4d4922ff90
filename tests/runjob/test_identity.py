"""Whose run a launch is, and how that is written on what it makes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runjob.identity import (
    CONTENT,
    IDENTITY,
    SOUGHT,
    TOLD,
    content,
    identity,
    named,
    selector,
    signature,
    signed,
    unsigned,
)
from runjob.options import RunOptions
from runjob.plan import LAUNCH, RUN_ID, made_by
from runjob.request import JobRequest
from tests.runjob.identities import JOB, identity_of, launches, mine, request

# -- the identity ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run_id", "environment", "expected"),
    [
        pytest.param(None, {}, ("here/hello", False), id="the Job's name"),
        pytest.param("r.1", {}, ("here/hello/r.1", True), id="--run-id"),
        pytest.param(None, {"RUNJOB_ORDER_ID": "0a1"}, ("here/hello/0a1:", True), id="an order"),
        pytest.param(
            None,
            {"RUNJOB_ORDER_ID": "0a1", "RUNJOB_RUN_COUNT": "2"},
            ("here/hello/0a1:2", True),
            id="an order and a count",
        ),
        pytest.param(
            None, {"ORDERID": "0a1", "RUNCOUNT": "2"}, ("here/hello/0a1:2", True), id="other names"
        ),
        pytest.param(
            None,
            {"RUNJOB_ORDER_ID": " 0a1 ", "ORDERID": "x"},
            ("here/hello/0a1:", True),
            id="the first name counts",
        ),
        pytest.param(
            "r.1", {"RUNJOB_ORDER_ID": "0a1"}, ("here/hello/r.1", True), id="--run-id goes before"
        ),
        pytest.param(None, {"RUNJOB_RUN_COUNT": "2"}, ("here/hello", False), id="a count alone"),
        pytest.param(
            None,
            {"RUNJOB_ORDER_ID": "%%ORDERID"},
            ("here/hello", False),
            id="a variable that the scheduler did not know",
        ),
        pytest.param(None, {"RUNJOB_ORDER_ID": " "}, ("here/hello", False), id="an empty one"),
    ],
)
def test_an_identity_is_made_of(
    run_id: str | None, environment: dict[str, str], expected: tuple[str, bool]
) -> None:
    assert identity(request(), run_id, environment) == expected


def test_a_generated_name_counts_by_its_start() -> None:
    first = identity(request("load-1a2", generated="load-"), "r", {})
    assert first == identity(request("load-3b4", generated="load-"), "r", {})
    assert first == ("here/load-*/r", True)


def test_a_generated_name_ends_alike_for_each_launch_of_a_job_by_one_run() -> None:
    one, other = (request(f"load-{end}", generated="load-") for end in ("1a2b3c", "4d5e6f"))
    first = named(one, "here/load-*/r", "c")
    assert re.fullmatch("load-[0-9a-f]{6}", first.name)
    assert first.job == {**JOB, "metadata": {**JOB["metadata"], "name": first.name}}
    assert named(other, "here/load-*/r", "c", ()) == first
    others = [
        named(one, "here/load-*/q", "c"),
        named(one, "here/load-*/r", "other words"),
        named(one, "here/load-*/r", "c", [first.name]),
    ]
    assert len({each.name for each in (first, *others)}) == 4
    assert named(one, "r", "c", ["a", "b"]) == named(one, "r", "c", ["b", "a"])


@given(launches, launches)
def test_two_launches_that_differ_have_different_identities(one: Any, other: Any) -> None:
    for launch in (one, other):
        for part in launch[3] if len(launch[3]) == 2 else ():
            # What is trimmed or counts as unset is no part.
            assume(part == part.strip() and part and not part.startswith("%%"))
    assert (identity_of(one) == identity_of(other)) == (one == other)


# -- the signature ---------------------------------------------------------------------------------


def test_without_an_identity_a_launch_goes_by_its_job_and_is_bound_to_no_run() -> None:
    made = signature(request(), RunOptions(bound=True), "l1")
    assert (made.identity, made.bound) == ("here/hello", False)
    given_one = signature(request(), RunOptions(identity="x", bound=True), "l1")
    assert (given_one.identity, given_one.bound) == ("x", True)


def test_a_refusal_names_the_run_where_one_is_named() -> None:
    assert mine().with_run("no") == "This is run here/hello/r: no"
    assert mine(bound=False).with_run("no") == "no"


@given(st.none() | st.dictionaries(st.text(), st.text()))
def test_what_is_signed_is_known_again_and_keeps_its_annotations(
    annotations: dict[str, str] | None,
) -> None:
    job = {"metadata": {"name": "hello", "annotations": annotations}}
    secret = {"kind": "Secret", "metadata": {"name": "s", "annotations": annotations}}
    made = signed(JobRequest("hello", "here", job, (secret,), "manifest"), mine())
    own = {k: v for k, v in (annotations or {}).items() if not k.startswith("runjob/")}
    for body in (made.job, *made.prerequisites):
        assert own.items() <= body["metadata"]["annotations"].items()
        assert body["metadata"]["annotations"][IDENTITY] == "here/hello/r"
        assert made_by(body, "l1")
        assert not made_by(body, "l2")
    assert made.job["metadata"]["annotations"][CONTENT] == "c"
    assert (unsigned(made.prerequisites[0])["metadata"].get("annotations") or {}) == own


def test_what_a_manifest_says_in_our_name_was_said_of_another_job() -> None:
    """`kubectl get job -o yaml` of a Job that was kept, as the next one's manifest."""
    notes = {TOLD: "true", "runjob/killed": "true", "a": "b"}
    labels = {RUN_ID: "earlier", SOUGHT: "0a", "c": "d"}
    read = {"name": "hello", "annotations": notes, "labels": labels}
    spec = {"template": {"metadata": read, "spec": {}}, "completions": 1}
    secret = {"kind": "Secret", "metadata": {"name": "s", "labels": {RUN_ID: "earlier"}}}
    job = {"metadata": read, "spec": spec}
    made = signed(JobRequest("hello", "here", job, (secret,), "manifest"), mine())
    assert made.job["metadata"]["annotations"].keys() == {"a", LAUNCH, IDENTITY, CONTENT}
    assert made.job["metadata"]["labels"] == {"c": "d"}
    assert made.job["spec"] == {
        "template": {
            "metadata": {"name": "hello", "annotations": {"a": "b"}, "labels": {"c": "d"}},
            "spec": {},
        },
        "completions": 1,
    }
    assert "labels" not in made.prerequisites[0]["metadata"]


@pytest.mark.parametrize(
    ("run", "kept"), [("r", True), ("earlier", False), ("hello/r", False), ("", False)]
)
def test_a_label_by_which_a_kill_finds_a_run_is_that_of_the_run_alone(run: str, kept: bool) -> None:
    job = {"metadata": {"name": "hello", "labels": {RUN_ID: run}}}
    for bound in (True, False):
        made = signed(JobRequest("hello", "here", job), mine(bound=bound)).job
        assert (RUN_ID in made["metadata"].get("labels", {})) == (kept and bound)


def test_a_job_with_a_generated_name_can_be_found_by_its_run() -> None:
    labelled = {"metadata": {"name": "load-1", "labels": {"a": "b"}}}
    made = signed(JobRequest("load-1", "here", labelled, generated="load-"), mine()).job
    found = made["metadata"]["labels"]
    assert found["a"] == "b"
    assert selector(mine()) == f"{SOUGHT}={found[SOUGHT]}"
    assert selector(mine(identity="here/hello/other")) != selector(mine())
    loose = signed(JobRequest("load-1", "here", labelled, generated="load-"), mine(bound=False))
    assert SOUGHT not in loose.job["metadata"]["labels"]


def test_content_is_what_was_asked_for_and_nothing_that_a_launch_adds() -> None:
    asked = content(JOB)
    named = {**JOB, "metadata": {**JOB["metadata"], "name": "hello-2"}}
    marked = {
        **JOB,
        "metadata": {**JOB["metadata"], "annotations": {"runjob/x": "1"}, "labels": {}},
    }
    annotated = {**JOB, "metadata": {**JOB["metadata"], "annotations": {"x": "1"}}}
    assert content(named) == content(marked) == content(signed(request(), mine()).job) == asked
    assert content(annotated) != asked
    assert content({**JOB, "spec": {}}) != asked
