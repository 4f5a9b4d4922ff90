"""Each fault that is planted into a clean definition is found, once, where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ctm.definition import read
from ctm.lint import Agent, lint
from ctm.lint.vendor import Catalogue
from misc.jobtype import JobType

CLEAN = (Path(__file__).parent / "clean.json").read_text()


@dataclass(frozen=True)
class Plant:
    """One edit of clean.json: what is written instead of `old`, and the finding it must give.

    at is a text in the line of the finding, after the edit; object and rule are the finding's;
    says is a part of its words.
    """

    id: str
    old: str
    new: str
    at: str
    object: str
    rule: str
    says: str


def command(text: str) -> tuple[str, str]:
    """Return an edit of the job Archive's command."""
    return '"tar cf /var/a.tar /var/a.csv"', f'"{text}"'


PRINT = "python3 /opt/runjob/runJob.py -y /opt/manifests/print.yaml -n reports"
FOLDER_END = '"Cleaning": {\n    "Type": "Folder",'
ARCHIVE = '"Archive": {"Type": "Job:Command", "Command": "tar cf /var/a.tar /var/a.csv"}'

PLANTS = [
    # What it is
    Plant("a name twice", '"Confirm": false,', '"Confirm": false, "Confirm": true,',
          '"Confirm": true', "Reports/Print/Confirm", "duplicate", "given twice"),
    Plant("an unknown type", '"Job:FileWatcher:Create"', '"Job:FileWatcher:Creat"',
          "Creat", "Reports/Flag/Type", "type", "is it Job:FileWatcher:Create?"),
    Plant("a family instead of a type", '"Type": "Job:FileWatcher:Create"', '"Type": "Job"',
          '"Type": "Job"', "Reports/Flag/Type", "type", "Job is no type"),
    Plant("an object without a type", '"Quantity": "1"}', '"Quantity": "1"},\n"Extra": {"x": "1"}',
          "Extra", "Reports/Sum/Extra", "type", "has no Type"),
    Plant("a folder without a type", FOLDER_END, '"Notes": {"x": "y"},\n' + FOLDER_END,
          '"Notes"', "Notes", "type", "has no Type"),
    Plant("a job at the top", FOLDER_END, '"Alone": {"Type": "Job:Dummy"},\n' + FOLDER_END,
          "Alone", "Alone", "place", "cannot stand at the top"),
    Plant("an action outside an If", '"Confirm": false', '"Ok": {"Type": "Action:SetToOK"}',
          '"Ok"', "Reports/Print/Ok", "place", "cannot stand in a Job:Command"),
    Plant("a pool in a folder", '"OrderMethod": "Manual",',
          '"slots": {"Type": "Resource:Pool", "Quantity": "1"},', '"slots"', "Reports/slots",
          "place", "folders take a Resource:Lock only"),
    # Properties
    Plant("a misspelt property", '"FileName"', '"Filename"', "Filename",
          "Reports/Load/Filename", "property", "is it FileName?"),
    Plant("a host on a folder", '"OrderMethod": "Manual"', '"Host": "edge"', '"Host": "edge"',
          "Reports/Host", "property", "a Folder has no such property"),
    Plant("a misspelt property inside", '"Every": "5"', '"Evry": "5"', "Evry",
          "Reports/Load/RerunLimit/Evry", "property", "is it Every?"),
    Plant("a default that nothing has", '"RunAs": "controlm",', '"RunsAs": "controlm",', "RunsAs",
          "Defaults/RunsAs", "property", "is it RunAs?"),
    Plant("a default that no job has", '"Host": "edge"', '"Hosts": "edge"', "Hosts",
          "Defaults/Job/Hosts", "property", "is it Host?"),
    Plant("a label that our job type has not", '"AI-Namespace"', '"AI-NameSpace"', "AI-NameSpace",
          "Reports/Sum/AI-NameSpace", "property", "is it AI-Namespace?"),
    Plant("a label that our profile has not", '"AI-YamlPath"', '"AI-YAMLPath"', "AI-YAMLPath",
          "LAUNCHER/AI-YAMLPath", "property", "is it AI-YamlPath?"),
    # What is missing
    Plant("no command", '"Command": "rm -f /var/a.csv"', '"Description": "Nothing."', '"Sweep"',
          "Cleaning/Sweep", "required", "needs Command"),
    Plant("no folder of the script", '"FilePath": "/opt/scripts",', "", '"Load": {',
          "Reports/Load", "required", "needs FilePath"),
    Plant("no other end", '"ConnectionProfileDest": "LOCAL",', "", '"Fetch": {', "Reports/Fetch",
          "required", "needs ConnectionProfileDest"),
    Plant("a mail to nobody", '"To": "team@example.com", ', "", '"Tell"',
          "Reports/Sum/IfFailed/Tell", "required", "needs To"),
    Plant("a message that says nothing", ', "Message": "Late."', "", '"Late"',
          "Reports/Load/Late", "required", "needs Message"),
    Plant("no path of our launcher", '"AI-CLIPath": "/opt/runjob/",', "", '"LAUNCHER"',
          "LAUNCHER", "required", "needs AI-CLIPath"),
    # Values
    Plant("a lock of no kind", '"LockType": "Exclusive"', '"LockType": "Total"', "Total",
          "Reports/reports/LockType", "value", "takes Shared or Exclusive"),
    Plant("a unit that is none", '"Units": "Minutes"', '"Units": "Weeks"', "Weeks",
          "Reports/Load/RerunLimit/Units", "value", "takes Minutes or Hours or Days"),
    Plant("a way that no transfer goes", '"SrcToDest"', '"SourceToDest"', "SourceToDest",
          "Reports/Fetch/FileTransfers/0/TransferOption", "value", "not 'SourceToDest'"),
    Plant("a word for a flag", '"Confirm": false', '"Confirm": "yes"', '"yes"',
          "Reports/Print/Confirm", "value", "takes true or false"),
    Plant("a word for a number", '"SearchInterval": 30', '"SearchInterval": "often"', "often",
          "Reports/Flag/SearchInterval", "value", "takes a whole number"),
    Plant("a text for a list", '"WeekDays": ["MON"]', '"WeekDays": "MON"', "WeekDays",
          "Reports/When/WeekDays", "value", "takes a list"),
    Plant("nothing for a text", '"Path": "/var/flag"', '"Path": null', "null",
          "Reports/Flag/Path", "value", "takes a text, not null"),
    Plant("a policy that Kubernetes has not", '"AI-ImagePullPolicy": "Always"',
          '"AI-ImagePullPolicy": "Sometimes"', "Sometimes", "Reports/Sum/AI-ImagePullPolicy",
          "value", "not 'Sometimes'"),
    # Older releases
    Plant("the old If", '"Type": "If:CompletionStatus",\n        "CompletionStatus": "OK"',
          '"Type": "If",\n        "CompletionStatus": "OK"', '"Type": "If",',
          "Reports/Print/IfPrinted/Type", "alias", "write If:CompletionStatus"),
    Plant("the old mail", '"Type": "Action:Mail"', '"Type": "Mail"', '"Mail"',
          "Reports/Sum/IfFailed/Tell/Type", "alias", "write Action:Mail"),
    Plant("the old pool", '"Resource:Pool"', '"Resource:Semaphore"', "Semaphore",
          "Reports/Sum/slots/Type", "alias", "write Resource:Pool"),
    Plant("the old kind of a lock", '"LockType"', '"MutexType"', "MutexType",
          "Reports/reports/MutexType", "alias", "write LockType"),
    # Events and flows
    Plant("an event that nothing adds", '"Events": [{"Event": "LOADED"}]},\n      "Summed"',
          '"Events": [{"Event": "LOADED"}, {"Event": "PAID"}]},\n      "Summed"', "PAID",
          "Reports/Sum/Wait/Events/1", "event", "PAID is waited for, but nothing adds it"),
    Plant("an event that nothing waits for", '[{"Event": "SUMMED"}]},\n      "IfFailed"',
          '[{"Event": "SUMMED"}, {"Event": "DONE"}]},\n      "IfFailed"', "DONE",
          "Reports/Sum/Summed/Events/1", "event", "DONE is added, but nothing waits for it"),
    Plant("an event that an If adds for nobody", '"Again": {"Type": "Action:Rerun"}',
          '"Again": {"Type": "Event:Add", "Event": "AWAY"}', "AWAY",
          "Reports/Load/IfAway/Again", "event", "nothing waits for it"),
    Plant("an event that is deleted only", '"DeleteEvents", "Events": [{"Event": "SUMMED"}]',
          '"DeleteEvents", "Events": [{"Event": "SUMED"}]', "SUMED",
          "Reports/Print/Forget/Events/0", "event", "SUMED is deleted, but nothing adds it"),
    Plant("dates that never meet", '"WaitForEvents", "Events": [{"Event": "LOADED"}]',
          '"WaitForEvents", "Events": [{"Event": "LOADED", "Date": "NoDate"}]', "NoDate",
          "Reports/Sum/Wait/Events/0", "event", "it never comes"),
    Plant("half a parenthesis", '"SUM-FAILED"}, ")"', '"SUM-FAILED"}', '"OR"',
          "Reports/Print/Wait/Events", "event", 'a "(" is never closed'),
    Plant("a parenthesis too many", '"SUM-FAILED"}, ")"', '"SUM-FAILED"}, ")", ")"', '"OR"',
          "Reports/Print/Wait/Events", "event", 'a ")" closes nothing'),
    Plant("an OR too many", '"OR"', '"OR", "OR"', '"OR"', "Reports/Print/Wait/Events", "event",
          'an event is missing before "OR"'),
    Plant("parentheses around nothing", '"SUM-FAILED"}, ")"', '"SUM-FAILED"}, ")", "(", ")"',
          '"OR"', "Reports/Print/Wait/Events", "event", 'an event is missing before ")"'),
    Plant("an addition by choice", '[{"Event": "LOADED"}]}\n    },\n    "First"',
          '[{"Event": "LOADED"}, "OR"]}\n    },\n    "First"', '"OR"]',
          "Reports/Load/Loaded/Events/1", "event", "only a wait may have OR"),
    # Numbers
    Plant("a number of runs that is none",
          '"Type": "If:CompletionStatus",\n        "CompletionStatus": "3"',
          '"Type": "If:NumberOfReruns",\n        "NumberOfReruns": "abc"',
          "abc", "Reports/Load/IfAway/NumberOfReruns", "if", "'abc' is no number"),
    Plant("a pause that is none", '"RerunLimit": {"Times": "2", "Every": "5", "Units": "Minutes"},',
          '"RerunLimit": {"Times": "2"},\n"Rerun": {"Every": "x"},', '"x"',
          "Reports/Load/Rerun/Every", "value", "must be a whole number"),
    Plant("no run at all", '"RerunLimit": {"Times": "2", "Every": "5", "Units": "Minutes"},',
          '"RerunLimit": {"Times": "2"},\n"Rerun": {"Every": "5", "Times": "0"},', '"0"',
          "Reports/Load/Rerun/Times", "value", "above 0"),
    Plant("a limit that is none", '"SearchInterval": 30', '"TimeLimit": "abc"', "abc",
          "Reports/Flag/TimeLimit", "value", "minutes"),
    Plant("a time that is none", FOLDER_END, '"Late": {"Type": "Folder", "S": {\n'
          '"Type": "Job:SLAManagement", "ServiceName": "S",\n"CompleteIn": {"Time": "99:99"}}},\n'
          + FOLDER_END, "99:99", "Late/S/CompleteIn/Time", "value", "such as 00:30"),
    Plant("a circle of events", '"RerunLimit": {"Times"',
          '"Wait": {"Type": "WaitForEvents", "Events": [{"Event": "SUMMED"}]},\n'
          '"RerunLimit": {"Times"', '"Load": {', "Reports/Load", "deadlock",
          "Reports/Load waits for Reports/Sum waits for Reports/Load"),
    Plant("a job that waits for itself", '"Confirm": false,',
          '"In": {"Type": "WaitForEvents", "Events": [{"Event": "ME"}]},\n'
          '"Out": {"Type": "AddEvents", "Events": [{"Event": "ME"}]},', '"Print": {',
          "Reports/Print", "deadlock", "Reports/Print waits for Reports/Print"),
    Plant("two flows against each other", '"First": {',
          '"Back": {"Type": "Flow", "Sequence": ["Load", "Fetch"]},\n"First": {', '"Fetch": {',
          "Reports/Fetch", "deadlock", "Reports/Fetch waits for Reports/Load"),
    Plant("an event against a flow", ARCHIVE,
          ARCHIVE[:-1] + ', "Out": {"Type": "AddEvents", "Events": [{"Event": "FIRST"}]}},\n'
          '"Zero": {"Type": "Flow", "Sequence": ["Archive", "Gate"]},\n"Gate": {"Type": '
          '"Job:Dummy", "Out": {"Type": "AddEvents", "Events": [{"Event": "GATE"}]}, "In": '
          '{"Type": "WaitForEvents", "Events": [{"Event": "FIRST"}, {"Event": "GATE"}]}}',
          '"Gate": {', "Reports/Night/Gate", "deadlock", "can never start"),
    Plant("a job that waits for its own folder's end", '"reports": {"Type"',
          '"Over": {"Type": "AddEvents", "Events": [{"Event": "OVER"}]},\n"After": {"Type": '
          '"Job:Dummy", "In": {"Type": "WaitForEvents", "Events": [{"Event": "OVER"}]}},\n'
          '"reports": {"Type"', '"After"', "Reports/After", "deadlock",
          "Reports/After waits for the end of Reports waits for Reports/After"),
    Plant("a flow to a job that is not there", '["Count", "Archive"]', '["Count", "Arkive"]',
          "Arkive", "Reports/Night/Last/Sequence/1", "flow", "has no job or subfolder Arkive"),
    Plant("a flow to another folder's job", '["Print", "Night"]', '["Print", "Night", "Sweep"]',
          "Sweep", "Reports/Second/Sequence/2", "flow", "has no job or subfolder Sweep"),
    Plant("a flow of one step", '["Count", "Archive"]', '["Count"]', '["Count"]',
          "Reports/Night/Last/Sequence", "flow", "fewer than two steps"),
    # Lines and files
    Plant("an option that the launcher has not", PRINT, PRINT + " --volumes x", "--volumes",
          "Reports/Print/Command", "launch", "option --volumes is not known"),
    Plant("a variable without a value", PRINT, PRINT + " -e LOOPCTR", "LOOPCTR",
          "Reports/Print/Command", "launch", "1 times -e but 0 times -v"),
    Plant("a launch of nothing", PRINT, "python3 /opt/runjob/runJob.py -n reports", "runJob.py -n",
          "Reports/Print/Command", "launch", "cannot take this line: "),
    Plant("a manifest beside the launcher that is not there", PRINT,
          "python3 /opt/runjob/runJob.py -j print", "-j print", "Reports/Print/Command", "launch",
          "no print.yaml"),
    Plant("a manifest of another name", PRINT, PRINT + " -j total", "-j total",
          "Reports/Print/Command", "launch", "total"),
    Plant("a manifest of another namespace", '"AI-Namespace": "reports"',
          '"AI-Namespace": "default"', '"Sum": {', "Reports/Sum", "launch", "default"),
    Plant("a field that a line must not set", PRINT, PRINT + " --set metadata.name=total",
          "metadata.name", "Reports/Print/Command", "launch", "cannot change metadata.name"),
    Plant("a look at a Job that is not named", PRINT, "python3 /opt/runjob/runJob.py show",
          "runJob.py show", "Reports/Print/Command", "launch", "cannot take this line: "),
    Plant("options that our job type hands on wrongly", '"AI-Namespace": "reports"',
          '"AI-More Options": "--no-such-thing"', '"Sum": {', "Reports/Sum", "launch",
          "option --no-such-thing is not known"),
    Plant("a manifest that is not there", "manifests/print.yaml", "manifests/prints.yaml",
          "prints.yaml", "Reports/Print/Command", "file", "it is missing"),
    Plant("a manifest of our job type that is not there", '"sum.yaml"', '"sums.yaml"', '"Sum": {',
          "Reports/Sum", "file", "sums.yaml would come from"),
    Plant("a script that is not there", '"load.sh"', '"loads.sh"', "loads.sh",
          "Reports/Load/FileName", "file", "it is missing"),
    Plant("a query that is not there", "/opt/scripts/count.sql", "/opt/scripts/counts.sql",
          "counts.sql", "Reports/Night/Count/SQLScript", "file", "it is missing"),
    Plant("a folder that the agent has not", "/opt/scripts/count.sql", "/opt/sql/count.sql",
          "/opt/sql", "Reports/Night/Count/SQLScript", "file", "is it /opt/scripts/count.sql?"),
    Plant("a script in a line that is not there", *command("/opt/scripts/pack.sh"), "pack.sh",
          "Reports/Night/Archive/Command", "file", "it is missing"),
    Plant("half a quote", PRINT, PRINT + " --set 'a=b", "a=b", "Reports/Print/Command", "launch",
          "no shell can read this line"),
    Plant("half a quote in a form", '"AI-Namespace": "reports"',
          '"AI-More Options": "--set \'a=b"', '"Sum": {', "Reports/Sum", "launch",
          "cannot take this form"),
    Plant("a path that our job type refuses", '"AI-CLIPath": "/opt/runjob/"',
          '"AI-CLIPath": "/opt/`runjob`/"', '"Sum": {', "Reports/Sum", "launch",
          "makes no command line"),
    Plant("a wrong argument of the launcher as a script", ARCHIVE,
          '"Archive": {"Type": "Job:Script", "FilePath": "/opt/runjob", "FileName": "runJob.py", '
          '"Arguments": ["-y", "/opt/manifests/print.yaml", "--sets", "a=b"]}', "--sets",
          "Reports/Night/Archive/Arguments", "launch", "option --sets is not known"),
    Plant("a wrong line in a script", ARCHIVE,
          '"Archive": {"Type": "Job:EmbeddedScript", "FileName": "a.sh", "Script": '
          '"#!/bin/sh\\\\npython3 /opt/runjob/runJob.py \\\\\\\\n --sets a=b\\\\n"}', "--sets",
          "Reports/Night/Archive/Script", "launch", "option --sets is not known"),
    # Names of others
    Plant("a profile that is not there", '"ConnectionProfile": "LAKE"',
          '"ConnectionProfile": "LAGOON"', "LAGOON", "Reports/Night/Count/ConnectionProfile",
          "profile", "no connection profile LAGOON"),
    Plant("a profile of another kind", '"ConnectionProfile": "LAKE"',
          '"ConnectionProfile": "LOCAL"', '"ConnectionProfile": "LOCAL"',
          "Reports/Night/Count/ConnectionProfile", "profile", "takes a ConnectionProfile:Database"),
    Plant("a driver that is not there", '"Driver": "JDBC"', '"Driver": "ODBC"', "ODBC",
          "LAKE/Driver", "profile", "no driver ODBC"),
    Plant("a folder to run that is not there", '"Folder": "Cleaning"', '"Folder": "Cleanup"',
          "Cleanup", "Reports/Print/IfPrinted/Clean/Folder", "run", "no folder Cleanup"),
    Plant("a subfolder to run that is not there", '"Folder": "Cleaning", "Job": "Sweep"',
          '"Folder": "Cleaning/Deep"', "Deep", "Reports/Print/IfPrinted/Clean/Folder", "run",
          "Cleaning has no subfolder Deep"),
    Plant("a job to run that is not there", '"Job": "Sweep"', '"Job": "Swipe"', "Swipe",
          "Reports/Print/IfPrinted/Clean/Job", "run", "has no job Swipe"),
    # What is unwise
    Plant("a password to be read", '{"Secret": "lake"}', '"open sesame"', "open sesame",
          "LAKE/Password", "secret", 'write {"Secret": "name"}'),
    Plant("a password for all by default", '"RunAs": "controlm",',
          '"RunAs": "controlm", "Password": "sesame",', "sesame", "Defaults/Password", "secret",
          "for all to read"),
    Plant("a password in a line", *command("mysql --password=sesame"), "sesame",
          "Reports/Night/Archive/Command", "secret", "holds a password or a key"),
    Plant("a short password", '{"YEAR": "2026"}', '{"DBPASS": "hunter2"}', "hunter2",
          "Reports/Load/Variables/0/DBPASS", "secret", "for all to read"),
    Plant("a shorter password", '{"YEAR": "2026"}', '{"MY_PWD": "x"}', "MY_PWD",
          "Reports/Load/Variables/0/MY_PWD", "secret", "for all to read"),
    Plant("a token in a variable", '{"YEAR": "2026"}', '{"API_TOKEN": "abc"}', "abc",
          "Reports/Load/Variables/0/API_TOKEN", "secret", "for all to read"),
    Plant("a pool of nothing", '"Quantity": "1"', '"Quantity": "0"', '"0"',
          "Reports/Sum/slots/Quantity", "resource", "above 0"),
    Plant("a lock that the folder holds", '"Confirm": false',
          '"reports": {"Type": "Resource:Lock", "LockType": "Shared"}', '"Shared"',
          "Reports/Print/reports", "deadlock", "can never be had"),
    Plant("an If that does nothing", '"Again": {"Type": "Action:Rerun"}', '"Comment": "Later."',
          '"IfAway"', "Reports/Load/IfAway", "if", "does nothing"),
    Plant("a status that is none", '"CompletionStatus": "OK"', '"CompletionStatus": "GOOD"',
          "GOOD", "Reports/Print/IfPrinted/CompletionStatus", "if", "never holds"),
    Plant("an If that wants both", '"Again": {"Type": "Action:Rerun"}',
          '"Good": {"Type": "Action:SetToOK"}, "Bad": {"Type": "Action:SetToNotOK"}', '"IfAway"',
          "Reports/Load/IfAway", "if", "to OK and to not OK"),
    Plant("a rerun without end", '"RerunLimit": {"Times": "2", "Every": "5", "Units": "Minutes"},',
          "", '"IfAway"', "Reports/Load/IfAway", "rerun", "without end"),
    Plant("an If that looks for nothing", '"Type": "If:CompletionStatus",\n        '
          '"CompletionStatus": "3"', '"Type": "If:Output"', '"IfAway"', "Reports/Load/IfAway",
          "required", "needs Code"),
    Plant("a script that is too long", ARCHIVE, '"Archive": {"Type": "Job:EmbeddedScript", '
          f'"FileName": "a.sh", "Script": "{64_001 * "x"}"}}', "xxx",
          "Reports/Night/Archive/Script", "length", "has 64001 bytes"),
    Plant("a command that is too long", *command("echo " + 600 * "x"), "xxx",
          "Reports/Night/Archive/Command", "length", "has 605 characters"),
]  # fmt: skip


def found(text: str, vendor: Catalogue, job_type: JobType, agent: Agent) -> list[str]:
    return [str(each) for each in lint([read(text, "clean.json")], vendor, [job_type], agent)]


def test_the_definition_that_faults_are_planted_into_is_clean(
    vendor: Catalogue, run_k_job: JobType, agent: Agent
) -> None:
    assert found(CLEAN, vendor, run_k_job, agent) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.id)
def test_a_planted_fault_is_found_once_and_in_its_place(
    plant: Plant, vendor: Catalogue, run_k_job: JobType, agent: Agent
) -> None:
    assert CLEAN.count(plant.old) == 1
    text = CLEAN.replace(plant.old, plant.new)
    findings = lint([read(text, "clean.json")], vendor, [run_k_job], agent)
    assert len(findings) == 1, [str(each) for each in findings]
    (finding,) = findings
    assert (finding.object, finding.rule) == (plant.object, plant.rule)
    assert plant.says in finding.what
    assert plant.at in text.splitlines()[finding.line - 1]
    assert str(finding).startswith(f"clean.json:{finding.line}: {plant.object}: ")
    assert "\n" not in str(finding)


def test_there_are_at_least_forty_faults() -> None:
    assert len({plant.id for plant in PLANTS}) >= 40
