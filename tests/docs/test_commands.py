"""Every command of the pages is run: here, by a test that is named, or nowhere for a reason."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from runjob import subcommands
from runjob.flags import Asked, parse
from runjob.options import Options
from tests.docs.pages import ROOT, SHELL, Block, blocks, commands, pages, spans
from tests.docs.session import typed
from tests.docs.tables import ELSEWHERE, NOWHERE, READ_BY, Elsewhere

PROGRAMS = (
    "ctm", "docker", "git", "kafka-topics.sh", "kubectl", "make", "pip", "python", "python3",
    "runjob", "sh",
)  # fmt: skip
SHELL_BLOCKS = tuple(block for block in blocks() if block.language in SHELL)
EVERY = tuple(command for block in SHELL_BLOCKS for command in commands(block.text))


def is_here(command: str) -> bool:
    known = any(command == each.command for each in ELSEWHERE)
    return not known and not any(command.startswith(each.start) for each in NOWHERE)


def here(block: Block) -> list[str]:
    found = list(commands(block.text))
    if any((block.page, command) in READ_BY for command in found):
        return []
    return [command for command in found if is_here(command)]


@pytest.mark.parametrize("block", [each for each in SHELL_BLOCKS if here(each)], ids=str)
def test_the_commands_of_a_block_work_one_after_the_other(block: Block, tmp_path: Path) -> None:
    done = typed(here(block), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error:" not in done.stderr


@functools.cache
def recipe(target: str) -> str:
    """Return the recipe of a target of the Makefile, and of those that it calls."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    found = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)*)", makefile, re.M)
    assert found, f"make {target} is no target"
    return found[1]


@pytest.mark.parametrize("known", ELSEWHERE, ids=lambda each: each.command)
def test_what_is_said_to_be_run_elsewhere_is(known: Elsewhere) -> None:
    assert known.command in EVERY, "no page has it any more"
    file, _, test = known.target.partition("::")
    source = (ROOT / file).read_text("utf-8")
    if test:
        functions = {each.name for each in ast.walk(ast.parse(source))
                     if isinstance(each, ast.FunctionDef)}  # fmt: skip
        assert test in functions
    meant = known.command
    if found := re.fullmatch(r"make ([\w-]+)", known.command):
        meant += recipe(found[1])
    for word in known.words:
        assert word in meant
        assert all(part in source for part in word.split("/")), word


@pytest.mark.parametrize("block", READ_BY, ids=lambda each: each[0])
def test_a_block_that_another_test_reads_is_there_and_read(block: tuple[str, str]) -> None:
    page, command = block
    assert any(each.page == page and command in commands(each.text) for each in SHELL_BLOCKS)
    file, _, test = READ_BY[block].partition("::")
    source = (ROOT / file).read_text("utf-8")
    assert f"def {test}(" in source
    assert f'"{page}"' in source
    assert "```sh" in source


def test_what_nobody_can_run_is_on_a_page_and_has_a_reason() -> None:
    for each in NOWHERE:
        assert each.reason
        assert any(command.startswith(each.start) for command in EVERY), each.start


@pytest.mark.parametrize(
    "command",
    [each for each in dict.fromkeys(EVERY) if not is_here(each)],
    ids=lambda each: each[:60],
)
def test_files_that_a_command_names_are_there(command: str) -> None:
    words = shlex.split(command, comments=True)
    for option, word in pairwise(words):
        if option == "-k" and words[0] == "kubectl":
            assert (ROOT / word / "kustomization.yaml").is_file()
        elif option in ("-f", "--filename") and words[0] in ("docker", "kubectl"):
            assert (ROOT / word).is_file()
        elif option == "--build-arg":
            dockerfile = ROOT / words[words.index("-f") + 1]
            assert re.search(rf"^ARG {word.partition('=')[0]}\b", dockerfile.read_text(), re.M)
        elif option == "-m" and "/" not in word:
            assert importlib.util.find_spec(word)
    for word in words:
        if re.fullmatch(r"(ctm|k8s|misc|docs|application|pythonapp)/[\w./-]+", word):
            assert (ROOT / word).exists(), word


# Of the vendor's client, as its documentation has them: words, and how many operands follow.
CTM = {
    ("build",): (1, 2),
    ("deploy",): (1, 2),
    ("run", "order"): (2, 3),
    ("run", "resource::add"): (3, 3),
    ("config", "secret::add"): (1, 2),
}


@pytest.mark.parametrize("command", [each for each in EVERY if each.startswith("ctm ")])
def test_a_command_of_the_vendors_client_has_its_form(command: str) -> None:
    words = [word for word in command.split()[1:] if word != "-p"]
    name = next(name for name in CTM if tuple(words[: len(name)]) == name)
    least, most = CTM[name]
    assert least <= len(words) - len(name) <= most


def lines_of_the_launcher() -> list[str]:
    """Return what is typed for the launcher, in blocks and within lines, without open ends."""
    typed_lines = [*EVERY, *(span for page in pages() for span in spans(page.read_text("utf-8")))]
    starts = (
        "runjob ",
        "python3 runjob/runJob.py ",
        "runJob.py ",
        "python3 /opt/runjob/runJob.py ",
    )
    return [
        line.splitlines()[0].split(" || ")[0].split(" > ")[0].split(" < ")[0].rstrip("& ")
        for line in dict.fromkeys(typed_lines)
        if line.startswith(starts) and "…" not in line and "TOPIC" not in line
    ]


@pytest.mark.parametrize("line", lines_of_the_launcher())
def test_a_line_of_the_launcher_can_be_read(line: str) -> None:
    words = shlex.split(line.partition("runJob.py ")[2] or line.removeprefix("runjob "))
    words = ["name" if word in ("NAME", "START") else word for word in words]
    if words == ["show"]:
        return  # the command itself, as it is spoken of
    if words[0] in subcommands.SUBCOMMANDS:
        assert subcommands.read(words[0], words[1:])
    elif words[0].startswith("-"):
        assert isinstance(parse(words), (Options, Asked))


@pytest.mark.parametrize(
    "block", [each for each in blocks() if each.language not in SHELL], ids=str
)
def test_no_command_hides_in_a_block_of_another_kind(block: Block) -> None:
    if block.language in ("text", ""):
        for line in block.text.splitlines():
            assert line.partition(" ")[0] not in PROGRAMS, line


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.name))
def test_a_command_within_a_line_names_what_is_there(path: Path) -> None:
    for span in spans(path.read_text("utf-8")):
        if found := re.match(r"make ([a-z0-9-]+)", span):
            assert recipe(found[1])
        if found := re.match(r"(?:\w+=\S+ )*python3? -m ([\w.]+)", span):
            assert importlib.util.find_spec(found[1]), span
        if found := re.match(r"python3? ([a-z][\w/]+\.py)", span):
            assert (ROOT / found[1]).exists(), span


@pytest.mark.parametrize(
    "block",
    [each for each in blocks() if each.language == "python" and "README" not in each.page],
    ids=str,
)
def test_a_program_of_a_page_works(block: Block, tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text(block.text)
    lay_out = tmp_path / "session"
    lay_out.mkdir()
    done = typed([f"PYTHONPATH={ROOT} python3 {tmp_path / 'page.py'}"], lay_out)
    assert done.returncode == 0, done.stderr
