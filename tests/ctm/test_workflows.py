"""The folders keep their promises, whichever job fails, and name nothing that is not there."""

from __future__ import annotations

import copy
import os
import random
import re
import shlex
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from application import cli as consumer
from ctm.definition import load
from pythonapp import cli as producer
from runjob import flags
from runjob.options import Options
from runjob.plan import plan
from tests.ctm.runs import ENDINGS, NOT_OK, NOT_SUBMITTED, OK, Content, Run, children, run

CHECKOUT = Path(__file__).parents[2]
NAMES = ("cust360", "cust360-os", "environment", "snowflake", "profiles")
# Where an agent has what the checkout holds.
PLACES = {"/opt/cust360": CHECKOUT, "/opt/manifests": CHECKOUT / "k8s" / "jobs"}
PIPELINES = ("cust360", "cust360-os")
PRODUCERS = tuple(f"Produce-{quadrant}" for quadrant in ("CTNE", "CTNW", "CTSE", "CTSW"))
CONSUMERS = tuple(f"Consume-{number}" for number in range(1, 6))
# All that Kafka has to be up for.
USERS = (*PRODUCERS, *CONSUMERS, "Dead-Letters")
DOCUMENT = (CHECKOUT / "docs" / "control-m.md").read_text()


def definitions(name: str) -> dict[str, Any]:
    return load((CHECKOUT / "ctm" / f"{name}.json").read_text(), f"{name}.json")


FILES = {name: definitions(name) for name in NAMES}


def folder(name: str) -> dict[str, Any]:
    [(_, content)] = children(FILES[name], "Folder")
    return dict(content)


def members(content: Any) -> Iterator[tuple[str, Any]]:
    """Yield every member of every object, at any depth."""
    for each in content if isinstance(content, list) else [content]:
        if isinstance(each, dict):
            for name, value in each.items():
                yield name, value
                yield from members(value)


def here(path: str) -> Path:
    for place, folder_here in PLACES.items():
        if path.startswith(f"{place}/"):
            return folder_here / path.removeprefix(f"{place}/")
    raise AssertionError(f"{path}: not where the folders say that an agent has our files")


# Kafka


def kept(done: Run) -> str | None:
    """Say how a run breaks the promises about Kafka; None where it keeps them."""
    started, stopped = done.place("start", "Kafka-Start"), done.place("start", "Kafka-Stop")
    if started is None:
        return None if stopped is None else "stopped, but never started"
    if stopped is None:
        return "never stopped"
    before, after = done.steps[:stopped], done.steps[stopped:]
    for job in USERS:
        if ("start", job) in after:
            return f"{job} started after the stop"
        if ("start", job) in before and not any(
            name == job for what, name in before if "end" in what
        ):
            return f"{job} was running at the stop"
    return None


FOLDERS = {name: folder(name) for name in PIPELINES}
JOBS = {name: [job for job, _ in children(FOLDERS[name], "Job")] for name in PIPELINES}


@st.composite
def endings(draw: st.DrawFn, name: str) -> dict[str, str]:
    """Draw how each job ends; what Kafka waits for is loaded, or there would be little to see."""
    later = JOBS[name][JOBS[name].index("Kafka-Start") :]
    return draw(st.fixed_dictionaries({job: st.sampled_from(ENDINGS) for job in later}))


@pytest.mark.parametrize("name", PIPELINES)
@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_kafka_is_stopped_after_everything_that_used_it_however_that_ended(
    name: str, data: st.DataObject, seed: int
) -> None:
    done = run(FOLDERS[name], data.draw(endings(name)), random.Random(seed))
    assert done.place("start", "Kafka-Start") is not None
    assert kept(done) is None


@pytest.mark.parametrize("ending", [NOT_OK, NOT_SUBMITTED])
@pytest.mark.parametrize(
    ("name", "loader"),
    [(name, job) for name in PIPELINES for job in JOBS[name][: JOBS[name].index("Kafka-Start")]],
)
def test_kafka_is_not_started_before_everything_is_loaded(
    name: str, loader: str, ending: str
) -> None:
    done = run(FOLDERS[name], {loader: ending}, random.Random(1))
    assert done.place("start", "Kafka-Start") is None


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize(
    ("condition", "ending"), [("IfFailed", NOT_OK), ("IfNotSubmitted", NOT_SUBMITTED)]
)
@pytest.mark.parametrize("job", ["Kafka-Start", *USERS])
def test_without_its_if_a_failed_job_would_leave_kafka_up(
    name: str, job: str, condition: str, ending: str
) -> None:
    broken = copy.deepcopy(folder(name))
    assert kept(run(broken, {job: ending}, random.Random(1))) is None
    del broken[job][condition]
    assert kept(run(broken, {job: ending}, random.Random(1))) == "never stopped"


