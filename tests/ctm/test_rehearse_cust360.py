"""The Customer-360 folder on embedded engines: once as it should be, once with a failure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctm.definition import load
from ctm.rehearse import schedule
from ctm.rehearse.reading import plan_of
from ctm.rehearse.runners import NEEDS
from ctm.rehearse.state import Ended, Happening, Passed, Start

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "ctm/cust360.json"
RUNKJOB = "ApplicationIntegrator:AI runKjob"
NINE = [*(f"Produce-CT{each}" for each in ("NE", "NW", "SE", "SW")),
        *(f"Consume-{each}" for each in range(1, 6))]  # fmt: skip


def rehearse(
    tmp_path: Path, **changes: Any
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the command on the shipped profile with these changes; return it and its record."""
    profile = yaml.safe_load((ROOT / "ctm/rehearse/embedded.yaml").read_text(encoding="utf-8"))
    for name, change in changes.items():
        profile[name] = {**profile[name], **change} if isinstance(change, dict) else change
    path, out = tmp_path / "profile.yaml", tmp_path / "out"
    path.write_text(yaml.safe_dump(profile), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ctm.rehearse", FOLDER, "--profile", path, "--out", out],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    record = out / "record.json"
    assert record.exists(), done.stdout + done.stderr
    return done, json.loads(record.read_text(encoding="utf-8"))


def ended(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    [job] = [job for job in record["jobs"] if job["name"] == name]
    run: Mapping[str, Any] = job["runs"][-1]
    return run


def played(failing: str) -> list[str]:
    """Return the jobs in the order of their ends where one fails however often it runs."""
    runner = {f"Job:{RUNKJOB}": ("ConnectionProfile",), **NEEDS}
    plan = plan_of([load((ROOT / FOLDER).read_text(encoding="utf-8"), FOLDER)], runner)
    state, decisions = schedule.begin(plan, 0.0)
    now, running, ends = 0.0, [], []
    while True:
        running += [each.job for each in decisions if isinstance(each, Start)]
        happening: Happening
        if running:
            job = running.pop(0)
            ends.append(job)
            happening = Ended(job, job != failing, int(job == failing))
        elif (due := schedule.next_due(plan, state)) is not None and schedule.is_live(plan, state):
            now, happening = due, Passed()
        else:
            return ends
        state, decisions = schedule.after(plan, state, happening, now)


@pytest.mark.parametrize(
    "failing", [*NINE, "Kafka-Start", "Dead-Letters", "Geo-Load", "Posts-Check", "nobody"]
)
def test_whichever_job_fails_kafka_is_stopped_if_it_was_started(failing: str) -> None:
    ends = played(failing)
    assert ("Kafka-Start" in ends) == ("Kafka-Stop" in ends)
    if "Kafka-Stop" in ends:
        assert ends.index("Kafka-Stop") > max(ends.index(name) for name in ends if name in
                                              (*NINE, "Kafka-Start", "Dead-Letters"))  # fmt: skip
    assert ("In-Time" in ends) == (failing not in ("Geo-Load", "Posts-Check"))


@pytest.mark.embedded_snowflake
@pytest.mark.timeout(240)
def test_every_post_that_a_producer_delivered_is_in_the_lake(tmp_path: Path) -> None:
    done, record = rehearse(tmp_path, set={"tweets": 150})
    assert done.returncode == 0, done.stdout + done.stderr
    assert {job["status"] for job in record["jobs"]} == {"ended OK"}
    logs = {path.stem: path.read_text() for path in (tmp_path / "out/logs").iterdir()}
    delivered = [
        int(found[1])
        for name in NINE[:4]
        if (found := re.search(r"(\d+) messages? delivered", logs[name]))
    ]
    assert len(delivered) == 4
    [in_the_lake] = re.findall(r"^(\d+) posts$", logs["Posts-Check"], re.MULTILINE)
    assert int(in_the_lake) == sum(delivered) > 20
    # Kafka was up for the nine and for Dead-Letters, and is down again.
    stopped = ended(record, "Kafka-Stop")["began"]
    assert max(ended(record, name)["ended"] for name in (*NINE, "Dead-Letters")) <= stopped
    assert logs["Kafka-Stop"] == "kafka: down\n"
    picture = ET.parse(tmp_path / "out/gantt.svg")
    bars = [each for each in picture.iter() if each.get("class") == "ok"]
    assert len(bars) == len(record["jobs"])


def test_kafka_is_stopped_after_a_failure(tmp_path: Path) -> None:
    # What is not asked for here ends at once, so that only Kafka and the nine Jobs take time.
    done, record = rehearse(
        tmp_path,
        engines={"kafka": "jobs", "snowflake": "environment", "s3": "environment",
                 "x": "environment"},
        prepare=[],
        before=[],
        images={"docker.io/runjob/producer:0.1.0": "sh -c 'echo no settings; exit 2'",
                "docker.io/runjob/consumer:0.1.0": "sh -c :"},
        jobs={"Geo-*": {"Type": "Job:Dummy"}, "CRM-*": {"Type": "Job:Dummy"},
              "Posts-*": {"Type": "Job:Dummy"}, "Dead-*": {"Type": "Job:Dummy"}},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    status = {job["name"]: job["status"] for job in record["jobs"]}
    assert {status[name] for name in NINE[:4]} == {"ended not OK"}
    assert {status[name] for name in NINE[4:]} == {"ended OK"}
    assert status["Kafka-Stop"] == "ended OK"
    assert (tmp_path / "out/logs/Kafka-Stop.log").read_text() == "kafka: down\n"
    assert record["folder_status"] == {"Customer360": "ended not OK"}
    assert "Produce-CTNE ended not OK (code 1); it said last:" in done.stdout
    assert "no settings" in done.stdout
    mails = [each["text"] for each in record["remarks"] if each["kind"] == "mail"]
    assert mails == ["to cust360@example.com: Customer 360 ended not OK"]
