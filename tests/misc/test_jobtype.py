"""The built job type is what its source says, and what Application Integrator can import."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc import jobtype_source
from misc.jobtype import JobTypeError, decode, encode, expand, load, main, verdict_of
from misc.jobtype_source import BUILT, BUILT_9021, END, MARK, document, read_source
from runjob import form

JOB_TYPE = load(BUILT)
PROFILE = {"AI-CLIPath": "/opt/runjob"}

# As the first runKjob called them; jobs in JSON name them.
LABELS = [
    "Jobname", "YAML Manifest File Name", "Image Name", "ImagePullPolicy",
    "Environment variable name 1", "Value for Environment Variable 1",
    "Environment Variable Name 2", "Value for Environment Variable 2", "ImagePullSecret",
    "RestartPolicy", "BackoffLimit", "Volume Name", "Persistent Volume Claim", "Host Path",
    "Container Path",
]  # fmt: skip


def app(path: Path = BUILT) -> Any:
    return decode(path.read_text())["app"]


def commands(path: Path = BUILT) -> dict[str, Any]:
    found = [command for op in app(path)["executionTypes"][0]["ops"] for command in op["cmds"]]
    return {command["cmdType"]: command for command in found if command.get("txt")}


def parameters(path: Path = BUILT) -> list[Any]:
    found: list[Any] = app(path)["executionTypes"][0]["params"]
    return found


@pytest.mark.parametrize(
    ("path", "more"), [(BUILT, False), (BUILT_9021, True)], ids=["any", "9.0.21"]
)
def test_the_committed_file_is_what_the_source_builds(path: Path, more: bool) -> None:
    assert path.read_bytes() == encode(document(read_source(), output_settings=more)).encode()


def test_a_job_type_is_one_line_of_base64_of_gzip_of_json() -> None:
    line, rest = BUILT.read_text().split("\n")
    packed = base64.b64decode(line)
    assert rest == ""
    assert packed[4:8] == bytes(4), "the gzip's time stamp"
    assert json.loads(gzip.decompress(packed)).keys() == {"app", "WSDLS"}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers()))
def test_what_is_encoded_is_decoded(more: dict[str, int]) -> None:
    assert decode(encode({"app": more})) == {"app": more}


def test_a_job_type_of_more_than_one_block_is_decoded() -> None:
    large = {"app": {"text": "é" * 100_000}}
    assert decode(encode(large)) == large


def test_the_variant_differs_in_the_output_settings_alone() -> None:
    newer = app(BUILT_9021)
    settings = newer.pop("outputSettingElement")
    assert newer == app()
    assert settings.keys() == {
        "appendEnvInfoOutput", "appendStatInfoOutput", "appendStepDetailsOutput",
        "appendJobFailureMsgOutput",
    }  # fmt: skip


def test_there_is_one_command_to_run_and_one_to_kill() -> None:
    assert commands().keys() == {"Exec", "Kill"}
    assert [op["type"] for op in app()["executionTypes"][0]["ops"]] == [
        "pre-execute", "execute", "post-execute",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["Exec", "Kill"])
def test_every_placeholder_has_its_parameter_and_every_field_is_used(kind: str) -> None:
    asked = set(re.findall(r"\{\{(.*?)\}\}", commands()[kind]["txt"]))
    inputs = {parameter.name for parameter in (*JOB_TYPE.form, *JOB_TYPE.profile)}
    assert asked == inputs


def test_every_output_rule_has_its_parameter_by_its_uid() -> None:
    outputs = {each["uid"]: each["name"] for each in parameters() if each["group"] == "output"}
    kept = {
        action["uid"]: action["extHandleData"]["extractData"]["keepParamName"]
        for rule in commands()["Exec"]["extractInfo"]
        for action in rule["doSection"]
    }
    assert kept == outputs
    assert len(kept) == len(read_source()["output"])


@pytest.mark.parametrize("key", ["uid", "PropertyName", "name"])
def test_no_two_parameters_share_an_identity(key: str) -> None:
    found = [each[key] for each in parameters() if key in each]
    assert len(found) == len(set(found))
    assert len(found) >= len(parameters()) - 1


def test_the_dummy_for_the_connection_profile_opens_the_list() -> None:
    assert (parameters()[0]["name"], parameters()[0]["isDummy"]) == ("CON_PRO", True)


def test_the_labels_of_the_first_runkjob_are_kept() -> None:
    assert {each.label for each in JOB_TYPE.form} >= set(LABELS)
    assert [each.key for each in JOB_TYPE.profile] == ["AI-CLIPath", "AI-YamlPath"]
    assert JOB_TYPE.type == "Job:ApplicationIntegrator:AI runKjob"


def test_labels_are_one_fields_each() -> None:
    labels = [each.label for each in (*JOB_TYPE.form, *JOB_TYPE.profile)]
    assert len(labels) == len(set(labels))


def test_the_pull_policies_are_those_of_kubernetes() -> None:
    policy = next(each for each in JOB_TYPE.form if each.label == "ImagePullPolicy")
    *values, older = policy.options
    assert values == [(each, each) for each in ("Always", "IfNotPresent", "Never")]
    assert older == ("Latest", "Always")


def test_a_job_of_the_first_runkjob_may_say_latest() -> None:
    assert expand(JOB_TYPE, {"AI-ImagePullPolicy": "Latest"}, PROFILE) == expand(
        JOB_TYPE, {"AI-ImagePullPolicy": "Always"}, PROFILE
    )


def test_the_launcher_knows_every_field() -> None:
    fields = {each.name for each in (*JOB_TYPE.form, *JOB_TYPE.profile)}
    assert fields - {"CLIPath"} == form.FIELDS
    assert (MARK, "end") == (form.MARK, form.END)
    assert commands()["Exec"]["txt"].endswith(f"\n{END}\n")


def test_nothing_of_the_makers_network_is_in_the_file() -> None:
    text = json.dumps(app()).replace(app()["version"], "")
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|https?://|@\w+\.", text)


def test_defaults_stand_for_what_a_job_leaves_out() -> None:
    line = expand(JOB_TYPE, {}, PROFILE).execute
    assert f"{MARK} ImagePullSecret=regcred\n" in line
    assert f"{MARK} identity=%%ORDERID %%RUNCOUNT\n" in line
    assert f"{MARK} namespace=\n" in line


def test_a_value_is_replaced_once() -> None:
    given = {"AI-Jobname": "{{namespace}}", "AI-Namespace": "{{jobname}}"}
    line = expand(JOB_TYPE, given, PROFILE).execute
    assert f"{MARK} jobname={{{{namespace}}}}\n" in line


@pytest.mark.parametrize(
    ("given", "profile", "words"),
    [
        ({"AI-Job name": "x"}, PROFILE, "the job has the property 'AI-Job name'"),
        ({}, {"AI-CLI": "/opt"}, "the connection profile has the property 'AI-CLI'"),
        ({}, {}, "the connection profile lacks 'AI-CLIPath'"),
        ({}, {"AI-CLIPath": 'x"; rm -r /; "'}, "must not hold"),
        ({"AI-ImagePullPolicy": "Often"}, PROFILE, "takes Always or IfNotPresent or Never"),
        ({"AI-BackoffLimit": 1}, PROFILE, "takes text, not 1"),
    ],
)
def test_a_form_that_the_job_type_does_not_take_is_refused(
    given: dict[str, Any], profile: dict[str, str], words: str
) -> None:
    with pytest.raises(JobTypeError, match=re.escape(words)):
        expand(JOB_TYPE, given, profile)


def test_what_is_no_field_of_the_job_type_is_passed_over() -> None:
    given = {"Type": JOB_TYPE.type, "Host": "agent", "ConnectionProfile": "K8S"}
    assert expand(JOB_TYPE, given, PROFILE) == expand(JOB_TYPE, {}, PROFILE)


OUTPUT = """\
Options in effect: jobname=x
Job completed
Job Completion status: 0
Container exit code: 4
Result: {"schema":1}
Pods Statuses: 0 Running / 0 Succeeded / 1 Failed
Job Completion status: 1
Verdict: Job default/x failed.
"""


@pytest.mark.parametrize(("code", "ok"), [(0, True), (1, False), (8, False), (14, False)])
def test_the_return_code_decides(code: int, ok: bool) -> None:
    assert verdict_of(JOB_TYPE, OUTPUT, code).ok is ok


def test_the_closing_lines_are_runtime_parameters_whatever_the_pod_printed() -> None:
    assert verdict_of(JOB_TYPE, OUTPUT, 1).values == {
        "EXITCODE": "Container exit code: 4",
        "RESULT": 'Result: {"schema":1}',
        "PODS": "Pods Statuses: 0 Running / 0 Succeeded / 1 Failed",
        "JOBSTATUS": "Job Completion status: 1",
        "VERDICT": "Verdict: Job default/x failed.",
    }


def test_a_job_type_is_shown_as_people_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(BUILT)]) == 0
    shown = capsys.readouterr().out
    assert f"    {MARK} jobname={{{{jobname}}}}\n" in shown, "commands are shown line by line"
    assert "label: Image Name\n" in shown


@pytest.mark.parametrize(
    "content", ["", "no base64!", "aGVsbG8=", None, encode({"ap": 1}), encode({"app": 1})]
)
def test_what_is_no_job_type_is_refused_in_one_line(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.ctmai"
    if content is not None:
        path.write_text(content)
    assert main(["show", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"jobtype: error: {path}")
    assert err.count("\n") == 1


def test_a_job_type_without_its_parts_is_no_job_type(tmp_path: Path) -> None:
    path = tmp_path / "x.ctmai"
    path.write_text(encode({"app": {"name": "X"}}))
    with pytest.raises(JobTypeError, match="is no job type of Application Integrator"):
        load(path)


def test_build_writes_both_files_and_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / path.name for path in (BUILT, BUILT_9021)]
    monkeypatch.setattr(jobtype_source, "BUILT", paths[0])
    monkeypatch.setattr(jobtype_source, "BUILT_9021", paths[1])
    assert main(["build"]) == 0
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    assert [path.read_bytes() for path in paths] == [BUILT.read_bytes(), BUILT_9021.read_bytes()]


def test_a_wrong_line_tells_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
