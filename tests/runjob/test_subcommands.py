"""The lines of gc, list and show, and that a launch is never taken for one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runjob import cli, flags
from runjob.errors import Exit, UsageError
from runjob.flags import Asked
from runjob.guide.usage import subcommand
from runjob.leftovers import GRACE, Wanted
from runjob.options import Connection
from runjob.subcommands import SUBCOMMANDS, Collect, Roster, Show, read

PACKAGE = Path(cli.__file__).parent
SCRIPT = str(PACKAGE / "runJob.py")


def test_gc_looks_and_touches_nothing_unless_told_otherwise() -> None:
    assert read("gc", []) == Collect(
        namespace="default",
        connection=Connection(),
        wanted=Wanted(failed_only=False, older_than=GRACE, all_makers=False),
        delete=False,
    )


def test_gc_takes_its_options_and_those_that_lead_to_a_namespace() -> None:
    line = "--delete --failed --older-than 1h30m --all-m -ncontrolm --kubeconfig=f --context c"
    assert read("gc", line.split()) == Collect(
        namespace="controlm",
        connection=Connection(kubeconfig="f", context="c"),
        wanted=Wanted(failed_only=True, older_than=5400, all_makers=True),
        delete=True,
    )


def test_gc_can_be_asked_for_the_jobs_without_a_launcher() -> None:
    asked = read("gc", ["--lost", "--delete", "-n", "ns"])
    assert isinstance(asked, Collect)
    assert (asked.lost, asked.delete, asked.wanted) == (True, True, Wanted())


def test_list_takes_what_leads_to_a_namespace() -> None:
    line = ["-n", "ns", "--kubeconfig", "f", "--context", "c"]
    connection = Connection(kubeconfig="f", context="c")
    assert read("list", line) == Roster(namespace="ns", connection=connection)


@pytest.mark.parametrize("option", ["-A", "--all-namespaces"])
def test_no_namespace_is_named_where_all_are_meant(option: str) -> None:
    assert read("list", [option]) == Roster(namespace=None, connection=Connection())
    asked = read("gc", ["--failed", option])
    assert isinstance(asked, Collect)
    assert (asked.namespace, asked.wanted) == (None, Wanted(failed_only=True))


@pytest.mark.parametrize("line", ["", "--lost", "--failed --older-than 1h30m5s --all-makers"])
def test_what_gc_was_asked_for_can_be_asked_for_again(line: str) -> None:
    asked = read("gc", line.split())
    assert isinstance(asked, Collect)
    assert read("gc", asked.options) == asked


@pytest.mark.parametrize("line", ["hello -n ns", "-n ns hello", "--namespace ns -- hello"])
def test_show_takes_a_name_before_or_after_its_options(line: str) -> None:
    assert read("show", line.split()) == Show(name="hello", namespace="ns", connection=Connection())


@pytest.mark.parametrize("line", [["gc"], ["gc", "--delete"], ["list"], ["show", "hello"]])
@pytest.mark.parametrize("option", [["-n", ""], ["--namespace="]])
def test_an_empty_namespace_is_refused_and_never_the_default(
    line: list[str], option: list[str]
) -> None:
    name, *rest = line
    with pytest.raises(UsageError, match="takes a value, not ''"):
        read(name, [*rest, *option])


def test_an_age_of_nothing_means_any() -> None:
    asked = read("gc", ["--older-than", "0"])
    assert isinstance(asked, Collect)
    assert asked.wanted.older_than == 0


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("gc", "hello", "gc takes no name, and 'hello' belongs to no option"),
        ("list", "hello", "list takes no name, and 'hello' belongs to no option"),
        ("list", "--lost", "option --lost not recognized; list --help lists the options"),
        ("gc", "--older-then 5m", "gc --help lists the options (did you mean --older-than?)"),
        ("show", "x --namspace=y", "show --help lists the options (did you mean --namespace?)"),
        ("list", "--namespace=", "--namespace takes a value, not ''"),
        ("gc", "--lost --failed", "--lost asks for the Jobs whose launcher is gone"),
        ("gc", "--lost --older-than 0", "leave out --failed, --older-than and --all-makers"),
        ("gc", "--all", "option --all not a unique prefix; gc --help lists the options"),
        ("gc", "-A --delete --lost", "a removal names its namespace: gc --delete -n NAME; gc -A"),
        ("gc", "-A -n ns", "-A looks in all namespaces and -n in one: leave one of them out"),
        ("list", "-n ns -A", "-A looks in all namespaces and -n in one: leave one of them out"),
        ("show", "-A x", "option -A not recognized; show --help lists the options"),
        ("gc", "--older-than soon", "--older-than takes a time such as 90s, 10m or 1h30m"),
        ("gc", "--older-than=", "--older-than takes a value, not ''"),
        ("gc", "--kubeconfig=", "--kubeconfig takes a value, not ''"),
        ("gc", "--image x", "option --image not recognized; gc --help lists the options"),
        ("gc", "-n", "option -n requires argument; gc --help lists the options"),
        ("gc", "--delete=yes", "option --delete must not have an argument"),
        ("gc", "--context c", "--context chooses within a kubeconfig"),
        ("gc", "-n ../x", "is no name for a namespace"),
        ("show", "", "show takes the name of one Job"),
        ("show", "a b", "show takes the name of one Job"),
        ("show", "../secrets", "is no name for a Job"),
    ],
)
def test_a_line_that_is_none_is_refused_in_one(name: str, line: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(name, line.split())
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_help_is_short_and_lists_every_option(name: str) -> None:
    assert read(name, ["x", "-h"]) == Asked(name)
    lines = subcommand(name).splitlines()
    for flag in SUBCOMMANDS[name].flags:
        assert any(f"--{flag.name}" in line for line in lines)
    assert len(lines) < 16
    assert max(map(len, lines)) <= 80


def test_the_command_knows_each_subcommand() -> None:
    assert set(flags.SUBCOMMANDS) == set(SUBCOMMANDS)


@pytest.mark.parametrize("way", [[SCRIPT], ["-m", "runjob"]])
@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_way_to_start_the_launcher_leads_there(
    name: str, way: list[str], tmp_path: Path
) -> None:
    cwd, typed = (tmp_path, "runJob.py") if way == [SCRIPT] else (PACKAGE.parent, "runjob")
    done = subprocess.run(
        [sys.executable, *way, name, "--help"], cwd=cwd, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == (f"{subcommand(name, typed)}\n", "")


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_job_may_be_called_as_a_subcommand_is(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["-j", name, "-i", "busybox", "--dry-run", "client"]) == 0
    assert f"name: {name}\n" in capsys.readouterr().out
    assert cli.main(["-n", "ns", name]) == int(Exit.FAILED)
    assert (
        f"argument '{name}' belongs to no option: a subcommand comes first, as in runjob {name} "
    ) in capsys.readouterr().err


def test_a_launch_loads_nothing_of_the_subcommands() -> None:
    code = (
        "import sys; from runjob import cli\n"
        "cli.main(['-j', 'x', '-i', 'x', '--dry-run', 'client'])\n"
        "import runjob.api, runjob.launcher\n"
        "sys.exit(' '.join({'runjob.subcommands', 'runjob.afterwards', 'runjob.show',\n"
        "    'runjob.leftovers', 'getopt', 'difflib'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "\n"), done.stderr


def test_outside_of_a_cluster_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert cli.main(["gc"]) == int(Exit.NO_CLUSTER)
    assert capsys.readouterr().err.startswith("runjob: error: not inside a Kubernetes cluster")


def test_ctrl_c_ends_it_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runjob.login.login", pressed)
    assert cli.main(["gc"]) == int(Exit.INTERRUPTED)
