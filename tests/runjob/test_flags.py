"""The command line is read as callers have always written it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.errors import UsageError
from runjob.flags import FLAGS, Asked, Flag, parse
from runjob.options import Options, RunOptions
from tests.runjob.command_line import OLD, at, options

# Each option once: what is given, and what is then read at its target.
READ: dict[str, tuple[str, Any]] = {
    "args": ("one two", ("one", "two")),
    "backofflimit": ("7", 7),
    "claim": ("data-claim", "data-claim"),
    "hostpath": ("/srv/data", "/srv/data"),
    "image": ("joegoldberg/controlm:appimage", "joegoldberg/controlm:appimage"),
    "jobname": ("mytest-job2", "mytest-job2"),
    "commands": ("sh", ("sh",)),
    "volname": ("work", "work"),
    "namespace": ("controlm", "controlm"),
    "image_pull_policy": ("IfNotPresent", "IfNotPresent"),
    "restartpolicy": ("OnFailure", "OnFailure"),
    "imagesecret": ("other", "other"),
    "volpath": ("/data", "/data"),
    "yaml": ("job.yaml", "job.yaml"),
    "requests": ("cpu=1,memory=1Gi", (("cpu", "1"), ("memory", "1Gi"))),
    "limits": ("memory=1Gi", (("memory", "1Gi"),)),
    "service-account": ("runner", "runner"),
    "node-selector": ("disk=ssd", (("disk", "ssd"),)),
    "toleration": ("gpu=yes:NoSchedule", ("gpu=yes:NoSchedule",)),
    "label": ("team=data", (("team", "data"),)),
    "annotation": ("note=a=b, c", (("note", "a=b, c"),)),
    "env-from": ("secret/login", (("secret", "login"),)),
    "deadline": ("1h30m", 5400),
    "completions": ("3", 3),
    "parallelism": ("2", 2),
    "security": ("restricted", "restricted"),
    "set": ("spec.suspend=true", (("spec.suspend", "true"),)),
    "param": ("day=monday", (("day", "monday"),)),
    "generate-name": ("run-", "run-"),
    "kubeconfig": ("/home/me/config", "/home/me/config"),
    "context": ("prod", "prod"),
    "dry-run": ("client", "client"),
    "keep": ("failed", "failed"),
    "prefix": ("never", "never"),
    "start-timeout": ("90", 90),
    "api-timeout": ("2m", 120),
    "exit-code": ("container", True),
    "map-exit": ("4=0,5=1", ((4, 0), (5, 1))),
    "heartbeat": ("90s", 90),
    "on-lost": ("kill", "kill"),
    "result-file": ("result.json", "result.json"),
    "argument": ("two words", ("two words",)),
    "query": ("ref=main", (("ref", "main"),)),
    "token-file": ("token", "token"),
    "print": ("result", ("result",)),
    "run-id": ("0a1b.2", "0a1b.2"),
    "if-exists": ("adopt", "adopt"),
    "log-limit": ("10M", 10_000_000),
    "main-container": ("main", "main"),
    "state-dir": ("/var/lib/runjob", "/var/lib/runjob"),
    "form": ("-", "-"),
}
SPELLINGS = [
    pytest.param(spelling, flag, id=spelling)
    for flag in FLAGS
    for spelling in [
        *(f"--{name}" for name in flag.names),
        *([f"-{flag.short}"] * bool(flag.short)),
    ]
    if flag.name in READ
]
LONG = [
    pytest.param(f"--{name}", flag, id=name)
    for flag in FLAGS
    for name in flag.names
    if flag.name in READ
]


def test_the_examples_cover_every_flag_with_one_value() -> None:
    pairs_and_switches = {
        "envname",
        "envvalue",
        "indexed",
        "sandbox",
        "kill",
        "guard-output",
        "preflight",
        "ignore-disruptions",
    }
    assert {flag.name for flag in FLAGS} - pairs_and_switches == READ.keys()


@pytest.mark.parametrize(("spelling", "flag"), SPELLINGS)
def test_every_spelling_is_read(spelling: str, flag: Flag) -> None:
    text, value = READ[flag.name]
    found = options(spelling, text)
    assert at(found, flag.target) == value
    assert found.given == {flag.name}


@pytest.mark.parametrize(("spelling", "flag"), LONG)
def test_a_long_option_takes_its_value_after_an_equals_sign(spelling: str, flag: Flag) -> None:
    text, value = READ[flag.name]
    assert at(options(f"{spelling}={text}"), flag.target) == value


@pytest.mark.parametrize(
    "short", [flag.short for flag in FLAGS if flag.short and flag.short not in "ev"]
)
def test_a_short_option_takes_its_value_without_a_blank(short: str) -> None:
    text, value = READ[OLD[short].name]
    assert at(options(f"-{short}{text}"), OLD[short].target) == value


@pytest.mark.parametrize(
    ("name", "target"),
    [("indexed", "job.indexed"), ("sandbox", "connection.sandbox")],
)
def test_a_switch_takes_no_value(name: str, target: str) -> None:
    assert at(options(), target) is False
    assert at(options(f"--{name}"), target) is True
    with pytest.raises(UsageError, match=name):
        parse([f"--{name}=yes"])


@pytest.mark.parametrize(
    ("word", "target"),
    [
        pytest.param("--job=a", "job_name", id="jobname"),
        pytest.param("--image_=Never", "job.pull_policy", id="image_pull_policy"),
        pytest.param("--imagepullp=Never", "job.pull_policy", id="imagepullpolicy"),
        pytest.param("--imagepulls=a", "job.pull_secret", id="imagepullsecret"),
        pytest.param("--images=a", "job.pull_secret", id="imagesecret"),
        pytest.param("--n=a", "namespace", id="unique before node-selector came"),
        pytest.param("--r=Never", "job.restart_policy", id="unique before requests came"),
        pytest.param("--y=a", "manifest", id="yaml"),
        pytest.param("--volp=a", "job.mount_path", id="volpath"),
        pytest.param("--dea=5", "job.deadline", id="deadline"),
        pytest.param("--req=cpu=1", "job.requests", id="requests"),
        pytest.param("--pr=never", "run.prefix", id="unique before print came"),
        pytest.param("--to=a", "job.tolerations", id="unique before token-file came"),
        pytest.param("--pri=result", "run.shown", id="print"),
    ],
)
def test_a_prefix_means_what_it_means_to_getopt(word: str, target: str) -> None:
    assert {flag.target for flag in FLAGS if flag.name in options(word).given} == {target}


@pytest.mark.parametrize("word", ["--im=a", "--imagep=Never", "--e=a", "--vol=a", "--c=a"])
def test_a_prefix_of_several_options_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="can mean --"):
        parse([word])


@pytest.mark.parametrize("word", ["--n=ns", "--r=OnFailure"])
def test_an_old_prefix_stays_unique_beside_a_new_option(word: str) -> None:
    assert options(word, "--dry-run=client").given >= options(word).given


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-x"], "option -x is not known"),
        (["-bx1"], "-b takes a whole number"),
        (["--nothing"], "option --nothing is not known"),
        (["--="], "option -- is not known"),
        (["-j"], "-j needs a value"),
        (["--jobname"], "--jobname needs a value"),
        (["--help=me"], "--help takes no value"),
        (["hello"], "'hello' belongs to no option"),
        (["-j", "a", "-"], "'-' belongs to no option"),
        (["--", "-h"], "'-h' belongs to no option"),
        (["--hartbeat", "5m"], r"--hartbeat is not known; .* \(did you mean --heartbeat\?\)"),
        (["-j", "a", "-k", "echo", "hi"], "'hi' belongs to no option: -k takes one word each time"),
        (["-j", "a", "--", "echo", "hi"], "'echo' belongs to no option: -k takes one word each"),
        (["-j", "a", "list"], "'list' belongs to no option: a subcommand comes first"),
        (["-j", "a", "b"], "'b' belongs to no option: is a value before it empty or unquoted"),
        (["-e", "A=B"], "-e takes a name alone: the value of 'A' belongs to -v"),
    ],
)
def test_what_is_no_option_is_named(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(argv)


def test_two_dashes_end_the_options() -> None:
    assert parse(["-j", "a", "--"]) == parse(["-j", "a"])


def test_an_exact_name_goes_before_longer_ones() -> None:
    assert options("--image", "x").job.image == "x"


def test_short_options_are_grouped() -> None:
    assert options("-jhello", "-b3", "-nns") == options("-j", "hello", "-b", "3", "-n", "ns")
    assert parse(["-hj", "hello"]) == Asked("help")


@pytest.mark.parametrize("value", ["-1", "--x", "-", "--", "-h", "-j", "a=b", "=", "a b", "é\n☃"])
def test_a_value_is_taken_as_it_is(value: str) -> None:
    found = options("-e", "A", "-v", value, "-k", value, "-i", value)
    assert found.job.env == (("A", value),)
    assert found.job.command == (value,)
    assert found.job.image == value


names_of_variables = st.text(
    st.characters(codec="utf-8", exclude_characters="=\0"), min_size=1
).filter(lambda name: name != "-v")
values_of_variables = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(st.tuples(names_of_variables, values_of_variables)))
def test_variables_pair_by_position_wherever_they_stand(pairs: list[tuple[str, str]]) -> None:
    together = [word for name, value in pairs for word in ("-e", name, "-v", value)]
    apart = [f"--envname={name}" for name, _ in pairs] + [f"--envvalue={text}" for _, text in pairs]
    assert options(*together).job.env == options(*apart).job.env == tuple(pairs)


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        pytest.param(["-e", "", "-v", ""], (), id="both empty"),
        pytest.param(["-e", "A", "-v", ""], (("A", ""),), id="an empty value"),
        pytest.param(["-e", "-v", "-e", "-v", "-b", "1"], (), id="both left out, unquoted"),
        pytest.param(
            ["-e", "A", "-v", "1", "-e", "-v", "-b", "1"], (("A", "1"),), id="the second left out"
        ),
        pytest.param(["-e", "A", "-v", "-v"], (("A", "-v"),), id="a value of -v"),
        pytest.param(
            ["-e", "A", "-v", "1", "-e", "A", "-v", "2"], (("A", "1"), ("A", "2")), id="twice"
        ),
    ],
)
def test_empty_pairs_count_as_not_given(argv: list[str], env: tuple[tuple[str, str], ...]) -> None:
    assert options(*argv).job.env == env


def test_a_pair_that_was_left_out_is_told() -> None:
    assert options("-e", "-v", "-e", "-v").notes == ("an empty pair -e -v was left out",) * 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        pytest.param(["-e", "A"], "1 times -e but 0 times -v", id="no value"),
        pytest.param(["-v", "A"], "0 times -e but 1 times -v", id="no name"),
        pytest.param(["-e", "", "-v", "x"], "-e is empty", id="empty name"),
        pytest.param(["-e", "A=1", "-v", "x"], "the value of 'A'", id="name with an equals sign"),
    ],
)
def test_a_variable_needs_both_name_and_value(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        parse(argv)


def test_several_commands_and_arguments_add_up() -> None:
    job = options("-k", "sh", "-k", "-c", "-k", "a  b", "-a", "x  y", "-a", "z", "-k", "none").job
    assert job.command == ("sh", "-c", "a  b", "none")
    assert job.args == ("x", "y", "z")


@pytest.mark.parametrize(
    "flag",
    [pytest.param(flag, id=flag.name) for flag in FLAGS if flag.collects and flag.name in READ],
)
def test_a_flag_that_collects_may_stand_several_times(flag: Flag) -> None:
    text, value = READ[flag.name]
    assert at(options(f"--{flag.name}", text, f"--{flag.name}", text), flag.target) == value * 2


def test_exit_codes_go_up_to_255() -> None:
    assert options("--map-exit", "255=255").run.exit_map == ((255, 255),)
    for text in ("255=256", "256=255"):
        with pytest.raises(UsageError, match="codes from 0 to 255"):
            parse(["--map-exit", text])


def test_of_an_option_that_stands_twice_the_last_counts() -> None:
    assert options("-j", "a", "--jobname", "b").job_name == "b"


@pytest.mark.parametrize(
    ("argv", "topic"),
    [
        (["-h"], "help"),
        (["--help"], "help"),
        (["--he"], "help"),
        (["-b", "many", "-h"], "help"),
        (["-j", "x", "--version"], "version"),
    ],
)
def test_help_goes_before_all_else(argv: list[str], topic: str) -> None:
    assert parse(argv) == Asked(topic)


@pytest.mark.parametrize(
    "taint", ["*", "*:NoExecute", "gpu", "gpu=yes", "a.b/c=d:NoSchedule", "x="]
)
def test_a_taint_is_accepted(taint: str) -> None:
    assert options("--toleration", taint).job.tolerations == (taint,)


def test_a_map_of_exit_codes_asks_for_the_containers_code() -> None:
    assert options("--map-exit", "4=0", "--map-exit", "5=1").run == RunOptions(
        container_exit=True, exit_map=((4, 0), (5, 1))
    )


def test_nothing_given_is_all_defaults() -> None:
    assert parse([]) == Options()


def test_a_value_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        parse(["-e", "A", "-v", "\udcff"])
