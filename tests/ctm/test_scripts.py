"""The scripts that jobs name do one thing, may be repeated, and say in one line what is wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CTM = Path(__file__).parents[2] / "ctm"


def call(script: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **settings}
    return subprocess.run(
        [str(CTM / script), *words], env=environment, cwd="/", capture_output=True, text=True
    )


def test_kafka_is_started_and_stopped_by_the_commands_of_the_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = {"KAFKA_START": f"echo up >> {log}", "KAFKA_STOP": f"echo down >> {log}"}
    for word in ("start", "stop", "stop"):
        done = call("kafka.sh", word, **commands)
        assert (done.returncode, done.stderr) == (0, "")
    assert log.read_text().split() == ["up", "down", "down"]


def test_without_a_command_kafka_is_a_statefulset_that_is_scaled() -> None:
    settings = {"KUBECTL": "echo kubectl", "KAFKA_NAMESPACE": "queues", "KAFKA_REPLICAS": "5"}
    assert call("kafka.sh", "start", **settings).stdout.splitlines() == [
        "kubectl -n queues scale statefulset/kafka --replicas=5",
        "kubectl -n queues rollout status statefulset/kafka --timeout=300s",
    ]
    stopped = call("kafka.sh", "stop", **settings).stdout
    assert stopped == "kubectl -n queues scale statefulset/kafka --replicas=0\n"


def test_a_kafka_that_does_not_start_fails_the_job_with_the_code_of_its_command() -> None:
    done = call("kafka.sh", "start", KAFKA_START="exit 7")
    told = "kafka.sh: error: could not start Kafka: its command ended with 7\n"
    assert (done.returncode, done.stderr) == (7, told)


def test_settings_are_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.write_text("KAFKA_START='echo up'\nPYTHON=echo\n")
    assert call("kafka.sh", "start", CUST360_SETTINGS=str(settings)).stdout == "up\n"
    for line in ("geo_load --once", "dead_letters --patience 600"):
        done = call("application.sh", *line.split(), CUST360_SETTINGS=str(settings))
        assert done.stdout == f"-m application.{line}\n"


def test_a_program_of_the_application_runs_in_the_checkout_and_its_code_is_the_jobs(
    tmp_path: Path,
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\npwd\nexit 3\n")
    python.chmod(0o755)
    done = call("application.sh", "lake", PYTHON=str(python))
    assert (done.returncode, done.stdout) == (3, f"{CTM.parent}\n")


@pytest.mark.parametrize(
    ("script", "words", "settings", "told"),
    [
        ("kafka.sh", (), {}, "'' is neither start nor stop"),
        ("kafka.sh", ("restart",), {}, "'restart' is neither start nor stop"),
        (
            "kafka.sh",
            ("stop",),
            {"CUST360_SETTINGS": "/nowhere"},
            "CUST360_SETTINGS names /nowhere",
        ),
        ("application.sh", ("cli",), {}, "'cli' is no program of the application"),
        ("application.sh", ("lake",), {"CUST360_SETTINGS": "/nowhere"}, "names /nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    script: str, words: tuple[str, ...], settings: dict[str, str], told: str
) -> None:
    done = call(script, *words, **settings)
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{script}: error: ")
    assert told in line
    assert (done.returncode, done.stdout) == (2, "")
