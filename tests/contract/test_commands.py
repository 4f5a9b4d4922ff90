"""The commands that a launch prints lead to its cluster, from wherever they are run."""

import shlex
from pathlib import Path

import pytest

from runjob.cli import main
from tests.contract.launches import Launcher, sh
from tests.contract.targets import Target


def test_the_command_that_shows_a_kept_job_finds_it(
    launch: Launcher,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    run = launch("-j", name, *sh("true"), "--keep", "always")
    line = run.verdict.partition("look at it: ")[2].rstrip(".")
    program, *words = shlex.split(line)
    assert (program, words[:2]) == ("runjob", ["show", name])
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0
    assert f"/{name}: Complete".encode() in capfdbinary.readouterr().out


def test_the_command_that_makes_room_names_the_cluster(
    launch: Launcher, name: str, target: Target
) -> None:
    assert launch("-j", name, *sh("true"), "--keep", "always").code == 0
    run = launch("-j", name, *sh("true"))
    assert run.code == 15
    command = run.verdict.partition("remove it with: ")[2].rstrip(".")
    assert shlex.split(command) == [
        *("kubectl", "-n", target.namespace, "--kubeconfig", str(target.kubeconfig)),
        *("delete", "job", name),
    ]
