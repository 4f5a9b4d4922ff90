"""Options, exit codes and messages that the pages name are the code's, and none is left out."""

from __future__ import annotations

import ast
import functools
import getopt
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from application.errors import Exit as PipelineExit
from ctm.rehearse.profile import Profile
from runjob.errors import Exit
from runjob.flags import FLAGS
from runjob.subcommands import SUBCOMMANDS
from tests.docs.pages import DOCS, ROOT, SHELL, blocks, commands, pages, spans

# What these pages name without saying of which program is the launcher's.
OF_THE_LAUNCHER = (
    "endings.md", "launcher.md", "recipes.md", "troubleshooting.md", "job-type.md",
)  # fmt: skip
PACKAGES = ("application", "ctm", "misc", "pythonapp", "runjob", "tests/chaos", "tests/bench")
# Of programs that are not ours, as the pages name them.
FOREIGN = {"--create", "--cascade"}


def launcher_options() -> set[str]:
    flags = [*FLAGS, *(flag for each in SUBCOMMANDS.values() for flag in each.flags)]
    return {
        *(f"--{name}" for flag in flags for name in flag.names),
        *(f"-{flag.short}" for flag in flags if flag.short),
        "-h",
        "--help",
        "--version",
    }


def sources(*packages: str) -> Iterator[Path]:
    return (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@functools.cache
def other_options() -> frozenset[str]:
    return frozenset(
        node.value
        for path in sources(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"--[a-z][\w-]+", node.value)
    )


def named(text: str) -> Iterator[str]:
    """Yield the options in code within lines."""
    for span in spans(text):
        if not span.startswith(("kubectl ", "docker ", "ctm ")):
            yield from re.findall(r"(?<![\w-])(--[a-z][\w-]*|-[a-zA-Z])(?![\w-])", span)


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.name))
def test_an_option_that_a_page_names_is_one(path: Path) -> None:
    known = launcher_options()
    if path.name not in OF_THE_LAUNCHER:
        known |= other_options() | FOREIGN
    unknown = {each for each in named(path.read_text("utf-8")) if each.startswith("--")} - known
    assert not unknown


@pytest.mark.parametrize("page", OF_THE_LAUNCHER)
def test_a_short_option_that_a_page_of_the_launcher_names_is_one(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    alone = {span for span in spans(text) if re.fullmatch(r"-[a-zA-Z]", span)}
    assert alone <= launcher_options()


def test_every_option_of_a_command_line_in_a_block_is_one() -> None:
    ours = launcher_options() | other_options()
    for block in blocks():
        if block.language in SHELL:
            for command in commands(block.text):
                program = command.split()[0]
                if program in ("runjob", "python", "python3"):
                    line = re.sub(r"'[^']*'", "", command.splitlines()[0])
                    assert set(re.findall(r"(?<!\S)--[a-z][\w-]*", line)) <= ours, command


def with_options() -> list[str]:
    """Return the modules of ours that are started by name and read options."""
    found = []
    for path in sources("application", "ctm", "misc", "pythonapp", "runjob"):
        is_package = path.name == "__main__.py"
        if is_package or 'if __name__ == "__main__":' in path.read_text("utf-8"):
            beside = path.parent.glob("*.py") if is_package else [path]
            if any("ArgumentParser" in each.read_text("utf-8") for each in beside):
                parts = path.relative_to(ROOT).with_suffix("").parts
                found.append(".".join(parts).removesuffix(".__main__"))
    return found


# Started by another file, which is the one to name.
BY_ANOTHER = {
    "application.cli": "application/KafkaSnowflake.py",
    "pythonapp": "pythonapp/bmctwitter.py",
    "pythonapp.cli": "pythonapp/bmctwitter.py",
}


@pytest.mark.parametrize("module", sorted({*with_options(), *BY_ANOTHER}))
def test_every_command_with_options_has_its_help_on_a_page(module: str) -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    started = BY_ANOTHER.get(module, f"-m {module}")
    assert f"```{{usage}} python {started} --help\n" in text


def test_every_key_of_a_rehearsals_profile_is_told_of() -> None:
    told = set(spans((DOCS / "control-m.md").read_text("utf-8")))
    assert {field.name for field in fields(Profile)} | {"set"} <= told


CODES = re.compile(
    r"(?:\bexit codes?|\bcodes?|\bCode|\bends? with|\bor with|\bended with)\s+"
    r"(\d+(?:(?:, | and | or | to )\d+)*)\b(?! (?:bytes|posts|dead|its))"
)


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.name))
def test_an_exit_code_that_a_page_names_is_one(path: Path) -> None:
    known = {int(each) for kind in (Exit, PipelineExit) for each in kind}
    known |= {137, 143}  # a signal's, which a container or a command ends with
    text = " ".join(path.read_text("utf-8").split())
    for found in CODES.finditer(text):
        assert {int(number) for number in re.findall(r"\d+", found[1])} <= known, found[0]


