"""The table of options: what callers rely on, and what it tells of itself."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from runjob.errors import UsageError
from runjob.flags import FLAGS, Flag, parse
from runjob.options import Connection, JobOptions, Options, RunOptions
from tests.runjob.command_line import OLD, at, options

# The table of the launcher's contract; its words bind.
CONTRACT = """
| -a | args | arguments of the command, split at blanks | none |
| -b | backofflimit | retries before the Job fails | 0 |
| -c | claim | PersistentVolumeClaim | none |
| -e | envname | environment variable name; pairs with the -v at the same position | |
| -h | (help) | usage, exit 0 | |
| -H | hostpath | path on the host, must be a directory | none |
| -i | image | container image | |
| -j | jobname | Job name, mandatory without a manifest that names one | |
| -k | commands | command to run; repeatable | the image's entrypoint |
| -m | volname | volume name | none |
| -n | namespace | namespace to use, or to verify against the manifest | `default` |
| -p | image_pull_policy, imagepullpolicy | `Always` or `Latest` in the sample | Always |
| -r | restartpolicy | Never or OnFailure | Never |
| -s | imagesecret, imagepullsecret | imagePullSecret | regcred |
| -t | volpath | mount path in the pod | none |
| -v | envvalue | environment variable value | |
| -y | yaml | manifest; overrides everything but the job name | |
"""


def contract() -> dict[str, tuple[tuple[str, ...], str]]:
    """Return short option → (long names, default) as the contract has them."""
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in CONTRACT.split("\n") if row]
    return {
        short.lstrip("-"): (tuple(names.strip("()").split(", ")), default.strip("`"))
        for short, names, _, default in rows
    }


NEW = {flag.name: flag for flag in FLAGS if not flag.legacy}


def test_the_flag_table_has_the_options_of_the_contract() -> None:
    wanted = {short: names for short, (names, _) in contract().items() if short != "h"}
    assert {short: flag.names for short, flag in OLD.items()} == wanted


@pytest.mark.parametrize(
    ("short", "default"),
    [(short, default) for short, (_, default) in contract().items() if default],
)
def test_a_default_is_that_of_the_contract(short: str, default: str) -> None:
    known = {"none": (None, ()), "default": (None,), "the image's entrypoint": ((),)}
    found = at(options(), OLD[short].target)
    assert found in known.get(default, (default, int(default) if default.isdigit() else default))


def test_new_options_are_long_only() -> None:
    assert {flag.short for flag in NEW.values()} == {""}


def test_no_two_flags_share_a_name() -> None:
    names = [name for flag in FLAGS for name in (*flag.names, flag.short) if name]
    assert len(names) == len(set(names))


def test_every_field_of_the_options_can_be_reached_by_a_flag() -> None:
    reached = {flag.target for flag in FLAGS}
    parts = {"job": JobOptions, "run": RunOptions, "connection": Connection}
    wanted = {f"{name}.{each.name}" for name, kind in parts.items() for each in fields(kind)}
    wanted |= {each.name for each in fields(Options)} - {*parts, "given", "notes"}
    # The identity is made of several: the name, --run-id, and what a scheduler says.
    wanted -= {"run.identity", "run.bound", "job.env"}
    assert reached == wanted | {"env.names", "env.values"}


@pytest.mark.parametrize(
    "name",
    ["commands", "args", "requests", "limits", "node-selector", "toleration", "label",
     "annotation", "env-from", "set", "param", "map-exit", "envname", "envvalue"],
)  # fmt: skip
def test_what_can_be_meant_several_times_collects(name: str) -> None:
    assert next(flag for flag in FLAGS if flag.name == name).collects


def test_the_table_tells_the_defaults() -> None:
    for short, (_, default) in contract().items():
        if default not in ("", "none", "`default`"):
            assert f"default: {default}" in OLD[short].help


@pytest.mark.parametrize(
    "flag",
    [
        pytest.param(flag, id=flag.name)
        for flag in FLAGS
        if flag.target.startswith("run.") and "(default: " in flag.help
    ],
)
def test_a_default_that_the_table_tells_is_the_one_that_counts(flag: Flag) -> None:
    told = re.search(r"\(default: (\w+)", flag.help)
    assert told is not None
    assert flag.convert(told[1]) == getattr(RunOptions(), flag.target.removeprefix("run."))


@pytest.mark.parametrize("flag", [pytest.param(flag, id=flag.name) for flag in FLAGS])
def test_an_option_takes_its_choices_and_nothing_else(flag: Flag) -> None:
    for choice in flag.choices:
        assert flag.name in options(f"--{flag.name}", choice).given
    if flag.choices:
        with pytest.raises(UsageError, match=re.escape(flag.choices[0])):
            parse([f"--{flag.name}", "no such word"])


def refusal(flag: Flag) -> str:
    """Return what an option says that it takes instead."""
    try:
        flag.convert("no such word")
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", ["image_pull_policy", "restartpolicy", "security", "dry-run",
                                  "keep", "prefix", "exit-code", "print"])  # fmt: skip
def test_the_words_of_a_refusal_are_the_choices(name: str) -> None:
    flag = next(flag for flag in FLAGS if flag.name == name)
    assert tuple(re.split(", | or ", refusal(flag))) == flag.choices
