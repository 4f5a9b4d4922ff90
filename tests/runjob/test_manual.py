"""The manual page is well-formed, whole and the same each time."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from runjob import cli
from runjob.errors import MEANINGS
from runjob.flags import ASKING, FLAGS
from runjob.guide import tables
from runjob.guide.manual import page, roff
from runjob.subcommands import SUBCOMMANDS
from runjob.version import VERSION
from tests.runjob.programs import program


def process(*argv: str, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def read() -> str:
    """Return the page as a reader sees it, its blanks made one."""
    done = process(program("groff"), "-man", "-Tutf8", "-P-cbou", "-rLL=300n", text=page())
    assert done.returncode == 0
    return " ".join(done.stdout.split())


def test_groff_finds_nothing_to_warn_of() -> None:
    done = process(program("groff"), "-man", "-Tutf8", "-ww", "-z", text=page())
    assert (done.returncode, done.stderr) == (0, "")


def test_mandoc_finds_nothing_to_warn_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1769860800")
    done = process(program("mandoc"), "-man", "-T", "lint", "-W", "warning", text=page())
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param((*FLAGS, *ASKING), id="a launch"),
        *(pytest.param(SUBCOMMANDS[name].flags, id=name) for name in ("gc", "list", "show")),
    ],
)
def test_each_option_stands_in_it(flags: Any, read: str) -> None:
    for flag in flags:
        assert f"{tables.spelling(flag)} {tables.meaning(flag)}" in read


def test_each_exit_code_stands_in_it(read: str) -> None:
    for code, meaning in MEANINGS.items():
        assert f"{code.value} {meaning}" in read


def test_each_subcommand_stands_in_it(read: str) -> None:
    for known in SUBCOMMANDS.values():
        assert f"runjob {known.line}" in read


def test_its_sections_are_those_of_a_manual_page() -> None:
    sections = re.findall(r"(?m)^\.SH (.*)$", page())
    assert sections[:6] == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SUBCOMMANDS", "EXIT STATUS",
    ]  # fmt: skip
    assert sections[-5:] == ["ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO", "VERSION"]
    assert page().endswith(f"runjob {VERSION}")


def test_it_is_dated_by_its_source_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert page().startswith(f'.TH RUNJOB 1 "" "runjob {VERSION}"')
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1769860800")
    assert page().startswith('.TH RUNJOB 1 "2026-01-31" ')
    assert page() == page()


def test_the_page_is_ascii() -> None:
    assert page().isascii()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a-b", r"a\-b"),
        ("it's", r"it\(aqs"),
        (r"C:\n", r"C:\en"),
        ("`-y` FILE", r"\fB\-y\fP FILE"),
        ("Failed: …", r"Failed: \[u2026]"),
    ],
)
def test_a_text_is_shown_to_the_letter(text: str, shown: str) -> None:
    assert roff(text) == shown


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help", "man"]) == 0
    assert capsys.readouterr().out == f"{page()}\n"
