"""The lint passes what Control-M takes, finds what it does not, and says how it went."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctm.definition import read
from ctm.lint import Agent, Finding, __main__, lint
from ctm.lint.tree import grow
from ctm.lint.vendor import Catalogue, MissingClientError, catalogue
from misc.jobtype import JobType

PROJECT = Path(__file__).parents[2]
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


def check(
    content: dict[str, Any], vendor: Catalogue, *job_types: JobType, agent: Agent | None = None
) -> list[Finding]:
    definition = read(json.dumps(content, indent=1), "x.json")
    return lint([definition], vendor, job_types, agent or Agent({}))


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


def write(folder: Path, content: Any) -> str:
    path = folder / "x.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


FAULTY = {"F": {"Type": "Folder", "J": {"Type": "Job:Dummy", "Hots": "a"}}}


def test_findings_end_with_1_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(tmp_path, FAULTY)
    assert __main__.main([name]) == 1
    assert capsys.readouterr().out == (
        f"{name}:1: F/J/Hots: a Job:Dummy has no such property; is it Host?\n"
    )


def test_findings_are_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(tmp_path, FAULTY)
    assert __main__.main(["--format", "json", name]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding == {
        "file": name,
        "line": 1,
        "object": "F/J/Hots",
        "rule": "property",
        "what": "a Job:Dummy has no such property; is it Host?",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_has_read_enough_is_no_error(form: str, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "ctm.lint", "--format", form, write(tmp_path, FAULTY)]
    with subprocess.Popen(
        line, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_kind_of_finding_can_be_passed_over(tmp_path: Path) -> None:
    assert __main__.main(["--except", "property", write(tmp_path, FAULTY)]) == 0


def test_files_are_looked_up_in_the_folders_that_the_caller_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"Type": "Job:Script", "FilePath": "/srv/jobs", "FileName": "run.sh"}
    name = write(tmp_path, {"F": {"Type": "Folder", "J": job}})
    assert __main__.main([name]) == 0
    assert __main__.main([name, "--folder", f"/srv/jobs={tmp_path}"]) == 1
    assert "/srv/jobs/run.sh" in capsys.readouterr().out
    (tmp_path / "run.sh").touch()
    assert __main__.main([name, "--folder", f"/srv/jobs={tmp_path}"]) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1\n"b": 2}', "x.json:2: not JSON: Expecting ',' delimiter"),
        ("[]", "x.json:1: not a definition"),
    ],
)
def test_what_is_no_definition_ends_with_2(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main([write(tmp_path, text)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lint: error: ")
    assert says in printed.err
    assert printed.err.count("\n") == 1


def test_a_file_that_is_not_there_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["no/such.json"]) == 2
    assert "no/such.json: cannot be read: No such file" in capsys.readouterr().err


def test_a_text_in_another_encoding_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes('{"ä": 1}'.encode("latin-1"))
    assert __main__.main([str(path)]) == 2
    assert "is not UTF-8" in capsys.readouterr().err


def test_a_missing_client_is_told_in_one_line_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "aapi.bases", None)
    with pytest.raises(MissingClientError):
        catalogue()
    assert __main__.main([write(tmp_path, FAULTY)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("lint: error: ")
    assert "pip install 'ctm-python-client" in printed
    assert printed.count("\n") == 1
