"""The commands that are printed for a person to run."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.commands import Commands, started_by

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


def test_in_a_cluster_nothing_leads_there() -> None:
    # A context counts within a kubeconfig alone.
    for commands in (Commands(), Commands().to(None, "c")):
        assert commands.kubectl("ns", "delete", "job", "b") == "kubectl -n ns delete job b"
        assert commands.show("ns", "b") == "runjob show b -n ns"


def test_a_command_leads_to_the_cluster_of_the_launch() -> None:
    commands = Commands().to("/k/config", None)
    assert commands.show("ns", "b") == "runjob show b -n ns --kubeconfig /k/config"
    assert commands.gc("ns", "--delete") == "runjob gc --delete -n ns --kubeconfig /k/config"
    commands = commands.to("/k/my config", "a;b")
    reach = "--kubeconfig '/k/my config' --context 'a;b'"
    assert commands.kubectl("ns", "get", "job") == f"kubectl -n ns {reach} get job"


def test_a_command_is_of_use_in_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert Commands().to("config", None).reach == ("--kubeconfig", str(tmp_path / "config"))
    assert Commands().to("~/config", None).reach == ("--kubeconfig", "/home/me/config")
    assert started_by("runJob.py") == ("python3", str(tmp_path / "runJob.py"))
    assert started_by(None) == ("runjob",)


@given(words, words, words)
def test_a_shell_reads_what_was_meant(path: str, context: str, word: str) -> None:
    commands = Commands(reach=("--kubeconfig", path, "--context", context))
    assert shlex.split(commands.kubectl("ns", word)) == [
        *("kubectl", "-n", "ns", "--kubeconfig", path, "--context", context),
        word,
    ]
