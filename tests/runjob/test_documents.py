"""The documents say what the code does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runjob.endings import natural_end
from runjob.guide.tables import exit_rows, option_rows
from runjob.result import as_json
from runjob.verdict import verdict
from tests.runjob.scenes import condition, container, ended, picture, pod

COMPLETE = picture(
    condition("Complete"), pod(container(terminated=ended(0)), phase="Succeeded"), succeeded=1
)
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def part(name: str) -> str:
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.S)
    assert match
    return match[1]


def test_the_readme_lists_every_option() -> None:
    assert part("options") == option_rows()


def test_the_readme_lists_every_exit_code() -> None:
    assert part("exits") == exit_rows()


def test_the_result_files_keys_are_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "endings.md").read_text()))
    ending = natural_end(COMPLETE)
    assert ending
    result = as_json(verdict("here/hello", ending, COMPLETE))
    keys = set(result) | set(result["pods"]) | set(result["seconds"]) | set(result["containers"][0])
    assert keys <= documented


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: told, namespace: controlm}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "busybox:1", command: [echo, "tag ${{TAG}}"]}]
"""


@pytest.mark.parametrize(
    "line",
    [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("python3 runjob/runJob.py")
    ],
)
def test_the_readmes_commands_work(line: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "runjob").symlink_to(ROOT / "runjob")
    command = line.replace("python3", sys.executable, 1)
    command += "" if "--sandbox" in command else " --sandbox"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    shown = blocks("text")[0].splitlines()
    told = done.stdout.splitlines()
    assert told[-3:-1] == shown[-3:-1]
    assert re.fullmatch(r"Verdict: Job \S+ succeeded\.", told[-1])
    if "-y" not in line:
        assert told[1:] == shown[1:]


@pytest.mark.parametrize("code", blocks("python"))
def test_the_readmes_python_works(code: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_make_target_is_described_by_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.M))
    described = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.M))
    assert targets == described


def test_json_of_a_verdict_is_json() -> None:
    ending = natural_end(COMPLETE)
    assert ending
    assert json.loads(json.dumps(as_json(verdict("here/hello", ending, COMPLETE))))


def test_make_hello_runs_the_sample_call_on_a_fresh_embedded_cluster() -> None:
    told = subprocess.run(
        ["make", "-n", "hello", "CLUSTER="], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = told.stdout.replace("\\\n", " ").splitlines()
    line = next(line for line in lines if "runjob/runJob.py" in line)
    command = line.replace(".venv/bin/python", sys.executable).replace("STIME -v 1", "STIME -v 0")
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Iteration 10 of 10\n" in done.stdout
