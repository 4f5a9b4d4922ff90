"""What the lint knows of several files, of defaults and of descriptors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ctm.definition import read
from ctm.lint import Agent, lint
from ctm.lint.tree import grow
from ctm.lint.vendor import Catalogue
from tests.ctm.linting import check


def test_events_are_balanced_across_the_files_given_together(vendor: Catalogue) -> None:
    def folder(name: str, list_: str) -> str:
        events = {"Type": list_, "Events": [{"Event": "READY"}]}
        return json.dumps({name: {"Type": "Folder", "J": {"Type": "Job:Dummy", "E": events}}})

    here = read(folder("A", "AddEvents"), "a.json")
    there = read(folder("B", "WaitForEvents"), "b.json")
    assert lint([here, there], vendor, [], Agent({})) == []
    assert [each.file for each in lint([here], vendor, [], Agent({}))] == ["a.json"]
    assert [each.file for each in lint([there], vendor, [], Agent({}))] == ["b.json"]


def test_a_name_that_two_files_define_is_found_in_the_second(vendor: Catalogue) -> None:
    text = json.dumps({"F": {"Type": "Folder", "J": {"Type": "Job:Dummy"}}})
    (finding,) = lint([read(text, "a.json"), read(text, "b.json")], vendor, [], Agent({}))
    assert (finding.file, finding.object, finding.rule) == ("b.json", "F", "duplicate")
    assert "a.json defines it, too" in finding.what


def test_a_line_that_collects_leftovers_is_read_by_that_command(vendor: Catalogue) -> None:
    def content(line: str) -> dict[str, Any]:
        return {"F": {"Type": "Folder", "J": {"Type": "Job:Command", "Command": line}}}

    assert check(content("python3 /opt/x/runJob.py gc -n reports"), vendor) == []
    (finding,) = check(content("python3 /opt/x/runJob.py gc --everywhere"), vendor)
    assert finding.rule == "launch"


def test_a_circle_through_two_files_is_found_once_and_what_waits_behind_it_is_not(
    vendor: Catalogue,
) -> None:
    def folder(name: str, adds: str, waits: str) -> str:
        job = {
            "Type": "Job:Dummy",
            "Out": {"Type": "AddEvents", "Events": [{"Event": adds}]},
            "In": {"Type": "WaitForEvents", "Events": [{"Event": waits}]},
        }
        behind = {"Type": "Flow", "Sequence": ["J", "K"]}
        return json.dumps(
            {name: {"Type": "Folder", "J": job, "K": {"Type": "Job:Dummy"}, "Flow": behind}}
        )

    files = [read(folder("A", "X", "Y"), "a.json"), read(folder("B", "Y", "X"), "b.json")]
    (finding,) = lint(files, vendor, [], Agent({}))
    assert (finding.file, finding.object, finding.rule) == ("a.json", "A/J", "deadlock")
    assert "A/J waits for B/J waits for A/J" in finding.what


def test_one_way_out_of_an_or_is_no_deadlock(vendor: Catalogue) -> None:
    def content(word: str) -> dict[str, Any]:
        events = [{"Event": "SELF"}, word, {"Event": "OTHER"}]
        return {
            "F": {
                "Type": "Folder",
                "J": {
                    "Type": "Job:Dummy",
                    "In": {"Type": "WaitForEvents", "Events": events},
                    "Out": {"Type": "AddEvents", "Events": [{"Event": "SELF"}]},
                },
                "K": {
                    "Type": "Job:Dummy",
                    "Out": {"Type": "AddEvents", "Events": [{"Event": "OTHER"}]},
                },
            }
        }

    assert check(content("OR"), vendor) == []
    assert [each.rule for each in check(content("AND"), vendor)] == ["deadlock"]


def test_a_default_counts_for_the_objects_that_have_the_property(vendor: Catalogue) -> None:
    folder = {
        "Type": "Folder",
        "J": {"Type": "Job:Database:EmbeddedQuery", "Query": "select 1"},
    }
    (missing,) = check({"F": folder}, vendor)
    assert "needs ConnectionProfile" in missing.what
    assert (
        check({"Defaults": {"Job:Database": {"ConnectionProfile": "P"}}, "F": folder}, vendor) == []
    )
    (wrong,) = check({"Defaults": {"Job": {"Confirm": "no"}}, "F": {**folder, "J": {
        "Type": "Job:Dummy"}, "K": {"Type": "Job:Dummy"}}}, vendor)  # fmt: skip
    assert (wrong.object, wrong.rule) == ("Defaults/Job/Confirm", "value")


def test_the_nearest_default_wins() -> None:
    text = json.dumps({
        "Defaults": {"Host": "a", "Job": {"Host": "b"}, "Job:Script": {"Host": "c"}},
        "F": {"Type": "Folder", "J": {"Type": "Job:Script"}, "K": {"Type": "Job:Dummy"},
              "L": {"Type": "Job:Script", "Host": "d"}},
    })  # fmt: skip
    items = grow(read(text, "x.json")).items
    hosts = [items[path].get("Host") for path in [("F",), ("F", "J"), ("F", "K"), ("F", "L")]]
    assert hosts == ["a", "c", "b", "d"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"Assign": "x"}, "add Property"),
        ({"Property": "Host"}, "needs either Assign or Replace"),
        ({"Property": "Host", "Assign": "x", "Replace": []}, "needs either Assign or Replace"),
        ({"Property": "Host", "Assgn": "x", "Assign": "x"}, "is no part of a rule"),
        ({"Property": "Host", "Replace": {"a": "b"}}, "takes a list"),
        ({"Property": "Host", "Replace": [{"a(": "b"}]}, "is no regular expression"),
        ({"Property": "Host", "Replace": [{"a(.*)": "$2"}]}, "has 1 groups"),
        ("Host", "is no rule"),
    ],
)
def test_a_descriptors_rule_says_what_and_to_what(rule: Any, says: str, vendor: Catalogue) -> None:
    (finding,) = check({"DeployDescriptor": [rule]}, vendor)
    assert finding.rule == "descriptor"
    assert says in finding.what
    assert finding.object.startswith("DeployDescriptor/0")


def test_a_descriptor_is_a_list_in_which_each_name_stands_once(vendor: Catalogue) -> None:
    (finding,) = check({"DeployDescriptor": {}}, vendor)
    assert finding.what == "takes a list of rules"
    text = '{"DeployDescriptor": [{"Property": "Host", "Assign": "a", "Assign": "b"}]}'
    (finding,) = lint([read(text, "x.json")], vendor, [], Agent({}))
    assert (finding.object, finding.rule) == ("DeployDescriptor/0/Assign", "descriptor")