def test_every_code_of_the_launcher_is_told_of() -> None:
    text = (DOCS / "endings.md").read_text("utf-8") + (DOCS / "troubleshooting.md").read_text(
        "utf-8"
    )
    told = set(re.findall(r"\b\d+\b", text))
    assert {str(each.value) for each in Exit} <= told


# -- messages ----------------------------------------------------------------------------------


def said(node: ast.AST) -> list[str]:
    """Return the fixed words of a message, in their order."""
    parts: list[str] = []
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            parts.append(each.value)
    return parts


@functools.cache
def fixed_words() -> tuple[str, ...]:
    return tuple(
        part
        for path in sources("application", "misc/agent", "pythonapp", "runjob")
        for part in said(tree(path))
    ) + tuple(said(ast.parse(inspect.getsource(getopt))))  # reads the subcommands' options


def quoted() -> list[str]:
    """Return the messages of the troubleshooting page: the first cell of each row of a table."""
    rows = re.findall(r"^\| (`.*?`) \|", (DOCS / "troubleshooting.md").read_text("utf-8"), re.M)
    return [message for row in rows for message in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("message", quoted())
def test_the_fixed_words_of_a_message_stand_in_the_code(message: str) -> None:
    fragments = [part for part in re.split(r"…", message) if re.search(r"\w{2}", part)]
    assert fragments
    for fragment in fragments:
        assert any(fragment.strip() in words for words in fixed_words()), fragment


# Errors in a line of options, a setting or a quadrant's file say themselves what is wrong with
# which value; all others are explained.
EXPLAINED = {"LaunchError", "ManifestError", "NoClusterError", "Ending", "UnreachableError",
             "RefusedError"}  # fmt: skip
# Words around a message of another's, a database's say, which then tells itself what is wrong.
AROUND = {"; check "}


def raised() -> list[str]:
    """Return what is raised as such an error, by its longest fixed words."""
    found = []
    for path in sources("application", "pythonapp", "runjob"):
        # Every worker of the tests comes here: only a file that names one is parsed.
        if not any(name in path.read_text("utf-8") for name in EXPLAINED):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and _name(node.func) in EXPLAINED:
                arguments = [*node.args[:1], *(each.value for each in node.keywords
                                               if each.arg == "text")]  # fmt: skip
                words = [word for each in arguments for word in said(each)]
                if any(len(word.split()) > 1 for word in words if word not in AROUND):
                    found.append("\0".join(words))
    return list(dict.fromkeys(found))


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


@pytest.mark.parametrize("words", raised(), ids=lambda words: max(words.split("\0"), key=len)[:60])
def test_a_message_of_trouble_is_explained(words: str) -> None:
    fragments = {
        part.strip()
        for message in quoted()
        for part in message.split("…")
        if len(part.split()) > 1 or len(part.strip()) > 8
    }
    assert any(fragment in part for fragment in fragments for part in words.split("\0"))
