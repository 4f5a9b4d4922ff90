"""The lint passes what Control-M takes, and finds what it does not wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctm.lint import __main__
from ctm.lint.vendor import Catalogue
from misc.jobtype import JobType
from tests.ctm.linting import PROJECT, check

OURS = sorted((PROJECT / "ctm").glob("*.json")) + sorted(
    (PROJECT / "ctm" / "deploy").glob("*.json")
)

# Constructs of the vendor's published samples, in words of our own.
ACCEPTED: dict[str, dict[str, Any]] = {
    "defaults for all, for a family and for a kind of job": {
        "Defaults": {
            "Application": "A",
            "TargetAgent": "agent",
            "OrderMethod": "Manual",
            "When": {"WeekDays": ["ALL"]},
            "Variables": [{"FROM": "a"}, {"TO": "b"}],
            "Job": {
                "Tell": {
                    "Type": "If:CompletionStatus",
                    "CompletionStatus": "NOTOK",
                    "Mail": {"Type": "Action:Mail", "To": "a@example.com", "Message": "%%JOBNAME"},
                }
            },
            "Job:Hadoop": {"ConnectionProfile": "HADOOP"},
        },
        "HADOOP": {"Type": "ConnectionProfile:Hadoop", "Centralized": True},
        "F": {
            "Type": "Folder",
            "Comment": "Read by two.",
            "A": {
                "Type": "Job:Hadoop:HDFSCommands",
                "Commands": [{"rm": "-f x"}, {"mkdir": "x"}],
            },
        },
    },
    "commands before and after a transfer": {
        "F": {
            "Type": "Folder",
            "T": {
                "Type": "Job:FileTransfer",
                "ConnectionProfileSrc": "ELSEWHERE",
                "ConnectionProfileDest": "HERE",
                "FileTransfers": [
                    {
                        "Src": "%%FROM",
                        "Dest": "%%TO",
                        "TransferType": "Binary",
                        "TransferOption": "SrcToDestFileWatcher",
                        "PreCommandDest": {"action": "rm", "arg1": "%%TO"},
                        "TRIM": "1",
                    }
                ],
            },
        }
    },
    "a job type of somebody else's": {
        "F": {
            "Type": "Folder",
            "J": {
                "Type": "Job:ApplicationIntegrator:AI Something",
                "ConnectionProfile": "P",
                "AI-Whatever (it is)": "On",
            },
        },
        "P": {
            "Type": "ConnectionProfile:ApplicationIntegrator:AI Something",
            "AI-Run As:": "controlm",
            "NoTestOnDeploy": True,
        },
    },
    "output that is captured into a variable": {
        "F": {
            "Type": "Folder",
            "J": {
                "Type": "Job:Command",
                "Command": "print",
                "Take": {
                    "Type": "Action:CaptureOutput",
                    "Search": "KEY:",
                    "VariableName": "\\\\KEY",
                    "Capture": "UpToEndOfLine",
                    "ForwardBy": {"Columns": "1", "ColumnsOption": "Characters"},
                },
            },
        }
    },
    "calendars of a parent and of its own": {
        "F": {
            "Type": "Folder",
            "When": {
                "RuleBasedCalendars": {
                    "Included": ["DAILY"],
                    "DAILY": {"Type": "Calendar:RuleBased", "When": {"MonthDays": ["ALL"]}},
                }
            },
            "S": {
                "Type": "SubFolder",
                "AdjustEvents": False,
                "When": {"SpecificDates": [], "RuleBasedCalendars": {"Included": ["USE PARENT"]}},
                "J": {"Type": "Job:Command", "Command": "echo", "Priority": "Very High"},
            },
        }
    },
    "a simple folder on all agents": {
        "F": {
            "Type": "SimpleFolder",
            "J": {
                "Type": "Job:Script",
                "FileName": "back up.sh",
                "FilePath": "/home/agent",
                "RunOnAllAgentsInGroup": True,
                "Bad": {"Type": "Notify:NotOK", "Message": "No."},
            },
        }
    },
    "events of another day, and in brackets": {
        "F": {
            "Type": "Folder",
            "A": {
                "Type": "Job:Dummy",
                "In": {
                    "Type": "WaitForEvents",
                    "Events": [
                        "(", {"Event": "B", "Date": "PreviousOrderDate"}, "AND", {"Event": "C"},
                        ")", "OR", {"Event": "D", "Date": "AnyDate"},
                    ],
                },
            },
            "B": {
                "Type": "Job:Dummy",
                "Out": {"Type": "AddEvents", "Events": [{"Event": "B"}, {"Event": "C"}]},
                "In": {"Type": "WaitForEvents", "Events": [{"Event": "A"}]},
            },
            "C": {
                "Type": "Job:Dummy",
                "Out": {
                    "Type": "AddEvents",
                    "Events": [{"Event": "D"}, {"Event": "A", "Date": "NextOrderDate"}],
                },
            },
        }
    },
    "jobs that run in turns, started by the event of a flow": {
        "F": {
            "Type": "SimpleFolder",
            "Start": {
                "Type": "Job:Dummy",
                "Go": {
                    "Type": "AddEvents",
                    "Events": [{"Event": "Back_from_F_folder_job_B_to_F_folder_job_A"}],
                },
            },
            "A": {"Type": "Job:Dummy", "Rerun": {"Every": "2", "Units": "Minutes"}},
            "B": {"Type": "Job:Dummy", "Rerun": {"Every": "2", "Units": "Minutes"}},
            "There": {"Type": "Flow", "Sequence": ["A", "B"]},
            "Back": {"Type": "Flow", "Sequence": ["B", "A"]},
        }
    },
    "events in an order, named by variables": {
        "F": {
            "Type": "Folder",
            "A": {
                "Type": "Job:Dummy",
                "Out": {
                    "Type": "AddEvents",
                    "Events": [
                        {"Event": "A_%%SMART_ORDERID", "Order": "1"},
                        {"Event": "STARTED_%%DATE", "Order": "2"},
                    ],
                },
            },
            "B": {
                "Type": "Job:Dummy",
                "In": {"Type": "WaitForEvents", "Events": [{"Event": "A_%%SMART_ORDERID"}]},
            },
        }
    },
    "rules for another environment": {
        "DeployDescriptor": [
            {"Comment": "All.", "Property": "ControlmServer", "Assign": "production"},
            {
                "ApplyOn": {"Type": "Job", "@": "Load.*"},
                "Property": "Host",
                "Source": "Application",
                "Replace": [{"Dev_(.*)-(.*)": "Prod_$2-$1"}],
            },
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_vendors_samples_do_is_accepted(name: str, vendor: Catalogue) -> None:
    assert [str(each) for each in check(ACCEPTED[name], vendor)] == []


def test_our_own_definitions_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main([str(path) for path in OURS]) == 0
    assert capsys.readouterr().out == ""


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each object that has a Type."""
    if isinstance(value, dict):
        if isinstance(value.get("Type"), str):
            yield path
        for key, inner in value.items():
            yield from places(inner, (*path, key))