@pytest.mark.parametrize("name", PIPELINES)
@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_run_whose_kafka_was_stopped_leaves_no_event_that_would_start_the_next(
    name: str, data: st.DataObject, seed: int
) -> None:
    told = data.draw(endings(name)) | {"Kafka-Stop": OK}
    done = run(FOLDERS[name], told, random.Random(seed))
    assert not {event for event in done.events if event.startswith("C360")}


@pytest.mark.parametrize("name", PIPELINES)
@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_where_all_goes_well_everything_runs_and_in_its_order(name: str, seed: int) -> None:
    done = run(FOLDERS[name], {}, random.Random(seed))
    assert {job for what, job in done.steps if what == "start"} == set(JOBS[name])
    drained = done.place("start", "Consume-5") or 0
    assert all((done.place("end OK", job) or drained) < drained for job in PRODUCERS)


@pytest.mark.parametrize("name", PIPELINES)
@settings(deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_dead_letters_are_brought_when_nobody_sends_any_more_and_kafka_is_up(
    name: str, data: st.DataObject, seed: int
) -> None:
    told = data.draw(endings(name)) | {"Kafka-Start": OK}
    done = run(FOLDERS[name], told, random.Random(seed))
    begun, stopped = done.place("start", "Dead-Letters"), done.place("start", "Kafka-Stop")
    assert begun is not None
    assert stopped is not None
    assert begun < stopped
    assert all((f"end {told[job]}", job) in done.steps[:begun] for job in (*PRODUCERS, *CONSUMERS))


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("ending", [NOT_OK, NOT_SUBMITTED])
def test_a_kafka_that_did_not_start_is_asked_for_no_dead_letters(name: str, ending: str) -> None:
    done = run(FOLDERS[name], {"Kafka-Start": ending}, random.Random(1))
    assert done.place("start", "Dead-Letters") is None
    assert done.place("start", "Kafka-Stop") is not None


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("failed", USERS)
def test_a_failed_user_of_kafka_keeps_no_other_job_from_running(name: str, failed: str) -> None:
    done = run(folder(name), {failed: NOT_OK}, random.Random(1))
    assert {job for what, job in done.steps if what == "start"} == set(JOBS[name])


@pytest.mark.parametrize("name", PIPELINES)
def test_dead_letters_are_told_of_and_not_run_again_once_kafka_may_be_down(name: str) -> None:
    job = FOLDERS[name]["Dead-Letters"]
    assert dict(children(job, "Notify:NotOK"))
    reruns = [
        each for _, condition in children(job, "If") for each in children(condition, "Action")
    ]
    assert not reruns
    # It waits for an engine itself, for as long as the loads do with their reruns.
    assert job["Arguments"][-2:] == ["--patience", "600"]


@pytest.mark.parametrize("name", PIPELINES)
def test_a_folder_that_waits_after_a_failure_goes_on_by_what_its_mail_says(name: str) -> None:
    [(_, told)] = children(FOLDERS[name], "If:CompletionStatus")
    [(_, mail)] = children(told, "Action:Mail")
    [end] = [job for job, content in children(FOLDERS[name], "Job") if content.get("EndFolder")]
    waits = {
        job
        for job in JOBS[name]
        if run(FOLDERS[name], {job: NOT_OK}, random.Random(1)).steps[-1][1] != end
    }
    # It holds its lock then, for which the next order would wait; and it has not ended, so that
    # nothing but the job itself may tell.
    for job in waits:
        assert dict(children(FOLDERS[name][job], "Notify:NotOK")), job
    assert {"Geo-Load", "CRM-Extract"} <= waits
    assert not waits & {"Kafka-Start", *USERS}
    assert "Where the folder waits" in mail["Message"]
    assert mail["Message"].index("run the failed job again") < mail["Message"].index("order")


def test_both_folders_start_kafka_and_so_exclude_each_other() -> None:
    locks = [dict(children(folder(name), "Resource:Lock")) for name in PIPELINES]
    assert [lock["cust360-kafka"]["LockType"] for lock in locks] == ["Exclusive", "Exclusive"]


# What the jobs launch


def launched(job: Content) -> Options:
    """Read the launcher's line of a job, with its variables in place."""
    if job["Type"] == "Job:Command":
        words = shlex.split(job["Command"])
        assert words[:2] == ["python3", "/opt/runjob/runJob.py"]
        words = words[2:]
    else:
        words = ["-j", job["AI-Jobname"], "-n", job["AI-Namespace"],
                 "-y", f"/opt/manifests/{job['AI-YAML Manifest File Name']}",
                 *shlex.split(job["AI-More Options"])]  # fmt: skip
    return flags.parse([resolved(word, job) for word in words])  # type: ignore[return-value]  # asks for a launch


def resolved(text: str, job: Content) -> str:
    for pair in job["Variables"]:
        for name, value in pair.items():
            text = text.replace(f"%%{name}", value)
    assert "%%" not in text
    return text


def body(job: Content) -> Any:
    """Return the Job that a job of the folder has Kubernetes run."""
    if job["Type"] == "Job:Kubernetes":
        return yaml.safe_load(resolved(job["Job Spec Yaml"], job))
    request, _ = plan(launched(job), lambda _: None, lambda path: here(path).read_text())
    return request.job


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("job", [*PRODUCERS, *CONSUMERS])
def test_each_launches_a_job_of_its_own_that_ends_by_itself(
    name: str, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = body(folder(name)[job])
    stem = job.replace("Produce-", "bmctwitter-").replace("Consume-", "kafkasnowflake-").lower()
    assert found["metadata"] == {**found["metadata"], "name": stem, "namespace": "controlm"}
    [container] = found["spec"]["template"]["spec"]["containers"]
    if job in PRODUCERS:
        assert container["args"][::2] == ["--limit", "--until-idle"]
        # It takes them: nothing but the file is wrong.
        assert producer.main([*container["args"], "nowhere.yaml"]) == 2
        assert "nowhere.yaml" in capsys.readouterr().err
    else:
        assert consumer.parse(container["args"], datetime.now(timezone.utc)).until_idle


def test_the_vendors_own_kind_of_job_holds_the_same_manifest() -> None:
    mine = body(folder("cust360-os")["Consume-5"])
    assert mine == body(folder("cust360")["Consume-5"]), (
        "copy k8s/jobs/kafkasnowflake-5.yaml, with the args of cust360.json, into Job Spec Yaml"
    )


# Files


@pytest.mark.parametrize("name", NAMES)
def test_every_script_and_statement_that_a_job_names_is_in_the_checkout(name: str) -> None:
    for _, each in children(folder(name) if name != "profiles" else {}, "Job"):
        if each["Type"] == "Job:Script":
            script = here(f"{each['FilePath']}/{each['FileName']}")
        elif each["Type"] == "Job:Database:SQLScript":
            assert here(each["SQLScript"]).is_file()
            continue
        elif each["Type"] == "Job:Command" and each["Command"].startswith("/opt/cust360/"):
            script = here(each["Command"].split()[0])
        else:
            continue
        assert os.access(script, os.X_OK), script
    for _, each in members(FILES[name]):
        if isinstance(each, str) and (found := re.search(r"/opt/cust360/k8s/\S+", each)):
            assert here(found[0]).is_dir()


def test_the_lake_gets_every_file_of_its_ddl_in_the_order_of_their_numbers() -> None:
    lake = folder("snowflake")
    [(_, flow)] = children(lake, "Flow")
    told = [here(lake[job]["SQLScript"]) for job in flow["Sequence"]]
    ddl = sorted((CHECKOUT / "application" / "sql").glob("*.sql"))
    assert told == [CHECKOUT / "ctm/database.sql", *ddl, CHECKOUT / "ctm/check.sql"]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_is_no_longer_than_control_m_takes(name: str) -> None:
    assert all(len(each) <= 512 for key, each in members(FILES[name]) if key == "Command")


# Secrets, and what must be there before a folder is deployed


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_named_and_never_told(name: str) -> None:
    for key, value in members(FILES[name]):
        if re.search(r"(?i)password|passphrase|secret|access ?key|token$", key) and key != "Secret":
            assert isinstance(value, dict), key
            assert "Type" in value or list(value) == ["Secret"], key
        if isinstance(value, str):
            assert not re.search(r"(?i)\b(password|token|secret)\s*=", value), key
            assert not re.search(r"://[^/\s]+:[^/\s]+@", value), key


def test_the_document_names_every_secret_profile_and_pool() -> None:
    secrets = {value for each in FILES.values() for key, value in members(each) if key == "Secret"}
    pools = {name for each in PIPELINES for _, job in children(folder(each), "Job")
             for name, _ in children(job, "Resource:Pool")}  # fmt: skip
    for name in (*secrets, *pools, *FILES["profiles"]):
        assert f"`{name}`" in DOCUMENT or f" {name}" in DOCUMENT, name


def test_the_document_makes_the_topics_with_a_partition_for_each_consumer() -> None:
    made = dict(re.findall(r"--create .*--topic (\S+) --partitions (\d+)", DOCUMENT))
    assert set(made) == {"tweets", "tweets-dead-letters"}
    assert int(made["tweets"]) >= len(CONSUMERS)


def test_every_profile_that_a_job_names_is_there() -> None:
    named = {value for each in FILES.values() for key, value in members(each)
             if key.startswith("ConnectionProfile") or key == "Driver"}  # fmt: skip
    assert named == set(FILES["profiles"])
