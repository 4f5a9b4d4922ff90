"""The launcher starts from a folder of any name, by any path, in any directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from runjob import cli

PACKAGE = Path(cli.__file__).parent
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello}\nspec: {}\n"


def process(*argv: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run Python outside of any cluster, with nothing of this checkout on its path."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")}
    env.pop("PYTHONPATH", None)
    return subprocess.run(
        [sys.executable, "-W", "error", *argv],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 1),
        (["-b", "many"], 1),
        (["-j", "hello", "-i", "busybox"], 9),
        (["-y", "missing.yaml"], 1),
        (["-y", "-"], 5),
        ([os.fsdecode(b"--\xff")], 1),
    ],
    ids=["nothing", "no number", "no cluster", "no manifest", "an empty stdin", "not UTF-8"],
)
def test_a_process_that_refuses_says_so_in_one_line(
    argv: list[str], code: int, tmp_path: Path
) -> None:
    done = process(str(PACKAGE / "runJob.py"), *argv, cwd=tmp_path, input="")
    assert done.returncode == code
    assert done.stderr.startswith("runjob: error: ")
    assert done.stderr.count("\n") == 1


def test_a_process_without_stdout_still_refuses(tmp_path: Path) -> None:
    script = f'"{sys.executable}" "{PACKAGE / "runJob.py"}" -b many >&-'
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """Copy the launcher, and nothing else of this checkout, under another name."""
    folder = tmp_path / "agent" / "ctmDocker"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__", "sandbox"))
    return folder


DRY_RUN = ["-j", "hello", "-n", "ns", "-i", "busybox", "-e", "A", "-v", "-1", "--dry-run=client"]


@pytest.mark.parametrize("way", ["itself", "folder link", "file link", "relative"])
def test_the_launcher_runs_uninstalled_from_a_folder_of_any_name(
    deployed: Path, tmp_path: Path, way: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(deployed)
    (elsewhere / "start.py").symlink_to(deployed / "runJob.py")
    script = {
        "itself": str(deployed / "runJob.py"),
        "folder link": str(tmp_path / "link" / "runJob.py"),
        "file link": "start.py",
        "relative": "../link/runJob.py",
    }[way]
    done = process(script, *DRY_RUN, cwd=elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    job = yaml.safe_load(done.stdout)
    assert job["metadata"] == {"name": "hello", "namespace": "ns"}
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "A", "value": "-1"}]


def test_it_runs_as_a_module_too(tmp_path: Path) -> None:
    whole = process("-m", "runjob", *DRY_RUN, cwd=PACKAGE.parent)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout == process(str(PACKAGE / "runJob.py"), *DRY_RUN, cwd=tmp_path).stdout


def test_a_manifest_lies_beside_the_current_directory_or_the_script(
    deployed: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(deployed)
    argv = [str(tmp_path / "link" / "runJob.py"), "-j", "hello", "--dry-run=client"]
    (deployed / "hello.yaml").write_text(f"{JOB}x: script\n")
    assert yaml.safe_load(process(*argv, cwd=tmp_path).stdout)["x"] == "script"
    (tmp_path / "hello.yaml").write_text(f"{JOB}x: current\n")
    assert yaml.safe_load(process(*argv, cwd=tmp_path).stdout)["x"] == "current"


def test_a_module_of_the_callers_directory_is_not_ours(deployed: Path, tmp_path: Path) -> None:
    for name in ("errors.py", "yaml.py", "runjob.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong module')\n")
    done = process(str(deployed / "runJob.py"), *DRY_RUN, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", ["kubernetes", "yaml"])
def test_a_missing_package_is_named_with_the_command_that_brings_it(
    deployed: Path, tmp_path: Path, missing: str
) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.modules[{missing!r}] = None\n"
        f"sys.argv = ['runJob.py', *{DRY_RUN!r}]\n"
        f"runpy.run_path({str(deployed / 'runJob.py')!r}, run_name='__main__')\n"
    )
    done = process("-c", code, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"runjob: error: the Python package '{missing}' is missing")
    assert done.stderr.count("\n") == 1