def changed(content: dict[str, Any], path: tuple[str, ...], **members: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(content))
    inner = copy
    for step in path:
        inner = inner[step]
    inner.update(members)
    return copy


def test_a_misspelt_type_is_found_wherever_it_stands(vendor: Catalogue, run_k_job: JobType) -> None:
    content = json.loads((Path(__file__).parent / "clean.json").read_text())
    for path in places(content):
        findings = check(changed(content, path, Type="Nonsense"), vendor, run_k_job)
        assert ("/".join((*path, "Type")), "type") in {(f.object, f.rule) for f in findings}


def test_a_property_that_no_type_has_is_found_wherever_it_stands(
    vendor: Catalogue, run_k_job: JobType
) -> None:
    content = json.loads((Path(__file__).parent / "clean.json").read_text())
    for path in places(content):
        findings = check(changed(content, path, Xyzzy="1"), vendor, run_k_job)
        assert [(f.object, f.rule) for f in findings] == [("/".join((*path, "Xyzzy")), "property")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("%%X"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_stands_in_a_place_the_lint_ends(
    data: st.DataObject, vendor: Catalogue, run_k_job: JobType
) -> None:
    content = json.loads((Path(__file__).parent / "clean.json").read_text())
    inner: Any = content
    for _ in range(data.draw(st.integers(0, 6))):
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list):
            break
        inner = inner[key]
    keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
    if keys:
        inner[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    for finding in check(content, vendor, run_k_job):
        assert "\n" not in str(finding)
